//! Workloads without keys, against the running broker and an identity provider over https.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::broker::{Broker, Home, stderr, stdout};
use crate::caller::{Answer, Caller, Prepared, allow, form, policy};
use crate::certificates::Authority;
use crate::idp::{Idp, Mode};
use crate::python::{client, done};
use crate::sdks;

/// A broker, and an identity provider that an administrator has registered with it.
pub(crate) struct Site {
    pub(crate) broker: Broker,
    pub(crate) idp: Idp,
    pub(crate) authority: Authority,
    /// Trusts the subject `app`.
    pub(crate) role: String,
}

pub(crate) fn trust(provider: &str, url: &str, subject: &str) -> Value {
    policy(&json!({
        "Effect": "Allow",
        "Principal": { "Federated": provider },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": {
            format!("{url}:sub"): subject, format!("{url}:aud"): "sts.amazonaws.com",
        } },
    }))
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(&[], "").await
    }

    /// With these variables, and more lines of settings.
    pub(crate) async fn with(variables: &[(&str, &str)], settings: &str) -> Self {
        Self::build(variables, settings, 0).await.0
    }

    /// With more providers that may be asked, and that nobody has registered.
    pub(crate) async fn several(count: usize) -> (Self, Vec<Idp>) {
        Self::build(&[], "", count).await
    }

    async fn build(variables: &[(&str, &str)], settings: &str, others: usize) -> (Self, Vec<Idp>) {
        let home = Arc::new(Home::init());
        let authority = Authority::new("idp");
        let ca = authority.write(home.folder().join("idp-ca.pem"));
        let idp = Idp::start(&authority, home.folder());
        let others: Vec<_> = (0..others).map(|_| Idp::start(&authority, home.folder())).collect();
        let tables: String = others.iter().chain([&idp]).map(|idp| idp.settings(&ca)).collect();
        let toml = home.data().join("countersign.toml");
        std::fs::write(toml, format!("{settings}{tables}")).unwrap();
        let broker = Broker::serve(&home, variables);
        let mut site = Self { broker, idp, authority, role: String::new() };
        site.role = site.register(&site.idp, "app", "app").await;
        (site, others)
    }

    /// Registers a provider, and makes a role that trusts one of its subjects.
    pub(crate) async fn register(&self, idp: &Idp, role: &str, subject: &str) -> String {
        let admin = self.broker.admin();
        let create = [("Url", idp.issuer()), ("ClientIDList.member.1", "sts.amazonaws.com")];
        let made = admin.iam("CreateOpenIDConnectProvider", &create).await.ok();
        let provider = made.text("OpenIDConnectProviderArn").unwrap();
        assert_eq!(
            provider,
            format!("arn:aws:iam::{}:oidc-provider/{}", self.broker.home.account, idp.url())
        );
        let trust = trust(&provider, idp.url(), subject);
        admin.make_role(role, &trust, &allow("*", "*")).await
    }

    /// Shows a token for the role; nothing is signed.
    pub(crate) async fn show(&self, token: &str) -> Answer {
        self.show_for(&self.role, token).await
    }

    pub(crate) async fn show_for(&self, role: &str, token: &str) -> Answer {
        let parameters =
            [("RoleArn", role), ("RoleSessionName", "web"), ("WebIdentityToken", token)];
        let body = form("sts", "AssumeRoleWithWebIdentity", &parameters);
        self.unsigned(Method::POST, "/".to_owned(), body).await
    }

    pub(crate) async fn unsigned(&self, method: Method, target: String, body: String) -> Answer {
        let mut headers = vec![("host".to_owned(), self.broker.api.to_string())];
        if method == Method::POST {
            let kind = "application/x-www-form-urlencoded; charset=utf-8";
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        self.broker.admin().send(Prepared { method, target, headers, body }).await
    }

    /// Whoever a good token makes.
    pub(crate) async fn session(&self) -> Caller {
        let answer = self.show(&self.idp.token("app")).await.ok();
        self.broker.caller(&answer.credentials())
    }
}

#[tokio::test]
async fn a_token_is_exchanged_by_post_and_by_get() {
    let site = Site::new().await;
    let arn = format!("arn:aws:sts::{}:assumed-role/app/web", site.broker.home.account);
    let session = site.session().await;
    assert_eq!(session.whoami().await.ok().text("Arn").unwrap(), arn);
    let token = site.idp.token("app");
    let parameters =
        [("RoleArn", site.role.as_str()), ("RoleSessionName", "web"), ("WebIdentityToken", &token)];
    let target = format!("/?{}", form("sts", "AssumeRoleWithWebIdentity", &parameters));
    let answer = site.unsigned(Method::GET, target, String::new()).await.ok();
    let session = site.broker.caller(&answer.credentials());
    assert_eq!(session.whoami().await.ok().text("Arn").unwrap(), arn);
    for (name, text) in [
        ("SubjectFromWebIdentityToken", "app"),
        ("Audience", "sts.amazonaws.com"),
        ("Provider", site.idp.issuer()),
    ] {
        assert_eq!(answer.text(name).unwrap(), text);
    }
    // The token stands in no log and no record.
    let audit = std::fs::read_to_string(site.broker.home.data().join("audit.jsonl")).unwrap();
    assert!(audit.contains("WebIdentityUser"));
    let signature = token.rsplit('.').next().unwrap();
    assert!(!audit.contains(signature) && !site.broker.log().contains(signature));
    let (_, metrics) = site.broker.ops_text("/metrics").await;
    assert!(metrics.contains("countersign_key_set_fetches_total{outcome=\"ok\"} 1"), "{metrics}");
    assert_eq!(site.idp.asked().1, 1, "fetched once");
}

#[tokio::test]
async fn keys_rotate_and_known_keys_go_on_through_an_outage() {
    let site = Site::new().await;
    site.session().await;
    site.idp.set(Mode::Down);
    for _ in 0..5 {
        site.session().await;
    }
    assert_eq!(site.idp.asked().1, 1);
    // A key that was never published: a minute has not passed since the last fetch.
    site.idp.rotate();
    site.show(&site.idp.token("app")).await.refused("InvalidIdentityToken");
    assert_eq!(site.idp.asked().1, 1);
}

#[tokio::test]
async fn a_provider_that_is_silent_is_given_up_in_time() {
    let site = Site::with(&[("COUNTERSIGN_OIDC_TIMEOUT", "1s")], "").await;
    site.idp.set(Mode::Silent);
    let began = Instant::now();
    let token = site.idp.token("app");
    let asked = (0..50).map(|_| site.show(&token));
    for answer in futures(asked).await {
        let message = answer.refused("IDPCommunicationError").message();
        assert!(message.contains("verification key"), "{message}");
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    // One fetch for all of them, and nobody waits again a moment later.
    let (connections, ..) = site.idp.asked();
    assert_eq!(connections, 1);
    let began = Instant::now();
    site.show(&token).await.refused("IDPCommunicationError");
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    // It recovers by itself.
    site.idp.set(Mode::Good);
    tokio::time::sleep(Duration::from_secs(5)).await;
    site.session().await;
}

#[tokio::test]
async fn many_that_wait_cause_one_fetch() {
    let site = Site::new().await;
    site.idp.set(Mode::Slow(Duration::from_millis(500)));
    let token = site.idp.token("app");
    for answer in futures((0..100).map(|_| site.show(&token))).await {
        answer.ok();
    }
    let (_, discoveries, key_sets) = site.idp.asked();
    assert_eq!((discoveries, key_sets), (1, 1));
}

/// All of them at once.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    use std::pin::Pin;
    use std::task::Poll;
    let mut all: Vec<Pin<Box<F>>> = all.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in all.iter_mut().zip(&mut outputs) {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *output = Some(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    outputs.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn deleting_or_revoking_a_provider_ends_its_sessions() {
    let site = Site::new().await;
    let admin = site.broker.admin();
    let provider =
        format!("arn:aws:iam::{}:oidc-provider/{}", site.broker.home.account, site.idp.url());
    let session = site.session().await;
    let told = site.broker.command(&["sessions", "revoke", "--provider", &provider]);
    assert!(told.status.success(), "{}", stderr(&told));
    assert!(stdout(&told).starts_with("revoked at "));
    session.whoami().await.refused("InvalidClientTokenId");
    let session = site.session().await;
    session.whoami().await.ok();
    let delete = [("OpenIDConnectProviderArn", provider.as_str())];
    admin.iam("DeleteOpenIDConnectProvider", &delete).await.ok();
    session.whoami().await.refused("InvalidClientTokenId");
    let refused = site.show(&site.idp.token("app")).await.refused("InvalidIdentityToken");
    assert!(refused.message().starts_with("No OpenIDConnect provider found"));
}

#[tokio::test]
async fn keys_from_a_file_need_no_network() {
    let home = Arc::new(Home::init());
    let authority = Authority::new("idp");
    let idp = Idp::start(&authority, home.folder());
    let file = home.folder().join("keys.json");
    let keys = countersign::federation::oidc::PublicJwk::set([idp.key().public()]);
    std::fs::write(&file, keys.to_string()).unwrap();
    let settings = |algorithms: &str| {
        format!(
            "[[oidc.issuer]]\nurl = \"{}\"\njwks = \"{}\"\n{algorithms}",
            idp.issuer(),
            file.display()
        )
    };
    let toml = home.data().join("countersign.toml");
    std::fs::write(&toml, settings("")).unwrap();
    let broker = Broker::serve(&home, &[]);
    let mut site =
        Site { broker, idp: Idp::start(&authority, home.folder()), authority, role: String::new() };
    site.role = site.register(&idp, "app", "app").await;
    site.show(&idp.token("app")).await.ok();
    assert_eq!(idp.asked(), (0, 0, 0));
    // The operator narrows the algorithms.
    std::fs::write(&toml, settings("algorithms = [\"EdDSA\"]\n")).unwrap();
    site.broker.restart();
    let refused = site.show(&idp.token("app")).await.refused("InvalidIdentityToken");
    assert!(refused.message().contains("ES256 is not accepted"), "{refused:?}");
}

/// A process with nothing but the three variables and a region.
fn workload(mut command: Command, site: &Site, token: &Path) -> Command {
    for name in ["AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env_remove(name);
    }
    command
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", &site.role)
        .env("AWS_ENDPOINT_URL_STS", site.broker.url())
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_DEFAULT_REGION", "eu-west-1");
    command
}

async fn with_token() -> (Site, PathBuf) {
    let site = Site::new().await;
    let file = site.broker.home.folder().join("token");
    std::fs::write(&file, site.idp.token("app")).unwrap();
    (site, file)
}

#[tokio::test]
async fn boto3_and_the_aws_cli_with_a_token_file_alone() {
    let (site, file) = with_token().await;
    let begins = format!("arn:aws:sts::{}:assumed-role/app/", site.broker.home.account);
    let mut boto3 = client(&site.broker.url());
    let script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])";
    boto3.args(["-c", script]);
    let told = done(workload(boto3, &site, &file));
    assert!(told.starts_with(&begins), "{told}");
    let mut cli = client(&site.broker.url());
    cli.args(["-m", "awscli", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]);
    let told = done(workload(cli, &site, &file));
    assert!(told.starts_with(&begins), "{told}");
    assert_eq!(site.idp.asked().1, 1);
}

#[tokio::test]
async fn javascript_with_a_token_file_alone() {
    sdk("javascript", sdks::make_javascript).await;
}

#[tokio::test]
async fn go_with_a_token_file_alone() {
    sdk("go", sdks::make_go).await;
}

async fn sdk(name: &str, make: sdks::Make) {
    let Some(program) = sdks::program(name, make) else { return };
    let (site, file) = with_token().await;
    let mut command = Command::new(&program[0]);
    crate::broker::isolate(&mut command);
    command
        .args(&program[1..])
        .arg("web")
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("COUNTERSIGN_ACCOUNT", &site.broker.home.account);
    let told = done(workload(command, &site, &file));
    assert!(told.lines().any(|line| line == "ok web"), "{told}");
}
