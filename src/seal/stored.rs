//! Secrets at rest: long-term secret access keys in the directory.
//!
//! Format version (1 byte), key number (4 bytes), nonce, ciphertext. Bound to the deployment, the
//! owner's unique ID and the access key ID: copied under another key or user, it does not open.

use zeroize::Zeroizing;

use super::keyring::{Keyring, Purpose, parts};
use super::{SealError, aead};
use crate::id::{AccessKeyId, UniqueId};
use crate::random::Random;
use crate::secret::SecretAccessKey;

const VERSION: u8 = 1;

/// Seals a user's secret access key.
pub fn seal(
    keyring: &Keyring,
    owner: &UniqueId,
    access_key_id: &AccessKeyId,
    secret: &SecretAccessKey,
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    let number = keyring.active()?;
    let header = header(number);
    let key = keyring.derive(number, Purpose::StoredSecret, &[])?;
    let associated = associated(keyring, &header, owner, access_key_id);
    let sealed = aead::seal(&key, &associated, secret.expose().as_bytes(), random)?;
    Ok([header.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made for the same owner and key.
pub fn open(
    keyring: &Keyring,
    owner: &UniqueId,
    access_key_id: &AccessKeyId,
    sealed: &[u8],
) -> Result<SecretAccessKey, SealError> {
    let (header, body) = sealed.split_first_chunk::<5>().ok_or(SealError::Malformed)?;
    let [version, number @ ..] = *header;
    if version != VERSION {
        return Err(if version > VERSION { SealError::Newer } else { SealError::Malformed });
    }
    let key = keyring.derive(u32::from_be_bytes(number), Purpose::StoredSecret, &[])?;
    let plain = aead::open(&key, &associated(keyring, header, owner, access_key_id), body)?;
    let text = std::str::from_utf8(&plain).map_err(|_| SealError::Malformed)?;
    SecretAccessKey::parse(Zeroizing::new(text.to_owned())).map_err(|_| SealError::Malformed)
}

fn header(number: u32) -> [u8; 5] {
    let [a, b, c, d] = number.to_be_bytes();
    [VERSION, a, b, c, d]
}

fn associated(
    keyring: &Keyring,
    header: &[u8],
    owner: &UniqueId,
    access_key_id: &AccessKeyId,
) -> Vec<u8> {
    parts(&[
        b"secret-access-key",
        header,
        &keyring.deployment().0,
        owner.as_str().as_bytes(),
        access_key_id.as_str().as_bytes(),
    ])
}
