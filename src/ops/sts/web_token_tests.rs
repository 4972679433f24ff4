//! GetWebIdentityToken and the issuers of accounts: what tokens say, who gets them, what is
//! published, how keys change.

use serde_json::{Value, json};

use crate::directory::issuer::{KEEP, PUBLISH_AHEAD, ROTATE_AFTER};
use crate::federation::oidc::{
    Algorithm, Expected, KeySet, TokenError, TrustedAssertion, Unverified,
};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::issuer;
use crate::ops::testing::{A, B, Bench, Credentials, HOME, allow, element, trusting};
use crate::time::Clock as _;

const AUDIENCE: &str = "https://api.example";
const ES384: [(&str, &str); 2] = [("Audience.member.1", AUDIENCE), ("SigningAlgorithm", "ES384")];
const ENABLE: &str = "EnableOutboundWebIdentityFederation";
const DISABLE: &str = "DisableOutboundWebIdentityFederation";
const INFO: &str = "GetOutboundWebIdentityFederationInfo";

/// A deployment whose account A has an issuer, whose URL is returned.
async fn stage() -> (Bench, String) {
    let bench = Bench::new().await;
    let answer = bench.call(&bench.a, ENABLE, &[]).await.unwrap();
    let url = element(&answer, "IssuerIdentifier").to_owned();
    (bench, url)
}

async fn token(
    bench: &Bench,
    caller: &Credentials,
    parameters: &[(&str, &str)],
) -> Result<String, Fault> {
    bench.call(caller, "GetWebIdentityToken", parameters).await
}

/// A public document of the issuer, by its whole URL.
fn document(bench: &Bench, url: &str) -> Option<Value> {
    let path = url.strip_prefix("https://tokens.example/at/issuers/")?;
    let snapshot = bench.services.directory.snapshot();
    issuer::document(&bench.services, &snapshot, path, bench.clock.now())
}

fn published(bench: &Bench, url: &str) -> Value {
    let discovery = document(bench, &format!("{url}/.well-known/openid-configuration")).unwrap();
    assert_eq!(discovery["issuer"], url);
    document(bench, discovery["jwks_uri"].as_str().unwrap()).unwrap()
}

/// The key IDs of the issuer's own keys.
fn kids(bench: &Bench, url: &str) -> Vec<String> {
    let keys = published(bench, url);
    let own = keys["keys"].as_array().unwrap().iter().filter(|key| key["kty"] == "EC");
    own.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Verifies as somebody would who trusts the issuer.
fn verified(bench: &Bench, url: &str, answer: &str) -> Result<TrustedAssertion, TokenError> {
    let keys = KeySet::parse(published(bench, url).to_string().as_bytes()).unwrap();
    let token = Unverified::read(element(answer, "WebIdentityToken"))?;
    token
        .check(&Expected {
            issuer: url,
            client_ids: &[AUDIENCE.to_owned()],
            algorithms: &[Algorithm::Es384, Algorithm::Rs256],
            now: bench.clock.now(),
        })?
        .verify(&keys)
}

/// The claims of a token as JSON, not verified.
fn claims(answer: &str) -> Value {
    part(answer, 1)
}

fn part(answer: &str, at: usize) -> Value {
    use base64::Engine as _;
    let text = element(answer, "WebIdentityToken").split('.').nth(at).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[track_caller]
fn refused(result: Result<String, Fault>, code: FaultCode) -> Fault {
    let fault = result.err().unwrap_or_else(|| panic!("granted"));
    assert_eq!(fault.code(), code, "{fault:?}");
    fault
}

#[tokio::test]
async fn a_token_says_who_the_caller_is_and_verifies_with_what_is_published() {
    let (bench, url) = stage().await;
    for algorithm in ["ES384", "RS256"] {
        let parameters = [("Audience.member.1", AUDIENCE), ("SigningAlgorithm", algorithm)];
        let answer = token(&bench, &bench.a, &parameters).await.unwrap();
        let assertion = verified(&bench, &url, &answer).unwrap();
        assert_eq!(assertion.claims().subject(), format!("arn:aws:iam::{A}:user/admin"));
        assert_eq!(part(&answer, 0)["alg"], algorithm);
        let claims = claims(&answer);
        let now = bench.now();
        let jti = claims["jti"].as_str().unwrap();
        assert_eq!(
            claims,
            json!({
                "iss": url, "sub": format!("arn:aws:iam::{A}:user/admin"), "aud": AUDIENCE,
                "iat": now, "exp": now + 300, "jti": jti,
                "https://sts.amazonaws.com/": { "aws_account": A, "source_region": HOME },
            })
        );
        let again = token(&bench, &bench.a, &parameters).await.unwrap();
        assert_ne!(self::claims(&again)["jti"], jti);
        // It ends.
        bench.advance(300);
        assert!(matches!(verified(&bench, &url, &answer), Err(TokenError::Expired(_))));
    }
}

#[tokio::test]
async fn a_session_s_token_tells_of_its_role_tags_and_source_and_ends_with_it() {
    let (bench, url) = stage().await;
    let role = bench.role(&bench.a, "app", &trusting(&[A]), &allow(&["sts:*"])).await;
    let tag = [("RoleName", "app"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    bench.call(&bench.a, "TagRole", &tag).await.unwrap();
    let ask = [
        ("RoleArn", role.as_str()),
        ("RoleSessionName", "session"),
        ("SourceIdentity", "alice"),
        ("Tags.member.1.Key", "job"),
        ("Tags.member.1.Value", "7"),
    ];
    let answer = bench.call(&bench.a, "AssumeRole", &ask).await.unwrap();
    let ends = element(&answer, "Expiration").to_owned();
    let session = Credentials::of_answer(&answer);
    let parameters = [
        ("Audience.member.1", AUDIENCE),
        ("Audience.member.2", "other"),
        ("SigningAlgorithm", "ES384"),
        ("DurationSeconds", "3600"),
        ("Tags.member.1.Key", "aud"),
        ("Tags.member.1.Value", "x"),
    ];
    let answer = token(&bench, &session, &parameters).await.unwrap();
    verified(&bench, &url, &answer).unwrap();
    let told = claims(&answer);
    assert_eq!(told["sub"], role);
    assert_eq!(told["aud"], json!([AUDIENCE, "other"]));
    assert_eq!(
        told["https://sts.amazonaws.com/"],
        json!({
            "aws_account": A, "source_region": HOME,
            "principal_tags": { "team": "blue", "job": "7" },
            "original_session_exp": ends, "source_identity": "alice",
            "request_tags": { "aud": "x" },
        })
    );
    // A second later such a token would outlive the session.
    bench.advance(1);
    let fault =
        refused(token(&bench, &session, &parameters).await, FaultCode::SessionDurationEscalation);
    assert!(fault.message().contains("beyond its original expiration"));
}

#[tokio::test]
async fn only_who_may_gets_a_token_and_conditions_see_what_it_is_for() {
    let (bench, _) = stage().await;
    let deny = |fault: Fault, action: &str| {
        assert!(fault.message().contains(action), "{}", fault.message());
    };
    let nobody = bench.user(&bench.a, "nobody", &allow(&["s3:*"])).await;
    let fault = refused(token(&bench, &nobody, &ES384).await, FaultCode::AccessDenied);
    deny(fault, "sts:GetWebIdentityToken");
    let plain = bench.user(&bench.a, "plain", &allow(&["sts:GetWebIdentityToken"])).await;
    token(&bench, &plain, &ES384).await.unwrap();
    let mut tagged = ES384.to_vec();
    tagged.extend([("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]);
    let fault = refused(token(&bench, &plain, &tagged).await, FaultCode::AccessDenied);
    deny(fault, "sts:TagGetWebIdentityToken");

    let limited = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": AUDIENCE },
            "NumericLessThanEquals": { "sts:DurationSeconds": "120" },
            "StringEquals": { "sts:SigningAlgorithm": "ES384" },
        },
    }]});
    let limited = bench.user(&bench.a, "limited", &limited.to_string()).await;
    for (audience, algorithm, duration, good) in [
        (AUDIENCE, "ES384", "120", true),
        ("other", "ES384", "120", false),
        (AUDIENCE, "RS256", "120", false),
        (AUDIENCE, "ES384", "121", false),
    ] {
        let parameters = [
            ("Audience.member.1", audience),
            ("SigningAlgorithm", algorithm),
            ("DurationSeconds", duration),
        ];
        let result = token(&bench, &limited, &parameters).await;
        assert_eq!(result.is_ok(), good, "{parameters:?}");
    }
    // Another account has not enabled it; nor has an anonymous caller anything.
    refused(
        token(&bench, &bench.b, &ES384).await,
        FaultCode::OutboundWebIdentityFederationDisabled,
    );
    refused(
        bench.unsigned("GetWebIdentityToken", &ES384).await,
        FaultCode::MissingAuthenticationToken,
    );
}

#[tokio::test]
async fn parameters_are_held_to_the_model() {
    let (bench, _) = stage().await;
    let audience = ("Audience.member.1", AUDIENCE);
    let algorithm = ("SigningAlgorithm", "ES384");
    let long = "a".repeat(1001);
    for bad in [
        vec![algorithm],
        vec![audience],
        vec![audience, ("SigningAlgorithm", "HS256")],
        vec![audience, ("SigningAlgorithm", "none")],
        vec![audience, algorithm, ("DurationSeconds", "59")],
        vec![audience, algorithm, ("DurationSeconds", "3601")],
        vec![algorithm, ("Audience.member.1", "")],
        vec![algorithm, ("Audience.member.1", &long)],
    ] {
        let result = token(&bench, &bench.a, &bad).await;
        assert!(result.is_err_and(|fault| fault.code().status() == 400), "{bad:?}");
    }
    let mut big = vec![algorithm];
    let names: Vec<String> = (1..=10).map(|n| format!("Audience.member.{n}")).collect();
    let audiences: Vec<String> = (0..10).map(|n| format!("{n}{}", "\t".repeat(999))).collect();
    big.extend(names.iter().zip(&audiences).map(|(name, text)| (name.as_str(), text.as_str())));
    refused(token(&bench, &bench.a, &big).await, FaultCode::JwtPayloadSizeExceeded);
}

#[tokio::test]
async fn an_issuer_is_enabled_once_disabled_and_comes_back() {
    let (bench, url) = stage().await;
    let info = bench.call(&bench.a, INFO, &[]).await.unwrap();
    assert_eq!(
        (element(&info, "IssuerIdentifier"), element(&info, "JwtVendingEnabled")),
        (&*url, "true")
    );
    refused(bench.call(&bench.a, ENABLE, &[]).await, FaultCode::FeatureEnabled);
    let rs256 = [ES384[0], ("SigningAlgorithm", "RS256")];
    let answers = [
        token(&bench, &bench.a, &ES384).await.unwrap(),
        token(&bench, &bench.a, &rs256).await.unwrap(),
    ];
    let before = kids(&bench, &url);
    let answer = &answers[0];
    for answer in &answers {
        verified(&bench, &url, answer).unwrap();
    }

    bench.call(&bench.a, DISABLE, &[]).await.unwrap();
    refused(bench.call(&bench.a, DISABLE, &[]).await, FaultCode::FeatureDisabled);
    refused(bench.call(&bench.a, INFO, &[]).await, FaultCode::FeatureDisabled);
    refused(
        token(&bench, &bench.a, &ES384).await,
        FaultCode::OutboundWebIdentityFederationDisabled,
    );
    // Its key set is there and empty: no token from before verifies.
    assert_eq!(published(&bench, &url), json!({ "keys": [] }));
    let again = bench.call(&bench.a, ENABLE, &[]).await.unwrap();
    assert_eq!(element(&again, "IssuerIdentifier"), url);
    // It has another key, which signs at once, and the old one does not come back.
    let after = kids(&bench, &url);
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
    assert!(matches!(verified(&bench, &url, answer), Err(TokenError::UnknownKey)));
    let next = token(&bench, &bench.a, &ES384).await.unwrap();
    assert_eq!(part(&next, 0)["kid"], *after[0]);
    verified(&bench, &url, &next).unwrap();

    // Every account has an issuer of its own, whose keys say nothing about another's.
    let other = bench.call(&bench.b, ENABLE, &[]).await.unwrap();
    let other = element(&other, "IssuerIdentifier").to_owned();
    assert_ne!(other, url);
    assert!(kids(&bench, &other).iter().all(|kid| !kids(&bench, &url).contains(kid)));
    assert!(matches!(verified(&bench, &other, answer), Err(TokenError::Issuer)));
    let theirs = token(&bench, &bench.b, &ES384).await.unwrap();
    assert_eq!(claims(&theirs)["iss"], other);
    assert_eq!(claims(&theirs)["https://sts.amazonaws.com/"]["aws_account"], B);
}

#[tokio::test]
async fn only_an_issuer_s_own_documents_are_there() {
    let (bench, url) = stage().await;
    for bad in [
        url.clone(),
        format!("{url}/.well-known/"),
        format!("{url}/.well-known/other"),
        format!("{url}/.well-known/jwks.json/more"),
        url.replace(A, B) + "/.well-known/jwks.json",
        url[..url.len() - 1].to_owned() + "/.well-known/jwks.json",
        format!("https://tokens.example/at/issuers/{A}//.well-known/jwks.json"),
    ] {
        assert_eq!(document(&bench, &bad), None, "{bad}");
    }
    let keys = published(&bench, &url);
    for key in keys["keys"].as_array().unwrap() {
        assert_eq!(key["use"], "sig");
        // Nothing private.
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(member).is_none(), "{member}");
        }
    }
}

#[tokio::test]
async fn keys_are_published_before_they_sign_and_after() {
    let (bench, url) = stage().await;
    let kid = |answer: &str| part(answer, 0)["kid"].as_str().unwrap().to_owned();
    let first = kid(&token(&bench, &bench.a, &ES384).await.unwrap());
    assert_eq!(kids(&bench, &url), [first.as_str()]);
    bench.advance(ROTATE_AFTER as u64);
    // The key's time has come: the next one is published, and the first still signs.
    let answers = at_once(&bench).await;
    assert!(answers.iter().all(|answer| kid(answer) == first));
    let both = kids(&bench, &url);
    assert_eq!((both.len(), &both[0]), (2, &first));
    bench.advance(PUBLISH_AHEAD as u64 - 1);
    let last = token(&bench, &bench.a, &ES384).await.unwrap();
    assert_eq!(kid(&last), first);
    bench.advance(1);
    let next = token(&bench, &bench.a, &ES384).await.unwrap();
    assert_eq!(kid(&next), both[1]);
    // Both verify with what is published now.
    verified(&bench, &url, &last).unwrap();
    verified(&bench, &url, &next).unwrap();
    bench.advance(KEEP as u64);
    assert_eq!(kids(&bench, &url), [both[1].as_str()]);
}

/// Tokens that are asked for at once.
async fn at_once(bench: &Bench) -> [String; 3] {
    let one = || token(bench, &bench.a, &ES384);
    let (a, b, c) = tokio::join!(one(), one(), one());
    [a.unwrap(), b.unwrap(), c.unwrap()]
}

#[tokio::test]
async fn what_is_sealed_for_one_issuer_does_not_sign_for_another() {
    let (bench, _) = stage().await;
    bench.call(&bench.b, ENABLE, &[]).await.unwrap();
    let snapshot = bench.services.directory.snapshot();
    let account = |id| snapshot.account(crate::id::AccountId::parse(id).unwrap()).unwrap();
    let ours = account(A).token_issuer.clone().unwrap();
    let mut moved = crate::directory::Account::clone(account(B));
    moved.token_issuer.as_mut().unwrap().keys = ours.keys;
    bench.put(crate::directory::Entity::Account(moved)).await;
    refused(token(&bench, &bench.b, &ES384).await, FaultCode::InternalFailure);
}

#[tokio::test]
async fn records_tell_of_the_token_and_do_not_hold_it() {
    let (bench, url) = stage().await;
    let before = bench.records().len();
    let answer = token(&bench, &bench.a, &ES384).await.unwrap();
    let records = bench.records().split_off(before);
    assert_eq!(records.len(), 2, "intent and outcome");
    assert_eq!(records[0]["requestParameters"]["audience"], json!([AUDIENCE]));
    let elements = &records[1]["responseElements"];
    assert_eq!(elements["issuer"], url);
    assert_eq!(elements["jti"], claims(&answer)["jti"]);
    let signature = element(&answer, "WebIdentityToken").rsplit('.').next().unwrap();
    assert!(records.iter().all(|record| !record.to_string().contains(signature)));
}

#[tokio::test]
async fn a_token_of_the_deployment_is_no_proof_to_itself() {
    let (bench, url) = stage().await;
    for account in [&bench.a, &bench.b] {
        let message = bench
            .call(account, "CreateOpenIDConnectProvider", &[("Url", url.as_str())])
            .await
            .unwrap_err();
        assert_eq!(message.code(), FaultCode::InvalidInput);
        assert!(message.message().contains("AssumeRole"), "{}", message.message());
    }
    assert!(issuer::is_own(&bench.services, &url));
    assert!(!issuer::is_own(&bench.services, "https://tokens.example/other/issuers/1"));
}
