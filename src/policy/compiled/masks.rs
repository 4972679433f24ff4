//! Where a long chunk of text and `?`s first stands in a text, by the Shift-And method: one bit for
//! each character of the chunk says whether all before it have just been seen.

use super::glob::Piece;

/// Shorter chunks are tried at each place: that is faster, and costs at most this times the text.
const SHORTEST: usize = 24;
/// The state has so many words: longer chunks are tried at each place.
const WORDS: usize = 128;

/// The places of each character in a chunk.
///
/// INVARIANT: what they take grows with the chunk, not with its square. A character that stands in
/// more places than there are words has a bit for each place, one that stands in fewer a list: so
/// that either costs a text's character about as much as there are words.
#[derive(Debug)]
pub(super) struct Masks {
    /// One bit for each place where any character may stand.
    anywhere: Box<[u64]>,
    /// Frequent characters, in their order, each with one bit for each place where it may stand.
    frequent: Box<[(char, Box<[u64]>)]>,
    /// The other characters and their places, in their order.
    rare: Box<[(char, usize)]>,
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
        let mut anywhere = vec![0_u64; words];
        let mut places: Vec<(char, usize)> = Vec::new();
        for (place, c) in chunk.iter().enumerate() {
            match c {
                Some(c) => places.push((*c, place)),
                None => set(&mut anywhere, place),
            }
        }
        places.sort_unstable();
        let mut frequent = Vec::new();
        let mut rare = Vec::new();
        for alike in places.chunk_by(|one, other| one.0 == other.0) {
            match alike {
                [(c, _), ..] if alike.len() > words => {
                    let mut mask = anywhere.clone();
                    for (_, place) in alike {
                        set(&mut mask, *place);
                    }
                    frequent.push((*c, mask.into()));
                }
                few => rare.extend_from_slice(few),
            }
        }
        let last = 1 << ((chunk.len() - 1) % 64);
        Some(Self { anywhere: anywhere.into(), frequent: frequent.into(), rare: rare.into(), last })
    }

    /// What follows the first place in `text` where the chunk stands.
    pub(super) fn skip_past<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut state = [0_u64; WORDS];
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let frequent = self.frequent.binary_search_by_key(&c, |(frequent, _)| *frequent);
            let frequent = frequent.ok().and_then(|at| self.frequent.get(at));
            let (masks, few) = match frequent {
                Some((_, masks)) => (masks, Default::default()),
                None => (&self.anywhere, self.places(c)),
            };
            let mut few = few.iter().peekable();
            let mut carry = 1;
            let mut seen = 0;
            for (at, (word, mask)) in state.iter_mut().zip(masks).enumerate() {
                let mut mask = *mask;
                while let Some((_, place)) = few.next_if(|(_, place)| place / 64 == at) {
                    mask |= 1 << (place % 64);
                }
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

    /// The places of a character that is not frequent, in their order.
    fn places(&self, c: char) -> &[(char, usize)] {
        let from = self.rare.partition_point(|(rare, _)| *rare < c);
        let rest = self.rare.get(from..).unwrap_or_default();
        let count = rest.partition_point(|(rare, _)| *rare == c);
        rest.get(..count).unwrap_or_default()
    }
}

fn set(mask: &mut [u64], place: usize) {
    if let Some(word) = mask.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

#[cfg(test)]
mod tests {
    use super::{Masks, Piece};

    /// How many words a chunk of `?` and this text takes.
    fn words(text: &str) -> usize {
        let masks = Masks::new(&[Piece::One, Piece::Text(text.into())]).unwrap();
        let frequent: usize = masks.frequent.iter().map(|(_, mask)| mask.len() + 1).sum();
        masks.anywhere.len() + frequent + 2 * masks.rare.len()
    }

    #[test]
    fn what_masks_take_grows_with_the_chunk_and_not_with_its_square() {
        let different = |count: u32| -> String {
            (0..count).filter_map(|at| char::from_u32(0x4e00 + at)).collect()
        };
        for count in [100, 1_000, 8_000] {
            let count = usize::try_from(count).unwrap();
            let all = different(u32::try_from(count).unwrap());
            assert!(words(&all) < 4 * count, "{count} different ones: {}", words(&all));
            let same = "a".repeat(count);
            assert!(words(&same) < count, "{count} alike: {}", words(&same));
            // As many of each as there are different ones.
            let few = different(u32::try_from(count.isqrt()).unwrap()).repeat(count.isqrt());
            assert!(words(&few) < 4 * count, "{count} mixed: {}", words(&few));
        }
    }

    /// Frequent and rare characters, in the same word and across words.
    #[test]
    fn a_chunk_is_found_by_frequent_and_rare_characters_alike() {
        let chunk = format!("?{}x{}y", "a".repeat(70), "b?".repeat(40));
        let pieces: Vec<Piece> = chunk
            .chars()
            .map(|c| if c == '?' { Piece::One } else { Piece::Text(c.to_string().into()) })
            .collect();
        let masks = Masks::new(&pieces).unwrap();
        assert!(!masks.frequent.is_empty() && !masks.rare.is_empty());
        let there = chunk.replace('?', "\u{e9}");
        assert_eq!(masks.skip_past(&format!("aab{there}end")), Some("end"));
        for (wrong, with) in [("x", "y"), ("y", "x"), ("ax", "xa"), ("b", "a")] {
            let other = there.replacen(wrong, with, 1);
            assert_eq!(masks.skip_past(&other), None, "{wrong}");
        }
    }

    /// As a chunk that is tried at each place, whatever its letters and however long.
    #[test]
    fn a_chunk_is_found_where_trying_each_place_finds_it() {
        let mut seed = 7_u64;
        let mut below = |bound: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            usize::try_from(seed >> 33).unwrap() % bound
        };
        let mut found = 0;
        for round in 0..2_000 {
            let letters = [1, 2, 3, 60][round % 4];
            let mut letter =
                |bound: usize| char::from_u32(0x61 + u32::try_from(below(bound)).unwrap()).unwrap();
            let length = [24, 30, 63, 64, 65, 130, 200][round % 7];
            let text: Vec<char> = (0..length + 80).map(|_| letter(letters)).collect();
            // A piece of the text with question marks, and now and then another letter.
            let from = usize::from(u8::try_from(u32::from(letter(26)) - 0x61).unwrap());
            let mut chunk: Vec<char> = text[from..from + length].to_vec();
            for c in &mut chunk {
                match letter(20) {
                    'a' | 'b' => *c = '?',
                    'c' if length < 65 && letters < 60 => *c = letter(letters),
                    _ => {}
                }
            }
            chunk[length / 2] = '?';
            let pieces: Vec<Piece> = chunk
                .iter()
                .map(|c| if *c == '?' { Piece::One } else { Piece::Text(c.to_string().into()) })
                .collect();
            let at = text.windows(length).position(|window| {
                window.iter().zip(&chunk).all(|(have, want)| *want == '?' || have == want)
            });
            let expected = at.map(|at| text[at + length..].iter().collect::<String>());
            let whole: String = text.iter().collect();
            let masks = Masks::new(&pieces).unwrap();
            assert_eq!(masks.skip_past(&whole), expected.as_deref(), "{chunk:?} {whole}");
            found += usize::from(at.is_some());
        }
        assert!((800..1_990).contains(&found), "{found}");
    }
}
