//! The metrics of modules that do not know of the edge.

use crate::keysets;
use crate::sessions::redis::Meters;
use crate::telemetry::Metrics;

/// Registers what the ledger in Redis counts.
pub(super) fn register(metrics: &Metrics, ledger: &Meters) {
    metrics.register(
        "countersign_ledger_up",
        "1 while the session ledger in Redis answers",
        ledger.up.clone(),
    );
    metrics.register(
        "countersign_ledger_connections",
        "Connections made to the session ledger's Redis",
        ledger.connections.clone(),
    );
    metrics.register(
        "countersign_ledger_marker_missing",
        "Answers of the session ledger that showed its marker missing: it was emptied or replaced",
        ledger.marker_missing.clone(),
    );
    metrics.register(
        "countersign_ledger_shards_lost",
        "Shards of the session ledger (of 256) whose records were found lost",
        ledger.shards_lost.clone(),
    );
    metrics.register(
        "countersign_ledger_forgotten",
        "Confirmations of sessions that the ledger may have lost: taken as no answer",
        ledger.forgotten.clone(),
    );
    metrics.register(
        "countersign_ledger_in_flight",
        "Questions to the session ledger that are under way",
        ledger.in_flight.clone(),
    );
    metrics.register(
        "countersign_ledger_failures",
        "Questions to the session ledger without a good answer, by reason",
        ledger.failures.clone(),
    );
    metrics.register(
        "countersign_ledger_duration_seconds",
        "Time of questions to the session ledger",
        ledger.seconds.clone(),
    );
}

/// Registers what the key sets of identity providers count.
pub(super) fn register_key_sets(metrics: &Metrics, key_sets: &keysets::Meters) {
    metrics.register(
        "countersign_key_set_fetches",
        "Fetches of an identity provider's keys, by outcome",
        key_sets.fetches.clone(),
    );
    metrics.register(
        "countersign_key_set_unknown_keys",
        "Tokens whose key was not in their issuer's key set",
        key_sets.unknown_keys.clone(),
    );
    metrics.register(
        "countersign_key_set_stale",
        "Requests served with the keys of an identity provider that did not answer the last time",
        key_sets.stale.clone(),
    );
}
