//! Signature wrapping, XSW1 to XSW8, on responses that other implementations signed.
//!
//! Each takes a response that is good and builds another around it: the signed part is still there,
//! whole, and somewhere else stands what the attacker wants to be read.

use std::ops::Range;

use super::*;

/// A response and where its parts are.
struct Parts<'t> {
    text: &'t str,
    assertion: Range<usize>,
    of_response: Option<Range<usize>>,
    of_assertion: Option<Range<usize>>,
}

fn named<'a, 'i>(
    node: roxmltree::Node<'a, 'i>,
    name: &'static str,
) -> Option<roxmltree::Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Self {
        let document = roxmltree::Document::parse(text).unwrap();
        let root = document.root_element();
        let assertion = named(root, "Assertion").unwrap();
        Self {
            text,
            assertion: assertion.range(),
            of_response: named(root, "Signature").map(|node| node.range()),
            of_assertion: named(assertion, "Signature").map(|node| node.range()),
        }
    }

    fn assertion(&self) -> &'t str {
        &self.text[self.assertion.clone()]
    }

    fn unsigned_assertion(&self) -> String {
        match &self.of_assertion {
            Some(range) => self.assertion().replace(&self.text[range.clone()], ""),
            None => self.assertion().to_owned(),
        }
    }

    /// The outermost signature.
    fn signature(&self) -> &'t str {
        let range = self.of_response.clone().or(self.of_assertion.clone()).unwrap();
        &self.text[range]
    }

    fn unsigned(&self) -> String {
        self.text.replace(self.signature(), "")
    }
}

/// What the attacker wants to be read; with an ID of its own, or with the one that was signed.
fn evil(text: &str, own_id: bool) -> String {
    let evil = text.replace(">alice<", ">mallory<").replace("role/Admin", "role/Owner");
    if own_id { evil.replace("ID=\"_a", "ID=\"_e").replace("ID=\"_r", "ID=\"_f") } else { evil }
}

/// `inner` before the end of the last element of that local name in `text`.
fn inside(text: &str, name: &str, inner: &str) -> String {
    let at = text.rfind(&format!(":{name}>")).or_else(|| text.rfind(&format!("/{name}>"))).unwrap();
    let at = text[..at].rfind("</").unwrap_or(at);
    let at = if text[at..].starts_with("</") { at } else { at - 1 };
    format!("{}{inner}{}", &text[..at], &text[at..])
}

fn inside_signature(signature: &str, inner: &str) -> String {
    signature.replace("</ds:Signature>", &format!("{inner}</ds:Signature>"))
}

/// The eight arrangements that are known by these numbers.
fn wrap(number: u8, parts: &Parts<'_>, own_id: bool) -> String {
    let (text, signature) = (parts.text, parts.signature());
    let assertion = parts.assertion();
    let fake = evil(&parts.unsigned_assertion(), own_id);
    // The response without its XML declaration: there is none.
    match number {
        // The signed response in the signature of a forged one.
        1 => {
            let original = parts.unsigned();
            evil(text, own_id)
                .replace(&evil(signature, own_id), &inside_signature(signature, &original))
        }
        // The signed response beside its signature, in a forged one.
        2 => {
            let original = parts.unsigned();
            evil(text, own_id).replace(&evil(signature, own_id), &format!("{original}{signature}"))
        }
        // A forged assertion in front of the signed one.
        3 => text.replace(assertion, &format!("{fake}{assertion}")),
        // The signed assertion in a forged one.
        4 => text.replace(assertion, &inside(&fake, "Assertion", assertion)),
        // A forged assertion with the signature; the original at the end.
        5 => {
            let forged = evil(assertion, own_id);
            inside(&text.replace(assertion, &forged), "Response", &parts.unsigned_assertion())
        }
        // The original in the signature of the forged assertion.
        6 => {
            let forged = evil(text, own_id);
            let kept = inside_signature(signature, &parts.unsigned_assertion());
            forged.replace(&evil(signature, own_id), &kept)
        }
        // A forged assertion in extensions, in front of the signed one.
        7 => text.replace(assertion, &format!("<Extensions>{fake}</Extensions>{assertion}")),
        // The original in an object of the signature of the forged one.
        _ => {
            let object = format!("<ds:Object>{}</ds:Object>", parts.unsigned_assertion());
            evil(text, own_id)
                .replace(&evil(signature, own_id), &inside_signature(signature, &object))
        }
    }
}

#[test]
fn museum_m44_a_signature_is_not_wrapped() {
    let metadata = golden::metadata();
    let mut tried = 0;
    for (name, text) in golden::GOLDEN {
        let parts = Parts::of(text);
        for number in 1..=8 {
            for own_id in [true, false] {
                let wrapped = wrap(number, &parts, own_id);
                assert!(wrapped.contains("mallory") && wrapped.contains(">alice<"), "{number}");
                roxmltree::Document::parse(&wrapped).expect("well-formed");
                let refused = verify_at(&wrapped, &metadata, NOW).unwrap_err();
                let ids = !own_id;
                let expected = matches!(
                    refused,
                    SamlError::Assertions | SamlError::AssertionPlace | SamlError::StraySignature
                ) || (ids && refused == SamlError::RepeatedId);
                assert!(expected, "{name} XSW{number}: {refused:?}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, golden::GOLDEN.len() * 16);
}

/// Where the number of assertions does not give it away: the signed one is hidden as something else,
/// or the forged one is.
#[test]
fn museum_m44_nor_is_it_wrapped_with_one_assertion() {
    let metadata = golden::metadata();
    for (name, text) in golden::GOLDEN {
        let parts = Parts::of(text);
        let forged = evil(text, false);
        let cases = [
            // The claims changed in place.
            (forged.clone(), &[SamlError::Digest][..]),
            // The signature without anything to sign.
            (text.replace(parts.assertion(), ""), &[SamlError::Assertions, SamlError::Digest][..]),
            // The response in another element.
            (format!("<x>{text}</x>"), &[SamlError::NotResponse][..]),
            // IDs exchanged, so that the reference is to what nobody signed.
            (
                evil(text, true).replace(&evil(parts.signature(), true), parts.signature()),
                &[SamlError::Reference, SamlError::Digest][..],
            ),
            // Signatures taken away.
            (
                evil(&text.replace(parts.signature(), ""), true),
                &[SamlError::Unsigned, SamlError::Reference, SamlError::Digest][..],
            ),
        ];
        for (case, (wrapped, reasons)) in cases.iter().enumerate() {
            let refused = verify_at(wrapped, &metadata, NOW).unwrap_err();
            assert!(reasons.contains(&refused), "{name} {case}: {refused:?}");
        }
    }
}

/// A signed assertion of one response in another response: what nobody signed says nothing.
#[test]
fn what_stands_around_a_signed_assertion_says_nothing() {
    let metadata = golden::metadata();
    let parts = Parts::of(golden::GOLDEN[0].1);
    let around = format!(
        "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"x\" Version=\"2.0\"><p:Status>\
         <p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></p:Status>{}\
         </p:Response>",
        parts.assertion()
    );
    let other = verify_at(&around, &metadata, NOW).unwrap();
    assert_eq!(other, verify_at(parts.text, &metadata, NOW).unwrap());
}
