//! Verification inside a service, with a real broker: what it survives, what reaches it, and how
//! fast; who gets keys and the feed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use countersign::http::client::Client;
use countersign::secret::SecretAccessKey;
use countersign::sigv4::{Body, RequestHead};
use countersign::verify::{
    BrokerAddress, Connection, Credentials as AskerCredentials, Refused, Request, Tls, Verified,
    Verifier,
};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::broker::{Broker, Home, Signal};
use crate::caller::{Caller, Credentials, ORDERS, Plan, Prepared, allow, policy, question, trust};
use crate::certificates::Authority;
use crate::services::{home_with, orders};

#[path = "../../deploy/examples/rust-service/main.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own")]
mod rust_service;

const SECOND: Duration = Duration::from_secs(1);

/// A broker with the service `orders`, whose verifier signs its questions.
struct Site {
    broker: Broker,
    asker: Credentials,
    socket: PathBuf,
}

impl Site {
    async fn start() -> Self {
        let home = home_with(|home| {
            let account = &home.account;
            let asker = format!("askers = [\"arn:aws:iam::{account}:user/verifier\"]");
            orders(account, &format!("{asker}\nsigning_keys = true"))
        });
        let socket = home.folder().join("verify.sock");
        let settings = [("COUNTERSIGN_VERIFY_SOCKET", socket.to_str().unwrap())];
        let broker = Broker::serve(&home, &settings);
        let asker = broker.admin().make_user("verifier", &allow("orders:None", "*")).await;
        Self { broker, asker, socket }
    }

    fn verifier(&self, socket: &Path, freshness: Duration) -> Verifier {
        Verifier::builder("orders", BrokerAddress::unix(socket))
            .signed_by(asker(&self.asker))
            .freshness(freshness)
            .start()
    }

    /// A verifier that knows of the service, and alice, who may read orders, and is known to it.
    async fn warm(&self, socket: &Path, freshness: Duration) -> (Verifier, Caller) {
        let alice = self.broker.admin().make_user("alice", &allow("orders:Get*", "*")).await;
        let alice = self.broker.caller(&alice);
        let verifier = self.verifier(socket, freshness);
        until("it is fresh", || verifier.is_fresh()).await;
        let first = get(&verifier, &alice).await.unwrap();
        assert!(!first.in_process());
        // News that come in between, such as those of her policy, void what is kept.
        for _ in 0..50 {
            if get(&verifier, &alice).await.unwrap().in_process() {
                return (verifier, alice);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is not kept");
    }
}

pub(crate) fn asker(credentials: &Credentials) -> Arc<AskerCredentials> {
    Arc::new(AskerCredentials {
        access_key_id: credentials.id.clone(),
        secret: SecretAccessKey::parse(credentials.secret.clone().into()).unwrap(),
        session_token: credentials.token.clone(),
    })
}

pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn verify(verifier: &Verifier, request: &Prepared) -> Result<Verified, Refused> {
    let headers: Vec<(&str, &[u8])> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head =
        RequestHead { method: request.method.as_str(), target: &request.target, headers: &headers };
    let connection = Connection::default();
    let body = Body::Bytes(request.body.as_bytes());
    verifier.verify(&Request { head, body, connection, deed: None }).await
}

/// A request of this caller, signed now.
async fn get(verifier: &Verifier, who: &Caller) -> Result<Verified, Refused> {
    verify(verifier, &who.order()).await
}

/// How long it takes until a caller is refused, and how.
async fn refused(verifier: &Verifier, who: &Caller, since: Instant) -> (Duration, Refused) {
    loop {
        match get(verifier, who).await {
            Err(refused) => return (since.elapsed(), refused),
            Ok(_) => assert!(since.elapsed() < Duration::from_secs(30), "never refused"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_credentials_survive_a_stopped_broker_until_the_freshness_limit() {
    let mut site = Site::start().await;
    let socket = site.socket.clone();
    let limit = 3 * SECOND;
    let (verifier, alice) = site.warm(&socket, limit).await;
    let bob = site.broker.admin().make_user("bob", &allow("orders:Get*", "*")).await;
    let bob = site.broker.caller(&bob);
    site.broker.kill();
    let stopped = Instant::now();
    assert!(get(&verifier, &alice).await.unwrap().in_process());
    let unknown = get(&verifier, &bob).await.unwrap_err();
    assert_eq!((unknown.kind().status(), unknown.code()), (503, "ServiceUnavailable"));
    // What is refused without the broker is refused.
    let plan = |method| Plan {
        service: "orders",
        method,
        target: "/orders/42".to_owned(),
        headers: Vec::new(),
        body: String::new(),
        at: None,
    };
    let tampered = Prepared { target: "/orders/7".into(), ..alice.order() };
    assert_eq!(verify(&verifier, &tampered).await.unwrap_err().kind().status(), 401);
    let put = alice.sign_for(ORDERS, plan(Method::PUT));
    assert_eq!(verify(&verifier, &put).await.unwrap_err().kind().status(), 403);

    let (took, refusal) = refused(&verifier, &alice, stopped).await;
    assert_eq!(refusal.kind().status(), 503, "never an allow, and no wrong reason");
    assert!(took > limit / 4 && took < limit + SECOND, "{took:?} of {limit:?}");
    assert!(!verifier.is_fresh());

    // It comes back by itself; the directory is the same, so what was known still is.
    site.broker.restart();
    until("it is fresh again", || verifier.is_fresh()).await;
    assert!(get(&verifier, &alice).await.is_ok());
    assert!(get(&verifier, &bob).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn revocations_and_new_denies_arrive_within_a_second() {
    let site = Site::start().await;
    let (verifier, alice) = site.warm(&site.socket, Duration::from_mins(1)).await;
    let admin = site.broker.admin();

    // A new Deny.
    let deny = json!({ "Effect": "Deny", "Action": "orders:*", "Resource": "*" });
    let document = policy(&deny).to_string();
    let put = [("UserName", "alice"), ("PolicyName", "no"), ("PolicyDocument", document.as_str())];
    let started = Instant::now();
    admin.iam("PutUserPolicy", &put).await.ok();
    let (took, refusal) = refused(&verifier, &alice, started).await;
    assert_eq!(refusal.code(), "ExplicitDeny");
    assert!(took < SECOND, "a Deny took {took:?}");
    println!("a new Deny was effective after {took:?}");
    admin.iam("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "no")]).await.ok();
    until_allowed(&verifier, &alice).await;

    // The revocation of a session, and of what it came from.
    let arn = format!("arn:aws:iam::{}:user/alice", site.broker.home.account);
    let all = allow("*", "*").to_string();
    let put = [("UserName", "alice"), ("PolicyName", "all"), ("PolicyDocument", all.as_str())];
    admin.iam("PutUserPolicy", &put).await.ok();
    let role = admin.make_role("reader", &trust(&arn), &allow("orders:*", "*")).await;
    for target in ["session", "key"] {
        let session = alice.assume(&role, &[]).await.unwrap();
        let caller = site.broker.caller(&session);
        until_allowed(&verifier, &caller).await;
        assert!(get(&verifier, &caller).await.unwrap().in_process());
        let id = if target == "session" { &session.id } else { &alice.credentials.id };
        let kind = if target == "session" { "session" } else { "access_key" };
        let started = Instant::now();
        let answer = admin.revoke(&json!({ kind: id })).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let (took, refusal) = refused(&verifier, &caller, started).await;
        assert_eq!(refusal.code(), "SessionRevoked", "{refusal}");
        assert!(took < SECOND, "the revocation of the {target} took {took:?}");
        println!("the revocation of a {target} was effective after {took:?}");
    }
}

async fn until_allowed(verifier: &Verifier, who: &Caller) {
    let end = Instant::now() + Duration::from_secs(10);
    // Twice, so that it is known.
    for _ in 0..2 {
        while let Err(refused) = get(verifier, who).await {
            assert!(Instant::now() < end, "never allowed: {refused}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What a proxy holds up on its way from the broker.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Held {
    Nothing = 0,
    /// The feed.
    Feed = 1,
    /// The feed, and what proves that nothing is missing.
    News = 2,
}

/// Something between verifier and broker that can hold up answers.
struct Proxy {
    socket: PathBuf,
    held: Arc<AtomicU8>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    fn start(home: &Home, broker: &Path) -> Self {
        let socket = home.folder().join("proxy.sock");
        let held = Arc::new(AtomicU8::new(0));
        let listener = UnixListener::bind(&socket).unwrap();
        let (to, switch) = (broker.to_owned(), Arc::clone(&held));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (to, switch) = (to.clone(), Arc::clone(&switch));
                tokio::spawn(async move {
                    let Ok(broker) = UnixStream::connect(&to).await else { return };
                    Box::pin(pass(client, broker, switch)).await;
                });
            }
        });
        Self { socket, held, task }
    }

    fn hold(&self, what: Held) {
        self.held.store(what as u8, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: UnixStream, broker: UnixStream, held: Arc<AtomicU8>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = broker.into_split();
    // What the last request on this connection was.
    let asked = Arc::new(AtomicU8::new(0));
    let seen = Arc::clone(&asked);
    let up = async move {
        let mut bytes = [0; 16 * 1024];
        while let Ok(n @ 1..) = from_client.read(&mut bytes).await {
            let text = String::from_utf8_lossy(&bytes[..n]);
            if text.starts_with("GET /v1/changes") {
                let kind = if text.contains("follow=true") { Held::Feed } else { Held::News };
                seen.store(kind as u8, Ordering::SeqCst);
            } else if text.starts_with("POST ") {
                seen.store(0, Ordering::SeqCst);
            }
            if to_broker.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    };
    let down = async move {
        let mut bytes = [0; 16 * 1024];
        while let Ok(n @ 1..) = from_broker.read(&mut bytes).await {
            loop {
                let kind = asked.load(Ordering::SeqCst);
                if kind == 0 || kind > held.load(Ordering::SeqCst) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if to_client.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn museum_m26_a_lost_notice_does_not_pass_a_verifier() {
    let site = Site::start().await;
    let proxy = Proxy::start(&site.broker.home, &site.socket);
    let limit = 3 * SECOND;
    let (verifier, alice) = site.warm(&proxy.socket, limit).await;
    let admin = site.broker.admin();

    // The feed is held up: the next proof brings what it lacks.
    proxy.hold(Held::Feed);
    let started = Instant::now();
    let document = policy(&json!({ "Effect": "Deny", "Action": "*", "Resource": "*" })).to_string();
    let put = [("UserName", "alice"), ("PolicyName", "no"), ("PolicyDocument", document.as_str())];
    admin.iam("PutUserPolicy", &put).await.ok();
    let (took, refusal) = refused(&verifier, &alice, started).await;
    assert_eq!(refusal.code(), "ExplicitDeny");
    assert!(took < limit, "{took:?}");
    proxy.hold(Held::Nothing);
    admin.iam("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "no")]).await.ok();
    until_allowed(&verifier, &alice).await;

    // Everything is held up: at the limit nothing that is kept counts, and the broker is asked.
    proxy.hold(Held::News);
    let started = Instant::now();
    admin.iam("PutUserPolicy", &put).await.ok();
    let (took, refusal) = refused(&verifier, &alice, started).await;
    assert_eq!(refusal.code(), "ExplicitDeny", "the broker says so: {refusal}");
    assert!(took < limit + SECOND, "{took:?} of {limit:?}");
    // What comes late revives nothing.
    proxy.hold(Held::Nothing);
    for _ in 0..50 {
        assert!(get(&verifier, &alice).await.is_err());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_voids_what_is_kept() {
    let site = Site::start().await;
    let (verifier, alice) = site.warm(&site.socket, Duration::from_mins(1)).await;
    let admin = site.broker.admin();
    let root = trust(&format!("arn:aws:iam::{}:root", site.broker.home.account));
    let role = admin.make_role("reader", &root, &allow("orders:*", "*")).await;
    let session = site.broker.admin().assume(&role, &[]).await.unwrap();
    let session = site.broker.caller(&session);
    until_allowed(&verifier, &session).await;
    drop(alice);

    let file = site.broker.home.folder().join("backup");
    let made = site.broker.command(&["backup", file.to_str().unwrap()]);
    assert!(made.status.success(), "{}", crate::broker::stderr(&made));
    let restored = site.broker.command(&["restore", file.to_str().unwrap(), "--yes"]);
    assert!(restored.status.success(), "{}", crate::broker::stderr(&restored));
    let (took, refusal) = refused(&verifier, &session, Instant::now()).await;
    assert!(took < SECOND, "{took:?}");
    // Keys wait for the operator's word, the verifier's own among them: it cannot ask either.
    assert_eq!(refusal.kind().status(), 503, "{refusal}");
    let ids = [&site.asker.id, &site.broker.home.first.id];
    let confirm = [["keys", "confirm"].as_slice(), &ids.map(String::as_str)].concat();
    let confirmed = site.broker.command(&confirm);
    assert!(confirmed.status.success(), "{}", crate::broker::stderr(&confirmed));
    until("it is fresh again", || verifier.is_fresh()).await;
    let refusal = get(&verifier, &session).await.unwrap_err();
    assert_eq!(refusal.code(), "DirectoryRestored");
    until_allowed(&verifier, &site.broker.admin()).await;
}

/// The status and body of a signed or unsigned GET of the verify listener.
async fn changes(broker: &Broker, who: Option<&Caller>, query: &str) -> (StatusCode, Value) {
    let target = format!("/v1/changes?{query}");
    let host = broker.verify.to_string();
    let mut headers = HeaderMap::new();
    if let Some(who) = who {
        let plan = Plan {
            service: "countersign",
            method: Method::GET,
            target: target.clone(),
            headers: Vec::new(),
            body: String::new(),
            at: None,
        };
        for (name, value) in who.sign_for(&host, plan).headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_str(&value).unwrap());
        }
    }
    let client = Client::url(&broker.verify_url(), None, false).unwrap();
    let answer = client.request(Method::GET, &target, headers, Vec::new()).await.unwrap();
    let first = answer.body.split(|byte| *byte == b'\n').next().unwrap();
    (answer.status, serde_json::from_slice(first).unwrap())
}

#[tokio::test]
async fn only_registered_askers_get_keys_and_the_feed() {
    let site = Site::start().await;
    let broker = &site.broker;
    let asker = broker.caller(&site.asker);
    let other = broker.admin().make_user("other", &allow("*", "*")).await;
    let other = broker.caller(&other);

    let (status, head) = changes(broker, Some(&asker), "service=orders&follow=false").await;
    assert_eq!(status, StatusCode::OK, "{head}");
    assert_eq!((&head["gap"], &head["service"]["name"]), (&json!(true), &json!("orders")));
    assert!(head["service"].get("askers").is_none_or(Value::is_null), "{head}");
    for (who, query, expected) in [
        (None, "service=orders", "AskerNotListed"),
        (Some(&other), "service=orders", "AskerNotListed"),
        (Some(&broker.admin()), "service=orders", "AskerNotListed"),
        (Some(&asker), "service=bills", "KeysNotGiven"),
        (Some(&asker), "service=sts", "KeysNotGiven"),
        (Some(&asker), "service=iam", "KeysNotGiven"),
    ] {
        let (status, refusal) = changes(broker, who, query).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{query} {refusal}");
        assert_eq!(refusal["error"]["code"], expected, "{query}");
    }
    for query in ["", "service=orders&after=x", "service=orders&follow=maybe", "service=orders&a=b"]
    {
        let (status, refusal) = changes(broker, Some(&asker), query).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query} {refusal}");
    }
    // Keys: a question that asks for them.
    let mut wanted = question(&broker.admin().order());
    wanted.as_object_mut().unwrap().remove("hosts");
    wanted["keep"] = json!({ "prefixes": ["orders"] });
    let (status, refusal) = broker.ask_text(&wanted.to_string()).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{refusal}");
    for service in ["sts", "iam", "countersign"] {
        wanted["service"] = service.into();
        wanted["hosts"] = json!([ORDERS]);
        let (status, refusal) = broker.ask_text(&wanted.to_string()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{refusal}");
        assert!(refusal.get("material").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_feeds() {
    let mut site = Site::start().await;
    let socket = site.socket.clone();
    let (verifier, _) = site.warm(&socket, Duration::from_mins(1)).await;
    tokio::time::sleep(SECOND / 2).await;
    let started = Instant::now();
    site.broker.signal(Signal::Terminate);
    let status = tokio::task::block_in_place(|| site.broker.wait());
    assert!(status.success());
    assert!(started.elapsed() < 3 * SECOND, "{:?}", started.elapsed());
    drop(verifier);
}

/// The example service, by certificates, and what is not the broker.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_service_serves_by_certificates_and_trusts_no_other_broker() {
    let home = home_with(|home| {
        let askers = "askers = [\"dns:orders.example\"]\nsigning_keys = true";
        orders(&home.account, askers)
    });
    let file = |name: &str| home.folder().join(name);
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    ours.server(&file("cert.pem"), &file("key.pem"));
    ours.client(&file("client.pem"), &file("client.key"));
    theirs.client(&file("stranger.pem"), &file("stranger.key"));
    ours.write(file("ca.pem"));
    theirs.write(file("other-ca.pem"));
    let path = |name: &str| file(name).to_str().unwrap().to_owned();
    let broker = Broker::serve(
        &home,
        &[
            ("COUNTERSIGN_TLS_CERTIFICATE", &path("cert.pem")),
            ("COUNTERSIGN_TLS_KEY", &path("key.pem")),
            ("COUNTERSIGN_TLS_VERIFY_CLIENT_CA", &path("ca.pem")),
        ],
    );
    let url = broker.verify_url().replace("127.0.0.1", "localhost");
    let read = |name: &str| std::fs::read(file(name)).unwrap();
    let verifier = |ca: &str, client: Option<(&str, &str)>| {
        let client = client.map(|(certificate, key)| (read(certificate), read(key)));
        let tls = Tls { ca_pem: read(ca), client };
        Verifier::builder("orders", BrokerAddress::https(&url, tls).unwrap()).start()
    };
    // The first administrator signs; its API is behind TLS too, so it makes nobody else.
    let admin = broker.admin();

    // A broker that the authority does not vouch for is none: no news of it are believed.
    let misled = verifier("other-ca.pem", Some(("client.pem", "client.key")));
    assert_eq!(get(&misled, &admin).await.unwrap_err().kind().status(), 503);
    assert!(!misled.is_fresh() && misled.service().is_none());
    // Strangers and nobody get nothing.
    for client in [Some(("stranger.pem", "stranger.key")), None] {
        let stranger = verifier("ca.pem", client);
        assert_eq!(get(&stranger, &admin).await.unwrap_err().kind().status(), 503);
        assert!(!stranger.is_fresh());
    }

    let options = rust_service::Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        broker: url.clone(),
        ca: Some(path("ca.pem")),
        certificate: Some(path("client.pem")),
        key: Some(path("client.key")),
        freshness: Duration::from_mins(1),
    };
    let (address, serving) = rust_service::serve(options).await.unwrap();
    let serving = tokio::spawn(serving);
    let mut answers = Vec::new();
    let end = Instant::now() + Duration::from_secs(10);
    // Until it verifies by itself.
    while answers.last().is_none_or(|(_, text): &(u16, String)| text.contains("broker")) {
        assert!(Instant::now() < end, "{answers:?}");
        answers.push(send(address, &admin.order()).await);
    }
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert!(answers[0].1.contains("as the broker says"), "{answers:?}");
    let tampered = Prepared { target: "/orders/7".into(), ..admin.order() };
    let (status, text) = send(address, &tampered).await;
    assert_eq!(status, 401, "{text}");
    assert!(text.contains("SignatureDoesNotMatch"), "{text}");
    let (status, text) = send(address, &admin.order().add("x-amz-acl", "public")).await;
    assert_eq!(status, 401, "{text}");
    let mut unsigned = admin.order();
    unsigned.headers.retain(|(name, _)| name == "host");
    assert_eq!(send(address, &unsigned).await.0, 401);
    serving.abort();
}

async fn send(address: SocketAddr, request: &Prepared) -> (u16, String) {
    let client = Client::url(&format!("http://{address}"), None, false).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let answer = client
        .request(request.method.clone(), &request.target, headers, request.body.clone())
        .await
        .unwrap();
    (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
}
