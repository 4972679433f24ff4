//! Policies: written, changed, attached, turned on and off.

use serde_json::json;

use super::{Stage, deny, text};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Bench};

#[tokio::test]
async fn a_type_is_turned_on_everywhere_and_off_again() {
    let stage = Stage::without_policies().await;
    let kind = "SERVICE_CONTROL_POLICY";
    let on = json!({ "RootId": stage.root, "PolicyType": kind });
    let unit = stage.unit(&stage.root, "unit").await;
    let policies = |target: &str| json!({ "TargetId": target, "Filter": kind });
    assert_eq!(stage.must("ListPoliciesForTarget", policies(B)).await, json!({ "Policies": [] }));
    let early = json!({ "PolicyId": "p-FullAWSAccess", "TargetId": B });
    stage.refused("AttachPolicy", early, FaultCode::PolicyTypeNotEnabled).await;
    stage.refused("DisablePolicyType", on.clone(), FaultCode::PolicyTypeNotEnabled).await;

    let root = stage.must("EnablePolicyType", on.clone()).await;
    assert_eq!(root["Root"]["PolicyTypes"], json!([{ "Type": kind, "Status": "ENABLED" }]));
    stage.refused("EnablePolicyType", on.clone(), FaultCode::PolicyTypeAlreadyEnabled).await;
    let later = stage.unit(&unit, "later").await;
    for target in [&stage.root, &unit, &later, A, B] {
        let page = stage.must("ListPoliciesForTarget", policies(target)).await;
        assert_eq!(text(&page, "/Policies/0/Id"), "p-FullAWSAccess", "{target}");
        assert_eq!(page["Policies"].as_array().unwrap().len(), 1);
    }
    let own = stage.policy(kind, "own", &deny(&["s3:*"]), &unit).await;
    let targets = stage.must("ListTargetsForPolicy", json!({ "PolicyId": own })).await;
    assert_eq!(text(&targets, "/Targets/0/TargetId"), unit);
    assert_eq!(text(&targets, "/Targets/0/Type"), "ORGANIZATIONAL_UNIT");

    let root = stage.must("DisablePolicyType", on.clone()).await;
    assert_eq!(root["Root"]["PolicyTypes"], json!([]));
    let targets = stage.must("ListTargetsForPolicy", json!({ "PolicyId": own })).await;
    assert_eq!(targets, json!({ "Targets": [] }));
    // The policy is still there, and stays off when its type is turned on again.
    stage.must("EnablePolicyType", on).await;
    let page = stage.must("ListPoliciesForTarget", policies(&unit)).await;
    assert_eq!(page["Policies"].as_array().unwrap().len(), 1);
    let other = json!({ "RootId": "r-zzzz", "PolicyType": kind });
    stage.refused("DisablePolicyType", other, FaultCode::RootNotFound).await;
    let other = json!({ "RootId": stage.root, "PolicyType": "TAG_POLICY" });
    stage.refused("EnablePolicyType", other, FaultCode::PolicyTypeNotAvailable).await;
}

#[tokio::test]
async fn a_policy_is_changed_in_place_and_deleted_only_when_it_is_free() {
    let stage = Stage::new().await;
    let kind = "SERVICE_CONTROL_POLICY";
    let id = stage.policy(kind, "one", &deny(&["s3:*"]), B).await;
    let content = deny(&["sqs:*"]);
    let update = json!({ "PolicyId": id, "Name": "two", "Description": "d", "Content": content });
    let updated = stage.must("UpdatePolicy", update).await;
    let described = stage.must("DescribePolicy", json!({ "PolicyId": id })).await;
    assert_eq!(described, updated);
    assert_eq!(text(&described, "/Policy/Content"), content);
    let arn = text(&described, "/Policy/PolicySummary/Arn");
    assert!(arn.contains(&format!(":{A}:policy/o-")), "{arn}");
    assert!(arn.ends_with(&format!("/service_control_policy/{id}")), "{arn}");

    let list = stage.must("ListPolicies", json!({ "Filter": kind })).await;
    let mut names: Vec<&str> =
        list["Policies"].as_array().unwrap().iter().map(|it| text(it, "/Name")).collect();
    names.sort_unstable();
    assert_eq!(names, ["FullAWSAccess", "two"]);
    let none = stage.must("ListPolicies", json!({ "Filter": "BACKUP_POLICY" })).await;
    assert_eq!(none, json!({ "Policies": [] }));

    let it = json!({ "PolicyId": id });
    stage.refused("DeletePolicy", it.clone(), FaultCode::PolicyInUse).await;
    stage.must("DetachPolicy", json!({ "PolicyId": id, "TargetId": B })).await;
    stage.must("DeletePolicy", it.clone()).await;
    stage.refused("DescribePolicy", it, FaultCode::PolicyNotFound).await;
    // AWS's own: read, not changed.
    let managed = json!({ "PolicyId": "p-FullAWSAccess" });
    let described = stage.must("DescribePolicy", managed.clone()).await;
    assert_eq!(described["Policy"]["PolicySummary"]["AwsManaged"], json!(true));
    for name in ["UpdatePolicy", "DeletePolicy"] {
        let why = stage.refused(name, managed.clone(), FaultCode::InvalidInputException).await;
        assert_eq!(why, Some("IMMUTABLE_POLICY"));
    }
}

#[tokio::test]
async fn without_all_features_there_are_no_policies() {
    let bench = Bench::new().await;
    let few = json!({ "FeatureSet": "CONSOLIDATED_BILLING" });
    super::must(&bench, &bench.a, "CreateOrganization", few).await;
    let roots = super::must(&bench, &bench.a, "ListRoots", json!({})).await;
    let kind = "SERVICE_CONTROL_POLICY";
    let stage = Stage { root: text(&roots, "/Roots/0/Id").to_owned(), bench };
    let none = FaultCode::PolicyTypeNotAvailable;
    let on = json!({ "RootId": stage.root, "PolicyType": kind });
    stage.refused("EnablePolicyType", on, none).await;
    let policy =
        json!({ "Type": kind, "Name": "p", "Description": "", "Content": deny(&["s3:*"]) });
    stage.refused("CreatePolicy", policy, none).await;
    let close = json!({ "AccountId": B });
    let why = stage.refused("CloseAccount", close, FaultCode::ConstraintViolation).await;
    assert_eq!(why, Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"));
}
