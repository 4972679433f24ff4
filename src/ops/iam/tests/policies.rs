//! Inline and attached policies, of users and roles alike.

use super::{must, refused};
use crate::directory::managed::ADMINISTRATOR_ACCESS;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, trusting};
use crate::wire::xml::percent_encode;

/// `User` or `Role`, the parameter that names it, and the limit of its inline policies.
const KINDS: [(&str, &str, usize); 2] = [("User", "UserName", 2048), ("Role", "RoleName", 10_240)];

async fn bench() -> Bench {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "x")]).await;
    let trust = trusting(&[A]);
    let role = [("RoleName", "x"), ("AssumeRolePolicyDocument", trust.as_str())];
    must(&bench, &bench.a, "CreateRole", &role).await;
    bench
}

#[tokio::test]
async fn an_inline_policy_is_put_shown_replaced_and_deleted() {
    let bench = bench().await;
    for (kind, name, _) in KINDS {
        let own = [(name, "x"), ("PolicyName", "p")];
        let action = |verb: &str| format!("{verb}{kind}Policy");
        for document in [allow(&["s3:*"]), allow(&["sqs:*"])] {
            let put = [own[0], own[1], ("PolicyDocument", &document)];
            must(&bench, &bench.a, &action("Put"), &put).await;
            let shown = must(&bench, &bench.a, &action("Get"), &own).await;
            assert_eq!(element(&shown, name), "x");
            assert_eq!(element(&shown, "PolicyName"), "p");
            assert_eq!(element(&shown, "PolicyDocument"), percent_encode(&document));
        }
        must(&bench, &bench.a, &action("Delete"), &own).await;
        for verb in ["Get", "Delete"] {
            let result = bench.call(&bench.a, &action(verb), &own).await;
            let message = refused(result, FaultCode::NoSuchEntity);
            let kind = kind.to_lowercase();
            assert_eq!(message, format!("The {kind} policy with name p cannot be found."));
        }
    }
}

#[tokio::test]
async fn inline_policies_have_a_size_all_together() {
    let bench = bench().await;
    for (kind, name, limit) in KINDS {
        let action = format!("Put{kind}Policy");
        // White space is free; the Sid takes up the rest.
        let sized = |chars: usize| {
            let bare = allow(&["s3:*"]).replace("{\"Action\"", "{\"Sid\":\"\",\"Action\"");
            let fill = "s".repeat(chars - bare.len());
            bare.replace("\"Sid\":\"\"", &format!("\"Sid\":\n   \"{fill}\""))
        };
        let put = async |policy: &str, chars: usize| {
            let document = sized(chars);
            let put = [(name, "x"), ("PolicyName", policy), ("PolicyDocument", document.as_str())];
            bench.call(&bench.a, &action, &put).await
        };
        put("one", 1000).await.unwrap();
        put("two", limit - 1000).await.unwrap();
        let message = refused(put("two", limit - 999).await, FaultCode::LimitExceeded);
        let kind = kind.to_lowercase();
        assert_eq!(message, format!("Maximum policy size of {limit} bytes exceeded for {kind} x"));
        refused(put("three", 200).await, FaultCode::LimitExceeded);
        put("one", 300).await.unwrap();
        put("three", 200).await.unwrap();
    }
}

#[tokio::test]
async fn an_inline_policy_that_does_not_parse_is_refused_with_its_place() {
    let bench = bench().await;
    let version = bench.services.directory.snapshot().version();
    for (kind, name, _) in KINDS {
        for (document, place) in [
            ("nonsense", "at $"),
            (&trusting(&[A]), "at $.Statement[0]"),
            (&allow(&["s3:*"]).replace("\"Allow\"", "\"allow\""), "neither Allow nor Deny"),
        ] {
            let put = [(name, "x"), ("PolicyName", "p"), ("PolicyDocument", document)];
            let result = bench.call(&bench.a, &format!("Put{kind}Policy"), &put).await;
            let message = refused(result, FaultCode::MalformedPolicyDocument);
            assert!(message.contains(place), "{message}");
        }
    }
    assert_eq!(bench.services.directory.snapshot().version(), version);
}

#[tokio::test]
async fn a_managed_policy_is_attached_and_detached() {
    let bench = bench().await;
    for (kind, name, _) in KINDS {
        let attach = format!("Attach{kind}Policy");
        let detach = format!("Detach{kind}Policy");
        let own = [(name, "x"), ("PolicyArn", ADMINISTRATOR_ACCESS)];
        let message = refused(bench.call(&bench.a, &detach, &own).await, FaultCode::NoSuchEntity);
        assert_eq!(message, format!("Policy {ADMINISTRATOR_ACCESS} was not found."));
        must(&bench, &bench.a, &attach, &own).await;
        let version = bench.services.directory.snapshot().version();
        must(&bench, &bench.a, &attach, &own).await;
        assert_eq!(bench.services.directory.snapshot().version(), version, "it was attached");
        must(&bench, &bench.a, &detach, &own).await;

        let missing = "arn:aws:iam::aws:policy/None";
        let result = bench.call(&bench.a, &attach, &[own[0], ("PolicyArn", missing)]).await;
        let message = refused(result, FaultCode::NoSuchEntity);
        assert_eq!(message, format!("Policy {missing} does not exist or is not attachable."));
        for wrong in ["arn:aws:iam::aws:role/AdministratorAccess", "AdministratorAccessXXXXX"] {
            for action in [&attach, &detach] {
                let result = bench.call(&bench.a, action, &[own[0], ("PolicyArn", wrong)]).await;
                let message = refused(result, FaultCode::InvalidInput);
                assert_eq!(message, format!("ARN {wrong} is not valid."));
            }
        }
    }
}

#[tokio::test]
async fn what_may_be_attached_can_be_limited() {
    let bench = bench().await;
    for (at, (operator, pattern)) in [
        ("ArnEquals", "arn:aws:iam::aws:policy/Read*"),
        ("ArnLike", "arn:aws:iam::aws:policy/Administrator?ccess"),
        ("StringEquals", ADMINISTRATOR_ACCESS),
    ]
    .into_iter()
    .enumerate()
    {
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow",
            "Action": ["iam:AttachUserPolicy", "iam:AttachRolePolicy"],
            "Resource": "*",
            "Condition": { operator: { "iam:PolicyARN": pattern } },
        }});
        let caller = bench.user(&bench.a, &format!("caller{at}"), &policy.to_string()).await;
        for (kind, name, _) in KINDS {
            let own = [(name, "x"), ("PolicyArn", ADMINISTRATOR_ACCESS)];
            let result = bench.call(&caller, &format!("Attach{kind}Policy"), &own).await;
            if at == 0 {
                refused(result, FaultCode::AccessDenied);
            } else {
                result.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_put_takes_effect_with_its_acknowledgement() {
    let bench = bench().await;
    let bob = bench.user(&bench.a, "bob", &allow(&["iam:GetUser"])).await;
    must(&bench, &bob, "GetUser", &[]).await;
    let own = [("UserName", "bob"), ("PolicyName", "own")];
    must(&bench, &bench.a, "DeleteUserPolicy", &own).await;
    refused(bench.call(&bob, "GetUser", &[]).await, FaultCode::AccessDenied);
}
