//! The way of every operation: intent, execution, outcome.
//!
//! INVARIANT: no credential leaves and no change is acknowledged before the audit log has accepted
//! the intent.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use super::fault::Fault;
use super::sts::get_session_token::limits_of_user_sessions;
use super::trail::{self, About};
use super::{Context, Effect, Operation};
use crate::audit::{EventId, Record, UserIdentity};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The answer of an operation of a Query service: the inside of its result element, if it has one.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Xml>, Fault>> + Send + 'a>>;

/// Runs one operation of a Query service.
pub fn run<'a, O: Operation>(context: &'a Context<'a>, params: &'a Params) -> Answer<'a> {
    Box::pin(async move {
        let about =
            About { service: O::SERVICE, name: O::NAME, read_only: O::EFFECT == Effect::Read };
        context.record_use(O::SERVICE.scope());
        // INVARIANT: without a signature there are only the operations that say so, and what those
        // require instead.
        let limits = if O::UNSIGNED {
            Ok(())
        } else {
            limits_of_user_sessions(context.identity()?, O::SERVICE, O::NAME)
        };
        let request = match limits.and_then(|()| O::read(params)) {
            Ok(request) => request,
            Err(fault) => {
                refused(context, &about, Value::Null, &fault).await;
                return Err(fault);
            }
        };
        let described = O::describe(&request);
        let asserted = match O::assert(context, &request).await {
            Ok(asserted) => asserted,
            Err(fault) => {
                refused(context, &about, described, &fault).await;
                return Err(fault);
            }
        };
        let caller = asserted.as_ref().unwrap_or(context.caller);
        let context = &Context { caller, ..*context };
        let identity = trail::user_identity(caller);
        let trail = Trail::begin(context, &about, O::EFFECT, identity, described).await?;
        let result = O::execute(context, request).await;
        let elements = match &result {
            Ok(response) => Ok(O::outcome(response)),
            Err(fault) => Err(fault),
        };
        let recorded = trail.end(context, elements).await;
        let response = result?;
        if O::EFFECT == Effect::Mint {
            // INVARIANT: without its outcome on record a credential is withheld.
            recorded?;
        }
        Ok(O::HAS_RESULT.then(|| {
            let mut xml = Xml::new();
            O::write(&response, &mut xml);
            xml
        }))
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
async fn refused(context: &Context<'_>, about: &About, described: Value, fault: &Fault) {
    let identity = trail::user_identity(context.caller);
    let trail = Trail::begin(context, about, Effect::Read, identity, described).await;
    if let Ok(trail) = trail {
        // What was refused changed nothing: the log says if its record was lost.
        let _ = trail.end(context, Err(fault)).await;
    }
}
