//! Responses that other implementations made and signed: libxmlsec1 and signxml.

use super::*;

/// Names and texts. `tests/sdk/python/saml_idp.py` makes new ones.
pub(super) const GOLDEN: &[(&str, &str)] = &[
    ("xmlsec-assertion-rsa-sha256", include_str!("golden/xmlsec-assertion-rsa-sha256.xml")),
    ("xmlsec-response-rsa-sha256", include_str!("golden/xmlsec-response-rsa-sha256.xml")),
    ("xmlsec-both-rsa-sha256", include_str!("golden/xmlsec-both-rsa-sha256.xml")),
    ("xmlsec-assertion-rsa-sha384", include_str!("golden/xmlsec-assertion-rsa-sha384.xml")),
    ("xmlsec-assertion-ecdsa-sha384", include_str!("golden/xmlsec-assertion-ecdsa-sha384.xml")),
    ("signxml-assertion-rsa-sha512", include_str!("golden/signxml-assertion-rsa-sha512.xml")),
    ("signxml-response-ecdsa-sha256", include_str!("golden/signxml-response-ecdsa-sha256.xml")),
    ("signxml-both-rsa-sha256", include_str!("golden/signxml-both-rsa-sha256.xml")),
];

pub(super) fn metadata() -> Metadata {
    Metadata::parse(include_str!("golden/metadata.xml")).unwrap()
}

#[test]
fn responses_of_other_implementations_are_verified() {
    let metadata = metadata();
    assert_eq!(metadata.entity_id(), ENTITY);
    for (name, text) in GOLDEN {
        let assertion = verify_at(text, &metadata, NOW).expect(name);
        assert_eq!(assertion.issuer(), ENTITY);
        assert_eq!(assertion.subject().name, "alice");
        assert_eq!(assertion.subject().format, "persistent");
        assert_eq!(assertion.recipient(), SIGN_IN);
        assert!(assertion.id().starts_with("_a"));
        assert_eq!(assertion.good_until(), Timestamp::from_secs(NOW + 240));
        assert_eq!(assertion.session_ends(), Some(Timestamp::from_secs(NOW + 7200)));
        let attributes = assertion.attributes();
        assert!(attributes.offers(ROLE, PROVIDER) && !attributes.offers(PROVIDER, ROLE));
        assert_eq!(attributes.session_name, "alice@example.com");
        assert_eq!(attributes.duration, Some(1800));
        assert_eq!(attributes.source_identity.as_deref(), Some("alice"));
        assert_eq!(attributes.tags, [("Team".to_owned(), "r&d <core>".to_owned())]);
        assert_eq!(attributes.transitive, ["Team"]);
        let keys: Vec<_> =
            attributes.keys.iter().map(|key| (key.name, key.values.join("|"))).collect();
        let cn = "Alice Ä \u{a0} A.";
        assert_eq!(
            keys,
            [
                ("eduPersonAffiliation", "staff|member".to_owned()),
                ("cn", cn.to_owned()),
                ("commonName", cn.to_owned())
            ]
        );
    }
}

#[test]
fn keys_of_another_provider_are_no_good() {
    let stranger = sign::Signer::new().metadata();
    for (name, text) in GOLDEN {
        let refused = verify_at(text, &stranger, NOW).unwrap_err();
        assert_eq!(refused, SamlError::Signature, "{name}");
    }
}

/// Who forges a signature sends the certificate along; the one in the message is not looked at.
#[test]
fn the_key_that_a_message_brings_along_is_not_used() {
    let stranger = sign::Signer::new();
    let info = format!(
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>\
         </ds:KeyInfo></ds:Signature>",
        stranger.certificate()
    );
    let forged = stranger.signed(&sign::Form {
        signature: Box::new(move |text| text.replace("</ds:Signature>", &info)),
        ..sign::Form::default()
    });
    assert!(verify_at(&forged, &stranger.metadata(), NOW).is_ok());
    assert_eq!(verify_at(&forged, &metadata(), NOW).unwrap_err(), SamlError::Signature);
}

#[test]
fn a_response_may_be_broken_into_lines_and_nothing_else() {
    let (metadata, ours) = (metadata(), [SIGN_IN.to_owned()]);
    let now = Timestamp::from_secs(NOW);
    let expected =
        Expected { metadata: &metadata, audiences: &ours, recipients: &ours, answers: false, now };
    let encoded = encode(GOLDEN[0].1);
    let lines: Vec<_> = encoded.as_bytes().chunks(76).map(|l| str::from_utf8(l).unwrap()).collect();
    assert!(verify(&lines.join("\r\n"), &expected).is_ok());
    for wrong in [
        lines.join(" "),
        encoded.trim_end_matches('=').to_owned() + "!",
        format!("{encoded}="),
        format!("={encoded}"),
        encoded.replace('+', "-"),
        String::new(),
    ] {
        let refused = verify(&wrong, &expected).unwrap_err();
        let empty = SamlError::Xml(XmlError::Malformed);
        assert!(refused == SamlError::Encoding || (wrong.is_empty() && refused == empty));
    }
    let long = "A".repeat(MAX_RESPONSE + 4);
    assert_eq!(verify(&long, &expected).unwrap_err(), SamlError::TooLong);
    // Deflated, as the redirect binding has it: nothing is inflated, so nothing can swell.
    let deflated = STANDARD.encode([0x78, 0x9c, 0xed, 0xc1, 0x01, 0x01, 0xff, 0xfe]);
    assert_eq!(verify(&deflated, &expected).unwrap_err(), SamlError::Encoding);
    let utf16: Vec<u8> = GOLDEN[0].1.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = verify(&STANDARD.encode(utf16), &expected).unwrap_err();
    assert!(matches!(refused, SamlError::Encoding | SamlError::Xml(_)));
}
