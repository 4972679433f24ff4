//! Whether requests should be sent here.

use std::sync::Arc;

use crate::http::ops::{Check, Readiness};
use crate::ops::Services;

/// Reads the state of the stores.
pub(super) struct Stores(pub(super) Arc<Services>);

impl Readiness for Stores {
    fn checks(&self) -> Vec<Check> {
        let failed = |failed: bool, why| failed.then_some(why);
        vec![
            Check {
                name: "directory",
                failure: failed(self.0.directory.is_failing(), "the last write failed"),
            },
            Check {
                name: "ledger",
                failure: self.0.ledger.failure().or(failed(
                    self.0.authenticator.is_ledger_silent(),
                    "the session ledger does not answer",
                )),
            },
        ]
    }
}
