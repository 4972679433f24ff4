//! What a ledger does, whatever it is made of.

use crate::future::BoxFuture;
use crate::id::{AccessKeyId, UniqueId};
use crate::time::Timestamp;

/// A record to be kept.
pub struct NewRecord {
    /// The session's access key ID: the record's place.
    pub access_key_id: AccessKeyId,
    /// The role or user that the session acts as: the index it is listed by.
    pub principal: UniqueId,
    /// When the store may forget it.
    pub expires_at: Timestamp,
    /// The bytes, made by [`crate::seal::record::make`].
    pub record: Vec<u8>,
}

/// What became of a new record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is kept.
    Kept,
    /// There is a record of that access key ID already: draw another ID.
    Clash,
}

/// The ledger did not answer, or cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// No answer, and nothing was written.
    #[error("the session ledger does not answer: {0}")]
    Unavailable(String),
    /// No answer; a write may have happened.
    #[error("the outcome of the ledger write is unknown: {0}")]
    Unknown(String),
}

/// The record of live sessions.
pub trait Ledger: Send + Sync + 'static {
    /// Keeps a record, unless one of that access key ID is there.
    fn insert(&self, record: NewRecord) -> BoxFuture<'_, Result<Inserted, LedgerError>>;

    /// The bytes kept for an access key ID. The caller checks their MAC.
    fn find(
        &self,
        access_key_id: AccessKeyId,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, LedgerError>>;
}
