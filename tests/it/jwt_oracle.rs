//! Our verifier of tokens and PyJWT on the same ones: what ours takes, PyJWT takes; what ours refuses
//! and PyJWT takes is listed here, with the reason why ours is stricter.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use countersign::federation::oidc::{
    Algorithm, Expected, KeySet, PublicJwk, SigningKey, Unverified,
};
use countersign::time::{Clock, SystemClock, Timestamp};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::broker::{stderr, stdout};
use crate::python::{client, script};

const ISSUER: &str = "https://idp.example";
const AUDIENCE: &str = "sts.amazonaws.com";
/// Changed tokens for each algorithm.
const CHANGES: u64 = 300;

/// Where ours is stricter, and why: the names of cases below.
const STRICTER: &[(&str, &str)] = &[
    ("typ at+jwt", "a token of another type is no ID token (RFC 8725, 3.11)"),
    ("typ application/x", "a token of another type is no ID token (RFC 8725, 3.11)"),
    ("jku", "keys come from the issuer alone: a header that brings some is refused"),
    ("x5u", "keys come from the issuer alone: a header that brings some is refused"),
    ("jwk", "keys come from the issuer alone: a header that brings some is refused"),
    ("x5c", "keys come from the issuer alone: a header that brings some is refused"),
    ("azp of another", "the party that a token was issued to must be a client ID"),
    ("exp with a fraction", "times are whole seconds, as with AWS"),
    ("nbf with a fraction", "times are whole seconds, as with AWS"),
    ("exp as a text", "times are numbers"),
    ("nbf as a text", "times are numbers"),
    ("iat as a text", "times are numbers"),
    ("iat with a fraction", "times are whole seconds, as with AWS"),
    ("exp in milliseconds", "a time after the year 9999 is a mistake"),
    ("subject of 256 characters", "OpenID Connect Core 1.0, section 2"),
    ("subject with a control character", "it goes into logs and records"),
    ("empty subject", "a subject is somebody"),
    ("names that differ in case", "condition keys are compared without case"),
    ("tags of a wrong type", "a claim with a wrong type is not the same as absent"),
    ("pod of a wrong type", "a claim with a wrong type is not the same as absent"),
    ("padding in the signature", "a token is written in one way only"),
    ("changed", "base64 that ends in bits which mean nothing: a token is written in one way only"),
];

struct Case {
    name: String,
    token: String,
    key: PublicJwk,
    algorithm: Algorithm,
}

fn key(algorithm: Algorithm) -> SigningKey {
    if algorithm.as_str().starts_with(['R', 'P']) {
        let file = "src/federation/oidc/tests/rsa-2048.pem";
        let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let der = PrivatePkcs8KeyDer::from_pem_file(pem).unwrap();
        return SigningKey::from_pkcs8(algorithm, der.secret_pkcs8_der()).unwrap();
    }
    SigningKey::from_pkcs8(algorithm, &SigningKey::generate(algorithm).unwrap()).unwrap()
}

fn ours(case: &Case, now: Timestamp) -> bool {
    let keys = KeySet::parse(PublicJwk::set([&case.key]).to_string().as_bytes()).unwrap();
    let expected = Expected {
        issuer: ISSUER,
        client_ids: &[AUDIENCE.to_owned()],
        algorithms: &[case.algorithm],
        now,
    };
    let checked = Unverified::read(&case.token).and_then(|token| token.check(&expected));
    checked.and_then(|checked| checked.verify(&keys)).is_ok()
}

/// Headers, claims and forms that matter, for a key.
fn cases(key: &SigningKey, now: i64) -> Vec<Case> {
    let algorithm = key.algorithm();
    let good = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "app", "iat": now - 5, "nbf": now - 5,
        "exp": now + 600,
    });
    let header = json!({ "alg": algorithm.as_str(), "kid": key.public().kid(), "typ": "JWT" });
    let mut all = Vec::new();
    let mut add = |name: &str, token: String| {
        all.push(Case { name: name.to_owned(), token, key: key.public().clone(), algorithm });
    };
    let with = |of: &Value, name: &str, value: Value| {
        let mut changed = of.clone();
        changed[name] = value;
        changed
    };
    let sign = |header: &Value, claims: &Value| key.sign_with(header, claims).unwrap();
    add("good", sign(&header, &good));
    for (name, member, value) in [
        ("good: several audiences", "aud", json!([AUDIENCE, "other"])),
        ("good: another claim", "email", json!("a@b.example")),
        ("good: a list", "amr", json!(["pwd", "otp"])),
        ("good: an object", "address", json!({ "country": "x" })),
        ("good: without end to speak of", "exp", json!(now + 10_000_000)),
        ("good: azp", "azp", json!(AUDIENCE)),
        ("another audience", "aud", json!("other")),
        ("no audience in a list", "aud", json!([])),
        ("audience of a wrong type", "aud", json!({ "a": AUDIENCE })),
        ("another issuer", "iss", json!("https://idp.example/")),
        ("issuer of a wrong type", "iss", json!([ISSUER])),
        ("azp of another", "azp", json!("other")),
        ("expired", "exp", json!(now - 1)),
        ("expired now", "exp", json!(now)),
        ("exp with a fraction", "exp", json!(now as f64 + 600.5)),
        ("exp as a text", "exp", json!((now + 600).to_string())),
        ("exp null", "exp", json!(null)),
        ("exp in milliseconds", "exp", json!((now + 600) * 1000)),
        ("not yet", "nbf", json!(now + 3600)),
        ("nbf with a fraction", "nbf", json!(now as f64 - 10.5)),
        ("nbf as a text", "nbf", json!((now - 10).to_string())),
        ("nbf of a wrong type", "nbf", json!([now])),
        ("iat in the future", "iat", json!(now + 3600)),
        ("iat as a text", "iat", json!((now - 10).to_string())),
        ("iat with a fraction", "iat", json!(now as f64 - 10.5)),
        ("subject of a wrong type", "sub", json!(7)),
        ("empty subject", "sub", json!("")),
        ("subject of 256 characters", "sub", json!("a".repeat(256))),
        ("subject with a control character", "sub", json!("a\nb")),
        ("names that differ in case", "SUB", json!("other")),
        ("tags of a wrong type", "https://aws.amazon.com/tags", json!("x")),
        ("pod of a wrong type", "kubernetes.io", json!("x")),
    ] {
        add(name, sign(&header, &with(&good, member, value)));
    }
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        add(&format!("without {name}"), sign(&header, &claims));
    }
    for (name, member, value) in [
        ("typ at+jwt", "typ", json!("at+jwt")),
        ("typ application/x", "typ", json!("application/x")),
        ("crit", "crit", json!(["exp"])),
        ("crit unknown", "crit", json!(["unknown"])),
        ("jku", "jku", json!("https://idp.example/keys")),
        ("x5u", "x5u", json!("https://idp.example/keys")),
        ("jwk", "jwk", json!(key.public())),
        ("x5c", "x5c", json!(["AA=="])),
        ("alg none", "alg", json!("none")),
        ("alg HS256", "alg", json!("HS256")),
        ("alg of a wrong type", "alg", json!(7)),
    ] {
        add(name, sign(&with(&header, member, value), &good));
    }
    for other in Algorithm::ALL.iter().filter(|other| **other != algorithm) {
        add("another algorithm", sign(&with(&header, "alg", json!(other.as_str())), &good));
    }
    let token = sign(&header, &good);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = BASE64.decode(signature).unwrap();
    add("no signature", format!("{signed}."));
    add("no signature at all", signed.to_owned());
    add("signature of zeros", format!("{signed}.{}", BASE64.encode(vec![0; bytes.len()])));
    add("a byte less", format!("{signed}.{}", BASE64.encode(&bytes[1..])));
    add("a byte more", format!("{signed}.{}", BASE64.encode([&bytes[..], &[0]].concat())));
    add("padding in the signature", format!("{token}=="));
    add("a fourth part", format!("{token}.AA"));
    add("another key", {
        let another = SigningKey::generate(Algorithm::Es256).unwrap();
        let another = SigningKey::from_pkcs8(Algorithm::Es256, &another).unwrap();
        another.sign_with(&header, &good).unwrap()
    });
    // Single characters of it, by a fixed sequence of numbers.
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ now.cast_unsigned();
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for _ in 0..CHANGES {
        let mut changed = token.clone().into_bytes();
        let at = next(changed.len());
        let new = ALPHABET[next(ALPHABET.len())];
        if changed[at] != new {
            changed[at] = new;
            add("changed", String::from_utf8(changed).unwrap());
        }
    }
    all
}

#[test]
fn ours_and_pyjwt_agree_but_where_ours_is_stricter() {
    let now = SystemClock::new().now();
    let cases: Vec<Case> =
        Algorithm::ALL.iter().flat_map(|it| cases(&key(*it), now.secs())).collect();
    let asked: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "token": case.token, "key": case.key, "algorithms": [case.algorithm.as_str()],
                "issuer": ISSUER, "audience": AUDIENCE,
            })
        })
        .collect();
    let mut command = client("http://127.0.0.1:1");
    let mut child = command
        .arg(script("jwt_oracle.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = serde_json::to_vec(&asked).unwrap();
    let writer = std::thread::spawn(move || input.write_all(&text));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let theirs: Vec<Option<String>> = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(theirs.len(), cases.len());
    let (mut both, mut wrong) = (0, Vec::new());
    for (case, why) in cases.iter().zip(&theirs) {
        let name = format!("{} {}", case.algorithm.as_str(), case.name);
        match (ours(case, now), why) {
            (true, None) => both += 1,
            (true, Some(why)) => wrong.push(format!("{name}: only ours takes it: {why}")),
            (false, None) if !STRICTER.iter().any(|(known, _)| *known == case.name) => {
                wrong.push(format!("{name}: only PyJWT takes it"));
            }
            (false, _) => {
                if case.name.starts_with("good") {
                    wrong.push(format!("{name}: ours refuses it"));
                }
            }
        }
    }
    let named: std::collections::BTreeSet<_> =
        cases.iter().filter(|case| case.name.starts_with("good")).map(|case| &case.name).collect();
    println!("{} tokens, {both} taken by both", cases.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(both >= named.len() * Algorithm::ALL.len());
}
