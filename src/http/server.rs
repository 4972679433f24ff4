//! The server: binds all listeners, serves them, reloads their certificates, stops in bounded time.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::connection;
use super::exchange::Exchange;
use super::listen::{Address, BindError, Socket};
use super::message::{Handler, Peer};
use super::settings::Limits;
use super::tls::{Tls, TlsFiles};
use crate::random::Random;
use crate::telemetry::Metrics;
use crate::time::Clock;

/// What the edge takes from the world.
#[derive(Clone)]
pub struct Edge {
    /// Reads the time of each request.
    pub clock: Arc<dyn Clock>,
    /// Draws the ID of each request.
    pub random: Arc<dyn Random>,
    /// Counts requests and connections.
    pub metrics: Metrics,
}

/// A listener to be.
pub struct Listener {
    /// Its name in logs and metrics.
    pub name: &'static str,
    /// Where it listens.
    pub address: Address,
    /// Set, it speaks TLS only.
    pub tls: Option<TlsFiles>,
    /// Its bounds.
    pub limits: Limits,
    /// What answers.
    pub handler: Arc<dyn Handler>,
}

/// Where the server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Connections are accepted and served.
    Serving,
    /// None is accepted; requests in work are finished.
    Draining,
    /// Time is up: what is left is dropped.
    Closing,
}

/// Held by everything that a stop waits for.
pub(crate) type Hold = mpsc::Sender<Infallible>;

struct Bound {
    name: &'static str,
    address: Address,
    socket: Socket,
    tls: Option<Arc<Tls>>,
    connections: Arc<Semaphore>,
    exchange: Arc<Exchange>,
}

/// Bound listeners, ready to serve.
pub struct Server {
    bound: Vec<Bound>,
}

impl Server {
    /// Binds all listeners and reads their certificates; nothing is accepted yet. Within a tokio
    /// runtime.
    pub async fn bind(edge: &Edge, listeners: Vec<Listener>) -> Result<Self, BindError> {
        let mut bound = Vec::with_capacity(listeners.len());
        for listener in listeners {
            bound.push(Bound::open(edge, listener).await?);
        }
        Ok(Self { bound })
    }

    /// Each listener's name and address, ports as the system chose them.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &Address)> {
        self.bound.iter().map(|bound| (bound.name, &bound.address))
    }

    /// The TCP address of the listener of this name.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        self.addresses().find_map(|(found, address)| match address {
            Address::Tcp(address) if found == name => Some(*address),
            _ => None,
        })
    }

    /// Reloads certificates while the server runs.
    pub fn reloader(&self) -> Reloader {
        let tls = |bound: &Bound| bound.tls.clone().map(|tls| (bound.name, tls));
        Reloader { tls: self.bound.iter().filter_map(tls).collect() }
    }

    /// Serves until `shutdown` is ready, then stops accepting, lets requests in work finish
    /// for at most `grace`, and closes what is left.
    pub async fn run(self, shutdown: impl Future<Output = ()>, grace: Duration) {
        let (stage, watcher) = watch::channel(Stage::Serving);
        let (hold, mut held) = mpsc::channel(1);
        for bound in self.bound {
            tracing::info!(
                listener = bound.name,
                address = %bound.address,
                tls = bound.tls.is_some(),
                "listening"
            );
            tokio::spawn(bound.serve(watcher.clone(), hold.clone()));
        }
        drop((hold, watcher));
        shutdown.await;
        tracing::info!("stopping: finishing requests in work");
        stage.send_replace(Stage::Draining);
        if tokio::time::timeout(grace, held.recv()).await.is_err() {
            tracing::warn!("requests were still in work when the time for stopping was up");
        }
        stage.send_replace(Stage::Closing);
    }
}

/// Reads the certificates of all listeners again.
#[derive(Clone)]
pub struct Reloader {
    tls: Vec<(&'static str, Arc<Tls>)>,
}

impl Reloader {
    /// Reads all files again for the handshakes to come; returns whether all could be used. A
    /// listener whose new files are of no use keeps what it had, and an error is logged.
    /// Connections that stand are not touched.
    pub fn reload(&self) -> bool {
        let mut all = true;
        for (listener, tls) in &self.tls {
            match tls.reload() {
                Ok(()) => tracing::info!(listener, "certificates reloaded"),
                Err(error) => {
                    tracing::error!(listener, %error, "the old certificates stay in use");
                    all = false;
                }
            }
        }
        all
    }
}

impl Bound {
    async fn open(edge: &Edge, listener: Listener) -> Result<Self, BindError> {
        let Listener { name, address, tls, limits, handler } = listener;
        let tls = tls
            .map(|files| Tls::open(files).map(Arc::new))
            .transpose()
            .map_err(|source| BindError::Tls { name, source })?;
        let (socket, address) = Socket::bind(&address)
            .await
            .map_err(|source| BindError::Address { name, address, source })?;
        let exchange = Arc::new(Exchange {
            listener: name,
            handler,
            limits,
            clock: Arc::clone(&edge.clock),
            random: Arc::clone(&edge.random),
            metrics: edge.metrics.clone(),
            room: Arc::new(Semaphore::new(limits.requests.min(Semaphore::MAX_PERMITS))),
            memory: Arc::new(Semaphore::new(limits.memory_kib().min(Semaphore::MAX_PERMITS))),
        });
        let connections = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        Ok(Self { name, address, socket, tls, connections, exchange })
    }

    async fn serve(self, stage: watch::Receiver<Stage>, hold: Hold) {
        let mut stopping = stage.clone();
        let accepting = async {
            loop {
                let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else {
                    return;
                };
                match self.socket.accept().await {
                    Ok(Accepted::Tcp(stream, peer)) => {
                        self.spawn(stream, Peer::Tcp(peer), permit, &stage, &hold);
                    }
                    Ok(Accepted::Unix(stream)) => {
                        self.spawn(stream, Peer::Unix, permit, &stage, &hold);
                    }
                    // Out of descriptors, most likely: connections have to end first.
                    Err(error) => {
                        tracing::warn!(listener = self.name, %error, "cannot accept");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accepting => {}
            _ = stopping.wait_for(|stage| *stage != Stage::Serving) => {}
        }
    }

    fn spawn<S>(
        &self,
        stream: S,
        peer: Peer,
        permit: OwnedSemaphorePermit,
        stage: &watch::Receiver<Stage>,
        hold: &Hold,
    ) where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (name, metrics) = (self.name, self.exchange.metrics.clone());
        let exchange = Arc::clone(&self.exchange);
        let (tls, stage, hold) = (self.tls.clone(), stage.clone(), hold.clone());
        tokio::spawn(async move {
            let open = metrics.connection(name);
            if let Err(broken) = connection::serve(exchange, tls, stream, peer, stage, hold).await {
                metrics.connection_broken(name, broken.as_str());
            }
            drop((open, permit));
        });
    }
}

enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Socket {
    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                Ok(Accepted::Tcp(stream, peer))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted::Unix(stream))
            }
        }
    }
}
