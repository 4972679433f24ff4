//! From a certificate to an authority of the bundle.

use std::collections::HashSet;
use std::ptr;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};
use x509_parser::certificate::X509Certificate;

use super::authority::{Authority, Bundle, authority};
use super::certificate::{Leaf, serial};
use super::crl::RevocationList;
use super::error::X509Error;
use super::key::{self, SIGNATURES};
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
    let mut shown = Vec::with_capacity(chain.len());
    for between in chain {
        if between.len() > MAX_CERTIFICATE {
            return Err(X509Error::TooLarge("chain"));
        }
        // All of them, also those that the path does not need: what is presented makes sense.
        let (certificate, _) = authority(between)?;
        shown.push((between.as_slice(), certificate));
    }
    let usable = bundle.usable(now)?;
    let between = candidates(shown, &usable);
    let seconds = u64::try_from(now.secs()).map_err(|_| X509Error::AuthorityNotInDate)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let der = CertificateDer::from(leaf.der());
    let end = EndEntityCert::try_from(&der).map_err(X509Error::Path)?;
    let anchors: Vec<TrustAnchor<'_>> = usable.iter().map(|it| it.anchor.clone()).collect();
    // The library does not know how many authorities an anchor allows below it.
    let fits = |path: &VerifiedPath<'_>| {
        let end = ending(path, &anchors, &usable).ok_or(webpki::Error::UnknownIssuer)?;
        let there = path.intermediate_certificates().count();
        match end.path_length {
            Some(most) if u32::try_from(there).is_ok_and(|there| there > most) => {
                Err(webpki::Error::PathLenConstraintViolated)
            }
            _ => Ok(()),
        }
    };
    // All authorities of the bundle at once: the library's bound on signatures, 100, is one of the
    // whole.
    let path = end
        .verify_for_usage(
            SIGNATURES,
            &anchors,
            &between,
            time,
            KeyUsage::client_auth(),
            None,
            Some(&fits),
        )
        .map_err(|error| match error {
            webpki::Error::PathLenConstraintViolated => X509Error::PathLength,
            error => X509Error::Path(error),
        })?;
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
    let root =
        ending(&path, &anchors, &usable).ok_or(X509Error::Path(webpki::Error::UnknownIssuer))?;
    check_above(root, bundle, lists, now)?;
    Ok(VerifiedLeaf(leaf))
}

/// The certificates of a chain that a path is looked for through.
///
/// INVARIANT (bounded): where names tell which certificate comes next, that is all of them. Where
/// several have one name, there are as many ways as they have orders, and a signature is checked at the
/// end of each: five that somebody has made up cost 100. Then those that nobody vouches for are left
/// out before.
fn candidates<'c>(
    mut shown: Vec<(&'c [u8], X509Certificate<'c>)>,
    usable: &[&Authority],
) -> Vec<CertificateDer<'c>> {
    let told_apart = {
        let names: HashSet<_> = shown.iter().map(|(_, it)| it.subject().as_raw()).collect();
        names.len() == shown.len()
    };
    let mut found: Vec<_> = Vec::with_capacity(shown.len());
    if told_apart {
        found = shown;
    } else {
        let roots = usable.iter().filter_map(|it| authority(&it.der).ok());
        let mut makers: Vec<_> = roots.map(|(certificate, _)| certificate).collect();
        // Each round goes one step down. Nobody is asked twice about one certificate.
        while !makers.is_empty() {
            let (made, others): (Vec<_>, Vec<_>) = shown
                .into_iter()
                .partition(|(_, it)| makers.iter().any(|maker| is_made_by(it, maker)));
            makers = made.iter().map(|(_, certificate)| certificate.clone()).collect();
            found.extend(made);
            shown = others;
        }
    }
    found.into_iter().map(|(der, _)| CertificateDer::from(der)).collect()
}

fn is_made_by(certificate: &X509Certificate<'_>, maker: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == maker.subject().as_raw()
        && key::made(
            maker.public_key(),
            &certificate.signature_algorithm,
            certificate.tbs_certificate.as_ref(),
            &certificate.signature_value.data,
        )
}

/// The authority of the bundle that a path ends with. Two of them may have one name and one key.
fn ending<'b>(
    path: &VerifiedPath<'_>,
    anchors: &[TrustAnchor<'_>],
    usable: &[&'b Authority],
) -> Option<&'b Authority> {
    let at = anchors.iter().position(|it| ptr::eq(it, path.anchor()))?;
    usable.get(at).copied()
}

/// Checks that the authority of the bundle that a path ends with is not revoked, nor one above it in
/// the bundle.
///
/// INVARIANT: whoever presents a certificate does not choose which lists count: a path may end with an
/// authority of the bundle that another one of it has issued, and revoked since.
fn check_above(
    end: &Authority,
    bundle: &Bundle,
    lists: &[&RevocationList],
    now: Timestamp,
) -> Result<(), X509Error> {
    let mut at = end;
    // Each step goes up; a circle ends with their number.
    for _ in bundle.authorities() {
        if at.issuer == at.subject {
            break;
        }
        let number = at.serial.as_ref().map_err(Clone::clone)?;
        for list in lists {
            list.check(&at.issuer, number, now)?;
        }
        let Some(above) = bundle.authorities().iter().find(|it| it.subject == at.issuer) else {
            break;
        };
        at = above;
    }
    Ok(())
}
