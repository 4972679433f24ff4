//! AWS's limits, and what it says when they are reached.

use serde_json::json;

use super::{Stage, text};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B};

const LIMIT: FaultCode = FaultCode::ConstraintViolation;

#[tokio::test]
async fn units_stand_five_deep() {
    let stage = Stage::new().await;
    let mut parent = stage.root.clone();
    for depth in 1..=5 {
        parent = stage.unit(&parent, &format!("depth {depth}")).await;
    }
    let sixth = json!({ "ParentId": parent, "Name": "depth 6" });
    let why = stage.refused("CreateOrganizationalUnit", sixth, LIMIT).await;
    assert_eq!(why, Some("OU_DEPTH_LIMIT_EXCEEDED"));
    // And an account in the deepest one has all its levels.
    stage.move_to(B, &parent).await;
    let fault = stage.bench.whoami(&stage.bench.b).await;
    assert!(fault.is_ok());
}

#[tokio::test]
async fn a_target_has_one_to_five_policies() {
    let stage = Stage::new().await;
    let kind = "SERVICE_CONTROL_POLICY";
    let content = super::deny(&["s3:DeleteBucket"]);
    let mut last = String::new();
    for n in 1..=4 {
        last = stage.policy(kind, &format!("p{n}"), &content, B).await;
    }
    let sixth = json!({ "Type": kind, "Name": "p5", "Description": "", "Content": content });
    let sixth = stage.must("CreatePolicy", sixth).await;
    let pair = json!({ "PolicyId": text(&sixth, "/Policy/PolicySummary/Id"), "TargetId": B });
    let why = stage.refused("AttachPolicy", pair, LIMIT).await;
    assert_eq!(why, Some("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"));
    let twice = json!({ "PolicyId": last, "TargetId": B });
    stage.refused("AttachPolicy", twice, FaultCode::DuplicatePolicyAttachment).await;

    // Resource control policies are counted by themselves.
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
    stage.policy("RESOURCE_CONTROL_POLICY", "r", deny, B).await;

    let only = json!({ "PolicyId": "p-FullAWSAccess", "TargetId": A });
    let why = stage.refused("DetachPolicy", only, LIMIT).await;
    assert_eq!(why, Some("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"));
    let fixed = json!({ "PolicyId": "p-RCPFullAWSAccess", "TargetId": B });
    let why = stage.refused("DetachPolicy", fixed, FaultCode::InvalidInputException).await;
    assert_eq!(why, Some("NON_DETACHABLE_POLICY"));
    let missing = json!({ "PolicyId": last, "TargetId": A });
    stage.refused("DetachPolicy", missing, FaultCode::PolicyNotAttached).await;
}

#[tokio::test]
async fn a_policy_has_5120_characters_and_says_what_its_type_may_say() {
    let stage = Stage::new().await;
    let create = |kind: &str, content: String| json!({ "Type": kind, "Name": "p", "Description": "", "Content": content });
    let service = "SERVICE_CONTROL_POLICY";
    let text = super::deny(&["s3:*"]);
    let long = format!("{text}{}", " ".repeat(5121 - text.len()));
    let why = stage.refused("CreatePolicy", create(service, long), LIMIT).await;
    assert_eq!(why, Some("POLICY_CONTENT_LIMIT_EXCEEDED"));
    let fits = format!("{text}{}", " ".repeat(5120 - text.len()));
    stage.must("CreatePolicy", create(service, fits)).await;

    let malformed = FaultCode::MalformedPolicyDocumentException;
    for content in [
        "{}",
        "deny everything",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*"}}"#,
    ] {
        stage.refused("CreatePolicy", create(service, content.to_owned()), malformed).await;
    }
    let resource = "RESOURCE_CONTROL_POLICY";
    let statement = |inside: &str| {
        format!(r#"{{"Version":"2012-10-17","Statement":[{{{inside},"Resource":"*"}}]}}"#)
    };
    for inside in [
        r#""Effect":"Allow","Principal":"*","Action":"s3:*""#,
        r#""Effect":"Deny","Principal":"*","Action":"*""#,
        r#""Effect":"Deny","Principal":"*","Action":["s3:*","*"]"#,
        r#""Effect":"Deny","Principal":"*","NotAction":"s3:*""#,
        r#""Effect":"Deny","Principal":{"AWS":"111111111111"},"Action":"s3:*""#,
        r#""Effect":"Deny","Action":"s3:*""#,
    ] {
        stage.refused("CreatePolicy", create(resource, statement(inside)), malformed).await;
    }
    let good = statement(r#""Effect":"Deny","Principal":"*","Action":"s3:*""#);
    stage.must("CreatePolicy", create(resource, good)).await;
    // The same name is another policy of the other type, and none of its own.
    stage
        .refused(
            "CreatePolicy",
            create(service, super::deny(&["s3:*"])),
            FaultCode::DuplicatePolicy,
        )
        .await;
}

#[tokio::test]
async fn tags_are_at_most_fifty_and_none_is_awss() {
    let stage = Stage::new().await;
    let tags = |from: usize, to: usize| -> serde_json::Value {
        (from..to).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect()
    };
    stage.must("TagResource", json!({ "ResourceId": B, "Tags": tags(0, 50) })).await;
    let one_more = json!({ "ResourceId": B, "Tags": tags(50, 51) });
    let why = stage.refused("TagResource", one_more, LIMIT).await;
    assert_eq!(why, Some("MAX_TAG_LIMIT_EXCEEDED"));
    let again = json!({ "ResourceId": B, "Tags": [{ "Key": "K7", "Value": "new" }] });
    stage.must("TagResource", again).await;
    stage.must("UntagResource", json!({ "ResourceId": B, "TagKeys": ["k7", "gone"] })).await;
    let snapshot = stage.bench.services.directory.snapshot();
    let b = crate::id::AccountId::parse(B).unwrap();
    let kept = &snapshot.organized().member(b).unwrap().tags;
    assert_eq!(kept.len(), 49);
    assert!(!kept.iter().any(|tag| tag.key.eq_ignore_ascii_case("k7")));
    let wrong = FaultCode::InvalidInputException;
    for (tags, reason) in [
        (json!([{ "Key": "aws:x", "Value": "" }]), "INVALID_SYSTEM_TAGS_PARAMETER"),
        (json!([{ "Key": "x", "Value": "" }, { "Key": "X", "Value": "" }]), "DUPLICATE_TAG_KEY"),
    ] {
        let body = json!({ "ResourceId": stage.root, "Tags": tags });
        assert_eq!(stage.refused("TagResource", body, wrong).await, Some(reason));
    }
    let managed = json!({ "ResourceId": "p-FullAWSAccess", "Tags": tags(0, 1) });
    stage.refused("TagResource", managed, FaultCode::TargetNotFound).await;
}
