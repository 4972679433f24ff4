//! Tags of anchors, profiles, revocation lists and subjects.

use serde_json::{Value, json};

use super::common::Resource;
use super::{access, shapes};
use crate::arn;
use crate::directory::{AnywhereProfile, Crl, Snapshot, Subject, Tag, Transaction, TrustAnchor};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};
use crate::policy::fold;

const FAULTS: &[FaultCode] = &[FaultCode::ResourceNotFound, FaultCode::TooManyTags];

/// The kind and the ID that an ARN names, of the caller's account and this deployment.
fn named(context: &Context<'_>, text: &str) -> Result<(&'static str, [u8; 16]), Fault> {
    let account = context.identity()?.account();
    let kinds = [TrustAnchor::KIND, AnywhereProfile::KIND, Crl::KIND, Subject::KIND];
    let found = kinds.into_iter().find_map(|kind| Some((kind, arn::parse_anywhere(text, kind)?)));
    let (kind, (region, owner, id)) =
        found.ok_or_else(|| access::invalid("resourceArn names no resource of this service."))?;
    if owner != account || region != access::region(context) {
        // Of another account or deployment: nothing is known of it here.
        return Err(access::not_found(kind));
    }
    Ok((kind, id))
}

/// Calls a function for the kind of resource that an ARN names.
macro_rules! by_kind {
    ($kind:expr, $function:ident $arguments:tt) => {
        match $kind {
            TrustAnchor::KIND => $function::<Self, TrustAnchor> $arguments,
            AnywhereProfile::KIND => $function::<Self, AnywhereProfile> $arguments,
            Crl::KIND => $function::<Self, Crl> $arguments,
            _ => $function::<Self, Subject> $arguments,
        }
    };
}

/// Changes the tags of one.
fn change<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    tx: &mut Transaction,
    id: [u8; 16],
    new: &[Tag],
    gone: &[String],
) -> Result<Value, Fault> {
    let found = access::with::<O, R>(context, tx.state(), id, new, gone)?;
    let removed =
        |tag: &Tag| new.iter().any(|it| fold(&it.key) == fold(&tag.key)) || gone.contains(&tag.key);
    let mut tags: Vec<_> = found.tags().iter().filter(|tag| !removed(tag)).cloned().collect();
    tags.extend_from_slice(new);
    access::check_count(&tags)?;
    let mut changed = R::clone(&found);
    changed.set_tags(tags, context.facts.now.floor_secs());
    tx.put(changed.entity());
    Ok(json!({}))
}

fn list<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    state: &Snapshot,
    id: [u8; 16],
) -> Result<Value, Fault> {
    let found = access::with::<O, R>(context, state, id, &[], &[])?;
    let tags: Vec<_> =
        found.tags().iter().map(|it| json!({ "key": it.key, "value": it.value })).collect();
    Ok(json!({ "tags": tags }))
}

/// Sets tags.
pub struct TagResource;

impl JsonOperation for TagResource {
    const NAME: &'static str = "TagResource";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[shapes::RESOURCE, shapes::NEW_TAGS];
    const FAULTS: &'static [FaultCode] = FAULTS;
    type Request = (String, Vec<Tag>);

    fn read(input: &Input<'_>) -> Result<Self::Request, Fault> {
        Ok((input.required(shapes::RESOURCE.name).to_owned(), access::tags(input)?))
    }

    async fn execute(context: &Context<'_>, (arn, tags): Self::Request) -> Result<Value, Fault> {
        let (kind, id) = named(context, &arn)?;
        context.change(|tx| by_kind!(kind, change(context, tx, id, &tags, &[]))).await
    }
}

/// Removes tags.
pub struct UntagResource;

impl JsonOperation for UntagResource {
    const NAME: &'static str = "UntagResource";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[shapes::RESOURCE, shapes::TAG_KEYS];
    const FAULTS: &'static [FaultCode] = FAULTS;
    type Request = (String, Vec<String>);

    fn read(input: &Input<'_>) -> Result<Self::Request, Fault> {
        let keys = input.texts(shapes::TAG_KEYS.name).map(ToOwned::to_owned).collect();
        Ok((input.required(shapes::RESOURCE.name).to_owned(), keys))
    }

    async fn execute(context: &Context<'_>, (arn, keys): Self::Request) -> Result<Value, Fault> {
        let (kind, id) = named(context, &arn)?;
        context.change(|tx| by_kind!(kind, change(context, tx, id, &[], &keys))).await
    }
}

/// Lists them.
pub struct ListTagsForResource;

impl JsonOperation for ListTagsForResource {
    const NAME: &'static str = "ListTagsForResource";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[shapes::RESOURCE];
    const FAULTS: &'static [FaultCode] = FAULTS;
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        Ok(input.required(shapes::RESOURCE.name).to_owned())
    }

    async fn execute(context: &Context<'_>, arn: String) -> Result<Value, Fault> {
        let (kind, id) = named(context, &arn)?;
        let state = context.services.directory.snapshot();
        by_kind!(kind, list(context, &state, id))
    }
}
