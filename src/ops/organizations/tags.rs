//! Tags of roots, units, accounts and policies.

use serde_json::Value;

use super::access::{Ask, Who, constraint, permit};
use super::page::Paging;
use super::{attachments, policies, shapes, views};
use crate::directory::organization::{Organization, PolicyRef, Target};
use crate::directory::{Entity, Organized, Tag, Transaction};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member, invalid};
use crate::ops::{Context, Effect, Service};
use crate::policy::fold;

/// At most this many tags on one thing.
const MAX_TAGS: usize = 50;

/// Reads `Tags`: at most 50, no key twice in whatever case, none of AWS's own.
pub(super) fn read(input: &Input<'_>) -> Result<Vec<Tag>, Fault> {
    let mut tags: Vec<Tag> = Vec::new();
    for it in input.structures("Tags") {
        let (key, value) = (it.required("Key").to_owned(), it.required("Value").to_owned());
        if fold(&key).starts_with("aws:") {
            return Err(invalid(
                "INVALID_SYSTEM_TAGS_PARAMETER",
                "You specified a tag key that is a system tag.",
            ));
        }
        if tags.iter().any(|tag| fold(&tag.key) == fold(&key)) {
            return Err(invalid("DUPLICATE_TAG_KEY", "You provided a tag key more than once."));
        }
        if tags.len() == MAX_TAGS {
            return Err(too_many());
        }
        tags.push(Tag { key, value });
    }
    Ok(tags)
}

fn too_many() -> Fault {
    constraint("MAX_TAG_LIMIT_EXCEEDED", format!("A resource has at most {MAX_TAGS} tags."))
}

/// Gives a new account its tags.
pub(super) fn begin_with(tx: &mut Transaction, account: AccountId, tags: Vec<Tag>) {
    if !tags.is_empty() {
        attachments::change(tx, &Target::Account(account), |_, own| *own = tags);
    }
}

/// What has tags.
enum Tagged {
    Target(Target),
    Policy(PolicyRef),
}

fn asked(organization: &Organization, state: &Organized, id: &str) -> Ask {
    if id.starts_with("p-") {
        return policies::asked(organization, state, id);
    }
    attachments::and_target(Ask::default(), organization, state, id)
}

/// What a request names, with its tags.
fn find(
    state: &Organized,
    organization: &Organization,
    id: &str,
) -> Result<(Tagged, Vec<Tag>), Fault> {
    if let Ok(target) = attachments::target(state, id) {
        let tags = match &target {
            Target::Root(_) => Some(&organization.tags),
            Target::Unit(id) => state.unit(id).map(|it| &it.tags),
            Target::Account(id) => state.member(*id).map(|it| &it.tags),
        };
        return Ok((Tagged::Target(target), tags.cloned().unwrap_or_default()));
    }
    let policy = PolicyRef::parse(id).ok().and_then(|reference| match reference {
        PolicyRef::Own(id) => {
            state.policy(&id).map(|it| (Tagged::Policy(reference), it.tags.clone()))
        }
        // AWS's own policies have none, and get none.
        _ => None,
    });
    policy.ok_or_else(|| {
        Fault::new(FaultCode::TargetNotFound, "You specified a target that doesn't exist.")
    })
}

fn put(tx: &mut Transaction, tagged: &Tagged, tags: Vec<Tag>) {
    match tagged {
        Tagged::Target(target) => attachments::change(tx, target, |_, own| *own = tags),
        Tagged::Policy(PolicyRef::Own(id)) => {
            if let Some(policy) = tx.state().organized().policy(id) {
                let mut policy = policy.as_ref().clone();
                policy.tags = tags;
                tx.put(Entity::ControlPolicy(policy));
            }
        }
        Tagged::Policy(_) => {}
    }
}

const ID: Member = Member::required("ResourceId", &shapes::TAGGABLE_ID);

/// Sets tags. One whose key is there already, in any case, is replaced.
pub struct TagResource;

/// Which tags on what.
pub struct Tagging {
    id: String,
    tags: Vec<Tag>,
}

impl JsonOperation for TagResource {
    const NAME: &'static str = "TagResource";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[ID, Member::required("Tags", &shapes::TAGS)];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::TargetNotFound,
        FaultCode::ConstraintViolation,
    ];
    type Request = Tagging;

    fn read(input: &Input<'_>) -> Result<Tagging, Fault> {
        Ok(Tagging { id: input.required(ID.name).to_owned(), tags: read(input)? })
    }

    async fn execute(context: &Context<'_>, request: Tagging) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    asked(it, state, &request.id).setting(&request.tags).of_resource()
                })?;
                let (tagged, mut tags) = find(state, &organization, &request.id)?;
                for new in request.tags {
                    match tags.iter_mut().find(|tag| fold(&tag.key) == fold(&new.key)) {
                        Some(tag) => *tag = new,
                        None => tags.push(new),
                    }
                }
                if tags.len() > MAX_TAGS {
                    return Err(too_many());
                }
                put(tx, &tagged, tags);
                Ok(Value::Null)
            })
            .await
    }
}

/// Removes tags. Those that are not there are no error.
pub struct UntagResource;

/// Which keys on what.
pub struct Untagging {
    id: String,
    keys: Vec<String>,
}

impl JsonOperation for UntagResource {
    const NAME: &'static str = "UntagResource";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[ID, Member::required("TagKeys", &shapes::TAG_KEYS)];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::TargetNotFound];
    type Request = Untagging;

    fn read(input: &Input<'_>) -> Result<Untagging, Fault> {
        let keys = input.texts("TagKeys").map(ToOwned::to_owned).collect();
        Ok(Untagging { id: input.required(ID.name).to_owned(), keys })
    }

    async fn execute(context: &Context<'_>, request: Untagging) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    asked(it, state, &request.id).untagging(&request.keys).of_resource()
                })?;
                let (tagged, mut tags) = find(state, &organization, &request.id)?;
                tags.retain(|tag| !request.keys.iter().any(|key| fold(key) == fold(&tag.key)));
                put(tx, &tagged, tags);
                Ok(Value::Null)
            })
            .await
    }
}

/// Lists tags.
pub struct ListTagsForResource;

/// Of what.
pub struct TagsOf {
    id: String,
    paging: Paging,
}

impl JsonOperation for ListTagsForResource {
    const NAME: &'static str = "ListTagsForResource";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[ID, shapes::next_token()];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::TargetNotFound];
    type Request = TagsOf;

    fn read(input: &Input<'_>) -> Result<TagsOf, Fault> {
        Ok(TagsOf { id: input.required(ID.name).to_owned(), paging: Paging::read(input) })
    }

    async fn execute(context: &Context<'_>, request: TagsOf) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let organization = permit::<Self>(context, &state, Who::Delegated, |it| {
            asked(it, organized, &request.id)
        })?;
        let (_, tags) = find(organized, &organization, &request.id)?;
        request.paging.page::<Self>(context, "Tags", &request.id, views::tags(&tags))
    }
}
