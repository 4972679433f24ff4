//! The client of our own commands, against our own server.

use std::time::Duration;

use countersign::http::client::{Client, ClientError, EndpointError};
use countersign::http::{Address, Clients, TlsFiles};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::edge_support::{Running, Setup};

async fn get(client: &Client, target: &str) -> Result<String, ClientError> {
    let response = client.request(Method::GET, target, HeaderMap::new(), "").await?;
    assert_eq!(response.status, StatusCode::OK);
    Ok(String::from_utf8(response.body.to_vec()).unwrap())
}

fn of(server: &Running) -> Client {
    Client::url(&format!("http://{}", server.address), None, false).unwrap()
}

#[tokio::test]
async fn a_request_goes_out_as_it_was_asked_for() {
    let server = Setup::default().start().await;
    let client = of(&server);
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-amz-date"), HeaderValue::from_static("now"));
    let answer = client.request(Method::POST, "/a%20b?c=%2F", headers, "body").await.ok().unwrap();
    assert!(answer.headers.contains_key("x-amzn-requestid"));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    for line in [
        "method POST\n".to_owned(),
        "target /a%20b?c=%2F\n".into(),
        "body 4\n".into(),
        "header x-amz-date: now\n".into(),
        format!("header host: {}\n", client.host()),
    ] {
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(matches!(get(&client, "no/path").await, Err(ClientError::Malformed)));
    assert!(matches!(get(&client, "/a b").await, Err(ClientError::Malformed)));
}

#[tokio::test]
async fn a_connection_is_kept_and_replaced() {
    let mut server = Setup::default().start().await;
    let client = of(&server);
    for _ in 0..3 {
        get(&client, "/").await.unwrap();
    }
    let open = "countersign_connections{listener=\"test\"} 1\n";
    assert!(server.metrics.text().contains(open), "{}", server.metrics.text());
    // The server goes, and comes back at the same address.
    let address = server.address;
    server.ask_to_stop();
    server.stop().await;
    assert!(matches!(get(&client, "/").await, Err(ClientError::Connect { .. })));
    let again = Setup { address: Address::Tcp(address), ..Setup::default() }.start().await;
    get(&client, "/").await.unwrap();
    again.stop().await;
    let _again = Setup { address: Address::Tcp(address), ..Setup::default() }.start().await;
    get(&client, "/").await.unwrap();
}

#[tokio::test]
async fn unix_sockets_are_served_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let _server = Setup { address: Address::Unix(path.clone()), ..Setup::default() }.start().await;
    let text = get(&Client::unix(&path), "/").await.unwrap();
    assert!(text.contains("peer unix\n") && text.contains("header host: localhost\n"), "{text}");
    let absent = get(&Client::unix(&folder.path().join("absent")), "/").await.unwrap_err();
    assert!(!absent.outcome_unknown() && absent.to_string().contains("absent"), "{absent}");
}

#[tokio::test]
async fn tls_trusts_the_given_ca_alone() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let authority = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ours).unwrap();
    let tls = TlsFiles {
        certificate: write("cert.pem", certificate.pem()),
        key: write("key.pem", key.serialize_pem()),
        clients: Clients::Anonymous,
    };
    let server = Setup { tls: Some(tls), ..Setup::default() }.start().await;
    let ours = write("ours.pem", ours.as_ref().pem());
    let other = write("other.pem", other.as_ref().pem());
    let port = server.address.port();
    let client = |host: &str, ca| Client::url(&format!("https://{host}:{port}"), Some(ca), false);

    let text = get(&client("localhost", &ours).unwrap(), "/").await.unwrap();
    assert!(text.contains("secure true\n"), "{text}");
    for (host, ca) in [("localhost", &other), ("127.0.0.1", &ours)] {
        let refused = get(&client(host, ca).unwrap(), "/").await;
        assert!(matches!(refused, Err(ClientError::Connect { .. })), "{host}");
    }
    let absent = folder.path().join("absent.pem");
    assert!(matches!(client("localhost", &absent).err(), Some(EndpointError::Ca(_))));
}

#[test]
fn endpoints_are_checked() {
    for (url, insecure, refused) in [
        ("http://127.0.0.1:8350", false, ""),
        ("http://localhost", false, ""),
        ("http://[::1]:8350/", false, ""),
        ("http://10.0.0.1:8350", false, "Plaintext"),
        ("http://localhost.example", false, "Plaintext"),
        ("http://127.0.0.1.example", false, "Plaintext"),
        ("http://10.0.0.1:8350", true, ""),
        ("https://sts.example", false, "NoCa"),
        ("http://localhost/path", false, "Url"),
        ("http://localhost/?q", false, "Url"),
        ("http://user@localhost", false, "Url"),
        ("ftp://localhost", false, "Url"),
        ("localhost:8350", false, "Url"),
        ("/path", false, "Url"),
        ("", false, "Url"),
    ] {
        let error = Client::url(url, None, insecure).err();
        let error = error.map(|error| format!("{error:?}")).unwrap_or_default();
        assert!(
            error.starts_with(refused) && error.is_empty() == refused.is_empty(),
            "{url} {error}"
        );
    }
}

/// A server that answers each connection with these bytes once it read something, then closes.
async fn scripted(answer: Vec<u8>, close: bool) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(&answer).await;
            if !close {
                kept.push(stream);
            }
        }
    });
    Client::url(&format!("http://{address}"), None, false)
        .unwrap()
        .with_limits(Duration::from_millis(300), 1000)
}

#[tokio::test]
async fn answers_are_bounded_in_time_and_size() {
    let head = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let body = |length: usize| [head(length).into_bytes(), vec![b'x'; length]].concat();
    assert_eq!(get(&scripted(body(1000), false).await, "/").await.unwrap().len(), 1000);
    for (name, answer, close, expected) in [
        ("large", body(1001), false, "larger than 1000 bytes"),
        ("silent", Vec::new(), false, "no answer in time"),
        ("half a head", b"HTTP/1.1 200".to_vec(), false, "no answer in time"),
        ("half a body", head(10).into_bytes(), false, "no answer in time"),
        ("closed", Vec::new(), true, "the connection broke"),
        ("closed in the head", b"HTTP/1.1 200".to_vec(), true, "the connection broke"),
        ("closed in the body", head(10).into_bytes(), true, "the connection broke"),
        ("not HTTP", b"hello\r\n\r\n".to_vec(), true, "the connection broke"),
    ] {
        let client = scripted(answer, close).await;
        let error = get(&client, "/").await.unwrap_err();
        assert!(error.outcome_unknown(), "{name}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let answer =
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let client = scripted(answer.to_vec(), false).await;
    let response = client.request(Method::GET, "/", HeaderMap::new(), "").await.ok().unwrap();
    assert_eq!(response.status, StatusCode::FOUND);
}
