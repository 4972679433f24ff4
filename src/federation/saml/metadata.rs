//! A provider's metadata: its name and the keys it signs with.

use roxmltree::Node;

use super::error::MetadataError;
use super::key::PinnedKey;
use super::signature::DSIG;
use super::xml::{self, Bounds};
use crate::time::Timestamp;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// The most signing keys of a provider.
pub(super) const MAX_KEYS: usize = 10;
/// The most characters of metadata: that of one provider has some thousands. It is read anew for each
/// response.
pub(super) const MAX_METADATA: usize = 250_000;

/// What is taken from an identity provider's metadata.
///
/// An administrator wrote it, so that a signature on it would say nothing: none is looked for.
///
/// ```
/// # use countersign::federation::saml::Metadata;
/// assert!(Metadata::parse("<EntityDescriptor/>").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    entity_id: String,
    keys: Vec<PinnedKey>,
    valid_until: Option<Timestamp>,
}

impl Metadata {
    /// Reads the metadata of one identity provider.
    ///
    /// # Errors
    ///
    /// What it lacks, or has that is not taken.
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        if text.len() > MAX_METADATA {
            return Err(MetadataError::TooLong);
        }
        let text = xml::unify_line_ends(text);
        let document = xml::parse(&text, Bounds::METADATA)?;
        let root = document.root_element();
        if !xml::is(root, METADATA, "EntityDescriptor") {
            return Err(MetadataError::NotMetadata);
        }
        let entity_id = xml::attribute(root, "entityID")
            .filter(|id| (1..=1024).contains(&id.chars().count()))
            .ok_or(MetadataError::EntityId)?;
        let supports = |node: &Node<'_, '_>| {
            let protocols = xml::attribute(*node, "protocolSupportEnumeration").unwrap_or_default();
            protocols.split_ascii_whitespace().any(|protocol| protocol == PROTOCOL)
        };
        let roles = named(root, METADATA, "IDPSSODescriptor").filter(supports);
        let roles: Vec<_> = roles.collect();
        let [role] = roles.as_slice() else { return Err(MetadataError::Role) };
        let mut keys = Vec::new();
        for descriptor in named(*role, METADATA, "KeyDescriptor") {
            // Without `use` a key is for both.
            if xml::attribute(descriptor, "use").is_none_or(|usage| usage == "signing") {
                let key = PinnedKey::of_certificate(&certificate(descriptor)?)?;
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        if !(1..=MAX_KEYS).contains(&keys.len()) {
            return Err(MetadataError::Keys);
        }
        let valid_until = ends(root)?.into_iter().chain(ends(*role)?).min();
        Ok(Self { entity_id: entity_id.to_owned(), keys, valid_until })
    }

    /// The provider's name: what its assertions have as their issuer.
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// When it ends, if it says.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// The keys that are pinned.
    pub(super) fn keys(&self) -> &[PinnedKey] {
        &self.keys
    }
}

fn named<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| xml::is(*child, namespace, name))
}

fn ends(node: Node<'_, '_>) -> Result<Option<Timestamp>, MetadataError> {
    match xml::attribute(node, "validUntil") {
        None => Ok(None),
        Some(text) => xml::time(text).map(Some).ok_or(MetadataError::ValidUntil),
    }
}

/// The one certificate of a key. A second one would be somebody else's: an authority's, who must
/// not sign for the provider.
fn certificate(descriptor: Node<'_, '_>) -> Result<Vec<u8>, MetadataError> {
    let certificates: Vec<_> = named(descriptor, DSIG, "KeyInfo")
        .flat_map(|info| named(info, DSIG, "X509Data"))
        .flat_map(|data| named(data, DSIG, "X509Certificate"))
        .collect();
    match certificates.as_slice() {
        [only] => xml::base64(*only).ok_or(MetadataError::Certificate),
        _ => Err(MetadataError::KeyDescriptor),
    }
}
