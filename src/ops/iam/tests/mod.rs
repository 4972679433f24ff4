//! Tests of the operations of IAM, each through its row of the catalogue with a signed request.

mod account;
mod bounds;
mod federation;
mod golden;
mod groups;
mod lists;
mod managed;
mod matrix;
mod mfa;
mod policies;
mod providers;
mod quotas;
mod reports;
mod roles;
mod simulation;
mod tags;
mod unconfirmed;
mod updates;
mod users;

use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{Bench, Credentials};

/// The fault that a call must end with: its code and message.
#[track_caller]
pub(super) fn refused<T>(result: Result<T, Fault>, code: FaultCode) -> String {
    match result {
        Ok(_) => panic!("it was not refused with {}", code.as_str()),
        Err(fault) => {
            assert_eq!(fault.code(), code, "{fault:?}");
            fault.message().to_owned()
        }
    }
}

/// A call that must succeed.
pub(super) async fn must(
    bench: &Bench,
    credentials: &Credentials,
    action: &str,
    parameters: &[(&str, &str)],
) -> String {
    bench.call(credentials, action, parameters).await.unwrap_or_else(|f| panic!("{action}: {f:?}"))
}
