//! From a request to its operation, and from a result to an answer.
//!
//! Each listener has a handler of its own: [`Api`] for AWS's protocols and `/countersign/v1`,
//! [`Verify`] for downstream services' questions, [`Admin`] for the host's operator.

mod admin;
mod anywhere;
mod api;
mod changes;
mod forward;
mod issuers;
mod json;
mod json11;
mod pods;
mod query;
mod restjson;
mod verify;

use std::sync::Arc;

use hyper::header::{HeaderMap, USER_AGENT};

pub use admin::Admin;
pub use api::Api;
pub use verify::Verify;

use super::Incoming;
use crate::authn::{AuthnError, Caller, Expectation};
use crate::ops::{Facts, Service, Services};
use crate::sigv4::{Body, RequestHead, Rules, UriRules};

/// How long a presigned request to the broker itself may live, in seconds.
const MAX_PRESIGNED_SECS: i64 = 15 * 60;

/// How much of `User-Agent` is looked at, in bytes: conditions and audit records take no more.
const MAX_USER_AGENT: usize = 1024;

/// What is known about a request besides what it asks.
fn facts(services: &Services, request: &Incoming) -> Facts {
    Facts {
        request_id: request.request_id,
        now: request.received_at,
        source_ip: request.peer.source_ip(),
        secure: request.is_secure(),
        region: services.region.clone(),
        user_agent: text(&request.headers, USER_AGENT.as_str())
            .map(|agent| agent.get(..MAX_USER_AGENT).unwrap_or(agent).to_owned()),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Who made a request that is for one of the broker's own services.
async fn caller(
    services: &Arc<Services>,
    request: &Incoming,
    service: Service,
) -> Result<Caller, AuthnError> {
    let headers: Vec<(&str, &[u8])> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head =
        RequestHead { method: request.method.as_str(), target: &request.target, headers: &headers };
    let expectation = Expectation {
        service: service.scope(),
        region: None,
        rules: Rules {
            max_expires: MAX_PRESIGNED_SECS,
            ..Rules::new(UriRules::Standard, request.received_at)
        },
        monotonic: services.clock.monotonic(),
    };
    services.authenticator.authenticate(&head, Body::Bytes(&request.body), &expectation).await
}
