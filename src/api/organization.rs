//! The organization in files of a directory: a part of [`DirectoryFile`](super::DirectoryFile).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::PolicyText;

/// What the organization is to be like. Only its management account describes it.
///
/// What is absent is left alone; what is there is all there is to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationFile {
    /// `ALL` or `CONSOLIDATED_BILLING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_set: Option<String>,
    /// The types of policies that are in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_types: Option<BTreeSet<String>>,
    /// The policies on the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// The root's tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Service and resource control policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<ControlPolicyFile>,
    /// Organizational units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unit: Vec<UnitFile>,
    /// Where accounts stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<PlacedAccountFile>,
}

/// A service or resource control policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlPolicyFile {
    /// Its name, unique among policies of its type.
    pub name: String,
    /// `SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it says.
    pub content: PolicyText,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// An organizational unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitFile {
    /// The names from the root down: `production/europe`. In a name, `\/` stands for a slash and
    /// `\\` for a backslash.
    pub path: String,
    /// The policies on it: by name, as `TYPE/name` where a name is of both types, or by ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// An account of the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedAccountFile {
    /// Its twelve digits.
    pub id: String,
    /// The path of the unit it stands in; an empty text is the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The policies on it, as of a unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}
