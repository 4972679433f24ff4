//! Calls as Envoy makes them, through the whole pipeline.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderMap as Headers, HeaderValue as Value};
use prost::Message as _;

use super::ext_authz::check;
use super::proto::{
    Address, AttributeContext, CheckRequest, CheckResponse, HeaderMap, HeaderValue,
    HeaderValueOption, HttpRequest, HttpResponse, Peer as Source, Request, SocketAddress,
    TlsSession,
};
use crate::downstream::{Proxy, Registry, RouteSettings, Service, ServiceSettings};
use crate::http::{Incoming, Outgoing, Peer};
use crate::ops::testing::{A, Bench, Credentials};
use crate::ops::verify::Asking;
use crate::sigv4::{RequestHead, Signer, UriRules};
use crate::time::Clock as _;

const HOST: &str = "orders.example";

fn register(bench: &Bench, proxy: Proxy, passes_body: bool) {
    let settings = ServiceSettings {
        name: "orders".into(),
        hosts: vec![HOST.into()],
        account: A.into(),
        proxy,
        proxy_passes_body: passes_body,
        ..ServiceSettings::default()
    };
    let routes = ["GET", "PUT"].map(|method| RouteSettings {
        method: method.into(),
        path: "/orders/{id}".into(),
        action: "orders:Do".into(),
        resource: "arn:aws:orders:::order/{id}".into(),
        body: None,
    });
    let service = Service::new(&settings, &routes).unwrap();
    bench.services.downstream.replace(Registry::new(vec![service]).unwrap());
}

/// Envoy's question about a request that is signed now.
fn question(
    bench: &Bench,
    who: &Credentials,
    method: &str,
    path: &str,
    body: &[u8],
) -> HttpRequest {
    let signer = Signer {
        access_key_id: &who.access_key_id,
        secret: &who.secret,
        session_token: who.token.as_deref(),
        region: "eu-west-1",
        service: "orders",
        uri: UriRules::Standard,
        content_sha256: false,
    };
    let head = RequestHead { method, target: path, headers: &[("host", HOST.as_bytes())] };
    let added = signer.sign(&head, body, bench.clock.now()).unwrap();
    let mut headers: Vec<(&str, String)> = vec![
        (":method", method.into()),
        (":path", path.into()),
        (":authority", HOST.into()),
        (":scheme", "http".into()),
    ];
    headers.extend(added);
    if !body.is_empty() {
        headers.push(("content-length", body.len().to_string()));
        headers.push(("x-envoy-auth-partial-body", "false".into()));
    }
    HttpRequest {
        method: method.into(),
        path: path.into(),
        host: HOST.into(),
        raw_body: body.to_vec(),
        header_map: Some(HeaderMap { headers: headers.into_iter().map(header).collect() }),
        ..HttpRequest::default()
    }
}

fn header((key, value): (&str, String)) -> HeaderValue {
    HeaderValue { key: key.to_owned(), value: String::new(), raw_value: value.into_bytes() }
}

fn with(mut http: HttpRequest, name: &str, value: &str) -> HttpRequest {
    let headers = &mut http.header_map.as_mut().unwrap().headers;
    headers.push(header((name, value.to_owned())));
    http
}

async fn call(bench: &Bench, body: Vec<u8>, kind: &'static str) -> Outgoing {
    let mut headers = Headers::new();
    headers.insert(CONTENT_TYPE, Value::from_static(kind));
    let request = Incoming {
        listener: "verify",
        peer: Peer::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1)),
        tls: None,
        request_id: bench.facts().request_id,
        received_at: bench.clock.now(),
        method: Method::POST,
        target: super::CHECK.to_owned(),
        headers,
        body: body.into(),
    };
    let asking = Asking { local: true, ..Asking::default() };
    check(&bench.services, &request, &bench.facts(), &asking).await
}

async fn ask(bench: &Bench, http: HttpRequest) -> (i32, String, HashMap<String, String>) {
    ask_as(bench, http, "orders").await
}

/// The status, the reason's code and the headers of an answer.
async fn ask_as(
    bench: &Bench,
    http: HttpRequest,
    service: &str,
) -> (i32, String, HashMap<String, String>) {
    ask_over(bench, http, service, false).await
}

async fn ask_over(
    bench: &Bench,
    http: HttpRequest,
    service: &str,
    tls: bool,
) -> (i32, String, HashMap<String, String>) {
    let socket = SocketAddress { address: "203.0.113.7".into() };
    let question = CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(Source { address: Some(Address { socket_address: Some(socket) }) }),
            request: Some(Request { http: Some(http) }),
            context_extensions: [("service".to_owned(), service.to_owned())].into(),
            tls_session: tls.then_some(TlsSession {}),
        }),
    };
    let answer = call(bench, framed(&question.encode_to_vec()), "application/grpc").await;
    let status = answer.trailers.as_ref().unwrap()["grpc-status"].to_str().unwrap().to_owned();
    if status != "0" {
        return (-status.parse::<i32>().unwrap(), String::new(), HashMap::new());
    }
    let response = CheckResponse::decode(&answer.body.whole()[5..]).unwrap();
    let read = |headers: Vec<HeaderValueOption>| -> HashMap<String, String> {
        let one = |option: HeaderValueOption| {
            assert_eq!((option.append_action, option.keep_empty_value), (2, true));
            option.header.map(|header| (header.key, header.value)).unwrap()
        };
        headers.into_iter().map(one).collect()
    };
    let code = response.status.unwrap().code;
    match response.http_response.unwrap() {
        HttpResponse::Ok(ok) => {
            assert_eq!(code, 0);
            (200, String::new(), read(ok.headers))
        }
        HttpResponse::Denied(denied) => {
            assert_ne!(code, 0);
            let headers = read(denied.headers);
            (denied.status.unwrap().code, headers["x-countersign-reason"].clone(), headers)
        }
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}

#[tokio::test]
async fn an_allowed_request_passes_with_every_header() {
    let bench = Bench::new().await;
    register(&bench, Proxy::EnvoyGrpc, true);
    let (status, _, headers) =
        ask(&bench, question(&bench, &bench.a, "PUT", "/orders/42", b"x")).await;
    assert_eq!(status, 200);
    assert_eq!(headers["x-countersign-principal"], format!("arn:aws:iam::{A}:user/admin"));
    assert_eq!(headers["x-countersign-account"], A);
    for name in ["user-id", "session", "source-identity", "tags", "content-sha256"] {
        assert!(headers.contains_key(&format!("x-countersign-{name}")), "{name}");
    }
    assert_eq!(headers["x-countersign-session"], "");
}

#[tokio::test]
async fn everything_else_is_refused_with_its_reason() {
    let bench = Bench::new().await;
    register(&bench, Proxy::EnvoyGrpc, true);
    let good = || question(&bench, &bench.a, "PUT", "/orders/42", b"body");
    let unsigned = {
        let mut http = good();
        let map = http.header_map.as_mut().unwrap();
        map.headers.retain(|header| header.key.starts_with(':') || header.key == "content-length");
        http
    };
    let mut other_path = good();
    other_path.path = "/orders/43".into();
    let mut both_paths = other_path.clone();
    for header in &mut both_paths.header_map.as_mut().unwrap().headers {
        if header.key == ":path" {
            header.raw_value = b"/orders/43".to_vec();
        }
    }
    let mut no_raw = good();
    no_raw.header_map = None;
    no_raw.headers = [("authorization".to_owned(), "x".to_owned())].into();
    let mut text = good();
    text.body = "body".into();
    let mut short = good();
    short.raw_body = b"bod".to_vec();
    let mut changed = good();
    changed.raw_body = b"Body".to_vec();
    let unmapped = question(&bench, &bench.a, "PUT", "/other", b"");
    for (what, http, status, code) in [
        ("unsigned", unsigned, 401, "MissingAuthenticationToken"),
        ("a spoofed header", with(good(), "X-Countersign-Account", A), 403, "SpoofedHeader"),
        ("its variant", with(good(), "x_countersign_account", A), 403, "SpoofedHeader"),
        ("m01", with(good(), "x-amz-acl", "public-read"), 401, "SignatureDoesNotMatch"),
        ("a part", with(good(), "x-envoy-auth-partial-body", "true"), 403, "PartialBody"),
        ("a short body", short, 403, "PartialBody"),
        ("another body", changed, 401, "SignatureDoesNotMatch"),
        ("text", text, 403, "DialectHeaderMalformed"),
        ("no raw headers", no_raw, 403, "DialectHeaderMalformed"),
        ("two paths", other_path, 403, "DialectHeaderMalformed"),
        ("another path", both_paths, 401, "SignatureDoesNotMatch"),
        ("unmapped", unmapped, 403, "Unmapped"),
    ] {
        let (found, reason, _) = ask(&bench, http).await;
        assert_eq!((found, reason.as_str()), (status, code), "{what}");
    }
    // No service, another one, and one behind another proxy.
    for service in ["", "billing"] {
        assert_eq!(ask_as(&bench, good(), service).await.0, -7, "{service}");
    }
    register(&bench, Proxy::Nginx, false);
    assert_eq!(ask(&bench, good()).await.1, "WrongDialect");
}

#[tokio::test]
async fn a_body_that_envoy_does_not_pass_is_nobodys_word() {
    let bench = Bench::new().await;
    register(&bench, Proxy::EnvoyGrpc, false);
    // Envoy takes `transfer-encoding` away: a chunked body looks like this too.
    let bare = question(&bench, &bench.a, "GET", "/orders/42", b"");
    assert_eq!(ask(&bench, bare.clone()).await.1, "BodyUnverified");
    assert_eq!(ask(&bench, with(bare.clone(), "content-length", "0")).await.0, 200);
    assert_eq!(ask(&bench, with(bare, "content-length", "1")).await.1, "BodyUnverified");
}

#[tokio::test]
async fn an_upgrade_is_refused() {
    let bench = Bench::new().await;
    for passes_body in [false, true] {
        register(&bench, Proxy::EnvoyGrpc, passes_body);
        let bare = question(&bench, &bench.a, "GET", "/orders/42", b"");
        let upgrade = with(with(bare, "content-length", "0"), "Upgrade", "websocket");
        assert_eq!(ask(&bench, upgrade).await.1, "UpgradeRefused");
    }
}

#[tokio::test]
async fn a_connection_without_tls_is_told_to_policies() {
    let bench = Bench::new().await;
    register(&bench, Proxy::EnvoyGrpc, true);
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"orders:*","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":"*",
         "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
    let user = bench.user(&bench.a, "tls-only", policy).await;
    for (scheme, tls, status) in
        [("http", false, 403), ("https", true, 200), ("http", true, 200), ("https", false, 200)]
    {
        let mut http = question(&bench, &user, "GET", "/orders/42", b"");
        http.scheme = scheme.into();
        let found = ask_over(&bench, http, "orders", tls).await.0;
        assert_eq!(found, status, "{scheme} {tls}");
    }
}

#[tokio::test]
async fn what_is_no_call_is_told_so() {
    let bench = Bench::new().await;
    register(&bench, Proxy::EnvoyGrpc, true);
    for (body, kind, status) in [
        (framed(b""), "application/json", "12"),
        (Vec::new(), "application/grpc", "3"),
        (vec![0, 0, 0, 0], "application/grpc", "3"),
        (vec![0, 0, 0, 0, 9, 1], "application/grpc", "3"),
        ([framed(b""), vec![0]].concat(), "application/grpc", "3"),
        (vec![1, 0, 0, 0, 0], "application/grpc", "3"),
        (framed(&[0xff; 8]), "application/grpc+proto", "3"),
        (framed(b""), "application/grpc", "7"),
    ] {
        let answer = call(&bench, body.clone(), kind).await;
        assert_eq!(answer.trailers.unwrap()["grpc-status"], status, "{body:?} {kind}");
    }
}

#[tokio::test]
async fn strangers_are_told_nothing() {
    let bench = Bench::new().await;
    register(&bench, Proxy::EnvoyGrpc, true);
    let http = question(&bench, &bench.a, "GET", "/orders/42", b"");
    let question = CheckRequest {
        attributes: Some(AttributeContext {
            source: None,
            request: Some(Request { http: Some(http) }),
            context_extensions: [("service".to_owned(), "orders".to_owned())].into(),
            tls_session: None,
        }),
    };
    let mut headers = Headers::new();
    headers.insert(CONTENT_TYPE, Value::from_static("application/grpc"));
    let request = Incoming {
        listener: "verify",
        peer: Peer::Unix,
        tls: None,
        request_id: bench.facts().request_id,
        received_at: bench.clock.now(),
        method: Method::POST,
        target: super::CHECK.to_owned(),
        headers,
        body: framed(&question.encode_to_vec()).into(),
    };
    let answer = check(&bench.services, &request, &bench.facts(), &Asking::default()).await;
    assert_eq!(answer.trailers.unwrap()["grpc-status"], "7");
    assert!(answer.body.whole().is_empty());
}
