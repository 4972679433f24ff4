//! The organization, as a table that applies without a step.

use std::collections::BTreeSet;

use super::super::export::{tags, text};
use super::names::{PolicyKey, PolicyNames, UnitPath};
use crate::api::{ControlPolicyFile, OrganizationFile, PlacedAccountFile, UnitFile};
use crate::directory::Organized;
use crate::directory::organization::{Parent, PolicyRef};
use crate::id::AccountId;

/// Everything that files can say of the organization; nothing for any account but its management
/// account.
pub(in crate::ops::manage::directory) fn export(
    organized: &Organized,
    account: AccountId,
) -> Option<OrganizationFile> {
    let organization = organized.organization().filter(|it| it.management == account)?;
    let names = PolicyNames::new(organized);
    let called = |attached: &BTreeSet<PolicyRef>| {
        let keys = attached.iter().filter_map(|it| PolicyKey::of(organized, it));
        Some(keys.filter(|key| !key.is_everywhere()).map(|key| names.shortest(&key)).collect())
    };
    let path = |parent: Parent| UnitPath::of(organized, parent).unwrap_or_default().to_string();
    let policy = organized.policies().map(|it| ControlPolicyFile {
        name: it.name.clone(),
        kind: it.control.as_str().to_owned(),
        description: Some(it.description.clone()),
        content: text(it.content.text()),
        tags: Some(tags(&it.tags)),
    });
    let mut unit: Vec<UnitFile> = organized
        .units()
        .map(|it| UnitFile {
            path: path(Parent::Unit(it.id)),
            policies: called(&it.attached),
            tags: Some(tags(&it.tags)),
        })
        .collect();
    unit.sort_by(|one, other| one.path.cmp(&other.path));
    let account = organized.members().map(|it| PlacedAccountFile {
        id: it.account.to_string(),
        unit: Some(path(it.parent)),
        policies: called(&it.attached),
        tags: Some(tags(&it.tags)),
    });
    let types = organization.enabled.iter().map(|it| it.as_str().to_owned());
    Some(OrganizationFile {
        feature_set: Some(organization.features.as_str().to_owned()),
        policy_types: Some(types.collect()),
        policies: called(&organization.attached),
        tags: Some(tags(&organization.tags)),
        policy: policy.collect(),
        unit,
        account: account.collect(),
    })
}
