//! Requests signed by the key of a certificate: `AWS4-X509-RSA-SHA256` and
//! `AWS4-X509-ECDSA-SHA256`.
//!
//! # Model
//!
//! The canonical form, the string to sign and every rule about them are those of SigV4; instead of an
//! access key ID the credential names the serial number of the certificate in `x-amz-x509`, in
//! decimal, and the signature is one of that certificate's key. Whether anybody vouches for the
//! certificate is not asked here.
//!
//! INVARIANT (one key, one purpose): neither [`parse`](super::parse()) nor [`verify`](super::verify())
//! takes such a request, and nothing here takes another.
//!
//! Source: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere authentication signing process".

use ring::signature::{
    self, ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256,
    UnparsedPublicKey,
};

use super::canonical::write_string_to_sign;
use super::parse::{Arrived, Presented, QUERY_PARAMETERS, Signature};
use super::signed_set::is_token;
use super::uri::Target;
use super::verify::{Payload, canonical, check_time, verified};
use super::{Algorithm, Body, Form, Missing, RequestHead, Rules, SigError, Verified, header_form};

/// The public key of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateKey {
    kind: Kind,
    /// A point, or the DER of an RSA key.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
}

impl CertificateKey {
    /// An RSA key, by its `RSAPublicKey` (RFC 8017) in DER. Signatures hold only with a modulus of
    /// 2048 to 8192 bits.
    pub fn rsa(der: &[u8]) -> Self {
        Self { kind: Kind::Rsa, bytes: der.to_vec() }
    }

    /// A key on P-256, by its uncompressed point.
    pub fn p256(point: &[u8]) -> Self {
        Self { kind: Kind::P256, bytes: point.to_vec() }
    }

    /// A key on P-384, by its uncompressed point.
    pub fn p384(point: &[u8]) -> Self {
        Self { kind: Kind::P384, bytes: point.to_vec() }
    }

    fn accepts(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by: &dyn signature::VerificationAlgorithm = match (algorithm, self.kind) {
            (Algorithm::X509RsaSha256, Kind::Rsa) => &RSA_PKCS1_2048_8192_SHA256,
            (Algorithm::X509EcdsaSha256, Kind::P256) => &ECDSA_P256_SHA256_ASN1,
            (Algorithm::X509EcdsaSha256, Kind::P384) => &ECDSA_P384_SHA256_ASN1,
            _ => return false,
        };
        UnparsedPublicKey::new(by, &self.bytes).verify(message, signature).is_ok()
    }
}

/// As [`parse`](super::parse()), of a request that is signed by the key of a certificate. `None`: it
/// has no `Authorization` header.
///
/// Once this returns, `x-amz-x509`, and `content-type` if it arrived, are signed besides what always
/// is; the date stands in `x-amz-date`.
pub fn parse_x509<'a>(head: &RequestHead<'a>) -> Result<Option<Presented<'a>>, SigError> {
    if head.method.is_empty() || !head.method.bytes().all(is_token) {
        return Err(SigError::MalformedMethod);
    }
    let arrived = Arrived::scan(head.headers)?;
    let target = Target::parse(head.target)?;
    if target.parameters().any(|p| QUERY_PARAMETERS.iter().any(|name| p.is_ignoring_case(name))) {
        // There is no presigned form.
        return Err(SigError::ConflictingCredentials);
    }
    let Some(authorization) = arrived.authorization else { return Ok(None) };
    let known = Algorithm::OF_CERTIFICATES;
    let presented = header_form::parse(head, target, &arrived, authorization, known)?;
    if presented.security_token.is_some() {
        // The credentials of a session besides: whose request would it be?
        return Err(SigError::ConflictingCredentials);
    }
    if !presented.signs("x-amz-date") {
        return Err(SigError::DateNotSigned);
    }
    if !presented.signs_content_type {
        return Err(SigError::HeaderNotSigned { name: "content-type".to_owned() });
    }
    if presented.certificate.is_none() {
        let missing = Missing { credential: true, ..Missing::default() };
        return Err(SigError::Incomplete { form: Form::Header, missing });
    }
    Ok(Some(presented))
}

/// Checks the date and the signature of a request that [`parse_x509`] has read, and its payload.
///
/// `key` is the key of the certificate presented.
pub fn verify_x509(
    presented: &Presented<'_>,
    key: &CertificateKey,
    body: Body<'_>,
    rules: &Rules,
) -> Result<Verified, SigError> {
    let Signature::Certificate(signature) = &presented.signature else {
        return Err(SigError::UnsupportedAlgorithm);
    };
    check_time(presented, rules)?;
    let payload = Payload::of(presented, body, rules)?;
    let canonical_sha256 = canonical(presented, rules.uri, payload.line()).sha256();
    let mut string_to_sign = Vec::with_capacity(256);
    write_string_to_sign(
        &mut string_to_sign,
        presented.algorithm,
        &presented.signed_at.text,
        presented.scope(),
        &canonical_sha256,
    );
    if !key.accepts(presented.algorithm, &string_to_sign, signature) {
        return Err(SigError::SignatureDoesNotMatch { canonical_sha256 });
    }
    verified(presented, &payload, rules)
}
