//! A user, group or role that a request names by its ARN, to ask what it may do.

use std::sync::Arc;

use super::access;
use super::kind::{Kind, check_arn};
use crate::directory::{Group, Role, Snapshot, User};
use crate::ops::authorize::Ask;
use crate::ops::fault::Fault;
use crate::ops::params::{Validator, rules};
use crate::ops::{Context, Operation, context};

/// An ARN as it came.
pub(super) struct SourceArn(String);

/// Whom it names.
pub(super) enum Source {
    /// A user.
    User(Arc<User>),
    /// A group.
    Group(Arc<Group>),
    /// A role.
    Role(Arc<Role>),
}

impl Source {
    /// Its unique ID, as text.
    pub(super) fn key(&self) -> String {
        match self {
            Self::User(user) => user.key(),
            Self::Group(group) => group.key(),
            Self::Role(role) => role.key(),
        }
    }

    fn arn(&self) -> String {
        match self {
            Self::User(user) => user.arn(),
            Self::Group(group) => group.arn(),
            Self::Role(role) => role.arn(),
        }
    }
}

impl SourceArn {
    /// Reads the parameter of that name.
    pub(super) fn read(v: &mut Validator<'_, '_>, name: &str) -> Self {
        Self(v.required(name, &rules::ARN).to_owned())
    }

    /// As it came.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The entity of the caller's account that has this ARN now, for a caller who may do `O` to it.
    ///
    /// # Errors
    /// `AccessDenied`; then `InvalidInput` for what is no such ARN, and `NoSuchEntity`.
    pub(super) fn find<O: Operation>(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
    ) -> Result<Source, Fault> {
        let text = self.text();
        let account = context.identity()?.account();
        let kind = [User::KIND, Group::KIND, Role::KIND]
            .into_iter()
            .find(|kind| check_arn(text, kind).is_ok());
        let name = text.rsplit('/').next().unwrap_or_default();
        let found = match kind {
            Some(User::KIND) => User::named(state, account, name).map(Source::User),
            Some(Group::KIND) => Group::named(state, account, name).map(Source::Group),
            Some(Role::KIND) => Role::named(state, account, name).map(Source::Role),
            _ => None,
        };
        let found = found.filter(|found| found.arn() == text);
        let action = access::action(O::NAME);
        let ask = Ask { action: &action, resource: text, owner: account };
        context.authorize(state, &ask, |keys| match &found {
            Some(Source::User(user)) => context::add_resource_tags(keys, &user.tags),
            Some(Source::Role(role)) => context::add_resource_tags(keys, &role.tags),
            _ => (),
        })?;
        let missing = || match kind {
            Some(User::KIND) => User::missing(name),
            Some(Group::KIND) => Group::missing(name),
            Some(_) => Role::missing(name),
            None => Fault::invalid_input(format!("ARN {text} is not valid.")),
        };
        found.ok_or_else(missing)
    }
}

/// The user of the caller's account that has this ARN now, if there is one, for a caller who may do
/// `O` to it: as whom something is asked.
///
/// # Errors
/// `AccessDenied`, whether or not there is such a user.
pub(super) fn asking<'s, O: Operation>(
    context: &Context<'_>,
    state: &'s Snapshot,
    arn: &str,
) -> Result<Option<&'s Arc<User>>, Fault> {
    let owner = context.identity()?.account();
    let found = state.principal_id(arn).and_then(|id| state.user(&id));
    let action = access::action(O::NAME);
    context.authorize(state, &Ask { action: &action, resource: arn, owner }, |keys| {
        if let Some(user) = found {
            context::add_resource_tags(keys, &user.tags);
        }
    })?;
    Ok(found)
}
