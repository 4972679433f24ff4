//! Connections to the broker's verify listener: HTTP/1.1 over TLS, a Unix socket, or loopback.
//!
//! INVARIANT (no accidental plaintext): beyond loopback there is TLS. Redirects are not followed.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::secret::SecretAccessKey;
use crate::sigv4::{RequestHead, Signer, UriRules};
use crate::time::Clock;
use crate::verify::news::NewsError;

/// How long connecting, and how long a question, may take.
const TIME: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));
/// The most connections that are kept for the next question.
const KEPT: usize = 16;
/// The service that questions are signed for, and a region: any is good.
const SCOPE: (&str, &str) = ("us-east-1", "countersign");

/// The broker cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Not an address of a broker.
    #[error("a broker's address is https://HOST[:PORT], http:// on loopback, or a socket's path")]
    Address,
    /// A certificate or key cannot be read.
    #[error("the certificates or the key cannot be used: {0}")]
    Certificates(String),
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    /// Time was up.
    #[error("no answer in time")]
    Timeout,
    /// There are no credentials to sign with, or they cannot sign.
    #[error("the question cannot be signed")]
    Unsigned,
    /// Not an answer.
    #[error("the answer cannot be read")]
    Answer,
    /// An answer that is no answer to the question.
    #[error("the broker answered with status {0}")]
    Status(u16),
    /// News that make no sense.
    #[error(transparent)]
    News(NewsError),
}

impl ClientError {
    /// Whether the broker was reached and does not answer this asker.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status(401 | 403))
    }
}

/// Certificates, all PEM.
pub struct Tls {
    /// The authorities that vouch for the broker: no others are trusted.
    pub ca_pem: Vec<u8>,
    /// The verifier's own certificate chain and its private key, by which the broker knows it.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// Where the broker's verify listener is.
pub struct BrokerAddress {
    endpoint: Endpoint,
    authority: String,
}

enum Endpoint {
    Tcp { host: String, port: u16, tls: Option<(ServerName<'static>, Arc<ClientConfig>)> },
    Unix(PathBuf),
}

impl BrokerAddress {
    /// `https://HOST[:PORT]`.
    pub fn https(url: &str, tls: Tls) -> Result<Self, ClientError> {
        let (host, port, authority) = split(url, "https")?;
        let name = ServerName::try_from(host.clone()).map_err(|_| ClientError::Address)?;
        let tls = Some((name, Arc::new(config(tls)?)));
        let endpoint = Endpoint::Tcp { host, port: port.unwrap_or(443), tls };
        Ok(Self { endpoint, authority })
    }

    /// `http://HOST[:PORT]` on loopback: whoever has the port is taken for the broker.
    pub fn loopback(url: &str) -> Result<Self, ClientError> {
        let (host, port, authority) = split(url, "http")?;
        let local = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
        if !local {
            return Err(ClientError::Address);
        }
        Ok(Self {
            endpoint: Endpoint::Tcp { host, port: port.unwrap_or(80), tls: None },
            authority,
        })
    }

    /// A Unix socket: whoever owns it is taken for the broker.
    pub fn unix(path: &Path) -> Self {
        Self { endpoint: Endpoint::Unix(path.to_owned()), authority: "localhost".to_owned() }
    }
}

fn split(url: &str, scheme: &str) -> Result<(String, Option<u16>, String), ClientError> {
    let uri: Uri = url.parse().map_err(|_| ClientError::Address)?;
    let authority = uri.authority().ok_or(ClientError::Address)?;
    let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
    let named = !authority.as_str().contains('@') && !authority.host().is_empty();
    if uri.scheme_str() != Some(scheme) || !bare || !named {
        return Err(ClientError::Address);
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok((host, authority.port_u16(), authority.as_str().to_owned()))
}

fn config(tls: Tls) -> Result<ClientConfig, ClientError> {
    let unusable = |error: &dyn std::fmt::Display| ClientError::Certificates(error.to_string());
    let chain = |pem: &[u8]| {
        CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(&error))
    };
    let mut roots = RootCertStore::empty();
    for certificate in chain(&tls.ca_pem)? {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"there is no authority to trust"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots);
    let mut config = match tls.client {
        None => builder.with_no_client_auth(),
        Some((certificates, key)) => {
            let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| unusable(&error))?;
            builder
                .with_client_auth_cert(chain(&certificates)?, key)
                .map_err(|error| unusable(&error))?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Credentials that sign questions. A secret stands in them, hence no `Debug`.
pub struct Credentials {
    /// The access key ID.
    pub access_key_id: String,
    /// The secret access key.
    pub secret: SecretAccessKey,
    /// The session token, of temporary credentials.
    pub session_token: Option<String>,
}

/// Where credentials come from; asked for each question, so that they may change.
pub trait CredentialSource: Send + Sync + 'static {
    /// The credentials now; `None` if there are none.
    fn credentials(&self) -> Option<Arc<Credentials>>;
}

impl CredentialSource for Arc<Credentials> {
    fn credentials(&self) -> Option<Arc<Credentials>> {
        Some(Self::clone(self))
    }
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// An answer that comes in pieces.
pub(super) struct Feed {
    body: Incoming,
    /// The connection goes with it.
    _open: SendRequest<Full<Bytes>>,
}

impl Feed {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(bytes) = frame?.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

/// The broker.
pub(super) struct Broker {
    address: BrokerAddress,
    credentials: Option<Arc<dyn CredentialSource>>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl Broker {
    pub(super) fn new(
        address: BrokerAddress,
        credentials: Option<Arc<dyn CredentialSource>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { address, credentials, clock, kept: Mutex::new(Vec::new()) }
    }

    /// Asks with a body of JSON.
    pub(super) async fn post(
        &self,
        target: &str,
        body: Vec<u8>,
        limit: usize,
    ) -> Result<Answer, ClientError> {
        self.whole(self.request(Method::POST, target, body)?, limit).await
    }

    /// Asks without a body.
    pub(super) async fn get(&self, target: &str, limit: usize) -> Result<Answer, ClientError> {
        self.whole(self.request(Method::GET, target, Vec::new())?, limit).await
    }

    /// Asks for an answer in pieces, on a connection of its own.
    pub(super) async fn stream(&self, target: &str) -> Result<Feed, ClientError> {
        let request = self.request(Method::GET, target, Vec::new())?;
        let mut open = self.connect().await?;
        let sent = timeout(TIME.1, open.send_request(request)).await;
        let response = sent.map_err(|_| ClientError::Timeout)??;
        match response.status().as_u16() {
            200 => Ok(Feed { body: response.into_body(), _open: open }),
            status => Err(ClientError::Status(status)),
        }
    }

    async fn whole(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<Answer, ClientError> {
        let answer = async {
            let (open, response) = self.send(request).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), limit).collect().await;
            let body = body.map_err(|_| ClientError::Answer)?.to_bytes();
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT {
                kept.push(open);
            }
            Ok(Answer { status, body })
        };
        timeout(TIME.1, answer).await.map_err(|_| ClientError::Timeout)?
    }

    /// Sends on a connection that was kept, or on a new one. What a question does can be done twice.
    async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(SendRequest<Full<Bytes>>, Response<Incoming>), ClientError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(mut open) = kept() {
            if open.ready().await.is_ok()
                && let Ok(response) = open.send_request(request.clone()).await
            {
                return Ok((open, response));
            }
        }
        let mut open = self.connect().await?;
        let response = open.send_request(request).await?;
        Ok((open, response))
    }

    fn request(
        &self,
        method: Method,
        target: &str,
        body: Vec<u8>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let host = self.address.authority.as_str();
        let mut headers = vec![("host", host.as_bytes())];
        if !body.is_empty() {
            headers.push(("content-type", b"application/json".as_slice()));
        }
        let added = self.sign(&method, target, &headers, &body)?;
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        for (name, value) in added {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| ClientError::Unsigned)?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| ClientError::Unsigned)?;
            value.set_sensitive(name == header::AUTHORIZATION);
            request = request.header(name, value);
        }
        request.body(Full::new(body.into())).map_err(|_| ClientError::Address)
    }

    fn sign(
        &self,
        method: &Method,
        target: &str,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> Result<Vec<(&'static str, String)>, ClientError> {
        let Some(source) = &self.credentials else { return Ok(Vec::new()) };
        let credentials = source.credentials().ok_or(ClientError::Unsigned)?;
        let signer = Signer {
            access_key_id: &credentials.access_key_id,
            secret: &credentials.secret,
            session_token: credentials.session_token.as_deref(),
            region: SCOPE.0,
            service: SCOPE.1,
            uri: UriRules::Standard,
            content_sha256: false,
        };
        let head = RequestHead { method: method.as_str(), target, headers };
        signer.sign(&head, body, self.clock.now()).map_err(|_| ClientError::Unsigned)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        timeout(TIME.0, self.connecting()).await.map_err(|_| ClientError::Timeout)?
    }

    async fn connecting(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        match &self.address.endpoint {
            Endpoint::Unix(path) => handshake(UnixStream::connect(path).await?).await,
            Endpoint::Tcp { host, port, tls } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                match tls {
                    None => handshake(stream).await,
                    Some((name, config)) => {
                        let connector = TlsConnector::from(Arc::clone(config));
                        handshake(connector.connect(name.clone(), stream).await?).await
                    }
                }
            }
        }
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with its sender; what breaks it is told to the question.
    tokio::spawn(connection);
    Ok(sender)
}
