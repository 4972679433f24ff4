//! Encoded authorization messages: why a request was refused, given to the caller closed.
//!
//! Strict unpadded base64url of format version (1 byte), key number (4 bytes), nonce, ciphertext.
//! Bound to the deployment and to the account that may open it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keyring::{Keyring, Purpose, parts};
use super::{SealError, aead};
use crate::id::AccountId;
use crate::random::Random;

const VERSION: u8 = 1;

/// Seals a message for an account.
pub fn seal(
    keyring: &Keyring,
    account: AccountId,
    message: &str,
    random: &dyn Random,
) -> Result<String, SealError> {
    let number = keyring.active()?;
    let [a, b, c, d] = number.to_be_bytes();
    let header = [VERSION, a, b, c, d];
    let key = keyring.derive(number, Purpose::Message, &[])?;
    let associated = associated(keyring, &header, account);
    let sealed = aead::seal(&key, &associated, message.as_bytes(), random)?;
    Ok(URL_SAFE_NO_PAD.encode([header.as_slice(), &sealed].concat()))
}

/// Opens what [`seal`] made for the same account.
pub fn open(keyring: &Keyring, account: AccountId, sealed: &str) -> Result<String, SealError> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError::Malformed)?;
    let (header, body) = bytes.split_first_chunk::<5>().ok_or(SealError::Malformed)?;
    let [version, number @ ..] = *header;
    if version != VERSION {
        return Err(if version > VERSION { SealError::Newer } else { SealError::Malformed });
    }
    let key = keyring.derive(u32::from_be_bytes(number), Purpose::Message, &[])?;
    let plain = aead::open(&key, &associated(keyring, header, account), body)?;
    String::from_utf8(plain.to_vec()).map_err(|_| SealError::Malformed)
}

fn associated(keyring: &Keyring, header: &[u8], account: AccountId) -> Vec<u8> {
    let account = account.to_string();
    parts(&[b"message", header, &keyring.deployment().0, account.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_message_opens_for_its_account_in_its_deployment_and_unchanged_only() {
        let random = SystemRandom::new();
        let keyring = Keyring::generate(&random).unwrap();
        let account = AccountId::parse("123456789012").unwrap();
        let sealed = seal(&keyring, account, "why", &random).unwrap();
        assert_eq!(open(&keyring, account, &sealed).unwrap(), "why");
        let other = AccountId::parse("123456789013").unwrap();
        assert_eq!(open(&keyring, other, &sealed), Err(SealError::Forged));
        let elsewhere = Keyring::generate(&random).unwrap();
        assert_eq!(open(&elsewhere, account, &sealed), Err(SealError::Forged));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(open(&keyring, account, &changed).is_err(), "{at}");
        }
        for bad in ["", "A", "AAAAAAAA", "=", "ö"] {
            assert!(open(&keyring, account, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_marker_is_no_message() {
        let random = SystemRandom::new();
        let keyring = Keyring::generate(&random).unwrap();
        let account = AccountId::parse("123456789012").unwrap();
        let place: &[&[u8]] = &[b"123456789012"];
        let marker = super::super::marker::seal(&keyring, place, "x", &random).unwrap();
        assert_eq!(open(&keyring, account, &marker), Err(SealError::Forged));
    }
}
