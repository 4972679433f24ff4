//! One document over TLS, from a server that may be anybody's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::fetch::FetchError;
use super::guard::{Reach, reach};

/// The most bytes of a document.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// How many addresses of a name are tried, and for how long each.
const ADDRESSES: usize = 4;
const CONNECT: Duration = Duration::from_secs(2);

/// How servers of one issuer are spoken to.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) allow_private: bool,
}

impl Rules {
    /// Gets a document: one request, one answer, no redirect.
    pub(super) async fn get(&self, url: &str) -> Result<Bytes, FetchError> {
        let target = Target::parse(url)?;
        let stream = self.connect(&target).await?;
        let name = ServerName::try_from(target.host.clone()).map_err(|_| FetchError::Url)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await.map_err(FetchError::tls)?;
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(128)
            .max_buf_size(64 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(FetchError::broken)?;
        // Ends with its sender. What breaks it is told to the request.
        let driver = tokio::spawn(connection);
        let answer = async {
            let request = Request::get(target.path)
                .header(HOST, target.authority)
                .header(ACCEPT, "application/json")
                .header(USER_AGENT, concat!("countersign/", env!("CARGO_PKG_VERSION")))
                .body(Empty::<Bytes>::new())
                .map_err(|_| FetchError::Url)?;
            let response = sender.send_request(request).await.map_err(FetchError::broken)?;
            match response.status() {
                StatusCode::OK => {}
                status if status.is_redirection() => return Err(FetchError::Redirect),
                status => return Err(FetchError::Status(status.as_u16())),
            }
            let body = Limited::new(response.into_body(), MAX_BYTES).collect().await;
            body.map(http_body_util::Collected::to_bytes).map_err(|error| {
                match error.downcast::<hyper::Error>() {
                    Ok(error) => FetchError::broken(*error),
                    Err(other) => {
                        debug_assert!(other.is::<LengthLimitError>());
                        FetchError::TooLarge
                    }
                }
            })
        };
        let answer = answer.await;
        driver.abort();
        answer
    }

    /// Connects to an address that may be connected to.
    async fn connect(&self, target: &Target) -> Result<TcpStream, FetchError> {
        let found: Vec<SocketAddr> = lookup_host((target.host.as_str(), target.port))
            .await
            .map_err(FetchError::resolve)?
            .collect();
        // A name that stands for the inside and the outside is up to no good.
        if let Some(address) = found.iter().find(|address| !self.may_reach(address.ip())) {
            return Err(FetchError::Forbidden(address.ip()));
        }
        let mut last = FetchError::NoAddress;
        for address in found.into_iter().take(ADDRESSES) {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = FetchError::connect(error),
                Err(_) => last = FetchError::Timeout,
            }
        }
        Err(last)
    }

    fn may_reach(&self, address: IpAddr) -> bool {
        match reach(address) {
            Reach::Public => true,
            Reach::Private => self.allow_private,
            Reach::Forbidden => false,
        }
    }
}

/// An `https` URL, taken apart.
struct Target {
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, FetchError> {
        let uri: Uri = url.parse().map_err(|_| FetchError::Url)?;
        if uri.scheme_str() != Some("https") {
            return Err(FetchError::NotHttps);
        }
        let authority = uri.authority().ok_or(FetchError::Url)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.as_str().contains('@') || url.contains('#') {
            return Err(FetchError::Url);
        }
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(443),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}
