//! The API listener: `/countersign/v1`, the issuers' public documents, and AWS's protocols on every
//! other path: AWS JSON where the
//! request names a target, Query where it does not.
//!
//! An endpoint URL may have a path, so the path says nothing about such a request; it is signed all
//! the same.

use std::sync::Arc;

use crate::http::{Answer, Handler, Incoming, Outgoing};
use crate::ops::Services;

use super::{anywhere, issuers, json, json11, pods, query, restjson, text};

/// The API listener's handler.
pub struct Api {
    services: Arc<Services>,
}

impl Api {
    /// A handler over one deployment.
    pub fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

impl Handler for Api {
    fn handle(&self, request: Incoming) -> Answer<'_> {
        Box::pin(async move { answer(&self.services, &request).await })
    }
}

async fn answer(services: &Arc<Services>, request: &Incoming) -> Outgoing {
    if let Some(path) = issuers::path(request) {
        return issuers::answer(services, request, path);
    }
    if let Some(place) = pods::path(request) {
        return pods::answer(services, request, place).await;
    }
    if anywhere::is_session(request) {
        return anywhere::session(services, request).await;
    }
    if let Some(routed) = restjson::route(request).or_else(|| anywhere::route(request)) {
        return restjson::answer(services, request, &routed).await;
    }
    match request.path().strip_prefix("/countersign/v1/") {
        Some(resource) => json::answer(services, request, resource).await,
        None => match text(&request.headers, json11::TARGET) {
            Some(target) => json11::answer(services, request, target).await,
            None => query::answer(services, request).await,
        },
    }
}
