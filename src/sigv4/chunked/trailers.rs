//! The trailers of a payload: exactly those declared, signed where chunks are, and true.

use super::chain::{Chain, hash_trailers};
use super::checksum::Checksum;
use super::{ChecksumAlgorithm, ChunkError, MAX_TRAILERS, TRAILER_SIGNATURE};

/// What the payload's checksums are, and what its trailers say they are.
pub(super) struct Trailers {
    checksums: Vec<Checksum>,
    arrived: Vec<(ChecksumAlgorithm, String)>,
    bytes: usize,
    signed: bool,
}

impl Trailers {
    pub(super) fn new(declared: &[ChecksumAlgorithm]) -> Self {
        Self {
            checksums: declared.iter().map(|algorithm| Checksum::new(*algorithm)).collect(),
            arrived: Vec::new(),
            bytes: 0,
            signed: false,
        }
    }

    /// More of the payload.
    pub(super) fn update(&mut self, payload: &[u8]) {
        for checksum in &mut self.checksums {
            checksum.update(payload);
        }
    }

    /// How many bytes the next line may have, its end included.
    pub(super) fn room(&self) -> usize {
        MAX_TRAILERS - self.bytes
    }

    /// Reads a line that is not empty. `chain` is there where trailers are signed.
    pub(super) fn read(
        &mut self,
        line: &[u8],
        chain: Option<&mut Chain>,
    ) -> Result<(), ChunkError> {
        self.bytes = self.bytes.saturating_add(line.len() + 2).min(MAX_TRAILERS);
        let line = std::str::from_utf8(line).map_err(|_| ChunkError::MalformedTrailers)?;
        let (name, value) = line.split_once(':').ok_or(ChunkError::MalformedTrailers)?;
        let value = value.trim_matches([' ', '\t']);
        // The signature covers what came before it, so nothing comes after it.
        if self.signed {
            return Err(ChunkError::MalformedTrailers);
        }
        if let Some(chain) = chain
            && name.eq_ignore_ascii_case(TRAILER_SIGNATURE)
        {
            self.signed = true;
            return self.check_signature(value, chain);
        }
        let algorithm = ChecksumAlgorithm::of_trailer(name).ok_or(ChunkError::UndeclaredTrailer)?;
        if !self.checksums.iter().any(|checksum| checksum.algorithm == algorithm) {
            return Err(ChunkError::UndeclaredTrailer);
        }
        if self.arrived.iter().any(|(arrived, _)| *arrived == algorithm) {
            return Err(ChunkError::DuplicateTrailer(algorithm));
        }
        self.arrived.push((algorithm, value.to_owned()));
        Ok(())
    }

    fn check_signature(&self, signature: &str, chain: &mut Chain) -> Result<(), ChunkError> {
        let arrived = self.arrived.iter();
        let pairs = arrived.map(|(algorithm, value)| (algorithm.trailer(), value.as_str()));
        let hash = hash_trailers(pairs.collect());
        if chain.accepts_trailers(&hash, signature.as_bytes()) {
            Ok(())
        } else {
            Err(ChunkError::TrailerSignature)
        }
    }

    /// At the empty line after them: all are there, signed if they must be, and true.
    pub(super) fn check(&mut self, must_be_signed: bool) -> Result<(), ChunkError> {
        if must_be_signed && !self.signed {
            return Err(ChunkError::UnsignedTrailers);
        }
        for checksum in std::mem::take(&mut self.checksums) {
            let algorithm = checksum.algorithm;
            let (_, claimed) = self
                .arrived
                .iter()
                .find(|(arrived, _)| *arrived == algorithm)
                .ok_or(ChunkError::MissingTrailer(algorithm))?;
            if *claimed != checksum.finish() {
                return Err(ChunkError::ChecksumMismatch(algorithm));
            }
        }
        Ok(())
    }

    /// The trailers, in order of arrival.
    pub(super) fn into_arrived(self) -> Vec<(ChecksumAlgorithm, String)> {
        self.arrived
    }
}
