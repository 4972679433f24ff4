//! Whose sessions are asked for, and which of them.

use crate::api::ListSessions;
use crate::arn;
use crate::directory::Snapshot;
use crate::id::{AccountId, UniqueId};
use crate::ops::fault::{self, Fault};
use crate::ops::manage::Asker;
use crate::ops::params::{self, rules};
use crate::seal::Claims;

/// What a session must be besides its principal's.
pub(super) struct Filter<'a> {
    pub(super) session_name: Option<&'a str>,
    pub(super) source_identity: Option<&'a str>,
}

impl Filter<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.session_name.is_none() && self.source_identity.is_none()
    }

    pub(super) fn takes(&self, claims: &Claims) -> bool {
        self.session_name.is_none_or(|name| name == claims.session_name)
            && self.source_identity.is_none_or(|id| Some(id) == claims.source_identity.as_deref())
    }
}

/// Whose sessions are asked for.
pub(super) struct Scope<'a> {
    /// `None` for every account: the host's operator may ask so.
    pub(super) account: Option<AccountId>,
    /// The ARN of one role, user or root user; all of the account's, if `None`.
    principal: Option<&'a str>,
    pub(super) filter: Filter<'a>,
}

impl<'a> Scope<'a> {
    pub(super) fn parse(asker: &Asker<'_>, request: &'a ListSessions) -> Result<Self, Fault> {
        let given = request.account.as_deref().map(AccountId::parse).transpose();
        let given = given.map_err(|error| Fault::validation(format!("account: {error}.")))?;
        let mut session_name = None;
        let found = match (request.role.as_deref(), request.principal.as_deref()) {
            (Some(_), Some(_)) => {
                return Err(Fault::validation("role and principal: name one of them."));
            }
            (Some(arn), None) => {
                let role = arn::parse_role(arn)
                    .ok_or_else(|| Fault::validation("role: the ARN of a role is expected."))?;
                Some((role.0, arn))
            }
            (None, Some(arn)) => {
                let role_or_user = arn::parse_role(arn).or_else(|| arn::parse_user(arn));
                let root = arn::parse_account_root(arn);
                let known = role_or_user.map(|(account, _, _)| account).or(root);
                let session = || arn::parse_assumed_role(arn);
                Some(match (known, session()) {
                    (Some(account), _) => (account, arn),
                    (None, Some((account, _, name))) => {
                        session_name = Some(name);
                        (account, arn)
                    }
                    (None, None) => {
                        return Err(Fault::validation(
                            "principal: the ARN of a role, a user, a root user or a role session is \
                             expected.",
                        ));
                    }
                })
            }
            (None, None) => None,
        };
        let account = match (given, found, asker) {
            (Some(given), Some((account, _)), _) if given != account => {
                return Err(Fault::validation("account: it is not the ARN's."));
            }
            (_, Some((account, _)), _) | (Some(account), None, _) => Some(account),
            (None, None, Asker::Signed(context)) => Some(context.identity()?.account()),
            (None, None, Asker::HostOperator(_)) => None,
        };
        let source_identity = request.source_identity.as_deref();
        if let Some(text) = source_identity {
            params::check("source_identity", text, &rules::SESSION_NAME)?;
        }
        let principal = found.map(|(_, arn)| arn);
        Ok(Self { account, principal, filter: Filter { session_name, source_identity } })
    }

    /// What policies name it by.
    pub(super) fn resource(&self) -> String {
        let account = self.account.map_or_else(String::new, |account| account.to_string());
        let sessions = || format!("arn:aws:countersign::{account}:session/*");
        self.principal.map_or_else(sessions, ToOwned::to_owned)
    }

    /// The roles, users and root users, in the order they are asked about.
    pub(super) fn principals(&self, snapshot: &Snapshot) -> Result<Vec<UniqueId>, Fault> {
        let Some(arn) = self.principal else {
            let all = snapshot.accounts().map(|account| account.id);
            let accounts = all.filter(|id| self.account.is_none_or(|account| account == *id));
            let mut ids: Vec<UniqueId> = accounts
                .flat_map(|account| {
                    let roles = snapshot.roles_of(account).map(|role| role.id);
                    let users = snapshot.users_of(account).map(|user| user.id);
                    roles.chain(users).chain(std::iter::once(UniqueId::of_root(account)))
                })
                .collect();
            ids.sort_unstable();
            return Ok(ids);
        };
        if let Some(account) = arn::parse_account_root(arn) {
            return Ok(vec![UniqueId::of_root(account)]);
        }
        let user = arn::parse_user(arn);
        let kind = if user.is_some() { fault::Entity::User } else { fault::Entity::Role };
        let id = snapshot.principal_id(arn).ok_or_else(|| Fault::no_such_entity(kind, arn))?;
        Ok(vec![id])
    }
}
