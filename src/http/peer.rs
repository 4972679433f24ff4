//! The names in a client's certificate, read after the handshake has vouched for it.
//!
//! INVARIANT: two different names are never written alike. What a name's own text could be taken
//! for is escaped (RFC 4514), and a certificate that does not read as a whole has no names at all.

use std::fmt::Write as _;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

use super::message::KnownClient;
use crate::downstream::CertificateNames;
use crate::time::Timestamp;

/// The short names of RFC 4514, section 3, and of e-mail addresses.
const SHORT: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// What a certificate says; `None` if it does not read.
pub(crate) fn known(certificate: &CertificateDer<'_>) -> Option<KnownClient> {
    let (rest, certificate) = X509Certificate::from_der(certificate).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let names = Arc::new(names(&certificate)?);
    let not_after = Timestamp::from_secs(certificate.validity().not_after.timestamp());
    Some(KnownClient { names, not_after })
}

fn names(certificate: &X509Certificate<'_>) -> Option<CertificateNames> {
    let mut names = CertificateNames {
        subject: subject(certificate.subject())?,
        ..CertificateNames::default()
    };
    if let Some(alternative) = certificate.subject_alternative_name().ok()? {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(dns) => names.dns.push((*dns).to_owned()),
                GeneralName::URI(uri) => names.uris.push((*uri).to_owned()),
                GeneralName::RFC822Name(email) => names.emails.push((*email).to_owned()),
                GeneralName::Invalid(..) => return None,
                _ => {}
            }
        }
    }
    Some(names)
}

/// A name as RFC 4514 writes it: the last element first.
fn subject(name: &X509Name<'_>) -> Option<String> {
    let mut text = String::new();
    let elements: Vec<_> = name.iter_rdn().collect();
    for element in elements.iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        for (at, attribute) in element.iter().enumerate() {
            if at > 0 {
                text.push('+');
            }
            let oid = attribute.attr_type().to_id_string();
            let short = SHORT.iter().find(|(known, _)| *known == oid);
            text.push_str(short.map_or(oid.as_str(), |(_, short)| short));
            text.push('=');
            escape(&mut text, attribute.as_str().ok()?);
        }
    }
    Some(text)
}

/// RFC 4514, section 2.4.
fn escape(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let outer = (c == ' ' && (at == 0 || at == last)) || (c == '#' && at == 0);
        if c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a text does not fail.
                let _ = write!(text, "\\{byte:02X}");
            }
        } else {
            if outer || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=') {
                text.push('\\');
            }
            text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;
    use crate::http::TlsInfo;

    fn of(parts: &[(DnType, &str)], alternative: Vec<SanType>) -> CertificateNames {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_after = rcgen::date_time_ymd(2026, 9, 22);
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.subject_alt_names = alternative;
        let key = KeyPair::generate().unwrap();
        let known = known(params.self_signed(&key).unwrap().der()).unwrap();
        // The connection may stay open.
        let end = Timestamp::parse_amz(b"20260922T000000Z").unwrap();
        assert_eq!(known.not_after, end);
        let names = CertificateNames::clone(&known.names);
        let told = TlsInfo { client: Some(known), ..TlsInfo::default() };
        assert_eq!(told.client_at(end).as_deref(), Some(&names));
        assert_eq!(told.client_at(end.plus_secs(1)), None);
        names
    }

    #[test]
    fn every_kind_of_name_is_read() {
        let ia5 = |text: &str| Ia5String::try_from(text).unwrap();
        let names = of(
            &[(DnType::OrganizationName, "Example"), (DnType::CommonName, "orders")],
            vec![
                SanType::DnsName(ia5("orders.internal")),
                SanType::URI(ia5("spiffe://example/orders")),
                SanType::Rfc822Name(ia5("orders@example.com")),
                SanType::IpAddress("127.0.0.1".parse().unwrap()),
            ],
        );
        assert_eq!(names.subject, "CN=orders,O=Example");
        assert_eq!(names.dns, ["orders.internal"]);
        assert_eq!(names.uris, ["spiffe://example/orders"]);
        assert_eq!(names.emails, ["orders@example.com"]);
    }

    #[test]
    fn a_value_cannot_be_taken_for_more_elements() {
        let honest =
            of(&[(DnType::OrganizationName, "Example"), (DnType::CommonName, "orders")], vec![]);
        let forged = of(&[(DnType::CommonName, "orders,O=Example")], vec![]);
        assert_eq!(forged.subject, "CN=orders\\,O\\=Example");
        assert_ne!(honest.subject, forged.subject);
        let odd = of(&[(DnType::CommonName, " #a+b\\ ")], vec![]);
        assert_eq!(odd.subject, "CN=\\ #a\\+b\\\\\\ ");
    }

    #[test]
    fn what_does_not_read_has_no_names() {
        assert_eq!(known(&CertificateDer::from(vec![0x30, 0x03, 1, 2, 3])), None);
    }
}
