//! What a verified assertion says.

use roxmltree::Node;

use super::attributes::{self, Attributes};
use super::conditions::Expected;
use super::error::SamlError;
use super::response::ASSERTION;
use super::xml;
use crate::time::Timestamp;

/// The most characters of an ID and of a subject.
const MAX_NAME: usize = 1024;
/// What is left out of a format that begins with it.
const FORMATS: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

/// An assertion whose signature is good and whose conditions are met. Only
/// [`verify`](super::verify) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedAssertion {
    id: String,
    issuer: String,
    subject: Subject,
    recipient: String,
    good_until: Timestamp,
    session_ends: Option<Timestamp>,
    attributes: Attributes,
}

/// Whom an assertion is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The name, as the provider has it.
    pub name: String,
    /// What kind of name it is: `persistent`, `transient`, or a whole URI.
    pub format: String,
}

impl TrustedAssertion {
    /// Its ID, which the provider gives to no other.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The provider's name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom it is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The URL that it was to be posted to.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    /// When it can no longer be shown.
    pub fn good_until(&self) -> Timestamp {
        self.good_until
    }

    /// When the session at the provider ends, if it says.
    pub fn session_ends(&self) -> Option<Timestamp> {
        self.session_ends
    }

    /// Its attributes.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

/// Reads an assertion of which every byte is signed.
pub(super) fn read(
    node: Node<'_, '_>,
    expected: &Expected<'_>,
) -> Result<TrustedAssertion, SamlError> {
    if !xml::is(node, ASSERTION, "Assertion") {
        return Err(SamlError::Assertions);
    }
    if xml::attribute(node, "Version") != Some("2.0") {
        return Err(SamlError::Version);
    }
    let id = xml::attribute(node, "ID").filter(|id| (1..=MAX_NAME).contains(&id.len()));
    let id = id.ok_or(SamlError::Malformed("Assertion"))?;
    let issued = xml::attribute(node, "IssueInstant").and_then(xml::time);
    let issued = issued.ok_or(SamlError::Malformed("IssueInstant"))?;

    let (mut issuer, mut subject, mut conditions) = (None, None, None);
    let (mut authentications, mut statements) = (Vec::new(), Vec::new());
    for child in xml::elements(node).ok_or(SamlError::Unknown("Assertion"))? {
        let of = |name| xml::is(child, ASSERTION, name);
        let (place, name) = if of("Issuer") {
            (&mut issuer, "Issuer")
        } else if of("Subject") {
            (&mut subject, "Subject")
        } else if of("Conditions") {
            (&mut conditions, "Conditions")
        } else if of("AuthnStatement") {
            authentications.push(child);
            continue;
        } else if of("AttributeStatement") {
            statements.push(child);
            continue;
        } else {
            return Err(SamlError::Unknown("Assertion"));
        };
        if place.replace(child).is_some() {
            return Err(SamlError::Count(name));
        }
    }
    expected.issuer(issuer.ok_or(SamlError::Count("Issuer"))?)?;
    let shown_before = expected.issued(issued)?;
    let subject = subject.ok_or(SamlError::Count("Subject"))?;
    let (subject, confirmed_until, recipient) = read_subject(subject, expected)?;
    let conditions = conditions.ok_or(SamlError::Count("Conditions"))?;
    let conditions_until = expected.conditions(conditions)?;
    if authentications.is_empty() {
        return Err(SamlError::Count("AuthnStatement"));
    }
    let mut session_ends = None;
    for authentication in authentications {
        let end = expected.authentication(authentication)?;
        session_ends = session_ends.into_iter().chain(end).min();
    }
    let until = shown_before.min(confirmed_until);
    Ok(TrustedAssertion {
        id: id.to_owned(),
        issuer: expected.metadata.entity_id().to_owned(),
        subject,
        recipient,
        good_until: conditions_until.map_or(until, |end| end.min(until)),
        session_ends,
        attributes: attributes::read(&statements)?,
    })
}

fn read_subject(
    node: Node<'_, '_>,
    expected: &Expected<'_>,
) -> Result<(Subject, Timestamp, String), SamlError> {
    let (mut name, mut confirmation) = (None, None);
    for child in xml::elements(node).ok_or(SamlError::Unknown("Subject"))? {
        let (place, what) = if xml::is(child, ASSERTION, "NameID") {
            (&mut name, "NameID")
        } else if xml::is(child, ASSERTION, "SubjectConfirmation") {
            (&mut confirmation, "SubjectConfirmation")
        } else {
            return Err(SamlError::Unknown("Subject"));
        };
        if place.replace(child).is_some() {
            return Err(SamlError::Count(what));
        }
    }
    let node = name.ok_or(SamlError::Count("NameID"))?;
    let name = xml::text(node).filter(|name| (1..=MAX_NAME).contains(&name.chars().count()));
    let name = name.ok_or(SamlError::Malformed("NameID"))?;
    let format = xml::attribute(node, "Format").unwrap_or(UNSPECIFIED);
    let confirmation = confirmation.ok_or(SamlError::Count("SubjectConfirmation"))?;
    let (until, recipient) = expected.confirmation(confirmation)?;
    let subject = Subject {
        name: name.to_owned(),
        format: format.strip_prefix(FORMATS).unwrap_or(format).to_owned(),
    };
    Ok((subject, until, recipient.to_owned()))
}
