//! The main job with nothing but commands of the AWS CLI and our own.
//!
//! Each command starts a Python: what can be had from boto3 in one process stands in
//! `tests/sdk/python`.

use std::process::Command;

use serde_json::Value;

use crate::broker::{Broker, stderr, stdout};
use crate::caller::{Credentials, allow, policy, trust, trust_if};
use crate::python::{aws, client, done, refused, with_key};

/// One broker and its CLI.
struct Cli<'b>(&'b Broker);

impl Cli<'_> {
    fn aws(&self, key: &Credentials, words: &str, more: &[&str]) -> Command {
        aws(&self.0.url(), Some(key), words, more)
    }

    /// As the first administrator.
    fn admin(&self, words: &str, more: &[&str]) -> String {
        done(self.aws(&self.0.home.first, words, more))
    }

    /// The credentials in an answer of `sts assume-role` or `iam create-access-key`.
    fn key(answer: &str, member: &str) -> Credentials {
        let answer: Value = serde_json::from_str(answer).unwrap();
        let text = |name: &str| answer[member][name].as_str().map(ToOwned::to_owned);
        Credentials {
            id: text("AccessKeyId").unwrap(),
            secret: text("SecretAccessKey").unwrap(),
            token: text("SessionToken"),
        }
    }

    fn whoami(&self, key: &Credentials) -> String {
        done(self.aws(key, "sts get-caller-identity --query Arn --output text", &[]))
    }

    fn countersign(&self, words: &str) -> String {
        let words: Vec<_> = words.split_whitespace().collect();
        let output = self.0.command(&words);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output).trim_end().to_owned()
    }
}

#[test]
fn the_main_job() {
    let broker = Broker::start();
    let cli = Cli(&broker);
    let home = &broker.home.account;

    // A user who may assume one role of a partner.
    let (partner, administrator) = {
        let made = cli.countersign("accounts create partner");
        let (id, role) = made.split_once('\t').unwrap();
        (id.to_owned(), role.to_owned())
    };
    assert_eq!(administrator, format!("arn:aws:iam::{partner}:role/OrganizationAccountAccessRole"));
    let deploy = format!("arn:aws:iam::{partner}:role/deploy");
    cli.admin("iam create-user --user-name alice", &[]);
    let may = allow("sts:AssumeRole", &format!("arn:aws:iam::{partner}:role/*")).to_string();
    cli.admin(
        "iam put-user-policy --user-name alice --policy-name assume --policy-document",
        &[&may],
    );
    let alice = Cli::key(&cli.admin("iam create-access-key --user-name alice", &[]), "AccessKey");
    assert_eq!(cli.whoami(&alice), format!("arn:aws:iam::{home}:user/alice"));

    // The partner's administrator makes the role, which wants an ExternalId.
    let assume = format!("sts assume-role --role-session-name cli --role-arn {administrator}");
    let partner_admin = Cli::key(&cli.admin(&assume, &[]), "Credentials");
    let condition = serde_json::json!({ "StringEquals": { "sts:ExternalId": "partner-7" } });
    let document = trust_if(&format!("arn:aws:iam::{home}:user/alice"), &condition).to_string();
    let create = "iam create-role --role-name deploy --assume-role-policy-document";
    let made = done(cli.aws(&partner_admin, create, &[&document]));
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["Role"]["Arn"], deploy.as_str());
    assert_eq!(
        made["Role"]["AssumeRolePolicyDocument"],
        serde_json::from_str::<Value>(&document).unwrap()
    );

    // Without the ExternalId, and for a role that does not exist: the same words.
    let words = |role: &str, more: &str| {
        let base = format!("sts assume-role --role-session-name monday --role-arn {role}");
        format!("{base} {more}")
    };
    let untrusting = refused(cli.aws(&alice, &words(&deploy, ""), &[]), "AccessDenied");
    let missing = format!("arn:aws:iam::{partner}:role/nobody");
    let absent = refused(cli.aws(&alice, &words(&missing, ""), &[]), "AccessDenied");
    assert_eq!(untrusting.replace("role/deploy", "role/nobody"), absent);

    // With it.
    let granted = done(cli.aws(&alice, &words(&deploy, "--external-id partner-7"), &[]));
    let session = Cli::key(&granted, "Credentials");
    assert!(session.id.starts_with("ASIA"));
    assert_eq!(cli.whoami(&session), format!("arn:aws:sts::{partner}:assumed-role/deploy/monday"));

    // Revoked, it is nobody's.
    let revoked = cli.countersign(&format!("sessions revoke {} --admin", session.id));
    assert!(revoked.starts_with("revoked at "), "{revoked}");
    refused(cli.aws(&session, "sts get-caller-identity", &[]), "InvalidClientTokenId");
    // So is a session revoked over the API, by whom the policies allow it.
    let second = done(cli.aws(&alice, &words(&deploy, "--external-id partner-7"), &[]));
    let second = Cli::key(&second, "Credentials");
    let mut command = crate::broker::countersign(["sessions", "revoke", &second.id]);
    command.env("AWS_ENDPOINT_URL", broker.url());
    done(std::mem::replace(with_key(&mut command, &partner_admin), Command::new("true")));
    refused(cli.aws(&second, "sts get-caller-identity", &[]), "InvalidClientTokenId");
}

#[test]
fn credentials_that_are_no_good() {
    let broker = Broker::start();
    let cli = Cli(&broker);
    let first = broker.home.first.clone();
    let ask = "sts get-caller-identity";

    let wrong = Credentials { secret: "x".repeat(40), ..first.clone() };
    refused(cli.aws(&wrong, ask, &[]), "SignatureDoesNotMatch");
    let unknown = Credentials { id: "AKIAQAAAAAAAAAAAAAAA".into(), ..first.clone() };
    refused(cli.aws(&unknown, ask, &[]), "InvalidClientTokenId");
    let session = Credentials {
        id: first.id.replacen("AKIA", "ASIA", 1),
        token: Some("CST1garbage".into()),
        ..first
    };
    refused(cli.aws(&session, ask, &[]), "InvalidClientTokenId");

    // What is not there is said at once: an error that clients repeat would be asked for again.
    let complaint = refused(
        cli.aws(
            &broker.home.first,
            "iam generate-service-last-accessed-details --arn arn:aws:iam::aws:policy/None",
            &[],
        ),
        "InvalidAction",
    );
    assert!(complaint.contains("GenerateServiceLastAccessedDetails"), "{complaint}");
    let asked = broker.log().lines().filter(|line| line.contains("InvalidAction")).count();
    assert_eq!(asked, 1, "it was asked again");
}

/// What an administrator does with users and roles.
#[test]
fn administration() {
    let broker = Broker::start();
    let cli = Cli(&broker);
    let home = &broker.home.account;
    let document = trust(&format!("arn:aws:iam::{home}:root")).to_string();
    let create = "iam create-role --role-name ops --assume-role-policy-document";
    cli.admin(create, &[&document]);
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    cli.admin(&format!("iam attach-role-policy --role-name ops --policy-arn {admin}"), &[]);
    let conflict = cli.aws(&broker.home.first, "iam delete-role --role-name ops", &[]);
    refused(conflict, "DeleteConflict");
    cli.admin(&format!("iam detach-role-policy --role-name ops --policy-arn {admin}"), &[]);

    let assume = format!(
        "sts assume-role --role-session-name me --role-arn arn:aws:iam::{home}:role/ops --query \
         AssumedRoleUser.Arn --output text"
    );
    let arn = format!("arn:aws:sts::{home}:assumed-role/ops/me");
    assert_eq!(cli.admin(&assume, &[]), arn);
    let nobody = policy(&serde_json::json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
    }));
    cli.admin(
        "iam update-assume-role-policy --role-name ops --policy-document",
        &[&nobody.to_string()],
    );
    refused(cli.aws(&broker.home.first, &assume, &[]), "AccessDenied");
    cli.admin("iam delete-role --role-name ops", &[]);
}

/// A chain of roles by the profiles of a configuration file, as people have them at home.
#[tokio::test]
async fn profiles_chain_roles() {
    let broker = Broker::start();
    let admin = broker.admin();
    let home = &broker.home.account;
    let may = allow("sts:AssumeRole", "*");
    let alice = admin.make_user("alice", &may).await;
    let user = format!("arn:aws:iam::{home}:user/alice");
    let condition = serde_json::json!({ "StringEquals": { "sts:ExternalId": "x:7" } });
    let first = admin.make_role("first", &trust_if(&user, &condition), &may).await;
    let second = admin.make_role("second", &trust(&first), &may).await;
    let config = broker.home.folder().join("config");
    let text = format!(
        "[profile base]\naws_access_key_id = {}\naws_secret_access_key = {}\n\
         [profile first]\nsource_profile = base\nrole_arn = {first}\nexternal_id = x:7\n\
         role_session_name = one\n\
         [profile second]\nsource_profile = first\nrole_arn = {second}\nrole_session_name = two\n",
        alice.id, alice.secret
    );
    std::fs::write(&config, text).unwrap();
    let whoami = |profile: &str| {
        let mut command = client(&broker.url());
        command.env("AWS_CONFIG_FILE", &config).args(["-m", "awscli", "--profile", profile]);
        command.args(["sts", "get-caller-identity", "--query", "Arn", "--output", "text"]);
        command
    };
    assert_eq!(done(whoami("second")), format!("arn:aws:sts::{home}:assumed-role/second/two"));
    let log = broker.home.audit();
    let chained = log.iter().rev().find(|record| record["eventName"] == "GetCallerIdentity");
    let ancestors = &chained.unwrap()["additionalEventData"]["ancestors"];
    let ancestors: Vec<_> =
        ancestors.as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    assert!(ancestors[0].contains("assumed-role/first/one"), "{ancestors:?}");
    assert_eq!(ancestors[1], format!("{user} {}", alice.id));
}

/// Groups, policies with versions, providers and reports, by commands.
#[test]
fn groups_policies_and_reports() {
    let broker = Broker::start();
    let cli = Cli(&broker);
    let home = &broker.home.account;
    cli.admin("iam create-user --user-name alice", &[]);
    let alice = Cli::key(&cli.admin("iam create-access-key --user-name alice", &[]), "AccessKey");
    cli.admin("iam create-group --group-name staff --path /team/", &[]);
    cli.admin("iam add-user-to-group --group-name staff --user-name alice", &[]);
    let list_users = allow("iam:ListUsers", "*").to_string();
    let arn = cli.admin(
        "iam create-policy --policy-name lister --query Policy.Arn --output text --policy-document",
        &[&list_users],
    );
    assert_eq!(arn, format!("arn:aws:iam::{home}:policy/lister"));
    let names = "iam list-users --query Users[].UserName --output text";
    refused(cli.aws(&alice, names, &[]), "AccessDenied");
    cli.admin(&format!("iam attach-group-policy --group-name staff --policy-arn {arn}"), &[]);
    assert_eq!(done(cli.aws(&alice, names, &[])), "admin\talice");
    // Another version of the policy counts for her at once.
    let list_roles = allow("iam:ListRoles", "*").to_string();
    let create = format!(
        "iam create-policy-version --policy-arn {arn} --set-as-default --query \
         PolicyVersion.VersionId --output text --policy-document"
    );
    assert_eq!(cli.admin(&create, &[&list_roles]), "v2");
    refused(cli.aws(&alice, names, &[]), "AccessDenied");
    let held = cli.admin(
        &format!(
            "iam list-entities-for-policy --policy-arn {arn} --query PolicyGroups[].GroupName \
             --output text"
        ),
        &[],
    );
    assert_eq!(held, "staff");
    let delete = cli.aws(&broker.home.first, "iam delete-group --group-name staff", &[]);
    refused(delete, "DeleteConflict");

    cli.admin("iam generate-credential-report", &[]);
    let report = cli.admin("iam get-credential-report --query Content --output text", &[]);
    assert!(report.len() > 100, "{report}");
    let used = format!("iam get-access-key-last-used --access-key-id {}", alice.id);
    let used = cli.admin(&format!("{used} --query AccessKeyLastUsed.ServiceName"), &[]);
    assert_eq!(used, "\"iam\"");
    let summary = "iam get-account-summary --query SummaryMap.Users --output text";
    assert_eq!(cli.admin(summary, &[]), "2");
}
