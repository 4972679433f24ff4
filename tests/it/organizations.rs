//! The Organizations API with AWS's own clients, and held against botocore's model.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use countersign::ops::json::{Kind, Member};
use countersign::ops::organizations::ROWS;
use serde_json::{Value, json};

use crate::broker::{Broker, stderr, stdout};
use crate::python::{aws, client, done, refused, run_script};

/// How many operations the model has, and how many of them are here.
const OF_MODEL: &str = "organizations: operations 52 of 63";

#[test]
fn the_life_of_an_organization() {
    let broker = Broker::start();
    let made = stdout(&broker.command(&["accounts", "create", "partner"]));
    let (_, role) = made.trim_end().split_once('\t').unwrap();
    let told = run_script(&broker, "organizations.py", &[("COUNTERSIGN_PARTNER_ROLE", role)]);
    let steps = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(steps >= 60, "{told}");
    assert_eq!(told.lines().last().unwrap(), format!("{steps} steps"));
    assert!(told.contains(" operations held against the model, mismatches 0"), "{told}");
    // Every change has its intent and outcome.
    let audit = broker.home.audit();
    let of = |name: &str| audit.iter().filter(|it| it["eventName"] == name).count();
    assert!(of("CreatePolicy") >= 4 && of("CloseAccount") >= 4, "{}", of("CreatePolicy"));
    let source = audit.iter().find(|it| it["eventName"] == "CloseAccount").unwrap();
    assert_eq!(source["eventSource"], "organizations.amazonaws.com");
    assert_eq!(source["userIdentity"]["type"], "IAMUser");
}

/// Texts for each pattern to be tried on.
const SAMPLES: &[&str] = &[
    "",
    "a",
    "12",
    "123456789012",
    "1234567890123",
    "r-abcd",
    "r-ABCD",
    "r-abc",
    "ou-abcd-12345678",
    "ou-abcd-1234567",
    "ou-abcd12345678",
    "p-FullAWSAccess",
    "p-abcd1234",
    "p-abc",
    "rp-abcd",
    "rt-abcd1234",
    "car-abcd1234",
    "car-ABCD1234",
    "h-abcd1234",
    "a@b.cc",
    "a@b",
    "a b@c.dd",
    "a@b@c.dd",
    "@b.cc",
    "dev@example.com",
    "Name with space",
    "tab\there",
    "ümlaut",
    "Role+=,.@-_",
    "role/name",
    "sso.amazonaws.com",
    "key:/=+-@._",
    "bang!",
    "new\nline",
    "r-abcd/ou-abcd-12345678",
];

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text(text) => {
            let samples: Vec<Value> =
                SAMPLES.iter().map(|it| json!([it, (text.accepts)(it)])).collect();
            json!({
                "kind": "text", "min": text.min, "max": text.max, "pattern": text.pattern,
                "samples": samples,
            })
        }
        Kind::Choice(words) => json!({ "kind": "choice", "enum": words }),
        Kind::Integer { min, max } => json!({ "kind": "integer", "min": min, "max": max }),
        Kind::Boolean => json!({ "kind": "boolean" }),
        Kind::Texts { most, .. } => json!({ "kind": "map", "max": most }),
        Kind::List(of) => json!({ "kind": "list", "of": self::kind(of) }),
        Kind::Structure(of) => json!({ "kind": "structure", "members": members(of) }),
    }
}

fn members(members: &[Member]) -> Vec<Value> {
    members
        .iter()
        .map(|it| json!({ "name": it.name, "required": it.required, "kind": kind(it.kind) }))
        .collect()
}

#[test]
fn every_operation_is_as_botocores_model_says() {
    let described: Vec<Value> = ROWS
        .iter()
        .map(|row| {
            let faults: Vec<&str> = row.faults.iter().map(|code| code.as_str()).collect();
            json!({
                "name": row.name, "input": members(row.input), "has_output": row.has_output,
                "faults": faults,
            })
        })
        .collect();
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/python/organizations_model.py");
    let mut command = client("http://127.0.0.1:1");
    let mut child = command
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(&described).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    println!("{told}");
    assert_eq!(told.trim_end(), format!("{OF_MODEL}\nmismatches 0"), "{told}");
}

#[test]
fn the_aws_cli_does_it_too() {
    let broker = Broker::start();
    let key = &broker.home.first;
    let admin = |words: &str, more: &[&str]| aws(&broker.url(), Some(key), words, more);
    let id =
        done(admin("organizations create-organization --query Organization.Id --output text", &[]));
    assert!(id.starts_with("o-"), "{id}");
    let root = done(admin("organizations list-roots --query Roots[0].Id --output text", &[]));
    let on = "organizations enable-policy-type --policy-type SERVICE_CONTROL_POLICY --root-id";
    done(admin(on, &[&root]));
    let new = "organizations create-account --email dev@example.com --query CreateAccountStatus.AccountId --output text --account-name";
    let account = done(admin(new, &["dev account"]));
    let deny =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*"}}"#;
    let new = "organizations create-policy --name guard --type SERVICE_CONTROL_POLICY --query Policy.PolicySummary.Id --output text --description no-iam --content";
    let policy = done(admin(new, &[deny]));
    done(admin("organizations attach-policy", &["--policy-id", &policy, "--target-id", &account]));
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let session = done(admin("sts assume-role --role-session-name dev --role-arn", &[&role]));
    let session: Value = serde_json::from_str(&session).unwrap();
    let text = |name: &str| session["Credentials"][name].as_str().unwrap().to_owned();
    let session = crate::caller::Credentials {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: Some(text("SessionToken")),
    };
    let told = refused(aws(&broker.url(), Some(&session), "iam list-users", &[]), "AccessDenied");
    assert!(told.contains("explicit deny in a service control policy"), "{told}");
    refused(admin("organizations delete-organization", &[]), "OrganizationNotEmptyException");
}
