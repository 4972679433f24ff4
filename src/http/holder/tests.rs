#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

//! Handshakes in memory.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, date_time_ymd,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::{default_provider, sign};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Error, HandshakeKind, RootCertStore, ServerConfig,
    ServerConnection, SignatureAlgorithm, SignatureScheme, SupportedProtocolVersion,
};

use crate::authn::HeldChain;
use crate::federation::x509::tests::{Authority, Party, end_entity};
use crate::federation::x509::{MAX_CERTIFICATE, MAX_CHAIN};
use crate::http::tls::{Clients, Tls, TlsFiles};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A listener's TLS in a folder.
fn server(folder: &Path, clients: Clients) -> Tls {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let files = TlsFiles { certificate: folder.join("c"), key: folder.join("k"), clients };
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    Tls::open(files).unwrap()
}

/// Shows this, whatever the server asks for.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Signs by one scheme, whatever the server offers.
#[derive(Debug)]
struct Stubborn(Arc<dyn SigningKey>, SignatureScheme);

impl SigningKey for Stubborn {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(&[self.1])
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

fn signer(key: &KeyPair) -> Arc<dyn SigningKey> {
    sign::any_supported_type(&PrivateKeyDer::Pkcs8(key.serialize_der().into())).unwrap()
}

fn shows(chain: &[Vec<u8>], key: Arc<dyn SigningKey>) -> Arc<CertifiedKey> {
    let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    Arc::new(CertifiedKey::new(chain, key))
}

/// A client that shows this.
fn client(
    folder: &Path,
    version: &'static SupportedProtocolVersion,
    shown: Option<Arc<CertifiedKey>>,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("c")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(shown) => builder.with_client_cert_resolver(Arc::new(Shows(shown))),
    })
}

/// Carries bytes between both until neither has any left: what the server makes of it.
fn shake(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> Result<ServerConnection, Error> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    assert!(!server.is_handshaking() && !client.is_handshaking());
    Ok(server)
}

fn party(key: KeyPair) -> Party {
    // Of nobody's authority.
    Authority::root("root").issue_to(&end_entity("app"), key)
}

fn p256() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

#[test]
fn a_certificate_is_held_by_whoever_has_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let tls = server(folder.path(), Clients::Asked);
    let rsa = include_str!("../../federation/oidc/tests/rsa-2048.pem");
    for version in VERSIONS {
        for key in [
            p256(),
            KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
            KeyPair::from_pem(rsa).unwrap(),
        ] {
            let party = party(key);
            let shown = shows(&[party.der()], signer(&party.key));
            let client = client(folder.path(), version, Some(shown));
            let told = tls.told(&shake(&client, &tls.current()).unwrap());
            assert!(told.held.is_some());
            // Nobody vouches for it.
            assert!(told.client_chain.is_empty() && told.client.is_none());
            // The key of another one.
            let shown = shows(&[party.der()], signer(&p256()));
            let thief = self::client(folder.path(), version, Some(shown));
            let Err(error) = shake(&thief, &tls.current()) else { panic!("stolen") };
            assert!(matches!(error, Error::InvalidCertificate(_)), "{error:?}");
        }
        // Whoever has none is served.
        let client = client(folder.path(), version, None);
        assert!(tls.told(&shake(&client, &tls.current()).unwrap()).held.is_none());
    }
}

#[test]
fn a_listener_that_does_not_ask_is_shown_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tls = server(folder.path(), Clients::Anonymous);
    let party = party(p256());
    for version in VERSIONS {
        let shown = shows(&[party.der()], signer(&party.key));
        let connection =
            shake(&client(folder.path(), version, Some(shown)), &tls.current()).unwrap();
        assert!(connection.peer_certificates().is_none());
        let told = tls.told(&connection);
        assert!(told.held.is_none() && told.client_chain.is_empty());
    }
}

/// Keys that no signature of a request is taken of are not taken here either.
#[test]
fn other_kinds_of_keys_are_neither_asked_for_nor_taken() {
    let folder = tempfile::tempdir().unwrap();
    let tls = server(folder.path(), Clients::Asked);
    let party = party(KeyPair::generate_for(&PKCS_ED25519).unwrap());
    let key = signer(&party.key);
    for version in VERSIONS {
        // Nothing that it can sign by is offered: it shows none.
        let shown = shows(&[party.der()], Arc::clone(&key));
        let honest = shake(&client(folder.path(), version, Some(shown)), &tls.current()).unwrap();
        assert!(tls.told(&honest).held.is_none());
        let stubborn = Arc::new(Stubborn(Arc::clone(&key), SignatureScheme::ED25519));
        let shown = shows(&[party.der()], stubborn);
        assert!(shake(&client(folder.path(), version, Some(shown)), &tls.current()).is_err());
    }
}

#[test]
fn what_is_shown_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let tls = server(folder.path(), Clients::Asked);
    let root = Authority::root("root");
    let with = |bytes: usize| {
        let mut params = end_entity("app");
        let more = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999], vec![5; bytes]);
        params.custom_extensions.push(more);
        root.issue(&params)
    };
    let small = with(0);
    let mut large = with(MAX_CERTIFICATE);
    assert!(large.der().len() > MAX_CERTIFICATE);
    large = with(2 * MAX_CERTIFICATE - large.der().len() - 16);
    assert!(large.der().len() <= MAX_CERTIFICATE);
    for version in VERSIONS {
        let taken = |party: &Party, chain: Vec<Vec<u8>>| {
            let chain = [vec![party.der()], chain].concat();
            let shown = shows(&chain, signer(&party.key));
            shake(&client(folder.path(), version, Some(shown)), &tls.current()).is_ok()
        };
        assert!(taken(&large, vec![large.der(); MAX_CHAIN]));
        assert!(!taken(&small, vec![small.der(); MAX_CHAIN + 1]));
        assert!(!taken(&with(MAX_CERTIFICATE), Vec::new()));
        assert!(!taken(&small, vec![with(MAX_CERTIFICATE).der()]));
        assert!(!taken(&small, vec![small.der(), with(MAX_CERTIFICATE).der()]));
    }
}

/// The signature is there before the handshake is done; it counts once it is.
#[test]
fn a_handshake_that_is_not_done_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tls = server(folder.path(), Clients::Asked);
    let party = party(p256());
    let config = client(folder.path(), &TLS12, Some(shows(&[party.der()], signer(&party.key))));
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(config, name).unwrap();
    let mut server = ServerConnection::new(tls.current()).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    server.read_tls(&mut bytes.as_slice()).unwrap();
    server.process_new_packets().unwrap();
    let mut bytes = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut bytes).unwrap();
    }
    client.read_tls(&mut bytes.as_slice()).unwrap();
    client.process_new_packets().unwrap();
    let mut flight = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut flight).unwrap();
    }
    // All records but the last one, and that one.
    let mut end = 0;
    loop {
        let length = usize::from(u16::from_be_bytes([flight[end + 3], flight[end + 4]]));
        if end + 5 + length == flight.len() {
            break;
        }
        end += 5 + length;
    }
    for (part, done) in [(&flight[..end], false), (&flight[end..], true)] {
        let mut part = part;
        while !part.is_empty() {
            server.read_tls(&mut part).unwrap();
            server.process_new_packets().unwrap();
        }
        assert!(server.peer_certificates().is_some());
        assert_eq!(HeldChain::of_handshake(&server).is_some(), done);
    }
}

/// The key is used for every connection: not even the server's own word of an earlier one stands in.
#[test]
fn sessions_are_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let tls = server(folder.path(), Clients::Asked);
    let party = party(p256());
    let asked = tls.current();
    assert_eq!((asked.max_early_data_size, asked.send_tls13_tickets), (0, 0));
    assert!(asked.require_ems);
    let mut resuming = ServerConfig::clone(&asked);
    resuming.session_storage = ServerSessionMemoryCache::new(16);
    resuming.send_tls13_tickets = 1;
    let resuming = Arc::new(resuming);
    for version in VERSIONS {
        let shown = shows(&[party.der()], signer(&party.key));
        let client = || client(folder.path(), version, Some(Arc::clone(&shown)));
        let again = client();
        for _ in 0..3 {
            let connection = shake(&again, &asked).unwrap();
            assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
            assert!(tls.told(&connection).held.is_some());
        }
        // If they were: the certificate is there, and proves nothing.
        let again = client();
        assert!(HeldChain::of_handshake(&shake(&again, &resuming).unwrap()).is_some());
        let connection = shake(&again, &resuming).unwrap();
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Resumed));
        assert!(connection.peer_certificates().is_some());
        assert!(HeldChain::of_handshake(&connection).is_none());
    }
}

/// Nor those of clients that an authority vouches for: their certificates end.
#[test]
fn sessions_of_known_clients_are_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, p256()).unwrap();
    std::fs::write(folder.path().join("ca"), authority.pem()).unwrap();
    let tls = server(folder.path(), Clients::Known(folder.path().join("ca")));
    let mut params = end_entity("app");
    // They are held against the system's clock.
    (params.not_before, params.not_after) = (date_time_ymd(1975, 1, 1), date_time_ymd(4096, 1, 1));
    let key = p256();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let known = tls.current();
    // As the library has it if nobody says otherwise.
    let mut resuming = ServerConfig::clone(&known);
    resuming.session_storage = ServerSessionMemoryCache::new(256);
    resuming.send_tls13_tickets = 2;
    let resuming = Arc::new(resuming);
    for version in VERSIONS {
        let shown = shows(&[certificate.der().to_vec()], signer(&key));
        let client = || client(folder.path(), version, Some(Arc::clone(&shown)));
        let again = client();
        for _ in 0..3 {
            let connection = shake(&again, &known).unwrap();
            assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
            assert!(tls.told(&connection).client.is_some());
        }
        // If they were: its names are told again, and nobody looks at its dates.
        let again = client();
        shake(&again, &resuming).unwrap();
        let connection = shake(&again, &resuming).unwrap();
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Resumed));
        assert!(tls.told(&connection).client.is_some());
    }
    assert!(known.require_ems);
}
