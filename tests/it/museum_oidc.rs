//! The museum, tokens: what other systems took for a proof of identity and should not have.
//!
//! Each test first shows the honest token, which must be taken: only then does a refusal mean what
//! the test says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use countersign::federation::oidc::SigningKey;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::caller::{Answer, form};
use crate::idp::{Idp, Mode};
use crate::web_identity::Site;

/// Nothing was handed out.
#[track_caller]
fn denied(answer: &Answer, why: &str) {
    assert!(answer.status.is_client_error(), "{why}: {answer:?}");
    assert!(!answer.body.contains("AccessKeyId"), "{why}: {answer:?}");
}

fn unsigned_text(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

/// The site's good claims under this header, well signed.
fn headed(site: &Site, header: &Value) -> String {
    let key = site.idp.key();
    let mut header = header.clone();
    header["kid"] = key.public().kid().into();
    key.sign_with(&header, &site.idp.claims("app")).unwrap()
}

/// Good claims with one of them changed, well signed.
fn claimed(site: &Site, name: &str, value: Option<Value>) -> String {
    let mut claims = site.idp.claims("app");
    match value {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    site.idp.key().sign(&claims).unwrap()
}

#[tokio::test]
async fn museum_m04_only_what_asks_for_another_proof_is_answered_unsigned() {
    let site = Site::new().await;
    let saml = format!("arn:aws:iam::{}:saml-provider/none", site.broker.home.account);
    for row in countersign::ops::catalog::ROWS {
        let (service, name) = (row.service.scope(), row.name);
        let parameters = [
            ("RoleArn", site.role.as_str()),
            ("RoleSessionName", "web"),
            ("WebIdentityToken", "eyJhbGciOiJub25lIn0.e30."),
            ("PrincipalArn", &saml),
            ("SAMLAssertion", "PFJlc3BvbnNlLz4="),
            ("UserName", "admin"),
            ("RoleName", "app"),
        ];
        let body = form(service, name, &parameters);
        let post = site.unsigned(Method::POST, "/".to_owned(), body.clone()).await;
        let get = site.unsigned(Method::GET, format!("/?{body}"), String::new()).await;
        for answer in [post, get] {
            if matches!(name, "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity") {
                answer.refused("InvalidIdentityToken");
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {answer:?}");
                answer.refused("MissingAuthenticationToken");
            }
        }
    }
}

#[tokio::test]
async fn museum_m19_what_one_provider_vouched_for_says_nothing_to_another() {
    let (site, others) = Site::several(1).await;
    let [other] = &others[..] else { panic!("one") };
    let theirs = site.register(other, "theirs", "app").await;
    let (ours, token) = (site.idp.token("app"), other.token("app"));
    // Whatever is remembered of the honest exchange: the same token, another provider's role.
    for _ in 0..3 {
        site.show(&ours).await.ok();
        denied(&site.show_for(&theirs, &ours).await, "our provider's token, their role");
        site.show_for(&theirs, &token).await.ok();
        denied(&site.show(&token).await, "their provider's token, our role");
    }
    // An account that has no such provider, with a role of the same name and trust.
    let (partner, admin) = site.broker.account("partner").await;
    let provider = format!("arn:aws:iam::{partner}:oidc-provider/{}", site.idp.url());
    let trust = crate::web_identity::trust(&provider, site.idp.url(), "app");
    let role = admin.make_role("app", &trust, &crate::caller::allow("*", "*")).await;
    site.show_for(&role, &ours).await.refused("InvalidIdentityToken");
    site.show(&ours).await.ok();
}

#[tokio::test]
async fn museum_m34_no_algorithm_is_none() {
    let site = Site::new().await;
    site.show(&headed(&site, &json!({ "alg": "ES256" }))).await.ok();
    let claims = site.idp.claims("app");
    for alg in [json!("none"), json!("nOnE"), json!(""), json!(null)] {
        denied(&site.show(&headed(&site, &json!({ "alg": alg }))).await, &alg.to_string());
        let text = unsigned_text(&json!({ "alg": alg }), &claims);
        for token in [format!("{text}."), text.clone(), format!("{text}.AA")] {
            denied(&site.show(&token).await, &token);
        }
    }
    denied(&site.show(&headed(&site, &json!({}))).await, "missing");
}

#[tokio::test]
async fn museum_m35_no_algorithm_is_symmetric() {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let site = Site::new().await;
    site.session().await;
    let key = site.idp.key();
    let public = serde_json::to_vec(key.public()).unwrap();
    for secret in [public.as_slice(), b"sts.amazonaws.com", b""] {
        let header = json!({ "alg": "HS256", "kid": key.public().kid() });
        let text = unsigned_text(&header, &site.idp.claims("app"));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
        mac.update(text.as_bytes());
        let token = format!("{text}.{}", BASE64.encode(mac.finalize().into_bytes()));
        denied(&site.show(&token).await, "HS256");
    }
    // An algorithm that exists and is not accepted of this issuer.
    denied(&site.show(&headed(&site, &json!({ "alg": "EdDSA" }))).await, "EdDSA");
}

#[tokio::test]
async fn museum_m36_a_time_of_the_wrong_type_is_not_absent() {
    let site = Site::new().await;
    site.session().await;
    for name in ["exp", "nbf", "iat"] {
        for value in
            [json!("9999999999"), json!(null), json!([9_999_999_999_i64]), json!(1e9 + 0.5)]
        {
            let why = format!("{name} {value}");
            denied(&site.show(&claimed(&site, name, Some(value))).await, &why);
        }
    }
    denied(&site.show(&claimed(&site, "exp", None)).await, "no exp");
    denied(&site.show(&claimed(&site, "exp", Some(json!(1)))).await, "long expired");
}

#[tokio::test]
async fn museum_m37_zeros_are_no_signature() {
    let site = Site::new().await;
    let good = site.idp.token("app");
    site.show(&good).await.ok();
    let text = good.rsplit_once('.').unwrap().0;
    for length in [0, 1, 63, 64, 65, 96, 256] {
        let token = format!("{text}.{}", BASE64.encode(vec![0; length]));
        denied(&site.show(&token).await, &length.to_string());
    }
}

#[tokio::test]
async fn museum_m38_a_token_brings_no_keys_along() {
    let site = Site::new().await;
    site.session().await;
    // The attacker's own provider, which would say that all is well.
    let attacker = Idp::start(&site.authority, site.broker.home.folder());
    let key = attacker.key();
    let jwk = serde_json::to_value(key.public()).unwrap();
    let keys = format!("https://localhost:{}/keys", attacker.address.port());
    for more in [
        json!({ "jwk": jwk }),
        json!({ "jku": keys }),
        json!({ "x5u": keys }),
        json!({ "x5c": ["AAAA"] }),
        json!({ "kid": keys }),
        json!({ "kid": "../../keys" }),
    ] {
        let mut header = json!({ "alg": "ES256", "kid": key.public().kid() });
        for (name, value) in more.as_object().unwrap() {
            header[name] = value.clone();
        }
        let token = key.sign_with(&header, &site.idp.claims("app")).unwrap();
        denied(&site.show(&token).await, &header.to_string());
    }
    assert_eq!(attacker.asked(), (0, 0, 0));
}

#[tokio::test]
async fn museum_m39_fetching_keys_is_no_way_in() {
    const MODES: usize = 8;
    let (site, idps) = Site::several(MODES).await;
    let inside = Idp::start(&site.authority, site.broker.home.folder());
    let at = |path: &str| format!("https://localhost:{}{path}", inside.address.port());
    let modes: [Mode; MODES] = [
        Mode::Redirect(at("/keys")),
        Mode::Redirect("http://169.254.169.254/latest/meta-data/".to_owned()),
        Mode::KeysAt("https://169.254.169.254/keys".to_owned()),
        Mode::KeysAt("http://localhost/keys".to_owned()),
        Mode::KeysAt("file:///etc/passwd".to_owned()),
        Mode::OtherIssuer,
        Mode::Endless,
        Mode::Private,
    ];
    for (at, (idp, mode)) in idps.iter().zip(modes).enumerate() {
        idp.set(mode.clone());
        let role = site.register(idp, &format!("r{at}"), "app").await;
        let answer = site.show_for(&role, &idp.token("app")).await;
        denied(&answer, &format!("{mode:?}"));
        answer.refused("IDPCommunicationError");
    }
    // An address of the inside, for which the operator has said nothing.
    let role = site.register(&inside, "inside", "app").await;
    site.show_for(&role, &inside.token("app")).await.refused("IDPCommunicationError");
    assert_eq!(inside.asked(), (0, 0, 0));
    let log = site.broker.log();
    for why in ["must not be connected to", "redirects are not followed", "names another issuer"] {
        assert!(log.contains(why), "{why}: {log}");
    }
    // The honest one, among them.
    site.session().await;
}

#[tokio::test]
async fn museum_m39_unknown_keys_cause_no_storm() {
    let site = Site::new().await;
    site.session().await;
    let key = site.idp.key();
    for number in 0..300 {
        let header = json!({ "alg": "ES256", "kid": format!("k{number}") });
        let token = key.sign_with(&header, &site.idp.claims("app")).unwrap();
        denied(&site.show(&token).await, "unknown key");
    }
    assert_eq!(site.idp.asked().1, 1);
}

#[tokio::test]
async fn museum_m40_a_token_is_for_us() {
    let site = Site::new().await;
    site.session().await;
    for value in [
        None,
        Some(json!("another client")),
        Some(json!(["another client", "and another"])),
        Some(json!([])),
        Some(json!("")),
        Some(json!(null)),
        Some(json!({ "0": "sts.amazonaws.com" })),
    ] {
        denied(&site.show(&claimed(&site, "aud", value.clone())).await, &format!("{value:?}"));
    }
    denied(&site.show(&claimed(&site, "azp", Some(json!("another client")))).await, "azp");
}

#[tokio::test]
async fn museum_m41_a_key_speaks_for_its_issuer_only() {
    let (site, idps) = Site::several(1).await;
    let [other] = &idps[..] else { panic!("one") };
    site.session().await;
    let role = site.register(other, "theirs", "app").await;
    site.show_for(&role, &other.token("app")).await.ok();
    // Key of one, name of the other, and the other way around.
    let forge = |key: &SigningKey, kid: &str, claims: &Value| {
        key.sign_with(&json!({ "alg": "ES256", "kid": kid }), claims).unwrap()
    };
    let (ours, theirs) = (site.idp.key(), other.key());
    for kid in [ours.public().kid(), theirs.public().kid()] {
        denied(&site.show(&forge(&theirs, kid, &site.idp.claims("app"))).await, "their key");
        let answer = site.show_for(&role, &forge(&ours, kid, &other.claims("app"))).await;
        denied(&answer, "our key");
    }
    // Each is good, and for the other's role it is nobody.
    denied(&site.show(&other.token("app")).await, "their token");
    denied(&site.show_for(&role, &site.idp.token("app")).await, "our token");
}

#[tokio::test]
async fn museum_m43_a_large_token_costs_nothing() {
    let site = Site::new().await;
    let began = std::time::Instant::now();
    for token in [".".repeat(1_000_000), ".".repeat(20_000), "a.".repeat(9_999)] {
        denied(&site.show(&token).await, "dots");
    }
    let deep =
        format!("{}.{}.AA", BASE64.encode(r#"{"alg":"ES256"}"#), BASE64.encode("[".repeat(10_000)));
    denied(&site.show(&deep).await, "deep");
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    site.session().await;
}
