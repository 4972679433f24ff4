//! Which names become tags.

use rcgen::{CustomExtension, DnType, SanType};

use super::make::{Authority, authority, end_entity};
use crate::federation::x509::{Field, Leaf, Mappings, X509Error};

fn leaf(change: impl FnOnce(&mut rcgen::CertificateParams)) -> Leaf {
    let mut issuer = authority("ca");
    issuer.distinguished_name.push(DnType::CountryName, "DE");
    let mut params = end_entity("app");
    params.distinguished_name.push(DnType::OrganizationName, "Shop");
    params.distinguished_name.push(DnType::OrganizationalUnitName, "orders");
    params.distinguished_name.push(DnType::CustomDnType(vec![1, 2, 3, 4]), "odd");
    params.subject_alt_names = vec![
        SanType::DnsName("app.example".try_into().unwrap()),
        SanType::DnsName("other.example".try_into().unwrap()),
        SanType::URI("spiffe://example.org/app".try_into().unwrap()),
    ];
    change(&mut params);
    Leaf::parse(&Authority::of(issuer).issue(&params).der()).unwrap()
}

fn tags(mappings: &Mappings, leaf: &Leaf) -> Vec<String> {
    let mut tags: Vec<_> = mappings
        .tags(leaf)
        .unwrap()
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    tags.sort();
    tags
}

#[test]
fn the_default_is_every_known_name() {
    assert_eq!(
        tags(&Mappings::default(), &leaf(|_| ())),
        [
            "x509Issuer/C=DE",
            "x509Issuer/CN=ca",
            "x509SAN/DNS=app.example",
            "x509SAN/URI=spiffe://example.org/app",
            "x509Subject/CN=app",
            "x509Subject/O=Shop",
            "x509Subject/OU=orders",
        ]
    );
}

#[test]
fn rules_choose_names() {
    let leaf = leaf(|_| ());
    let mut mappings = Mappings::default();
    mappings.put(Field::Subject, &["CN", "1.2.3.4", "CN", "ST"]).unwrap();
    mappings.put(Field::Alternative, &["URI"]).unwrap();
    mappings.remove(Field::Issuer, &[]).unwrap();
    let expected =
        ["x509SAN/URI=spiffe://example.org/app", "x509Subject/1.2.3.4=odd", "x509Subject/CN=app"];
    assert_eq!(tags(&mappings, &leaf), expected);
    assert!(mappings.remove(Field::Issuer, &[]).is_err());
    assert!(mappings.remove(Field::Subject, &["OU"]).is_err());
    mappings.remove(Field::Subject, &["CN", "ST"]).unwrap();
    mappings.remove(Field::Subject, &["1.2.3.4"]).unwrap();
    assert_eq!(tags(&mappings, &leaf), expected[..1]);
    assert_eq!(mappings.all().len(), 1);
    for (field, bad) in [
        (Field::Subject, ""),
        (Field::Subject, "cn"),
        (Field::Subject, "XX"),
        (Field::Subject, "1."),
        (Field::Subject, "01.2"),
        (Field::Subject, "DNS"),
        (Field::Issuer, "Name/CN"),
        (Field::Alternative, "*"),
        (Field::Alternative, "CN"),
        (Field::Alternative, "URI/*"),
        (Field::Alternative, "Name/XX"),
        (Field::Alternative, "Email"),
    ] {
        assert!(mappings.put(field, &[bad]).is_err(), "{bad}");
    }
    assert!(mappings.put(Field::Subject, &[]).is_err());
    let stored = serde_json::to_string(&mappings).unwrap();
    assert_eq!(stored, r#"[{"field":"x509SAN","specifiers":["URI"]}]"#);
    assert_eq!(serde_json::from_str::<Mappings>(&stored).unwrap(), mappings);
}

/// `GeneralNames` with one directory name: CN=dir, O=Shop.
const DIRECTORY: &[u8] = &[
    0x30, 0x22, 0xa4, 0x20, 0x30, 0x1e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c,
    0x03, b'd', b'i', b'r', 0x31, 0x0e, 0x30, 0x0c, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x05, b'o',
    b't', b'h', b'e', b'r',
];

#[test]
fn names_of_directories_are_mapped() {
    let leaf = leaf(|params| {
        params.subject_alt_names.clear();
        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 17], DIRECTORY.to_vec());
        params.custom_extensions.push(extension);
    });
    let mut mappings = Mappings::default();
    let of = |mappings: &Mappings| {
        tags(mappings, &leaf).into_iter().filter(|it| it.starts_with("x509SAN")).collect::<Vec<_>>()
    };
    assert_eq!(of(&mappings), ["x509SAN/Name/CN=dir", "x509SAN/Name/O=other"]);
    mappings.put(Field::Alternative, &["Name/CN"]).unwrap();
    assert_eq!(of(&mappings), ["x509SAN/Name/CN=dir"]);
    for spelling in ["Name", "Name/", "Name/*"] {
        mappings.put(Field::Alternative, &[spelling]).unwrap();
        assert_eq!(mappings.all().last().unwrap().specifiers, ["Name/*"]);
    }
}

/// A tag that read like that of another certificate, or none where one was meant, would be worse.
#[test]
fn names_that_stand_there_twice_are_not_mapped() {
    let leaf = leaf(|params| {
        let organization = DnType::CustomDnType(vec![2, 5, 4, 10]);
        params.distinguished_name.push(organization, "Evil");
    });
    let twice = |mappings: &Mappings| {
        mappings.tags(&leaf) == Err(X509Error::Attribute("x509Subject/O".to_owned()))
    };
    let mut mappings = Mappings::default();
    assert!(twice(&mappings));
    mappings.put(Field::Subject, &["O"]).unwrap();
    assert!(twice(&mappings));
    mappings.put(Field::Subject, &["CN", "OU"]).unwrap();
    assert!(mappings.tags(&leaf).is_ok());
}
