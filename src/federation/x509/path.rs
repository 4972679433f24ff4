//! From a certificate to an authority of the bundle.

use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::authority::{Bundle, authority};
use super::certificate::{Leaf, serial};
use super::crl::RevocationList;
use super::error::X509Error;
use super::key::SIGNATURES;
use super::{MAX_CERTIFICATE, MAX_CHAIN};
use crate::time::Timestamp;

/// A certificate that an authority of a bundle vouches for. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedLeaf(Leaf);

impl VerifiedLeaf {
    /// The certificate.
    pub fn leaf(&self) -> &Leaf {
        &self.0
    }
}

/// Finds a path from a certificate through these others to the bundle, at this time.
///
/// # Errors
/// There is none, or the certificate or an authority on it is revoked.
pub fn verify(
    leaf: Leaf,
    chain: &[Vec<u8>],
    bundle: &Bundle,
    lists: &[&RevocationList],
    now: Timestamp,
) -> Result<VerifiedLeaf, X509Error> {
    if chain.len() > MAX_CHAIN {
        return Err(X509Error::TooLarge("chain"));
    }
    for between in chain {
        if between.len() > MAX_CERTIFICATE {
            return Err(X509Error::TooLarge("chain"));
        }
        // All of them, also those that the path does not need: what is presented makes sense.
        authority(between)?;
    }
    let roots: Vec<_> = bundle
        .in_date(now)
        .map(|it| (CertificateDer::from(it.der.as_slice()), it.path_length))
        .collect();
    if roots.is_empty() {
        return Err(X509Error::AuthorityNotInDate);
    }
    let seconds = u64::try_from(now.secs()).map_err(|_| X509Error::AuthorityNotInDate)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let der = CertificateDer::from(leaf.der());
    let end = EndEntityCert::try_from(&der).map_err(X509Error::Path)?;
    let between: Vec<_> = chain.iter().map(|it| CertificateDer::from(it.as_slice())).collect();
    // One authority after the other, so that each one's own limit is held.
    let mut refused = X509Error::Path(webpki::Error::UnknownIssuer);
    for (root, path_length) in &roots {
        let anchors = [anchor_from_trusted_cert(root).map_err(X509Error::Path)?];
        let found = end.verify_for_usage(
            SIGNATURES,
            &anchors,
            &between,
            time,
            KeyUsage::client_auth(),
            None,
            None,
        );
        let path = match found {
            Ok(path) => path,
            Err(webpki::Error::UnknownIssuer) => continue,
            Err(error) => {
                refused = X509Error::Path(error);
                continue;
            }
        };
        let authorities = path.intermediate_certificates().count();
        if path_length.is_some_and(|most| u32::try_from(authorities).is_ok_and(|it| it > most)) {
            refused = X509Error::PathLength;
            continue;
        }
        for list in lists {
            list.check(leaf.issuer().raw(), leaf.serial(), now)?;
        }
        for between in path.intermediate_certificates() {
            let der = between.der();
            let (certificate, _) = authority(&der)?;
            let number = serial(certificate.raw_serial())?;
            for list in lists {
                list.check(certificate.issuer().as_raw(), &number, now)?;
            }
        }
        drop(path);
        check_above(root, bundle, lists, now)?;
        return Ok(VerifiedLeaf(leaf));
    }
    Err(refused)
}

/// Checks that the authority of the bundle that a path ends with is not revoked, nor one above it in
/// the bundle.
///
/// INVARIANT: whoever presents a certificate does not choose which lists count: a path may end with an
/// authority of the bundle that another one of it has issued, and revoked since.
fn check_above(
    end: &[u8],
    bundle: &Bundle,
    lists: &[&RevocationList],
    now: Timestamp,
) -> Result<(), X509Error> {
    let mut at = end;
    // Each step goes up; a circle ends with their number.
    for _ in bundle.authorities() {
        let (certificate, _) = authority(at)?;
        let issuer = certificate.issuer().as_raw();
        if issuer == certificate.subject().as_raw() {
            break;
        }
        let number = serial(certificate.raw_serial())?;
        for list in lists {
            list.check(issuer, &number, now)?;
        }
        let above = bundle.authorities().iter().find(|it| {
            authority(&it.der).is_ok_and(|(above, _)| above.subject().as_raw() == issuer)
        });
        let Some(above) = above else { break };
        at = &above.der;
    }
    Ok(())
}
