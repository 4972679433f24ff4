//! Every operation of IAM in the catalogue: denied without permission, allowed with exactly its own
//! action, and as silent about what is missing as about what is there.

use super::{must, refused};
use crate::directory::managed::ADMINISTRATOR_ACCESS;
use crate::ops::catalog::ROWS;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{Bench, Credentials, allow, trusting};
use crate::ops::{Effect, Service};

/// Parameters that make a call succeed on the entities of [`stage`]. `KEY` stands for the key.
fn parameters(action: &str) -> Vec<(&'static str, &'static str)> {
    const POLICY: (&str, &str) = (
        "PolicyDocument",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
    );
    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}"#;
    const USER: (&str, &str) = ("UserName", "bob");
    const ROLE: (&str, &str) = ("RoleName", "reader");
    const NAME: (&str, &str) = ("PolicyName", "inline");
    const ARN: (&str, &str) = ("PolicyArn", ADMINISTRATOR_ACCESS);
    const KEY: (&str, &str) = ("AccessKeyId", "KEY");
    const BOUNDARY: (&str, &str) = ("PermissionsBoundary", ADMINISTRATOR_ACCESS);
    const TAG: (&str, &str) = ("Tags.member.1.Key", "k");
    match action {
        "CreateUser" => vec![("UserName", "new")],
        "CreateRole" => vec![("RoleName", "new"), ("AssumeRolePolicyDocument", TRUST)],
        "DeleteUser" => vec![("UserName", "bare")],
        "DeleteRole" => vec![("RoleName", "bare")],
        "ListUsers" | "ListRoles" => vec![],
        "GetContextKeysForCustomPolicy" => vec![("PolicyInputList.member.1", POLICY.1)],
        "SimulateCustomPolicy" => {
            vec![("PolicyInputList.member.1", POLICY.1), ("ActionNames.member.1", "s3:GetObject")]
        }
        "GetUser"
        | "CreateAccessKey"
        | "ListAccessKeys"
        | "ListUserPolicies"
        | "ListAttachedUserPolicies"
        | "ListUserTags"
        | "DeleteUserPermissionsBoundary" => vec![USER],
        "GetRole"
        | "UpdateRole"
        | "ListRolePolicies"
        | "ListAttachedRolePolicies"
        | "ListRoleTags"
        | "DeleteRolePermissionsBoundary" => vec![ROLE],
        "UpdateUser" => vec![USER, ("NewPath", "/new/")],
        "UpdateRoleDescription" => vec![ROLE, ("Description", "d")],
        "UpdateAssumeRolePolicy" => vec![ROLE, ("PolicyDocument", TRUST)],
        "UpdateAccessKey" => vec![USER, KEY, ("Status", "Inactive")],
        "DeleteAccessKey" => vec![USER, KEY],
        "PutUserPolicy" => vec![USER, NAME, POLICY],
        "PutRolePolicy" => vec![ROLE, NAME, POLICY],
        "GetUserPolicy" | "DeleteUserPolicy" => vec![USER, NAME],
        "GetRolePolicy" | "DeleteRolePolicy" => vec![ROLE, NAME],
        "AttachUserPolicy" | "DetachUserPolicy" => vec![USER, ARN],
        "AttachRolePolicy" | "DetachRolePolicy" => vec![ROLE, ARN],
        "PutUserPermissionsBoundary" => vec![USER, BOUNDARY],
        "PutRolePermissionsBoundary" => vec![ROLE, BOUNDARY],
        "TagUser" => vec![USER, TAG, ("Tags.member.1.Value", "v")],
        "TagRole" => vec![ROLE, TAG, ("Tags.member.1.Value", "v")],
        "UntagUser" => vec![USER, ("TagKeys.member.1", "k")],
        "UntagRole" => vec![ROLE, ("TagKeys.member.1", "k")],
        other => panic!("{other} has no row in the matrix of permissions: add one"),
    }
}

/// Makes what the calls work on, and returns the key of `bob`.
async fn stage(bench: &Bench) -> Credentials {
    let admin = &bench.a;
    let bob = bench.user(admin, "bob", &allow(&["sts:GetCallerIdentity"])).await;
    must(bench, admin, "CreateUser", &[("UserName", "bare")]).await;
    let trust = trusting(&["111111111111"]);
    bench.role(admin, "reader", &trust, &allow(&["s3:GetObject"])).await;
    let bare = [("RoleName", "bare"), ("AssumeRolePolicyDocument", trust.as_str())];
    must(bench, admin, "CreateRole", &bare).await;
    for action in [
        "PutUserPolicy",
        "PutRolePolicy",
        "AttachUserPolicy",
        "AttachRolePolicy",
        "PutUserPermissionsBoundary",
        "PutRolePermissionsBoundary",
    ] {
        must(bench, admin, action, &parameters(action)).await;
    }
    bob
}

fn with_key<'p>(parameters: &[(&'p str, &'p str)], key: &'p str) -> Vec<(&'p str, &'p str)> {
    parameters.iter().map(|(n, v)| (*n, if *v == "KEY" { key } else { *v })).collect()
}

fn iam_rows() -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter(|row| row.service == Service::Iam).map(|row| row.name)
}

/// Those that name an entity which is to exist.
fn naming_rows() -> impl Iterator<Item = &'static str> {
    let others = [
        "CreateUser",
        "CreateRole",
        "ListUsers",
        "ListRoles",
        "SimulateCustomPolicy",
        "GetContextKeysForCustomPolicy",
    ];
    iam_rows().filter(move |name| !others.contains(name))
}

#[tokio::test]
async fn without_permission_every_operation_is_denied_and_changes_nothing() {
    let bench = Bench::new().await;
    let bob = stage(&bench).await;
    let everything_else: Vec<&str> = iam_rows().collect();
    for action in &everything_else {
        // Allowed every other action of IAM, and everything else besides.
        let denied = serde_json::json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "NotAction": format!("iam:{action}"), "Resource": "*" },
        ]});
        let name = format!("not-{action}");
        let caller = bench.user(&bench.a, &name, &denied.to_string()).await;
        let version = bench.services.directory.snapshot().version();
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        let result = bench.call(&caller, action, &parameters).await;
        let message = refused(result, FaultCode::AccessDenied);
        let sentence = format!(
            "User: arn:aws:iam::111111111111:user/{name} is not authorized to perform: \
             iam:{action} on resource: "
        );
        assert!(message.starts_with(&sentence), "{message}");
        let why = format!("because no identity-based policy allows the iam:{action} action");
        assert!(message.ends_with(&why), "{message}");
        assert_eq!(bench.services.directory.snapshot().version(), version, "{action}");
    }
}

#[tokio::test]
async fn with_exactly_its_own_action_every_operation_is_allowed() {
    for action in iam_rows() {
        let bench = Bench::new().await;
        let bob = stage(&bench).await;
        let caller = bench.user(&bench.a, "caller", &allow(&[&format!("iam:{action}")])).await;
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        must(&bench, &caller, action, &parameters).await;
    }
}

#[tokio::test]
async fn a_denied_caller_cannot_tell_what_is_there_from_what_is_not() {
    let bench = Bench::new().await;
    let bob = stage(&bench).await;
    let caller = bench.user(&bench.a, "caller", &allow(&["s3:*"])).await;
    // Somewhere else than where a missing entity's ARN would put them.
    for (action, parameters) in [
        ("CreateUser", &[("UserName", "deep"), ("Path", "/far/away/")][..]),
        (
            "CreateRole",
            &[
                ("RoleName", "deep"),
                ("Path", "/far/away/"),
                ("AssumeRolePolicyDocument", &trusting(&["111111111111"])),
            ],
        ),
    ] {
        must(&bench, &bench.a, action, parameters).await;
    }
    for action in naming_rows() {
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        let mut told = Vec::new();
        for name in ["deep", "gone"] {
            let parameters: Vec<_> = parameters
                .iter()
                .map(|(n, v)| {
                    (*n, if n.ends_with("erName") || *n == "RoleName" { name } else { v })
                })
                .collect();
            let fault = bench.call(&caller, action, &parameters).await.unwrap_err();
            // The sealed reason is never the same twice; its length must be.
            let whole = fault.told().chars().count();
            let message = refused(Err::<(), _>(fault), FaultCode::AccessDenied);
            told.push((message.replace(name, "NAME"), whole));
        }
        assert_eq!(told[0], told[1], "{action}");
    }
}

#[tokio::test]
async fn a_name_never_reaches_another_account() {
    let bench = Bench::new().await;
    let bob = stage(&bench).await;
    for action in naming_rows() {
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        refused(bench.call(&bench.b, action, &parameters).await, FaultCode::NoSuchEntity);
    }
}

#[tokio::test]
async fn effects_are_what_the_names_say() {
    for row in ROWS.iter().filter(|row| row.service == Service::Iam) {
        let expected = match row.name {
            "CreateAccessKey" => Effect::Mint,
            name if ["Get", "List", "Simulate"].iter().any(|verb| name.starts_with(verb)) => {
                Effect::Read
            }
            _ => Effect::Write,
        };
        assert_eq!(row.effect, expected, "{}", row.name);
    }
}
