//! Ledger records: bytes that a store keeps for us, with a MAC that the store cannot make.
//!
//! `CSL1`, key number (4 bytes), expiry (8 bytes, seconds since the epoch), body, HMAC-SHA256 (32
//! bytes) over deployment, the key it is stored under, and all bytes before. A record that was
//! forged, changed or moved under another key is refused.

use ring::hmac;

use super::SealError;
use super::keyring::{Keyring, Purpose, parts};
use crate::time::Timestamp;

const MAGIC: &[u8; 4] = b"CSL1";
const TAG: usize = 32;
const HEAD: usize = 4 + 4 + 8;

/// Makes the record of `body`, to be stored under `place` until `expires_at`.
pub fn make(
    keyring: &Keyring,
    place: &[u8],
    expires_at: Timestamp,
    body: &[u8],
) -> Result<Vec<u8>, SealError> {
    let number = keyring.active()?;
    let mut record = Vec::with_capacity(HEAD + body.len() + TAG);
    record.extend_from_slice(MAGIC);
    record.extend_from_slice(&number.to_be_bytes());
    record.extend_from_slice(&expires_at.secs().to_be_bytes());
    record.extend_from_slice(body);
    let tag = hmac::sign(&key(keyring, number)?, &message(keyring, place, &record));
    record.extend_from_slice(tag.as_ref());
    Ok(record)
}

/// Expiry and body of a record found under `place`.
pub fn open<'a>(
    keyring: &Keyring,
    place: &[u8],
    record: &'a [u8],
) -> Result<(Timestamp, &'a [u8]), SealError> {
    let split = record.len().checked_sub(TAG).ok_or(SealError::Malformed)?;
    let (signed, tag) = record.split_at_checked(split).ok_or(SealError::Malformed)?;
    let (head, body) = signed.split_first_chunk::<HEAD>().ok_or(SealError::Malformed)?;
    let (magic, rest) = head.split_first_chunk::<4>().ok_or(SealError::Malformed)?;
    let (number, expiry) = rest.split_first_chunk::<4>().ok_or(SealError::Malformed)?;
    if magic != MAGIC {
        let newer = magic.starts_with(b"CSL") && magic > MAGIC;
        return Err(if newer { SealError::Newer } else { SealError::Malformed });
    }
    let key = key(keyring, u32::from_be_bytes(*number))?;
    hmac::verify(&key, &message(keyring, place, signed), tag).map_err(|_| SealError::Forged)?;
    let expiry = expiry.first_chunk::<8>().ok_or(SealError::Malformed)?;
    Ok((Timestamp::from_secs(i64::from_be_bytes(*expiry)), body))
}

fn key(keyring: &Keyring, number: u32) -> Result<hmac::Key, SealError> {
    let key = keyring.derive(number, Purpose::Record, &[])?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
}

fn message(keyring: &Keyring, place: &[u8], signed: &[u8]) -> Vec<u8> {
    parts(&[&keyring.deployment().0, place, signed])
}
