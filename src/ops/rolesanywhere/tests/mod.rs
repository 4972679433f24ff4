#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

//! IAM Roles Anywhere: what certificates get, and who manages it.

mod connection;
mod limits;
mod manage;
mod refusals;
mod sessions;
mod wire;

use serde_json::{Map, Value, json};

use super::{PRINCIPAL, ROWS, access};
use crate::federation::x509::tests::{Authority, Party, end_entity};
use crate::ops::Context;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, Bench, Credentials, allow};
use wire::Wire;

/// What a caller is answered by an operation.
async fn call(
    bench: &Bench,
    credentials: &Credentials,
    name: &str,
    body: Value,
) -> Result<Value, Fault> {
    let row = ROWS.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("{name}"));
    let caller = bench.verify(credentials, "GetCallerIdentity", &[]).await?;
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    let body: Map<String, Value> = body.as_object().unwrap().clone();
    Ok((row.run)(&context, &body).await?.unwrap())
}

fn trusting(condition: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": PRINCIPAL },
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": condition,
    }]})
    .to_string()
}

#[track_caller]
fn refused<T>(result: Result<T, Fault>, code: FaultCode) -> Fault {
    let Err(fault) = result else { panic!("not refused") };
    assert_eq!(fault.code(), code, "{fault:?}");
    fault
}

/// An anchor of A with a root, and a profile with the role `app`.
struct Stage {
    bench: Bench,
    root: Authority,
    role: String,
    anchor: Value,
    profile: Value,
}

fn source(pem: &str) -> Value {
    json!({ "sourceType": "CERTIFICATE_BUNDLE", "sourceData": { "x509CertificateData": pem } })
}

impl Stage {
    async fn new() -> Self {
        Self::trusting(&trusting(&json!({}))).await
    }

    async fn trusting(trust: &str) -> Self {
        let bench = Bench::new().await;
        let root = Authority::root("root");
        let role = bench.role(&bench.a, "app", trust, &allow(&["sts:*", "iam:ListUsers"])).await;
        let new = json!({ "name": "corp", "source": source(&root.pem()), "enabled": true });
        let anchor = call(&bench, &bench.a, "CreateTrustAnchor", new).await.unwrap();
        let new = json!({ "name": "apps", "roleArns": [role], "enabled": true });
        let profile = call(&bench, &bench.a, "CreateProfile", new).await.unwrap();
        Self {
            bench,
            root,
            role,
            anchor: anchor["trustAnchor"].clone(),
            profile: profile["profile"].clone(),
        }
    }

    fn anchor_id(&self) -> &str {
        self.anchor["trustAnchorId"].as_str().unwrap()
    }

    fn profile_id(&self) -> &str {
        self.profile["profileId"].as_str().unwrap()
    }

    fn party(&self) -> Party {
        self.root.issue(&end_entity("app"))
    }

    /// What a request says.
    fn body(&self) -> Value {
        json!({
            "profileArn": self.profile["profileArn"],
            "roleArn": self.role,
            "trustAnchorArn": self.anchor["trustAnchorArn"],
        })
    }

    /// Calls an operation as A's administrator.
    async fn manage(&self, name: &str, body: Value) -> Result<Value, Fault> {
        call(&self.bench, &self.bench.a, name, body).await
    }

    async fn update_profile(&self, mut change: Value) {
        change["profileId"] = self.profile["profileId"].clone();
        self.manage("UpdateProfile", change).await.unwrap();
    }

    /// What whoever shows this certificate is answered.
    async fn show(&self, party: &Party) -> Result<Value, Fault> {
        self.ask(party, self.body()).await
    }

    async fn ask(&self, party: &Party, body: Value) -> Result<Value, Fault> {
        Wire::new(self.bench.now(), party, &body).send(&self.bench).await
    }

    async fn session(&self) -> Credentials {
        credentials(&self.show(&self.party()).await.unwrap())
    }
}

fn credentials(answer: &Value) -> Credentials {
    let keys = &answer["credentialSet"][0]["credentials"];
    let text = |name: &str| keys[name].as_str().unwrap().to_owned();
    Credentials {
        access_key_id: text("accessKeyId"),
        secret: crate::secret::SecretAccessKey::parse(text("secretAccessKey").into()).unwrap(),
        token: Some(text("sessionToken")),
    }
}

/// The region that these tests' requests are signed for.
fn region(bench: &Bench) -> String {
    let facts = bench.facts();
    let caller = crate::authn::Caller::Anonymous;
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    access::region(&context).to_owned()
}

/// The account A's own.
const OWNER: &str = A;
