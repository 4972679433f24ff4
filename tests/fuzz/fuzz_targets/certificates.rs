//! Any bytes, read as a certificate, an authority between and a revocation list, and as each alone.
//!
//! The seed is a path that OpenSSL made: two lengths of two bytes, the certificate, the authority, the
//! list. What is taken by the seed's root is the seed's certificate: nobody can sign another.
//!
//! Run: `cargo +nightly fuzz run --fuzz-dir tests/fuzz certificates -- -max_total_time=300`.

#![no_main]

use std::sync::LazyLock;

use countersign::federation::x509::{Bundle, Leaf, Mappings, RevocationList, VerifiedLeaf, verify};
use countersign::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const SEED: &[u8] = include_bytes!("../../../src/federation/x509/tests/golden/path.seed");
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

static ROOT: LazyLock<Bundle> = LazyLock::new(|| {
    Bundle::parse(include_str!("../../../src/federation/x509/tests/golden/root.pem")).unwrap()
});
static KNOWN: LazyLock<Leaf> = LazyLock::new(|| {
    let (leaf, between, list) = parts(SEED).unwrap();
    RevocationList::parse(list).unwrap().check_issuer(&ROOT).unwrap();
    taken(leaf, between, list).unwrap().leaf().clone()
});

fn parts(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (lengths, rest) = data.split_first_chunk::<4>()?;
    let [a, b, c, d] = *lengths;
    let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([a, b])))?;
    let (between, list) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
    Some((leaf, between, list))
}

fn taken(leaf: &[u8], between: &[u8], list: &[u8]) -> Option<VerifiedLeaf> {
    let leaf = Leaf::parse(leaf).ok()?;
    // A list that is not the root's own would not have been imported.
    let list = RevocationList::parse(list).ok().filter(|it| it.check_issuer(&ROOT).is_ok());
    let lists: Vec<_> = list.iter().collect();
    verify(leaf, &[between.to_vec()], &ROOT, &lists, NOW).ok()
}

fuzz_target!(|data: &[u8]| {
    let known = &*KNOWN;
    if let Some((leaf, between, list)) = parts(data)
        && let Some(verified) = taken(leaf, between, list)
    {
        assert_eq!(verified.leaf(), known, "a certificate that nobody signed was taken");
    }
    if let Ok(leaf) = Leaf::parse(data) {
        let _ = Mappings::default().tags(&leaf);
        assert!(!leaf.serial_hex().is_empty() && !leaf.serial_decimal().is_empty());
    }
    if let Ok(list) = RevocationList::parse(data) {
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<RevocationList>(&text).unwrap(), list);
    }
    if let Ok(text) = str::from_utf8(data) {
        let _ = Bundle::parse(text);
    }
});
