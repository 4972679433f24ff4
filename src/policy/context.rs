//! The request's condition keys and their values.

use std::collections::BTreeMap;

use super::fold::fold;
use crate::time::Timestamp;

/// The value of a condition key.
///
/// Source: IAM User Guide, "Single-valued vs. multivalued context keys". Which of the two a key
/// has is a property of the key, not of the request: `aws:TagKeys` is multivalued even when it
/// holds one value. Plain operators and variables take single values only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A single-valued key's value.
    One(String),
    /// A multivalued key's values. None at all is the same as an absent key.
    Many(Vec<String>),
}

/// Condition keys and their values. Keys are case-insensitive, tag keys in them too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    values: BTreeMap<String, Value>,
}

/// A condition key in a policy: as it is written, and as it is looked up.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    text: String,
    folded: String,
}

impl Key {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), folded: fold(text).into_owned() }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Case-folded.
    pub(crate) fn folded(&self) -> &str {
        &self.folded
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Key {}

impl Context {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keys that every request has by its time.
    ///
    /// Source: IAM User Guide, "AWS global condition context keys".
    pub fn at(now: Timestamp) -> Self {
        Self::new()
            .with("aws:CurrentTime", now.to_rfc3339())
            .with("aws:EpochTime", now.secs().to_string())
            .with("aws:PrincipalIsAWSService", "false")
            .with("aws:ViaAWSService", "false")
    }

    /// Sets a key and returns what it had before, under any case.
    pub fn insert(&mut self, key: &str, value: Value) -> Option<Value> {
        self.values.insert(fold(key).into_owned(), value)
    }

    /// This context with a single-valued key set.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.insert(key, Value::One(value.into()));
        self
    }

    /// This context with a multivalued key set.
    #[must_use]
    pub fn with_many<T: Into<String>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.insert(key, Value::Many(values.into_iter().map(Into::into).collect()));
        self
    }

    /// The value of a key, in any case.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.value(&Key::new(key))
    }

    /// Every key, lower-cased, with its value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of a policy's key; `None` too when it holds no values.
    pub(crate) fn value(&self, key: &Key) -> Option<&Value> {
        self.values
            .get(&key.folded)
            .filter(|value| !matches!(value, Value::Many(none) if none.is_empty()))
    }
}
