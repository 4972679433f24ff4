//! The claims of a token, typed.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::error::TokenError;
use super::kubernetes::{self, Kubernetes};
use super::tags::{self, SessionTags};
use crate::policy::fold;
use crate::time::Timestamp;

/// The most characters of a subject: OpenID Connect Core 1.0, section 2, and the service model.
const MAX_SUBJECT: usize = 255;
/// The most audiences.
const MAX_AUDIENCES: usize = 100;
/// The most bytes of the name of a claim that becomes a condition key.
const MAX_NAME: usize = 128;

/// The claims of a token: those that the broker understands, typed, and all the others.
#[derive(Clone, Debug)]
pub struct Claims {
    subject: String,
    audiences: Vec<String>,
    authorized_party: Option<String>,
    issued_at: Timestamp,
    not_before: Option<Timestamp>,
    expires_at: Timestamp,
    tags: SessionTags,
    source_identity: Option<String>,
    kubernetes: Option<Kubernetes>,
    others: Vec<(String, ClaimValue)>,
}

/// The value of a claim that can be a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue {
    /// A text, a whole number or a boolean.
    One(String),
    /// An array of texts.
    Many(Vec<String>),
}

/// The claim of the source identity.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

impl Claims {
    pub(super) fn read(payload: &Map<String, Value>) -> Result<Self, TokenError> {
        let mut names = HashSet::with_capacity(payload.len());
        if !payload.keys().all(|name| names.insert(fold(name))) {
            // Condition keys are compared without case: one of the two would win.
            return Err(TokenError::SimilarNames);
        }
        Ok(Self {
            subject: subject(payload)?,
            audiences: audiences(payload)?,
            authorized_party: optional_text(payload, "azp")?.map(ToOwned::to_owned),
            issued_at: time(payload, "iat")?.ok_or(TokenError::Missing("iat"))?,
            not_before: time(payload, "nbf")?,
            expires_at: time(payload, "exp")?.ok_or(TokenError::Missing("exp"))?,
            tags: tags::read(payload)?,
            source_identity: optional_text(payload, SOURCE_IDENTITY)?.map(ToOwned::to_owned),
            kubernetes: kubernetes::read(payload)?,
            others: others(payload),
        })
    }

    /// `sub`: 1 to 255 characters, none of them a control character.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `aud`: at least one.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// `azp`
    pub fn authorized_party(&self) -> Option<&str> {
        self.authorized_party.as_deref()
    }

    /// `iat`
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// `nbf`
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// `exp`
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// What stands under `https://aws.amazon.com/tags`. Lengths and characters are unchecked.
    pub fn tags(&self) -> &SessionTags {
        &self.tags
    }

    /// `https://aws.amazon.com/source_identity`. Length and characters are unchecked.
    pub fn source_identity(&self) -> Option<&str> {
        self.source_identity.as_deref()
    }

    /// `kubernetes.io`
    pub fn kubernetes(&self) -> Option<&Kubernetes> {
        self.kubernetes.as_ref()
    }

    /// The other claims that can be condition keys, with names that are plain and differ in more
    /// than case. `sub`, `aud` and `azp` are not among them.
    pub fn others(&self) -> impl Iterator<Item = (&str, &ClaimValue)> {
        self.others.iter().map(|(name, value)| (name.as_str(), value))
    }
}

fn optional_text<'p>(
    payload: &'p Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'p str>, TokenError> {
    match payload.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(TokenError::Claim(name)),
    }
}

fn subject(payload: &Map<String, Value>) -> Result<String, TokenError> {
    let subject = optional_text(payload, "sub")?.ok_or(TokenError::Missing("sub"))?;
    if subject.chars().count() > MAX_SUBJECT || subject.chars().any(char::is_control) {
        return Err(TokenError::Claim("sub"));
    }
    Ok(subject.to_owned())
}

fn audiences(payload: &Map<String, Value>) -> Result<Vec<String>, TokenError> {
    let wrong = TokenError::Claim("aud");
    let found = match payload.get("aud") {
        None => return Err(TokenError::Missing("aud")),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) if many.len() <= MAX_AUDIENCES => {
            let texts = many.iter().map(|item| item.as_str().map(ToOwned::to_owned));
            texts.collect::<Option<Vec<_>>>().ok_or(wrong.clone())?
        }
        Some(_) => return Err(wrong),
    };
    if found.is_empty() || found.iter().any(String::is_empty) {
        return Err(wrong);
    }
    Ok(found)
}

/// A time: whole seconds since 1970, not negative. AWS takes an integer or a long integer only.
fn time(payload: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, TokenError> {
    let Some(value) = payload.get(name) else { return Ok(None) };
    // A number with a fraction or an exponent, and one beyond the range, is none here.
    let secs = value.as_i64().filter(|secs| (0..=MAX_TIME).contains(secs));
    secs.map(Timestamp::from_secs).map(Some).ok_or(TokenError::Claim(name))
}

/// The last second of the year 9999: what is later is a mistake, such as milliseconds.
const MAX_TIME: i64 = 253_402_300_799;

/// The claims that the broker gives no meaning: with plain names, and values that conditions know.
fn others(payload: &Map<String, Value>) -> Vec<(String, ClaimValue)> {
    const UNDERSTOOD: &[&str] = &["iss", "sub", "aud", "azp", "oaud"];
    let plain = |name: &str| {
        !name.is_empty()
            && name.len() <= MAX_NAME
            // No colon: `<issuer>:<claim>` is then to be read in one way only.
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
            && !UNDERSTOOD.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let value = |value: &Value| match value {
        Value::String(text) => Some(ClaimValue::One(text.clone())),
        Value::Bool(yes) => Some(ClaimValue::One(yes.to_string())),
        Value::Number(number) if !number.is_f64() => Some(ClaimValue::One(number.to_string())),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(ToOwned::to_owned));
            texts.collect::<Option<Vec<_>>>().map(ClaimValue::Many)
        }
        _ => None,
    };
    payload
        .iter()
        .filter(|(name, _)| plain(name))
        .filter_map(|(name, found)| Some((name.clone(), value(found)?)))
        .collect()
}
