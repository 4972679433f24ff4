//! MFA devices of people.

use serde::{Deserialize, Serialize};

use super::entities::{Tag, base64_bytes};
use crate::arn;
use crate::id::{AccountId, DeviceId, UniqueId};
use crate::mfa::{Failures, step_at};
use crate::time::Timestamp;

/// A virtual MFA device. It has no owner until it is enabled for a user.
///
/// INVARIANT: a device made again under a name is another one, with another seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MfaDevice {
    /// Never used twice. AWS has no such ID: it is not told.
    pub id: DeviceId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Unique in its account without regard to case.
    pub name: String,
    /// `/` or `/division/team/`.
    pub path: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The seed, sealed for this account and device.
    #[serde(with = "base64_bytes")]
    pub sealed: Vec<u8>,
    /// Whose it is.
    #[serde(default)]
    pub user: Option<UniqueId>,
    /// When it became that user's.
    #[serde(default)]
    pub enabled_at: Option<Timestamp>,
    /// By how many steps its clock is ahead of ours.
    #[serde(default)]
    pub drift: i64,
    /// INVARIANT: the newest step of which a code was taken. Neither that step nor an older one is
    /// good again, whoever's the device is.
    #[serde(default)]
    pub used: i64,
    /// Wrong codes since the last good one.
    #[serde(default, skip_serializing_if = "Failures::is_none")]
    pub failures: Failures,
}

impl MfaDevice {
    /// Its serial number: `arn:aws:iam::<account>:mfa<path><name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "mfa", &self.path, &self.name)
    }

    /// Every code that it may have shown by now counts as used: for a state that may have forgotten
    /// some.
    pub(super) fn spend(&mut self, now: Timestamp) {
        self.used = self.used.max(step_at(now) + self.drift.max(0) + 1);
    }
}
