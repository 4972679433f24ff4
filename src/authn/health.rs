//! How long the ledger has been silent.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::time::Monotonic;

/// When the ledger last answered.
#[derive(Default)]
pub(super) struct LedgerHealth {
    /// Microseconds of the monotonic clock plus one; 0 is never. INVARIANT: starts expired.
    answered: AtomicU64,
    /// Whether the last question went without an answer.
    silent: AtomicBool,
}

impl LedgerHealth {
    pub(super) fn answered(&self, now: Monotonic) {
        let micros = u64::try_from(now.0.as_micros()).unwrap_or(u64::MAX - 1);
        self.answered.fetch_max(micros.saturating_add(1), Ordering::Relaxed);
        self.silent.store(false, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// The time since the last answer; without end if there never was one.
    pub(super) fn silent_for(&self, now: Monotonic) -> Duration {
        match self.answered.load(Ordering::Relaxed) {
            0 => Duration::MAX,
            at => now.since(Monotonic(Duration::from_micros(at - 1))),
        }
    }
}
