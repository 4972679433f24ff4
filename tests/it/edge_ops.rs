//! The ops listener, logs and metrics: what they tell, and what they must not.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::http::ops::{Check, Ops, Readiness};
use countersign::http::{Address, Edge, Limits, Listener, Server};
use countersign::random::SystemRandom;
use countersign::telemetry::{Format, Level, Metrics, subscriber};
use countersign::time::{SystemClock, Timestamp};

use crate::edge_support::{Setup, exchange};

const SECONDS: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Ledger(AtomicBool);

impl Readiness for Ledger {
    fn checks(&self) -> Vec<Check> {
        let failure = (!self.0.load(Ordering::SeqCst)).then_some("does not answer");
        vec![Check { name: "keyring", failure: None }, Check { name: "ledger", failure }]
    }
}

#[tokio::test]
async fn probes_and_metrics_are_served() {
    let metrics = Metrics::new(Timestamp::from_secs(1_700_000_000));
    let ledger = Arc::new(Ledger::default());
    let edge = Edge {
        clock: Arc::new(SystemClock::new()),
        random: Arc::new(SystemRandom::new()),
        metrics: metrics.clone(),
    };
    let handler = Arc::new(Ops::new(Arc::clone(&ledger) as Arc<dyn Readiness>, metrics));
    let address = Address::Tcp("127.0.0.1:0".parse().unwrap());
    let limits = Limits::default();
    let listener = Listener { name: "ops", address, tls: None, limits, handler };
    let server = Server::bind(&edge, vec![listener]).await.unwrap();
    let address = server.address("ops").unwrap();
    tokio::spawn(server.run(std::future::pending(), SECONDS));

    let ask = async |line: &str| {
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        exchange(address, request.as_bytes(), SECONDS).await.0
    };
    let not_ready = "ok keyring\nfailed ledger: does not answer\nnot ready\n";
    for (line, status, ending) in [
        ("GET /livez", "200", "\r\n\r\nalive\n"),
        ("HEAD /livez", "200", "\r\n\r\n"),
        ("GET /livez?verbose", "200", "\r\n\r\nalive\n"),
        ("GET /readyz", "503", not_ready),
        ("POST /livez", "405", "only GET and HEAD\n"),
        ("GET /", "404", "not found\n"),
        ("GET /livez/", "404", "not found\n"),
        ("GET /metrics/../livez", "404", "not found\n"),
    ] {
        let answer = ask(line).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
        assert!(answer.ends_with(ending), "{line}: {answer}");
    }
    ledger.0.store(true, Ordering::SeqCst);
    assert!(ask("GET /readyz").await.ends_with("ok keyring\nok ledger\nready\n"));

    let text = ask("GET /metrics").await;
    for line in [
        "countersign_requests_total{listener=\"ops\",operation=\"livez\",status=\"200\"} 3\n",
        "countersign_requests_total{listener=\"ops\",operation=\"none\",status=\"404\"} 3\n",
        "countersign_request_duration_seconds_count{listener=\"ops\",operation=\"readyz\"} 2\n",
        "countersign_connections{listener=\"ops\"} 1\n",
        "process_start_time_seconds 1700000000\n",
        concat!("countersign_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n"),
        "# EOF\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn capture(level: Level, format: Format) -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let (subscriber, _) = subscriber(level, format, move || writer.clone());
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn a_request_has_one_line() {
    let (lines, _guard) = capture(Level::Info, Format::Json);
    let server = Setup::default().start().await;
    let request = b"POST /p\"a\x7fth?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    exchange(server.address, request, SECONDS).await;
    let request = b"POST /path?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (answer, _) = exchange(server.address, request, SECONDS).await;
    let text = lines.text();
    let logged: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["message"] == "request")
        .collect();
    assert_eq!(logged.len(), 1, "{text}");
    let line = &logged[0];
    assert!(answer.contains(line["request_id"].as_str().unwrap()));
    for (name, value) in [
        ("listener", "test"),
        ("method", "POST"),
        ("path", "/path"),
        ("operation", "Mirror"),
        ("account", "123456789012"),
    ] {
        assert_eq!(line[name], value);
    }
    assert_eq!(line["status"], 200);
    assert!(line["micros"].is_u64() && line.get("code").is_none());
}

#[tokio::test]
async fn nothing_secret_is_logged_or_counted() {
    const SECRET: &str = "wJalrXUtnFEMI";
    for format in [Format::Json, Format::Text] {
        let (lines, _guard) = capture(Level::Trace, format);
        let limits = Limits { body_bytes: 50, ..Limits::default() };
        let server = Setup { limits, ..Setup::default() }.start().await;
        let body = format!("SecretAccessKey={SECRET}");
        for (head, body) in [
            ("POST / HTTP/1.1\r\nHost: a", body.clone()),
            ("POST /panic HTTP/1.1\r\nHost: a", body.clone()),
            ("POST / HTTP/1.1\r\nHost: a\r\nHost: b", body.clone()),
            ("POST / HTTP/1.1\r\nHost: a", body.repeat(3)),
            ("POST / HTTP/9.9\r\nHost: a", body.clone()),
            ("POST / HTTP/1.1\r\nHost: a\r\nBad Header: b", body.clone()),
            ("POST / HTTP/1.1\nHost: a", body.clone()),
        ] {
            let head = head.replace("/ ", &format!("/?X-Amz-Security-Token={SECRET} "));
            let request = format!(
                "{head}\r\nAuthorization: {SECRET}\r\nX-Amz-Security-Token: {SECRET}\r\n\
                 Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            exchange(server.address, request.as_bytes(), SECONDS).await;
        }
        let (text, counted) = (lines.text(), server.metrics.text());
        assert!(text.contains("request") && text.contains("/panic"), "{text}");
        assert!(!text.contains(SECRET) && !counted.contains(SECRET), "{text}{counted}");
    }
}

#[test]
fn the_level_changes_while_running() {
    let lines = Lines::default();
    let writer = lines.clone();
    let (subscriber, control) = subscriber(Level::Warn, Format::Json, move || writer.clone());
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(target: "countersign::test", "before");
        control.set_level(Level::Info);
        tracing::info!(target: "countersign::test", "after");
        tracing::info!(target: "h2", "of a library");
        tracing::warn!(target: "h2", "library's warning");
    });
    let text = lines.text();
    assert!(!text.contains("before") && text.contains("after"), "{text}");
    assert!(!text.contains("of a library") && text.contains("library's warning"), "{text}");
}
