//! A small identity provider over https: its keys rotate, its tokens are wrong on demand, and so is
//! its server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::federation::oidc::{Algorithm, PublicJwk, SigningKey};
use countersign::time::{Clock, SystemClock};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;

/// How the server behaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mode {
    /// As it should.
    Good,
    /// Every request is answered with 503.
    Down,
    /// Connections are taken and never answered.
    Silent,
    /// As it should, after this time.
    Slow(Duration),
    /// Both documents are elsewhere.
    Redirect(String),
    /// The key set is at this URL, says the discovery document.
    KeysAt(String),
    /// The discovery document names another issuer.
    OtherIssuer,
    /// The key set does not end.
    Endless,
    /// The key set holds private keys.
    Private,
}

/// What the server and the test share.
struct Shared {
    issuer: String,
    mode: Mutex<Mode>,
    published: Mutex<Value>,
    connections: AtomicUsize,
    discoveries: AtomicUsize,
    key_sets: AtomicUsize,
}

/// An identity provider on loopback.
pub(crate) struct Idp {
    shared: Arc<Shared>,
    key: Mutex<Arc<SigningKey>>,
    pub(crate) address: SocketAddr,
}

impl Idp {
    /// Serves, with a certificate of this authority whose files go to a folder.
    pub(crate) fn start(authority: &Authority, folder: &Path) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let name = format!("idp-{}", address.port());
        let (certificate, secret) =
            (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        authority.server(&certificate, &secret);
        let chain = CertificateDer::pem_file_iter(&certificate).unwrap().map(Result::unwrap);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.collect(), PrivateKeyDer::from_pem_file(&secret).unwrap())
            .unwrap();
        let key = new_key();
        let shared = Arc::new(Shared {
            issuer: format!("https://localhost:{}/realms/test", address.port()),
            mode: Mutex::new(Mode::Good),
            published: Mutex::new(PublicJwk::set([key.public()])),
            connections: AtomicUsize::new(0),
            discoveries: AtomicUsize::new(0),
            key_sets: AtomicUsize::new(0),
        });
        let (acceptor, served) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&shared));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    served.connections.fetch_add(1, Ordering::SeqCst);
                    tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&served)));
                }
            });
        });
        Self { shared, key: Mutex::new(Arc::new(key)), address }
    }

    /// Its URL, as its tokens have it.
    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Its URL as providers and condition keys have it.
    pub(crate) fn url(&self) -> &str {
        self.issuer().strip_prefix("https://").unwrap()
    }

    /// The table of a broker's settings that lets it be asked.
    pub(crate) fn settings(&self, ca: &Path) -> String {
        format!(
            "[[oidc.issuer]]\nurl = \"{}\"\nca = \"{}\"\nallow_private = true\n",
            self.issuer(),
            ca.display()
        )
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    /// Signs with a new key from now on, which alone is published.
    pub(crate) fn rotate(&self) {
        let key = new_key();
        *self.shared.published.lock().unwrap() = PublicJwk::set([key.public()]);
        *self.key.lock().unwrap() = Arc::new(key);
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.key.lock().unwrap())
    }

    /// How often a connection was made, the discovery document asked for, the key set asked for.
    pub(crate) fn asked(&self) -> (usize, usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        let shared = &self.shared;
        (count(&shared.connections), count(&shared.discoveries), count(&shared.key_sets))
    }

    /// Good claims of this subject for `sts.amazonaws.com`.
    pub(crate) fn claims(&self, subject: &str) -> Value {
        let now = SystemClock::new().now().secs();
        json!({
            "iss": self.issuer(), "aud": "sts.amazonaws.com", "sub": subject,
            "iat": now - 5, "nbf": now - 5, "exp": now + 600,
        })
    }

    /// A good token of this subject.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.key().sign(&self.claims(subject)).unwrap()
    }
}

fn new_key() -> SigningKey {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
    SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap()
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mode = shared.mode.lock().unwrap().clone();
    if mode == Mode::Silent {
        tokio::time::sleep(Duration::from_mins(5)).await;
    }
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let keys_at = format!("https://localhost:{}/keys", port(&shared.issuer));
    let discovery =
        |issuer: &str, keys: &str| json!({ "issuer": issuer, "jwks_uri": keys, "x": 1 });
    let is_discovery = path == "/realms/test/.well-known/openid-configuration";
    let counter = if is_discovery { &shared.discoveries } else { &shared.key_sets };
    counter.fetch_add(1, Ordering::SeqCst);
    if let Mode::Slow(time) = mode {
        tokio::time::sleep(time).await;
    }
    let mut more = String::new();
    let (status, body) = match (&mode, is_discovery, path) {
        (Mode::Down, ..) => ("503 Down", String::new()),
        (Mode::Redirect(to), ..) => {
            more = format!("Location: {to}\r\n");
            ("302 Found", String::new())
        }
        (Mode::KeysAt(keys), true, _) => ("200 OK", discovery(&shared.issuer, keys).to_string()),
        (Mode::OtherIssuer, true, _) => {
            ("200 OK", discovery("https://localhost/other", &keys_at).to_string())
        }
        (_, true, _) => ("200 OK", discovery(&shared.issuer, &keys_at).to_string()),
        (Mode::Endless, _, "/keys") => ("200 OK", format!("{{\"keys\":[{}", " ".repeat(10 << 20))),
        (Mode::Private, _, "/keys") => {
            ("200 OK", json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }).to_string())
        }
        (_, _, "/keys") => ("200 OK", shared.published.lock().unwrap().to_string()),
        _ => ("404 Not Found", String::new()),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn port(issuer: &str) -> &str {
    issuer.rsplit(':').next().unwrap().split('/').next().unwrap()
}
