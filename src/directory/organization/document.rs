//! Service and resource control policies as the directory keeps them, and the two that every
//! organization has.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use super::ids::{OrgPolicyId, PolicyRef};
use crate::directory::Tag;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::{DocumentKind, ParseError, Policy};

/// A type of policy that has an effect on decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ControlType {
    /// Limits the principals of accounts.
    ServiceControlPolicy,
    /// Limits who reaches the resources of accounts.
    ResourceControlPolicy,
}

impl ControlType {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ServiceControlPolicy, Self::ResourceControlPolicy];

    /// The word of the Organizations API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceControlPolicy => "SERVICE_CONTROL_POLICY",
            Self::ResourceControlPolicy => "RESOURCE_CONTROL_POLICY",
        }
    }

    /// The word of ARNs.
    pub const fn in_arns(self) -> &'static str {
        match self {
            Self::ServiceControlPolicy => "service_control_policy",
            Self::ResourceControlPolicy => "resource_control_policy",
        }
    }

    /// The policy that allows everything.
    pub const fn full_access(self) -> PolicyRef {
        match self {
            Self::ServiceControlPolicy => PolicyRef::FullAccess,
            Self::ResourceControlPolicy => PolicyRef::ResourceFullAccess,
        }
    }

    const fn document_kind(self) -> DocumentKind {
        match self {
            Self::ServiceControlPolicy => DocumentKind::ServiceControl,
            Self::ResourceControlPolicy => DocumentKind::ResourceControl,
        }
    }
}

/// A policy's text and its parsed form.
#[derive(Clone)]
pub struct ControlDocument {
    text: Arc<str>,
    policy: Arc<Policy>,
    compiled: Arc<CompiledPolicy>,
}

impl ControlDocument {
    fn of(text: &str, policy: Policy) -> Self {
        let compiled = Arc::new(CompiledPolicy::new(&policy));
        Self { text: text.into(), policy: Arc::new(policy), compiled }
    }

    /// What stands in for one that cannot be found.
    pub(super) fn denying(control: ControlType) -> Self {
        Self::of("", Policy::deny_everything(control.document_kind()))
    }

    /// Parses a policy of this type.
    pub fn parse(text: &str, control: ControlType) -> Result<Self, ParseError> {
        Ok(Self::of(text, Policy::parse(text, control.document_kind())?))
    }

    /// One that was stored. INVARIANT (fail closed): what no longer parses denies everything.
    fn stored(text: &str, control: ControlType) -> Self {
        Self::parse(text, control).unwrap_or_else(|error| {
            tracing::error!(%error, bytes = text.len(), "a stored policy of the organization does not parse: it denies everything");
            Self::of(text, Policy::deny_everything(control.document_kind()))
        })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parsed form.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The form to decide with.
    pub fn compiled(&self) -> &CompiledPolicy {
        &self.compiled
    }
}

impl PartialEq for ControlDocument {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl std::fmt::Debug for ControlDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A policy that somebody wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct ControlPolicy {
    /// `p-…`
    pub id: OrgPolicyId,
    /// What it limits.
    pub control: ControlType,
    /// Unique among policies of its type.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it says.
    pub content: ControlDocument,
    /// Tags, in the order they were given.
    pub tags: Vec<Tag>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    id: OrgPolicyId,
    control: ControlType,
    name: String,
    description: String,
    content: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl From<Stored> for ControlPolicy {
    fn from(it: Stored) -> Self {
        let Stored { id, control, name, description, content, tags } = it;
        let content = ControlDocument::stored(&content, control);
        Self { id, control, name, description, content, tags }
    }
}

impl From<ControlPolicy> for Stored {
    fn from(it: ControlPolicy) -> Self {
        let ControlPolicy { id, control, name, description, content, tags } = it;
        Self { id, control, name, description, content: content.text().to_owned(), tags }
    }
}

/// A policy that every organization has and nobody can change.
pub struct FullAccess {
    /// Its type.
    pub control: ControlType,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What it says.
    pub content: ControlDocument,
}

const SERVICE_TEXT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}"#;

const RESOURCE_TEXT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "*",
      "Resource": "*"
    }
  ]
}"#;

static SERVICE: LazyLock<FullAccess> = LazyLock::new(|| FullAccess {
    control: ControlType::ServiceControlPolicy,
    name: "FullAWSAccess",
    description: "Allows access to every operation",
    content: ControlDocument::stored(SERVICE_TEXT, ControlType::ServiceControlPolicy),
});

static RESOURCE: LazyLock<FullAccess> = LazyLock::new(|| FullAccess {
    control: ControlType::ResourceControlPolicy,
    name: "RCPFullAWSAccess",
    description: "Allows access to every resource",
    content: ControlDocument::stored(RESOURCE_TEXT, ControlType::ResourceControlPolicy),
});

/// The policy of this type that allows everything.
pub fn full_access(control: ControlType) -> &'static FullAccess {
    match control {
        ControlType::ServiceControlPolicy => &SERVICE,
        ControlType::ResourceControlPolicy => &RESOURCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_that_allow_everything_parse() {
        for control in ControlType::ALL {
            let text = full_access(control).content.text();
            assert!(ControlDocument::parse(text, control).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_stored_policy_that_does_not_parse_denies() {
        let text = r#"{"id":"p-abcd1234","control":"SERVICE_CONTROL_POLICY","name":"n",
            "description":"","content":"{}"}"#;
        let policy: ControlPolicy = serde_json::from_str(text).unwrap();
        assert_eq!(policy.content.policy().statements(), 1);
        assert_eq!(policy.content.text(), "{}");
        let again: ControlPolicy =
            serde_json::from_str(&serde_json::to_string(&policy).unwrap()).unwrap();
        assert_eq!(again, policy);
    }
}
