//! What a signature and a response may look like. Each document but the first is signed as it
//! stands, so that only the rule that is tested can refuse it.

use super::sign::{Form, Signer};
use super::*;

fn replace(from: &'static str, to: &'static str) -> sign::Edit {
    Box::new(move |text| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        changed
    })
}

fn refused(form: &Form) -> SamlError {
    let signer = Signer::new();
    let text = signer.signed(form);
    verify_at(&text, &signer.metadata(), NOW).expect_err(&text)
}

fn document(from: &'static str, to: &'static str) -> SamlError {
    refused(&Form { document: replace(from, to), ..Form::default() })
}

fn info(from: &'static str, to: &'static str) -> SamlError {
    refused(&Form { info: replace(from, to), ..Form::default() })
}

fn signature(from: &'static str, to: &'static str) -> SamlError {
    refused(&Form { signature: replace(from, to), ..Form::default() })
}

#[test]
fn each_signed_form_is_accepted_and_none_is_not() {
    let signer = Signer::new();
    for (assertion, response) in [(true, false), (false, true), (true, true)] {
        let text = signer.signed(&Form { assertion, response, ..Form::default() });
        let verified = verify_at(&text, &signer.metadata(), NOW).unwrap();
        assert_eq!(verified.subject().name, "alice");
        assert_eq!(
            verified.subject().format,
            "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
        );
        assert_eq!(verified.good_until(), Timestamp::from_secs(NOW + 120));
        assert_eq!(verified.session_ends(), None);
    }
    let unsigned = Form { assertion: false, ..Form::default() };
    assert_eq!(refused(&unsigned), SamlError::Unsigned);
}

/// With two signatures, a bad one is not made good by the other.
#[test]
fn of_two_signatures_both_must_be_good() {
    let signer = Signer::new();
    let both = || Form { response: true, ..Form::default() };
    for (id, why) in [("_a", SamlError::Signature), ("_r", SamlError::Signature)] {
        let form = Form {
            signature: Box::new(move |text| {
                if !text.contains(&format!("\"#{id}\"")) {
                    return text;
                }
                let (head, value) = text.split_once("<ds:SignatureValue>").unwrap();
                let other = if value.starts_with('A') { "B" } else { "A" };
                format!("{head}<ds:SignatureValue>{other}{}", &value[1..])
            }),
            ..both()
        };
        let text = signer.signed(&form);
        assert_eq!(verify_at(&text, &signer.metadata(), NOW).unwrap_err(), why, "{id}");
    }
    // The digest of one, its signature good over it.
    for id in ["_a", "_r"] {
        let form = Form {
            info: Box::new(move |text| {
                let zero = STANDARD.encode([0; 32]);
                let (head, rest) = text.split_once("<ds:DigestValue>").unwrap();
                let (_, tail) = rest.split_once('<').unwrap();
                if text.contains(&format!("\"#{id}\"")) {
                    format!("{head}<ds:DigestValue>{zero}<{tail}")
                } else {
                    text.clone()
                }
            }),
            ..both()
        };
        let text = signer.signed(&form);
        assert_eq!(verify_at(&text, &signer.metadata(), NOW).unwrap_err(), SamlError::Digest);
    }
}

#[test]
fn a_signature_has_one_form() {
    use error::SignaturePart as P;
    let form = SamlError::SignatureForm;
    // Children of the signature.
    for (from, to) in [
        ("</ds:Signature>", "<ds:Object/></ds:Signature>"),
        ("</ds:Signature>", "<ds:KeyInfo/><ds:Object/></ds:Signature>"),
        ("</ds:Signature>", "<ds:KeyInfo/><ds:KeyInfo/></ds:Signature>"),
        ("</ds:Signature>", "x</ds:Signature>"),
        ("<ds:SignedInfo", "<ds:Object/><ds:SignedInfo"),
        ("<ds:SignedInfo", "<ds:SignedInfo/><ds:SignedInfo"),
        ("<ds:SignatureValue>", "<ds:SignedInfo/><ds:SignatureValue>"),
        ("ds:SignatureValue>", "ds:Value>"),
    ] {
        assert_eq!(signature(from, to), form(P::Children), "{to}");
    }
    let doubled = refused(&Form {
        signature: Box::new(|text| {
            let end = text.find("<ds:SignatureValue>").unwrap();
            let start = text.find("<ds:SignedInfo").unwrap();
            format!("{}{}{}", &text[..end], &text[start..end], &text[end..])
        }),
        ..Form::default()
    });
    assert_eq!(doubled, form(P::Children));
    assert_eq!(signature("<ds:SignatureValue>", "<ds:SignatureValue>!"), form(P::Value));
    assert_eq!(signature("<ds:SignatureValue>", "<ds:SignatureValue><x/>"), form(P::Value));
    // What is signed: everything below has a good signature over what it says.
    for (from, to, part) in [
        ("<ds:Reference URI=\"#_a\">", "<ds:Reference URI=\"\">", P::Reference),
        ("<ds:Reference URI=\"#_a\">", "<ds:Reference>", P::Reference),
        ("<ds:Reference URI=\"#_a\">", "<ds:Reference URI=\"_a\">", P::Reference),
        ("URI=\"#_a\"", "URI=\"#xpointer(/)\"", P::Reference),
        ("URI=\"#_a\"", "URI=\"#xpointer(id('_a'))\"", P::Reference),
        ("URI=\"#_a\"", "URI=\"http://evil.example/#_a\"", P::Reference),
        ("URI=\"#_a\"", "URI=\"#_a\" Type=\"urn:x\"", P::Reference),
        ("URI=\"#_a\"", "ds:URI=\"#_a\"", P::Reference),
        ("<ds:DigestMethod", "<ds:DigestMethod/><ds:DigestMethod", P::Reference),
        ("</ds:Reference>", "</ds:Reference><ds:Reference/>", P::SignedInfo),
        ("<ds:Reference ", "<ds:Reference/><ds:Reference ", P::SignedInfo),
        ("<ds:SignatureMethod", "<ds:Object/><ds:SignatureMethod", P::SignedInfo),
        (
            "CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"",
            "CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"",
            P::Canonicalization,
        ),
        (
            "CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"",
            "CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"",
            P::Canonicalization,
        ),
        (
            "CanonicalizationMethod Algorithm",
            "CanonicalizationMethod Algorithme",
            P::Canonicalization,
        ),
        (
            "<ds:Transforms>",
            "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
            P::Transforms,
        ),
        (
            "</ds:Transforms>",
            "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>1</ds:XPath></ds:Transform></ds:Transforms>",
            P::Transforms,
        ),
        (
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "http://www.w3.org/TR/1999/REC-xpath-19991116",
            P::Transforms,
        ),
        (
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "http://www.w3.org/2002/06/xmldsig-filter2",
            P::Transforms,
        ),
        (
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "http://www.w3.org/TR/1999/REC-xslt-19991116",
            P::Transforms,
        ),
        (
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "http://www.w3.org/2000/09/xmldsig#base64",
            P::Transforms,
        ),
        (
            "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>",
            "",
            P::Transforms,
        ),
        (
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
            "",
            P::Transforms,
        ),
        (
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><ds:XPath/></ds:Transform>",
            P::InclusiveNamespaces,
        ),
        (
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><InclusiveNamespaces xmlns=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transform>",
            P::InclusiveNamespaces,
        ),
        ("<ds:DigestMethod Algorithm", "<ds:DigestMethod Other=\"\" Algorithm", P::Digest),
        ("<ds:DigestValue>", "<ds:DigestValue>!", P::Digest),
        ("<ds:DigestValue>", "<ds:DigestValue><x/>", P::Digest),
    ] {
        assert_eq!(info(from, to), form(part), "{to}");
    }
    assert_eq!(info("SignatureMethod Algorithm", "SignatureMethod Algorithme"), form(P::Method));
    assert_eq!(
        info(
            "ecdsa-sha256\"/>",
            "ecdsa-sha256\"><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>"
        ),
        form(P::Method)
    );
}

#[test]
fn weak_and_other_algorithms_do_not_exist() {
    for uri in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "",
    ] {
        let form = Form {
            info: Box::new(move |text| {
                text.replace("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", uri)
            }),
            ..Form::default()
        };
        assert_eq!(refused(&form), SamlError::Algorithm, "{uri}");
    }
    // An algorithm that exists, and that the key is not for.
    for (other, why) in
        [("rsa-sha256", SamlError::Signature), ("ecdsa-sha384", SamlError::Signature)]
    {
        let form = Form {
            info: Box::new(move |text| text.replace("ecdsa-sha256", other)),
            ..Form::default()
        };
        assert_eq!(refused(&form), why);
    }
    for uri in
        ["http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmldsig-more#md5"]
    {
        let form = Form {
            info: Box::new(move |text| {
                text.replace("http://www.w3.org/2001/04/xmlenc#sha256", uri)
            }),
            ..Form::default()
        };
        assert_eq!(refused(&form), SamlError::DigestAlgorithm, "{uri}");
    }
}

/// The canonical form of a digest would have no comment: the verifier and a reader would see two.
#[test]
fn a_comment_in_a_digest_is_refused() {
    let wrong = SamlError::Xml(XmlError::Comment);
    assert_eq!(signature("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->"), wrong);
    assert_eq!(signature("</ds:SignatureValue>", "<!-- --></ds:SignatureValue>"), wrong);
    assert_eq!(document("alice</NameID>", "alice<!---->.evil</NameID>"), wrong);
}

/// Where a signature stands does not say what it signs.
#[test]
fn the_reference_is_to_the_parent() {
    let signer = Signer::new();
    // The assertion's signature, good, as a child of the response; and the other way about.
    for (id, place) in [("_a", "[R]"), ("_r", "[A]")] {
        let moved = signer.signature(sign::RESPONSE, id, &Form::default());
        let text = sign::RESPONSE.replace(place, &moved).replace("[A]", "").replace("[R]", "");
        let refused = verify_at(&text, &signer.metadata(), NOW).unwrap_err();
        assert_eq!(refused, SamlError::Reference, "{id}");
    }
    // Deeper than the parent, or twice.
    let good = signer.signature(sign::RESPONSE, "_a", &Form::default());
    for text in [
        sign::RESPONSE.replace("<Subject>", &format!("<Subject>{good}")),
        sign::RESPONSE.replace("<samlp:Status>", &format!("<samlp:Status>{good}")),
        sign::RESPONSE.replace("[A]", &good.repeat(2)),
        sign::RESPONSE
            .replace("[A]", &format!("{good}[A]"))
            .replace("<Subject>", &format!("<Subject>{good}")),
        sign::RESPONSE.replace(
            "[A]",
            &good.replace(
                "</ds:Signature>",
                &format!("<ds:KeyInfo>{good}</ds:KeyInfo></ds:Signature>"),
            ),
        ),
    ] {
        let text = text.replace("[A]", "").replace("[R]", "");
        let refused = verify_at(&text, &signer.metadata(), NOW).unwrap_err();
        assert_eq!(refused, SamlError::StraySignature, "{text}");
    }
    // An ID in another namespace is none.
    let text =
        sign::RESPONSE.replace("<Assertion ID=\"_a\"", "<Assertion samlp:ID=\"_a\" ID=\"_b\"");
    let bare = text.replace("[A]", "").replace("[R]", "");
    let made = signer.signature(&bare, "_b", &Form::default()).replace("#_b", "#_a");
    let text = text.replace("[A]", &made).replace("[R]", "");
    assert_eq!(verify_at(&text, &signer.metadata(), NOW).unwrap_err(), SamlError::Reference);
}

#[test]
fn a_response_has_one_form() {
    use SamlError as E;
    const NEXT: &str = "<Assertion ID=\"_a\"";
    for (from, to, why) in [
        ("samlp:Response", "samlp:LogoutResponse", E::NotResponse),
        ("SAML:2.0:protocol", "SAML:1.1:protocol", E::NotResponse),
        ("ID=\"_r\" Version=\"2.0\"", "ID=\"_r\" Version=\"1.1\"", E::Version),
        ("ID=\"_r\" Version=\"2.0\"", "ID=\"_r\"", E::Version),
        ("ID=\"_a\" Version=\"2.0\"", "ID=\"_a\" Version=\"2.1\"", E::Version),
        (NEXT, "<EncryptedAssertion/><Assertion ID=\"_a\"", E::Encrypted),
        ("<Subject>", "<Subject><EncryptedID/>", E::Encrypted),
        ("</AttributeStatement>", "<EncryptedAttribute/></AttributeStatement>", E::Encrypted),
        (
            "<Subject>",
            "<x:Key xmlns:x=\"http://www.w3.org/2001/04/xmlenc#\"/><Subject>",
            E::Encrypted,
        ),
        (NEXT, "<Assertion/><Assertion ID=\"_a\"", E::Assertions),
        ("<Subject>", "<Advice><Assertion/></Advice><Subject>", E::Assertions),
        (NEXT, "<samlp:Extensions/><Assertion ID=\"_a\"", E::Unknown("Response")),
        (NEXT, "x<Assertion ID=\"_a\"", E::Unknown("Response")),
        ("<Subject>", "<Advice/><Subject>", E::Unknown("Assertion")),
        ("<Subject>", "<x xmlns=\"\"/><Subject>", E::Unknown("Assertion")),
        ("ID=\"_r\"", "ID=\"_a\"", E::RepeatedId),
        ("<Subject>", "<Subject Id=\"_a\">", E::RepeatedId),
        ("<Subject>", "<Subject xml:id=\"_r\">", E::RepeatedId),
        ("status:Success", "status:Responder", E::Status),
        (
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>",
            "",
            E::Count("StatusCode"),
        ),
        ("<samlp:Status>", "<samlp:Status/><samlp:Status>", E::Count("Status")),
        ("<Subject>", "<Subject/><Subject>", E::Count("Subject")),
        ("<Conditions ", "<Conditions/><Conditions ", E::Count("Conditions")),
        ("<Subject>", "<Issuer/><Subject>", E::Count("Issuer")),
        ("<NameID>", "<NameID/><NameID>", E::Count("NameID")),
        ("<NameID>alice</NameID>", "", E::Count("NameID")),
        ("<NameID>alice</NameID>", "<NameID/>", E::Malformed("NameID")),
        ("<NameID>alice</NameID>", "<NameID><b/>alice</NameID>", E::Malformed("NameID")),
        ("<NameID>", "<BaseID/><NameID>", E::Unknown("Subject")),
        ("<AuthnStatement AuthnInstant=\"2026-09-21T14:13:15Z\"/>", "", E::Count("AuthnStatement")),
    ] {
        assert_eq!(document(from, to), why, "{to}");
    }
    // The assertion deeper in the response, signed where it stands.
    let form = Form {
        document: Box::new(|text| {
            text.replace("<Assertion ID", "<samlp:Status><Assertion ID")
                .replace("</Assertion>", "</Assertion></samlp:Status>")
        }),
        ..Form::default()
    };
    assert_eq!(refused(&form), SamlError::AssertionPlace);
}
