//! Permissions boundaries as operations name them.

use crate::directory::managed;
use crate::ops::fault::{Fault, FaultCode};

/// Refuses a boundary that is no managed policy.
pub(super) fn check(arn: Option<&str>) -> Result<(), Fault> {
    match arn {
        Some(arn) if managed::find(arn).is_none() => Err(Fault::new(
            FaultCode::NoSuchEntity,
            format!("Scope ARN: {arn} does not exist or is not attachable."),
        )),
        _ => Ok(()),
    }
}
