//! The life of an organization.

use serde_json::{Value, json};

use super::{Stage, call, is_target, must, refused, text};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Bench};

#[tokio::test]
async fn the_first_account_makes_it_and_the_others_are_taken_in() {
    let bench = Bench::new().await;
    let (a, b) = (&bench.a, &bench.b);
    let none = FaultCode::OrganizationsNotInUse;
    refused(&bench, a, "DescribeOrganization", json!({}), none).await;
    refused(&bench, a, "ListAccounts", json!({}), none).await;
    // Not the first account.
    refused(&bench, b, "CreateOrganization", json!({}), FaultCode::AccessDenied).await;

    let made = must(&bench, a, "CreateOrganization", json!({ "FeatureSet": "ALL" })).await;
    let id = text(&made, "/Organization/Id").to_owned();
    assert!(id.starts_with("o-") && id.len() == 12, "{id}");
    assert_eq!(
        text(&made, "/Organization/Arn"),
        format!("arn:aws:organizations::{A}:organization/{id}")
    );
    assert_eq!(
        text(&made, "/Organization/MasterAccountArn"),
        format!("arn:aws:organizations::{A}:account/{id}/{A}")
    );
    for (who, code) in
        [(a, FaultCode::AlreadyInOrganization), (b, FaultCode::AlreadyInOrganization)]
    {
        refused(&bench, who, "CreateOrganization", json!({}), code).await;
    }
    // Every member may ask for it, and sees the same.
    for who in [a, b] {
        let described = must(&bench, who, "DescribeOrganization", json!({})).await;
        assert_eq!(described, made);
    }
    let accounts = must(&bench, a, "ListAccounts", json!({})).await;
    let accounts = accounts["Accounts"].as_array().unwrap();
    let told: Vec<(&str, &str, &str)> = accounts
        .iter()
        .map(|it| (text(it, "/Id"), text(it, "/Status"), text(it, "/JoinedMethod")))
        .collect();
    assert_eq!(told, [(A, "ACTIVE", "INVITED"), (B, "ACTIVE", "INVITED")]);
}

#[tokio::test]
async fn an_account_is_made_described_and_tagged() {
    let stage = Stage::new().await;
    let new = json!({
        "AccountName": "dev", "Email": "dev@example.com", "RoleName": "Administrator",
        "IamUserAccessToBilling": "ALLOW", "Tags": [{ "Key": "team", "Value": "blue" }],
    });
    let status = stage.must("CreateAccount", new.clone()).await;
    assert_eq!(text(&status, "/CreateAccountStatus/State"), "SUCCEEDED");
    let request = json!({ "CreateAccountRequestId": text(&status, "/CreateAccountStatus/Id") });
    assert_eq!(stage.must("DescribeCreateAccountStatus", request).await, status);
    let id = text(&status, "/CreateAccountStatus/AccountId").to_owned();

    let account = stage.must("DescribeAccount", json!({ "AccountId": id })).await;
    assert_eq!(text(&account, "/Account/Email"), "dev@example.com");
    assert_eq!(text(&account, "/Account/JoinedMethod"), "CREATED");
    let parents = stage.must("ListParents", json!({ "ChildId": id })).await;
    assert_eq!(parents, json!({ "Parents": [{ "Id": stage.root, "Type": "ROOT" }] }));
    let tags = stage.must("ListTagsForResource", json!({ "ResourceId": id })).await;
    assert_eq!(tags, json!({ "Tags": [{ "Key": "team", "Value": "blue" }] }));
    // The administrators of the management account may go in.
    let role = format!("arn:aws:iam::{id}:role/Administrator");
    let session = stage.bench.assume(&stage.bench.a, &role, "me").await.unwrap();
    let who = stage.bench.whoami(&session).await.unwrap();
    assert_eq!(who, format!("arn:aws:sts::{id}:assumed-role/Administrator/me"));

    // The same address again fails, and is told of.
    let again = json!({ "AccountName": "dev2", "Email": "DEV@example.com" });
    let status = stage.must("CreateAccount", again).await;
    assert_eq!(text(&status, "/CreateAccountStatus/State"), "FAILED");
    assert_eq!(text(&status, "/CreateAccountStatus/FailureReason"), "EMAIL_ALREADY_EXISTS");
    assert_eq!(status.pointer("/CreateAccountStatus/AccountId"), None);
    let failed = stage.must("ListCreateAccountStatus", json!({ "States": ["FAILED"] })).await;
    assert_eq!(failed["CreateAccountStatuses"], json!([status["CreateAccountStatus"]]));
    // No address stands in the audit log.
    let records = serde_json::to_string(&stage.bench.records()).unwrap();
    assert!(!records.to_lowercase().contains("dev@example.com"), "{records}");
    assert!(records.contains("organizations.amazonaws.com"));
}

#[tokio::test]
async fn units_stand_in_each_other_and_accounts_in_them() {
    let stage = Stage::new().await;
    let outer = stage.unit(&stage.root, "outer").await;
    let inner = stage.unit(&outer, "inner").await;
    assert!(is_target(&inner));
    stage.move_to(B, &inner).await;
    let account = stage.must("DescribeAccount", json!({ "AccountId": B })).await;
    let path = text(&account, "/Account/Paths/0");
    assert!(path.ends_with(&format!("/{}/{outer}/{inner}/{B}/", stage.root)), "{path}");
    let children = json!({ "ParentId": inner, "ChildType": "ACCOUNT" });
    let children = stage.must("ListChildren", children).await;
    assert_eq!(children, json!({ "Children": [{ "Id": B, "Type": "ACCOUNT" }] }));
    let units = json!({ "ParentId": outer });
    let units = stage.must("ListOrganizationalUnitsForParent", units).await;
    assert_eq!(text(&units, "/OrganizationalUnits/0/Id"), inner);
    let accounts = stage.must("ListAccountsForParent", json!({ "ParentId": stage.root })).await;
    assert_eq!(accounts["Accounts"].as_array().unwrap().len(), 1);

    // What is not empty stays; names are unique in their parent.
    let full = FaultCode::OrganizationalUnitNotEmpty;
    for unit in [&outer, &inner] {
        let it = json!({ "OrganizationalUnitId": unit });
        stage.refused("DeleteOrganizationalUnit", it, full).await;
    }
    let twice = json!({ "ParentId": outer, "Name": "inner" });
    stage.refused("CreateOrganizationalUnit", twice, FaultCode::DuplicateOrganizationalUnit).await;
    let rename = json!({ "OrganizationalUnitId": inner, "Name": "renamed" });
    let renamed = stage.must("UpdateOrganizationalUnit", rename).await;
    assert_eq!(text(&renamed, "/OrganizationalUnit/Name"), "renamed");

    // Moving names the place where it stands.
    let from_root = json!({
        "AccountId": B, "SourceParentId": stage.root, "DestinationParentId": outer,
    });
    stage.refused("MoveAccount", from_root, FaultCode::SourceParentNotFound).await;
    let same = json!({ "AccountId": B, "SourceParentId": inner, "DestinationParentId": inner });
    stage.refused("MoveAccount", same, FaultCode::DuplicateAccount).await;
    let nowhere = json!({
        "AccountId": B, "SourceParentId": inner, "DestinationParentId": "ou-abcd-12345678",
    });
    stage.refused("MoveAccount", nowhere, FaultCode::DestinationParentNotFound).await;
    let home = json!({
        "AccountId": B, "SourceParentId": inner, "DestinationParentId": stage.root,
    });
    stage.must("MoveAccount", home).await;
    for unit in [inner, outer] {
        stage.must("DeleteOrganizationalUnit", json!({ "OrganizationalUnitId": unit })).await;
    }
}

#[tokio::test]
async fn an_account_leaves_and_the_organization_ends() {
    let stage = Stage::new().await;
    let (a, b) = (&stage.bench.a, &stage.bench.b);
    let made =
        stage.must("CreateAccount", json!({ "AccountName": "c", "Email": "c@c.example" })).await;
    let c = text(&made, "/CreateAccountStatus/AccountId").to_owned();
    let management = FaultCode::MasterCannotLeaveOrganization;
    stage.refused("LeaveOrganization", json!({}), management).await;
    let it = json!({ "AccountId": A });
    stage.refused("RemoveAccountFromOrganization", it, management).await;
    stage.refused("DeleteOrganization", json!({}), FaultCode::OrganizationNotEmpty).await;

    // B was there before: it may leave. C was made in the organization: it may not.
    must(&stage.bench, b, "LeaveOrganization", json!({})).await;
    let none = FaultCode::OrganizationsNotInUse;
    refused(&stage.bench, b, "DescribeOrganization", json!({}), none).await;
    let role = format!("arn:aws:iam::{c}:role/OrganizationAccountAccessRole");
    let inside = stage.bench.assume(a, &role, "me").await.unwrap();
    let stays = FaultCode::ConstraintViolation;
    let why = refused(&stage.bench, &inside, "LeaveOrganization", json!({}), stays).await;
    assert_eq!(why, Some("ACCOUNT_CANNOT_LEAVE_ORGANIZATION"));

    // When it is let go, its sessions from before are over.
    stage.must("RemoveAccountFromOrganization", json!({ "AccountId": c })).await;
    let fault = stage.bench.whoami(&inside).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidClientTokenId);
    let again = stage.bench.assume(a, &role, "me").await.unwrap();
    stage.bench.whoami(&again).await.unwrap();

    stage.must("DeleteOrganization", json!({})).await;
    stage.refused("DescribeOrganization", json!({}), none).await;
    let snapshot = stage.bench.services.directory.snapshot();
    assert!(snapshot.organized().organization().is_none());
    assert_eq!(
        snapshot.organized().members().count() + snapshot.organized().creations().count(),
        0
    );
    // And it may begin again.
    stage.must("CreateOrganization", json!({})).await;
    let accounts = stage.must("ListAccounts", json!({})).await;
    let accounts = accounts["Accounts"].as_array().unwrap();
    // C was let go before: it is taken in as any other account is, by an invitation.
    let told = accounts.iter().map(|it| text(it, "/JoinedMethod"));
    assert_eq!(told.collect::<Vec<_>>(), ["INVITED"; 3]);
}

#[tokio::test]
async fn lists_come_in_pages_whose_tokens_belong_to_them() {
    let stage = Stage::new().await;
    for n in 0..25 {
        stage.unit(&stage.root, &format!("unit {n}")).await;
    }
    let mut names = Vec::new();
    let mut token = Value::Null;
    let mut pages = 0;
    loop {
        let ask = json!({ "ParentId": stage.root, "MaxResults": 10, "NextToken": token });
        let page = stage.must("ListOrganizationalUnitsForParent", ask).await;
        let units = page["OrganizationalUnits"].as_array().unwrap();
        names.extend(units.iter().map(|unit| text(unit, "/Name").to_owned()));
        pages += 1;
        match page.get("NextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    names.sort();
    names.dedup();
    assert_eq!((names.len(), pages), (25, 3));
    let first = json!({ "ParentId": stage.root });
    let page = stage.must("ListOrganizationalUnitsForParent", first).await;
    assert_eq!(page["OrganizationalUnits"].as_array().unwrap().len(), 20);
    // Another list does not take its token, nor does anybody take one that was made up.
    for token in [page["NextToken"].clone(), json!("AAAA"), json!("")] {
        let other = json!({ "NextToken": token });
        let refused = FaultCode::InvalidInputException;
        let why = stage.refused("ListAccounts", other, refused).await;
        assert_eq!(why, Some("INVALID_NEXT_TOKEN"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_as_such() {
    let stage = Stage::new().await;
    let b = &stage.bench.b;
    for (name, list) in [
        ("ListAWSServiceAccessForOrganization", "EnabledServicePrincipals"),
        ("ListDelegatedAdministrators", "DelegatedAdministrators"),
        ("ListHandshakesForAccount", "Handshakes"),
        ("ListHandshakesForOrganization", "Handshakes"),
    ] {
        assert_eq!(stage.must(name, json!({})).await, json!({ list: [] }), "{name}");
        let member = call(&stage.bench, b, name, json!({})).await;
        assert_eq!(member.is_ok(), name == "ListHandshakesForAccount", "{name}");
    }
    let none = FaultCode::ResourcePolicyNotFound;
    stage.refused("DescribeResourcePolicy", json!({}), none).await;
    let none = FaultCode::EffectivePolicyNotFound;
    let of = json!({ "PolicyType": "TAG_POLICY" });
    stage.refused("DescribeEffectivePolicy", of.clone(), none).await;
    refused(&stage.bench, b, "DescribeEffectivePolicy", of, none).await;
    let of = json!({ "PolicyType": "TAG_POLICY", "TargetId": A });
    refused(&stage.bench, b, "DescribeEffectivePolicy", of, FaultCode::AccessDenied).await;
    // Control policies are not put together.
    let of = json!({ "PolicyType": "SERVICE_CONTROL_POLICY" });
    let wrong = FaultCode::InvalidInputException;
    let why = stage.refused("DescribeEffectivePolicy", of, wrong).await;
    assert_eq!(why, Some("INVALID_ENUM_POLICY_TYPE"));
}
