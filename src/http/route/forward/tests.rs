//! Questions as proxies put them: which headers are read, and which refuse the question.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::HeaderMap;

use super::dialect::{Client, Refused, read};
use super::*;
use crate::downstream::Proxy;
use crate::http::Peer;
use crate::id::RequestId;
use crate::random::SystemRandom;
use crate::time::Timestamp;

fn question(target: &str, headers: &[(&str, &str)]) -> Incoming {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    Incoming {
        listener: "verify",
        peer: Peer::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1)),
        tls: None,
        request_id: RequestId::generate(&SystemRandom::new()).unwrap(),
        received_at: Timestamp::from_secs(1_790_000_000),
        method: Method::GET,
        target: target.to_owned(),
        headers: map,
        body: Bytes::new(),
    }
}

const NGINX: &[(&str, &str)] = &[
    ("host", "countersign"),
    ("x-original-method", "DELETE"),
    ("x-original-uri", "/orders/4%202?x=1"),
    ("x-original-host", "orders.example"),
    ("x-original-ip", "203.0.113.7"),
    ("x-original-proto", "https"),
    ("x-original-framing", "HTTP/1.1;0;"),
    ("authorization", "AWS4-HMAC-SHA256 …"),
    ("connection", "close"),
    ("content-length", "77"),
];
const TRAEFIK: &[(&str, &str)] = &[
    ("host", "127.0.0.1:8351"),
    ("x-forwarded-method", "DELETE"),
    ("x-forwarded-uri", "/orders/4%202?x=1"),
    ("x-forwarded-host", "orders.example"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-real-ip", "10.0.0.1"),
    ("authorization", "AWS4-HMAC-SHA256 …"),
    ("content-length", "77"),
];

fn ascii<'h>(headers: &[(&'h str, &'h str)]) -> Vec<(&'h str, &'h str)> {
    headers
        .iter()
        .map(|(name, value)| (*name, if value.is_ascii() { *value } else { "x" }))
        .collect()
}

fn client(proxy: Proxy, headers: &[(&str, &str)]) -> Result<Client, Refused> {
    read(proxy, &question("/v1/forward-auth/orders", &ascii(headers)), "")
}

fn value(client: &Client, body_passed: bool, name: &str) -> Option<String> {
    let headers = client.headers(body_passed);
    let mut found = headers.into_iter().filter(|(known, _)| known == name);
    let value = found.next().map(|(_, value)| String::from_utf8(value).unwrap());
    assert!(found.next().is_none(), "{name} is there twice");
    value
}

#[test]
fn the_clients_request_is_put_together_again() {
    for (proxy, headers) in
        [(Proxy::Nginx, NGINX), (Proxy::Traefik, TRAEFIK), (Proxy::Caddy, TRAEFIK)]
    {
        let client = client(proxy, headers).map_err(|error| error.to_string()).ok().unwrap();
        assert_eq!(
            (client.method.as_str(), client.target.as_str()),
            ("DELETE", "/orders/4%202?x=1")
        );
        assert_eq!(client.source_ip, Some("203.0.113.7".parse().unwrap()));
        assert_eq!(client.secure, Some(true));
        assert_eq!(value(&client, false, "host").as_deref(), Some("orders.example"));
        assert!(value(&client, false, "authorization").is_some());
        assert_eq!(value(&client, false, "connection"), None);
        // The length of the question's body is the client's only with the client's body.
        let (with, without) = match proxy {
            Proxy::Nginx => (Some("0"), Some("0")),
            _ => (Some("77"), None),
        };
        assert_eq!(value(&client, true, "content-length").as_deref(), with);
        assert_eq!(value(&client, false, "content-length").as_deref(), without);
    }
}

#[test]
fn envoys_question_is_the_request_itself_behind_a_prefix() {
    let headers = [("host", "orders.example"), ("authorization", "x")];
    let mut request = question("/v1/forward-auth/orders/orders/42?a=b", &headers);
    request.method = Method::PUT;
    let client = read(Proxy::EnvoyHttp, &request, "/orders/42").ok().unwrap();
    assert_eq!((client.method.as_str(), client.target.as_str()), ("PUT", "/orders/42?a=b"));
    assert_eq!(value(&client, false, "host").as_deref(), Some("orders.example"));
    assert_eq!((client.source_ip, client.secure), (None, None));
    let partial = [("host", "orders.example"), ("x-envoy-auth-partial-body", "true")];
    let request = question("/v1/forward-auth/orders/orders/42", &partial);
    assert_eq!(read(Proxy::EnvoyHttp, &request, "/orders/42").err(), Some(Refused::PartialBody));
}

#[test]
fn every_header_of_the_dialect_is_there_once() {
    for (proxy, headers) in [(Proxy::Nginx, NGINX), (Proxy::Caddy, TRAEFIK)] {
        let own = |name: &str| name.starts_with("x-original-") || name.starts_with("x-forwarded-");
        for (name, value) in headers.iter().filter(|(name, _)| own(name)) {
            let without: Vec<_> = headers.iter().copied().filter(|(n, _)| n != name).collect();
            assert!(matches!(client(proxy, &without), Err(Refused::Missing(_))), "{name}");
            let twice = [headers, &[(*name, *value)]].concat();
            assert!(matches!(client(proxy, &twice), Err(Refused::Malformed(_))), "{name}");
            let empty = [&without[..], &[(*name, "")]].concat();
            assert!(matches!(client(proxy, &empty), Err(Refused::Malformed(_))), "{name}");
        }
    }
}

#[test]
fn museum_m32_a_list_of_addresses_is_what_a_client_says_of_itself() {
    for list in ["203.0.113.7, 10.0.0.1", "unknown", "203.0.113.7:80", "10.0.0.0/8"] {
        let mut headers = TRAEFIK.to_vec();
        headers[4].1 = list;
        assert!(matches!(client(Proxy::Traefik, &headers), Err(Refused::Malformed(_))), "{list}");
    }
    // Beside nginx's own header it is nothing at all.
    let beside = [NGINX, &[("x-forwarded-for", "192.0.2.1"), ("x-real-ip", "192.0.2.1")]].concat();
    let read = client(Proxy::Nginx, &beside).ok().unwrap();
    assert_eq!(read.source_ip, Some("203.0.113.7".parse().unwrap()));
}

#[test]
fn headers_of_another_dialect_and_look_alikes_refuse_the_question() {
    for (proxy, headers, more) in [
        (Proxy::Nginx, NGINX, "x-forwarded-uri"),
        (Proxy::Nginx, NGINX, "x-forwarded-method"),
        (Proxy::Nginx, NGINX, "x-forwarded-host"),
        (Proxy::Nginx, NGINX, "x_original_uri"),
        (Proxy::Nginx, NGINX, "x-original_method"),
        (Proxy::Traefik, TRAEFIK, "x-original-uri"),
        (Proxy::Traefik, TRAEFIK, "x-original-framing"),
        (Proxy::Caddy, TRAEFIK, "x_forwarded_uri"),
        (Proxy::Caddy, TRAEFIK, "x_forwarded_for"),
        (Proxy::EnvoyHttp, &[("host", "h")], "x-forwarded-uri"),
        (Proxy::EnvoyHttp, &[("host", "h")], "x-original-uri"),
    ] {
        let with = [headers, &[(more, "/")]].concat();
        assert!(matches!(client(proxy, &with), Err(Refused::OtherDialect(_))), "{proxy:?} {more}");
    }
}

#[test]
fn headers_that_only_we_set_refuse_the_question() {
    for name in [
        "x-countersign-principal",
        "X-Countersign-Anything",
        "x_countersign_principal",
        "x-countersign_tags",
    ] {
        for (proxy, headers) in [(Proxy::Nginx, NGINX), (Proxy::Caddy, TRAEFIK)] {
            let with = [headers, &[(name, "admin")]].concat();
            assert!(matches!(client(proxy, &with), Err(Refused::Spoofed(_))), "{name}");
        }
    }
}

#[test]
fn what_asks_for_another_protocol_is_refused() {
    for (proxy, headers) in [(Proxy::Nginx, NGINX), (Proxy::Caddy, TRAEFIK)] {
        for protocol in ["websocket", "h2c", ""] {
            let with = [headers, &[("upgrade", protocol)]].concat();
            assert!(matches!(client(proxy, &with), Err(Refused::Upgrade)), "{protocol}");
        }
    }
}

#[test]
fn questions_go_to_the_registered_dialect_only() {
    let request = question("/v1/forward-auth/orders", &ascii(NGINX));
    for proxy in [Proxy::None, Proxy::EnvoyGrpc] {
        assert_eq!(read(proxy, &request, "").err(), Some(Refused::WrongDialect));
    }
    assert_eq!(read(Proxy::Nginx, &request, "/more").err(), Some(Refused::WrongDialect));
    let query = question("/v1/forward-auth/orders?x=1", &ascii(NGINX));
    assert_eq!(read(Proxy::Nginx, &query, "").err(), Some(Refused::WrongDialect));
    let query = question("/v1/forward-auth/orders?x=1", &ascii(TRAEFIK));
    assert_eq!(read(Proxy::Caddy, &query, "").ok().unwrap().target, "/orders/4%202?x=1");
}

#[test]
fn framing_reads_as_nginx_writes_it() {
    for (text, none) in [
        ("HTTP/1.1;;", Some(true)),
        ("HTTP/1.1;0;", Some(true)),
        ("HTTP/1.1;5;", Some(false)),
        ("HTTP/1.1;;chunked", Some(false)),
        ("HTTP/1.1;;gzip;x, chunked", Some(false)),
        ("HTTP/2.0;;", Some(false)),
        ("HTTP/2.0;0;", Some(true)),
        ("HTTP/1.1", None),
        ("HTTP/1.1;", None),
        (";;", None),
        ("HTTP/1.1;-1;", None),
        ("HTTP/1.1;1, 1;", None),
    ] {
        let mut headers = NGINX.to_vec();
        headers[6].1 = text;
        let read = client(Proxy::Nginx, &headers);
        let found = read.ok().map(|client| client.framing.unwrap().as_framing().has_no_body());
        assert_eq!(found, none, "{text}");
    }
}
