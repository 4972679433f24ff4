//! Answers.

use std::fmt;
use std::sync::Arc;

use crate::api::{BodyState, Match, Principal};
#[cfg(feature = "client")]
use crate::api::{Decision, VerifyResponse};

/// A request whose signature is good and that a policy allows. Only verification makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    principal: Arc<Principal>,
    expires_at: Option<Arc<str>>,
    body: BodyState,
    content_sha256: Option<String>,
    matched: Vec<Match>,
    in_process: bool,
}

impl Verified {
    pub(super) fn here(
        principal: &Arc<Principal>,
        expires_at: Option<&Arc<str>>,
        body: BodyState,
        content_sha256: Option<String>,
        matched: Vec<Match>,
    ) -> Self {
        let (principal, expires_at) = (Arc::clone(principal), expires_at.map(Arc::clone));
        Self { principal, expires_at, body, content_sha256, matched, in_process: true }
    }

    /// Who signed.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// When the credentials end; `None` for long-term keys.
    pub fn expires_at(&self) -> Option<&str> {
        self.expires_at.as_deref()
    }

    /// Whether the body is the one that was signed.
    pub fn body(&self) -> BodyState {
        self.body
    }

    /// The SHA-256 of the signed body, for a service that compares it by itself.
    pub fn content_sha256(&self) -> Option<&str> {
        self.content_sha256.as_deref()
    }

    /// The statements that allow it. Never empty, unless the caller is an account's root user.
    pub fn matched(&self) -> &[Match] {
        &self.matched
    }

    /// Whether it was verified here, without asking the broker.
    pub fn in_process(&self) -> bool {
        self.in_process
    }
}

/// What kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Who signed is not known: 401.
    Unauthenticated,
    /// It is not allowed: 403.
    Denied,
    /// It cannot be decided now: 503.
    Unavailable,
    /// Its body is larger than is verified: 413.
    TooLarge,
    /// It cannot be read: 400.
    Unreadable,
}

impl Kind {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Denied => 403,
            Self::Unavailable => 503,
            Self::TooLarge => 413,
            Self::Unreadable => 400,
        }
    }
}

/// A request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    kind: Kind,
    code: String,
    message: String,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Refused {
    pub(super) fn new(kind: Kind, code: &str, message: impl Into<String>) -> Self {
        Self { kind, code: code.to_owned(), message: message.into() }
    }

    pub(super) fn unauthenticated(code: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, code, message)
    }

    pub(super) fn denied(code: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, code, message)
    }

    #[cfg(feature = "client")]
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, "ServiceUnavailable", message)
    }

    /// What kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A word for programs, the same as the broker's.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// A sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The broker's answer.
#[cfg(feature = "client")]
pub(super) fn of_broker(answer: VerifyResponse) -> Result<Verified, Refused> {
    let VerifyResponse { authenticated, decision, principal, reason, .. } = answer;
    match (authenticated, decision, principal) {
        (true, Decision::Allow, Some(principal)) => Ok(Verified {
            principal: Arc::new(principal),
            expires_at: answer.expires_at.map(Into::into),
            body: answer.body.unwrap_or(BodyState::Unverified),
            content_sha256: answer.content_sha256,
            matched: answer.matched,
            in_process: false,
        }),
        (false, ..) => Err(Refused::unauthenticated(&reason.code, reason.message)),
        // INVARIANT: an answer about identity alone is not an allow.
        (true, Decision::NotAsked, _) => Err(Refused::denied(
            "Unmapped",
            "What the request does was not named, nor is it registered.",
        )),
        (true, Decision::Allow | Decision::Deny, _) => {
            Err(Refused::denied(&reason.code, reason.message))
        }
    }
}
