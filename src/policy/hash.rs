//! The hash that condition keys and actions are looked up by.
//!
//! It is no defence: whoever looks something up by it compares the text too, and what it is used
//! on is bounded. The letters of ASCII count without their case.

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const STEP: u64 = 0xd6e8_feb8_6659_fd93;

/// Hashes a text, ASCII letters in either case alike.
#[inline]
pub(crate) fn hash(text: &[u8]) -> u64 {
    let (words, tail) = text.as_chunks::<8>();
    let mut state = SEED ^ text.len() as u64;
    for word in words {
        state = mix(state, lower(u64::from_le_bytes(*word)));
    }
    let last = match tail {
        [] => return mix(state, STEP),
        // The last eight bytes overlap with what came before, where there are so many.
        _ => match text.last_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        },
    };
    mix(state, lower(last))
}

#[inline]
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word) * u128::from(STEP);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let folded = (product as u64) ^ ((product >> 64) as u64);
    folded.wrapping_add(SEED)
}

/// Eight bytes at once, `A` to `Z` lower-cased.
#[inline]
fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let plain = word & !HIGH;
    let from_a = plain + (0x80 - u64::from(b'A')) * ONES;
    let past_z = plain + (0x80 - u64::from(b'Z') - 1) * ONES;
    let letters = (from_a ^ past_z) & !word & HIGH;
    word | (letters >> 2)
}

#[cfg(test)]
mod tests {
    use super::{hash, lower};

    #[test]
    fn eight_bytes_are_lower_cased_as_one_by_one() {
        for byte in 0..=255_u8 {
            for with in [0_u8, b'A', b'z', 0xff] {
                let bytes = [byte, with, byte, b'@', byte, b'[', with, byte];
                let expected = bytes.map(|byte| byte.to_ascii_lowercase());
                assert_eq!(lower(u64::from_le_bytes(bytes)).to_le_bytes(), expected);
            }
        }
    }

    /// Worked out by another program from the description: a change of any step shows.
    #[test]
    fn each_step_counts() {
        for (text, expected) in [
            ("", 0x796a_82ac_10c3_94d4),
            ("a", 0xfef3_694a_7463_759a),
            ("k:ey", 0xb6b0_d2df_415f_c82f),
            ("s3:list", 0x6462_902f_fa27_3bad),
            ("iam:User", 0x425b_52ba_7119_defd),
            ("aws:Token", 0xbd34_f86a_9669_cbbf),
            ("aws:PrincipalArn", 0xce45_ce82_09ad_3cd0),
            ("s3:GetObjectVersionTagging", 0x0faa_9270_be1a_882f_u64),
        ] {
            assert_eq!(hash(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn case_does_not_matter_and_everything_else_does() {
        let text = "aws:PrincipalTag/Department-of-Long-Names";
        for end in 0..text.len() {
            let part = &text[..end];
            assert_eq!(hash(part.as_bytes()), hash(part.to_uppercase().as_bytes()));
            assert_ne!(hash(part.as_bytes()), hash(&text.as_bytes()[..=end]));
        }
        let keys: std::collections::BTreeSet<u64> =
            (0..100_000).map(|n| hash(format!("aws:RequestTag/key-{n}").as_bytes())).collect();
        assert_eq!(keys.len(), 100_000);
    }
}
