//! Codes of a seed.

use ring::hmac;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::random::{Random, RandomError};
use crate::time::Timestamp;

/// Seconds that a code is shown.
pub const STEP_SECS: i64 = 30;
/// How many steps a use looks to either side of where the device is taken to be.
const WINDOW: i64 = 1;
/// How many steps a device may stand apart from us when it is enabled or synchronised.
pub const RESYNC_STEPS: i64 = 10;
/// Six digits.
const MODULUS: u32 = 1_000_000;

/// The step that a time is in.
pub const fn step_at(time: Timestamp) -> i64 {
    time.secs().div_euclid(STEP_SECS)
}

/// What a person typed: six ASCII digits. It is a secret as long as it is good.
pub struct Code(pub(super) [u8; 6]);

impl Code {
    /// Reads exactly six ASCII digits: no blanks, no other digits of Unicode.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// The digits.
    #[cfg(all(test, feature = "server"))]
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// What a device and the broker share. INVARIANT (secrets stay secret): no `Debug`, `Clone`, `==`.
pub struct Seed(Zeroizing<Vec<u8>>);

impl Seed {
    /// The length of those that are drawn, in bytes: 64 characters of base32, as AWS's.
    pub const LENGTH: usize = 40;

    /// Draws a fresh one.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new(vec![0; Self::LENGTH]);
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// One that was kept.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The seed itself: to be sealed.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The seed as it is typed into a device: base32 (RFC 4648) without padding.
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE32_NOPAD.encode(&self.0))
    }

    /// The code of a step.
    ///
    /// Source: RFC 4226 section 5.3.
    pub fn code(&self, step: i64) -> Code {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = tag.last().map_or(0, |last| usize::from(last & 0x0f));
        let four = tag.get(offset..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; 4]);
        let mut number = (u32::from_be_bytes(four) & 0x7fff_ffff) % MODULUS;
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            // Below ten.
            *digit += u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        Code(digits)
    }

    /// The step of a code that is good at `now` on a device with this drift, and that comes after
    /// the step that was used last.
    pub fn find(&self, code: &Code, now: Timestamp, drift: i64, used: i64) -> Option<i64> {
        let middle = step_at(now) + drift;
        newest((middle - WINDOW)..=(middle + WINDOW), used, |step| self.code(step).0.ct_eq(&code.0))
    }

    /// The step of the second of two codes that follow one another, both after the step that was used
    /// last, and at most [`RESYNC_STEPS`] away from `now`.
    pub fn find_pair(&self, first: &Code, second: &Code, now: Timestamp, used: i64) -> Option<i64> {
        let middle = step_at(now);
        let range = (middle - RESYNC_STEPS)..=(middle + RESYNC_STEPS);
        newest(range, used.saturating_add(1), |step| {
            self.code(step - 1).0.ct_eq(&first.0) & self.code(step).0.ct_eq(&second.0)
        })
    }
}

/// The newest of the steps after `used` that match. All are looked at: where a code is that of two
/// steps, the later is the one that must not come again.
fn newest(
    steps: std::ops::RangeInclusive<i64>,
    used: i64,
    matches: impl Fn(i64) -> Choice,
) -> Option<i64> {
    let (mut found, mut at) = (Choice::from(0), 0_i64);
    for step in steps {
        let hit = matches(step) & Choice::from(u8::from(step > used));
        at.conditional_assign(&step, hit);
        found |= hit;
    }
    bool::from(found).then_some(at)
}
