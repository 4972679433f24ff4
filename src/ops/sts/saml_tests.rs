//! AssumeRoleWithSAML: what is granted, refused, inherited, revoked, recorded, used once.

use serde_json::{Value, json};

use crate::api::RevocationTarget;
use crate::authn::{SamlIdentityError, saml_identity};
use crate::directory::{Entity, EntityKey, SamlProvider};
use crate::federation::saml::tests::metadata;
use crate::federation::saml::tests::sign::{Form, Signer};
use crate::id::{AccountId, ProviderId};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, Bench, Credentials, allow, element, find, trusting};

const ACTION: &str = "AssumeRoleWithSAML";
const SIGN_IN: &str = "https://signin.aws.amazon.com/saml";
/// Of `https://idp.example/metadata`, account 111111111111 and provider Corp; by another program.
const QUALIFIER: &str = "hJ9IctyXIMmSaNZal8IjrPh7/aY=";

fn provider_arn() -> String {
    format!("arn:aws:iam::{A}:saml-provider/Corp")
}

fn trust(actions: &[&str], condition: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Principal": { "Federated": provider_arn() },
        "Action": actions,
        "Condition": condition,
    }})
    .to_string()
}

fn all(condition: &Value) -> String {
    trust(&["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"], condition)
}

fn sign_in() -> Value {
    json!({ "StringEquals": { "saml:aud": SIGN_IN } })
}

/// An attribute of AWS, with these values.
fn attribute(name: &str, values: &[&str]) -> String {
    let values = values.join("</AttributeValue><AttributeValue>");
    let name = if name.starts_with("urn:") {
        name.to_owned()
    } else {
        format!("https://aws.amazon.com/SAML/Attributes/{name}")
    };
    format!("<Attribute Name=\"{name}\"><AttributeValue>{values}</AttributeValue></Attribute>")
}

/// A deployment with a provider in A, and a role that trusts it.
struct Stage {
    bench: Bench,
    signer: Signer,
    provider: ProviderId,
    role: String,
}

impl Stage {
    async fn new() -> Self {
        Self::trusting(&all(&sign_in())).await
    }

    async fn trusting(trust: &str) -> Self {
        let (bench, signer) = (Bench::new().await, Signer::new());
        let provider = ProviderId::generate(&*bench.services.random).unwrap();
        let mut stage = Self { bench, signer, provider, role: String::new() };
        stage.write_provider(&stage.signer, provider).await;
        stage.role = stage.bench.role(&stage.bench.a, "Admin", trust, &allow(&["*"])).await;
        stage
    }

    async fn write_provider(&self, signer: &Signer, id: ProviderId) {
        let provider = SamlProvider {
            id,
            account: AccountId::parse(A).unwrap(),
            name: "Corp".to_owned(),
            metadata: metadata::text(&[signer.certificate()]),
            valid_until: None,
            tags: Vec::new(),
            created_at: self.bench.services.clock.now(),
            revoked: None,
        };
        self.bench.put(Entity::SamlProvider(provider)).await;
    }

    /// A response with another ID than others, and these changes.
    fn response(&self, id: &str, changes: &[(&str, &str)], more: &str) -> String {
        let mut changes: Vec<(String, String)> =
            changes.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        changes.push(("123456789012".to_owned(), A.to_owned()));
        changes.push(("</AttributeStatement>".to_owned(), format!("{more}</AttributeStatement>")));
        let id_attribute = format!("ID=\"{id}\"");
        let text = self.signer.signed(&Form {
            assertion: false,
            response: true,
            document: Box::new(move |mut text| {
                for (from, to) in &changes {
                    assert!(text.contains(from), "{from}");
                    text = text.replace(from, to);
                }
                text.replace("ID=\"_a\"", &id_attribute)
            }),
            ..Form::default()
        });
        crate::federation::saml::tests::encode(&text)
    }

    async fn show(&self, response: &str, more: &[(&str, &str)]) -> Result<String, Fault> {
        self.show_for(&self.role, &provider_arn(), response, more).await
    }

    async fn show_for(
        &self,
        role: &str,
        provider: &str,
        response: &str,
        more: &[(&str, &str)],
    ) -> Result<String, Fault> {
        let mut parameters =
            vec![("RoleArn", role), ("PrincipalArn", provider), ("SAMLAssertion", response)];
        parameters.extend_from_slice(more);
        self.bench.unsigned(ACTION, &parameters).await
    }

    /// Shows a response with these attributes.
    async fn claim(&self, id: &str, more: &str) -> Result<String, Fault> {
        self.show(&self.response(id, &[], more), &[]).await
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
    let answer = stage.claim("_1", "").await.unwrap();
    for (name, text) in [
        ("Subject", "alice"),
        ("SubjectType", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"),
        ("Issuer", "https://idp.example/metadata"),
        ("Audience", SIGN_IN),
        ("NameQualifier", QUALIFIER),
        ("Arn", &format!("arn:aws:sts::{A}:assumed-role/Admin/alice")),
    ] {
        assert_eq!(element(&answer, name), text);
    }
    assert!(element(&answer, "AssumedRoleId").ends_with(":alice"));
    assert_eq!((find(&answer, "SourceIdentity"), find(&answer, "PackedPolicySize")), (None, None));
    let session = Credentials::of_answer(&answer);
    let arn = format!("arn:aws:sts::{A}:assumed-role/Admin/alice");
    assert_eq!(stage.bench.whoami(&session).await.unwrap(), arn);
    stage.bench.advance(3599);
    assert!(stage.bench.whoami(&session).await.is_ok());
    stage.bench.advance(1);
    assert!(stage.bench.whoami(&session).await.is_err());
}

#[tokio::test]
async fn records_say_who_it_was_and_hold_no_response() {
    let stage = Stage::new().await;
    let response = stage.response("_1", &[], "");
    let before = stage.bench.records().len();
    let answer = stage.show(&response, &[]).await.unwrap();
    let records = stage.bench.records().split_off(before);
    assert_eq!(records.len(), 2, "intent and outcome");
    for record in &records {
        assert_eq!(record["eventName"], ACTION);
        assert_eq!(record["recipientAccountId"], A);
        assert_eq!(
            record["userIdentity"],
            json!({
                "type": "SAMLUser",
                "principalId": format!("{QUALIFIER}:alice"),
                "userName": "alice",
                "identityProvider": QUALIFIER,
            })
        );
        assert_eq!(record["requestParameters"]["principalArn"], provider_arn());
        assert!(!record.to_string().contains(&response[..100]));
    }
    let elements = &records[1]["responseElements"];
    assert_eq!(elements["subject"], "alice");
    assert_eq!(elements["credentials"]["accessKeyId"], element(&answer, "AccessKeyId"));
}

#[tokio::test]
async fn an_assertion_is_used_once_for_a_role() {
    let stage = Stage::new().await;
    let other = stage.bench.role(&stage.bench.a, "Other", &all(&sign_in()), &allow(&["*"])).await;
    let pair = format!("arn:aws:iam::{A}:role/Other,{}", provider_arn());
    let more = "role/Admin</AttributeValue>";
    let both = format!("role/Admin</AttributeValue><AttributeValue>{pair}</AttributeValue>");
    let response = stage.response("_1", &[(more, &both)], "");
    stage.show(&response, &[]).await.unwrap();
    for _ in 0..2 {
        let again = refused(stage.show(&response, &[]).await, FaultCode::InvalidIdentityToken);
        assert_eq!(again.message(), "The SAML assertion has been used for this role before.");
    }
    stage.show_for(&other, &provider_arn(), &response, &[]).await.unwrap();
    let again = stage.show_for(&other, &provider_arn(), &response, &[]).await;
    refused(again, FaultCode::InvalidIdentityToken);
    // The same assertion in another response, signed anew.
    let wrapped =
        stage.response("_1", &[(more, &both), ("ID=\"_r\"", "ID=\"_r\" Consent=\"x\"")], "");
    assert_ne!(wrapped, response);
    refused(stage.show(&wrapped, &[]).await, FaultCode::InvalidIdentityToken);
    // Another one.
    stage.claim("_2", "").await.unwrap();
    // What is refused is not used up.
    let wrong = stage.response("_3", &[], "");
    let long = stage.show(&wrong, &[("DurationSeconds", "43200")]).await;
    refused(long, FaultCode::ValidationError);
    stage.show(&wrong, &[]).await.unwrap();
    // At the same time, one of them.
    let response = stage.response("_4", &[], "");
    let (one, two) = tokio::join!(stage.show(&response, &[]), stage.show(&response, &[]));
    assert_ne!(one.is_ok(), two.is_ok());
    // A use is no session of anybody.
    let count = stage.bench.services.ledger.count(
        stage
            .bench
            .services
            .directory
            .snapshot()
            .role_named(AccountId::parse(A).unwrap(), "Admin")
            .unwrap()
            .id,
        stage.bench.services.clock.now(),
    );
    assert_eq!(count.await.unwrap(), 4);
}

#[tokio::test]
async fn a_session_lasts_as_long_as_is_asked_offered_and_left() {
    let stage = Stage::new().await;
    let now = stage.bench.now();
    let expires = |answer: &str| {
        let text = element(answer, "Expiration");
        crate::time::Timestamp::parse_rfc3339(text).unwrap().secs() - now
    };
    let offered = attribute("SessionDuration", &["1800"]);
    assert_eq!(expires(&stage.claim("_1", &offered).await.unwrap()), 1800);
    let response = stage.response("_2", &[], &offered);
    let asked = stage.show(&response, &[("DurationSeconds", "900")]).await.unwrap();
    assert_eq!(expires(&asked), 900);
    // The provider offers less than is asked for.
    let response = stage.response("_5", &[], &offered);
    let asked = stage.show(&response, &[("DurationSeconds", "3600")]).await.unwrap();
    assert_eq!(expires(&asked), 1800);
    // The session at the provider ends in ten minutes.
    let ends =
        ("<AuthnStatement ", "<AuthnStatement SessionNotOnOrAfter=\"2026-09-21T14:23:20Z\" ");
    let response = stage.response("_3", &[ends], &offered);
    assert_eq!(expires(&stage.show(&response, &[]).await.unwrap()), 600);
    let long = attribute("SessionDuration", &["7200"]);
    let response = stage.response("_4", &[], &long);
    refused(stage.show(&response, &[]).await, FaultCode::ValidationError);
    let beyond = stage.show(&response, &[("DurationSeconds", "7200")]).await;
    refused(beyond, FaultCode::ValidationError);
    // More than the role allows is refused even if the provider offers less.
    let response = stage.response("_6", &[], &offered);
    let beyond = stage.show(&response, &[("DurationSeconds", "7200")]).await;
    refused(beyond, FaultCode::ValidationError);
    let response = stage.response("_4", &[], &long);
    let asked = stage.show(&response, &[("DurationSeconds", "1800")]).await.unwrap();
    assert_eq!(expires(&asked), 1800);
}

/// Made again under their names they are others; the assertion is the same.
#[tokio::test]
async fn a_used_assertion_stays_used_when_provider_and_role_are_made_again() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let response = stage.response("_1", &[], "");
    stage.show(&response, &[]).await.unwrap();
    bench.delete(EntityKey::SamlProvider(stage.provider)).await;
    let id = ProviderId::generate(&*bench.services.random).unwrap();
    stage.write_provider(&stage.signer, id).await;
    let used = "The SAML assertion has been used for this role before.";
    let again = refused(stage.show(&response, &[]).await, FaultCode::InvalidIdentityToken);
    assert_eq!(again.message(), used);
    let policy = [("RoleName", "Admin"), ("PolicyName", "own")];
    bench.call(&bench.a, "DeleteRolePolicy", &policy).await.unwrap();
    bench.call(&bench.a, "DeleteRole", &[("RoleName", "Admin")]).await.unwrap();
    let role = bench.role(&bench.a, "Admin", &all(&sign_in()), &allow(&["*"])).await;
    assert_eq!(role, stage.role);
    let again = refused(stage.show(&response, &[]).await, FaultCode::InvalidIdentityToken);
    assert_eq!(again.message(), used);
    stage.claim("_2", "").await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_refused_for_its_size_uses_nothing() {
    let stage = Stage::new().await;
    let value = "v".repeat(256);
    let tags: String =
        (0..6).map(|n| attribute(&format!("PrincipalTag:t{n}"), &[value.as_str()])).collect();
    let response = stage.response("_1", &[], &tags);
    let resource = format!("arn:aws:s3:::{}", "x".repeat(1800));
    let policy = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource } });
    let large = stage.show(&response, &[("Policy", &policy.to_string())]).await;
    refused(large, FaultCode::PackedPolicyTooLarge);
    // It is still good: for one of those who show it at the same time.
    let (one, two) = tokio::join!(stage.show(&response, &[]), stage.show(&response, &[]));
    assert_ne!(one.is_ok(), two.is_ok());
}

#[tokio::test]
async fn tags_and_source_identity_are_inherited_and_need_leave() {
    let stage = Stage::new().await;
    let more = [
        attribute("PrincipalTag:Team", &["core"]),
        attribute("PrincipalTag:Stage", &["test"]),
        attribute("TransitiveTagKeys", &["Team"]),
        attribute("SourceIdentity", &["alice"]),
    ]
    .concat();
    let answer = stage.claim("_1", &more).await.unwrap();
    assert_eq!(element(&answer, "SourceIdentity"), "alice");
    assert!(element(&answer, "PackedPolicySize").parse::<u32>().unwrap() > 0);
    let session = Credentials::of_answer(&answer);
    let next = stage
        .bench
        .role(
            &stage.bench.a,
            "next",
            &{
                json!({ "Version": "2012-10-17", "Statement": {
                    "Effect": "Allow", "Principal": { "AWS": stage.role },
                    "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
                    "Condition": { "StringEquals": {
                        "aws:PrincipalTag/Team": "core",
                    } },
                }})
                .to_string()
            },
            &allow(&["*"]),
        )
        .await;
    let assume = [("RoleArn", next.as_str()), ("RoleSessionName", "next")];
    let chained = stage.bench.call(&session, "AssumeRole", &assume).await.unwrap();
    assert_eq!(element(&chained, "SourceIdentity"), "alice");
    for (id, actions, more) in [
        ("_2", &["sts:AssumeRoleWithSAML", "sts:SetSourceIdentity"][..], "PrincipalTag:Team"),
        ("_3", &["sts:AssumeRoleWithSAML", "sts:TagSession"][..], "SourceIdentity"),
    ] {
        let stage = Stage::trusting(&trust(actions, &sign_in())).await;
        let refusal = stage.claim(id, &attribute(more, &["core"])).await;
        refused(refusal, FaultCode::AccessDenied);
        stage.claim("_4", "").await.unwrap();
    }
    let twice = [attribute("PrincipalTag:Team", &["a"]), attribute("PrincipalTag:team", &["b"])];
    assert!(stage.claim("_5", &twice.concat()).await.is_err());
    let missing = attribute("TransitiveTagKeys", &["Team"]);
    refused(stage.claim("_6", &missing).await, FaultCode::ValidationError);
    let long = attribute("PrincipalTag:Team", &[&"x".repeat(257)]);
    refused(stage.claim("_7", &long).await, FaultCode::ValidationError);
    // Fifty tags that are too much together.
    let value = |n: usize| format!("{n}{}", "y".repeat(200));
    let many: Vec<_> =
        (0..50).map(|n| attribute(&format!("PrincipalTag:{n}"), &[&value(n)])).collect();
    let many = many.concat();
    refused(stage.claim("_8", &many).await, FaultCode::PackedPolicyTooLarge);
}

#[tokio::test]
async fn every_condition_key_of_saml_holds() {
    let eppn = "urn:oid:1.3.6.1.4.1.5923.1.1.1.6";
    let more = attribute(eppn, &["a@x", "b@x"]) + &attribute("urn:oid:2.5.4.3", &["Alice"]);
    for (condition, granted) in [
        (json!({ "StringEquals": { "saml:aud": SIGN_IN } }), true),
        (json!({ "StringEquals": { "saml:aud": "https://other" } }), false),
        (json!({ "StringEquals": { "saml:iss": "https://idp.example/metadata" } }), true),
        (json!({ "StringEquals": { "saml:iss": "https://idp.example" } }), false),
        (json!({ "StringEquals": { "saml:sub": "alice" } }), true),
        (json!({ "StringEquals": { "saml:sub": "mallory" } }), false),
        (json!({ "StringLike": { "saml:sub_type": "*:unspecified" } }), true),
        (json!({ "StringEquals": { "saml:sub_type": "persistent", "saml:aud": SIGN_IN } }), false),
        (json!({ "StringEquals": { "saml:namequalifier": QUALIFIER } }), true),
        (json!({ "StringEquals": { "saml:namequalifier": "x" } }), false),
        (json!({ "StringEquals": { "saml:doc": format!("{A}/Corp") } }), true),
        (json!({ "StringEquals": { "saml:doc": format!("{A}/Other") } }), false),
        (json!({ "StringEquals": { "saml:cn": "Alice" } }), true),
        (json!({ "StringEquals": { "saml:commonName": "Alice" } }), true),
        (json!({ "StringEquals": { "saml:cn": "Bob" } }), false),
        (json!({ "ForAnyValue:StringEquals": { "saml:eduPersonPrincipalName": "b@x" } }), true),
        (json!({ "ForAnyValue:StringEquals": { "saml:eduPersonPrincipalName": "c@x" } }), false),
        (json!({ "StringEquals": { "saml:aud": SIGN_IN, "sts:RoleSessionName": "alice" } }), true),
        (json!({ "StringEquals": { "saml:aud": SIGN_IN, "sts:RoleSessionName": "bob" } }), false),
    ] {
        let stage = Stage::trusting(&all(&condition)).await;
        let answer = stage.claim("_1", &more).await;
        assert_eq!(answer.is_ok(), granted, "{condition}: {answer:?}");
    }
}

#[tokio::test]
async fn a_role_says_the_same_for_every_reason() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    bench.role(&bench.a, "Untrusting", &trusting(&[A]), &allow(&["*"])).await;
    let offered =
        |id: &str, name: &str| stage.response(id, &[("role/Admin", &format!("role/{name}"))], "");
    let mut texts = Vec::new();
    for (id, role, response) in [
        ("none", "None", offered("_1", "None")),
        ("not offered", "Admin", offered("_2", "Other")),
        ("not trusting", "Untrusting", offered("_3", "Untrusting")),
        ("of another case", "admin", offered("_4", "admin")),
    ] {
        let role = format!("arn:aws:iam::{A}:role/{role}");
        let answer = stage.show_for(&role, &provider_arn(), &response, &[]).await;
        texts.push((id, refused(answer, FaultCode::AccessDenied).message().to_owned()));
    }
    assert!(
        texts.iter().all(|(_, text)| text == "Not authorized to perform sts:AssumeRoleWithSAML")
    );
}

#[tokio::test]
async fn provider_and_role_are_of_one_account() {
    let stage = Stage::new().await;
    let response = stage.response("_1", &[], "");
    let other = format!("arn:aws:iam::{B}:role/Admin");
    let answer = stage.show_for(&other, &provider_arn(), &response, &[]).await;
    refused(answer, FaultCode::AccessDenied);
    for provider in [
        format!("arn:aws:iam::{A}:saml-provider/None"),
        format!("arn:aws:iam::{A}:saml-provider/corp"),
        format!("arn:aws:iam::{A}:oidc-provider/idp.example"),
        format!("arn:aws:iam::{A}:saml-provider/a/Corp"),
    ] {
        let answer = stage.show_for(&stage.role, &provider, &response, &[]).await;
        refused(answer, FaultCode::InvalidIdentityToken);
    }
    let answer = stage.show_for("role/Admin", &provider_arn(), &response, &[]).await;
    refused(answer, FaultCode::ValidationError);
    stage.show(&response, &[]).await.unwrap();
}

#[tokio::test]
async fn errors_are_those_of_aws() {
    let stage = Stage::new().await;
    let attempts: &[(&str, &str, FaultCode, &str)] = &[
        (
            "<Audience>https://signin",
            "<Audience>https://other",
            FaultCode::InvalidIdentityToken,
            "Response does not contain the required audience.",
        ),
        (
            "status:Success",
            "status:Responder",
            FaultCode::IdpRejectedClaim,
            "The identity provider reported that authentication failed.",
        ),
        (
            "NotOnOrAfter=\"2026-09-21T14:15:20Z\"",
            "NotOnOrAfter=\"2026-09-21T14:13:20Z\"",
            FaultCode::ExpiredTokenException,
            "The SAML assertion has expired.",
        ),
        (
            "2026-09-21T14:13:15Z",
            "2026-09-21T14:08:15Z",
            FaultCode::ExpiredTokenException,
            "Token must be redeemed within 5 minutes of issuance",
        ),
        (
            "NotBefore=\"2026-09-21T14:13:10Z\"",
            "NotBefore=\"2026-09-21T15:13:10Z\"",
            FaultCode::IdpRejectedClaim,
            "The SAML assertion is not valid yet.",
        ),
        (
            ">alice</AttributeValue>",
            ">al ice</AttributeValue>",
            FaultCode::InvalidIdentityToken,
            "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}",
        ),
        (
            "Attributes/RoleSessionName",
            "Attribute/RoleSessionName",
            FaultCode::InvalidIdentityToken,
            "RoleSessionName is required in AuthnResponse",
        ),
    ];
    for (from, to, code, message) in attempts {
        let response = stage.response("_1", &[(from, to)], "");
        let fault = refused(stage.show(&response, &[]).await, *code);
        assert_eq!(fault.message(), *message);
        assert!(fault.note().is_some());
    }
    let stranger = Signer::new();
    let other = Stage { signer: stranger, ..Stage::new().await };
    let response = other.response("_1", &[], "");
    let fault = refused(stage.show(&response, &[]).await, FaultCode::InvalidIdentityToken);
    assert_eq!(fault.message(), "Response signature invalid");
    let fault = refused(stage.show("AAAA", &[]).await, FaultCode::InvalidIdentityToken);
    assert!(fault.message().starts_with("Your request included an invalid SAML response: "));
}

#[tokio::test]
async fn a_provider_takes_its_sessions_with_it() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let first = Credentials::of_answer(&stage.claim("_1", "").await.unwrap());
    let chained = bench.role(&bench.a, "next", &trusting(&[&stage.role]), &allow(&["*"])).await;
    let assume = [("RoleArn", chained.as_str()), ("RoleSessionName", "next")];
    let next = Credentials::of_answer(&bench.call(&first, "AssumeRole", &assume).await.unwrap());
    assert!(bench.whoami(&next).await.is_ok());
    bench.revoke(&bench.a, RevocationTarget::Provider(provider_arn())).await.unwrap();
    assert!(bench.whoami(&first).await.is_err() && bench.whoami(&next).await.is_err());
    // Those that begin after it are good.
    let second = Credentials::of_answer(&stage.claim("_2", "").await.unwrap());
    assert!(bench.whoami(&second).await.is_ok());
    bench.delete(EntityKey::SamlProvider(stage.provider)).await;
    assert!(bench.whoami(&second).await.is_err());
    refused(stage.claim("_3", "").await, FaultCode::InvalidIdentityToken);
    // Made again, it is another one.
    let id = ProviderId::generate(&*bench.services.random).unwrap();
    stage.write_provider(&stage.signer, id).await;
    assert!(bench.whoami(&second).await.is_err());
    let third = Credentials::of_answer(&stage.claim("_4", "").await.unwrap());
    assert!(bench.whoami(&third).await.is_ok());
    // With another key, nobody signs in by the old one; sessions go on.
    stage.write_provider(&Signer::new(), id).await;
    refused(stage.claim("_5", "").await, FaultCode::InvalidIdentityToken);
    assert!(bench.whoami(&third).await.is_ok());
}

/// The trust policy of the examples takes the people of its provider, and of no other issuer.
#[tokio::test]
async fn the_trust_policy_of_the_examples() {
    let policy = include_str!("../../../deploy/examples/trust/saml.json");
    let stage = Stage::trusting(policy).await;
    let more = attribute("PrincipalTag:Team", &["core"]) + &attribute("SourceIdentity", &["alice"]);
    stage.claim("_1", &more).await.unwrap();
    for (key, value) in [
        ("https://signin.aws.amazon.com/saml\"", "https://other.example/saml\""),
        ("https://idp.example/metadata\"", "https://idp.example/\""),
    ] {
        let other = policy.replace(key, value);
        assert_ne!(other, policy);
        let stage = Stage::trusting(&other).await;
        refused(stage.claim("_1", "").await, FaultCode::AccessDenied);
    }
}

/// What is decided counts, not what was so when the assertion was verified.
#[tokio::test]
async fn a_provider_that_changes_after_the_proof_proves_nothing() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let (services, account) = (&bench.services, AccountId::parse(A).unwrap());
    let response = stage.response("_1", &[], "");
    let show = || {
        let (directory, now) = (&services.directory, bench.services.clock.now());
        saml_identity(directory, &services.saml, account, &provider_arn(), &response, now)
    };
    let shown = show().unwrap();
    let stands = || shown.still_stands(&services.directory.snapshot());
    assert!(stands());
    // Other keys, no provider, another one of its name.
    stage.write_provider(&Signer::new(), stage.provider).await;
    assert!(!stands());
    stage.write_provider(&stage.signer, stage.provider).await;
    assert!(stands());
    bench.delete(EntityKey::SamlProvider(stage.provider)).await;
    assert!(!stands());
    let other = ProviderId::generate(&*services.random).unwrap();
    stage.write_provider(&stage.signer, other).await;
    assert!(!stands());
    bench.delete(EntityKey::SamlProvider(other)).await;
    stage.write_provider(&stage.signer, stage.provider).await;
    assert!(stands());
    // Its account is closed.
    bench.close(A).await;
    assert!(!stands());
    assert!(matches!(show(), Err(SamlIdentityError::NoProvider)));
}
