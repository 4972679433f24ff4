mod claims;
mod form;
mod keys;
mod tags;
mod wycheproof;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::*;
use crate::time::Timestamp;

pub(super) const ISSUER: &str = "https://idp.example/realms/a";
pub(super) const CLIENT: &str = "sts.amazonaws.com";
pub(super) const NOW: i64 = 1_790_000_000;

/// An RSA key of 2,048 bits, for tests: everybody knows it.
const RSA: &str = include_str!("rsa-2048.pem");

pub(super) fn key(algorithm: Algorithm) -> SigningKey {
    match algorithm.key_type() {
        KeyType::Rsa => {
            let der = PrivatePkcs8KeyDer::from_pem_slice(RSA.as_bytes()).unwrap();
            SigningKey::from_pkcs8(algorithm, der.secret_pkcs8_der()).unwrap()
        }
        _ => SigningKey::from_pkcs8(algorithm, &SigningKey::generate(algorithm).unwrap()).unwrap(),
    }
}

pub(super) fn set(keys: &[&SigningKey]) -> KeySet {
    let text = PublicJwk::set(keys.iter().map(|key| key.public())).to_string();
    KeySet::parse(text.as_bytes()).unwrap()
}

/// Claims that are good.
pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "system:serviceaccount:shop:orders",
        "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 600, "jti": "1",
    })
}

/// Good claims with one of them replaced, or left out.
pub(super) fn with(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    match value {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    claims
}

/// Verifies against an issuer of which everything is accepted that is accepted at all.
pub(super) fn verify(token: &str, keys: &KeySet) -> Result<TrustedAssertion, TokenError> {
    verify_for(token, keys, &[CLIENT.to_owned()])
}

pub(super) fn verify_for(
    token: &str,
    keys: &KeySet,
    client_ids: &[String],
) -> Result<TrustedAssertion, TokenError> {
    let expected = Expected {
        issuer: ISSUER,
        client_ids,
        algorithms: Algorithm::ALL,
        now: Timestamp::from_secs(NOW),
    };
    Unverified::read(token)?.check(&expected)?.verify(keys)
}

#[test]
fn a_good_token_of_every_algorithm_is_verified() {
    for algorithm in Algorithm::ALL {
        let key = key(*algorithm);
        let token = key.sign(&claims()).unwrap();
        let assertion = verify(&token, &set(&[&key])).unwrap();
        assert_eq!(assertion.claims().subject(), "system:serviceaccount:shop:orders");
        assert_eq!(assertion.issuer(), ISSUER);
        assert_eq!(assertion.client(&[CLIENT.to_owned()]), Some(CLIENT));
    }
}

#[test]
fn a_token_of_another_key_or_changed_in_one_bit_is_refused() {
    for algorithm in Algorithm::ALL {
        let key = key(*algorithm);
        let keys = set(&[&key]);
        let token = key.sign(&claims()).unwrap();
        for at in (0..token.len()).step_by(7) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            if changed != token {
                assert!(verify(&changed, &keys).is_err(), "{algorithm:?} at {at}");
            }
        }
        for cut in 0..token.len() {
            assert!(verify(&token[..cut], &keys).is_err());
        }
    }
    let (one, two) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let token = one.sign(&claims()).unwrap();
    assert_eq!(verify(&token, &set(&[&two])).unwrap_err(), TokenError::UnknownKey);
    // Under the other's ID.
    let header = json!({ "alg": "ES256", "kid": two.public().kid() });
    let token = one.sign_with(&header, &claims()).unwrap();
    assert_eq!(verify(&token, &set(&[&two])).unwrap_err(), TokenError::Signature);
    assert_eq!(verify(&token, &set(&[&one, &two])).unwrap_err(), TokenError::Signature);
}

#[test]
fn an_algorithm_that_is_not_accepted_of_the_issuer_is_refused() {
    for algorithm in Algorithm::ALL {
        let key = key(*algorithm);
        let token = key.sign(&claims()).unwrap();
        let others: Vec<_> = Algorithm::ALL.iter().copied().filter(|it| it != algorithm).collect();
        let clients = [CLIENT.to_owned()];
        let expected = Expected {
            issuer: ISSUER,
            client_ids: &clients,
            algorithms: &others,
            now: Timestamp::from_secs(NOW),
        };
        let refused = Unverified::read(&token).unwrap().check(&expected).err();
        assert_eq!(refused, Some(TokenError::NotAccepted(algorithm.as_str())));
    }
}

#[test]
fn without_a_key_id_there_must_be_no_choice() {
    let (one, two) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let token = one.sign_with(&json!({ "alg": "ES256" }), &claims()).unwrap();
    assert!(verify(&token, &set(&[&one])).is_ok());
    assert!(verify(&token, &set(&[&one, &key(Algorithm::Es384)])).is_ok());
    assert_eq!(verify(&token, &set(&[&one, &two])).unwrap_err(), TokenError::AmbiguousKey);
    assert_eq!(verify(&token, &set(&[&two])).unwrap_err(), TokenError::Signature);
}

#[test]
fn a_key_says_what_it_is_for() {
    // RS512 by a key that says RS256.
    let (rs256, rs512) = (key(Algorithm::Rs256), key(Algorithm::Rs512));
    assert_eq!(rs256.public().kid(), rs512.public().kid());
    let token = rs512.sign(&claims()).unwrap();
    assert_eq!(verify(&token, &set(&[&rs256])).unwrap_err(), TokenError::WrongKey);
    assert!(verify(&token, &set(&[&rs256, &rs512])).is_ok());
    // Without `alg` the key is for all of its kind.
    let mut jwk = serde_json::to_value(rs256.public()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    let keys = KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    assert!(verify(&token, &keys).is_ok());
}
