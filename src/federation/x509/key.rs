//! Public keys, and the signatures of certificates and lists.

use ring::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::pki_types::SignatureVerificationAlgorithm;
use webpki::ring as algorithms;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
    OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384,
};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::error::X509Error;
use crate::sigv4::CertificateKey;

/// The algorithms that certificates may be signed by.
///
/// INVARIANT: none with SHA-1 or MD5, none with a shorter RSA key than 2048 bits.
pub(super) static SIGNATURES: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
}

/// The kind of a key that is taken.
fn kind(info: &SubjectPublicKeyInfo<'_>) -> Option<Kind> {
    let algorithm = &info.algorithm;
    match info.parsed().ok()? {
        PublicKey::RSA(key)
            if algorithm.algorithm == OID_PKCS1_RSAENCRYPTION
                && (2048..=8192).contains(&key.key_size()) =>
        {
            Some(Kind::Rsa)
        }
        PublicKey::EC(_) if algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY => {
            let curve = algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok())?;
            if curve == OID_EC_P256 {
                Some(Kind::P256)
            } else if curve == OID_NIST_EC_P384 {
                Some(Kind::P384)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// The key of a certificate, if it is one that is taken.
pub(super) fn of(
    info: &SubjectPublicKeyInfo<'_>,
    what: &'static str,
) -> Result<CertificateKey, X509Error> {
    let bytes = &info.subject_public_key.data;
    match kind(info) {
        Some(Kind::Rsa) => Ok(CertificateKey::rsa(bytes)),
        Some(Kind::P256) => Ok(CertificateKey::p256(bytes)),
        Some(Kind::P384) => Ok(CertificateKey::p384(bytes)),
        None => Err(X509Error::Key(what)),
    }
}

/// Whether a signature algorithm is one of those taken.
pub(super) fn is_taken(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    [
        OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA,
        OID_PKCS1_SHA512WITHRSA,
        OID_SIG_ECDSA_WITH_SHA256,
        OID_SIG_ECDSA_WITH_SHA384,
    ]
    .contains(&algorithm.algorithm)
}

/// Whether a key made a signature of these bytes.
pub(super) fn made(
    info: &SubjectPublicKeyInfo<'_>,
    algorithm: &AlgorithmIdentifier<'_>,
    bytes: &[u8],
    signature: &[u8],
) -> bool {
    let Some(kind) = kind(info) else { return false };
    let is = |oid| algorithm.algorithm == oid;
    let by: &dyn VerificationAlgorithm = match kind {
        Kind::Rsa if is(OID_PKCS1_SHA256WITHRSA) => &RSA_PKCS1_2048_8192_SHA256,
        Kind::Rsa if is(OID_PKCS1_SHA384WITHRSA) => &RSA_PKCS1_2048_8192_SHA384,
        Kind::Rsa if is(OID_PKCS1_SHA512WITHRSA) => &RSA_PKCS1_2048_8192_SHA512,
        Kind::P256 if is(OID_SIG_ECDSA_WITH_SHA256) => &ECDSA_P256_SHA256_ASN1,
        Kind::P256 if is(OID_SIG_ECDSA_WITH_SHA384) => &ECDSA_P256_SHA384_ASN1,
        Kind::P384 if is(OID_SIG_ECDSA_WITH_SHA256) => &ECDSA_P384_SHA256_ASN1,
        Kind::P384 if is(OID_SIG_ECDSA_WITH_SHA384) => &ECDSA_P384_SHA384_ASN1,
        _ => return false,
    };
    let key: UnparsedPublicKey<&[u8]> = UnparsedPublicKey::new(by, &info.subject_public_key.data);
    signature::UnparsedPublicKey::verify(&key, bytes, signature).is_ok()
}
