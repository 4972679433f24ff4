//! Metrics in the text format of OpenMetrics, for `/metrics`.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use super::logs::RequestLine;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    listener: &'static str,
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    listener: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BrokenLabels {
    listener: &'static str,
    reason: &'static str,
}

/// A handle to the process's metrics; clones share them.
///
/// Every label is one of a fixed set: what a client sends never becomes one.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<OperationLabels, Histogram, fn() -> Histogram>,
    connections: Family<ListenerLabels, Gauge>,
    broken: Family<BrokenLabels, Counter>,
}

impl Metrics {
    /// The content type of [`Self::text`].
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// The edge's metrics, of a process that started at `start`.
    pub fn new(start: Timestamp) -> Self {
        let metrics = Self {
            registry: Arc::new(Mutex::new(Registry::default())),
            requests: Family::default(),
            seconds: Family::new_with_constructor(durations),
            connections: Family::default(),
            broken: Family::default(),
        };
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        metrics.register("countersign_build", "The version that runs", build);
        metrics.register(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970",
            ConstGauge::new(start.secs()),
        );
        metrics.register(
            "countersign_requests",
            "Answered requests by listener, operation and status",
            metrics.requests.clone(),
        );
        metrics.register(
            "countersign_request_duration_seconds",
            "Time from a request's head to its answer",
            metrics.seconds.clone(),
        );
        metrics.register(
            "countersign_connections",
            "Open connections by listener",
            metrics.connections.clone(),
        );
        metrics.register(
            "countersign_connections_broken",
            "Connections that ended on a failed handshake, a timeout or a protocol error",
            metrics.broken.clone(),
        );
        metrics
    }

    /// Adds a metric of another module: its owner keeps a clone and counts on it. A counter's name
    /// is given without `_total`.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// Everything, in the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if prometheus_client::encoding::text::encode(&mut text, &registry).is_err() {
            tracing::error!("metrics cannot be written");
        }
        text
    }

    /// Counts an answered request.
    pub fn observe(&self, line: &RequestLine<'_>) {
        let (listener, operation) = (line.listener, line.operation.unwrap_or("none"));
        let status = line.status;
        self.requests.get_or_create(&RequestLabels { listener, operation, status }).inc();
        self.seconds
            .get_or_create(&OperationLabels { listener, operation })
            .observe(line.took.as_secs_f64());
    }

    /// Counts a connection as open until the guard is dropped.
    pub fn connection(&self, listener: &'static str) -> OpenConnection {
        let gauge = self.connections.get_or_create_owned(&ListenerLabels { listener });
        gauge.inc();
        OpenConnection(gauge)
    }

    /// Counts a connection that did not end well.
    pub fn connection_broken(&self, listener: &'static str, reason: &'static str) {
        self.broken.get_or_create(&BrokenLabels { listener, reason }).inc();
    }
}

/// A connection that is open as long as this lives.
pub struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn durations() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0])
}
