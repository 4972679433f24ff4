//! `SignedHeaders` against the headers that arrived.

use std::ops::Range;

use super::{Bounded, MAX_HEADERS, MAX_SIGNED_HEADERS, MAX_SIGNED_HEADERS_BYTES, SigError};

const NONE: u8 = u8::MAX;
const _: () = assert!(MAX_HEADERS < NONE as usize, "an index of a header fits in a byte");

/// Where each signed header stands among those that arrived: a chain of indices per name, in
/// order of arrival. It borrows nothing and allocates nothing.
pub(super) struct SignedSet {
    /// Where each name starts in the list, and after the last one where the next would.
    starts: [u16; MAX_SIGNED_HEADERS + 1],
    count: usize,
    first: [u8; MAX_SIGNED_HEADERS],
    next: [u8; MAX_HEADERS],
}

impl SignedSet {
    /// Reads the list and finds its headers.
    ///
    /// INVARIANT: the list is sorted, lower-case and without duplicates; each header it names
    /// arrived; each `x-amz-*` header that arrived is named.
    pub(super) fn build(list: &str, headers: &[(&str, &[u8])]) -> Result<Self, SigError> {
        if list.len() > MAX_SIGNED_HEADERS_BYTES {
            return Err(SigError::TooLarge(Bounded::SignedHeaders));
        }
        if headers.len() > MAX_HEADERS {
            return Err(SigError::TooLarge(Bounded::Headers));
        }
        let mut set = Self {
            starts: [0; MAX_SIGNED_HEADERS + 1],
            count: 0,
            first: [NONE; MAX_SIGNED_HEADERS],
            next: [NONE; MAX_HEADERS],
        };
        set.read(list)?;
        for (index, (name, value)) in headers.iter().enumerate().rev() {
            // INVARIANT: whoever reads `_` as `-` is shown no `x-amz-*` header that nobody judged.
            if passes_for_amz(name) {
                return Err(SigError::HeaderNotSigned { name: (*name).to_owned() });
            }
            match set.slot(list, name) {
                Some(slot) => {
                    if has_controls(value) {
                        return Err(SigError::MalformedHeader { name: (*name).to_owned() });
                    }
                    // Backwards, so that the chain runs in order of arrival.
                    if let (Some(first), Some(next), Ok(index)) =
                        (set.first.get_mut(slot), set.next.get_mut(index), u8::try_from(index))
                    {
                        *next = *first;
                        *first = index;
                    }
                }
                None if is_amz(name) => {
                    return Err(SigError::HeaderNotSigned { name: (*name).to_owned() });
                }
                None => {}
            }
        }
        for (span, first) in set.spans().zip(&set.first) {
            if *first == NONE {
                let name = list.get(span).unwrap_or_default().to_owned();
                return Err(SigError::SignedHeaderAbsent { name });
            }
        }
        Ok(set)
    }

    /// Whether the list holds this lower-case name.
    pub(super) fn holds(&self, list: &str, name: &str) -> bool {
        self.slot(list, name).is_some()
    }

    /// The signed names in order, each with its values in order of arrival.
    pub(super) fn iter<'s, 'h>(
        &'s self,
        list: &'s str,
        headers: &'h [(&'h str, &'h [u8])],
    ) -> impl Iterator<Item = (&'s str, impl Iterator<Item = &'h [u8]>)> {
        self.spans().zip(&self.first).map(move |(span, first)| {
            let mut at = *first;
            let values = std::iter::from_fn(move || {
                let (_, value) = headers.get(usize::from(at))?;
                at = self.next.get(usize::from(at)).copied().unwrap_or(NONE);
                Some(*value)
            });
            (list.get(span).unwrap_or_default(), values)
        })
    }

    fn read(&mut self, list: &str) -> Result<(), SigError> {
        let mut before: &[u8] = b"";
        let mut start = 0;
        for name in list.as_bytes().split(|byte| *byte == b';') {
            let stands =
                name.iter().fold(!name.is_empty(), |all, byte| all & is_lower_token(*byte));
            if !stands || name <= before {
                return Err(SigError::MalformedSignedHeaders);
            }
            if self.count == MAX_SIGNED_HEADERS {
                return Err(SigError::TooLarge(Bounded::SignedHeaders));
            }
            if let Some(slot) = self.starts.get_mut(self.count) {
                *slot = start;
            }
            self.count += 1;
            // The list's length was checked: this neither overflows nor wraps.
            start += u16::try_from(name.len()).unwrap_or(0) + 1;
            before = name;
        }
        if let Some(end) = self.starts.get_mut(self.count) {
            *end = start;
        }
        Ok(())
    }

    /// Where the name of each slot stands in the list.
    fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = self.starts.iter().skip(1);
        self.starts
            .iter()
            .zip(ends)
            .take(self.count)
            .map(|(start, next)| usize::from(*start)..usize::from(*next).saturating_sub(1))
    }

    fn slot(&self, list: &str, name: &str) -> Option<usize> {
        self.spans().position(|span| {
            span.len() == name.len()
                && list
                    .as_bytes()
                    .get(span)
                    .is_some_and(|signed| signed.eq_ignore_ascii_case(name.as_bytes()))
        })
    }
}

/// Whether a value holds a control character other than a tab. It looks at every byte whatever it
/// finds, so that many are looked at at once.
fn has_controls(value: &[u8]) -> bool {
    let control = |byte: u8| u8::from((byte < b' ' && byte != b'\t') || byte == 0x7f);
    value.iter().fold(0, |found, byte| found | control(*byte)) != 0
}

fn is_amz(name: &str) -> bool {
    name.as_bytes().get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"x-amz-"))
}

/// Whether a name is one of Amazon's for those only who do not tell `_` from `-`, as CGI and its
/// heirs do not.
fn passes_for_amz(name: &str) -> bool {
    let like = |(byte, wanted): (&u8, &u8)| {
        byte.eq_ignore_ascii_case(wanted) || (*byte == b'_' && *wanted == b'-')
    };
    let prefix = name.as_bytes().get(..6);
    prefix.is_some_and(|prefix| prefix.contains(&b'_') && prefix.iter().zip(b"x-amz-").all(like))
}

/// The characters of a token, RFC 9110 §5.6.2.
const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let characters =
        b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut index = 0;
    while index < characters.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated when compiling")]
        let slot = &mut token[characters[index] as usize];
        *slot = true;
        index += 1;
    }
    token
};

fn is_lower_token(byte: u8) -> bool {
    is_token(byte) & !byte.is_ascii_uppercase()
}

/// Whether a byte may stand in a token: a method, a header's name.
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::SigError;
    use super::{SignedSet, has_controls, is_amz, is_lower_token, is_token, passes_for_amz};

    #[test]
    fn a_token_has_the_characters_of_rfc_9110() {
        for byte in 0..=255_u8 {
            let expected = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(byte), expected, "{byte}");
            assert_eq!(is_lower_token(byte), expected && !byte.is_ascii_uppercase(), "{byte}");
        }
    }

    /// Every two bytes: what is wrong twice is not right.
    #[test]
    fn control_characters_are_seen_anywhere() {
        for one in 0..=255_u8 {
            for other in 0..=255_u8 {
                let control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
                let expected = control(one) || control(other);
                assert_eq!(has_controls(&[b'a', one, other, b'z']), expected, "{one} {other}");
            }
        }
    }

    #[test]
    fn headers_of_amazon_begin_so_in_any_case() {
        for name in ["x-amz-", "X-Amz-Date", "x-aMZ-security-token"] {
            assert!(is_amz(name), "{name}");
        }
        for name in ["", "x-amz", "x-am-z", "xx-amz-", "x-amazon-"] {
            assert!(!is_amz(name), "{name}");
        }
    }

    #[test]
    fn museum_m01_a_header_that_passes_for_one_of_amazon_is_refused_signed_or_not() {
        for name in ["x_amz_acl", "X-Amz_Acl", "x_AMZ-copy-source", "x-amz_"] {
            assert!(passes_for_amz(name), "{name}");
            for list in ["host", "host;x-amz_", "host;x_amz_acl"] {
                let headers: [(&str, &[u8]); 2] = [("host", b"h"), (name, b"v")];
                assert_eq!(
                    SignedSet::build(list, &headers).map(drop),
                    Err(SigError::HeaderNotSigned { name: name.to_owned() }),
                    "{name} {list}"
                );
            }
        }
        for name in ["x-amz-meta-my_key", "x-amz-acl", "x-am_-", "x_amz", "y_amz_a", "x-ama_a"] {
            assert!(!passes_for_amz(name), "{name}");
        }
    }
}
