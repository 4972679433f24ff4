//! AWS's error vocabulary: what an operation answers when it cannot do what was asked.
//!
//! Model: a [`Fault`] is a code of the table, a message for the caller and, apart from it, a note
//! for the operator. Edges spell code and message per protocol; the note goes to the log and is
//! never encoded. Sources: the service models of STS 2011-06-15 and IAM 2010-05-08, and "Common
//! errors" in their API references.

mod codes;
mod entities;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use self::codes::{FaultCode, Side};
pub use self::entities::Entity;

use crate::audit::AuditError;
use crate::policy::ParseError;
use crate::wire::printable;
use crate::wire::query::QueryError;

/// A request refused or failed.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    code: FaultCode,
    message: String,
    encoded: Option<String>,
    note: Option<String>,
    reason: Option<&'static str>,
}

impl Fault {
    /// A fault with a message for the caller. It must hold no secret, and nothing that the caller
    /// may not know.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), encoded: None, note: None, reason: None }
    }

    /// Adds what the operator should know. It is logged, never encoded; it must hold no secret
    /// either.
    #[must_use]
    pub fn with_note(mut self, note: impl fmt::Display) -> Self {
        self.note = Some(note.to_string());
        self
    }

    /// Adds the sealed reason, which DecodeAuthorizationMessage opens. It is told to the caller
    /// and stands in no record.
    #[must_use]
    pub fn with_encoded(mut self, encoded: Option<String>) -> Self {
        self.encoded = encoded;
        self
    }

    /// What the caller reads, with the sealed reason if there is one, in AWS's words.
    pub fn told(&self) -> Cow<'_, str> {
        match &self.encoded {
            None => Cow::Borrowed(&self.message),
            Some(encoded) => Cow::Owned(format!(
                "{}. Encoded authorization failure message: {encoded}",
                self.message
            )),
        }
    }

    /// Adds the word by which some services tell apart what one code stands for.
    #[must_use]
    pub fn with_reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The word by which some services tell apart what one code stands for.
    pub fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// The code: it fixes the HTTP status and whose fault it is.
    pub fn code(&self) -> FaultCode {
        self.code
    }

    /// What the caller reads, without the sealed reason.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the operator reads.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What may stand in the operator's log. The note of a refusal by policy may quote the request
    /// (an ExternalId, a tag): it belongs into the audit record alone.
    pub fn loggable_note(&self) -> Option<&str> {
        self.note().filter(|_| self.code != FaultCode::AccessDenied)
    }

    /// The same, and the message says during what it came up.
    #[must_use]
    pub fn during(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// `AccessDenied` (403).
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::new(FaultCode::AccessDenied, message)
    }

    /// `AccessDenied` (403) in AWS's words: who may not do what, on what, and why, such as
    /// `with an explicit deny in an identity-based policy` or `because no identity-based policy
    /// allows the sts:AssumeRole action`.
    pub fn not_authorized(
        principal: &str,
        action: &str,
        resource: Option<&str>,
        why: Option<&str>,
    ) -> Self {
        let mut message = format!("User: {principal} is not authorized to perform: {action}");
        if let Some(resource) = resource {
            message.extend([" on resource: ", &printable(resource, 2048)]);
        }
        if let Some(why) = why {
            message.extend([" ", why]);
        }
        Self::access_denied(message)
    }

    /// `ValidationError` (400).
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(FaultCode::ValidationError, message)
    }

    /// `InvalidInput` (400): IAM's word for a value that is well-formed and wrong.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(FaultCode::InvalidInput, message)
    }

    /// `InvalidParameterValue` (400): STS's word for it.
    pub fn invalid_parameter_value(message: impl Into<String>) -> Self {
        Self::new(FaultCode::InvalidParameterValue, message)
    }

    /// `InvalidParameterCombination` (400).
    pub fn invalid_combination(message: impl Into<String>) -> Self {
        Self::new(FaultCode::InvalidParameterCombination, message)
    }

    /// `MalformedPolicyDocument` (400).
    pub fn malformed_policy(message: impl Into<String>) -> Self {
        Self::new(FaultCode::MalformedPolicyDocument, message)
    }

    /// `MalformedPolicyDocument` (400) in AWS's words, and with the place and the reason.
    pub fn refused_policy(error: &ParseError) -> Self {
        Self::malformed_policy(format!("{} ({error})", error.in_aws_words()))
    }

    /// `PackedPolicyTooLarge` (400): what is to be packed into a token takes `percent` of its
    /// space.
    pub fn packed_policy_too_large(percent: u32) -> Self {
        let message = format!(
            "Packed size of session tags consumes {percent}% of allotted space. Please use smaller \
             tags or policies."
        );
        Self::new(FaultCode::PackedPolicyTooLarge, message)
    }

    /// `NoSuchEntity` (404), in AWS's words for that kind of entity.
    pub fn no_such_entity(entity: Entity, name: &str) -> Self {
        Self::new(FaultCode::NoSuchEntity, entity.not_found(&printable(name, 2048)))
    }

    /// `EntityAlreadyExists` (409), in AWS's words for that kind of entity.
    pub fn already_exists(entity: Entity, name: &str) -> Self {
        Self::new(FaultCode::EntityAlreadyExists, entity.exists(&printable(name, 2048)))
    }

    /// `DeleteConflict` (409): `first` says what must go before, such as `must detach all
    /// policies first`.
    pub fn delete_conflict(first: &str) -> Self {
        Self::new(FaultCode::DeleteConflict, format!("Cannot delete entity, {first}."))
    }

    /// `LimitExceeded` (409): `quota` as AWS names it, such as `PoliciesPerRole`.
    pub fn limit_exceeded(quota: &str, limit: usize) -> Self {
        Self::new(FaultCode::LimitExceeded, format!("Cannot exceed quota for {quota}: {limit}"))
    }

    /// `InvalidAction` (400). Never a 5xx: clients would try again up to 25 times.
    pub fn invalid_action(action: &str, version: &str) -> Self {
        let (action, version) = (printable(action, 128), printable(version, 32));
        let message = format!("Could not find operation {action} for version {version}");
        Self::new(FaultCode::InvalidAction, message)
    }

    /// `MissingAction` (400).
    pub fn missing_action() -> Self {
        Self::new(FaultCode::MissingAction, "The request must contain the parameter Action")
    }

    /// `MissingParameter` (400).
    pub fn missing_parameter(name: &str) -> Self {
        let message = format!("The request must contain the parameter {}", printable(name, 128));
        Self::new(FaultCode::MissingParameter, message)
    }

    /// `InvalidClientTokenId` (403): the access key is not known, or no longer good. One text for
    /// every reason, so that it tells nothing about what exists.
    pub fn invalid_client_token() -> Self {
        Self::new(
            FaultCode::InvalidClientTokenId,
            "The security token included in the request is invalid.",
        )
    }

    /// `ExpiredToken` (403): the session is over.
    pub fn expired_token() -> Self {
        Self::new(FaultCode::ExpiredToken, "The security token included in the request is expired")
    }

    /// `MissingAuthenticationToken` (403): the action needs a signature and there is none.
    pub fn missing_authentication_token() -> Self {
        Self::new(FaultCode::MissingAuthenticationToken, "Request is missing Authentication Token")
    }

    /// `SignatureDoesNotMatch` (403).
    pub fn signature_does_not_match() -> Self {
        Self::new(
            FaultCode::SignatureDoesNotMatch,
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
        )
    }

    /// `IncompleteSignature` (400).
    pub fn incomplete_signature(message: impl Into<String>) -> Self {
        Self::new(FaultCode::IncompleteSignature, message)
    }

    /// `Throttling` (400).
    pub fn throttling() -> Self {
        Self::new(FaultCode::Throttling, "Rate exceeded")
    }

    /// `InternalFailure` (500): the caller learns nothing, the note says what happened.
    pub fn internal(note: impl fmt::Display) -> Self {
        Self::new(
            FaultCode::InternalFailure,
            "The request processing has failed because of an unknown error, exception or failure.",
        )
        .with_note(note)
    }

    /// `ServiceUnavailable` (503): nothing was done; to be tried again.
    pub fn unavailable(note: impl fmt::Display) -> Self {
        Self::new(
            FaultCode::ServiceUnavailable,
            "The request has failed due to a temporary failure of the server.",
        )
        .with_note(note)
    }

    /// `InternalFailure` (500): a write was sent and not acknowledged; it may have been done.
    pub fn outcome_unknown(note: impl fmt::Display) -> Self {
        Self::new(
            FaultCode::InternalFailure,
            "The outcome of the request is unknown: it was not acknowledged in time and may have \
             been carried out.",
        )
        .with_note(note)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        self.note.as_ref().map_or(Ok(()), |note| write!(f, " ({note})"))
    }
}

impl std::error::Error for Fault {}

impl From<QueryError> for Fault {
    /// What cannot be decoded is a `MalformedQueryString` (404); what can, and makes no sense as
    /// lists and structures, a `MalformedInput` (400).
    fn from(error: QueryError) -> Self {
        let code = match error {
            QueryError::Encoding
            | QueryError::Nameless
            | QueryError::TooMany
            | QueryError::Name(_)
            | QueryError::Duplicate(_)
            | QueryError::QueryAndBody(_) => FaultCode::MalformedQueryString,
            _ => FaultCode::MalformedInput,
        };
        Self::new(code, format!("The request is malformed: {error}."))
    }
}

impl From<AuditError> for Fault {
    /// What cannot be recorded does not happen: to be tried again (503). That is true of an
    /// intent; when an outcome was not accepted, the operation decides what it answers.
    fn from(error: AuditError) -> Self {
        Self::unavailable(error)
    }
}
