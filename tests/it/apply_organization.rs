//! The organization in files: made, changed, pruned and exported, all or nothing.

use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};

use crate::broker::{Broker, stderr, stdout};
use crate::caller::{Caller, Plan, policy};

const FILE: &str = r#"
[organization]
policy_types = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
policies = ["FullAWSAccess", "SERVICE_CONTROL_POLICY/guard"]
tags = { owner = "platform" }

[[organization.policy]]
name = "guard"
type = "SERVICE_CONTROL_POLICY"
description = "No purges"
tags = { team = "platform" }
content = """
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "orders:Purge*", "Resource": "*"}]}
"""

[[organization.policy]]
name = "guard"
type = "RESOURCE_CONTROL_POLICY"
content = """
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
   "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}}]}
"""

[[organization.policy]]
name = "only reads"
type = "SERVICE_CONTROL_POLICY"
content = """
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}]}
"""

# What stands in another comes before it in whatever order.
[[organization.unit]]
path = "production/a\\/b"
policies = ["FullAWSAccess"]

[[organization.unit]]
path = "production"
policies = ["FullAWSAccess", "RESOURCE_CONTROL_POLICY/guard"]
tags = { stage = "live" }

[[organization.account]]
id = "PARTNER"
unit = "production/a\\/b"
policies = ["only reads"]
tags = { kind = "partner" }
"#;

struct Desk {
    broker: Broker,
    partner: String,
    file: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let broker = Broker::start();
        let made = stdout(&broker.command(&["accounts", "create", "partner"]));
        let partner = made.split('\t').next().unwrap().trim().to_owned();
        let file = broker.home.folder().join("organization.toml");
        let desk = Self { broker, partner, file };
        desk.write(FILE);
        desk
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.file, text.replace("PARTNER", &self.partner)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.broker.command(&[&["apply", self.file.to_str().unwrap()], arguments].concat())
    }

    fn export(&self) -> String {
        done(&self.broker.command(&["export"]))
    }
}

#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
    stdout(output)
}

async fn organizations(admin: &Caller, name: &str, body: Value) -> Value {
    let plan = Plan {
        service: "organizations",
        method: hyper::Method::POST,
        target: "/".to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), format!("{TARGET}.{name}")),
        ],
        body: body.to_string(),
        at: None,
    };
    let answer = admin.send(admin.sign(plan)).await;
    assert!(answer.status.is_success(), "{name}: {answer:?}");
    serde_json::from_str(&answer.body).unwrap_or_default()
}

const TARGET: &str = "AWSOrganizationsV20161128";

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_made_from_files_and_exported_again() {
    let desk = Desk::new();
    let admin = desk.broker.admin();
    assert_eq!(desk.run(&["--check"]).status.code(), Some(3), "{}", stderr(&desk.run(&[])));
    let told = done(&desk.run(&["--yes"]));
    assert!(told.contains("+ organization  (organizations:CreateOrganization)"), "{told}");
    let again = desk.run(&["--check", "--prune"]);
    // The administrator stands in no file.
    assert!(stderr(&again).contains("user admin"), "{}", stderr(&again));
    assert_eq!(desk.run(&["--check"]).status.code(), Some(0), "{}", stdout(&desk.run(&[])));

    let roots = organizations(&admin, "ListRoots", json!({})).await;
    assert_eq!(roots["Roots"][0]["PolicyTypes"].as_array().unwrap().len(), 2, "{roots}");
    let parents = organizations(&admin, "ListParents", json!({ "ChildId": desk.partner })).await;
    assert_eq!(parents["Parents"][0]["Type"], "ORGANIZATIONAL_UNIT", "{parents}");
    let on = json!({ "TargetId": desk.partner, "Filter": "SERVICE_CONTROL_POLICY" });
    let on = organizations(&admin, "ListPoliciesForTarget", on).await;
    assert_eq!(on["Policies"].as_array().unwrap().len(), 1, "{on}");
    assert_eq!(on["Policies"][0]["Name"], "only reads");

    // What is exported applies without a step, in both formats, to the last thing there is.
    for format in ["toml", "json"] {
        let text = done(&desk.broker.command(&["export", "--format", format]));
        assert!(text.contains("only reads") && text.contains("SERVICE_CONTROL_POLICY/guard"));
        let file = desk.broker.home.folder().join(format!("export.{format}"));
        std::fs::write(&file, text).unwrap();
        let check = desk.broker.command(&["apply", file.to_str().unwrap(), "--check", "--prune"]);
        assert_eq!(check.status.code(), Some(0), "{}{}", stdout(&check), stderr(&check));
    }

    // What somebody changed by hand is drift, and goes back.
    let root = roots["Roots"][0]["Id"].as_str().unwrap();
    let unit = json!({ "ParentId": root, "Name": "by hand" });
    organizations(&admin, "CreateOrganizationalUnit", unit).await;
    let parent = parents["Parents"][0]["Id"].as_str().unwrap();
    let away = json!({
        "AccountId": desk.partner, "SourceParentId": parent, "DestinationParentId": root,
    });
    organizations(&admin, "MoveAccount", away).await;
    let told = done(&desk.run(&["--yes"]));
    assert!(told.contains("(organizations:MoveAccount)"), "{told}");
    assert!(told.contains("0 added, 1 changed, 0 removed"), "{told}");

    // Everything that may change does; what no file names goes with --prune.
    desk.write(
        &(FILE
            .replace("orders:Purge*", "orders:Drop*")
            .replace("No purges", "No drops")
            .replace("owner = \"platform\"", "Owner = \"core\"")
            .replace("team = ", "crew = ")
            .replace("a\\\\/b", "renamed")
            .replace("policies = [\"only reads\"]", "policies = [\"FullAWSAccess\"]")
            .replace("\"RESOURCE_CONTROL_POLICY/guard\"", "\"SERVICE_CONTROL_POLICY/guard\"")
            .replace("\"only reads\"", "\"others\"")
            + "\n[[user]]\nname = \"admin\"\n"),
    );
    let told = done(&desk.run(&["--prune", "--yes"]));
    for gone in ["- unit by hand", "- unit production/a\\/b", "only reads  (organizations:DeleteP"]
    {
        assert!(told.contains(gone), "{gone}: {told}");
    }
    let check = desk.run(&["--check", "--prune"]);
    assert_eq!(check.status.code(), Some(0), "{}{}", stdout(&check), stderr(&check));

    // A type that is turned off takes its policies off everything.
    desk.write(
        "[organization]\npolicy_types = []\npolicies = []\n[[organization.account]]\n\
         id = \"PARTNER\"\nunit = \"\"\n",
    );
    let told = done(&desk.run(&["--yes"]));
    assert!(told.contains("(organizations:DisablePolicyType)"), "{told}");
    assert!(!told.contains("DetachPolicy"), "{told}");
    assert_eq!(desk.run(&["--check"]).status.code(), Some(0), "{}", stdout(&desk.run(&[])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_leaves_the_organization_as_it_was() {
    let desk = Desk::new();
    done(&desk.run(&["--yes"]));
    let before = desk.export();
    let admin_file = "\n[[user]]\nname = \"admin\"\n";
    for (what, from, to, word) in [
        (
            "no such type",
            "type = \"SERVICE_CONTROL_POLICY\"",
            "type = \"TAG_POLICY\"",
            "TAG_POLICY",
        ),
        ("no such policy", "policies = [\"only reads\"]", "policies = [\"gone\"]", "gone"),
        ("both types", "SERVICE_CONTROL_POLICY/guard", "guard", "say "),
        ("no such unit", "unit = \"production", "unit = \"nowhere", "nowhere"),
        ("no member", "id = \"PARTNER\"", "id = \"999999999999\"", "not in the organization"),
        ("a path of nothing", "path = \"production\"", "path = \"production/\"", "production/"),
        ("a unit twice", "path = \"production/a\\\\/b\"", "path = \"production\"", "twice"),
        ("no policy at all", "policies = [\"only reads\"]", "policies = []", "DetachPolicy"),
        ("a policy with a mistake", "\"orders:Purge*\"", "7", "UpdatePolicy"),
        (
            "fewer features",
            "[organization]",
            "[organization]\nfeature_set = \"CONSOLIDATED_BILLING\"",
            "fewer",
        ),
        ("an unknown key", "policy_types", "policy_type", "policy_type"),
    ] {
        let text = FILE.replace(from, to) + admin_file;
        assert_ne!(text, FILE, "{what}");
        desk.write(&text);
        for arguments in [&[][..], &["--check"], &["--yes"]] {
            let refused = desk.run(arguments);
            let said = stderr(&refused);
            assert_eq!(refused.status.code(), Some(1), "{what}: {}{said}", stdout(&refused));
            assert!(said.contains(word), "{what}: {said}");
        }
        assert_eq!(desk.export(), before, "{what}");
    }
    // Pruning removes no unit in which an account stands that the files do not place.
    desk.write(&format!("[organization]{admin_file}"));
    let refused = desk.run(&["--prune", "--yes"]);
    assert!(stderr(&refused).contains(&desk.partner), "{}", stderr(&refused));
    assert_eq!(desk.export(), before);
    // Without a table of it the organization is not touched at all.
    desk.write(admin_file);
    assert_eq!(desk.run(&["--prune", "--check"]).status.code(), Some(0));
}

/// The right to an account's directory is none to the organization, and each step asks for its own.
#[tokio::test(flavor = "multi_thread")]
async fn the_organization_in_files_asks_for_its_own_permissions() {
    let desk = Desk::new();
    done(&desk.run(&["--yes"]));
    let admin = desk.broker.admin();
    let account = &desk.broker.home.account;
    let directory = format!("arn:aws:countersign::{account}:directory");
    let before = desk.export();
    desk.write(&FILE.replace("orders:Purge*", "orders:Drop*"));
    for (name, statements, word) in [
        (
            "directory",
            json!([{ "Effect": "Allow", "Action": "countersign:*", "Resource": directory },
                { "Effect": "Allow", "Action": "organizations:*", "Resource": "*" }]),
            ":organization",
        ),
        (
            "no-update",
            json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" },
                { "Effect": "Deny", "Action": "organizations:UpdatePolicy", "Resource": "*" }]),
            "organizations:UpdatePolicy",
        ),
    ] {
        let who = admin.make_user(name, &policy(&statements)).await;
        let mut command = crate::broker::countersign(["apply", "--yes"]);
        command
            .arg(&desk.file)
            .env("AWS_ENDPOINT_URL", desk.broker.url())
            .env("AWS_ACCESS_KEY_ID", &who.id)
            .env("AWS_SECRET_ACCESS_KEY", &who.secret);
        let refused = command.output().unwrap();
        let said = stderr(&refused);
        assert_eq!(refused.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("AccessDenied") && said.contains(word), "{name}: {said}");
    }
    // A member describes no organization, whatever it may do in its account.
    let role = format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", desk.partner);
    let session = admin.assume(&role, &[]).await.unwrap();
    let mut command = crate::broker::countersign(["apply", "--yes"]);
    command
        .arg(&desk.file)
        .env("AWS_ENDPOINT_URL", desk.broker.url())
        .env("AWS_ACCESS_KEY_ID", &session.id)
        .env("AWS_SECRET_ACCESS_KEY", &session.secret)
        .env("AWS_SESSION_TOKEN", session.token.as_deref().unwrap_or_default());
    let refused = command.output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    for name in ["directory", "no-update"] {
        let about = [("UserName", name), ("PolicyName", "own")];
        admin.iam("DeleteUserPolicy", &about).await.ok();
        let keys = admin.iam("ListAccessKeys", &[("UserName", name)]).await.ok();
        let id = keys.text("AccessKeyId").unwrap();
        admin.iam("DeleteAccessKey", &[("UserName", name), ("AccessKeyId", &id)]).await.ok();
        admin.iam("DeleteUser", &[("UserName", name)]).await.ok();
    }
    assert_eq!(desk.export(), before);
}
