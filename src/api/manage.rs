//! `/countersign/v1/…`: what has no place in AWS's own protocols.

use serde::{Deserialize, Serialize};

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
    /// All sessions that came from a user up to now, by its ARN.
    User(String),
    /// All sessions that came from a long-term key up to now, by its ID (`AKIA…`).
    AccessKey(String),
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
