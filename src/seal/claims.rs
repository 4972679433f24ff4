//! What stands inside a session token: CBOR (RFC 8949) maps with integer keys.
//!
//! A number is never used again for another meaning. Readers skip numbers they do not know, so a
//! field that must not be skipped needs a new format version.

use minicbor::{Decode, Encode};

use crate::id::{AccessKeyId, AccountId, ProviderId, SessionId, UniqueId};
use crate::secret::SecretAccessKey;
use crate::time::Timestamp;

/// The most ancestors that a session may have.
pub const MAX_ANCESTORS: usize = 8;

/// A session, as its token tells it.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Claims {
    /// The session's own ID.
    #[n(0)]
    pub session_id: SessionId,
    /// The secret that signs.
    #[n(1)]
    pub secret: SecretAccessKey,
    /// Whom the session acts as.
    #[n(2)]
    pub principal: PrincipalClaim,
    /// The credentials it came from, the first of the chain in front; at most [`MAX_ANCESTORS`].
    #[n(3)]
    pub ancestors: Vec<Link>,
    /// When it was made.
    #[n(4)]
    pub issued_at: Timestamp,
    /// When it ends. INVARIANT: expiry is absolute and checked at every use.
    #[n(5)]
    pub expires_at: Timestamp,
    /// The directory's version that the decision to make it was read from.
    #[n(6)]
    pub version: u64,
    /// The role session's name, or the federated user's; empty for other principals.
    #[n(7)]
    pub session_name: String,
    /// The source identity, set once in a chain and inherited.
    #[n(8)]
    pub source_identity: Option<String>,
    /// Session tags: key and value, keys distinct without regard to case.
    #[n(9)]
    pub tags: Vec<Tag>,
    /// The policies passed when it was made.
    #[n(11)]
    pub policies: Option<SessionPolicies>,
    /// When a second factor was shown, if one was.
    #[n(12)]
    pub mfa_at: Option<Timestamp>,
    /// Nothing, to make a token longer.
    #[n(14)]
    pub padding: Option<minicbor::bytes::ByteVec>,
    /// The epoch of the directory that it was made in; absent in the first one.
    #[n(15)]
    pub epoch: Option<u64>,
    /// The identity provider that the chain began with. INVARIANT: handed down the chain, so that
    /// revoking or deleting the provider reaches every session that came from it.
    #[n(16)]
    pub federated: Option<FederatedClaim>,
}

impl Claims {
    /// The ARN of the one policy of a session that is for one task.
    pub fn task_policy(&self) -> Option<&str> {
        match self.policies.as_ref()? {
            SessionPolicies { inline: None, arns, .. } => match arns.as_slice() {
                [one] => Some(one),
                _ => None,
            },
            SessionPolicies { .. } => None,
        }
    }
}

/// Whom an identity provider vouched for, at the beginning of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FederatedClaim {
    /// The provider's ID: one made again under its URL has another.
    #[n(0)]
    pub provider: ProviderId,
    /// The provider's ARN.
    #[n(1)]
    pub arn: String,
    /// Who it said it is.
    #[n(2)]
    pub subject: String,
    /// Whom its word was for.
    #[n(3)]
    pub audience: String,
    /// The directory's version when it was taken at its word.
    #[n(4)]
    pub version: u64,
}

/// A session tag.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Tag {
    /// The key, in the case it was given.
    #[n(0)]
    pub key: String,
    /// The value.
    #[n(1)]
    pub value: String,
    /// Whether it travels down the chain.
    #[n(2)]
    pub transitive: bool,
}

/// Whom a session acts as.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PrincipalClaim {
    /// What kind of principal.
    #[n(0)]
    pub kind: PrincipalKind,
    /// The account it belongs to.
    #[n(1)]
    pub account: AccountId,
    /// The unique ID of the role or user; the sessions of a name made again have another. Of a
    /// federated user, that of its maker.
    #[n(2)]
    pub id: UniqueId,
    /// The ARN of the role or user, or of the federated user's maker, when the session was made.
    #[n(3)]
    pub arn: String,
}

/// The kinds of principals that have sessions. A token of a kind that is not known does not open: what
/// narrows a session must not be skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum PrincipalKind {
    /// A role, assumed.
    #[n(1)]
    Role,
    /// A user with temporary credentials of its own.
    #[n(2)]
    User,
    /// A root user with temporary credentials of its own.
    #[n(3)]
    Root,
    /// Somebody with a name that a user, or a root user, gave: the principal is that maker.
    #[n(4)]
    FederatedUser,
    /// A root user for one task, whose policy is the only one of the session's.
    #[n(5)]
    RootTask,
}

/// One credential that a session came from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Link {
    /// The access key that signed the request for the next link.
    #[n(0)]
    pub access_key_id: AccessKeyId,
    /// The session, where the key was a session's.
    #[n(1)]
    pub session_id: Option<SessionId>,
    /// The unique ID of the role or user that acted.
    #[n(2)]
    pub principal_id: UniqueId,
    /// Its ARN at that time.
    #[n(3)]
    pub arn: String,
    /// When the credential was made; for a long-term key, when it was used to make the next link.
    #[n(4)]
    pub issued_at: Timestamp,
    /// The directory's version at `issued_at`.
    #[n(5)]
    pub version: u64,
}

/// Session policies: several allow what any one of them allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionPolicies {
    /// The inline policy's text.
    #[n(0)]
    pub inline: Option<String>,
    /// Managed policies by ARN, read from the directory at each use.
    #[n(1)]
    pub arns: Vec<String>,
    /// Their unique IDs, in the same order: a policy made again under its ARN is another one.
    /// Absent in tokens from before there were any.
    #[n(2)]
    pub ids: Option<Vec<UniqueId>>,
}
