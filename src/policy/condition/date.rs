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
    let year = digits(fields.next()?, 4)?;
    let month = digits(fields.next()?, 2)?;
    let day = match fields.next() {
        Some(day) => digits(day, 2)?,
        None if time.is_none() => 1,
        None => return None,
    };
    if fields.next().is_some() {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    let (secs, nanos) = time.map_or(Some((0, 0)), clock)?;
    Some(Instant { secs: days * 86_400 + secs, nanos })
}

/// Of the Gregorian calendar, also before there was one. Allocates nothing, not even an error.
fn days_since_1970(year: u32, month: u32, day: u32) -> Option<i64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // The year begins in March here, so that a leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year + 399, month + 9) };
    let turn = if month < 10 { 0 } else { -146_097 };
    let within = (month * 153 + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + within;
    Some(i64::from(days) + turn - 719_468)
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

#[cfg(test)]
mod tests {
    use super::days_since_1970;

    #[test]
    fn every_day_of_ten_thousand_years_has_its_number() {
        let mut expected = days_since_1970(0, 1, 1).unwrap();
        assert_eq!(expected, -719_528);
        for year in 0..=9999 {
            for month in 0..=13 {
                for day in 0..=32 {
                    let fields = (year, i8::try_from(month).unwrap(), i8::try_from(day).unwrap());
                    let date = jiff::civil::Date::new(fields.0, fields.1, fields.2);
                    let days = days_since_1970(u32::try_from(year).unwrap(), month, day);
                    assert_eq!(days.is_some(), date.is_ok(), "{year}-{month}-{day}");
                    if let Some(days) = days {
                        assert_eq!(days, expected, "{year}-{month}-{day}");
                        expected += 1;
                    }
                }
            }
        }
        assert_eq!(days_since_1970(1970, 1, 1), Some(0));
    }
}
