//! The directory at one version.

use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet};

use super::entities::{AccessKey, Account, Epoch, Role, SessionRevocation, User};
use super::store::{Change, Contents, Entity, EntityKey, StoreError};
use crate::arn;
use crate::id::{AccessKeyId, AccountId, UniqueId};
use crate::time::Timestamp;

/// An immutable picture of the directory. A copy costs a few pointers: the maps are persistent, and
/// changing one entity copies the path to it.
#[derive(Clone, Default)]
pub struct Snapshot {
    version: u64,
    accounts: OrdMap<AccountId, Arc<Account>>,
    users: HashMap<UniqueId, Arc<User>>,
    user_names: OrdMap<(AccountId, String), UniqueId>,
    roles: HashMap<UniqueId, Arc<Role>>,
    role_names: OrdMap<(AccountId, String), UniqueId>,
    access_keys: HashMap<AccessKeyId, Arc<AccessKey>>,
    keys_of_users: OrdSet<(UniqueId, AccessKeyId)>,
    session_revocations: HashMap<AccessKeyId, Arc<SessionRevocation>>,
    /// Revocations by the end of their use.
    revocation_ends: OrdSet<(Timestamp, AccessKeyId)>,
    epoch: Option<Arc<Epoch>>,
}

/// Names are unique, and found, without regard to case.
fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The IDs that an account's names stand for, in the order of the names.
fn of_account(
    names: &OrdMap<(AccountId, String), UniqueId>,
    account: AccountId,
) -> impl Iterator<Item = &UniqueId> {
    names
        .range((account, String::new())..)
        .take_while(move |((owner, _), _)| *owner == account)
        .map(|(_, id)| id)
}

impl Snapshot {
    pub(super) fn build(contents: Contents) -> Result<Self, StoreError> {
        let mut snapshot = Self { version: contents.version, ..Self::default() };
        for entity in contents.entities {
            let key = entity.key();
            if snapshot.holds(key) {
                return Err(StoreError::Damaged(format!("{key} is there twice")));
            }
            snapshot.put(entity);
        }
        Ok(snapshot)
    }

    pub(super) fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    fn holds(&self, key: EntityKey) -> bool {
        match key {
            EntityKey::Account(id) => self.accounts.contains_key(&id),
            EntityKey::User(id) => self.users.contains_key(&id),
            EntityKey::Role(id) => self.roles.contains_key(&id),
            EntityKey::AccessKey(id) => self.access_keys.contains_key(&id),
            EntityKey::SessionRevocation(id) => self.session_revocations.contains_key(&id),
            EntityKey::Epoch => self.epoch.is_some(),
        }
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Put(entity) => {
                self.delete(entity.key());
                self.put(entity.as_ref().clone());
            }
            Change::Delete(key) => self.delete(*key),
        }
    }

    fn put(&mut self, entity: Entity) {
        match entity {
            Entity::Account(account) => {
                self.accounts.insert(account.id, Arc::new(account));
            }
            Entity::User(user) => {
                self.user_names.insert((user.account, fold(&user.name)), user.id);
                self.users.insert(user.id, Arc::new(user));
            }
            Entity::Role(role) => {
                self.role_names.insert((role.account, fold(&role.name)), role.id);
                self.roles.insert(role.id, Arc::new(role));
            }
            Entity::AccessKey(key) => {
                self.keys_of_users.insert((key.user, key.id));
                self.access_keys.insert(key.id, Arc::new(key));
            }
            Entity::SessionRevocation(it) => {
                self.revocation_ends.insert((it.until, it.access_key_id));
                self.session_revocations.insert(it.access_key_id, Arc::new(it));
            }
            Entity::Epoch(epoch) => self.epoch = Some(Arc::new(epoch)),
        }
    }

    fn delete(&mut self, key: EntityKey) {
        match key {
            EntityKey::Account(id) => {
                self.accounts.remove(&id);
            }
            EntityKey::User(id) => {
                if let Some(user) = self.users.remove(&id) {
                    self.user_names.remove(&(user.account, fold(&user.name)));
                }
            }
            EntityKey::Role(id) => {
                if let Some(role) = self.roles.remove(&id) {
                    self.role_names.remove(&(role.account, fold(&role.name)));
                }
            }
            EntityKey::AccessKey(id) => {
                if let Some(key) = self.access_keys.remove(&id) {
                    self.keys_of_users.remove(&(key.user, id));
                }
            }
            EntityKey::SessionRevocation(id) => {
                if let Some(it) = self.session_revocations.remove(&id) {
                    self.revocation_ends.remove(&(it.until, id));
                }
            }
            EntityKey::Epoch => self.epoch = None,
        }
    }

    /// The version of this state.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The number of the epoch: 0 unless a backup was ever restored.
    pub fn epoch(&self) -> u64 {
        self.epoch.as_ref().map_or(0, |epoch| epoch.number)
    }

    /// Everything, in no order.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        let accounts = self.accounts.values().map(|it| Entity::Account(it.as_ref().clone()));
        let users = self.users.values().map(|it| Entity::User(it.as_ref().clone()));
        let roles = self.roles.values().map(|it| Entity::Role(it.as_ref().clone()));
        let keys = self.access_keys.values().map(|it| Entity::AccessKey(it.as_ref().clone()));
        let revocations = (self.session_revocations.values())
            .map(|it| Entity::SessionRevocation(it.as_ref().clone()));
        let epoch = self.epoch.iter().map(|it| Entity::Epoch(it.as_ref().clone()));
        accounts.chain(users).chain(roles).chain(keys).chain(revocations).chain(epoch)
    }

    /// Every long-term access key, in no order.
    pub fn access_keys(&self) -> impl Iterator<Item = &Arc<AccessKey>> {
        self.access_keys.values()
    }

    /// An account by its ID.
    pub fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// Every account, by ID.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// A user by its unique ID.
    pub fn user(&self, id: &UniqueId) -> Option<&Arc<User>> {
        self.users.get(id)
    }

    /// A user by its name, in any case.
    pub fn user_named(&self, account: AccountId, name: &str) -> Option<&Arc<User>> {
        self.user_names.get(&(account, fold(name))).and_then(|id| self.users.get(id))
    }

    /// The users of an account, by name.
    pub fn users_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<User>> {
        of_account(&self.user_names, account).filter_map(|id| self.users.get(id))
    }

    /// A role by its unique ID.
    pub fn role(&self, id: &UniqueId) -> Option<&Arc<Role>> {
        self.roles.get(id)
    }

    /// A role by its name, in any case.
    pub fn role_named(&self, account: AccountId, name: &str) -> Option<&Arc<Role>> {
        self.role_names.get(&(account, fold(name))).and_then(|id| self.roles.get(id))
    }

    /// The unique ID of the user, role or role session (then its role's) that has this ARN now.
    pub fn principal_id(&self, text: &str) -> Option<UniqueId> {
        if let Some((account, _, name)) = arn::parse_user(text) {
            return self.user_named(account, name).filter(|u| u.arn() == text).map(|u| u.id);
        }
        if let Some((account, _, name)) = arn::parse_role(text) {
            return self.role_named(account, name).filter(|r| r.arn() == text).map(|r| r.id);
        }
        let (account, name, _) = arn::parse_assumed_role(text)?;
        self.role_named(account, name).filter(|r| r.name == name).map(|r| r.id)
    }

    /// The roles of an account, by name.
    pub fn roles_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<Role>> {
        of_account(&self.role_names, account).filter_map(|id| self.roles.get(id))
    }

    /// A long-term access key.
    pub fn access_key(&self, id: &AccessKeyId) -> Option<&Arc<AccessKey>> {
        self.access_keys.get(id)
    }

    /// The long-term access keys of a user, by ID.
    pub fn access_keys_of(&self, user: UniqueId) -> impl Iterator<Item = &Arc<AccessKey>> {
        self.keys_of_users
            .range((user, AccessKeyId::lowest())..)
            .take_while(move |(owner, _)| *owner == user)
            .filter_map(|(_, id)| self.access_keys.get(id))
    }

    /// The revocation of a session by its access key ID.
    pub fn session_revocation(&self, id: &AccessKeyId) -> Option<&Arc<SessionRevocation>> {
        self.session_revocations.get(id)
    }

    /// Revocations whose sessions have all expired by `now`, at most `limit`.
    pub fn spent_revocations(&self, now: Timestamp, limit: usize) -> Vec<AccessKeyId> {
        self.revocation_ends
            .iter()
            .take_while(|(until, _)| *until < now)
            .take(limit)
            .map(|(_, id)| *id)
            .collect()
    }
}
