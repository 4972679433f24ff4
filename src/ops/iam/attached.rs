//! Managed policies, attached by their ARN.
//!
//! Source: AWS IAM API reference, AttachUserPolicy and its kin.

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::access;
use super::holder::Holder;
use super::kind::{Kind as _, check_arn};
use super::page::{self, OfHolder, Page};
use crate::directory::Managed;
use crate::ops::fault::{Entity, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::policy::{Context as Keys, Value as KeyValue};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Gives a managed policy. One that is attached already stays attached.
pub struct Attach<H>(PhantomData<H>);
/// Takes a managed policy away.
pub struct Detach<H>(PhantomData<H>);
/// Lists the attached policies.
pub struct List<H>(PhantomData<H>);

/// Which policy, to or from whom.
pub struct Request {
    holder: String,
    arn: String,
}

impl Request {
    fn read<H: Holder>(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            holder: v.required(H::NAME_PARAM, &H::ATTACH_RULE).to_owned(),
            arn: v.required("PolicyArn", &rules::ARN).to_owned(),
        })
    }

    fn describe<H: Holder>(&self) -> Value {
        json!({ H::NAME_KEY: self.holder, "policyArn": self.arn })
    }

    fn add_keys<H: Holder>(&self, keys: &mut Keys, found: Option<&H>) {
        keys.insert("iam:PolicyARN", KeyValue::One(self.arn.clone()));
        access::add_boundary_of(keys, found);
    }
}

impl<H: Holder> Operation for Attach<H> {
    const NAME: &'static str = H::NAMES.attach;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        Request::read::<H>(params)
    }

    fn describe(request: &Request) -> Value {
        request.describe::<H>()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let add = |keys: &mut Keys, found: Option<&H>| request.add_keys(keys, found);
                let found = access::existing::<Self, H>(context, tx.state(), &request.holder, add)?;
                check_arn(&request.arn, Managed::KIND)?;
                let account = context.identity()?.account();
                if tx.state().managed_policy(account, &request.arn).is_none() {
                    return Err(Fault::no_such_entity(Entity::AttachedPolicy, &request.arn));
                }
                let mut holder = H::clone(&found);
                let attached = &mut holder.policies_mut().attached;
                if attached.insert(request.arn) {
                    H::attached(&context.services.quotas).check(attached.len())?;
                    tx.put(holder.into_entity());
                }
                Ok(())
            })
            .await
    }
}

impl<H: Holder> Operation for Detach<H> {
    const NAME: &'static str = H::NAMES.detach;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        Request::read::<H>(params)
    }

    fn describe(request: &Request) -> Value {
        request.describe::<H>()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let add = |keys: &mut Keys, found: Option<&H>| request.add_keys(keys, found);
                let found = access::existing::<Self, H>(context, tx.state(), &request.holder, add)?;
                check_arn(&request.arn, Managed::KIND)?;
                let mut holder = H::clone(&found);
                if !holder.policies_mut().attached.remove(&request.arn) {
                    return Err(Fault::no_such_entity(Entity::Policy, &request.arn));
                }
                tx.put(holder.into_entity());
                Ok(())
            })
            .await
    }
}

/// A page of the policies below a path.
pub struct ListRequest {
    of: OfHolder,
    prefix: String,
}

impl<H: Holder> Operation for List<H> {
    const NAME: &'static str = H::NAMES.list_attached;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = ListRequest;
    /// ARNs.
    type Response = Page<String>;

    fn read(params: &Params) -> Result<ListRequest, Fault> {
        params::read(params, |v| ListRequest {
            of: OfHolder::read::<H>(v, &H::ATTACH_RULE),
            prefix: v.optional("PathPrefix", &rules::POLICY_PATH).unwrap_or("/").to_owned(),
        })
    }

    fn describe(request: &ListRequest) -> Value {
        json!({ H::NAME_KEY: request.of.holder, "pathPrefix": request.prefix })
    }

    async fn execute(context: &Context<'_>, request: ListRequest) -> Result<Page<String>, Fault> {
        let state = context.services.directory.snapshot();
        let found = access::existing::<Self, H>(context, &state, &request.of.holder, |_, _| ())?;
        let attached = &found.policies().attached;
        let below = attached.iter().filter(|arn| path(arn).starts_with(&request.prefix)).cloned();
        let below = page::by_place(below);
        request.of.paging.page::<Self, _>(context, &found.key(), below)
    }

    fn write(response: &Page<String>, xml: &mut Xml) {
        write(xml, "AttachedPolicies", &response.items);
        response.write_end(xml);
    }
}

/// A list of attached policies, by their ARNs.
pub(super) fn write<'a>(
    xml: &mut Xml,
    name: &'static str,
    arns: impl IntoIterator<Item = &'a String>,
) {
    xml.list(name, arns, |xml, arn| {
        xml.text("PolicyName", arn.rsplit('/').next().unwrap_or_default());
        xml.text("PolicyArn", arn);
    });
}

/// The path of a managed policy, by its ARN: `/`, or `/division/team/`.
fn path(arn: &str) -> &str {
    let rest = arn.split_once(":policy").map_or("", |(_, rest)| rest);
    rest.rfind('/').and_then(|end| rest.get(..=end)).unwrap_or_default()
}
