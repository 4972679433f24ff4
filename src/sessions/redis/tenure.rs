//! Holding a ledger: its lease, and its markers in order.
//!
//! [`Claim::stake`] takes or keeps the lease, reads every marker and writes those that are not as
//! they should be. What it finds missing was lost: FLUSHALL, a restart without persistence, a
//! failover to a replica that lagged, a snapshot put back. A shard that lost records is given an
//! end of doubt: as long as sessions stay good without an answer, reckoned from the last answer
//! before the loss. Until then 'not there' is no answer; after, it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use ::redis::Pipeline;

use super::failure::Failure;
use super::keys::{Keys, SHARDS, shards};
use super::lease::{Acquired, Holder, Owner, Renewed};
use super::marker::{Marker, MarkerError};
use super::script::script;
use super::wire::Wire;
use crate::seal::{Keyring, SealError};
use crate::time::{Clock, Monotonic, Timestamp};

script!(
    REPLACE,
    r"
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1"
);

/// What is known of the shards while the ledger is held.
pub(super) struct Tenure {
    shards: Vec<Shard>,
}

/// One shard.
pub(super) struct Shard {
    /// The bytes of its marker. Whatever is read or written goes with them.
    pub(super) marker: Vec<u8>,
    /// Until when a record that is not there may have been lost.
    pub(super) doubt_until: Monotonic,
}

impl Tenure {
    pub(super) fn shard(&self, shard: u8) -> Result<&Shard, Failure> {
        self.shards.get(usize::from(shard)).ok_or(Failure::Unexpected)
    }
}

/// The ledger cannot be held.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Redis.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// Another broker has it.
    #[error("{}", held(.0))]
    Held(Holder),
    /// Another broker took it from this one.
    #[error("another broker took the lease of this ledger")]
    Lost,
    /// The ledger is not this deployment's.
    #[error("the ledger cannot be used: {0}")]
    Marker(#[from] MarkerError),
    /// No marker can be made.
    #[error("no marker can be made: {0}")]
    Seal(#[from] SealError),
}

fn held(holder: &Holder) -> String {
    let since = holder
        .started_at
        .map_or_else(String::new, |at| format!(", which started at {},", at.to_rfc3339()));
    format!(
        "another broker{since} has the lease of this ledger: a directory in a file is one broker's, \
         and so is its ledger. Stop that broker, or give each its own redis.prefix or database"
    )
}

/// A broker's claim on its ledger, over all its connections.
pub(super) struct Claim {
    pub(super) keys: Arc<Keys>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) owner: Owner,
    pub(super) lasts: Duration,
    pub(super) max_staleness: Duration,
    /// The fence of the lease; 0 before the first.
    pub(super) fence: AtomicU64,
    /// The highest beat that was answered.
    pub(super) beat: AtomicI64,
    /// Whether Redis went back in time, and the markers do not say so yet.
    pub(super) went_back: AtomicBool,
    /// When the ledger was last known to be whole: microseconds of the monotonic clock plus one;
    /// 0 is never. INVARIANT: staleness starts expired.
    pub(super) answered: AtomicU64,
}

/// What a claim led to.
pub(super) struct Staked {
    pub(super) tenure: Tenure,
    /// Shards whose records were lost.
    pub(super) lost: usize,
    /// Whether there was no marker at all when this broker first looked.
    pub(super) begun: bool,
}

impl Claim {
    /// Notes that the ledger answered as it should a question asked at `at`.
    pub(super) fn note_answer(&self, at: Monotonic) {
        let micros = u64::try_from(at.0.as_micros()).unwrap_or(u64::MAX - 1);
        self.answered.fetch_max(micros.saturating_add(1), Ordering::Relaxed);
    }

    pub(super) fn answered_at(&self) -> Option<Monotonic> {
        let micros = self.answered.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Monotonic(Duration::from_micros(micros)))
    }

    /// Whether this broker has held the ledger before.
    fn has_held(&self) -> bool {
        self.fence.load(Ordering::SeqCst) != 0
    }

    /// Renews the lease. `false`: it must be staked again.
    pub(super) async fn renew(&self, wire: &Wire) -> Result<bool, ClaimError> {
        let asked = self.clock.monotonic();
        match self.owner.renew(wire, &self.keys, self.lasts).await? {
            Renewed::Kept { beat } => {
                self.note_beat(beat);
                let whole = !self.went_back.load(Ordering::SeqCst);
                if whole {
                    self.note_answer(asked);
                }
                Ok(whole)
            }
            Renewed::Lapsed => Ok(false),
            Renewed::Taken => Err(ClaimError::Lost),
        }
    }

    fn note_beat(&self, beat: i64) {
        if beat > 0 && beat <= self.beat.swap(beat, Ordering::SeqCst) {
            self.went_back.store(true, Ordering::SeqCst);
        }
    }

    /// Takes or keeps the lease and puts the markers in order.
    pub(super) async fn stake(&self, wire: &Wire) -> Result<Staked, ClaimError> {
        let asked = self.clock.monotonic();
        let first = !self.has_held();
        self.hold(wire).await?;
        let went_back = self.went_back.load(Ordering::SeqCst);
        let found = self.read(wire).await?;
        let doubt_until = self.end_of_doubt();
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        let fence = self.fence.load(Ordering::SeqCst);
        let mut staked = Staked {
            tenure: Tenure { shards: Vec::with_capacity(SHARDS) },
            lost: 0,
            begun: first && found.iter().all(Option::is_none),
        };
        let mut writes = Pipeline::new();
        for (shard, bytes) in shards().zip(found) {
            let place = self.keys.marker(shard);
            let known = self.known(&place, bytes.as_deref())?;
            if known.is_some_and(|marker| marker.fence > fence) {
                return Err(ClaimError::Lost);
            }
            let kept = known.filter(|_| !went_back);
            staked.lost += usize::from(kept.is_none());
            let marker = Marker {
                fence,
                doubt_until: kept.map_or(doubt_until, |marker| marker.doubt_until),
            };
            let sealed = match bytes {
                Some(bytes) if kept == Some(marker) => bytes,
                before => {
                    let sealed = marker.seal(&self.keyring, &place)?;
                    let before = before.unwrap_or_default();
                    let call = REPLACE.call([place]).arg(before).arg(sealed.as_slice());
                    writes.add_command(call.by_text());
                    sealed
                }
            };
            staked.tenure.shards.push(Shard {
                marker: sealed,
                doubt_until: self.on_monotonic(marker.doubt_until, now, monotonic),
            });
        }
        if !writes.is_empty() {
            let written: Vec<i64> = wire.ask_all(&writes).await?;
            // Somebody else writes markers: the next attempt tells who.
            if written.iter().any(|written| *written != 1) {
                return Err(ClaimError::Failure(Failure::Unmarked));
            }
        }
        self.went_back.store(false, Ordering::SeqCst);
        self.note_answer(asked);
        Ok(staked)
    }

    async fn hold(&self, wire: &Wire) -> Result<(), ClaimError> {
        let held = self.has_held();
        if held {
            match self.owner.renew(wire, &self.keys, self.lasts).await? {
                Renewed::Kept { beat } => {
                    self.note_beat(beat);
                    return Ok(());
                }
                Renewed::Taken => return Err(ClaimError::Lost),
                Renewed::Lapsed => {}
            }
        }
        match self.owner.acquire(wire, &self.keys, self.lasts).await? {
            Acquired::Granted { fence, beat } => {
                self.note_beat(beat);
                self.fence.store(fence, Ordering::SeqCst);
                Ok(())
            }
            Acquired::Held(_) if held => Err(ClaimError::Lost),
            Acquired::Held(holder) => Err(ClaimError::Held(holder)),
        }
    }

    async fn read(&self, wire: &Wire) -> Result<Vec<Option<Vec<u8>>>, ClaimError> {
        let mut reads = Pipeline::with_capacity(SHARDS);
        for shard in shards() {
            reads.cmd("GET").arg(self.keys.marker(shard));
        }
        let found: Vec<Option<Vec<u8>>> = wire.ask_all(&reads).await?;
        if found.len() == SHARDS { Ok(found) } else { Err(Failure::Unexpected.into()) }
    }

    /// The marker that was found, if it is ours.
    fn known(&self, place: &str, bytes: Option<&[u8]>) -> Result<Option<Marker>, ClaimError> {
        let Some(bytes) = bytes else { return Ok(None) };
        match Marker::open(&self.keyring, place, bytes) {
            Ok(marker) => Ok(Some(marker)),
            // What that key wrote is lost, all of it.
            Err(MarkerError::Key) => Ok(None),
            // It was ours and has been overwritten since.
            Err(MarkerError::Damaged) if self.answered_at().is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The end of doubt after a loss that is noticed now.
    fn end_of_doubt(&self) -> Timestamp {
        let left = self.answered_at().map_or(Duration::ZERO, |answered| {
            self.max_staleness.saturating_sub(self.clock.monotonic().since(answered))
        });
        let millis = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.clock.now().millis().saturating_add(millis))
    }

    /// An end of doubt on the monotonic clock. INVARIANT: never further away than sessions stay
    /// good without an answer, whatever the clock was that wrote it.
    fn on_monotonic(&self, end: Timestamp, now: Timestamp, monotonic: Monotonic) -> Monotonic {
        let left = u64::try_from(end.millis().saturating_sub(now.millis())).unwrap_or(0);
        Monotonic(monotonic.0 + Duration::from_millis(left).min(self.max_staleness))
    }
}
