//! The verify listener: questions of downstream services and of the proxies in front of them.

use std::sync::Arc;

use hyper::{Method, StatusCode};

use super::{caller, changes, facts, forward, json};
use crate::api::{VerifyBatchRequest, VerifyGrant, VerifyRequest};
use crate::grpc;
use crate::http::{Answer, Handler, Incoming, Outgoing};
use crate::ops::fault::Fault;
use crate::ops::verify::{self, Answered, Asking, VerifyError};
use crate::ops::{Service, Services};

/// The verify listener's handler.
pub struct Verify {
    services: Arc<Services>,
}

/// What is served here.
#[derive(Clone, Copy)]
enum Route {
    Verify,
    Batch,
    ForwardAuth,
    ExtAuthz,
    Changes,
}

impl Route {
    const ALL: [Self; 5] =
        [Self::Verify, Self::Batch, Self::ForwardAuth, Self::ExtAuthz, Self::Changes];

    /// Its path; one that ends in a name in braces is the start of a path.
    const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/v1/verify",
            Self::Batch => "/v1/verify/batch",
            Self::ForwardAuth => "/v1/forward-auth/{service}",
            Self::ExtAuthz => grpc::CHECK,
            Self::Changes => "/v1/changes",
        }
    }

    /// The route of a path.
    fn of(path: &str) -> Option<Self> {
        let is = |route: &Self| match route.path().split_once('{') {
            Some((start, _)) => path.starts_with(start),
            None => path == route.path(),
        };
        Self::ALL.into_iter().find(is)
    }
}

impl Verify {
    /// The paths at which others' requests are judged, so that tests leave none out: all but the feed.
    pub const ROUTES: [&'static str; 4] =
        [Route::ALL[0].path(), Route::ALL[1].path(), Route::ALL[2].path(), Route::ALL[3].path()];

    /// A handler over one deployment.
    pub fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

impl Handler for Verify {
    fn handle(&self, request: Incoming) -> Answer<'_> {
        Box::pin(async move {
            let services = &self.services;
            let Some(route) = Route::of(request.path()) else { return json::not_found(&request) };
            match route {
                Route::ForwardAuth => {
                    let rest = request.path().strip_prefix(forward::PREFIX).unwrap_or_default();
                    forward::answer(services, &request, &shown(&request), rest)
                        .await
                        .for_operation("ForwardAuth")
                }
                Route::Changes if request.method != Method::GET => {
                    json::wrong_method(&request, "GET")
                }
                Route::Changes => {
                    changes::answer(services, &request).await.for_operation("Changes")
                }
                _ if request.method != Method::POST => json::wrong_method(&request, "POST"),
                Route::Verify => one(services, &request).await.for_operation("Verify"),
                Route::Batch => batch(services, &request).await.for_operation("VerifyBatch"),
                Route::ExtAuthz => {
                    grpc::check(services, &request, &facts(services, &request), &shown(&request))
                        .await
                        .for_operation("ExtAuthz")
                }
            }
        })
    }
}

/// What the connection shows of who asks.
fn shown(request: &Incoming) -> Asking {
    Asking {
        local: request.peer.is_local(),
        confidential: request.is_secure() || request.peer.is_local(),
        certificate: request.tls.as_ref().and_then(|tls| tls.client_at(request.received_at)),
        signed: None,
    }
}

/// Who asks, by the connection and by the question's own signature if it has one.
pub(super) async fn asking(
    services: &Arc<Services>,
    request: &Incoming,
) -> Result<Asking, Box<Outgoing>> {
    match caller(services, request, Service::Countersign).await {
        Ok(caller) => Ok(shown(request).signed_by(caller)),
        // A signature that is not good is no question without one.
        Err(error) => Err(Box::new(json::spell(request, &Fault::from(error)))),
    }
}

async fn one(services: &Arc<Services>, request: &Incoming) -> Outgoing {
    let asking = match asking(services, request).await {
        Ok(asking) => asking,
        Err(answer) => return *answer,
    };
    let question: VerifyRequest = match json::read(request) {
        Ok(question) => question,
        Err(answer) => return *answer,
    };
    let monotonic = services.clock.monotonic();
    match verify::verify(services, &facts(services, request), monotonic, &asking, &question).await {
        Ok(answered) => {
            let Answered { response: answer, material, .. } = answered;
            let grant = VerifyGrant { answer, material };
            let given = json::ok(request, &grant);
            let response = grant.answer;
            let answer = given.with_log("code", response.reason.code);
            match response.principal {
                Some(principal) => answer.with_log("principal", principal.arn),
                None => answer,
            }
        }
        Err(error) => problem(request, &error),
    }
}

async fn batch(services: &Arc<Services>, request: &Incoming) -> Outgoing {
    let asking = match asking(services, request).await {
        Ok(asking) => asking,
        Err(answer) => return *answer,
    };
    let batch: VerifyBatchRequest = match json::read(request) {
        Ok(batch) => batch,
        Err(answer) => return *answer,
    };
    let monotonic = services.clock.monotonic();
    match verify::verify_batch(services, &facts(services, request), monotonic, &asking, &batch)
        .await
    {
        Ok(answers) => json::ok(request, &answers),
        Err(error) => problem(request, &error),
    }
}

/// A question that gets no answer.
pub(super) fn problem(request: &Incoming, error: &VerifyError) -> Outgoing {
    let status = match error {
        VerifyError::Malformed(_) => StatusCode::BAD_REQUEST,
        VerifyError::NotAdmitted(_) => StatusCode::FORBIDDEN,
        VerifyError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let answer = json::problem(request, status, error.code(), &error.public_message());
    match error {
        VerifyError::Unavailable(_) => answer.with_log("note", error.to_string()),
        VerifyError::Malformed(_) | VerifyError::NotAdmitted(_) => answer,
    }
}
