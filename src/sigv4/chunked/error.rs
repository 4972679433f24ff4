//! Why a payload in chunks is refused.

use super::ChecksumAlgorithm;

/// A payload in chunks is refused. Nothing that was read of it may be kept.
///
/// `Display` is the operator's text; the methods are S3's words for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The line before a chunk is not a size, with a signature where chunks are signed, or a line
    /// does not end in CR LF.
    #[error("chunk {chunk} is malformed")]
    Malformed {
        /// Which chunk, counted from 0.
        chunk: u64,
    },
    /// The line before a chunk is longer than any that could stand there.
    #[error("the line before chunk {chunk} is too long")]
    LineTooLong {
        /// Which chunk, counted from 0.
        chunk: u64,
    },
    /// A chunk is larger than the bound.
    #[error("chunk {chunk} is of {size} bytes, more than {maximum}")]
    ChunkTooLarge {
        /// Which chunk, counted from 0.
        chunk: u64,
        /// Its size, in bytes.
        size: u64,
        /// The largest size allowed, in bytes.
        maximum: usize,
    },
    /// A chunk that is not the last one with data is smaller than the bound.
    #[error("a chunk before chunk {chunk} is smaller than {minimum} bytes")]
    ChunkTooSmall {
        /// The chunk that came after it, counted from 0.
        chunk: u64,
        /// The smallest size allowed, in bytes.
        minimum: usize,
    },
    /// A chunk's signature does not match.
    #[error("the signature of chunk {chunk} does not match")]
    ChunkSignature {
        /// Which chunk, counted from 0.
        chunk: u64,
    },
    /// The chunks together are longer or shorter than `x-amz-decoded-content-length` says.
    #[error("the payload is not as long as x-amz-decoded-content-length says")]
    DecodedLength,
    /// The trailers are not lines of a name and a value, or do not end as they must.
    #[error("the trailers are malformed")]
    MalformedTrailers,
    /// The trailers together are longer than the bound.
    #[error("the trailers are too long")]
    TrailersTooLarge,
    /// A trailer that `x-amz-trailer` does not declare.
    #[error("a trailer came that was not declared")]
    UndeclaredTrailer,
    /// A trailer came twice.
    #[error("the trailer {} came twice", .0.trailer())]
    DuplicateTrailer(ChecksumAlgorithm),
    /// A declared trailer did not come.
    #[error("the trailer {} did not come", .0.trailer())]
    MissingTrailer(ChecksumAlgorithm),
    /// The trailers carry no signature, and must.
    #[error("the trailers are not signed")]
    UnsignedTrailers,
    /// The signature of the trailers does not match.
    #[error("the signature of the trailers does not match")]
    TrailerSignature,
    /// The payload has another checksum than a trailer says.
    #[error("the payload has another checksum than {} says", .0.trailer())]
    ChecksumMismatch(ChecksumAlgorithm),
    /// The stream ended before its end.
    #[error("the payload is cut off")]
    CutOff,
    /// Bytes follow the end.
    #[error("bytes follow the end of the payload")]
    AfterEnd,
}

impl ChunkError {
    /// S3's error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ChunkSignature { .. } | Self::TrailerSignature => "SignatureDoesNotMatch",
            Self::ChunkTooLarge { .. } | Self::ChunkTooSmall { .. } => "InvalidChunkSizeError",
            Self::DecodedLength | Self::CutOff => "IncompleteBody",
            Self::MalformedTrailers
            | Self::TrailersTooLarge
            | Self::UndeclaredTrailer
            | Self::DuplicateTrailer(_)
            | Self::MissingTrailer(_)
            | Self::UnsignedTrailers => "MalformedTrailerError",
            Self::ChecksumMismatch(_) => "BadDigest",
            Self::Malformed { .. } | Self::LineTooLong { .. } | Self::AfterEnd => "InvalidRequest",
        }
    }

    /// The HTTP status that goes with [`Self::code`].
    pub fn status(&self) -> u16 {
        match self.code() {
            "SignatureDoesNotMatch" | "InvalidChunkSizeError" => 403,
            _ => 400,
        }
    }

    /// What the client may read: S3's words where S3 has some.
    pub fn public_message(&self) -> String {
        match self {
            Self::ChunkSignature { .. } | Self::TrailerSignature => {
                "The request signature we calculated does not match the signature you provided. \
                 Check your key and signing method."
                    .to_owned()
            }
            Self::ChunkTooLarge { maximum, .. } => {
                format!("A chunk may have {maximum} bytes at most")
            }
            Self::ChunkTooSmall { minimum, .. } => {
                format!("Only the last chunk is allowed to have a size less than {minimum} bytes")
            }
            Self::DecodedLength | Self::CutOff => {
                "The request body terminated unexpectedly".to_owned()
            }
            Self::MalformedTrailers
            | Self::TrailersTooLarge
            | Self::UndeclaredTrailer
            | Self::DuplicateTrailer(_)
            | Self::MissingTrailer(_)
            | Self::UnsignedTrailers => "The request contained trailing data that was not \
                                         well-formed or did not conform to our published schema."
                .to_owned(),
            Self::ChecksumMismatch(algorithm) => format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.trailer()
            ),
            Self::Malformed { .. } | Self::LineTooLong { .. } => {
                "The chunked encoding of the request body is malformed.".to_owned()
            }
            Self::AfterEnd => "The request body goes on after its last chunk.".to_owned(),
        }
    }
}
