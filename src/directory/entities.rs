//! What the directory holds. These are the stored forms: a field is only ever added, with a
//! default, or the format version grows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::account::PasswordPolicy;
use super::document::{Document, TrustDocument};
use super::issuer::TokenIssuer;
use crate::arn;
use crate::id::{AccessKeyId, AccountId, UniqueId};
use crate::time::Timestamp;

/// An account: the owner of users, roles and resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Twelve digits.
    pub id: AccountId,
    /// A name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its alias, unique in the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// What its users' passwords would have to be like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_policy: Option<PasswordPolicy>,
    /// Whom it is to those who verify its principals' tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_issuer: Option<TokenIssuer>,
    /// Sessions of its root user from before this are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_revoked: Option<Revoked>,
}

impl Account {
    /// A new account.
    pub fn new(id: AccountId, name: String, created_at: Timestamp) -> Self {
        Self {
            id,
            name,
            created_at,
            alias: None,
            password_policy: None,
            token_issuer: None,
            root_revoked: None,
        }
    }
}

/// A key and a value on an entity or a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The key: unique on its entity without regard to case.
    pub key: String,
    /// The value.
    pub value: String,
}

/// 'Up to here': what was issued before `version` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The directory version of the revocation itself.
    pub version: u64,
    /// When it was made, for people: versions decide.
    pub at: Timestamp,
}

impl Revoked {
    /// Whether a credential issued at directory version `issued` is refused.
    pub fn refuses(self, issued: u64) -> bool {
        issued < self.version
    }
}

/// The policies of a user, a group or a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    /// Inline policies by name.
    #[serde(default)]
    pub inline: BTreeMap<String, Document>,
    /// Managed policies by ARN.
    #[serde(default)]
    pub attached: BTreeSet<String>,
    /// The ARN of the managed policy that bounds them.
    #[serde(default)]
    pub boundary: Option<String>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// `AIDA…`
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
    /// What it may do.
    #[serde(default)]
    pub policies: Policies,
    /// The groups it is in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<UniqueId>,
    /// Sessions that came from it before this are refused.
    #[serde(default)]
    pub revoked: Option<Revoked>,
}

impl User {
    /// `arn:aws:iam::<account>:user<path><name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "user", &self.path, &self.name)
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// `AROA…`
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
    /// The longest session, in seconds: 3,600 to 43,200.
    pub max_session_duration: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Who may assume it.
    pub trust: TrustDocument,
    /// What it may do.
    #[serde(default)]
    pub policies: Policies,
    /// Its sessions from before this, and what came from them, are refused.
    #[serde(default)]
    pub revoked: Option<Revoked>,
}

impl Role {
    /// `arn:aws:iam::<account>:role<path><name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "role", &self.path, &self.name)
    }
}

/// Whether a long-term key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStatus {
    /// It does.
    Active,
    /// It does not, and what came from it before is refused for good.
    Inactive,
}

impl KeyStatus {
    /// The word of the IAM API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}

/// A long-term access key of a user, or of an account's root user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: AccessKeyId,
    /// The user it belongs to; a root user by its account's ID.
    pub user: UniqueId,
    /// The secret, sealed for this user and key.
    #[serde(with = "base64_bytes")]
    pub sealed: Vec<u8>,
    /// Whether it signs.
    pub status: KeyStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// Sessions that came from it before this are refused.
    #[serde(default)]
    pub revoked: Option<Revoked>,
    /// It was active in a backup that was restored, and waits for a word of the host's operator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unconfirmed: bool,
    /// It was put out of use while it waited: it stays so when it is confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub put_away: bool,
}

/// What began when a backup was restored. Sessions of another epoch are refused: the directory
/// that came back does not know what was revoked after it was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Random, not 0: 0 is the first epoch, which no entity stands for.
    pub number: u64,
    /// When it began.
    pub began_at: Timestamp,
    /// The version of the directory that was restored.
    pub restored_version: u64,
}

/// One session, ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRevocation {
    /// `ASIA…`
    pub access_key_id: AccessKeyId,
    /// Issues of that ID from before this are refused.
    pub revoked: Revoked,
    /// When every session that it could mean has expired, and the record may go.
    pub until: Timestamp,
}

pub(super) mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in crate::directory) fn serialize<S: Serializer>(
        bytes: &[u8],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in crate::directory) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(d)?).map_err(D::Error::custom)
    }
}
