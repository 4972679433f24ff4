//! What a verifier inside a service gets from the broker: material to go on by itself, and news of
//! what changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{OneOrMany, VerifyResponse};
use crate::id::{AccountId, UniqueId};
use crate::policy::DocumentKind;
use crate::secret::SecretKey;

/// The answer to a question that asked for a signing key too. It holds a secret, hence no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct VerifyGrant {
    /// The answer.
    #[serde(flatten)]
    pub answer: VerifyResponse,
    /// What to verify the next requests of these credentials with; absent where the broker keeps
    /// that to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<Material>,
}

/// What a verifier needs to verify and decide requests of one credential in one scope by itself.
#[derive(Serialize, Deserialize)]
pub struct Material {
    /// The day of the scope, `YYYYMMDD`.
    pub date: String,
    /// The region of the scope.
    pub region: String,
    /// The signing key of that scope.
    #[serde(with = "secret_key")]
    pub signing_key: SecretKey,
    /// Who signs.
    pub caller: MaterialCaller,
    /// The condition keys of whoever signs, but for those that change with time.
    pub context: BTreeMap<String, OneOrMany>,
    /// When a second factor was shown, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_at: Option<i64>,
    /// When the credentials end, in milliseconds since 1970; absent for long-term keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// How long the broker's word for the session may be taken without asking again, in
    /// milliseconds.
    pub confirm_every: u64,
    /// The policies, as far as they are about the prefixes asked for.
    pub policies: MaterialPolicies,
    /// Where the directory stood.
    pub at: Position,
    /// The names to watch for in the feed: a change of one ends the material.
    pub watch: Vec<String>,
}

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum MaterialCaller {
    /// A user.
    User {
        /// The user's account.
        account: AccountId,
        /// `AIDA…`
        id: UniqueId,
        /// The user's ARN.
        arn: String,
    },
    /// A session of a role.
    AssumedRole {
        /// The role's account.
        account: AccountId,
        /// `AROA…`
        role_id: UniqueId,
        /// The role's ARN.
        role_arn: String,
        /// The session's name.
        session_name: String,
        /// The session's ARN.
        session_arn: String,
    },
}

/// The policies of a caller. Those that say nothing about the prefixes are there with a statement
/// that does not apply, so that a layer never looks as if it were not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialPolicies {
    /// The prefixes of actions that the statements were chosen for: about others nothing can be
    /// decided with these policies.
    pub prefixes: Vec<String>,
    /// The account whose resources the layers below are about.
    pub resource_account: String,
    /// The identity policies.
    pub identity: Vec<MaterialPolicy>,
    /// The permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<MaterialPolicy>,
    /// The session policies; absent when none were passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Vec<MaterialPolicy>>,
    /// The service control policies by level.
    #[serde(default)]
    pub service_control: Vec<Vec<MaterialPolicy>>,
    /// The resource control policies by level.
    #[serde(default)]
    pub resource_control: Vec<Vec<MaterialPolicy>>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialPolicy {
    /// Its ARN or name.
    pub name: String,
    /// Its kind.
    pub kind: DocumentKind,
    /// The document with the statements that were chosen.
    pub text: String,
    /// The place of each of them in the whole document, from 0.
    pub statements: Vec<usize>,
}

/// Where a directory stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The deployment.
    pub deployment: String,
    /// The epoch; another one begins when a backup is restored.
    pub epoch: u64,
    /// The version.
    pub version: u64,
}

/// The first line of `GET /v1/changes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedHead {
    /// The version that the lines to come begin after, in its deployment and epoch.
    pub at: Position,
    /// The directory's newest version when this was written: all up to it has been told once a line
    /// reaches it.
    pub newest: u64,
    /// Whether the lines do not go on from where the reader was: what it keeps is to be forgotten.
    pub gap: bool,
    /// The broker's time when it was asked, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<i64>,
    /// The service as it is registered, in the words of the settings.
    pub service: serde_json::Value,
    /// Its routes.
    pub routes: serde_json::Value,
}

/// A line of `GET /v1/changes` after the first.
///
/// Lines join: each begins after the version where the one before it ended. A line without names
/// that ends where it begins says that nothing has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedLine {
    /// The version before.
    pub after: u64,
    /// The version since.
    pub version: u64,
    /// What was touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touched: Vec<String>,
    /// Whether everything was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

mod secret_key {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use zeroize::Zeroizing;

    use crate::secret::SecretKey;

    pub(super) fn serialize<S: Serializer>(key: &SecretKey, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&Zeroizing::new(STANDARD.encode(key.expose())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SecretKey, D::Error> {
        let text = Zeroizing::new(String::deserialize(d)?);
        let mut bytes = Zeroizing::new([0_u8; 32]);
        let refused = || D::Error::custom("a signing key is 32 bytes in base64");
        let decoded = Zeroizing::new(STANDARD.decode(text.as_bytes()).map_err(|_| refused())?);
        if decoded.len() != bytes.len() {
            return Err(refused());
        }
        bytes.copy_from_slice(&decoded);
        Ok(SecretKey::new(*bytes))
    }
}
