//! Distinguished names.

use std::fmt::{self, Write as _};

use x509_parser::x509::X509Name;

use super::error::X509Error;

/// The short names of attribute types: RFC 4514, section 3, and those that X.520 adds which
/// certificates have.
const SHORT: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "T"),
    ("2.5.4.42", "GN"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    raw: Vec<u8>,
    /// The attributes in order: the type's dotted number, and the value.
    attributes: Vec<(String, String)>,
}

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// A value is no text.
    pub(super) fn read(name: &X509Name<'_>) -> Result<Self, X509Error> {
        let attributes = name
            .iter_attributes()
            .map(|attribute| {
                let kind = attribute.attr_type().to_id_string();
                let value = attribute.as_str().ok().filter(|it| !it.contains('\0'));
                let value = value.ok_or_else(|| X509Error::Attribute(kind.clone()))?.to_owned();
                Ok((kind, value))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { raw: name.as_raw().to_vec(), attributes })
    }

    /// Its DER.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The values of attributes that a specifier means: the type's short name, or its number.
    pub(super) fn values<'n>(&'n self, specifier: &'n str) -> impl Iterator<Item = &'n str> {
        let number = number(specifier).unwrap_or(specifier);
        (self.attributes.iter()).filter(move |(kind, _)| kind == number).map(|(_, v)| v.as_str())
    }

    /// The short names of its attributes, each once; those that have none are left out.
    pub(super) fn known(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        for (kind, _) in &self.attributes {
            if let Some((_, short)) = SHORT.iter().find(|(number, _)| number == kind)
                && !found.contains(short)
            {
                found.push(*short);
            }
        }
        found
    }

    /// The common name, if there is exactly one.
    pub fn common_name(&self) -> Option<&str> {
        let mut names = self.values("CN");
        match (names.next(), names.next()) {
            (Some(name), None) => Some(name),
            _ => None,
        }
    }
}

/// The dotted number of a short name.
pub(super) fn number(short: &str) -> Option<&'static str> {
    SHORT.iter().find(|(_, known)| *known == short).map(|(number, _)| *number)
}

impl fmt::Display for Name {
    /// Comma-separated, in the order of the certificate, values escaped as RFC 4514 has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (kind, value)) in self.attributes.iter().enumerate() {
            if at > 0 {
                f.write_char(',')?;
            }
            let short = SHORT.iter().find(|(number, _)| number == kind);
            write!(f, "{}=", short.map_or(kind.as_str(), |(_, short)| *short))?;
            for c in value.chars() {
                if matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' | '#') {
                    f.write_char('\\')?;
                }
                f.write_char(if c.is_control() { '\u{fffd}' } else { c })?;
            }
        }
        Ok(())
    }
}
