//! A simulation of a principal decides as its requests are decided.

use std::collections::HashMap;

use serde_json::json;

use super::{Stage, deny};
use crate::authn::Caller;
use crate::id::AccountId;
use crate::ops::authorize::{Act, CallerPolicies, policy_caller, signed_context};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Credentials, allow, element, elements, find, trusting};
use crate::policy::Effect;

const SERVICE: &str = "SERVICE_CONTROL_POLICY";
const RESOURCE: &str = "RESOURCE_CONTROL_POLICY";
const ACTIONS: [&str; 8] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:ListBucket",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "iam:GetUser",
    "iam:PassRole",
];

fn statement(effect: &str, actions: &[&str], condition: &serde_json::Value) -> serde_json::Value {
    json!({ "Effect": effect, "Action": actions, "Resource": "*", "Condition": condition })
}

fn document(statements: &[serde_json::Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// Whose policies are of every kind, with conditions on what is known of everybody.
async fn stage() -> (Stage, Credentials, Credentials) {
    let stage = Stage::new().await;
    let (bench, b) = (&stage.bench, stage.bench.b.clone());
    let own = document(&[
        statement("Allow", &["s3:Get*"], &json!({ "StringEquals": { "aws:username": "bob" } })),
        statement(
            "Allow",
            &["s3:PutObject", "sqs:*"],
            &json!({ "StringEquals": { "aws:PrincipalTag/team": "red" } }),
        ),
        statement("Allow", &["iam:*"], &json!({ "StringEquals": { "aws:ResourceAccount": B } })),
        statement("Deny", &["iam:Pass*"], &json!({ "Bool": { "aws:SecureTransport": "false" } })),
    ]);
    let bob = bench.user(&b, "bob", &own).await;
    let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    let call = async |action: &str, parameters: &[(&str, &str)]| {
        bench.call(&b, action, parameters).await.unwrap()
    };
    call("TagUser", &[&[("UserName", "bob")][..], &tag].concat()).await;
    call("CreateGroup", &[("GroupName", "staff")]).await;
    let all = document(&[statement(
        "Allow",
        &["s3:*"],
        &json!({ "StringLike": { "aws:userid": "*" }, "DateGreaterThan": {
            "aws:CurrentTime": "2026-01-01T00:00:00Z" } }),
    )]);
    let put = [("GroupName", "staff"), ("PolicyName", "own"), ("PolicyDocument", all.as_str())];
    call("PutGroupPolicy", &put).await;
    call("AddUserToGroup", &[("GroupName", "staff"), ("UserName", "bob")]).await;
    let boundary = document(&[
        statement("Allow", &["s3:*", "sqs:*", "iam:*"], &json!({})),
        statement("Deny", &["s3:DeleteObject"], &json!({})),
    ]);
    call("CreatePolicy", &[("PolicyName", "limit"), ("PolicyDocument", &boundary)]).await;
    let arn = format!("arn:aws:iam::{B}:policy/limit");
    let limit = [("UserName", "bob"), ("PermissionsBoundary", arn.as_str())];
    call("PutUserPermissionsBoundary", &limit).await;
    bench.role(&b, "worker", &trusting(&[B]), &own).await;
    call("TagRole", &[&[("RoleName", "worker")][..], &tag].concat()).await;
    let worker = format!("arn:aws:iam::{B}:role/worker");
    let session = bench.assume(&b, &worker, "simulated").await.unwrap();
    stage.policy(SERVICE, "no messages", &deny(&["sqs:Receive*"]), &stage.root).await;
    let guard = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": "*",
        "Condition": { "StringEqualsIfExists": { "aws:ResourceAccount": B } } }] });
    stage.policy(RESOURCE, "guard", &guard.to_string(), &stage.root).await;
    (stage, bob, session)
}

#[tokio::test]
async fn a_simulation_decides_as_the_request_is_decided() {
    let (stage, bob, session) = stage().await;
    let bench = &stage.bench;
    let state = bench.services.directory.snapshot();
    let resources = [B, A, "333333333333"].map(|owner| format!("arn:aws:iam::{owner}:user/it"));
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (source, credentials) in [("user/bob", bob), ("role/worker", session)] {
        let caller = bench.verify(&credentials, "GetCallerIdentity", &[]).await.unwrap();
        let Caller::Signed(request) = &caller else { panic!("nobody signed") };
        let identity = request.identity();
        let policies = CallerPolicies::gather(&state, identity);
        let source = format!("arn:aws:iam::{B}:{source}");
        for action in ACTIONS {
            for resource in &resources {
                let owner = AccountId::parse(resource.split(':').nth(4).unwrap()).unwrap();
                let act = Act { action, resource };
                let keys = signed_context(&bench.facts(), identity);
                let keys = policies.keys(keys, &policy_caller(identity), owner);
                let real = policies.decide(&policy_caller(identity), act, &keys, None).effect();
                let real = match real {
                    Effect::Allow => "allowed",
                    Effect::ExplicitDeny => "explicitDeny",
                    Effect::ImplicitDeny => "implicitDeny",
                };
                let parameters = [
                    ("PolicySourceArn", source.as_str()),
                    ("ActionNames.member.1", action),
                    ("ResourceArns.member.1", resource),
                    ("ContextEntries.member.1.ContextKeyName", "aws:SecureTransport"),
                    ("ContextEntries.member.1.ContextKeyValues.member.1", "true"),
                    ("ContextEntries.member.1.ContextKeyType", "boolean"),
                ];
                let told = bench.call(&bench.b, "SimulatePrincipalPolicy", &parameters).await;
                let told = told.unwrap();
                let decision = element(&told, "EvalDecision");
                assert_eq!(decision, real, "{source} {action} {resource}: {told}");
                *seen.entry(real).or_default() += 1;
                // Nobody who reads simulations reads the organization's policies by them.
                assert!(!told.contains("<SourcePolicyId>p-"), "{told}");
                assert!(!told.contains("no messages") && !told.contains("guard"), "{told}");
            }
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[tokio::test]
async fn results_name_policies_boundary_and_organization() {
    let (stage, ..) = stage().await;
    let bench = &stage.bench;
    let bob = format!("arn:aws:iam::{B}:user/bob");
    let ask = async |more: &[(&str, &str)]| {
        let parameters = [&[("PolicySourceArn", bob.as_str())][..], more].concat();
        bench.call(&bench.b, "SimulatePrincipalPolicy", &parameters).await.unwrap()
    };
    let told = ask(&[("ActionNames.member.1", "s3:GetObject")]).await;
    let named: Vec<_> = elements(&told, "SourcePolicyType").collect();
    assert_eq!(named, ["user", "group", "user-managed"], "{told}");
    let named: Vec<_> = elements(&told, "SourcePolicyId").collect();
    assert_eq!(named, ["own", "own", "limit"]);
    assert_eq!(element(&told, "AllowedByOrganizations"), "true");
    assert_eq!(element(&told, "AllowedByPermissionsBoundary"), "true");
    let told = ask(&[("ActionNames.member.1", "s3:DeleteObject")]).await;
    assert_eq!(element(&told, "AllowedByPermissionsBoundary"), "false");
    assert_eq!(element(&told, "SourcePolicyId"), "limit");
    assert_eq!(element(&told, "SourcePolicyType"), "user-managed");
    let all = allow(&["*"]);
    // Another boundary than its own.
    let instead = [
        ("ActionNames.member.1", "s3:DeleteObject"),
        ("PermissionsBoundaryPolicyInputList.member.1", all.as_str()),
    ];
    assert_eq!(element(&ask(&instead).await, "EvalDecision"), "allowed");
    let told = ask(&[("ActionNames.member.1", "sqs:ReceiveMessage")]).await;
    assert_eq!(element(&told, "EvalDecision"), "explicitDeny");
    assert_eq!(element(&told, "AllowedByOrganizations"), "false");
    // One policy more.
    let more = [("ActionNames.member.1", "sns:Publish"), ("PolicyInputList.member.1", &all)];
    assert_eq!(element(&ask(&more).await, "EvalDecision"), "implicitDeny");
    let told = ask(&[&more[..], &[instead[1]]].concat()).await;
    assert_eq!(element(&told, "EvalDecision"), "allowed");
    assert_eq!(element(&told, "SourcePolicyId"), "PolicyInputList.1");
    // Without some of what it has.
    let all_but = |entry: &'static [(&'static str, &'static str)], action: &'static str| {
        [&[("ActionNames.member.1", action)][..], entry].concat()
    };
    for (entry, action, decision) in [
        (
            &[("PolicyExclusionList.member.1.PolicyType", "scp")][..],
            "sqs:ReceiveMessage",
            "allowed",
        ),
        (&[("PolicyExclusionList.member.1.PolicyType", "rcp")], "s3:GetObject", "allowed"),
        (
            &[("PolicyExclusionList.member.1.PolicyType", "permission-boundary")],
            "s3:DeleteObject",
            "allowed",
        ),
        (&[("PolicyExclusionList.member.1.PolicyType", "inline")], "s3:GetObject", "implicitDeny"),
        (&[("PolicyExclusionList.member.1.PolicyType", "aws-managed")], "s3:GetObject", "allowed"),
        (
            &[
                ("PolicyExclusionList.member.1.InlinePolicyIdentifier.PolicyName", "own"),
                ("PolicyExclusionList.member.1.InlinePolicyIdentifier.AttachmentType", "group"),
                ("PolicyExclusionList.member.1.InlinePolicyIdentifier.AttachmentName", "staff"),
            ],
            "s3:AbortMultipartUpload",
            "implicitDeny",
        ),
    ] {
        let told = ask(&all_but(entry, action)).await;
        assert_eq!(element(&told, "EvalDecision"), decision, "{entry:?}: {told}");
    }
    // As somebody else who has these policies: the name is another, and so are the tags.
    let eve = format!("arn:aws:iam::{B}:user/eve");
    let other = [("ActionNames.member.1", "sqs:SendMessage"), ("CallerArn", eve.as_str())];
    let told = ask(&other).await;
    assert_eq!(element(&told, "EvalDecision"), "implicitDeny");
    assert!(told.contains("<member>aws:PrincipalTag/team</member>"), "{told}");
    // What is said goes before what is known.
    let blue = [
        ("ActionNames.member.1", "sqs:SendMessage"),
        ("ContextEntries.member.1.ContextKeyName", "aws:PrincipalTag/TEAM"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "blue"),
    ];
    assert_eq!(element(&ask(&blue).await, "EvalDecision"), "implicitDeny");
}

#[tokio::test]
async fn groups_and_roles_are_sources_too() {
    let (stage, ..) = stage().await;
    let bench = &stage.bench;
    let ask = async |source: &str, more: &[(&str, &str)]| {
        let arn = format!("arn:aws:iam::{B}:{source}");
        let own = [("PolicySourceArn", arn.as_str()), ("ActionNames.member.1", "s3:GetObject")];
        bench.call(&bench.b, "SimulatePrincipalPolicy", &[&own[..], more].concat()).await
    };
    let told = ask("group/staff", &[]).await.unwrap();
    assert_eq!(element(&told, "EvalDecision"), "implicitDeny");
    assert!(told.contains("<member>aws:userid</member>"), "{told}");
    assert_eq!(find(&told, "PermissionsBoundaryDecisionDetail"), None);
    let bob = format!("arn:aws:iam::{B}:user/bob");
    let told = ask("group/staff", &[("CallerArn", &bob)]).await.unwrap();
    assert_eq!(element(&told, "EvalDecision"), "allowed");
    let told = ask("role/worker", &[]).await.unwrap();
    assert_eq!(element(&told, "EvalDecision"), "implicitDeny");
    // Whom a resource's policy names has to be said, unless the source is a user.
    let open = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": { "AWS": bob }, "Action": "s3:*", "Resource": "*" } })
    .to_string();
    let resource = ("ResourcePolicy", open.as_str());
    for source in ["group/staff", "role/worker"] {
        let fault = ask(source, &[resource]).await.err().unwrap();
        assert_eq!(fault.code(), FaultCode::InvalidInput, "{fault:?}");
    }
    assert_eq!(element(&ask("user/bob", &[resource]).await.unwrap(), "EvalDecision"), "allowed");
    for (source, code) in [
        ("user/nobody", FaultCode::NoSuchEntity),
        ("policy/limit", FaultCode::InvalidInput),
        ("root", FaultCode::InvalidInput),
    ] {
        assert_eq!(ask(source, &[]).await.err().unwrap().code(), code, "{source}");
    }
}

/// A result tells of the tags of whom it is asked as.
#[tokio::test]
async fn as_whom_it_is_asked_has_to_be_allowed_too() {
    let (stage, ..) = stage().await;
    let bench = &stage.bench;
    let arn = |of: &str| format!("arn:aws:iam::{B}:{of}");
    let policy = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy",
        "Resource": [arn("group/staff"), arn("user/auditor")] } });
    let auditor = bench.user(&bench.b, "auditor", &policy.to_string()).await;
    let staff = arn("group/staff");
    let own = [("PolicySourceArn", staff.as_str()), ("ActionNames.member.1", "s3:GetObject")];
    let ask = async |more: &[(&str, &str)]| {
        bench.call(&auditor, "SimulatePrincipalPolicy", &[&own[..], more].concat()).await
    };
    ask(&[]).await.unwrap();
    // Whether or not there is such a user, in the same words.
    for user in ["user/bob", "user/nobody"] {
        let named = arn(user);
        let fault = ask(&[("CallerArn", &named)]).await.err().unwrap();
        assert_eq!(fault.code(), FaultCode::AccessDenied, "{user}");
        assert!(fault.message().contains(&format!("on resource: {named} because")), "{user}");
    }
    ask(&[("CallerArn", &arn("user/auditor"))]).await.unwrap();
    // Of another account nothing is known.
    ask(&[("CallerArn", "arn:aws:iam::333333333333:user/bob")]).await.unwrap();
}

#[tokio::test]
async fn the_keys_of_a_principal_are_those_of_all_its_policies() {
    let (stage, ..) = stage().await;
    let bench = &stage.bench;
    let keys = async |source: &str, more: &[(&str, &str)]| {
        let arn = format!("arn:aws:iam::{B}:{source}");
        let own = [&[("PolicySourceArn", arn.as_str())][..], more].concat();
        let told = bench.call(&bench.b, "GetContextKeysForPrincipalPolicy", &own).await.unwrap();
        elements(&told, "member").map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let own =
        ["aws:username", "aws:PrincipalTag/team", "aws:ResourceAccount", "aws:SecureTransport"];
    assert_eq!(keys("role/worker", &[]).await, own);
    assert_eq!(keys("group/staff", &[]).await, ["aws:CurrentTime", "aws:userid"]);
    let all = keys("user/bob", &[]).await;
    assert_eq!(all, [&own[..], &["aws:CurrentTime", "aws:userid"]].concat());
    let more = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:s3:::b/${aws:SourceIp}"}}"#;
    let with = keys("group/staff", &[("PolicyInputList.member.1", more)]).await;
    assert_eq!(with, ["aws:CurrentTime", "aws:userid", "aws:SourceIp"]);
}
