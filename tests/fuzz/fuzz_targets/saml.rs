//! Any bytes, read as a SAML response and as a provider's metadata.
//!
//! The seeds are responses that other implementations signed, with a metadata file of their
//! provider. What is taken as that provider's says what one of the seeds says: nobody can sign
//! another. Canonical forms are canonical.
//!
//! Run: `cargo +nightly fuzz run --fuzz-dir tests/fuzz saml -- -max_total_time=300`.

#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::federation::saml::{Expected, Metadata, TrustedAssertion, canonical, verify};
use countersign::time::Timestamp;
use libfuzzer_sys::fuzz_target;

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../../src/federation/saml/tests/golden/", $name, ".xml"))
    };
}

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const SEEDS: [&str; 8] = [
    golden!("xmlsec-assertion-rsa-sha256"),
    golden!("xmlsec-response-rsa-sha256"),
    golden!("xmlsec-both-rsa-sha256"),
    golden!("xmlsec-assertion-rsa-sha384"),
    golden!("xmlsec-assertion-ecdsa-sha384"),
    golden!("signxml-assertion-rsa-sha512"),
    golden!("signxml-response-ecdsa-sha256"),
    golden!("signxml-both-rsa-sha256"),
];

static METADATA: LazyLock<Metadata> =
    LazyLock::new(|| Metadata::parse(golden!("metadata")).unwrap());
static KNOWN: LazyLock<Vec<TrustedAssertion>> =
    LazyLock::new(|| SEEDS.iter().map(|seed| taken(seed.as_bytes(), &METADATA).unwrap()).collect());

fn taken(xml: &[u8], metadata: &Metadata) -> Option<TrustedAssertion> {
    let ours = ["https://signin.aws.amazon.com/saml".to_owned()];
    let expected =
        Expected { metadata, audiences: &ours, recipients: &ours, answers: true, now: NOW };
    verify(&STANDARD.encode(xml), &expected).ok()
}

fuzz_target!(|data: &[u8]| {
    if let Some(assertion) = taken(data, &METADATA) {
        assert!(KNOWN.contains(&assertion), "a response that nobody signed was taken");
    }
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(metadata) = Metadata::parse(text) {
        assert!(!metadata.entity_id().is_empty());
    }
    if let Ok(Ok(form)) = canonical(text, None, &[]) {
        // It may stand deeper than what is parsed again only by what it is itself.
        assert_eq!(canonical(&form, None, &[]), Ok(Ok(form.clone())), "a form is not canonical");
    }
});
