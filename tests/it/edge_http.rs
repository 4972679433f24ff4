//! HTTP/1.1 over a real socket: what a handler sees, and what is bounded.

use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign::http::Limits;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::edge_support::{Setup, eventually, exchange, read_all};

const PATIENCE: Duration = Duration::from_secs(5);

fn small() -> Limits {
    Limits {
        body_bytes: 1000,
        header_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(300),
        handshake_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

fn post(length: usize) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    [head.into_bytes(), vec![b'x'; length]].concat()
}

#[tokio::test]
async fn a_handler_sees_the_request_as_it_was_sent() {
    let server = Setup::default().start().await;
    let request = b"POST /a%2Fb//c/./..?x=%20&y HTTP/1.1\r\nHost: sts.example:1\r\nX-B: 2\r\n\
        X-A: one\r\nX-A: two\r\nX-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n\
        X-Real-IP: 203.0.113.9\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    let (answer, closed) = exchange(server.address, request, PATIENCE).await;
    assert!(closed);
    for part in [
        "HTTP/1.1 200 OK\r\n",
        "\r\ndate: ",
        "\r\nx-amzn-requestid: ",
        "\nmethod POST\n",
        "\ntarget /a%2Fb//c/./..?x=%20&y\n",
        "\npeer 127.0.0.1\n",
        "\nsecure false\n",
        "\nbody 3\n",
        "\nheader host: sts.example:1\n",
        "\nheader x-a: one\nheader x-a: two\n",
    ] {
        assert!(format!("\n{answer}").replace("\r\nmethod", "\nmethod").contains(part), "{part}");
    }
    server.stop().await;
}

#[tokio::test]
async fn connections_are_kept_and_requests_may_be_pipelined() {
    let server = Setup::default().start().await;
    let bytes =
        [post(3), post(0), b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into()];
    let (answer, closed) = exchange(server.address, &bytes.concat(), PATIENCE).await;
    assert!(closed);
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 3);
    let mut ids: Vec<_> =
        answer.lines().filter(|line| line.starts_with("x-amzn-requestid")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_chunked_body_is_read_and_ends_its_connection() {
    let server = Setup::default().start().await;
    let request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: t\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    let (answer, closed) = exchange(server.address, request, PATIENCE).await;
    assert!(closed && answer.contains("connection: close") && answer.contains("body 5\n"));
    assert!(!answer.contains("x-trailer"), "{answer}");
    assert_eq!(server.mirror.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let server = Setup { limits: small(), ..Setup::default() }.start().await;
    let chunked = |chunks: usize| {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{}0\r\n\r\n", format!("64\r\n{}\r\n", "x".repeat(100)).repeat(chunks))
    };
    for (bytes, status) in [
        (post(1000), "200"),
        (post(1001), "413"),
        (post(2001), "413"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n".to_vec(), "413"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1500\r\n\r\n"
                .to_vec(),
            "413",
        ),
        (chunked(10).into_bytes(), "200"),
        (chunked(11).into_bytes(), "413"),
        (chunked(30).into_bytes(), "413"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nslow".to_vec(), "408"),
    ] {
        let (answer, _) = exchange(server.address, &bytes, Duration::from_millis(800)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
    }
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = Setup::default().start().await;
    let head = |extra: String| format!("GET / HTTP/1.1\r\nHost: a\r\n{extra}\r\n").into_bytes();
    let target = |length| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(length));
    for (name, bytes, status) in [
        ("many", head("X-A: b\r\n".repeat(Limits::HEADERS - 1)), "200"),
        ("too many", head("X-A: b\r\n".repeat(Limits::HEADERS)), "431"),
        ("large", head(format!("X-A: {}\r\n", "x".repeat(60_000))), "200"),
        ("too large", head(format!("X-A: {}\r\n", "x".repeat(70_000))), "431"),
        ("endless", head(format!("X-A: {}\r\n", "x".repeat(500_000))), "431"),
        ("long", target(Limits::TARGET_BYTES - 1).into(), "200"),
        ("too long", target(Limits::TARGET_BYTES).into(), "414"),
    ] {
        let (answer, _) = exchange(server.address, &bytes, Duration::from_millis(500)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer:.60}");
    }
}

#[tokio::test]
async fn the_slow_are_cut_off() {
    let server = Setup { limits: small(), ..Setup::default() }.start().await;
    for start in ["", "P", "PRI * HTTP/2.0\r\n\r\nS", "GET / HTTP/1.1\r\nHost"] {
        let (answer, closed) = exchange(server.address, start.as_bytes(), PATIENCE).await;
        assert!(closed && !answer.contains("200"), "{start:?}: {answer}");
    }
    // A byte now and then buys no time.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut written = 0;
    for byte in "GET / HTTP/1.1\r\nHost: a\r\nX-A: bbbbbbbbbbbbbbbbbb".bytes() {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        written += 1;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert!(written < 40, "{written} bytes were taken");
    assert_eq!(server.mirror.begun.load(Ordering::SeqCst), 0);
    assert!(server.metrics.text().contains(r#"reason="timeout""#), "{}", server.metrics.text());
}

#[tokio::test]
async fn connections_are_bounded_and_come_free() {
    let limits = Limits { connections: 2, ..small() };
    let server = Setup { limits, ..Setup::default() }.start().await;
    let idle = [
        TcpStream::connect(server.address).await.unwrap(),
        TcpStream::connect(server.address).await.unwrap(),
    ];
    // The third waits until an idle one was cut off.
    let (answer, _) = exchange(server.address, &post(0), PATIENCE).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(idle);
}

#[tokio::test]
async fn requests_at_once_are_bounded() {
    let limits = Limits { requests: 1, ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start().await;
    let mut waiting = TcpStream::connect(server.address).await.unwrap();
    waiting.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually(|| server.mirror.begun.load(Ordering::SeqCst) == 1).await;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (answer, _) = exchange(server.address, request, PATIENCE).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    server.mirror.let_go.notify_one();
    let (answer, _) = read_all(&mut waiting, Duration::from_millis(300)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (answer, _) = exchange(server.address, request, PATIENCE).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_panic_is_answered() {
    let server = Setup::default().start().await;
    let bytes = b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (answer, _) = exchange(server.address, bytes, PATIENCE).await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("HTTP/1.1 200"), "{answer}");
    assert_eq!(answer.matches("x-amzn-requestid: ").count(), 2);
}

#[tokio::test]
async fn what_was_begun_is_finished_though_the_client_left() {
    let server = Setup::default().start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually(|| server.mirror.begun.load(Ordering::SeqCst) == 1).await;
    drop(stream);
    eventually(|| server.metrics.text().contains("countersign_connections{listener=\"test\"} 0"))
        .await;
    server.mirror.let_go.notify_one();
    eventually(|| server.mirror.finished.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_head_request_gets_the_length_and_no_body() {
    let server = Setup::default().start().await;
    let request = b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (answer, _) = exchange(server.address, request, PATIENCE).await;
    assert!(answer.ends_with("\r\n\r\n") && !answer.contains("content-length: 0"), "{answer}");
    assert!(answer.contains("content-length: "), "{answer}");
}

#[tokio::test]
async fn an_absolute_target_of_the_same_host_is_a_path() {
    let server = Setup::default().start().await;
    for (target, seen) in
        [("http://A.b:1/x?y", "/x?y"), ("http://a.b:1", "/"), ("http://a.b:1?y", "/?y")]
    {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a.b:1\r\nConnection: close\r\n\r\n");
        let (answer, _) = exchange(server.address, request.as_bytes(), PATIENCE).await;
        assert!(answer.contains(&format!("\ntarget {seen}\n")), "{target}: {answer}");
    }
}
