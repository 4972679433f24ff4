//! The checksums of S3 that a trailer may carry.

use crc_fast::CrcAlgorithm;
use ring::digest::SHA1_FOR_LEGACY_USE_ONLY;
use sha2::{Digest, Sha256};

/// A checksum of a payload, which tells accidents from what was sent. It is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32 as in zlib.
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME, the default of today's SDKs.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl ChecksumAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name of its header or trailer.
    pub fn trailer(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm of a trailer, whose name may come in any case.
    pub(super) fn of_trailer(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.trailer().eq_ignore_ascii_case(name))
    }
}

/// A checksum of what it was shown so far.
pub(super) struct Checksum {
    pub(super) algorithm: ChecksumAlgorithm,
    state: State,
}

enum State {
    Crc(Box<crc_fast::Digest>),
    Sha1(Box<ring::digest::Context>),
    Sha256(Box<Sha256>),
}

impl Checksum {
    pub(super) fn new(algorithm: ChecksumAlgorithm) -> Self {
        let crc = |crc| State::Crc(Box::new(crc_fast::Digest::new(crc)));
        let state = match algorithm {
            ChecksumAlgorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            ChecksumAlgorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            ChecksumAlgorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            ChecksumAlgorithm::Sha1 => {
                State::Sha1(Box::new(ring::digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY)))
            }
            ChecksumAlgorithm::Sha256 => State::Sha256(Box::default()),
        };
        Self { algorithm, state }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha1(sha1) => sha1.update(bytes),
            State::Sha256(sha256) => sha256.update(bytes),
        }
    }

    /// The checksum as a trailer spells it: base64 of its bytes, the highest first.
    pub(super) fn finish(self) -> String {
        use base64::Engine as _;
        let base64 = base64::engine::general_purpose::STANDARD;
        match (self.state, self.algorithm) {
            (State::Crc(crc), ChecksumAlgorithm::Crc64Nvme) => {
                base64.encode(crc.finalize().to_be_bytes())
            }
            // The upper half of a CRC of 32 bits is empty.
            (State::Crc(crc), _) => {
                let [_, _, _, _, low @ ..] = crc.finalize().to_be_bytes();
                base64.encode(low)
            }
            (State::Sha1(sha1), _) => base64.encode(sha1.finish()),
            (State::Sha256(sha256), _) => base64.encode(sha256.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of CRCs, and of FIPS 180-4's tests, for other inputs.
    #[test]
    fn known_answers() {
        for (algorithm, input, expected) in [
            (ChecksumAlgorithm::Crc32, "123456789", "cbf43926"),
            (ChecksumAlgorithm::Crc32c, "123456789", "e3069283"),
            (ChecksumAlgorithm::Crc64Nvme, "123456789", "ae8b14860a799888"),
            (ChecksumAlgorithm::Sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                ChecksumAlgorithm::Sha256,
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            let mut checksum = Checksum::new(algorithm);
            for byte in input.bytes() {
                checksum.update(&[byte]);
            }
            let expected = data_encoding::HEXLOWER.decode(expected.as_bytes()).unwrap();
            assert_eq!(checksum.finish(), data_encoding::BASE64.encode(&expected), "{algorithm:?}");
            assert_eq!(ChecksumAlgorithm::of_trailer(algorithm.trailer()), Some(algorithm));
        }
        assert_eq!(ChecksumAlgorithm::of_trailer("x-amz-checksum-md5"), None);
    }
}
