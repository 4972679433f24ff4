//! Payloads in signed chunks, and payloads with trailers: S3's `STREAMING-…` modes.
//!
//! # Model
//!
//! A client that cannot hash its body before it sends the head signs a *mode* in place of the
//! hash, and sends the body in a coding of its own, `aws-chunked`:
//!
//! ```text
//! 400;chunk-signature=<hex>\r\n      hexadecimal size, signature of the chunk
//! <1024 bytes>\r\n
//! 0;chunk-signature=<hex>\r\n        the last chunk is empty
//! x-amz-checksum-crc32c:<base64>\r\n     with trailers: each that `x-amz-trailer` declares
//! x-amz-trailer-signature:<hex>\r\n  and their signature
//! \r\n
//! ```
//!
//! Each signature covers the one before it, beginning with the *seed*, the signature of the head:
//! so no chunk can be changed, dropped, repeated or moved, and the empty last chunk cannot be
//! forged to cut the stream short. In `STREAMING-UNSIGNED-PAYLOAD-TRAILER` chunks and trailers
//! carry no signatures: only the head is authentic, and the checksum tells accidents, not attacks.
//!
//! # Trust boundary
//!
//! Before the head is verified, its caller compares service, region and host with its own, as of any
//! other request. Only a [`Verified`] of a streaming mode makes a [`ChunkVerifier`], so there is no way to a chunk
//! that passes the check of the head (M03). In a signed mode [`ChunkVerifier::push`] hands out a
//! chunk once its signature was found good. The end is explicit: what was handed out is a whole
//! payload only once [`ChunkVerifier::finish`] returns. Until then nothing may be committed. A
//! verifier that refused once refuses for ever.
//!
//! INVARIANT (bounded): it holds one chunk at most, of [`Limits::max_chunk`] bytes at most, and
//! memory is taken as bytes arrive, not as a size is claimed. In an unsigned mode it holds none.
//!
//! INVARIANT (one reading): sizes have no leading zero, lines end in CR LF and hold no other
//! control character, there is no chunk extension but the signature, the trailers are exactly those
//! declared, and nothing follows the end. `x-amz-decoded-content-length` is signed and met exactly.
//!
//! # Example
//!
//! ```
//! use countersign::secret::SecretAccessKey;
//! use countersign::sigv4::{
//!     Body, ChecksumAlgorithm, Chunks, Limits, RequestHead, Rules, Signer, SigningKey, UriRules,
//!     parse, verify,
//! };
//! use countersign::time::Timestamp;
//!
//! # let text = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
//! # let secret = SecretAccessKey::parse(text.into())?;
//! # let now = Timestamp::from_secs(1_440_938_160);
//! let payload = vec![7; 20_000];
//! let headers = [("host", b"bucket.example.com".as_slice())];
//! let head = RequestHead { method: "PUT", target: "/key", headers: &headers };
//! let signer = Signer {
//!     access_key_id: "AKIDEXAMPLE",
//!     secret: &secret,
//!     session_token: None,
//!     region: "eu-west-1",
//!     service: "s3",
//!     uri: UriRules::S3,
//!     content_sha256: true,
//! };
//! let with_crc = Chunks::SignedWith(ChecksumAlgorithm::Crc32c);
//! let (added, mut chunks) = signer.sign_streaming(&head, with_crc, 20_000, now)?;
//! let mut wire = Vec::new();
//! for part in payload.chunks(8192) {
//!     chunks.chunk(part, &mut wire)?;
//! }
//! chunks.finish(&mut wire)?;
//!
//! let mut headers = headers.to_vec();
//! headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
//! let head = RequestHead { headers: &headers, ..head };
//! let presented = parse(&head)?.ok_or("anonymous")?;
//! // A key signs for every service and region: is this ours?
//! let scope = presented.scope();
//! assert_eq!((scope.service, scope.region), ("s3", "eu-west-1"));
//! assert!(headers.contains(&("host", b"bucket.example.com")));
//! let key = SigningKey::derive(&secret, scope);
//! let rules = Rules::new(UriRules::S3, now);
//! let verified = verify(&presented, &key, Body::Streamed, &rules)?;
//! let mut chunks = verified.chunks(&key, Limits::default())?;
//! let mut received = Vec::new();
//! for mut packet in wire.chunks(1460) {
//!     while let Some(bytes) = chunks.push(&mut packet)? {
//!         received.extend_from_slice(bytes);
//!     }
//! }
//! chunks.finish()?;
//! assert_eq!(received, payload);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sources
//!
//! "Signature calculations for the authorization header: transferring payload in multiple chunks"
//! (`sigv4-streaming`) and "… including trailing headers" (`sigv4-streaming-trailers`) in the S3
//! API reference; for the bytes on the wire, what botocore and the SDKs for Java, JavaScript and
//! Rust send; for SigV4A, aws-c-auth, which pads chunk signatures with `*`.

mod chain;
mod checksum;
mod error;
mod signer;
mod streaming;
mod trailers;
mod verifier;

pub use checksum::ChecksumAlgorithm;
pub use error::ChunkError;
pub use signer::{ChunkSigner, Chunks};
pub use streaming::{Streaming, StreamingMode};
pub use verifier::{ChunkVerifier, Finished, Limits};

pub(super) use chain::{Chain, Key};
pub(super) use streaming::{DECODED_LENGTH, Seed, TRAILER};

#[cfg(doc)]
use super::Verified;

/// The longest line that announces a chunk, in bytes, its end included: sixteen digits, and a
/// signature of SigV4A.
const MAX_CHUNK_LINE: usize = 16 + SIGNATURE.len() + MAX_SIGNATURE + 2;
/// The most bytes of all trailers together, their signature included.
const MAX_TRAILERS: usize = 2048;
/// The longest signature, in hexadecimal digits: an ECDSA one.
const MAX_SIGNATURE: usize = 144;
/// What stands between the size of a chunk and its signature.
const SIGNATURE: &str = ";chunk-signature=";
/// The trailer that signs the others.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
