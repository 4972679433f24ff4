//! The signature algorithms of tokens. All are asymmetric.

use ring::signature::{self, RsaParameters, VerificationAlgorithm};
use serde::Deserialize;

/// A signature algorithm of RFC 7518 or RFC 8037.
///
/// ES512 is not here: its curve is not in the cryptographic library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// What kind of key an algorithm takes: `kty` and `crv` of a JWK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// RSA.
    Rsa,
    /// An elliptic curve: P-256.
    P256,
    /// An elliptic curve: P-384.
    P384,
    /// An octet key pair: Ed25519.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm that can be accepted.
    pub const ALL: &[Self] = &[
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Those accepted of an issuer that the operator says nothing of: what AWS takes.
    pub const DEFAULT: &[Self] = &[Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384];

    /// Its name in a header, exactly.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name: in this case, and none besides.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name)
    }

    /// The kind of key that it takes.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 => KeyType::Rsa,
            Self::Es256 => KeyType::P256,
            Self::Es384 => KeyType::P384,
            Self::EdDsa => KeyType::Ed25519,
        }
    }

    /// How it is verified.
    pub(super) fn verification(self) -> Verification {
        match self {
            Self::Rs256 => Verification::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Verification::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Verification::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Verification::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Es256 => Verification::Point(&signature::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Verification::Point(&signature::ECDSA_P384_SHA384_FIXED),
            Self::EdDsa => Verification::Point(&signature::ED25519),
        }
    }
}

/// The two shapes of ring's verifiers.
pub(super) enum Verification {
    /// By modulus and exponent.
    Rsa(&'static RsaParameters),
    /// By the bytes of a point.
    Point(&'static dyn VerificationAlgorithm),
}
