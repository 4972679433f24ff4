//! The edge's settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The listeners: top-level keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where STS, IAM and the other AWS-protocol services are served.
    pub listen: SocketAddr,
    /// Where downstream services have requests verified.
    pub verify_listen: SocketAddr,
    /// A Unix socket with mode 0600 where they have that too.
    pub verify_socket: Option<PathBuf>,
    /// Where probes and metrics are served.
    pub ops_listen: SocketAddr,
    /// Lets the API and verify listeners speak plaintext beyond loopback.
    pub insecure_plaintext: bool,
    /// How long requests in flight may take to finish once a stop is asked for.
    pub shutdown_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            listen: loopback(8350),
            verify_listen: loopback(8351),
            verify_socket: None,
            ops_listen: loopback(8352),
            insecure_plaintext: false,
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// TLS of the API and verify listeners: the table `tls`. All files are PEM.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// The server's certificate chain, its own certificate first.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key.
    pub key: Option<PathBuf>,
    /// The certificate authorities whose clients may use the verify listener; set, a client
    /// without a certificate of theirs is not served. What it may ask is up to each service's
    /// askers.
    pub verify_client_ca: Option<PathBuf>,
    /// Whether the API listener asks its clients for certificates, by which IAM Roles Anywhere knows
    /// those that do not sign: `off` or `request`.
    pub client_certificates: ClientCertificates,
}

/// What the API listener does about its clients' certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// Nothing.
    #[default]
    Off,
    /// It asks for them. A client without one is served; a browser that has some asks its user which
    /// one to show.
    Request,
}

/// Bounds of each listener: the table `limits`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at once; more wait in the system's backlog.
    pub connections: usize,
    /// Requests in work at once; more are answered with 503.
    pub requests: usize,
    /// Bytes of a request's body; more is answered with 413.
    pub body_bytes: usize,
    /// Time for a TLS handshake.
    pub handshake_timeout: Duration,
    /// Time for a request's head, and how long an HTTP/1.1 connection may wait for the next one.
    pub header_timeout: Duration,
    /// Time for a request's body.
    pub body_timeout: Duration,
    /// How long a connection may go without a request, or an answer stay unread.
    pub idle_timeout: Duration,
}

impl Limits {
    /// Bytes of a request's head, its first line included.
    pub const HEAD_BYTES: usize = 64 * 1024;
    /// Header lines of a request.
    pub const HEADERS: usize = 128;
    /// Bytes of a request's target.
    pub const TARGET_BYTES: usize = 32 * 1024;
    /// Streams open at once on an HTTP/2 connection.
    pub const STREAMS: u32 = 128;
    /// Bytes of a backup that is put back: some millions of entities.
    pub const BACKUP_BYTES: usize = 2 * 1024 * 1024 * 1024;
    /// HTTP/2 streams that a peer may have reset before they were served; more ends the connection.
    pub const PENDING_RESETS: usize = 20;

    /// The bounds of the admin socket: few ask there, and a backup that is put back is large.
    pub(crate) fn of_admin(self) -> Self {
        Self {
            requests: self.requests.min(16),
            body_bytes: self.body_bytes.max(Self::BACKUP_BYTES),
            body_timeout: self.body_timeout.max(Duration::from_mins(10)),
            ..self
        }
    }

    /// Kibibytes of all requests that arrive or are in work: as many as `requests` of the largest.
    pub(crate) fn memory_kib(&self) -> usize {
        let largest = self.body_bytes.saturating_add(2 * Self::HEAD_BYTES) / 1024;
        self.requests.saturating_mul(largest)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            requests: 512,
            body_bytes: 2 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(1),
        }
    }
}
