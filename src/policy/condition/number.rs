//! Decimal numbers, compared exactly.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number of any length, in normal form: equal numbers are equal values. It is read
/// from a text that it borrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digits<'a> {
    negative: bool,
    /// Without leading zeros; empty for 0.
    whole: &'a str,
    /// Without trailing zeros.
    fraction: &'a str,
}

/// A decimal number that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl<'a> Digits<'a> {
    /// Reads an optional minus, digits, and optionally a point and more digits. No exponents, no
    /// plus sign, no spaces.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (signed, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        if !is_digits(whole) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: signed && !zero, whole, fraction })
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        (self.whole.len().cmp(&other.whole.len()))
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }
}

impl Decimal {
    /// Reads what [`Digits::parse`] reads.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Digits { negative, whole, fraction } = Digits::parse(text)?;
        Some(Self { negative, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }

    /// The same number, borrowed.
    pub(crate) fn digits(&self) -> Digits<'_> {
        Digits { negative: self.negative, whole: &self.whole, fraction: &self.fraction }
    }
}

impl Ord for Digits<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Digits<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.digits().cmp(&other.digits())
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { self.whole.as_str() };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{}", self.fraction)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Decimal, Digits};

    #[test]
    fn numbers_have_one_order() {
        let texts = ["-10.5", "-2", "-1.9", "0", "0.05", "0.5", "3", "20"];
        for (place, one) in texts.iter().enumerate() {
            for (other_place, other) in texts.iter().enumerate() {
                let order = Some(place.cmp(&other_place));
                assert_eq!(Digits::parse(one).partial_cmp(&Digits::parse(other)), order);
                assert_eq!(Decimal::parse(one).partial_cmp(&Decimal::parse(other)), order);
            }
        }
    }
}
