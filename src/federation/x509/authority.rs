//! The authorities that an account trusts.

use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;
use x509_parser::certificate::X509Certificate;

use super::certificate::{self, Usage, serial};
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

/// One authority, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) der: Vec<u8>,
    /// Its name, key and name constraints.
    pub(super) anchor: TrustAnchor<'static>,
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    /// As the lists of its issuer name it.
    pub(super) serial: Result<Vec<u8>, X509Error>,
    /// How many authorities may stand between it and a leaf.
    pub(super) path_length: Option<u32>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// Whether it may vouch for clients.
    for_clients: bool,
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

    /// Checks that every authority may vouch for clients: the others are never used.
    ///
    /// # Errors
    /// The extended key usage of one does not let it.
    pub fn check_purpose(&self) -> Result<(), X509Error> {
        let good = self.authorities.iter().all(|it| it.for_clients);
        if good { Ok(()) } else { Err(X509Error::NotForClients) }
    }

    pub(super) fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Those that vouch for clients now.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn usable(&self, now: Timestamp) -> Result<Vec<&Authority>, X509Error> {
        let mut usable: Vec<_> = self.authorities.iter().filter(|it| it.for_clients).collect();
        if usable.is_empty() {
            return Err(X509Error::NotForClients);
        }
        usable.retain(|it| it.not_before <= now && now <= it.not_after);
        if usable.is_empty() { Err(X509Error::AuthorityNotInDate) } else { Ok(usable) }
    }
}

impl Authority {
    fn parse(der: Vec<u8>) -> Result<Self, X509Error> {
        let (certificate, usage) = authority(&der)?;
        let validity = certificate.validity();
        let at = |time: i64| Timestamp::from_secs(time);
        let (not_before, not_after) =
            (at(validity.not_before.timestamp()), at(validity.not_after.timestamp()));
        let (subject, issuer) =
            (certificate.subject().as_raw().to_vec(), certificate.issuer().as_raw().to_vec());
        let serial = serial(certificate.raw_serial());
        let given = CertificateDer::from(der.as_slice());
        let anchor = anchor_from_trusted_cert(&given).map_err(X509Error::Path)?.to_owned();
        drop(certificate);
        Ok(Self {
            anchor,
            subject,
            issuer,
            serial,
            path_length: usage.path_length,
            not_before,
            not_after,
            for_clients: usage.for_clients,
            der,
        })
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
