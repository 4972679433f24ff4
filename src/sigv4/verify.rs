//! Verification: the canonical form of the request that arrived, under the key of whoever it says
//! signed it.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::canonical::{Canonical, hex, unhex, write_string_to_sign};
use super::chunked::{ChunkVerifier, Key, Limits, Seed, Streaming, StreamingMode};
use super::key_v4a::VerifyingKey;
use super::parse::Signature;
use super::region_set;
use super::{Algorithm, Body, Form, MAX_EXPIRES, Presented, SigError, SigningKey, UriRules};
use crate::time::Timestamp;

/// The payload mode of S3 that leaves the body unsigned.
pub(super) const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// What a signature is held against.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How the service canonicalizes, and which payload modes it knows.
    pub uri: UriRules,
    /// The time of the request's arrival.
    pub now: Timestamp,
    /// How far the request's date may lie from `now`, either way, in seconds; the boundary is in.
    /// A presigned request may be older, within its own life.
    pub max_skew: i64,
    /// The longest life a presigned request may ask for, in seconds.
    pub max_expires: i64,
}

impl Rules {
    /// AWS's rules: 15 minutes either way, a week for presigned requests.
    pub fn new(uri: UriRules, now: Timestamp) -> Self {
        Self { uri, now, max_skew: 15 * 60, max_expires: MAX_EXPIRES }
    }
}

/// What is known of the payload of a verified request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadCheck {
    /// The body is the one that was signed.
    Verified,
    /// The signature covers this SHA-256, but the body was not there to compare: whoever reads
    /// the body has yet to.
    SignedHash([u8; 32]),
    /// The signer left the body unsigned (S3's `UNSIGNED-PAYLOAD`).
    Unsigned,
    /// The body comes in chunks: whoever reads it has yet to put them through
    /// [`Verified::chunks`]. Only [`Body::Streamed`] leads here.
    Streaming(StreamingMode),
}

/// A request's signature holds. Only [`verify`] and [`verify_v4a`] make one.
#[derive(Debug)]
pub struct Verified {
    payload: PayloadCheck,
    signed_at: Timestamp,
    expires_at: Option<Timestamp>,
    form: Form,
    path_as_signed: bool,
    seed: Option<Box<Seed>>,
}

impl Verified {
    /// What is known of the payload.
    pub fn payload(&self) -> PayloadCheck {
        self.payload
    }

    /// The payload in chunks, as it is announced.
    pub fn streaming(&self) -> Option<&Streaming> {
        self.seed.as_ref().map(|seed| &seed.streaming)
    }

    /// Begins to verify a payload in chunks.
    ///
    /// `key` is the key that the request was verified by. `Err` if the payload does not come in
    /// chunks, or the key is of another scope.
    pub fn chunks(&self, key: &SigningKey, limits: Limits) -> Result<ChunkVerifier, SigError> {
        let seed = self.seed(Algorithm::HmacSha256)?;
        if seed.scope() != key.scope() {
            return Err(SigError::WrongSigningKey);
        }
        Ok(ChunkVerifier::new(seed, Key::Mac(key.mac()), limits))
    }

    /// Begins to verify a payload in chunks of a SigV4A request; as [`Self::chunks`].
    pub fn chunks_v4a(
        &self,
        key: &VerifyingKey,
        limits: Limits,
    ) -> Result<ChunkVerifier, SigError> {
        let seed = self.seed(Algorithm::EcdsaP256Sha256)?;
        if seed.access_key_id() != key.access_key_id() {
            return Err(SigError::WrongSigningKey);
        }
        Ok(ChunkVerifier::new(seed, Key::Public(key.public()), limits))
    }

    fn seed(&self, algorithm: Algorithm) -> Result<&Seed, SigError> {
        let seed = self.seed.as_deref().ok_or(SigError::PayloadMode)?;
        if seed.algorithm() == algorithm { Ok(seed) } else { Err(SigError::UnsupportedAlgorithm) }
    }

    /// When the request was signed.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// When the life of a presigned request ends.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Where the credentials stood.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Whether the path that was signed is the path that was sent. If not, the path holds dot
    /// segments or empty ones which the signature does not tell apart: authorize and serve the
    /// normalised path, or refuse the request.
    pub fn path_as_signed(&self) -> bool {
        self.path_as_signed
    }
}

/// Checks the date and the signature of an [`Algorithm::HmacSha256`] request, and its payload when
/// that is signed.
///
/// `key` is the key of the access key presented, for the scope presented.
pub fn verify(
    presented: &Presented<'_>,
    key: &SigningKey,
    body: Body<'_>,
    rules: &Rules,
) -> Result<Verified, SigError> {
    let Signature::Hmac(signature) = &presented.signature else {
        return Err(SigError::UnsupportedAlgorithm);
    };
    if key.scope() != presented.scope() {
        return Err(SigError::WrongSigningKey);
    }
    check_time(presented, rules)?;
    let payload = Payload::of(presented, body, rules)?;
    let canonical_sha256 = canonical(presented, rules.uri, payload.line()).sha256();
    let expected = key.sign(&presented.signed_at, &canonical_sha256);
    if !bool::from(expected.ct_eq(signature)) {
        return Err(SigError::SignatureDoesNotMatch { canonical_sha256 });
    }
    verified(presented, &payload, rules)
}

/// Checks the date, the regions and the signature of an [`Algorithm::EcdsaP256Sha256`] request, and
/// its payload when that is signed.
///
/// `key` is the key of the access key presented. `region` is the one that the request's set of
/// regions must cover; `None`: any set is good.
pub fn verify_v4a(
    presented: &Presented<'_>,
    key: &VerifyingKey,
    region: Option<&str>,
    body: Body<'_>,
    rules: &Rules,
) -> Result<Verified, SigError> {
    let (Signature::Ecdsa(der, length), Some(set)) = (&presented.signature, presented.region_set())
    else {
        return Err(SigError::UnsupportedAlgorithm);
    };
    if key.access_key_id() != presented.access_key_id() {
        return Err(SigError::WrongSigningKey);
    }
    check_time(presented, rules)?;
    if region.is_some_and(|region| !region_set::covers(set, region)) {
        return Err(SigError::RegionNotCovered);
    }
    let payload = Payload::of(presented, body, rules)?;
    let canonical_sha256 = canonical(presented, rules.uri, payload.line()).sha256();
    let mut string_to_sign = Vec::with_capacity(256);
    write_string_to_sign(
        &mut string_to_sign,
        Algorithm::EcdsaP256Sha256,
        &presented.signed_at.text,
        presented.scope(),
        &canonical_sha256,
    );
    if !key.accepts(&string_to_sign, der.get(..*length).unwrap_or_default()) {
        return Err(SigError::SignatureDoesNotMatch { canonical_sha256 });
    }
    verified(presented, &payload, rules)
}

pub(super) fn verified(
    presented: &Presented<'_>,
    payload: &Payload,
    rules: &Rules,
) -> Result<Verified, SigError> {
    let seed = match payload.check {
        PayloadCheck::Streaming(mode) => Some(Box::new(Seed::of(presented, mode)?)),
        PayloadCheck::Verified | PayloadCheck::SignedHash(_) | PayloadCheck::Unsigned => None,
    };
    Ok(Verified {
        payload: payload.check,
        signed_at: presented.signed_at.time,
        expires_at: presented.expires_at(),
        form: presented.form,
        path_as_signed: presented.target.path_is_normal(rules.uri),
        seed,
    })
}

/// The canonical form of a request, with `payload` as its last line.
pub(super) fn canonical<'r>(
    presented: &'r Presented<'_>,
    uri: UriRules,
    payload: &'r [u8],
) -> Canonical<'r> {
    Canonical {
        head: &presented.head,
        target: presented.target,
        except: (presented.form == Form::Query).then_some("X-Amz-Signature"),
        signed_headers: &presented.signed_headers,
        signed: &presented.signed,
        uri,
        payload,
    }
}

pub(super) fn check_time(presented: &Presented<'_>, rules: &Rules) -> Result<(), SigError> {
    let Rules { now, max_skew, max_expires, .. } = *rules;
    let signed_at = presented.signed_at.time;
    match presented.expires {
        Some(expires) if expires > max_expires => {
            return Err(SigError::MalformedExpires { maximum: max_expires });
        }
        Some(expires) => {
            let expired_at = signed_at.plus_secs(expires);
            if expired_at < now {
                return Err(SigError::PresignedExpired { expired_at, now });
            }
        }
        None if signed_at.plus_secs(max_skew) < now => {
            return Err(SigError::Expired { signed_at, now, max_skew });
        }
        None => {}
    }
    if now.plus_secs(max_skew) < signed_at {
        return Err(SigError::NotYetCurrent { signed_at, now, max_skew });
    }
    Ok(())
}

/// The last line of the canonical request, and what it says of the body.
pub(super) struct Payload {
    hash: [u8; 64],
    check: PayloadCheck,
}

impl Payload {
    pub(super) fn of(
        presented: &Presented<'_>,
        body: Body<'_>,
        rules: &Rules,
    ) -> Result<Self, SigError> {
        let streamed = matches!(body, Body::Streamed);
        let body = match body {
            Body::Bytes(bytes) => Some(Sha256::digest(bytes).into()),
            Body::Sha256(hash) => Some(hash),
            Body::Unavailable | Body::Streamed => None,
        };
        let s3 = rules.uri == UriRules::S3;
        let mode = match (presented.content_sha256.as_deref(), presented.form) {
            // S3 takes the body of a presigned request as it comes.
            (None, Form::Query) if s3 => Some(UNSIGNED_PAYLOAD),
            (mode, _) => mode,
        };
        let (hash, check) = match mode {
            None => (body.ok_or(SigError::BodyUnavailable)?, PayloadCheck::Verified),
            Some(UNSIGNED_PAYLOAD) if s3 => {
                return Ok(Self { hash: [0; 64], check: PayloadCheck::Unsigned });
            }
            Some(mode) if mode.starts_with(b"STREAMING-") => {
                if !streamed {
                    return Err(SigError::StreamingPayload);
                }
                // Presigned requests have none: their seed would be good for days.
                let mode = StreamingMode::named(mode, presented.algorithm)
                    .filter(|_| s3 && presented.form == Form::Header)
                    .ok_or(SigError::PayloadMode)?;
                return Ok(Self { hash: [0; 64], check: PayloadCheck::Streaming(mode) });
            }
            Some(text) => {
                let signed = unhex(text).ok_or(SigError::PayloadMode)?;
                match body {
                    None => (signed, PayloadCheck::SignedHash(signed)),
                    Some(hash) if hash == signed => (signed, PayloadCheck::Verified),
                    Some(_) => return Err(SigError::PayloadMismatch),
                }
            }
        };
        Ok(Self { hash: hex(&hash), check })
    }

    pub(super) fn line(&self) -> &[u8] {
        match self.check {
            PayloadCheck::Unsigned => UNSIGNED_PAYLOAD,
            PayloadCheck::Streaming(mode) => mode.name().as_bytes(),
            PayloadCheck::Verified | PayloadCheck::SignedHash(_) => &self.hash,
        }
    }
}
