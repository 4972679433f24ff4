//! Time as a value: wall-clock timestamps, monotonic instants and the clock that yields both.
//!
//! Nothing below the edges reads a clock. A request's time is read once, where the request
//! arrives, and handed down; tests hand down another.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A timestamp from whole seconds since the epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// A timestamp from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time with its fraction of a second cut off.
    #[must_use]
    pub const fn floor_secs(self) -> Self {
        Self::from_secs(self.secs())
    }

    /// This time plus `secs` seconds (minus, when negative), saturating at the ends of the range.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1000)))
    }

    /// Seconds from `earlier` to `self`, rounded down; negative when `self` is the earlier one.
    pub const fn secs_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1000)
    }

    /// Parses the basic ISO 8601 form of signatures: `YYYYMMDDTHHMMSSZ`, exactly.
    ///
    /// `None` for anything else, for dates that do not exist and for second 60.
    pub fn parse_amz(text: &[u8]) -> Option<Self> {
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = *text else {
            return None;
        };
        let digits = |a: u8, b: u8| -> Option<i8> {
            (a.is_ascii_digit() && b.is_ascii_digit())
                .then(|| i8::try_from((a - b'0') * 10 + (b - b'0')).ok())
                .flatten()
        };
        let year = i16::from(digits(y1, y2)?) * 100 + i16::from(digits(y3, y4)?);
        let date = jiff::civil::Date::new(year, digits(mo1, mo2)?, digits(d1, d2)?).ok()?;
        let (h, m, s) = (digits(h1, h2)?, digits(mi1, mi2)?, digits(s1, s2)?);
        if h > 23 || m > 59 || s > 59 {
            return None;
        }
        let epoch = jiff::civil::Date::new(1970, 1, 1).ok()?;
        let days = i64::from(date.since(epoch).ok()?.get_days());
        Some(Self::from_secs(
            days * 86_400 + i64::from(h) * 3600 + i64::from(m) * 60 + i64::from(s),
        ))
    }

    /// The basic ISO 8601 form of signatures: `YYYYMMDDTHHMMSSZ`.
    pub fn to_amz(self) -> String {
        self.civil().strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// The date of a credential scope: `YYYYMMDD`.
    pub fn to_scope_date(self) -> String {
        self.civil().strftime("%Y%m%d").to_string()
    }

    /// RFC 3339 in UTC with whole seconds: `2026-01-02T03:04:05Z`.
    pub fn to_rfc3339(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// RFC 3339 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
    pub fn to_rfc3339_millis(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Parses RFC 3339 / ISO 8601 with a zone (`2026-01-02T03:04:05Z`, an offset, or a fraction).
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    fn civil(self) -> jiff::civil::DateTime {
        // Out-of-range values stand at the ends of the calendar (years -9999 and 9999).
        let clamped = jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        jiff::tz::Offset::UTC.to_datetime(clamped)
    }
}

// In stored records: milliseconds.
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

/// A point on the machine's monotonic clock: a duration since the clock was made.
///
/// Staleness is measured on it, so that a wall clock set back never makes old news fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    /// The time that passed from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, in UTC.
    fn now(&self) -> Timestamp;
    /// The monotonic clock.
    fn monotonic(&self) -> Monotonic;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic side starts at zero now.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge that reads the clock")]
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp(millis)
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.origin.elapsed())
    }
}

/// A clock that stands still until it is moved; both sides move together.
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    monotonic: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `start`, its monotonic side at zero.
    pub fn at(start: Timestamp) -> Self {
        Self { wall: AtomicI64::new(start.millis()), monotonic: AtomicI64::new(0) }
    }

    /// Moves both sides forward.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.monotonic.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Monotonic {
        let millis = self.monotonic.load(Ordering::SeqCst);
        Monotonic(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amz_form_goes_both_ways() {
        let t = Timestamp::parse_amz(b"20150830T123600Z").unwrap();
        assert_eq!(t.secs(), 1_440_938_160);
        assert_eq!(t.to_amz(), "20150830T123600Z");
        assert_eq!(t.to_scope_date(), "20150830");
        assert_eq!(t.to_rfc3339(), "2015-08-30T12:36:00Z");
        assert_eq!(t.to_rfc3339_millis(), "2015-08-30T12:36:00.000Z");
    }

    #[test]
    fn amz_form_refuses_everything_else() {
        for bad in [
            "20150830T123600",
            "20150830T123600z",
            "20150230T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "20150830T123660Z",
            "2015083 T123600Z",
            "+0150830T123600Z",
            "20150830T123600ZZ",
            "",
        ] {
            assert_eq!(Timestamp::parse_amz(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn extremes_do_not_panic() {
        for t in [Timestamp(i64::MIN), Timestamp(i64::MAX)] {
            let _ = (t.to_amz(), t.to_rfc3339_millis(), t.secs());
            let _ = t.plus_secs(i64::MAX);
            let _ = t.plus_secs(i64::MIN);
        }
    }
}
