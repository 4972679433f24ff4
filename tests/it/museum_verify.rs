//! The museum on the verify listener: every route × form of credentials × way to spoil them.

use countersign::http::client::Client;
use countersign::http::route::Verify;
use countersign::time::{Clock, SystemClock};
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::caller::{Caller, Credentials, ORDERS, Plan, Prepared, question};
use crate::services::{home_with, orders};

/// Where the credentials of a request stand.
#[derive(Clone, Copy, Debug)]
enum Form {
    Header,
    Presigned,
}

/// A request to a service that is allowed.
fn honest(caller: &Caller, service: &'static str, form: Form) -> Prepared {
    let target = "/orders/42".to_owned();
    let (method, headers, body) = (Method::GET, Vec::new(), String::new());
    match form {
        Form::Header => {
            let plan = Plan { service, method, target, headers, body, at: None };
            caller.sign_for(ORDERS, plan)
        }
        Form::Presigned => {
            let head = countersign::sigv4::RequestHead {
                method: "GET",
                target: &target,
                headers: &[("host", ORDERS.as_bytes())],
            };
            let now = SystemClock::new().now();
            let target = caller.signer(service).presign(&head, b"", now, 60).unwrap();
            let headers = vec![("host".to_owned(), ORDERS.to_owned())];
            Prepared { method, target, headers, body }
        }
    }
}

/// The text that ends in the signature.
fn signature(request: &mut Prepared, form: Form) -> &mut String {
    match form {
        Form::Header => request.header("authorization"),
        Form::Presigned => &mut request.target,
    }
}

/// Every way to spoil a request, each with the spoilt one.
fn spoilt(caller: &Caller, service: &'static str, form: Form) -> Vec<(&'static str, Prepared)> {
    let good = || honest(caller, service, form);
    let with = |change: &dyn Fn(&mut String)| {
        let mut request = good();
        change(signature(&mut request, form));
        request
    };
    let forger = Credentials { secret: "0".repeat(40), ..caller.credentials.clone() };
    let forger = Caller::new(caller.address(), forger);
    let flipped = |text: &mut String| {
        let last = if text.ends_with('0') { "1" } else { "0" };
        text.replace_range(text.len() - 1.., last);
    };
    let mut other_path = good();
    other_path.target = other_path.target.replacen("/orders/42", "/orders/43", 1);
    let mut other_host = good();
    other_host.header("host").push_str(":81");
    let other_service = if service == "orders" { "forwarded" } else { "orders" };
    let mut method = good();
    method.method = Method::DELETE;
    vec![
        ("a flipped bit", with(&flipped)),
        ("zeros", with(&|text| text.replace_range(text.len() - 64.., &"0".repeat(64)))),
        ("a cut signature", with(&|text| text.truncate(text.len() - 1))),
        ("no signature", with(&|text| text.truncate(text.len() - 64))),
        ("another secret", honest(&forger, service, form)),
        ("another service's", honest(caller, other_service, form)),
        ("another path", other_path),
        ("another host", other_host),
        ("another method", method),
        ("an unsigned header", good().add("x-amz-acl", "public-read")),
        ("an unsigned token", good().add("x-amz-security-token", "CST1x")),
    ]
}

/// The service that a route asks about, and whether it lets a request pass.
async fn passes(
    broker: &Broker,
    route: &str,
    request: Option<(&str, &Prepared)>,
) -> (String, bool) {
    let service = match route {
        "/v1/verify" | "/v1/verify/batch" => "orders",
        "/v1/forward-auth/{service}" => "forwarded",
        "/envoy.service.auth.v3.Authorization/Check" => "enveloped",
        other => panic!("no row for {other}: say how it is asked"),
    };
    let Some((name, request)) = request else { return (service.to_owned(), false) };
    assert_eq!(name, service);
    let mut asked = question(request);
    asked.as_object_mut().unwrap().remove("hosts");
    let passed = match route {
        "/v1/verify" => broker.ask_text(&asked.to_string()).await.1["decision"] == "allow",
        "/v1/verify/batch" => {
            let batch = json!({ "questions": [asked] }).to_string();
            let (status, body) = post(broker, route, "application/json", batch.into_bytes()).await;
            let answer: Value = serde_json::from_slice(&body).unwrap();
            status == 200 && answer["answers"][0]["decision"] == "allow"
        }
        "/v1/forward-auth/{service}" => forward(broker, request).await,
        _ => {
            let body = check_request(service, request);
            let (_, answer) = post(broker, route, "application/grpc", body).await;
            String::from_utf8_lossy(&answer).contains("x-countersign-principal")
        }
    };
    (service.to_owned(), passed)
}

async fn post(broker: &Broker, path: &str, kind: &'static str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let client = Client::url(&format!("http://{}", broker.verify), None, false).unwrap();
    let kind = HeaderValue::from_static(kind);
    let headers = [(hyper::header::CONTENT_TYPE, kind)].into_iter().collect();
    let answer = client.request(Method::POST, path, headers, body).await.unwrap();
    (answer.status.as_u16(), answer.body.to_vec())
}

/// Asks as Traefik does.
async fn forward(broker: &Broker, request: &Prepared) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        if name != "host" {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
    }
    let host = &request.headers.iter().find(|(name, _)| name == "host").unwrap().1;
    for (name, value) in [
        ("x-forwarded-method", request.method.as_str()),
        ("x-forwarded-uri", &request.target),
        ("x-forwarded-host", host),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
    ] {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let client = Client::url(&format!("http://{}", broker.verify), None, false).unwrap();
    let path = "/v1/forward-auth/forwarded";
    client.request(Method::GET, path, headers, Vec::new()).await.unwrap().status == 200
}

/// Envoy's question in protobuf, written by hand: fields of `CheckRequest` by their numbers.
fn check_request(service: &str, request: &Prepared) -> Vec<u8> {
    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        let mut length = value.len();
        while length > 127 {
            out.push(u8::try_from(length & 127).unwrap() | 128);
            length >>= 7;
        }
        out.push(u8::try_from(length).unwrap());
        out.extend_from_slice(value);
        out
    }
    let header = |name: &str, value: &str| {
        let value = [field(1, name.as_bytes()), field(3, value.as_bytes())].concat();
        field(1, &value)
    };
    let host = &request.headers.iter().find(|(name, _)| name == "host").unwrap().1;
    let method = request.method.as_str();
    let mut headers =
        [header(":method", method), header(":path", &request.target), header(":authority", host)]
            .concat();
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "host") {
        headers.extend(header(name, value));
    }
    let http = [
        field(2, method.as_bytes()),
        field(4, request.target.as_bytes()),
        field(5, host.as_bytes()),
        field(10, b"HTTP/1.1"),
        field(13, &headers),
    ]
    .concat();
    let extension = [field(1, b"service"), field(2, service.as_bytes())].concat();
    let attributes = [field(4, &field(2, &http)), field(10, &extension)].concat();
    let message = field(1, &attributes);
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, &message].concat()
}

/// M04 and M06, with M01, M02, M09 and M13 in it: a route without a row here fails.
#[tokio::test]
async fn museum_m04_no_route_of_the_verify_listener_takes_a_spoilt_request() {
    let home = home_with(|home| {
        let more = |name: &str, more: &str| {
            orders(&home.account, more).replacen("\"orders\"", &format!("\"{name}\""), 1)
        };
        let forwarded = more("forwarded", "proxy = 'traefik'\nbody = 'ignored'");
        more("orders", "")
            + &forwarded
            + &more("enveloped", "proxy = 'envoy-grpc'\nbody = 'ignored'")
    });
    let broker = Broker::serve(&home, &[]);
    let admin = broker.admin();
    let root = format!("arn:aws:iam::{}:root", home.account);
    let any = crate::caller::allow("*", "*");
    let role = admin.make_role("any", &crate::caller::trust(&root), &any).await;
    let session = broker.caller(&admin.assume(&role, &[]).await.unwrap());
    for route in Verify::ROUTES {
        let (service, _) = passes(&broker, route, None).await;
        let service: &'static str =
            ["orders", "forwarded", "enveloped"].into_iter().find(|name| *name == service).unwrap();
        for caller in [&admin, &session] {
            for form in [Form::Header, Form::Presigned] {
                let good = honest(caller, service, form);
                let (_, passed) = passes(&broker, route, Some((service, &good))).await;
                assert!(passed, "{route} {form:?}");
                for (what, request) in spoilt(caller, service, form) {
                    let (_, passed) = passes(&broker, route, Some((service, &request))).await;
                    assert!(!passed, "{route} {form:?}: {what}");
                }
                // M05: credentials in two places.
                let mut both = honest(caller, service, Form::Presigned);
                let header = honest(caller, service, Form::Header).headers;
                both.headers.extend(header.into_iter().filter(|(name, _)| name != "host"));
                let (_, passed) = passes(&broker, route, Some((service, &both))).await;
                assert!(!passed, "{route}: two places");
            }
        }
    }
}
