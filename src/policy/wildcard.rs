//! Patterns with `*` (any characters) and `?` (one character), over Unicode characters.
//!
//! A pattern is cut at its stars into chunks; each chunk is looked for once, leftmost, after the
//! one before it. Nothing is ever tried again, so there is no blow-up: plain chunks cost linear
//! time, chunks that hold a `?` a sixty-fourth of their length times the text's.

use std::collections::HashMap;
use std::fmt;

use super::fold::fold;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// What stands between the stars: one chunk more than there are stars.
    chunks: Vec<Chunk>,
}

/// A chunk with `?`s that is shorter than this is tried at each place.
const SHORT: usize = 32;

/// Literal text and `?`s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chunk(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    One,
}

impl Pattern {
    /// The pattern that matches the empty text; grows by the `push_` methods.
    pub(crate) fn new() -> Self {
        Self { chunks: vec![Chunk::default()] }
    }

    /// Reads `*` and `?` as wildcards, everything else as itself.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pattern = Self::new();
        let mut rest = text;
        while let Some(at) = rest.find(['*', '?']) {
            let (literal, tail) = rest.split_at(at);
            pattern.push_text(literal);
            rest = if let Some(tail) = tail.strip_prefix('*') {
                pattern.push_any();
                tail
            } else {
                pattern.push_one();
                tail.strip_prefix('?').unwrap_or_default()
            };
        }
        pattern.push_text(rest);
        pattern
    }

    /// Appends literal text.
    pub(crate) fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(chunk) = self.chunks.last_mut() {
            if let Some(Piece::Text(last)) = chunk.0.last_mut() {
                last.push_str(text);
            } else {
                chunk.0.push(Piece::Text(text.to_owned()));
            }
        }
    }

    /// Appends a `*`.
    pub(crate) fn push_any(&mut self) {
        self.chunks.push(Chunk::default());
    }

    /// Appends a `?`.
    pub(crate) fn push_one(&mut self) {
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.0.push(Piece::One);
        }
    }

    /// The same pattern without room to grow: for one that is kept.
    #[must_use]
    pub(crate) fn shrunk(mut self) -> Self {
        for chunk in &mut self.chunks {
            chunk.0.shrink_to_fit();
        }
        self.chunks.shrink_to_fit();
        self
    }

    /// The same pattern with its text case-folded.
    #[must_use]
    pub(crate) fn folded(mut self) -> Self {
        for piece in self.chunks.iter_mut().flat_map(|chunk| &mut chunk.0) {
            if let Piece::Text(text) = piece {
                *text = fold(text).into_owned();
            }
        }
        self
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self.chunks.as_slice() {
            [] => false,
            [only] => only.strip_prefix(text).is_some_and(str::is_empty),
            [first, middle @ .., last] => first
                .strip_prefix(text)
                .and_then(|rest| last.strip_suffix(rest))
                .and_then(|rest| middle.iter().try_fold(rest, |rest, chunk| chunk.skip_past(rest)))
                .is_some(),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, chunk) in self.chunks.iter().enumerate() {
            if index > 0 {
                f.write_str("*")?;
            }
            for piece in &chunk.0 {
                match piece {
                    Piece::Text(text) => f.write_str(text)?,
                    Piece::One => f.write_str("?")?,
                }
            }
        }
        Ok(())
    }
}

impl Chunk {
    /// Its characters; none for a `?`.
    fn chars(&self) -> impl Iterator<Item = Option<char>> {
        self.0.iter().flat_map(|piece| {
            let (text, one) = match piece {
                Piece::Text(text) => (text.as_str(), None),
                Piece::One => ("", Some(None)),
            };
            text.chars().map(Some).chain(one)
        })
    }

    /// What follows this chunk where `text` begins with it.
    fn strip_prefix<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.0.iter().try_fold(text, |rest, piece| match piece {
            Piece::Text(literal) => rest.strip_prefix(literal.as_str()),
            Piece::One => without_first(rest),
        })
    }

    /// What precedes this chunk where `text` ends with it.
    fn strip_suffix<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.0.iter().rev().try_fold(text, |rest, piece| match piece {
            Piece::Text(literal) => rest.strip_suffix(literal.as_str()),
            Piece::One => {
                let mut chars = rest.chars();
                chars.next_back().map(|_| chars.as_str())
            }
        })
    }

    /// What follows the first place in `text` where this chunk stands.
    fn skip_past<'t>(&self, text: &'t str) -> Option<&'t str> {
        if let [Piece::Text(literal)] = self.0.as_slice() {
            return text.split_once(literal.as_str()).map(|(_, rest)| rest);
        }
        let chars: Vec<Option<char>> = self.chars().collect();
        if chars.len() >= SHORT {
            return search(&chars, text);
        }
        let mut from = text;
        loop {
            if let Some(rest) = self.strip_prefix(from) {
                return Some(rest);
            }
            from = without_first(from)?;
        }
    }
}

/// What follows the first place in `text` where the characters stand, any where there is none. By
/// Shift-And: a bit for each of them says whether it and all before it have just been seen.
///
/// A character that stands in more places than there are words of bits has a bit for each place,
/// one that stands in fewer a list: what is built grows with the characters, not with their square.
fn search<'t>(chars: &[Option<char>], text: &'t str) -> Option<&'t str> {
    if chars.len() > text.len() {
        return None;
    }
    let words = chars.len().div_ceil(64);
    let mut anywhere = vec![0_u64; words];
    let mut places: HashMap<char, Vec<usize>> = HashMap::new();
    for (place, c) in chars.iter().enumerate() {
        match c {
            Some(c) => places.entry(*c).or_default().push(place),
            None => add(&mut anywhere, place),
        }
    }
    let frequent: HashMap<char, Vec<u64>> = (places.iter())
        .filter(|(_, places)| is_frequent(places, words))
        .map(|(c, places)| {
            let mut mask = anywhere.clone();
            for place in places {
                add(&mut mask, *place);
            }
            (*c, mask)
        })
        .collect();
    let last = 1_u64 << ((chars.len() - 1) % 64);
    let mut seen = vec![0_u64; words];
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let (masks, few) = match frequent.get(&c) {
            Some(masks) => (masks, Default::default()),
            None => (&anywhere, places.get(&c).map(Vec::as_slice).unwrap_or_default()),
        };
        let mut few = few.iter().peekable();
        let mut carry = 1;
        for (at, (word, mask)) in seen.iter_mut().zip(masks).enumerate() {
            let mut mask = *mask;
            while let Some(place) = few.next_if(|place| **place / 64 == at) {
                mask |= 1 << (place % 64);
            }
            let next = *word >> 63;
            *word = (*word << 1 | carry) & mask;
            carry = next;
        }
        if seen.last().is_some_and(|word| word & last != 0) {
            return Some(rest.as_str());
        }
    }
    None
}

fn is_frequent(places: &[usize], words: usize) -> bool {
    places.len() > words
}

fn add(mask: &mut [u64], place: usize) {
    if let Some(word) = mask.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

fn without_first(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_long_chunk_may_be_all_there_is() {
        for chunk in [format!("?{}", "ab".repeat(60)), format!("?{}", "a".repeat(200))] {
            let pattern = Pattern::parse(&format!("*{chunk}*"));
            let text = chunk.replace('?', "x");
            assert!(pattern.matches(&text) && pattern.matches(&format!("x{text}")));
            assert!(!pattern.matches(&text[1..]) && !pattern.matches(&text[..text.len() - 1]));
        }
    }

    #[test]
    fn a_chunk_has_its_characters_in_order_and_none_for_question_marks() {
        let pattern = Pattern::parse("?aä*b?");
        let chars: Vec<Vec<Option<char>>> =
            pattern.chunks.iter().map(|chunk| chunk.chars().collect()).collect();
        assert_eq!(chars, [vec![None, Some('a'), Some('ä')], vec![Some('b'), None]]);
    }
}
