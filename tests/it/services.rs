//! Downstream services as an operator registers them: settings, who may ask, and reloading.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use countersign::http::client::Client;
use countersign::settings::{Inputs, Settings};
use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::broker::{Broker, Home, Signal, countersign, eventually, finished, stderr, stdout};
use crate::caller::{Caller, Plan, Prepared, allow, question};
use crate::certificates::Authority;

/// The example service, with lines of the settings added to it.
pub(crate) fn orders(account: &str, more: &str) -> String {
    format!(
        r#"
        [[service]]
        name = "orders"
        hosts = ["orders.example"]
        account = "{account}"
        {more}

        [[service.route]]
        method = "GET"
        path = "/orders/{{id}}"
        action = "orders:GetOrder"
        resource = "arn:aws:orders:::order/{{id}}"
        "#
    )
}

/// A deployment with this settings file.
pub(crate) fn home_with(settings: impl FnOnce(&Home) -> String) -> Arc<Home> {
    let home = Arc::new(Home::init());
    write(&home, &settings(&home));
    home
}

fn write(home: &Home, settings: &str) {
    std::fs::write(home.data().join("countersign.toml"), settings).unwrap();
}

/// The question about an order of the registered service: only what is not registered is said.
fn about(request: &Prepared) -> Value {
    let mut question = question(request);
    question.as_object_mut().unwrap().remove("hosts");
    question
}

fn errors(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, text).unwrap();
    let inputs = Inputs { config: Some(path), ..Inputs::default() };
    let text = Settings::load(&inputs).err().map(|error| error.to_string()).unwrap_or_default();
    let within = format!("{}/", folder.path().display());
    text.lines().map(|line| line.replace(&within, "")).collect()
}

#[test]
fn every_mistake_about_a_service_has_its_line() {
    let secret = "wJalrXUtnFEMI";
    let text = format!(
        "listen = '127.0.0.1:0'\n\
         [[service]]\n\
         name = 'orders'\n\
         host = ['{secret}']\n\
         hosts = 'orders.example'\n\
         account = 7\n\
         proxy = '{secret}'\n\
         [[service.route]]\n\
         method = 'GET'\n\
         pth = '/'\n\
         [[service]]\n\
         name = 'sts'\n\
         hosts = ['{secret} ']\n\
         account = '{secret}'\n\
         askers = ['{secret}']\n\
         [[service]]\n\
         name = 'a'\n\
         hosts = ['a']\n\
         account = '111111111111'\n\
         [[service.route]]\n\
         method = 'GET'\n\
         path = '/x/{{id}}'\n\
         action = 'a:Get'\n\
         resource = '*'\n\
         [[service.route]]\n\
         method = 'GET'\n\
         action = 'a:New'\n\
         path = '/x/new'\n\
         resource = '*'\n\
         [[service.route]]\n\
         method = 'GET'\n\
         path = '/y'\n\
         action = 'iam:Do'\n\
         resource = '*'\n"
    );
    let mut told = errors(&text);
    told.sort();
    let mut expected = vec![
        "c.toml:4: unknown key `service.host`; did you mean `service.hosts`?".to_owned(),
        "c.toml:5: `service.hosts` takes a sequence".to_owned(),
        "c.toml:6: `service.account` takes a string".to_owned(),
        "c.toml:7: `service.proxy` takes one of none, nginx, traefik, caddy, envoy-http, envoy-grpc"
            .to_owned(),
        "c.toml:10: unknown key `service.route.pth`; did you mean `service.route.path`?".to_owned(),
        "c.toml:12: `service.name` is a service of the broker's own, which cannot be registered"
            .to_owned(),
        "c.toml:13: `service.hosts` takes names or addresses of hosts, with a port where it is not \
         the scheme's own"
            .to_owned(),
        "c.toml:14: `service.account` takes 12 digits".to_owned(),
        "c.toml:15: `service.askers` takes `local`, `subject:…`, `dns:…`, `uri:…`, `email:…` of a \
         client certificate, or the ARN of a user or role"
            .to_owned(),
        "c.toml:28: `service.route.path` matches paths that another route of this method matches too: \
         see c.toml:22"
            .to_owned(),
        "c.toml:33: `service.route.action` is the broker's own, which it alone decides".to_owned(),
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);
    assert!(!errors(&text).concat().contains(secret));
}

#[test]
fn every_example_reads() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let mut files = vec![deploy.join("countersign.toml")];
    for example in std::fs::read_dir(deploy.join("examples")).unwrap() {
        files.push(example.unwrap().path().join("countersign.toml"));
    }
    assert!(files.len() > 4);
    for file in files.into_iter().filter(|file| file.exists()) {
        let inputs = Inputs { config: Some(file.clone()), ..Inputs::default() };
        let settings = Settings::load(&inputs).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.services.iter().count(), 1, "{}", file.display());
    }
}

#[test]
fn lists_of_tables_are_written_as_such() {
    let whole = |text: &str| errors(text).join("\n");
    for (text, told) in [
        (
            "[service]\nname = 'a'\n",
            "c.toml:1: `service` is a list of tables: write [[service]] for each",
        ),
        ("service = 'a'\n", "c.toml:1: `service` is a list of tables: write [[service]] for each"),
        ("[[servce]]\nname = 'a'\n", "c.toml:1: unknown key `servce`; did you mean `service`?"),
    ] {
        assert_eq!(whole(text), told);
    }
    let twice = format!("{}{}", orders("111111111111", ""), orders("111111111111", ""));
    assert!(whole(&twice).ends_with("c.toml:3"), "{}", whole(&twice));
    assert_eq!(whole(&orders("111111111111", "")), "");
}

#[test]
fn a_bad_service_stops_the_start() {
    let home = home_with(|home| orders(&home.account, "askers = ['anyone']"));
    let output = finished(home.serve_command());
    assert!(!output.status.success());
    let said = stderr(&output);
    assert!(said.contains("countersign.toml:6: `service.askers` takes `local`"), "{said}");
    let mut check = countersign(["config", "check", "--data-dir"]);
    check.arg(home.data());
    assert!(stderr(&finished(check)).contains("service.askers"));
    let keys = stdout(&finished(countersign(["config", "keys"])));
    assert!(keys.contains("\nservice[].hosts\n") && keys.contains("\nservice[].route[].path\n"));
}

#[tokio::test]
async fn services_are_read_again_while_it_serves() {
    let home = home_with(|home| orders(&home.account, ""));
    let broker = Broker::serve(&home, &[]);
    let question = about(&broker.admin().order());
    assert_eq!(broker.ask(&question).await["decision"], "allow");
    write(&home, &orders("999999999999", ""));
    broker.signal(Signal::Hangup);
    eventually("the new owner", || broker.log().matches("services registered").count() == 1);
    assert_eq!(broker.ask(&question).await["reason"]["code"], "AccountNotServed");
    // What is of no use is not used.
    write(&home, &orders("1", ""));
    broker.signal(Signal::Hangup);
    broker.logged("the settings cannot be read again");
    assert_eq!(broker.ask(&question).await["reason"]["code"], "AccountNotServed");
}

#[tokio::test]
async fn the_unix_socket_answers_questions_too() {
    let home = home_with(|home| orders(&home.account, ""));
    let socket = home.folder().join("verify.sock");
    let broker = Broker::serve(&home, &[("COUNTERSIGN_VERIFY_SOCKET", socket.to_str().unwrap())]);
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let question = about(&broker.admin().order()).to_string();
    let client = Client::unix(&socket);
    let answer =
        client.request(Method::POST, "/v1/verify", HeaderMap::new(), question).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["decision"], "allow");
    let admin = client
        .request(Method::POST, "/countersign/v1/accounts", HeaderMap::new(), "{}")
        .await
        .unwrap();
    assert_eq!(admin.status, StatusCode::NOT_FOUND, "it is not the admin socket");
}

/// A question that is signed itself.
async fn ask_signed(broker: &Broker, asker: &Caller, question: &Value) -> (StatusCode, Value) {
    let plan = Plan {
        service: "countersign",
        method: Method::POST,
        target: "/v1/verify".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: question.to_string(),
        at: None,
    };
    let signed = asker.sign_for(&broker.verify.to_string(), plan);
    send(broker, signed).await
}

async fn send(broker: &Broker, request: Prepared) -> (StatusCode, Value) {
    let answer = Caller::new(broker.verify, broker.home.first.clone()).send(request).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[tokio::test]
async fn a_principal_asks_by_signing_its_question() {
    let home = home_with(|home| {
        let asker = format!("askers = ['arn:aws:iam::{}:user/verifier']", home.account);
        orders(&home.account, &asker)
    });
    let broker = Broker::serve(&home, &[]);
    let admin = broker.admin();
    let question = about(&admin.order());
    // Loopback alone is not listed, and so is nobody's word but the listed principal's.
    let (status, answer) = broker.ask_text(&question.to_string()).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("AskerNotListed"))
    );
    let verifier = admin.make_user("verifier", &allow("orders:Nothing", "*")).await;
    let other = admin.make_user("other", &allow("*", "*")).await;
    let (verifier, other) = (broker.caller(&verifier), broker.caller(&other));
    let (status, answer) = ask_signed(&broker, &verifier, &question).await;
    assert_eq!((status, &answer["decision"]), (StatusCode::OK, &json!("allow")), "{answer}");
    let (status, answer) = ask_signed(&broker, &other, &question).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("AskerNotListed"))
    );

    // A signature that is not good, or is of another request, is refused as such.
    let plan = Plan {
        service: "orders",
        method: Method::POST,
        target: "/v1/verify".to_owned(),
        headers: Vec::new(),
        body: question.to_string(),
        at: None,
    };
    let elsewhere = verifier.sign_for(&broker.verify.to_string(), plan);
    let (status, _) = send(&broker, elsewhere).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let plan = Plan {
        service: "countersign",
        method: Method::POST,
        target: "/v1/verify".to_owned(),
        headers: Vec::new(),
        body: question.to_string(),
        at: None,
    };
    let mut spoilt = verifier.sign_for(&broker.verify.to_string(), plan);
    spoilt.body = spoilt.body.replace("/orders/42", "/orders/43");
    let (status, answer) = send(&broker, spoilt).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    assert_eq!(answer["error"]["code"], "SignatureDoesNotMatch");
}

/// curl with a client certificate.
fn curl(folder: &Path, url: &str, client: &str, question: &Value) -> (u16, Value) {
    let file = |name: &str| folder.join(name);
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}"])
        .arg("--cacert")
        .arg(file("ca.pem"))
        .arg("--cert")
        .arg(file(&format!("{client}.pem")))
        .arg("--key")
        .arg(file(&format!("{client}.key")))
        .args(["--data-binary", &question.to_string(), url]);
    let output = finished(command);
    let told = stdout(&output);
    let (body, status) = told.rsplit_once('\n').unwrap_or_else(|| panic!("{}", stderr(&output)));
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_service_is_known_by_its_certificate() {
    let home = home_with(|home| {
        let orders = orders(&home.account, "askers = ['dns:orders.example']");
        orders
            + &crate::services::orders(&home.account, "askers = ['dns:billing.example', 'local']")
                .replace("\"orders\"", "\"billing\"")
    });
    let authority = Authority::new("ours");
    let file = |name: &str| -> PathBuf { home.folder().join(name) };
    authority.server(&file("cert.pem"), &file("key.pem"));
    authority.write(file("ca.pem"));
    // Its name is `orders.example`.
    authority.client(&file("client.pem"), &file("client.key"));
    let (certificate, key, ca) = (file("cert.pem"), file("key.pem"), file("ca.pem"));
    let broker = Broker::serve(
        &home,
        &[
            ("COUNTERSIGN_TLS_CERTIFICATE", certificate.to_str().unwrap()),
            ("COUNTERSIGN_TLS_KEY", key.to_str().unwrap()),
            ("COUNTERSIGN_TLS_VERIFY_CLIENT_CA", ca.to_str().unwrap()),
        ],
    );
    let url = format!("{}/v1/verify", broker.verify_url());
    let question = about(&broker.admin().order());
    let (status, answer) = curl(home.folder(), &url, "client", &question);
    assert_eq!((status, &answer["decision"]), (200, &json!("allow")), "{answer}");
    // The listener is on loopback here, so the second service takes it as `local`.
    let mut billing = question.clone();
    billing["service"] = "billing".into();
    let (status, answer) = curl(home.folder(), &url, "client", &billing);
    assert_eq!((status, &answer["reason"]["code"]), (200, &json!("SignatureDoesNotMatch")));
    // Without being told so, it knows no other.
    write(&home, &orders(&home.account, "askers = ['dns:billing.example']"));
    broker.signal(Signal::Hangup);
    broker.logged("services registered");
    let (status, answer) = curl(home.folder(), &url, "client", &question);
    assert_eq!((status, &answer["error"]["code"]), (403, &json!("AskerNotListed")));
}
