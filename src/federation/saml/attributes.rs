//! The attributes that AWS gives a meaning.
//!
//! Source: IAM User Guide, "Configure SAML assertions for the authentication response" (with the
//! mapping to condition keys), "Pass session tags in AWS STS".

use roxmltree::Node;

use super::error::SamlError;
use super::response::ASSERTION;
use super::xml;

const AWS: &str = "https://aws.amazon.com/SAML/Attributes/";
const ROLE: &str = "Role";
const SESSION_NAME: &str = "RoleSessionName";
const DURATION: &str = "SessionDuration";
const SOURCE_IDENTITY: &str = "SourceIdentity";
const TRANSITIVE: &str = "TransitiveTagKeys";
const TAG: &str = "PrincipalTag";
/// Seconds that a session may last.
const DURATIONS: std::ops::RangeInclusive<i64> = 900..=43_200;

/// Attributes by their names, and the condition keys that they become, without `saml:`.
const KEYS: &[(&str, &[&str])] = &[
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", &["eduPersonAffiliation"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.2", &["eduPersonNickname"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", &["eduPersonOrgDN"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", &["eduPersonOrgUnitDN"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.5", &["eduPersonPrimaryAffiliation"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", &["eduPersonPrincipalName"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", &["eduPersonEntitlement"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.8", &["eduPersonPrimaryOrgUnitDN"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", &["eduPersonScopedAffiliation"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", &["eduPersonTargetedID"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", &["eduPersonAssurance"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.2", &["eduOrgHomePageURI"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.3", &["eduOrgIdentityAuthNPolicyURI"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.4", &["eduOrgLegalName"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.5", &["eduOrgSuperiorURI"]),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.6", &["eduOrgWhitePagesURI"]),
    ("urn:oid:2.5.4.3", &["cn", "commonName"]),
    ("urn:oid:2.5.4.4", &["surname"]),
    ("urn:oid:2.5.4.42", &["givenName"]),
    ("urn:oid:2.5.4.45", &["x500UniqueIdentifier"]),
    ("urn:oid:0.9.2342.19200300.100.1.1", &["uid"]),
    ("urn:oid:0.9.2342.19200300.100.1.3", &["mail"]),
    ("urn:oid:0.9.2342.19200300.100.1.45", &["organizationStatus"]),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", &["name"]),
    ("http://schemas.xmlsoap.org/claims/CommonName", &["commonName"]),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", &["givenName"]),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", &["surname"]),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", &["mail"]),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid",
        &["primaryGroupSID"],
    ),
];

/// What is read of an assertion's attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// ARNs of roles, each with that of the provider it is offered through.
    roles: Vec<(String, String)>,
    /// The name of the session.
    pub session_name: String,
    /// Seconds that the session should last.
    pub duration: Option<i64>,
    /// The source identity.
    pub source_identity: Option<String>,
    /// Session tags, in the order of the document.
    pub tags: Vec<(String, String)>,
    /// The keys of those that travel down the chain.
    pub transitive: Vec<String>,
    /// What becomes condition keys.
    pub keys: Vec<Key>,
}

/// A condition key, from an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name without `saml:`.
    pub name: &'static str,
    /// Its values; exactly one unless [`Self::is_many`].
    pub values: Vec<String>,
}

impl Key {
    /// Whether the key has a list of values, however long.
    pub fn is_many(&self) -> bool {
        self.name.starts_with("edu")
    }
}

impl Attributes {
    /// Whether the role is offered through the provider.
    pub fn offers(&self, role: &str, provider: &str) -> bool {
        self.roles.iter().any(|(of, through)| of == role && through == provider)
    }
}

/// Reads the attributes of all statements.
pub(super) fn read(statements: &[Node<'_, '_>]) -> Result<Attributes, SamlError> {
    let mut seen: Vec<&str> = Vec::new();
    let mut found = Attributes::default();
    for statement in statements {
        for node in xml::elements(*statement).ok_or(SamlError::Unknown("AttributeStatement"))? {
            if !xml::is(node, ASSERTION, "Attribute") {
                return Err(SamlError::Unknown("AttributeStatement"));
            }
            let name = xml::attribute(node, "Name").ok_or(SamlError::Malformed("Attribute"))?;
            let ours = name.strip_prefix(AWS);
            let key = KEYS.iter().find(|(attribute, _)| *attribute == name);
            if ours.is_none() && key.is_none() {
                continue;
            }
            if seen.contains(&name) {
                return Err(SamlError::Attribute(key.map_or(AWS, |(name, _)| name)));
            }
            seen.push(name);
            if let Some(name) = ours {
                found.add(name, node)?;
            }
            if let Some((attribute, keys)) = key {
                found.add_keys(attribute, keys, node)?;
            }
        }
    }
    if found.roles.is_empty() {
        return Err(SamlError::MissingAttribute(ROLE));
    }
    if found.session_name.is_empty() {
        return Err(SamlError::MissingAttribute(SESSION_NAME));
    }
    Ok(found)
}

impl Attributes {
    /// An attribute in AWS's namespace.
    fn add(&mut self, name: &str, node: Node<'_, '_>) -> Result<(), SamlError> {
        match name {
            ROLE => {
                for value in texts(node, ROLE)? {
                    self.roles.push(pair(value).ok_or(SamlError::Attribute(ROLE))?);
                }
            }
            SESSION_NAME => {
                let value = Some(one(node, SESSION_NAME)?).filter(|value| is_session_name(value));
                value.ok_or(SamlError::Attribute(SESSION_NAME))?.clone_into(&mut self.session_name);
            }
            DURATION => {
                let value = one(node, DURATION)?;
                let digits = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
                let value = value.parse().ok().filter(|secs| digits && DURATIONS.contains(secs));
                self.duration = Some(value.ok_or(SamlError::Attribute(DURATION))?);
            }
            SOURCE_IDENTITY => {
                let value = Some(one(node, SOURCE_IDENTITY)?)
                    .filter(|value| is_session_name(value) && !value.starts_with("aws:"));
                let value = value.ok_or(SamlError::Attribute(SOURCE_IDENTITY))?;
                self.source_identity = Some(value.to_owned());
            }
            TRANSITIVE => {
                self.transitive = texts(node, TRANSITIVE)?.into_iter().map(str::to_owned).collect();
            }
            other => {
                let key = other.strip_prefix(TAG).and_then(|rest| rest.strip_prefix(':'));
                let key = key.filter(|key| !key.is_empty()).ok_or(SamlError::Attribute(AWS))?;
                self.tags.push((key.to_owned(), one(node, TAG)?.to_owned()));
            }
        }
        Ok(())
    }

    fn add_keys(
        &mut self,
        attribute: &'static str,
        names: &[&'static str],
        node: Node<'_, '_>,
    ) -> Result<(), SamlError> {
        let wrong = SamlError::Attribute(attribute);
        let mut values = Vec::new();
        for value in xml::elements(node).ok_or(wrong.clone())? {
            values.push(key_value(value).ok_or(wrong.clone())?.to_owned());
        }
        for name in names {
            let key = Key { name, values: values.clone() };
            if values.is_empty() || (values.len() > 1 && !key.is_many()) {
                return Err(wrong);
            }
            match self.keys.iter().find(|known| known.name == *name) {
                None => self.keys.push(key),
                // Two attributes may become one key if they agree.
                Some(known) if *known == key => {}
                Some(_) => return Err(wrong),
            }
        }
        Ok(())
    }
}

/// The texts of all values; at least one.
fn texts<'a>(node: Node<'a, '_>, name: &'static str) -> Result<Vec<&'a str>, SamlError> {
    let wrong = SamlError::Attribute(name);
    let values = xml::elements(node).filter(|values| !values.is_empty()).ok_or(wrong.clone())?;
    let value = |value: Node<'a, '_>| {
        xml::is(value, ASSERTION, "AttributeValue").then(|| xml::text(value)).flatten()
    };
    values.into_iter().map(value).collect::<Option<_>>().ok_or(wrong)
}

/// The text of the one value.
fn one<'a>(node: Node<'a, '_>, name: &'static str) -> Result<&'a str, SamlError> {
    match texts(node, name)?.as_slice() {
        [only] => Ok(only),
        _ => Err(SamlError::Attribute(name)),
    }
}

/// A text, or a name in an element of its own: how `eduPersonTargetedID` comes.
fn key_value<'a>(value: Node<'a, '_>) -> Option<&'a str> {
    if !xml::is(value, ASSERTION, "AttributeValue") {
        return None;
    }
    if let Some(text) = xml::text(value) {
        return Some(text);
    }
    match xml::elements(value)?.as_slice() {
        [only] if xml::is(*only, ASSERTION, "NameID") => xml::text(*only),
        _ => None,
    }
}

/// A role's ARN and a provider's, in either order.
fn pair(value: &str) -> Option<(String, String)> {
    let (one, other) = value.split_once(',')?;
    let (one, other) = (one.trim_ascii(), other.trim_ascii());
    let role = |arn: &str| arn.starts_with("arn:") && arn.contains(":role/");
    let provider = |arn: &str| arn.starts_with("arn:") && arn.contains(":saml-provider/");
    if other.contains(',') {
        None
    } else if role(one) && provider(other) {
        Some((one.to_owned(), other.to_owned()))
    } else if provider(one) && role(other) {
        Some((other.to_owned(), one.to_owned()))
    } else {
        None
    }
}

/// `[\w+=,.@-]{2,64}`
fn is_session_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    (2..=64).contains(&name.len()) && name.bytes().all(letter)
}
