//! SAML 2.0: a strict verifier of signed responses, and a reader of providers' metadata.
//!
//! # Model
//!
//! XML signatures sign what a reference and a chain of transforms say, in a form that a
//! canonicaliser makes, with a key that the message may bring along. Systems die where one part
//! reads something else than what another part verified. So this profile leaves nothing to choose:
//!
//! 1. **Bounds** (`xml`). Size, depth, attributes and nodes are counted before the parser runs. A
//!    DTD, a processing instruction, a CDATA section and a comment are refused on sight. There is
//!    one parser.
//! 2. **Shape** (`response`). The whole document is looked over once: its root is a `Response`; it
//!    has one `Assertion`, a child of the root; nothing is encrypted; no two IDs are equal; each
//!    `Signature` is a child of the `Response` or of the `Assertion`, each of them has one at most,
//!    and at least one of them has one.
//! 3. **Signature** (`signature`). Each has one `SignedInfo` with one `Reference`, to the `ID` of
//!    the signature's own parent. The transforms are the enveloped signature and exclusive
//!    canonicalization, in this order, and nothing else; no `Object`. The key is one of those
//!    pinned in the provider's metadata. `KeyInfo` is not read.
//! 4. **Claims** (`assertion`, `attributes`). What was verified are bytes: the canonical form that
//!    the digest is of. These bytes are parsed anew, and claims are read from nowhere else.
//! 5. **Conditions** (`conditions`). Issuer, audience, recipient and times are those expected.
//!
//! Only [`verify`] makes a [`TrustedAssertion`].
//!
//! # Trust boundary
//!
//! The response is hostile until its signature is verified. The metadata was written by an
//! administrator of the account. A response is not bound to a request, since we make none: an
//! assertion that says it answers one is refused unless the operator accepts those. Whoever calls
//! this remembers [`TrustedAssertion::id`] until [`TrustedAssertion::good_until`], so that nobody
//! shows an assertion twice for the same role.
//!
//! INVARIANT: with two signatures both are verified; a signature that is there and not good is never
//! overlooked.
//!
//! INVARIANT: what is read of the part that nobody signed (the status and destination of a response
//! whose assertion alone is signed) can only refuse.
//!
//! INVARIANT: an attribute in AWS's own namespace that is not understood is an error, and so is one
//! that is there with a wrong type or count: never the same as absent.
//!
//! # What is not taken
//!
//! Encrypted assertions, SHA-1, inclusive canonicalization, RSA keys under 2,048 bits, ECDSA other
//! than P-256 with SHA-256 and P-384 with SHA-384, and a document with several assertions.
//!
//! # Sources
//!
//! OASIS SAML 2.0 core, profiles (4.1, web browser SSO), bindings (3.5, HTTP POST) and metadata; W3C
//! XML Signature 1.1, Exclusive XML Canonicalization 1.0, Namespaces in XML 1.0; RFC 9231 (algorithm
//! identifiers; ECDSA values as `r||s`); AWS STS API reference, AssumeRoleWithSAML; IAM User Guide,
//! "Configure SAML assertions for the authentication response", "Available keys for SAML-based AWS
//! STS federation".

mod assertion;
mod attributes;
mod c14n;
mod conditions;
mod error;
mod key;
mod metadata;
mod response;
mod signature;
mod xml;

#[cfg(test)]
pub(crate) mod tests;

pub use assertion::{Subject, TrustedAssertion};
pub use attributes::{Attributes, Key};
pub use c14n::{C14nError, canonical};
pub use conditions::Expected;
pub use error::{MetadataError, SamlError};
pub use metadata::Metadata;
pub use xml::XmlError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most characters of an encoded response: what the service model of STS allows.
pub const MAX_RESPONSE: usize = 100_000;

/// How far ahead of our clock a provider's clock may be, in seconds. It stretches what must have
/// begun. What has an end has it on time.
pub const LEEWAY_SECS: i64 = 60;

/// Seconds after it was issued during which an assertion can be shown, as with AWS.
pub const REDEEM_SECS: i64 = 300;

/// Verifies a response in base64, as a browser posts it, against what its provider's owner expects.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn verify(encoded: &str, expected: &Expected<'_>) -> Result<TrustedAssertion, SamlError> {
    if let Some(end) = expected.metadata.valid_until()
        && expected.now >= end
    {
        return Err(SamlError::MetadataExpired(end));
    }
    let text = decode(encoded)?;
    let text = xml::unify_line_ends(&text);
    let signed = response::verify_signatures(&text, expected.metadata.keys())?;
    response::read(&text, &signed, expected)
}

/// Base64 with padding. Line breaks may stand in it, as encoders put them there.
fn decode(encoded: &str) -> Result<String, SamlError> {
    if encoded.len() > MAX_RESPONSE {
        return Err(SamlError::TooLong);
    }
    let one_line: String = encoded.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD.decode(one_line).map_err(|_| SamlError::Encoding)?;
    String::from_utf8(bytes).map_err(|_| SamlError::Encoding)
}
