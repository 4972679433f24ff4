//! Who may do what to which entity.
//!
//! INVARIANT (not denied is not allowed): an entity is handed out by name only to a caller whose
//! policies allow the action on it. A caller without permission gets the same answer whether or
//! not there is such an entity: it shows the name as it was asked, as AWS does.

use std::sync::Arc;

use super::holder::Holder;
use super::kind::{Kind, Made};
use crate::arn;
use crate::authn::PrincipalEntity;
use crate::directory::{Account, Snapshot, Tag, User};
use crate::id::{AccountId, UniqueId};
use crate::ops::authorize::Ask;
use crate::ops::fault::Fault;
use crate::ops::{Context, Effect, Operation, context};
use crate::policy::{Context as Keys, Value};

/// The entity of the caller's account that has this name, for a caller who may do `O` to it.
///
/// `add` adds the condition keys that belong to the action; the tags of the entity are added here.
///
/// # Errors
/// `AccessDenied`; `NoSuchEntity` for a caller who may.
pub(super) fn existing<O: Operation, K: Kind>(
    context: &Context<'_>,
    state: &Snapshot,
    name: &str,
    add: impl FnOnce(&mut Keys, Option<&K>),
) -> Result<Arc<K>, Fault> {
    let account = context.identity()?.account();
    let found = K::named(state, account, name);
    let resource = found.as_ref().map_or_else(|| K::asked_arn(account, name), |found| found.arn());
    let ask = Ask { action: &action(O::NAME), resource: &resource, owner: account };
    let shown = format!("{} {name}", K::KIND);
    context.authorize_shown(state, &ask, &shown, |keys| {
        if let Some(found) = &found {
            context::add_resource_tags(keys, found.tags());
        }
        add(keys, found.as_deref());
    })?;
    found.ok_or_else(|| K::missing(name))
}

/// The user that a request names, or without a name the caller itself.
///
/// # Errors
/// As [`existing`]; `ValidationError` if there is no name and the caller is no user. The root user
/// is none: `AccessDenied` for what would change one, which only the host's operator does, on the
/// admin socket.
pub(super) fn user_or_caller<O: Operation>(
    context: &Context<'_>,
    state: &Snapshot,
    name: Option<&str>,
) -> Result<Arc<User>, Fault> {
    let own = match (name, context.identity()?.principal()) {
        (Some(_), _) => None,
        // It may have been renamed since it signed. If it is gone, so is its credential.
        (None, PrincipalEntity::User(user)) => Some(state.user(&user.id).unwrap_or(user)),
        (None, PrincipalEntity::Root(_)) if O::EFFECT != Effect::Read => {
            return Err(Fault::access_denied(format!(
                "{} does nothing to a root user. Its keys are in the hands of the host's operator: \
                 countersign keys.",
                O::NAME
            )));
        }
        (
            None,
            PrincipalEntity::Role(_) | PrincipalEntity::Root(_) | PrincipalEntity::Federated(_),
        ) => {
            return Err(Fault::validation(
                "Must specify userName when calling with non-User credentials",
            ));
        }
    };
    let name = name.or_else(|| own.map(|user| user.name.as_str())).unwrap_or_default();
    existing::<O, User>(context, state, name, |_, _| ())
}

/// A user, or the caller that is its account's root user.
pub enum Person {
    /// A user.
    User(Arc<User>),
    /// The root user.
    Root(Arc<Account>),
}

impl Person {
    /// Its unique ID.
    pub(super) fn id(&self) -> UniqueId {
        match self {
            Self::User(user) => user.id,
            Self::Root(account) => UniqueId::of_root(account.id),
        }
    }

    /// Its name: a root user has none.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::User(user) => Some(&user.name),
            Self::Root(_) => None,
        }
    }
}

/// The user that a request names, or without a name the caller itself, which may be the root user:
/// for what only reads, and for a session of AssumeRoot, which is there for that.
///
/// # Errors
/// As [`user_or_caller`].
pub(super) fn person_or_caller<O: Operation>(
    context: &Context<'_>,
    state: &Snapshot,
    name: Option<&str>,
) -> Result<Person, Fault> {
    let identity = context.identity()?;
    if let (None, PrincipalEntity::Root(account)) = (name, identity.principal())
        && (O::EFFECT == Effect::Read || identity.task_policy().is_some())
    {
        let resource = arn::account_root(account.id);
        let ask = Ask { action: &action(O::NAME), resource: &resource, owner: account.id };
        context.authorize(state, &ask, |_| ())?;
        return Ok(Person::Root(Arc::clone(account)));
    }
    user_or_caller::<O>(context, state, name).map(Person::User)
}

/// An entity that is to be made.
pub(super) struct New<'a> {
    /// `/` or `/division/team/`.
    pub path: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its tags.
    pub tags: &'a [Tag],
    /// The ARN of its permissions boundary.
    pub boundary: Option<&'a str>,
}

/// Lets a caller pass who may make such an entity in its account, which is returned, and tag it if
/// it is to have tags.
///
/// # Errors
/// `AccessDenied`; then `EntityAlreadyExists` and `LimitExceeded`.
pub(super) fn to_create<O: Operation, K: Made>(
    context: &Context<'_>,
    state: &Snapshot,
    new: &New<'_>,
) -> Result<AccountId, Fault> {
    let account = context.identity()?.account();
    let resource = arn::iam(account, K::KIND, new.path, new.name);
    let add_tags = |keys: &mut Keys| {
        let tags = new.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        context::add_request_tags(keys, tags);
    };
    let ask = Ask { action: &action(O::NAME), resource: &resource, owner: account };
    context.authorize(state, &ask, |keys| {
        add_tags(keys);
        add_boundary(keys, new.boundary);
    })?;
    if !new.tags.is_empty() {
        let ask = Ask { action: &action(K::TAG), ..ask };
        context.authorize(state, &ask, add_tags)?;
    }
    if K::taken(state, account, new.name) {
        return Err(Fault::already_exists(K::ENTITY, new.name));
    }
    K::per_account(&context.services.quotas).check(K::all(state, account).count() + 1)?;
    Ok(account)
}

/// Lets a caller pass who may list the entities below a path of its account, which is returned.
///
/// The action has no resource of its own; it is taken to be the path, so that policies for `*` and
/// for `user/*` both allow it, as with AWS.
pub(super) fn to_list<O: Operation, K: Kind>(
    context: &Context<'_>,
    state: &Snapshot,
    prefix: &str,
) -> Result<AccountId, Fault> {
    let account = context.identity()?.account();
    let resource = arn::iam(account, K::KIND, prefix, "");
    let ask = Ask { action: &action(O::NAME), resource: &resource, owner: account };
    context.authorize(state, &ask, |_| ())?;
    Ok(account)
}

/// Lets a caller pass who may do `O`, an action without a resource, in its account, which is
/// returned.
pub(super) fn in_account<O: Operation>(
    context: &Context<'_>,
    state: &Snapshot,
) -> Result<AccountId, Fault> {
    let account = context.identity()?.account();
    let ask = Ask { action: &action(O::NAME), resource: "*", owner: account };
    context.authorize(state, &ask, |_| ())?;
    Ok(account)
}

/// Adds `iam:PermissionsBoundary`: the boundary that a principal has, or is to get.
pub(super) fn add_boundary(keys: &mut Keys, boundary: Option<&str>) {
    if let Some(arn) = boundary {
        keys.insert("iam:PermissionsBoundary", Value::One(arn.to_owned()));
    }
}

/// Adds the boundary of a holder that was found.
pub(super) fn add_boundary_of<H: Holder>(keys: &mut Keys, found: Option<&H>) {
    add_boundary(keys, found.and_then(|holder| holder.policies().boundary.as_deref()));
}

/// The action of an operation of IAM, as policies name it.
pub(super) fn action(operation: &str) -> String {
    format!("iam:{operation}")
}
