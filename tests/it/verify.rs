//! Questions to `/v1/verify` that make no sense, and requests that come another way.
//!
//! Requests that botocore signed, and what is decided about them: `tests/sdk/python/verify.py`.

use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::caller::{question, question_about};

/// A question with some of its fields changed; null takes a field away.
fn changed(question: &Value, change: &Value) -> String {
    let mut question = question.clone();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            question.as_object_mut().unwrap().remove(name);
        } else {
            question[name] = value.clone();
        }
    }
    question.to_string()
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_with_the_reason() {
    let broker = Broker::start();
    let account = &broker.home.account;
    let request = broker.admin().order();
    let identity = question(&request);
    let full = question_about(&request, "orders:GetOrder", account);
    assert_eq!(broker.ask(&identity).await["decision"], "not_asked");
    assert_eq!(broker.ask(&full).await["decision"], "allow");

    let policy = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let keys: serde_json::Map<_, _> = (0..101).map(|n| (format!("x:{n}"), json!("v"))).collect();
    for (change, reason) in [
        // Which fields there are.
        (json!({"acton": "orders:GetOrder"}), "acton"),
        (json!({"Method": "GET"}), "Method"),
        (json!({"method": null}), "method"),
        (json!({"uri": null}), "uri"),
        (json!({"headers": null}), "headers"),
        (json!({"service": null}), "service"),
        (json!({"hosts": null}), "hosts"),
        (json!({"hosts": []}), "hosts"),
        (json!({"hosts": ["a/b"]}), "hosts"),
        (json!({"hosts": [""]}), "hosts"),
        (json!({"service": ""}), "service"),
        (json!({"service": "a/b"}), "service"),
        (json!({"region": ""}), "region"),
        // Action, resource and account belong together.
        (json!({"action": null}), "action"),
        (json!({"resource": null}), "action"),
        (json!({"resource_account": null}), "action"),
        (
            json!({"action": null, "resource": null, "resource_account": null, "resource_policy": policy}),
            "resource_policy",
        ),
        // What they look like.
        (json!({"action": "GetOrder"}), "action"),
        (json!({"action": "orders:*"}), "action"),
        (json!({"action": "*"}), "action"),
        (json!({"action": "orders:Get?rder"}), "action"),
        (json!({"action": "iam:CreateUser"}), "broker"),
        (json!({"action": "STS:AssumeRole"}), "broker"),
        (json!({"action": "countersign:RevokeSessions"}), "broker"),
        (json!({"resource": "order/42"}), "resource"),
        (json!({"resource": "arn:aws:orders::999999999999:order/42"}), "another account"),
        (json!({"resource_account": "42"}), "resource_account"),
        (json!({"resource_policy": "{}"}), "resource_policy"),
        (json!({"resource_policy": {"Version": "2012-10-17"}}), "string"),
        (json!({"source_ip": "localhost"}), "source_ip"),
        (json!({"source_ip": "10.0.0.0/8"}), "source_ip"),
        (json!({"body": "not base64!"}), "body"),
        (json!({"body_sha256": "0".repeat(64)}), "together with body"),
        (json!({"body": null, "body_sha256": "0".repeat(63)}), "body_sha256"),
        (json!({"body": null, "body_sha256": "A".repeat(64)}), "body_sha256"),
        (json!({"headers": [["", "x"]]}), "headers"),
        (json!({"headers": [[":authority", "x"]]}), "headers"),
        (json!({"headers": [["x", "\u{100}"]]}), "Latin-1"),
        (json!({"headers": {"host": "x"}}), "sequence"),
        // The broker's own condition keys are not the asker's.
        (json!({"context": {"aws:SourceIp": "10.0.0.1"}}), "aws:"),
        (json!({"context": {"AWS:PrincipalTag/team": "blue"}}), "aws:"),
        (json!({"context": {"aws:PrincipalArn": "arn:aws:iam::1:user/a"}}), "aws:"),
        (json!({"context": {"aws:ResourceTag/": "x"}}), "aws:"),
        (json!({"context": {"sts:ExternalId": "x"}}), "sts:"),
        (json!({"context": {"saml:sub": "x"}}), "saml:"),
        (json!({"context": {"tier": "vip"}}), "prefix:name"),
        (json!({"context": {"orders:Tier": "a", "orders:tier": "b"}}), "case"),
        (json!({"context": {"orders:Tier": 1}}), ""),
        (json!({"context": {"orders:Tier": null}}), ""),
        (json!({"context": {"orders:Tier": "x".repeat(4097)}}), "4096"),
        (json!({"context": keys}), "100"),
    ] {
        let (status, answer) = broker.ask_text(&changed(&full, &change)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{change}: {answer}");
        assert_eq!(answer["error"]["code"], "InvalidRequest", "{change}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(reason), "{change}: {message}");
        assert!(answer.get("decision").is_none());
    }
}

/// M31: whoever reads the same JSON must read the same question.
#[tokio::test]
async fn museum_m31_json_that_readers_differ_about_is_refused() {
    let broker = Broker::start();
    let full = question_about(&broker.admin().order(), "orders:GetOrder", &broker.home.account);
    let full = full.to_string();
    let with = |more: &str| full.replacen('{', &format!("{{{more},"), 1);
    for (text, why) in [
        (with(r#""action":"orders:ListOrders""#), "a key stands twice"),
        (with(r#""\u0061ction":"orders:ListOrders""#), "twice, once escaped"),
        (with(r#""ACTION":"orders:ListOrders""#), "a variant of a key"),
        (with(r#""context":{"orders:Tier":"a","orders:Tier":"b"}"#), "a nested key stands twice"),
        (format!("{full}{full}"), "two questions"),
        (format!("{full}x"), "more after the question"),
        (full[..full.len() - 1].to_owned(), "half a question"),
        (format!("[{full}]"), "a list"),
        (String::new(), "nothing"),
        ("null".to_owned(), "null"),
        (format!("\u{feff}{full}"), "a byte order mark"),
        ("[".repeat(100_000), "depth"),
    ] {
        let (status, answer) = broker.ask_text(&text).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{why}: {answer}");
        assert_eq!(answer["error"]["code"], "InvalidRequest", "{why}");
    }
    assert_eq!(broker.ask_text(&full).await.1["decision"], "allow");
}

#[tokio::test]
async fn the_listener_answers_questions_and_nothing_else() {
    let broker = Broker::start();
    let client =
        countersign::http::client::Client::url(&format!("http://{}", broker.verify), None, false)
            .unwrap();
    for (method, path, status) in [
        (Method::GET, "/v1/verify", 405),
        (Method::PUT, "/v1/verify", 405),
        (Method::POST, "/", 404),
        (Method::POST, "/v1/verify/", 404),
        (Method::POST, "/countersign/v1/accounts", 404),
        (Method::POST, "/countersign/v1/revocations", 404),
        (Method::GET, "/metrics", 404),
    ] {
        let answer = client.request(method.clone(), path, HeaderMap::new(), "{}").await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

/// A path that signer and server may read differently is nobody's request.
#[tokio::test]
async fn museum_m11_an_ambiguous_path_is_refused() {
    let broker = Broker::start();
    let account = broker.home.account.clone();
    for path in [
        "/orders/../admin",
        "/orders/./42",
        "/orders//42",
        "/orders/%2e%2e/admin",
        "/orders/.%2E/admin",
        "/orders/%2e",
    ] {
        let plan = crate::caller::Plan {
            service: "orders",
            method: Method::GET,
            target: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
            at: None,
        };
        let request = broker.admin().sign_for(crate::caller::ORDERS, plan);
        let answer = broker.ask(&question_about(&request, "orders:GetOrder", &account)).await;
        assert_eq!(answer["authenticated"], false, "{path}: {answer}");
        assert_eq!(answer["decision"], "deny", "{path}");
        assert!(answer.get("principal").is_none());
    }
}
