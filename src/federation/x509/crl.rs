//! Lists of revoked certificates (RFC 5280, section 5).
//!
//! A list is whole or it is not taken: it is direct, complete, in the words of an authority of the
//! bundle, and says when the next one comes. So whether it speaks of a certificate is a question of the
//! issuer's name alone, and no distribution point decides that a list does not count.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::authority::{Bundle, authority};
use super::error::X509Error;
use super::{MAX_LIST, MAX_SERIAL, certificate, key, pem};
use crate::time::Timestamp;

const WHAT: &str = "revocation list";
/// The number of the extension that makes a list a change to another one.
const DELTA: &str = "2.5.29.27";

/// A list of revoked certificates.
///
/// It is stored as it was given, and read once.
#[derive(Clone, Debug)]
pub struct RevocationList {
    /// As it was given: PEM or DER.
    given: Arc<[u8]>,
    issuer: Arc<[u8]>,
    this_update: Timestamp,
    next_update: Timestamp,
    /// The list's own number, the longer one first.
    number: Option<(usize, Arc<[u8]>)>,
    /// In order. A list may have 15,000: each takes as little room as it can.
    serials: Arc<[Serial]>,
}

/// A serial number, with zeros in front.
type Serial = [u8; MAX_SERIAL];

/// INVARIANT: the number has no more bytes, as whoever reads one has made sure.
fn padded(number: &[u8]) -> Serial {
    let mut padded = Serial::default();
    for (to, from) in padded.iter_mut().rev().zip(number.iter().rev()) {
        *to = *from;
    }
    padded
}

impl PartialEq for RevocationList {
    /// The rest is read off it.
    fn eq(&self, other: &Self) -> bool {
        self.given == other.given
    }
}

impl Eq for RevocationList {}

impl RevocationList {
    /// Reads a list in PEM or DER. Whose word it is, is not asked.
    ///
    /// # Errors
    /// It is no list, or not a whole one.
    pub fn parse(given: &[u8]) -> Result<Self, X509Error> {
        if given.len() > MAX_LIST {
            return Err(X509Error::TooLarge(WHAT));
        }
        let der = der(given)?;
        let list = read(&der)?;
        if !key::is_taken(&list.signature_algorithm)
            || list.signature_algorithm != list.tbs_cert_list.signature
            || !names_once(&der, list.tbs_cert_list.as_ref())
            || list.signature_value.unused_bits != 0
        {
            return Err(X509Error::Algorithm(WHAT));
        }
        list.tbs_cert_list.extensions_map().map_err(|_| X509Error::Extension(WHAT))?;
        let mut number = None;
        for extension in list.extensions() {
            if let ParsedExtension::CRLNumber(it) = extension.parsed_extension() {
                let bytes = it.to_bytes_be();
                number = Some((bytes.len(), bytes.into()));
            }
            let partial = matches!(
                extension.parsed_extension(),
                ParsedExtension::IssuingDistributionPoint(_)
            );
            if partial || extension.oid.to_id_string() == DELTA {
                return Err(X509Error::PartialList);
            }
            if extension.critical {
                return Err(X509Error::Critical(WHAT));
            }
        }
        let mut serials = Vec::new();
        for entry in list.iter_revoked_certificates() {
            // A critical one may say that the entry is about another issuer's certificate.
            if entry.extensions().iter().any(|extension| extension.critical) {
                return Err(X509Error::Critical(WHAT));
            }
            serials.push(padded(&certificate::serial(entry.raw_serial())?));
        }
        serials.sort_unstable();
        serials.dedup();
        let next = list.next_update().ok_or(X509Error::PartialList)?;
        Ok(Self {
            issuer: list.issuer().as_raw().into(),
            this_update: Timestamp::from_secs(list.last_update().timestamp()),
            next_update: Timestamp::from_secs(next.timestamp()),
            number,
            serials: serials.into(),
            given: given.into(),
        })
    }

    /// As it was given.
    pub fn given(&self) -> &[u8] {
        &self.given
    }

    /// Checks that an authority of the bundle made it.
    ///
    /// # Errors
    /// None did, or not one that may sign lists.
    pub fn check_issuer(&self, bundle: &Bundle) -> Result<(), X509Error> {
        let der = der(&self.given)?;
        let list = read(&der)?;
        let made = bundle.authorities().iter().any(|it| {
            authority(&it.der).is_ok_and(|(certificate, usage)| {
                usage.signs_lists
                    && certificate.subject().as_raw() == &*self.issuer
                    && key::made(
                        certificate.public_key(),
                        &list.signature_algorithm,
                        list.tbs_cert_list.as_ref(),
                        &list.signature_value.data,
                    )
            })
        });
        if made { Ok(()) } else { Err(X509Error::ForeignList) }
    }

    /// Checks that it may take the place of another one: it is the same authority's, and not older.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn check_follows(&self, other: &Self) -> Result<(), X509Error> {
        if self.issuer != other.issuer {
            return Err(X509Error::OtherIssuer);
        }
        if self.this_update < other.this_update {
            return Err(X509Error::OlderList("thisUpdate"));
        }
        match (&self.number, &other.number) {
            (Some(number), Some(before)) if number < before => {
                Err(X509Error::OlderList("cRLNumber"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the certificate of this issuer and serial number is not in it.
    ///
    /// # Errors
    /// It is, or the list speaks of that issuer and is not in date.
    pub(super) fn check(
        &self,
        issuer: &[u8],
        serial: &[u8],
        now: Timestamp,
    ) -> Result<(), X509Error> {
        if issuer != &*self.issuer {
            return Ok(());
        }
        if self.serials.binary_search(&padded(serial)).is_ok() {
            return Err(X509Error::Revoked);
        }
        // INVARIANT (fail closed): who was revoked since is not known.
        if now > self.next_update || now < self.this_update {
            return Err(X509Error::ListNotInDate(self.next_update));
        }
        Ok(())
    }
}

fn der(given: &[u8]) -> Result<Vec<u8>, X509Error> {
    let text = str::from_utf8(given).ok().filter(|text| text.contains("-----BEGIN "));
    match text {
        None => Ok(given.to_vec()),
        Some(text) => {
            let mut blocks = pem::blocks(text, "X509 CRL", 1)?;
            blocks.pop().ok_or(X509Error::Malformed(WHAT))
        }
    }
}

/// Whether the algorithm beside what is signed is spelled as in it, to the byte: the parser is not
/// strict about its tags.
fn names_once(der: &[u8], signed: &[u8]) -> bool {
    let at = der.windows(signed.len()).position(|it| it == signed);
    let after = at.and_then(|at| der.get(at + signed.len()..));
    let Some(after @ [_, length, ..]) = after else { return false };
    let named = after.get(..usize::from(*length) + 2);
    named.is_some_and(|named| signed.windows(named.len()).any(|it| it == named))
}

fn read(der: &[u8]) -> Result<CertificateRevocationList<'_>, X509Error> {
    match CertificateRevocationList::from_der(der) {
        Ok(([], list)) => Ok(list),
        _ => Err(X509Error::Malformed(WHAT)),
    }
}

impl Serialize for RevocationList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.given))
    }
}

impl<'de> Deserialize<'de> for RevocationList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let given = STANDARD.decode(text).map_err(de::Error::custom)?;
        Self::parse(&given).map_err(de::Error::custom)
    }
}
