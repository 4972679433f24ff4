//! The keys of one issuer: how old they are, and whether newer ones are on their way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::Parts;
use super::fetch::FetchError;
use crate::federation::oidc::{KeySet, KeySetError};
use crate::time::Monotonic;

/// The least time between two fetches for keys that are not known.
const UNKNOWN_EVERY: Duration = Duration::from_mins(1);
/// How long a failed fetch is not repeated: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// One issuer.
pub(super) struct Held {
    issuer: String,
    parts: Arc<Parts>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The keys, and when the fetch that brought them began.
    keys: Option<(Arc<KeySet>, Monotonic)>,
    /// When the last fetch ended, well or not.
    tried: Option<Monotonic>,
    /// How often it failed in a row, and how the last time.
    failures: u32,
    failure: Option<FetchError>,
    /// The fetch under way: its sender is dropped at its end.
    flight: Option<watch::Receiver<()>>,
}

/// What a request does.
enum Step {
    Use(Arc<KeySet>),
    Wait(watch::Receiver<()>),
    /// It waits until its account has room for one more fetch.
    Queue,
    Give,
}

impl Held {
    pub(super) fn new(issuer: &str, parts: Arc<Parts>) -> Self {
        Self { issuer: issuer.to_owned(), parts, state: Mutex::default() }
    }

    /// The keys to use now, for whom this share is.
    pub(super) async fn keys(
        self: &Arc<Self>,
        share: &Arc<Semaphore>,
    ) -> Result<Arc<KeySet>, FetchError> {
        let mut step = self.step(share, None);
        if let Step::Queue = step
            && let Some(turn) = self.turn(share).await
        {
            step = self.step(share, Some(turn));
        }
        let mut busy = None;
        match step {
            Step::Use(keys) => return Ok(keys),
            Step::Wait(flight) => ended(flight).await,
            Step::Queue => busy = Some(FetchError::Busy),
            Step::Give => {}
        }
        let state = self.lock();
        let now = self.parts.clock.monotonic();
        if let Some((keys, fetched)) = &state.keys
            && now.since(*fetched) < self.lifetime()
        {
            if state.failure.is_some() {
                self.parts.meters.stale.inc();
            }
            return Ok(Arc::clone(keys));
        }
        Err(busy.or_else(|| state.failure.clone()).unwrap_or(FetchError::TooEarly))
    }

    /// Waits, not for ever, until an account has room for one more fetch.
    async fn turn(&self, share: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        // Longer than those who have room now can take.
        let patience = 2 * self.parts.settings.timeout;
        timeout(patience, Arc::clone(share).acquire_owned()).await.ok()?.ok()
    }

    /// Keys other than `than`, in which a token's was not found, for whom this share is.
    pub(super) async fn newer(
        self: &Arc<Self>,
        share: &Arc<Semaphore>,
        than: &Arc<KeySet>,
    ) -> Option<Arc<KeySet>> {
        self.parts.meters.unknown_keys.inc();
        let other = |state: &State| {
            let (keys, _) = state.keys.as_ref()?;
            (!Arc::ptr_eq(keys, than)).then(|| Arc::clone(keys))
        };
        let flight = {
            let mut state = self.lock();
            if let Some(keys) = other(&state) {
                return Some(keys);
            }
            let now = self.parts.clock.monotonic();
            match state.under_way() {
                Some(flight) => flight,
                // INVARIANT (bounded): what anybody may send causes one fetch a minute.
                None if state.tried.is_some_and(|at| now.since(at) < UNKNOWN_EVERY) => return None,
                None => self.begin(&mut state, Arc::clone(share).try_acquire_owned().ok()?),
            }
        };
        ended(flight).await;
        other(&self.lock())
    }

    /// What to do, for whom this share is, who may have waited for a turn at fetching.
    fn step(self: &Arc<Self>, share: &Arc<Semaphore>, turn: Option<OwnedSemaphorePermit>) -> Step {
        let mut state = self.lock();
        let now = self.parts.clock.monotonic();
        let refresh = self.parts.settings.refresh_every;
        let held = state.keys.as_ref().map(|(keys, at)| (Arc::clone(keys), now.since(*at)));
        if let Some((keys, age)) = &held
            && *age < refresh
        {
            return Step::Use(Arc::clone(keys));
        }
        let mut queue = false;
        let flight = match state.under_way() {
            Some(flight) => Some(flight),
            None if !state.may_try(now) => None,
            None => {
                let turn = turn.or_else(|| Arc::clone(share).try_acquire_owned().ok());
                queue = turn.is_none();
                turn.map(|turn| self.begin(&mut state, turn))
            }
        };
        match (held, flight) {
            (Some((keys, age)), _) if age < 2 * refresh => Step::Use(keys),
            (_, Some(flight)) => Step::Wait(flight),
            (_, None) if queue => Step::Queue,
            (_, None) => Step::Give,
        }
    }

    /// How long keys are used at most.
    fn lifetime(&self) -> Duration {
        let settings = &self.parts.settings;
        settings.max_stale.max(2 * settings.refresh_every)
    }

    /// Begins a fetch. It is nobody's: a request that is given up does not end it. Its turn is one
    /// of the account that asked first.
    fn begin(
        self: &Arc<Self>,
        state: &mut State,
        turn: OwnedSemaphorePermit,
    ) -> watch::Receiver<()> {
        let (at_end, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        let held = Arc::clone(self);
        tokio::spawn(async move {
            let began = held.parts.clock.monotonic();
            let outcome = held.fetch().await;
            held.settle(began, outcome);
            drop(turn);
            drop(at_end);
        });
        flight
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let parts = &self.parts;
        let limit = parts.settings.timeout;
        // The time that it waits for others is not the issuer's.
        let permit = timeout(limit, parts.permits.acquire()).await;
        let Ok(Ok(_permit)) = permit else { return Err(FetchError::Busy) };
        timeout(limit, parts.fetch.fetch(&self.issuer)).await.unwrap_or(Err(FetchError::Timeout))
    }

    fn settle(&self, began: Monotonic, outcome: Result<KeySet, FetchError>) {
        let mut state = self.lock();
        state.flight = None;
        self.parts.meters.fetched(outcome.is_ok());
        if let Err(FetchError::Busy) = outcome {
            // The issuer was not asked: what is known of it stays.
            state.failure.get_or_insert(FetchError::Busy);
            return;
        }
        state.tried = Some(self.parts.clock.monotonic());
        match outcome {
            Ok(keys) => {
                if state.failure.take().is_some() {
                    tracing::info!(issuer = %self.issuer, "the identity provider answers again");
                }
                state.failures = 0;
                state.keys = Some((Arc::new(keys), began));
            }
            Err(error) => {
                if state.failure.is_none() {
                    tracing::warn!(
                        issuer = %self.issuer, %error, stale = state.keys.is_some(),
                        "the keys of an identity provider cannot be fetched"
                    );
                }
                // INVARIANT: stale keys are for an issuer that does not answer. This one did: it has
                // no keys any more, or everybody has them.
                if matches!(&error, FetchError::Keys(KeySetError::Empty | KeySetError::Private)) {
                    state.keys = None;
                }
                state.failures = state.failures.saturating_add(1);
                state.failure = Some(error);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The fetch under way. One whose task ended badly is none.
    fn under_way(&self) -> Option<watch::Receiver<()>> {
        self.flight.clone().filter(|flight| flight.has_changed().is_ok())
    }

    /// Whether it is not too early after a failure.
    fn may_try(&self, now: Monotonic) -> bool {
        let wait = FIRST_WAIT
            .saturating_mul(1_u32 << self.failures.saturating_sub(1).min(8))
            .min(LONGEST_WAIT);
        self.failures == 0 || self.tried.is_none_or(|at| now.since(at) >= wait)
    }
}

async fn ended(mut flight: watch::Receiver<()>) {
    // Nothing is ever sent: it ends when the sender is dropped.
    let _ = flight.changed().await;
}
