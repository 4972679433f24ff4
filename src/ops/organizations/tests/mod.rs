//! Tests of the Organizations API, each call signed and through its row of the catalogue.

mod delegated;
mod effect;
mod handshakes;
mod life;
mod limits;
mod matrix;
mod policies;
mod root_access;
mod simulated;
mod strangers;

use serde_json::{Value, json};

use crate::authn::{Caller, Expectation};
use crate::directory::organization::Target;
use crate::ops::Context;
use crate::ops::catalog;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::organizations::TARGET_PREFIX;
use crate::ops::organizations::access::COMMON;
use crate::ops::testing::{Bench, Credentials, REGION, allow};
use crate::sigv4::{Body, RequestHead, Rules, Signer, UriRules};
use crate::time::Clock as _;
use crate::wire::json11::CONTENT_TYPE;

/// Calls an operation: its output, or the fault. The fault must be one that the operation declares.
pub(super) async fn call(
    bench: &Bench,
    credentials: &Credentials,
    name: &str,
    body: Value,
) -> Result<Value, Fault> {
    let target = format!("{TARGET_PREFIX}.{name}");
    let row = catalog::find_target(&target).unwrap_or_else(|| panic!("there is no {name}"));
    let caller = verify(bench, credentials, &target, &body).await?;
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    let result = (row.run)(&context, body.as_object().unwrap()).await;
    if let Err(fault) = &result {
        let declared = row.faults.contains(&fault.code()) || COMMON.contains(&fault.code());
        assert!(declared, "{name} answers {fault:?}");
    }
    result.map(|output| {
        assert_eq!(output.is_some(), row.has_output, "{name}");
        output.unwrap_or_default()
    })
}

async fn verify(
    bench: &Bench,
    credentials: &Credentials,
    target: &str,
    body: &Value,
) -> Result<Caller, Fault> {
    let (now, body) = (bench.clock.now(), body.to_string());
    let head = RequestHead {
        method: "POST",
        target: "/",
        headers: &[
            ("host", b"countersign.test"),
            ("content-type", CONTENT_TYPE.as_bytes()),
            ("x-amz-target", target.as_bytes()),
        ],
    };
    let signer = Signer {
        access_key_id: &credentials.access_key_id,
        secret: &credentials.secret,
        session_token: credentials.token.as_deref(),
        region: REGION,
        service: "organizations",
        uri: UriRules::Standard,
        content_sha256: false,
    };
    let added = signer.sign(&head, body.as_bytes(), now).unwrap();
    let mut headers = head.headers.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let expectation = Expectation {
        service: "organizations",
        region: None,
        rules: Rules::new(UriRules::Standard, now),
        monotonic: bench.clock.monotonic(),
    };
    let head = RequestHead { headers: &headers, ..head };
    let authenticator = &bench.services.authenticator;
    Ok(authenticator.authenticate(&head, Body::Bytes(body.as_bytes()), &expectation).await?)
}

/// A call that must succeed.
pub(super) async fn must(
    bench: &Bench,
    credentials: &Credentials,
    name: &str,
    body: Value,
) -> Value {
    call(bench, credentials, name, body).await.unwrap_or_else(|fault| panic!("{name}: {fault:?}"))
}

/// A call that must be refused: with this code, and its reason.
pub(super) async fn refused(
    bench: &Bench,
    credentials: &Credentials,
    name: &str,
    body: Value,
    code: FaultCode,
) -> Option<&'static str> {
    match call(bench, credentials, name, body).await {
        Ok(output) => panic!("{name} is not refused: {output}"),
        Err(fault) => {
            assert_eq!(fault.code(), code, "{name}: {fault:?}");
            fault.reason()
        }
    }
}

/// The text at a path of an answer.
#[track_caller]
pub(super) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no {path} in {value}"))
}

/// A deployment with an organization of the accounts A (management) and B.
pub(super) struct Stage {
    pub(super) bench: Bench,
    pub(super) root: String,
}

impl Stage {
    /// With both types of policies turned on.
    pub(super) async fn new() -> Self {
        let stage = Self::without_policies().await;
        for kind in ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] {
            let on = json!({ "RootId": stage.root, "PolicyType": kind });
            stage.must("EnablePolicyType", on).await;
        }
        stage
    }

    /// As it is made.
    pub(super) async fn without_policies() -> Self {
        let bench = Bench::new().await;
        must(&bench, &bench.a, "CreateOrganization", json!({})).await;
        let roots = must(&bench, &bench.a, "ListRoots", json!({})).await;
        let root = text(&roots, "/Roots/0/Id").to_owned();
        Self { bench, root }
    }

    /// A call of the management account's administrator that must succeed.
    pub(super) async fn must(&self, name: &str, body: Value) -> Value {
        must(&self.bench, &self.bench.a, name, body).await
    }

    /// A call of the management account's administrator that must be refused.
    pub(super) async fn refused(
        &self,
        name: &str,
        body: Value,
        code: FaultCode,
    ) -> Option<&'static str> {
        refused(&self.bench, &self.bench.a, name, body, code).await
    }

    /// Makes a unit.
    pub(super) async fn unit(&self, parent: &str, name: &str) -> String {
        let made = json!({ "ParentId": parent, "Name": name });
        let made = self.must("CreateOrganizationalUnit", made).await;
        text(&made, "/OrganizationalUnit/Id").to_owned()
    }

    /// Writes a policy and attaches it.
    pub(super) async fn policy(
        &self,
        kind: &str,
        name: &str,
        content: &str,
        target: &str,
    ) -> String {
        let policy = json!({ "Type": kind, "Name": name, "Description": "", "Content": content });
        let policy = self.must("CreatePolicy", policy).await;
        let id = text(&policy, "/Policy/PolicySummary/Id").to_owned();
        self.must("AttachPolicy", json!({ "PolicyId": id, "TargetId": target })).await;
        id
    }

    /// Moves an account from the root into a unit.
    pub(super) async fn move_to(&self, account: &str, unit: &str) {
        let to = json!({
            "AccountId": account, "SourceParentId": self.root, "DestinationParentId": unit,
        });
        self.must("MoveAccount", to).await;
    }
}

/// A user who may do this and nothing else.
pub(super) async fn user(
    bench: &Bench,
    admin: &Credentials,
    name: &str,
    actions: &[&str],
) -> Credentials {
    bench.user(admin, name, &allow(actions)).await
}

/// A service control policy's or identity policy's text that denies these actions.
pub(super) fn deny(actions: &[&str]) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": actions, "Resource": "*" }],
    })
    .to_string()
}

/// Whether an answer's IDs are of the kinds that targets have.
pub(super) fn is_target(id: &str) -> bool {
    Target::parse(id).is_ok()
}
