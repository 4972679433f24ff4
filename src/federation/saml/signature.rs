//! XML signatures in the one form that is taken.

use roxmltree::Node;

use super::c14n;
use super::error::{SamlError, SignaturePart as Part};
use super::key::{Algorithm, Digest, PinnedKey};
use super::xml;

/// XML Signature.
pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Exclusive canonicalization: the namespace, and the algorithm.
/// The most prefixes of an `InclusiveNamespaces`: each costs a search at each element.
const MAX_PREFIXES: usize = 32;
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// A signature, taken apart. Nothing of it is believed.
struct Signature<'a, 'i> {
    signed_info: Node<'a, 'i>,
    /// The prefixes that `SignedInfo` is canonicalized with.
    info_prefixes: Vec<&'a str>,
    algorithm: Algorithm,
    value: Vec<u8>,
    /// The ID that it refers to.
    reference: &'a str,
    /// The prefixes that the element is canonicalized with.
    prefixes: Vec<&'a str>,
    digest_method: Digest,
    digest: Vec<u8>,
}

/// Verifies the signature at `node` over its parent, with one of these keys. Returns the canonical
/// form of the parent: what was signed.
pub(super) fn verify(node: Node<'_, '_>, keys: &[PinnedKey]) -> Result<String, SamlError> {
    let parent = node.parent_element().ok_or(SamlError::StraySignature)?;
    let signature = Signature::read(node)?;
    if xml::attribute(parent, "ID") != Some(signature.reference) {
        return Err(SamlError::Reference);
    }
    let info = c14n::exclusive(signature.signed_info, None, &signature.info_prefixes)?;
    let made = |key: &PinnedKey| key.made(signature.algorithm, info.as_bytes(), &signature.value);
    if !keys.iter().any(made) {
        return Err(SamlError::Signature);
    }
    let signed = c14n::exclusive(parent, Some(node.id()), &signature.prefixes)?;
    if signature.digest_method.digest(signed.as_bytes()).as_ref() != signature.digest {
        return Err(SamlError::Digest);
    }
    Ok(signed)
}

impl<'a, 'i> Signature<'a, 'i> {
    fn read(node: Node<'a, 'i>) -> Result<Self, SamlError> {
        let wrong = SamlError::SignatureForm;
        let children = xml::elements(node).ok_or(wrong(Part::Children))?;
        let (signed_info, value, rest) = match children.as_slice() {
            [info, value, rest @ ..] => (*info, *value, rest),
            _ => return Err(wrong(Part::Children)),
        };
        let key_info = match rest {
            [] => true,
            // Whatever it says, the key is one of those that are pinned.
            [only] => xml::is(*only, DSIG, "KeyInfo"),
            _ => false,
        };
        let known =
            xml::is(signed_info, DSIG, "SignedInfo") && xml::is(value, DSIG, "SignatureValue");
        if !known || !key_info {
            return Err(wrong(Part::Children));
        }
        let value = xml::base64(value).ok_or(wrong(Part::Value))?;

        let children = xml::elements(signed_info).ok_or(wrong(Part::SignedInfo))?;
        let [canonicalization, method, reference] = children.as_slice() else {
            return Err(wrong(Part::SignedInfo));
        };
        let named = xml::is(*canonicalization, DSIG, "CanonicalizationMethod")
            && xml::is(*method, DSIG, "SignatureMethod")
            && xml::is(*reference, DSIG, "Reference");
        if !named {
            return Err(wrong(Part::SignedInfo));
        }
        if algorithm(*canonicalization) != Some(EXCLUSIVE) {
            return Err(wrong(Part::Canonicalization));
        }
        let info_prefixes = inclusive(*canonicalization)?;
        let method = leaf_algorithm(*method).ok_or(wrong(Part::Method))?;
        let algorithm = Algorithm::of(method).ok_or(SamlError::Algorithm)?;

        let id = xml::attribute(*reference, "URI").and_then(|uri| uri.strip_prefix('#'));
        let id = id.filter(|id| is_id(id) && xml::only_attributes(*reference, &["URI"]));
        let id = id.ok_or(wrong(Part::Reference))?;
        let children = xml::elements(*reference).ok_or(wrong(Part::Reference))?;
        let [transforms, digest_method, digest] = children.as_slice() else {
            return Err(wrong(Part::Reference));
        };
        let named = xml::is(*transforms, DSIG, "Transforms")
            && xml::is(*digest_method, DSIG, "DigestMethod")
            && xml::is(*digest, DSIG, "DigestValue");
        if !named {
            return Err(wrong(Part::Reference));
        }
        let prefixes = transformed(*transforms)?;
        let method = leaf_algorithm(*digest_method).ok_or(wrong(Part::Digest))?;
        let digest_method = Digest::of(method).ok_or(SamlError::DigestAlgorithm)?;
        let digest = xml::base64(*digest).ok_or(wrong(Part::Digest))?;
        Ok(Self {
            signed_info,
            info_prefixes,
            algorithm,
            value,
            reference: id,
            prefixes,
            digest_method,
            digest,
        })
    }
}

/// Whether an ID is a name without colons: the empty URI and XPointers are none.
pub(super) fn is_id(id: &str) -> bool {
    let mut letters = id.chars();
    let plain = |c: char| c.is_alphabetic() || c == '_';
    letters.next().is_some_and(plain)
        && letters.all(|c| plain(c) || c.is_numeric() || matches!(c, '-' | '.'))
}

/// The `Algorithm` of an element that has no other attribute.
fn algorithm<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    xml::attribute(node, "Algorithm").filter(|_| xml::only_attributes(node, &["Algorithm"]))
}

/// The `Algorithm` of an element that is empty.
fn leaf_algorithm<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    algorithm(node).filter(|_| xml::elements(node).is_some_and(|children| children.is_empty()))
}

/// The prefixes of the one list of transforms that is taken.
fn transformed<'a>(transforms: Node<'a, '_>) -> Result<Vec<&'a str>, SamlError> {
    let wrong = SamlError::SignatureForm(Part::Transforms);
    let children = xml::elements(transforms).ok_or(wrong.clone())?;
    let [enveloped, exclusive] = children.as_slice() else { return Err(wrong) };
    let named = children.iter().all(|child| xml::is(*child, DSIG, "Transform"));
    let known =
        leaf_algorithm(*enveloped) == Some(ENVELOPED) && algorithm(*exclusive) == Some(EXCLUSIVE);
    if named && known { inclusive(*exclusive) } else { Err(wrong) }
}

/// The prefixes of `InclusiveNamespaces` in a canonicalization, if it has that child.
fn inclusive<'a>(node: Node<'a, '_>) -> Result<Vec<&'a str>, SamlError> {
    let wrong = SamlError::SignatureForm(Part::InclusiveNamespaces);
    let children = xml::elements(node).ok_or(wrong.clone())?;
    let list = match children.as_slice() {
        [] => return Ok(Vec::new()),
        [only] if xml::is(*only, EXCLUSIVE, "InclusiveNamespaces") => *only,
        _ => return Err(wrong),
    };
    let empty = xml::elements(list).is_some_and(|children| children.is_empty());
    let prefixes = xml::attribute(list, "PrefixList")
        .filter(|_| empty && xml::only_attributes(list, &["PrefixList"]))
        .ok_or(wrong)?;
    let prefixes: Vec<_> = prefixes.split_ascii_whitespace().take(MAX_PREFIXES + 1).collect();
    if prefixes.len() > MAX_PREFIXES {
        return Err(SamlError::SignatureForm(Part::InclusiveNamespaces));
    }
    Ok(prefixes)
}
