//! Why a signature is refused: one variant a cause, with what the client reads and what the
//! operator reads kept apart.
//!
//! `Display` is the operator's text; [`SigError::code`], [`SigError::status`] and
//! [`SigError::public_message`] are AWS's words for the client. Neither holds a secret, a session
//! token or the canonical request.

use std::fmt;

use super::Form;
use crate::time::Timestamp;

/// What the `Authorization` header, or the query of a presigned request, lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// `Credential`.
    pub credential: bool,
    /// `Signature`.
    pub signature: bool,
    /// `SignedHeaders`.
    pub signed_headers: bool,
    /// `X-Amz-Date`, and in the header form also `Date`.
    pub date: bool,
    /// `X-Amz-Algorithm`, in the query form.
    pub algorithm: bool,
    /// `X-Amz-Expires`, in the query form.
    pub expires: bool,
    /// `X-Amz-Region-Set`, in SigV4A.
    pub region_set: bool,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = [
            (self.algorithm, "Algorithm"),
            (self.credential, "Credential"),
            (self.signature, "Signature"),
            (self.signed_headers, "SignedHeaders"),
            (self.date, "Date"),
            (self.expires, "Expires"),
            (self.region_set, "Region-Set"),
        ];
        let mut separator = "";
        for (_, name) in parameters.iter().filter(|(missing, _)| *missing) {
            write!(f, "{separator}{name}")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// What is bounded in a signed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bounded {
    /// How many headers arrive.
    Headers,
    /// The bytes of all headers.
    HeaderBytes,
    /// How many names `SignedHeaders` lists, or its bytes.
    SignedHeaders,
    /// The bytes of the request target.
    Target,
    /// How many parameters the query has.
    QueryParameters,
    /// The bytes of an access key ID, region or service.
    ScopeElement,
}

/// A request's signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigError {
    /// Something is larger than its bound.
    #[error("{0:?} over the bound")]
    TooLarge(Bounded),
    /// The method is not an HTTP token.
    #[error("the method is not an HTTP token")]
    MalformedMethod,
    /// The target is not in origin form, holds a control character or `#`, or a broken escape.
    #[error("the request target is malformed")]
    MalformedTarget,
    /// A header's value holds a control character.
    #[error("the header {name} holds a control character")]
    MalformedHeader {
        /// The header's name.
        name: String,
    },
    /// Something that may come once comes twice.
    #[error("{name} comes more than once")]
    Duplicate {
        /// The header or parameter.
        name: &'static str,
    },
    /// A query parameter spells the name of a signing parameter in another case.
    #[error("a query parameter spells {name} in another case")]
    CaseVariant {
        /// The parameter's own spelling.
        name: &'static str,
    },
    /// Credentials stand in the `Authorization` header and in the query.
    #[error("credentials in the Authorization header and in the query")]
    ConflictingCredentials,
    /// The algorithm is not one of ours, or not the one that is verified here.
    #[error("the signing algorithm is not supported")]
    UnsupportedAlgorithm,
    /// Parameters of the signature are missing.
    #[error("the signature lacks {missing}")]
    Incomplete {
        /// Where the credentials stand.
        form: Form,
        /// What is missing.
        missing: Missing,
    },
    /// The `Authorization` header holds something that is not one of its three parameters.
    #[error("the Authorization header is malformed")]
    MalformedAuthorization,
    /// The credential has not its five elements (four in SigV4A), or one holds a character that
    /// cannot stand there.
    #[error("the credential is malformed")]
    MalformedCredential,
    /// The credential does not end in `aws4_request`.
    #[error("the credential does not end in aws4_request")]
    WrongTerminator,
    /// The signature is not of the form its algorithm makes.
    #[error("the signature is malformed")]
    MalformedSignature,
    /// `SignedHeaders` is not a sorted list of different lower-case names.
    #[error("SignedHeaders is not a sorted list of different lower-case header names")]
    MalformedSignedHeaders,
    /// The date is not in one of the forms allowed.
    #[error("the date is malformed")]
    MalformedDate,
    /// The session token holds a character that cannot stand there.
    #[error("the session token is malformed")]
    MalformedSecurityToken,
    /// `X-Amz-Expires` is not a number of seconds within the bound.
    #[error("X-Amz-Expires is not a whole number of seconds from 1 to {maximum}")]
    MalformedExpires {
        /// The largest number allowed, in seconds.
        maximum: i64,
    },
    /// `host` is not signed.
    #[error("host is not signed")]
    HostNotSigned,
    /// The date is not signed.
    #[error("the date is not signed")]
    DateNotSigned,
    /// A header that must be signed when it arrives is not.
    #[error("the header {name} arrived unsigned")]
    HeaderNotSigned {
        /// The header's name.
        name: String,
    },
    /// A header is listed as signed and did not arrive.
    #[error("the signed header {name} did not arrive")]
    SignedHeaderAbsent {
        /// The header's name.
        name: String,
    },
    /// The scope's date is not the day of the request's date.
    #[error("the scope is of {scope}, the request of {signed_at:?}")]
    ScopeDateMismatch {
        /// The scope's date, as sent.
        scope: String,
        /// The request's date.
        signed_at: Timestamp,
    },
    /// The request was signed too long ago.
    #[error("signed {}, now {}", signed_at.to_amz(), now.to_amz())]
    Expired {
        /// When it was signed.
        signed_at: Timestamp,
        /// The time it was checked at.
        now: Timestamp,
        /// The time allowed either way, in seconds.
        max_skew: i64,
    },
    /// The request's date lies too far in the future.
    #[error("signed {}, now {}", signed_at.to_amz(), now.to_amz())]
    NotYetCurrent {
        /// When it says it was signed.
        signed_at: Timestamp,
        /// The time it was checked at.
        now: Timestamp,
        /// The time allowed either way, in seconds.
        max_skew: i64,
    },
    /// The presigned request is past its own expiry.
    #[error("presigned until {}, now {}", expired_at.to_amz(), now.to_amz())]
    PresignedExpired {
        /// The end of its time.
        expired_at: Timestamp,
        /// The time it was checked at.
        now: Timestamp,
    },
    /// `x-amz-content-sha256` is neither a hash nor a mode this service knows.
    #[error("the payload mode is not allowed here")]
    PayloadMode,
    /// The payload comes in signed chunks or with trailers, which the caller does not read.
    #[error("the payload mode is a streaming one, which is not read here")]
    StreamingPayload,
    /// The payload comes in chunks, and no `x-amz-decoded-content-length` says how long it is.
    #[error("x-amz-decoded-content-length is missing or not a whole number")]
    DecodedLength,
    /// `x-amz-trailer` does not declare different checksums that are known, or is missing in a
    /// mode with trailers, or is there in another.
    #[error("x-amz-trailer does not fit the payload mode, or names what is no known checksum")]
    UnsupportedTrailer,
    /// The body is not the one that was signed.
    #[error("the body has another SHA-256 than x-amz-content-sha256 says")]
    PayloadMismatch,
    /// The signature covers the body, and the body cannot be had.
    #[error("the request signs no x-amz-content-sha256, and its body is not available")]
    BodyUnavailable,
    /// The set of regions is too long, or holds an empty name or a character that cannot stand
    /// there.
    #[error("the region set is malformed")]
    MalformedRegionSet,
    /// The request's set of regions does not hold ours.
    #[error("the region set does not cover the region")]
    RegionNotCovered,
    /// The signature is not the one the key makes for the request that arrived.
    #[error(
        "the signature does not match; SHA-256 of the canonical request: {}",
        data_encoding::HEXLOWER.encode(canonical_sha256)
    )]
    SignatureDoesNotMatch {
        /// The last line of our string to sign, to hold against the client's own log.
        canonical_sha256: [u8; 32],
    },
    /// The key handed in belongs to another scope or access key: a fault of the caller, not of the
    /// request.
    #[error("the signing key is of another scope or access key than the request")]
    WrongSigningKey,
}

impl SigError {
    /// AWS's error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_)
            | Self::MalformedMethod
            | Self::MalformedHeader { .. }
            | Self::Duplicate { .. }
            | Self::CaseVariant { .. }
            | Self::ConflictingCredentials
            | Self::UnsupportedAlgorithm
            | Self::Incomplete { .. }
            | Self::MalformedAuthorization
            | Self::MalformedCredential
            | Self::MalformedSignature
            | Self::MalformedSignedHeaders
            | Self::MalformedDate
            | Self::MalformedSecurityToken
            | Self::MalformedExpires { .. }
            | Self::MalformedRegionSet => "IncompleteSignature",
            Self::MalformedTarget => "MalformedQueryString",
            Self::PayloadMode | Self::StreamingPayload | Self::UnsupportedTrailer => {
                "InvalidRequest"
            }
            Self::DecodedLength => "MissingContentLength",
            Self::PayloadMismatch => "XAmzContentSHA256Mismatch",
            Self::BodyUnavailable => "AccessDenied",
            Self::WrongSigningKey => "InternalFailure",
            Self::WrongTerminator
            | Self::HostNotSigned
            | Self::DateNotSigned
            | Self::HeaderNotSigned { .. }
            | Self::SignedHeaderAbsent { .. }
            | Self::ScopeDateMismatch { .. }
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::PresignedExpired { .. }
            | Self::RegionNotCovered
            | Self::SignatureDoesNotMatch { .. } => "SignatureDoesNotMatch",
        }
    }

    /// The HTTP status that goes with [`Self::code`].
    pub fn status(&self) -> u16 {
        match self.code() {
            "SignatureDoesNotMatch" | "AccessDenied" => 403,
            "MalformedQueryString" => 404,
            "MissingContentLength" => 411,
            "InternalFailure" => 500,
            _ => 400,
        }
    }

    /// What the client may read: AWS's words where AWS has some.
    pub fn public_message(&self) -> String {
        match self {
            Self::TooLarge(what) => match what {
                Bounded::Headers | Bounded::HeaderBytes => "The request has too many headers.",
                Bounded::SignedHeaders => "The request signs too many headers.",
                Bounded::Target => "The request target is too long.",
                Bounded::QueryParameters => "The query string has too many parameters.",
                Bounded::ScopeElement => "An element of the credential is too long.",
            }
            .to_owned(),
            Self::MalformedMethod => "The request method is malformed.".to_owned(),
            Self::MalformedTarget => "The request target contains a syntax error.".to_owned(),
            Self::MalformedHeader { name } => format!("The header '{name}' is malformed."),
            Self::Duplicate { name } => format!("'{name}' must not occur more than once."),
            Self::CaseVariant { name } => format!("The query parameter '{name}' is misspelled."),
            Self::ConflictingCredentials => {
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the \
                 Authorization header should be specified"
                    .to_owned()
            }
            Self::UnsupportedAlgorithm => "Unsupported AWS 'algorithm'.".to_owned(),
            Self::Incomplete { form, missing } => incomplete(*form, *missing),
            Self::MalformedAuthorization => {
                "Authorization header must consist of 'Credential', 'SignedHeaders' and \
                 'Signature' as key=value pairs separated by commas."
                    .to_owned()
            }
            Self::MalformedCredential => {
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term."
                    .to_owned()
            }
            Self::WrongTerminator => {
                "Credential should be scoped with a valid terminator: 'aws4_request'.".to_owned()
            }
            Self::MalformedSignature => "The signature is malformed.".to_owned(),
            Self::MalformedSignedHeaders => {
                "SignedHeaders must be a sorted list of different lower-case header names \
                 separated by semicolons."
                    .to_owned()
            }
            Self::MalformedDate => "Date must be in ISO-8601 'basic format'. See \
                                    http://en.wikipedia.org/wiki/ISO_8601"
                .to_owned(),
            Self::MalformedSecurityToken => "The security token is malformed.".to_owned(),
            Self::MalformedExpires { maximum } => {
                format!("X-Amz-Expires must be a number of seconds from 1 to {maximum}.")
            }
            Self::HostNotSigned => {
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
                    .to_owned()
            }
            Self::DateNotSigned => {
                "'X-Amz-Date' or 'Date' must be a 'SignedHeader' in the AWS Authorization."
                    .to_owned()
            }
            Self::HeaderNotSigned { name } => format!(
                "There were headers present in the request which were not signed: '{name}'."
            ),
            Self::SignedHeaderAbsent { name } => {
                format!("The signed header '{name}' is not present in the request.")
            }
            Self::ScopeDateMismatch { scope, signed_at } => format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{scope}' != '{}', from '{}'.",
                signed_at.to_scope_date(),
                signed_at.to_amz()
            ),
            Self::Expired { signed_at, now, max_skew } => format!(
                "Signature expired: {} is now earlier than {} ({} - {} min.)",
                signed_at.to_amz(),
                now.plus_secs(-max_skew).to_amz(),
                now.to_amz(),
                max_skew / 60
            ),
            Self::NotYetCurrent { signed_at, now, max_skew } => format!(
                "Signature not yet current: {} is still later than {} ({} + {} min.)",
                signed_at.to_amz(),
                now.plus_secs(*max_skew).to_amz(),
                now.to_amz(),
                max_skew / 60
            ),
            Self::PresignedExpired { expired_at, now } => format!(
                "Signature expired: {} is now earlier than {}",
                expired_at.to_amz(),
                now.to_amz()
            ),
            Self::PayloadMode => "x-amz-content-sha256 must be a valid sha256 value.".to_owned(),
            Self::StreamingPayload => {
                "Streaming payloads are not supported by this service.".to_owned()
            }
            Self::DecodedLength => {
                "You must provide the 'x-amz-decoded-content-length' HTTP header.".to_owned()
            }
            Self::UnsupportedTrailer => {
                "The value specified in the x-amz-trailer header is not supported".to_owned()
            }
            Self::PayloadMismatch => "The provided 'x-amz-content-sha256' header does not match \
                                      what was computed."
                .to_owned(),
            Self::BodyUnavailable => "The request's body is needed to verify its signature: sign \
                                      'x-amz-content-sha256', or pass the body on."
                .to_owned(),
            Self::MalformedRegionSet => "X-Amz-Region-Set is malformed.".to_owned(),
            Self::RegionNotCovered => {
                "The region set of the signature does not include this region.".to_owned()
            }
            Self::SignatureDoesNotMatch { .. } => {
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details."
                    .to_owned()
            }
            Self::WrongSigningKey => "The request processing has failed because of an unknown \
                                      error, exception or failure."
                .to_owned(),
        }
    }
}

/// AWS's sentences for missing parameters; the query form has its own.
fn incomplete(form: Form, missing: Missing) -> String {
    let sentences: &[(bool, &str)] = match form {
        Form::Query => &[
            (missing.algorithm, "AWS query-string parameters must include 'X-Amz-Algorithm'."),
            (missing.credential, "AWS query-string parameters must include 'X-Amz-Credential'."),
            (missing.signature, "AWS query-string parameters must include 'X-Amz-Signature'."),
            (
                missing.signed_headers,
                "AWS query-string parameters must include 'X-Amz-SignedHeaders'.",
            ),
            (missing.date, "AWS query-string parameters must include 'X-Amz-Date'."),
            (missing.expires, "AWS query-string parameters must include 'X-Amz-Expires'."),
            (missing.region_set, "AWS query-string parameters must include 'X-Amz-Region-Set'."),
        ],
        Form::Header => &[
            (missing.credential, "Authorization header requires 'Credential' parameter."),
            (missing.signature, "Authorization header requires 'Signature' parameter."),
            (missing.signed_headers, "Authorization header requires 'SignedHeaders' parameter."),
            (
                missing.date,
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                 header.",
            ),
            (missing.region_set, "Authorization header requires a 'X-Amz-Region-Set' header."),
        ],
    };
    let present: Vec<&str> =
        sentences.iter().filter(|(missing, _)| *missing).map(|(_, text)| *text).collect();
    present.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Bounded, Form, Missing, SigError};

    #[test]
    fn each_code_has_its_status() {
        for (error, code, status) in [
            (SigError::HeaderNotSigned { name: "x".to_owned() }, "SignatureDoesNotMatch", 403),
            (SigError::BodyUnavailable, "AccessDenied", 403),
            (SigError::MalformedTarget, "MalformedQueryString", 404),
            (SigError::DecodedLength, "MissingContentLength", 411),
            (SigError::MalformedDate, "IncompleteSignature", 400),
            (SigError::PayloadMode, "InvalidRequest", 400),
            (SigError::WrongSigningKey, "InternalFailure", 500),
        ] {
            assert_eq!((error.code(), error.status()), (code, status), "{error}");
            assert!(error.public_message().len() > 20, "{error}");
        }
        let texts = [
            Bounded::Headers,
            Bounded::HeaderBytes,
            Bounded::SignedHeaders,
            Bounded::Target,
            Bounded::QueryParameters,
            Bounded::ScopeElement,
        ]
        .map(|what| SigError::TooLarge(what).public_message());
        assert_eq!(texts[0], texts[1]);
        let different: std::collections::BTreeSet<&String> = texts.iter().collect();
        assert_eq!(different.len(), 5);
    }

    /// A sentence for each parameter that is missing, and none for what is there.
    #[test]
    fn each_missing_parameter_has_its_sentence() {
        let none = Missing::default();
        for (form, missing, text) in [
            (Form::Query, Missing { algorithm: true, ..none }, "'X-Amz-Algorithm'."),
            (Form::Query, Missing { credential: true, ..none }, "'X-Amz-Credential'."),
            (Form::Query, Missing { signature: true, ..none }, "'X-Amz-Signature'."),
            (Form::Query, Missing { signed_headers: true, ..none }, "'X-Amz-SignedHeaders'."),
            (Form::Query, Missing { date: true, ..none }, "'X-Amz-Date'."),
            (Form::Query, Missing { expires: true, ..none }, "'X-Amz-Expires'."),
            (Form::Query, Missing { region_set: true, ..none }, "'X-Amz-Region-Set'."),
            (Form::Header, Missing { credential: true, ..none }, "'Credential' parameter."),
            (Form::Header, Missing { signature: true, ..none }, "'Signature' parameter."),
            (Form::Header, Missing { signed_headers: true, ..none }, "'SignedHeaders' parameter."),
            (Form::Header, Missing { date: true, ..none }, "a 'Date' header."),
            (Form::Header, Missing { region_set: true, ..none }, "'X-Amz-Region-Set' header."),
        ] {
            let said = SigError::Incomplete { form, missing }.public_message();
            assert!(said.ends_with(text) && said.matches('.').count() == 1, "{said}");
        }
    }
}
