//! `GET /issuers/…/.well-known/…`: what verifiers of an account's tokens need. Public.

use std::sync::Arc;

use hyper::header::{CACHE_CONTROL, HeaderValue};
use hyper::{Method, StatusCode};

use super::json;
use crate::http::{Incoming, Outgoing};
use crate::ops::{Services, issuer};

/// How long a copy may be kept: much shorter than a key is published before it signs.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The rest of a path that names a document of an issuer.
pub(super) fn path(request: &Incoming) -> Option<&str> {
    let rest = request.path().strip_prefix(issuer::PATH)?;
    rest.contains("/.well-known/").then_some(rest)
}

pub(super) fn answer(services: &Arc<Services>, request: &Incoming, path: &str) -> Outgoing {
    if request.method != Method::GET {
        return json::wrong_method(request, "GET");
    }
    let snapshot = services.directory.snapshot();
    match issuer::document(services, &snapshot, path, request.received_at) {
        Some(document) => {
            Outgoing::new(StatusCode::OK, json::JSON, document.to_string().into_bytes())
                .with_header(CACHE_CONTROL, CACHED)
        }
        None => json::not_found(request),
    }
    .for_operation("GetIssuerDocument")
}
