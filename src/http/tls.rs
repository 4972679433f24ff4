//! TLS by rustls with ring: certificates from files, reloadable while connections are served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use super::holder::AnyHolder;
use super::message::TlsInfo;
use super::peer;
use crate::authn::HeldChain;

/// A listener's TLS files, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate chain, its own certificate first.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// Which certificates clients are asked for.
    pub clients: Clients,
}

/// Which certificates a listener asks its clients for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// None.
    #[default]
    Anonymous,
    /// Whichever they have, or none. In the handshake they show that they hold its key; who vouches
    /// for it is for the request to say.
    Asked,
    /// One that an authority of this file vouches for: without it a client is not served.
    Known(PathBuf),
}

/// The TLS files are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM with what it should hold.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A file holds no certificate.
    #[error("{} holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not fit, or cannot be used.
    #[error("cannot use the certificate of {}: {source}", path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A certificate of the client CA file is no certificate authority's.
    #[error("cannot use the client CA of {}: {source}", path.display())]
    ClientCa {
        /// The client CA's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// No verifier of client certificates can be made of the client CA file.
    #[error("cannot use the client CA of {}: {source}", path.display())]
    Verifier {
        /// The client CA's file.
        path: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
}

/// A listener's current TLS configuration and the files it comes from.
pub(crate) struct Tls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(load(&files)?);
        Ok(Self { files, current })
    }

    /// What the next handshake uses.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// What the handshake of a connection told.
    ///
    /// INVARIANT: certificates for which nobody vouches never stand among those of known clients.
    pub(crate) fn told(&self, connection: &ServerConnection) -> TlsInfo {
        match &self.files.clients {
            Clients::Anonymous => TlsInfo::default(),
            Clients::Asked => TlsInfo {
                held: HeldChain::of_handshake(connection).map(Arc::new),
                ..TlsInfo::default()
            },
            Clients::Known(_) => {
                let client_chain: Arc<[_]> =
                    connection.peer_certificates().unwrap_or_default().into();
                let client = client_chain.first().and_then(peer::known);
                TlsInfo { client_chain, client, held: None }
            }
        }
    }

    /// Reads the files again; when they are of no use, the old configuration stays.
    ///
    /// A client that only the old CA vouched for cannot come back: no session of a certificate is
    /// resumed.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(load(&self.files)?));
        Ok(())
    }
}

fn load(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|source| TlsError::File { path: files.key.clone(), source })?;
    let unusable = |source| TlsError::Certificate { path: files.certificate.clone(), source };

    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?;
    let builder = match &files.clients {
        Clients::Anonymous => builder.with_no_client_auth(),
        Clients::Asked => builder.with_client_cert_verifier(Arc::new(AnyHolder::new(&provider))),
        Clients::Known(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots
                    .add(certificate)
                    .map_err(|source| TlsError::ClientCa { path: path.clone(), source })?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|source| TlsError::Verifier { path: path.clone(), source })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if files.clients != Clients::Anonymous {
        prove_anew(&mut config);
    }
    Ok(config)
}

/// INVARIANT: a certificate's key is used for every connection that it proves.
///
/// No session is resumed, so that no secret of an earlier connection stands in for the key, and none
/// is kept with its certificates: who resumes one is asked for nothing, also when they have ended
/// since. In TLS 1.2 the keys of a connection are bound to its handshake (RFC
/// 7627), of which the client signs.
fn prove_anew(config: &mut ServerConfig) {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.require_ems = true;
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::File { path: path.to_owned(), source };
    let chain = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(chain)
}
