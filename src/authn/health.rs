//! How long the ledger has been silent.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::time::Monotonic;

/// Whether the ledger answers, and since when it does not.
///
/// INVARIANT: an outage is reckoned from the last sign of life before it, and ends with an answer to
/// a question of ours, nothing less: a ledger that says it lives and answers nothing is silent.
#[derive(Default)]
pub(super) struct LedgerHealth(Mutex<State>);

#[derive(Default)]
struct State {
    /// When it last answered. INVARIANT: starts expired, as never.
    answered: Option<Monotonic>,
    /// Since questions go without an answer: the last sign of life before that.
    outage: Option<Outage>,
}

#[derive(Clone, Copy)]
struct Outage {
    /// `None`: there never was a sign of life.
    since: Option<Monotonic>,
}

/// What a question without an answer means.
pub(super) struct Silence {
    /// Whether it is the first.
    pub(super) begins: bool,
    /// The time since the last sign of life; without end if there never was one.
    pub(super) lasts: Duration,
}

impl LedgerHealth {
    /// Notes an answer to a question asked at `now`; tells whether an outage ended with it.
    pub(super) fn answered(&self, now: Monotonic) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.answered = state.answered.max(Some(now));
        state.outage.take().is_some()
    }

    /// Notes that a question asked at `now` went without an answer. `vouched` is when the ledger
    /// itself says that it last answered.
    pub(super) fn failed(&self, now: Monotonic, vouched: Option<Monotonic>) -> Silence {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = state.outage.is_none();
        let answered = state.answered;
        let outage = *state.outage.get_or_insert(Outage { since: answered.max(vouched) });
        let lasts = outage.since.map_or(Duration::MAX, |since| now.since(since));
        Silence { begins, lasts }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).outage.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Monotonic {
        Monotonic(Duration::from_secs(secs))
    }

    #[test]
    fn without_a_sign_of_life_silence_has_no_end() {
        let health = LedgerHealth::default();
        assert!(!health.is_silent());
        let silence = health.failed(at(5), None);
        assert!(silence.begins && silence.lasts == Duration::MAX && health.is_silent());
    }

    #[test]
    fn an_outage_is_reckoned_from_the_last_sign_of_life_before_it() {
        let health = LedgerHealth::default();
        health.answered(at(10));
        // Nobody asked for long, and the ledger vouches for itself until just before.
        assert_eq!(health.failed(at(100), Some(at(97))).lasts, Duration::from_secs(3));
        // It says it lives, and answers nothing: that puts nothing off.
        let silence = health.failed(at(150), Some(at(149)));
        assert!(!silence.begins);
        assert_eq!(silence.lasts, Duration::from_secs(53));
        assert!(health.answered(at(160)));
        assert!(!health.answered(at(161)) && !health.is_silent());
        assert_eq!(health.failed(at(170), None).lasts, Duration::from_secs(9));
    }
}
