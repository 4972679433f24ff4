//! How many questions are put to the broker at once, and how many in vain.
//!
//! Whoever sends requests with credentials that nobody knows makes each of them a question. So these
//! have few turns, and fewer still once many were in vain; what is known is confirmed on turns of its
//! own, and does not wait behind them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::time::{Clock, Monotonic};

/// The most questions at once.
const MAX_QUESTIONS: usize = 256;
/// The most of them about credentials that are not known here.
const MAX_STRANGERS: usize = 32;
/// How long a request waits for its turn to be asked about.
const TURN: Duration = Duration::from_secs(2);
/// How often, in the long run, a question about a stranger may be in vain.
const VAIN_EVERY: Duration = Duration::from_millis(2);
/// How much of that may be used at once: 500 questions.
const VAIN_BURST: Duration = Duration::from_secs(1);

/// The turns of one verifier.
pub(super) struct Turns {
    all: Semaphore,
    strangers: Semaphore,
    vain: Mutex<Vain>,
}

/// What was asked in vain: when the next such question would be due, were they evenly spaced.
#[derive(Default)]
struct Vain(Duration);

/// A turn; it ends when this is dropped.
pub(super) struct Turn<'t> {
    _stranger: Option<SemaphorePermit<'t>>,
    _turn: SemaphorePermit<'t>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            all: Semaphore::new(MAX_QUESTIONS),
            strangers: Semaphore::new(MAX_STRANGERS),
            vain: Mutex::default(),
        }
    }
}

impl Turns {
    /// A turn to ask about credentials that are `known` here, or not. `None`: there was none in time.
    pub(super) async fn take(&self, known: bool, clock: &dyn Clock) -> Option<Turn<'_>> {
        let end = Instant::now() + TURN;
        let stranger = if known {
            None
        } else {
            let permit = timeout_at(end, self.strangers.acquire()).await.ok()?.ok()?;
            // Whoever is behind has no turn before, so that nobody passes.
            loop {
                let wait = self.vain().wait(clock.monotonic());
                if wait.is_zero() {
                    break;
                }
                if Instant::now() + wait > end {
                    return None;
                }
                sleep(wait).await;
            }
            Some(permit)
        };
        let turn = timeout_at(end, self.all.acquire()).await.ok()?.ok()?;
        Some(Turn { _stranger: stranger, _turn: turn })
    }

    /// Notes that a question about a stranger was in vain.
    pub(super) fn in_vain(&self, now: Monotonic) {
        self.vain().note(now);
    }

    fn vain(&self) -> std::sync::MutexGuard<'_, Vain> {
        self.vain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vain {
    /// How long the next question has to wait.
    fn wait(&self, now: Monotonic) -> Duration {
        self.0.saturating_sub(VAIN_BURST).saturating_sub(now.0)
    }

    fn note(&mut self, now: Monotonic) {
        self.0 = self.0.max(now.0) + VAIN_EVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_in_vain_are_spaced_once_many_were() {
        let mut vain = Vain::default();
        let now = Monotonic(Duration::from_secs(100));
        let burst = VAIN_BURST.as_millis() / VAIN_EVERY.as_millis();
        for _ in 0..burst {
            assert_eq!(vain.wait(now), Duration::ZERO);
            vain.note(now);
        }
        vain.note(now);
        assert_eq!(vain.wait(now), VAIN_EVERY);
        let later = Monotonic(now.0 + VAIN_EVERY);
        assert_eq!(vain.wait(later), Duration::ZERO);
        // What was not used up does not add up beyond the burst.
        let much_later = Monotonic(now.0 + Duration::from_secs(3600));
        for _ in 0..=burst {
            vain.note(much_later);
        }
        assert_eq!(vain.wait(much_later), VAIN_EVERY);
    }

    #[tokio::test]
    async fn strangers_leave_turns_for_those_who_are_known() {
        let (turns, clock) = (Turns::default(), crate::time::SystemClock::new());
        let mut held = Vec::new();
        for _ in 0..MAX_STRANGERS {
            held.push(turns.take(false, &clock).await.expect("a turn"));
        }
        let soon = Duration::from_millis(50);
        let more = tokio::time::timeout(soon, turns.take(false, &clock)).await;
        assert!(more.is_err(), "one more stranger waits");
        for _ in MAX_STRANGERS..MAX_QUESTIONS {
            held.push(turns.take(true, &clock).await.expect("a turn"));
        }
        assert!(tokio::time::timeout(soon, turns.take(true, &clock)).await.is_err());
        held.clear();
        assert!(turns.take(false, &clock).await.is_some());
    }
}
