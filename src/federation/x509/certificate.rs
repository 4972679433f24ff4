//! The certificate that a workload shows.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Version;

use super::error::X509Error;
use super::name::Name;
use super::{MAX_CERTIFICATE, MAX_SERIAL, key};
use crate::sigv4::CertificateKey;
use crate::time::Timestamp;

const WHAT: &str = "certificate";

/// A certificate whose form is that of an end entity. Nobody vouches for it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    der: Vec<u8>,
    /// Big-endian, without leading zeros.
    serial: Vec<u8>,
    decimal: String,
    subject: Name,
    issuer: Name,
    pub(super) alternative: Alternative,
    key: CertificateKey,
    not_after: Timestamp,
}

/// The alternative names that are mapped, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Alternative {
    pub(super) dns: Vec<String>,
    pub(super) uris: Vec<String>,
    pub(super) names: Vec<Name>,
}

impl Leaf {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// It is no certificate of an end entity that may sign, or of a weak key.
    pub fn parse(der: &[u8]) -> Result<Self, X509Error> {
        let certificate = parse(der, WHAT)?;
        let usage = usage(&certificate, WHAT)?;
        if usage.is_authority != Some(false) {
            return Err(X509Error::NotEndEntity);
        }
        if !usage.signs {
            return Err(X509Error::KeyUsage("digitalSignature"));
        }
        let serial = serial(certificate.raw_serial())?;
        let not_after = certificate.validity().not_after.timestamp();
        Ok(Self {
            der: der.to_vec(),
            serial,
            decimal: certificate.tbs_certificate.serial.to_string(),
            subject: Name::read(certificate.subject())?,
            issuer: Name::read(certificate.issuer())?,
            alternative: alternative(&certificate)?,
            key: key::of(certificate.public_key(), WHAT)?,
            not_after: Timestamp::from_secs(not_after),
        })
    }

    /// Its DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The serial number in decimal.
    pub fn serial_decimal(&self) -> &str {
        &self.decimal
    }

    /// The serial number in lower-case hexadecimal, two digits a byte.
    pub fn serial_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.serial)
    }

    pub(super) fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Whose it is.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// Whose word it is.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// Its key.
    pub fn key(&self) -> &CertificateKey {
        &self.key
    }

    /// When it ends.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }
}

/// Reads any certificate, and holds it to what all must be.
pub(super) fn parse<'d>(
    der: &'d [u8],
    what: &'static str,
) -> Result<X509Certificate<'d>, X509Error> {
    if der.len() > MAX_CERTIFICATE {
        return Err(X509Error::TooLarge(what));
    }
    let Ok(([], certificate)) = X509Certificate::from_der(der) else {
        return Err(X509Error::Malformed(what));
    };
    if certificate.version() != X509Version::V3 {
        return Err(X509Error::Version);
    }
    if !key::is_taken(&certificate.signature_algorithm)
        || certificate.signature_algorithm != certificate.tbs_certificate.signature
    {
        return Err(X509Error::Algorithm(what));
    }
    key::of(certificate.public_key(), what)?;
    Ok(certificate)
}

/// What extensions say that a certificate is for.
pub(super) struct Usage {
    /// Basic constraints, if they are there.
    pub(super) is_authority: Option<bool>,
    /// How many authorities may follow.
    pub(super) path_length: Option<u32>,
    pub(super) signs: bool,
    pub(super) signs_certificates: bool,
    pub(super) signs_lists: bool,
    /// Whether an extended key usage, if it is there, lets clients prove themselves by it.
    pub(super) for_clients: bool,
}

/// Reads those extensions. Each stands once and can be read.
pub(super) fn usage(
    certificate: &X509Certificate<'_>,
    what: &'static str,
) -> Result<Usage, X509Error> {
    let mut usage = Usage {
        is_authority: None,
        path_length: None,
        signs: false,
        signs_certificates: false,
        signs_lists: false,
        for_clients: true,
    };
    certificate.extensions_map().map_err(|_| X509Error::Extension(what))?;
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(basic) => {
                usage.is_authority = Some(basic.ca);
                usage.path_length = basic.path_len_constraint;
            }
            ParsedExtension::KeyUsage(key) => {
                usage.signs = key.digital_signature();
                usage.signs_certificates = key.key_cert_sign();
                usage.signs_lists = key.crl_sign();
            }
            ParsedExtension::ParseError { .. } => return Err(X509Error::Extension(what)),
            // Those that say what a path may be are for rustls-webpki, which refuses what is critical
            // and what it does not know, as well.
            ParsedExtension::SubjectAlternativeName(_) | ParsedExtension::NameConstraints(_) => {}
            // It holds authorities between to it as well; those of a bundle it does not look at.
            ParsedExtension::ExtendedKeyUsage(purposes) => {
                usage.for_clients = purposes.any || purposes.client_auth;
            }
            _ if extension.critical => return Err(X509Error::Critical(what)),
            _ => {}
        }
    }
    Ok(usage)
}

/// A serial number without leading zeros.
pub(super) fn serial(raw: &[u8]) -> Result<Vec<u8>, X509Error> {
    let positive = raw.first().is_some_and(|first| *first < 0x80);
    let start = raw.iter().position(|byte| *byte != 0).unwrap_or(raw.len().saturating_sub(1));
    match raw.get(start..) {
        Some(serial) if positive && serial.len() <= MAX_SERIAL => Ok(serial.to_vec()),
        _ => Err(X509Error::Serial),
    }
}

fn alternative(certificate: &X509Certificate<'_>) -> Result<Alternative, X509Error> {
    let found = certificate.subject_alternative_name().map_err(|_| X509Error::Extension(WHAT))?;
    let mut alternative = Alternative::default();
    for name in found.iter().flat_map(|it| &it.value.general_names) {
        match name {
            GeneralName::DNSName(name) => alternative.dns.push((*name).to_owned()),
            GeneralName::URI(name) => alternative.uris.push((*name).to_owned()),
            GeneralName::DirectoryName(name) => alternative.names.push(Name::read(name)?),
            GeneralName::Invalid(..) => return Err(X509Error::Extension(WHAT)),
            _ => {}
        }
    }
    Ok(alternative)
}
