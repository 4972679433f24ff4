use serde_json::json;

use super::*;

fn public(algorithm: Algorithm) -> Value {
    serde_json::to_value(key(algorithm).public()).unwrap()
}

fn parse(keys: &Value) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn changed(mut key: Value, name: &str, value: Option<Value>) -> Value {
    match value {
        Some(value) => key[name] = value,
        None => drop(key.as_object_mut().unwrap().remove(name)),
    }
    key
}

#[test]
fn keys_of_no_use_are_left_out() {
    let good = public(Algorithm::Es256);
    // A modulus of 1,024 bits.
    let small = "vWELzkg1AbafizrEy_v-B4Tx4y31PiYWSABdWbgZ4A05A8a3l8q4e3lwAml7XdoDFNQqSTK2VT2RI3WcFCladl\
                 wuqxMPI8lVUNPeG-GZBb-AuXwa01hZAPUwQ0PfawzP1xTFwv2ijYMWGr1PkEK56Hczcsjvv1EUMsYF_pwz2igQ";
    for useless in [
        changed(good.clone(), "use", Some(json!("enc"))),
        changed(good.clone(), "key_ops", Some(json!(["encrypt"]))),
        changed(good.clone(), "kty", Some(json!("XYZ"))),
        changed(good.clone(), "crv", Some(json!("secp256k1"))),
        json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "crv": "X25519", "x": "AA" }),
        changed(public(Algorithm::Rs256), "alg", Some(json!("RSA-OAEP"))),
        json!({ "kty": "RSA", "n": small, "e": "AQAB" }),
        changed(public(Algorithm::Rs256), "e", Some(json!("Aw"))),
        changed(public(Algorithm::Rs256), "e", Some(json!("AQAC"))),
    ] {
        assert_eq!(parse(&json!([useless])).unwrap_err(), KeySetError::Empty, "{useless}");
        assert_eq!(parse(&json!([useless, good])).unwrap().len(), 1, "{useless}");
    }
    let svid = changed(changed(good, "use", Some(json!("jwt-svid"))), "alg", None);
    assert_eq!(parse(&json!([svid])).unwrap().len(), 1);
    let verify = changed(svid, "key_ops", Some(json!(["verify"])));
    assert_eq!(parse(&json!([verify])).unwrap().len(), 1);
}

#[test]
fn keys_that_are_not_well_made_are_left_out() {
    let (ec, rsa) = (public(Algorithm::Es256), public(Algorithm::Rs256));
    let good = ec.clone();
    let modulus = rsa["n"].as_str().unwrap().to_owned();
    for bad in [
        changed(ec.clone(), "kty", None),
        changed(ec.clone(), "kty", Some(json!(1))),
        changed(ec.clone(), "crv", None),
        changed(ec.clone(), "kid", Some(json!(1))),
        changed(ec.clone(), "x", None),
        changed(ec.clone(), "x", Some(json!("AAAA"))),
        changed(ec.clone(), "y", Some(json!("!"))),
        changed(ec.clone(), "alg", Some(json!("ES384"))),
        changed(ec.clone(), "alg", Some(json!("RS256"))),
        changed(ec.clone(), "crv", Some(json!("P-384"))),
        changed(ec, "key_ops", Some(json!("verify"))),
        changed(rsa.clone(), "n", Some(json!(format!("{modulus}=")))),
        changed(rsa.clone(), "n", Some(json!(format!("AAAA{modulus}")))),
        changed(rsa.clone(), "e", Some(json!(""))),
        changed(rsa, "alg", Some(json!("ES256"))),
    ] {
        assert_eq!(parse(&json!([bad])).unwrap_err(), KeySetError::Empty, "{bad}");
        // It keeps no good one away, and none alive that is not there any more.
        assert_eq!(parse(&json!([bad, good])).unwrap().len(), 1, "{bad}");
    }
    assert!(matches!(parse(&json!(["key"])), Err(KeySetError::Malformed(_))));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "{\"keys\":[]} x"] {
        assert!(matches!(KeySet::parse(text.as_bytes()), Err(KeySetError::Malformed(_))), "{text}");
    }
    assert_eq!(parse(&json!([])).unwrap_err(), KeySetError::Empty);
    assert_eq!(KeySet::parse(&vec![b' '; 256 * 1024 + 1]).unwrap_err(), KeySetError::TooLarge);
    let many = json!(vec![json!({ "kty": "XYZ" }); 101]);
    assert_eq!(parse(&many).unwrap_err(), KeySetError::TooLarge);
}

#[test]
fn a_set_that_publishes_secrets_is_refused_whole() {
    let good = public(Algorithm::Es256);
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let private = changed(good.clone(), name, Some(json!("AA")));
        assert_eq!(parse(&json!([good, private])).unwrap_err(), KeySetError::Private, "{name}");
    }
    let shared = json!({ "kty": "oct", "k": "c2VjcmV0" });
    assert_eq!(parse(&json!([good, shared])).unwrap_err(), KeySetError::Private);
}

#[test]
fn a_thumbprint_is_that_of_rfc_7638() {
    // The example of RFC 7638, section 3.1, has another key; RFC 8037, appendix A.3, one of ours.
    let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    let seed = super::super::base64url::decode(seed).unwrap();
    // PKCS #8 version 1 of an Ed25519 seed (RFC 8410, section 7).
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let key = SigningKey::from_pkcs8(Algorithm::EdDsa, &[&head[..], &seed].concat()).unwrap();
    assert_eq!(key.public().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn only_keys_of_the_kind_sign() {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
    for other in [Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256] {
        assert_eq!(SigningKey::from_pkcs8(other, &pkcs8).err(), Some(SignError::Key));
    }
    assert_eq!(SigningKey::generate(Algorithm::Rs256).err(), Some(SignError::Algorithm));
}
