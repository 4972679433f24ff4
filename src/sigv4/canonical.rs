//! The canonical request and the string to sign, written piece by piece into a [`Sink`].
//!
//! Verification hashes them as they come and keeps nothing; tests and tools collect them. Every
//! piece is free of the newline that ends it, so that the form has one reading: the method is a
//! token, paths and queries are escaped, header names are tokens, header values hold no control
//! characters, the payload is hexadecimal or a fixed word.

use sha2::{Digest, Sha256};

use super::signed_set::SignedSet;
use super::uri::{self, Target};
use super::{Algorithm, RequestHead, Scope, UriRules};

/// What canonical bytes are written to.
pub(super) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// SHA-256 of what is put: small pieces are gathered first, since each update has its price.
struct Hash {
    sha256: Sha256,
    gathered: [u8; 256],
    length: usize,
}

impl Hash {
    fn new() -> Self {
        Self { sha256: Sha256::new(), gathered: [0; 256], length: 0 }
    }

    fn flush(&mut self) {
        self.sha256.update(self.gathered.get(..self.length).unwrap_or_default());
        self.length = 0;
    }

    fn finish(mut self) -> [u8; 32] {
        self.flush();
        self.sha256.finalize().into()
    }
}

impl Sink for Hash {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(room) = self.gathered.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
            self.length = end;
            return;
        }
        self.flush();
        match self.gathered.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.length = bytes.len();
            }
            None => self.sha256.update(bytes),
        }
    }
}

/// A request with all that its canonical form depends on.
pub(super) struct Canonical<'r> {
    pub(super) head: &'r RequestHead<'r>,
    pub(super) target: Target<'r>,
    /// The query parameter that the form leaves out.
    pub(super) except: Option<&'static str>,
    /// `SignedHeaders` as sent, and where its headers stand.
    pub(super) signed_headers: &'r str,
    pub(super) signed: &'r SignedSet,
    pub(super) uri: UriRules,
    /// The last line: a hash in hexadecimal, or a payload mode.
    pub(super) payload: &'r [u8],
}

impl Canonical<'_> {
    /// Writes the canonical request.
    pub(super) fn write(&self, sink: &mut impl Sink) {
        sink.put(self.head.method.as_bytes());
        sink.put(b"\n");
        uri::write_path(sink, self.target.path, self.uri);
        sink.put(b"\n");
        uri::write_query(sink, self.target, self.except);
        sink.put(b"\n");
        for (name, values) in self.signed.iter(self.signed_headers, self.head.headers) {
            sink.put(name.as_bytes());
            sink.put(b":");
            for (index, value) in values.enumerate() {
                if index > 0 {
                    sink.put(b",");
                }
                write_folded(sink, value);
            }
            sink.put(b"\n");
        }
        sink.put(b"\n");
        sink.put(self.signed_headers.as_bytes());
        sink.put(b"\n");
        sink.put(self.payload);
    }

    /// The SHA-256 of the canonical request.
    pub(super) fn sha256(&self) -> [u8; 32] {
        let mut hash = Hash::new();
        self.write(&mut hash);
        hash.finish()
    }
}

/// Writes the string to sign.
pub(super) fn write_string_to_sign(
    sink: &mut impl Sink,
    algorithm: Algorithm,
    signed_at: &[u8; 16],
    scope: Scope<'_>,
    canonical_sha256: &[u8; 32],
) {
    sink.put(algorithm.name().as_bytes());
    sink.put(b"\n");
    sink.put(signed_at);
    sink.put(b"\n");
    write_scope(sink, algorithm, scope);
    sink.put(b"\n");
    sink.put(&hex(canonical_sha256));
}

/// Writes `date/region/service/aws4_request`, in SigV4A without the region.
pub(super) fn write_scope(sink: &mut impl Sink, algorithm: Algorithm, scope: Scope<'_>) {
    sink.put(scope.date.as_bytes());
    sink.put(b"/");
    if algorithm.has_region() {
        sink.put(scope.region.as_bytes());
        sink.put(b"/");
    }
    sink.put(scope.service.as_bytes());
    sink.put(b"/aws4_request");
}

/// 32 bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut out = [0; 64];
    let (pairs, _) = out.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    out
}

/// Reads exactly 64 lower-case hexadecimal digits.
pub(super) fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    (unhex_into(text, &mut out)? == 32).then_some(out)
}

/// Reads lower-case hexadecimal digits, two a byte, and returns how many bytes they make, if they
/// fit.
pub(super) fn unhex_into(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let mut bad = 0;
    for (byte, [high, low]) in out.get_mut(..pairs.len())?.iter_mut().zip(pairs) {
        let (high, low) = (nibble(*high), nibble(*low));
        bad |= high | low;
        *byte = (high << 4) + (low & 15);
    }
    (bad < 16).then_some(pairs.len())
}

/// The value of a lower-case hexadecimal digit; 255 for anything else.
fn nibble(digit: u8) -> u8 {
    let (decimal, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    if decimal < 10 {
        decimal
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}

/// A header value without its outer blanks.
pub(super) fn trimmed(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Whether a value holds a tab or two spaces in a row. It looks at every byte whatever it finds, so
/// that many are looked at at once.
fn needs_folding(value: &[u8]) -> bool {
    let tabs = value.iter().fold(0, |found, byte| found | u8::from(*byte == b'\t'));
    let pairs = value.iter().zip(value.get(1..).unwrap_or_default());
    pairs.fold(tabs, |found, (a, b)| found | u8::from(*a == b' ' && *b == b' ')) != 0
}

/// Writes a header value: outer blanks removed, every run of inner ones made a single space.
fn write_folded(sink: &mut impl Sink, value: &[u8]) {
    let mut rest = trimmed(value);
    if !needs_folding(rest) {
        sink.put(rest);
        return;
    }
    loop {
        let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\t'));
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        sink.put(word);
        if after.is_empty() {
            return;
        }
        sink.put(b" ");
        rest = trimmed(after);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Hash, Sink as _, hex, needs_folding, nibble, trimmed, unhex, unhex_into, write_folded,
    };
    use sha2::{Digest as _, Sha256};

    /// Every pair of bytes: two lower-case digits are a byte, all else is nothing.
    #[test]
    fn two_lower_case_digits_are_a_byte() {
        for high in 0..=255_u8 {
            for low in 0..=255_u8 {
                let text = [high, low];
                let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!(nibble(high) == u8::MAX, !digit(high), "{high}");
                let expected = std::str::from_utf8(&text)
                    .ok()
                    .filter(|_| digit(high) && digit(low))
                    .and_then(|text| u8::from_str_radix(text, 16).ok());
                let mut out = [0; 1];
                let length = unhex_into(&text, &mut out);
                assert_eq!((length, length.map(|_| out[0])), (expected.map(|_| 1), expected));
            }
        }
        let mut out = [0; 4];
        for (text, expected) in [
            (&b""[..], Some(0)),
            (b"0", None),
            (b"010", None),
            (b"0102", Some(2)),
            (b"01020304", Some(4)),
            (b"0102030405", None),
            // What is wrong twice is not right.
            (b"zz", None),
            (b"zzzz", None),
            (b"0AA0", None),
        ] {
            assert_eq!(unhex_into(text, &mut out), expected, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_goes_there_and_back() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8 + at / 4).unwrap());
        let text = hex(&bytes);
        let plainly: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, *plainly.concat().as_bytes());
        assert_eq!(unhex(&text), Some(bytes));
        assert_eq!(unhex(&text[..62]), None);
        assert_eq!(unhex(&[text.as_slice(), b"00"].concat()), None);
    }

    /// Every value of up to seven letters, blanks and tabs.
    #[test]
    fn blanks_are_folded_as_one_by_one() {
        let mut values: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..7 {
            for at in 0..values.len() {
                for byte in [b'a', b' ', b'\t'] {
                    values.push([values[at].as_slice(), &[byte]].concat());
                }
            }
            values.sort_unstable();
            values.dedup();
        }
        assert_eq!(values.len(), (0..=7).map(|length| 3_usize.pow(length)).sum::<usize>());
        for value in values {
            let text = std::str::from_utf8(&value).unwrap();
            let words: Vec<&str> =
                text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            let mut out = Vec::new();
            write_folded(&mut out, &value);
            assert_eq!(std::str::from_utf8(&out).unwrap(), words.join(" "), "{text:?}");
            assert_eq!(trimmed(&value), text.trim_matches([' ', '\t']).as_bytes());
            let needed = text.contains('\t') || text.contains("  ");
            assert_eq!(needs_folding(&value), needed, "{text:?}");
        }
    }

    /// Pieces of every length, around that of the gathered ones.
    #[test]
    fn pieces_are_hashed_as_one_text() {
        for lengths in [&[0, 1, 255][..], &[1, 255, 1], &[256, 1], &[257], &[200, 100, 300, 2, 256]]
        {
            let (mut hash, mut whole) = (Hash::new(), Vec::new());
            for (number, length) in lengths.iter().enumerate() {
                let piece = vec![b'a' + u8::try_from(number).unwrap(); *length];
                hash.put(&piece);
                whole.extend(piece);
            }
            assert_eq!(hash.finish(), <[u8; 32]>::from(Sha256::digest(&whole)), "{lengths:?}");
        }
    }
}
