//! What is large: answers end before they are too large, and white space is not for nothing.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, elements, find, trusting};

/// Bytes of a page: escaped, a blank takes three.
const MOST: usize = 4 * 1024 * 1024;

/// A document with as much white space as the parser takes.
fn padded(document: &str) -> String {
    let padding = " ".repeat(65_536 - document.len());
    document.replacen('{', &format!("{{{padding}"), 1)
}

/// Goes through a listing, asking for all of it at once each time: how many of those elements were in
/// it.
async fn pages(bench: &Bench, action: &str, count: &str, more: &[(&str, &str)]) -> usize {
    let (mut total, mut seen, mut marker) = (0, 0, None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "1000")];
        parameters.extend_from_slice(more);
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = must(bench, &bench.a, action, &parameters).await;
        assert!(answer.len() < MOST, "{action}: a page of {} bytes", answer.len());
        total += answer.len();
        seen += elements(&answer, count).count();
        if element(&answer, "IsTruncated") == "false" {
            assert!(total > MOST, "{action}: one page would do for {total} bytes");
            return seen;
        }
        marker = Some(find(&answer, "Marker").unwrap().to_owned());
    }
}

#[tokio::test]
async fn a_page_ends_before_its_policies_are_too_large() {
    const ROLES: usize = 40;
    let bench = Bench::new().await;
    let trust = padded(&trusting(&[A]));
    for n in 0..ROLES {
        let name = format!("role{n}");
        let role = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", &trust)];
        must(&bench, &bench.a, "CreateRole", &role).await;
        let profile = [("InstanceProfileName", name.as_str())];
        must(&bench, &bench.a, "CreateInstanceProfile", &profile).await;
        let both = [("InstanceProfileName", name.as_str()), ("RoleName", "role0")];
        must(&bench, &bench.a, "AddRoleToInstanceProfile", &both).await;
    }
    for (action, count, more) in [
        ("ListRoles", "RoleId", &[][..]),
        ("ListInstanceProfiles", "InstanceProfileId", &[]),
        ("ListInstanceProfilesForRole", "InstanceProfileId", &[("RoleName", "role0")]),
    ] {
        let seen = pages(&bench, action, count, more).await;
        assert_eq!(seen, ROLES, "{action}");
    }
}

#[tokio::test]
async fn details_of_an_account_come_in_pages_that_are_not_too_large() {
    const POLICIES: usize = 20;
    let bench = Bench::new().await;
    let document = padded(&allow(&["s3:*"]));
    for n in 0..POLICIES {
        let name = format!("policy{n}");
        let policy = [("PolicyName", name.as_str()), ("PolicyDocument", &document)];
        must(&bench, &bench.a, "CreatePolicy", &policy).await;
        let arn = format!("arn:aws:iam::{A}:policy/{name}");
        for _ in 0..2 {
            let version = [("PolicyArn", arn.as_str()), ("PolicyDocument", &document)];
            must(&bench, &bench.a, "CreatePolicyVersion", &version).await;
        }
    }
    let own = [("Filter.member.1", "LocalManagedPolicy")];
    let seen = pages(&bench, "GetAccountAuthorizationDetails", "PolicyId", &own).await;
    assert_eq!(seen, POLICIES);
}

/// The quota does not count white space: without a limit of its own, one entity could hold
/// megabytes of it.
#[tokio::test]
async fn inline_policies_are_together_no_longer_than_one_may_be() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateGroup", &[("GroupName", "g")]).await;
    let document = padded(&allow(&["s3:*"]));
    let put = |name| [("GroupName", "g"), ("PolicyName", name), ("PolicyDocument", &document)];
    for name in ["one", "two", "one"] {
        must(&bench, &bench.a, "PutGroupPolicy", &put(name)).await;
    }
    let more = bench.call(&bench.a, "PutGroupPolicy", &put("three")).await;
    refused(more, FaultCode::LimitExceeded);
}

/// A policy of many patterns for one key.
fn patterns(count: usize) -> String {
    let list: Vec<String> = (0..count).map(|number| format!("*{number}*b")).collect();
    serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": { "ForAnyValue:StringLike": { "k:words": list } } } })
    .to_string()
}

/// Each pattern is held against the whole of each value: what would take minutes is not begun.
#[tokio::test]
async fn a_simulation_compares_so_much_and_no_more() {
    let bench = Bench::new().await;
    let policy = patterns(5_000);
    let value = "a".repeat(4_096);
    let resource = format!("arn:aws:s3:::b/{}", "a".repeat(2_000));
    for (values, resources, fits) in [(3, 1, true), (100, 1, false), (0, 90, false)] {
        let mut names: Vec<String> = (1..=values)
            .map(|n| format!("ContextEntries.member.1.ContextKeyValues.member.{n}"))
            .collect();
        names.extend((1..=resources).map(|n| format!("ResourceArns.member.{n}")));
        let mut parameters = vec![("PolicyInputList.member.1", policy.as_str()), ("MaxItems", "1")];
        parameters.extend(names.iter().map(|name| {
            (name.as_str(), if name.starts_with("Res") { resource.as_str() } else { &value })
        }));
        let actions: Vec<String> = (1..=2).map(|n| format!("ActionNames.member.{n}")).collect();
        parameters.extend(actions.iter().map(|name| (name.as_str(), "s3:GetObject")));
        if values > 0 {
            parameters.push(("ContextEntries.member.1.ContextKeyName", "k:words"));
            parameters.push(("ContextEntries.member.1.ContextKeyType", "stringList"));
        }
        let answer = bench.call(&bench.a, "SimulateCustomPolicy", &parameters).await;
        if fits {
            assert_eq!(element(&answer.unwrap(), "EvalDecision"), "implicitDeny");
        } else {
            let message = refused(answer, FaultCode::InvalidInput);
            assert!(message.contains("too large"), "{message}");
        }
    }
}

/// Every result tells the keys that are missing, which may be as many as the policy has room for.
#[tokio::test]
async fn results_of_a_simulation_come_in_pages_that_are_not_too_large() {
    const RESOURCES: usize = 60;
    let bench = Bench::new().await;
    let keys: serde_json::Map<_, _> =
        (0..3_000).map(|number| (format!("k:{number:04}"), "".into())).collect();
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": { "StringEquals": keys } } })
    .to_string();
    let resources: Vec<(String, String)> = (1..=RESOURCES)
        .map(|n| (format!("ResourceArns.member.{n}"), format!("arn:aws:s3:::b/{n}")))
        .collect();
    let mut parameters = vec![
        ("PolicyInputList.member.1", policy.as_str()),
        ("ActionNames.member.1", "s3:GetObject"),
    ];
    parameters.extend(resources.iter().map(|(name, arn)| (name.as_str(), arn.as_str())));
    let seen = pages(&bench, "SimulateCustomPolicy", "EvalActionName", &parameters).await;
    assert_eq!(seen, RESOURCES);
}
