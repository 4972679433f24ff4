//! Markers: by them a ledger shows whose it is, and that it still holds what it was given.
//!
//! Each shard has one, without an expiry. It is a record ([`crate::seal::record`]) whose MAC is
//! bound to its key's name, with this body:
//!
//! `CSM1`, deployment (16 bytes), fence (8 bytes, the number of the lease it was written under),
//! end of doubt (8 bytes, milliseconds since the epoch). Numbers are big-endian.
//!
//! Until its end of doubt a shard that lost records does not say 'not held': it does not know.

use crate::id::DeploymentId;
use crate::seal::{Keyring, SealError, record};
use crate::time::Timestamp;

const MAGIC: &[u8; 4] = b"CSM1";
const BODY: usize = 4 + 16 + 8 + 8;

/// What a marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// The number of the lease that it was written under.
    pub(super) fence: u64,
    /// Until when a record that is not there may have been lost.
    pub(super) doubt_until: Timestamp,
}

/// A marker that is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkerError {
    /// Of another deployment.
    #[error("it belongs to the deployment {0}, and this keyring to another")]
    Foreign(DeploymentId),
    /// Of a newer version.
    #[error("it was written by a newer version")]
    Newer,
    /// Not a marker, or forged.
    #[error("a marker in it is damaged or forged")]
    Damaged,
    /// Of a key of the keyring that was given up.
    #[error("a marker in it was made with a key that the keyring does not accept")]
    Key,
}

impl Marker {
    /// Its bytes, for the key `place`.
    pub(super) fn seal(&self, keyring: &Keyring, place: &str) -> Result<Vec<u8>, SealError> {
        let mut body = Vec::with_capacity(BODY);
        body.extend_from_slice(MAGIC);
        body.extend_from_slice(&keyring.deployment().0);
        body.extend_from_slice(&self.fence.to_be_bytes());
        body.extend_from_slice(&self.doubt_until.millis().to_be_bytes());
        record::make(keyring, place.as_bytes(), Timestamp::from_millis(i64::MAX), &body)
    }

    /// Reads what was found under the key `place`.
    pub(super) fn open(keyring: &Keyring, place: &str, bytes: &[u8]) -> Result<Self, MarkerError> {
        match record::open(keyring, place.as_bytes(), bytes) {
            Ok((_, body)) => Self::parse(body),
            Err(SealError::Newer) => Err(MarkerError::Newer),
            Err(SealError::Key) if claimed(bytes).is_none_or(|id| id == keyring.deployment()) => {
                Err(MarkerError::Key)
            }
            Err(_) => match claimed(bytes) {
                Some(id) if id != keyring.deployment() => Err(MarkerError::Foreign(id)),
                _ => Err(MarkerError::Damaged),
            },
        }
    }

    fn parse(body: &[u8]) -> Result<Self, MarkerError> {
        let (magic, rest) = body.split_first_chunk::<4>().ok_or(MarkerError::Damaged)?;
        if magic != MAGIC {
            let newer = magic.starts_with(b"CSM") && magic > MAGIC;
            return Err(if newer { MarkerError::Newer } else { MarkerError::Damaged });
        }
        let (_, rest) = rest.split_first_chunk::<16>().ok_or(MarkerError::Damaged)?;
        let (fence, rest) = rest.split_first_chunk::<8>().ok_or(MarkerError::Damaged)?;
        let doubt: &[u8; 8] = rest.try_into().map_err(|_| MarkerError::Damaged)?;
        Ok(Self {
            fence: u64::from_be_bytes(*fence),
            doubt_until: Timestamp::from_millis(i64::from_be_bytes(*doubt)),
        })
    }
}

/// The deployment that a marker claims to be of: for messages. The MAC decides.
fn claimed(bytes: &[u8]) -> Option<DeploymentId> {
    let at = bytes.windows(MAGIC.len()).position(|window| window == MAGIC)?;
    let id = bytes.get(at + MAGIC.len()..)?.first_chunk::<16>()?;
    Some(DeploymentId(*id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    /// A marker of the first format, and the keyring it was made with.
    const KEYRING: &str = r#"{
  "format": "countersign-keyring", "version": 1,
  "deployment": "000102030405060708090a0b0c0d0e0f",
  "keys": [{ "number": 1, "state": "active",
             "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
}"#;
    const GOLDEN: &str = include_str!("marker.golden");
    const PLACE: &str = "cs:{0f}:m";

    fn marker() -> Marker {
        Marker { fence: 1_800_000_000_007, doubt_until: Timestamp::from_millis(1_800_000_300_123) }
    }

    #[test]
    fn markers_of_every_released_format_open() {
        let keyring = Keyring::from_file_text(KEYRING).unwrap();
        let golden = data_encoding::HEXLOWER.decode(GOLDEN.trim().as_bytes()).unwrap();
        assert_eq!(Marker::open(&keyring, PLACE, &golden), Ok(marker()));
        assert_eq!(marker().seal(&keyring, PLACE).unwrap(), golden);
    }

    #[test]
    fn a_marker_of_another_place_or_deployment_or_changed_is_refused() {
        let keyring = Keyring::from_file_text(KEYRING).unwrap();
        let sealed = marker().seal(&keyring, PLACE).unwrap();
        assert_eq!(Marker::open(&keyring, "cs:{10}:m", &sealed), Err(MarkerError::Damaged));
        let other = Keyring::generate(&SystemRandom::new()).unwrap();
        let foreign = MarkerError::Foreign(keyring.deployment());
        assert_eq!(Marker::open(&other, PLACE, &sealed), Err(foreign));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(Marker::open(&keyring, PLACE, &changed).is_err(), "byte {at}");
            assert!(Marker::open(&keyring, PLACE, &sealed[..at]).is_err(), "{at} bytes");
        }
    }
}
