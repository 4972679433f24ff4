//! How often a device may be guessed at.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// So many wrong codes in a row are a matter of fingers and clocks.
const FREE: u32 = 5;
/// Seconds to wait after one more; each further one doubles them.
const FIRST_WAIT: i64 = 30;
/// The longest wait, in seconds. Some 24 guesses a day, at three codes in a million each.
const LONGEST_WAIT: i64 = 3600;

/// Wrong codes in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    count: u32,
    /// When the last of them was shown.
    last: Option<Timestamp>,
}

impl Failures {
    /// Whether there were none since the last good code.
    pub fn is_none(&self) -> bool {
        self.count == 0
    }

    /// One more.
    #[must_use]
    pub fn and_one(self, now: Timestamp) -> Self {
        Self { count: self.count.saturating_add(1), last: Some(now) }
    }

    /// The seconds until a code is looked at again; `None` if it is now. A clock that was set back
    /// makes it longer.
    pub fn wait(&self, now: Timestamp) -> Option<i64> {
        let doublings = self.count.checked_sub(FREE)?;
        let wait = if doublings > 7 { LONGEST_WAIT } else { FIRST_WAIT << doublings };
        let since = now.secs_since(self.last?);
        (since < wait.min(LONGEST_WAIT)).then(|| wait.min(LONGEST_WAIT) - since)
    }
}
