//! The policies of a user, group or role that a simulation goes by.

use std::collections::HashMap;

use super::source::Source;
use crate::directory::entities::Policies;
use crate::directory::{Document, Managed, Snapshot};
use crate::id::AccountId;
use crate::policy::simulate;
use crate::policy::{DocumentKind, Policy};

/// The policies of a principal. Their IDs are unique among them.
#[derive(Default)]
pub(super) struct PrincipalPolicies {
    /// What it has, by itself and by its groups.
    pub(super) identity: Vec<simulate::Source>,
    /// What bounds it.
    pub(super) boundary: Option<simulate::Source>,
    /// The name and the type (`PolicySourceType`) of each, by its ID.
    pub(super) names: HashMap<String, (String, &'static str)>,
}

impl PrincipalPolicies {
    /// Gathers them. INVARIANT: they are those that a decision about the principal goes by, in the
    /// same order; what is attached and cannot be found denies everything.
    pub(super) fn gather(state: &Snapshot, source: &Source) -> Self {
        let mut all = Self::default();
        match source {
            Source::User(user) => {
                all.add(state, user.account, ("user", &user.name), &user.policies);
                for id in &user.groups {
                    if let Some(group) = state.group(id) {
                        all.add(state, group.account, ("group", &group.name), &group.policies);
                    } else {
                        all.identity.push(missing(&id.to_string()));
                    }
                }
                all.bound(state, user.account, &user.policies);
            }
            Source::Group(group) => {
                all.add(state, group.account, ("group", &group.name), &group.policies);
            }
            Source::Role(role) => {
                all.add(state, role.account, ("role", &role.name), &role.policies);
                all.bound(state, role.account, &role.policies);
            }
        }
        all
    }

    fn add(
        &mut self,
        state: &Snapshot,
        account: AccountId,
        (kind, holder): (&'static str, &str),
        policies: &Policies,
    ) {
        for (name, document) in &policies.inline {
            let id = format!("{kind}/{holder}/{name}");
            self.identity.push(of(&id, document));
            self.names.insert(id, (name.clone(), kind));
        }
        for arn in &policies.attached {
            // A group may give what the user has already.
            if !self.names.contains_key(arn) {
                let source = self.managed(state, account, arn);
                self.identity.push(source);
            }
        }
    }

    fn bound(&mut self, state: &Snapshot, account: AccountId, policies: &Policies) {
        self.boundary = policies.boundary.as_ref().map(|arn| self.managed(state, account, arn));
    }

    fn managed(&mut self, state: &Snapshot, account: AccountId, arn: &str) -> simulate::Source {
        let Some(policy) = state.managed_policy(account, arn) else { return missing(arn) };
        let kind =
            if matches!(policy, Managed::BuiltIn(_)) { "aws-managed" } else { "user-managed" };
        self.names.insert(arn.to_owned(), (policy.name().to_owned(), kind));
        policy.document().map_or_else(|| missing(arn), |document| of(arn, document))
    }

    /// Keeps only those policies, of an ID and a type, that `keeps` says. The boundary stays.
    pub(super) fn retain(&mut self, keeps: impl Fn(&str, &str) -> bool) {
        let names = &self.names;
        self.identity.retain(|source| {
            // What cannot be found has no type: it stays, and denies everything.
            names.get(source.id()).is_none_or(|(_, kind)| keeps(source.id(), kind))
        });
    }

    /// Every policy, the boundary too.
    pub(super) fn all(&self) -> impl Iterator<Item = &Policy> {
        self.identity.iter().chain(&self.boundary).map(simulate::Source::policy)
    }
}

fn of(id: &str, document: &Document) -> simulate::Source {
    simulate::Source::of(id, document.text(), Policy::clone(document.policy()))
}

fn missing(id: &str) -> simulate::Source {
    simulate::Source::of(id, "", Policy::deny_everything(DocumentKind::Identity))
}
