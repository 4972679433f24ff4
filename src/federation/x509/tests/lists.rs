//! Revocation lists.

use rcgen::{CrlDistributionPoint, CrlIssuingDistributionPoint, KeyUsagePurpose};

use super::make::{Authority, NOW, authority, end_entity, now};
use crate::federation::x509::{Bundle, Leaf, RevocationList, X509Error, verify};
use crate::time::Timestamp;

const SERIAL: &[u8] = &[0x12, 0x34, 0x56];

fn check(
    root: &Authority,
    chain: &[&Authority],
    leaf: &[u8],
    lists: &[&[u8]],
    now: Timestamp,
) -> Result<(), X509Error> {
    let lists: Vec<_> = lists.iter().map(|it| RevocationList::parse(it).unwrap()).collect();
    let lists: Vec<_> = lists.iter().collect();
    let chain: Vec<_> = chain.iter().map(|it| it.der()).collect();
    let bundle = Bundle::parse(&root.pem()).unwrap();
    verify(Leaf::parse(leaf)?, &chain, &bundle, &lists, now).map(|_| ())
}

#[test]
fn what_is_in_a_list_is_revoked() {
    let root = Authority::root("root");
    let leaf = root.issue(&end_entity("app")).der();
    let empty = root.list(&[], 3600);
    let other = root.list(&[&[0x12, 0x34], &[0x12, 0x34, 0x56, 0]], 3600);
    let has = root.list(&[&[1], SERIAL], 3600);
    check(&root, &[], &leaf, &[], now()).unwrap();
    check(&root, &[], &leaf, &[&empty, &other], now()).unwrap();
    for lists in [&[has.as_slice()][..], &[&empty, &has], &[&has, &empty]] {
        assert_eq!(check(&root, &[], &leaf, lists, now()), Err(X509Error::Revoked));
    }
    // A list that speaks of another authority's certificates says nothing here.
    let elsewhere = Authority::root("elsewhere").list(&[SERIAL], 3600);
    check(&root, &[], &leaf, &[&elsewhere], now()).unwrap();
}

#[test]
fn an_authority_between_can_be_revoked() {
    let root = Authority::root("root");
    let between = root.below("between");
    let leaf = between.issue(&end_entity("app")).der();
    let der = between.der();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let serial = certificate.raw_serial().to_vec();
    check(&root, &[&between], &leaf, &[&root.list(&[], 3600)], now()).unwrap();
    let revoked = root.list(&[&serial], 3600);
    let result = check(&root, &[&between], &leaf, &[&revoked], now());
    assert_eq!(result, Err(X509Error::Revoked));
    // Its own list, of what it issued.
    let own = between.list(&[SERIAL], 3600);
    assert_eq!(check(&root, &[&between], &leaf, &[&own], now()), Err(X509Error::Revoked));
}

/// Whoever presents the certificate leaves out what would make a list count.
#[test]
fn an_authority_of_the_bundle_that_another_of_it_revoked_is_revoked() {
    let root = Authority::root("root");
    let between = root.below("between");
    let leaf = between.issue(&end_entity("app")).der();
    let der = between.der();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let serial = certificate.raw_serial().to_vec();
    let both = Bundle::parse(&[between.pem(), root.pem()].concat()).unwrap();
    let judged = |list: &[u8], chain: &[Vec<u8>]| {
        let list = RevocationList::parse(list).unwrap();
        list.check_issuer(&both).unwrap();
        verify(Leaf::parse(&leaf).unwrap(), chain, &both, &[&list], now()).map(|_| ())
    };
    for chain in [vec![], vec![between.der()]] {
        judged(&root.list(&[], 3600), &chain).unwrap();
        let revoked = judged(&root.list(&[&serial], 3600), &chain);
        assert_eq!(revoked, Err(X509Error::Revoked), "{}", chain.len());
    }
}

#[test]
fn a_list_that_is_out_of_date_refuses_what_it_covers() {
    let root = Authority::root("root");
    let leaf = root.issue(&end_entity("app")).der();
    let list = root.list(&[], 60);
    let until = Timestamp::from_secs(NOW + 60);
    check(&root, &[], &leaf, &[&list], until).unwrap();
    let result = check(&root, &[], &leaf, &[&list], until.plus_secs(1));
    assert_eq!(result, Err(X509Error::ListNotInDate(until)));
    let early = root.list_with(&[], 3600, |it| it.this_update = at!(60));
    assert!(check(&root, &[], &leaf, &[&early], now()).is_err());
    // Of another authority's certificates it is silent all the same.
    let elsewhere = Authority::root("elsewhere").list(&[], -60);
    check(&root, &[], &leaf, &[&elsewhere], now()).unwrap();
}

/// RUSTSEC-2026-0049: a list for some distribution points was not held against others.
#[test]
fn museum_m55_partial_lists_are_not_taken() {
    let root = Authority::root("root");
    let partial = root.list_with(&[SERIAL], 3600, |it| {
        it.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec!["http://crl.example/1".to_owned()],
            },
            scope: None,
        });
    });
    assert_eq!(RevocationList::parse(&partial), Err(X509Error::PartialList));
}

#[test]
fn a_list_is_its_authority_s_own() {
    let root = Authority::root("root");
    let bundle = Bundle::parse(&root.pem()).unwrap();
    let good = root.list(&[SERIAL], 3600);
    let read = |list: &[u8]| RevocationList::parse(list).and_then(|it| it.check_issuer(&bundle));
    read(&good).unwrap();
    // By another key under the same name; by one that may not; of another name.
    let mut params = authority("root");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let list = Authority::of(params).list(&[SERIAL], 3600);
    assert_eq!(read(&list), Err(X509Error::ForeignList));
    let list = Authority::root("other").list(&[SERIAL], 3600);
    assert_eq!(read(&list), Err(X509Error::ForeignList));
    // Every byte.
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert!(read(&changed).is_err(), "{at}");
        assert!(RevocationList::parse(&good[..at]).is_err());
    }
    assert!(RevocationList::parse(&[good.as_slice(), &[0]].concat()).is_err());
    assert!(RevocationList::parse(&[]).is_err());
}

#[test]
fn lists_are_read_in_pem_and_stored_as_given() {
    use base64::Engine as _;
    let root = Authority::root("root");
    let der = root.list(&[SERIAL], 3600);
    let base64 = base64::engine::general_purpose::STANDARD.encode(&der);
    let pem = format!("-----BEGIN X509 CRL-----\n{base64}\n-----END X509 CRL-----\n");
    let list = RevocationList::parse(pem.as_bytes()).unwrap();
    assert_eq!(list.given(), pem.as_bytes());
    list.check_issuer(&Bundle::parse(&root.pem()).unwrap()).unwrap();
    let stored = serde_json::to_string(&list).unwrap();
    let again: RevocationList = serde_json::from_str(&stored).unwrap();
    assert_eq!(again, list);
    assert_eq!(again.check(&[], SERIAL, now()), Ok(()));
    let leaf = Leaf::parse(&root.issue(&end_entity("app")).der()).unwrap();
    assert_eq!(again.check(leaf.issuer().raw(), SERIAL, now()), Err(X509Error::Revoked));
    assert!(serde_json::from_str::<RevocationList>("\"AAAA\"").is_err());
    let twice = format!("{pem}{pem}");
    assert!(RevocationList::parse(twice.as_bytes()).is_err());
}
