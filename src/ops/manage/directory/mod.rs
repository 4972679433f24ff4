//! An account's directory as files: planned, applied and exported.
//!
//! # Model
//!
//! A plan is the list of IAM operations that lead from what the account holds to what the files
//! say. To apply it is to run these operations, one after another, in one write of the directory:
//! all of them or none.
//!
//! # Trust boundary
//!
//! INVARIANT (no widening): each operation is the one that the IAM API serves, asks for the
//! caller's permission as it does there, and checks its parameters as it does there. The right to
//! apply alone changes nothing, and the files give nobody a right that the caller could not give.

mod export;
mod holders;
mod order;
mod plan;
mod prune;
mod steps;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::{ApplyRequest, DirectoryFile, Plan, PlanStep};
use crate::directory::{Snapshot, Transaction};
use crate::ops::authorize::Ask;
use crate::ops::dispatch::Trail;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::sts::get_session_token::limits_of_user_sessions;
use crate::ops::trail::{self, About};
use crate::ops::{Context, Effect, Service, catalog, write_fault};
use crate::wire::query::Params;
use steps::Step;

/// What a caller must be allowed to see a plan or an export: it tells everything.
pub const EXPORT: &str = "countersign:ExportDirectory";
/// What a caller must be allowed to apply, besides every step.
pub const APPLY: &str = "countersign:ApplyDirectory";

/// What the caller's account holds.
pub async fn export(context: &Context<'_>) -> Result<DirectoryFile, Fault> {
    let about = About { service: Service::Countersign, name: "ExportDirectory", read_only: true };
    recorded(context, &about, Effect::Read, Value::Null, async {
        let state = context.services.directory.snapshot();
        authorize(context, &state, EXPORT)?;
        Ok(export::export(&state, context.identity()?.account()))
    })
    .await
}

/// What would have to be done.
pub async fn plan(context: &Context<'_>, request: &ApplyRequest) -> Result<Plan, Fault> {
    let about = About { service: Service::Countersign, name: "PlanDirectory", read_only: true };
    let described = json!({ "prune": request.prune });
    recorded(context, &about, Effect::Read, described, async {
        let state = context.services.directory.snapshot();
        authorize(context, &state, EXPORT)?;
        told(context, &steps_to(context, &state, request)?, None)
    })
    .await
}

/// Does it, all or nothing.
pub async fn apply(context: &Context<'_>, request: &ApplyRequest) -> Result<Plan, Fault> {
    let about = About { service: Service::Countersign, name: "ApplyDirectory", read_only: false };
    let described = json!({ "prune": request.prune, "plan": request.plan });
    recorded(context, &about, Effect::Write, described, async {
        let (steps, version) = context
            .services
            .directory
            .write(|tx| {
                authorize(context, tx.state(), EXPORT)?;
                authorize(context, tx.state(), APPLY)?;
                let steps = steps_to(context, tx.state(), request)?;
                if request.plan.as_ref().is_some_and(|agreed| *agreed != id(&steps)) {
                    return Err(Fault::new(
                        FaultCode::ConcurrentModification,
                        "The directory was changed since the plan was made: plan again.",
                    ));
                }
                carry_out(context, tx, &steps)?;
                Ok(steps)
            })
            .await
            .map_err(write_fault)?;
        told(context, &steps, Some(version))
    })
    .await
}

async fn recorded<T: serde::Serialize>(
    context: &Context<'_>,
    about: &About,
    effect: Effect,
    described: Value,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let identity = trail::user_identity(context.caller);
    let trail = Trail::begin(context, about, effect, identity, described).await?;
    let result = work.await;
    let elements = match &result {
        // What was read is not repeated in the records.
        Ok(_) if effect == Effect::Read => Ok(Value::Null),
        Ok(value) => Ok(serde_json::to_value(value).unwrap_or_default()),
        Err(fault) => Err(fault),
    };
    // A change has its intent on record, and stands whether or not its outcome is.
    let _ = trail.end(context, elements).await;
    result
}

fn authorize(context: &Context<'_>, state: &Snapshot, action: &str) -> Result<(), Fault> {
    let identity = context.identity()?;
    // It tells what IAM tells: whoever may not call that does not get it here.
    limits_of_user_sessions(identity, Service::Iam, action)?;
    let owner = identity.account();
    let resource = format!("arn:aws:countersign::{owner}:directory");
    context.authorize(state, &Ask { action, resource: &resource, owner }, |_| ())
}

fn steps_to(
    context: &Context<'_>,
    state: &Snapshot,
    request: &ApplyRequest,
) -> Result<Vec<Step>, Fault> {
    let identity = context.identity()?;
    let own = identity.unique_id();
    plan::plan(state, identity.account(), &request.directory, request.prune.then_some(own))
}

/// Runs the steps on the transaction; it is left as it was when one is refused.
fn carry_out(context: &Context<'_>, tx: &mut Transaction, steps: &[Step]) -> Result<(), Fault> {
    let batch = Mutex::new(tx.fork());
    let inner = Context {
        services: context.services,
        caller: context.caller,
        facts: context.facts,
        batch: Some(&batch),
    };
    for step in steps {
        let row = catalog::find(&step.action, Some(Service::Iam.version()))
            .ok_or_else(|| Fault::internal(format!("there is no operation {}", step.action)))?;
        let params = Params::of(&step.parameters).map_err(|error| {
            Fault::validation(format!("{}: {}: {error}.", step.what, step.action))
        })?;
        at_once((row.step)(&inner, &params)).map_err(|fault| fault.during(&step.describe()))?;
    }
    *tx = batch.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(())
}

/// The result of a future that waits for nothing: in a batch an operation has nothing to wait for.
fn at_once<T>(
    mut future: Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + '_>>,
) -> Result<T, Fault> {
    match future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Fault::internal("an operation waited in the middle of a batch")),
    }
}

fn told(context: &Context<'_>, steps: &[Step], version: Option<u64>) -> Result<Plan, Fault> {
    let tell = |step: &Step| PlanStep {
        change: step.change,
        what: step.what.clone(),
        action: format!("iam:{}", step.action),
    };
    Ok(Plan {
        account: context.identity()?.account().to_string(),
        plan: id(steps),
        steps: steps.iter().map(tell).collect(),
        version,
    })
}

/// What stands for these steps: a digest of all that they do.
fn id(steps: &[Step]) -> String {
    let mut digest = Sha256::new();
    for step in steps {
        for (name, value) in std::iter::once(("", step.action.as_str())).chain(step.pairs()) {
            for text in [name, value] {
                digest.update((text.len() as u64).to_be_bytes());
                digest.update(text);
            }
        }
    }
    data_encoding::HEXLOWER.encode(&digest.finalize())
}
