//! The way of every operation: intent, execution, outcome.
//!
//! INVARIANT: no credential leaves and no change is acknowledged before the audit log has accepted
//! the intent.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::fault::Fault;
use super::trail::{self, About};
use super::{Context, Effect, Operation, credentials};
use crate::audit::{EventId, Record, UserIdentity};
use crate::authn::Caller;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The answer of an operation of a Query service: the inside of its result element, if it has one.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Xml>, Fault>> + Send + 'a>>;

/// Runs one operation of a Query service.
pub fn run<'a, O: Operation>(context: &'a Context<'a>, params: &'a Params) -> Answer<'a> {
    Box::pin(async move {
        let about =
            About { service: O::SERVICE, name: O::NAME, read_only: O::EFFECT == Effect::Read };
        let read = || O::read(params);
        let execute = async |context: &Context<'_>, request| O::execute(context, request).await;
        let response = if O::UNSIGNED {
            let read = || read().map(|request| (O::describe(&request), request));
            let prove = async |request| {
                let caller = O::assert(context, &request).await?;
                Ok((caller, request))
            };
            carry_out_unsigned(context, &about, O::EFFECT, read, prove, execute, O::outcome).await?
        } else {
            let execute = |request| execute(context, request);
            carry_out(context, &about, O::EFFECT, read, O::describe, execute, O::outcome).await?
        };
        Ok(O::HAS_RESULT.then(|| {
            let mut xml = Xml::new();
            O::write(&response, &mut xml);
            xml
        }))
    })
}

/// Room for requests that come without a signature, among all that may be in work.
///
/// INVARIANT: strangers keep no signed request out. They may have to wait for an issuer's keys, and
/// anybody may send what has to.
pub struct Strangers(Semaphore);

impl Strangers {
    /// Half of the requests that may be in work at once.
    #[must_use]
    pub fn among(requests: usize) -> Self {
        Self(Semaphore::new((requests / 2).max(1)))
    }

    /// A place for one, as long as it is held.
    ///
    /// # Errors
    /// `ServiceUnavailable` if there is none.
    pub(super) fn place(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.0.try_acquire().map_err(|_| {
            Fault::unavailable("half of all requests in work come without a signature")
        })
    }
}

/// The most characters of what somebody who has proven nothing may leave on record of one parameter.
const BRIEF: usize = 256;
/// The parameters that are recorded of it.
const NAMING: &[&str] = &["roleArn", "principalArn", "clusterName", "trustAnchorArn", "profileArn"];

/// What is recorded of a request without a proof: which role and provider it named.
///
/// INVARIANT: nobody fills the log's disk with texts of his own. Nothing is minted without a log.
fn brief(described: Value) -> Value {
    let Value::Object(mut described) = described else { return Value::Null };
    described.retain(|name, _| NAMING.contains(&name.as_str()));
    for value in described.values_mut() {
        if let Value::String(text) = value
            && let Some((end, _)) = text.char_indices().nth(BRIEF)
        {
            text.truncate(end);
        }
    }
    Value::Object(described)
}

/// Carries one signed operation out, whatever protocol it came by: reads it, records the intent if
/// it has one, executes it, records the outcome.
pub(super) async fn carry_out<Request, Response, Executing>(
    context: &Context<'_>,
    about: &About,
    effect: Effect,
    read: impl FnOnce() -> Result<Request, Fault>,
    describe: impl FnOnce(&Request) -> Value,
    execute: impl FnOnce(Request) -> Executing,
    outcome: impl FnOnce(&Response) -> Value,
) -> Result<Response, Fault>
where
    Executing: Future<Output = Result<Response, Fault>>,
{
    context.record_use(about.service.scope());
    let read =
        credentials::check(context.identity()?, about.service, about.name).and_then(|()| read());
    let request = read_or_refuse(context, about, read).await?;
    let described = describe(&request);
    recorded(context, about, effect, request, described, execute, outcome).await
}

/// Carries one operation out that comes without the signature of an access key, whatever protocol it
/// came by: whom it is from, `prove` finds out by what it holds.
///
/// In this order: room for it among strangers; `read`, which also tells what is recorded of it; the
/// proof; and then as any other, by the caller that was proven.
///
/// INVARIANT: without a signature there are only the operations that say so, and what those require
/// instead.
pub(super) async fn carry_out_unsigned<Request, Proven, Response>(
    context: &Context<'_>,
    about: &About,
    effect: Effect,
    read: impl FnOnce() -> Result<(Value, Request), Fault>,
    prove: impl AsyncFnOnce(Request) -> Result<(Caller, Proven), Fault>,
    execute: impl AsyncFnOnce(&Context<'_>, Proven) -> Result<Response, Fault>,
    outcome: impl FnOnce(&Response) -> Value,
) -> Result<Response, Fault> {
    let _place = context.services.strangers.place()?;
    let (described, request) = read_or_refuse(context, about, read()).await?;
    let (caller, proven) = match prove(request).await {
        Ok(proven) => proven,
        Err(fault) => {
            refused(context, about, brief(described), &fault).await;
            return Err(fault);
        }
    };
    let context = &Context { caller: &caller, ..*context };
    let execute = |proven| execute(context, proven);
    recorded(context, about, effect, proven, described, execute, outcome).await
}

/// Executes between intent and outcome.
async fn recorded<Request, Response, Executing>(
    context: &Context<'_>,
    about: &About,
    effect: Effect,
    request: Request,
    described: Value,
    execute: impl FnOnce(Request) -> Executing,
    outcome: impl FnOnce(&Response) -> Value,
) -> Result<Response, Fault>
where
    Executing: Future<Output = Result<Response, Fault>>,
{
    let identity = trail::user_identity(context.caller);
    let trail = Trail::begin(context, about, effect, identity, described).await?;
    let result = execute(request).await;
    let elements = match &result {
        Ok(response) => Ok(outcome(response)),
        Err(fault) => Err(fault),
    };
    let recorded = trail.end(context, elements).await;
    let response = result?;
    if effect == Effect::Mint {
        // INVARIANT: without its outcome on record a credential is withheld.
        recorded?;
    }
    Ok(response)
}

/// A request that was read, or the record that it could not be.
pub(super) async fn read_or_refuse<Request>(
    context: &Context<'_>,
    about: &About,
    read: Result<Request, Fault>,
) -> Result<Request, Fault> {
    match read {
        Ok(request) => Ok(request),
        Err(fault) => {
            refused(context, about, Value::Null, &fault).await;
            Err(fault)
        }
    }
}

/// The end of an operation whose answer nobody reads.
pub type Step<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// Runs one operation without records of its own.
pub fn step<'a, O: Operation>(context: &'a Context<'a>, params: &'a Params) -> Step<'a> {
    Box::pin(async move {
        credentials::check(context.identity()?, O::SERVICE, O::NAME)?;
        O::execute(context, O::read(params)?).await.map(drop)
    })
}

/// The records of one request.
pub struct Trail {
    /// The record to be completed with the outcome.
    record: Record,
    has_intent: bool,
}

impl Trail {
    /// Records the intent, if the operation has one.
    ///
    /// # Errors
    /// `ServiceUnavailable` if the audit log did not accept it. Nothing has been done then.
    pub async fn begin(
        context: &Context<'_>,
        about: &About,
        effect: Effect,
        identity: UserIdentity,
        described: Value,
    ) -> Result<Self, Fault> {
        let event = trail::event(context, about).map_err(Fault::internal)?;
        let has_intent = effect != Effect::Read;
        let make = if has_intent { Record::intent } else { Record::single };
        let record =
            trail::with_caller(make(event, identity), context.caller).request_parameters(described);
        if has_intent {
            let accepted = context.services.audit.accept(record.clone()).await;
            accepted.map_err(|error| Fault::unavailable(format!("audit intent: {error}")))?;
        }
        Ok(Self { record, has_intent })
    }

    /// Records the outcome.
    ///
    /// # Errors
    /// `ServiceUnavailable` if the audit log did not accept it. What was done stays done.
    pub async fn end(
        self,
        context: &Context<'_>,
        result: Result<Value, &Fault>,
    ) -> Result<(), Fault> {
        let record = if self.has_intent {
            let id = EventId::generate(&*context.services.random).map_err(Fault::internal)?;
            self.record.outcome(id, context.services.clock.now())
        } else {
            self.record
        };
        let record = match result {
            Ok(elements) => record.response_elements(elements),
            Err(fault) => trail::with_fault(record, fault),
        };
        context.services.audit.accept(record).await.map_err(|error| {
            tracing::error!(%error, request_id = %context.facts.request_id, "an audit outcome was not accepted");
            Fault::unavailable(format!("audit outcome: {error}"))
        })
    }
}

/// Records a request that was refused before it was understood.
pub(super) async fn refused(context: &Context<'_>, about: &About, described: Value, fault: &Fault) {
    let identity = trail::user_identity(context.caller);
    let trail = Trail::begin(context, about, Effect::Read, identity, described).await;
    if let Ok(trail) = trail {
        // What was refused changed nothing: the log says if its record was lost.
        let _ = trail.end(context, Err(fault)).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ops::fault::FaultCode;

    #[test]
    fn strangers_have_half_of_the_room() {
        let strangers = Strangers::among(4);
        let first = strangers.place().unwrap();
        let second = strangers.place().unwrap();
        assert_eq!(strangers.place().unwrap_err().code(), FaultCode::ServiceUnavailable);
        drop((first, second));
        assert!(strangers.place().is_ok() && Strangers::among(1).place().is_ok());
    }

    #[test]
    fn who_proves_nothing_leaves_little_on_record() {
        let long = "é".repeat(2000);
        let described = json!({
            "roleArn": long, "principalArn": "arn", "durationSeconds": 900, "policy": long,
            "policyArns": vec![long.clone(); 10],
        });
        assert_eq!(brief(described), json!({ "roleArn": "é".repeat(256), "principalArn": "arn" }));
        assert_eq!(brief(Value::Null), Value::Null);
    }
}
