//! Who may do what to which resource.
//!
//! INVARIANT (not denied is not allowed): what is there is told only to a caller whose policies allow
//! the action on it; ARNs are made of the IDs as they were asked for.

use std::collections::HashSet;
use std::sync::Arc;

use super::common::Resource;
use crate::arn;
use crate::directory::{Snapshot, Tag};
use crate::id::{AccountId, parse_uuid};
use crate::ops::authorize::Ask;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation};
use crate::ops::{Context, context};
use crate::policy::{Context as Keys, Value as KeyValue, fold};

/// The most tags of a resource.
const MAX_TAGS: usize = 200;

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::validation(message)
}

pub(super) fn not_found(kind: &str) -> Fault {
    Fault::new(
        FaultCode::ResourceNotFound,
        format!("The {} was not found.", kind.replace('-', " ")),
    )
}

/// The region of every ARN: the deployment's, never the client's choice.
pub(super) fn region<'c>(context: &'c Context<'_>) -> &'c str {
    context.facts.region.as_str()
}

/// The ARN of a resource.
pub(super) fn arn_of<R: Resource>(context: &Context<'_>, it: &R) -> String {
    arn::anywhere(region(context), it.account(), R::KIND, &it.raw_id())
}

fn action<O: JsonOperation>() -> String {
    format!("{}:{}", O::SERVICE.scope(), O::NAME)
}

/// Lets a caller pass who may do `O`, which has no resource yet; with tags, who may also tag.
pub(super) fn any<O: JsonOperation>(
    context: &Context<'_>,
    state: &Snapshot,
    tags: &[Tag],
) -> Result<AccountId, Fault> {
    let owner = context.identity()?.account();
    let action = action::<O>();
    let ask = Ask { action: &action, resource: "*", owner };
    context.authorize(state, &ask, |keys| add_request(keys, tags))?;
    if !tags.is_empty() {
        let ask = Ask { action: "rolesanywhere:TagResource", ..ask };
        context.authorize(state, &ask, |keys| add_request(keys, tags))?;
    }
    Ok(owner)
}

/// The resource of this ID, for a caller who may do `O` to it.
pub(super) fn one<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    state: &Snapshot,
    id: &str,
) -> Result<Arc<R>, Fault> {
    let id = parse_uuid(id).ok_or_else(|| invalid("The ID is malformed."))?;
    with::<O, R>(context, state, id, &[], &[])
}

/// As [`one`], by the ID's bytes, and with tags that are to be set, or keys of those that are to go.
pub(super) fn with<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    state: &Snapshot,
    id: [u8; 16],
    tags: &[Tag],
    gone: &[String],
) -> Result<Arc<R>, Fault> {
    let owner = context.identity()?.account();
    let found = R::find(state, id).filter(|it| it.account() == owner);
    let resource = arn::anywhere(region(context), owner, R::KIND, &id);
    let action = action::<O>();
    let ask = Ask { action: &action, resource: &resource, owner };
    context.authorize(state, &ask, |keys| {
        add_request(keys, tags);
        if !gone.is_empty() {
            keys.insert("aws:TagKeys", KeyValue::Many(gone.to_vec()));
        }
        context::add_stored_tag_keys(keys, found.map_or(&[], |it| it.tags()));
        for tag in found.iter().flat_map(|it| it.tags()) {
            let key = format!("aws:ResourceTag/{}", tag.key);
            keys.insert(&key, KeyValue::One(tag.value.clone()));
        }
    })?;
    found.cloned().ok_or_else(|| not_found(R::KIND))
}

fn add_request(keys: &mut Keys, tags: &[Tag]) {
    context::add_request_tags(keys, tags.iter().map(|it| (it.key.as_str(), it.value.as_str())));
}

/// The tags of an input.
pub(super) fn tags(input: &Input<'_>) -> Result<Vec<Tag>, Fault> {
    let tags: Vec<_> = input
        .structures("tags")
        .map(|it| Tag {
            key: it.required("key").to_owned(),
            value: it.required("value").to_owned(),
        })
        .collect();
    let mut seen = HashSet::new();
    for tag in &tags {
        let key = fold(&tag.key);
        if key.starts_with("aws:") {
            return Err(invalid("Tag keys beginning with aws: are reserved."));
        }
        if !seen.insert(key) {
            return Err(invalid("A tag key is there twice; keys are compared without case."));
        }
    }
    check_count(&tags)?;
    Ok(tags)
}

pub(super) fn check_count(tags: &[Tag]) -> Result<(), Fault> {
    if tags.len() > MAX_TAGS {
        let message = format!("A resource has at most {MAX_TAGS} tags.");
        return Err(Fault::new(FaultCode::TooManyTags, message));
    }
    Ok(())
}
