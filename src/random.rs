//! Randomness as an argument: the system's generator behind a trait, so that engines stay pure.

/// The system's random generator failed.
#[derive(Debug, thiserror::Error)]
#[error("the system's random generator failed")]
pub struct RandomError;

/// A source of cryptographically strong random bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError>;
}

/// The operating system's generator, by ring.
#[derive(Debug)]
pub struct SystemRandom(ring::rand::SystemRandom);

impl SystemRandom {
    /// A handle to the system's generator.
    pub fn new() -> Self {
        Self(ring::rand::SystemRandom::new())
    }
}

impl Default for SystemRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        ring::rand::SecureRandom::fill(&self.0, buffer).map_err(|_| RandomError)
    }
}

/// Draws `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> Result<[u8; N], RandomError> {
    let mut out = [0; N];
    random.fill(&mut out)?;
    Ok(out)
}

/// Draws a string of `length` characters, each equally likely among those of `alphabet`.
///
/// `alphabet` is ASCII and at most 256 characters long.
pub fn text(random: &dyn Random, alphabet: &[u8], length: usize) -> Result<String, RandomError> {
    // Bytes at or over the largest multiple of the alphabet's size are thrown away: no bias.
    let limit = 256 - 256 % alphabet.len().max(1);
    let mut out = String::with_capacity(length);
    let mut buffer = zeroize::Zeroizing::new([0_u8; 64]);
    while out.len() < length {
        random.fill(buffer.as_mut_slice())?;
        for byte in buffer.iter() {
            let index = usize::from(*byte);
            if out.len() < length
                && index < limit
                && let Some(c) = alphabet.get(index % alphabet.len())
            {
                out.push(char::from(*c));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_draws_from_the_whole_alphabet_only() {
        let drawn = text(&SystemRandom::new(), b"abc", 3000).unwrap();
        assert_eq!(drawn.len(), 3000);
        for c in ['a', 'b', 'c'] {
            let count = drawn.chars().filter(|d| *d == c).count();
            assert!((800..1200).contains(&count), "{c}: {count}");
        }
    }
}
