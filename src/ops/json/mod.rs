//! Operations of AWS JSON services: described once, read and checked by that description.
//!
//! # Model
//!
//! An operation is a type that implements [`JsonOperation`]. Its [`INPUT`](JsonOperation::INPUT) is
//! what the service's model says of its members: [`Input::check`] holds a request against it before
//! the operation sees anything, and a test holds it against the model. The way of a request is that
//! of every operation: see [`dispatch`](super::dispatch).

mod input;
pub mod shape;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value};

pub use input::Input;
pub(in crate::ops) use input::invalid;
pub use shape::{Kind, Member};

use super::dispatch::{Step, carry_out};
use super::fault::{Fault, FaultCode};
use super::trail::About;
use super::{Context, Effect, Service, credentials};

/// An operation of a JSON service.
pub trait JsonOperation: 'static {
    /// The operation's name, such as `ListRoots`.
    const NAME: &'static str;
    /// The service it belongs to.
    const SERVICE: Service;
    /// What it does to the world.
    const EFFECT: Effect;
    /// Whether its model has an output shape: only then does an answer have a body.
    const HAS_OUTPUT: bool = true;
    /// The members of its input.
    const INPUT: &'static [Member];
    /// What it answers with besides what every operation of its service may.
    const FAULTS: &'static [FaultCode];

    /// What is asked, checked.
    type Request: Send + Sync;

    /// Reads a request whose members are as [`INPUT`](Self::INPUT) says.
    fn read(input: &Input<'_>) -> Result<Self::Request, Fault>;

    /// Does it, and answers with the members of its output.
    fn execute(
        context: &Context<'_>,
        request: Self::Request,
    ) -> impl Future<Output = Result<Value, Fault>> + Send;
}

/// The answer of an operation of a JSON service: its output, if it has one.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Value>, Fault>> + Send + 'a>>;

/// One operation, in a catalogue.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// The service it belongs to.
    pub service: Service,
    /// What it does to the world, and so how it is recorded.
    pub effect: Effect,
    /// Whether its answers have a body.
    pub has_output: bool,
    /// The members of its input.
    pub input: &'static [Member],
    /// What it answers with besides what every operation of its service may.
    pub faults: &'static [FaultCode],
    /// Runs it.
    pub run: for<'a> fn(&'a Context<'a>, &'a Map<String, Value>) -> Answer<'a>,
    /// Runs it as one of several that make one write: its caller keeps the records.
    pub step: for<'a> fn(&'a Context<'a>, &'a Map<String, Value>) -> Step<'a>,
}

/// The row of an operation.
pub const fn row<O: JsonOperation>() -> Row {
    Row {
        name: O::NAME,
        service: O::SERVICE,
        effect: O::EFFECT,
        has_output: O::HAS_OUTPUT,
        input: O::INPUT,
        faults: O::FAULTS,
        run: run::<O>,
        step: step::<O>,
    }
}

fn step<'a, O: JsonOperation>(context: &'a Context<'a>, body: &'a Map<String, Value>) -> Step<'a> {
    Box::pin(async move {
        credentials::check(context.identity()?, O::SERVICE, O::NAME)?;
        let request = O::read(&Input::check(body, O::INPUT)?)?;
        O::execute(context, request).await.map(drop)
    })
}

fn run<'a, O: JsonOperation>(context: &'a Context<'a>, body: &'a Map<String, Value>) -> Answer<'a> {
    Box::pin(async move {
        let about =
            About { service: O::SERVICE, name: O::NAME, read_only: O::EFFECT == Effect::Read };
        let read = || Input::check(body, O::INPUT).and_then(|input| O::read(&input));
        let execute = |request| O::execute(context, request);
        let output = carry_out(
            context,
            &about,
            O::EFFECT,
            read,
            |_| told(&Value::Object(body.clone())),
            execute,
            // What is read is not recorded: an answer may be long, and changed nothing.
            |output| if about.read_only { Value::Null } else { told(output) },
        )
        .await?;
        Ok(O::HAS_OUTPUT.then_some(output))
    })
}

/// What audit records tell of an input or output: as CloudTrail does, names begin with a small
/// letter, and what the models call sensitive is left out.
fn told(value: &Value) -> Value {
    const SENSITIVE: [&str; 8] = [
        "Email",
        "AccountName",
        "MasterAccountEmail",
        "Notes",
        "token",
        "secretAccessKey",
        "sessionToken",
        // No secret, but long.
        "crlData",
    ];
    const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    // A party of a handshake may be named by its address.
                    let address = name == "Id" && value.as_str().is_some_and(|it| it.contains('@'));
                    let of_notes = name == "Value" && members.get("Type") == Some(&"NOTES".into());
                    let hidden = address || of_notes || SENSITIVE.contains(&name.as_str());
                    (small(name), if hidden { HIDDEN.into() } else { told(value) })
                })
                .collect(),
        ),
        Value::Array(items) => items.iter().map(told).collect(),
        other => other.clone(),
    }
}

fn small(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
