//! Stopping, and Unix sockets.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use countersign::http::{Address, Edge, Limits, Listener, Server};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};

use crate::edge_support::{Mirror, Running, Setup, eventually, read_all};

const SECONDS: Duration = Duration::from_secs(5);

async fn waiting(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually(|| server.mirror.begun.load(Ordering::SeqCst) == 1).await;
    stream
}

#[tokio::test]
async fn a_stop_finishes_requests_in_work() {
    let mut server = Setup::default().start().await;
    let mut busy = waiting(&server).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    eventually(|| server.mirror.finished.load(Ordering::SeqCst) == 1).await;

    server.ask_to_stop();
    let (answer, closed) = read_all(&mut idle, SECONDS).await;
    assert!(closed && answer.starts_with("HTTP/1.1 200"), "idle connections end at once");
    let mut refused = false;
    for _ in 0..100 {
        refused = TcpStream::connect(server.address).await.is_err();
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(refused, "nothing new is accepted");
    assert!(!server.has_ended());

    server.mirror.let_go.notify_one();
    let (answer, closed) = read_all(&mut busy, SECONDS).await;
    assert!(closed && answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(SECONDS, server.stop()).await.unwrap();
}

#[tokio::test]
async fn a_stop_ends_in_bounded_time() {
    let grace = Duration::from_millis(300);
    let server = Setup { grace, ..Setup::default() }.start().await;
    let mut busy = waiting(&server).await;
    let start = Instant::now();
    server.stop().await;
    assert!((grace..grace * 5).contains(&start.elapsed()), "{:?}", start.elapsed());
    let (answer, closed) = read_all(&mut busy, SECONDS).await;
    assert!(closed && answer.is_empty(), "{answer}");
}

#[tokio::test]
async fn a_stop_waits_for_work_whose_client_left() {
    let mut server = Setup::default().start().await;
    drop(waiting(&server).await);
    server.ask_to_stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!server.has_ended());
    server.mirror.let_go.notify_one();
    let mirror = Arc::clone(&server.mirror);
    tokio::time::timeout(SECONDS, server.stop()).await.unwrap();
    assert_eq!(mirror.finished.load(Ordering::SeqCst), 1);
}

async fn on_socket(path: &Path) -> Running {
    Setup { address: Address::Unix(path.to_owned()), ..Setup::default() }.start().await
}

async fn ask(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    read_all(&mut stream, SECONDS).await.0
}

#[tokio::test]
async fn a_unix_socket_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let server = on_socket(&path).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    assert!(ask(&path).await.contains("\npeer unix\n"));
    server.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn only_a_dead_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let dead = std::fs::metadata(&path).unwrap().ino();
    let server = on_socket(&path).await;
    assert_ne!(std::fs::metadata(&path).unwrap().ino(), dead);

    let taken = bind(&path).await.unwrap_err();
    assert!(taken.contains("another process answers"), "{taken}");
    assert!(ask(&path).await.contains("\npeer unix\n"), "the first still answers");
    server.stop().await;

    std::fs::write(&path, "a file").unwrap();
    let taken = bind(&path).await.unwrap_err();
    assert!(taken.contains("a file stands there"), "{taken}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
}

async fn bind(path: &Path) -> Result<(), String> {
    let edge = Edge {
        clock: Arc::new(countersign::time::SystemClock::new()),
        random: Arc::new(countersign::random::SystemRandom::new()),
        metrics: countersign::telemetry::Metrics::new(countersign::time::Timestamp::from_secs(0)),
    };
    let listener = Listener {
        name: "admin",
        address: Address::Unix(path.to_owned()),
        tls: None,
        limits: Limits::default(),
        handler: Arc::new(Mirror::default()),
    };
    Server::bind(&edge, vec![listener]).await.map(drop).map_err(|error| error.to_string())
}
