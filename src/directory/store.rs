//! What a directory store does, whatever it is made of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::anywhere::{AnywhereProfile, Crl, Subject, TrustAnchor};
use super::entities::{AccessKey, Account, Epoch, Role, SessionRevocation, User};
use super::groups::{Group, InstanceProfile};
use super::mfa::MfaDevice;
use super::organization::{
    AccountState, ControlPolicy, Creation, CreationId, Handshake, HandshakeId, Member, OrgPolicyId,
    Organization, Unit, UnitId,
};
use super::pods::PodAssociation;
use super::policies::ManagedPolicy;
use super::providers::{OidcProvider, SamlProvider};
use super::uses::{News, Use, Used};
use super::{Published, Snapshot};
use crate::future::BoxFuture;
use crate::group::SubmitError;
use crate::id::{
    AccessKeyId, AccountId, AnywhereId, AssociationId, DeviceId, ProviderId, UniqueId,
};

/// Anything that the directory holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entity {
    /// An account.
    Account(Account),
    /// A user.
    User(User),
    /// A role.
    Role(Role),
    /// A group.
    Group(Group),
    /// A managed policy.
    Policy(ManagedPolicy),
    /// An instance profile.
    InstanceProfile(InstanceProfile),
    /// An OIDC provider.
    OidcProvider(OidcProvider),
    /// A SAML provider.
    SamlProvider(SamlProvider),
    /// An MFA device.
    MfaDevice(MfaDevice),
    /// Which role the pods of a service account have.
    PodAssociation(PodAssociation),
    /// A trust anchor of IAM Roles Anywhere.
    TrustAnchor(TrustAnchor),
    /// A profile of IAM Roles Anywhere.
    AnywhereProfile(AnywhereProfile),
    /// A revocation list.
    Crl(Crl),
    /// Somebody who came with a certificate.
    Subject(Subject),
    /// A long-term access key.
    AccessKey(AccessKey),
    /// The revocation of one session.
    SessionRevocation(SessionRevocation),
    /// The epoch.
    Epoch(Epoch),
    /// The organization.
    Organization(Organization),
    /// An organizational unit.
    Unit(Unit),
    /// An account in the organization.
    Member(Member),
    /// A service or resource control policy.
    ControlPolicy(ControlPolicy),
    /// What became of a request for an account.
    Creation(Creation),
    /// Whether an account is closed, and when it left an organization.
    AccountState(AccountState),
    /// An invitation to the organization, or the like.
    Handshake(Handshake),
}

/// Where an entity is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntityKey {
    /// An account by its ID.
    Account(AccountId),
    /// A user by its unique ID.
    User(UniqueId),
    /// A role by its unique ID.
    Role(UniqueId),
    /// A group by its unique ID.
    Group(UniqueId),
    /// A managed policy by its unique ID.
    Policy(UniqueId),
    /// An instance profile by its unique ID.
    InstanceProfile(UniqueId),
    /// An OIDC provider by its ID.
    OidcProvider(ProviderId),
    /// A SAML provider by its ID.
    SamlProvider(ProviderId),
    /// An MFA device by its ID.
    MfaDevice(DeviceId),
    /// An association of pods by its ID.
    PodAssociation(AssociationId),
    /// A trust anchor by its ID.
    TrustAnchor(ProviderId),
    /// A profile of IAM Roles Anywhere by its ID.
    AnywhereProfile(AnywhereId),
    /// A revocation list by its ID.
    Crl(AnywhereId),
    /// A subject of certificates by its ID.
    Subject(AnywhereId),
    /// A long-term access key by its ID.
    AccessKey(AccessKeyId),
    /// A session's revocation by the session's access key ID.
    SessionRevocation(AccessKeyId),
    /// The epoch: there is one.
    Epoch,
    /// The organization: there is one.
    Organization,
    /// An organizational unit by its ID.
    Unit(UnitId),
    /// An account in the organization.
    Member(AccountId),
    /// A service or resource control policy by its ID.
    ControlPolicy(OrgPolicyId),
    /// A request for an account by its ID.
    Creation(CreationId),
    /// An account's state by the account.
    AccountState(AccountId),
    /// A handshake by its ID.
    Handshake(HandshakeId),
}

impl Entity {
    /// Where it is kept.
    pub fn key(&self) -> EntityKey {
        match self {
            Self::Account(account) => EntityKey::Account(account.id),
            Self::User(user) => EntityKey::User(user.id),
            Self::Role(role) => EntityKey::Role(role.id),
            Self::Group(group) => EntityKey::Group(group.id),
            Self::Policy(policy) => EntityKey::Policy(policy.id),
            Self::InstanceProfile(profile) => EntityKey::InstanceProfile(profile.id),
            Self::OidcProvider(provider) => EntityKey::OidcProvider(provider.id),
            Self::SamlProvider(provider) => EntityKey::SamlProvider(provider.id),
            Self::MfaDevice(device) => EntityKey::MfaDevice(device.id),
            Self::PodAssociation(it) => EntityKey::PodAssociation(it.id),
            Self::TrustAnchor(it) => EntityKey::TrustAnchor(it.id),
            Self::AnywhereProfile(it) => EntityKey::AnywhereProfile(it.id),
            Self::Crl(it) => EntityKey::Crl(it.id),
            Self::Subject(it) => EntityKey::Subject(it.id),
            Self::AccessKey(key) => EntityKey::AccessKey(key.id),
            Self::SessionRevocation(it) => EntityKey::SessionRevocation(it.access_key_id),
            Self::Epoch(_) => EntityKey::Epoch,
            Self::Organization(_) => EntityKey::Organization,
            Self::Unit(unit) => EntityKey::Unit(unit.id),
            Self::Member(member) => EntityKey::Member(member.account),
            Self::ControlPolicy(policy) => EntityKey::ControlPolicy(policy.id),
            Self::Creation(it) => EntityKey::Creation(it.id),
            Self::AccountState(it) => EntityKey::AccountState(it.account),
            Self::Handshake(it) => EntityKey::Handshake(it.id),
        }
    }
}

impl std::fmt::Display for EntityKey {
    /// The text under which stores keep it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account/{id}"),
            Self::User(id) => write!(f, "user/{id}"),
            Self::Role(id) => write!(f, "role/{id}"),
            Self::Group(id) => write!(f, "group/{id}"),
            Self::Policy(id) => write!(f, "policy/{id}"),
            Self::InstanceProfile(id) => write!(f, "instance-profile/{id}"),
            Self::OidcProvider(id) => write!(f, "oidc-provider/{id}"),
            Self::SamlProvider(id) => write!(f, "saml-provider/{id}"),
            Self::MfaDevice(id) => write!(f, "mfa-device/{id}"),
            Self::PodAssociation(id) => write!(f, "pod-association/{id}"),
            Self::TrustAnchor(id) => write!(f, "trust-anchor/{id}"),
            Self::AnywhereProfile(id) => write!(f, "anywhere-profile/{id}"),
            Self::Crl(id) => write!(f, "crl/{id}"),
            Self::Subject(id) => write!(f, "subject/{id}"),
            Self::AccessKey(id) => write!(f, "access-key/{id}"),
            Self::SessionRevocation(id) => write!(f, "session-revocation/{id}"),
            Self::Epoch => f.write_str("epoch"),
            Self::Organization => f.write_str("organization"),
            Self::Unit(id) => write!(f, "organizational-unit/{id}"),
            Self::Member(id) => write!(f, "member/{id}"),
            Self::ControlPolicy(id) => write!(f, "control-policy/{id}"),
            Self::Creation(id) => write!(f, "account-creation/{id}"),
            Self::AccountState(id) => write!(f, "account-state/{id}"),
            Self::Handshake(id) => write!(f, "handshake/{id}"),
        }
    }
}

/// One step of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Make or replace.
    Put(Box<Entity>),
    /// Remove.
    Delete(EntityKey),
}

/// The changes of one write: all of them or none.
pub struct Batch {
    /// The store's failures that the writer had seen: a batch built on a failed one is refused.
    pub failures: u64,
    /// The directory's version after it.
    pub version: u64,
    /// The changes, in order; none when it only waits for those before it.
    pub changes: Vec<Change>,
    /// The state after it, to be published once it is durable.
    pub snapshot: Arc<Snapshot>,
    /// Where to publish it.
    pub published: Arc<Published>,
}

/// Everything that a store holds.
#[derive(Default)]
pub struct Contents {
    /// The directory's version.
    pub version: u64,
    /// Every entity, in no order.
    pub entities: Vec<Entity>,
}

/// A store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written.
    #[error("the directory store is not available, nothing was written: {0}")]
    Unavailable(String),
    /// It may have been written or not.
    #[error("the outcome of the write is unknown: {0}")]
    Unknown(String),
    /// What is stored cannot be read.
    #[error("the directory store is damaged: {0}")]
    Damaged(String),
    /// Made by a newer version of this software.
    #[error("the directory has format version {0}; this version reads up to {1}")]
    Newer(u64, u64),
}

impl From<SubmitError> for StoreError {
    fn from(error: SubmitError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Where the directory is kept.
pub trait DirectoryStore: Send + Sync + 'static {
    /// Reads everything.
    fn load(&self) -> Result<Contents, StoreError>;

    /// Queues a batch. The future ends when the batch is durable and published, or refused.
    /// Batches are stored in the order they were queued, also when nobody waits for them.
    fn submit(
        &self,
        batch: Batch,
    ) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError>;

    /// How many times storing has failed. It changes before the failure is answered.
    fn failures(&self) -> u64;

    /// Makes the store usable again after a failure and reads what it holds.
    fn recover(&self) -> BoxFuture<'_, Result<Contents, StoreError>>;

    /// When keys and roles were used last, as far as it was kept.
    fn load_uses(&self) -> Result<Vec<(Used, Use)>, StoreError> {
        Ok(Vec::new())
    }

    /// Keeps such uses, in the place of those of the same keys and roles. A store that has no place for them
    /// keeps none.
    fn keep_uses(
        &self,
        _news: Vec<News>,
    ) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        Ok(Box::pin(async { Ok(()) }))
    }
}
