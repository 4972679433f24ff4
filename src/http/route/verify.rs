//! The verify listener: questions of downstream services.

use std::sync::Arc;

use hyper::{Method, StatusCode};

use super::{facts, json};
use crate::api::VerifyRequest;
use crate::http::{Answer, Handler, Incoming, Outgoing};
use crate::ops::Services;
use crate::ops::verify::{self, VerifyError};

/// The verify listener's handler.
pub struct Verify {
    services: Arc<Services>,
}

impl Verify {
    /// A handler over one deployment.
    pub fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

impl Handler for Verify {
    fn handle(&self, request: Incoming) -> Answer<'_> {
        Box::pin(async move {
            match (&request.method, request.path()) {
                (&Method::POST, "/v1/verify") => {
                    answer(&self.services, &request).await.for_operation("Verify")
                }
                (_, "/v1/verify") => json::wrong_method(&request, "POST"),
                _ => json::not_found(&request),
            }
        })
    }
}

async fn answer(services: &Services, request: &Incoming) -> Outgoing {
    let question: VerifyRequest = match json::read(request) {
        Ok(question) => question,
        Err(answer) => return *answer,
    };
    let monotonic = services.clock.monotonic();
    match verify::verify(services, &facts(request), monotonic, &question).await {
        Ok(response) => {
            let answer = json::ok(request, &response).with_log("code", response.reason.code);
            match response.principal {
                Some(principal) => answer.with_log("principal", principal.arn),
                None => answer,
            }
        }
        Err(VerifyError::Malformed(error)) => {
            let message = format!("{error}.");
            json::problem(request, StatusCode::BAD_REQUEST, "InvalidRequest", &message)
        }
        Err(error @ VerifyError::Unavailable(_)) => json::problem(
            request,
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "It cannot be decided now. Ask again.",
        )
        .with_log("note", error.to_string()),
    }
}
