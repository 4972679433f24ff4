//! `/v1/forward-auth/{service}`: proxies ask whether a request may pass.
//!
//! # Model
//!
//! The path names a registered service, and its registration the proxy's [`dialect`]: in which
//! headers the client's method, target and host arrive. The client's other headers arrive as they
//! were, `Authorization` and `x-amz-*` among them. From these the client's request is put together
//! again and judged as any other question about the service.
//!
//! 200 lets it pass and tells who signed it, in headers that the proxy passes on. 401: no good
//! signature. 403: everything else. Both tell why, in `X-Countersign-Reason`,
//! `X-Countersign-Message` and the body.
//!
//! # Trust boundary
//!
//! The proxy is an [asker](crate::downstream::Asker) of the service, by loopback or its certificate:
//! `Authorization` is the client's, so it cannot sign. It is trusted to set every header of its
//! dialect on every question. All else is the client's.
//!
//! INVARIANT: only the registered dialect's headers are read, each is there once, and a request with
//! a header of another dialect is refused: a client cannot choose who is believed.

mod dialect;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};

use super::{facts, json};
use crate::api::{Decision, ErrorBody, ErrorResponse, VerifyResponse};
use crate::downstream::Service;
use crate::http::{Incoming, Outgoing};
use crate::ops::Services;
use crate::ops::verify::{self, Asking, Forwarded, NotAdmitted, VerifyError, forward};
use dialect::Refused;

/// Where proxies ask.
pub(super) const PREFIX: &str = "/v1/forward-auth/";

/// Answers a proxy; `rest` is the path after [`PREFIX`].
pub(super) async fn answer(
    services: &Arc<Services>,
    request: &Incoming,
    asking: &Asking,
    rest: &str,
) -> Outgoing {
    let (name, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let Some(service) = services.downstream.now().get(name).cloned() else {
        let error = VerifyError::from(NotAdmitted::NotRegistered);
        return refuse(request, StatusCode::FORBIDDEN, error.code(), "There is no such service.");
    };
    match ask(services, request, asking, &service, path).await {
        Ok(response) => spell(request, &response),
        Err(Problem::Dialect(why)) => {
            refuse(request, StatusCode::FORBIDDEN, why.code(), &format!("{why}."))
        }
        Err(Problem::Question(error @ VerifyError::Unavailable(_))) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            refuse(request, status, error.code(), &error.public_message())
                .with_log("note", error.to_string())
        }
        Err(Problem::Question(error)) => {
            refuse(request, StatusCode::FORBIDDEN, error.code(), &error.public_message())
        }
    }
}

enum Problem {
    Dialect(Refused),
    Question(VerifyError),
}

async fn ask(
    services: &Arc<Services>,
    request: &Incoming,
    asking: &Asking,
    service: &Service,
    path: &str,
) -> Result<VerifyResponse, Problem> {
    // Before anything is said about the request: strangers learn nothing of the service.
    asking
        .admit(&facts(services, request), Some(service))
        .map_err(|why| Problem::Question(why.into()))?;
    let client = dialect::read(service.proxy(), request, path).map_err(Problem::Dialect)?;
    let framing = client.framing.as_ref().map(dialect::OwnedFraming::as_framing);
    let forwarded = Forwarded {
        method: &client.method,
        target: &client.target,
        headers: &client.headers(service.proxy_passes_body()),
        body: forward::shown(service, &request.body, framing.as_ref()),
        source_ip: client.source_ip,
        secure: client.secure,
    };
    let monotonic = services.clock.monotonic();
    verify::verify_forwarded(
        services,
        &facts(services, request),
        monotonic,
        asking,
        service,
        forwarded,
    )
    .await
    .map_err(Problem::Question)
}

/// Spells an answer as proxies understand it.
fn spell(request: &Incoming, response: &VerifyResponse) -> Outgoing {
    let answer = match response.decision {
        Decision::Allow => {
            with_headers(Outgoing::text(StatusCode::OK, "allowed"), forward::headers(response))
                .with_log("code", response.reason.code.clone())
        }
        // INVARIANT: identity alone lets nobody pass.
        Decision::Deny | Decision::NotAsked => {
            let status = if response.authenticated {
                StatusCode::FORBIDDEN
            } else {
                StatusCode::UNAUTHORIZED
            };
            refuse(request, status, &response.reason.code, &response.reason.message)
        }
    };
    match &response.principal {
        Some(principal) => answer.with_log("principal", principal.arn.clone()),
        None => answer,
    }
}

fn refuse(request: &Incoming, status: StatusCode, code: &str, message: &str) -> Outgoing {
    let body = ErrorResponse {
        error: ErrorBody { code: code.to_owned(), message: message.to_owned() },
        request_id: request.request_id.to_string(),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut answer = Outgoing::new(status, json::JSON, body).with_log("code", code);
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("AWS4-HMAC-SHA256");
        answer = answer.with_header(WWW_AUTHENTICATE, scheme);
    }
    with_headers(answer, forward::reason(code, message))
}

fn with_headers(answer: Outgoing, headers: Vec<(&'static str, String)>) -> Outgoing {
    headers.into_iter().fold(answer, |answer, (name, value)| {
        // Percent-encoded: every value can stand in a header.
        let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
        answer.with_header(HeaderName::from_static(name), value)
    })
}
