//! Trust in identity providers: refused unless it says whom.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, trusting};

fn trust(provider: &str, condition: &serde_json::Value) -> String {
    let of = if provider.starts_with("saml-provider/") { "SAML" } else { "WebIdentity" };
    serde_json::json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Federated": format!("arn:aws:iam::{A}:{provider}") },
        "Action": format!("sts:AssumeRoleWith{of}"),
        "Condition": condition,
    }]})
    .to_string()
}

fn like(key: &str, value: &str) -> serde_json::Value {
    serde_json::json!({ "StringLike": { key: value } })
}

fn cases() -> Vec<(String, bool)> {
    let github = "oidc-provider/token.actions.githubusercontent.com";
    let (sub, aud) =
        ("token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:aud");
    let own = "oidc-provider/id.example/realm";
    let gitlab = |value: &str| trust("oidc-provider/gitlab.com", &like("gitlab.com:sub", value));
    let none = serde_json::json!({});
    vec![
        (trust(github, &none), false),
        (trust(github, &like(aud, "sts.amazonaws.com")), false),
        (trust(github, &like(sub, "*")), false),
        (trust(github, &like(sub, "repo:*")), false),
        (trust(github, &like(sub, "repo:*/app:*")), false),
        (trust(github, &like(sub, "repo:octo*")), false),
        (trust(github, &like(sub, "*:octo/app:*")), false),
        (trust(github, &like(sub, "environment:prod")), false),
        (
            trust(github, &serde_json::json!({ "StringLikeIfExists": { sub: "repo:octo/app:*" } })),
            false,
        ),
        (trust(github, &serde_json::json!({ "StringNotLike": { sub: "repo:evil/*" } })), false),
        (
            trust(
                github,
                &serde_json::json!({ "StringLike": { sub: ["repo:octo/app:*", "repo:*"] } }),
            ),
            false,
        ),
        (trust(github, &like(sub, "repo:octo/*")), true),
        (trust(github, &like(sub, "repo:octo/app:ref:refs/heads/main")), true),
        (trust(github, &like(sub, "repository_owner_id:42:*")), true),
        (gitlab("project_path:*"), false),
        (gitlab("project_path:team*"), false),
        (gitlab("*:a/b"), false),
        (gitlab("project_path:team/*"), true),
        (trust("oidc-provider/gitlab.com", &like("gitlab.com:aud", "me")), false),
        (trust("oidc-provider/accounts.google.com", &like("accounts.google.com:aud", "me")), false),
        (trust("oidc-provider/accounts.google.com", &like("accounts.google.com:sub", "117")), true),
        (
            trust(
                "oidc-provider/app.terraform.io",
                &like("app.terraform.io:sub", "organization:*"),
            ),
            false,
        ),
        (
            trust(
                "oidc-provider/app.terraform.io",
                &like("app.terraform.io:sub", "organization:acme:*"),
            ),
            true,
        ),
        (trust(own, &none), false),
        (trust(own, &like("id.example/realm:sub", "*")), false),
        (trust(own, &like("other.example:sub", "me")), false),
        (trust(own, &like("id.example/realm:sub", "me")), true),
        (trust(own, &like("id.example/realm:aud", "app")), true),
        (trust("saml-provider/corp", &none), false),
        (trust("saml-provider/corp", &like("saml:aud", "https://signin.example/saml")), true),
    ]
}

#[tokio::test]
async fn a_provider_is_trusted_with_a_condition_that_says_whom() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let fallback = trusting(&[A]);
    let plain = [("RoleName", "plain"), ("AssumeRolePolicyDocument", fallback.as_str())];
    must(bench, admin, "CreateRole", &plain).await;
    for (number, (trust, good)) in cases().into_iter().enumerate() {
        let name = format!("r{number}");
        let create = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", trust.as_str())];
        let made = bench.call(admin, "CreateRole", &create).await;
        let update = [("RoleName", "plain"), ("PolicyDocument", trust.as_str())];
        let updated = bench.call(admin, "UpdateAssumeRolePolicy", &update).await;
        assert_eq!((made.is_ok(), updated.is_ok()), (good, good), "{trust}: {made:?}");
        if !good {
            let message = refused(made, FaultCode::MalformedPolicyDocument);
            assert!(message.contains("without saying whom"), "{message}");
            refused(updated, FaultCode::MalformedPolicyDocument);
        }
    }
}

#[tokio::test]
async fn the_operator_may_let_it_pass() {
    let mut bench = Bench::new().await;
    bench.services.iam.allow_unconditioned_federation = true;
    for (number, (trust, _)) in cases().into_iter().enumerate() {
        let name = format!("r{number}");
        let create = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", trust.as_str())];
        must(&bench, &bench.a, "CreateRole", &create).await;
    }
}
