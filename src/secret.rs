//! Secrets that cannot leak by accident.
//!
//! INVARIANT (secrets stay secret): a secret has no `Debug`, `Display`, `Clone` or `==`, is wiped
//! from memory when dropped, and leaves its wrapper only through `expose`, which is easy to find.

use zeroize::Zeroizing;

use crate::random::{self, Random, RandomError};

/// A secret access key: 40 characters of `A-Za-z0-9` where we made it, any printable ASCII of 16
/// to 128 characters where an operator brought it.
pub struct SecretAccessKey(Zeroizing<String>);

/// The text cannot be a secret access key: not 16 to 128 printable ASCII characters.
#[derive(Debug, thiserror::Error)]
#[error("a secret access key is 16 to 128 printable ASCII characters without spaces")]
pub struct MalformedSecret;

impl SecretAccessKey {
    /// Draws a fresh one.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        random::text(random, ALPHABET, 40).map(|text| Self(Zeroizing::new(text)))
    }

    /// Takes one that an operator brought.
    pub fn parse(text: Zeroizing<String>) -> Result<Self, MalformedSecret> {
        let fits = (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then_some(Self(text)).ok_or(MalformedSecret)
    }

    /// The secret itself: for deriving a signing key, sealing, and the one answer that hands it out.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// 32 secret bytes: an HMAC or AEAD key.
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// Wraps the bytes. The caller's copy is the caller's to wipe.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Draws a fresh one.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut key = Self::new([0; 32]);
        random.fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// The key itself.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}
