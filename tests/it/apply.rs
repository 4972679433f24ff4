//! An account's directory as files: exported, planned, applied, pruned; all or nothing, and with no
//! more rights than the caller's own.

use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};

use crate::broker::{Broker, countersign, stderr, stdout};
use crate::caller::{Credentials, policy};

const FILE: &str = r#"
account_alias = "orders-prod"

[password_policy]
minimum_length = 14
require_numbers = true

[[policy]]
name = "read-orders"
path = "/orders/"
description = "Reads orders"
tags = { team = "orders" }
document = '''
{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "orders:Get*", "Resource": "*"}}
'''

[[group]]
name = "readers"
policies = ["read-orders"]

[[user]]
name = "alice"
path = "/people/"
groups = ["readers"]
tags = { team = "orders" }
permissions_boundary = "PowerUserAccess"

# It trusts a role that stands below it.
[[role]]
name = "deploy"
max_session_duration = 7200
policies = ["ReadOnlyAccess"]
trust = '''
{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
 "Principal": {"AWS": ["arn:aws:iam::ACCOUNT:role/ci", "arn:aws:iam::ACCOUNT:user/people/alice"]}}}
'''
[role.inline.own]
Version = "2012-10-17"
Statement = [{ Effect = "Allow", Action = ["orders:*"], Resource = "*" }]

[[role]]
name = "ci"
trust = "file://ci.json"

[[instance_profile]]
name = "builders"
role = "ci"
"#;

struct Desk {
    broker: Broker,
    folder: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let broker = Broker::start();
        let folder = broker.home.folder().join("iam");
        std::fs::create_dir(&folder).unwrap();
        let root = format!("arn:aws:iam::{}:root", broker.home.account);
        let trust = crate::caller::trust(&root).to_string();
        std::fs::write(folder.join("ci.json.txt"), "not taken").unwrap();
        std::fs::write(folder.join("notes.md"), "not taken").unwrap();
        let desk = Self { broker, folder };
        std::fs::create_dir(desk.folder.join("documents")).unwrap();
        std::fs::write(desk.folder.join("documents/ci.json"), trust).unwrap();
        desk.write("main.toml", FILE);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        let text = text
            .replace("ACCOUNT", &self.broker.home.account)
            .replace("file://ci.json", "file://documents/ci.json");
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let folder = self.folder.to_str().unwrap();
        self.broker.command(&[&["apply", folder], arguments].concat())
    }

    fn run_as(&self, who: &Credentials, arguments: &[&str]) -> Output {
        let mut command =
            countersign([&["apply", self.folder.to_str().unwrap()], arguments].concat());
        command
            .env("AWS_ENDPOINT_URL", self.broker.url())
            .env("AWS_ACCESS_KEY_ID", &who.id)
            .env("AWS_SECRET_ACCESS_KEY", &who.secret);
        command.output().unwrap()
    }
}

#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
    stdout(output)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_planned_applied_kept_and_exported() {
    let desk = Desk::new();
    let admin = desk.broker.admin();

    let planned = done(&desk.run(&[]));
    assert!(planned.contains("+ role deploy  (iam:CreateRole)"), "{planned}");
    assert!(planned.contains("planned: "), "{planned}");
    admin.iam("GetRole", &[("RoleName", "deploy")]).await.refused("NoSuchEntity");
    assert_eq!(desk.run(&["--check"]).status.code(), Some(3), "there is something to do");

    let told = done(&desk.run(&["--yes"]));
    assert!(told.contains("done: "), "{told}");
    let role = admin.iam("GetRole", &[("RoleName", "deploy")]).await.ok();
    assert_eq!(role.text("MaxSessionDuration").as_deref(), Some("7200"));
    let groups = admin.iam("ListGroupsForUser", &[("UserName", "alice")]).await.ok();
    assert_eq!(groups.text("GroupName").as_deref(), Some("readers"));
    let aliases = admin.iam("ListAccountAliases", &[]).await.ok();
    assert!(aliases.body.contains("orders-prod"));

    // Nothing is left to do, and nothing is said to be.
    let again = desk.run(&["--check"]);
    assert_eq!(again.status.code(), Some(0), "{}", stdout(&again));

    // What somebody changed by hand is drift, and goes back.
    admin
        .iam(
            "DetachRolePolicy",
            &[("RoleName", "deploy"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")],
        )
        .await
        .ok();
    let drift = desk.run(&["--check", "--format", "json"]);
    assert_eq!(drift.status.code(), Some(3));
    let plan: Value = serde_json::from_slice(&drift.stdout).unwrap();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(plan["steps"][0]["action"], "iam:AttachRolePolicy");
    done(&desk.run(&["--yes"]));

    // Every attribute that may change does.
    desk.write(
        "main.toml",
        &FILE
            .replace("minimum_length = 14", "minimum_length = 20")
            .replace("orders-prod", "orders-live")
            .replace("orders:Get*", "orders:List*")
            .replace("team = \"orders\"", "owner = \"orders\"")
            .replace("path = \"/people/\"", "path = \"/staff/\"")
            .replace("user/people/alice", "user/staff/alice")
            .replace("PowerUserAccess", "")
            .replace(
                "max_session_duration = 7200",
                "max_session_duration = 3600\ndescription = \"new\"",
            )
            .replace("ReadOnlyAccess", "read-orders")
            .replace("orders:*", "orders:Put")
            .replace("role = \"ci\"", "role = \"\""),
    );
    done(&desk.run(&["--yes"]));
    assert_eq!(desk.run(&["--check"]).status.code(), Some(0), "{}", stdout(&desk.run(&[])));
    let version = [
        (
            "PolicyArn",
            format!("arn:aws:iam::{}:policy/orders/read-orders", desk.broker.home.account),
        ),
        ("VersionId", "v2".to_owned()),
    ];
    let version: Vec<_> = version.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert!(admin.iam("GetPolicyVersion", &version).await.ok().body.contains("List"));

    // What is exported applies without a step, in both formats, to the last thing there is.
    for format in ["toml", "json"] {
        let text = done(&desk.broker.command(&["export", "--format", format]));
        assert!(!text.contains(&desk.broker.home.first.secret));
        let file = desk.broker.home.folder().join(format!("export.{format}"));
        std::fs::write(&file, text).unwrap();
        let check = desk.broker.command(&["apply", file.to_str().unwrap(), "--check", "--prune"]);
        assert_eq!(check.status.code(), Some(0), "{format}: {}", stdout(&check));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_removes_what_no_file_names_but_not_who_asks() {
    let desk = Desk::new();
    done(&desk.run(&["--yes"]));
    let admin = desk.broker.admin();
    let refused = desk.run(&["--prune", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("user admin"), "{}", stderr(&refused));

    desk.write("main.toml", "[[user]]\nname = \"admin\"\n");
    admin.iam("CreateAccessKey", &[("UserName", "alice")]).await.ok();
    let told = done(&desk.run(&["--prune", "--yes"]));
    assert!(told.contains("- user alice  (iam:DeleteUser)"), "{told}");
    for (action, name, value) in [
        ("GetUser", "UserName", "alice"),
        ("GetRole", "RoleName", "deploy"),
        ("GetRole", "RoleName", "ci"),
        ("GetGroup", "GroupName", "readers"),
        ("GetInstanceProfile", "InstanceProfileName", "builders"),
    ] {
        admin.iam(action, &[(name, value)]).await.refused("NoSuchEntity");
    }
    admin.whoami().await.ok();
    // Its policies stood in no file: they are as they were.
    admin.iam("GetUser", &[("UserName", "admin")]).await.ok();
    assert_eq!(desk.run(&["--prune", "--check"]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_step_leaves_everything_as_it_was() {
    let desk = Desk::new();
    let before = done(&desk.broker.command(&["export"]));
    // The last step of many is refused.
    desk.write("main.toml", &FILE.replace("role = \"ci\"", "role = \"nobody\""));
    let refused = desk.run(&["--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.contains("instance profile builders: role nobody"), "{said}");
    assert!(said.contains("NoSuchEntity"), "{said}");
    assert_eq!(done(&desk.broker.command(&["export"])), before);

    for (what, from, to, word) in [
        (
            "an unknown key",
            "max_session_duration",
            "max_session_durations",
            "max_session_durations",
        ),
        ("a policy that does not parse", "orders:Get*", "orders", "read-orders"),
        ("a name twice", "name = \"ci\"", "name = \"deploy\"", "twice"),
        ("no such policy", "ReadOnlyAccess", "NoSuchAccess", "NoSuchAccess"),
        ("a quota", "max_session_duration = 7200", "max_session_duration = 7", "deploy"),
    ] {
        desk.write("main.toml", &FILE.replace(from, to));
        let refused = desk.run(&["--yes"]);
        assert_eq!(refused.status.code(), Some(1), "{what}");
        assert!(stderr(&refused).contains(word), "{what}: {}", stderr(&refused));
        assert_eq!(done(&desk.broker.command(&["export"])), before, "{what}");
    }
}

/// M17: the right to apply or to export gives no other right, and files make no key of anybody's.
#[tokio::test(flavor = "multi_thread")]
async fn museum_m17_applying_gives_nobody_more_than_he_has() {
    let desk = Desk::new();
    let admin = desk.broker.admin();
    let before = done(&desk.broker.command(&["export"]));
    desk.write("main.toml", "[[access_key]]\nuser = \"admin\"\n");
    let refused = desk.run(&["--yes"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
    desk.write("main.toml", FILE);
    let may =
        |actions: &[&str]| policy(&json!({"Effect": "Allow", "Action": actions, "Resource": "*"}));
    let cases = [
        ("nothing", may(&["s3:*"]), "countersign:ExportDirectory"),
        ("only export", may(&["countersign:ExportDirectory"]), "countersign:ApplyDirectory"),
        ("only the countersign actions", may(&["countersign:*"]), "iam:"),
        (
            "all but one step",
            policy(&json!([
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "iam:AttachGroupPolicy", "Resource": "*"},
            ])),
            "iam:AttachGroupPolicy",
        ),
        (
            "a boundary is asked for",
            policy(&json!([
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*",
                 "Condition": {"Null": {"iam:PermissionsBoundary": "true"}}},
            ])),
            "iam:CreateRole",
        ),
    ];
    for (number, (what, policy, word)) in cases.into_iter().enumerate() {
        let who = admin.make_user(&format!("u{number}"), &policy).await;
        let refused = desk.run_as(&who, &["--yes"]);
        assert_eq!(refused.status.code(), Some(1), "{what}");
        let said = stderr(&refused);
        assert!(said.contains("AccessDenied") && said.contains(word), "{what}: {said}");
    }
    for number in 0..5 {
        let name = format!("u{number}");
        let about = [("UserName", name.as_str()), ("PolicyName", "own")];
        admin.iam("DeleteUserPolicy", &about).await.ok();
        let keys = admin.iam("ListAccessKeys", &[("UserName", &name)]).await.ok();
        let id = keys.text("AccessKeyId").unwrap();
        admin.iam("DeleteAccessKey", &[("UserName", &name), ("AccessKeyId", &id)]).await.ok();
        admin.iam("DeleteUser", &[("UserName", &name)]).await.ok();
    }
    assert_eq!(done(&desk.broker.command(&["export"])), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plan_than_the_one_agreed_to_is_not_carried_out() {
    let desk = Desk::new();
    let admin = desk.broker.admin();
    let body = json!({"directory": {"user": [{"name": "bob"}]}, "plan": "0".repeat(64)});
    let plan = crate::caller::Plan::json("POST", "/countersign/v1/directory/apply", &body);
    let refused = admin.send(admin.sign(plan)).await;
    assert!(refused.body.contains("ConcurrentModification"), "{refused:?}");
    admin.iam("GetUser", &[("UserName", "bob")]).await.refused("NoSuchEntity");
}

/// A plan is tried, so that what cannot be applied is found without applying it.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_which_step_would_be_refused() {
    let desk = Desk::new();
    let admin = desk.broker.admin();
    let before = done(&desk.broker.command(&["export"]));
    for (what, from, to, word) in [
        ("a policy with a mistake", "orders:Get*", "orders", "iam:CreatePolicy"),
        ("a name that is not allowed", "name = \"readers\"", "name = \"a b\"", "iam:CreateGroup"),
        ("no such role", "role = \"ci\"", "role = \"nobody\"", "role nobody"),
    ] {
        desk.write("main.toml", &FILE.replace(from, to));
        for arguments in [&[][..], &["--check"]] {
            let refused = desk.run(arguments);
            assert_eq!(refused.status.code(), Some(1), "{what}: {}", stdout(&refused));
            let said = stderr(&refused);
            assert!(said.contains(word) && said.contains("cannot be applied"), "{what}: {said}");
        }
        assert_eq!(done(&desk.broker.command(&["export"])), before, "{what}");
    }
    desk.write("main.toml", FILE);
    // Who may only look sees the drift all the same, and that he cannot mend it.
    let look = policy(&json!({
        "Effect": "Allow", "Action": "countersign:ExportDirectory", "Resource": "*" }));
    let who = admin.make_user("looker", &look).await;
    let drift = desk.run_as(&who, &["--check", "--format", "json"]);
    assert_eq!(drift.status.code(), Some(3), "{}", stderr(&drift));
    assert!(stderr(&drift).contains("this caller cannot apply it"), "{}", stderr(&drift));
    let plan: Value = serde_json::from_slice(&drift.stdout).unwrap();
    assert_eq!(plan["problem"]["code"], "AccessDenied", "{plan}");
    assert_eq!(plan["problem"]["action"], plan["steps"][0]["action"], "{plan}");
    assert_eq!(desk.run(&["--check"]).status.code(), Some(3), "the administrator can");
    assert!(!stderr(&desk.run(&[])).contains("cannot"));
}

/// A document beside the directory files is none of them; one that nobody names is an error.
#[tokio::test(flavor = "multi_thread")]
async fn a_folders_policy_documents_are_not_taken_for_directory_files() {
    let desk = Desk::new();
    let folder = &desk.folder;
    std::fs::rename(folder.join("documents/ci.json"), folder.join("ci-trust.json")).unwrap();
    let text = FILE.replace("file://ci.json", "file://ci-trust.json");
    desk.write("main.toml", &text);
    assert!(done(&desk.run(&[])).contains("+ role ci  (iam:CreateRole)"));
    std::fs::copy(folder.join("ci-trust.json"), folder.join("stray.json")).unwrap();
    let refused = desk.run(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("stray.json"), "{}", stderr(&refused));
}
