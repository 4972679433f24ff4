//! The organization within a snapshot.

use std::sync::Arc;

use imbl::{HashMap, OrdMap};

use super::{
    AccountState, ControlDocument, ControlPolicy, ControlType, Creation, CreationId, Handshake,
    HandshakeId, MAX_DEPTH, Member, OrgPolicyId, Organization, Parent, PolicyRef, Target, Unit,
    UnitId, full_access,
};
use crate::directory::{Entity, EntityKey};
use crate::id::AccountId;

/// The policies of one level, from the root down to an account, with their names.
pub type Level = Vec<(String, ControlDocument)>;

/// Everything of the organization. A copy costs a few pointers.
#[derive(Clone, Default)]
pub struct Organized {
    organization: Option<Arc<Organization>>,
    units: OrdMap<UnitId, Arc<Unit>>,
    members: OrdMap<AccountId, Arc<Member>>,
    policies: OrdMap<OrgPolicyId, Arc<ControlPolicy>>,
    creations: OrdMap<CreationId, Arc<Creation>>,
    states: HashMap<AccountId, AccountState>,
    handshakes: OrdMap<HandshakeId, Arc<Handshake>>,
}

impl Organized {
    pub(in crate::directory) fn holds(&self, key: EntityKey) -> bool {
        match key {
            EntityKey::Organization => self.organization.is_some(),
            EntityKey::Unit(id) => self.units.contains_key(&id),
            EntityKey::Member(id) => self.members.contains_key(&id),
            EntityKey::ControlPolicy(id) => self.policies.contains_key(&id),
            EntityKey::Creation(id) => self.creations.contains_key(&id),
            EntityKey::AccountState(id) => self.states.contains_key(&id),
            EntityKey::Handshake(id) => self.handshakes.contains_key(&id),
            _ => false,
        }
    }

    pub(in crate::directory) fn put(&mut self, entity: Entity) {
        match entity {
            Entity::Organization(it) => self.organization = Some(Arc::new(it)),
            Entity::Unit(it) => {
                self.units.insert(it.id, Arc::new(it));
            }
            Entity::Member(it) => {
                self.members.insert(it.account, Arc::new(it));
            }
            Entity::ControlPolicy(it) => {
                self.policies.insert(it.id, Arc::new(it));
            }
            Entity::Creation(it) => {
                self.creations.insert(it.id, Arc::new(it));
            }
            Entity::AccountState(it) => {
                self.states.insert(it.account, it);
            }
            Entity::Handshake(it) => {
                self.handshakes.insert(it.id, Arc::new(it));
            }
            _ => {}
        }
    }

    pub(in crate::directory) fn delete(&mut self, key: EntityKey) {
        match key {
            EntityKey::Organization => self.organization = None,
            EntityKey::Unit(id) => {
                self.units.remove(&id);
            }
            EntityKey::Member(id) => {
                self.members.remove(&id);
            }
            EntityKey::ControlPolicy(id) => {
                self.policies.remove(&id);
            }
            EntityKey::Creation(id) => {
                self.creations.remove(&id);
            }
            EntityKey::AccountState(id) => {
                self.states.remove(&id);
            }
            EntityKey::Handshake(id) => {
                self.handshakes.remove(&id);
            }
            _ => {}
        }
    }

    pub(in crate::directory) fn entities(&self) -> impl Iterator<Item = Entity> {
        let organization =
            self.organization.iter().map(|it| Entity::Organization(it.as_ref().clone()));
        let units = self.units.values().map(|it| Entity::Unit(it.as_ref().clone()));
        let members = self.members.values().map(|it| Entity::Member(it.as_ref().clone()));
        let policies = self.policies.values().map(|it| Entity::ControlPolicy(it.as_ref().clone()));
        let creations = self.creations.values().map(|it| Entity::Creation(it.as_ref().clone()));
        let states = self.states.values().map(|it| Entity::AccountState(*it));
        let handshakes = self.handshakes.values().map(|it| Entity::Handshake(it.as_ref().clone()));
        let tree = organization.chain(units).chain(members).chain(policies);
        tree.chain(creations).chain(states).chain(handshakes)
    }

    /// The organization, if there is one.
    pub fn organization(&self) -> Option<&Arc<Organization>> {
        self.organization.as_ref()
    }

    /// The organization that an account is in.
    pub fn organization_of(&self, account: AccountId) -> Option<&Arc<Organization>> {
        self.organization.as_ref().filter(|_| self.members.contains_key(&account))
    }

    /// A unit by its ID.
    pub fn unit(&self, id: &UnitId) -> Option<&Arc<Unit>> {
        self.units.get(id)
    }

    /// Every unit, by ID.
    pub fn units(&self) -> impl Iterator<Item = &Arc<Unit>> {
        self.units.values()
    }

    /// A member by its account.
    pub fn member(&self, account: AccountId) -> Option<&Arc<Member>> {
        self.members.get(&account)
    }

    /// Every member, by account.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// A policy that somebody wrote.
    pub fn policy(&self, id: &OrgPolicyId) -> Option<&Arc<ControlPolicy>> {
        self.policies.get(id)
    }

    /// Every policy that somebody wrote, by ID.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<ControlPolicy>> {
        self.policies.values()
    }

    /// What became of a request for an account.
    pub fn creation(&self, id: &CreationId) -> Option<&Arc<Creation>> {
        self.creations.get(id)
    }

    /// What became of every request for an account, by ID.
    pub fn creations(&self) -> impl Iterator<Item = &Arc<Creation>> {
        self.creations.values()
    }

    /// What holds of an account besides its name.
    pub fn state_of(&self, account: AccountId) -> Option<&AccountState> {
        self.states.get(&account)
    }

    /// Every such state, in no order.
    pub fn states(&self) -> impl Iterator<Item = &AccountState> {
        self.states.values()
    }

    /// A handshake.
    pub fn handshake(&self, id: &HandshakeId) -> Option<&Arc<Handshake>> {
        self.handshakes.get(id)
    }

    /// Every handshake, by ID.
    pub fn handshakes(&self) -> impl Iterator<Item = &Arc<Handshake>> {
        self.handshakes.values()
    }

    /// Whether an account was closed.
    pub fn is_closed(&self, account: AccountId) -> bool {
        self.state_of(account).is_some_and(|state| state.closed_at.is_some())
    }

    /// The type of a policy.
    pub fn control_of(&self, policy: &PolicyRef) -> Option<ControlType> {
        match policy {
            PolicyRef::FullAccess => Some(ControlType::ServiceControlPolicy),
            PolicyRef::ResourceFullAccess => Some(ControlType::ResourceControlPolicy),
            PolicyRef::Own(id) => self.policy(id).map(|policy| policy.control),
        }
    }

    /// The policies attached to a target; `None` if it is not there.
    pub fn attached(&self, target: &Target) -> Option<&std::collections::BTreeSet<PolicyRef>> {
        match target {
            Target::Root(id) => {
                self.organization.as_ref().filter(|it| it.root == *id).map(|it| &it.attached)
            }
            Target::Unit(id) => self.unit(id).map(|it| &it.attached),
            Target::Account(id) => self.member(*id).map(|it| &it.attached),
        }
    }

    /// The units from the one below the root down to `parent`. `None` if the tree is broken: a unit
    /// is missing, or they go round in a circle.
    pub fn path_to(&self, parent: Parent) -> Option<Vec<&Arc<Unit>>> {
        let (mut path, mut at) = (Vec::new(), parent);
        while let Parent::Unit(id) = at {
            let unit = self.unit(&id)?;
            if path.len() == MAX_DEPTH {
                return None;
            }
            path.push(unit);
            at = unit.parent;
        }
        path.reverse();
        Some(path)
    }

    /// `o-…/r-…/ou-…/…/`: where an account stands, as `aws:PrincipalOrgPaths` tells it.
    pub fn path_text(&self, parent: Parent) -> Option<String> {
        let organization = self.organization.as_ref()?;
        let mut text = format!("{}/{}/", organization.id, organization.root);
        for unit in self.path_to(parent)? {
            text.extend([unit.id.as_str(), "/"]);
        }
        Some(text)
    }

    /// The policies of a type that apply to an account: a list for each level from the root down.
    /// None apply outside the organization, to its management account, and where the type is not
    /// enabled.
    ///
    /// INVARIANT (fail closed): a policy that is attached and cannot be found denies everything,
    /// and so does a broken tree.
    pub fn levels(&self, account: AccountId, control: ControlType) -> Vec<Level> {
        let Some(organization) = self.organization_of(account) else { return Vec::new() };
        let Some(member) = self.member(account) else { return Vec::new() };
        if organization.management == account || !organization.enabled.contains(&control) {
            return Vec::new();
        }
        let Some(units) = self.path_to(member.parent) else { return vec![Vec::new()] };
        let sets = std::iter::once(&organization.attached)
            .chain(units.iter().map(|unit| &unit.attached))
            .chain(std::iter::once(&member.attached));
        sets.map(|set| {
            set.iter().filter_map(|reference| self.in_level(reference, control)).collect()
        })
        .collect()
    }

    /// A policy as a level of this type has it; `None` if it is of the other type.
    fn in_level(
        &self,
        reference: &PolicyRef,
        control: ControlType,
    ) -> Option<(String, ControlDocument)> {
        let policy = match reference {
            PolicyRef::Own(id) => match self.policy(id) {
                Some(policy) if policy.control != control => return None,
                Some(policy) => policy.content.clone(),
                None => ControlDocument::denying(control),
            },
            managed if *managed == control.full_access() => full_access(control).content.clone(),
            _ => return None,
        };
        Some((reference.to_string(), policy))
    }
}
