//! `SignedHeaders` against the headers that arrived.

use super::{Bounded, MAX_HEADERS, MAX_SIGNED_HEADERS, MAX_SIGNED_HEADERS_BYTES, SigError};

const NONE: u8 = u8::MAX;
const _: () = assert!(MAX_HEADERS < NONE as usize, "an index of a header fits in a byte");

/// Where each signed header stands among those that arrived: a chain of indices per name, in
/// order of arrival. It borrows nothing and allocates nothing.
pub(super) struct SignedSet {
    /// Where each name stands in the list, start and end.
    names: [(u16, u16); MAX_SIGNED_HEADERS],
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
            names: [(0, 0); MAX_SIGNED_HEADERS],
            count: 0,
            first: [NONE; MAX_SIGNED_HEADERS],
            next: [NONE; MAX_HEADERS],
        };
        set.read(list)?;
        for (index, (name, value)) in headers.iter().enumerate().rev() {
            match set.slot(list, name) {
                Some(slot) => {
                    if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
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
        for ((start, end), first) in set.names.iter().zip(&set.first).take(set.count) {
            if *first == NONE {
                return Err(SigError::SignedHeaderAbsent {
                    name: part(list, *start, *end).to_owned(),
                });
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
        self.names.iter().zip(&self.first).take(self.count).map(move |((start, end), first)| {
            let mut at = *first;
            let values = std::iter::from_fn(move || {
                let (_, value) = headers.get(usize::from(at))?;
                at = self.next.get(usize::from(at)).copied().unwrap_or(NONE);
                Some(*value)
            });
            (part(list, *start, *end), values)
        })
    }

    fn read(&mut self, list: &str) -> Result<(), SigError> {
        let mut start = 0;
        let mut before = "";
        for name in list.split(';') {
            let end = start + name.len();
            if name.is_empty() || !name.bytes().all(is_lower_token) || name <= before {
                return Err(SigError::MalformedSignedHeaders);
            }
            let slot =
                self.names.get_mut(self.count).ok_or(SigError::TooLarge(Bounded::SignedHeaders))?;
            let span = |at: usize| {
                u16::try_from(at).map_err(|_| SigError::TooLarge(Bounded::SignedHeaders))
            };
            *slot = (span(start)?, span(end)?);
            self.count += 1;
            start = end + 1;
            before = name;
        }
        Ok(())
    }

    fn slot(&self, list: &str, name: &str) -> Option<usize> {
        self.names.iter().take(self.count).position(|(start, end)| {
            usize::from(end - start) == name.len()
                && part(list, *start, *end).eq_ignore_ascii_case(name)
        })
    }
}

fn part(list: &str, start: u16, end: u16) -> &str {
    list.get(usize::from(start)..usize::from(end)).unwrap_or_default()
}

fn is_amz(name: &str) -> bool {
    name.as_bytes().get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"x-amz-"))
}

/// RFC 9110 §5.6.2, without capitals.
fn is_lower_token(byte: u8) -> bool {
    is_token(byte) && !byte.is_ascii_uppercase()
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
