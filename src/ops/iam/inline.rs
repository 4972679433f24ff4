//! Inline policies: they live and die with the entity that holds them.
//!
//! Source: AWS IAM API reference, PutUserPolicy and its kin.

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::access;
use super::holder::Holder;
use super::page::{OfHolder, Page};
use crate::directory::Document;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, Validator, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::policy::count_without_whitespace;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The most characters of the inline policies of one entity, white space included: as many as the
/// model allows one of them. The quotas do not count white space.
const MOST_CHARS: usize = 131_072;

/// Makes or replaces an inline policy.
pub struct Put<H>(PhantomData<H>);
/// Tells an inline policy.
pub struct Get<H>(PhantomData<H>);
/// Removes an inline policy.
pub struct Delete<H>(PhantomData<H>);
/// Lists the names of the inline policies.
pub struct List<H>(PhantomData<H>);

/// Refuses to delete an entity that has policies still, in AWS's order.
pub(super) fn check_none(holder: &impl Holder) -> Result<(), Fault> {
    if !holder.policies().attached.is_empty() {
        return Err(Fault::delete_conflict("must detach all policies first"));
    }
    if !holder.policies().inline.is_empty() {
        return Err(Fault::delete_conflict("must delete policies first"));
    }
    Ok(())
}

/// Which policy of whom.
pub struct Named {
    holder: String,
    policy: String,
}

impl Named {
    fn read<H: Holder>(v: &mut Validator<'_, '_>) -> Self {
        Self {
            holder: v.required(H::NAME_PARAM, &H::NAME_RULE).to_owned(),
            policy: v.required("PolicyName", &rules::NAME).to_owned(),
        }
    }

    fn describe<H: Holder>(&self) -> Value {
        json!({ H::NAME_KEY: self.holder, "policyName": self.policy })
    }

    fn not_found<H: Holder>(&self) -> Fault {
        Fault::no_such_entity(H::INLINE_POLICY, &self.policy)
    }
}

/// A policy to be put.
pub struct PutRequest {
    named: Named,
    document: String,
}

impl<H: Holder> Operation for Put<H> {
    const NAME: &'static str = H::NAMES.put;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = PutRequest;
    type Response = ();

    fn read(params: &Params) -> Result<PutRequest, Fault> {
        params::read(params, |v| PutRequest {
            named: Named::read::<H>(v),
            document: v.required("PolicyDocument", &rules::POLICY_DOCUMENT).to_owned(),
        })
    }

    fn describe(request: &PutRequest) -> Value {
        json!({
            H::NAME_KEY: request.named.holder,
            "policyName": request.named.policy,
            "policyDocument": request.document,
        })
    }

    async fn execute(context: &Context<'_>, request: PutRequest) -> Result<(), Fault> {
        let PutRequest { named, document } = request;
        // Parsed before it is the transaction's turn; told of only to who may know.
        let parsed = Document::parse(&document);
        context
            .change(|tx| {
                let found = access::existing::<Self, H>(
                    context,
                    tx.state(),
                    &named.holder,
                    access::add_boundary_of,
                )?;
                let parsed = parsed.map_err(|error| Fault::refused_policy(&error))?;
                let mut holder = H::clone(&found);
                let inline = &mut holder.policies_mut().inline;
                inline.insert(named.policy, parsed);
                let size = |document: &Document| count_without_whitespace(document.text());
                let whole = |document: &Document| document.text().chars().count();
                if inline.values().map(size).sum::<usize>() > H::INLINE_CHARS
                    || inline.values().map(whole).sum::<usize>() > MOST_CHARS
                {
                    return Err(too_large::<H>(holder.name()));
                }
                tx.put(holder.into_entity());
                Ok(())
            })
            .await
    }
}

fn too_large<H: Holder>(name: &str) -> Fault {
    let message =
        format!("Maximum policy size of {} bytes exceeded for {} {name}", H::INLINE_CHARS, H::KIND);
    Fault::new(FaultCode::LimitExceeded, message)
}

/// A policy that was found.
pub struct GetResponse {
    holder: String,
    policy: String,
    document: Document,
}

impl<H: Holder> Operation for Get<H> {
    const NAME: &'static str = H::NAMES.get;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Named;
    type Response = GetResponse;

    fn read(params: &Params) -> Result<Named, Fault> {
        params::read(params, Named::read::<H>)
    }

    fn describe(request: &Named) -> Value {
        request.describe::<H>()
    }

    async fn execute(context: &Context<'_>, request: Named) -> Result<GetResponse, Fault> {
        let state = context.services.directory.snapshot();
        let found = access::existing::<Self, H>(context, &state, &request.holder, |_, _| ())?;
        let document = found.policies().inline.get(&request.policy);
        let document = document.ok_or_else(|| request.not_found::<H>())?.clone();
        Ok(GetResponse { holder: found.name().to_owned(), policy: request.policy, document })
    }

    fn write(response: &GetResponse, xml: &mut Xml) {
        xml.text(H::NAME_PARAM, &response.holder);
        xml.text("PolicyName", &response.policy);
        xml.policy("PolicyDocument", response.document.text());
    }
}

impl<H: Holder> Operation for Delete<H> {
    const NAME: &'static str = H::NAMES.delete;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Named;
    type Response = ();

    fn read(params: &Params) -> Result<Named, Fault> {
        params::read(params, Named::read::<H>)
    }

    fn describe(request: &Named) -> Value {
        request.describe::<H>()
    }

    async fn execute(context: &Context<'_>, request: Named) -> Result<(), Fault> {
        context
            .change(|tx| {
                let found = access::existing::<Self, H>(
                    context,
                    tx.state(),
                    &request.holder,
                    access::add_boundary_of,
                )?;
                let mut holder = H::clone(&found);
                let removed = holder.policies_mut().inline.remove(&request.policy);
                removed.ok_or_else(|| request.not_found::<H>())?;
                tx.put(holder.into_entity());
                Ok(())
            })
            .await
    }
}

impl<H: Holder> Operation for List<H> {
    const NAME: &'static str = H::NAMES.list;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = OfHolder;
    type Response = Page<String>;

    fn read(params: &Params) -> Result<OfHolder, Fault> {
        params::read(params, |v| OfHolder::read::<H>(v, &H::NAME_RULE))
    }

    fn describe(request: &OfHolder) -> Value {
        request.describe::<H>()
    }

    async fn execute(context: &Context<'_>, request: OfHolder) -> Result<Page<String>, Fault> {
        let state = context.services.directory.snapshot();
        let found = access::existing::<Self, H>(context, &state, &request.holder, |_, _| ())?;
        let names = found.policies().inline.keys().map(|name| (name.clone(), name.clone()));
        request.paging.page::<Self, _>(context, &found.key(), names)
    }

    fn write(response: &Page<String>, xml: &mut Xml) {
        xml.texts("PolicyNames", &response.items);
        response.write_end(xml);
    }
}
