//! What is counted. Whoever serves metrics registers them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// The label of an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    outcome: &'static str,
}

/// The metrics of key sets; clones share them.
#[derive(Clone, Default)]
pub struct Meters {
    /// Fetches by their outcome: `ok` or `failed`.
    pub fetches: Family<OutcomeLabel, Counter>,
    /// Tokens whose key was not in the issuer's set.
    pub unknown_keys: Counter,
    /// Requests that were served with keys of an issuer that did not answer the last time.
    pub stale: Counter,
}

impl Meters {
    pub(super) fn fetched(&self, well: bool) {
        let outcome = if well { "ok" } else { "failed" };
        self.fetches.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// How many fetches had this outcome, `ok` or `failed`.
    pub fn count(&self, outcome: &'static str) -> u64 {
        self.fetches.get_or_create(&OutcomeLabel { outcome }).get()
    }
}
