//! Why a response or metadata is refused.

use super::c14n::C14nError;
use super::xml::XmlError;
use crate::time::Timestamp;

/// A response is refused. The texts are for the operator; none repeats a value of the response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamlError {
    /// More than [`MAX_RESPONSE`](super::MAX_RESPONSE) characters.
    #[error("the response is longer than {} characters", super::MAX_RESPONSE)]
    TooLong,
    /// Not base64 of UTF-8.
    #[error("the response is not base64 of text in UTF-8")]
    Encoding,
    /// Not XML, or XML that is not taken.
    #[error("the response is not XML that is accepted: {0}")]
    Xml(#[from] XmlError),
    /// It has no canonical form.
    #[error("the response has no canonical form: {0}")]
    Canonical(#[from] C14nError),
    /// The root is something else.
    #[error("the document is not a SAML 2.0 Response")]
    NotResponse,
    /// Something in it is encrypted.
    #[error("encrypted assertions, IDs and attributes are not supported")]
    Encrypted,
    /// None, or several.
    #[error("the response does not have exactly one assertion")]
    Assertions,
    /// The one assertion is not a child of the response.
    #[error("the assertion is not a child of the response")]
    AssertionPlace,
    /// Two elements have the same ID.
    #[error("two elements have the same ID")]
    RepeatedId,
    /// Nobody signed it.
    #[error("neither the response nor its assertion is signed")]
    Unsigned,
    /// A signature that belongs to neither the response nor its assertion, or a second one of one.
    #[error("there is a signature that is not the one of the response or of its assertion")]
    StraySignature,
    /// A signature that is built otherwise than the profile says.
    #[error("the signature's {0} is not what is accepted")]
    SignatureForm(SignaturePart),
    /// A signature or digest algorithm that does not exist here.
    #[error("the signature's algorithm is not accepted")]
    Algorithm,
    /// A digest algorithm that does not exist here.
    #[error("the signature's digest algorithm is not accepted")]
    DigestAlgorithm,
    /// The reference is not to the ID of the signature's parent.
    #[error("the signature does not refer to the element it stands in")]
    Reference,
    /// None of the provider's keys made the signature.
    #[error("the signature is not good with any key of the provider's metadata")]
    Signature,
    /// The signed digest is that of something else.
    #[error("the digest is not that of the signed element")]
    Digest,
    /// The provider says that it did not authenticate anybody.
    #[error("the status of the response is not Success")]
    Status,
    /// An element that must be there is not, or more often than once.
    #[error("the element {0} is not there exactly once")]
    Count(&'static str),
    /// An element that is not known where it stands.
    #[error("there is an element that is not known in {0}")]
    Unknown(&'static str),
    /// An element or attribute with a malformed value.
    #[error("the value of {0} is malformed")]
    Malformed(&'static str),
    /// Another version of SAML.
    #[error("the version is not 2.0")]
    Version,
    /// Another issuer than the one of the metadata.
    #[error("the issuer is not the entity of the provider's metadata")]
    Issuer,
    /// It is for somebody else.
    #[error("the assertion is not for an audience that is accepted here")]
    Audience,
    /// It was to be sent somewhere else.
    #[error("the recipient is not one that is accepted here")]
    Recipient,
    /// It answers a request that we did not make.
    #[error("it answers a request, and none was made")]
    InResponseTo,
    /// The subject is not confirmed by bearing the assertion.
    #[error("the subject is not confirmed by bearing the assertion")]
    Confirmation,
    /// It has expired.
    #[error("the assertion expired at {}", .0.to_rfc3339())]
    Expired(Timestamp),
    /// It was issued too long ago.
    #[error("the assertion was to be shown before {}", .0.to_rfc3339())]
    TooLate(Timestamp),
    /// It is not valid yet, or was issued in the future.
    #[error("the assertion is not valid before {}", .0.to_rfc3339())]
    NotYet(Timestamp),
    /// The provider's metadata has expired.
    #[error("the provider's metadata expired at {}", .0.to_rfc3339())]
    MetadataExpired(Timestamp),
    /// An attribute that must be there is not.
    #[error("the attribute {0} is missing")]
    MissingAttribute(&'static str),
    /// An attribute that is there with a wrong form, count or name.
    #[error("the attribute {0} is malformed")]
    Attribute(&'static str),
}

/// A part of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignaturePart {
    /// The children of `Signature`.
    Children,
    /// `SignedInfo`.
    SignedInfo,
    /// `CanonicalizationMethod`.
    Canonicalization,
    /// `SignatureMethod`.
    Method,
    /// `Reference`.
    Reference,
    /// `Transforms`.
    Transforms,
    /// `InclusiveNamespaces`.
    InclusiveNamespaces,
    /// `DigestMethod` and `DigestValue`.
    Digest,
    /// `SignatureValue`.
    Value,
}

impl std::fmt::Display for SignaturePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Children => "list of children",
            Self::SignedInfo => "SignedInfo",
            Self::Canonicalization => "CanonicalizationMethod",
            Self::Method => "SignatureMethod",
            Self::Reference => "Reference",
            Self::Transforms => "Transforms",
            Self::InclusiveNamespaces => "InclusiveNamespaces",
            Self::Digest => "digest",
            Self::Value => "SignatureValue",
        })
    }
}

/// Metadata is refused. The texts go to the administrator who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Too long.
    #[error("it is longer than {} characters", super::metadata::MAX_METADATA)]
    TooLong,
    /// Not XML, or XML that is not taken.
    #[error("it is not XML that is accepted: {0}")]
    Xml(#[from] XmlError),
    /// The root is something else.
    #[error("its root is not an EntityDescriptor of SAML 2.0")]
    NotMetadata,
    /// No name.
    #[error("its EntityDescriptor has no entityID of 1 to 1024 characters")]
    EntityId,
    /// A time that is none.
    #[error("its validUntil is not a time in UTC")]
    ValidUntil,
    /// None, or several.
    #[error("it does not have exactly one IDPSSODescriptor of SAML 2.0")]
    Role,
    /// No key, or too many.
    #[error("it does not have 1 to {} signing certificates", super::metadata::MAX_KEYS)]
    Keys,
    /// A signing key without exactly one certificate.
    #[error("a KeyDescriptor for signing does not have exactly one X509Certificate")]
    KeyDescriptor,
    /// A certificate that is none.
    #[error("an X509Certificate is not base64 of a certificate")]
    Certificate,
    /// A key that no accepted algorithm takes.
    #[error(
        "the key of a signing certificate is neither RSA of 2048 to 8192 bits nor ECDSA on P-256 \
         or P-384"
    )]
    Key,
}
