//! What a ledger does, whatever it is made of.

use crate::future::BoxFuture;
use crate::id::{AccessKeyId, UniqueId};
use crate::time::{Monotonic, Timestamp};

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

/// A place among a principal's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When the session there expires.
    pub expires_at: Timestamp,
    /// Its access key ID.
    pub access_key_id: AccessKeyId,
}

/// Which records are listed.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// The role or user that the sessions act as.
    pub principal: UniqueId,
    /// Where the page before ended.
    pub after: Option<Mark>,
    /// The most records of a page; at least one, at most [`Listing::LIMIT`].
    pub limit: usize,
    /// Now: what has expired by then is left out.
    pub now: Timestamp,
}

impl Listing {
    /// The most records that one page may have.
    pub const LIMIT: usize = 1000;

    /// The limit, within its bounds.
    pub(super) fn bound(&self) -> usize {
        self.limit.clamp(1, Self::LIMIT)
    }
}

/// Some records of a principal, in an order of the store's own.
#[derive(Debug, Default)]
pub struct Page {
    /// Access key IDs and the bytes kept for them. The caller checks their MAC.
    pub records: Vec<(AccessKeyId, Vec<u8>)>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Mark>,
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
    /// It answers, but lost records a moment ago, and this may be one of them: as good as no
    /// answer. INVARIANT: a ledger says so for no longer than `sessions.max_staleness` after it was
    /// last whole.
    #[error("the session ledger lost records, and does not know of this one any more")]
    Forgotten,
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

    /// A page of the records of one principal. Records that come or go while pages are read may or
    /// may not be in them; none is in two.
    fn list(&self, listing: Listing) -> BoxFuture<'_, Result<Page, LedgerError>>;

    /// How many records of a principal have not expired by `now`.
    fn count(&self, principal: UniqueId, now: Timestamp)
    -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// Removes a record; tells whether there was one. This ends no session for good: a
    /// confirmation may be as old as `sessions.confirm_every`. A revocation does.
    fn remove(&self, principal: UniqueId, place: Mark) -> BoxFuture<'_, Result<bool, LedgerError>>;

    /// When it is known to have answered last, whatever it was asked.
    fn answered_at(&self) -> Option<Monotonic> {
        None
    }

    /// Why it cannot be used now, if that is known. Public.
    fn failure(&self) -> Option<&'static str> {
        None
    }

    /// Gives up what it holds of its store, so that another broker can take it at once. Nothing can
    /// be minted after.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
