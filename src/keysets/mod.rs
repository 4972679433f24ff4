//! The public keys of identity providers: fetched, kept, and renewed.
//!
//! # Model
//!
//! [`KeySets`] holds the keys of each issuer that was asked for. They come from the issuer's
//! discovery document and key set (OpenID Connect Discovery 1.0) or, for a site without a network,
//! from a file that the operator names. Keys are renewed in the background while they are used;
//! when they grow old, whoever asks waits for new ones. An issuer that does not answer is not asked
//! by everybody: one fetch is under way at a time, the next waits for its turn, and the keys at
//! hand stay good for `oidc.max_stale`.
//!
//! | age of the keys | what a request does |
//! |---|---|
//! | below `refresh_every` | uses them |
//! | below twice that | uses them; a fetch begins in the background |
//! | below `max_stale` | waits for a fetch; uses them if it fails |
//! | beyond | waits for a fetch; is refused if it fails |
//!
//! A token whose key is not known causes a fetch at most once a minute, however many there are.
//!
//! Fetches are shared out: an account that has as many under way as it may have waits for its own,
//! so that issuers which do not answer keep no other account from its. A fetch's time begins when
//! it does, not while it waits for others.
//!
//! # Trust boundary
//!
//! An issuer's URL was given by whoever may write identity providers: a tenant. Fetching it must
//! not become a way into the operator's network, so that [`guard`] says which addresses may be
//! connected to, and it is asked of the address that is connected to. Nothing but `https` is
//! spoken, no redirect is followed, every document is bounded in bytes and the whole in time.
//!
//! Whether a server is the issuer's is decided by its certificate: by the system's authorities, or
//! by those of the file that the operator names for that issuer, and by nothing else. Thumbprints
//! of a provider are kept and told, and neither widen nor narrow this: AWS, too, looks at them only
//! where no trusted authority vouches.
//!
//! INVARIANT (bounded): issuers at hand, fetches at once, those of an account among them, bytes,
//! time.
//!
//! INVARIANT: staleness runs on the monotonic clock and starts expired.

mod client;
mod fetch;
pub mod guard;
mod held;
mod meters;
mod settings;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

pub use fetch::FetchError;
pub use meters::Meters;
pub use settings::{InvalidIssuer, IssuerSettings, Issuers, OpenError, Settings};

use crate::federation::oidc::{Algorithm, KeySet};
use crate::future::BoxFuture;
use crate::id::AccountId;
use crate::time::Clock;
use fetch::{Fetch, Fetcher};
use held::Held;

/// How many issuers are kept at hand.
const ISSUERS: usize = 4096;
/// How many fetches are under way at once.
const FETCHES: usize = 64;
/// How many of them an account has begun.
const FETCHES_OF_ACCOUNT: usize = 4;

/// Where the keys of issuers come from.
pub trait KeySource: Send + Sync + 'static {
    /// The algorithms that are accepted of an issuer.
    fn algorithms(&self, issuer: &str) -> &[Algorithm];

    /// The issuer's keys, for an account that has a provider of it.
    ///
    /// # Errors
    /// There are none, and none can be had now.
    fn keys<'a>(
        &'a self,
        account: AccountId,
        issuer: &'a str,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, FetchError>>;

    /// Newer keys than those in which a token's was not found; `None` if there are none, or if it
    /// is too early to ask again.
    fn newer<'a>(
        &'a self,
        account: AccountId,
        issuer: &'a str,
        than: &'a Arc<KeySet>,
    ) -> BoxFuture<'a, Option<Arc<KeySet>>>;
}

/// The keys of issuers, as they were fetched.
pub struct KeySets {
    parts: Arc<Parts>,
    held: Cache<String, Arc<Held>>,
}

/// What all issuers share.
struct Parts {
    fetch: Box<dyn Fetch>,
    issuers: Issuers,
    settings: Settings,
    clock: Arc<dyn Clock>,
    meters: Meters,
    permits: Semaphore,
    /// The room of each account that has asked: no more than there are accounts with providers.
    shares: Mutex<HashMap<AccountId, Arc<Semaphore>>>,
}

impl KeySets {
    /// Keys fetched as the settings say. The files they name are read.
    pub fn open(
        settings: Settings,
        issuers: Issuers,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        settings.check()?;
        let fetch = Fetcher::open(&settings, &issuers)?;
        Ok(Self::new(Box::new(fetch), settings, issuers, clock))
    }

    fn new(
        fetch: Box<dyn Fetch>,
        settings: Settings,
        issuers: Issuers,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let parts = Parts {
            fetch,
            issuers,
            settings,
            clock,
            meters: Meters::default(),
            permits: Semaphore::new(FETCHES),
            shares: Mutex::default(),
        };
        Self { parts: Arc::new(parts), held: Cache::new(ISSUERS) }
    }

    /// What is counted.
    pub fn meters(&self) -> &Meters {
        &self.parts.meters
    }

    fn share(&self, account: AccountId) -> Arc<Semaphore> {
        let mut shares = self.parts.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(account);
        Arc::clone(share.or_insert_with(|| Arc::new(Semaphore::new(FETCHES_OF_ACCOUNT))))
    }

    fn held(&self, issuer: &str) -> Arc<Held> {
        let new = || Ok(Arc::new(Held::new(issuer, Arc::clone(&self.parts))));
        match self.held.get_or_insert_with::<_, std::convert::Infallible>(issuer, new) {
            Ok(held) => held,
            Err(never) => match never {},
        }
    }
}

impl KeySource for KeySets {
    fn algorithms(&self, issuer: &str) -> &[Algorithm] {
        self.parts.issuers.algorithms(issuer)
    }

    fn keys<'a>(
        &'a self,
        account: AccountId,
        issuer: &'a str,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, FetchError>> {
        Box::pin(async move { self.held(issuer).keys(&self.share(account)).await })
    }

    fn newer<'a>(
        &'a self,
        account: AccountId,
        issuer: &'a str,
        than: &'a Arc<KeySet>,
    ) -> BoxFuture<'a, Option<Arc<KeySet>>> {
        Box::pin(async move { self.held(issuer).newer(&self.share(account), than).await })
    }
}
