//! Lists of tags.

use std::collections::HashSet;

use super::{Validator, rules};
use crate::ops::fault::{Fault, FaultCode};
use crate::policy::fold;

/// At most this many tags in a request.
const MAX_TAGS: usize = 50;

/// A tag as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'p> {
    /// 1 to 128 characters.
    pub key: &'p str,
    /// Up to 256 characters, perhaps none.
    pub value: &'p str,
}

/// The code for a wrong tag: STS and IAM differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagFault {
    /// `InvalidParameterValue`.
    Sts,
    /// `InvalidInput`.
    Iam,
}

impl TagFault {
    fn code(self) -> FaultCode {
        match self {
            Self::Sts => FaultCode::InvalidParameterValue,
            Self::Iam => FaultCode::InvalidInput,
        }
    }
}

impl<'p> Validator<'_, 'p> {
    /// A list of tags, at most 50; none when the request does not speak of it. The keys still
    /// have to pass [`check_tag_keys`].
    pub fn tags(&mut self, name: &str) -> Vec<Tag<'p>> {
        self.list(name, 0..=MAX_TAGS, |v| Tag {
            key: v.required("Key", &rules::TAG_KEY),
            value: v.required("Value", &rules::TAG_VALUE),
        })
        .unwrap_or_default()
    }

    /// As [`tags`](Self::tags), and the request must speak of it.
    pub fn required_tags(&mut self, name: &str) -> Vec<Tag<'p>> {
        self.require_list(name);
        self.tags(name)
    }
}

/// Refuses keys that differ only in case, and keys that AWS keeps for itself (`aws:…`).
pub fn check_tag_keys<'k>(
    keys: impl IntoIterator<Item = &'k str>,
    service: TagFault,
) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    for key in keys {
        let lower = fold(key);
        if lower.starts_with("aws:") {
            let message = "Tag keys beginning with aws: are reserved for system use.";
            return Err(Fault::new(service.code(), message));
        }
        if !seen.insert(lower) {
            let message =
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Fault::new(service.code(), message));
        }
    }
    Ok(())
}
