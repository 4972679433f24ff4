use serde_json::json;

use super::super::claims::ClaimValue;
use super::*;

fn judged(claims: &Value) -> Result<TrustedAssertion, TokenError> {
    let key = key(Algorithm::Es256);
    verify(&key.sign(claims).unwrap(), &set(&[&key]))
}

#[test]
fn museum_m36_a_time_of_the_wrong_type_is_not_absent() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!((NOW + 5).to_string()),
            json!(null),
            json!([NOW]),
            json!({ "a": 1 }),
            json!(true),
            json!(1_790_000_000.5),
            json!(-1),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(NOW * 1000),
        ] {
            let refused = judged(&with(name, Some(value.clone()))).unwrap_err();
            assert_eq!(refused, TokenError::Claim(name), "{name} {value}");
        }
    }
    // As text: a float that is whole, an exponent, and numbers that JSON does not have.
    for number in ["1790000500.0", "1.7900005e9", "1e400", "Infinity", "NaN", "+1", "01"] {
        let key = key(Algorithm::Es256);
        let text = claims().to_string().replace(&(NOW + 600).to_string(), number);
        let header = json!({ "alg": "ES256", "kid": key.public().kid() }).to_string();
        let signed = [header, text].map(|part| super::super::base64url::encode(part.as_bytes()));
        let token = key.sign_text(&signed.join(".")).unwrap();
        assert!(verify(&token, &set(&[&key])).is_err(), "{number}");
    }
    for name in ["exp", "iat"] {
        assert_eq!(judged(&with(name, None)).unwrap_err(), TokenError::Missing(name));
    }
    assert!(judged(&with("nbf", None)).is_ok());
}

#[test]
fn times_at_their_edges() {
    let at = |name: &str, secs: i64| judged(&with(name, Some(json!(NOW + secs)))).err();
    assert_eq!(at("exp", 1), None);
    for past in [0, -1, -3600] {
        let when = Timestamp::from_secs(NOW + past);
        assert_eq!(at("exp", past), Some(TokenError::Expired(when)));
    }
    for name in ["nbf", "iat"] {
        assert_eq!(at(name, 0), None);
        assert_eq!(at(name, LEEWAY_SECS), None);
        let when = Timestamp::from_secs(NOW + LEEWAY_SECS + 1);
        assert_eq!(at(name, LEEWAY_SECS + 1), Some(TokenError::NotYet(when)));
        assert_eq!(at(name, -1_000_000), None);
    }
}

#[test]
fn museum_m40_a_token_is_for_us() {
    let ours = json!(CLIENT);
    for good in [ours.clone(), json!([CLIENT]), json!(["other", CLIENT]), json!([CLIENT, "other"])]
    {
        assert!(judged(&with("aud", Some(good.clone()))).is_ok(), "{good}");
    }
    for (bad, why) in [
        (json!("other"), TokenError::Audience),
        (json!(["other", "another"]), TokenError::Audience),
        (json!("STS.AMAZONAWS.COM"), TokenError::Audience),
        (json!(format!("{CLIENT} ")), TokenError::Audience),
        (json!(format!("{CLIENT},other")), TokenError::Audience),
        (json!(""), TokenError::Claim("aud")),
        (json!([]), TokenError::Claim("aud")),
        (json!([CLIENT, ""]), TokenError::Claim("aud")),
        (json!([CLIENT, 1]), TokenError::Claim("aud")),
        (json!([[CLIENT]]), TokenError::Claim("aud")),
        (json!({ "0": CLIENT }), TokenError::Claim("aud")),
        (json!(null), TokenError::Claim("aud")),
        (json!(true), TokenError::Claim("aud")),
        (json!(vec![CLIENT; 101]), TokenError::Claim("aud")),
    ] {
        assert_eq!(judged(&with("aud", Some(bad.clone()))).unwrap_err(), why, "{bad}");
    }
    assert_eq!(judged(&with("aud", None)).unwrap_err(), TokenError::Missing("aud"));
    // A provider without client IDs takes nothing.
    let key = key(Algorithm::Es256);
    let token = key.sign(&claims()).unwrap();
    assert_eq!(verify_for(&token, &set(&[&key]), &[]).unwrap_err(), TokenError::Audience);
}

#[test]
fn the_authorized_party_goes_before_the_audience() {
    let mut claims = with("azp", Some(json!("other")));
    assert_eq!(judged(&claims).unwrap_err(), TokenError::AuthorizedParty);
    claims["azp"] = json!(CLIENT);
    assert!(judged(&claims).is_ok());
    claims["aud"] = json!(["account", "broker"]);
    let assertion = judged(&claims).unwrap();
    assert_eq!(assertion.client(&[CLIENT.to_owned()]), Some(CLIENT));
    for bad in [json!(null), json!([CLIENT]), json!(""), json!(1)] {
        let refused = judged(&with("azp", Some(bad.clone()))).unwrap_err();
        assert_eq!(refused, TokenError::Claim("azp"), "{bad}");
    }
    // An audience is there even so.
    claims.as_object_mut().unwrap().remove("aud");
    assert_eq!(judged(&claims).unwrap_err(), TokenError::Missing("aud"));
}

#[test]
fn subject_and_issuer_are_texts() {
    for (bad, why) in [
        (None, TokenError::Missing("sub")),
        (Some(json!(null)), TokenError::Claim("sub")),
        (Some(json!(7)), TokenError::Claim("sub")),
        (Some(json!("")), TokenError::Claim("sub")),
        (Some(json!(["a"])), TokenError::Claim("sub")),
        (Some(json!("a\nb")), TokenError::Claim("sub")),
        (Some(json!("a\u{0}")), TokenError::Claim("sub")),
        (Some(json!("s".repeat(256))), TokenError::Claim("sub")),
    ] {
        assert_eq!(judged(&with("sub", bad.clone())).unwrap_err(), why, "{bad:?}");
    }
    assert!(judged(&with("sub", Some(json!("ü".repeat(255))))).is_ok());
    for (bad, why) in [
        (None, TokenError::Missing("iss")),
        (Some(json!([ISSUER])), TokenError::Claim("iss")),
        (Some(json!("https://idp.example/realms/b")), TokenError::Issuer),
        (Some(json!(format!("{ISSUER}/"))), TokenError::Issuer),
        (Some(json!("https://IDP.example/realms/a")), TokenError::Issuer),
        (Some(json!("idp.example/realms/a")), TokenError::Issuer),
        (Some(json!("http://idp.example/realms/a")), TokenError::Issuer),
    ] {
        assert_eq!(judged(&with("iss", bad.clone())).unwrap_err(), why, "{bad:?}");
    }
}

#[test]
fn only_plain_claims_become_condition_keys() {
    let mut claims = claims();
    for (name, value) in [
        ("repository", json!("octo/app")),
        ("run_attempt", json!(2)),
        ("verified", json!(true)),
        ("groups", json!(["a", "b"])),
        ("ratio", json!(0.5)),
        ("nothing", json!(null)),
        ("kubernetes.io", json!({ "namespace": "shop" })),
        ("mixed", json!(["a", 1])),
        ("with:colon", json!("x")),
        ("https://example.com/claim", json!("x")),
        ("white space", json!("x")),
        ("ümlaut", json!("x")),
        ("oaud", json!("mine")),
    ] {
        claims[name] = value;
    }
    let assertion = judged(&claims).unwrap();
    let mut found: Vec<_> = assertion.claims().others().collect();
    found.sort_by_key(|(name, _)| *name);
    let one = |text: &str| ClaimValue::One(text.to_owned());
    assert_eq!(
        found,
        [
            ("exp", &one(&(NOW + 600).to_string())),
            ("groups", &ClaimValue::Many(vec!["a".to_owned(), "b".to_owned()])),
            ("iat", &one(&(NOW - 10).to_string())),
            ("jti", &one("1")),
            ("nbf", &one(&(NOW - 10).to_string())),
            ("repository", &one("octo/app")),
            ("run_attempt", &one("2")),
            ("verified", &one("true")),
        ]
    );
}
