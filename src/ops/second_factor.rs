//! Codes of MFA devices, held against them.
//!
//! INVARIANT: what a code does is decided within the write that notes that it was used. Of any
//! number of uses of one code, at once or one after another, before a crash or after it, one is
//! good. A wrong code is noted too, before it is answered. As long as a device is nobody's, what
//! one principal gets wrong is not held against another.

use super::Context;
use super::fault::Fault;
use crate::directory::{Entity, MfaDevice, Transaction};
use crate::mfa::{Code, step_at};
use crate::seal::stored;

/// What was typed.
pub(super) enum Typed<'a> {
    /// A code.
    One(&'a Code),
    /// Two codes that follow one another: they tell the device's drift.
    Two(&'a Code, &'a Code),
}

/// What came of it.
pub(super) enum Attempt {
    /// The device as it is to be kept: the code is used.
    Good(Box<MfaDevice>),
    /// It was noted.
    Wrong,
    /// It was not looked at: there were too many before it. Seconds to wait.
    TooMany(i64),
}

/// Holds what was typed against a device. What is good is put by whoever asked, in this write.
pub(super) fn attempt(
    context: &Context<'_>,
    tx: &mut Transaction,
    device: &MfaDevice,
    typed: &Typed<'_>,
) -> Result<Attempt, Fault> {
    let now = context.facts.now;
    let who = context.identity()?.unique_id();
    if let Some(secs) = device.failures_of(who).wait(now) {
        return Ok(Attempt::TooMany(secs));
    }
    let keyring = &context.services.keyring;
    let seed = stored::open_seed(keyring, device.account, &device.id, &device.sealed)
        .map_err(Fault::internal)?;
    let found = match typed {
        Typed::One(code) => {
            seed.find(code, now, device.drift, device.used).map(|step| (step, device.drift))
        }
        Typed::Two(first, second) => {
            seed.find_pair(first, second, now, device.used).map(|step| (step, step - step_at(now)))
        }
    };
    let mut device = device.clone();
    let Some((used, drift)) = found else {
        device.fail(who, now);
        tx.put(Entity::MfaDevice(device));
        return Ok(Attempt::Wrong);
    };
    device.succeed(used, drift);
    Ok(Attempt::Good(Box::new(device)))
}
