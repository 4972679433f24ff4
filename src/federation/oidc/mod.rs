//! OpenID Connect: a strict verifier of signed tokens (JWT), and a signer.
//!
//! # Model
//!
//! A token goes through three steps, each with a type of its own:
//!
//! 1. [`Unverified::read`] takes it apart: size, form, encoding, JSON, header. Nothing of it is
//!    believed; its issuer only says whose provider entity is to be looked up.
//! 2. [`Unverified::check`] holds it against what the provider's owner [`Expected`]: issuer,
//!    audience, algorithm, times, the types of all claims that matter. This costs no key, so that
//!    a token which is refused anyway makes nobody fetch one.
//! 3. [`Checked::verify`] verifies the signature with the issuer's own keys. Only this makes a
//!    [`TrustedAssertion`].
//!
//! # Trust boundary
//!
//! The token is hostile until step 3. The key set comes from the issuer, not from the token: what
//! a header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is refused, not looked at. An issuer is
//! believed about its own subjects only: its claims become condition keys under its own name.
//!
//! INVARIANT: the algorithm is one that the operator accepts of this issuer, and one that the key
//! is for. `none` and the symmetric algorithms do not exist here.
//!
//! INVARIANT: a claim that is there with a wrong type is an error, never the same as absent.
//!
//! # Sources
//!
//! RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518 (JWA), RFC 7519 (JWT), RFC 8725 (JWT best current
//! practices), RFC 8037 (EdDSA), RFC 7638 (thumbprints); OpenID Connect Core 1.0; AWS STS API
//! reference, AssumeRoleWithWebIdentity; IAM User Guide, "OIDC federation", "Pass session tags in
//! AWS STS".

mod algorithm;
mod assertion;
mod base64url;
mod claims;
mod error;
mod header;
mod jwks;
mod kubernetes;
mod sign;
mod tags;
mod token;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, KeyType};
pub use assertion::TrustedAssertion;
pub use claims::{ClaimValue, Claims};
pub use error::TokenError;
pub use jwks::{KeySet, KeySetError};
pub use kubernetes::{Kubernetes, Pod, service_account};
pub use sign::{PublicJwk, SignError, SigningKey};
pub use tags::SessionTags;
pub use token::{Checked, Expected, Unverified};

/// The most characters of a token: what the service model of STS allows.
pub const MAX_TOKEN: usize = 20_000;

/// How far ahead of our clock an issuer's clock may be, in seconds. It stretches `iat` and `nbf`.
/// Expiry has no leeway: an expired token is expired.
pub const LEEWAY_SECS: i64 = 60;
