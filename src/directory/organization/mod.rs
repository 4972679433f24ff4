//! The organization: its root, organizational units, accounts and policies.
//!
//! # Model
//!
//! A deployment has at most one organization. It has one root, a tree of organizational units below
//! it, and members: accounts in the root or in a unit. Service and resource control policies are
//! attached to the root, to units and to members; those that apply to an account are its own and
//! those of every level above it. Whether an account is closed is kept apart from its membership: it
//! stays closed outside the organization too.

mod document;
mod handshake;
mod ids;
pub mod root_access;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use document::{ControlDocument, ControlPolicy, ControlType, FullAccess, full_access};
pub use handshake::{Handshake, HandshakeAction, HandshakeState};
pub use ids::{
    CreationId, HandshakeId, OrgIdError, OrgPolicyId, OrganizationId, Parent, PolicyRef, RootId,
    Target, UnitId,
};
pub use root_access::{NoRootAccess, RootFeature, RootTask};
pub use tree::{Level, Organized};

use super::entities::Revoked;
use crate::directory::Tag;
use crate::id::AccountId;
use crate::time::Timestamp;

/// How deep organizational units may stand in each other.
pub const MAX_DEPTH: usize = 5;

/// What an organization does for its accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeatureSet {
    /// Everything.
    All,
    /// No policies.
    ConsolidatedBilling,
}

impl FeatureSet {
    /// The word of the Organizations API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::ConsolidatedBilling => "CONSOLIDATED_BILLING",
        }
    }
}

/// The organization, with its root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `o-…`
    pub id: OrganizationId,
    /// What it does.
    pub features: FeatureSet,
    /// The account that administers it, and that no policy of it limits.
    pub management: AccountId,
    /// When it was made.
    pub created_at: Timestamp,
    /// `r-…`
    pub root: RootId,
    /// The types of policies that are in force.
    #[serde(default)]
    pub enabled: BTreeSet<ControlType>,
    /// The policies attached to the root.
    #[serde(default)]
    pub attached: BTreeSet<PolicyRef>,
    /// The root's tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The services it works with, and since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, Timestamp>,
    /// What its administrators may do with the root users of members.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub root_access: BTreeSet<RootFeature>,
    /// What of that was taken away, and when last: sessions from before stay refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub root_access_ended: BTreeMap<RootFeature, Revoked>,
}

impl Organization {
    /// `arn:aws:organizations::<management account>:<kind>/<organization>/<rest>`
    pub fn arn_of(&self, kind: &str, rest: &str) -> String {
        format!("arn:aws:organizations::{}:{kind}/{}/{rest}", self.management, self.id)
    }

    /// The organization's own ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:organizations::{}:organization/{}", self.management, self.id)
    }

    /// The ARN of a root, unit or account.
    pub fn target_arn(&self, target: &Target) -> String {
        match target {
            Target::Root(id) => self.arn_of("root", id.as_str()),
            Target::Unit(id) => self.arn_of("ou", id.as_str()),
            Target::Account(id) => self.arn_of("account", &id.to_string()),
        }
    }

    /// The ARN of a policy.
    pub fn policy_arn(&self, policy: &PolicyRef, control: ControlType) -> String {
        match policy {
            PolicyRef::Own(id) => self.arn_of("policy", &format!("{}/{id}", control.in_arns())),
            managed => {
                format!("arn:aws:organizations::aws:policy/{}/{managed}", control.in_arns())
            }
        }
    }

    /// The policies that a new unit or account begins with.
    pub fn initial_policies(&self) -> BTreeSet<PolicyRef> {
        self.enabled.iter().map(|control| control.full_access()).collect()
    }

    /// What a parent is called in the API.
    pub fn parent_id(&self, parent: Parent) -> String {
        match parent {
            Parent::Root => self.root.to_string(),
            Parent::Unit(id) => id.to_string(),
        }
    }
}

/// An organizational unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// `ou-…`
    pub id: UnitId,
    /// What it stands in.
    pub parent: Parent,
    /// Unique in its parent.
    pub name: String,
    /// The policies attached to it.
    #[serde(default)]
    pub attached: BTreeSet<PolicyRef>,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// How an account came into the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Joined {
    /// It was there before.
    Invited,
    /// It was made in it.
    Created,
}

impl Joined {
    /// The word of the Organizations API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "INVITED",
            Self::Created => "CREATED",
        }
    }
}

/// An account in the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// What it stands in.
    pub parent: Parent,
    /// Its address, unique without regard to case; accounts that were there before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How it came in.
    pub joined: Joined,
    /// When it came in.
    pub joined_at: Timestamp,
    /// The policies attached to it.
    #[serde(default)]
    pub attached: BTreeSet<PolicyRef>,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The services that it is a delegated administrator for, and since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub delegated: BTreeMap<String, Timestamp>,
    /// When it last ceased to administer root access: sessions that it made before stay refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_access_ended: Option<Revoked>,
}

/// What became of a request for a new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creation {
    /// `car-…`
    pub id: CreationId,
    /// The name that was asked for.
    pub name: String,
    /// When it was asked for, and done.
    pub at: Timestamp,
    /// The account; without one it was refused because another has the same address.
    pub account: Option<AccountId>,
}

/// What holds of an account besides its name, in the organization or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// The account.
    pub account: AccountId,
    /// When it was closed: its credentials are refused.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
    /// When it left an organization: sessions from before are refused.
    #[serde(default)]
    pub left: Option<Revoked>,
}
