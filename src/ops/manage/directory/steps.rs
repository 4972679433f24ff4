//! One step of a plan: an IAM operation with its parameters.

use std::collections::HashSet;

use crate::api::PlanChange;

/// An operation to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) change: PlanChange,
    /// Such as `role deploy: inline policy own`.
    pub(super) what: String,
    /// Such as `PutRolePolicy`.
    pub(super) action: String,
    pub(super) parameters: Vec<(String, String)>,
}

impl Step {
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn describe(&self) -> String {
        format!("{}: {}", self.what, self.action)
    }
}

/// Steps in the making. A step that is there already is not taken twice.
#[derive(Default)]
pub(super) struct Steps {
    steps: Vec<Step>,
    seen: HashSet<(String, Vec<(String, String)>)>,
}

impl Steps {
    pub(super) fn push(
        &mut self,
        change: PlanChange,
        what: impl Into<String>,
        action: impl Into<String>,
        parameters: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) {
        let action = action.into();
        let parameters: Vec<_> =
            parameters.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        if self.seen.insert((action.clone(), parameters.clone())) {
            self.steps.push(Step { change, what: what.into(), action, parameters });
        }
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}

/// The parameters of a list: `Name.member.1`, `Name.member.2` …
pub(super) fn list<'a>(
    name: &str,
    values: impl IntoIterator<Item = &'a String>,
) -> Vec<(String, String)> {
    let values = values.into_iter().enumerate();
    values.map(|(at, value)| (format!("{name}.member.{}", at + 1), value.clone())).collect()
}

/// The parameters of tags.
pub(super) fn tags<'a>(
    tags: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    for (at, (key, value)) in tags.into_iter().enumerate() {
        parameters.push((format!("Tags.member.{}.Key", at + 1), key.clone()));
        parameters.push((format!("Tags.member.{}.Value", at + 1), value.clone()));
    }
    parameters
}
