//! TLS: who is served, what the handler learns, and reloading.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign::http::{
    Address, BindError, Clients, Edge, Limits, Listener, Server, TlsFiles, signals,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::edge_support::{Mirror, Running, Setup, exchange, read_all};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key in PEM.
fn issue(authority: &Authority, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.insert_extended_key_usage(usage);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

fn write_server(folder: &Path, authority: &Authority) {
    let (certificate, key) = issue(authority, "localhost", ExtendedKeyUsagePurpose::ServerAuth);
    std::fs::write(folder.join("cert.pem"), certificate).unwrap();
    std::fs::write(folder.join("key.pem"), key).unwrap();
}

fn files(folder: &Path, client_ca: bool) -> TlsFiles {
    TlsFiles {
        certificate: folder.join("cert.pem"),
        key: folder.join("key.pem"),
        clients: if client_ca { Clients::Known(folder.join("ca.pem")) } else { Clients::Anonymous },
    }
}

async fn start(folder: &Path, client_ca: bool) -> Running {
    let limits = Limits { handshake_timeout: Duration::from_millis(300), ..Limits::default() };
    Setup { tls: Some(files(folder, client_ca)), limits, ..Setup::default() }.start().await
}

fn client(
    trusted: &Authority,
    own: Option<&(String, String)>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
    match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12, &rustls::version::TLS13];

async fn connect(
    address: SocketAddr,
    config: ClientConfig,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The answer to a request; empty when the handshake or the connection failed.
async fn ask(address: SocketAddr, config: ClientConfig) -> String {
    let Ok(mut stream) = connect(address, config).await else { return String::new() };
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if stream.write_all(request).await.is_err() {
        return String::new();
    }
    read_all(&mut stream, Duration::from_secs(5)).await.0
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_the_handler_knows() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    write_server(folder.path(), &authority);
    let server = start(folder.path(), false).await;
    for versions in [&BOTH[..1], &BOTH[1..], BOTH] {
        let answer = ask(server.address, client(&authority, None, versions)).await;
        assert!(answer.contains("\nsecure true\n"), "{answer}");
        assert!(answer.contains("client certificates 0\n"), "{answer}");
    }
}

#[tokio::test]
async fn alpn_chooses_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    write_server(folder.path(), &authority);
    let server = start(folder.path(), false).await;
    let mut config = client(&authority, None, BOTH);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = connect(server.address, config.clone()).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let answer = ask(server.address, config.clone()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    config.alpn_protocols = vec![b"h3".to_vec()];
    assert!(connect(server.address, config).await.is_err());
}

#[tokio::test]
async fn a_client_ca_admits_only_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (server_ca, client_ca, other_ca) = (authority(), authority(), authority());
    write_server(folder.path(), &server_ca);
    std::fs::write(folder.path().join("ca.pem"), client_ca.as_ref().pem()).unwrap();
    let server = start(folder.path(), true).await;

    let usage = || ExtendedKeyUsagePurpose::ClientAuth;
    let good = issue(&client_ca, "envoy", usage());
    let other = issue(&other_ca, "envoy", usage());
    let server_only = issue(&client_ca, "envoy", ExtendedKeyUsagePurpose::ServerAuth);
    for versions in [&BOTH[..1], &BOTH[1..]] {
        let answer = ask(server.address, client(&server_ca, Some(&good), versions)).await;
        assert!(answer.contains("client certificates 1\n"), "{answer}");
        for refused in [None, Some(&other), Some(&server_only)] {
            let answer = ask(server.address, client(&server_ca, refused, versions)).await;
            assert_eq!(answer, "", "{}", refused.is_some());
        }
    }
    assert!(server.metrics.text().contains(r#"reason="handshake""#));
}

#[tokio::test]
async fn plaintext_and_silence_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    write_server(folder.path(), &authority());
    let server = start(folder.path(), false).await;
    for bytes in ["", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let (answer, closed) =
            exchange(server.address, bytes.as_bytes(), Duration::from_secs(5)).await;
        assert!(closed && !answer.contains("HTTP/"), "{bytes:?}: {answer}");
    }
}

#[tokio::test]
async fn a_reload_takes_good_files_and_leaves_bad_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (authority(), authority());
    write_server(folder.path(), &old);
    let server = start(folder.path(), false).await;
    let trusts = |authority| async move {
        !ask(server.address, client(authority, None, BOTH)).await.is_empty()
    };
    assert!(trusts(&old).await && !trusts(&new).await);

    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let good_key = std::fs::read(&key).unwrap();
    for (file, content) in [
        (&key, KeyPair::generate().unwrap().serialize_pem()),
        (&key, "no key".into()),
        (&certificate, String::new()),
        (&certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()),
    ] {
        std::fs::write(&key, &good_key).unwrap();
        std::fs::write(file, content).unwrap();
        assert!(!server.reloader.reload());
        assert!(trusts(&old).await);
    }
    write_server(folder.path(), &new);
    assert!(server.reloader.reload());
    assert!(!trusts(&old).await && trusts(&new).await);
}

#[tokio::test]
async fn a_new_client_ca_counts_for_resumed_sessions_too() {
    let folder = tempfile::tempdir().unwrap();
    let (server_ca, client_ca, next_ca) = (authority(), authority(), authority());
    write_server(folder.path(), &server_ca);
    std::fs::write(folder.path().join("ca.pem"), client_ca.as_ref().pem()).unwrap();
    let server = start(folder.path(), true).await;
    let own = issue(&client_ca, "envoy", ExtendedKeyUsagePurpose::ClientAuth);
    let config = client(&server_ca, Some(&own), BOTH);
    assert_ne!(ask(server.address, config.clone()).await, "");
    std::fs::write(folder.path().join("ca.pem"), next_ca.as_ref().pem()).unwrap();
    assert!(server.reloader.reload());
    // A clone shares the store of sessions to resume, if there were any.
    assert_eq!(ask(server.address, config).await, "");
}

#[tokio::test]
async fn a_hangup_reloads() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (authority(), authority());
    write_server(folder.path(), &old);
    let server = start(folder.path(), false).await;
    let (reloader, done) = (server.reloader.clone(), Arc::new(tokio::sync::Notify::new()));
    let told = Arc::clone(&done);
    let listening = signals::on_hangup(move || {
        reloader.reload();
        told.notify_one();
    });
    tokio::spawn(listening.unwrap());
    write_server(folder.path(), &new);
    let me = std::process::id().to_string();
    assert!(std::process::Command::new("kill").args(["-HUP", &me]).status().unwrap().success());
    tokio::time::timeout(Duration::from_secs(5), done.notified()).await.unwrap();
    assert_ne!(ask(server.address, client(&new, None, BOTH)).await, "");
}

#[tokio::test]
async fn files_of_no_use_are_told_when_binding() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Edge {
        clock: Arc::new(countersign::time::SystemClock::new()),
        random: Arc::new(countersign::random::SystemRandom::new()),
        metrics: countersign::telemetry::Metrics::new(countersign::time::Timestamp::from_secs(0)),
    };
    let listener = Listener {
        name: "api",
        address: Address::Tcp("127.0.0.1:0".parse().unwrap()),
        tls: Some(files(folder.path(), false)),
        limits: Limits::default(),
        handler: Arc::new(Mirror::default()),
    };
    let refused = Server::bind(&edge, vec![listener]).await.err().unwrap();
    assert!(matches!(refused, BindError::Tls { name: "api", .. }));
    let text = refused.to_string();
    assert!(text.contains("api") && text.contains("cert.pem"), "{text}");
}
