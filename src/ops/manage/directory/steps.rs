//! One step of a plan: an operation with its parameters.

use std::collections::HashSet;

use super::organization::{self, Fields};
use crate::api::PlanChange;
use crate::ops::Service;

/// An operation to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) change: PlanChange,
    /// Such as `role deploy: inline policy own`.
    pub(super) what: String,
    /// Such as `PutRolePolicy`.
    pub(super) action: String,
    pub(super) parameters: Parameters,
}

/// What an operation is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Parameters {
    /// One of IAM.
    Iam(Vec<(String, String)>),
    /// One of Organizations.
    Organizations(Fields),
}

impl Step {
    /// The parameters as names and texts: no other step of this action has the same ones.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        match &self.parameters {
            Parameters::Iam(pairs) => pairs.clone(),
            Parameters::Organizations(fields) => organization::texts(fields).collect(),
        }
    }

    /// Its action with the service's prefix.
    pub(super) fn full_action(&self) -> String {
        let service = match self.parameters {
            Parameters::Iam(_) => Service::Iam,
            Parameters::Organizations(_) => Service::Organizations,
        };
        format!("{}:{}", service.scope(), self.action)
    }

    /// Whether it is about a part of what that step makes or changes.
    pub(super) fn hangs_on(&self, other: &Self) -> bool {
        self.what.strip_prefix(&other.what).is_some_and(|rest| rest.starts_with(": "))
    }

    pub(super) fn describe(&self) -> String {
        format!("{}: {}", self.what, self.action)
    }
}

/// Steps in the making. A step that is there already is not taken twice.
#[derive(Default)]
pub(super) struct Steps {
    steps: Vec<Step>,
    seen: HashSet<(String, Parameters)>,
}

impl Steps {
    pub(super) fn push(
        &mut self,
        change: PlanChange,
        what: impl Into<String>,
        action: impl Into<String>,
        parameters: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) {
        let pairs = parameters.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.add(change, what.into(), action.into(), Parameters::Iam(pairs.collect()));
    }

    /// An operation of Organizations.
    pub(super) fn organizations(
        &mut self,
        change: PlanChange,
        what: impl Into<String>,
        action: &str,
        fields: Fields,
    ) {
        let parameters = Parameters::Organizations(fields);
        self.add(change, what.into(), action.to_owned(), parameters);
    }

    fn add(&mut self, change: PlanChange, what: String, action: String, parameters: Parameters) {
        if self.seen.insert((action.clone(), parameters.clone())) {
            self.steps.push(Step { change, what, action, parameters });
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
