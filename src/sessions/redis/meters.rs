//! What the ledger counts. Whoever serves metrics registers them.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// The kinds of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Insert,
    Find,
    List,
    Remove,
}

/// The label of a kind of question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabel {
    operation: &'static str,
}

/// The label of a reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    reason: &'static str,
}

/// The metrics of a ledger in Redis; clones share them.
#[derive(Clone)]
pub struct Meters {
    /// 1 while the ledger answers.
    pub up: Gauge,
    /// Connections made.
    pub connections: Counter,
    /// Questions whose answer showed that the deployment's marker is missing.
    pub marker_missing: Counter,
    /// Shards whose records were found lost.
    pub shards_lost: Counter,
    /// Records that were not there while their shard was in doubt: taken as no answer.
    pub forgotten: Counter,
    /// Questions under way.
    pub in_flight: Gauge,
    /// Questions without a good answer, by reason.
    pub failures: Family<ReasonLabel, Counter>,
    /// The time of questions, in seconds.
    pub seconds: Family<KindLabel, Histogram, fn() -> Histogram>,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            up: Gauge::default(),
            connections: Counter::default(),
            marker_missing: Counter::default(),
            shards_lost: Counter::default(),
            forgotten: Counter::default(),
            in_flight: Gauge::default(),
            failures: Family::default(),
            seconds: Family::new_with_constructor(durations),
        }
    }
}

impl Meters {
    pub(super) fn observe(&self, kind: Kind, took: Duration) {
        let operation = match kind {
            Kind::Insert => "insert",
            Kind::Find => "find",
            Kind::List => "list",
            Kind::Remove => "remove",
        };
        self.seconds.get_or_create(&KindLabel { operation }).observe(took.as_secs_f64());
    }

    pub(super) fn fail(&self, reason: &'static str) {
        self.failures.get_or_create(&ReasonLabel { reason }).inc();
    }
}

fn durations() -> Histogram {
    Histogram::new([0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5])
}
