//! Contexts in AssumeRole: asked of the trust policy, and refused.

use serde_json::json;

use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, trusting};

const PROVIDER: &str = "arn:aws:iam::aws:contextProvider/IdentityCenter";

#[tokio::test]
async fn a_context_takes_leave_and_no_provider_is_trusted() {
    let bench = Bench::new().await;
    let alice = bench.user(&bench.a, "alice", &allow(&["sts:*"])).await;
    let silent = bench.role(&bench.a, "silent", &trusting(&[A]), &allow(&["*"])).await;
    let trust = |provider: &str| {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": A }, "Action": "sts:AssumeRole" },
            {
                "Effect": "Allow", "Principal": { "AWS": A }, "Action": "sts:SetContext",
                "Condition": { "ForAllValues:ArnEquals": {
                    "sts:RequestContextProviders": [provider] } },
            },
        ]})
        .to_string()
    };
    let open = bench.role(&bench.a, "open", &trust(PROVIDER), &allow(&["*"])).await;
    let other = trust("arn:aws:iam::aws:contextProvider/Other");
    let other = bench.role(&bench.a, "other", &other, &allow(&["*"])).await;
    let contexts = [
        ("ProvidedContexts.member.1.ProviderArn", PROVIDER),
        ("ProvidedContexts.member.1.ContextAssertion", "an assertion"),
    ];
    let stored = bench.records().len();
    for (role, code, says) in [
        (&silent, FaultCode::AccessDenied, "sts:SetContext"),
        (&other, FaultCode::AccessDenied, "sts:SetContext"),
        (&open, FaultCode::InvalidParameterValue, "trusts no context provider"),
    ] {
        let plain = [("RoleArn", role.as_str()), ("RoleSessionName", "it")];
        bench.call(&alice, "AssumeRole", &plain).await.unwrap();
        let fault = bench.call(&alice, "AssumeRole", &[&plain[..], &contexts].concat()).await;
        let fault = fault.err().unwrap();
        assert_eq!(fault.code(), code, "{fault:?}");
        assert!(fault.message().contains(says), "{fault:?}");
    }
    let records = json!(&bench.records()[stored..]).to_string();
    assert!(records.contains(PROVIDER) && !records.contains("an assertion"), "{records}");
}
