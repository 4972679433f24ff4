//! The real server, and the requests to send it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use countersign::http::client::Client;
use countersign::secret::SecretAccessKey;
use countersign::sigv4::{RequestHead, Signer, UriRules};
use countersign::time::{Clock as _, SystemClock};
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::drive::{Shot, Shots};
use crate::issuer::Issuer;
use crate::process::Guard;

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// Prepared requests of each kind, each signed by itself.
const PREPARED: usize = 256;

/// Where sessions are kept.
pub enum Ledger {
    Embedded,
    Redis { process: Guard, socket: PathBuf, _folder: TempDir },
}

impl Ledger {
    /// A Redis server that keeps everything on disk, as sessions should be kept.
    pub fn redis() -> Option<Self> {
        Command::new("redis-server").arg("--version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let process = Guard::spawn(
            Command::new("redis-server")
                .args(["--port", "0", "--appendonly", "yes", "--unixsocket"])
                .arg(&socket)
                .arg("--dir")
                .arg(folder.path())
                .stdout(Stdio::null()),
        );
        while !socket.exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Self::Redis { process, socket, _folder: folder })
    }
}

struct Key {
    id: String,
    secret: SecretAccessKey,
    token: Option<String>,
}

/// A broker with a user who may assume a role, and the role.
pub struct Broker {
    process: Guard,
    redis: Option<u32>,
    api: String,
    verify: String,
    admin: Key,
    account: String,
    issuer: Issuer,
    _folder: TempDir,
}

impl Broker {
    pub async fn start(ledger: &Ledger) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let made = Command::new(BINARY)
            .args(["init", "--format", "json", "--data-dir"])
            .arg(&data)
            .output()
            .unwrap();
        let key: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        let issuer = Issuer::new();
        issuer.write_settings(&data);
        let log = folder.path().join("log");
        let mut command = Command::new(BINARY);
        command.args(["serve", "--log-format", "json", "--data-dir"]).arg(&data);
        for listener in ["--listen", "--verify-listen", "--ops-listen"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        let mut redis = None;
        if let Ledger::Redis { process, socket, .. } = ledger {
            command.arg("--redis").arg(format!("unix://{}", socket.display()));
            redis = Some(process.pid());
        }
        let process = Guard::spawn(command.stderr(File::create(&log).unwrap()));
        let address = |name: &str| loop {
            let lines = BufReader::new(File::open(&log).unwrap()).lines();
            let found = lines.map_while(Result::ok).find_map(|line| {
                let line: serde_json::Value = serde_json::from_str(&line).ok()?;
                (line["listener"] == name && line["message"] == "listening")
                    .then(|| format!("http://{}", line["address"].as_str().unwrap()))
            });
            match found {
                Some(url) => return url,
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let (api, verify) = (address("api"), address("verify"));
        let admin = Key {
            id: key["AccessKeyId"].as_str().unwrap().to_owned(),
            secret: secret(key["SecretAccessKey"].as_str().unwrap()),
            token: None,
        };
        let mut broker = Self {
            process,
            redis,
            api,
            verify,
            admin,
            account: String::new(),
            issuer,
            _folder: folder,
        };
        broker.furnish().await;
        broker
    }

    pub fn pids(&self) -> Vec<u32> {
        std::iter::once(self.process.pid()).chain(self.redis).collect()
    }

    async fn furnish(&mut self) {
        let me = self.call("sts", "2011-06-15", "GetCallerIdentity", &[]).await;
        text(&me, "Account").clone_into(&mut self.account);
        let trust = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": self.account },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "sts:ExternalId": "partner-7" } },
            }],
        })
        .to_string();
        let create = [("RoleName", "reader"), ("AssumeRolePolicyDocument", trust.as_str())];
        self.call("iam", "2010-05-08", "CreateRole", &create).await;
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": ["orders:Get*", "orders:List*"],
                "Resource": format!("arn:aws:orders::{}:order/*", self.account),
            }],
        })
        .to_string();
        let put = [("RoleName", "reader"), ("PolicyName", "read"), ("PolicyDocument", &policy)];
        self.call("iam", "2010-05-08", "PutRolePolicy", &put).await;
        let provider = [("Url", Issuer::URL), ("ClientIDList.member.1", Issuer::AUDIENCE)];
        self.call("iam", "2010-05-08", "CreateOpenIDConnectProvider", &provider).await;
        let trust = Issuer::trust(&self.account);
        let create = [("RoleName", "workload"), ("AssumeRolePolicyDocument", trust.as_str())];
        self.call("iam", "2010-05-08", "CreateRole", &create).await;
        let put = [("RoleName", "workload"), ("PolicyName", "read"), ("PolicyDocument", &policy)];
        self.call("iam", "2010-05-08", "PutRolePolicy", &put).await;
    }

    /// AssumeRoleWithWebIdentity requests, each of another session name.
    pub fn tokens(&self) -> Shots {
        let arn = format!("arn:aws:iam::{}:role/workload", self.account);
        let token = self.issuer.token();
        let list = (0..PREPARED)
            .map(|n| {
                let name = format!("session-{n}");
                let parameters = [
                    ("RoleArn", arn.as_str()),
                    ("RoleSessionName", &name),
                    ("WebIdentityToken", &token),
                    ("DurationSeconds", "900"),
                ];
                self.unsigned("2011-06-15", "AssumeRoleWithWebIdentity", &parameters)
            })
            .collect();
        Shots { url: self.api.clone(), list: Arc::new(list) }
    }

    /// AssumeRole requests, each of another session name.
    pub fn assumptions(&self) -> Shots {
        let arn = format!("arn:aws:iam::{}:role/reader", self.account);
        let list = (0..PREPARED)
            .map(|n| {
                let name = format!("session-{n}");
                let parameters = [
                    ("RoleArn", arn.as_str()),
                    ("RoleSessionName", &name),
                    ("ExternalId", "partner-7"),
                    ("DurationSeconds", "900"),
                ];
                self.query("sts", "2011-06-15", "AssumeRole", &parameters)
            })
            .collect();
        Shots { url: self.api.clone(), list: Arc::new(list) }
    }

    /// Questions about requests of some sessions, all answered with 'allow'.
    pub async fn questions(&self) -> Shots {
        let mut list = Vec::new();
        let assumptions = self.assumptions();
        let client = Client::url(&self.api, None, false).unwrap();
        for shot in &assumptions.list[..16] {
            let answer = client
                .request(Method::POST, "/", shot.headers.clone(), shot.body.clone())
                .await
                .unwrap();
            let answer = String::from_utf8(answer.body.to_vec()).unwrap();
            let key = Key {
                id: text(&answer, "AccessKeyId").to_owned(),
                secret: secret(text(&answer, "SecretAccessKey")),
                token: Some(text(&answer, "SessionToken").to_owned()),
            };
            list.extend((0..PREPARED / 16).map(|n| self.question(&key, n)));
        }
        Shots { url: self.verify.clone(), list: Arc::new(list) }
    }

    fn question(&self, key: &Key, order: usize) -> Shot {
        let uri = format!("/orders/{order}");
        let host: [(&str, &[u8]); 1] = [("host", b"orders.example")];
        let added = sign(key, "orders", "GET", &uri, &host, b"");
        let headers: Vec<(&str, &str)> = std::iter::once(("host", "orders.example"))
            .chain(added.iter().map(|(name, value)| (*name, value.as_str())))
            .collect();
        let body = serde_json::json!({
            "method": "GET",
            "uri": uri,
            "headers": headers,
            "body": "",
            "service": "orders",
            "hosts": ["orders.example"],
            "action": "orders:GetOrder",
            "resource": format!("arn:aws:orders::{}:order/{order}", self.account),
            "resource_account": self.account,
            "source_ip": "203.0.113.7",
        });
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        Shot { target: "/v1/verify", headers, body: serde_json::to_vec(&body).unwrap() }
    }

    async fn call(
        &self,
        service: &str,
        version: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> String {
        let shot = self.query(service, version, action, parameters);
        let client = Client::url(&self.api, None, false).unwrap();
        let answer =
            client.request(Method::POST, shot.target, shot.headers, shot.body).await.unwrap();
        let body = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(answer.status.is_success(), "{action}: {body}");
        body
    }

    fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Shot {
        let mut shot = self.unsigned(version, action, parameters);
        let host = self.api.trim_start_matches("http://");
        let given: [(&str, &[u8]); 2] =
            [("host", host.as_bytes()), ("content-type", FORM.as_bytes())];
        for (name, value) in sign(&self.admin, service, "POST", "/", &given, &shot.body) {
            let value = HeaderValue::from_str(&value).unwrap();
            shot.headers.insert(HeaderName::from_static(name), value);
        }
        shot
    }

    fn unsigned(&self, version: &str, action: &str, parameters: &[(&str, &str)]) -> Shot {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", version)
            .extend_pairs(parameters)
            .finish();
        let host = self.api.trim_start_matches("http://");
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_str(host).unwrap());
        headers.insert("content-type", HeaderValue::from_static(FORM));
        Shot { target: "/", headers, body: body.into_bytes() }
    }
}

fn sign(
    key: &Key,
    service: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &[u8])],
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let signer = Signer {
        access_key_id: &key.id,
        secret: &key.secret,
        session_token: key.token.as_deref(),
        region: "us-east-1",
        service,
        uri: UriRules::Standard,
        content_sha256: false,
    };
    let head = RequestHead { method, target, headers };
    signer.sign(&head, body, SystemClock::new().now()).unwrap()
}

fn secret(text: &str) -> SecretAccessKey {
    SecretAccessKey::parse(Zeroizing::new(text.to_owned())).unwrap()
}

/// The text of the first element of this name.
fn text<'x>(xml: &'x str, name: &str) -> &'x str {
    let (_, rest) =
        xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {xml}"));
    rest.split_once('<').unwrap().0
}
