//! Who a verified request comes from.

use std::sync::Arc;

use super::credential::OpenSession;
use super::standing::{self, Entity, Refusal};
use crate::arn;
use crate::directory::{Account, Role, Snapshot, User};
use crate::id::{AccessKeyId, AccountId, UniqueId};
use crate::seal::{Claims, Link, PrincipalKind};
use crate::sigv4::{PayloadCheck, Verified};
use crate::time::Timestamp;

/// A request whose signature is good and whose credential is in force. Only the pipeline makes one.
#[derive(Clone)]
pub struct VerifiedRequest {
    identity: Identity,
    snapshot: Arc<Snapshot>,
    payload: PayloadCheck,
    path_as_signed: bool,
    signed_at: Timestamp,
    region: String,
    /// The day of the scope; `None` in SigV4A, whose keys have none.
    day: Option<String>,
}

impl VerifiedRequest {
    pub(super) fn new(
        identity: Identity,
        snapshot: Arc<Snapshot>,
        verified: &Verified,
        region: &str,
        day: Option<&str>,
    ) -> Self {
        Self {
            identity,
            snapshot,
            payload: verified.payload(),
            path_as_signed: verified.path_as_signed(),
            signed_at: verified.signed_at(),
            region: region.to_owned(),
            day: day.map(str::to_owned),
        }
    }

    /// Who signed.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The directory in which the identity was found standing.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// What is known of the body.
    pub fn payload(&self) -> PayloadCheck {
        self.payload
    }

    /// Whether the path that was signed is the path that was sent.
    pub fn path_as_signed(&self) -> bool {
        self.path_as_signed
    }

    /// When it was signed, as it says itself under its signature.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// The day of the scope, `YYYYMMDD`; `None` of a SigV4A request, whose key is good for all days.
    pub fn scope_day(&self) -> Option<&str> {
        self.day.as_deref()
    }

    /// The region of the scope; of a SigV4A request, the one it had to be good in. Empty if there is
    /// none.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// The entity behind an identity, as the directory has it now.
#[derive(Clone)]
pub enum PrincipalEntity {
    /// A user.
    User(Arc<User>),
    /// A role.
    Role(Arc<Role>),
    /// The root user of an account: with all its rights, or for one
    /// [task](Identity::task_policy).
    Root(Arc<Account>),
    /// A federated user, by whoever made it.
    Federated(Maker),
}

/// Who made a federated user.
#[derive(Clone)]
pub enum Maker {
    /// A user.
    User(Arc<User>),
    /// The root user of an account.
    Root(Arc<Account>),
}

impl PrincipalEntity {
    /// INVARIANT: what a session is, its token says, and the entity has to be of that kind.
    fn of_session(entity: Entity<'_>, claims: &Claims) -> Result<Self, Refusal> {
        match (claims.principal.kind, Self::from(entity)) {
            (PrincipalKind::Role, it @ Self::Role(_))
            | (PrincipalKind::User, it @ Self::User(_))
            | (PrincipalKind::Root | PrincipalKind::RootTask, it @ Self::Root(_)) => Ok(it),
            (PrincipalKind::FederatedUser, Self::User(user)) => {
                Ok(Self::Federated(Maker::User(user)))
            }
            (PrincipalKind::FederatedUser, Self::Root(account)) => {
                Ok(Self::Federated(Maker::Root(account)))
            }
            _ => Err(Refusal::PrincipalGone(claims.principal.id)),
        }
    }
}

impl From<Entity<'_>> for PrincipalEntity {
    fn from(entity: Entity<'_>) -> Self {
        match entity {
            Entity::User(user) => Self::User(Arc::clone(user)),
            Entity::Role(role) => Self::Role(Arc::clone(role)),
            Entity::Root(account) => Self::Root(Arc::clone(account)),
        }
    }
}

/// A principal with the credential it used.
#[derive(Clone)]
pub struct Identity {
    principal: PrincipalEntity,
    access_key_id: AccessKeyId,
    session: Option<Arc<OpenSession>>,
}

impl Identity {
    pub(super) fn of_key(snapshot: &Snapshot, id: AccessKeyId) -> Result<Self, Refusal> {
        let principal = standing::long_term(snapshot, &id)?.into();
        Ok(Self { principal, access_key_id: id, session: None })
    }

    pub(super) fn of_session(
        snapshot: &Snapshot,
        id: AccessKeyId,
        session: Arc<OpenSession>,
    ) -> Result<Self, Refusal> {
        let claims = session.claims();
        standing::credential(snapshot, &id, &claims.principal.id, claims.version)?;
        standing::origin(snapshot, &id, claims)?;
        let entity = standing::principal(snapshot, &claims.principal.id)?;
        let principal = PrincipalEntity::of_session(entity, claims)?;
        Ok(Self { principal, access_key_id: id, session: Some(session) })
    }

    /// The user, role, root user or federated user.
    pub fn principal(&self) -> &PrincipalEntity {
        &self.principal
    }

    /// The access key that signed.
    pub fn access_key_id(&self) -> AccessKeyId {
        self.access_key_id
    }

    /// The session, unless a long-term key signed.
    pub fn session(&self) -> Option<&Arc<OpenSession>> {
        self.session.as_ref()
    }

    /// The account it belongs to.
    pub fn account(&self) -> AccountId {
        match &self.principal {
            PrincipalEntity::User(user) | PrincipalEntity::Federated(Maker::User(user)) => {
                user.account
            }
            PrincipalEntity::Role(role) => role.account,
            PrincipalEntity::Root(account) | PrincipalEntity::Federated(Maker::Root(account)) => {
                account.id
            }
        }
    }

    /// The ARN of the policy of the one task that a root user's session is for: `None` for whoever has
    /// no such session, empty if it does not say.
    pub fn task_policy(&self) -> Option<&str> {
        let claims = self.session.as_ref()?.claims();
        (claims.principal.kind == PrincipalKind::RootTask)
            .then(|| claims.task_policy().unwrap_or_default())
    }

    /// Whether it is the root user of its account, were it for one task.
    pub fn is_root(&self) -> bool {
        matches!(self.principal, PrincipalEntity::Root(_))
    }

    /// Whether it acts on the rights of a root user: as that user, or as a federated user of its making.
    pub fn is_of_root(&self) -> bool {
        let made = matches!(self.principal, PrincipalEntity::Federated(Maker::Root(_)));
        made || self.is_root()
    }

    /// The unique ID of the user or role; of a root user, its account's; of a federated user, its
    /// maker's.
    pub fn unique_id(&self) -> UniqueId {
        match &self.principal {
            PrincipalEntity::User(user) | PrincipalEntity::Federated(Maker::User(user)) => user.id,
            PrincipalEntity::Role(role) => role.id,
            PrincipalEntity::Root(account) | PrincipalEntity::Federated(Maker::Root(account)) => {
                UniqueId::of_root(account.id)
            }
        }
    }

    /// The role session's name, or the federated user's; empty for users.
    pub fn session_name(&self) -> &str {
        match (&self.principal, &self.session) {
            (PrincipalEntity::Role(_) | PrincipalEntity::Federated(_), Some(session)) => {
                &session.claims().session_name
            }
            _ => "",
        }
    }

    /// `aws:userid`: `AIDA…`, `AROA…:<session name>`, `<account>:<federated user's name>`, or the
    /// account's ID.
    pub fn user_id(&self) -> String {
        match &self.principal {
            PrincipalEntity::User(user) => user.id.to_string(),
            PrincipalEntity::Role(role) => format!("{}:{}", role.id, self.session_name()),
            PrincipalEntity::Root(account) => account.id.to_string(),
            PrincipalEntity::Federated(_) => format!("{}:{}", self.account(), self.session_name()),
        }
    }

    /// The ARN that GetCallerIdentity tells: the user's or root user's, the role session's, the
    /// federated user's.
    pub fn arn(&self) -> String {
        match &self.principal {
            PrincipalEntity::User(user) => user.arn(),
            PrincipalEntity::Role(role) => {
                arn::assumed_role(role.account, &role.name, self.session_name())
            }
            PrincipalEntity::Root(account) => arn::account_root(account.id),
            PrincipalEntity::Federated(_) => {
                arn::federated_user(self.account(), self.session_name())
            }
        }
    }

    /// `aws:PrincipalArn`: the user's, the role's, the root user's or the federated user's.
    pub fn principal_arn(&self) -> String {
        match &self.principal {
            PrincipalEntity::User(user) => user.arn(),
            PrincipalEntity::Role(role) => role.arn(),
            PrincipalEntity::Root(account) => arn::account_root(account.id),
            PrincipalEntity::Federated(_) => self.arn(),
        }
    }

    /// The ARN of whose rights it acts on: that of a federated user's maker, everybody else's own.
    pub fn issuer_arn(&self) -> String {
        match &self.principal {
            PrincipalEntity::Federated(Maker::User(user)) => user.arn(),
            PrincipalEntity::Federated(Maker::Root(account)) => arn::account_root(account.id),
            _ => self.principal_arn(),
        }
    }

    /// The chain down to the credential that signed, as a session made from it names it.
    ///
    /// A long-term key stands with the time and version at which it is used.
    pub fn chain(&self, now: Timestamp, version: u64) -> Vec<Link> {
        let (mut links, session_id, issued_at, version) = match &self.session {
            Some(session) => {
                let claims = session.claims();
                (
                    claims.ancestors.clone(),
                    Some(claims.session_id),
                    claims.issued_at,
                    claims.version,
                )
            }
            None => (Vec::new(), None, now, version),
        };
        links.push(Link {
            access_key_id: self.access_key_id,
            session_id,
            principal_id: self.unique_id(),
            arn: self.arn(),
            issued_at,
            version,
        });
        links
    }
}
