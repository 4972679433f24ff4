//! The `Principal` element: whom a statement names, and how strongly.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; "Policy
//! evaluation logic" for what naming a session, user, role or account means.

use std::fmt;

use super::ast::Clause;
use super::caller::{Caller, FederationMaker};
use super::truth::Truth;
use crate::id::{AccountId, UniqueId, UniqueKind};

/// One entry of `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// `*` or `{"AWS": "*"}`
    Anyone,
    /// An account's number or its `root` ARN.
    Account(AccountId),
    /// A user's ARN.
    User { arn: String, id: Option<UniqueId> },
    /// A role's ARN.
    Role { arn: String, id: Option<UniqueId> },
    /// A role session's ARN, its session name, and the ID of the role.
    RoleSession { arn: String, session_name: String, role_id: Option<UniqueId> },
    /// A federated-user session's ARN.
    FederatedUser { arn: String },
    /// `AIDA…` or `AROA…`
    Unique(UniqueId),
    /// An identity provider's ARN or host.
    Federated(String),
    /// A service.
    Service(String),
}

/// An ARN that stands as a principal has no unique ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the principal {arn} does not exist")]
pub struct Unresolved {
    /// The ARN as the document has it.
    pub arn: String,
}

/// How far a resource policy's `Allow` carries a caller of its own account, by how it names the
/// caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Names the account: the caller's own policies must allow too.
    Account,
    /// Names the role, or anyone: no identity policy is needed, the permissions boundary and the
    /// session policies limit.
    Limited,
    /// Names the user: only session policies limit.
    User,
    /// Names the session: nothing else is needed.
    Session,
}

/// Whether an entry names a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    No,
    /// Not surely: it does not grant, but it denies.
    Doubtful,
    Yes(Reach),
}

impl Principal {
    /// The ARN that has to be bound to a unique ID.
    pub(crate) fn bindable(&self) -> Option<&str> {
        match self {
            Self::User { arn, .. } | Self::Role { arn, .. } | Self::RoleSession { arn, .. } => {
                Some(arn)
            }
            _ => None,
        }
    }

    /// Binds it, or takes the binding away; returns whether it is bound now.
    pub(crate) fn bind(&mut self, found: Option<UniqueId>) -> bool {
        let (slot, kind) = match self {
            Self::User { id, .. } => (id, UniqueKind::User),
            Self::Role { id, .. } => (id, UniqueKind::Role),
            Self::RoleSession { role_id, .. } => (role_id, UniqueKind::Role),
            _ => return true,
        };
        *slot = found.filter(|id| id.kind() == kind);
        slot.is_some()
    }

    /// Whether it names the caller.
    ///
    /// INVARIANT (identity is by unique ID): a user or role is granted to only by the ID that its
    /// ARN was bound to. An ARN that was never bound is doubtful for a caller with that ARN.
    pub(crate) fn names(&self, caller: &Caller) -> Naming {
        match (self, caller) {
            // Anybody with a token of any provider is not what the author of `*` has in mind:
            // federated identities are granted to by name only.
            (Self::Anyone, Caller::WebIdentity { .. } | Caller::Saml { .. }) => Naming::Doubtful,
            (Self::Anyone, _) => Naming::Yes(Reach::Limited),
            (Self::Account(account), _) => yes(caller.account() == Some(*account), Reach::Account),
            (Self::User { id: Some(id), .. } | Self::Unique(id), _)
                if Self::is_user(id, caller) =>
            {
                Naming::Yes(match caller {
                    Caller::User { .. } => Reach::User,
                    _ => Reach::Limited,
                })
            }
            (Self::User { arn, id: None }, Caller::User { arn: own, .. }) => doubt(arn == own),
            (
                Self::Role { id: Some(id), .. } | Self::Unique(id),
                Caller::RoleSession { role_id, .. },
            ) => yes(id == role_id, Reach::Limited),
            (Self::Role { arn, id: None }, Caller::RoleSession { role_arn, .. }) => {
                doubt(arn == role_arn)
            }
            (
                Self::RoleSession { session_name, role_id: Some(id), .. },
                Caller::RoleSession { role_id, session_name: own, .. },
            ) => yes(id == role_id && session_name == own, Reach::Session),
            (
                Self::RoleSession { arn, role_id: None, .. },
                Caller::RoleSession { session_arn, .. },
            ) => doubt(arn == session_arn),
            (Self::FederatedUser { arn }, Caller::FederatedUser { arn: own, .. }) => {
                yes(arn == own, Reach::Session)
            }
            (
                Self::Federated(name),
                Caller::WebIdentity { provider } | Caller::Saml { provider },
            ) => yes(name == provider, Reach::Session),
            (Self::Service(name), Caller::Service { name: own }) => {
                yes(name == own, Reach::Session)
            }
            _ => Naming::No,
        }
    }

    /// Whether the ID is that of the user, or of the user who made the federated session.
    fn is_user(id: &UniqueId, caller: &Caller) -> bool {
        match caller {
            Caller::User { id: own, .. }
            | Caller::FederatedUser { maker: FederationMaker::User(own), .. } => id == own,
            _ => false,
        }
    }

    /// Whether it names the caller's role, not one of its sessions.
    fn names_role(&self, caller: &Caller) -> bool {
        matches!(self, Self::Role { .. } | Self::Unique(_))
            && matches!(self.names(caller), Naming::Yes(_))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (arn, id) = match self {
            Self::Anyone => return f.write_str("*"),
            Self::Account(account) => return account.fmt(f),
            Self::Unique(id) => return id.fmt(f),
            Self::FederatedUser { arn: name } | Self::Federated(name) | Self::Service(name) => {
                return f.write_str(name);
            }
            Self::User { arn, id } | Self::Role { arn, id } => (arn, id),
            Self::RoleSession { arn, role_id, .. } => (arn, role_id),
        };
        match id {
            Some(id) => write!(f, "{arn} ({id})"),
            None => write!(f, "{arn} (bound to no ID)"),
        }
    }
}

impl Clause<Principal> {
    /// Whether the statement is about the caller, and if it is by naming, how.
    pub(crate) fn covers(&self, caller: &Caller, has_boundary: bool) -> (Truth, Reach) {
        if self.negated {
            return (Truth::from(!self.exempts(caller, has_boundary)), Reach::Account);
        }
        let mut best: Option<Reach> = None;
        let mut doubtful = false;
        for naming in self.entries.iter().map(|principal| principal.names(caller)) {
            match naming {
                Naming::No => {}
                Naming::Doubtful => doubtful = true,
                Naming::Yes(reach) => best = best.max(Some(reach)),
            }
        }
        match best {
            Some(reach) => (Truth::True, reach),
            None if doubtful => (Truth::Unknown, Reach::Account),
            None => (Truth::False, Reach::Account),
        }
    }

    /// Whether `NotPrincipal` spares the caller.
    ///
    /// AWS checks the account first, then the user or the role, then the session: each must be
    /// listed. A caller with a permissions boundary is never spared.
    fn exempts(&self, caller: &Caller, has_boundary: bool) -> bool {
        if has_boundary {
            return false;
        }
        let lists = |test: &dyn Fn(&Principal) -> bool| self.entries.iter().any(test);
        let account = lists(
            &|entry| matches!(entry, Principal::Account(account) if caller.account() == Some(*account)),
        );
        let reaches = |wanted: Reach| lists(&|entry| entry.names(caller) == Naming::Yes(wanted));
        match caller {
            Caller::Root { .. } => account,
            Caller::User { .. } => account && reaches(Reach::User),
            Caller::RoleSession { .. } => {
                account && lists(&|entry| entry.names_role(caller)) && reaches(Reach::Session)
            }
            Caller::FederatedUser { .. } => account && reaches(Reach::Session),
            Caller::WebIdentity { .. } | Caller::Saml { .. } | Caller::Service { .. } => {
                reaches(Reach::Session)
            }
            Caller::Anonymous => false,
        }
    }
}

fn yes(named: bool, reach: Reach) -> Naming {
    if named { Naming::Yes(reach) } else { Naming::No }
}

fn doubt(named: bool) -> Naming {
    if named { Naming::Doubtful } else { Naming::No }
}
