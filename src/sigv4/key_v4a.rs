//! Keys of SigV4A: the key pair that a secret access key stands for.
//!
//! The derivation is that of aws-c-auth and the AWS SDKs: NIST SP 800-108 in counter mode with
//! HMAC-SHA256, then FIPS 186-5 A.2.2. ring verifies; `p256` computes the public key and signs
//! (deterministically, RFC 6979), since ring has no way from a private scalar to either.

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Signer as _;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{NonZeroScalar, PublicKey};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::Algorithm;
use crate::secret::SecretAccessKey;

/// The public key of an access key. It is good on all days, in all regions and for all services;
/// deriving it costs a multiplication on the curve, so keep it.
pub struct VerifyingKey {
    access_key_id: Box<str>,
    public: UnparsedPublicKey<[u8; 65]>,
}

impl VerifyingKey {
    /// Derives the key pair of a secret and its access key ID, and keeps the public half.
    ///
    /// `None` when none of 254 candidates is a private key, which no secret will ever show.
    pub fn derive(secret: &SecretAccessKey, access_key_id: &str) -> Option<Self> {
        let mut scalar = derive(secret, access_key_id)?;
        let point = PublicKey::from_secret_scalar(&scalar).to_sec1_point(false);
        scalar.zeroize();
        let public = point.as_bytes().try_into().ok()?;
        Some(Self {
            access_key_id: access_key_id.into(),
            public: UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public),
        })
    }

    /// The access key ID that this key was derived for.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The point on the curve, uncompressed.
    #[cfg(test)]
    pub(super) fn public_point(&self) -> &[u8] {
        self.public.as_ref()
    }

    /// The key itself, for the chunks of a payload.
    pub(super) fn public(&self) -> UnparsedPublicKey<[u8; 65]> {
        self.public
    }

    /// Whether `signature` is one of `message` by this key.
    pub(super) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify(message, signature).is_ok()
    }
}

/// The private key of an access key, for signing.
///
/// INVARIANT (secrets stay secret): no `Debug`, `Clone` or `==`; wiped on drop, by `p256`.
pub struct SigningKeyV4a(p256::ecdsa::SigningKey);

impl SigningKeyV4a {
    /// Derives the key pair of a secret and its access key ID, and keeps the private half.
    ///
    /// `None` when none of 254 candidates is a private key, which no secret will ever show.
    pub fn derive(secret: &SecretAccessKey, access_key_id: &str) -> Option<Self> {
        let mut scalar = derive(secret, access_key_id)?;
        let key = p256::ecdsa::SigningKey::from(scalar);
        scalar.zeroize();
        Some(Self(key))
    }

    /// Signs a message. The signature is ASN.1's.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        let (r, s) = signature.split_bytes();
        let mut content = Vec::with_capacity(70);
        integer(&r, &mut content);
        integer(&s, &mut content);
        // SEQUENCE; two integers of 35 bytes at most need no longer form of the length.
        let mut der = vec![0x30, u8::try_from(content.len()).unwrap_or(u8::MAX)];
        der.append(&mut content);
        der
    }

    /// A second handle, for the chunks of a payload.
    pub(super) fn again(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Appends an INTEGER of DER: no leading zeros, but for one before a high bit.
fn integer(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let [0, after @ ..] = rest
        && !after.is_empty()
    {
        rest = after;
    }
    let sign = u8::from(rest.first().is_some_and(|byte| *byte >= 0x80));
    out.push(0x02);
    out.push(u8::try_from(rest.len()).unwrap_or(u8::MAX) + sign);
    out.extend(std::iter::repeat_n(0, usize::from(sign)));
    out.extend_from_slice(rest);
}

fn derive(secret: &SecretAccessKey, access_key_id: &str) -> Option<NonZeroScalar> {
    let mut start = Zeroizing::new(Vec::with_capacity(5 + secret.expose().len()));
    start.extend_from_slice(b"AWS4A");
    start.extend_from_slice(secret.expose().as_bytes());
    (1..=254_u8).find_map(|counter| candidate(&start, access_key_id, counter))
}

/// The private key that a counter makes: what the MAC yields, plus one, if that lies between 1 and
/// the order of the curve.
fn candidate(key: &[u8], access_key_id: &str, counter: u8) -> Option<NonZeroScalar> {
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(key).ok()?;
    mac.update(&1_u32.to_be_bytes());
    mac.update(Algorithm::EcdsaP256Sha256.name().as_bytes());
    mac.update(&[0]);
    mac.update(access_key_id.as_bytes());
    mac.update(&[counter]);
    mac.update(&256_u32.to_be_bytes());
    let mut bytes = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        (*byte, carry) = byte.overflowing_add(u8::from(carry));
    }
    // All ones overflow to zero, which is no private key either.
    NonZeroScalar::from_repr((*bytes).into()).into_option()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_der() {
        for (bytes, expected) in [
            (&[0, 0, 1][..], &[2, 1, 1][..]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0x80, 0], &[2, 3, 0, 0x80, 0]),
            (&[0x7f, 0xff], &[2, 2, 0x7f, 0xff]),
            (&[0], &[2, 1, 0]),
        ] {
            let mut out = Vec::new();
            integer(bytes, &mut out);
            assert_eq!(out, expected);
        }
    }
}
