//! Somebody with credentials: signs requests, sends them, and can have them tampered with between.

use std::fmt;
use std::net::SocketAddr;

use countersign::http::client::{Client, ClientError};
use countersign::secret::SecretAccessKey;
use countersign::sigv4::{RequestHead, Signer, UriRules};
use countersign::time::{Clock, SystemClock, Timestamp};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

/// An access key. Of a test's making, so it may be shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// An answer of a Query service.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

impl Answer {
    /// The text of the first element of this name, or of this key in JSON.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let from = self.body.find(&open)? + open.len();
        let text = self.body.get(from..from + self.body.get(from..)?.find(&close)?)?;
        let plain =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
        Some(plain.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
    }

    /// The error code; empty when there was none.
    pub(crate) fn code(&self) -> String {
        self.text("Code").unwrap_or_default()
    }

    /// The error message; empty when there was none.
    pub(crate) fn message(&self) -> String {
        self.text("Message").unwrap_or_default()
    }

    /// The answer, which must be a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self
    }

    /// The answer, which must be a refusal of this code.
    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Self {
        assert_eq!(self.code(), code, "{self:?}");
        assert!(!self.status.is_success());
        self
    }

    /// The credentials that it hands out.
    #[track_caller]
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials {
            id: self.text("AccessKeyId").unwrap(),
            secret: self.text("SecretAccessKey").unwrap(),
            token: self.text("SessionToken"),
        }
    }
}

/// A request that is to be signed.
pub(crate) struct Plan<'a> {
    pub(crate) service: &'a str,
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The clock of the signer; the real time if not set.
    pub(crate) at: Option<Timestamp>,
}

impl<'a> Plan<'a> {
    /// A POST of the Query protocol.
    pub(crate) fn query(service: &'a str, action: &str, parameters: &[(&str, &str)]) -> Self {
        let content_type = "application/x-www-form-urlencoded; charset=utf-8";
        Self {
            service,
            method: Method::POST,
            target: "/".to_owned(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: form(service, action, parameters),
            at: None,
        }
    }

    /// A request of `/countersign/v1`.
    pub(crate) fn json(method: &str, target: &str, body: &Value) -> Self {
        Self {
            service: "countersign",
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            target: target.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string(),
            at: None,
        }
    }

    /// A GET of the Query protocol.
    pub(crate) fn get(service: &'a str, action: &str, parameters: &[(&str, &str)]) -> Self {
        let target = format!("/?{}", form(service, action, parameters));
        let (method, headers, body) = (Method::GET, Vec::new(), String::new());
        Self { service, method, target, headers, body, at: None }
    }
}

/// The parameters of a Query request, encoded.
pub(crate) fn form(service: &str, action: &str, parameters: &[(&str, &str)]) -> String {
    let version = if service == "iam" { "2010-05-08" } else { "2011-06-15" };
    form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", action)
        .append_pair("Version", version)
        .extend_pairs(parameters)
        .finish()
}

/// A request, ready to be sent, or to be spoilt first.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Prepared {
    /// The value of a header.
    pub(crate) fn header(&mut self, name: &str) -> &mut String {
        let found = self.headers.iter_mut().find(|(found, _)| found == name);
        &mut found.unwrap_or_else(|| panic!("no header {name}")).1
    }

    /// Adds a header that nobody signed.
    pub(crate) fn add(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Somebody with credentials.
pub(crate) struct Caller {
    client: Client,
    api: SocketAddr,
    pub(crate) credentials: Credentials,
    secret: SecretAccessKey,
}

impl Caller {
    pub(crate) fn new(api: SocketAddr, credentials: Credentials) -> Self {
        let client = Client::url(&format!("http://{api}"), None, false).unwrap();
        let secret = SecretAccessKey::parse(credentials.secret.clone().into()).unwrap();
        Self { client, api, credentials, secret }
    }

    /// The API that it asks.
    pub(crate) fn address(&self) -> SocketAddr {
        self.api
    }

    /// The account of the key.
    pub(crate) fn account(&self) -> String {
        countersign::id::AccessKeyId::parse(&self.credentials.id).unwrap().account().to_string()
    }

    /// Signs for a service.
    pub(crate) fn signer<'s>(&'s self, service: &'s str) -> Signer<'s> {
        Signer {
            access_key_id: &self.credentials.id,
            secret: &self.secret,
            session_token: self.credentials.token.as_deref(),
            region: "us-east-1",
            service,
            uri: UriRules::Standard,
            content_sha256: false,
        }
    }

    /// Signs a request for the broker's API.
    pub(crate) fn sign(&self, plan: Plan<'_>) -> Prepared {
        self.sign_for(&self.api.to_string(), plan)
    }

    /// Signs a request for any host.
    pub(crate) fn sign_for(&self, host: &str, plan: Plan<'_>) -> Prepared {
        let Plan { service, method, target, headers, body, at } = plan;
        let headers: Vec<_> =
            std::iter::once(("host".to_owned(), host.to_owned())).chain(headers).collect();
        let given: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let head = RequestHead { method: method.as_str(), target: &target, headers: &given };
        let now = at.unwrap_or_else(|| SystemClock::new().now());
        let added = self.signer(service).sign(&head, body.as_bytes(), now).unwrap();
        let added = added.into_iter().map(|(name, value)| (name.to_owned(), value));
        let headers = headers.into_iter().chain(added).collect();
        Prepared { method, target, headers, body }
    }

    /// Sends a request as it stands.
    pub(crate) async fn send(&self, request: Prepared) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// Sends a request that may get no answer.
    pub(crate) async fn try_send(&self, request: Prepared) -> Result<Answer, ClientError> {
        let Prepared { method, target, headers, body } = request;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(&value).unwrap(),
            );
        }
        let answer = self.client.request(method, &target, map, body).await?;
        Ok(Answer {
            status: answer.status,
            headers: answer.headers,
            body: String::from_utf8(answer.body.to_vec()).unwrap(),
        })
    }

    /// Asks STS.
    pub(crate) async fn sts(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send(self.sign(Plan::query("sts", action, parameters))).await
    }

    /// Asks IAM.
    pub(crate) async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.send(self.sign(Plan::query("iam", action, parameters))).await
    }

    /// GetCallerIdentity.
    pub(crate) async fn whoami(&self) -> Answer {
        self.sts("GetCallerIdentity", &[]).await
    }

    /// AssumeRole with the session name `test` unless another is given.
    pub(crate) async fn assume(
        &self,
        role: &str,
        more: &[(&str, &str)],
    ) -> Result<Credentials, Answer> {
        let mut parameters = vec![("RoleArn", role)];
        parameters.extend_from_slice(more);
        if !more.iter().any(|(name, _)| *name == "RoleSessionName") {
            parameters.push(("RoleSessionName", "test"));
        }
        let answer = self.sts("AssumeRole", &parameters).await;
        if answer.status.is_success() { Ok(answer.credentials()) } else { Err(answer) }
    }

    /// Makes a user with a policy and a key.
    pub(crate) async fn make_user(&self, name: &str, policy: &Value) -> Credentials {
        self.iam("CreateUser", &[("UserName", name)]).await.ok();
        let policy = policy.to_string();
        let put = [("UserName", name), ("PolicyName", "own"), ("PolicyDocument", &policy)];
        self.iam("PutUserPolicy", &put).await.ok();
        self.iam("CreateAccessKey", &[("UserName", name)]).await.ok().credentials()
    }

    /// Makes a role with a policy: its ARN.
    pub(crate) async fn make_role(&self, name: &str, trust: &Value, policy: &Value) -> String {
        let trust = trust.to_string();
        let create = [("RoleName", name), ("AssumeRolePolicyDocument", trust.as_str())];
        self.iam("CreateRole", &create).await.ok();
        let policy = policy.to_string();
        let put = [("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", &policy)];
        self.iam("PutRolePolicy", &put).await.ok();
        format!("arn:aws:iam::{}:role/{name}", self.account())
    }

    /// Revokes over `/countersign/v1`.
    pub(crate) async fn revoke(&self, target: &Value) -> Answer {
        self.try_revoke(target).await.unwrap()
    }

    /// Revokes over `/countersign/v1`; there may be no answer.
    pub(crate) async fn try_revoke(&self, target: &Value) -> Result<Answer, ClientError> {
        let body = json!({ "target": target });
        let plan = Plan::json("POST", "/countersign/v1/revocations", &body);
        self.try_send(self.sign(plan)).await
    }
}

/// A policy of one statement that allows this.
pub(crate) fn allow(action: &str, resource: &str) -> Value {
    policy(&json!({ "Effect": "Allow", "Action": action, "Resource": resource }))
}

/// A trust policy that lets this principal assume the role, tag the session and name a source
/// identity.
pub(crate) fn trust(principal: &str) -> Value {
    policy(&json!({
        "Effect": "Allow",
        "Principal": { "AWS": principal },
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }))
}

/// A trust policy with a condition.
pub(crate) fn trust_if(principal: &str, condition: &Value) -> Value {
    policy(&json!({
        "Effect": "Allow",
        "Principal": { "AWS": principal },
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }))
}

/// A policy of one statement, or of a list of them.
pub(crate) fn policy(statement: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statement })
}

/// The host of the example service.
pub(crate) const ORDERS: &str = "orders.example";

/// The question about a request to the example service that this caller signed: who is it?
pub(crate) fn question(request: &Prepared) -> Value {
    use base64::Engine as _;
    json!({
        "method": request.method.as_str(),
        "uri": request.target,
        "headers": request.headers,
        "body": base64::engine::general_purpose::STANDARD.encode(&request.body),
        "service": "orders",
        "hosts": [ORDERS],
    })
}

/// The question whether the caller may do this to an order of an account.
pub(crate) fn question_about(request: &Prepared, action: &str, account: &str) -> Value {
    let mut question = question(request);
    question["action"] = action.into();
    question["resource"] = format!("arn:aws:orders::{account}:order/42").into();
    question["resource_account"] = account.into();
    question
}

impl Caller {
    /// A signed request to the example service.
    pub(crate) fn order(&self) -> Prepared {
        let plan = Plan {
            service: "orders",
            method: Method::GET,
            target: "/orders/42".to_owned(),
            headers: Vec::new(),
            body: String::new(),
            at: None,
        };
        self.sign_for(ORDERS, plan)
    }
}
