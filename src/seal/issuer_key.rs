//! Secrets at rest: the keys that an account's issuer signs tokens with.
//!
//! Format version (1 byte), key number (4 bytes), nonce, ciphertext. Bound to the deployment, the
//! account, its issuer and the key's ID: copied into another issuer, it does not open.

use zeroize::Zeroizing;

use super::keyring::{Keyring, Purpose, parts};
use super::{SealError, aead};
use crate::id::{AccountId, IssuerId};
use crate::random::Random;

const VERSION: u8 = 1;

/// What a key is for: whose issuer, and which of its keys.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The account.
    pub account: AccountId,
    /// Its issuer.
    pub issuer: IssuerId,
    /// The key's ID.
    pub kid: &'a str,
}

/// Seals a private key.
pub fn seal(
    keyring: &Keyring,
    place: Place<'_>,
    pkcs8: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    let number = keyring.active()?;
    let [a, b, c, d] = number.to_be_bytes();
    let header = [VERSION, a, b, c, d];
    let key = keyring.derive(number, Purpose::StoredSecret, &[])?;
    let sealed = aead::seal(&key, &place.associated(keyring, &header), pkcs8, random)?;
    Ok([header.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made for the same place.
pub fn open(
    keyring: &Keyring,
    place: Place<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (header, body) = sealed.split_first_chunk::<5>().ok_or(SealError::Malformed)?;
    let [version, number @ ..] = *header;
    if version != VERSION {
        return Err(if version > VERSION { SealError::Newer } else { SealError::Malformed });
    }
    let key = keyring.derive(u32::from_be_bytes(number), Purpose::StoredSecret, &[])?;
    aead::open(&key, &place.associated(keyring, header), body)
}

impl Place<'_> {
    fn associated(&self, keyring: &Keyring, header: &[u8]) -> Vec<u8> {
        parts(&[
            b"issuer-signing-key",
            header,
            &keyring.deployment().0,
            self.account.to_string().as_bytes(),
            self.issuer.to_string().as_bytes(),
            self.kid.as_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_key_opens_in_its_own_place_only() {
        let random = SystemRandom::new();
        let keyring = Keyring::generate(&random).unwrap();
        let id = || IssuerId::generate(&random).unwrap();
        let account = |number| AccountId::from_number(number).unwrap();
        let place = Place { account: account(1), issuer: id(), kid: "a" };
        let sealed = seal(&keyring, place, b"secret", &random).unwrap();
        assert_eq!(open(&keyring, place, &sealed).unwrap().as_slice(), b"secret");
        for other in [
            Place { account: account(2), ..place },
            Place { issuer: id(), ..place },
            Place { kid: "b", ..place },
        ] {
            assert_eq!(open(&keyring, other, &sealed).err(), Some(SealError::Forged));
        }
        let other = Keyring::generate(&random).unwrap();
        assert!(open(&other, place, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(open(&keyring, place, &bad).is_err(), "{at}");
        }
    }
}
