//! The ledger in Redis.
//!
//! # Model
//!
//! | key | what | lasts |
//! |---|---|---|
//! | `cs:{xx}:s:<access key ID>` | a session's record: its sealed token, with a MAC | until it expires |
//! | `cs:{xx}:i:<role or user ID>` | a principal's sessions by expiry, for listing | as its last one |
//! | `cs:{xx}:m` | the marker of a shard: whose ledger it is, under which lease | for good |
//! | `cs:{lease}:owner`, `:fence`, `:beat` | the broker that has the ledger | while renewed |
//!
//! `xx` is a byte of the access key ID: what one session needs is in one slot, and one script or
//! one command reaches all of it.
//!
//! **The ledger rules when it answers.** A record that is not there is not accepted, and what is
//! presented must equal what is kept. **A ledger without its marker does not answer**: the marker
//! is read with every record, so that a Redis that was emptied is noticed by the next read, and not
//! one session is taken for unknown. The `keeper` then writes new markers, minting goes on, and the
//! sessions that were lost stay good for as long as in any outage (`tenure`).
//!
//! **One broker has a ledger** (`lease`): a second one does not start, and one that lost its lease
//! mints nothing, because the markers it knows are not those that are there.
//!
//! # Trust boundary
//!
//! Redis is not trusted: records and markers carry MACs bound to deployment and key, and nothing
//! in it can be read as a secret, a name or a tag. Whoever can write to it can end sessions, stop
//! minting, and put back a record that was removed. That revives nothing: sessions expire by their
//! token and are revoked in the directory. Its answers decide nothing else.
//!
//! An older record put back under its key does not verify either: access key IDs are random, a
//! record is one session's for good, and a token must equal it byte for byte.
//!
//! # What Redis must allow
//!
//! Commands for an ACL user, on keys `cs:*`: `GET`, `MGET`, `SET`, `DEL`, `INCR`, `PTTL`, `PEXPIRE`,
//! `PEXPIREAT`, `ZADD`, `ZREM`, `ZCOUNT`, `ZRANGE`, `ZREMRANGEBYSCORE`, `EVAL`, `EVALSHA`, `TIME`;
//! to be warned of unsafe settings also `INFO` and `CONFIG GET`.
//!
//! Source: Redis documentation, "Commands", "Redis cluster specification" (hash tags), "Scripting
//! with Lua".

mod checks;
mod connector;
mod endpoint;
mod failure;
mod keeper;
mod keys;
mod lease;
mod link;
mod listing;
mod marker;
mod meters;
mod records;
mod script;
mod settings;
mod tenure;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

pub use checks::{Concern, Unfit};
pub use connector::{ConnectError, TlsError};
pub use endpoint::{Endpoint, EndpointError};
pub use failure::{Code, Failure};
pub use lease::Holder;
pub use marker::MarkerError;
pub use meters::{KindLabel, Meters, ReasonLabel};
pub use settings::{MalformedPrefix, Password, Prefix, Settings, SettingsError};
pub use tenure::ClaimError;

use super::{Inserted, Ledger, LedgerError, Listing, Mark, NewRecord, Page};
use crate::future::BoxFuture;
use crate::id::{AccessKeyId, UniqueId};
use crate::random::{Random, RandomError};
use crate::seal::Keyring;
use crate::time::{Clock, Monotonic, Timestamp};
use connector::Connector;
use keys::Keys;
use lease::Owner;
use link::Link;
use tenure::{Claim, Staked};
use wire::Wire;

/// How often a starting broker looks whether the lease it waits for is alive.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What a ledger works with.
pub struct Parts {
    /// The keys of its MACs; names the deployment.
    pub keyring: Arc<Keyring>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// How long sessions stay good while it does not answer.
    pub max_staleness: Duration,
}

/// The ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No URL.
    #[error("there is no redis.url")]
    NoUrl,
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No connection.
    #[error("{endpoint}: {source}")]
    Connect {
        /// Where to.
        endpoint: Endpoint,
        /// Why.
        source: ConnectError,
    },
    /// It cannot hold a ledger.
    #[error("{endpoint}: {source}")]
    Unfit {
        /// Which.
        endpoint: Endpoint,
        /// Why.
        source: Unfit,
    },
    /// It is not ours to use.
    #[error("{endpoint}: {source}")]
    Claim {
        /// Which.
        endpoint: Endpoint,
        /// Why.
        source: ClaimError,
    },
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A ledger in Redis.
pub struct RedisLedger {
    inner: Arc<Inner>,
    keeper: JoinHandle<()>,
    concerns: Vec<Concern>,
}

struct Inner {
    connector: Connector,
    claim: Claim,
    link: Arc<Link>,
    random: Arc<dyn Random>,
}

impl RedisLedger {
    /// Connects, looks at Redis's settings, takes the lease, and keeps it from then on. Within a
    /// tokio runtime.
    ///
    /// A broker that died without a word left its lease behind: then this waits until it has run
    /// out, at most `redis.lease`.
    ///
    /// # Errors
    /// [`ClaimError::Held`] when another broker that lives has the ledger.
    pub async fn open(settings: &Settings, parts: Parts) -> Result<Self, OpenError> {
        let endpoint = settings.url.clone().ok_or(OpenError::NoUrl)?;
        settings.check()?;
        let password = settings.secret(&endpoint)?;
        let Parts { keyring, clock, random, max_staleness } = parts;
        let claim = Claim {
            keys: Arc::new(Keys::new(settings.prefix.clone())),
            keyring,
            owner: Owner::draw(&*random, clock.now())?,
            clock,
            lasts: settings.lease,
            max_staleness,
            fence: AtomicU64::new(0),
            beat: AtomicI64::new(0),
            went_back: AtomicBool::new(false),
            answered: AtomicU64::new(0),
        };
        let inner = Arc::new(Inner {
            connector: Connector::new(settings, &endpoint, password)?,
            claim,
            link: Arc::new(Link::new(settings.max_in_flight)),
            random,
        });
        let connect = |source| OpenError::Connect { endpoint: endpoint.clone(), source };
        let wire = keeper::connect(&inner).await.map_err(connect)?;
        let looked = checks::look(&wire, &inner.connector, &*inner.claim.clock).await;
        let concerns = looked
            .map_err(|failure| connect(failure.into()))?
            .map_err(|source| OpenError::Unfit { endpoint: endpoint.clone(), source })?;
        for concern in &concerns {
            tracing::warn!(redis = %endpoint, %concern, "Redis is not safe for sessions as it is set up");
        }
        let staked = match first_stake(&inner, &wire).await {
            Ok(staked) => staked,
            Err(source) => {
                // What cannot be used is not kept from others either.
                let _ = inner.claim.owner.release(&wire, &inner.claim.keys).await;
                return Err(OpenError::Claim { endpoint, source });
            }
        };
        let live = keeper::publish(&inner, wire, staked);
        tracing::info!(redis = %endpoint, "the session ledger is in Redis");
        let keeper = tokio::spawn(keeper::keep(Arc::clone(&inner), live));
        Ok(Self { inner, keeper, concerns })
    }

    /// What of Redis's settings endangers sessions, as found when it was opened.
    pub fn concerns(&self) -> &[Concern] {
        &self.concerns
    }

    /// What it counts.
    pub fn meters(&self) -> &Meters {
        &self.inner.link.meters
    }
}

/// Takes the ledger. Waits for a lease that nobody renews to run out.
async fn first_stake(inner: &Inner, wire: &Wire) -> Result<Staked, ClaimError> {
    let mut least = Duration::MAX;
    let mut end = None;
    loop {
        let holder = match inner.claim.stake(wire).await {
            Err(ClaimError::Held(holder)) => holder,
            result => return result,
        };
        let end = *end.get_or_insert_with(|| {
            tracing::info!("another broker has the lease of the session ledger: is it alive?");
            Instant::now() + inner.claim.lasts.max(holder.left) + LOOK_EVERY
        });
        // Time only goes up when somebody renews.
        if holder.left > least || Instant::now() >= end {
            return Err(ClaimError::Held(holder));
        }
        least = holder.left;
        sleep(LOOK_EVERY).await;
    }
}

impl Drop for RedisLedger {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Ledger for RedisLedger {
    fn insert(&self, record: NewRecord) -> BoxFuture<'_, Result<Inserted, LedgerError>> {
        Box::pin(self.inner.insert(record))
    }

    fn find(
        &self,
        access_key_id: AccessKeyId,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, LedgerError>> {
        Box::pin(self.inner.find(access_key_id))
    }

    fn list(&self, listing: Listing) -> BoxFuture<'_, Result<Page, LedgerError>> {
        Box::pin(self.inner.list(listing))
    }

    fn count(
        &self,
        principal: UniqueId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(self.inner.count(principal, now))
    }

    fn remove(&self, principal: UniqueId, place: Mark) -> BoxFuture<'_, Result<bool, LedgerError>> {
        Box::pin(self.inner.remove(principal, place))
    }

    fn answered_at(&self) -> Option<Monotonic> {
        self.inner.claim.answered_at()
    }

    fn failure(&self) -> Option<&'static str> {
        match self.inner.link.live() {
            Ok(_) => None,
            Err(_) if self.inner.link.is_lost() => Some("another broker took the session ledger"),
            Err(_) => Some("the session ledger does not answer"),
        }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.keeper.abort();
            let live = self.inner.link.live();
            self.inner.link.take_down();
            let Ok(live) = live else { return };
            let claim = &self.inner.claim;
            if let Err(error) = claim.owner.release(&live.wire, &claim.keys).await {
                tracing::warn!(%error, "the lease of the session ledger was not given back: a broker \
                                        that starts next has to wait until it has run out");
            }
        })
    }
}
