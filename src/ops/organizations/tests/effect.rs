//! What the organization does to decisions.

use serde_json::json;

use super::{Stage, deny, refused, text};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Credentials, allow, element, trusting};

const SERVICE: &str = "SERVICE_CONTROL_POLICY";
const RESOURCE: &str = "RESOURCE_CONTROL_POLICY";

async fn denied(stage: &Stage, who: &Credentials, action: &str, more: &[(&str, &str)]) -> String {
    let fault = stage.bench.call(who, action, more).await.err().unwrap();
    assert_eq!(fault.code(), FaultCode::AccessDenied, "{fault:?}");
    fault.message().to_owned()
}

async fn allowed(stage: &Stage, who: &Credentials, action: &str, more: &[(&str, &str)]) {
    stage.bench.call(who, action, more).await.unwrap_or_else(|f| panic!("{action}: {f:?}"));
}

#[tokio::test]
async fn a_service_control_policy_denies_a_member_at_once_and_never_the_management_account() {
    let stage = Stage::new().await;
    let (a, b) = (&stage.bench.a, &stage.bench.b);
    // A session that is there already, of a role that may do anything.
    let trust = trusting(&[A]);
    let role = stage.bench.role(b, "anything", &trust, &allow(&["*"])).await;
    let session = stage.bench.assume(a, &role, "before").await.unwrap();
    for who in [a, b, &session] {
        allowed(&stage, who, "ListUsers", &[]).await;
    }
    let policy = stage.policy(SERVICE, "no lists", &deny(&["iam:ListUsers"]), &stage.root).await;
    for who in [b, &session] {
        let message = denied(&stage, who, "ListUsers", &[]).await;
        assert!(message.contains("explicit deny in a service control policy"), "{message}");
        allowed(&stage, who, "ListRoles", &[]).await;
    }
    allowed(&stage, a, "ListUsers", &[]).await;
    let off = json!({ "PolicyId": policy, "TargetId": stage.root });
    stage.must("DetachPolicy", off).await;
    allowed(&stage, &session, "ListUsers", &[]).await;
}

#[tokio::test]
async fn every_level_has_to_allow() {
    let stage = Stage::new().await;
    let b = &stage.bench.b;
    let outer = stage.unit(&stage.root, "outer").await;
    let inner = stage.unit(&outer, "inner").await;
    stage.move_to(B, &inner).await;
    allowed(&stage, b, "ListUsers", &[]).await;
    // The outer unit allows lists of users only: everything else is gone, at every level below.
    let users = stage.policy(SERVICE, "users", &allow(&["iam:*User*"]), &outer).await;
    let full = json!({ "PolicyId": "p-FullAWSAccess", "TargetId": outer });
    stage.must("DetachPolicy", full).await;
    allowed(&stage, b, "ListUsers", &[]).await;
    let message = denied(&stage, b, "ListRoles", &[]).await;
    assert!(
        message.contains("because no service control policy allows the iam:ListRoles action"),
        "{message}"
    );
    // The inner one allows roles only: nothing is left that both allow.
    stage.policy(SERVICE, "roles", &allow(&["iam:*Role*"]), &inner).await;
    stage.must("DetachPolicy", json!({ "PolicyId": "p-FullAWSAccess", "TargetId": inner })).await;
    denied(&stage, b, "ListUsers", &[]).await;
    denied(&stage, b, "ListRoles", &[]).await;
    // Two policies of one level: one of them has to allow.
    stage.must("AttachPolicy", json!({ "PolicyId": users, "TargetId": inner })).await;
    allowed(&stage, b, "ListUsers", &[]).await;
    // Out of the units, nothing of that applies.
    let home = json!({
        "AccountId": B, "SourceParentId": inner, "DestinationParentId": stage.root,
    });
    stage.must("MoveAccount", home).await;
    allowed(&stage, b, "ListRoles", &[]).await;
}

#[tokio::test]
async fn it_never_grants() {
    let stage = Stage::new().await;
    let b = &stage.bench.b;
    let weak = stage.bench.user(b, "weak", &allow(&["iam:ListRoles"])).await;
    stage.policy(SERVICE, "all", &allow(&["*"]), B).await;
    denied(&stage, &weak, "ListUsers", &[]).await;
    allowed(&stage, &weak, "ListRoles", &[]).await;
}

#[tokio::test]
async fn a_member_assumes_no_role_that_its_policies_deny() {
    let stage = Stage::new().await;
    let (a, b) = (&stage.bench.a, &stage.bench.b);
    let role = stage.bench.role(a, "target", &trusting(&[B]), &allow(&["*"])).await;
    stage.bench.assume(b, &role, "session").await.unwrap();
    stage.policy(SERVICE, "no roles", &deny(&["sts:AssumeRole"]), B).await;
    let fault = stage.bench.assume(b, &role, "session").await.err().unwrap();
    assert_eq!(fault.code(), FaultCode::AccessDenied);
    assert!(fault.note().is_some_and(|note| note.contains("service control policy")), "{fault:?}");
}

#[tokio::test]
async fn a_resource_control_policy_keeps_strangers_out() {
    let stage = Stage::new().await;
    let (a, b) = (&stage.bench.a, &stage.bench.b);
    let role = stage.bench.role(b, "shared", &trusting(&[A]), &allow(&["*"])).await;
    stage.bench.assume(a, &role, "session").await.unwrap();
    let organization = stage.must("DescribeOrganization", json!({})).await;
    let only = |id: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*",
            "Condition": { "StringNotEqualsIfExists": { "aws:PrincipalOrgID": id } },
        }]})
        .to_string()
    };
    // Only this organization: A is in it.
    let id = text(&organization, "/Organization/Id");
    let policy = stage.policy(RESOURCE, "perimeter", &only(id), B).await;
    stage.bench.assume(a, &role, "session").await.unwrap();
    // Only another one: nobody gets in.
    let content = only("o-zzzzzzzzzz");
    stage.must("UpdatePolicy", json!({ "PolicyId": policy, "Content": content })).await;
    let fault = stage.bench.assume(a, &role, "session").await.err().unwrap();
    assert!(fault.note().is_some_and(|note| note.contains("resource control policy")), "{fault:?}");
    // The management account's own resources are not limited.
    let mine = stage.bench.role(a, "mine", &trusting(&[B]), &allow(&["*"])).await;
    stage.policy(RESOURCE, "everywhere", &content, &stage.root).await;
    stage.bench.assume(b, &mine, "session").await.unwrap();
}

#[tokio::test]
async fn conditions_know_where_principal_and_resource_stand() {
    let stage = Stage::new().await;
    let (a, b) = (&stage.bench.a, &stage.bench.b);
    let unit = stage.unit(&stage.root, "unit").await;
    let organization = stage.must("DescribeOrganization", json!({})).await;
    let id = text(&organization, "/Organization/Id");
    let trust = |condition: serde_json::Value| {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole",
            "Condition": condition,
        }]})
        .to_string()
    };
    let path = format!("{id}/{}/{unit}/*", stage.root);
    let in_unit = trust(json!({ "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": path } }));
    let in_org = trust(json!({ "StringEquals": {
        "aws:PrincipalOrgID": id, "aws:ResourceOrgID": id, "aws:ResourceAccount": A,
        "aws:PrincipalAccount": B,
    }}));
    let by_path = stage.bench.role(a, "by-path", &in_unit, &allow(&["*"])).await;
    let by_id = stage.bench.role(a, "by-id", &in_org, &allow(&["*"])).await;
    stage.bench.assume(b, &by_path, "session").await.err().unwrap();
    stage.move_to(B, &unit).await;
    stage.bench.assume(b, &by_path, "session").await.unwrap();
    stage.bench.assume(b, &by_id, "session").await.unwrap();
    // Out of the organization, neither holds.
    stage.must("RemoveAccountFromOrganization", json!({ "AccountId": B })).await;
    stage.bench.assume(b, &by_path, "session").await.err().unwrap();
    stage.bench.assume(b, &by_id, "session").await.err().unwrap();
}

/// M27: a deactivated account mints nothing.
#[tokio::test]
async fn museum_m27_a_closed_account_mints_and_verifies_nothing() {
    let stage = Stage::new().await;
    let (a, b) = (&stage.bench.a, &stage.bench.b);
    let inside = stage.bench.role(b, "inside", &trusting(&[A]), &allow(&["*"])).await;
    let outside = stage.bench.role(a, "outside", &trusting(&[B]), &allow(&["*"])).await;
    let role_session = stage.bench.assume(a, &inside, "session").await.unwrap();
    let user_session = stage.bench.call(b, "GetSessionToken", &[]).await.unwrap();
    let user_session = Credentials::of_answer(&user_session);
    // Sessions that left the account, and one that came through it.
    let gone_out = stage.bench.assume(b, &outside, "session").await.unwrap();
    let through = stage.bench.assume(&role_session, &outside, "session").await.unwrap();

    let why =
        stage.refused("CloseAccount", json!({ "AccountId": A }), FaultCode::ConstraintViolation);
    assert_eq!(why.await, Some("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"));
    stage.must("CloseAccount", json!({ "AccountId": B })).await;
    let again = json!({ "AccountId": B });
    stage.refused("CloseAccount", again, FaultCode::AccountAlreadyClosed).await;
    let account = stage.must("DescribeAccount", json!({ "AccountId": B })).await;
    assert_eq!(text(&account, "/Account/Status"), "SUSPENDED");
    for who in [b, &role_session, &user_session, &gone_out, &through] {
        let fault = stage.bench.whoami(who).await.err().unwrap();
        assert_eq!(fault.code(), FaultCode::InvalidClientTokenId, "{fault:?}");
        for (action, more) in [
            ("GetSessionToken", &[][..]),
            ("AssumeRole", &[("RoleArn", outside.as_str()), ("RoleSessionName", "again")]),
            ("CreateAccessKey", &[("UserName", "admin")]),
        ] {
            let fault = stage.bench.call(who, action, more).await.err().unwrap();
            assert_eq!(fault.code(), FaultCode::InvalidClientTokenId, "{action}: {fault:?}");
        }
    }
    // Nobody gets in from outside, and the refusal tells nothing.
    let fault = stage.bench.assume(a, &inside, "session").await.err().unwrap();
    assert_eq!(fault.code(), FaultCode::AccessDenied);
    // It leaves only when it cannot be opened again, and stays closed then.
    let out = json!({ "AccountId": B });
    stage
        .refused("RemoveAccountFromOrganization", out.clone(), FaultCode::ConstraintViolation)
        .await;
    stage.bench.advance(91 * 24 * 3600);
    let account = stage.must("DescribeAccount", out.clone()).await;
    assert_eq!(text(&account, "/Account/State"), "CLOSED");
    stage.must("RemoveAccountFromOrganization", out).await;
    stage.bench.whoami(b).await.err().unwrap();
    let gone = FaultCode::AccountNotFound;
    stage.refused("DescribeAccount", json!({ "AccountId": B }), gone).await;
}

#[tokio::test]
async fn a_request_under_way_when_its_account_is_closed_is_refused() {
    let stage = Stage::new().await;
    let b = &stage.bench.b;
    let caller = stage.bench.verify(b, "ListUsers", &[]).await.unwrap();
    stage.must("CloseAccount", json!({ "AccountId": B })).await;
    let fault = stage.bench.call_as(&caller, "ListUsers", &[]).await.err().unwrap();
    assert_eq!(fault.code(), FaultCode::InvalidClientTokenId);
}

#[tokio::test]
async fn an_account_of_the_host_operator_joins_at_the_root() {
    use crate::api::CreateAccount;
    use crate::authn::Caller;
    use crate::ops::Context;
    use crate::ops::manage::{Asker, accounts};

    let stage = Stage::new().await;
    let facts = stage.bench.facts();
    let context = Context {
        services: &stage.bench.services,
        caller: &Caller::Anonymous,
        facts: &facts,
        batch: None,
    };
    let wanted = CreateAccount { name: "ops".to_owned(), id: None, role_name: None };
    let made = accounts::create(&Asker::HostOperator(&context), &wanted).await.unwrap();
    let id = made.account.id;
    stage.policy(SERVICE, "none", &deny(&["iam:*"]), &id).await;
    let session = stage.bench.assume(&stage.bench.a, &made.role_arn, "session").await.unwrap();
    denied(&stage, &session, "ListUsers", &[]).await;
    let who = stage.bench.call(&session, "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(element(&who, "Account"), id);
    // Nor does it see the organization's affairs.
    refused(&stage.bench, &session, "ListAccounts", json!({}), FaultCode::AccessDenied).await;
}

#[tokio::test]
async fn the_root_user_of_a_member_is_limited_and_that_of_the_management_account_is_not() {
    let stage = Stage::new().await;
    let root = |account| format!("arn:aws:iam::{account}:root");
    let managing = stage.bench.key(&root(A)).await.unwrap();
    let member = stage.bench.key(&root(B)).await.unwrap();
    for who in [&managing, &member] {
        allowed(&stage, who, "ListUsers", &[]).await;
    }
    stage.policy(SERVICE, "no lists", &deny(&["iam:ListUsers"]), &stage.root).await;
    let message = denied(&stage, &member, "ListUsers", &[]).await;
    assert!(message.contains("explicit deny in a service control policy"), "{message}");
    allowed(&stage, &member, "ListRoles", &[]).await;
    allowed(&stage, &managing, "ListUsers", &[]).await;
    let answer = stage.bench.call(&member, "GetSessionToken", &[]).await.unwrap();
    let session = Credentials::of_answer(&answer);
    // A closed account's root user is out, and what came from it.
    stage.must("CloseAccount", json!({ "AccountId": B })).await;
    for who in [&member, &session] {
        let fault = stage.bench.whoami(who).await.err().unwrap();
        assert_eq!(fault.code(), FaultCode::InvalidClientTokenId);
    }
    assert!(stage.bench.key(&root(B)).await.is_err(), "and gets no other key");
    allowed(&stage, &managing, "ListUsers", &[]).await;
}
