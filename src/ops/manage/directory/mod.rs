//! An account's directory as files: planned, applied and exported.
//!
//! # Model
//!
//! A plan is the list of operations of IAM, and of Organizations, that lead from what the account
//! holds to what the files say. To apply it is to run these operations, one after another, in one
//! write of the directory: all of them or none. A plan is tried the same way, and not kept: it tells
//! which step would be refused.
//!
//! # Trust boundary
//!
//! INVARIANT (no widening): each operation is the one that the API serves, asks for the
//! caller's permission as it does there, and checks its parameters as it does there. The right to
//! apply alone changes nothing, and the files give nobody a right that the caller could not give.

mod export;
mod holders;
mod mistakes;
mod order;
mod organization;
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

use crate::api::{ApplyRequest, DirectoryFile, Plan, PlanProblem, PlanStep};
use crate::directory::{Snapshot, Transaction};
use crate::ops::authorize::Ask;
use crate::ops::dispatch::Trail;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::trail::{self, About};
use crate::ops::{Context, Effect, Service, catalog, credentials, organizations, write_fault};
use crate::wire::query::Params;
use mistakes::Mistakes;
use steps::{Parameters, Step};

/// What a caller must be allowed to see a plan or an export: it tells everything.
pub const EXPORT: &str = "countersign:ExportDirectory";
/// What a caller must be allowed to apply, besides every step.
pub const APPLY: &str = "countersign:ApplyDirectory";

/// What the caller's account holds.
pub async fn export(context: &Context<'_>) -> Result<DirectoryFile, Fault> {
    let about = About { service: Service::Countersign, name: "ExportDirectory", read_only: true };
    recorded(context, &about, Effect::Read, Value::Null, async {
        let state = context.services.directory.snapshot();
        authorize(context, &state, EXPORT, "directory")?;
        let file = export::export(&state, context.identity()?.account());
        if file.organization.is_some() {
            authorize(context, &state, EXPORT, "organization")?;
        }
        Ok(file)
    })
    .await
}

/// What would have to be done.
pub async fn plan(context: &Context<'_>, request: &ApplyRequest) -> Result<Plan, Fault> {
    let about = About { service: Service::Countersign, name: "PlanDirectory", read_only: true };
    let described = json!({ "prune": request.prune });
    recorded(context, &about, Effect::Read, described, async {
        let mut trial = context.services.directory.trial();
        authorize_all(context, trial.state(), EXPORT, request)?;
        let steps = steps_to(context, trial.state(), request)?;
        let mut plan = told(context, &steps, None)?;
        if let Err(refused) = carry_out(context, &mut trial, &steps) {
            let mut problems = refused.into_iter().map(|(step, fault)| PlanProblem {
                what: step.what.clone(),
                action: step.full_action(),
                code: fault.code().as_str().to_owned(),
                message: fault.message().to_owned(),
            });
            plan.problem = problems.next();
            plan.more_problems = problems.collect();
        }
        Ok(plan)
    })
    .await
}

/// Does it, all or nothing.
pub async fn apply(context: &Context<'_>, request: &ApplyRequest) -> Result<Plan, Fault> {
    let about = About { service: Service::Countersign, name: "ApplyDirectory", read_only: false };
    let described = json!({ "prune": request.prune, "plan": request.plan });
    recorded(context, &about, Effect::Write, described, async {
        let at = |state: &Snapshot| (state.epoch(), state.version());
        let (planned_at, steps) = {
            let state = context.services.directory.snapshot();
            authorize_all(context, &state, EXPORT, request)?;
            authorize_all(context, &state, APPLY, request)?;
            (at(&state), steps_to(context, &state, request)?)
        };
        let planned = id(&steps);
        if request.plan.as_ref().is_some_and(|agreed| *agreed != planned) {
            return Err(changed());
        }
        let trails = trails(context, &steps).await?;
        let done = context
            .services
            .directory
            .write(|tx| {
                authorize_all(context, tx.state(), EXPORT, request)?;
                authorize_all(context, tx.state(), APPLY, request)?;
                // INVARIANT (intent before effect): what is done is what stands on record. So the
                // plan had to be made before; it is made again if the directory has changed since.
                if at(tx.state()) != planned_at
                    && id(&steps_to(context, tx.state(), request)?) != planned
                {
                    return Err(changed());
                }
                carry_out(context, tx, &steps).map_err(|refused| {
                    let during = |(step, fault): (&Step, Fault)| fault.during(&step.describe());
                    let refused = Mistakes::of(refused.into_iter().map(during));
                    refused.settle().err().unwrap_or_else(changed)
                })
            })
            .await
            .map_err(write_fault);
        // What was changed stands whether or not its outcome is on record.
        let _ = Trail::end_all(context, trails, done.as_ref().map(|_| ())).await;
        let ((), version) = done?;
        told(context, &steps, Some(version))
    })
    .await
}

fn changed() -> Fault {
    Fault::new(
        FaultCode::ConcurrentModification,
        "The directory was changed since the plan was made: plan again.",
    )
}

/// Puts every step on record, with its parameters, as the API would.
///
/// # Errors
/// `ServiceUnavailable` if the audit log did not accept them. Nothing has been done then.
async fn trails(context: &Context<'_>, steps: &[Step]) -> Result<Vec<Trail>, Fault> {
    let mut changes = Vec::with_capacity(steps.len());
    for step in steps {
        let (service, name) = match &step.parameters {
            Parameters::Iam(_) => {
                let row = catalog::find(&step.action, Some(Service::Iam.version()));
                (Service::Iam, row.map(|row| row.name))
            }
            Parameters::Organizations(_) => {
                let row = organizations::ROWS.iter().find(|row| row.name == step.action);
                (Service::Organizations, row.map(|row| row.name))
            }
        };
        let name = name.ok_or_else(|| missing(step))?;
        let about = About { service, name, read_only: false };
        let parameters = step.texts().into_iter().map(|(name, text)| (name, text.into()));
        changes.push((about, Value::Object(parameters.collect())));
    }
    Trail::begin_all(context, changes).await
}

fn missing(step: &Step) -> Fault {
    Fault::internal(format!("there is no operation {}", step.action))
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

/// The organization is a resource of its own: who may see or change an account's directory need
/// not see or change what limits every account.
fn authorize_all(
    context: &Context<'_>,
    state: &Snapshot,
    action: &str,
    request: &ApplyRequest,
) -> Result<(), Fault> {
    authorize(context, state, action, "directory")?;
    if request.directory.organization.is_some() {
        authorize(context, state, action, "organization")?;
    }
    Ok(())
}

fn authorize(
    context: &Context<'_>,
    state: &Snapshot,
    action: &str,
    what: &str,
) -> Result<(), Fault> {
    let identity = context.identity()?;
    // It tells what IAM tells: whoever may not call that does not get it here.
    credentials::check(identity, Service::Iam, action)?;
    let owner = identity.account();
    let resource = format!("arn:aws:countersign::{owner}:{what}");
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

/// Steps that were refused, and what with.
type Refusals<'s> = Vec<(&'s Step, Fault)>;

/// Runs the steps on the transaction; it is left as it was when one is refused.
///
/// # Errors
/// The steps that were refused.
fn carry_out<'s>(
    context: &Context<'_>,
    tx: &mut Transaction,
    steps: &'s [Step],
) -> Result<(), Refusals<'s>> {
    let batch = Mutex::new(tx.fork());
    let inner = within(context, &batch);
    if steps.iter().any(|step| run(&inner, &batch, step).is_err()) {
        return Err(refusals(context, tx, steps));
    }
    *tx = batch.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(())
}

/// The steps that are refused, up to as many as are told: the others are carried out in their order.
/// Not told is what may be refused for the sake of another: what is about something that was not
/// made, and what does not find what it names.
fn refusals<'s>(context: &Context<'_>, tx: &Transaction, steps: &'s [Step]) -> Refusals<'s> {
    let batch = Mutex::new(tx.fork());
    let inner = within(context, &batch);
    let lock = || batch.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = Refusals::new();
    for step in steps {
        if found.iter().any(|(refused, _)| step.hangs_on(refused)) {
            continue;
        }
        let mark = lock().mark();
        let Err(fault) = run(&inner, &batch, step) else { continue };
        lock().back_to(mark);
        if found.is_empty() || fault.code() != FaultCode::NoSuchEntity {
            found.push((step, fault));
        }
        if found.len() == mistakes::MOST {
            break;
        }
    }
    found
}

/// The context of operations that make one write together.
fn within<'a>(context: &Context<'a>, batch: &'a Mutex<Transaction>) -> Context<'a> {
    Context { batch: Some(batch), ..*context }
}

fn run(context: &Context<'_>, batch: &Mutex<Transaction>, step: &Step) -> Result<(), Fault> {
    let missing = || missing(step);
    match &step.parameters {
        Parameters::Iam(pairs) => {
            let row = catalog::find(&step.action, Some(Service::Iam.version()));
            let params = Params::of(pairs).map_err(|error| {
                Fault::validation(format!("{}: {}: {error}.", step.what, step.action))
            })?;
            at_once((row.ok_or_else(missing)?.step)(context, &params))
        }
        Parameters::Organizations(fields) => {
            let row = organizations::ROWS.iter().find(|row| row.name == step.action);
            let input = {
                let tx = batch.lock().unwrap_or_else(PoisonError::into_inner);
                organization::input(tx.state().organized(), fields)?
            };
            at_once((row.ok_or_else(missing)?.step)(context, &input))
        }
    }
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
        action: step.full_action(),
    };
    Ok(Plan {
        account: context.identity()?.account().to_string(),
        plan: id(steps),
        steps: steps.iter().map(tell).collect(),
        version,
        problem: None,
        more_problems: Vec::new(),
    })
}

/// What stands for these steps: a digest of all that they do.
fn id(steps: &[Step]) -> String {
    let mut digest = Sha256::new();
    for step in steps {
        let action = (String::new(), step.full_action());
        for text in std::iter::once(action).chain(step.texts()).flat_map(|(a, b)| [a, b]) {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
    }
    data_encoding::HEXLOWER.encode(&digest.finalize())
}
