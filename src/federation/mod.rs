//! Identities that somebody else vouches for.
//!
//! Each kind of proof has a verifier of its own. What a verifier has found good is a
//! `TrustedAssertion`, which nothing else can make.

pub mod oidc;
pub mod saml;
pub mod x509;
