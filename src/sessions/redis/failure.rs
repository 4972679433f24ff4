//! What can go wrong with one question to Redis, and what it means for the ledger.

use ::redis::{ErrorKind, RedisError};

use crate::sessions::LedgerError;

/// A question went without a good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection. Nothing was sent.
    #[error("there is no connection to Redis")]
    Down,
    /// Another broker has the ledger. Nothing was sent.
    #[error("another broker took the lease of this ledger")]
    LeaseLost,
    /// As many questions are under way as are allowed. Nothing was sent.
    #[error("too many questions to Redis are under way")]
    Crowded,
    /// The answer did not come in time.
    #[error("Redis did not answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection to Redis broke")]
    Broken,
    /// Redis refused, by this code. Nothing was done.
    #[error("Redis refused: {0}")]
    Refused(Code),
    /// Not an answer to what was asked.
    #[error("Redis answered something unexpected")]
    Unexpected,
    /// The marker of the deployment is not there, or is another.
    #[error(
        "the marker of the deployment is missing: the ledger lost its records, or some of them"
    )]
    Unmarked,
}

/// The first word of an error of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    fn of(error: &RedisError) -> Self {
        // The store is not trusted: only a word goes into logs.
        let word = error.code().unwrap_or("ERR");
        Self(word.chars().filter(char::is_ascii_uppercase).take(24).collect())
    }

    /// What an operator can do about it.
    fn advice(&self) -> &'static str {
        match self.0.as_str() {
            "WRONGPASS" | "NOAUTH" => "the password or the user is wrong",
            "NOPERM" => "the ACL user may not do what the ledger needs",
            "OOM" => "its memory is full (maxmemory)",
            "LOADING" => "it is loading its data",
            "READONLY" => "it is a replica",
            "MASTERDOWN" => "it is a replica without its master",
            "MISCONF" => "it cannot write its snapshot to disk",
            "NOREPLICAS" => "it has fewer replicas than min-replicas-to-write asks for",
            "BUSY" => "a script has been running too long",
            "MOVED" | "ASK" | "CLUSTERDOWN" | "CROSSSLOT" => "Redis Cluster is not supported",
            _ => "see its log",
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.0, self.advice())
    }
}

impl Failure {
    /// Whether the connection is of no use any more.
    pub(super) fn condemns_connection(&self) -> bool {
        match self {
            Self::Broken | Self::Unexpected => true,
            // Another connection may lead to another server, or to this one when it is ready.
            Self::Refused(code) => {
                matches!(code.0.as_str(), "LOADING" | "READONLY" | "MASTERDOWN" | "NOAUTH")
            }
            Self::Down | Self::LeaseLost | Self::Crowded | Self::Unmarked | Self::Timeout => false,
        }
    }

    /// The word that metrics count it by.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::LeaseLost => "lease_lost",
            Self::Crowded => "crowded",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Refused(_) => "refused",
            Self::Unexpected => "unexpected",
            Self::Unmarked => "unmarked",
        }
    }

    /// What it means for something that was only read.
    pub(super) fn of_read(&self) -> LedgerError {
        LedgerError::Unavailable(self.to_string())
    }

    /// What it means for something that was to be written.
    pub(super) fn of_write(&self) -> LedgerError {
        match self {
            Self::Timeout | Self::Broken | Self::Unexpected => {
                LedgerError::Unknown(self.to_string())
            }
            Self::Down | Self::LeaseLost | Self::Crowded | Self::Refused(_) | Self::Unmarked => {
                LedgerError::Unavailable(self.to_string())
            }
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        match error.kind() {
            ErrorKind::Io => Self::Broken,
            ErrorKind::AuthenticationFailed => Self::Refused(Code("WRONGPASS".to_owned())),
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Refused(Code::of(&error)),
            _ => Self::Unexpected,
        }
    }
}
