//! From what the organization is to what the files say, as operations of Organizations.
//!
//! The order is one in which each operation finds what it needs: the organization, its types of
//! policies, policies, units from the root down, places of accounts, attachments; then what goes.
//! What a unit or an account has once it is made follows from the types that are in force then.

mod attach;
mod export;
mod fields;
mod names;
mod prune;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use export::export;
pub(super) use fields::{Fields, input, texts};

use super::holders::same_json;
use super::steps::Steps;
use crate::api::PlanChange::{Add, Change, Remove};
use crate::api::{ControlPolicyFile, OrganizationFile};
use crate::directory::organization::{ControlType, FeatureSet, Organization, Parent};
use crate::directory::{Organized, Snapshot, Tag};
use crate::id::AccountId;
use crate::ops::fault::Fault;
use fields::Field;
use names::{PolicyKey, PolicyNames, UnitPath, control};

/// The longest text of a policy, in characters.
const MAX_CONTENT: usize = 5120;

/// Adds the steps to the plan. With `prune`, units and policies that stand in no file go; accounts
/// never do.
///
/// # Errors
/// `ValidationError` for what no operation can do: a name that is there twice, an account that is
/// no member.
pub(super) fn plan(
    state: &Snapshot,
    account: AccountId,
    file: &OrganizationFile,
    prune: bool,
    steps: &mut Steps,
) -> Result<(), Fault> {
    let organized = state.organized();
    let organization = organized.organization();
    if let Some(other) = organization.filter(|it| it.management != account) {
        return Err(Fault::validation(format!(
            "organization: only its management account, {}, can describe it.",
            other.management
        )));
    }
    let enabled = organization.map(|it| it.enabled.clone()).unwrap_or_default();
    let wanted = match &file.policy_types {
        Some(types) => types.iter().map(|it| control(it)).collect::<Result<_, _>>()?,
        None => enabled.clone(),
    };
    let mut planner = Planner {
        state,
        organized,
        organization: organization.map(AsRef::as_ref),
        file,
        names: PolicyNames::new(organized).with(file)?,
        enabled,
        wanted,
        units: units(file)?,
        steps,
    };
    planner.organization()?;
    planner.types();
    for policy in &file.policy {
        planner.policy(policy)?;
    }
    planner.make_units()?;
    let places = planner.accounts()?;
    planner.attachments()?;
    if prune {
        prune::prune(&mut planner, &places)?;
    }
    Ok(())
}

/// The units of a file by their paths.
fn units(file: &OrganizationFile) -> Result<BTreeMap<UnitPath, usize>, Fault> {
    let mut units = BTreeMap::new();
    for (at, unit) in file.unit.iter().enumerate() {
        let path = UnitPath::parse(&unit.path)?;
        if path.is_root() {
            return Err(Fault::validation("unit: a path is expected. The root is no unit."));
        }
        if units.insert(path, at).is_some() {
            return Err(twice(&format!("unit {}", unit.path)));
        }
    }
    Ok(units)
}

fn twice(what: &str) -> Fault {
    Fault::validation(format!("{what} stands twice in the files."))
}

struct Planner<'a> {
    state: &'a Snapshot,
    organized: &'a Organized,
    organization: Option<&'a Organization>,
    file: &'a OrganizationFile,
    names: PolicyNames<'a>,
    /// The types of policies in force now, and in the end.
    enabled: BTreeSet<ControlType>,
    wanted: BTreeSet<ControlType>,
    /// The units of the files: their places in the list, by path.
    units: BTreeMap<UnitPath, usize>,
    steps: &'a mut Steps,
}

fn text(text: &str) -> Field {
    Field::Text(text.to_owned())
}

fn tags_field(tags: Option<&BTreeMap<String, String>>) -> Option<(&'static str, Field)> {
    let tags: Vec<_> = tags?.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    (!tags.is_empty()).then_some(("Tags", Field::Tags(tags)))
}

impl Planner<'_> {
    fn organization(&mut self) -> Result<(), Fault> {
        let known = [FeatureSet::All, FeatureSet::ConsolidatedBilling].map(FeatureSet::as_str);
        let wanted = self.file.feature_set.as_deref();
        if wanted.is_some_and(|it| !known.contains(&it)) {
            return Err(Fault::validation(format!(
                "organization: feature_set is one of {}.",
                known.join(", ")
            )));
        }
        let Some(organization) = self.organization else {
            let features = text(wanted.unwrap_or(FeatureSet::All.as_str()));
            let fields = vec![("FeatureSet", features)];
            self.steps.organizations(Add, "organization", "CreateOrganization", fields);
            return Ok(());
        };
        match wanted {
            Some(wanted) if wanted != organization.features.as_str() => {
                if organization.features == FeatureSet::All {
                    return Err(Fault::validation(
                        "organization: it has all features, and cannot go back to fewer.",
                    ));
                }
                let what = "organization: all features";
                self.steps.organizations(Change, what, "EnableAllFeatures", Vec::new());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn types(&mut self) {
        let fields = |control: ControlType| {
            vec![
                ("RootId", Field::Unit(UnitPath::default())),
                ("PolicyType", text(control.as_str())),
            ]
        };
        for control in self.enabled.difference(&self.wanted) {
            let what = format!("policy type {}", control.as_str());
            self.steps.organizations(Remove, what, "DisablePolicyType", fields(*control));
        }
        for control in self.wanted.difference(&self.enabled) {
            let what = format!("policy type {}", control.as_str());
            self.steps.organizations(Add, what, "EnablePolicyType", fields(*control));
        }
    }

    fn policy(&mut self, wanted: &ControlPolicyFile) -> Result<(), Fault> {
        let key = PolicyKey::Own(control(&wanted.kind)?, wanted.name.clone());
        let what = format!("organization policy {key}");
        let same = |it: &&ControlPolicyFile| it.name == wanted.name && it.kind == wanted.kind;
        if self.file.policy.iter().filter(same).count() > 1 {
            return Err(twice(&what));
        }
        let content = fitting(wanted.content.text());
        let Some(now) = key.find(self.organized) else {
            let mut fields = vec![
                ("Content", Field::Text(content)),
                ("Description", text(wanted.description.as_deref().unwrap_or_default())),
                ("Name", text(&wanted.name)),
                ("Type", text(&wanted.kind)),
            ];
            fields.extend(tags_field(wanted.tags.as_ref()));
            self.steps.organizations(Add, what, "CreatePolicy", fields);
            return Ok(());
        };
        let mut fields = vec![("PolicyId", Field::Policy(key.clone()))];
        let description = wanted.description.as_ref().filter(|it| **it != now.description);
        fields.extend(description.map(|it| ("Description", text(it))));
        if !same_json(now.content.text(), &content) {
            fields.push(("Content", Field::Text(content)));
        }
        if fields.len() > 1 {
            self.steps.organizations(Change, what.clone(), "UpdatePolicy", fields);
        }
        self.tags(&what, Field::Policy(key), &now.tags, wanted.tags.as_ref());
        Ok(())
    }

    /// Makes the units that are not there, from the root down.
    fn make_units(&mut self) -> Result<(), Fault> {
        // In the order of paths, what holds others comes first.
        let paths: Vec<(UnitPath, usize)> =
            self.units.iter().map(|(path, at)| (path.clone(), *at)).collect();
        for (path, at) in paths {
            let Some((above, name)) = path.split() else { continue };
            let what = format!("unit {path}");
            let tags = self.file.unit.get(at).and_then(|unit| unit.tags.as_ref());
            if let Some(now) = path.find(self.organized) {
                self.tags(&what, Field::Unit(path), &now.tags, tags);
                continue;
            }
            self.check_unit(&what, &above)?;
            let mut fields = vec![("ParentId", Field::Unit(above)), ("Name", text(name))];
            fields.extend(tags_field(tags));
            self.steps.organizations(Add, what, "CreateOrganizationalUnit", fields);
        }
        Ok(())
    }

    fn check_unit(&self, what: &str, path: &UnitPath) -> Result<(), Fault> {
        let there =
            path.is_root() || self.units.contains_key(path) || path.find(self.organized).is_some();
        if there {
            return Ok(());
        }
        Err(Fault::validation(format!("{what}: there is no unit {path}.")))
    }

    /// Puts accounts where they belong. Returns where every account stands in the end.
    fn accounts(&mut self) -> Result<BTreeMap<AccountId, UnitPath>, Fault> {
        let place = |parent: Parent| UnitPath::of(self.organized, parent).unwrap_or_default();
        let mut places: BTreeMap<AccountId, UnitPath> = match self.organization {
            Some(_) => self.organized.members().map(|it| (it.account, place(it.parent))).collect(),
            // A new organization takes in every account that is open.
            None => (self.state.accounts())
                .filter(|it| !self.organized.is_closed(it.id))
                .map(|it| (it.id, UnitPath::default()))
                .collect(),
        };
        let mut seen = BTreeSet::new();
        for wanted in &self.file.account {
            let what = format!("account {}", wanted.id);
            let id = AccountId::parse(&wanted.id)
                .map_err(|error| Fault::validation(format!("{what}: {error}.")))?;
            if !seen.insert(id) {
                return Err(twice(&what));
            }
            let Some(now) = places.get(&id).cloned() else {
                return Err(Fault::validation(format!("{what}: it is not in the organization.")));
            };
            if let Some(to) = &wanted.unit {
                let to = UnitPath::parse(to)?;
                self.check_unit(&what, &to)?;
                if to != now {
                    let fields = vec![
                        ("AccountId", text(&wanted.id)),
                        ("SourceParentId", Field::Unit(now)),
                        ("DestinationParentId", Field::Unit(to.clone())),
                    ];
                    let what = format!("{what}: unit {to}");
                    self.steps.organizations(Change, what, "MoveAccount", fields);
                    places.insert(id, to);
                }
            }
            let tags = self.organized.member(id).map_or(&[][..], |it| &it.tags);
            self.tags(&what, text(&wanted.id), tags, wanted.tags.as_ref());
        }
        let root = self.organization.map_or(&[][..], |it| &it.tags);
        let wanted = self.file.tags.as_ref();
        self.tags("organization: root", Field::Unit(UnitPath::default()), root, wanted);
        Ok(places)
    }

    fn tags(
        &mut self,
        what: &str,
        id: Field,
        now: &[Tag],
        wanted: Option<&BTreeMap<String, String>>,
    ) {
        let Some(wanted) = wanted else { return };
        let what = format!("{what}: tags");
        let gone = now.iter().map(|tag| &tag.key).filter(|key| !wanted.contains_key(*key));
        let gone: Vec<String> = gone.cloned().collect();
        let is_there =
            |key: &str, value: &str| now.iter().any(|it| it.key == key && it.value == value);
        let new = wanted.iter().filter(|(key, value)| !is_there(key, value));
        let new: Vec<_> = new.map(|(key, value)| (key.clone(), value.clone())).collect();
        // What goes first: a key that only changes its case is in the way of itself.
        if !gone.is_empty() {
            let fields = vec![("ResourceId", id.clone()), ("TagKeys", Field::Texts(gone))];
            self.steps.organizations(Remove, what.clone(), "UntagResource", fields);
        }
        if !new.is_empty() {
            let fields = vec![("ResourceId", id), ("Tags", Field::Tags(new))];
            self.steps.organizations(Change, what, "TagResource", fields);
        }
    }
}

/// A policy's text; one that is too long because of its white space, without.
fn fitting(content: String) -> String {
    if content.chars().count() <= MAX_CONTENT {
        return content;
    }
    let value: Result<serde_json::Value, _> = serde_json::from_str(&content);
    value.map_or(content, |value| value.to_string())
}
