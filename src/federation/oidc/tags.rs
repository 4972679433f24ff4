//! Session tags in a token.
//!
//! Source: IAM User Guide, "Pass session tags in AWS STS", "Passing session tags using
//! AssumeRoleWithWebIdentity": nested under one claim, or flattened for providers that have no
//! nested claims.

use serde_json::{Map, Value};

use super::error::TokenError;

const TAGS: &str = "https://aws.amazon.com/tags";
const PRINCIPAL_TAGS: &str = "principal_tags";
const TRANSITIVE: &str = "transitive_tag_keys";

/// The tags that a token passes on to the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionTags {
    /// Keys and values, in the order of the keys.
    pub tags: Vec<(String, String)>,
    /// The keys of those that travel down the chain.
    pub transitive: Vec<String>,
}

/// Reads the tags. What stands in their namespace and is not understood is an error: a tag that is
/// overlooked may be one that a policy denies by.
pub(super) fn read(payload: &Map<String, Value>) -> Result<SessionTags, TokenError> {
    let flat = payload
        .iter()
        .filter(|(name, _)| name.strip_prefix(TAGS).is_some_and(|rest| !rest.is_empty()));
    let flat: Vec<_> = flat.collect();
    match payload.get(TAGS) {
        None => flattened(&flat),
        Some(_) if !flat.is_empty() => Err(TokenError::Tags("both forms are used")),
        Some(Value::Object(members)) => nested(members),
        Some(_) => Err(TokenError::Tags("not an object")),
    }
}

fn nested(members: &Map<String, Value>) -> Result<SessionTags, TokenError> {
    let mut found = SessionTags::default();
    for (name, value) in members {
        match (name.as_str(), value) {
            (PRINCIPAL_TAGS, Value::Object(tags)) => {
                for (key, value) in tags {
                    found.tags.push((key.clone(), tag_value(value)?));
                }
            }
            (TRANSITIVE, value) => found.transitive = keys(value)?,
            (PRINCIPAL_TAGS, _) => return Err(TokenError::Tags("principal_tags is no object")),
            _ => return Err(TokenError::Tags("a member that is not known")),
        }
    }
    Ok(found)
}

fn flattened(claims: &[(&String, &Value)]) -> Result<SessionTags, TokenError> {
    let mut found = SessionTags::default();
    for (name, value) in claims {
        let rest = name.strip_prefix(TAGS).and_then(|rest| rest.strip_prefix('/'));
        let key = rest.and_then(|rest| rest.strip_prefix(PRINCIPAL_TAGS)?.strip_prefix('/'));
        match (rest, key) {
            (_, Some(key)) => found.tags.push((key.to_owned(), tag_value(value)?)),
            (Some(TRANSITIVE), None) => found.transitive = keys(value)?,
            _ => return Err(TokenError::Tags("a claim that is not known")),
        }
    }
    Ok(found)
}

/// A text, or an array of exactly one.
fn tag_value(value: &Value) -> Result<String, TokenError> {
    let text = match value {
        Value::String(text) => Some(text),
        Value::Array(items) => match items.as_slice() {
            [Value::String(text)] => Some(text),
            _ => None,
        },
        _ => None,
    };
    text.cloned().ok_or(TokenError::Tags("a value that is not one text"))
}

/// An array of texts; of one, also the text alone.
fn keys(value: &Value) -> Result<Vec<String>, TokenError> {
    let texts = match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect()
        }
        _ => None,
    };
    texts.ok_or(TokenError::Tags("transitive_tag_keys is no list of texts"))
}
