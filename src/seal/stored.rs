//! Secrets at rest in the directory: long-term secret access keys, seeds of MFA devices.
//!
//! Format version (1 byte), key number (4 bytes), nonce, ciphertext. Bound to the deployment and to
//! its place: a key's to its owner's unique ID and its own ID, a seed to its account and device.
//! Copied to another place, it does not open.

use zeroize::Zeroizing;

use super::keyring::{Keyring, Purpose, parts};
use super::{SealError, aead};
use crate::id::{AccessKeyId, AccountId, DeviceId, UniqueId};
use crate::mfa::Seed;
use crate::random::Random;
use crate::secret::SecretAccessKey;

const VERSION: u8 = 1;

/// Seals a secret access key of a user, or of an account's root user.
pub fn seal(
    keyring: &Keyring,
    owner: &UniqueId,
    access_key_id: &AccessKeyId,
    secret: &SecretAccessKey,
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    key(owner, access_key_id).seal(keyring, secret.expose().as_bytes(), random)
}

/// Opens what [`seal`] made for the same owner and key.
pub fn open(
    keyring: &Keyring,
    owner: &UniqueId,
    access_key_id: &AccessKeyId,
    sealed: &[u8],
) -> Result<SecretAccessKey, SealError> {
    let plain = key(owner, access_key_id).open(keyring, sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| SealError::Malformed)?;
    SecretAccessKey::parse(Zeroizing::new(text.to_owned())).map_err(|_| SealError::Malformed)
}

/// Seals the seed of an MFA device.
pub fn seal_seed(
    keyring: &Keyring,
    account: AccountId,
    device: &DeviceId,
    seed: &Seed,
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    let account = account.to_string();
    of_device(&account, device).seal(keyring, seed.expose(), random)
}

/// Opens what [`seal_seed`] made for the same device.
pub fn open_seed(
    keyring: &Keyring,
    account: AccountId,
    device: &DeviceId,
    sealed: &[u8],
) -> Result<Seed, SealError> {
    let account = account.to_string();
    of_device(&account, device).open(keyring, sealed).map(Seed::from_bytes)
}

/// What a secret is, and where it belongs.
struct Place<'a> {
    what: &'static [u8],
    owner: &'a [u8],
    id: &'a [u8],
}

fn key<'a>(owner: &'a UniqueId, access_key_id: &'a AccessKeyId) -> Place<'a> {
    Place {
        what: b"secret-access-key",
        owner: owner.as_str().as_bytes(),
        id: access_key_id.as_str().as_bytes(),
    }
}

fn of_device<'a>(account: &'a str, device: &'a DeviceId) -> Place<'a> {
    Place { what: b"mfa-seed", owner: account.as_bytes(), id: &device.0 }
}

impl Place<'_> {
    fn seal(
        &self,
        keyring: &Keyring,
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let number = keyring.active()?;
        let header = header(number);
        let key = keyring.derive(number, Purpose::StoredSecret, &[])?;
        let sealed = aead::seal(&key, &self.associated(keyring, &header), plain, random)?;
        Ok([header.as_slice(), &sealed].concat())
    }

    fn open(&self, keyring: &Keyring, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (header, body) = sealed.split_first_chunk::<5>().ok_or(SealError::Malformed)?;
        let [version, number @ ..] = *header;
        if version != VERSION {
            return Err(if version > VERSION { SealError::Newer } else { SealError::Malformed });
        }
        let key = keyring.derive(u32::from_be_bytes(number), Purpose::StoredSecret, &[])?;
        aead::open(&key, &self.associated(keyring, header), body)
    }

    fn associated(&self, keyring: &Keyring, header: &[u8]) -> Vec<u8> {
        parts(&[self.what, header, &keyring.deployment().0, self.owner, self.id])
    }
}

fn header(number: u32) -> [u8; 5] {
    let [a, b, c, d] = number.to_be_bytes();
    [VERSION, a, b, c, d]
}
