//! The organization's resource policy: there is none, and no operation that makes one.

use serde_json::Value;

use super::access::{Ask, Who, permit};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// The policy by which the management account would delegate to members: there is none.
pub struct DescribeResourcePolicy;

impl JsonOperation for DescribeResourcePolicy {
    const NAME: &'static str = "DescribeResourcePolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ResourcePolicyNotFound];
    type Request = ();

    fn read(_: &Input<'_>) -> Result<(), Fault> {
        Ok(())
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        permit::<Self>(context, &state, Who::Delegated, |_| Ask::default())?;
        Err(Fault::new(
            FaultCode::ResourcePolicyNotFound,
            "The organization has no resource policy.",
        ))
    }
}
