//! What a delegated administrator may do: look, and nothing else.

use serde_json::json;

use super::matrix::{MEMBERS, Things};
use super::{Stage, call, deny, must, refused, text, user};
use crate::ops::Effect;
use crate::ops::fault::FaultCode;
use crate::ops::organizations::ROWS;
use crate::ops::testing::{A, B};

const AUDIT: &str = "audit.example.com";

async fn delegate(stage: &Stage) {
    stage.must("EnableAWSServiceAccess", json!({ "ServicePrincipal": AUDIT })).await;
    let to_b = json!({ "AccountId": B, "ServicePrincipal": AUDIT });
    stage.must("RegisterDelegatedAdministrator", to_b).await;
}

#[tokio::test]
async fn a_delegated_administrator_reads_everything_and_changes_nothing() {
    let stage = Stage::new().await;
    let things = Things::new(&stage).await;
    delegate(&stage).await;
    let bench = &stage.bench;
    for row in ROWS.iter().filter(|row| !MEMBERS.contains(&row.name)) {
        let body = things.body(row.name).0;
        let version = bench.services.directory.snapshot().version();
        let result = call(bench, &bench.b, row.name, body).await;
        let denied = result.as_ref().is_err_and(|fault| fault.code() == FaultCode::AccessDenied);
        match row.effect {
            Effect::Read => assert!(!denied, "{}: {result:?}", row.name),
            _ if row.name == "CreateOrganization" => assert!(result.is_err()),
            _ => {
                assert!(denied, "{}: {result:?}", row.name);
                assert_eq!(bench.services.directory.snapshot().version(), version, "{}", row.name);
            }
        }
    }
    // It sees what the management account sees.
    for (name, body) in [
        ("ListAccounts", json!({})),
        ("ListDelegatedAdministrators", json!({ "ServicePrincipal": AUDIT })),
        ("ListDelegatedServicesForAccount", json!({ "AccountId": B })),
        ("ListAWSServiceAccessForOrganization", json!({})),
        ("DescribeAccount", json!({ "AccountId": A })),
    ] {
        let seen = must(bench, &bench.b, name, body.clone()).await;
        assert_eq!(seen, stage.must(name, body).await, "{name}");
    }
}

#[tokio::test]
async fn its_own_policies_and_the_organizations_decide_what_it_sees() {
    let stage = Stage::new().await;
    delegate(&stage).await;
    let bench = &stage.bench;
    let denied = FaultCode::AccessDenied;
    let narrow = user(bench, &bench.b, "narrow", &["organizations:DescribeAccount"]).await;
    let of = |id: &str| json!({ "AccountId": id });
    must(bench, &narrow, "DescribeAccount", of(A)).await;
    refused(bench, &narrow, "ListAccounts", json!({}), denied).await;
    let organization = stage.must("DescribeOrganization", json!({})).await;
    let id = text(&organization, "/Organization/Id");
    let one = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "organizations:*",
        "Resource": format!("arn:aws:organizations::{A}:account/{id}/{B}"),
        "Condition": { "StringEquals": { "aws:ResourceAccount": A } } }] });
    let one = bench.user(&bench.b, "one", &one.to_string()).await;
    must(bench, &one, "DescribeAccount", of(B)).await;
    refused(bench, &one, "DescribeAccount", of(A), denied).await;
    let content = deny(&["organizations:Describe*"]);
    let scp = stage.policy("SERVICE_CONTROL_POLICY", "blind", &content, B).await;
    refused(bench, &narrow, "DescribeAccount", of(A), denied).await;
    stage.must("DetachPolicy", json!({ "PolicyId": scp, "TargetId": B })).await;
    must(bench, &narrow, "DescribeAccount", of(A)).await;
    // A service more changes nothing; the last one taken away ends it at once.
    let mail = json!({ "ServicePrincipal": "mail.example.com" });
    stage.must("EnableAWSServiceAccess", mail.clone()).await;
    let both = |service: &str| json!({ "AccountId": B, "ServicePrincipal": service });
    stage.must("RegisterDelegatedAdministrator", both("mail.example.com")).await;
    stage.must("DeregisterDelegatedAdministrator", both(AUDIT)).await;
    must(bench, &narrow, "DescribeAccount", of(A)).await;
    stage.must("DeregisterDelegatedAdministrator", both("mail.example.com")).await;
    refused(bench, &narrow, "DescribeAccount", of(A), denied).await;
    refused(bench, &bench.b, "ListAccounts", json!({}), denied).await;
    stage.must("DisableAWSServiceAccess", mail).await;
}

#[tokio::test]
async fn what_cannot_be_delegated_is_refused_with_its_reason() {
    let stage = Stage::new().await;
    let register = "RegisterDelegatedAdministrator";
    let to = |account: &str| json!({ "AccountId": account, "ServicePrincipal": AUDIT });
    let constraint = FaultCode::ConstraintViolation;
    let why = stage.refused(register, to(B), constraint).await;
    assert_eq!(why, Some("SERVICE_ACCESS_NOT_ENABLED"));
    delegate(&stage).await;
    stage.refused(register, to(B), FaultCode::AccountAlreadyRegistered).await;
    let why = stage.refused(register, to(A), constraint).await;
    assert_eq!(why, Some("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"));
    stage.refused(register, to("999999999999"), FaultCode::AccountNotFound).await;
    let why = stage
        .refused(
            "EnableAWSServiceAccess",
            json!({ "ServicePrincipal": "audit" }),
            FaultCode::InvalidInputException,
        )
        .await;
    assert_eq!(why, Some("UNRECOGNIZED_SERVICE_PRINCIPAL"));
    let off = json!({ "ServicePrincipal": AUDIT });
    let why = stage.refused("DisableAWSServiceAccess", off.clone(), constraint).await;
    assert_eq!(why, Some("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"));
    let gone = Some("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG");
    let remove = json!({ "AccountId": B });
    assert_eq!(stage.refused("RemoveAccountFromOrganization", remove, constraint).await, gone);
    let bench = &stage.bench;
    let why = refused(bench, &bench.b, "LeaveOrganization", json!({}), constraint).await;
    assert_eq!(why, gone);
    let nothing = json!({ "AccountId": A });
    let none = FaultCode::AccountNotRegistered;
    stage.refused("ListDelegatedServicesForAccount", nothing, none).await;
    stage.must("DeregisterDelegatedAdministrator", to(B)).await;
    stage.refused("DeregisterDelegatedAdministrator", to(B), none).await;
    stage.must("DisableAWSServiceAccess", off.clone()).await;
    // It is off already.
    stage.must("DisableAWSServiceAccess", off).await;
    stage.must("CloseAccount", json!({ "AccountId": B })).await;
    stage.must("EnableAWSServiceAccess", json!({ "ServicePrincipal": AUDIT })).await;
    let why = stage.refused(register, to(B), constraint).await;
    assert_eq!(why, Some("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"));
}
