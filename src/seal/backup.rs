//! The MAC at the end of a backup: HMAC-SHA256 under a key of its own purpose over deployment and
//! all bytes before it, computed as they pass.

use ring::hmac;

use super::SealError;
use super::keyring::{Keyring, Purpose, parts};

/// The bytes of the MAC.
pub const TAG: usize = 32;

/// A MAC in the making.
pub struct Mac {
    number: u32,
    context: hmac::Context,
}

impl Mac {
    /// Begins with the key that seals.
    pub fn begin(keyring: &Keyring) -> Result<Self, SealError> {
        Self::with_key(keyring, keyring.active()?)
    }

    /// Begins with the key of this number.
    fn with_key(keyring: &Keyring, number: u32) -> Result<Self, SealError> {
        let key = keyring.derive(number, Purpose::Backup, &[])?;
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
        context.update(&parts(&[&keyring.deployment().0]));
        Ok(Self { number, context })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The number of the key, and the MAC.
    pub fn finish(self) -> (u32, [u8; TAG]) {
        let tag = self.context.sign();
        let mut bytes = [0; TAG];
        bytes.copy_from_slice(tag.as_ref());
        (self.number, bytes)
    }
}

/// Checks the MAC that was made with the key `number` over `bytes`.
pub fn verify(keyring: &Keyring, number: u32, bytes: &[u8], tag: &[u8]) -> Result<(), SealError> {
    let mut mac = Mac::with_key(keyring, number)?;
    mac.update(bytes);
    let (_, expected) = mac.finish();
    if bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_slice(), tag)) {
        Ok(())
    } else {
        Err(SealError::Forged)
    }
}
