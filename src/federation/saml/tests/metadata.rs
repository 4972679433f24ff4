use super::*;

/// Metadata with these certificates.
pub(crate) fn text(certificates: &[&str]) -> String {
    let keys: Vec<String> = certificates
        .iter()
        .map(|certificate| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo \
                 xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>\
                 {certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            )
        })
        .collect();
    let keys = keys.concat();
    format!(
        "<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<md:EntityDescriptor \
         xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{ENTITY}\">\
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol \
         urn:oasis:names:tc:SAML:2.0:protocol\">{keys}</md:IDPSSODescriptor></md:EntityDescriptor>"
    )
}

#[test]
fn each_of_several_keys_is_good_and_those_for_encryption_are_not() {
    let (one, two) = (sign::Signer::new(), sign::Signer::new());
    let both = text(&[one.certificate(), two.certificate()]);
    let metadata = Metadata::parse(&both).unwrap();
    for signer in [&one, &two] {
        let response = signer.signed(&sign::Form::default());
        assert!(verify_at(&response, &metadata, NOW).is_ok());
    }
    // Without `use` it is for both.
    let unsaid = Metadata::parse(&both.replace(" use=\"signing\"", "")).unwrap();
    assert_eq!(unsaid, metadata);
    let second = format!(
        "use=\"signing\"><ds:KeyInfo \
                 xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>\
                 {}",
        two.certificate()
    );
    let encryption = both.replace(&second, &second.replace("signing", "encryption"));
    assert_ne!(encryption, both);
    let metadata = Metadata::parse(&encryption).unwrap();
    assert!(verify_at(&one.signed(&sign::Form::default()), &metadata, NOW).is_ok());
    let refused = verify_at(&two.signed(&sign::Form::default()), &metadata, NOW).unwrap_err();
    assert_eq!(refused, SamlError::Signature);
}

#[test]
fn metadata_ends() {
    let signer = sign::Signer::new();
    let until = |on: &str, time: &str| {
        let text = text(&[signer.certificate()]);
        Metadata::parse(&text.replacen(on, &format!("{on} validUntil=\"{time}\""), 1))
    };
    let response = signer.signed(&sign::Form::default());
    for on in ["<md:EntityDescriptor", "<md:IDPSSODescriptor"] {
        let metadata = until(on, "2026-09-21T14:13:21Z").unwrap();
        let end = Timestamp::from_secs(NOW + 1);
        assert_eq!(metadata.valid_until(), Some(end));
        assert!(verify_at(&response, &metadata, NOW).is_ok());
        let refused = verify_at(&response, &metadata, NOW + 1).unwrap_err();
        assert_eq!(refused, SamlError::MetadataExpired(end));
        for time in ["", "tomorrow", "2026-09-21", "2026-09-21T14:13:21", "2026-13-21T14:13:21Z"] {
            assert_eq!(until(on, time).unwrap_err(), MetadataError::ValidUntil, "{time}");
        }
    }
}

#[test]
fn what_is_no_metadata_of_one_provider_is_refused() {
    use MetadataError as E;
    let signer = sign::Signer::new();
    let certificate = signer.certificate();
    let good = text(&[certificate]);
    assert!(Metadata::parse(&good).is_ok());
    // A byte order mark and line ends of Windows are no matter.
    let windows = format!("\u{feff}{}", good.replace('\n', "\r\n"));
    assert!(Metadata::parse(&windows).is_ok());
    let x509 = format!("<ds:X509Certificate>{certificate}</ds:X509Certificate>");
    let role = good.split_once("<md:IDP").unwrap().1.split_once("</md:Ent").unwrap().0;
    let eleven: Vec<_> = (0..11).map(|_| sign::Signer::new().certificate().to_owned()).collect();
    let eleven: Vec<_> = eleven.iter().map(String::as_str).collect();
    for (wrong, why) in [
        (format!("{good}{}", " ".repeat(250_000)), E::TooLong),
        (String::new(), E::Xml(XmlError::Malformed)),
        ("not XML".to_owned(), E::Xml(XmlError::Malformed)),
        (good.replace("<md:Ent", "<!DOCTYPE x><md:Ent"), E::Xml(XmlError::Dtd)),
        (good.replace("<md:Ent", "<?php x?><md:Ent"), E::Xml(XmlError::ProcessingInstruction)),
        (good.replace("EntityDescriptor", "EntitiesDescriptor"), E::NotMetadata),
        (good.replace("SAML:2.0:metadata", "SAML:1.1:metadata"), E::NotMetadata),
        (good.replace("entityID", "entity"), E::EntityId),
        (good.replace(ENTITY, ""), E::EntityId),
        (good.replace("entityID", "md:entityID"), E::EntityId),
        (good.replace("IDPSSODescriptor", "SPSSODescriptor"), E::Role),
        (good.replace("SAML:2.0:protocol", "SAML:1.0:protocol"), E::Role),
        (good.replace("</md:Ent", &format!("<md:IDP{role}</md:Ent")), E::Role),
        (good.replace("\"signing\"", "\"encryption\""), E::Keys),
        (text(&[]), E::Keys),
        (text(&eleven), E::Keys),
        (good.replace(&x509, ""), E::KeyDescriptor),
        (good.replace(&x509, &x509.repeat(2)), E::KeyDescriptor),
        (good.replace(certificate, "!"), E::Certificate),
        (good.replace(certificate, ""), E::Certificate),
        (good.replace(certificate, "AAAA"), E::Certificate),
        (good.replace(certificate, &certificate[..96]), E::Certificate),
        (good.replace(certificate, &format!("<!-- -->{certificate}")), E::Certificate),
    ] {
        assert_eq!(Metadata::parse(&wrong).unwrap_err(), why, "{wrong}");
    }
    assert_eq!(Metadata::parse(&text(&eleven[..10])).unwrap().keys().len(), 10);
}

#[test]
fn keys_that_are_no_good_are_refused_when_they_are_written() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&pair).unwrap();
    let metadata = text(&[&STANDARD.encode(certificate.der())]);
    assert_eq!(Metadata::parse(&metadata).unwrap_err(), MetadataError::Key);
    // RSA of 1,024 bits.
    let metadata = text(&[include_str!("golden/rsa-1024.txt").trim()]);
    assert_eq!(Metadata::parse(&metadata).unwrap_err(), MetadataError::Key);
}
