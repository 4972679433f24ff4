//! Groups and instance profiles: users under common policies, and roles for machines.

use serde::{Deserialize, Serialize};

use super::entities::{Policies, Tag};
use crate::arn;
use crate::id::{AccountId, UniqueId};
use crate::time::Timestamp;

/// A group. Its members say so themselves: `User::groups`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// `AGPA…`
    pub id: UniqueId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Unique in its account without regard to case.
    pub name: String,
    /// `/` or `/division/team/`.
    pub path: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What its members may do. It has no boundary.
    #[serde(default)]
    pub policies: Policies,
}

impl Group {
    /// `arn:aws:iam::<account>:group<path><name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "group", &self.path, &self.name)
    }
}

/// An instance profile: the name under which a machine finds a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// `AIPA…`
    pub id: UniqueId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Unique in its account without regard to case.
    pub name: String,
    /// `/` or `/division/team/`.
    pub path: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The role in it.
    #[serde(default)]
    pub role: Option<UniqueId>,
}

impl InstanceProfile {
    /// `arn:aws:iam::<account>:instance-profile<path><name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "instance-profile", &self.path, &self.name)
    }
}
