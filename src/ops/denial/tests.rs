//! Encoded authorization messages: what is in them, and who can open them.

use serde_json::Value;

use super::MAX_BYTES;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, Bench, Credentials, allow, element, trusting};

const MARK: &str = ". Encoded authorization failure message: ";

/// The sealed part of a refusal.
#[track_caller]
fn sealed(fault: &Fault) -> String {
    let told = fault.told();
    let (words, sealed) = told.split_once(MARK).unwrap_or_else(|| panic!("no message: {told}"));
    assert_eq!(words, fault.message());
    sealed.to_owned()
}

async fn decode(bench: &Bench, credentials: &Credentials, sealed: &str) -> Result<Value, Fault> {
    let parameters = [("EncodedMessage", sealed)];
    let answer = bench.call(credentials, "DecodeAuthorizationMessage", &parameters).await?;
    let text = element(&answer, "DecodedMessage").replace("&quot;", "\"").replace("&amp;", "&");
    Ok(serde_json::from_str(&text).unwrap())
}

async fn denied(
    bench: &Bench,
    credentials: &Credentials,
    action: &str,
    parameters: &[(&str, &str)],
) -> Fault {
    let fault = bench.call(credentials, action, parameters).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::AccessDenied, "{fault:?}");
    fault
}

#[tokio::test]
async fn a_denied_caller_gets_the_reason_sealed_and_its_account_opens_it() {
    let bench = Bench::new().await;
    let bob = bench.user(&bench.a, "bob", &allow(&["s3:*"])).await;
    let fault = denied(&bench, &bob, "GetUser", &[("UserName", "admin")]).await;
    let sealed = sealed(&fault);
    assert!(sealed.len() <= 10_240);
    let message = decode(&bench, &bench.a, &sealed).await.unwrap();
    assert_eq!(message["allowed"], false);
    assert_eq!(message["explicitDeny"], false);
    assert_eq!(message["matchedStatements"]["items"], serde_json::json!([]));
    let context = &message["context"];
    assert_eq!(context["principal"]["arn"], format!("arn:aws:iam::{A}:user/bob"));
    assert_eq!(context["action"], "iam:GetUser");
    assert_eq!(context["resource"], "user admin");
    let conditions = context["conditions"]["items"].as_array().unwrap();
    let ip = conditions.iter().find(|item| item["key"] == "aws:sourceip").unwrap();
    assert_eq!(ip["values"]["items"][0]["value"], "203.0.113.7");
    // The audit log has the words and not the message.
    let records = bench.records();
    let record = records.iter().rev().find(|it| it["eventName"] == "GetUser").unwrap();
    assert!(!record.to_string().contains(&sealed), "{record}");
}

#[tokio::test]
async fn an_explicit_deny_names_the_statement() {
    let bench = Bench::new().await;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "NoLists", "Effect": "Deny", "Action": "iam:List*", "Resource": "*",
          "Condition": {
              "StringNotEquals": { "sts:ExternalId": "hush-hush" },
              "StringEquals": { "aws:username": "bob" } } },
    ]});
    let bob = bench.user(&bench.a, "bob", &policy.to_string()).await;
    let fault = denied(&bench, &bob, "ListUsers", &[]).await;
    let message = decode(&bench, &bob, &sealed(&fault)).await.unwrap();
    assert_eq!(message["explicitDeny"], true);
    let statement = &message["matchedStatements"]["items"][0];
    assert_eq!(statement["statementId"], "NoLists");
    assert_eq!(statement["effect"], "DENY");
    assert_eq!(statement["actions"]["items"][0]["value"], "iam:list*");
    assert_eq!(statement["resources"]["items"][0]["value"], "*");
    assert_eq!(statement["conditions"]["items"][0]["key"], "aws:username");
    // An external ID is nobody's to know, not even whoever may read messages.
    assert!(!message.to_string().contains("hush-hush"), "{message}");
}

#[tokio::test]
async fn a_hint_says_what_was_lacking_but_no_external_id() {
    let bench = Bench::new().await;
    for (key, told) in [("aws:PrincipalTag/team", true), ("sts:ExternalId", false)] {
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
              "Condition": { "StringEquals": { key: "red" } } },
        ]});
        let name = if told { "tagged" } else { "secret" };
        let caller = bench.user(&bench.a, name, &policy.to_string()).await;
        let fault = denied(&bench, &caller, "ListUsers", &[]).await;
        let message = decode(&bench, &bench.a, &sealed(&fault)).await.unwrap();
        let failures = message["failures"]["items"].as_array().unwrap();
        assert_eq!(failures.len(), usize::from(told), "{message}");
        assert_eq!(message.to_string().contains("red"), told, "{message}");
    }
}

#[tokio::test]
async fn what_is_no_message_of_the_account_does_not_open() {
    let bench = Bench::new().await;
    let bob = bench.user(&bench.a, "bob", &allow(&["s3:*"])).await;
    let fault = denied(&bench, &bob, "ListUsers", &[]).await;
    let good = sealed(&fault);
    // Another account's, another deployment's, and anything else.
    let elsewhere = Bench::new().await;
    for (asked, caller, text) in [
        (&bench, &bench.b, good.clone()),
        (&elsewhere, &elsewhere.a, good.clone()),
        (&bench, &bench.a, format!("{good}A")),
        (&bench, &bench.a, "nonsense".to_owned()),
        (&bench, &bench.a, "A".repeat(10_240)),
    ] {
        let fault = decode(asked, caller, &text).await.unwrap_err();
        assert_eq!(fault.code(), FaultCode::InvalidAuthorizationMessage, "{text}");
    }
    let long = "A".repeat(10_241);
    let fault = decode(&bench, &bench.a, &long).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::ValidationError);
    // Whoever may not, is denied in turn, with a message.
    let fault = decode(&bench, &bob, &good).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::AccessDenied);
    sealed(&fault);
}

#[tokio::test]
async fn a_message_is_bounded_whatever_the_caller_is_like() {
    let bench = Bench::new().await;
    let bob = bench.user(&bench.a, "bob", &allow(&["s3:*"])).await;
    let keys: Vec<String> = (0..50).map(|n| format!("Tags.member.{}.Key", n + 1)).collect();
    let values: Vec<String> = (0..50).map(|n| format!("Tags.member.{}.Value", n + 1)).collect();
    let tags: Vec<String> = (0..50).map(|n| format!("{n}-{}", "k".repeat(120))).collect();
    let long = "v".repeat(256);
    let mut parameters = vec![("UserName", "bob")];
    parameters.extend(keys.iter().map(String::as_str).zip(tags.iter().map(String::as_str)));
    parameters.extend(values.iter().map(|name| (name.as_str(), long.as_str())));
    bench.call(&bench.a, "TagUser", &parameters).await.unwrap();
    let fault = denied(&bench, &bob, "ListUsers", &[]).await;
    let sealed = sealed(&fault);
    assert!(sealed.len() <= (MAX_BYTES + 40) * 4 / 3 + 4, "{}", sealed.len());
    let message = decode(&bench, &bench.a, &sealed).await.unwrap();
    assert_eq!(message["truncated"], true);
    assert_eq!(message["context"]["action"], "iam:ListUsers");
}

#[tokio::test]
async fn refusals_of_roles_have_none() {
    let bench = Bench::new().await;
    let role = bench.role(&bench.b, "r", &trusting(&["222222222222"]), &allow(&["s3:*"])).await;
    for arn in [role.as_str(), "arn:aws:iam::222222222222:role/none"] {
        let fault = bench.assume(&bench.a, arn, "me").await.err().unwrap();
        assert_eq!(fault.told(), fault.message());
    }
}

/// The caller names the ARN, and does not know the tags of what it names.
#[tokio::test]
async fn a_hint_tells_nothing_of_the_tags_of_what_was_asked_for() {
    let bench = Bench::new().await;
    let tag =
        [("UserName", "admin"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    bench.call(&bench.a, "TagUser", &tag).await.unwrap();
    let arn = format!("arn:aws:iam::{A}:user/admin");
    let asked = [("Arn", arn.as_str()), ("ServiceNamespaces.member.1", "s3")];
    for key in ["aws:ResourceTag/team", "IAM:resourcetag/Team"] {
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "iam:ListPoliciesGrantingServiceAccess", "Resource": "*",
              "Condition": { "StringEquals": { key: "red" } } },
        ]});
        let name = key.split(':').next().unwrap();
        let caller = bench.user(&bench.a, name, &policy.to_string()).await;
        let fault = denied(&bench, &caller, "ListPoliciesGrantingServiceAccess", &asked).await;
        let message = decode(&bench, &bench.a, &sealed(&fault)).await.unwrap();
        assert!(!message.to_string().contains("blue"), "{message}");
    }
}
