//! A question that was given up never gets its answer to another (redis-py's CVE-2023-28858).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use countersign::random::{Random, SystemRandom};
use countersign::sessions::{Inserted, Ledger};

use crate::redis_server::{Deployment, RedisServer, principal};

fn draw() -> u8 {
    let mut byte = [0];
    SystemRandom::new().fill(&mut byte).unwrap();
    byte[0]
}

/// Holds Redis up, so that answers come long after their questions.
fn pause(server: &RedisServer, millis: u32) {
    let _: String = server.ask(&["CLIENT", "PAUSE", &millis.to_string(), "ALL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn museum_m63_answers_go_to_their_questions_only() {
    let server = RedisServer::start();
    let deployment = Arc::new(Deployment::new());
    let mut settings = server.settings();
    settings.command_timeout = Duration::from_secs(5);
    settings.lease = Duration::from_mins(1);
    let ledger = Arc::new(deployment.open(&settings).await.unwrap());
    let mut kept = HashMap::new();
    for _ in 0..64 {
        let (id, bytes) = deployment.keep(&*ledger).await;
        kept.insert(id, bytes);
    }
    let (mut answered, mut dropped) = (0, 0);
    for round in 0..12 {
        pause(&server, 40);
        let mut tasks = Vec::new();
        for (id, bytes) in &kept {
            let (ledger, id, bytes) = (Arc::clone(&ledger), *id, bytes.clone());
            // Finds, inserts and lists are mixed: their answers are of different shapes.
            let insert = deployment.record(principal());
            tasks.push(tokio::spawn(async move {
                if draw().is_multiple_of(4) {
                    assert_eq!(ledger.insert(insert).await, Ok(Inserted::Kept));
                }
                if draw().is_multiple_of(8) {
                    let now = countersign::time::Timestamp::from_secs(0);
                    assert_eq!(ledger.count(principal(), now).await, Ok(0));
                }
                assert_eq!(ledger.find(id).await, Ok(Some(bytes)), "{id}");
            }));
        }
        // Given up at every stage: before it is sent, while it is on its way, when it is answered.
        for (index, task) in tasks.iter().enumerate() {
            if (index + round) % 2 == 0 {
                tokio::time::sleep(Duration::from_micros(u64::from(draw()) * 8)).await;
                task.abort();
            }
        }
        for task in tasks {
            match task.await {
                Ok(()) => answered += 1,
                Err(error) if error.is_cancelled() => dropped += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(answered >= 300 && dropped >= 100, "{answered} answered, {dropped} dropped");
    assert_eq!(ledger.meters().connections.get(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn museum_m63_answers_that_came_too_late_are_thrown_away() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let mut settings = server.settings();
    settings.command_timeout = Duration::from_millis(60);
    let ledger = deployment.open(&settings).await.unwrap();
    let mut kept = Vec::new();
    for _ in 0..16 {
        kept.push(deployment.keep(&ledger).await);
    }
    for _ in 0..6 {
        // All time out; their answers come while later questions are asked.
        pause(&server, 90);
        for (id, bytes) in &kept {
            if let Ok(found) = ledger.find(*id).await {
                assert_eq!(found.as_ref(), Some(bytes));
            }
        }
        let end = std::time::Instant::now() + Duration::from_millis(300);
        while std::time::Instant::now() < end {
            for (id, bytes) in &kept {
                if let Ok(found) = ledger.find(*id).await {
                    assert_eq!(found.as_ref(), Some(bytes));
                }
            }
        }
    }
}

#[tokio::test]
async fn an_insert_that_was_given_up_is_whole_or_not_there() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = Arc::new(deployment.open(&server.settings()).await.unwrap());
    for _ in 0..50 {
        let new = deployment.record(principal());
        let (id, bytes, role) = (new.access_key_id, new.record.clone(), new.principal);
        let writer = Arc::clone(&ledger);
        let task = tokio::spawn(async move { writer.insert(new).await });
        tokio::time::sleep(Duration::from_micros(u64::from(draw()) * 4)).await;
        task.abort();
        let _ = task.await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let found = ledger.find(id).await.unwrap();
        let listed = ledger.count(role, deployment.clock.now()).await.unwrap();
        match found {
            Some(found) => assert_eq!((found, listed), (bytes, 1)),
            None => assert_eq!(listed, 0),
        }
    }
}
