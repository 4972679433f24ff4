//! Coming into the organization, and out of it.

use crate::directory::entities::Revoked;
use crate::directory::organization::{AccountState, Joined, Member, Parent};
use crate::directory::{Entity, EntityKey, Transaction};
use crate::id::AccountId;
use crate::time::Timestamp;

/// Puts a new account of the deployment into the root of the organization, if there is one.
pub fn join(
    tx: &mut Transaction,
    account: AccountId,
    joined: Joined,
    email: Option<String>,
    now: Timestamp,
) {
    let Some(organization) = tx.state().organized().organization() else { return };
    let attached = organization.initial_policies();
    tx.put(Entity::Member(Member {
        account,
        parent: Parent::Root,
        email,
        joined,
        joined_at: now,
        attached,
        tags: Vec::new(),
        delegated: std::collections::BTreeMap::new(),
        root_access_ended: None,
    }));
}

/// Lets an account go. Sessions from before, made within the organization's limits, end.
pub(super) fn leave(tx: &mut Transaction, account: AccountId, now: Timestamp) {
    let revoked = Revoked { version: tx.version(), at: now };
    let before = tx.state().organized().state_of(account).copied();
    let closed_at = before.and_then(|state| state.closed_at);
    tx.put(Entity::AccountState(AccountState { account, closed_at, left: Some(revoked) }));
    tx.delete(EntityKey::Member(account));
}
