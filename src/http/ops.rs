//! The ops listener: probes and metrics.
//!
//! `/livez` tells that the process answers; `/readyz` whether it should be sent requests, check by
//! check; `/metrics` counts. Nothing here is secret, and nothing here can be changed.

use std::sync::Arc;

use hyper::{Method, StatusCode};

use super::message::{Answer, Handler, Incoming, Outgoing};
use crate::telemetry::Metrics;

/// One condition of being ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Why it is not met; public.
    pub failure: Option<&'static str>,
}

/// Tells whether requests should be sent here.
pub trait Readiness: Send + Sync + 'static {
    /// Every condition, met or not; answered at once from what is known.
    fn checks(&self) -> Vec<Check>;
}

/// The ops listener's handler.
pub struct Ops {
    readiness: Arc<dyn Readiness>,
    metrics: Metrics,
}

impl Ops {
    /// A handler that reads from these.
    pub fn new(readiness: Arc<dyn Readiness>, metrics: Metrics) -> Self {
        Self { readiness, metrics }
    }

    fn ready(&self) -> Outgoing {
        let checks = self.readiness.checks();
        let ready = checks.iter().all(|check| check.failure.is_none());
        let lines: Vec<_> = checks
            .iter()
            .map(|check| match check.failure {
                None => format!("ok {}", check.name),
                Some(why) => format!("failed {}: {why}", check.name),
            })
            .chain([if ready { "ready".into() } else { "not ready".into() }])
            .collect();
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Outgoing::text(status, &lines.join("\n"))
    }

    fn answer(&self, request: &Incoming) -> Outgoing {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Outgoing::text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD");
        }
        match request.path() {
            "/livez" => Outgoing::text(StatusCode::OK, "alive").for_operation("livez"),
            "/readyz" => self.ready().for_operation("readyz"),
            "/metrics" => Outgoing::new(StatusCode::OK, Metrics::CONTENT_TYPE, self.metrics.text())
                .for_operation("metrics"),
            _ => Outgoing::text(StatusCode::NOT_FOUND, "not found"),
        }
    }
}

impl Handler for Ops {
    fn handle(&self, request: Incoming) -> Answer<'_> {
        Box::pin(async move { self.answer(&request) })
    }
}
