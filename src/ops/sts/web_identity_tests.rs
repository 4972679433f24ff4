//! AssumeRoleWithWebIdentity: what is granted, refused, inherited, revoked, recorded.

use serde_json::{Value, json};

use crate::api::RevocationTarget;
use crate::authn::{WebIdentityError, web_identity};
use crate::directory::{Entity, EntityKey, OidcProvider};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, Bench, Credentials, Idp, allow, element, find, trusting};

const URL: &str = "idp.example/realms/a";
const ISSUER: &str = "https://idp.example/realms/a";
const CLIENT: &str = "sts.amazonaws.com";
const ACTION: &str = "AssumeRoleWithWebIdentity";

/// A statement that trusts the provider of account A for these actions.
fn statement(actions: &[&str], condition: &Value) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": { "Federated": format!("arn:aws:iam::{A}:oidc-provider/{URL}") },
        "Action": actions,
        "Condition": condition,
    })
}

fn trust(condition: &Value) -> String {
    let actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"];
    let statement = statement(&actions, condition);
    json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
}

fn only(subject: &str) -> Value {
    json!({ "StringEquals": { format!("{URL}:sub"): subject, format!("{URL}:aud"): CLIENT } })
}

/// A deployment with a provider in A, and a role that trusts its subject `app`.
struct Stage {
    bench: Bench,
    idp: Idp,
    role: String,
}

impl Stage {
    async fn new() -> Self {
        Self::trusting(&trust(&only("app"))).await
    }

    async fn trusting(trust: &str) -> Self {
        let bench = Bench::new().await;
        bench.provider(A, URL, &[CLIENT]).await;
        let role = bench.role(&bench.a, "app", trust, &allow(&["*"])).await;
        let idp = Idp::new(&bench, ISSUER);
        Self { bench, idp, role }
    }

    async fn show(&self, token: &str, more: &[(&str, &str)]) -> Result<String, Fault> {
        self.show_for(&self.role, token, more).await
    }

    async fn show_for(
        &self,
        role: &str,
        token: &str,
        more: &[(&str, &str)],
    ) -> Result<String, Fault> {
        let mut parameters =
            vec![("RoleArn", role), ("RoleSessionName", "web"), ("WebIdentityToken", token)];
        parameters.extend_from_slice(more);
        self.bench.unsigned(ACTION, &parameters).await
    }

    /// Shows a token of the subject `app` with these claims.
    async fn claim(&self, more: &Value) -> Result<String, Fault> {
        self.show(&self.idp.token(&self.bench, "app", more), &[]).await
    }

    async fn session(&self) -> Credentials {
        Credentials::of_answer(&self.claim(&json!({})).await.unwrap())
    }
}

#[track_caller]
fn refused(result: Result<String, Fault>, code: FaultCode) -> Fault {
    let fault = result.err().unwrap_or_else(|| panic!("granted"));
    assert_eq!(fault.code(), code, "{fault:?}");
    fault
}

#[tokio::test]
async fn a_trusted_subject_gets_a_session() {
    let stage = Stage::new().await;
    let token = stage.idp.token(&stage.bench, "app", &json!({}));
    let answer = stage.show(&token, &[("DurationSeconds", "900")]).await.unwrap();
    for (name, text) in [
        ("SubjectFromWebIdentityToken", "app"),
        ("Audience", CLIENT),
        ("Provider", ISSUER),
        ("Arn", &format!("arn:aws:sts::{A}:assumed-role/app/web")),
    ] {
        assert_eq!(element(&answer, name), text);
    }
    assert!(element(&answer, "AssumedRoleId").ends_with(":web"));
    assert_eq!((find(&answer, "SourceIdentity"), find(&answer, "PackedPolicySize")), (None, None));
    let session = Credentials::of_answer(&answer);
    assert!(stage.bench.whoami(&session).await.is_ok());
    stage.bench.advance(899);
    assert!(stage.bench.whoami(&session).await.is_ok());
    stage.bench.advance(1);
    assert!(stage.bench.whoami(&session).await.is_err());
}

#[tokio::test]
async fn records_say_who_it_was_and_hold_no_token() {
    let stage = Stage::new().await;
    let token = stage.idp.token(&stage.bench, "app", &json!({}));
    let before = stage.bench.records().len();
    let answer = stage.show(&token, &[]).await.unwrap();
    let records = stage.bench.records().split_off(before);
    let provider = format!("arn:aws:iam::{A}:oidc-provider/{URL}");
    assert_eq!(records.len(), 2, "intent and outcome");
    for record in &records {
        assert_eq!(record["eventName"], ACTION);
        assert_eq!(record["recipientAccountId"], A);
        assert_eq!(
            record["userIdentity"],
            json!({
                "type": "WebIdentityUser",
                "principalId": format!("{provider}:{CLIENT}:app"),
                "userName": "app",
                "identityProvider": provider,
            })
        );
        assert_eq!(record["requestParameters"]["roleArn"], stage.role);
        assert!(!record.to_string().contains(&token));
    }
    let elements = &records[1]["responseElements"];
    assert_eq!(elements["subjectFromWebIdentityToken"], "app");
    assert_eq!(elements["provider"], ISSUER);
    assert_eq!(elements["credentials"]["accessKeyId"], element(&answer, "AccessKeyId"));

    // What such a session does is told with its provider.
    let session = Credentials::of_answer(&answer);
    stage.bench.whoami(&session).await.unwrap();
    let last = stage.bench.records().pop().unwrap();
    let data = &last["userIdentity"]["sessionContext"]["webIdFederationData"];
    assert_eq!(data["federatedProvider"], provider);

    // A refused token leaves a record without an identity.
    let before = stage.bench.records().len();
    refused(stage.show("a.b.c", &[]).await, FaultCode::InvalidIdentityToken);
    let records = stage.bench.records().split_off(before);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["userIdentity"]["type"], "Unknown");
    assert_eq!(records[0]["errorCode"], "InvalidIdentityToken");
    assert_eq!(records[0]["requestParameters"]["roleArn"], stage.role);
}

#[tokio::test]
async fn a_role_that_is_not_there_and_one_that_does_not_trust_read_the_same() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let conditions = [
        only("other"),
        json!({ "StringEquals": { format!("{URL}:aud"): "other" } }),
        json!({ "StringEquals": { format!("{URL}:sub"): "app", "idp.example/realms/b:sub": "app" } }),
        json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" }, "StringEquals": { format!("{URL}:sub"): "app" } }),
    ];
    let mut texts = vec![];
    for (at, condition) in conditions.iter().enumerate() {
        let role = bench.role(&bench.a, &format!("r{at}"), &trust(condition), &allow(&["*"])).await;
        let token = stage.idp.token(bench, "app", &json!({}));
        texts.push(refused(stage.show_for(&role, &token, &[]).await, FaultCode::AccessDenied));
    }
    let signed_only = bench.role(&bench.a, "signed", &trusting(&[A]), &allow(&["*"])).await;
    for role in [
        signed_only.as_str(),
        &format!("arn:aws:iam::{A}:role/missing"),
        &format!("arn:aws:iam::{A}:role/path/app"),
        &format!("arn:aws:iam::{A}:role/APP"),
    ] {
        let token = stage.idp.token(bench, "app", &json!({}));
        texts.push(refused(stage.show_for(role, &token, &[]).await, FaultCode::AccessDenied));
    }
    for fault in &texts {
        assert_eq!(fault.message(), "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        assert!(fault.note().is_some());
        assert_eq!(fault.loggable_note(), None);
    }
    assert!(stage.claim(&json!({})).await.is_ok());
}

#[tokio::test]
async fn tokens_are_refused_in_aws_words() {
    let stage = Stage::new().await;
    let now = stage.bench.now();
    for (claims, code, text) in [
        (json!({ "exp": now }), FaultCode::ExpiredTokenException, "Token expired: current date"),
        (json!({ "exp": now - 1 }), FaultCode::ExpiredTokenException, "Token expired"),
        (json!({ "nbf": now + 61 }), FaultCode::IdpRejectedClaim, "not valid yet"),
        (json!({ "iat": now + 61 }), FaultCode::IdpRejectedClaim, "not valid yet"),
        (json!({ "aud": "x" }), FaultCode::InvalidIdentityToken, "Incorrect token audience"),
        (json!({ "azp": "x" }), FaultCode::InvalidIdentityToken, "Incorrect token audience"),
        (json!({ "exp": "soon" }), FaultCode::InvalidIdentityToken, "the claim exp is malformed"),
        (
            json!({ "iss": "https://other.example" }),
            FaultCode::InvalidIdentityToken,
            "No OpenIDConnect provider found in your account for https://other.example",
        ),
        (
            json!({ "https://aws.amazon.com/tags": [] }),
            FaultCode::IdpRejectedClaim,
            "session tags are malformed",
        ),
        (
            json!({ "https://aws.amazon.com/source_identity": "not allowed!" }),
            FaultCode::ValidationError,
            "source_identity",
        ),
        (
            json!({ "https://aws.amazon.com/tags": { "principal_tags": { "a": "v".repeat(257) } } }),
            FaultCode::ValidationError,
            "principal_tags",
        ),
    ] {
        let fault = refused(stage.claim(&claims).await, code);
        assert!(fault.message().contains(text), "{}", fault.message());
    }
    assert_eq!(FaultCode::IdpRejectedClaim.status(), 403);
    for token in ["abcd", "a.b.", "....", &"x".repeat(20_000)] {
        refused(stage.show(token, &[]).await, FaultCode::InvalidIdentityToken);
    }
    for token in ["abc", &"x".repeat(20_001)] {
        let fault = refused(stage.show(token, &[]).await, FaultCode::ValidationError);
        assert!(!fault.message().contains(token), "{}", fault.message());
    }
    let good = stage.idp.token(&stage.bench, "app", &json!({}));
    for (name, value) in [
        ("ProviderId", "www.amazon.com"),
        ("DurationSeconds", "899"),
        ("DurationSeconds", "3601"),
        ("DurationSeconds", "43201"),
        ("RoleSessionName2", ""),
    ] {
        let result = stage.show(&good, &[(name, value)]).await;
        if name == "RoleSessionName2" {
            assert!(result.is_ok());
        } else {
            refused(result, FaultCode::ValidationError);
        }
    }
    let fault =
        refused(stage.show(&good, &[("Policy", "{}")]).await, FaultCode::MalformedPolicyDocument);
    assert!(!fault.message().is_empty());
}

#[tokio::test]
async fn tokens_for_pod_identity_are_for_nothing_else() {
    let stage = Stage::trusting(&trust(&json!({
        "StringEquals": { format!("{URL}:sub"): "app" },
    })))
    .await;
    let bench = &stage.bench;
    let arn = format!("arn:aws:iam::{A}:oidc-provider/{URL}");
    let pods = "pods.eks.amazonaws.com";
    let add = [("OpenIDConnectProviderArn", arn.as_str()), ("ClientID", pods)];
    bench.call(&bench.a, "AddClientIDToOpenIDConnectProvider", &add).await.unwrap();
    assert!(stage.claim(&json!({})).await.is_ok());
    for audience in [json!(pods), json!([pods]), json!([CLIENT, pods])] {
        let claims = json!({ "aud": audience, "azp": CLIENT });
        let fault = refused(stage.claim(&claims).await, FaultCode::InvalidIdentityToken);
        assert!(fault.message().contains("Incorrect token audience"), "{}", fault.message());
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_a_communication_error() {
    let stage = Stage::new().await;
    stage.bench.provider(A, "down.example", &[CLIENT]).await;
    let mut down = Idp::new(&stage.bench, "https://other.example");
    down.issuer = "https://down.example".to_owned();
    let token = down.token(&stage.bench, "app", &json!({}));
    let fault = refused(stage.show(&token, &[]).await, FaultCode::IdpCommunicationError);
    assert_eq!(fault.code().status(), 400);
    assert!(fault.note().unwrap().contains("https://down.example"));
}

#[tokio::test]
async fn museum_m41_a_key_speaks_for_its_issuer_only() {
    let stage = Stage::new().await;
    stage.bench.provider(A, "other.example", &[CLIENT]).await;
    let mut other = Idp::new(&stage.bench, "https://other.example");
    // Its own name: not whom the role trusts.
    let token = other.token(&stage.bench, "app", &json!({}));
    refused(stage.show(&token, &[]).await, FaultCode::AccessDenied);
    // The name of the trusted one, with the other's key.
    other.issuer = ISSUER.to_owned();
    let token = other.token(&stage.bench, "app", &json!({}));
    refused(stage.show(&token, &[]).await, FaultCode::InvalidIdentityToken);
    let kid = stage.idp.key.public().kid();
    let header = json!({ "alg": "ES256", "kid": kid });
    let now = stage.bench.now();
    let claims = json!({ "iss": ISSUER, "sub": "app", "aud": CLIENT, "iat": now, "exp": now + 60 });
    let token = other.key.sign_with(&header, &claims).unwrap();
    refused(stage.show(&token, &[]).await, FaultCode::InvalidIdentityToken);
    assert!(stage.claim(&json!({})).await.is_ok());
}

#[tokio::test]
async fn museum_m19_what_one_provider_vouched_for_says_nothing_to_another() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let token = stage.idp.token(bench, "app", &json!({}));
    // Good, and warm.
    for _ in 0..3 {
        stage.show(&token, &[]).await.unwrap();
    }
    // The same role name and trust in an account that has no such provider, or one for others.
    let there = trust(&only("app")).replace(A, B);
    let role = bench.role(&bench.b, "app", &there, &allow(&["*"])).await;
    let fault = refused(stage.show_for(&role, &token, &[]).await, FaultCode::InvalidIdentityToken);
    assert!(fault.message().starts_with("No OpenIDConnect provider"), "{fault:?}");
    let id = bench.provider(B, URL, &["another client"]).await;
    let fault = refused(stage.show_for(&role, &token, &[]).await, FaultCode::InvalidIdentityToken);
    assert_eq!(fault.message(), "Incorrect token audience");
    // A role that trusts the provider of the other account.
    let foreign = bench.role(&bench.b, "foreign", &trust(&only("app")), &allow(&["*"])).await;
    refused(stage.show_for(&foreign, &token, &[]).await, FaultCode::InvalidIdentityToken);
    bench.delete(EntityKey::OidcProvider(id)).await;
    bench.provider(B, URL, &[CLIENT]).await;
    refused(stage.show_for(&foreign, &token, &[]).await, FaultCode::AccessDenied);
    stage.show_for(&role, &token, &[]).await.unwrap();
    // After its end it is refused, however warm.
    bench.advance(900);
    refused(stage.show(&token, &[]).await, FaultCode::ExpiredTokenException);
}

#[tokio::test]
async fn a_key_that_is_new_is_found_in_a_newer_set() {
    let mut stage = Stage::new().await;
    stage.session().await;
    let old = stage.idp.token(&stage.bench, "app", &json!({}));
    stage.idp = Idp::new(&stage.bench, ISSUER);
    stage.session().await;
    refused(stage.show(&old, &[]).await, FaultCode::InvalidIdentityToken);
}

#[tokio::test]
async fn claims_are_exact_condition_keys() {
    let stage = Stage::new().await;
    let key = |name: &str| format!("{URL}:{name}");
    let claims = json!({
        "azp": CLIENT, "aud": ["account", "broker"], "amr": ["pwd", "otp"], "email": "a@b.example",
        "repository": "octo/app", "run": 7, "protected": true,
    });
    for (condition, good) in [
        (json!({ "StringEquals": { key("aud"): CLIENT } }), true),
        (json!({ "StringEquals": { key("azp"): CLIENT } }), true),
        (
            json!({ "ForAllValues:StringEquals": { key("oaud"): ["account", "broker"] },
                 "Null": { key("oaud"): "false" }, "StringEquals": { key("sub"): "app" } }),
            true,
        ),
        (json!({ "StringEquals": { key("oaud"): "account" } }), false),
        (json!({ "StringEquals": { key("aud"): "account" } }), false),
        (
            json!({ "ForAnyValue:StringEquals": { key("amr"): "otp" }, "StringEquals": { key("sub"): "app" } }),
            true,
        ),
        (
            json!({ "ForAnyValue:StringEquals": { key("amr"): "sms" }, "StringEquals": { key("sub"): "app" } }),
            false,
        ),
        (json!({ "StringEquals": { key("repository"): "octo/app" } }), true),
        (json!({ "StringEquals": { key("repository"): "octo/other" } }), false),
        (
            json!({ "StringEquals": { key("sub"): "app" }, "NumericEquals": { key("run"): "7" } }),
            true,
        ),
        (
            json!({ "StringEquals": { key("sub"): "app" }, "Bool": { key("protected"): "true" } }),
            true,
        ),
        (
            json!({ "StringEquals": { key("sub"): "app", "aws:FederatedProvider": format!("arn:aws:iam::{A}:oidc-provider/{URL}") } }),
            true,
        ),
        (json!({ "StringEquals": { key("sub"): "app", "sts:RoleSessionName": "web" } }), true),
        (json!({ "StringEquals": { key("sub"): "app", "sts:RoleSessionName": "other" } }), false),
        (
            json!({ "StringEquals": { key("sub"): "app" }, "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }),
            true,
        ),
        (
            json!({ "StringEquals": { key("sub"): "app" }, "Bool": { "aws:SecureTransport": "false" } }),
            false,
        ),
        // Another issuer's key, and a prefix of ours.
        (json!({ "StringEquals": { key("sub"): "app", "idp.example:sub": "app" } }), false),
        (json!({ "StringEquals": { key("sub"): "app", "idp.example/realms:sub": "app" } }), false),
        // Nobody signed.
        (json!({ "StringLike": { key("sub"): "app", "aws:PrincipalArn": "*" } }), false),
    ] {
        let policy = trust(&condition);
        let update = [("RoleName", "app"), ("PolicyDocument", policy.as_str())];
        stage.bench.call(&stage.bench.a, "UpdateAssumeRolePolicy", &update).await.unwrap();
        let result = stage.claim(&claims).await;
        assert_eq!(result.is_ok(), good, "{condition}");
    }
}

#[tokio::test]
async fn a_claim_does_not_pass_for_another_key() {
    // Claims under names of ours, of another issuer, or of another claim in another case.
    let stage = Stage::trusting(&trust(&json!({
        "StringEquals": { format!("{URL}:sub"): "app" },
        "IpAddress": { "aws:SourceIp": "10.0.0.0/8" },
    })))
    .await;
    for name in ["aws:SourceIp", "aws:sourceip", "SourceIp", "sts:RoleSessionName"] {
        refused(stage.claim(&json!({ name: "10.0.0.1" })).await, FaultCode::AccessDenied);
    }
    refused(stage.claim(&json!({ "Sub": "app" })).await, FaultCode::InvalidIdentityToken);
    // An issuer whose name is one of our prefixes.
    for url in ["aws", "sts", "saml", "localhost"] {
        stage.bench.provider(A, url, &[CLIENT]).await;
        let idp = Idp::new(&stage.bench, &format!("https://{url}"));
        let token = idp.token(&stage.bench, "app", &json!({ "SourceIp": "10.0.0.1" }));
        refused(stage.show(&token, &[]).await, FaultCode::InvalidIdentityToken);
    }
}

#[tokio::test]
async fn tags_and_source_identity_need_their_own_consent_and_travel() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let claims = json!({
        "https://aws.amazon.com/tags": {
            "principal_tags": { "Project": ["orders"], "Team": ["blue"] },
            "transitive_tag_keys": ["Project"],
        },
        "https://aws.amazon.com/source_identity": "alice",
    });
    let answer = stage.claim(&claims).await.unwrap();
    assert_eq!(element(&answer, "SourceIdentity"), "alice");
    assert!(find(&answer, "PackedPolicySize").is_some());
    let session = Credentials::of_answer(&answer);
    // Down the chain: the transitive tag and the source identity, not the other tag.
    let next = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": stage.role },
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
            "Condition": { "StringEquals": {
                "aws:PrincipalTag/Project": "orders", "aws:PrincipalTag/Team": "blue",
                "sts:SourceIdentity": "alice",
            } },
        }],
    });
    let next = bench.role(&bench.a, "next", &next.to_string(), &allow(&["*"])).await;
    let chained = bench.assume(&session, &next, "second").await.unwrap();
    let caller = bench.verify(&chained, "GetCallerIdentity", &[]).await.unwrap();
    let crate::authn::Caller::Signed(signed) = caller else { panic!("signed") };
    let inner = signed.identity().session().unwrap().claims();
    assert_eq!(inner.tags.len(), 1);
    assert_eq!((inner.tags[0].key.as_str(), inner.tags[0].value.as_str()), ("Project", "orders"));
    assert_eq!(inner.source_identity.as_deref(), Some("alice"));
    assert_eq!(inner.federated.as_ref().unwrap().subject, "app");

    for (actions, claims) in [
        (vec!["sts:AssumeRoleWithWebIdentity", "sts:SetSourceIdentity"], &claims),
        (vec!["sts:AssumeRoleWithWebIdentity", "sts:TagSession"], &claims),
        (vec!["sts:TagSession", "sts:SetSourceIdentity"], &json!({})),
        (vec!["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], &json!({})),
    ] {
        let policy =
            json!({ "Version": "2012-10-17", "Statement": statement(&actions, &only("app")) });
        let stage = Stage::trusting(&policy.to_string()).await;
        refused(stage.claim(claims).await, FaultCode::AccessDenied);
    }
    // The tags are in the trust decision.
    let mut condition = only("app");
    condition["StringEquals"]["aws:RequestTag/Project"] = json!("billing");
    let stage = Stage::trusting(&trust(&condition)).await;
    refused(stage.claim(&claims).await, FaultCode::AccessDenied);
    // A transitive key that is no tag, a key twice in another case.
    let stage = Stage::new().await;
    for tags in [
        json!({ "principal_tags": { "a": "1" }, "transitive_tag_keys": ["b"] }),
        json!({ "principal_tags": { "a": "1", "A": "2" } }),
    ] {
        assert!(stage.claim(&json!({ "https://aws.amazon.com/tags": tags })).await.is_err());
    }
}

/// A session of the provider, and one that came from it.
async fn chain(stage: &Stage) -> [Credentials; 2] {
    let first = stage.session().await;
    let bench = &stage.bench;
    let next = bench.role(&bench.a, "next", &trusting(&[&stage.role]), &allow(&["*"])).await;
    let second = bench.assume(&first, &next, "second").await.unwrap();
    [first, second]
}

#[tokio::test]
async fn a_deleted_provider_takes_its_sessions_with_it_for_good() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let sessions = chain(&stage).await;
    let state = bench.services.directory.snapshot();
    let account = crate::id::AccountId::parse(A).unwrap();
    let id = state.oidc_provider(account, URL).unwrap().id;
    for session in &sessions {
        bench.whoami(session).await.unwrap();
    }
    bench.delete(EntityKey::OidcProvider(id)).await;
    for session in &sessions {
        assert_eq!(
            bench.whoami(session).await.unwrap_err().code(),
            FaultCode::InvalidClientTokenId
        );
    }
    refused(stage.claim(&json!({})).await, FaultCode::InvalidIdentityToken);
    // Made again under its URL it is another one: it vouches anew, and revives nothing.
    bench.provider(A, URL, &[CLIENT]).await;
    for session in &sessions {
        assert!(bench.whoami(session).await.is_err());
    }
    bench.whoami(&stage.session().await).await.unwrap();
}

#[tokio::test]
async fn sessions_are_revoked_by_their_provider() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let sessions = chain(&stage).await;
    let target = RevocationTarget::Provider(format!("arn:aws:iam::{A}:oidc-provider/{URL}"));
    assert!(bench.revoke(&bench.b, target.clone()).await.is_err(), "another account's");
    for session in &sessions {
        bench.whoami(session).await.unwrap();
    }
    bench.revoke(&bench.a, target).await.unwrap();
    for session in &sessions {
        assert_eq!(
            bench.whoami(session).await.unwrap_err().code(),
            FaultCode::InvalidClientTokenId
        );
    }
    // Those of later are good.
    bench.whoami(&stage.session().await).await.unwrap();
    for missing in ["arn:aws:iam::111111111111:oidc-provider/none.example", "idp.example"] {
        let target = RevocationTarget::Provider(missing.to_owned());
        assert!(bench.revoke(&bench.a, target).await.is_err());
    }
}

#[tokio::test]
async fn session_policies_narrow() {
    let stage = Stage::new().await;
    let token = stage.idp.token(&stage.bench, "app", &json!({}));
    let policy = allow(&["sts:GetAccessKeyInfo"]);
    let answer = stage.show(&token, &[("Policy", &policy)]).await.unwrap();
    let narrow = Credentials::of_answer(&answer);
    let result = stage.bench.call(&narrow, "ListUsers", &[]).await;
    assert_eq!(result.unwrap_err().code(), FaultCode::AccessDenied);
    let broad = stage.session().await;
    stage.bench.call(&broad, "ListUsers", &[]).await.unwrap();
    // The subject is at hand for policies of the role itself.
    let own = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
        "Condition": { "StringEquals": { format!("{URL}:sub"): "someone else" } },
    }] });
    let token = stage.idp.token(&stage.bench, "app", &json!({}));
    let answer = stage.show(&token, &[("Policy", &own.to_string())]).await.unwrap();
    let other = Credentials::of_answer(&answer);
    assert!(stage.bench.call(&other, "ListUsers", &[]).await.is_err());
    let own = own.to_string().replace("someone else", "app");
    let answer = stage.show(&token, &[("Policy", &own)]).await.unwrap();
    let same = Credentials::of_answer(&answer);
    stage.bench.call(&same, "ListUsers", &[]).await.unwrap();
}

/// What is decided counts, not what was so when the token was verified.
#[tokio::test]
async fn a_provider_that_changes_after_the_proof_proves_nothing() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let (directory, account) = (&bench.services.directory, AccountId::parse(A).unwrap());
    let snapshot = directory.snapshot();
    let written = snapshot.oidc_provider(account, URL).unwrap();
    let token = stage.idp.token(bench, "app", &json!({}));
    let shown = web_identity(directory, &*bench.keys, account, &token, bench.services.clock.now());
    let shown = shown.await.unwrap();
    let stands = || shown.still_stands(&directory.snapshot());
    assert!(stands());
    // It vouches for another client now, for more, is gone, is another one of its name.
    for (clients, good) in [(&["other"][..], false), (&["other", CLIENT], true)] {
        let mut changed = OidcProvider::clone(written);
        changed.client_ids = clients.iter().map(|&it| it.to_owned()).collect();
        bench.put(Entity::OidcProvider(changed)).await;
        assert_eq!(stands(), good, "{clients:?}");
    }
    bench.delete(EntityKey::OidcProvider(written.id)).await;
    assert!(!stands());
    bench.provider(A, URL, &[CLIENT]).await;
    assert!(!stands());
    bench.put(Entity::OidcProvider(OidcProvider::clone(written))).await;
    assert!(stands());
    // Its account is closed: nobody else has a say in it either.
    bench.close(A).await;
    assert!(!stands());
    let late =
        web_identity(directory, &*bench.keys, account, &token, bench.services.clock.now()).await;
    assert!(matches!(late, Err(WebIdentityError::NoProvider { .. })));
}
