//! A small HTTP/1.1 client for our own commands: over TCP, TLS with a given CA, or a Unix socket.
//!
//! One connection is kept for the next request. Everything is bounded: the time of a
//! request from connecting to the last byte, and the bytes of the answer. Redirects are not
//! followed and proxies not used: a signed request goes where it was signed for.
//!
//! INVARIANT (no accidental plaintext): `http://` beyond loopback is refused unless the caller was
//! told `--insecure-plaintext`.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::tls::{TlsError, certificates};

/// A server's address is of no use.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not `http://host[:port]` or `https://host[:port]`.
    #[error("an endpoint is http://HOST[:PORT] or https://HOST[:PORT], without a path")]
    Url,
    /// The host cannot be named in TLS.
    #[error("the endpoint's host is no name for TLS: {0}")]
    Name(#[from] InvalidDnsNameError),
    /// Plaintext beyond loopback.
    #[error("{host} is beyond loopback: use https, or accept the risk with --insecure-plaintext")]
    Plaintext {
        /// The host.
        host: String,
    },
    /// TLS without a CA to trust.
    #[error(
        "an https endpoint needs the CA to trust: give its file as --ca-bundle or AWS_CA_BUNDLE"
    )]
    NoCa,
    /// The CA's file is of no use.
    #[error(transparent)]
    Ca(#[from] TlsError),
    /// The CA's file holds something else than a certificate.
    #[error("cannot use the CA of {}: {source}", path.display())]
    BadCa {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// A request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The request's target is not a path, or a header is malformed. Nothing was sent.
    #[error("the request is malformed")]
    Malformed,
    /// No connection. Nothing was sent.
    #[error("cannot connect to {to}: {source}")]
    Connect {
        /// Where to.
        to: String,
        /// Why.
        source: io::Error,
    },
    /// Time was up before a connection stood. Nothing was sent.
    #[error("cannot connect to {to}: no answer in time")]
    ConnectTimeout {
        /// Where to.
        to: String,
    },
    /// The connection broke: whether the request was carried out is not known.
    #[error("the connection broke before the answer: outcome unknown")]
    Broken(#[source] hyper::Error),
    /// Time was up: whether the request was carried out is not known.
    #[error("no answer in time: outcome unknown")]
    Timeout,
    /// The answer is larger than the limit; the request was carried out.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl ClientError {
    /// Whether the request may have been carried out.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Timeout | Self::TooLarge { .. })
    }
}

/// An answer. It may carry secrets, hence no `Debug`.
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
}

enum Endpoint {
    Tcp { host: String, port: u16, tls: Option<(ServerName<'static>, Arc<ClientConfig>)> },
    Unix(PathBuf),
}

/// A client of one server.
pub struct Client {
    endpoint: Endpoint,
    authority: HeaderValue,
    time: Duration,
    body_bytes: usize,
    kept: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Client {
    /// How long a request may take by default, connecting included.
    pub const TIME: Duration = Duration::from_secs(30);
    /// Bytes of an answer by default.
    pub const BODY_BYTES: usize = 16 * 1024 * 1024;

    /// A client of the socket at `path`.
    pub fn unix(path: &Path) -> Self {
        Self::new(Endpoint::Unix(path.to_owned()), HeaderValue::from_static("localhost"))
    }

    /// A client of `http://host[:port]` or, trusting the certificates of the file `ca` alone,
    /// `https://host[:port]`.
    pub fn url(
        url: &str,
        ca: Option<&Path>,
        insecure_plaintext: bool,
    ) -> Result<Self, EndpointError> {
        let uri: Uri = url.parse().map_err(|_| EndpointError::Url)?;
        let authority = uri.authority().ok_or(EndpointError::Url)?;
        let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(EndpointError::Url);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tls, default_port) = match uri.scheme_str() {
            Some("https") => (Some((ServerName::try_from(host.clone())?, trust(ca)?)), 443),
            Some("http") if insecure_plaintext || is_loopback(&host) => (None, 80),
            Some("http") => return Err(EndpointError::Plaintext { host }),
            _ => return Err(EndpointError::Url),
        };
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None => default_port,
        };
        let authority =
            HeaderValue::from_str(authority.as_str()).map_err(|_| EndpointError::Url)?;
        Ok(Self::new(Endpoint::Tcp { host, port, tls }, authority))
    }

    fn new(endpoint: Endpoint, authority: HeaderValue) -> Self {
        let (time, body_bytes, kept) = (Self::TIME, Self::BODY_BYTES, Mutex::new(None));
        Self { endpoint, authority, time, body_bytes, kept }
    }

    /// With other bounds: the time of a request, and the bytes of an answer.
    #[must_use]
    pub fn with_limits(self, time: Duration, body_bytes: usize) -> Self {
        Self { time, body_bytes, ..self }
    }

    /// What stands in `Host`, for signing: `host` or `host:port`, as the URL gave it.
    pub fn host(&self) -> &str {
        self.authority.to_str().unwrap_or_default()
    }

    /// Sends a request and reads the whole answer. `target` is path and query, encoded; `Host` is
    /// added unless `headers` has one.
    ///
    /// A kept connection that the server had closed is replaced when nothing was sent on it;
    /// nothing is ever sent twice.
    pub async fn request(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Response, ClientError> {
        if !target.starts_with('/') {
            return Err(ClientError::Malformed);
        }
        let mut request = Request::new(Full::new(body.into()));
        *request.uri_mut() = target.parse().map_err(|_| ClientError::Malformed)?;
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        request.headers_mut().entry(header::HOST).or_insert_with(|| self.authority.clone());

        let deadline = Instant::now() + self.time;
        if let Some(open) = self.keep(None) {
            let answer = timeout_at(deadline, self.on_kept(open, request)).await;
            match answer.map_err(|_| ClientError::Timeout)?? {
                Sent::Answered(response) => return Ok(response),
                Sent::Unsent(unsent) => request = unsent,
            }
        }
        let mut open = timeout_at(deadline, self.connect())
            .await
            .unwrap_or_else(|_| Err(ClientError::ConnectTimeout { to: self.to() }))?;
        let answer = async {
            let response = open.send_request(request).await.map_err(ClientError::Broken)?;
            self.read(open, response).await
        };
        timeout_at(deadline, answer).await.map_err(|_| ClientError::Timeout)?
    }

    /// Sends on a connection that was kept: it may turn out to be closed already.
    async fn on_kept(
        &self,
        mut open: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
    ) -> Result<Sent, ClientError> {
        if open.ready().await.is_err() {
            return Ok(Sent::Unsent(request));
        }
        match open.try_send_request(request).await {
            Ok(response) => self.read(open, response).await.map(Sent::Answered),
            Err(mut error) => match error.take_message() {
                Some(unsent) => Ok(Sent::Unsent(unsent)),
                None => Err(ClientError::Broken(error.into_error())),
            },
        }
    }

    /// Keeps a connection for the next request, or takes the one that was kept.
    fn keep(&self, open: Option<SendRequest<Full<Bytes>>>) -> Option<SendRequest<Full<Bytes>>> {
        std::mem::replace(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner), open)
    }

    async fn read(
        &self,
        open: SendRequest<Full<Bytes>>,
        response: hyper::Response<hyper::body::Incoming>,
    ) -> Result<Response, ClientError> {
        let (parts, body) = response.into_parts();
        let limit = self.body_bytes;
        let body = Limited::new(body, limit).collect().await.map_err(|error| match error
            .downcast::<hyper::Error>(
        ) {
            Ok(broken) => ClientError::Broken(*broken),
            Err(other) => {
                debug_assert!(other.is::<LengthLimitError>());
                ClientError::TooLarge { limit }
            }
        })?;
        let (status, headers, body) = (parts.status, parts.headers, body.to_bytes());
        self.keep(Some(open));
        Ok(Response { status, headers, body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let failed = |source| ClientError::Connect { to: self.to(), source };
        match &self.endpoint {
            Endpoint::Unix(path) => {
                handshake(UnixStream::connect(path).await.map_err(failed)?).await
            }
            Endpoint::Tcp { host, port, tls } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(failed)?;
                stream.set_nodelay(true).map_err(failed)?;
                match tls {
                    None => handshake(stream).await,
                    Some((name, config)) => {
                        let connector = TlsConnector::from(Arc::clone(config));
                        let stream =
                            connector.connect(name.clone(), stream).await.map_err(failed)?;
                        handshake(stream).await
                    }
                }
            }
        }
    }

    fn to(&self) -> String {
        match &self.endpoint {
            Endpoint::Tcp { host, port, .. } => format!("{host} port {port}"),
            Endpoint::Unix(path) => path.display().to_string(),
        }
    }
}

enum Sent {
    Answered(Response),
    Unsent(Request<Full<Bytes>>),
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::Broken)?;
    // It ends with its sender; what breaks it is told to the request.
    tokio::spawn(connection);
    Ok(sender)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn trust(ca: Option<&Path>) -> Result<Arc<ClientConfig>, EndpointError> {
    let path = ca.ok_or(EndpointError::NoCa)?;
    let unusable = |source| EndpointError::BadCa { path: path.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(unusable)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
