//! Whether a credential is in force: the directory's say, at this moment.
//!
//! INVARIANT (revocation is complete): a session names every credential it came from. Revoking,
//! disabling or deleting any of them refuses it, and whatever came from it. Versions decide, not
//! clocks: what was issued at an older version of the directory than the revocation's is refused.

use std::sync::Arc;

use crate::directory::organization::RootTask;
use crate::directory::{Account, KeyStatus, Role, Snapshot, User};
use crate::id::{AccessKeyId, AccessKeyKind, AccountId, ProviderId, UniqueId, UniqueKind};
use crate::seal::{Claims, Link, PrincipalKind};

/// Why a credential is not in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// This session, or one that it came from, was revoked.
    #[error("the session of {0} was revoked")]
    SessionRevoked(AccessKeyId),
    /// The principal's sessions of that time were revoked.
    #[error("the sessions of {0} were revoked")]
    PrincipalRevoked(UniqueId),
    /// The principal does not exist any more.
    #[error("{0} does not exist any more")]
    PrincipalGone(UniqueId),
    /// Its account does not exist any more.
    #[error("the account of {0} does not exist any more")]
    AccountGone(UniqueId),
    /// Its account was closed.
    #[error("the account of {0} was closed")]
    AccountClosed(UniqueId),
    /// Its account left the organization since.
    #[error("the session is from before the account of {0} left its organization")]
    AccountLeft(UniqueId),
    /// The long-term key is inactive.
    #[error("the key {0} is inactive")]
    KeyInactive(AccessKeyId),
    /// The long-term key's sessions of that time were revoked.
    #[error("the sessions of the key {0} were revoked")]
    KeyRevoked(AccessKeyId),
    /// A backup of the directory was restored since.
    #[error("the session of {0} is from before a backup was restored")]
    OtherEpoch(AccessKeyId),
    /// The long-term key does not exist any more.
    #[error("the key {0} does not exist any more")]
    KeyGone(AccessKeyId),
    /// The sessions of that time that began with the identity provider were revoked.
    #[error("the sessions that began with the identity provider {0} were revoked")]
    ProviderRevoked(ProviderId),
    /// The identity provider does not exist any more.
    #[error("the identity provider {0} does not exist any more")]
    ProviderGone(ProviderId),
    /// Whoever made the session of a root user may not have it any more.
    #[error("the organization gives no access to the root user {0} any more")]
    RootAccessEnded(UniqueId),
}

/// A principal as the directory has it now.
pub(super) enum Entity<'a> {
    User(&'a Arc<User>),
    Role(&'a Arc<Role>),
    Root(&'a Arc<Account>),
}

/// The principal of a unique ID, if it and its account still exist, and the account is open.
pub(super) fn principal<'a>(snapshot: &'a Snapshot, id: &UniqueId) -> Result<Entity<'a>, Refusal> {
    let entity = match id.kind() {
        UniqueKind::User => snapshot.user(id).map(Entity::User),
        UniqueKind::Role => snapshot.role(id).map(Entity::Role),
        UniqueKind::Root => {
            id.root_account().and_then(|account| snapshot.account(account)).map(Entity::Root)
        }
        UniqueKind::Group | UniqueKind::Policy | UniqueKind::InstanceProfile => None,
    }
    .ok_or(Refusal::PrincipalGone(*id))?;
    let account = account_of(&entity);
    snapshot.account(account).ok_or(Refusal::AccountGone(*id))?;
    if snapshot.organized().is_closed(account) {
        return Err(Refusal::AccountClosed(*id));
    }
    Ok(entity)
}

fn account_of(entity: &Entity<'_>) -> AccountId {
    match entity {
        Entity::User(user) => user.account,
        Entity::Role(role) => role.account,
        Entity::Root(account) => account.id,
    }
}

/// The user, or root user, of a long-term key that signs now.
pub(super) fn long_term<'a>(
    snapshot: &'a Snapshot,
    id: &AccessKeyId,
) -> Result<Entity<'a>, Refusal> {
    let key = snapshot.access_key(id).ok_or(Refusal::KeyGone(*id))?;
    if key.status != KeyStatus::Active {
        return Err(Refusal::KeyInactive(*id));
    }
    match principal(snapshot, &key.user)? {
        owner @ (Entity::User(_) | Entity::Root(_)) => Ok(owner),
        Entity::Role(_) => Err(Refusal::PrincipalGone(key.user)),
    }
}

/// Checks what a session's claims say of where it came from, but for its own credential and its
/// principal: that it was made in the directory's present epoch, every ancestor, the identity
/// provider that its chain began with, and the root access that it was made by.
pub fn origin(snapshot: &Snapshot, id: &AccessKeyId, claims: &Claims) -> Result<(), Refusal> {
    epoch(snapshot, id, claims.epoch)?;
    for ancestor in &claims.ancestors {
        link(snapshot, ancestor)?;
    }
    if claims.principal.kind == PrincipalKind::RootTask {
        root_access(snapshot, claims)?;
    }
    let Some(federated) = &claims.federated else { return Ok(()) };
    let oidc = snapshot.oidc_provider_by_id(&federated.provider).map(|it| it.revoked);
    let saml = || snapshot.saml_provider_by_id(&federated.provider).map(|it| it.revoked);
    // A disabled anchor counts as gone: what it vouched for before has no more to say.
    let anchor = || {
        let found = snapshot.trust_anchor(&federated.provider).filter(|it| it.enabled);
        found.map(|it| it.revoked)
    };
    let found = oidc.or_else(saml).or_else(anchor);
    let revoked = found.ok_or(Refusal::ProviderGone(federated.provider))?;
    if revoked.is_some_and(|revoked| revoked.refuses(federated.version)) {
        return Err(Refusal::ProviderRevoked(federated.provider));
    }
    Ok(())
}

/// Checks that the organization still gives the task to whoever made the session of a root user, and
/// has given it ever since.
fn root_access(snapshot: &Snapshot, claims: &Claims) -> Result<(), Refusal> {
    let ended = Refusal::RootAccessEnded(claims.principal.id);
    let maker = claims.ancestors.last().ok_or(ended)?;
    let task = claims.task_policy().and_then(RootTask::of_policy).ok_or(ended)?;
    let by = account_of(&principal(snapshot, &maker.principal_id)?);
    let organized = snapshot.organized();
    organized.check_root_access(by, claims.principal.account, task).map_err(|_| ended)?;
    match organized.root_access_ended(by, task) {
        Some(it) if it.refuses(claims.version) => Err(ended),
        _ => Ok(()),
    }
}

/// Checks that the session `id` was made in the directory's present epoch.
fn epoch(snapshot: &Snapshot, id: &AccessKeyId, of: Option<u64>) -> Result<(), Refusal> {
    if of.unwrap_or_default() == snapshot.epoch() { Ok(()) } else { Err(Refusal::OtherEpoch(*id)) }
}

/// Checks one credential of a chain: a session, or the long-term key that the chain began with.
pub fn link(snapshot: &Snapshot, link: &Link) -> Result<(), Refusal> {
    credential(snapshot, &link.access_key_id, &link.principal_id, link.version)
}

/// Checks the credential `id` of the principal `owner`, issued (or, a long-term key, used) at
/// directory version `issued`.
pub(super) fn credential(
    snapshot: &Snapshot,
    id: &AccessKeyId,
    owner: &UniqueId,
    issued: u64,
) -> Result<(), Refusal> {
    match id.kind() {
        AccessKeyKind::LongTerm => {
            long_term(snapshot, id)?;
            let key = snapshot.access_key(id).ok_or(Refusal::KeyGone(*id))?;
            if key.user != *owner {
                return Err(Refusal::KeyGone(*id));
            }
            if key.revoked.is_some_and(|revoked| revoked.refuses(issued)) {
                return Err(Refusal::KeyRevoked(*id));
            }
        }
        AccessKeyKind::Session => {
            if let Some(it) = snapshot.session_revocation(id)
                && it.revoked.refuses(issued)
            {
                return Err(Refusal::SessionRevoked(*id));
            }
        }
    }
    let (revoked, account) = match principal(snapshot, owner)? {
        Entity::User(user) => (user.revoked, user.account),
        Entity::Role(role) => (role.revoked, role.account),
        // It is always there. Its sessions come from its keys, and from who assumes it for a task.
        Entity::Root(account) => (account.root_revoked, account.id),
    };
    if revoked.is_some_and(|revoked| revoked.refuses(issued)) {
        return Err(Refusal::PrincipalRevoked(*owner));
    }
    let left = snapshot.organized().state_of(account).and_then(|state| state.left);
    if left.is_some_and(|left| left.refuses(issued)) {
        return Err(Refusal::AccountLeft(*owner));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Refusal, epoch};
    use crate::directory::Snapshot;
    use crate::id::{AccessKeyId, AccessKeyKind, AccountId};
    use crate::random::SystemRandom;

    /// A directory that was never restored is in its first epoch, which sessions do not write down.
    #[test]
    fn a_session_of_another_epoch_is_refused() {
        let account = AccountId::parse("123456789012").unwrap();
        let random = SystemRandom::new();
        let id = AccessKeyId::generate(AccessKeyKind::Session, account, &random).unwrap();
        let snapshot = Snapshot::default();
        assert_eq!(epoch(&snapshot, &id, None), Ok(()));
        assert_eq!(epoch(&snapshot, &id, Some(snapshot.epoch())), Ok(()));
        let other = snapshot.epoch() + 1;
        assert_eq!(epoch(&snapshot, &id, Some(other)), Err(Refusal::OtherEpoch(id)));
    }
}
