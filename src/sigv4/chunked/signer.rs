//! Signing of a payload in chunks.

use sha2::{Digest, Sha256};

use super::chain::{Chain, hash_trailers};
use super::checksum::Checksum;
use super::{ChecksumAlgorithm, ChunkError, SIGNATURE, StreamingMode, TRAILER_SIGNATURE};
use crate::sigv4::Algorithm;

/// How a payload is to be sent in chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// Signed chunks.
    Signed,
    /// Signed chunks, and a signed trailer with a checksum.
    SignedWith(ChecksumAlgorithm),
    /// Unsigned chunks, and an unsigned trailer with a checksum: for TLS only.
    UnsignedWith(ChecksumAlgorithm),
}

impl Chunks {
    pub(in crate::sigv4) fn checksum(self) -> Option<ChecksumAlgorithm> {
        match self {
            Self::Signed => None,
            Self::SignedWith(checksum) | Self::UnsignedWith(checksum) => Some(checksum),
        }
    }

    pub(in crate::sigv4) fn mode(self, algorithm: Algorithm) -> StreamingMode {
        // Nobody signs chunks with a certificate: no signer of ours has such an algorithm.
        match (self, algorithm == Algorithm::EcdsaP256Sha256) {
            (Self::UnsignedWith(_), _) => StreamingMode::UnsignedTrailer,
            (Self::Signed, false) => StreamingMode::Signed,
            (Self::Signed, true) => StreamingMode::SignedV4a,
            (Self::SignedWith(_), false) => StreamingMode::SignedTrailer,
            (Self::SignedWith(_), true) => StreamingMode::SignedV4aTrailer,
        }
    }
}

/// Encodes a payload in chunks, after the head was signed.
pub struct ChunkSigner {
    chain: Option<Chain>,
    checksum: Option<Checksum>,
    left: u64,
    #[cfg(test)]
    wrong_checksum: bool,
}

impl ChunkSigner {
    pub(in crate::sigv4) fn new(chain: Chain, chunks: Chunks, decoded_length: u64) -> Self {
        Self {
            chain: (!matches!(chunks, Chunks::UnsignedWith(_))).then_some(chain),
            checksum: chunks.checksum().map(Checksum::new),
            left: decoded_length,
            #[cfg(test)]
            wrong_checksum: false,
        }
    }

    /// Appends a chunk to `out`, as it goes over the wire. Nothing is appended for no data.
    ///
    /// Receivers refuse chunks over their bound, and S3 those under 8192 bytes but for the last.
    pub fn chunk(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), ChunkError> {
        let length = data.len() as u64;
        self.left = self.left.checked_sub(length).ok_or(ChunkError::DecodedLength)?;
        if data.is_empty() {
            return Ok(());
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(data);
        }
        out.reserve(data.len() + super::MAX_CHUNK_LINE + 2);
        self.line(length, data, out);
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Appends the last chunk and the trailer to `out`. The payload must have been as long as it
    /// was announced.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), ChunkError> {
        if self.left > 0 {
            return Err(ChunkError::DecodedLength);
        }
        self.line(0, b"", out);
        if let Some(checksum) = self.checksum.take() {
            #[cfg(test)]
            let checksum =
                if self.wrong_checksum { Checksum::new(checksum.algorithm) } else { checksum };
            let name = checksum.algorithm.trailer();
            let value = checksum.finish();
            trailer(name, &value, out);
            if let Some(chain) = &mut self.chain {
                let signature = chain.sign_trailers(&hash_trailers(vec![(name, &value)]));
                trailer(TRAILER_SIGNATURE, &signature, out);
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Appends the line before a chunk.
    fn line(&mut self, length: u64, data: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{length:x}").as_bytes());
        if let Some(chain) = &mut self.chain {
            out.extend_from_slice(SIGNATURE.as_bytes());
            let signature = chain.sign_chunk(&Sha256::digest(data).into());
            out.extend_from_slice(signature.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn trailer(name: &str, value: &str, out: &mut Vec<u8>) {
    for piece in [name, ":", value, "\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}

#[cfg(test)]
impl ChunkSigner {
    /// Makes the trailer that of nothing, whatever comes.
    pub(in crate::sigv4) fn forget_checksum(&mut self) {
        self.wrong_checksum = true;
    }
}
