//! Tags of entities.
//!
//! Source: AWS IAM API reference, TagUser and its kin; IAM User Guide, "Tags for IAM resources".

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::kind::{Kind, Tagged};
use super::page::{self, OfHolder, Page};
use super::{access, xml};
use crate::directory;
use crate::ops::fault::Fault;
use crate::ops::params::{self, TagFault, Validator, check_tag_keys, rules};
use crate::ops::{Context, Effect, Operation, Service, context};
use crate::policy::{Context as Keys, Value as KeyValue, fold};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// At most this many keys in a request.
const MAX_KEYS: usize = 50;

/// Sets tags. One whose key is there already, in any case, is replaced.
pub struct Tag<H>(PhantomData<H>);
/// Removes tags. Those that are not there are no error.
pub struct Untag<H>(PhantomData<H>);
/// Lists the tags, in the order they were given.
pub struct List<H>(PhantomData<H>);

/// Tags as they came, to be kept.
pub(super) fn owned(tags: &[params::Tag<'_>]) -> Vec<directory::Tag> {
    tags.iter()
        .map(|tag| directory::Tag { key: tag.key.to_owned(), value: tag.value.to_owned() })
        .collect()
}

/// Refuses tags whose keys are the same but for case, or AWS's own.
pub(super) fn check(tags: &[directory::Tag]) -> Result<(), Fault> {
    check_tag_keys(tags.iter().map(|tag| tag.key.as_str()), TagFault::Iam)
}

/// Tags to be set.
pub struct TagRequest {
    holder: String,
    tags: Vec<directory::Tag>,
}

impl<H: Tagged> Operation for Tag<H> {
    const NAME: &'static str = H::TAG;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = TagRequest;
    type Response = ();

    fn read(params: &Params) -> Result<TagRequest, Fault> {
        let request = params::read(params, |v| TagRequest {
            holder: holder::<H>(v),
            tags: owned(&v.required_tags("Tags")),
        })?;
        check(&request.tags)?;
        Ok(request)
    }

    fn describe(request: &TagRequest) -> Value {
        json!({ H::NAME_KEY: request.holder, "tags": xml::told_tags(&request.tags) })
    }

    async fn execute(context: &Context<'_>, request: TagRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let add = |keys: &mut Keys, found: Option<&H>| {
                    let tags = request.tags.iter();
                    let tags = tags.map(|tag| (tag.key.as_str(), tag.value.as_str()));
                    context::add_request_tags(keys, tags);
                    context::add_stored_tag_keys(keys, found.map_or(&[], H::tags));
                };
                let found = access::existing::<Self, H>(context, tx.state(), &request.holder, add)?;
                let mut changed = H::clone(&found);
                let tags = changed.tags_mut();
                for new in request.tags {
                    match tags.iter_mut().find(|tag| same_key(&tag.key, &new.key)) {
                        Some(tag) => *tag = new,
                        None => tags.push(new),
                    }
                }
                H::TAGS.check(tags.len())?;
                if changed.tags() != found.tags() {
                    tx.put(changed.into_entity());
                }
                Ok(())
            })
            .await
    }
}

/// The keys of tags to be removed.
pub struct UntagRequest {
    holder: String,
    keys: Vec<String>,
}

impl<H: Tagged> Operation for Untag<H> {
    const NAME: &'static str = H::UNTAG;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = UntagRequest;
    type Response = ();

    fn read(params: &Params) -> Result<UntagRequest, Fault> {
        params::read(params, |v| {
            let keys = v.required_texts("TagKeys", 0..=MAX_KEYS, &rules::TAG_KEY);
            UntagRequest {
                holder: holder::<H>(v),
                keys: keys.into_iter().map(ToOwned::to_owned).collect(),
            }
        })
    }

    fn describe(request: &UntagRequest) -> Value {
        json!({ H::NAME_KEY: request.holder, "tagKeys": request.keys })
    }

    async fn execute(context: &Context<'_>, request: UntagRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let add = |keys: &mut Keys, found: Option<&H>| {
                    keys.insert("aws:TagKeys", KeyValue::Many(request.keys.clone()));
                    context::add_stored_tag_keys(keys, found.map_or(&[], H::tags));
                };
                let found = access::existing::<Self, H>(context, tx.state(), &request.holder, add)?;
                let mut changed = H::clone(&found);
                let wanted =
                    |tag: &directory::Tag| !request.keys.iter().any(|key| same_key(key, &tag.key));
                changed.tags_mut().retain(wanted);
                if changed.tags() != found.tags() {
                    tx.put(changed.into_entity());
                }
                Ok(())
            })
            .await
    }
}

impl<H: Tagged> Operation for List<H> {
    const NAME: &'static str = H::LIST_TAGS;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = OfHolder;
    type Response = Page<directory::Tag>;

    fn read(params: &Params) -> Result<OfHolder, Fault> {
        params::read(params, |v| OfHolder::read::<H>(v, &H::NAME_RULE))
    }

    fn describe(request: &OfHolder) -> Value {
        request.describe::<H>()
    }

    async fn execute(
        context: &Context<'_>,
        request: OfHolder,
    ) -> Result<Page<directory::Tag>, Fault> {
        let state = context.services.directory.snapshot();
        let found = access::existing::<Self, H>(context, &state, &request.holder, |_, _| ())?;
        let tags = page::by_place(found.tags().iter().cloned());
        request.paging.page::<Self, _>(context, &found.key(), tags)
    }

    fn write(response: &Page<directory::Tag>, xml: &mut Xml) {
        xml.list("Tags", &response.items, xml::tag);
        response.write_end(xml);
    }
}

fn holder<H: Kind>(v: &mut Validator<'_, '_>) -> String {
    v.required(H::NAME_PARAM, &H::NAME_RULE).to_owned()
}

/// Keys of tags are compared without case, as policies do and where a list of them is read.
fn same_key(a: &str, b: &str) -> bool {
    fold(a) == fold(b)
}
