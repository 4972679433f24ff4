//! Strict `application/x-www-form-urlencoded` decoding: what cannot be decoded is an error, never
//! a guess.

use zeroize::Zeroizing;

use super::QueryError;

/// Decodes one name or value: `+` is a space, `%XX` a byte, the bytes together are UTF-8.
pub(super) fn component(encoded: &[u8]) -> Result<Zeroizing<String>, QueryError> {
    // At full size from the start: a secret is not left behind by a buffer that grew.
    let mut out = Zeroizing::new(Vec::with_capacity(encoded.len()));
    let mut bytes = encoded.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next())? << 4 | hex(bytes.next())?,
            other => *other,
        });
    }
    match String::from_utf8(std::mem::take(&mut *out)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(QueryError::Encoding)
        }
    }
}

fn hex(digit: Option<&u8>) -> Result<u8, QueryError> {
    match digit {
        Some(d @ b'0'..=b'9') => Ok(d - b'0'),
        Some(d @ b'a'..=b'f') => Ok(d - b'a' + 10),
        Some(d @ b'A'..=b'F') => Ok(d - b'A' + 10),
        _ => Err(QueryError::Encoding),
    }
}
