//! Managed policies: an account's own, with their versions, and those that every deployment has.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::entities::Tag;
use super::managed::BuiltIn;
use crate::arn;
use crate::id::{AccountId, UniqueId};
use crate::time::Timestamp;

/// A managed policy of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// `ANPA…`
    pub id: UniqueId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Unique in its account without regard to case.
    pub name: String,
    /// `/` or `/division/team/`.
    pub path: String,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a version was made, deleted or became the default.
    pub updated_at: Timestamp,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The version that counts. It is one of `versions`.
    pub default: u32,
    /// The number of the newest version there ever was: numbers are not used again.
    pub newest: u32,
    /// Its versions by number.
    #[serde(with = "numbered")]
    pub versions: BTreeMap<u32, PolicyVersion>,
}

/// One version of a managed policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// What it says.
    pub document: Document,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Versions as a list, each with its number: in a tagged format the keys of maps are texts.
mod numbered {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::PolicyVersion;

    #[derive(Serialize, Deserialize)]
    struct Numbered<V> {
        number: u32,
        #[serde(flatten)]
        version: V,
    }

    pub(super) fn serialize<S: Serializer>(
        versions: &BTreeMap<u32, PolicyVersion>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let numbered = versions.iter().map(|(&number, version)| Numbered { number, version });
        serializer.collect_seq(numbered)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u32, PolicyVersion>, D::Error> {
        let numbered = Vec::<Numbered<PolicyVersion>>::deserialize(deserializer)?;
        Ok(numbered.into_iter().map(|it| (it.number, it.version)).collect())
    }
}

impl ManagedPolicy {
    /// `arn:aws:iam::<account>:policy<path><name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "policy", &self.path, &self.name)
    }
}

/// A managed policy as an account sees it: its own, or one of those that every deployment has.
#[derive(Clone)]
pub enum Managed {
    /// The account's own.
    Own(Arc<ManagedPolicy>),
    /// `arn:aws:iam::aws:policy/…`
    BuiltIn(&'static BuiltIn),
}

impl Managed {
    /// The document that counts; `None` if the policy is damaged: then it denies everything.
    pub fn document(&self) -> Option<&Document> {
        self.version(self.default_version()).map(|(document, _)| document)
    }

    /// The document of a version, and when it was made.
    pub fn version(&self, number: u32) -> Option<(&Document, Timestamp)> {
        match self {
            Self::Own(policy) => {
                policy.versions.get(&number).map(|it| (&it.document, it.created_at))
            }
            Self::BuiltIn(policy) => {
                (number == BuiltIn::VERSION).then_some((&policy.document, BuiltIn::CREATED_AT))
            }
        }
    }

    /// The numbers of its versions, the newest first.
    pub fn versions(&self) -> Vec<u32> {
        match self {
            Self::Own(policy) => policy.versions.keys().rev().copied().collect(),
            Self::BuiltIn(_) => vec![BuiltIn::VERSION],
        }
    }

    /// The number of the version that counts.
    pub fn default_version(&self) -> u32 {
        match self {
            Self::Own(policy) => policy.default,
            Self::BuiltIn(_) => BuiltIn::VERSION,
        }
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        match self {
            Self::Own(policy) => policy.arn(),
            Self::BuiltIn(policy) => policy.arn.clone(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Own(policy) => &policy.name,
            Self::BuiltIn(policy) => policy.name,
        }
    }

    /// Its path.
    pub fn path(&self) -> &str {
        match self {
            Self::Own(policy) => &policy.path,
            Self::BuiltIn(policy) => policy.path,
        }
    }

    /// Its unique ID.
    pub fn id(&self) -> UniqueId {
        match self {
            Self::Own(policy) => policy.id,
            Self::BuiltIn(policy) => policy.id,
        }
    }

    /// What it is for.
    pub fn description(&self) -> Option<&str> {
        match self {
            Self::Own(policy) => policy.description.as_deref(),
            Self::BuiltIn(policy) => Some(policy.description),
        }
    }

    /// When it was made, and when it was last changed.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        match self {
            Self::Own(policy) => (policy.created_at, policy.updated_at),
            Self::BuiltIn(_) => (BuiltIn::CREATED_AT, BuiltIn::CREATED_AT),
        }
    }

    /// Its tags.
    pub fn tags(&self) -> &[Tag] {
        match self {
            Self::Own(policy) => &policy.tags,
            Self::BuiltIn(_) => &[],
        }
    }
}
