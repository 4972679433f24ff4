//! What is verified here, and what has to be asked.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use quick_cache::sync::Cache;

use super::answer::{Refused, Verified};
use super::entry::{Entry, EntryKey, Sureness};
use super::judge;
use super::news::{Applied, News, NewsError};
use super::request::Request;
use crate::api::{FeedHead, FeedLine, Position, VerifyGrant};
use crate::downstream::Service;
use crate::sigv4::{self, Algorithm, Presented, RequestHead};
use crate::time::{Monotonic, Timestamp};

/// How many refusals are kept, and for how long: a moment, and not past any change of the directory.
const REFUSALS: usize = 4096;
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// The bounds of what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For how long what is kept counts after it was last proven that no change is missing.
    pub freshness: Duration,
    /// The most credentials, each in each scope, that are kept.
    pub capacity: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { freshness: Duration::from_mins(1), capacity: 10_000 }
    }
}

/// What came of a request.
pub enum Outcome {
    /// It is answered.
    Decided(Result<Box<Verified>, Refused>),
    /// The broker has to be asked.
    Ask(Asking),
}

/// A question to be put to the broker.
#[derive(Clone)]
pub struct Asking {
    key: Option<EntryKey>,
    generation: u64,
    changes: u64,
    has_entry: bool,
}

impl Asking {
    /// Whether there is an entry that has to be confirmed: it serves while the broker does not
    /// answer.
    pub fn has_entry(&self) -> bool {
        self.has_entry
    }

    /// What questions are one question by.
    #[cfg(feature = "client")]
    pub(super) fn key(&self) -> Option<&EntryKey> {
        self.key.as_ref()
    }
}

/// Verifies by what it was given and holds to the feed. It asks nobody and reads no clock.
pub struct Local {
    name: String,
    settings: Settings,
    service: ArcSwapOption<Service>,
    entries: Cache<EntryKey, Arc<Entry>>,
    news: Mutex<News>,
    /// Credentials that the broker has just refused.
    refusals: Cache<EntryKey, Arc<Refusal>>,
    /// Entries of another generation are void.
    generation: AtomicU64,
    /// Counts what the feed tells; refusals from before the latest are void.
    changes: AtomicU64,
    /// The broker's time at the start of the monotonic clock, in milliseconds since 1970; before it
    /// was heard, the least there is.
    told: AtomicI64,
    /// The service's own time at the start of its monotonic clock, likewise, at the last proof.
    paired: AtomicI64,
    /// When it was last proven that no change is missing, in microseconds of the monotonic clock plus
    /// one. INVARIANT: 0 is never, and it starts so.
    proven: AtomicU64,
}

/// What a clock showed when the monotonic clock started, in milliseconds since 1970.
fn at_start(now: Timestamp, monotonic: Monotonic) -> i64 {
    now.millis().saturating_sub(i64::try_from(monotonic.0.as_millis()).unwrap_or(i64::MAX))
}

/// What the broker said of a credential.
struct Refusal {
    refused: Refused,
    at: Monotonic,
    changes: u64,
}

impl Local {
    /// For the service of this name. It knows nothing yet.
    pub fn new(name: &str, settings: Settings) -> Self {
        Self {
            name: name.to_owned(),
            settings,
            service: ArcSwapOption::empty(),
            entries: Cache::new(settings.capacity),
            news: Mutex::new(News::default()),
            refusals: Cache::new(REFUSALS),
            generation: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            told: AtomicI64::new(i64::MIN),
            paired: AtomicI64::new(i64::MAX),
            proven: AtomicU64::new(0),
        }
    }

    /// The service as the broker has it registered; `None` until its feed was read.
    pub fn service(&self) -> Option<Arc<Service>> {
        self.service.load_full()
    }

    /// Whether what is kept counts.
    pub fn is_fresh(&self, now: Monotonic) -> bool {
        match self.proven.load(Ordering::SeqCst) {
            0 => false,
            at => now.since(Monotonic(Duration::from_micros(at - 1))) < self.settings.freshness,
        }
    }

    /// Where the feed stands; `None` before its first line.
    pub fn position(&self) -> Option<Position> {
        self.news().at().cloned()
    }

    /// Answers a request, if that can be done here.
    ///
    /// `unconfirmed`: entries that have to be confirmed are good too, because the broker was asked and
    /// did not answer.
    pub fn check(
        &self,
        request: &Request<'_>,
        now: Timestamp,
        monotonic: Monotonic,
        unconfirmed: bool,
    ) -> Outcome {
        match presented(&request.head) {
            Ok(presented) => self.check_presented(request, &presented, now, monotonic, unconfirmed),
            Err(refused) => Outcome::Decided(Err(refused)),
        }
    }

    /// Likewise, with what the request presents: it is read once, however often it is judged.
    pub(super) fn check_presented(
        &self,
        request: &Request<'_>,
        presented: &Presented<'_>,
        now: Timestamp,
        monotonic: Monotonic,
        unconfirmed: bool,
    ) -> Outcome {
        match self.try_check(request, presented, now, monotonic, unconfirmed) {
            Ok(answer) => Outcome::Decided(answer.map(Box::new)),
            Err(asking) => Outcome::Ask(asking),
        }
    }

    fn try_check(
        &self,
        request: &Request<'_>,
        presented: &Presented<'_>,
        now: Timestamp,
        monotonic: Monotonic,
        unconfirmed: bool,
    ) -> Result<Result<Verified, Refused>, Asking> {
        // Read before everything that may be void by it.
        let generation = self.generation.load(Ordering::SeqCst);
        let changes = self.changes.load(Ordering::SeqCst);
        let mut asking = Asking { key: None, generation, changes, has_entry: false };
        let Some(service) = self.service.load_full() else { return Err(asking) };
        if presented.algorithm() != Algorithm::HmacSha256 {
            return Err(asking);
        }
        asking.key = EntryKey::of(presented);
        if !self.is_fresh(monotonic) || self.has_slept(now, monotonic) {
            return Err(asking);
        }
        let settled = judge::check_host(&service, request)
            .and_then(|()| judge::check_scope(&service, presented));
        if let Err(refused) = settled {
            return Ok(Err(refused));
        }
        let found = asking.key.as_ref().and_then(|key| self.entries.get(key));
        let Some(entry) = found.filter(|e| e.generation == generation && !e.is_dropped()) else {
            return self.just_refused(&asking, monotonic).map(Err).ok_or(asking);
        };
        let now = now.max(self.time_of_broker(monotonic));
        let Ok(answer) = judge::judge(&service, &entry, presented, request, now) else {
            // Nothing that could be kept would change that.
            return Err(Asking { key: None, ..asking });
        };
        // A refusal needs no confirmation. So what is not signed with the key, or not allowed, is no
        // question to the broker.
        asking.has_entry = true;
        if answer.is_ok() {
            // INVARIANT: what cannot be confirmed ends, whatever else the broker still answers.
            if !entry.serves_unconfirmed(monotonic, self.settings.freshness) {
                return Err(Asking { has_entry: false, ..asking });
            }
            if !unconfirmed && entry.sureness(monotonic) != Sureness::Sure {
                return Err(asking);
            }
        }
        Ok(answer)
    }

    /// The refusal of a credential that the broker has refused a moment ago.
    fn just_refused(&self, asking: &Asking, now: Monotonic) -> Option<Refused> {
        let refusal = self.refusals.get(asking.key.as_ref()?)?;
        let recent = now.since(refusal.at) < REFUSED_FOR.min(self.settings.freshness);
        (recent && refusal.changes == asking.changes).then(|| refusal.refused.clone())
    }

    /// Whether the machine has slept past the freshness limit since the last proof: its monotonic
    /// clock may have stood still then, the other one has not.
    fn has_slept(&self, now: Timestamp, monotonic: Monotonic) -> bool {
        let ahead = at_start(now, monotonic).saturating_sub(self.paired.load(Ordering::SeqCst));
        ahead >= i64::try_from(self.settings.freshness.as_millis()).unwrap_or(i64::MAX)
    }

    /// The broker's time, or later, as far as it was told.
    fn time_of_broker(&self, now: Monotonic) -> Timestamp {
        let passed = i64::try_from(now.0.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.told.load(Ordering::SeqCst).saturating_add(passed))
    }

    /// Keeps what the broker gave out for a question that was sent at `asked_at`. Returns whether it
    /// was kept: news that came in between may have made it void.
    pub fn keep(&self, asking: &Asking, grant: &mut VerifyGrant, asked_at: Monotonic) -> bool {
        let Some(material) = grant.material.take() else { return false };
        let (Some(key), Some(principal)) = (&asking.key, grant.answer.principal.clone()) else {
            return false;
        };
        // INVARIANT: what is kept is what was asked for.
        if !grant.answer.authenticated || !key.is_of(&principal, &material) {
            return false;
        }
        let expires_at = grant.answer.expires_at.clone();
        let generation = asking.generation;
        let Some(entry) =
            Entry::of(&material, &self.name, principal, expires_at, asked_at, generation)
        else {
            return false;
        };
        let entry = Arc::new(entry);
        let mut news = self.news();
        let current = self.generation.load(Ordering::SeqCst) == generation;
        if !current || !news.still_holds(&material.at, &material.watch) {
            return false;
        }
        news.watch(&entry, material.watch);
        self.entries.insert(key.clone(), entry);
        true
    }

    /// Drops what is kept of a credential: the broker does not know it, or not any more. For a moment
    /// it is not asked about again, unless the directory changes.
    pub fn refuse(&self, asking: &Asking, refused: &Refused, asked_at: Monotonic) {
        let Some(key) = &asking.key else { return };
        self.entries.remove(key);
        let changes = asking.changes;
        if changes == self.changes.load(Ordering::SeqCst) {
            let refusal = Refusal { refused: refused.clone(), at: asked_at, changes };
            self.refusals.insert(key.clone(), Arc::new(refusal));
        }
    }

    /// Takes in the broker's time, as it was when it answered a question sent at `asked_at`.
    ///
    /// INVARIANT (expiry is absolute): the later of both clocks counts, so that nothing is good here
    /// for longer than at the broker because a clock here is slow.
    pub fn hear_time(&self, now: Timestamp, asked_at: Monotonic) {
        self.told.store(at_start(now, asked_at), Ordering::SeqCst);
    }

    /// Takes in the first line of a feed.
    pub fn begin(&self, head: &FeedHead) -> Result<Applied, NewsError> {
        let mut news = self.news();
        let begun = match news.begin(head, &self.name) {
            Ok(begun) => begun,
            Err(error) => {
                // INVARIANT: a service whose settings are not known serves nobody from here.
                news.forget();
                self.void();
                self.service.store(None);
                return Err(error);
            }
        };
        if begun.applied == Applied::Reset {
            self.void();
        }
        if let Some(service) = begun.service {
            self.service.store(Some(service));
        }
        Ok(begun.applied)
    }

    /// Takes in a line of a feed.
    pub fn line(&self, line: &FeedLine) -> Result<Applied, NewsError> {
        let mut news = self.news();
        if line.version > line.after {
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        let applied = news.line(line)?;
        if applied == Applied::Reset {
            self.void();
        }
        Ok(applied)
    }

    /// Notes that at `newest` or after it nothing had changed at the broker when it answered a
    /// question sent at `asked_at`, if all up to there is known here.
    ///
    /// `now` is the service's own time then.
    ///
    /// INVARIANT: a position in another epoch or deployment proves nothing.
    pub fn prove(&self, newest: &Position, asked_at: Monotonic, now: Timestamp) {
        let news = self.news();
        let known = |at: &Position| {
            at.deployment == newest.deployment
                && at.epoch == newest.epoch
                && at.version >= newest.version
        };
        if news.at().is_some_and(known) {
            self.paired.store(at_start(now, asked_at), Ordering::SeqCst);
            let micros = u64::try_from(asked_at.0.as_micros()).unwrap_or(u64::MAX - 1);
            self.proven.fetch_max(micros.saturating_add(1), Ordering::SeqCst);
        }
    }

    /// Forgets everything: the broker does not tell this asker what changes, or not any more.
    ///
    /// INVARIANT: whoever is refused the news keeps nothing that news could end.
    pub fn dismiss(&self) {
        let mut news = self.news();
        news.forget();
        self.void();
    }

    /// Makes all that is kept void. What counts from now on has to be proven anew.
    fn void(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.proven.store(0, Ordering::SeqCst);
        self.entries.clear();
    }

    fn news(&self) -> MutexGuard<'_, News> {
        // What a panic would leave half-done is at worst missing: the versions do not join then.
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request presents.
///
/// # Errors
/// It is not signed, or not well.
pub(super) fn presented<'a>(head: &RequestHead<'a>) -> Result<Presented<'a>, Refused> {
    match sigv4::parse(head) {
        Ok(Some(presented)) => Ok(presented),
        Ok(None) => Err(Refused::unauthenticated(
            "MissingAuthenticationToken",
            "The request is not signed: it has neither an Authorization header nor a presigned \
             query.",
        )),
        Err(error) => Err(Refused::unauthenticated(error.code(), error.public_message())),
    }
}
