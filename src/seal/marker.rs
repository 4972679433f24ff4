//! Page markers: where a listing goes on, told to the caller and told back.
//!
//! Strict unpadded base64url of format version (1 byte), key number (4 bytes), nonce, ciphertext of
//! the last entry's key. Sealed, so that a marker tells nothing and cannot be made up; bound to the
//! deployment and to the listing's place (account, operation, entity): one listing's marker is
//! another's garbage.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keyring::{Keyring, Purpose, parts};
use super::{SealError, aead};
use crate::random::Random;

const VERSION: u8 = 1;

/// Makes the marker of a page of the listing `place` that ends with `last`.
pub fn seal(
    keyring: &Keyring,
    place: &[&[u8]],
    last: &str,
    random: &dyn Random,
) -> Result<String, SealError> {
    let number = keyring.active()?;
    let [a, b, c, d] = number.to_be_bytes();
    let header = [VERSION, a, b, c, d];
    let key = keyring.derive(number, Purpose::PageMarker, &[])?;
    let associated = associated(keyring, &header, place);
    let sealed = aead::seal(&key, &associated, last.as_bytes(), random)?;
    Ok(URL_SAFE_NO_PAD.encode([header.as_slice(), &sealed].concat()))
}

/// The `last` of what [`seal`] made for the same listing.
pub fn open(keyring: &Keyring, place: &[&[u8]], marker: &str) -> Result<String, SealError> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).map_err(|_| SealError::Malformed)?;
    let (header, body) = bytes.split_first_chunk::<5>().ok_or(SealError::Malformed)?;
    let [version, number @ ..] = *header;
    if version != VERSION {
        return Err(if version > VERSION { SealError::Newer } else { SealError::Malformed });
    }
    let key = keyring.derive(u32::from_be_bytes(number), Purpose::PageMarker, &[])?;
    let plain = aead::open(&key, &associated(keyring, header, place), body)?;
    String::from_utf8(plain.to_vec()).map_err(|_| SealError::Malformed)
}

fn associated(keyring: &Keyring, header: &[u8], place: &[&[u8]]) -> Vec<u8> {
    parts(&[&[b"page-marker".as_slice(), header, &keyring.deployment().0], place].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_marker_opens_where_it_was_made_and_nowhere_else() {
        let random = SystemRandom::new();
        let keyring = Keyring::generate(&random).unwrap();
        let place: &[&[u8]] = &[b"123456789012", b"ListUsers"];
        let marker = seal(&keyring, place, "bob", &random).unwrap();
        assert_eq!(open(&keyring, place, &marker).unwrap(), "bob");
        for elsewhere in [
            &[b"123456789012".as_slice(), b"ListRoles"][..],
            &[b"123456789013".as_slice(), b"ListUsers"],
            &[b"123456789012".as_slice()],
            &[b"123456789012ListUsers".as_slice()],
        ] {
            assert_eq!(open(&keyring, elsewhere, &marker), Err(SealError::Forged));
        }
        let other = Keyring::generate(&random).unwrap();
        assert_eq!(open(&other, place, &marker), Err(SealError::Forged));
    }

    #[test]
    fn a_changed_marker_does_not_open() {
        let random = SystemRandom::new();
        let keyring = Keyring::generate(&random).unwrap();
        let marker = seal(&keyring, &[], "bob", &random).unwrap();
        for at in 0..marker.len() {
            let mut changed = marker.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(open(&keyring, &[], &changed).is_err(), "{at}");
        }
        for bad in ["", "A", "bob", "AAAAAAAA", "=", "ö"] {
            assert!(open(&keyring, &[], bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_longest_name_fits_into_what_the_api_takes_back() {
        let random = SystemRandom::new();
        let keyring = Keyring::generate(&random).unwrap();
        let marker = seal(&keyring, &[], &"n".repeat(128), &random).unwrap();
        assert!(marker.len() <= 320, "{}", marker.len());
    }
}
