//! Changes of users and roles that are there, and what becomes of sessions.

use super::{must, refused};
use crate::api::RevocationTarget;
use crate::directory::managed::ADMINISTRATOR_ACCESS;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, find, trusting};
use crate::wire::xml::percent_encode;

#[tokio::test]
async fn a_renamed_user_keeps_its_identity() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let bob = bench.user(admin, "bob", &allow(&["iam:GetUser"])).await;
    let trust = trusting(&[&format!("arn:aws:iam::{A}:user/bob")]);
    let role = bench.role(admin, "r", &trust, &allow(&["s3:*"])).await;
    let before = must(bench, admin, "GetUser", &[("UserName", "bob")]).await;
    let rename = [("UserName", "bob"), ("NewUserName", "Robert"), ("NewPath", "/team/")];
    must(bench, admin, "UpdateUser", &rename).await;
    let arn = format!("arn:aws:iam::{A}:user/team/Robert");
    assert_eq!(bench.whoami(&bob).await.unwrap(), arn);
    let after = must(bench, &bob, "GetUser", &[]).await;
    assert_eq!(element(&after, "UserId"), element(&before, "UserId"));
    bench.assume(&bob, &role, "me").await.unwrap();
    let shown = must(bench, admin, "GetRole", &[("RoleName", "r")]).await;
    let document = element(&shown, "AssumeRolePolicyDocument");
    assert_eq!(document, percent_encode(&trusting(&[&arn])));
    // The name is free again, and is somebody else.
    let other = bench.user(admin, "bob", &allow(&["s3:*"])).await;
    refused(bench.assume(&other, &role, "me").await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn a_user_is_not_renamed_to_one_that_is_there() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "bob")]).await;
    let rename = |new| [("UserName", "bob"), ("NewUserName", new)];
    let result = bench.call(&bench.a, "UpdateUser", &rename("ADMIN")).await;
    let message = refused(result, FaultCode::EntityAlreadyExists);
    assert_eq!(message, "User with name ADMIN already exists.");
    must(&bench, &bench.a, "UpdateUser", &rename("BOB")).await;
    let shown = must(&bench, &bench.a, "GetUser", &[("UserName", "bob")]).await;
    assert_eq!(element(&shown, "UserName"), "BOB");
}

#[tokio::test]
async fn renaming_needs_permission_on_both_names() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "bob")]).await;
    for (at, (from, to)) in
        [("bob", "none"), ("none", "robert"), ("bob", "robert")].into_iter().enumerate()
    {
        let arn = |name| format!("arn:aws:iam::{A}:user/{name}");
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "iam:UpdateUser", "Resource": [arn(from), arn(to)],
        }});
        let caller = bench.user(&bench.a, &format!("caller{at}"), &policy.to_string()).await;
        let rename = [("UserName", "bob"), ("NewUserName", "robert")];
        let result = bench.call(&caller, "UpdateUser", &rename).await;
        if at == 2 {
            result.unwrap();
        } else {
            refused(result, FaultCode::AccessDenied);
        }
    }
}

#[tokio::test]
async fn renaming_is_subject_to_the_tags_that_the_user_has() {
    let bench = Bench::new().await;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "iam:UpdateUser", "Resource": "*",
        "Condition": { "StringEquals": { "aws:ResourceTag/team": "red" } },
    }});
    let caller = bench.user(&bench.a, "caller", &policy.to_string()).await;
    for (name, team) in [("one", "red"), ("two", "blue")] {
        let create =
            [("UserName", name), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", team)];
        must(&bench, &bench.a, "CreateUser", &create).await;
    }
    must(&bench, &caller, "UpdateUser", &[("UserName", "one"), ("NewUserName", "uno")]).await;
    let due = [("UserName", "two"), ("NewUserName", "due")];
    refused(bench.call(&caller, "UpdateUser", &due).await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn a_role_gets_another_description_and_duration() {
    let bench = Bench::new().await;
    bench.role(&bench.a, "r", &trusting(&[A]), &allow(&["s3:*"])).await;
    let r = ("RoleName", "r");
    let first = [r, ("Description", "one"), ("MaxSessionDuration", "7200")];
    let answer = must(&bench, &bench.a, "UpdateRole", &first).await;
    assert!(answer.contains("<UpdateRoleResult></UpdateRoleResult>"), "{answer}");
    let shown = async || {
        let role = must(&bench, &bench.a, "GetRole", &[r]).await;
        let description = find(&role, "Description").map(ToOwned::to_owned);
        (description, element(&role, "MaxSessionDuration").to_owned())
    };
    assert_eq!(shown().await, (Some("one".to_owned()), "7200".to_owned()));
    must(&bench, &bench.a, "UpdateRole", &[r]).await;
    assert_eq!(shown().await, (Some("one".to_owned()), "3600".to_owned()));
    let two = [r, ("Description", "two")];
    let answer = must(&bench, &bench.a, "UpdateRoleDescription", &two).await;
    assert_eq!(element(&answer, "Description"), "two");
    assert_eq!(shown().await, (Some("two".to_owned()), "3600".to_owned()));
}

#[tokio::test]
async fn a_boundary_is_put_and_deleted() {
    let bench = Bench::new().await;
    bench.role(&bench.a, "x", &trusting(&[A]), &allow(&["s3:*"])).await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "x")]).await;
    for (kind, name) in [("User", "UserName"), ("Role", "RoleName")] {
        let get = format!("Get{kind}");
        let put = format!("Put{kind}PermissionsBoundary");
        let delete = format!("Delete{kind}PermissionsBoundary");
        let x = (name, "x");
        refused(bench.call(&bench.a, &delete, &[x]).await, FaultCode::NoSuchEntity);
        must(&bench, &bench.a, &put, &[x, ("PermissionsBoundary", ADMINISTRATOR_ACCESS)]).await;
        let shown = must(&bench, &bench.a, &get, &[x]).await;
        assert_eq!(element(&shown, "PermissionsBoundaryArn"), ADMINISTRATOR_ACCESS);
        let missing = [x, ("PermissionsBoundary", "arn:aws:iam::aws:policy/None")];
        refused(bench.call(&bench.a, &put, &missing).await, FaultCode::NoSuchEntity);
        must(&bench, &bench.a, &delete, &[x]).await;
        let shown = must(&bench, &bench.a, &get, &[x]).await;
        assert_eq!(find(&shown, "PermissionsBoundaryArn"), None);
    }
}

#[tokio::test]
async fn a_changed_trust_policy_counts_from_then_on() {
    let bench = Bench::new().await;
    let role = bench.role(&bench.a, "r", &trusting(&[A]), &allow(&["s3:*"])).await;
    let session = bench.assume(&bench.a, &role, "me").await.unwrap();
    let nobody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
        "Action":"sts:AssumeRole"}]}"#;
    let update = [("RoleName", "r"), ("PolicyDocument", nobody)];
    must(&bench, &bench.a, "UpdateAssumeRolePolicy", &update).await;
    refused(bench.assume(&bench.a, &role, "me").await, FaultCode::AccessDenied);
    // As with AWS, who has the role already keeps it.
    bench.whoami(&session).await.unwrap();
}

#[tokio::test]
async fn sessions_end_by_time_and_by_revocation_and_updates_do_not_revive_them() {
    let bench = Bench::new().await;
    let role = bench.role(&bench.a, "r", &trusting(&[A]), &allow(&["s3:*"])).await;
    let first = bench.assume(&bench.a, &role, "me").await.unwrap();
    bench.advance(3599);
    bench.whoami(&first).await.unwrap();
    bench.advance(1);
    refused(bench.whoami(&first).await, FaultCode::ExpiredToken);

    let second = bench.assume(&bench.a, &role, "me").await.unwrap();
    bench.revoke(&bench.a, RevocationTarget::Role(role.clone())).await.unwrap();
    let r = ("RoleName", "r");
    let trust = trusting(&[A]);
    for (action, more) in [
        ("UpdateRole", ("Description", "d")),
        ("UpdateAssumeRolePolicy", ("PolicyDocument", trust.as_str())),
        ("AttachRolePolicy", ("PolicyArn", ADMINISTRATOR_ACCESS)),
    ] {
        refused(bench.whoami(&second).await, FaultCode::InvalidClientTokenId);
        must(&bench, &bench.a, action, &[r, more]).await;
    }
    refused(bench.whoami(&second).await, FaultCode::InvalidClientTokenId);
    let third = bench.assume(&bench.a, &role, "me").await.unwrap();
    bench.whoami(&third).await.unwrap();
}

#[tokio::test]
async fn who_may_handle_a_bounded_entity_may_not_handle_another() {
    let bench = Bench::new().await;
    let actions = [
        "PutUserPolicy",
        "DeleteUserPolicy",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "PutUserPermissionsBoundary",
        "DeleteUserPermissionsBoundary",
    ];
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Action": actions.map(|action| format!("iam:{action}")),
        "Resource": "*",
        "Condition": { "StringEquals": { "iam:PermissionsBoundary": ADMINISTRATOR_ACCESS } },
    }});
    let caller = bench.user(&bench.a, "caller", &policy.to_string()).await;
    let bounded = [("UserName", "bounded"), ("PermissionsBoundary", ADMINISTRATOR_ACCESS)];
    must(&bench, &bench.a, "CreateUser", &bounded).await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "free")]).await;
    let document = allow(&["s3:*"]);
    for action in actions {
        let more: &[(&str, &str)] = match action {
            "PutUserPolicy" => &[("PolicyName", "p"), ("PolicyDocument", &document)],
            "DeleteUserPolicy" => &[("PolicyName", "p")],
            "AttachUserPolicy" | "DetachUserPolicy" => &[("PolicyArn", ADMINISTRATOR_ACCESS)],
            "PutUserPermissionsBoundary" => &[("PermissionsBoundary", ADMINISTRATOR_ACCESS)],
            _ => &[],
        };
        let of = |name| [&[("UserName", name)], more].concat();
        must(&bench, &caller, action, &of("bounded")).await;
        // The boundary that is asked for counts there, not the one that is.
        if action != "PutUserPermissionsBoundary" {
            let result = bench.call(&caller, action, &of("free")).await;
            refused(result, FaultCode::AccessDenied);
        }
    }
}
