//! Which certificates are taken. Each case differs from one that is taken in one thing.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P384_SHA384,
    PKCS_ED25519, SanType, SerialNumber,
};

use super::make::{Authority, NOW, Party, authority, end_entity, key, now};
use crate::federation::x509::{Bundle, Leaf, MAX_CHAIN, VerifiedLeaf, X509Error, verify};
use crate::time::Timestamp;

fn shown(party: &Party, chain: &[&Authority], root: &Authority) -> Result<VerifiedLeaf, X509Error> {
    shown_at(party, chain, root, now())
}

fn shown_at(
    party: &Party,
    chain: &[&Authority],
    root: &Authority,
    now: Timestamp,
) -> Result<VerifiedLeaf, X509Error> {
    let leaf = Leaf::parse(&party.der())?;
    let chain: Vec<_> = chain.iter().map(|it| it.der()).collect();
    verify(leaf, &chain, &Bundle::parse(&root.pem())?, &[], now)
}

/// What becomes of a certificate that differs from a good one.
fn with(change: impl FnOnce(&mut CertificateParams)) -> Result<VerifiedLeaf, X509Error> {
    let root = Authority::root("root");
    let mut params = end_entity("app");
    change(&mut params);
    shown(&root.issue(&params), &[], &root)
}

#[test]
fn a_good_certificate_is_taken_directly_and_through_authorities() {
    let root = Authority::root("root");
    let verified = shown(&root.issue(&end_entity("app")), &[], &root).unwrap();
    let leaf = verified.leaf();
    assert_eq!((leaf.serial_decimal(), leaf.serial_hex().as_str()), ("1193046", "123456"));
    assert_eq!(leaf.subject().to_string(), "CN=app");
    assert_eq!(leaf.issuer().to_string(), "CN=root");
    assert_eq!(leaf.not_after().secs(), NOW + 86_400);

    let (one, other) = (root.below("one"), Authority::root("other"));
    let two = one.below("two");
    let party = two.issue(&end_entity("app"));
    shown(&party, &[&two, &one], &root).unwrap();
    shown(&party, &[&one, &two, &root], &root).unwrap();
    // An authority that is not the first may be the anchor.
    shown(&party, &[], &two).unwrap();
    // Not without those between, nor through others.
    for chain in [&[][..], &[&two], &[&one], &[&other, &one]] {
        assert!(shown(&party, chain, &root).is_err());
    }
    // The keys that are taken.
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    shown(&root.issue_to(&end_entity("app"), key), &[], &root).unwrap();
    with(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]).unwrap();
}

#[test]
fn what_is_not_in_date_is_refused() {
    for (from, to, good) in [
        (-3600, 3600, true),
        (0, 3600, true),
        (-3600, 0, true),
        (-3600, -1, false),
        (1, 3600, false),
    ] {
        let result = with(|it| (it.not_before, it.not_after) = (at!(from), at!(to)));
        assert_eq!(result.is_ok(), good, "{from} {to}");
    }
    // An authority between, and the anchor itself.
    let root = Authority::root("root");
    let mut params = authority("between");
    params.not_after = at!(-1);
    let between = root.below_with(params);
    assert!(shown(&between.issue(&end_entity("app")), &[&between], &root).is_err());
    let party = root.issue(&{
        let mut params = end_entity("app");
        params.not_after = at!(100 * 86_400);
        params
    });
    let end = Timestamp::from_secs(NOW + 10 * 86_400);
    shown_at(&party, &[], &root, end).unwrap();
    let error = shown_at(&party, &[], &root, end.plus_secs(1)).unwrap_err();
    assert_eq!(error, X509Error::AuthorityNotInDate);
}

#[test]
fn what_the_certificate_is_for_is_checked() {
    use ExtendedKeyUsagePurpose as Eku;
    for ekus in [vec![Eku::ServerAuth], vec![Eku::CodeSigning, Eku::EmailProtection]] {
        assert!(matches!(with(|it| it.extended_key_usages = ekus), Err(X509Error::Path(_))));
    }
    for usages in [
        vec![],
        vec![KeyUsagePurpose::KeyEncipherment],
        vec![KeyUsagePurpose::ContentCommitment, KeyUsagePurpose::KeyAgreement],
    ] {
        let error = with(|it| it.key_usages = usages).unwrap_err();
        assert_eq!(error, X509Error::KeyUsage("digitalSignature"));
    }
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let error = with(|it| it.is_ca = is_ca).unwrap_err();
        assert_eq!(error, X509Error::NotEndEntity);
    }
    // Signed for clients, through an authority for servers alone.
    let root = Authority::root("root");
    let mut params = authority("servers");
    params.extended_key_usages = vec![Eku::ServerAuth];
    let servers = root.below_with(params);
    assert!(shown(&servers.issue(&end_entity("app")), &[&servers], &root).is_err());
}

#[test]
fn who_is_no_authority_makes_no_certificates() {
    let root = Authority::root("root");
    // Anchors.
    for change in [
        (|it| it.is_ca = IsCa::ExplicitNoCa) as fn(&mut CertificateParams),
        |it| it.is_ca = IsCa::NoCa,
        |it| it.key_usages = vec![KeyUsagePurpose::CrlSign],
        |it| it.key_usages.clear(),
    ] {
        let mut params = authority("root");
        change(&mut params);
        let other = Authority::of(params.clone());
        assert!(Bundle::parse(&other.pem()).is_err());
        // Between.
        params.distinguished_name.push(DnType::OrganizationName, "between");
        let between = root.below_with(params);
        assert!(shown(&between.issue(&end_entity("app")), &[&between], &root).is_err());
    }
    // A certificate makes another.
    let middle = root.below_with(end_entity("app"));
    assert!(shown(&middle.issue(&end_entity("other")), &[&middle], &root).is_err());
    // Path lengths, also that of the anchor.
    let mut params = authority("short");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let short = Authority::of(params.clone());
    shown(&short.issue(&end_entity("app")), &[], &short).unwrap();
    let below = short.below("below");
    let error = shown(&below.issue(&end_entity("app")), &[&below], &short).unwrap_err();
    assert_eq!(error, X509Error::PathLength);
    let short = root.below_with(params);
    let below = short.below("below");
    assert!(shown(&below.issue(&end_entity("app")), &[&below, &short], &root).is_err());
}

#[test]
fn self_signed_ones_the_anchor_itself_and_siblings_are_refused() {
    let root = Authority::root("root");
    let own = key();
    let params = end_entity("app");
    let alone = Party { certificate: params.self_signed(&own).unwrap(), key: own };
    assert!(shown(&alone, &[], &root).is_err());
    assert_eq!(Leaf::parse(&root.der()), Err(X509Error::NotEndEntity));
    // The same names by another key, and another authority of the same parent.
    let impostor = Authority::root("root");
    assert!(shown(&impostor.issue(&end_entity("app")), &[], &root).is_err());
    let (one, two) = (root.below("one"), root.below("two"));
    let party = two.issue(&end_entity("app"));
    assert!(shown(&party, &[&two], &one).is_err());
    assert!(shown(&party, &[&two, &root], &one).is_err());
    shown(&party, &[], &two).unwrap();
    // A chain that holds what is no authority, though the path needs none.
    let direct = root.issue(&end_entity("app"));
    let leaf = Leaf::parse(&direct.der()).unwrap();
    let bundle = Bundle::parse(&root.pem()).unwrap();
    let result = verify(leaf.clone(), &[direct.der()], &bundle, &[], now());
    assert_eq!(result.unwrap_err(), X509Error::NotAuthority);
    let result = verify(leaf.clone(), &vec![one.der(); MAX_CHAIN + 1], &bundle, &[], now());
    assert_eq!(result.unwrap_err(), X509Error::TooLarge("chain"));
    verify(leaf, &vec![one.der(); MAX_CHAIN], &bundle, &[], now()).unwrap();
}

#[test]
fn constraints_on_names_hold() {
    let constrained = |permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>| {
        let mut params = authority("constrained");
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded });
        params
    };
    let of = |domain: &str| GeneralSubtree::DnsName(domain.to_owned());
    let named = |name: &str| {
        let mut params = end_entity("app");
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
        params
    };
    let root = Authority::root("root");
    let within = constrained(vec![of("good.example")], vec![of("bad.good.example")]);
    // Whether the anchor has it, or one between.
    let (between, anchor) = (root.below_with(within.clone()), Authority::of(within));
    for (name, good) in [
        ("app.good.example", true),
        ("good.example", true),
        ("evil.example", false),
        ("notgood.example", false),
        ("bad.good.example", false),
        ("x.bad.good.example", false),
    ] {
        let party = between.issue(&named(name));
        assert_eq!(shown(&party, &[&between], &root).is_ok(), good, "{name}");
        let party = anchor.issue(&named(name));
        assert_eq!(shown(&party, &[], &anchor).is_ok(), good, "{name}");
    }
    // Constraints on names of directories are not understood: they refuse.
    let mut subtree = rcgen::DistinguishedName::new();
    subtree.push(DnType::CommonName, "app");
    let anchor =
        Authority::of(constrained(vec![GeneralSubtree::DirectoryName(subtree)], Vec::new()));
    assert!(shown(&anchor.issue(&end_entity("app")), &[], &anchor).is_err());
}

/// `NameConstraints` that permit the URIs of one host.
const URI_CONSTRAINTS: &[u8] = &[
    0x30, 0x0f, 0xa0, 0x0d, 0x30, 0x0b, 0x86, 0x09, b't', b'r', b'u', b's', b't', b'.', b'o', b'r',
    b'g',
];

/// RUSTSEC-2026-0098: constraints on URIs were taken as none.
#[test]
fn museum_m55_constraints_on_uris_refuse() {
    let mut params = authority("constrained");
    let mut constraints =
        CustomExtension::from_oid_content(&[2, 5, 29, 30], URI_CONSTRAINTS.to_vec());
    constraints.set_criticality(true);
    params.custom_extensions.push(constraints);
    let anchor = Authority::of(params);
    for uri in ["spiffe://trust.org/app", "spiffe://evil.org/app"] {
        let mut params = end_entity("app");
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        assert!(shown(&anchor.issue(&params), &[], &anchor).is_err(), "{uri}");
    }
    shown(&anchor.issue(&end_entity("app")), &[], &anchor).unwrap();
}

#[test]
fn keys_serials_and_extensions_that_are_not_taken() {
    let root = Authority::root("root");
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let party = root.issue_to(&end_entity("app"), key);
    assert_eq!(Leaf::parse(&party.der()), Err(X509Error::Key("certificate")));
    // An authority that signs by what is not taken.
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let odd = rcgen::CertifiedIssuer::self_signed(authority("odd"), key).unwrap();
    assert!(Bundle::parse(&odd.pem()).is_err());
    let own = super::make::key();
    let certificate = end_entity("app").signed_by(&own, &odd).unwrap();
    assert_eq!(Leaf::parse(certificate.der()), Err(X509Error::Algorithm("certificate")));

    let error = with(|it| it.serial_number = Some(SerialNumber::from_slice(&[7; 21]))).unwrap_err();
    assert!(matches!(error, X509Error::Serial | X509Error::Path(_)), "{error}");
    for (oid, critical, good) in [
        (&[1, 3, 6, 1, 4, 1, 99_999, 1][..], true, false),
        (&[1, 3, 6, 1, 4, 1, 99_999, 1], false, true),
    ] {
        let extension = || {
            let mut extension = CustomExtension::from_oid_content(oid, vec![5, 0]);
            extension.set_criticality(critical);
            extension
        };
        assert_eq!(with(|it| it.custom_extensions.push(extension())).is_ok(), good);
        let mut params = authority("between");
        params.custom_extensions.push(extension());
        assert_eq!(Bundle::parse(&Authority::of(params.clone()).pem()).is_ok(), good);
        let between = root.below_with(params);
        let party = between.issue(&end_entity("app"));
        assert_eq!(shown(&party, &[&between], &root).is_ok(), good);
    }
}

/// 1024 bits, made by OpenSSL: the library that makes the other certificates makes none.
const WEAK: &str = include_str!("rsa-1024.pem");
/// By SHA-1, likewise.
const SHA1: &str = include_str!("sha-1.pem");

#[test]
fn weak_keys_and_hashes_are_refused() {
    for (text, expected) in
        [(WEAK, X509Error::Key("certificate")), (SHA1, X509Error::Algorithm("certificate"))]
    {
        let blocks = crate::federation::x509::pem::blocks(text, "CERTIFICATE", 1).unwrap();
        assert_eq!(Leaf::parse(&blocks[0]), Err(expected));
        assert!(Bundle::parse(text).is_err());
    }
}

/// Vault CVE-2024-2048: another key under the names and the number of one that is taken.
#[test]
fn museum_m53_the_names_of_a_certificate_are_not_its_key() {
    let root = Authority::root("root");
    let params = end_entity("app");
    let good = root.issue(&params);
    shown(&good, &[], &root).unwrap();
    let forged = Authority::root("root").issue(&params);
    assert_eq!(
        Leaf::parse(&forged.der()).unwrap().serial_decimal(),
        Leaf::parse(&good.der()).unwrap().serial_decimal()
    );
    assert!(shown(&forged, &[], &root).is_err());
}

/// Every byte of a good certificate, and of an authority on its path: no change is taken.
#[test]
fn no_changed_certificate_is_taken() {
    let root = Authority::root("root");
    let between = root.below("between");
    let party = between.issue(&end_entity("app"));
    let bundle = Bundle::parse(&root.pem()).unwrap();
    let (leaf, middle) = (party.der(), between.der());
    let check = |leaf: &[u8], middle: Vec<u8>| {
        Leaf::parse(leaf).and_then(|leaf| verify(leaf, &[middle], &bundle, &[], now()))
    };
    check(&leaf, middle.clone()).unwrap();
    for at in 0..leaf.len().max(middle.len()) {
        for bit in [1, 0x80] {
            if let Some(byte) = leaf.get(at) {
                let mut changed = leaf.clone();
                changed[at] = byte ^ bit;
                assert!(check(&changed, middle.clone()).is_err(), "leaf {at}");
            }
            if let Some(byte) = middle.get(at) {
                let mut changed = middle.clone();
                changed[at] = byte ^ bit;
                assert!(check(&leaf, changed).is_err(), "authority {at}");
            }
        }
        assert!(Leaf::parse(&leaf[..at.min(leaf.len() - 1)]).is_err());
    }
    assert!(Leaf::parse(&[leaf.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn bundles_are_pem_of_authorities() {
    let (one, two) = (Authority::root("one"), Authority::root("two"));
    let both = format!("a comment\n{}\n{}", one.pem(), two.pem());
    let bundle = Bundle::parse(&both).unwrap();
    for authority in [&one, &two] {
        let leaf = Leaf::parse(&authority.issue(&end_entity("app")).der()).unwrap();
        verify(leaf, &[], &bundle, &[], now()).unwrap();
    }
    let pem = one.pem();
    for bad in [
        String::new(),
        "nothing".to_owned(),
        pem.replace("CERTIFICATE", "PRIVATE KEY"),
        pem.replace("-----END CERTIFICATE-----", ""),
        pem.replacen("MII", "!!!", 1),
        format!("{pem}\n-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----"),
        pem.repeat(11),
    ] {
        assert!(Bundle::parse(&bad).is_err(), "{}", &bad[..bad.len().min(60)]);
    }
}

/// A path of another implementation, with which fuzzing begins.
#[test]
fn a_path_that_openssl_made_is_taken() {
    let seed = include_bytes!("golden/path.seed");
    let bundle = Bundle::parse(include_str!("golden/root.pem")).unwrap();
    let length = |at: usize| usize::from(u16::from_be_bytes([seed[at], seed[at + 1]]));
    let (leaf, rest) = seed[4..].split_at(length(0));
    let (between, list) = rest.split_at(length(2));
    let list = crate::federation::x509::RevocationList::parse(list).unwrap();
    list.check_issuer(&bundle).unwrap();
    let leaf = Leaf::parse(leaf).unwrap();
    let now = Timestamp::from_secs(1_800_000_000);
    let verified = verify(leaf, &[between.to_vec()], &bundle, &[&list], now).unwrap();
    assert_eq!(verified.leaf().subject().to_string(), "CN=app");
}
