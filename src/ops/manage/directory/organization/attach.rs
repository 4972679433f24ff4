//! Policies on the root, on units and on accounts.

use std::collections::BTreeSet;

use super::fields::Field;
use super::names::{PolicyKey, UnitPath};
use super::{Planner, text};
use crate::api::PlanChange::{Add, Remove};
use crate::directory::organization::{ControlType, PolicyRef};
use crate::id::AccountId;
use crate::ops::fault::Fault;

/// At most this many policies of a type on one target.
const MAX_ATTACHED: usize = 5;

impl Planner<'_> {
    /// Attaches and detaches where the files say what there is to be.
    pub(super) fn attachments(&mut self) -> Result<(), Fault> {
        let file = self.file;
        let root = self.organization.map(|it| &it.attached);
        let id = Field::Unit(UnitPath::default());
        self.attach("organization: root", &id, root, file.policies.as_ref())?;
        for unit in &file.unit {
            let path = UnitPath::parse(&unit.path)?;
            let now = path.find(self.organized).map(|it| &it.attached);
            let what = format!("unit {path}");
            self.attach(&what, &Field::Unit(path.clone()), now, unit.policies.as_ref())?;
        }
        for account in &file.account {
            let id = AccountId::parse(&account.id).ok();
            let now = id.and_then(|id| self.organized.member(id)).map(|it| &it.attached);
            let what = format!("account {}", account.id);
            self.attach(&what, &text(&account.id), now, account.policies.as_ref())?;
        }
        Ok(())
    }

    /// What a target has once types are turned on and off and it is made.
    fn base(&self, now: Option<&BTreeSet<PolicyRef>>) -> BTreeSet<PolicyKey> {
        let kept = now.into_iter().flatten();
        let kept = kept.filter_map(|it| PolicyKey::of(self.organized, it));
        let kept = kept.filter(|key| self.wanted.contains(&key.control()));
        let new = self.wanted.iter().filter(|it| now.is_none() || !self.enabled.contains(it));
        kept.chain(new.map(|it| PolicyKey::FullAccess(*it))).collect()
    }

    fn attach(
        &mut self,
        what: &str,
        target: &Field,
        now: Option<&BTreeSet<PolicyRef>>,
        wanted: Option<&BTreeSet<String>>,
    ) -> Result<(), Fault> {
        let Some(wanted) = wanted else { return Ok(()) };
        let wanted: BTreeSet<PolicyKey> =
            wanted.iter().map(|it| self.names.find(it)).collect::<Result<_, _>>()?;
        let base = self.base(now);
        for control in ControlType::ALL {
            let of_type = |key: &&PolicyKey| key.control() == control && !key.is_everywhere();
            let mut new: Vec<_> = wanted.difference(&base).filter(of_type).collect();
            let mut gone: Vec<_> = base.difference(&wanted).filter(of_type).collect();
            let mut count = base.iter().filter(|key| key.control() == control).count();
            // The last one stays until another is there, unless there is no room for another.
            while !new.is_empty() || !gone.is_empty() {
                let room = count < MAX_ATTACHED || gone.is_empty();
                match if room { new.pop() } else { None } {
                    Some(key) => {
                        self.attachment(Add, what, "AttachPolicy", key, target);
                        count += 1;
                    }
                    None => {
                        let Some(key) = gone.pop() else { continue };
                        self.attachment(Remove, what, "DetachPolicy", key, target);
                        count -= 1;
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn attachment(
        &mut self,
        change: crate::api::PlanChange,
        what: &str,
        action: &str,
        key: &PolicyKey,
        target: &Field,
    ) {
        let fields = vec![("PolicyId", Field::Policy(key.clone())), ("TargetId", target.clone())];
        self.steps.organizations(change, format!("{what}: policy {key}"), action, fields);
    }
}
