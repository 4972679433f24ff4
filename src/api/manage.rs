//! `/countersign/v1/…`: what has no place in AWS's own protocols.

use serde::{Deserialize, Serialize};

use super::Ancestor;

/// `POST /countersign/v1/accounts` on the admin socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// A name for people: 1 to 50 characters.
    pub name: String,
    /// The account's ID, 12 digits; drawn if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The role through which the first account administers it; `OrganizationAccountAccessRole` if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedAccount {
    /// The account.
    pub account: AccountView,
    /// The ARN of the role that administers it.
    pub role_arn: String,
}

/// `GET /countersign/v1/accounts` on the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// Every account, by ID.
    pub accounts: Vec<AccountView>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// 12 digits.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// When it was made.
    pub created_at: String,
}

/// `POST /countersign/v1/revocations`: exactly one target.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRevocation {
    /// What is revoked.
    pub target: RevocationTarget,
}

/// What a revocation reaches. It reaches whatever came from it, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationTarget {
    /// One session, by its access key ID (`ASIA…`).
    Session(String),
    /// All sessions of a role up to now, by its ARN.
    Role(String),
    /// All sessions that came from a user, or from a root user, up to now, by its ARN.
    User(String),
    /// All sessions that came from a long-term key up to now, by its ID (`AKIA…`).
    AccessKey(String),
    /// All sessions that began with an OIDC or SAML provider up to now, by its ARN.
    Provider(String),
}

/// A revocation that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationView {
    /// What was revoked.
    pub target: RevocationTarget,
    /// Credentials issued at an earlier directory version than this are refused.
    pub version: u64,
    /// When it was made.
    pub revoked_at: String,
    /// Whether the ledger holds a session of that access key ID; absent for other targets, and when
    /// the ledger does not answer. The revocation is in force either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
}

/// The query of `GET /countersign/v1/sessions` and of `GET /countersign/v1/sessions/count`. Each
/// field narrows it; without any it is about the caller's own account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSessions {
    /// An account, 12 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The sessions of a role, by its ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The sessions of a role, a user or a role session's name, by its ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The sessions with this source identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// The most sessions of an answer, 1 to 1000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<String>,
    /// Where to go on: from the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Live sessions that the ledger holds, in no particular order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// The sessions; there may be none in an answer that is not the last.
    pub sessions: Vec<SessionView>,
    /// Records that do not open: forged, damaged, or of a key that was given up.
    pub unreadable: u64,
    /// Where to go on; absent in the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// How many live sessions the ledger holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCount {
    /// Those counted for this answer: the sum over all answers is the count.
    pub count: u64,
    /// Where to go on; absent in the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Its access key ID.
    pub access_key_id: String,
    /// The account it belongs to.
    pub account: String,
    /// The ARN it acts under.
    pub arn: String,
    /// The ARN of its role or user when it was made.
    pub principal_arn: String,
    /// The unique ID of its role or user.
    pub principal_id: String,
    /// Its name; empty for a user's.
    pub session_name: String,
    /// Its source identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// What it came from, the nearest first.
    pub ancestors: Vec<Ancestor>,
    /// The ARN of the identity provider that its chain began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Whom that provider vouched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it was made.
    pub issued_at: String,
    /// When it ends.
    pub expires_at: String,
    /// Whether it, its principal or an ancestor was revoked, disabled or deleted: it is refused.
    pub revoked: bool,
}

/// The answer of `POST /countersign/v1/restore` on the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredView {
    /// The version of the directory now.
    pub version: u64,
    /// The version that it had when the backup was made.
    pub restored_version: u64,
    /// When the backup was made.
    pub backup_made_at: String,
    /// How many entities it held.
    pub entities: usize,
    /// How many long-term keys wait to be confirmed.
    pub unconfirmed_keys: usize,
}

/// `POST /countersign/v1/keys/confirm` on the admin socket: all, or those named.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmKeys {
    /// Every key that waits.
    #[serde(default)]
    pub all: bool,
    /// These (`AKIA…`).
    #[serde(default)]
    pub access_key_ids: Vec<String>,
}

/// The keys that are in use again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedKeys {
    /// Their IDs.
    pub access_key_ids: Vec<String>,
}

/// `POST /countersign/v1/keys` on the admin socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The ARN of the user that it is for, or of an account's root user: `arn:aws:iam::<account>:root`.
    pub user: String,
}

/// The query of `GET /countersign/v1/keys` on the admin socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListKeys {
    /// The ARN of a user or of a root user.
    pub user: String,
}

/// The long-term keys of a user or of a root user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// Those that it has, by ID.
    pub keys: Vec<KeyView>,
}

/// A long-term key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// `AKIA…`
    pub access_key_id: String,
    /// `Active` or `Inactive`.
    pub status: String,
    /// When it was made.
    pub created_at: String,
    /// Whether it waits to be confirmed after a restore.
    pub unconfirmed: bool,
    /// When it last signed, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// What is to become of a long-term key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFate {
    /// It signs.
    Active,
    /// It does not, and every session that came from it is refused for good.
    Inactive,
    /// It is gone, with every session that came from it.
    Deleted,
}

/// `POST /countersign/v1/keys/change` on the admin socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeKey {
    /// `AKIA…`
    pub access_key_id: String,
    /// What is to become of it.
    pub to: KeyFate,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// `AKIA…`
    pub access_key_id: String,
    /// The ARN of its user or root user.
    pub user: String,
}

/// A long-term key. The secret is told here, and nowhere again; hence no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct CreatedKey {
    /// `AKIA…`
    pub access_key_id: String,
    /// What signs.
    pub secret_access_key: zeroize::Zeroizing<String>,
}
