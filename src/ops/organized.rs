//! What the organization adds to a decision: the control policies of both sides, and the condition
//! keys that tell where they stand.
//!
//! Source: Organizations User Guide, "SCP evaluation", "RCP evaluation"; IAM User Guide, "AWS global
//! condition context keys".

use crate::directory::Organized;
use crate::directory::organization::{ControlDocument, ControlType, Level};
use crate::id::AccountId;
use crate::policy::compiled::{CompiledLayer, CompiledNamed};
use crate::policy::simulate::Source;
use crate::policy::{Context, Named, Policy, Value};

/// The levels of both kinds of control policies for one decision.
pub struct ControlLevels {
    service: Vec<Level>,
    resource: Vec<Level>,
}

impl ControlLevels {
    /// Gathers those that limit principals of `caller`, an account, and reach to what `owner` owns.
    ///
    /// What a closed account owns is out of reach: a level without policies allows nothing.
    pub fn gather(organized: &Organized, caller: Option<AccountId>, owner: AccountId) -> Self {
        let service = caller.map_or_else(Vec::new, |caller| {
            organized.levels(caller, ControlType::ServiceControlPolicy)
        });
        let mut resource = organized.levels(owner, ControlType::ResourceControlPolicy);
        if organized.is_closed(owner) {
            resource.push(Level::new());
        }
        Self { service, resource }
    }

    /// Whether none apply.
    pub fn is_empty(&self) -> bool {
        self.service.is_empty() && self.resource.is_empty()
    }

    /// They in the form of a simulation: service control policies, then resource control policies.
    pub fn sources(&self) -> (Vec<Vec<Source>>, Vec<Vec<Source>>) {
        let source = |name: &str, it: &ControlDocument| {
            Source::of(name, it.text(), Policy::clone(it.policy()))
        };
        (each(&self.service, source), each(&self.resource, source))
    }

    /// Lends them in the form of the policy engine: service control policies, then resource control
    /// policies.
    pub fn lend<R>(&self, use_them: impl FnOnce(&[&[Named<'_>]], &[&[Named<'_>]]) -> R) -> R {
        let named = |levels| each(levels, |name, it| Named { name, policy: it.policy() });
        let (service, resource) = (named(&self.service), named(&self.resource));
        let service: Vec<&[Named<'_>]> = service.iter().map(Vec::as_slice).collect();
        let resource: Vec<&[Named<'_>]> = resource.iter().map(Vec::as_slice).collect();
        use_them(&service, &resource)
    }

    /// Lends them in the form to decide with, likewise.
    pub fn lend_compiled<R>(
        &self,
        use_them: impl FnOnce(&[CompiledLayer<'_>], &[CompiledLayer<'_>]) -> R,
    ) -> R {
        let named = |levels| each(levels, |name, it| CompiledNamed { name, policy: it.compiled() });
        let (service, resource) = (named(&self.service), named(&self.resource));
        let service: Vec<_> = service.iter().map(|level| CompiledLayer::List(level)).collect();
        let resource: Vec<_> = resource.iter().map(|level| CompiledLayer::List(level)).collect();
        use_them(&service, &resource)
    }
}

fn each<'l, T>(
    levels: &'l [Level],
    form: impl Fn(&'l str, &'l ControlDocument) -> T,
) -> Vec<Vec<T>> {
    let level = |level: &'l Level| level.iter().map(|(name, it)| form(name, it)).collect();
    levels.iter().map(level).collect()
}

/// Adds where the caller's account and the resource's account stand. Keys of an account outside the
/// organization are absent.
pub fn add_keys(
    keys: &mut Context,
    organized: &Organized,
    caller: Option<AccountId>,
    owner: AccountId,
) {
    keys.insert("aws:ResourceAccount", Value::One(owner.to_string()));
    if let Some(caller) = caller {
        add_place(keys, organized, "Principal", caller);
    }
    add_place(keys, organized, "Resource", owner);
}

/// Adds where an account stands: one side of [`add_keys`].
pub fn add_place(keys: &mut Context, organized: &Organized, side: &str, account: AccountId) {
    let member = organized.organization_of(account).zip(organized.member(account));
    let Some((organization, member)) = member else { return };
    keys.insert(&format!("aws:{side}OrgID"), Value::One(organization.id.to_string()));
    if let Some(path) = organized.path_text(member.parent) {
        keys.insert(&format!("aws:{side}OrgPaths"), Value::Many(vec![path]));
    }
}
