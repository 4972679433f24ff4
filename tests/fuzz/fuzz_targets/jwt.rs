//! Any bytes, read as a token and as a key set.
//!
//! The input is a token, a line feed, and a key set. A token that nobody signed is never taken: not
//! with the keys of the input, which are the attacker's only if the input's own token was signed
//! with them, and not with a key that was drawn for this run.
//!
//! Run: `cargo +nightly fuzz run --fuzz-dir tests/fuzz jwt -- -max_total_time=300`.

#![no_main]

use std::sync::LazyLock;

use countersign::federation::oidc::{
    Algorithm, Expected, KeySet, PublicJwk, SigningKey, Unverified,
};
use countersign::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

static OURS: LazyLock<KeySet> = LazyLock::new(|| {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
    let key = SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap();
    KeySet::parse(PublicJwk::set([key.public()]).to_string().as_bytes()).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (token, keys) = text.split_once('\n').unwrap_or((&text, ""));
    let keys = KeySet::parse(keys.as_bytes());
    let Ok(unverified) = Unverified::read(token) else { return };
    let issuer = unverified.issuer().to_owned();
    let client_ids = ["sts.amazonaws.com".to_owned()];
    let expected = Expected {
        issuer: &issuer,
        client_ids: &client_ids,
        algorithms: Algorithm::ALL,
        now: NOW,
    };
    let Ok(checked) = unverified.check(&expected) else { return };
    assert!(checked.verify(&OURS).is_err(), "a token that nobody signed was taken");
    if let Ok(keys) = keys
        && let Ok(assertion) = checked.verify(&keys)
    {
        let claims = assertion.claims();
        assert!(claims.expires_at() > NOW && !claims.subject().is_empty());
        assert!(assertion.client(&client_ids) == Some("sts.amazonaws.com"));
    }
});
