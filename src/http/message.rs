//! What passes between the edge and a handler.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use rustls::pki_types::CertificateDer;
use tokio::sync::mpsc;

use super::payload::Payload;
use crate::authn::HeldChain;
use crate::downstream::CertificateNames;
use crate::id::RequestId;
use crate::time::Timestamp;

/// Who sent a request, as the connection tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The address at the other end; an IPv4 address mapped into IPv6 stands as IPv4.
    Tcp(SocketAddr),
    /// A process of this host that may open the socket's file.
    Unix,
}

impl Peer {
    /// Whether it is a process of this host: no other can send from a loopback address.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix => true,
        }
    }

    /// The address for `aws:SourceIp`; `None` on a Unix socket.
    pub fn source_ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }
}

/// What the TLS handshake told.
#[derive(Clone, Debug, Default)]
pub struct TlsInfo {
    /// The client's certificate chain in DER, its own certificate first, where the listener has a
    /// client CA: it was verified against that. Else empty.
    pub client_chain: Arc<[CertificateDer<'static>]>,
    /// What the first of `client_chain` says; `None` without one, or with one that does not read.
    pub client: Option<KnownClient>,
    /// What the client holds the key of, where the listener asks for whichever certificate there is:
    /// nobody vouches for it.
    pub held: Option<Arc<HeldChain>>,
}

impl TlsInfo {
    /// The names of a known client, while its certificate lasts: the handshake vouches for its own
    /// moment alone, and a connection may stay open long after it.
    pub fn client_at(&self, now: Timestamp) -> Option<Arc<CertificateNames>> {
        let client = self.client.as_ref().filter(|client| now <= client.not_after)?;
        Some(Arc::clone(&client.names))
    }
}

/// What the certificate of a known client says.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownClient {
    /// Its names.
    pub names: Arc<CertificateNames>,
    /// The last moment at which it is good.
    pub not_after: Timestamp,
}

/// A whole request. It carries secrets (headers, query, body), hence no `Debug`.
pub struct Incoming {
    /// The name of the listener it came in by.
    pub listener: &'static str,
    /// Who sent it.
    pub peer: Peer,
    /// Set when it came by TLS.
    pub tls: Option<TlsInfo>,
    /// Its ID: in the answer's `x-amzn-RequestId`, in logs, in audit records.
    pub request_id: RequestId,
    /// When its head had arrived. The clock is read once a request, here.
    pub received_at: Timestamp,
    /// The method.
    pub method: Method,
    /// Path and query as they stood on the request line or in `:path`, not decoded. Of an
    /// absolute target (`GET http://host/path`), the part after the authority. Starts with `/`.
    pub target: String,
    /// The headers; values of one name stand in the order they arrived. Exactly one is `host`
    /// (from `:authority` in HTTP/2).
    pub headers: HeaderMap,
    /// The whole body, within the listener's limit. Trailers are dropped.
    pub body: Bytes,
}

impl Incoming {
    /// Whether the request came by TLS: `aws:SecureTransport`.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// The target up to the query, not decoded.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query after the first `?`, not decoded; empty without one.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// An answer.
pub struct Outgoing {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, `content-type` among them. The edge adds `date`, `content-length` and
    /// `x-amzn-RequestId`.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Payload,
    /// What follows the body; HTTP/2 only.
    pub trailers: Option<HeaderMap>,
    /// The operation that answered, for logs and metrics: one of a fixed set of names.
    pub operation: Option<&'static str>,
    /// More for the request's log line: nothing secret. The names `code`, `account` and
    /// `principal` become fields of their own, others stand together in `detail`.
    pub log: Vec<(&'static str, String)>,
}

impl Outgoing {
    /// An answer with a body of this type.
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::with_payload(status, content_type, Payload::Whole(body.into()))
    }

    /// An answer that is sent piece by piece.
    pub fn streamed(
        status: StatusCode,
        content_type: &'static str,
        pieces: mpsc::Receiver<Bytes>,
    ) -> Self {
        Self::with_payload(status, content_type, Payload::Stream { pieces, hold: None })
    }

    fn with_payload(status: StatusCode, content_type: &'static str, body: Payload) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body, trailers: None, operation: None, log: Vec::new() }
    }

    /// An answer of one line of text.
    pub fn text(status: StatusCode, line: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", format!("{line}\n"))
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds what follows the body.
    #[must_use]
    pub fn with_trailers(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }

    /// Names the operation that answered.
    #[must_use]
    pub fn for_operation(mut self, operation: &'static str) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Adds to the request's log line.
    #[must_use]
    pub fn with_log(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.log.push((name, value.into()));
        self
    }
}

/// The future of an answer.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Outgoing> + Send + 'a>>;

/// What answers a listener's requests.
///
/// A request that reached its handler runs to its end, also when the client goes away meanwhile:
/// what was begun is finished and audited. A panic is answered with 500 and logged.
///
/// ```
/// use countersign::http::{Answer, Handler, Incoming, Outgoing};
///
/// struct Hello;
///
/// impl Handler for Hello {
///     fn handle(&self, request: Incoming) -> Answer<'_> {
///         Box::pin(async move {
///             Outgoing::text(hyper::StatusCode::OK, request.path()).for_operation("Hello")
///         })
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Incoming) -> Answer<'_>;
}
