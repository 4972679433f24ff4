//! AWS Signature Version 4: who signed this request, and is all of it signed?
//!
//! # Model
//!
//! A client proves that it holds a secret access key by a MAC over a *canonical form* of its
//! request. [`parse()`] reads what a request presents and checks everything that needs no key;
//! [`verify()`] rebuilds the canonical form from the request that arrived, with the payload it
//! really has, and compares. Between the two the caller finds the secret of
//! [`Presented::access_key_id`] and prepares a [`SigningKey`], which it may keep for the scope's
//! day. A [`Verified`] has no other constructor.
//!
//! SigV4A ([`Algorithm::EcdsaP256Sha256`]) differs in the last step: an ECDSA key pair is derived
//! from the secret and the access key ID, good for all days, regions and services, and the request
//! names the set of regions it is good in. ECDSA signatures can be turned into other valid ones of
//! the same request (`n - s` for `s`): never take a signature for the identity of a request.
//!
//! IAM Roles Anywhere has requests signed by the key of a certificate, over the same canonical form:
//! [`parse_x509`] and [`verify_x509`], which take nothing else, as nothing else takes them.
//!
//! # Trust boundary
//!
//! Everything in a [`RequestHead`] is hostile: it is bounded, and nothing in it is believed
//! before the signature holds. The caller is trusted for four things: that the head is the one
//! the request is served by (the raw target, `host` taken from `:authority` on HTTP/2, every
//! header in order), that a [`Body`] holds the bytes that will be served, that the
//! [`SigningKey`] was derived from the secret of the access key that was presented, and that it
//! compares what the request was signed for with what it is: [`Scope::service`], [`Scope::region`]
//! and the `host` header. A good signature says that the request was meant for whom it names.
//!
//! INVARIANT (everything that matters is signed): `host`, the date and every `x-amz-*` header
//! that arrives stand in `SignedHeaders`, or the request is refused. What may come once comes
//! once. Credentials come in one place. The payload mode comes only from signed input.
//!
//! INVARIANT (equal canonical forms mean equal requests): two targets, header lists or methods
//! with one canonical form differ at most in the escapes of a query (`%7e` and `~`), the order of
//! its parameters, parameters that are empty (`&&`), the `=` of an empty value, the case of
//! header names, the order of headers with different names, one header against several of its
//! name joined by commas, and runs of blanks in header values. Under [`UriRules::Standard`] they
//! may also differ in dot segments and empty segments of the path: [`Verified::path_as_signed`]
//! tells, so that nobody authorizes one path and serves another.
//!
//! # Example
//!
//! ```
//! use countersign::secret::SecretAccessKey;
//! use countersign::sigv4::{
//!     Body, RequestHead, Rules, SigError, Signer, SigningKey, UriRules, parse, verify,
//! };
//! use countersign::time::Timestamp;
//!
//! # let text = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
//! # let secret = SecretAccessKey::parse(text.into())?;
//! let now = Timestamp::from_secs(1_440_938_160);
//! let body = b"Action=GetCallerIdentity&Version=2011-06-15";
//! let head = RequestHead {
//!     method: "POST",
//!     target: "/",
//!     headers: &[("host", b"sts.example.com".as_slice())],
//! };
//! let signer = Signer {
//!     access_key_id: "AKIDEXAMPLE",
//!     secret: &secret,
//!     session_token: None,
//!     region: "eu-west-1",
//!     service: "sts",
//!     uri: UriRules::Standard,
//!     content_sha256: false,
//! };
//! let added = signer.sign(&head, body, now)?;
//!
//! let mut headers = head.headers.to_vec();
//! headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
//! let head = RequestHead { headers: &headers, ..head };
//! let presented = parse(&head)?.ok_or("anonymous")?;
//! assert_eq!(presented.access_key_id(), "AKIDEXAMPLE");
//! // A key signs for every service and region: is this ours?
//! let scope = presented.scope();
//! assert_eq!((scope.service, scope.region), ("sts", "eu-west-1"));
//! assert!(headers.contains(&("host", b"sts.example.com")));
//! let key = SigningKey::derive(&secret, scope);
//! let rules = Rules::new(UriRules::Standard, now);
//! verify(&presented, &key, Body::Bytes(body), &rules)?;
//!
//! let refused = verify(&presented, &key, Body::Bytes(b"Action=Other"), &rules);
//! assert!(matches!(refused, Err(SigError::SignatureDoesNotMatch { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sources
//!
//! "Create a signed AWS API request" in the IAM User Guide, the signing test suite of aws-c-auth,
//! and, where those are silent, what botocore does. A `+` or `;` in a query stays as it stands
//! (botocore), since parsers differ on what it means: it is neither `%20` nor `%2B`, nor `%3B`.

mod canonical;
pub mod chunked;
mod date;
mod error;
mod header_form;
mod key;
mod key_v4a;
mod parse;
mod query_form;
mod region_set;
mod sign;
mod signed_set;
mod uri;
mod verify;
mod x509;

#[cfg(test)]
mod tests;

pub use chunked::{
    ChecksumAlgorithm, ChunkError, ChunkSigner, ChunkVerifier, Chunks, Limits, Streaming,
    StreamingMode,
};
pub use error::{Bounded, Missing, SigError};
pub use key::SigningKey;
pub use key_v4a::{SigningKeyV4a, VerifyingKey};
pub use parse::{Presented, parse};
pub use sign::{Added, Signer, SignerV4a};
pub use verify::{PayloadCheck, Rules, Verified, verify, verify_v4a};
pub use x509::{CertificateKey, parse_x509, verify_x509};

/// The most headers a request may carry.
pub const MAX_HEADERS: usize = 128;
/// The most names in `SignedHeaders`.
pub const MAX_SIGNED_HEADERS: usize = 64;
/// The most parameters in a query.
pub const MAX_QUERY_PARAMETERS: usize = 256;
/// The longest request target, in bytes.
pub const MAX_TARGET: usize = 16 * 1024;
/// The most bytes of all header names and values together.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The longest `SignedHeaders` list, in bytes.
pub const MAX_SIGNED_HEADERS_BYTES: usize = 4096;
/// The longest access key ID, region or service in a credential, in bytes.
pub const MAX_SCOPE_ELEMENT: usize = 128;

/// The longest life of a presigned request, in seconds: a week.
pub const MAX_EXPIRES: i64 = 604_800;

/// A request without its body, as it arrived. It has no `Debug`: it holds a session token.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The request target in origin form, undecoded: path, and query if there is one.
    pub target: &'a str,
    /// The headers in order, duplicates kept, names in any case. On HTTP/2 `:authority` stands
    /// here as `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// What the caller knows of a request's body.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// The whole body.
    Bytes(&'a [u8]),
    /// The SHA-256 of the whole body, computed by a caller we trust over the bytes it serves;
    /// never taken from the request.
    Sha256([u8; 32]),
    /// The body cannot be had. A request that signs no hash of it is then refused.
    Unavailable,
    /// The body is yet to be read, and the caller will hold what it reads against
    /// [`Verified::payload`]: the hash, or the chunks by [`Verified::chunks`].
    Streamed,
}

/// How a service canonicalizes paths, and which payload modes it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriRules {
    /// Every service but S3: dot segments and empty segments are removed, and the path is
    /// escaped once more.
    Standard,
    /// S3: the path stands as sent, and `UNSIGNED-PAYLOAD` and `STREAMING-…` are payload modes.
    S3,
}

/// Where the credentials of a request stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query: a presigned request.
    Query,
}

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SigV4: a MAC under a key that is bound to a region. For [`verify()`].
    HmacSha256,
    /// SigV4A: an ECDSA signature on P-256, good in a set of regions. For [`verify_v4a`].
    EcdsaP256Sha256,
    /// A signature by the RSA key of a certificate, as IAM Roles Anywhere takes it: only
    /// [`parse_x509`] reads it, for [`verify_x509`].
    X509RsaSha256,
    /// The same by an ECDSA key.
    X509EcdsaSha256,
}

impl Algorithm {
    /// Those of an access key: requests to every service but one.
    const OF_KEYS: [Self; 2] = [Self::HmacSha256, Self::EcdsaP256Sha256];
    /// Those of a certificate.
    const OF_CERTIFICATES: [Self; 2] = [Self::X509RsaSha256, Self::X509EcdsaSha256];

    /// Its name in requests and in the string to sign.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "AWS4-HMAC-SHA256",
            Self::EcdsaP256Sha256 => "AWS4-ECDSA-P256-SHA256",
            Self::X509RsaSha256 => "AWS4-X509-RSA-SHA256",
            Self::X509EcdsaSha256 => "AWS4-X509-ECDSA-SHA256",
        }
    }

    /// The one of this name, among those that may come here.
    fn named(name: &str, known: [Self; 2]) -> Option<Self> {
        known.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether the scope names a region.
    fn has_region(self) -> bool {
        self != Self::EcdsaP256Sha256
    }
}

/// What a signing key is good for: the credential scope without its terminator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    /// `YYYYMMDD`.
    pub date: &'a str,
    /// Any text, also none; none in SigV4A.
    pub region: &'a str,
    /// The name a service signs by, such as `sts`.
    pub service: &'a str,
}
