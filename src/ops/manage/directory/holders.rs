//! What users, groups, roles and others have in common: policies and tags, and how they come to be
//! as the files say.

use std::collections::{BTreeMap, BTreeSet};

use super::steps::{Steps, list, tags};
use crate::api::PlanChange::{Add, Change, Remove};
use crate::api::PolicyText;
use crate::directory::entities::Policies;
use crate::directory::{Snapshot, Tag, managed};
use crate::id::AccountId;
use crate::ops::fault::Fault;

/// A user, group or role.
pub(super) struct Holder<'a> {
    /// `User`, `Group` or `Role`.
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
}

impl Holder<'_> {
    pub(super) fn what(&self) -> String {
        format!("{} {}", self.kind.to_ascii_lowercase(), self.name)
    }

    pub(super) fn key(&self) -> (String, String) {
        (format!("{}Name", self.kind), self.name.to_owned())
    }

    fn action(&self, verb: &str, object: &str) -> String {
        format!("{verb}{}{object}", self.kind)
    }

    /// Inline and managed policies. `now` is what there is, nothing if it is to be made.
    pub(super) fn policies(
        &self,
        steps: &mut Steps,
        names: &Names<'_>,
        now: &Policies,
        inline: Option<&BTreeMap<String, PolicyText>>,
        attached: Option<&BTreeSet<String>>,
    ) -> Result<(), Fault> {
        let what = self.what();
        if let Some(wanted) = attached {
            let wanted: BTreeSet<String> =
                wanted.iter().map(|policy| names.arn(policy)).collect::<Result<_, _>>()?;
            for arn in wanted.difference(&now.attached) {
                let parameters = [self.key(), ("PolicyArn".to_owned(), arn.clone())];
                let what = format!("{what}: policy {arn}");
                steps.push(Add, what, self.action("Attach", "Policy"), parameters);
            }
            for arn in now.attached.difference(&wanted) {
                let parameters = [self.key(), ("PolicyArn".to_owned(), arn.clone())];
                let what = format!("{what}: policy {arn}");
                steps.push(Remove, what, self.action("Detach", "Policy"), parameters);
            }
        }
        if let Some(wanted) = inline {
            for (name, document) in wanted {
                let text = document.text();
                let there = now.inline.get(name);
                if there.is_some_and(|it| same_json(it.text(), &text)) {
                    continue;
                }
                let parameters = [
                    self.key(),
                    ("PolicyName".to_owned(), name.clone()),
                    ("PolicyDocument".to_owned(), text),
                ];
                let change = if there.is_some() { Change } else { Add };
                let what = format!("{what}: inline policy {name}");
                steps.push(change, what, self.action("Put", "Policy"), parameters);
            }
            for name in now.inline.keys().filter(|name| !wanted.contains_key(*name)) {
                let parameters = [self.key(), ("PolicyName".to_owned(), name.clone())];
                let what = format!("{what}: inline policy {name}");
                steps.push(Remove, what, self.action("Delete", "Policy"), parameters);
            }
        }
        Ok(())
    }

    /// The permissions boundary; an empty text takes it away.
    pub(super) fn boundary(
        &self,
        steps: &mut Steps,
        names: &Names<'_>,
        now: Option<&str>,
        wanted: Option<&str>,
    ) -> Result<(), Fault> {
        let what = format!("{}: permissions boundary", self.what());
        match wanted {
            None => {}
            Some("") if now.is_none() => {}
            Some("") => {
                let action = self.action("Delete", "PermissionsBoundary");
                steps.push(Remove, what, action, [self.key()]);
            }
            Some(policy) => {
                let arn = names.arn(policy)?;
                if now != Some(arn.as_str()) {
                    let action = self.action("Put", "PermissionsBoundary");
                    let parameters = [self.key(), ("PermissionsBoundary".to_owned(), arn)];
                    steps.push(Change, what, action, parameters);
                }
            }
        }
        Ok(())
    }

    /// Takes everything away from it, so that it can be deleted.
    pub(super) fn strip(&self, steps: &mut Steps, now: &Policies) {
        let what = self.what();
        for arn in &now.attached {
            let parameters = [self.key(), ("PolicyArn".to_owned(), arn.clone())];
            let what = format!("{what}: policy {arn}");
            steps.push(Remove, what, self.action("Detach", "Policy"), parameters);
        }
        for name in now.inline.keys() {
            let parameters = [self.key(), ("PolicyName".to_owned(), name.clone())];
            let what = format!("{what}: inline policy {name}");
            steps.push(Remove, what, self.action("Delete", "Policy"), parameters);
        }
    }
}

/// Tags of something that `key` names; the operations are `Tag<kind>` and `Untag<kind>`.
pub(super) fn change_tags(
    steps: &mut Steps,
    what: &str,
    kind: &str,
    key: &(String, String),
    now: &[Tag],
    wanted: Option<&BTreeMap<String, String>>,
) {
    let Some(wanted) = wanted else { return };
    let what = format!("{what}: tags");
    let new: Vec<_> = wanted
        .iter()
        .filter(|(key, value)| !now.iter().any(|tag| tag.key == **key && tag.value == **value))
        .collect();
    let gone: Vec<&String> =
        now.iter().map(|tag| &tag.key).filter(|key| !wanted.contains_key(*key)).collect();
    // What goes first: a key that only changes its case is in the way of itself.
    if !gone.is_empty() {
        let parameters = [vec![key.clone()], list("TagKeys", gone)].concat();
        steps.push(Remove, what.clone(), format!("Untag{kind}"), parameters);
    }
    if !new.is_empty() {
        let parameters = [vec![key.clone()], tags(new)].concat();
        steps.push(Change, what, format!("Tag{kind}"), parameters);
    }
}

/// What the names of managed policies stand for.
pub(super) struct Names<'a> {
    pub(super) state: &'a Snapshot,
    pub(super) account: AccountId,
    /// Names, in lower case, of policies of the files, with their ARNs.
    pub(super) own: BTreeMap<String, String>,
}

impl Names<'_> {
    /// The ARN of a managed policy: of the files, of the account, or of AWS.
    ///
    /// INVARIANT (no widening): whoever may make a policy in the account does not choose what the
    /// files of somebody else attach. A name that the account and AWS both have stands for neither.
    ///
    /// # Errors
    /// `ValidationError` for a name of no policy, or of two.
    pub(super) fn arn(&self, policy: &str) -> Result<String, Fault> {
        if policy.starts_with("arn:") {
            return Ok(policy.to_owned());
        }
        if let Some(arn) = self.own.get(&policy.to_ascii_lowercase()) {
            return Ok(arn.clone());
        }
        let own = self.state.policy_named(self.account, policy).map(|it| it.arn());
        let awss = managed::all().find(|it| it.name.eq_ignore_ascii_case(policy));
        match (own, awss) {
            (Some(own), Some(awss)) => Err(Fault::validation(format!(
                "{policy:?} is the name of two managed policies: write the ARN, {own} or {}.",
                awss.arn
            ))),
            (Some(own), None) => Ok(own),
            (None, Some(awss)) if awss.name == policy => Ok(awss.arn.clone()),
            (None, _) => Err(Fault::validation(format!("There is no managed policy {policy:?}."))),
        }
    }
}

/// Whether two JSON texts say the same.
pub(super) fn same_json(left: &str, right: &str) -> bool {
    let parse = |text| serde_json::from_str::<serde_json::Value>(text);
    match (parse(left), parse(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    }
}
