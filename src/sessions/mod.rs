//! Sessions: grants of temporary credentials, and the ledger that remembers them.
//!
//! # Model
//!
//! A session is a token that the broker sealed ([`crate::seal::token`]) and a record in the
//! [`Ledger`]. Both are needed: the token carries everything, so that no store has to be trusted
//! with it; the ledger says that the session was really given out and is still held. A session ends
//! at its expiry, which stands in the token, or by a revocation in the directory.
//!
//! INVARIANT: credentials leave only after the ledger acknowledged their record.

pub mod embedded;
pub mod ledger;
mod mint;
pub mod redis;
mod spent;

use std::time::Duration;

pub use ledger::{Inserted, Ledger, LedgerError, Listing, Mark, NewRecord, Page};
pub use mint::{Draft, MintError, Minted, Prepared, mint, prepare};
pub use spent::{SpendError, spend};

/// How sessions are confirmed: the table `sessions`.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the ledger's word for a session is taken without asking again.
    pub confirm_every: Duration,
    /// How long sessions stay good while the ledger does not answer. Zero refuses at once.
    pub max_staleness: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { confirm_every: Duration::from_mins(1), max_staleness: Duration::from_mins(5) }
    }
}
