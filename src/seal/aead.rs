//! AES-256-GCM by ring, with a fresh random nonce in front.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::SealError;
use crate::random::{self, Random};
use crate::secret::SecretKey;

/// Bytes that sealing adds: nonce and tag.
pub(super) const OVERHEAD: usize = NONCE_LEN + 16;

fn cipher(key: &SecretKey) -> Result<LessSafeKey, SealError> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| SealError::Key)
}

/// Nonce and ciphertext of `plain`, bound to `associated`.
pub(super) fn seal(
    key: &SecretKey,
    associated: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE_LEN] = random::bytes(random)?;
    // Sized once, so that growing leaves no copy of the plain text behind.
    let mut out = Vec::with_capacity(plain.len() + OVERHEAD);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plain);
    let Some(body) = out.get_mut(NONCE_LEN..) else { return Err(SealError::Malformed) };
    let tag = cipher(key)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            body,
        )
        .map_err(|_| SealError::TooLarge(plain.len()))?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

/// The plain text of what [`seal`] made with the same key and associated data.
pub(super) fn open(
    key: &SecretKey,
    associated: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Malformed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Malformed)?;
    let mut buffer = Zeroizing::new(body.to_vec());
    let length = cipher(key)?
        .open_in_place(nonce, Aad::from(associated), buffer.as_mut_slice())
        .map_err(|_| SealError::Forged)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}
