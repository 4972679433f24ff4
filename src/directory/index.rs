//! Entities of one kind, found by their ID and by their name in an account.

use std::hash::Hash;
use std::sync::Arc;

use imbl::{HashMap, OrdMap};

use super::entities::{Role, User};
use super::groups::{Group, InstanceProfile};
use super::mfa::MfaDevice;
use super::policies::ManagedPolicy;
use super::providers::{OidcProvider, SamlProvider};
use crate::id::{AccountId, DeviceId, ProviderId, UniqueId};

/// An entity with a name in an account.
pub(super) trait Kept {
    /// Its ID.
    type Id: Copy + Eq + Hash;

    /// Its ID.
    fn id(&self) -> Self::Id;
    /// The account it belongs to.
    fn account(&self) -> AccountId;
    /// Its name as it is compared.
    fn folded(&self) -> String;
}

/// Names are unique, and found, without regard to case.
pub(super) fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// An account and a name as it is compared.
type Name = (AccountId, String);

/// A copy costs a few pointers.
///
/// INVARIANT: what is in `named` is in `ordered`, and the other way round: `insert` and `remove`
/// alone change them.
#[derive(Clone)]
pub(super) struct Index<T: Kept> {
    by_id: HashMap<T::Id, Arc<T>>,
    /// For finding one: a tree of names would compare a dozen of them, all over the memory.
    named: HashMap<Name, Arc<T>>,
    /// For going through them.
    ordered: OrdMap<Name, Arc<T>>,
}

impl<T: Kept> Default for Index<T> {
    fn default() -> Self {
        Self { by_id: HashMap::default(), named: HashMap::default(), ordered: OrdMap::default() }
    }
}

impl<T: Kept> Index<T> {
    pub(super) fn get(&self, id: &T::Id) -> Option<&Arc<T>> {
        self.by_id.get(id)
    }

    /// By the name as it is compared.
    pub(super) fn named(&self, account: AccountId, folded: String) -> Option<&Arc<T>> {
        self.named.get(&(account, folded))
    }

    /// Those of an account, in the order of their names.
    pub(super) fn of(&self, account: AccountId) -> impl Iterator<Item = &Arc<T>> {
        self.ordered
            .range((account, String::new())..)
            .take_while(move |((owner, _), _)| *owner == account)
            .map(|(_, entity)| entity)
    }

    /// Those of an account whose names begin so, in the order of their names.
    pub(super) fn beginning(
        &self,
        account: AccountId,
        with: String,
    ) -> impl Iterator<Item = &Arc<T>> {
        self.ordered
            .range((account, with.clone())..)
            .take_while(move |((owner, name), _)| *owner == account && name.starts_with(&with))
            .map(|(_, entity)| entity)
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_id.values()
    }

    pub(super) fn insert(&mut self, entity: T) {
        let name = name(&entity);
        let entity = Arc::new(entity);
        self.named.insert(name.clone(), Arc::clone(&entity));
        self.ordered.insert(name, Arc::clone(&entity));
        self.by_id.insert(entity.id(), entity);
    }

    pub(super) fn remove(&mut self, id: &T::Id) -> Option<Arc<T>> {
        let entity = self.by_id.remove(id)?;
        let name = name(&*entity);
        // Within one write another may have taken the name already.
        if self.named.get(&name).is_some_and(|named| named.id() == *id) {
            self.named.remove(&name);
            self.ordered.remove(&name);
        }
        Some(entity)
    }
}

fn name<T: Kept>(entity: &T) -> Name {
    (entity.account(), entity.folded())
}

macro_rules! kept {
    ($($entity:ident by $id:ident: $name:ident, $fold:expr;)*) => {$(
        impl Kept for $entity {
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }

            fn account(&self) -> AccountId {
                self.account
            }

            fn folded(&self) -> String {
                $fold(&self.$name)
            }
        }
    )*};
}

kept! {
    User by UniqueId: name, fold;
    Role by UniqueId: name, fold;
    Group by UniqueId: name, fold;
    ManagedPolicy by UniqueId: name, fold;
    InstanceProfile by UniqueId: name, fold;
    SamlProvider by ProviderId: name, fold;
    MfaDevice by DeviceId: name, fold;
    // The case of a URL's path counts; its host is in lower case already.
    OidcProvider by ProviderId: url, String::clone;
}
