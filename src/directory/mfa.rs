//! MFA devices of people.

use serde::{Deserialize, Serialize};

use super::entities::{Tag, base64_bytes};
use crate::arn;
use crate::id::{AccountId, DeviceId, UniqueId};
use crate::mfa::{Failures, RESYNC_STEPS, step_at};
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
    /// Who showed them while the device was nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_by: Option<UniqueId>,
}

impl MfaDevice {
    /// Its serial number: `arn:aws:iam::<account>:mfa<path><name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "mfa", &self.path, &self.name)
    }

    /// The wrong codes that count against who tries it now.
    ///
    /// A device that is nobody's may be tried by everybody who may enable one, whoever made it:
    /// there what one of them gets wrong keeps no other from it. Each pair of codes that is tried
    /// finds the device's in some 21 of 10^12 cases.
    pub fn failures_of(&self, who: UniqueId) -> Failures {
        if self.user.is_some() || self.tried_by == Some(who) {
            self.failures
        } else {
            Failures::default()
        }
    }

    /// Notes one more wrong code.
    pub fn fail(&mut self, who: UniqueId, now: Timestamp) {
        self.failures = self.failures_of(who).and_one(now);
        self.tried_by = self.user.is_none().then_some(who);
    }

    /// Notes a good code: its step, and how far the device's clock is ahead.
    pub fn succeed(&mut self, used: i64, drift: i64) {
        (self.used, self.drift) = (used, drift);
        (self.failures, self.tried_by) = (Failures::default(), None);
    }

    /// Every code that it may have shown by now counts as used: for a state that may have forgotten
    /// some, and by how much the device was seen to be ahead since.
    pub(super) fn spend(&mut self, now: Timestamp) {
        self.used = self.used.max(step_at(now) + self.drift.max(RESYNC_STEPS) + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UniqueKind;
    use crate::mfa::{STEP_SECS, Seed};
    use crate::random::SystemRandom;
    use zeroize::Zeroizing;

    fn device() -> MfaDevice {
        let random = SystemRandom::new();
        MfaDevice {
            id: DeviceId::generate(&random).unwrap(),
            account: AccountId::parse("111122223333").unwrap(),
            name: "phone".to_owned(),
            path: "/".to_owned(),
            created_at: Timestamp::from_secs(0),
            tags: Vec::new(),
            sealed: Vec::new(),
            user: None,
            enabled_at: None,
            drift: 0,
            used: 0,
            failures: Failures::default(),
            tried_by: None,
        }
    }

    /// The state of before knows nothing of a drift that was learned, nor of the codes that were
    /// used by it.
    #[test]
    fn no_code_of_any_drift_that_was_good_before_a_restore_is_good_after_it() {
        let seed = Seed::from_bytes(Zeroizing::new(b"12345678901234567890".to_vec()));
        let now = Timestamp::from_secs(1_790_000_000);
        for learned in -RESYNC_STEPS..=RESYNC_STEPS {
            // The newest that could be used, if the device was resynchronised to this drift.
            let newest = step_at(now) + learned + 1;
            assert_eq!(seed.find(&seed.code(newest), now, learned, 0), Some(newest));
            for known in [0, learned] {
                let mut restored = MfaDevice { drift: known, ..device() };
                restored.spend(now);
                for later in 0..2 * RESYNC_STEPS {
                    let later = now.plus_secs(later * STEP_SECS);
                    for drift in [known, learned] {
                        let found = seed.find(&seed.code(newest), later, drift, restored.used);
                        assert_eq!(found, None, "{learned} {known} {drift}");
                    }
                }
            }
        }
    }

    #[test]
    fn wrong_codes_count_against_the_device_once_it_is_somebody_s() {
        let random = SystemRandom::new();
        let [one, other] = [(); 2].map(|()| UniqueId::generate(UniqueKind::User, &random).unwrap());
        let now = Timestamp::from_secs(1_790_000_000);
        let mut it = device();
        for _ in 0..5 {
            it.fail(one, now);
        }
        assert!(it.failures_of(one).wait(now).is_some());
        assert_eq!(it.failures_of(other).wait(now), None);
        it.succeed(1, 0);
        assert_eq!((it.failures_of(one), it.tried_by), (Failures::default(), None));
        it.user = Some(one);
        for _ in 0..5 {
            it.fail(other, now);
        }
        assert!(it.failures_of(one).wait(now).is_some());
        assert_eq!(it.tried_by, None);
    }
}
