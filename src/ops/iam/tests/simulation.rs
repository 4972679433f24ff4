//! Simulations: parameters, results, pages.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Bench, element, elements, find};

const READ: &str = r#"{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*",
   "Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}},
  {"Effect":"Deny","Action":"s3:GetObjectAcl","Resource":"*"}]}"#;

type Parameters<'p> = Vec<(&'p str, &'p str)>;

fn ask<'p>(action: &'p str, more: &[(&'p str, &'p str)]) -> Parameters<'p> {
    let own = [("PolicyInputList.member.1", READ), ("ActionNames.member.1", action)];
    own.into_iter().chain(more.iter().copied()).collect()
}

const TEAM: [(&str, &str); 3] = [
    ("ContextEntries.member.1.ContextKeyName", "aws:PrincipalTag/team"),
    ("ContextEntries.member.1.ContextKeyValues.member.1", "red"),
    ("ContextEntries.member.1.ContextKeyType", "string"),
];
const KEY: (&str, &str) = ("ResourceArns.member.1", "arn:aws:s3:::b/k");

async fn simulate(bench: &Bench, parameters: &Parameters<'_>) -> String {
    must(bench, &bench.a, "SimulateCustomPolicy", parameters).await
}

#[tokio::test]
async fn a_result_names_decision_statement_and_place() {
    let bench = Bench::new().await;
    let told = simulate(&bench, &ask("s3:GetObject", &[&TEAM[..], &[KEY]].concat())).await;
    assert_eq!(element(&told, "EvalActionName"), "s3:GetObject");
    assert_eq!(element(&told, "EvalResourceName"), "arn:aws:s3:::b/k");
    assert_eq!(element(&told, "EvalDecision"), "allowed");
    assert_eq!(element(&told, "SourcePolicyId"), "PolicyInputList.1");
    assert_eq!(element(&told, "StartPosition"), "<Line>2</Line><Column>3</Column>");
    assert_eq!(element(&told, "EndPosition"), "<Line>3</Line><Column>65</Column>");
    assert_eq!(element(&told, "EvalResourceDecision"), "allowed");
    assert!(told.contains("<MissingContextValues></MissingContextValues>"), "{told}");
    assert_eq!(element(&told, "EvalDecisionDetails"), "");
    assert_eq!(element(&told, "IsTruncated"), "false");

    let told = simulate(&bench, &ask("s3:GetObject", &[KEY])).await;
    assert_eq!(element(&told, "EvalDecision"), "implicitDeny");
    assert!(told.contains(
        "<MissingContextValues><member>aws:PrincipalTag/team</member></MissingContextValues>"
    ));
    let told = simulate(&bench, &ask("s3:GetObjectAcl", &TEAM)).await;
    assert_eq!(element(&told, "EvalDecision"), "explicitDeny");
    assert_eq!(element(&told, "EvalResourceName"), "*");
    assert_eq!(element(&told, "StartPosition"), "<Line>4</Line><Column>3</Column>");
    assert_eq!(find(&told, "EvalDecisionDetails"), None);
}

#[tokio::test]
async fn boundaries_and_organizations_are_told_of() {
    const NONE: &str = r#"{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#;
    const ALL: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let bench = Bench::new().await;
    let scp = "OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1";
    let boundary = "PermissionsBoundaryPolicyInputList.member.1";
    for (name, member) in
        [(boundary, "AllowedByPermissionsBoundary"), (scp, "AllowedByOrganizations")]
    {
        for (policy, allowed) in [(NONE, false), (ALL, true)] {
            let more = [&TEAM[..], &[KEY, (name, policy)]].concat();
            let told = simulate(&bench, &ask("s3:GetObject", &more)).await;
            let decision = if allowed { "allowed" } else { "implicitDeny" };
            assert_eq!(element(&told, "EvalDecision"), decision);
            assert_eq!(element(&told, member), allowed.to_string());
        }
    }
}

#[tokio::test]
async fn another_accounts_resource_needs_its_own_policy() {
    let bench = Bench::new().await;
    let caller = format!("arn:aws:iam::{A}:user/bob");
    let owner = format!("arn:aws:iam::{B}:root");
    let open = serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": { "AWS": caller }, "Action": "s3:*", "Resource": "*" } })
    .to_string();
    let closed = open.replace("bob", "eve");
    for (policy, decision) in [(&open, "allowed"), (&closed, "implicitDeny")] {
        let more =
            [("CallerArn", caller.as_str()), ("ResourceOwner", &owner), ("ResourcePolicy", policy)];
        let told =
            simulate(&bench, &ask("s3:GetObject", &[&TEAM[..], &[KEY], &more].concat())).await;
        assert_eq!(element(&told, "EvalDecision"), decision);
        let details = format!(
            "<entry><key>IAM Policy</key><value>allowed</value></entry>\
             <entry><key>Resource Policy</key><value>{decision}</value></entry>"
        );
        assert_eq!(element(&told, "EvalDecisionDetails"), details);
    }
}

#[tokio::test]
async fn every_action_with_every_resource_a_page_at_a_time() {
    let bench = Bench::new().await;
    let all = [
        ("ActionNames.member.2", "s3:PutObject"),
        KEY,
        ("ResourceArns.member.2", "arn:aws:s3:::b/l"),
        ("MaxItems", "3"),
    ];
    let all = ask("s3:GetObject", &all);
    let first = simulate(&bench, &all).await;
    assert_eq!(elements(&first, "EvalDecision").count(), 3);
    assert_eq!(element(&first, "IsTruncated"), "true");
    let marker = element(&first, "Marker");
    let next: Parameters<'_> = all.iter().copied().chain([("Marker", marker)]).collect();
    let second = simulate(&bench, &next).await;
    assert_eq!(elements(&second, "EvalActionName").collect::<Vec<_>>(), ["s3:PutObject"]);
    assert_eq!(element(&second, "EvalResourceName"), "arn:aws:s3:::b/l");
    assert_eq!(element(&second, "IsTruncated"), "false");
}

/// Each type of context entry takes values of its own, and a list under a quantifier only.
#[tokio::test]
async fn context_entries_are_of_their_type() {
    let bench = Bench::new().await;
    for (kind, operator, good, operand, wrong) in [
        ("string", "StringEquals", "a", "a", None),
        ("numeric", "NumericEquals", "7.0", "7", Some("seven")),
        ("boolean", "Bool", "true", "true", Some("yes")),
        ("ip", "IpAddress", "10.1.2.3", "10.0.0.0/8", Some("10.1.2")),
        ("binary", "BinaryEquals", "AA==", "AA==", Some("?")),
        ("date", "DateEquals", "1790000000", "1790000000", Some("tomorrow")),
    ] {
        for list in [false, true] {
            let quantifier = if list { "ForAnyValue:" } else { "" };
            let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Action": "s3:*", "Resource": "*",
                "Condition": { format!("{quantifier}{operator}"): { "x:key": operand } } } })
            .to_string();
            let of = if list { format!("{kind}List") } else { kind.to_owned() };
            let call = async |value: &str, of: &str| {
                let parameters = [
                    ("PolicyInputList.member.1", policy.as_str()),
                    ("ActionNames.member.1", "s3:GetObject"),
                    ("ContextEntries.member.1.ContextKeyName", "x:key"),
                    ("ContextEntries.member.1.ContextKeyValues.member.1", value),
                    ("ContextEntries.member.1.ContextKeyType", of),
                ];
                bench.call(&bench.a, "SimulateCustomPolicy", &parameters).await
            };
            assert_eq!(element(&call(good, &of).await.unwrap(), "EvalDecision"), "allowed", "{of}");
            if let Some(wrong) = wrong {
                refused(call(wrong, &of).await, FaultCode::InvalidInput);
            }
            if !list {
                // A list does not match a plain operator.
                let told = call(good, &format!("{kind}List")).await.unwrap();
                assert_eq!(element(&told, "EvalDecision"), "implicitDeny", "{of}");
            }
        }
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let bench = Bench::new().await;
    let role = format!("arn:aws:iam::{A}:role/r");
    let many = [
        ("ContextEntries.member.1.ContextKeyName", "aws:username"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "a"),
        ("ContextEntries.member.1.ContextKeyValues.member.2", "b"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
    ];
    let twice: Vec<_> = TEAM
        .into_iter()
        .chain([
            ("ContextEntries.member.2.ContextKeyName", "AWS:principaltag/TEAM"),
            ("ContextEntries.member.2.ContextKeyValues.member.1", "blue"),
        ])
        .collect();
    for more in [
        &[("ResourceHandlingOption", "EC2-VPC-EBS")][..],
        &[("CallerArn", role.as_str())],
        &[("CallerArn", "bob")],
        &[("ResourceOwner", "bob")],
        &[("ResourcePolicy", "{}")],
        &[("ResourcePolicy", READ)],
        &[("PermissionsBoundaryPolicyInputList.member.1", "{}")],
        &[
            ("PermissionsBoundaryPolicyInputList.member.1", READ),
            ("PermissionsBoundaryPolicyInputList.member.2", READ),
        ],
        &[("PolicyInputList.member.2", "{")],
        &[("ActionNames.member.2", "s3:*")],
        &[("ActionNames.member.2", "GetObject")],
        &many,
        &twice,
    ] {
        let result = bench.call(&bench.a, "SimulateCustomPolicy", &ask("s3:GetObject", more)).await;
        refused(result, FaultCode::InvalidInput);
    }
    for missing in ["PolicyInputList.member.1", "ActionNames.member.1"] {
        let rest: Parameters<'_> =
            ask("s3:GetObject", &[]).into_iter().filter(|(name, _)| *name != missing).collect();
        let result = bench.call(&bench.a, "SimulateCustomPolicy", &rest).await;
        refused(result, FaultCode::ValidationError);
    }
}

#[tokio::test]
async fn the_keys_of_policies_of_any_kind_are_told_once() {
    let bench = Bench::new().await;
    let resource = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",
        "Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}",
        "Condition":{"StringEquals":{"AWS:principaltag/TEAM":"x","aws:PrincipalOrgID":"o-1"}}}}"#;
    let parameters = [("PolicyInputList.member.1", READ), ("PolicyInputList.member.2", resource)];
    let told = must(&bench, &bench.a, "GetContextKeysForCustomPolicy", &parameters).await;
    let keys: Vec<_> = elements(&told, "member").collect();
    assert_eq!(keys, ["aws:PrincipalTag/team", "aws:username", "aws:PrincipalOrgID"]);
    let wrong = [("PolicyInputList.member.1", "{}")];
    let result = bench.call(&bench.a, "GetContextKeysForCustomPolicy", &wrong).await;
    refused(result, FaultCode::InvalidInput);
}
