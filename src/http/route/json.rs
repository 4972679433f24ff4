//! `/countersign/v1` on the API listener: REST and JSON, signed for the service `countersign`.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{caller, facts};
use crate::api::{self, ErrorBody, ErrorResponse};
use crate::authn::Caller;
use crate::http::{Incoming, Outgoing};
use crate::ops::fault::Fault;
use crate::ops::manage::{Asker, directory, revocations, sessions};
use crate::ops::{Context, Service, Services};

pub(super) const JSON: &str = "application/json";

pub(super) async fn answer(
    services: &Arc<Services>,
    request: &Incoming,
    resource: &str,
) -> Outgoing {
    let caller = match caller(services, request, Service::Countersign).await {
        Ok(caller @ Caller::Signed(_)) => caller,
        Ok(_) => return spell(request, &Fault::missing_authentication_token()),
        Err(error) => return spell(request, &error.into()),
    };
    let facts = facts(services, request);
    let context = Context { services, caller: &caller, facts: &facts, batch: None };
    match (&request.method, resource) {
        (&Method::POST, "revocations") => {
            revoke(request, &Asker::Signed(&context)).await.for_operation("RevokeSessions")
        }
        (&Method::GET, "directory") => {
            result(request, &directory::export(&context).await).for_operation("ExportDirectory")
        }
        (&Method::POST, "directory/plan") => match read(request) {
            Ok(wanted) => result(request, &directory::plan(&context, &wanted).await),
            Err(answer) => *answer,
        }
        .for_operation("PlanDirectory"),
        (&Method::POST, "directory/apply") => match read(request) {
            Ok(wanted) => result(request, &directory::apply(&context, &wanted).await),
            Err(answer) => *answer,
        }
        .for_operation("ApplyDirectory"),
        (&Method::GET, "sessions") => {
            list_sessions(request, &Asker::Signed(&context)).await.for_operation("ListSessions")
        }
        (&Method::GET, "sessions/count") => {
            count_sessions(request, &Asker::Signed(&context)).await.for_operation("CountSessions")
        }
        (_, "revocations" | "directory/plan" | "directory/apply") => wrong_method(request, "POST"),
        (_, "sessions" | "sessions/count" | "directory") => wrong_method(request, "GET"),
        _ => not_found(request),
    }
}

/// A page of live sessions.
pub(super) async fn list_sessions(request: &Incoming, asker: &Asker<'_>) -> Outgoing {
    match query(request) {
        Ok(which) => result(request, &sessions::list(asker, &which).await),
        Err(answer) => *answer,
    }
}

/// How many live sessions there are.
pub(super) async fn count_sessions(request: &Incoming, asker: &Asker<'_>) -> Outgoing {
    match query(request) {
        Ok(which) => result(request, &sessions::count(asker, &which).await),
        Err(answer) => *answer,
    }
}

/// Reads a query strictly: every parameter known, none twice.
pub(super) fn query<T: DeserializeOwned>(request: &Incoming) -> Result<T, Box<Outgoing>> {
    let refuse = |why: &dyn std::fmt::Display| {
        let message = format!("The query is not what was expected: {why}.");
        Box::new(problem(request, StatusCode::BAD_REQUEST, "InvalidRequest", &message))
    };
    let mut fields = serde_json::Map::new();
    for (name, value) in form_urlencoded::parse(request.query().as_bytes()) {
        if fields.insert(name.clone().into_owned(), value.into_owned().into()).is_some() {
            return Err(refuse(&"a parameter is there twice"));
        }
    }
    serde_json::from_value(fields.into()).map_err(|error| refuse(&error))
}

/// Reads a revocation and makes it.
pub(super) async fn revoke(request: &Incoming, asker: &Asker<'_>) -> Outgoing {
    match read(request) {
        Ok(target) => result(request, &revocations::create(asker, &target).await),
        Err(answer) => *answer,
    }
}

/// Reads a JSON body strictly.
pub(super) fn read<T: DeserializeOwned>(request: &Incoming) -> Result<T, Box<Outgoing>> {
    api::strict(&request.body).map_err(|error| {
        let message = format!("The body is not the JSON that was expected: {error}.");
        Box::new(problem(request, StatusCode::BAD_REQUEST, "InvalidRequest", &message))
    })
}

/// Spells a result.
pub(super) fn result<T: Serialize>(request: &Incoming, result: &Result<T, Fault>) -> Outgoing {
    match result {
        Ok(value) => ok(request, value),
        Err(fault) => spell(request, fault),
    }
}

/// 200 with this value.
pub(super) fn ok<T: Serialize>(request: &Incoming, value: &T) -> Outgoing {
    match serde_json::to_vec(value) {
        Ok(body) => Outgoing::new(StatusCode::OK, JSON, body),
        Err(error) => spell(request, &Fault::internal(error)),
    }
}

/// Spells a fault.
pub(super) fn spell(request: &Incoming, fault: &Fault) -> Outgoing {
    let code = fault.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = problem(request, status, code.as_str(), fault.message());
    match fault.loggable_note() {
        Some(note) => answer.with_log("note", note),
        None => answer,
    }
}

/// 404.
pub(super) fn not_found(request: &Incoming) -> Outgoing {
    problem(request, StatusCode::NOT_FOUND, "NotFound", "There is nothing at this path.")
}

/// 405.
pub(super) fn wrong_method(request: &Incoming, allowed: &str) -> Outgoing {
    let message = format!("The method is not allowed here: {allowed} is.");
    problem(request, StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", &message)
}

/// Any error.
pub(super) fn problem(
    request: &Incoming,
    status: StatusCode,
    code: &str,
    message: &str,
) -> Outgoing {
    let body = ErrorResponse {
        error: ErrorBody { code: code.to_owned(), message: message.to_owned() },
        request_id: request.request_id.to_string(),
    };
    Outgoing::new(status, JSON, serde_json::to_vec(&body).unwrap_or_default())
        .with_log("code", code)
}
