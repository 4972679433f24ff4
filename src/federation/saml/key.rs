//! Signature algorithms, digests, and the keys that are pinned.

use ring::digest::{self, SHA256, SHA384, SHA512};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::error::MetadataError;

/// A signature algorithm of RFC 9231. SHA-1 does not exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaSha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaSha512,
    /// ECDSA on P-256 with SHA-256.
    EcdsaSha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaSha384,
}

impl Algorithm {
    /// The algorithm of this URI.
    pub(super) fn of(uri: &str) -> Option<Self> {
        let name = uri.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#")?;
        Some(match name {
            "rsa-sha256" => Self::RsaSha256,
            "rsa-sha384" => Self::RsaSha384,
            "rsa-sha512" => Self::RsaSha512,
            "ecdsa-sha256" => Self::EcdsaSha256,
            "ecdsa-sha384" => Self::EcdsaSha384,
            _ => return None,
        })
    }

    fn verification(self) -> (KeyType, &'static dyn VerificationAlgorithm) {
        match self {
            Self::RsaSha256 => (KeyType::Rsa, &signature::RSA_PKCS1_2048_8192_SHA256),
            Self::RsaSha384 => (KeyType::Rsa, &signature::RSA_PKCS1_2048_8192_SHA384),
            Self::RsaSha512 => (KeyType::Rsa, &signature::RSA_PKCS1_2048_8192_SHA512),
            // XML signatures have ECDSA values as r||s (RFC 9231, 2.3.6).
            Self::EcdsaSha256 => (KeyType::P256, &signature::ECDSA_P256_SHA256_FIXED),
            Self::EcdsaSha384 => (KeyType::P384, &signature::ECDSA_P384_SHA384_FIXED),
        }
    }
}

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The digest of this URI.
    pub(super) fn of(uri: &str) -> Option<Self> {
        Some(match uri {
            "http://www.w3.org/2001/04/xmlenc#sha256" => Self::Sha256,
            "http://www.w3.org/2001/04/xmldsig-more#sha384" => Self::Sha384,
            "http://www.w3.org/2001/04/xmlenc#sha512" => Self::Sha512,
            _ => return None,
        })
    }

    pub(super) fn digest(self, bytes: &[u8]) -> digest::Digest {
        digest::digest(
            match self {
                Self::Sha256 => &SHA256,
                Self::Sha384 => &SHA384,
                Self::Sha512 => &SHA512,
            },
            bytes,
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyType {
    Rsa,
    P256,
    P384,
}

/// A public key that a provider signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PinnedKey {
    kind: KeyType,
    /// A point, or the DER of an RSA key.
    bytes: Vec<u8>,
}

impl PinnedKey {
    /// The key of a certificate in DER. Nothing else of it is looked at: the metadata pins the key,
    /// and neither its names nor its dates say anything more. AWS does the same.
    pub(super) fn of_certificate(der: &[u8]) -> Result<Self, MetadataError> {
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|_| MetadataError::Certificate)?;
        if !rest.is_empty() {
            return Err(MetadataError::Certificate);
        }
        let info = certificate.public_key();
        let kind = match info.parsed().map_err(|_| MetadataError::Certificate)? {
            PublicKey::RSA(key) if (2048..=8192).contains(&key.key_size()) => KeyType::Rsa,
            PublicKey::EC(_) if info.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY => {
                let curve = info.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok());
                match curve {
                    Some(curve) if curve == OID_EC_P256 => KeyType::P256,
                    Some(curve) if curve == OID_NIST_EC_P384 => KeyType::P384,
                    _ => return Err(MetadataError::Key),
                }
            }
            _ => return Err(MetadataError::Key),
        };
        Ok(Self { kind, bytes: info.subject_public_key.data.to_vec() })
    }

    /// Whether this key made the signature of these bytes.
    pub(super) fn made(&self, algorithm: Algorithm, bytes: &[u8], signature: &[u8]) -> bool {
        let (kind, verification) = algorithm.verification();
        kind == self.kind
            && UnparsedPublicKey::new(verification, &self.bytes).verify(bytes, signature).is_ok()
    }
}
