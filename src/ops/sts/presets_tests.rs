//! Tokens in the shape of well-known issuers, held against the trust policies of the examples.

use serde_json::{Value, json};

use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, Credentials, Idp, allow, element};

/// Exchanges a token of this shape; then each claim that the policy names is changed in turn.
async fn preset(policy: &str, url: &str, subject: &str, audience: Value, more: &Value) {
    let bench = Bench::new().await;
    bench.provider(A, url, &["sts.amazonaws.com"]).await;
    let role = bench.role(&bench.a, "workload", policy, &allow(&["*"])).await;
    let idp = Idp::new(&bench, &format!("https://{url}"));
    let mut claims = more.clone();
    claims["aud"] = audience;
    let ask = |token: &str| {
        let role = role.clone();
        let parameters = [
            ("RoleArn", role),
            ("RoleSessionName", "app".into()),
            ("WebIdentityToken", token.into()),
        ];
        let bench = &bench;
        async move {
            let parameters: Vec<_> =
                parameters.iter().map(|(n, v): &(_, String)| (*n, v.as_str())).collect();
            bench.unsigned("AssumeRoleWithWebIdentity", &parameters).await
        }
    };
    let answer = ask(&idp.token(&bench, subject, &claims)).await.unwrap();
    assert_eq!(element(&answer, "SubjectFromWebIdentityToken"), subject);
    assert_eq!(element(&answer, "Audience"), "sts.amazonaws.com");
    assert_eq!(element(&answer, "Provider"), format!("https://{url}"));
    let session = Credentials::of_answer(&answer);
    let arn = format!("arn:aws:sts::{A}:assumed-role/workload/app");
    assert_eq!(bench.whoami(&session).await.unwrap(), arn);

    for other in [format!("{subject}x"), subject.to_uppercase(), "*".to_owned()] {
        let refused = ask(&idp.token(&bench, &other, &claims)).await.unwrap_err();
        assert_eq!(refused.code(), FaultCode::AccessDenied, "{other}");
    }
    claims["aud"] = json!("another");
    let refused = ask(&idp.token(&bench, subject, &claims)).await.unwrap_err();
    assert_eq!(refused.code(), FaultCode::InvalidIdentityToken);
}

macro_rules! example {
    ($name:literal) => {
        include_str!(concat!("../../../deploy/examples/trust/", $name, ".json"))
    };
}

#[tokio::test]
async fn kubernetes_projected_tokens() {
    let more = json!({
        "jti": "7c9f", "kubernetes.io": {
            "namespace": "shop",
            "pod": { "name": "orders-0", "uid": "1" },
            "serviceaccount": { "name": "orders", "uid": "2" },
        },
    });
    let subject = "system:serviceaccount:shop:orders";
    let audience = json!(["sts.amazonaws.com"]);
    preset(example!("kubernetes"), "oidc.cluster.example", subject, audience, &more).await;
}

#[tokio::test]
async fn github_actions() {
    let more = json!({
        "jti": "a", "ref": "refs/heads/main", "sha": "0", "repository": "octo-org/octo-app",
        "repository_owner": "octo-org", "actor": "octocat", "workflow": "deploy", "run_attempt": "1",
        "job_workflow_ref": "octo-org/octo-app/.github/workflows/d.yml@refs/heads/main",
        "environment": "prod", "repository_visibility": "private",
    });
    let subject = "repo:octo-org/octo-app:ref:refs/heads/main";
    let audience = json!("sts.amazonaws.com");
    let url = "token.actions.githubusercontent.com";
    preset(example!("github-actions"), url, subject, audience, &more).await;
}

#[tokio::test]
async fn gitlab_ci() {
    let more = json!({
        "jti": "b", "namespace_path": "shop", "project_path": "shop/orders", "ref": "main",
        "ref_type": "branch", "ref_protected": "true", "user_email": "a@example.com",
        "pipeline_source": "push", "groups_direct": ["shop", "shop/ops"],
    });
    let subject = "project_path:shop/orders:ref_type:branch:ref:main";
    let audience = json!("sts.amazonaws.com");
    preset(example!("gitlab"), "gitlab.example.com", subject, audience, &more).await;
}

#[tokio::test]
async fn spiffe_jwt_svids() {
    let subject = "spiffe://example.org/ns/shop/sa/orders";
    let audience = json!(["sts.amazonaws.com", "other.example"]);
    preset(example!("spiffe"), "oidc.spire.example", subject, audience, &json!({})).await;
}
