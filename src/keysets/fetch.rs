//! Fetching an issuer's keys: discovery document, then key set; or a file.
//!
//! Source: OpenID Connect Discovery 1.0, section 4.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use super::client::{MAX_BYTES, Rules};
use super::settings::{Issuers, OpenError, Settings, slashless};
use crate::api;
use crate::federation::oidc::{KeySet, KeySetError};
use crate::future::BoxFuture;

/// Keys could not be had. The texts are for the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Not a URL to fetch from.
    #[error("the URL is not https://HOST[:PORT][/PATH]")]
    Url,
    /// Another scheme than `https`.
    #[error("the URL is not an https URL")]
    NotHttps,
    /// The name cannot be resolved.
    #[error("the host cannot be resolved: {0}")]
    Resolve(Arc<std::io::Error>),
    /// The name stands for nothing.
    #[error("the host has no address")]
    NoAddress,
    /// The address must not be connected to.
    #[error(
        "the address {0} must not be connected to: oidc.issuer.allow_private lets private ones"
    )]
    Forbidden(IpAddr),
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(Arc<std::io::Error>),
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(Arc<std::io::Error>),
    /// The system has no certificate authorities.
    #[error("this system has no certificate authorities: name a file by oidc.issuer.ca")]
    NoAuthorities,
    /// Time was up.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(Arc<hyper::Error>),
    /// A redirect: none is followed.
    #[error("the server redirects elsewhere: redirects are not followed")]
    Redirect,
    /// Another status than 200.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The document is too large.
    #[error("the document is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The discovery document is none.
    #[error("the discovery document is not JSON with issuer and jwks_uri")]
    Discovery,
    /// The discovery document is another issuer's.
    #[error("the discovery document names another issuer")]
    Issuer,
    /// The key set is not used.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(Arc<std::io::Error>),
    /// Not tried: too many other fetches are under way.
    #[error("not tried: too many other fetches are under way")]
    Busy,
    /// Not tried: it failed a moment ago.
    #[error("not tried again yet: it failed a moment ago")]
    TooEarly,
}

impl FetchError {
    pub(super) fn resolve(error: std::io::Error) -> Self {
        Self::Resolve(Arc::new(error))
    }

    pub(super) fn connect(error: std::io::Error) -> Self {
        Self::Connect(Arc::new(error))
    }

    pub(super) fn tls(error: std::io::Error) -> Self {
        Self::Tls(Arc::new(error))
    }

    pub(super) fn broken(error: hyper::Error) -> Self {
        Self::Broken(Arc::new(error))
    }
}

/// How keys are fetched; tests have another way.
pub(super) trait Fetch: Send + Sync + 'static {
    /// Fetches an issuer's keys. The caller bounds the time.
    fn fetch<'a>(&'a self, issuer: &'a str) -> BoxFuture<'a, Result<KeySet, FetchError>>;
}

/// What is known of an issuer before it is asked.
enum Source {
    File(std::path::PathBuf),
    Server { tls: Option<Arc<ClientConfig>>, allow_private: bool },
}

/// Fetches from servers and files.
pub(super) struct Fetcher {
    sources: BTreeMap<String, Source>,
    /// By the system's authorities; read when it is needed first, and again until there are some.
    system: OnceLock<Arc<ClientConfig>>,
}

/// The part of a discovery document that is looked at.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Fetcher {
    pub(super) fn open(_: &Settings, issuers: &Issuers) -> Result<Self, OpenError> {
        let mut sources = BTreeMap::new();
        for issuer in issuers.iter() {
            let source = match &issuer.jwks {
                Some(path) => {
                    // What is of no use is told now.
                    read_file(path)
                        .map_err(|source| OpenError::Jwks { path: path.clone(), source })?;
                    Source::File(path.clone())
                }
                None => Source::Server {
                    tls: issuer.ca.as_deref().map(trusting).transpose()?,
                    allow_private: issuer.allow_private,
                },
            };
            sources.insert(slashless(&issuer.url).to_owned(), source);
        }
        Ok(Self { sources, system: OnceLock::new() })
    }

    async fn by_system(&self) -> Result<Arc<ClientConfig>, FetchError> {
        if let Some(read) = self.system.get() {
            return Ok(Arc::clone(read));
        }
        // Some hundred files perhaps.
        let read = tokio::task::spawn_blocking(system_authorities).await.unwrap_or_default();
        let read = read.ok_or(FetchError::NoAuthorities)?;
        Ok(Arc::clone(self.system.get_or_init(|| read)))
    }

    async fn ask_server(&self, issuer: &str, rules: Rules) -> Result<KeySet, FetchError> {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let text = rules.get(&format!("{base}/.well-known/openid-configuration")).await?;
        let found: Discovery = api::strict(&text).map_err(|_| FetchError::Discovery)?;
        // INVARIANT: an issuer speaks for itself only.
        if found.issuer != issuer {
            return Err(FetchError::Issuer);
        }
        let keys = rules.get(&found.jwks_uri).await?;
        Ok(KeySet::parse(&keys)?)
    }
}

impl Fetch for Fetcher {
    fn fetch<'a>(&'a self, issuer: &'a str) -> BoxFuture<'a, Result<KeySet, FetchError>> {
        Box::pin(async move {
            match self.sources.get(slashless(issuer)) {
                Some(Source::File(path)) => {
                    let path = path.clone();
                    tokio::task::spawn_blocking(move || read_file(&path))
                        .await
                        .unwrap_or(Err(FetchError::Timeout))
                }
                Some(Source::Server { tls: Some(tls), allow_private }) => {
                    let rules = Rules { tls: Arc::clone(tls), allow_private: *allow_private };
                    self.ask_server(issuer, rules).await
                }
                Some(Source::Server { tls: None, allow_private }) => {
                    let rules =
                        Rules { tls: self.by_system().await?, allow_private: *allow_private };
                    self.ask_server(issuer, rules).await
                }
                None => {
                    let rules = Rules { tls: self.by_system().await?, allow_private: false };
                    self.ask_server(issuer, rules).await
                }
            }
        })
    }
}

fn read_file(path: &Path) -> Result<KeySet, FetchError> {
    use std::io::Read as _;
    let failed = |error| FetchError::File(Arc::new(error));
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut text).map_err(failed)?;
    Ok(KeySet::parse(&text)?)
}

fn system_authorities() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (added, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return None;
    }
    client(roots).ok()
}

fn trusting(path: &Path) -> Result<Arc<ClientConfig>, OpenError> {
    let wrong = |source| OpenError::Ca { path: path.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(wrong)? {
        let certificate = certificate.map_err(wrong)?;
        roots.add(certificate).map_err(|_| OpenError::NoCa(path.to_owned()))?;
    }
    if roots.is_empty() {
        return Err(OpenError::NoCa(path.to_owned()));
    }
    client(roots).map_err(OpenError::Tls)
}

fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
