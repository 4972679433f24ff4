//! Bundles: what their authorities may vouch for, and how much they may cost.

use rcgen::{
    BasicConstraints, CertifiedIssuer, ExtendedKeyUsagePurpose as Eku, IsCa, KeyPair, SerialNumber,
};

use super::make::{Authority, authority, end_entity, key, now};
use crate::federation::x509::{Bundle, Leaf, RevocationList, VerifiedLeaf, X509Error, verify};

fn shown(leaf: &[u8], chain: &[&Authority], bundle: &Bundle) -> Result<VerifiedLeaf, X509Error> {
    let chain: Vec<_> = chain.iter().map(|it| it.der()).collect();
    verify(Leaf::parse(leaf).unwrap(), &chain, bundle, &[], now())
}

/// One that has these extended key usages.
fn purposed(common: &str, purposes: &[Eku]) -> Authority {
    let mut params = authority(common);
    params.extended_key_usages = purposes.to_vec();
    Authority::of(params)
}

#[test]
fn an_authority_of_a_bundle_vouches_for_what_it_is_for() {
    let good = Authority::root("good");
    for (purposes, vouches) in [
        (&[][..], true),
        (&[Eku::ClientAuth], true),
        (&[Eku::Any], true),
        (&[Eku::ServerAuth, Eku::ClientAuth], true),
        (&[Eku::ServerAuth], false),
        (&[Eku::CodeSigning, Eku::EmailProtection], false),
    ] {
        let root = purposed("root", purposes);
        let leaf = root.issue(&end_entity("app")).der();
        let bundle = Bundle::parse(&root.pem()).unwrap();
        assert_eq!(bundle.check_purpose().is_ok(), vouches, "{purposes:?}");
        let result = shown(&leaf, &[], &bundle).map(|_| ());
        let expected = if vouches { Ok(()) } else { Err(X509Error::NotForClients) };
        assert_eq!(result, expected, "{purposes:?}");
        // Nor through one below it, nor beside one that does; which vouches all the same.
        let between = root.below("between");
        let deep = between.issue(&end_entity("app")).der();
        assert_eq!(shown(&deep, &[&between], &bundle).is_ok(), vouches, "{purposes:?}");
        let both = Bundle::parse(&[root.pem(), good.pem()].concat()).unwrap();
        assert_eq!(both.check_purpose().is_ok(), vouches);
        assert_eq!(shown(&leaf, &[], &both).is_ok(), vouches, "{purposes:?}");
        shown(&good.issue(&end_entity("app")).der(), &[], &both).unwrap();
    }
}

/// An authority that was made again with its key: each of them counts with its own limits.
#[test]
fn two_certificates_of_one_authority_each_have_their_own_limits() {
    let pem = key().serialize_pem();
    let with = |length: Option<u8>| {
        let mut params = authority("root");
        if let Some(length) = length {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        }
        let key = KeyPair::from_pem(&pem).unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    };
    let (short, long) = (with(Some(0)), with(None));
    let between = long.below("between");
    let leaf = between.issue(&end_entity("app")).der();
    for (pems, good) in [
        (vec![short.pem()], false),
        (vec![long.pem()], true),
        (vec![short.pem(), long.pem()], true),
        (vec![long.pem(), short.pem()], true),
        (vec![short.pem(), short.pem()], false),
    ] {
        let bundle = Bundle::parse(&pems.concat()).unwrap();
        let result = shown(&leaf, &[&between], &bundle).map(|_| ());
        assert_eq!(result, if good { Ok(()) } else { Err(X509Error::PathLength) });
    }
}

/// Authorities that share a name are tried one after the other: all of them have one bound.
#[test]
fn the_bound_on_signatures_is_one_of_the_whole_bundle() {
    let same: Vec<_> = (0..10).map(|_| Authority::root("root")).collect();
    let leaf = same[9].issue(&end_entity("app")).der();
    let pems: String = same.iter().map(Authority::pem).collect();
    let bundle = Bundle::parse(&pems).unwrap();
    shown(&leaf, &[], &bundle).unwrap();
    // Three more under the same name, of the first one's making: sixteen ways for each authority.
    let more: Vec<_> = (0..3).map(|_| same[0].below("root")).collect();
    let chain: Vec<_> = more.iter().collect();
    let leaf = Authority::root("root").issue(&end_entity("app")).der();
    let result = shown(&leaf, &chain, &bundle).map(|_| ());
    let expected = X509Error::Path(webpki::Error::MaximumSignatureChecksExceeded);
    assert_eq!(result, Err(expected));
}

/// What somebody has made up has as many ways as five certificates have orders: none of them is tried.
#[test]
fn what_nobody_vouches_for_is_not_searched() {
    let root = Authority::root("root");
    let bundle = Bundle::parse(&root.pem()).unwrap();
    let forged: Vec<_> = (0..5).map(|_| Authority::root("root")).collect();
    let chain: Vec<_> = forged.iter().collect();
    let leaf = forged[0].issue(&end_entity("app")).der();
    let result = shown(&leaf, &chain, &bundle).map(|_| ());
    let expected = X509Error::Path(webpki::Error::InvalidSignatureForPublicKey);
    assert_eq!(result, Err(expected));
    // Those that are vouched for are found among them, in any order and several steps down.
    let one = root.below("one");
    let two = one.below("two");
    let leaf = two.issue(&end_entity("app")).der();
    let (other_one, other_two) = (Authority::root("one"), Authority::root("two"));
    for chain in [[&two, &other_two, &one, &other_one], [&other_one, &one, &other_two, &two]] {
        shown(&leaf, &chain, &bundle).unwrap();
    }
    for chain in [[&two, &other_two, &other_one], [&one, &other_two, &other_one]] {
        assert!(shown(&leaf, &chain, &bundle).is_err());
    }
    // One authority by the word of two, as when an older one is replaced.
    let (next, pem) = (Authority::root("next"), key().serialize_pem());
    let crossed = |by: &Authority| {
        let key = KeyPair::from_pem(&pem).unwrap();
        Authority(CertifiedIssuer::signed_by(authority("crossed"), key, &by.0).unwrap())
    };
    let (by_root, by_next) = (crossed(&root), crossed(&next));
    let leaf = by_root.issue(&end_entity("app")).der();
    for bundle in [root.pem(), next.pem(), [root.pem(), next.pem()].concat()] {
        let bundle = Bundle::parse(&bundle).unwrap();
        shown(&leaf, &[&by_root, &by_next], &bundle).unwrap();
        shown(&leaf, &[&by_next, &by_root], &bundle).unwrap();
    }
}

/// What an update of a list must be.
#[test]
fn a_list_follows_one_of_its_authority_that_is_not_newer() {
    let root = Authority::root("root");
    let list = |by: &Authority, at: i64, number: u64| {
        let list = by.list_with(&[], 3600, |it| {
            it.this_update = at!(at);
            it.crl_number = SerialNumber::from(number);
        });
        RevocationList::parse(&list).unwrap()
    };
    let there = list(&root, -120, 300);
    for (at, number, expected) in [
        (-120, 300, Ok(())),
        (-60, 300, Ok(())),
        (-60, 301, Ok(())),
        (-60, 70_000, Ok(())),
        (-121, 300, Err(X509Error::OlderList("thisUpdate"))),
        (-121, 301, Err(X509Error::OlderList("thisUpdate"))),
        (-120, 299, Err(X509Error::OlderList("cRLNumber"))),
        (-60, 299, Err(X509Error::OlderList("cRLNumber"))),
        (-60, 1, Err(X509Error::OlderList("cRLNumber"))),
    ] {
        assert_eq!(list(&root, at, number).check_follows(&there), expected, "{at} {number}");
    }
    let other = list(&Authority::root("other"), -60, 301);
    assert_eq!(other.check_follows(&there), Err(X509Error::OtherIssuer));
    // The same name with another key: whether that may, is for the bundle.
    assert_eq!(list(&Authority::root("root"), -60, 301).check_follows(&there), Ok(()));
}
