//! Which names of a certificate become session tags.
//!
//! Source: IAM Roles Anywhere User Guide, "Certificate attribute mapping".
//!
//! A rule names a field of the certificate and a specifier in it. `*` means every attribute that has a
//! short name. Of alternative names the first of each kind is mapped, as with AWS. What the guide
//! leaves open is refused: an attribute that stands there more than once, or whose value no session
//! tag can have, would otherwise be a tag that is missing or that reads like another certificate's.

use serde::{Deserialize, Serialize};

use super::certificate::Leaf;
use super::error::X509Error;
use super::name::{self, Name};

/// A field of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// Whose it is.
    #[serde(rename = "x509Subject")]
    Subject,
    /// Whose word it is.
    #[serde(rename = "x509Issuer")]
    Issuer,
    /// The subject's other names.
    #[serde(rename = "x509SAN")]
    Alternative,
}

impl Field {
    /// The word of the API, with which tags begin.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "x509Subject",
            Self::Issuer => "x509Issuer",
            Self::Alternative => "x509SAN",
        }
    }

    /// The field of a word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Subject, Self::Issuer, Self::Alternative].into_iter().find(|it| it.as_str() == word)
    }
}

/// A specifier that means nothing in its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the specifier is not one of the field's")]
pub struct SpecifierError;

/// What is mapped of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The field.
    pub field: Field,
    /// The specifiers, each once.
    pub specifiers: Vec<String>,
}

/// What is mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mappings(Vec<Mapping>);

impl Default for Mappings {
    /// AWS's: everything of subject and issuer, and the first of each kind of alternative names.
    fn default() -> Self {
        let of = |field, specifiers: &[&str]| Mapping {
            field,
            specifiers: specifiers.iter().map(|&it| it.to_owned()).collect(),
        };
        Self(vec![
            of(Field::Issuer, &["*"]),
            of(Field::Alternative, &["DNS", "URI", "Name/*"]),
            of(Field::Subject, &["*"]),
        ])
    }
}

impl Mappings {
    /// The mappings, each field once.
    pub fn all(&self) -> &[Mapping] {
        &self.0
    }

    /// Puts these specifiers in the place of the field's.
    ///
    /// # Errors
    /// One of them means nothing in that field, or there is none.
    pub fn put(&mut self, field: Field, specifiers: &[&str]) -> Result<(), SpecifierError> {
        let mut put = Vec::new();
        for specifier in specifiers {
            let specifier = spell(field, specifier).ok_or(SpecifierError)?;
            if !put.contains(&specifier) {
                put.push(specifier);
            }
        }
        if put.is_empty() {
            return Err(SpecifierError);
        }
        self.0.retain(|it| it.field != field);
        self.0.push(Mapping { field, specifiers: put });
        Ok(())
    }

    /// Removes these specifiers of a field, or all of them if none are named.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn remove(&mut self, field: Field, specifiers: &[&str]) -> Result<(), SpecifierError> {
        let at = self.0.iter().position(|it| it.field == field).ok_or(SpecifierError)?;
        let Some(mapping) = self.0.get_mut(at) else { return Err(SpecifierError) };
        for specifier in specifiers {
            let specifier = spell(field, specifier).ok_or(SpecifierError)?;
            let Some(at) = mapping.specifiers.iter().position(|it| *it == specifier) else {
                return Err(SpecifierError);
            };
            mapping.specifiers.remove(at);
        }
        if specifiers.is_empty() || mapping.specifiers.is_empty() {
            self.0.remove(at);
        }
        Ok(())
    }

    /// The tags of a certificate: keys such as `x509Subject/CN`, and values.
    ///
    /// # Errors
    /// An attribute that is mapped stands there more than once.
    pub fn tags(&self, leaf: &Leaf) -> Result<Vec<(String, String)>, X509Error> {
        let mut tags = Vec::new();
        for Mapping { field, specifiers } in &self.0 {
            for specifier in specifiers {
                match field {
                    Field::Subject => add(&mut tags, *field, "", specifier, leaf.subject())?,
                    Field::Issuer => add(&mut tags, *field, "", specifier, leaf.issuer())?,
                    Field::Alternative => alternative(&mut tags, specifier, leaf)?,
                }
            }
        }
        Ok(tags)
    }
}

/// The spelling of a specifier that is kept.
fn spell(field: Field, specifier: &str) -> Option<String> {
    let attribute = match (field, specifier) {
        (Field::Subject | Field::Issuer, other) => other,
        (Field::Alternative, "DNS" | "URI") => return Some(specifier.to_owned()),
        (Field::Alternative, "Name" | "Name/") => return Some("Name/*".to_owned()),
        (Field::Alternative, other) => other.strip_prefix("Name/")?,
    };
    let good = attribute == "*" || name::number(attribute).is_some() || is_number(attribute);
    good.then(|| specifier.to_owned())
}

/// Whether a text is the dotted number of an object identifier.
fn is_number(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|arc| {
            let canonical = arc == "0" || !arc.starts_with('0');
            !arc.is_empty() && canonical && arc.bytes().all(|b| b.is_ascii_digit())
        })
}

fn add(
    tags: &mut Vec<(String, String)>,
    field: Field,
    inner: &str,
    specifier: &str,
    name: &Name,
) -> Result<(), X509Error> {
    let known = name.known();
    let specifiers = if specifier == "*" { known.as_slice() } else { &[specifier] };
    for specifier in specifiers {
        let key = format!("{}/{inner}{specifier}", field.as_str());
        let mut values = name.values(specifier);
        match (values.next(), values.next()) {
            (None, _) => {}
            (Some(value), None) => push(tags, key, value),
            (Some(_), Some(_)) => return Err(X509Error::Attribute(key)),
        }
    }
    Ok(())
}

fn alternative(
    tags: &mut Vec<(String, String)>,
    specifier: &str,
    leaf: &Leaf,
) -> Result<(), X509Error> {
    let key = || format!("{}/{specifier}", Field::Alternative.as_str());
    let names = &leaf.alternative;
    match specifier {
        "DNS" => names.dns.first().into_iter().for_each(|name| push(tags, key(), name)),
        "URI" => names.uris.first().into_iter().for_each(|name| push(tags, key(), name)),
        other => {
            if let (Some(inner), Some(name)) = (other.strip_prefix("Name/"), names.names.first()) {
                add(tags, Field::Alternative, "Name/", inner, name)?;
            }
        }
    }
    Ok(())
}

/// Adds a tag, once: `*` and `CN` may both have been asked for.
fn push(tags: &mut Vec<(String, String)>, key: String, value: &str) {
    if !tags.iter().any(|(known, _)| *known == key) {
        tags.push((key, value.to_owned()));
    }
}
