//! A server to test the edge against, and raw sockets to do it with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::http::{
    Address, Answer, Edge, Handler, Incoming, Limits, Listener, Outgoing, Peer, Reloader, Server,
    TlsFiles,
};
use countersign::random::SystemRandom;
use countersign::telemetry::Metrics;
use countersign::time::{SystemClock, Timestamp};
use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// Answers with what it saw, one fact a line. `/panic` panics; `/wait` waits to be let go.
#[derive(Default)]
pub(crate) struct Mirror {
    pub(crate) let_go: Notify,
    pub(crate) begun: AtomicUsize,
    pub(crate) finished: AtomicUsize,
}

impl Handler for Mirror {
    fn handle(&self, request: Incoming) -> Answer<'_> {
        Box::pin(async move {
            self.begun.fetch_add(1, Ordering::SeqCst);
            match request.path() {
                "/panic" => panic!("as asked"),
                "/wait" => self.let_go.notified().await,
                _ => {}
            }
            self.finished.fetch_add(1, Ordering::SeqCst);
            let peer = match request.peer {
                Peer::Tcp(address) => address.ip().to_string(),
                Peer::Unix => "unix".into(),
            };
            let mut lines = vec![
                format!("method {}", request.method),
                format!("target {}", request.target),
                format!("peer {peer}"),
                format!("secure {}", request.is_secure()),
                format!("body {}", request.body.len()),
            ];
            if let Some(tls) = &request.tls {
                lines.push(format!("client certificates {}", tls.client_chain.len()));
            }
            for (name, value) in &request.headers {
                lines.push(format!("header {name}: {}", String::from_utf8_lossy(value.as_bytes())));
            }
            Outgoing::text(StatusCode::OK, &lines.join("\n"))
                .for_operation("Mirror")
                .with_log("account", "123456789012")
        })
    }
}

/// A running server with one listener.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) mirror: Arc<Mirror>,
    pub(crate) metrics: Metrics,
    pub(crate) reloader: Reloader,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

impl Running {
    /// Asks for a stop and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.ask_to_stop();
        self.ended.await.unwrap();
    }

    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_finished()
    }
}

pub(crate) struct Setup {
    pub(crate) address: Address,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) limits: Limits,
    pub(crate) grace: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            address: Address::Tcp("127.0.0.1:0".parse().unwrap()),
            tls: None,
            limits: Limits::default(),
            grace: Duration::from_secs(5),
        }
    }
}

impl Setup {
    pub(crate) async fn start(self) -> Running {
        let mirror = Arc::new(Mirror::default());
        let edge = Edge {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom::new()),
            metrics: Metrics::new(Timestamp::from_secs(0)),
        };
        let listener = Listener {
            name: "test",
            address: self.address,
            tls: self.tls,
            limits: self.limits,
            handler: Arc::clone(&mirror) as Arc<dyn Handler>,
        };
        let server = Server::bind(&edge, vec![listener]).await.unwrap();
        let address = server.address("test").unwrap_or_else(|| "127.0.0.1:1".parse().unwrap());
        let reloader = server.reloader();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let ended = tokio::spawn(server.run(stopped, self.grace));
        Running { address, mirror, metrics: edge.metrics, reloader, stop: Some(stop), ended }
    }
}

/// Sends bytes and reads what comes until the other side closes or `patience` is over; returns
/// what came and whether it closed.
pub(crate) async fn exchange(
    address: SocketAddr,
    bytes: &[u8],
    patience: Duration,
) -> (String, bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    read_all(&mut stream, patience).await
}

pub(crate) async fn read_all(
    stream: &mut (impl AsyncReadExt + Unpin),
    patience: Duration,
) -> (String, bool) {
    let mut read = Vec::new();
    let closed = tokio::time::timeout(patience, async {
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => read.extend_from_slice(&buffer[..count]),
            }
        }
    })
    .await
    .is_ok();
    (String::from_utf8_lossy(&read).into_owned(), closed)
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came true");
}
