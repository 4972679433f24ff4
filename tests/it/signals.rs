//! The process and its signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::broker::{Broker, Signal, eventually};
use crate::caller::{Plan, Prepared};

/// A signed request whose head was sent and read, and whose body is still awaited.
struct InWork {
    stream: BufReader<TcpStream>,
    body: String,
}

impl InWork {
    fn begin(api: SocketAddr, request: &Prepared) -> Self {
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
        for (name, value) in &request.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let length = request.body.len().to_string();
        head.extend(["expect: 100-continue\r\ncontent-length: ", &length, "\r\n\r\n"]);
        let stream = TcpStream::connect(api).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        (&stream).write_all(head.as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        // It says so once somebody wants the body: then the request is in work.
        stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 100"), "{line}");
        Self { stream, body: request.body.clone() }
    }

    /// Sends the body: the answer.
    fn finish(mut self) -> String {
        self.stream.get_mut().write_all(self.body.as_bytes()).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn create_user(broker: &Broker) -> Prepared {
    broker.admin().sign(Plan::query("iam", "CreateUser", &[("UserName", "last")]))
}

#[test]
fn a_stop_finishes_what_is_in_work() {
    for signal in [Signal::Terminate, Signal::Interrupt] {
        let mut broker = Broker::start();
        let request = InWork::begin(broker.api, &create_user(&broker));
        broker.signal(signal);
        broker.logged("finishing requests in work");
        eventually("closed listeners", || TcpStream::connect(broker.api).is_err());
        assert!(broker.is_running());
        let answer = request.finish();
        assert!(answer.contains("<UserName>last</UserName>"), "{answer}");
        assert_eq!(broker.wait().code(), Some(0));
        broker.logged("\"stopped\"");
        assert!(!broker.home.data().join("admin.sock").exists());
        let records = broker.home.audit();
        let made = records.iter().filter(|record| record["eventName"] == "CreateUser").count();
        assert_eq!(made, 2, "intent and outcome");
    }
}

#[test]
fn a_stop_ends_in_bounded_time() {
    let mut broker = Broker::with(&[("COUNTERSIGN_SHUTDOWN_TIMEOUT", "300ms")]);
    let _never = InWork::begin(broker.api, &create_user(&broker));
    let asked = Instant::now();
    broker.signal(Signal::Terminate);
    assert_eq!(broker.wait().code(), Some(0));
    // The body alone would have had half a minute.
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    broker.logged("when the time for stopping was up");
}

#[tokio::test]
async fn a_stop_keeps_what_a_start_needs() {
    let mut broker = Broker::start();
    broker.admin().iam("CreateUser", &[("UserName", "alice")]).await.ok();
    broker.signal(Signal::Terminate);
    assert!(broker.wait().success());
    broker.restart();
    broker.admin().iam("GetUser", &[("UserName", "alice")]).await.ok();
}

/// SIGHUP after the audit file was moved away, as logrotate does.
#[tokio::test]
async fn a_hangup_reopens_the_audit_file() {
    let broker = Broker::start();
    let log = broker.home.data().join("audit.jsonl");
    let moved = broker.home.data().join("audit.jsonl.1");
    broker.admin().iam("CreateUser", &[("UserName", "before")]).await.ok();
    std::fs::rename(&log, &moved).unwrap();
    broker.signal(Signal::Hangup);
    eventually("the new file", || log.exists());
    broker.admin().iam("CreateUser", &[("UserName", "after")]).await.ok();
    let (old, new) =
        (std::fs::read_to_string(moved).unwrap(), std::fs::read_to_string(log).unwrap());
    assert_eq!(old.matches("CreateUser").count(), 2, "{old}");
    assert_eq!(new.matches("CreateUser").count(), 2, "{new}");
    assert!(old.contains("before") && new.contains("after"));
}

#[tokio::test]
async fn a_hangup_reads_the_log_level_again() {
    let broker = Broker::start();
    let settings = broker.home.data().join("countersign.toml");
    let lines = || broker.log().matches("\"/livez\"").count();
    // Whether one more request is logged.
    let logs = async || {
        let before = lines();
        broker.ops_text("/livez").await;
        // What comes after it on the same connection shows that its line would be there.
        broker.ops_text("/livez").await;
        lines() > before
    };
    // The log is read by a thread of its own: it may be a moment behind.
    let end = Instant::now() + Duration::from_secs(20);
    while !logs().await {
        assert!(Instant::now() < end, "requests are logged");
    }
    for (text, logged) in
        [("log = \"error\"", false), ("log = \"info\"", true), ("log = \"eror\"", true)]
    {
        std::fs::write(&settings, text).unwrap();
        broker.signal(Signal::Hangup);
        let end = Instant::now() + Duration::from_secs(20);
        while logs().await != logged {
            assert!(Instant::now() < end, "{text}");
        }
    }
    broker.logged("the settings cannot be read again");
}
