//! Invitations, and the change to all features.

use serde_json::{Value, json};

use super::{Stage, call, deny, must, refused, text};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Bench};

const DAY: u64 = 24 * 3600;

fn to(account: &str) -> Value {
    json!({ "Target": { "Id": account, "Type": "ACCOUNT" } })
}

/// Invites B, which has left; the handshake's ID.
async fn invite(stage: &Stage) -> Value {
    let tags = json!([{ "Key": "team", "Value": "blue" }]);
    let mut asked = to(B);
    asked["Tags"] = tags;
    asked["Notes"] = json!("come back");
    let made = stage.must("InviteAccountToOrganization", asked).await;
    json!({ "HandshakeId": text(&made, "/Handshake/Id") })
}

async fn without_b() -> Stage {
    let stage = Stage::new().await;
    must(&stage.bench, &stage.bench.b, "LeaveOrganization", json!({})).await;
    stage
}

#[tokio::test]
async fn an_account_that_is_invited_joins_when_it_accepts() {
    let stage = without_b().await;
    let (bench, b) = (&stage.bench, &stage.bench.b);
    let id = invite(&stage).await;
    let told = stage.must("DescribeHandshake", id.clone()).await;
    assert_eq!(text(&told, "/Handshake/State"), "REQUESTED");
    assert_eq!(text(&told, "/Handshake/Action"), "INVITE");
    let arn = text(&told, "/Handshake/Arn");
    assert!(arn.contains(":handshake/o-") && arn.contains("/invite/h-"), "{arn}");
    let parties = told.pointer("/Handshake/Parties/1").unwrap();
    assert_eq!(*parties, json!({ "Id": B, "Type": "ACCOUNT" }));
    assert!(told.to_string().contains("come back"));
    // Both sides see the same, and nobody limits the account before it agrees.
    assert_eq!(must(bench, b, "DescribeHandshake", id.clone()).await, told);
    let mine = must(bench, b, "ListHandshakesForAccount", json!({})).await;
    let theirs = stage.must("ListHandshakesForOrganization", json!({})).await;
    assert_eq!(
        (&mine["Handshakes"][0], &theirs["Handshakes"][0]),
        (&told["Handshake"], &told["Handshake"])
    );
    stage
        .policy("SERVICE_CONTROL_POLICY", "no lists", &deny(&["iam:ListUsers"]), &stage.root)
        .await;
    bench.call(b, "ListUsers", &[]).await.unwrap();
    stage.refused("AcceptHandshake", id.clone(), FaultCode::HandshakeNotFound).await;
    refused(bench, b, "CancelHandshake", id.clone(), FaultCode::HandshakeNotFound).await;

    let accepted = must(bench, b, "AcceptHandshake", id.clone()).await;
    assert_eq!(text(&accepted, "/Handshake/State"), "ACCEPTED");
    let fault = bench.call(b, "ListUsers", &[]).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::AccessDenied);
    let account = stage.must("DescribeAccount", json!({ "AccountId": B })).await;
    assert_eq!(text(&account, "/Account/JoinedMethod"), "INVITED");
    let tags = stage.must("ListTagsForResource", json!({ "ResourceId": B })).await;
    assert_eq!(tags["Tags"], json!([{ "Key": "team", "Value": "blue" }]));

    // It is over: nothing more comes of it, and after thirty days nobody is told of it.
    refused(bench, b, "AcceptHandshake", id.clone(), FaultCode::HandshakeAlreadyInState).await;
    refused(bench, b, "DeclineHandshake", id.clone(), FaultCode::InvalidHandshakeTransition).await;
    stage.refused("CancelHandshake", id.clone(), FaultCode::InvalidHandshakeTransition).await;
    let why = stage
        .refused("InviteAccountToOrganization", to(B), FaultCode::HandshakeConstraintViolation)
        .await;
    assert_eq!(why, Some("ALREADY_IN_AN_ORGANIZATION"));
    bench.advance(31 * DAY);
    stage.refused("DescribeHandshake", id, FaultCode::HandshakeNotFound).await;
    let none = stage.must("ListHandshakesForOrganization", json!({})).await;
    assert_eq!(none, json!({ "Handshakes": [] }));
    // The words of an invitation stand in no record.
    let records = serde_json::to_string(&bench.records()).unwrap();
    assert!(!records.contains("come back"), "{records}");
}

#[tokio::test]
async fn an_invitation_is_declined_taken_back_or_too_late() {
    let stage = without_b().await;
    let (bench, b) = (&stage.bench, &stage.bench.b);
    let id = invite(&stage).await;
    let twice = FaultCode::DuplicateHandshake;
    stage.refused("InviteAccountToOrganization", to(B), twice).await;
    let declined = must(bench, b, "DeclineHandshake", id.clone()).await;
    assert_eq!(text(&declined, "/Handshake/State"), "DECLINED");
    let not_so = FaultCode::InvalidHandshakeTransition;
    refused(bench, b, "AcceptHandshake", id, not_so).await;
    let id = invite(&stage).await;
    let canceled = stage.must("CancelHandshake", id.clone()).await;
    assert_eq!(text(&canceled, "/Handshake/State"), "CANCELED");
    stage.refused("CancelHandshake", id.clone(), FaultCode::HandshakeAlreadyInState).await;
    refused(bench, b, "AcceptHandshake", id, not_so).await;
    let id = invite(&stage).await;
    bench.advance(15 * DAY);
    refused(bench, b, "AcceptHandshake", id.clone(), not_so).await;
    let told = must(bench, b, "DescribeHandshake", id).await;
    assert_eq!(text(&told, "/Handshake/State"), "EXPIRED");
    // An organization that ends takes its invitations with it.
    let id = invite(&stage).await;
    stage.must("DeleteOrganization", json!({})).await;
    refused(bench, b, "AcceptHandshake", id.clone(), FaultCode::HandshakeNotFound).await;
    let none = must(bench, b, "ListHandshakesForAccount", json!({})).await;
    assert_eq!(none, json!({ "Handshakes": [] }));
    assert_eq!(bench.services.directory.snapshot().organized().handshakes().count(), 0);
}

#[tokio::test]
async fn nobody_else_sees_or_answers_an_invitation() {
    let stage = without_b().await;
    let made = json!({ "AccountName": "c", "Email": "c@c.example" });
    let made = stage.must("CreateAccount", made).await;
    let c = text(&made, "/CreateAccountStatus/AccountId").to_owned();
    let role = format!("arn:aws:iam::{c}:role/OrganizationAccountAccessRole");
    let bench = &stage.bench;
    let member = bench.assume(&bench.a, &role, "me").await.unwrap();
    let id = invite(&stage).await;
    for name in ["DescribeHandshake", "AcceptHandshake", "DeclineHandshake", "CancelHandshake"] {
        refused(bench, &member, name, id.clone(), FaultCode::HandshakeNotFound).await;
    }
    let none = must(bench, &member, "ListHandshakesForAccount", json!({})).await;
    assert_eq!(none, json!({ "Handshakes": [] }));
    // Who may not is told the same, whether or not there is one.
    let nobody = super::user(bench, &bench.b, "nobody", &["s3:*"]).await;
    let gone = json!({ "HandshakeId": "h-abcd1234ef" });
    let told: Vec<String> = [
        call(bench, &nobody, "AcceptHandshake", id.clone()).await,
        call(bench, &nobody, "AcceptHandshake", gone.clone()).await,
    ]
    .into_iter()
    .zip([id, gone])
    .map(|(result, id)| {
        let fault = result.unwrap_err();
        assert_eq!(fault.code(), FaultCode::AccessDenied);
        fault.message().replace(text(&id, "/HandshakeId"), "ID")
    })
    .collect();
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn whom_and_how_often_is_limited() {
    let stage = without_b().await;
    let invite = "InviteAccountToOrganization";
    let wrong = FaultCode::InvalidInputException;
    for target in [
        json!({ "Id": "b@b.example", "Type": "EMAIL" }),
        json!({ "Id": "o-abcdefghij", "Type": "ORGANIZATION" }),
        json!({ "Id": "b", "Type": "ACCOUNT" }),
        json!({ "Id": "999999999999", "Type": "ACCOUNT" }),
    ] {
        let why = stage.refused(invite, json!({ "Target": target }), wrong).await;
        assert_eq!(why, Some("INVALID_PARTY_TYPE_TARGET"), "{target}");
    }
    for _ in 0..20 {
        let made = stage.must(invite, to(B)).await;
        let id = json!({ "HandshakeId": text(&made, "/Handshake/Id") });
        stage.must("CancelHandshake", id).await;
    }
    let why = stage.refused(invite, to(B), FaultCode::HandshakeConstraintViolation).await;
    assert_eq!(why, Some("HANDSHAKE_RATE_LIMIT_EXCEEDED"));
    stage.bench.advance(DAY + 1);
    stage.must(invite, to(B)).await;
    let two = json!({ "Filter": { "ActionType": "INVITE", "ParentHandshakeId": "h-abcd1234ef" } });
    let why = stage.refused("ListHandshakesForOrganization", two, wrong).await;
    assert_eq!(why, Some("MAX_LIMIT_EXCEEDED_FILTER"));
    for (filter, count) in [
        (json!({ "ActionType": "INVITE" }), 20),
        (json!({ "ActionType": "ENABLE_ALL_FEATURES" }), 0),
        (json!({ "ParentHandshakeId": "h-abcd1234ef" }), 0),
    ] {
        let list = json!({ "Filter": filter });
        let list = stage.must("ListHandshakesForOrganization", list).await;
        assert_eq!(list["Handshakes"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test]
async fn all_features_are_enabled_at_once() {
    let bench = Bench::new().await;
    let bills = json!({ "FeatureSet": "CONSOLIDATED_BILLING" });
    must(&bench, &bench.a, "CreateOrganization", bills).await;
    let service = json!({ "ServicePrincipal": "audit.example.com" });
    let constraint = FaultCode::ConstraintViolation;
    let on = "EnableAWSServiceAccess";
    let why = refused(&bench, &bench.a, on, service.clone(), constraint).await;
    assert_eq!(why, Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"));
    refused(&bench, &bench.b, "EnableAllFeatures", json!({}), FaultCode::AccessDenied).await;
    let done = must(&bench, &bench.a, "EnableAllFeatures", json!({})).await;
    assert_eq!(text(&done, "/Handshake/Action"), "ENABLE_ALL_FEATURES");
    assert_eq!(text(&done, "/Handshake/State"), "ACCEPTED");
    let organization = must(&bench, &bench.b, "DescribeOrganization", json!({})).await;
    assert_eq!(text(&organization, "/Organization/FeatureSet"), "ALL");
    must(&bench, &bench.a, on, service).await;
    let again = FaultCode::HandshakeConstraintViolation;
    let why = refused(&bench, &bench.a, "EnableAllFeatures", json!({}), again).await;
    assert_eq!(why, Some("ORGANIZATION_ALREADY_HAS_ALL_FEATURES"));
    let accounts = must(&bench, &bench.a, "ListAccounts", json!({})).await;
    assert_eq!(text(&accounts, "/Accounts/0/Id"), A);
}
