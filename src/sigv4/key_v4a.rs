//! Verifying keys of SigV4A: the public half of the key pair that a secret access key stands for.
//!
//! The derivation is that of aws-c-auth and the AWS SDKs: NIST SP 800-108 in counter mode with
//! HMAC-SHA256, then FIPS 186-5 A.2.2. ring verifies; the point is computed by `p256`, since ring
//! has no way from a private scalar to its public key.

use hmac::{Hmac, KeyInit, Mac};
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
        let mut start = Zeroizing::new(Vec::with_capacity(5 + secret.expose().len()));
        start.extend_from_slice(b"AWS4A");
        start.extend_from_slice(secret.expose().as_bytes());
        let mut scalar =
            (1..=254_u8).find_map(|counter| candidate(&start, access_key_id, counter))?;
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

    /// Whether `signature` is one of `message` by this key.
    pub(super) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify(message, signature).is_ok()
    }
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
