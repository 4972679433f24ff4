use std::collections::HashMap;
use std::fs::{self, File};
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::audit::{Event, EventId, UserIdentity};
use crate::id::RequestId;
use crate::random::SystemRandom;
use crate::time::Timestamp;

fn record(name: String) -> Record {
    let random = SystemRandom::new();
    let event = Event {
        id: EventId::generate(&random).unwrap(),
        time: Timestamp::from_secs(0),
        source: "sts.amazonaws.com",
        name,
        region: String::new(),
        source_ip: String::new(),
        user_agent: None,
        request_id: RequestId::generate(&random).unwrap(),
        read_only: false,
    };
    Record::single(event, UserIdentity::default())
        .request_parameters(json!({ "text": "a\nb\r\u{2028}" }))
}

/// How often each name stands in a file whose every line is a record.
fn names(path: &Path) -> HashMap<String, usize> {
    let text = fs::read_to_string(path).unwrap();
    let mut names = HashMap::new();
    for line in text.split_inclusive('\n') {
        assert!(line.ends_with('\n'));
        let record: Value = serde_json::from_str(line).expect("a whole record");
        *names.entry(record["eventName"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_record_stands_once_and_whole() {
    for synced in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let sink = Arc::new(FileSink::open(&path, synced).unwrap());
        let tasks: Vec<_> = (0..20)
            .map(|task| {
                let sink = Arc::clone(&sink);
                tokio::spawn(async move {
                    for n in 0..25 {
                        sink.accept(record(format!("{task}-{n}"))).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let names = names(&path);
        assert_eq!(names.len(), 500);
        assert!(names.values().all(|count| *count == 1));
    }
}

#[tokio::test]
async fn records_are_in_the_order_of_calls_and_dropped_futures_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let sink = FileSink::open(&path, false).unwrap();
    drop(sink.accept(record("first".to_owned())));
    let second = sink.accept(record("second".to_owned()));
    let third = sink.accept(record("third".to_owned()));
    third.await.unwrap();
    second.await.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let at = |name: &str| text.find(name).expect(name);
    assert!(at("first") < at("second") && at("second") < at("third"));
}

#[tokio::test]
async fn rotation_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let rotated = folder.path().join("audit.jsonl.1");
    let sink = FileSink::open(&path, false).unwrap();
    sink.accept(record("old".to_owned())).await.unwrap();
    fs::rename(&path, &rotated).unwrap();
    sink.reopen().await.unwrap();
    sink.accept(record("new".to_owned())).await.unwrap();
    assert!(names(&rotated).contains_key("old") && names(&path).contains_key("new"));
}

#[tokio::test]
async fn every_waiter_learns_of_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("audit");
    let path = directory.join("audit.jsonl");
    let sink = FileSink::open(&path, false).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "in the way").unwrap();
    let waiting: Vec<_> = (0..50).map(|n| sink.accept(record(n.to_string()))).collect();
    for outcome in waiting {
        assert!(matches!(outcome.await, Err(AuditError::File { step: Step::Open, .. })));
    }
    assert!(sink.reopen().await.is_err());
    fs::remove_file(&directory).unwrap();
    sink.accept(record("again".to_owned())).await.unwrap();
    assert_eq!(names(&path).len(), 1);
}

#[tokio::test]
async fn a_full_disk_refuses_records() {
    let full = Path::new("/dev/full");
    let file = File::options().append(true).open(full).unwrap();
    let sink = FileSink::start(Log::of(full, file), QUEUE).unwrap();
    for _ in 0..2 {
        // The second one finds that the path names no regular file.
        let outcome = sink.accept(record("a".to_owned())).await;
        assert!(matches!(outcome, Err(AuditError::File { .. } | AuditError::NotAFile)));
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    // Nobody takes from this queue.
    let (queue, jobs) = mpsc::channel(1);
    let sink = FileSink { queue };
    let waiting = sink.accept(record("a".to_owned()));
    assert!(matches!(sink.accept(record("b".to_owned())).await, Err(AuditError::Full)));
    drop(jobs);
    assert!(matches!(waiting.await, Err(AuditError::Stopped)));
    assert!(matches!(sink.accept(record("c".to_owned())).await, Err(AuditError::Stopped)));
    assert!(matches!(sink.reopen().await, Err(AuditError::Stopped)));
}

#[tokio::test]
async fn records_that_are_handed_in_together_take_one_place_and_one_write() {
    let (queue, mut jobs) = mpsc::channel(1);
    let sink = FileSink { queue };
    let three = ["a", "b", "c"].map(|name| record(name.to_owned())).to_vec();
    let waiting = sink.accept_all(three.clone());
    assert!(matches!(sink.accept_all(three).await, Err(AuditError::Full)));
    let Some(Job::Write(lines, done)) = jobs.recv().await else { panic!("a write") };
    assert_eq!(String::from_utf8(lines).unwrap().lines().count(), 3);
    done.send(Ok(())).unwrap();
    waiting.await.unwrap();
}

#[tokio::test]
async fn memory_sink_keeps_and_fails_as_told() {
    let sink = crate::audit::memory::MemorySink::new();
    sink.accept(record("a".to_owned())).await.unwrap();
    sink.fail(true);
    sink.accept(record("b".to_owned())).await.unwrap_err();
    sink.fail(false);
    sink.accept(record("c".to_owned())).await.unwrap();
    let names: Vec<_> = sink.records().iter().map(|r| r["eventName"].clone()).collect();
    assert_eq!(names, ["a", "c"]);
}
