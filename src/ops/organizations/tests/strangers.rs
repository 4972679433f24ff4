//! What members learn of the organization by asking for what is not theirs to ask for: nothing.

use serde_json::{Value, json};

use super::{Stage, call, text};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{B, Credentials, element};

/// A user of the member account whose policy looks at the tags, and the type, of what it asks for.
async fn curious(stage: &Stage, name: &str, key: &str, value: &str) -> Credentials {
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sts:DecodeAuthorizationMessage", "Resource": "*" },
        { "Effect": "Allow", "Action": "organizations:*", "Resource": "*",
          "Condition": { "StringEquals": { key: value } } },
    ]});
    stage.bench.user(&stage.bench.b, name, &policy.to_string()).await
}

async fn refusal(stage: &Stage, who: &Credentials, name: &str, body: Value) -> Fault {
    let fault = call(&stage.bench, who, name, body).await.err().unwrap();
    assert_eq!(fault.code(), FaultCode::AccessDenied, "{name}: {fault:?}");
    fault
}

/// What a caller reads in a refusal, the sealed part opened.
async fn read(stage: &Stage, who: &Credentials, fault: &Fault) -> String {
    let told = fault.told();
    let Some((words, sealed)) = told.split_once(" Encoded authorization failure message: ") else {
        return told.to_string();
    };
    let parameters = [("EncodedMessage", sealed)];
    let opened = stage.bench.call(who, "DecodeAuthorizationMessage", &parameters).await.unwrap();
    format!("{words} {}", element(&opened, "DecodedMessage"))
}

#[tokio::test]
async fn a_refusal_does_not_tell_a_member_the_tags_of_what_is_not_his() {
    let stage = Stage::new().await;
    let unit = stage.unit(&stage.root, "secret projects").await;
    let tags = json!([{ "Key": "codename", "Value": "merger" }]);
    stage.must("TagResource", json!({ "ResourceId": unit, "Tags": tags })).await;
    stage.must("TagResource", json!({ "ResourceId": B, "Tags": tags })).await;
    let right = curious(&stage, "right", "aws:ResourceTag/codename", "merger").await;
    let wrong = curious(&stage, "wrong", "aws:ResourceTag/codename", "picnic").await;
    for (name, body) in [
        ("DescribeOrganizationalUnit", json!({ "OrganizationalUnitId": unit })),
        ("ListTagsForResource", json!({ "ResourceId": unit })),
        ("DescribeAccount", json!({ "AccountId": B })),
    ] {
        let mut words = Vec::new();
        for who in [&right, &wrong] {
            let fault = refusal(&stage, who, name, body.clone()).await;
            let told = read(&stage, who, &fault).await;
            assert!(!told.contains("merger"), "{name}: {told}");
            words.push(fault.message().replace("/right", "/").replace("/wrong", "/"));
        }
        assert_eq!(words[0], words[1], "{name}: the words tell whether the tag was guessed");
    }
}

#[tokio::test]
async fn a_refusal_does_not_tell_a_member_which_policies_there_are() {
    let stage = Stage::new().await;
    let content = super::deny(&["iam:ListUsers"]);
    let policy = stage.policy("SERVICE_CONTROL_POLICY", "no lists", &content, B).await;
    let rcp = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*" }]});
    let made = stage
        .must(
            "CreatePolicy",
            json!({ "Type": "RESOURCE_CONTROL_POLICY", "Name": "n", "Description": "",
                    "Content": rcp.to_string() }),
        )
        .await;
    let other = text(&made, "/Policy/PolicySummary/Id").to_owned();
    let who = curious(&stage, "who", "organizations:PolicyType", "RESOURCE_CONTROL_POLICY").await;
    let mut words = Vec::new();
    for id in [policy.as_str(), other.as_str(), "p-zzzzzzzz"] {
        let fault = refusal(&stage, &who, "DescribePolicy", json!({ "PolicyId": id })).await;
        let told = read(&stage, &who, &fault).await;
        words.push(told.replace(id, "p-"));
    }
    assert_eq!(words[0], words[2]);
    assert_eq!(words[1], words[2]);
}
