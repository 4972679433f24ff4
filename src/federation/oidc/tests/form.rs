use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::json;

use super::super::error::Part;
use super::*;

fn encode(text: &str) -> String {
    BASE64.encode(text)
}

fn read(token: &str) -> TokenError {
    Unverified::read(token).err().unwrap_or_else(|| panic!("taken: {token}"))
}

/// A token with this header, well signed.
fn headed(header: &Value) -> Result<TrustedAssertion, TokenError> {
    let key = key(Algorithm::Es256);
    let mut header = header.clone();
    header["kid"] = key.public().kid().into();
    verify(&key.sign_with(&header, &claims()).unwrap(), &set(&[&key]))
}

#[test]
fn museum_m34_no_algorithm_is_none() {
    assert!(headed(&json!({ "alg": "ES256" })).is_ok());
    for alg in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!("NONE"),
        json!(""),
        json!(" none"),
        json!("none "),
        json!(null),
        json!(0),
        json!(["ES256"]),
        json!({ "ES256": 1 }),
        json!("es256"),
        json!("ES256 "),
        json!("ES256\u{0}"),
        json!("ES256K"),
        json!("ES512"),
    ] {
        let refused = headed(&json!({ "alg": alg })).unwrap_err();
        assert_eq!(refused, TokenError::Algorithm, "{alg}");
    }
    assert_eq!(headed(&json!({})).unwrap_err(), TokenError::Algorithm);
    // Without any signature.
    let payload = encode(&claims().to_string());
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"ES256"}"#, "{}"] {
        for token in [
            format!("{}.{payload}.", encode(header)),
            format!("{}.{payload}", encode(header)),
            format!("{}.{payload}..", encode(header)),
        ] {
            assert_eq!(read(&token), TokenError::Form);
        }
    }
}

#[test]
fn museum_m35_no_algorithm_is_symmetric() {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let key = key(Algorithm::Rs256);
    let keys = set(&[&key]);
    let public = serde_json::to_vec(key.public()).unwrap();
    for (alg, secret) in [
        ("HS256", public.as_slice()),
        ("HS256", b"client secret".as_slice()),
        ("HS384", public.as_slice()),
        ("HS512", b"".as_slice()),
        // The signature of HS256 under an accepted name.
        ("RS256", public.as_slice()),
    ] {
        let header = json!({ "alg": alg, "kid": key.public().kid() }).to_string();
        let signed = format!("{}.{}", encode(&header), encode(&claims().to_string()));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
        mac.update(signed.as_bytes());
        let token = format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()));
        let refused = verify(&token, &keys).unwrap_err();
        assert!(matches!(refused, TokenError::Algorithm | TokenError::Signature), "{alg}");
    }
}

#[test]
fn museum_m38_a_token_brings_no_keys_along() {
    let jwk = serde_json::to_value(key(Algorithm::Es256).public()).unwrap();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/cert")),
        ("x5c", json!(["AAAA"])),
        ("JWK", json!({})),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("cty", json!("JWT")),
    ] {
        let refused = headed(&json!({ "alg": "ES256", name: value })).unwrap_err();
        assert!(matches!(refused, TokenError::Header(_)), "{name}: {refused}");
    }
    // These only name a key: ignored.
    assert!(headed(&json!({ "alg": "ES256", "x5t": "a", "x5t#S256": "b", "other": 1 })).is_ok());
    let key = key(Algorithm::Es256);
    for kid in [json!(1), json!(null), json!(""), json!("k".repeat(513)), json!(["a"])] {
        let token = key.sign_with(&json!({ "alg": "ES256", "kid": kid }), &claims()).unwrap();
        assert_eq!(verify(&token, &set(&[&key])).unwrap_err(), TokenError::HeaderType("kid"));
    }
}

#[test]
fn a_token_of_another_type_is_no_proof() {
    for typ in ["JWT", "jwt", "JOSE", "application/jwt", "at+jwt", "application/at+jwt"] {
        assert!(headed(&json!({ "alg": "ES256", "typ": typ })).is_ok(), "{typ}");
    }
    for typ in ["logout+jwt", "dpop+jwt", "secevent+jwt", "", "JWE", "application/x+jwt"] {
        let refused = headed(&json!({ "alg": "ES256", "typ": typ })).unwrap_err();
        assert_eq!(refused, TokenError::Type, "{typ}");
    }
    let refused = headed(&json!({ "alg": "ES256", "typ": 1 })).unwrap_err();
    assert_eq!(refused, TokenError::HeaderType("typ"));
}

#[test]
fn museum_m40_an_access_token_for_somebody_else_is_no_proof_whoever_it_was_issued_to() {
    let key = key(Algorithm::Es256);
    let judged = |typ: &str, aud: Value| {
        let mut claims = with("azp", Some(json!(CLIENT)));
        claims["aud"] = aud;
        let header = json!({ "alg": "ES256", "typ": typ, "kid": key.public().kid() });
        verify(&key.sign_with(&header, &claims).unwrap(), &set(&[&key])).map(drop)
    };
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        assert_eq!(judged(typ, json!("reports")), Err(TokenError::Audience), "{typ}");
        assert_eq!(judged(typ, json!(["reports", CLIENT])), Ok(()), "{typ}");
    }
    // An ID token names who may show it by `azp`.
    assert_eq!(judged("JWT", json!("reports")), Ok(()));
}

#[test]
fn museum_m43_a_large_token_costs_nothing() {
    let dots = ".".repeat(1_000_000);
    assert_eq!(read(&dots), TokenError::TooLong);
    assert_eq!(read(&dots[..MAX_TOKEN]), TokenError::Form);
    assert_eq!(read(&"a".repeat(MAX_TOKEN + 1)), TokenError::TooLong);
    let header = encode(r#"{"alg":"ES256"}"#);
    // Deeper than any JSON reader should go, within the length.
    for deep in ["[".repeat(10_000), format!("{{\"a\":{}", "[".repeat(10_000))] {
        let token = format!("{header}.{}.AA", encode(&deep));
        assert_eq!(read(&token), TokenError::Json(Part::Payload));
    }
    let many = format!("{{{}\"iss\":\"a\"}}", "\"a\":1,".repeat(2000));
    assert_eq!(read(&format!("{header}.{}.AA", encode(&many))), TokenError::Json(Part::Payload));
}

#[test]
fn a_token_is_written_in_one_way_only() {
    let key = key(Algorithm::Es256);
    let keys = set(&[&key]);
    let good = key.sign(&claims()).unwrap();
    assert!(verify(&good, &keys).is_ok());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for bad in [
        format!("{good}="),
        format!("{good}=="),
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        format!("{good}.x"),
        format!("{signed}.{signature}A"),
        good.replacen('.', ".\n", 1),
        format!("{signed}.{}", signature.replace(['-', '_'], "+") + "+"),
    ] {
        assert!(verify(&bad, &keys).is_err(), "{bad}");
    }
    // Header and payload that are signed as they stand, in encodings that are not strict.
    let plain = |text: &str| encode(text);
    let header = plain(&json!({ "alg": "ES256", "kid": key.public().kid() }).to_string());
    let payload = plain(&claims().to_string());
    let stray = |text: &str| {
        // One more bit than the bytes need, if the last character has room for it.
        let last = text.chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.find(last).unwrap();
        format!("{}{}", &text[..text.len() - 1], alphabet.chars().nth(at ^ 1).unwrap())
    };
    let pad = format!("{} ", claims());
    let pad = if pad.len() % 3 == 0 { format!("{pad} ") } else { pad };
    for signed in [
        format!("{header}=.{payload}"),
        format!("{header}.{payload}="),
        format!("{header}.{}", stray(&plain(&pad))),
        format!("{header}.{}", payload.replace('_', "/").replace('-', "+") + "+"),
        format!("{header}.{payload} "),
    ] {
        let token = key.sign_text(&signed).unwrap();
        assert!(verify(&token, &keys).is_err(), "{signed}");
    }
}

#[test]
fn json_that_two_readers_could_read_differently_is_refused() {
    let key = key(Algorithm::Es256);
    let keys = set(&[&key]);
    let header = json!({ "alg": "ES256", "kid": key.public().kid() }).to_string();
    let payload = claims().to_string();
    let sign = |header: &str, payload: &str| {
        key.sign_text(&format!("{}.{}", encode(header), encode(payload))).unwrap()
    };
    assert!(verify(&sign(&header, &payload), &keys).is_ok());
    for bad in [
        payload.replacen('{', r#"{"sub":"root","#, 1),
        payload.replacen('{', r#"{"\u0073ub":"root","#, 1),
        payload.replacen('{', r#"{"x":{"a":1,"a":2},"#, 1),
        payload.replacen('{', r#"{"Sub":"root","#, 1),
        payload.replacen('{', r#"{"SUB":"root","#, 1),
        format!("{payload} x"),
        format!("{payload}{payload}"),
        format!("[{payload}]"),
        payload.replacen('{', "{,", 1),
        format!("\u{feff}{payload}"),
        "\"text\"".to_owned(),
        "null".to_owned(),
    ] {
        assert!(verify(&sign(&header, &bad), &keys).is_err(), "{bad}");
    }
    for bad in [
        header.replacen('{', r#"{"alg":"none","#, 1),
        header.replacen('{', r#"{"kid":"other","#, 1),
        format!("{header}//"),
        "[]".to_owned(),
    ] {
        assert!(verify(&sign(&bad, &payload), &keys).is_err(), "{bad}");
    }
}
