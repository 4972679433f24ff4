//! M61: canary secrets in every field that may hold one, and no trace of them anywhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use crate::broker::{Broker, Home, countersign};
use crate::caller::{Answer, Caller, Credentials, Plan, Prepared, allow, question, trust};

/// What must be found nowhere, and everything that was answered.
struct Canaries {
    secrets: Vec<(&'static str, String)>,
    answers: Vec<String>,
}

impl Canaries {
    /// A secret that clients put where it does not belong.
    fn brought(&mut self, what: &'static str) -> String {
        let canary = format!("Canary{}x{}", self.secrets.len(), what.replace(' ', "-"));
        self.secrets.push((what, canary.clone()));
        canary
    }

    fn credentials(&mut self, what: &'static str, credentials: &Credentials) {
        self.secrets.push((what, credentials.secret.clone()));
        if let Some(token) = &credentials.token {
            self.secrets.push(("a session token", token.clone()));
        }
    }

    fn heard(&mut self, answer: &Answer) {
        self.answers.push(format!("{:?} {}", answer.headers, answer.body));
    }

    /// Each secret as text, and as base64 in case somebody encoded what he kept.
    #[track_caller]
    fn none_in(&self, place: &str, bytes: &[u8], but: &[&str]) {
        let text = String::from_utf8_lossy(bytes);
        for (what, secret) in self.secrets.iter().filter(|(what, _)| !but.contains(what)) {
            let encoded = STANDARD.encode(secret);
            // Without the last group, which depends on what stands behind.
            let encoded = &encoded[..encoded.len() / 4 * 4 - 4];
            for needle in [secret.as_str(), encoded] {
                assert!(!text.contains(needle), "{place} holds {what}: {needle}");
            }
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}

/// A deployment whose first key the operator brought.
fn bootstrapped(canaries: &mut Canaries) -> Broker {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let account = countersign::id::AccountId::parse("123456789012").unwrap();
    let kind = countersign::id::AccessKeyKind::LongTerm;
    let id = countersign::id::AccessKeyId::new(kind, account, [1; 5]).to_string();
    let secret = canaries.brought("the first secret");
    let mut init = countersign(["init", "--data-dir"]);
    init.arg(&data)
        .env("COUNTERSIGN_BOOTSTRAP_ACCESS_KEY_ID", &id)
        .env("COUNTERSIGN_BOOTSTRAP_SECRET_ACCESS_KEY", &secret);
    let made = init.output().unwrap();
    assert!(made.status.success());
    canaries.answers.push(String::from_utf8(made.stderr).unwrap());
    let first = Credentials { id, secret, token: None };
    let home = Arc::new(Home::of(folder, &data, first));
    Broker::serve(home, &[("COUNTERSIGN_LOG", "trace")])
}

/// Fields of the protocols that hold secrets, whether or not an operation knows them.
const FIELDS: [&str; 10] = [
    "Password",
    "NewPassword",
    "OldPassword",
    "SecretAccessKey",
    "SessionToken",
    "TokenCode",
    "AuthenticationCode1",
    "WebIdentityToken",
    "SAMLAssertion",
    "PrivateKey",
];

/// Secrets as parameters of every operation, known and unknown, whether it goes well or not.
async fn as_parameters(canaries: &mut Canaries, caller: &Caller) {
    let rows = countersign::ops::catalog::ROWS.iter();
    let operations: Vec<_> = rows.map(|row| (row.service.scope(), row.name)).collect();
    for (service, action) in operations.into_iter().chain([("iam", "CreateLoginProfile")]) {
        let secrets: Vec<_> = FIELDS.map(|field| (field, canaries.brought(field))).into();
        let nested = canaries.brought("a nested field");
        let mut parameters: Vec<_> =
            secrets.iter().map(|(name, value)| (*name, value.as_str())).collect();
        parameters.push(("Credentials.member.1.SecretAccessKey", &nested));
        canaries.heard(&caller.send(caller.sign(Plan::query(service, action, &parameters))).await);
        canaries.heard(&caller.send(caller.sign(Plan::get(service, action, &parameters))).await);
    }
}

/// Secrets in headers and queries, where clients leave them.
async fn as_headers(canaries: &mut Canaries, caller: &Caller) {
    let honest = || caller.sign(Plan::query("sts", "GetCallerIdentity", &[]));
    for (name, prefix) in [
        ("authorization", "Bearer "),
        ("authorization", "Basic "),
        ("authorization", "AWS4-HMAC-SHA256 Credential="),
        ("authorization", "AWS4-HMAC-SHA256 Signature="),
        ("x-amz-security-token", ""),
        ("cookie", "session="),
        ("x-api-key", ""),
        ("x-amz-date", ""),
        ("content-type", "application/x-www-form-urlencoded; boundary="),
    ] {
        let secret = canaries.brought("a header");
        let value = format!("{prefix}{secret}");
        canaries.heard(&caller.send(honest().add(name, &value)).await);
        let mut replaced = honest();
        replaced.headers.retain(|(found, _)| found != name);
        canaries.heard(&caller.send(replaced.add(name, &value)).await);
    }
    for query in ["X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-Credential", "token"] {
        let secret = canaries.brought("a query");
        let target = format!("/?Action=GetCallerIdentity&Version=2011-06-15&{query}={secret}");
        let bare =
            Prepared { method: Method::GET, target, headers: Vec::new(), body: String::new() };
        canaries.heard(&caller.send(bare).await);
    }
    let wrong = Credentials {
        id: caller.credentials.id.replacen("AKIA", "ASIA", 1),
        secret: canaries.brought("a wrong secret"),
        token: Some(format!("CST1{}", canaries.brought("a wrong token"))),
    };
    let wrong = Caller::new(caller.address(), wrong);
    canaries.heard(&wrong.whoami().await);
}

/// Secrets in questions: the request in question carries a token and a signature.
async fn as_questions(canaries: &mut Canaries, broker: &Broker, session: &Caller) {
    let honest = question(&session.order());
    let mut questions = vec![honest.clone()];
    for field in ["body", "body_sha256", "uri", "secret"] {
        let mut spoilt = honest.clone();
        spoilt[field] = canaries.brought("a field of a question").into();
        questions.push(spoilt);
    }
    for wrong in [json!(canaries.brought("headers")), json!([canaries.brought("a header list")])] {
        let mut spoilt = honest.clone();
        spoilt["headers"] = wrong;
        questions.push(spoilt);
    }
    let token = session.credentials.token.clone().unwrap();
    let mut texts: Vec<String> = questions.iter().map(Value::to_string).collect();
    texts.push(json!(token).to_string());
    texts.push(json!({ "headers": token }).to_string());
    for text in texts {
        let (_, mut answer) = broker.ask_text(&text).await;
        // Whose key it is may be told.
        answer["principal"] = Value::Null;
        canaries.answers.push(answer.to_string());
    }
    let plan = Plan {
        service: "countersign",
        method: Method::POST,
        target: "/countersign/v1/revocations".to_owned(),
        headers: Vec::new(),
        body: json!({"password": canaries.brought("a JSON field")}).to_string(),
        at: None,
    };
    canaries.heard(&session.send(session.sign(plan)).await);
}

#[tokio::test]
async fn museum_m61_secrets_are_found_nowhere() {
    let mut canaries = Canaries { secrets: Vec::new(), answers: Vec::new() };
    let mut broker = bootstrapped(&mut canaries);
    let keyring = std::fs::read_to_string(broker.home.data().join("keyring.json")).unwrap();
    let root: Value = serde_json::from_str(&keyring).unwrap();
    canaries.secrets.push(("a root key", root["keys"][0]["secret"].as_str().unwrap().to_owned()));

    let admin = broker.admin();
    let key = admin.make_user("alice", &allow("*", "*")).await;
    canaries.credentials("a long-term secret", &key);
    let role = format!("arn:aws:iam::{}:root", broker.home.account);
    let role = admin.make_role("any", &trust(&role), &allow("*", "*")).await;
    let alice = broker.caller(&key);
    let session = alice.assume(&role, &[("ExternalId", "not-a-secret")]).await.unwrap();
    canaries.credentials("a session's secret", &session);
    let session = broker.caller(&session);
    let more = session.assume(&role, &[]).await.unwrap();
    canaries.credentials("a chained secret", &more);
    let own = alice.sts("GetSessionToken", &[]).await.ok().credentials();
    canaries.credentials("a user's session secret", &own);
    canaries.heard(&alice.iam("ListAccessKeys", &[]).await.ok());

    as_parameters(&mut canaries, &alice).await;
    as_headers(&mut canaries, &alice).await;
    as_questions(&mut canaries, &broker, &session).await;
    broker.command(&["sessions", "revoke", &more.id]);

    let (_, metrics) = broker.ops_text("/metrics").await;
    let (_, ready) = broker.ops_text("/readyz").await;
    for text in [&metrics, &ready] {
        canaries.none_in("the ops listener", text.as_bytes(), &[]);
    }
    broker.signal(crate::broker::Signal::Terminate);
    assert!(broker.wait().success());
    canaries.none_in("the log", broker.log().as_bytes(), &[]);
    for answer in &canaries.answers {
        canaries.none_in("an answer", answer.as_bytes(), &[]);
    }
    let files = files(&broker.home.data());
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let but: &[&str] = match file.file_name().unwrap().to_str().unwrap() {
            "keyring.json" => &["a root key"],
            // Sealed, and of no use without its secret.
            "sessions.redb" => &["a session token"],
            _ => &[],
        };
        canaries.none_in(&file.display().to_string(), &std::fs::read(&file).unwrap(), but);
    }
    // The search finds what is there.
    let held = std::fs::read(broker.home.data().join("sessions.redb")).unwrap();
    let token = session.credentials.token.as_ref().unwrap();
    assert!(String::from_utf8_lossy(&held).contains(token));
    assert!(broker.log().contains("CreateUser"));
}
