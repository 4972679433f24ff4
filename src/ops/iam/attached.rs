//! Managed policies, attached by their ARN.
//!
//! Source: AWS IAM API reference, AttachUserPolicy and its kin.

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::access;
use super::holder::Holder;
use crate::arn;
use crate::directory::managed;
use crate::ops::fault::{Entity, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::policy::{Context as Keys, Value as KeyValue};
use crate::wire::query::Params;

/// Gives a managed policy. One that is attached already stays attached.
pub struct Attach<H>(PhantomData<H>);
/// Takes a managed policy away.
pub struct Detach<H>(PhantomData<H>);

/// Which policy, to or from whom.
pub struct Request {
    holder: String,
    arn: String,
}

impl Request {
    fn read<H: Holder>(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            holder: v.required(H::NAME_PARAM, &rules::USER_OR_ROLE_NAME).to_owned(),
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

    fn check_arn(&self) -> Result<(), Fault> {
        // Not `Arn`: AWS's own policies have `aws` in the place of the account.
        let mut parts = self.arn.splitn(6, ':');
        let head = [parts.next(), parts.next(), parts.next(), parts.next()];
        let policy = parts.nth(1).is_some_and(|resource| resource.starts_with("policy/"));
        if head == [Some("arn"), Some(arn::PARTITION), Some("iam"), Some("")] && policy {
            return Ok(());
        }
        Err(Fault::invalid_input(format!("ARN {} is not valid.", self.arn)))
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
                request.check_arn()?;
                if managed::find(&request.arn).is_none() {
                    return Err(Fault::no_such_entity(Entity::AttachedPolicy, &request.arn));
                }
                let mut holder = H::clone(&found);
                let attached = &mut holder.policies_mut().attached;
                if attached.insert(request.arn) {
                    H::ATTACHED.check(attached.len())?;
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
                request.check_arn()?;
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
