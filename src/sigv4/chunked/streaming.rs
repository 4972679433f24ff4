//! What the head of a request says of a payload in chunks.

use std::fmt;

use super::super::date::SignedAt;
use super::super::{Algorithm, Presented, Scope, SigError};
use super::chain::{Chain, Key, Previous};
use super::checksum::ChecksumAlgorithm;

/// The header that tells how long the payload is without its coding.
pub(in crate::sigv4) const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// The header that declares the trailers.
pub(in crate::sigv4) const TRAILER: &str = "x-amz-trailer";

/// A value of `x-amz-content-sha256` that says how the payload comes in chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamingMode {
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: signed chunks.
    Signed,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: signed chunks and signed trailers.
    SignedTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: neither is signed. Only the head is authentic.
    UnsignedTrailer,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`: signed chunks, in SigV4A.
    SignedV4a,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER`: both signed, in SigV4A.
    SignedV4aTrailer,
}

impl StreamingMode {
    /// Every mode.
    pub const ALL: [Self; 5] = [
        Self::Signed,
        Self::SignedTrailer,
        Self::UnsignedTrailer,
        Self::SignedV4a,
        Self::SignedV4aTrailer,
    ];

    /// The value of `x-amz-content-sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::SignedV4a => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            Self::SignedV4aTrailer => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        }
    }

    /// Whether trailers follow the payload.
    pub fn has_trailers(self) -> bool {
        match self {
            Self::SignedTrailer | Self::UnsignedTrailer | Self::SignedV4aTrailer => true,
            Self::Signed | Self::SignedV4a => false,
        }
    }

    /// The algorithm that signs chunks and trailers; `None`: they are not signed.
    pub fn signed_by(self) -> Option<Algorithm> {
        match self {
            Self::Signed | Self::SignedTrailer => Some(Algorithm::HmacSha256),
            Self::SignedV4a | Self::SignedV4aTrailer => Some(Algorithm::EcdsaP256Sha256),
            Self::UnsignedTrailer => None,
        }
    }

    /// The mode of this name, for a head that is signed by `algorithm`.
    ///
    /// INVARIANT: chunks are signed by the algorithm of their head.
    pub(in crate::sigv4) fn named(name: &[u8], algorithm: Algorithm) -> Option<Self> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name().as_bytes() == name)?;
        mode.signed_by().is_none_or(|signs| signs == algorithm).then_some(mode)
    }
}

/// A payload in chunks, as its signed head announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streaming {
    mode: StreamingMode,
    decoded_length: u64,
    trailers: Vec<ChecksumAlgorithm>,
}

impl Streaming {
    /// How the payload is signed.
    pub fn mode(&self) -> StreamingMode {
        self.mode
    }

    /// The length of the payload without its coding, in bytes.
    pub fn decoded_length(&self) -> u64 {
        self.decoded_length
    }

    /// The checksums that will follow the payload.
    pub fn trailers(&self) -> &[ChecksumAlgorithm] {
        &self.trailers
    }

    /// Reads `x-amz-decoded-content-length` and `x-amz-trailer`.
    fn announced(presented: &Presented<'_>, mode: StreamingMode) -> Result<Self, SigError> {
        let decoded_length =
            presented.decoded_length.and_then(whole_number).ok_or(SigError::DecodedLength)?;
        let trailers = match (mode.has_trailers(), presented.trailer) {
            (true, Some(names)) => declared(names).ok_or(SigError::UnsupportedTrailer)?,
            (false, None) => Vec::new(),
            (true, None) | (false, Some(_)) => return Err(SigError::UnsupportedTrailer),
        };
        Ok(Self { mode, decoded_length, trailers })
    }
}

/// What verification of a head leaves for its chunks. Only a head that holds makes one.
pub(in crate::sigv4) struct Seed {
    pub(in crate::sigv4) streaming: Streaming,
    algorithm: Algorithm,
    access_key_id: Box<str>,
    signed_at: SignedAt,
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
    signature: Previous,
}

impl Seed {
    /// Of a head whose signature holds.
    pub(in crate::sigv4) fn of(
        presented: &Presented<'_>,
        mode: StreamingMode,
    ) -> Result<Self, SigError> {
        let scope = presented.scope();
        Ok(Self {
            streaming: Streaming::announced(presented, mode)?,
            algorithm: presented.algorithm,
            access_key_id: presented.access_key_id().into(),
            signed_at: presented.signed_at,
            date: scope.date.into(),
            region: scope.region.into(),
            service: scope.service.into(),
            signature: Previous::of(&presented.signature),
        })
    }

    pub(in crate::sigv4) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(in crate::sigv4) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub(in crate::sigv4) fn scope(&self) -> Scope<'_> {
        Scope { date: &self.date, region: &self.region, service: &self.service }
    }

    /// The chain of signatures that begins here; `None` where chunks carry none.
    pub(super) fn chain(&self, key: Key) -> Option<Chain> {
        self.streaming.mode.signed_by()?;
        Some(Chain::new(key, &self.signed_at, self.scope(), self.signature.clone()))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed").field("streaming", &self.streaming).finish_non_exhaustive()
    }
}

/// A number without a sign or a leading zero.
fn whole_number(text: &[u8]) -> Option<u64> {
    let stands = match text {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    std::str::from_utf8(text).ok().filter(|_| stands)?.parse().ok()
}

/// Reads names separated by commas: each one's checksum is known, and none comes twice.
fn declared(names: &[u8]) -> Option<Vec<ChecksumAlgorithm>> {
    let names = std::str::from_utf8(names).ok()?;
    let mut declared = Vec::new();
    for name in names.split(',') {
        let algorithm = ChecksumAlgorithm::of_trailer(name.trim_matches([' ', '\t']))?;
        if declared.contains(&algorithm) {
            return None;
        }
        declared.push(algorithm);
    }
    Some(declared)
}
