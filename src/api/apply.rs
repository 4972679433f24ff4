//! `/countersign/v1/directory`: an account's directory as files, planned, applied and exported.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::OrganizationFile;

/// What an account's directory is to hold. What is absent is left alone; what is there is all
/// there is to be: an empty list of policies takes the last one away.
///
/// Names are those of the IAM API. Access keys are never in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryFile {
    /// The account's alias; an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_alias: Option<String>,
    /// The account's password policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_policy: Option<PasswordPolicyFile>,
    /// The organization, if the account is its management account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationFile>,
    /// Managed policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<PolicyFile>,
    /// OpenID Connect providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oidc_provider: Vec<OidcProviderFile>,
    /// SAML providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saml_provider: Vec<SamlProviderFile>,
    /// Groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<GroupFile>,
    /// Users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<UserFile>,
    /// Roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role: Vec<RoleFile>,
    /// Instance profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_profile: Vec<InstanceProfileFile>,
}

impl DirectoryFile {
    /// Adds what another file holds.
    ///
    /// # Errors
    /// The name of what both give and only one may.
    pub fn add(&mut self, other: Self) -> Result<(), &'static str> {
        one(&mut self.account_alias, other.account_alias, "account_alias")?;
        one(&mut self.password_policy, other.password_policy, "password_policy")?;
        one(&mut self.organization, other.organization, "organization")?;
        self.policy.extend(other.policy);
        self.oidc_provider.extend(other.oidc_provider);
        self.saml_provider.extend(other.saml_provider);
        self.group.extend(other.group);
        self.user.extend(other.user);
        self.role.extend(other.role);
        self.instance_profile.extend(other.instance_profile);
        Ok(())
    }

    /// Every policy document in it, to be read from where it points to.
    pub fn documents_mut(&mut self) -> Vec<&mut PolicyText> {
        let mut all: Vec<&mut PolicyText> = Vec::new();
        let organization = self.organization.iter_mut();
        all.extend(organization.flat_map(|it| &mut it.policy).map(|it| &mut it.content));
        all.extend(self.policy.iter_mut().map(|it| &mut it.document));
        for role in &mut self.role {
            all.push(&mut role.trust);
            all.extend(role.inline.iter_mut().flat_map(BTreeMap::values_mut));
        }
        for user in &mut self.user {
            all.extend(user.inline.iter_mut().flat_map(BTreeMap::values_mut));
        }
        for group in &mut self.group {
            all.extend(group.inline.iter_mut().flat_map(BTreeMap::values_mut));
        }
        all
    }
}

fn one<T>(mine: &mut Option<T>, other: Option<T>, name: &'static str) -> Result<(), &'static str> {
    match (mine.is_some(), other) {
        (true, Some(_)) => Err(name),
        (false, Some(other)) => {
            *mine = Some(other);
            Ok(())
        }
        (_, None) => Ok(()),
    }
}

/// A policy: as a table, or as its JSON text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyText(pub Value);

impl PolicyText {
    /// Its JSON text.
    pub fn text(&self) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            table => table.to_string(),
        }
    }
}

/// A managed policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Its name.
    pub name: String,
    /// Its path; `/` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For people. It cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it says.
    pub document: PolicyText,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFile {
    /// Its name.
    pub name: String,
    /// Its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Managed policies, by ARN or, of the account or of AWS, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// Inline policies by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<BTreeMap<String, PolicyText>>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserFile {
    /// Its name.
    pub name: String,
    /// Its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The managed policy that bounds it; an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
    /// The groups it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<BTreeSet<String>>,
    /// Managed policies, by ARN or, of the account or of AWS, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Inline policies by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<BTreeMap<String, PolicyText>>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleFile {
    /// Its name.
    pub name: String,
    /// Its path. It cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The longest session, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<u32>,
    /// Who may assume it.
    pub trust: PolicyText,
    /// The managed policy that bounds it; an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
    /// Managed policies, by ARN or, of the account or of AWS, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Inline policies by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<BTreeMap<String, PolicyText>>,
}

/// An instance profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceProfileFile {
    /// Its name.
    pub name: String,
    /// Its path. It cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The role in it; an empty text takes it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProviderFile {
    /// The issuer's URL: `https://…`
    pub url: String,
    /// The audiences it may issue tokens for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<BTreeSet<String>>,
    /// SHA-1 fingerprints of certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprints: Option<Vec<String>>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// A SAML provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlProviderFile {
    /// Its name.
    pub name: String,
    /// Its metadata document.
    pub metadata: String,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// The parameters of UpdateAccountPasswordPolicy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordPolicyFile {
    /// Characters.
    pub minimum_length: u32,
    /// One of the symbols.
    pub require_symbols: bool,
    /// A digit.
    pub require_numbers: bool,
    /// A capital letter.
    pub require_uppercase: bool,
    /// A small letter.
    pub require_lowercase: bool,
    /// Whether users may change their own.
    pub allow_users_to_change: bool,
    /// Days until they expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// How many earlier ones cannot be used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse_prevention: Option<u32>,
    /// Whether an expired one cannot be replaced by its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_expiry: Option<bool>,
}

impl Default for PasswordPolicyFile {
    fn default() -> Self {
        Self {
            minimum_length: 6,
            require_symbols: false,
            require_numbers: false,
            require_uppercase: false,
            require_lowercase: false,
            allow_users_to_change: false,
            max_age: None,
            reuse_prevention: None,
            hard_expiry: None,
        }
    }
}

/// `POST /countersign/v1/directory/plan` and `…/apply`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// What the caller's account is to hold.
    pub directory: DirectoryFile,
    /// Whether what stands in no file is removed.
    #[serde(default)]
    pub prune: bool,
    /// The ID of the plan that was agreed to: another plan is not carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// What has to be done, or was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The account.
    pub account: String,
    /// Stands for these steps.
    pub plan: String,
    /// The steps, in their order. None: the directory is as the files say.
    pub steps: Vec<PlanStep>,
    /// The directory's version after it; absent for what was not carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The first step that would be refused. The steps were tried as the caller, and not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<PlanProblem>,
    /// Other steps that would be refused, but for those that may be so because of one before; at
    /// most 19.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_problems: Vec<PlanProblem>,
}

/// A step that would be refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanProblem {
    /// What it would change.
    pub what: String,
    /// The action.
    pub action: String,
    /// The code of the error, such as `MalformedPolicyDocument`. With `AccessDenied` another
    /// caller may be allowed to do it.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What becomes of it.
    pub change: PlanChange,
    /// What is changed, such as `role deploy`.
    pub what: String,
    /// The action that does it: the caller needs the permission for it.
    pub action: String,
}

/// What becomes of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanChange {
    /// It is made.
    Add,
    /// It becomes another.
    Change,
    /// It goes.
    Remove,
}
