//! Why a token is refused.

use crate::time::Timestamp;

/// A token is refused. The texts are for the operator; none repeats a value of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// More than [`MAX_TOKEN`](super::MAX_TOKEN) characters.
    #[error("the token is longer than {} characters", super::MAX_TOKEN)]
    TooLong,
    /// Not three parts between dots.
    #[error("the token is not three parts between dots")]
    Form,
    /// A part is not strict base64url.
    #[error("the {0} is not unpadded base64url")]
    Encoding(Part),
    /// A part is not the strict JSON object that it should be.
    #[error("the {0} is not a JSON object without repeated names")]
    Json(Part),
    /// A header parameter of the wrong type.
    #[error("the header parameter {0} is not a text")]
    HeaderType(&'static str),
    /// A header parameter that would have to be understood, or that brings keys along.
    #[error("the header parameter {0} is not accepted")]
    Header(&'static str),
    /// The header says that the token is something else than a JWT for us.
    #[error("the header's typ is not JWT")]
    Type,
    /// The header names no algorithm that exists here: `none` and the symmetric ones do not.
    #[error("the header's alg is missing or not an asymmetric algorithm that is known")]
    Algorithm,
    /// An algorithm that is not accepted of this issuer.
    #[error("the algorithm {0} is not accepted of this issuer")]
    NotAccepted(&'static str),
    /// Two claims whose names differ in case only.
    #[error("two claims have the same name but for case")]
    SimilarNames,
    /// A claim that must be there is not.
    #[error("the claim {0} is missing")]
    Missing(&'static str),
    /// A claim is there, and of a wrong type or out of its range.
    #[error("the claim {0} is malformed")]
    Claim(&'static str),
    /// Another issuer than the provider's.
    #[error("the claim iss is not the provider's URL")]
    Issuer,
    /// None of the audiences is a client ID of the provider.
    #[error("no audience of the token is a client ID of the provider")]
    Audience,
    /// The authorized party is not a client ID of the provider.
    #[error("the authorized party of the token is not a client ID of the provider")]
    AuthorizedParty,
    /// It has expired.
    #[error("the token expired at {}", .0.to_rfc3339())]
    Expired(Timestamp),
    /// It is not valid yet, or was issued in the future.
    #[error("the token is not valid before {}", .0.to_rfc3339())]
    NotYet(Timestamp),
    /// Session tags that are none.
    #[error("the session tags of the token are malformed: {0}")]
    Tags(&'static str),
    /// The issuer's key set has no such key: it may have a newer one.
    #[error("the issuer's key set has no key of that kid")]
    UnknownKey,
    /// The key of that ID is for something else.
    #[error("the key of that kid is not for the token's algorithm")]
    WrongKey,
    /// The token does not say which of several keys it is signed with.
    #[error("the token has no kid, and the issuer's key set several keys")]
    AmbiguousKey,
    /// The signature is not good.
    #[error("the signature is not good")]
    Signature,
}

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}
