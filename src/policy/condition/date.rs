//! Dates: the W3C profile of ISO 8601, or seconds since 1970.
//!
//! Source: IAM User Guide, "Date condition operators"; W3C NOTE-datetime. A bare four-digit text
//! could be a year or a number of seconds and is refused.

use std::fmt;

use crate::time::Timestamp;

/// A point in time, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    secs: i64,
    nanos: u32,
}

impl Instant {
    /// Reads `YYYY-MM`, `YYYY-MM-DD`, `YYYY-MM-DDThh:mm[:ss[.fraction]]` with `Z` or `±hh:mm`, or
    /// an integer that is not four digits long.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        epoch(text).or_else(|| w3c(text))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp::from_secs(self.secs).to_rfc3339();
        match self.nanos {
            0 => f.write_str(&text),
            nanos => {
                let fraction = format!("{nanos:09}");
                write!(f, "{}.{}Z", text.trim_end_matches('Z'), fraction.trim_end_matches('0'))
            }
        }
    }
}

fn epoch(text: &str) -> Option<Instant> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let fits = !digits.is_empty()
        && digits.len() <= 15
        && text.len() != 4
        && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten().map(|secs| Instant { secs, nanos: 0 })
}

fn w3c(text: &str) -> Option<Instant> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut fields = date.split('-');
    let year = i16::try_from(digits(fields.next()?, 4)?).ok()?;
    let month = i8::try_from(digits(fields.next()?, 2)?).ok()?;
    let day = match fields.next() {
        Some(day) => i8::try_from(digits(day, 2)?).ok()?,
        None if time.is_none() => 1,
        None => return None,
    };
    if fields.next().is_some() {
        return None;
    }
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let epoch = jiff::civil::Date::new(1970, 1, 1).ok()?;
    let days = i64::from(date.since(epoch).ok()?.get_days());
    let (secs, nanos) = time.map_or(Some((0, 0)), clock)?;
    Some(Instant { secs: days * 86_400 + secs, nanos })
}

/// Seconds since midnight UTC, and nanoseconds.
fn clock(text: &str) -> Option<(i64, u32)> {
    let (time, offset) = if let Some(time) = text.strip_suffix('Z') {
        (time, 0)
    } else {
        let (time, zone) = text.split_at(text.rfind(['+', '-'])?);
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let secs = within(hours, 23)? * 3600 + within(minutes, 59)? * 60;
        (time, if zone.starts_with('-') { -secs } else { secs })
    };
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (time, None),
    };
    let mut fields = time.split(':');
    let hours = within(fields.next()?, 23)?;
    let minutes = within(fields.next()?, 59)?;
    let seconds = match fields.next() {
        Some(seconds) => within(seconds, 59)?,
        None if fraction.is_none() => 0,
        None => return None,
    };
    if fields.next().is_some() {
        return None;
    }
    Some((hours * 3600 + minutes * 60 + seconds - offset, fraction.map_or(Some(0), nanos)?))
}

fn nanos(fraction: &str) -> Option<u32> {
    let length = fraction.len();
    if length == 0 || length > 9 {
        return None;
    }
    let scale = 10_u32.checked_pow(u32::try_from(9 - length).ok()?)?;
    digits(fraction, length)?.checked_mul(scale)
}

fn within(text: &str, most: u32) -> Option<i64> {
    digits(text, 2).filter(|value| *value <= most).map(i64::from)
}

fn digits(text: &str, length: usize) -> Option<u32> {
    let fits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}
