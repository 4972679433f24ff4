//! Session tokens.
//!
//! `CST1` and the strict unpadded base64url of: format version (1 byte), key number (4 bytes,
//! big-endian), nonce (12 bytes), AES-256-GCM ciphertext and tag of the [`Claims`]. The AEAD key is
//! derived for the deployment and the access key ID; header, deployment and access key ID are
//! associated data. A token opens only beside the access key ID it was made for.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::claims::{Claims, MAX_ANCESTORS};
use super::keyring::{Keyring, Purpose, parts};
use super::{SealError, aead};
use crate::id::AccessKeyId;
use crate::random::Random;

/// The most characters that a token has.
pub const MAX_TOKEN: usize = 4096;

const MAGIC: &str = "CST1";
const VERSION: u8 = 1;
const HEADER: usize = 5;

// INVARIANT: one text a token. Padding and stray trailing bits are refused, or a token could be
// written in several ways.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// Seals a session's claims for its access key.
///
/// # Errors
/// [`SealError::TooLarge`] with the characters it would take, when over [`MAX_TOKEN`].
pub fn seal(
    keyring: &Keyring,
    access_key_id: &AccessKeyId,
    claims: &Claims,
    random: &dyn Random,
) -> Result<String, SealError> {
    let plain = encode(claims)?;
    let characters = characters(plain.len());
    if characters > MAX_TOKEN {
        return Err(SealError::TooLarge(characters));
    }
    let number = keyring.active()?;
    let header = header(number);
    let key = key(keyring, number, access_key_id)?;
    let sealed = aead::seal(&key, &associated(keyring, &header, access_key_id), &plain, random)?;
    let mut token = String::with_capacity(characters);
    token.push_str(MAGIC);
    BASE64.encode_string([header.as_slice(), &sealed].concat(), &mut token);
    Ok(token)
}

/// The characters of a token with these claims, whether it fits or not.
pub fn measure(claims: &Claims) -> Result<usize, SealError> {
    encode(claims).map(|plain| characters(plain.len()))
}

/// Pads the claims so that their token has at least `size` characters, at most [`MAX_TOKEN`].
///
/// Source: AWS STS API reference, AssumeRole, MinimumSessionTokenSize.
pub fn pad(claims: &mut Claims, size: usize) -> Result<(), SealError> {
    let size = size.min(MAX_TOKEN);
    let bare = measure(claims)?;
    if bare >= size {
        return Ok(());
    }
    // The padding's own head takes up to four bytes: too much at first, then less by what is over.
    let mut padding = (size - bare) * 3 / 4 + 1;
    loop {
        claims.padding = Some(vec![0; padding].into());
        if measure(claims)? <= MAX_TOKEN || padding == 0 {
            return Ok(());
        }
        padding -= 1;
    }
}

/// Opens a token that was presented beside an access key ID. Says nothing of expiry or revocation.
pub fn open(
    keyring: &Keyring,
    access_key_id: &AccessKeyId,
    token: &str,
) -> Result<Claims, SealError> {
    if token.len() > MAX_TOKEN {
        return Err(SealError::Malformed);
    }
    let body = token.strip_prefix(MAGIC).ok_or(SealError::Malformed)?;
    let bytes = BASE64.decode(body).map_err(|_| SealError::Malformed)?;
    let (header, sealed) = bytes.split_first_chunk::<HEADER>().ok_or(SealError::Malformed)?;
    let [version, number @ ..] = *header;
    if version != VERSION {
        return Err(if version > VERSION { SealError::Newer } else { SealError::Malformed });
    }
    let key = key(keyring, u32::from_be_bytes(number), access_key_id)?;
    let plain = aead::open(&key, &associated(keyring, header, access_key_id), sealed)?;
    let claims: Claims = minicbor::decode(&plain).map_err(|_| SealError::Malformed)?;
    if claims.ancestors.len() > MAX_ANCESTORS {
        return Err(SealError::Malformed);
    }
    Ok(claims)
}

fn encode(claims: &Claims) -> Result<Zeroizing<Vec<u8>>, SealError> {
    // Sized beyond any token's need, so that growing leaves no copy of the secret behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(64 * 1024));
    minicbor::encode(claims, &mut *plain).map_err(|_| SealError::Malformed)?;
    Ok(plain)
}

const fn characters(plain: usize) -> usize {
    MAGIC.len() + ((HEADER + aead::OVERHEAD + plain) * 4).div_ceil(3)
}

fn header(number: u32) -> [u8; HEADER] {
    let [a, b, c, d] = number.to_be_bytes();
    [VERSION, a, b, c, d]
}

fn key(
    keyring: &Keyring,
    number: u32,
    access_key_id: &AccessKeyId,
) -> Result<crate::secret::SecretKey, SealError> {
    keyring.derive(number, Purpose::Token, &[access_key_id.as_str().as_bytes()])
}

fn associated(keyring: &Keyring, header: &[u8], access_key_id: &AccessKeyId) -> Vec<u8> {
    parts(&[MAGIC.as_bytes(), header, &keyring.deployment().0, access_key_id.as_str().as_bytes()])
}
