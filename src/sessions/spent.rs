//! What can be used once.
//!
//! Something that was used is a record in the ledger, at a place that its digest names, and that no
//! session can have: the store keeps a record only if there is none at its place, and says so only
//! when it is kept as durably as a session is.

use ring::digest::{SHA256, digest};

use super::{Inserted, Ledger, LedgerError, NewRecord};
use crate::id::{AccessKeyId, UniqueId};
use crate::seal::{Keyring, SealError, record};
use crate::time::Timestamp;

/// How much longer than asked a use is remembered, in seconds: the store has its own clock.
const MARGIN_SECS: i64 = 600;

/// It is not known whether it was used before. INVARIANT: then it is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpendError {
    /// The ledger did not keep the record.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The record was not made.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Uses what these parts name, and remembers it until then. `false` if it was used before.
pub async fn spend(
    keyring: &Keyring,
    ledger: &dyn Ledger,
    parts: &[&[u8]],
    until: Timestamp,
) -> Result<bool, SpendError> {
    let mut bytes = b"countersign use 1".to_vec();
    for part in parts {
        // Lengths in front: equal bytes are equal parts.
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    let digest = digest(&SHA256, &bytes);
    let (first, _) = digest.as_ref().split_first_chunk().ok_or(SealError::Malformed)?;
    let place = AccessKeyId::of_use(*first);
    let expires_at = until.plus_secs(MARGIN_SECS);
    let record = record::make(keyring, place.as_str().as_bytes(), expires_at, digest.as_ref())?;
    let new =
        NewRecord { access_key_id: place, principal: UniqueId::of_uses(), expires_at, record };
    Ok(ledger.insert(new).await? == Inserted::Kept)
}
