//! Where a long chunk of text and `?`s first stands in a text, by the Shift-And method: one bit for
//! each character of the chunk says whether all before it have just been seen.

use super::glob::Piece;
use super::work;

/// Shorter chunks are tried at each place: that is faster, and costs at most this times the text.
const SHORTEST: usize = 24;
/// The state has so many words: longer chunks are tried at each place.
const WORDS: usize = 128;

/// The places of each character in a chunk.
#[derive(Debug)]
pub(super) struct Masks {
    /// The characters of the chunk, in their order.
    chars: Box<[char]>,
    /// For each of them, and last for all others: one bit for each place where it may stand.
    places: Box<[Box<[u64]>]>,
    /// The bit of the chunk's last character, in the last word.
    last: u64,
}

impl Masks {
    /// `None` for a chunk that is looked for in another way.
    pub(super) fn new(pieces: &[Piece]) -> Option<Self> {
        if !pieces.iter().any(|piece| matches!(piece, Piece::One)) {
            return None;
        }
        let mut chunk: Vec<Option<char>> = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => chunk.extend(text.chars().map(Some)),
                Piece::One => chunk.push(None),
                Piece::Variable { .. } => return None,
            }
        }
        let words = chunk.len().div_ceil(64);
        if chunk.len() < SHORTEST || words > WORDS {
            return None;
        }
        let mut chars: Vec<char> = chunk.iter().flatten().copied().collect();
        chars.sort_unstable();
        chars.dedup();
        let places = (chars.iter().copied().map(Some))
            .chain([None])
            .map(|wanted| {
                chunk
                    .chunks(64)
                    .map(|part| {
                        let bits = part
                            .iter()
                            .enumerate()
                            .filter(|(_, c)| c.is_none() || (wanted.is_some() && **c == wanted));
                        bits.fold(0, |word, (bit, _)| word | 1_u64 << bit)
                    })
                    .collect()
            })
            .collect();
        let last = 1 << ((chunk.len() - 1) % 64);
        Some(Self { chars: chars.into(), places, last })
    }

    /// What follows the first place in `text` where the chunk stands.
    pub(super) fn skip_past<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut state = [0_u64; WORDS];
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let at = self.chars.binary_search(&c).unwrap_or(self.chars.len());
            let mut carry = 1;
            let mut seen = 0;
            let masks = self.places.get(at)?;
            work::takes(masks.len());
            for (word, mask) in state.iter_mut().zip(masks) {
                let next = *word >> 63;
                *word = (*word << 1 | carry) & mask;
                carry = next;
                seen = *word;
            }
            if seen & self.last != 0 {
                return Some(rest.as_str());
            }
        }
        None
    }
}
