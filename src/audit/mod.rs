//! The audit log: one record for what was asked, one for what came of it.
//!
//! Model: records have the shape of CloudTrail's, one JSON object a line. A change, or a
//! credential that is handed out, has two: an *intent* that is accepted before anything happens
//! and an *outcome* after; `sharedEventID` links them. An intent without an outcome means that
//! the broker died, or lost its disk, in between. Source: "CloudTrail record contents" and
//! "CloudTrail userIdentity element" in AWS's CloudTrail user guide.
//!
//! Trust boundary: much of a record is what callers wrote. It is bounded, secrets are taken out
//! by name at any depth, and JSON keeps each record on its line. What is accepted is with the
//! operating system (`write(2)`), or on the disk (`synced`); a record that cannot be accepted is
//! an error, and what it announces must not happen.

mod file;
mod identity;
#[doc(hidden)]
pub mod memory;
mod record;
mod redact;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::future::BoxFuture;

pub use self::file::FileSink;
pub use self::identity::{IdentityType, SessionContext, SessionIssuer, UserIdentity};
pub use self::record::{Event, EventId, Phase, Record, TlsDetails};
pub use self::redact::HIDDEN;

/// Where records go.
pub trait AuditSink: Send + Sync + 'static {
    /// Takes a record in. It is queued by the call itself, in the order of calls; the future ends
    /// when the record is kept. Dropping the future does not take the record back.
    fn accept(&self, record: Record) -> BoxFuture<'_, Result<(), AuditError>>;

    /// Takes several records in, likewise, by one write: all of them, or none.
    fn accept_all(&self, records: Vec<Record>) -> BoxFuture<'_, Result<(), AuditError>>;
}

/// The settings of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The file. Unset: the one in the data directory.
    pub path: Option<PathBuf>,
    /// Whether a record counts as accepted only once it is on the disk (`fdatasync`), not already
    /// when the operating system has it.
    pub synced: bool,
}

/// A record was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// More records wait than may wait.
    #[error("the audit queue is full")]
    Full,
    /// The thread that writes is gone.
    #[error("the audit writer has stopped")]
    Stopped,
    /// The record is not JSON.
    #[error("cannot encode the audit record")]
    Encode,
    /// Another process has the file locked.
    #[error("another process writes to the audit file")]
    Locked,
    /// The path names a directory, a device or a pipe: nothing would be kept there.
    #[error("the audit file is not a regular file")]
    NotAFile,
    /// The file or its directory fails.
    #[error("cannot {step} the audit file: {source}")]
    File {
        /// What failed.
        step: Step,
        /// How.
        source: Arc<io::Error>,
    },
}

/// What the writer was doing with its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Opening it, or making its directory.
    Open,
    /// Writing to it.
    Write,
    /// Waiting for the disk.
    Sync,
    /// Starting the thread that writes it.
    Start,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Start => "start the writer of",
        })
    }
}

impl Step {
    fn failed(self, source: io::Error) -> AuditError {
        AuditError::File { step: self, source: Arc::new(source) }
    }
}
