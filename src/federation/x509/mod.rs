//! X.509 certificates (RFC 5280) that a workload proves its identity with, and the authorities that
//! an account trusts to issue them.
//!
//! # Model
//!
//! An account's owner writes a bundle of authorities ([`Bundle`]) and, if there are any, the lists of
//! what those have revoked ([`RevocationList`]). A workload shows its certificate ([`Leaf`]) and the
//! authorities between it and the bundle; [`verify`] finds a path from the one to the other, and is the
//! only way to a [`VerifiedLeaf`]. What its names become in a session is for [`Mappings`].
//!
//! | rule | where |
//! |---|---|
//! | version 3; basic constraints say that it is no authority; key usage holds `digitalSignature`; extended key usage, if there, holds `clientAuth` | [`Leaf::parse`], [`verify`] |
//! | RSA of 2048 bits or more, ECDSA on P-256 or P-384; SHA-256 or longer | every certificate and list |
//! | in date, at the time given; path lengths; name constraints; no critical extension that is not known | [`verify`], by rustls-webpki |
//! | authorities: basic constraints say so, key usage holds `keyCertSign`; extended key usage, if there, holds `clientAuth` (those of the bundle: or any) | [`Bundle::parse`], [`verify`] |
//! | in no list of its issuer, and that list in date | [`verify`] |
//!
//! # Trust boundary
//!
//! Certificates and chains are the caller's: hostile, and bounded before they are parsed. Bundle and
//! lists are the account's owner's. No list and no authority is ever fetched.
//!
//! INVARIANT (bounded): a chain that nobody vouches for costs a few signatures, and any chain 100 at most.
//!
//! INVARIANT (fail closed): a list that covers a certificate and is out of date refuses it; a
//! constraint on names that is not understood refuses every name of its kind.
//!
//! Source: RFC 5280; IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model".

mod attributes;
mod authority;
mod certificate;
mod crl;
mod error;
mod key;
mod name;
mod path;
mod pem;

#[cfg(test)]
pub(crate) mod tests;

pub use attributes::{Field, Mapping, Mappings, SpecifierError};
pub use authority::Bundle;
pub use certificate::Leaf;
pub use crl::RevocationList;
pub use error::X509Error;
pub use name::Name;
pub use path::{VerifiedLeaf, verify};

/// The most certificates between a leaf and a bundle.
pub const MAX_CHAIN: usize = 5;
/// The most bytes of one certificate.
pub const MAX_CERTIFICATE: usize = 10_000;
/// The most authorities of a bundle.
pub const MAX_BUNDLE: usize = 10;
/// The most bytes of a revocation list.
pub const MAX_LIST: usize = 300_000;
/// The most bytes of a serial number (RFC 5280, 4.1.2.2).
const MAX_SERIAL: usize = 20;
