//! The directory: accounts, users, groups, roles, policies, identity providers, access keys, MFA
//! devices and revocations.
//!
//! # Model
//!
//! Readers hold a [`Snapshot`]: an immutable picture of everything at one version, reached through
//! an atomic pointer, with policies parsed when they were written. A write is a closure over a
//! [`Transaction`]: it sees the newest state, including writes that are not durable yet, decides,
//! and changes. Writes are decided one after another, stored in that order, and published only when
//! durable; if storing one fails, those decided on top of it fail too.
//!
//! INVARIANT (acknowledged means kept): [`Directory::write`] returns `Ok` only after the store said
//! that the change is durable. Every change has a version; versions only grow.

pub mod account;
pub mod anywhere;
pub mod backup;
pub mod changes;
pub mod document;
pub mod embedded;
pub mod entities;
pub mod groups;
mod index;
pub mod issuer;
pub mod managed;
pub mod mfa;
pub mod organization;
pub mod pods;
pub mod policies;
pub mod providers;
mod read_once;
mod snapshot;
pub mod store;
mod transaction;
pub mod uses;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

pub use anywhere::{AnywhereProfile, Crl, Subject, TrustAnchor};
pub use changes::{ChangeLog, Touched};
pub use document::{Document, TrustDocument};
pub use entities::{
    AccessKey, Account, Epoch, KeyStatus, Revoked, Role, SessionRevocation, Tag, User,
};
pub use groups::{Group, InstanceProfile};
pub use issuer::{IssuerKey, TokenIssuer};
pub use mfa::MfaDevice;
pub use organization::Organized;
pub use pods::PodAssociation;
pub use policies::{Managed, ManagedPolicy};
pub use providers::{OidcProvider, SamlProvider};
pub use snapshot::Snapshot;
pub use store::{Change, DirectoryStore, Entity, EntityKey, StoreError};
pub use transaction::Transaction;
pub use uses::{Use, Used, Uses};

/// The directory of one deployment.
pub struct Directory {
    published: Arc<Published>,
    head: Mutex<Head>,
    store: Box<dyn DirectoryStore>,
    /// The failures of the store that were recovered from.
    recovered: AtomicU64,
    uses: Uses,
}

/// The snapshot that readers see, and what changed lately. The store moves both forward when a
/// change is durable, before it is acknowledged.
pub struct Published {
    snapshot: arc_swap::ArcSwap<Snapshot>,
    changes: ChangeLog,
}

impl Published {
    fn new(snapshot: &Arc<Snapshot>) -> Self {
        let changes = ChangeLog::new(snapshot.version());
        Self { snapshot: arc_swap::ArcSwap::from(Arc::clone(snapshot)), changes }
    }

    /// Shows `snapshot` to readers; what changed is not known.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.publish_touching(snapshot, Touched::All);
    }

    /// Shows `snapshot` to readers: since the one before, this was touched.
    pub fn publish_touching(&self, snapshot: Arc<Snapshot>, touched: Touched) {
        let version = snapshot.version();
        // In this order: whoever is told of a version finds it.
        self.snapshot.store(snapshot);
        self.changes.add(version, touched);
    }
}

/// The newest decided state, durable or not.
struct Head {
    snapshot: Arc<Snapshot>,
    /// How many failures of the store this head has seen; an older head must not be built upon.
    failures: u64,
}

/// A write did not happen, or may not have.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The closure refused.
    #[error(transparent)]
    Refused(E),
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Directory {
    /// Opens the directory that `store` holds.
    pub fn open(store: Box<dyn DirectoryStore>) -> Result<Self, StoreError> {
        let snapshot = Arc::new(Snapshot::build(store.load()?)?);
        let published = Arc::new(Published::new(&snapshot));
        let failures = store.failures();
        let recovered = AtomicU64::new(failures);
        let uses = Uses::from_kept(store.load_uses()?);
        let head = Mutex::new(Head { snapshot, failures });
        Ok(Self { published, head, store, recovered, uses })
    }

    /// When keys and roles were used last.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Keeps what [`uses`](Self::uses) has learned since it was last kept, and forgets what was
    /// deleted. What is not kept when the process dies is lost: no decision depends on it.
    ///
    /// # Errors
    /// The store's failure. What was not kept is tried again with the next call.
    pub async fn keep_uses(&self) -> Result<(), StoreError> {
        let snapshot = self.snapshot();
        let news = self.uses.news(|used| match used {
            Used::Key(id) => snapshot.access_key(id).is_some(),
            Used::Role(id) => snapshot.role(id).is_some(),
        });
        if news.is_empty() {
            return Ok(());
        }
        let kept = match self.store.keep_uses(news.clone()) {
            Ok(kept) => kept.await,
            Err(error) => Err(error),
        };
        if kept.is_err() {
            self.uses.not_kept(news);
        }
        kept
    }

    /// Whether the last write failed, and none has been taken since.
    pub fn is_failing(&self) -> bool {
        self.store.failures() != self.recovered.load(Ordering::SeqCst)
    }

    /// The durable state at this moment.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.snapshot.load_full()
    }

    /// A transaction on the durable state that is never stored: to try something out.
    pub fn trial(&self) -> Transaction {
        Transaction::new(self.snapshot())
    }

    /// What changed lately.
    pub fn changes(&self) -> &ChangeLog {
        &self.published.changes
    }

    /// Decides and makes one change.
    ///
    /// `decide` sees the newest state. What it returns is returned once its changes are durable,
    /// with the version they have; a `decide` that changes nothing, or refuses, has the version it
    /// read, and is answered once that is durable.
    ///
    /// # Errors
    /// What `decide` refuses with, or the store's failure. After [`StoreError::Unknown`] the change
    /// may or may not have been made.
    pub async fn write<R, E>(
        &self,
        decide: impl FnOnce(&mut Transaction) -> Result<R, E>,
    ) -> Result<(R, u64), WriteError<E>> {
        let mut head = self.head.lock().await;
        let failures = self.store.failures();
        if head.failures != failures {
            // What was decided on top of a write that failed is gone: begin again at what is stored.
            let snapshot = Arc::new(Snapshot::build(self.store.recover().await?)?);
            self.published.publish(Arc::clone(&snapshot));
            *head = Head { snapshot, failures };
            self.recovered.store(failures, Ordering::SeqCst);
        }
        let mut transaction = Transaction::new(Arc::clone(&head.snapshot));
        let decided = decide(&mut transaction);
        let (snapshot, changes) = match transaction.finish() {
            Some((snapshot, changes)) if decided.is_ok() => (Arc::new(snapshot), changes),
            _ if self.snapshot().version() == head.snapshot.version() => {
                return decided
                    .map(|it| (it, head.snapshot.version()))
                    .map_err(WriteError::Refused);
            }
            // INVARIANT (acknowledged means kept): what was decided on may not be durable yet. An
            // empty batch is answered when it is, or is refused with it.
            _ => (Arc::clone(&head.snapshot), Vec::new()),
        };
        let version = snapshot.version();
        let stored = self.store.submit(store::Batch {
            failures,
            version,
            changes,
            snapshot: Arc::clone(&snapshot),
            published: Arc::clone(&self.published),
        })?;
        head.snapshot = snapshot;
        drop(head);
        stored.await?;
        decided.map(|it| (it, version)).map_err(WriteError::Refused)
    }
}
