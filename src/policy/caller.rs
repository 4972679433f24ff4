//! Who makes a request.

use std::fmt;

use crate::arn;
use crate::id::{AccountId, UniqueId};

/// Who made a federated-user session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FederationMaker {
    /// The account's root user.
    Root,
    /// The user with this unique ID.
    User(UniqueId),
}

/// The verified caller of a request.
///
/// Source: IAM User Guide, "AWS JSON policy elements: Principal".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The root user of an account.
    Root {
        /// The account.
        account: AccountId,
    },
    /// A user, by a long-term key or a session of GetSessionToken.
    User {
        /// The user's account.
        account: AccountId,
        /// `AIDA…`
        id: UniqueId,
        /// `arn:aws:iam::<account>:user/…`
        arn: String,
    },
    /// A session of a role.
    RoleSession {
        /// The role's account.
        account: AccountId,
        /// `AROA…`
        role_id: UniqueId,
        /// `arn:aws:iam::<account>:role/…`
        role_arn: String,
        /// The role session name.
        session_name: String,
        /// `arn:aws:sts::<account>:assumed-role/<role name>/<session name>`
        session_arn: String,
    },
    /// A session of GetFederationToken.
    FederatedUser {
        /// The maker's account.
        account: AccountId,
        /// Who made the session.
        maker: FederationMaker,
        /// The name that the maker gave.
        name: String,
        /// `arn:aws:sts::<account>:federated-user/<name>`
        arn: String,
    },
    /// Somebody with a verified OIDC token, before they have a role.
    WebIdentity {
        /// The provider's ARN, or the bare host of a built-in one: as trust policies name it.
        provider: String,
    },
    /// Somebody with a verified SAML assertion, before they have a role.
    Saml {
        /// The provider's ARN.
        provider: String,
    },
    /// A service, acting for itself.
    Service {
        /// The service principal's name: `ec2.amazonaws.com`.
        name: String,
    },
    /// Nobody: an unsigned request.
    Anonymous,
}

impl Caller {
    /// The account that the caller belongs to; `None` for those outside every account.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Root { account }
            | Self::User { account, .. }
            | Self::RoleSession { account, .. }
            | Self::FederatedUser { account, .. } => Some(*account),
            Self::WebIdentity { .. }
            | Self::Saml { .. }
            | Self::Service { .. }
            | Self::Anonymous => None,
        }
    }
}

impl fmt::Display for Caller {
    /// What names the caller: an ARN with the unique ID, a provider, a service, or `anonymous`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { account } => f.write_str(&arn::account_root(*account)),
            Self::User { id, arn, .. } => write!(f, "{arn} ({id})"),
            Self::RoleSession { role_id, session_arn, .. } => {
                write!(f, "{session_arn} ({role_id})")
            }
            Self::FederatedUser { arn, .. } => f.write_str(arn),
            Self::WebIdentity { provider } | Self::Saml { provider } => f.write_str(provider),
            Self::Service { name } => f.write_str(name),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}
