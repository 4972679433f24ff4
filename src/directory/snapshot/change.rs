//! How a snapshot comes to be: from what is stored, and by one change after another.

use std::sync::Arc;

use super::{Holders, Snapshot};
use crate::directory::entities::Policies;
use crate::directory::store::{Change, Contents, Entity, EntityKey, StoreError};
use crate::id::{AccountId, UniqueId};

impl Snapshot {
    pub(in crate::directory) fn build(contents: Contents) -> Result<Self, StoreError> {
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

    pub(in crate::directory) fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    fn holds(&self, key: EntityKey) -> bool {
        match key {
            EntityKey::Account(id) => self.accounts.contains_key(&id),
            EntityKey::User(id) => self.users.get(&id).is_some(),
            EntityKey::Role(id) => self.roles.get(&id).is_some(),
            EntityKey::Group(id) => self.groups.get(&id).is_some(),
            EntityKey::Policy(id) => self.policies.get(&id).is_some(),
            EntityKey::InstanceProfile(id) => self.instance_profiles.get(&id).is_some(),
            EntityKey::OidcProvider(id) => self.oidc_providers.get(&id).is_some(),
            EntityKey::SamlProvider(id) => self.saml_providers.get(&id).is_some(),
            EntityKey::MfaDevice(id) => self.mfa_devices.get(&id).is_some(),
            EntityKey::PodAssociation(id) => self.pod_associations.get(&id).is_some(),
            EntityKey::TrustAnchor(id) => self.trust_anchors.get(&id).is_some(),
            EntityKey::AnywhereProfile(id) => self.anywhere_profiles.get(&id).is_some(),
            EntityKey::Crl(id) => self.crls.get(&id).is_some(),
            EntityKey::Subject(id) => self.subjects.get(&id).is_some(),
            EntityKey::AccessKey(id) => self.access_keys.contains_key(&id),
            EntityKey::SessionRevocation(id) => self.session_revocations.contains_key(&id),
            EntityKey::Epoch => self.epoch.is_some(),
            key @ (EntityKey::Organization
            | EntityKey::Unit(_)
            | EntityKey::Member(_)
            | EntityKey::ControlPolicy(_)
            | EntityKey::Creation(_)
            | EntityKey::AccountState(_)
            | EntityKey::Handshake(_)) => self.organized.holds(key),
        }
    }

    pub(in crate::directory) fn apply(&mut self, change: &Change) {
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
                self.link(user.account, user.id, &user.policies);
                for group in &user.groups {
                    self.members.insert((*group, user.id));
                }
                self.users.insert(user);
            }
            Entity::Role(role) => {
                self.link(role.account, role.id, &role.policies);
                self.roles.insert(role);
            }
            Entity::Group(group) => {
                self.link(group.account, group.id, &group.policies);
                self.groups.insert(group);
            }
            Entity::Policy(policy) => self.policies.insert(policy),
            Entity::InstanceProfile(profile) => {
                self.profiles_of_roles.extend(profile.role.map(|role| (role, profile.id)));
                self.instance_profiles.insert(profile);
            }
            Entity::OidcProvider(provider) => self.oidc_providers.insert(provider),
            Entity::SamlProvider(provider) => {
                self.metadata.put(provider.id);
                self.saml_providers.insert(provider);
            }
            Entity::MfaDevice(device) => {
                self.devices_of_users.extend(device.user.map(|user| (user, device.id)));
                self.mfa_devices.insert(device);
            }
            Entity::PodAssociation(it) => self.pod_associations.insert(it),
            Entity::TrustAnchor(it) => {
                self.bundles.put(it.id);
                self.trust_anchors.insert(it);
            }
            Entity::AnywhereProfile(it) => self.anywhere_profiles.insert(it),
            Entity::Crl(it) => self.crls.insert(it),
            Entity::Subject(it) => self.subjects.insert(it),
            Entity::AccessKey(key) => {
                self.keys_of_users.insert((key.user, key.id));
                self.access_keys.insert(key.id, Arc::new(key));
            }
            Entity::SessionRevocation(it) => {
                self.revocation_ends.insert((it.until, it.access_key_id));
                self.session_revocations.insert(it.access_key_id, Arc::new(it));
            }
            Entity::Epoch(epoch) => self.epoch = Some(Arc::new(epoch)),
            it @ (Entity::Organization(_)
            | Entity::Unit(_)
            | Entity::Member(_)
            | Entity::ControlPolicy(_)
            | Entity::Creation(_)
            | Entity::AccountState(_)
            | Entity::Handshake(_)) => self.organized.put(it),
        }
    }

    fn delete(&mut self, key: EntityKey) {
        match key {
            EntityKey::Account(id) => {
                self.accounts.remove(&id);
            }
            EntityKey::User(id) => {
                if let Some(user) = self.users.remove(&id) {
                    self.unlink(user.account, id, &user.policies);
                    for group in &user.groups {
                        self.members.remove(&(*group, id));
                    }
                }
            }
            EntityKey::Role(id) => {
                if let Some(role) = self.roles.remove(&id) {
                    self.unlink(role.account, id, &role.policies);
                }
            }
            EntityKey::Group(id) => {
                if let Some(group) = self.groups.remove(&id) {
                    self.unlink(group.account, id, &group.policies);
                }
            }
            EntityKey::Policy(id) => {
                self.policies.remove(&id);
            }
            EntityKey::InstanceProfile(id) => {
                if let Some(role) = self.instance_profiles.remove(&id).and_then(|it| it.role) {
                    self.profiles_of_roles.remove(&(role, id));
                }
            }
            EntityKey::OidcProvider(id) => {
                self.oidc_providers.remove(&id);
            }
            EntityKey::SamlProvider(id) => {
                self.saml_providers.remove(&id);
                self.metadata.remove(&id);
            }
            EntityKey::MfaDevice(id) => {
                if let Some(user) = self.mfa_devices.remove(&id).and_then(|it| it.user) {
                    self.devices_of_users.remove(&(user, id));
                }
            }
            EntityKey::PodAssociation(id) => {
                self.pod_associations.remove(&id);
            }
            EntityKey::TrustAnchor(id) => {
                self.trust_anchors.remove(&id);
                self.bundles.remove(&id);
            }
            EntityKey::AnywhereProfile(id) => {
                self.anywhere_profiles.remove(&id);
            }
            EntityKey::Crl(id) => {
                self.crls.remove(&id);
            }
            EntityKey::Subject(id) => {
                self.subjects.remove(&id);
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
            key @ (EntityKey::Organization
            | EntityKey::Unit(_)
            | EntityKey::Member(_)
            | EntityKey::ControlPolicy(_)
            | EntityKey::Creation(_)
            | EntityKey::AccountState(_)
            | EntityKey::Handshake(_)) => self.organized.delete(key),
        }
    }

    fn link(&mut self, account: AccountId, holder: UniqueId, policies: &Policies) {
        for arn in &policies.attached {
            self.attached.entry((account, arn.clone())).or_default().insert(holder);
        }
        if let Some(arn) = &policies.boundary {
            self.bounded.entry((account, arn.clone())).or_default().insert(holder);
        }
    }

    fn unlink(&mut self, account: AccountId, holder: UniqueId, policies: &Policies) {
        for arn in &policies.attached {
            forget(&mut self.attached, &(account, arn.clone()), &holder);
        }
        if let Some(arn) = &policies.boundary {
            forget(&mut self.bounded, &(account, arn.clone()), &holder);
        }
    }
}

fn forget(holders: &mut Holders, key: &(AccountId, String), holder: &UniqueId) {
    if let Some(ids) = holders.get_mut(key) {
        ids.remove(holder);
        if ids.is_empty() {
            holders.remove(key);
        }
    }
}
