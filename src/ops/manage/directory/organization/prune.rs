//! Units and policies of the organization that stand in no file, and how they go.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::Field;
use super::names::{PolicyKey, UnitPath};
use super::{Planner, text};
use crate::api::PlanChange::Remove;
use crate::directory::organization::{Parent, PolicyRef};
use crate::id::AccountId;
use crate::ops::fault::Fault;

/// # Errors
/// `ValidationError` for a unit that would go and in which an account stands, or a unit of the
/// files.
pub(super) fn prune(
    planner: &mut Planner<'_>,
    places: &BTreeMap<AccountId, UnitPath>,
) -> Result<(), Fault> {
    let organized = planner.organized;
    let there = organized.units().filter_map(|it| UnitPath::of(organized, Parent::Unit(it.id)));
    let gone: BTreeSet<UnitPath> = there.filter(|path| !planner.units.contains_key(path)).collect();
    for path in &gone {
        let inside = |what: String| {
            Fault::validation(format!(
                "unit {path} stands in no file, and {what} is in it: pruning would remove it."
            ))
        };
        if let Some((account, _)) = places.iter().find(|(_, place)| *place == path) {
            return Err(inside(format!("account {account}")));
        }
        if let Some(unit) = planner.units.keys().find(|unit| unit.is_below(path)) {
            return Err(inside(format!("unit {unit}")));
        }
    }
    // In the reverse order of paths, what stands in others goes first.
    for path in gone.iter().rev() {
        let fields = vec![("OrganizationalUnitId", Field::Unit(path.clone()))];
        let what = format!("unit {path}");
        planner.steps.organizations(Remove, what, "DeleteOrganizationalUnit", fields);
    }
    let of_files: BTreeSet<(&str, &str)> =
        planner.file.policy.iter().map(|it| (it.kind.as_str(), it.name.as_str())).collect();
    for policy in organized.policies() {
        if of_files.contains(&(policy.control.as_str(), policy.name.as_str())) {
            continue;
        }
        let key = PolicyKey::Own(policy.control, policy.name.clone());
        if planner.wanted.contains(&policy.control) {
            detach(planner, &PolicyRef::Own(policy.id), &key, &gone);
        }
        let fields = vec![("PolicyId", Field::Policy(key.clone()))];
        let what = format!("organization policy {key}");
        planner.steps.organizations(Remove, what, "DeletePolicy", fields);
    }
    Ok(())
}

/// Takes a policy from everything for which the files do not say what there is to be.
fn detach(
    planner: &mut Planner<'_>,
    policy: &PolicyRef,
    key: &PolicyKey,
    gone: &BTreeSet<UnitPath>,
) {
    let (organized, file) = (planner.organized, planner.file);
    let root = planner.organization.is_some_and(|it| it.attached.contains(policy));
    let mut targets = Vec::new();
    if root && file.policies.is_none() {
        targets.push(("organization: root".to_owned(), Field::Unit(UnitPath::default())));
    }
    for unit in organized.units().filter(|it| it.attached.contains(policy)) {
        let Some(path) = UnitPath::of(organized, Parent::Unit(unit.id)) else { continue };
        let said = planner.units.get(&path).and_then(|at| file.unit.get(*at));
        if !gone.contains(&path) && said.is_none_or(|it| it.policies.is_none()) {
            targets.push((format!("unit {path}"), Field::Unit(path)));
        }
    }
    for member in organized.members().filter(|it| it.attached.contains(policy)) {
        let id = member.account.to_string();
        let said = file.account.iter().find(|it| it.id == id);
        if said.is_none_or(|it| it.policies.is_none()) {
            targets.push((format!("account {id}"), text(&id)));
        }
    }
    for (what, target) in targets {
        planner.attachment(Remove, &what, "DetachPolicy", key, &target);
    }
}
