//! The tower layer, with a real broker: what a request is, what becomes of its body, and what never
//! reaches the service.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use countersign::sigv4::{Body as SignedBody, RequestHead};
use countersign::verify::{
    BrokerAddress, Connection, Deed, Request as Question, Verified, Verifier, VerifyLayer,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::broker::Broker;
use crate::caller::{Caller, ORDERS, Plan, Prepared, allow};
use crate::inside::{asker, until};
use crate::services::home_with;

/// A broker, and a verifier of one of its services.
struct Site {
    broker: Broker,
    verifier: Arc<Verifier>,
}

/// The service `orders`, a route for each rule about bodies.
fn routes(account: &str) -> String {
    let mut text = service(account);
    for (path, more) in [
        ("orders", ""),
        ("checked", "body = \"checked\""),
        ("unsigned", "body = \"unsigned\""),
        ("dropped", "body = \"ignored\""),
    ] {
        for (method, action) in [("GET", "GetOrder"), ("PUT", "PutOrder")] {
            text += &format!(
                "[[service.route]]\nmethod = \"{method}\"\npath = \"/{path}/{{id}}\"\n\
                 action = \"orders:{action}\"\nresource = \"arn:aws:orders:::order/{{id}}\"\n{more}\n"
            );
        }
    }
    text
}

fn service(account: &str) -> String {
    format!(
        "[[service]]\nname = \"orders\"\nhosts = [\"{ORDERS}\"]\naccount = \"{account}\"\n\
         askers = [\"arn:aws:iam::{account}:user/verifier\"]\nsigning_keys = true\n"
    )
}

impl Site {
    async fn start(settings: fn(&str) -> String) -> (Self, Caller) {
        let home = home_with(|home| settings(&home.account));
        let socket = home.folder().join("verify.sock");
        let broker =
            Broker::serve(&home, &[("COUNTERSIGN_VERIFY_SOCKET", socket.to_str().unwrap())]);
        let credentials = broker.admin().make_user("verifier", &allow("orders:None", "*")).await;
        let verifier = Verifier::builder("orders", BrokerAddress::unix(&socket))
            .signed_by(asker(&credentials))
            .start();
        until("it is fresh", || verifier.is_fresh()).await;
        let alice = broker.admin().make_user("alice", &allow("orders:*", "*")).await;
        let alice = broker.caller(&alice);
        (Self { broker, verifier: Arc::new(verifier) }, alice)
    }

    fn layer(&self) -> VerifyLayer {
        VerifyLayer::mapped(Arc::clone(&self.verifier))
    }
}

/// A service that tells what it was given.
#[derive(Clone)]
struct Tell;

impl<B> tower_service::Service<Request<B>> for Tell
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Debug,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let verified = parts.extensions.get::<Verified>().expect("it was verified");
            let hash = verified.content_sha256().map(str::to_owned);
            let who = verified.principal().arn.clone();
            let collected = Box::pin(body).collect().await.unwrap();
            let trailers = collected.trailers().map_or(0, HeaderMap::len);
            let body = collected.to_bytes();
            let header = |name: &str| parts.headers.get(name).map(|v| v.to_str().unwrap());
            let told = json!({
                "who": who,
                "body": std::str::from_utf8(&body).unwrap(),
                "trailers": trailers,
                "hash": hash,
                "length": header("content-length"),
                "coding": header("transfer-encoding"),
            });
            Ok(Response::new(Full::new(Bytes::from(told.to_string()))))
        })
    }
}

/// A body in pieces of unknown length, with a trailer; it counts how many were taken.
struct Pieces {
    left: VecDeque<Frame<Bytes>>,
    taken: Arc<AtomicUsize>,
}

impl Pieces {
    fn of(pieces: &[&'static str]) -> (Self, Arc<AtomicUsize>) {
        let mut left: VecDeque<_> =
            pieces.iter().map(|piece| Frame::data(Bytes::from_static(piece.as_bytes()))).collect();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-note", HeaderValue::from_static("after"));
        left.push_back(Frame::trailers(trailers));
        let taken = Arc::new(AtomicUsize::new(0));
        (Self { left, taken: Arc::clone(&taken) }, taken)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(self.left.pop_front().map(Ok))
    }
}

fn plan(method: Method, target: &str, body: &str) -> Plan<'static> {
    Plan {
        service: "orders",
        method,
        target: target.to_owned(),
        headers: Vec::new(),
        body: body.to_owned(),
        at: None,
    }
}

/// With the body's hash in a signed header.
fn hashed(plan: Plan<'static>) -> Plan<'static> {
    use sha2::Digest as _;
    let hash = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(plan.body.as_bytes()));
    Plan { headers: vec![("x-amz-content-sha256".to_owned(), hash)], ..plan }
}

fn request<B>(signed: &Prepared, uri: &str, body: B) -> Request<B> {
    let mut request = Request::builder().method(signed.method.clone()).uri(uri);
    for (name, value) in &signed.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request = request.header(name, HeaderValue::from_str(value).unwrap());
    }
    request.body(body).unwrap()
}

fn whole(signed: &Prepared) -> Request<Full<Bytes>> {
    request(signed, &signed.target, Full::new(Bytes::from(signed.body.clone())))
}

async fn send<B>(layer: &VerifyLayer, request: Request<B>) -> (u16, Value)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + std::fmt::Debug + Send,
{
    let answer = layer.layer(Tell).call(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn refused(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_read_within_their_bound_passed_on_or_dropped() {
    let (site, alice) = Site::start(routes).await;
    let layer = site.layer().body_bytes(10);
    let put = |target: &str, body: &str| alice.sign_for(ORDERS, plan(Method::PUT, target, body));

    // The bound, with a length that is told and without.
    let (status, told) = send(&layer, whole(&put("/orders/1", "0123456789"))).await;
    assert_eq!((status, &told["body"]), (200, &json!("0123456789")));
    let long = put("/orders/1", "0123456789a");
    assert_eq!(refused(&send(&layer, whole(&long)).await), (413, "BodyTooLarge"));
    // Nothing is read of somebody who has not signed.
    let (pieces, taken) = Pieces::of(&["0"]);
    let bare = Request::put("/orders/1").header("host", ORDERS).body(pieces).unwrap();
    assert_eq!(refused(&send(&layer, bare).await), (401, "MissingAuthenticationToken"));
    assert_eq!(taken.load(Ordering::SeqCst), 0);
    let (pieces, taken) = Pieces::of(&["01234", "56789", "a", "b", "c", "d"]);
    let answer = send(&layer, request(&long, "/orders/1", pieces)).await;
    assert_eq!(refused(&answer), (413, "BodyTooLarge"));
    assert_eq!(taken.load(Ordering::SeqCst), 3, "nothing is read past the bound");

    // What is read is what the service gets: no more, no other, and no trailer that nobody signed.
    let (pieces, _) = Pieces::of(&["0123", "4567"]);
    let short = put("/orders/1", "01234567");
    let (status, told) = send(&layer, request(&short, "/orders/1", pieces)).await;
    assert_eq!((status, &told["body"], &told["trailers"]), (200, &json!("01234567"), &json!(0)));
    let (pieces, _) = Pieces::of(&["0123", "456x"]);
    let answer = send(&layer, request(&short, "/orders/1", pieces)).await;
    assert_eq!(refused(&answer), (401, "SignatureDoesNotMatch"));
    let named = alice.sign_for(ORDERS, hashed(plan(Method::PUT, "/orders/1", "01234567")));
    assert_eq!(send(&layer, whole(&named)).await.0, 200);
    let other = Prepared { body: "0123456x".into(), ..named };
    assert_eq!(refused(&send(&layer, whole(&other)).await), (401, "XAmzContentSHA256Mismatch"));

    // A body that the service takes care of goes through unread, however long it is.
    for path in ["/checked/1", "/unsigned/1"] {
        let long = "0123456789abcdef";
        let named = alice.sign_for(ORDERS, hashed(plan(Method::PUT, path, long)));
        let (pieces, taken) = Pieces::of(&["another", " body", " of any length"]);
        assert_eq!(taken.load(Ordering::SeqCst), 0);
        let (status, told) = send(&layer, request(&named, path, pieces)).await;
        assert_eq!((status, &told["body"]), (200, &json!("another body of any length")), "{told}");
        assert_eq!(told["trailers"], 1);
        // The one that checks is told what to.
        let hash = named.headers.iter().find(|(name, _)| name == "x-amz-content-sha256");
        let hash = (path == "/checked/1").then(|| hash.unwrap().1.clone());
        assert_eq!(told["hash"], json!(hash), "{path}");
        // Without a hash in a header the signature holds only with the body.
        let signed = put(path, "short");
        let (status, told) = send(&layer, whole(&signed)).await;
        assert_eq!((status, &told["body"]), (200, &json!("short")));
        let other = Prepared { body: "other".into(), ..signed };
        assert_eq!(refused(&send(&layer, whole(&other)).await), (401, "SignatureDoesNotMatch"));
    }

    // A body that is dropped is not there, and no header tells of one.
    let none = alice.sign_for(ORDERS, plan(Method::PUT, "/dropped/1", ""));
    let (pieces, taken) = Pieces::of(&["any", "thing"]);
    let mut smuggled = request(&none, "/dropped/1", pieces);
    smuggled.headers_mut().insert("transfer-encoding", HeaderValue::from_static("chunked"));
    let (status, told) = send(&layer, smuggled).await;
    assert_eq!((status, &told["body"], &told["coding"]), (200, &json!(""), &Value::Null));
    assert_eq!(taken.load(Ordering::SeqCst), 0);
    let mut told_length = request(&none, "/dropped/1", Full::new(Bytes::from_static(b"anything")));
    told_length.headers_mut().insert("content-length", HeaderValue::from_static("8"));
    let (status, told) = send(&layer, told_length).await;
    assert_eq!((status, &told["body"], &told["length"]), (200, &json!(""), &json!("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_one_host_and_brings_no_header_of_ours() {
    let (site, alice) = Site::start(routes).await;
    let layer = site.layer();
    let get = || alice.sign_for(ORDERS, plan(Method::GET, "/orders/1", ""));
    let empty = Full::<Bytes>::default;
    let to = |uri: &str| request(&get(), uri, empty());
    let absolute = |host: &str| format!("http://{host}/orders/1");
    let without_host = |uri: &str| {
        let mut signed = get();
        signed.headers.retain(|(name, _)| name != "host");
        request(&signed, uri, empty())
    };
    for (request, expected) in [
        (to("/orders/1"), (200, "")),
        // Absolute form, and `:authority` beside or without `host`.
        (to(&absolute(ORDERS)), (200, "")),
        (to(&absolute(&ORDERS.to_uppercase())), (200, "")),
        (without_host(&absolute(ORDERS)), (200, "")),
        (to(&absolute("other.example")), (400, "HostConflict")),
        (to(&absolute(&format!("{ORDERS}:8443"))), (400, "HostConflict")),
        (to(&absolute(&format!("somebody@{ORDERS}"))), (400, "HostConflict")),
        (without_host(&absolute("other.example")), (401, "HostNotServed")),
        (without_host(&absolute(&format!("somebody@{ORDERS}"))), (401, "HostNotServed")),
        (without_host("/orders/1"), (401, "")),
        // The path that is served is the one that was signed.
        (to("/orders/2"), (401, "SignatureDoesNotMatch")),
        (to("/orders/1?a=b"), (401, "SignatureDoesNotMatch")),
    ] {
        let uri = request.uri().clone();
        let answer = send(&layer, request).await;
        let code = if expected.1.is_empty() { "" } else { refused(&answer).1 };
        assert_eq!((answer.0, code), expected, "{uri}: {}", answer.1);
    }
    for (name, value, expected) in [
        ("x-countersign-principal", "arn:aws:iam::1:root", (403, "SpoofedHeader")),
        ("x_countersign_account", "1", (403, "SpoofedHeader")),
        ("x-countersign-anything", "", (403, "SpoofedHeader")),
        ("upgrade", "websocket", (403, "UpgradeRefused")),
        ("upgrade", "h2c", (403, "UpgradeRefused")),
        ("host", ORDERS, (401, "IncompleteSignature")),
        ("authorization", "AWS4-HMAC-SHA256 a", (401, "IncompleteSignature")),
        ("x-amz-date", "20260101T000000Z", (401, "IncompleteSignature")),
        ("x-amz-acl", "public", (401, "SignatureDoesNotMatch")),
        ("x-http-method-override", "DELETE", (403, "MethodOverride")),
        ("x-rewrite-url", "/orders/2", (403, "MethodOverride")),
        ("x-forwarded-for", "203.0.113.1", (200, "")),
        ("expect", "100-continue", (200, "")),
    ] {
        let answer = send(&layer, whole(&get().add(name, value))).await;
        assert_eq!(refused(&answer), expected, "{name}: {}", answer.1);
    }
    // What nobody signs passes where the service says that it takes it.
    let open = alice.sign_for(ORDERS, plan(Method::GET, "/unsigned/1", ""));
    assert_eq!(send(&layer, whole(&open.add("upgrade", "websocket"))).await.0, 200);
    let connect = alice.sign_for(ORDERS, plan(Method::CONNECT, "/", ""));
    let connect = request(&connect, &format!("{ORDERS}:80"), empty());
    assert_eq!(refused(&send(&layer, connect).await), (403, "UpgradeRefused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_names_its_actions_itself_has_them_decided() {
    let (site, _) = Site::start(service).await;
    let some = allow("orders:GetOrder", "arn:aws:orders:::order/1");
    let bob = site.broker.admin().make_user("bob", &some).await;
    let bob = site.broker.caller(&bob);
    let layer = VerifyLayer::authorized_by(Arc::clone(&site.verifier), |parts| {
        let id = parts.uri.path().strip_prefix("/orders/")?;
        let action = if parts.method == Method::GET { "GetOrder" } else { "PutOrder" };
        Some(Deed {
            action: format!("orders:{action}"),
            resource: format!("arn:aws:orders:::order/{id}"),
            ..Deed::default()
        })
    });
    // Twice: as the broker says, then in process.
    for _ in 0..2 {
        for (method, target, expected) in [
            (Method::GET, "/orders/1", (200, "")),
            (Method::GET, "/orders/2", (403, "ImplicitDeny")),
            (Method::PUT, "/orders/1", (403, "ImplicitDeny")),
            (Method::GET, "/bills/1", (403, "Unmapped")),
        ] {
            let signed = bob.sign_for(ORDERS, plan(method.clone(), target, ""));
            let answer = send(&layer, whole(&signed)).await;
            assert_eq!(refused(&answer), expected, "{method} {target}: {}", answer.1);
        }
    }
    // A service whose routes nobody registered lets nothing pass on a signature alone.
    let signed = bob.sign_for(ORDERS, plan(Method::GET, "/orders/1", ""));
    assert_eq!(refused(&send(&site.layer(), whole(&signed)).await), (403, "Unmapped"));
}

/// A broker that takes questions and never answers, and counts them.
fn mute() -> (tempfile::TempDir, PathBuf, Arc<AtomicUsize>) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("mute.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let questions = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&questions);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                let n = client.read(&mut bytes).await.unwrap_or_default();
                if bytes[..n].starts_with(b"POST /v1/verify ") {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                // Held open.
                let _ = client.read_to_end(&mut Vec::new()).await;
                let _ = client.shutdown().await;
            });
        }
    });
    (folder, socket, questions)
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_make_few_questions_at_once() {
    let (_folder, socket, questions) = mute();
    let verifier = Arc::new(Verifier::builder("orders", BrokerAddress::unix(&socket)).start());
    let started = Instant::now();
    let tasks: Vec<_> = (0..300)
        .map(|n| {
            let verifier = Arc::clone(&verifier);
            tokio::spawn(async move {
                let authorization = format!(
                    "AWS4-HMAC-SHA256 Credential=AKIAAAAAAAAAAAAA{:04}/20260101/r/orders/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={}",
                    n + 2222,
                    "0".repeat(64)
                );
                let headers: [(&str, &[u8]); 3] = [
                    ("host", ORDERS.as_bytes()),
                    ("x-amz-date", b"20260101T000000Z"),
                    ("authorization", authorization.as_bytes()),
                ];
                let head = RequestHead { method: "GET", target: "/orders/1", headers: &headers };
                let body = SignedBody::Bytes(b"");
                let connection = Connection::default();
                let question = Question { head, body, connection, deed: None };
                verifier.verify(&question).await.unwrap_err().kind().status()
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(questions.load(Ordering::SeqCst), 32);
    for task in tasks {
        assert_eq!(task.await.unwrap(), 503, "nobody is told that a key is wrong");
    }
    assert!(started.elapsed() < Duration::from_secs(15));
}
