//! The attributes of an assertion that is good otherwise.

use super::sign::{Form, Signer};
use super::*;

/// With these attributes in place of the name of the session, or of nothing.
fn with(attributes: &[(&str, &[&str])]) -> Result<Attributes, SamlError> {
    let signer = Signer::new();
    let mut more = Vec::new();
    for (name, values) in attributes {
        let none = values.is_empty();
        let name = name.replace("AWS/", "https://aws.amazon.com/SAML/Attributes/");
        let values = values.join("</AttributeValue><AttributeValue>");
        let some = format!("<AttributeValue>{values}</AttributeValue>");
        let values = if none { String::new() } else { some };
        more.push(format!("<Attribute Name=\"{name}\">{values}</Attribute>"));
    }
    let more = more.concat();
    let text = signer.signed(&Form {
        document: Box::new(move |text| {
            text.replace("</AttributeStatement>", &format!("{more}</AttributeStatement>"))
        }),
        ..Form::default()
    });
    verify_at(&text, &signer.metadata(), NOW).map(|it| it.attributes().clone())
}

/// With one attribute replaced.
fn changed(from: &'static str, to: &'static str) -> Result<Attributes, SamlError> {
    let signer = Signer::new();
    let text = signer.signed(&Form {
        document: Box::new(move |text| {
            assert!(text.contains(from));
            text.replace(from, to)
        }),
        ..Form::default()
    });
    verify_at(&text, &signer.metadata(), NOW).map(|it| it.attributes().clone())
}

#[test]
fn roles_are_pairs_in_either_order() {
    const VALUE: &str =
        "arn:aws:iam::123456789012:saml-provider/Corp,arn:aws:iam::123456789012:role/Admin";
    let of = |to| changed(VALUE, to);
    assert!(of(VALUE).unwrap().offers(ROLE, PROVIDER));
    let other =
        "arn:aws:iam::123456789012:role/Admin , arn:aws:iam::123456789012:saml-provider/Corp";
    assert!(of(other).unwrap().offers(ROLE, PROVIDER));
    let two = of("arn:aws:iam::1:role/a,arn:aws:iam::1:saml-provider/p</AttributeValue><AttributeValue>arn:aws:iam::2:role/b,arn:aws:iam::2:saml-provider/q").unwrap();
    assert!(two.offers("arn:aws:iam::1:role/a", "arn:aws:iam::1:saml-provider/p"));
    assert!(two.offers("arn:aws:iam::2:role/b", "arn:aws:iam::2:saml-provider/q"));
    // A pair is a pair.
    assert!(!two.offers("arn:aws:iam::1:role/a", "arn:aws:iam::2:saml-provider/q"));
    for wrong in [
        "",
        "arn:aws:iam::123456789012:role/Admin",
        "arn:aws:iam::123456789012:role/Admin,",
        "arn:aws:iam::123456789012:role/Admin,arn:aws:iam::123456789012:role/Other",
        "arn:aws:iam::1:role/a,arn:aws:iam::1:saml-provider/p,arn:aws:iam::1:role/b",
        "role/Admin,saml-provider/Corp",
        "<b/>",
    ] {
        assert_eq!(of(wrong).unwrap_err(), SamlError::Attribute("Role"), "{wrong}");
    }
}

#[test]
fn what_must_be_there_is() {
    let missing = |name: &'static str| {
        let to = "Name=\"https://other.example/Attribute\"";
        let from: &'static str = match name {
            "Role" => "Name=\"https://aws.amazon.com/SAML/Attributes/Role\"",
            _ => "Name=\"https://aws.amazon.com/SAML/Attributes/RoleSessionName\"",
        };
        assert_eq!(changed(from, to).unwrap_err(), SamlError::MissingAttribute(name));
    };
    missing("Role");
    missing("RoleSessionName");
    for wrong in [
        "",
        "a",
        "a b",
        "a/b",
        "&lt;/Arn&gt;",
        "x\u{e4}x",
        "a&#13;&#10;b",
        "a</AttributeValue><AttributeValue>b",
    ] {
        let wrong: &'static str =
            Box::leak(format!("<AttributeValue>{wrong}</AttributeValue>").into_boxed_str());
        assert_eq!(
            changed("<AttributeValue>alice</AttributeValue>", wrong).unwrap_err(),
            SamlError::Attribute("RoleSessionName"),
            "{wrong}"
        );
    }
}

#[test]
fn what_aws_gives_a_meaning_is_read_or_refused() {
    let found = with(&[
        ("AWS/SessionDuration", &["900"]),
        ("AWS/SourceIdentity", &["a.b@c"]),
        ("AWS/PrincipalTag:Team", &["x y"]),
        ("AWS/PrincipalTag:a:b", &[""]),
        ("AWS/TransitiveTagKeys", &["Team", "a:b"]),
        ("https://other.example/", &["<x><y/></x>"]),
    ])
    .unwrap();
    assert_eq!(found.duration, Some(900));
    assert_eq!(found.source_identity.as_deref(), Some("a.b@c"));
    let tag = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    assert_eq!(found.tags, [tag("Team", "x y"), tag("a:b", "")]);
    assert_eq!(found.transitive, ["Team", "a:b"]);
    let aws = "https://aws.amazon.com/SAML/Attributes/";
    let wrong: &[(&str, &[&str], &'static str)] = &[
        ("AWS/SessionDuration", &["899"], "SessionDuration"),
        ("AWS/SessionDuration", &["43201"], "SessionDuration"),
        ("AWS/SessionDuration", &["+900"], "SessionDuration"),
        ("AWS/SessionDuration", &[" 900"], "SessionDuration"),
        ("AWS/SessionDuration", &["900", "900"], "SessionDuration"),
        ("AWS/SessionDuration", &[], "SessionDuration"),
        ("AWS/SourceIdentity", &["aws:x"], "SourceIdentity"),
        ("AWS/SourceIdentity", &["a b"], "SourceIdentity"),
        ("AWS/SourceIdentity", &["ab", "cd"], "SourceIdentity"),
        ("AWS/PrincipalTag:Team", &["a", "b"], "PrincipalTag"),
        ("AWS/PrincipalTag:Team", &["<b/>"], "PrincipalTag"),
        ("AWS/PrincipalTag:Team", &[], "PrincipalTag"),
        ("AWS/PrincipalTag:", &["a"], aws),
        ("AWS/PrincipalTag", &["a"], aws),
        ("AWS/TransitiveTagKeys", &[], "TransitiveTagKeys"),
        ("AWS/role", &["a"], aws),
        ("AWS/New", &["a"], aws),
        ("AWS/Role", &["a"], aws),
    ];
    for (name, values, why) in wrong {
        let refused = with(&[(name, values)]).unwrap_err();
        assert_eq!(refused, SamlError::Attribute(why), "{name} {values:?}");
    }
    let twice: &[(&str, &[&str])] =
        &[("AWS/PrincipalTag:Team", &["a"]), ("AWS/PrincipalTag:Team", &["a"])];
    assert_eq!(with(twice).unwrap_err(), SamlError::Attribute(aws));
}

#[test]
fn attributes_become_condition_keys() {
    let eppn = "urn:oid:1.3.6.1.4.1.5923.1.1.1.6";
    let targeted = "urn:oid:1.3.6.1.4.1.5923.1.1.1.10";
    let mail = "urn:oid:0.9.2342.19200300.100.1.3";
    let ad = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
    let found = with(&[
        (eppn, &["a@x", "b@x"]),
        (targeted, &["<NameID>n</NameID>"]),
        (mail, &["m@x"]),
        (ad, &["m@x"]),
    ])
    .unwrap();
    let keys: Vec<_> = found.keys.iter().map(|key| (key.name, key.values.join("|"))).collect();
    let of = |name, values: &str| (name, values.to_owned());
    assert_eq!(
        keys,
        [
            of("eduPersonPrincipalName", "a@x|b@x"),
            of("eduPersonTargetedID", "n"),
            of("mail", "m@x")
        ]
    );
    let wrong: &[&[(&'static str, &[&str])]] = &[
        &[(mail, &["m@x", "n@x"])],
        &[(mail, &[])],
        &[(mail, &["<x/>"])],
        &[(eppn, &["<NameID>a</NameID><NameID>b</NameID>"])],
        &[(mail, &["m@x"]), (mail, &["m@x"])],
    ];
    for attributes in wrong {
        let why = SamlError::Attribute(attributes[0].0);
        assert_eq!(with(attributes).unwrap_err(), why, "{attributes:?}");
    }
    // Two that become one key must agree.
    let both: &[(&str, &[&str])] = &[(mail, &["m@x"]), (ad, &["n@x"])];
    assert_eq!(with(both).unwrap_err(), SamlError::Attribute(ad));
}
