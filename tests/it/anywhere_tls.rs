//! Certificates of IAM Roles Anywhere that are shown in the handshake of TLS: by OpenSSL in Python and
//! in curl, and by rustls on connections that stay open while time and lists go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::app::bootstrap::{Bootstrap, Outcome, init};
use countersign::app::{DataDir, Serving, World, start};
use countersign::http::ClientCertificates;
use countersign::random::SystemRandom;
use countersign::settings::{Inputs, Settings};
use countersign::time::{Clock, ManualClock, SystemClock};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, KeyIdMethod,
    KeyPair, PKCS_ECDSA_P256_SHA256, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::{default_provider, sign};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::anywhere::{Files, Issuer, authority, end_entity};
use crate::broker::{Broker, Home, finished, isolate, stderr, stdout};
use crate::caller::{Caller, Credentials, Plan, Prepared, policy};
use crate::python::run_script_with;

/// A broker that asks for certificates, set up by boto3.
struct Site {
    broker: Broker,
    files: Files,
    ca: PathBuf,
    wanted: Value,
    bad: Vec<&'static str>,
}

impl Site {
    fn new() -> Self {
        let home = Arc::new(Home::init());
        let files = Files { folder: home.folder().join("certificates") };
        fs::create_dir_all(&files.folder).unwrap();
        let bad = files.make();
        // What is sent with a certificate stands behind it, as OpenSSL has it.
        for (name, between) in [("deep", "between.pem"), ("museum_m55", "museum_m55.chain")] {
            let leaf = fs::read_to_string(files.path(&format!("{name}.pem"))).unwrap();
            let between = fs::read_to_string(files.path(between)).unwrap();
            fs::write(files.path(&format!("{name}.pem")), leaf + &between).unwrap();
        }
        let ca = server(&files.folder);
        let (certificate, key) = (files.path("server.pem"), files.path("server.key"));
        let broker = Broker::serve(
            &home,
            &[
                ("COUNTERSIGN_TLS_CERTIFICATE", certificate.to_str().unwrap()),
                ("COUNTERSIGN_TLS_KEY", key.to_str().unwrap()),
                ("COUNTERSIGN_TLS_CLIENT_CERTIFICATES", "request"),
            ],
        );
        let folder = files.folder.to_str().unwrap().to_owned();
        let trusted = [("AWS_CA_BUNDLE", ca.to_str().unwrap())];
        let told = run_script_with(&broker, "anywhere.py", &trusted, &[&folder]);
        let wanted = serde_json::from_str(told.trim_end().lines().last().unwrap()).unwrap();
        Self { broker, files, ca, wanted, bad }
    }

    /// The body of a request for a session.
    fn body(&self) -> Value {
        json!({ "trustAnchorArn": self.wanted["anchor"], "profileArn": self.wanted["profile"],
            "roleArn": self.wanted["role"] })
    }
}

/// A certificate for a server, `server.pem` with `server.key`: the file of its authority.
fn server(folder: &Path) -> PathBuf {
    let ours = Issuer::self_signed(authority("ours"), KeyPair::generate().unwrap()).unwrap();
    let names = ["localhost", "127.0.0.1", "countersign.internal"].map(ToOwned::to_owned);
    let mut params = CertificateParams::new(names).unwrap();
    params.use_authority_key_identifier_extension = true;
    params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
    let key = KeyPair::generate().unwrap();
    fs::write(folder.join("server.pem"), params.signed_by(&key, &ours).unwrap().pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    fs::write(folder.join("ours.pem"), ours.pem()).unwrap();
    folder.join("ours.pem")
}

/// OpenSSL as Python has it, in TLS 1.2 and 1.3.
#[test]
fn openssl_shows_certificates() {
    let site = Site::new();
    let folder = site.files.folder.to_str().unwrap();
    let body = site.body().to_string();
    // Python itself sees that a certificate is not of a key.
    let bad: Vec<_> = site.bad.iter().filter(|name| **name != "stolen").copied().collect();
    let variables = [("AWS_CA_BUNDLE", site.ca.to_str().unwrap())];
    let arguments = [folder, &body, &bad.join(",")];
    let told = run_script_with(&site.broker, "anywhere_tls.py", &variables, &arguments);
    let steps = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(steps, 2 * (4 + bad.len() + 25), "{told}");
    // Each is on record with its proof, and nothing secret is.
    let records = site.broker.home.audit();
    let of = |proof: &str| {
        let proofs = records.iter().map(|it| &it["additionalEventData"]["certificateProof"]);
        proofs.filter(|it| **it == proof).count()
    };
    assert!(of("connection") >= 20 && of("signature") == 0);
    let audit = fs::read_to_string(site.broker.home.data().join("audit.jsonl")).unwrap();
    assert!(!audit.contains("CST1") && !site.broker.log().contains("CST1"));
}

/// The README's command, as it stands there.
#[test]
fn curl_shows_certificates_as_the_readme_has_it() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: there is no curl");
        return;
    }
    let site = Site::new();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let command = readme.split("```sh\n").find(|block| block.starts_with("curl --cert ")).unwrap();
    let command = command.split("\n```").next().unwrap();
    let curlrc = format!(
        "silent\nshow-error\nconnect-to = \"countersign.internal:8350:{}\"\ncacert = {:?}\n",
        site.broker.api, site.ca
    );
    fs::write(site.files.path(".curlrc"), curlrc).unwrap();
    fs::write(site.files.path("session.json"), site.body().to_string()).unwrap();
    let run = |name: &str, more: &str| {
        for kind in ["pem", "key"] {
            let to = site.files.path(if kind == "pem" { "cert.pem" } else { "key.pem" });
            fs::copy(site.files.path(&format!("{name}.{kind}")), to).unwrap();
        }
        let mut shell = Command::new("sh");
        isolate(&mut shell);
        shell.args(["-euc", &format!("{command} {more}")]).current_dir(&site.files.folder);
        shell.env("CURL_HOME", &site.files.folder).env("HOME", &site.files.folder);
        finished(shell)
    };
    for more in ["", "--tls-max 1.2", "--http1.1", "--http2"] {
        for name in ["ec", "p384", "rsa", "deep"] {
            let output = run(name, more);
            let told: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{}{}", stdout(&output), stderr(&output)));
            let keys = &told["credentialSet"][0]["credentials"];
            assert!(keys["sessionToken"].is_string(), "{name} {more}: {told}");
        }
    }
    for name in &site.bad {
        let output = run(name, "");
        assert!(!stdout(&output).contains("accessKeyId"), "{name}: {}", stdout(&output));
    }
}

/// Shows a certificate to whoever asks, and remembers whether one was asked for.
#[derive(Debug)]
struct Shows {
    key: Arc<CertifiedKey>,
    asked: AtomicBool,
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        assert!(hints.is_empty(), "it tells whom it trusts");
        self.asked.store(true, Ordering::SeqCst);
        Some(Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A broker in this process, whose clock is moved by hand.
struct Inside {
    serving: Serving,
    clock: Arc<ManualClock>,
    admin: Caller,
    ca: PathBuf,
    root: Issuer,
    key: KeyPair,
    folder: TempDir,
}

impl Inside {
    async fn start(certificates: ClientCertificates) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock::new().now().floor_secs()));
        let world = World {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom::new()),
        };
        let data = DataDir::new(folder.path().join("data"));
        let random = SystemRandom::new();
        let Ok(Outcome::Made(first)) =
            init(&data, &world, || Ok(Bootstrap::generate(None, &random)?))
        else {
            panic!("no deployment");
        };
        let ca = server(folder.path());
        let mut settings = Settings::load(&Inputs::default()).unwrap();
        settings.store.data_dir = data.path().to_owned();
        let free = "127.0.0.1:0".parse().unwrap();
        settings.http.listen = free;
        settings.http.verify_listen = free;
        settings.http.ops_listen = free;
        settings.tls.certificate = Some(folder.path().join("server.pem"));
        settings.tls.key = Some(folder.path().join("server.key"));
        settings.tls.client_certificates = certificates;
        let serving = start(&settings, &world).await.unwrap();
        let secret = first.secret.expose().to_owned();
        let first = Credentials { id: first.access_key_id.to_string(), secret, token: None };
        let admin = Caller::new(serving.api, first);
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let root = Issuer::self_signed(authority("root"), key()).unwrap();
        Self { serving, clock, admin, ca, root, key: key(), folder }
    }

    /// A client that shows the certificate `5a01`, good for an hour.
    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        protocol: &str,
    ) -> (Arc<ClientConfig>, Arc<Shows>) {
        let mut params = end_entity(1);
        let since = Duration::from_secs(self.clock.now().secs().cast_unsigned() + 3600);
        params.not_after = date_time_ymd(1970, 1, 1) + since;
        let chain = vec![params.signed_by(&self.key, &self.root).unwrap().der().clone()];
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let key = CertifiedKey::new(chain, sign::any_supported_type(&key).unwrap());
        let shows = Arc::new(Shows { key: Arc::new(key), asked: AtomicBool::new(false) });
        let mut config = self.builder(&[version]).with_client_cert_resolver(shows.clone());
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        (Arc::new(config), shows)
    }

    fn builder(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).unwrap()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
    }

    async fn connect(&self, config: &Arc<ClientConfig>) -> Open {
        Open::to(self.serving.api, config).await
    }

    /// The administrator's request.
    async fn manage(&self, plan: Plan<'_>) -> String {
        let plan = Plan { at: Some(self.clock.now()), ..plan };
        let request = self.admin.sign_for(&self.serving.api.to_string(), plan);
        let mut config = self.builder(&[&TLS13]).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (status, body) = self.connect(&Arc::new(config)).await.send(request).await;
        assert!((200..300).contains(&status), "{status} {body}");
        body
    }

    async fn anywhere(&self, target: &str, body: &Value) -> Value {
        let plan = Plan {
            service: "rolesanywhere",
            method: Method::POST,
            target: target.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: if body.is_null() { String::new() } else { body.to_string() },
            at: None,
        };
        serde_json::from_str(&self.manage(plan).await).unwrap()
    }

    /// An anchor with a list that has `5a01` and is disabled: the paths of both, and what a request for a
    /// session says.
    async fn set_up(&self) -> (String, String, Value) {
        let trust = policy(&json!({ "Effect": "Allow",
            "Principal": { "Service": "rolesanywhere.amazonaws.com" },
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"] }));
        let trust = trust.to_string();
        let role = [("RoleName", "orders"), ("AssumeRolePolicyDocument", trust.as_str())];
        self.manage(Plan::query("iam", "CreateRole", &role)).await;
        let role = format!("arn:aws:iam::{}:role/orders", self.admin.account());
        let source = json!({ "sourceType": "CERTIFICATE_BUNDLE",
            "sourceData": { "x509CertificateData": self.root.pem() } });
        let new = json!({ "name": "corp", "source": source, "enabled": true });
        let anchor = self.anywhere("/trustanchors", &new).await["trustAnchor"].clone();
        let new = json!({ "name": "apps", "roleArns": [role], "enabled": true });
        let profile = self.anywhere("/profiles", &new).await["profile"].clone();
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2200, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from_slice(&[0x5a, 1]),
                revocation_time: date_time_ymd(2024, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.root).unwrap().pem().unwrap();
        let new = json!({ "name": "revoked", "crlData": STANDARD.encode(list), "enabled": false,
            "trustAnchorArn": anchor["trustAnchorArn"] });
        let list = self.anywhere("/crls", &new).await["crl"].clone();
        let body = json!({ "trustAnchorArn": anchor["trustAnchorArn"],
            "profileArn": profile["profileArn"], "roleArn": role });
        let id = |value: &Value| value.as_str().unwrap().to_owned();
        let anchor = format!("/trustanchor/{}", id(&anchor["trustAnchorId"]));
        (anchor, format!("/crl/{}", id(&list["crlId"])), body)
    }
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// A connection that stays open.
struct Open {
    sender: Sender,
    to: String,
    kind: HandshakeKind,
}

impl Open {
    async fn to(address: std::net::SocketAddr, config: &Arc<ClientConfig>) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name, stream).await.unwrap();
        let (_, session) = stream.get_ref();
        let kind = session.handshake_kind().unwrap();
        let sender = if session.alpn_protocol() == Some(b"h2") {
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            Sender::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            Sender::One(sender)
        };
        Self { sender, to: address.to_string(), kind }
    }

    async fn send(&mut self, request: Prepared) -> (u16, String) {
        let Prepared { method, target, headers, body } = request;
        let uri = match &self.sender {
            Sender::One(_) => target,
            Sender::Two(_) => format!("https://{}{target}", self.to),
        };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let answer = match &mut self.sender {
            Sender::One(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
            Sender::Two(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
        };
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Asks for a session.
    async fn session(&mut self, body: &Value) -> (u16, String) {
        let headers = [("host", self.to.as_str()), ("content-type", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let target = "/sessions".to_owned();
        self.send(Prepared { method: Method::POST, target, headers, body: body.to_string() }).await
    }

    #[track_caller]
    fn is(answer: &(u16, String), status: u16, text: &str) {
        assert!(answer.0 == status && answer.1.contains(text), "{answer:?}");
    }
}

/// What was proven once is judged anew for each request: revoked, it ends with the next one, on the same
/// connection and on one that a client would resume its session for; so it does with its time.
#[tokio::test]
async fn a_connection_that_stays_open_is_judged_for_each_request() {
    let site = Inside::start(ClientCertificates::Request).await;
    let (anchor, list, body) = site.set_up().await;
    let mut open = Vec::new();
    for version in [&TLS12, &TLS13] {
        for protocol in ["http/1.1", "h2"] {
            let (config, shows) = site.client(version, protocol);
            let mut first = site.connect(&config).await;
            assert!(shows.asked.load(Ordering::SeqCst));
            Open::is(&first.session(&body).await, 201, "sessionToken");
            Open::is(&first.session(&body).await, 201, ":assumed-role/orders/5a01");
            site.anywhere(&format!("{list}/enable"), &Value::Null).await;
            Open::is(&first.session(&body).await, 403, "Untrusted certificate");
            let mut second = site.connect(&config).await;
            assert_eq!(second.kind, HandshakeKind::Full);
            Open::is(&second.session(&body).await, 403, "Untrusted certificate");
            site.anywhere(&format!("{list}/disable"), &Value::Null).await;
            Open::is(&first.session(&body).await, 201, "sessionToken");
            Open::is(&second.session(&body).await, 201, "sessionToken");
            site.anywhere(&format!("{anchor}/disable"), &Value::Null).await;
            Open::is(&first.session(&body).await, 403, "Untrusted certificate");
            site.anywhere(&format!("{anchor}/enable"), &Value::Null).await;
            Open::is(&first.session(&body).await, 201, "sessionToken");
            open.push((first, config));
        }
    }
    site.clock.advance(Duration::from_secs(3590));
    for (open, _) in &mut open {
        Open::is(&open.session(&body).await, 201, "sessionToken");
    }
    site.clock.advance(Duration::from_secs(11));
    for (open, config) in &mut open {
        Open::is(&open.session(&body).await, 403, "Untrusted certificate");
        // The handshake does not ask what time it is; the request does.
        Open::is(&site.connect(config).await.session(&body).await, 403, "Untrusted certificate");
    }
    drop(site.folder);
}

/// Only the API listener asks, and only if it is told to.
#[tokio::test]
async fn a_listener_that_was_not_told_asks_for_nothing() {
    let site = Inside::start(ClientCertificates::Request).await;
    let (config, shows) = site.client(&TLS13, "http/1.1");
    Open::to(site.serving.verify, &config).await;
    assert!(!shows.asked.load(Ordering::SeqCst));
    Open::to(site.serving.api, &config).await;
    assert!(shows.asked.load(Ordering::SeqCst));

    let site = Inside::start(ClientCertificates::Off).await;
    let (_, _, body) = site.set_up().await;
    for version in [&TLS12, &TLS13] {
        let (config, shows) = site.client(version, "http/1.1");
        let answer = site.connect(&config).await.session(&body).await;
        Open::is(&answer, 403, "missing Authentication Token");
        assert!(!shows.asked.load(Ordering::SeqCst));
    }
}

/// Certificates in other ways than by IAM Roles Anywhere are nobody's business on the API listener: who
/// shows one and signs is who signed.
#[tokio::test]
async fn a_certificate_changes_nothing_for_whoever_signs() {
    let site = Inside::start(ClientCertificates::Request).await;
    let (config, _) = site.client(&TLS13, "h2");
    let mut open = site.connect(&config).await;
    let plan = Plan { at: Some(site.clock.now()), ..Plan::query("sts", "GetCallerIdentity", &[]) };
    let signed = site.admin.sign_for(&open.to, plan);
    let (status, body) = open.send(signed.clone()).await;
    assert!(status == 200 && body.contains(":user/admin"), "{status} {body}");
    let mut bare = signed;
    bare.headers.retain(|(name, _)| name != "authorization");
    let (status, body) = open.send(bare).await;
    assert!(status == 403 && body.contains("MissingAuthenticationToken"), "{status} {body}");
}
