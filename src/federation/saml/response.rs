//! The shape of a response, and which of its parts are signed.

use std::collections::HashSet;

use roxmltree::{Document, Node};

use super::assertion::{self, TrustedAssertion};
use super::conditions::Expected;
use super::error::SamlError;
use super::key::PinnedKey;
use super::signature::{self, DSIG};
use super::xml::{self, Bounds};

pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// What was verified: canonical forms. Only [`verify_signatures`] makes one.
pub(super) enum Signed {
    /// The response is signed, and with it the assertion.
    Response(String),
    /// The assertion is signed.
    Assertion(String),
    /// Each is, with a signature of its own.
    Both {
        /// The response, the assertion's signature in it.
        response: String,
        /// The assertion.
        assertion: String,
    },
}

/// Verifies every signature that a response has, with these keys.
pub(super) fn verify_signatures(text: &str, keys: &[PinnedKey]) -> Result<Signed, SamlError> {
    let document = xml::parse(text, Bounds::RESPONSE)?;
    let shape = Shape::of(&document)?;
    let verify =
        |node: Option<Node<'_, '_>>| node.map(|node| signature::verify(node, keys)).transpose();
    match (verify(shape.of_response)?, verify(shape.of_assertion)?) {
        (Some(response), Some(assertion)) => Ok(Signed::Both { response, assertion }),
        (Some(response), None) => Ok(Signed::Response(response)),
        (None, Some(assertion)) => Ok(Signed::Assertion(assertion)),
        (None, None) => Err(SamlError::Unsigned),
    }
}

/// Reads what was verified. `text` is the response as it came: where nobody signed the response
/// itself, what it says can only refuse.
pub(super) fn read(
    text: &str,
    signed: &Signed,
    expected: &Expected<'_>,
) -> Result<TrustedAssertion, SamlError> {
    let response = match signed {
        Signed::Response(response) | Signed::Both { response, .. } => response,
        Signed::Assertion(_) => text,
    };
    let response = xml::parse(response, Bounds::RESPONSE)?;
    let inside = check_response(response.root_element(), expected)?;
    match signed {
        Signed::Response(_) => assertion::read(inside, expected),
        Signed::Assertion(text) | Signed::Both { assertion: text, .. } => {
            // INVARIANT: claims are read from the bytes that were verified.
            let assertion = xml::parse(text, Bounds::RESPONSE)?;
            assertion::read(assertion.root_element(), expected)
        }
    }
}

/// The signatures of a response that has the one shape.
struct Shape<'a, 'i> {
    of_response: Option<Node<'a, 'i>>,
    of_assertion: Option<Node<'a, 'i>>,
}

impl<'a, 'i> Shape<'a, 'i> {
    fn of(document: &'a Document<'i>) -> Result<Self, SamlError> {
        let root = document.root_element();
        if !xml::is(root, PROTOCOL, "Response") {
            return Err(SamlError::NotResponse);
        }
        let (mut assertions, mut signatures, mut ids) = (Vec::new(), Vec::new(), HashSet::new());
        for node in document.descendants().filter(Node::is_element) {
            let tag = node.tag_name();
            let encrypted = tag.namespace() == Some(ENCRYPTION)
                || tag.name().strip_prefix("Encrypted").is_some_and(|rest| !rest.is_empty());
            if encrypted {
                return Err(SamlError::Encrypted);
            }
            if xml::is(node, ASSERTION, "Assertion") {
                assertions.push(node);
            }
            if xml::is(node, DSIG, "Signature") {
                signatures.push(node);
            }
            // In any case and namespace: what another reader might take for an ID.
            for attribute in node.attributes() {
                if attribute.name().eq_ignore_ascii_case("id") && !ids.insert(attribute.value()) {
                    return Err(SamlError::RepeatedId);
                }
            }
        }
        let [assertion] = assertions.as_slice() else { return Err(SamlError::Assertions) };
        if assertion.parent_element() != Some(root) {
            return Err(SamlError::AssertionPlace);
        }
        let mut shape = Self { of_response: None, of_assertion: None };
        for signature in signatures {
            let parent = signature.parent_element();
            let place = if parent == Some(root) {
                &mut shape.of_response
            } else if parent == Some(*assertion) {
                &mut shape.of_assertion
            } else {
                return Err(SamlError::StraySignature);
            };
            if place.replace(signature).is_some() {
                return Err(SamlError::StraySignature);
            }
        }
        Ok(shape)
    }
}

/// Checks what the response itself says. Returns its assertion.
fn check_response<'a, 'i>(
    node: Node<'a, 'i>,
    expected: &Expected<'_>,
) -> Result<Node<'a, 'i>, SamlError> {
    if xml::attribute(node, "Version") != Some("2.0") {
        return Err(SamlError::Version);
    }
    if let Some(destination) = xml::attribute(node, "Destination") {
        expected.recipient(destination)?;
    }
    expected.in_response_to(xml::attribute(node, "InResponseTo"))?;
    let (mut issuer, mut status, mut assertion) = (None, None, None);
    for child in xml::elements(node).ok_or(SamlError::Unknown("Response"))? {
        let (place, name) = if xml::is(child, ASSERTION, "Issuer") {
            (&mut issuer, "Issuer")
        } else if xml::is(child, PROTOCOL, "Status") {
            (&mut status, "Status")
        } else if xml::is(child, ASSERTION, "Assertion") {
            (&mut assertion, "Assertion")
        } else if xml::is(child, DSIG, "Signature") {
            // The shape allows one, and it was verified.
            continue;
        } else {
            return Err(SamlError::Unknown("Response"));
        };
        if place.replace(child).is_some() {
            return Err(SamlError::Count(name));
        }
    }
    if let Some(issuer) = issuer {
        expected.issuer(issuer)?;
    }
    check_status(status.ok_or(SamlError::Count("Status"))?)?;
    assertion.ok_or(SamlError::Assertions)
}

fn check_status(status: Node<'_, '_>) -> Result<(), SamlError> {
    let mut codes = status.children().filter(|child| xml::is(*child, PROTOCOL, "StatusCode"));
    match (codes.next(), codes.next()) {
        (Some(code), None) if xml::attribute(code, "Value") == Some(SUCCESS) => Ok(()),
        (Some(_), None) => Err(SamlError::Status),
        _ => Err(SamlError::Count("StatusCode")),
    }
}
