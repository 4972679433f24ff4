//! The date of a signed request.

use super::SigError;
use crate::time::Timestamp;

/// When a request was signed, and as its string to sign spells that.
#[derive(Clone, Copy)]
pub(super) struct SignedAt {
    pub(super) time: Timestamp,
    pub(super) text: [u8; 16],
}

impl SignedAt {
    /// Reads `YYYYMMDDTHHMMSSZ`.
    pub(super) fn parse_amz(value: &[u8]) -> Result<Self, SigError> {
        let text: [u8; 16] = value.try_into().map_err(|_| SigError::MalformedDate)?;
        let time = Timestamp::parse_amz(&text).ok_or(SigError::MalformedDate)?;
        Ok(Self { time, text })
    }

    /// Reads a `Date` header: `YYYYMMDDTHHMMSSZ`, or the fixed form of RFC 9110 §5.6.7
    /// (`Sun, 06 Nov 1994 08:49:37 GMT`).
    pub(super) fn parse_header(value: &[u8]) -> Result<Self, SigError> {
        let [
            w1,
            w2,
            w3,
            b',',
            b' ',
            d1,
            d2,
            b' ',
            m1,
            m2,
            m3,
            b' ',
            y1,
            y2,
            y3,
            y4,
            b' ',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
            b' ',
            b'G',
            b'M',
            b'T',
        ] = *value
        else {
            return Self::parse_amz(value);
        };
        let known = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        if !known.contains(&&[w1, w2, w3]) {
            return Err(SigError::MalformedDate);
        }
        let [o1, o2] = *match &[m1, m2, m3] {
            b"Jan" => b"01",
            b"Feb" => b"02",
            b"Mar" => b"03",
            b"Apr" => b"04",
            b"May" => b"05",
            b"Jun" => b"06",
            b"Jul" => b"07",
            b"Aug" => b"08",
            b"Sep" => b"09",
            b"Oct" => b"10",
            b"Nov" => b"11",
            b"Dec" => b"12",
            _ => return Err(SigError::MalformedDate),
        };
        Self::parse_amz(&[y1, y2, y3, y4, o1, o2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z'])
    }

    /// Reads a clock.
    pub(super) fn at(now: Timestamp) -> Result<Self, SigError> {
        Self::parse_amz(now.to_amz().as_bytes())
    }

    /// `YYYYMMDD`.
    pub(super) fn day(&self) -> &str {
        // INVARIANT: both constructors let digits through only.
        self.text.get(..8).and_then(|day| std::str::from_utf8(day).ok()).unwrap_or_default()
    }
}
