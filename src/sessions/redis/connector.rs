//! Making connections: TCP, TLS, Unix sockets, and the password.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, RedisConnectionInfo};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::endpoint::{Address, Endpoint};
use super::failure::Failure;
use super::settings::{Password, Settings};
use super::wire::Wire;

/// The files of TLS are of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read as PEM with what it should hold.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// No authority to trust.
    #[error("there is no authority to trust in {0}")]
    NoAuthority(String),
    /// A certificate cannot be used.
    #[error("cannot use the certificate of {}: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A certificate without its key, or the other way around.
    #[error("redis.client_certificate and redis.client_key belong together: set both or none")]
    HalfAPair,
    /// TLS settings without TLS.
    #[error("redis.ca, redis.client_certificate and redis.client_key need a rediss:// URL")]
    NotTls,
    /// The host's name cannot be verified.
    #[error("the host is no name for TLS: {0}")]
    Name(#[from] InvalidDnsNameError),
    /// No protocol version in common with the provider.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// No connection was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The network.
    #[error("cannot connect: {0}")]
    Io(#[from] io::Error),
    /// Time was up.
    #[error("cannot connect: no answer in time")]
    Timeout,
    /// Redis, once connected.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Makes connections to one Redis.
pub(super) struct Connector {
    endpoint: Endpoint,
    password: Option<Password>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    connect_timeout: Duration,
    command_timeout: Duration,
    max_in_flight: usize,
}

impl Connector {
    pub(super) fn new(
        settings: &Settings,
        endpoint: &Endpoint,
        password: Option<Password>,
    ) -> Result<Self, TlsError> {
        let tls = if let Address::Tcp { host, tls: true, .. } = &endpoint.address {
            let name = ServerName::try_from(host.clone())?;
            Some((TlsConnector::from(Arc::new(tls_config(settings)?)), name))
        } else {
            let files = [&settings.ca, &settings.client_certificate, &settings.client_key];
            if files.iter().any(|file| file.is_some()) {
                return Err(TlsError::NotTls);
            }
            None
        };
        Ok(Self {
            endpoint: endpoint.clone(),
            password,
            tls,
            connect_timeout: settings.connect_timeout,
            command_timeout: settings.command_timeout,
            max_in_flight: settings.max_in_flight,
        })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Connects. `ended` is called when the connection has ended.
    pub(super) async fn connect(
        &self,
        ended: impl FnOnce() + Send + 'static,
    ) -> Result<Wire, ConnectError> {
        tokio::time::timeout(self.connect_timeout, self.attempt(ended))
            .await
            .unwrap_or(Err(ConnectError::Timeout))
    }

    async fn attempt(&self, ended: impl FnOnce() + Send + 'static) -> Result<Wire, ConnectError> {
        match &self.endpoint.address {
            Address::Unix(path) => self.open(UnixStream::connect(path).await?, ended).await,
            Address::Tcp { host, port, .. } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                // Each question is small and waited for.
                stream.set_nodelay(true)?;
                match &self.tls {
                    None => self.open(stream, ended).await,
                    Some((tls, name)) => {
                        self.open(tls.connect(name.clone(), stream).await?, ended).await
                    }
                }
            }
        }
    }

    async fn open(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        ended: impl FnOnce() + Send + 'static,
    ) -> Result<Wire, ConnectError> {
        let mut info =
            RedisConnectionInfo::default().set_db(self.endpoint.database).set_skip_set_lib_name();
        if let Some(user) = &self.endpoint.user {
            info = info.set_username(user);
        }
        if let Some(password) = &self.password {
            info = info.set_password(password.expose());
        }
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(self.command_timeout))
            // Whoever was let in never waits for a place in the queue.
            .set_pipeline_buffer_size(self.max_in_flight.saturating_add(16));
        let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config)
            .await
            .map_err(Failure::from)?;
        Ok(Wire::new(connection, driver, ended))
    }
}

/// TLS with ring, by the authorities that the settings name.
fn tls_config(settings: &Settings) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(authorities(settings.ca.as_deref())?);
    match (&settings.client_certificate, &settings.client_key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key)
                .map_err(|source| TlsError::File { path: key.clone(), source })?;
            builder
                .with_client_auth_cert(chain, secret)
                .map_err(|source| TlsError::Certificate { path: certificate.clone(), source })
        }
        _ => Err(TlsError::HalfAPair),
    }
}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = file else {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            return Err(TlsError::NoAuthority("this system: name a file by redis.ca".into()));
        }
        return Ok(roots);
    };
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|source| TlsError::Certificate { path: path.to_owned(), source })?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority(path.display().to_string()));
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = |source| TlsError::File { path: path.to_owned(), source };
    CertificateDer::pem_file_iter(path).map_err(file)?.collect::<Result<_, _>>().map_err(file)
}
