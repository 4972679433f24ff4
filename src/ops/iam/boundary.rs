//! Permissions boundaries: managed policies that limit what an entity's own policies give it.
//!
//! Source: AWS IAM API reference, PutUserPermissionsBoundary and its kin.

use std::marker::PhantomData;

use serde_json::{Value, json};

use super::access;
use super::holder::Bounded;
use crate::directory::Snapshot;
use crate::id::AccountId;
use crate::ops::fault::{Entity, Fault, FaultCode};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::policy::Context as Keys;
use crate::wire::query::Params;

/// Sets the boundary, in the place of one that is there.
pub struct Put<H>(PhantomData<H>);
/// Removes the boundary.
pub struct Delete<H>(PhantomData<H>);

/// Refuses a boundary that is no managed policy.
pub(super) fn check(state: &Snapshot, account: AccountId, arn: Option<&str>) -> Result<(), Fault> {
    match arn {
        Some(arn) if state.managed_policy(account, arn).is_none() => Err(Fault::new(
            FaultCode::NoSuchEntity,
            format!("Scope ARN: {arn} does not exist or is not attachable."),
        )),
        _ => Ok(()),
    }
}

/// Which boundary, for whom.
pub struct PutRequest {
    holder: String,
    arn: String,
}

impl<H: Bounded> Operation for Put<H> {
    const NAME: &'static str = H::PUT_BOUNDARY;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = PutRequest;
    type Response = ();

    fn read(params: &Params) -> Result<PutRequest, Fault> {
        params::read(params, |v| PutRequest {
            holder: v.required(H::NAME_PARAM, &rules::USER_OR_ROLE_NAME).to_owned(),
            arn: v.required("PermissionsBoundary", &rules::ARN).to_owned(),
        })
    }

    fn describe(request: &PutRequest) -> Value {
        json!({ H::NAME_KEY: request.holder, "permissionsBoundary": request.arn })
    }

    async fn execute(context: &Context<'_>, request: PutRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                // The condition is about the boundary that is to be, not the one that is.
                let add = |keys: &mut Keys, _: Option<&H>| {
                    access::add_boundary(keys, Some(&request.arn));
                };
                let found = access::existing::<Self, H>(context, tx.state(), &request.holder, add)?;
                check(tx.state(), context.identity()?.account(), Some(&request.arn))?;
                let mut holder = H::clone(&found);
                holder.policies_mut().boundary = Some(request.arn);
                tx.put(holder.into_entity());
                Ok(())
            })
            .await
    }
}

/// Whose boundary.
pub struct DeleteRequest {
    holder: String,
}

impl<H: Bounded> Operation for Delete<H> {
    const NAME: &'static str = H::DELETE_BOUNDARY;
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = DeleteRequest;
    type Response = ();

    fn read(params: &Params) -> Result<DeleteRequest, Fault> {
        params::read(params, |v| DeleteRequest {
            holder: v.required(H::NAME_PARAM, &rules::USER_OR_ROLE_NAME).to_owned(),
        })
    }

    fn describe(request: &DeleteRequest) -> Value {
        json!({ H::NAME_KEY: request.holder })
    }

    async fn execute(context: &Context<'_>, request: DeleteRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let found = access::existing::<Self, H>(
                    context,
                    tx.state(),
                    &request.holder,
                    access::add_boundary_of,
                )?;
                let mut holder = H::clone(&found);
                if holder.policies_mut().boundary.take().is_none() {
                    return Err(Fault::no_such_entity(
                        Entity::PermissionsBoundary,
                        &request.holder,
                    ));
                }
                tx.put(holder.into_entity());
                Ok(())
            })
            .await
    }
}
