//! The keyring and what it seals: session tokens, stored secrets, ledger records.
//!
//! # Model
//!
//! A deployment has one [`Keyring`]: numbered root keys of 256 bits. No root key is used directly:
//! HKDF-SHA256 (RFC 5869) derives one key for each [`Purpose`], with a label of its own, so that
//! bytes made for one purpose mean nothing for another. Whatever is sealed is bound by associated
//! data to its place: deployment, owner, key ID. Moved elsewhere, it does not open.
//!
//! # Trust boundary
//!
//! Stores and clients are not trusted with anything sealed here. The keyring file is: who reads it
//! can make sessions.
//!
//! | what | format | bound to |
//! |---|---|---|
//! | [`token`] | `CST1` + base64url(version, key number, nonce, AES-256-GCM) | deployment, access key ID |
//! | [`stored`] | version, key number, nonce, AES-256-GCM | deployment, purpose, owner, key ID |
//! | [`issuer_key`] | version, key number, nonce, AES-256-GCM | deployment, account, issuer, key ID |
//! | [`marker`] | base64url(version, key number, nonce, AES-256-GCM) | deployment, listing |
//! | [`backup`] | HMAC-SHA256 over the whole file | deployment |
//! | [`message`] | base64url(version, key number, nonce, AES-256-GCM) | deployment, account |
//! | [`record`] | `CSL1`, key number, expiry, bytes, HMAC-SHA256 | deployment, store key |

mod aead;
pub mod backup;
pub mod claims;
mod codec;
pub mod issuer_key;
pub mod keyring;
pub mod marker;
pub mod message;
pub mod record;
pub mod stored;
pub mod token;

#[cfg(test)]
mod tests;

pub use claims::{Claims, FederatedClaim, Link, PrincipalClaim, PrincipalKind, SessionPolicies};
pub use keyring::{KeyState, Keyring, KeyringError, Purpose};

/// Sealed bytes did not open, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not in the format at all: wrong magic, alphabet or length.
    #[error("not in the expected format")]
    Malformed,
    /// Made by a newer version of this software.
    #[error("made by a newer version")]
    Newer,
    /// Names a key that the keyring does not have, or that was compromised.
    #[error("made with a key that the keyring does not accept")]
    Key,
    /// Forged, damaged, or moved from another place.
    #[error("does not open: forged, damaged, or made for another place")]
    Forged,
    /// What was to be sealed is larger than the format allows: characters needed.
    #[error("too large to seal: {0} characters")]
    TooLarge(usize),
    /// The keyring has no active key.
    #[error("the keyring has no active key")]
    NoActiveKey,
    /// The system's random generator failed.
    #[error("the system's random generator failed")]
    Random,
}

impl From<crate::random::RandomError> for SealError {
    fn from(_: crate::random::RandomError) -> Self {
        Self::Random
    }
}
