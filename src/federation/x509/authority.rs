//! The authorities that an account trusts.

use x509_parser::certificate::X509Certificate;

use super::certificate::{self, Usage};
use super::error::X509Error;
use super::{MAX_BUNDLE, pem};
use crate::time::Timestamp;

/// What is a certificate of an authority, in words.
const WHAT: &str = "authority";

/// The certificates of authorities: an anchor of trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    authorities: Vec<Authority>,
}

/// One authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) der: Vec<u8>,
    /// How many authorities may stand between it and a leaf.
    pub(super) path_length: Option<u32>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

impl Bundle {
    /// Reads PEM.
    ///
    /// # Errors
    /// It is no PEM of certificates, or one of them is not that of an authority.
    pub fn parse(text: &str) -> Result<Self, X509Error> {
        let blocks = pem::blocks(text, "CERTIFICATE", MAX_BUNDLE)?;
        let authorities = blocks.into_iter().map(Authority::parse).collect::<Result<_, _>>()?;
        Ok(Self { authorities })
    }

    pub(super) fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Those that are in date.
    pub(super) fn in_date(&self, now: Timestamp) -> impl Iterator<Item = &Authority> {
        self.authorities.iter().filter(move |it| it.not_before <= now && now <= it.not_after)
    }
}

impl Authority {
    fn parse(der: Vec<u8>) -> Result<Self, X509Error> {
        let (certificate, usage) = authority(&der)?;
        let validity = certificate.validity();
        let at = |time: i64| Timestamp::from_secs(time);
        let (not_before, not_after) =
            (at(validity.not_before.timestamp()), at(validity.not_after.timestamp()));
        let path_length = usage.path_length;
        drop(certificate);
        Ok(Self { der, path_length, not_before, not_after })
    }
}

/// Reads a certificate in DER and holds it to what an authority's must be.
pub(super) fn authority(der: &[u8]) -> Result<(X509Certificate<'_>, Usage), X509Error> {
    let certificate = certificate::parse(der, WHAT)?;
    let usage = certificate::usage(&certificate, WHAT)?;
    if usage.is_authority != Some(true) {
        return Err(X509Error::NotAuthority);
    }
    if !usage.signs_certificates {
        return Err(X509Error::KeyUsage("keyCertSign"));
    }
    Ok((certificate, usage))
}
