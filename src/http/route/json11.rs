//! AWS JSON 1.1: the operation in `X-Amz-Target`, JSON in the body, errors by their `__type`.

use std::sync::Arc;

use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use serde_json::{Map, Value};

use super::{caller, facts, text};
use crate::authn::Caller;
use crate::http::{Incoming, Outgoing};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::Row;
use crate::ops::{Context, Services, catalog};
use crate::wire::{json11, printable};

/// The header that names the operation. It must be signed, as every `x-amz-*` header.
pub(super) const TARGET: &str = "x-amz-target";

pub(super) async fn answer(services: &Arc<Services>, request: &Incoming, target: &str) -> Outgoing {
    let Some(row) = catalog::find_target(target).filter(|_| request.method == Method::POST) else {
        let message = format!("There is no operation {}.", printable(target, 128));
        return spell(&Fault::new(FaultCode::UnknownOperation, message));
    };
    let answer = match run(services, request, row).await {
        Ok(output) => {
            let body = output.map(|output| output.to_string()).unwrap_or_default();
            Outgoing::new(StatusCode::OK, json11::CONTENT_TYPE, body.into_bytes())
        }
        Err(fault) => spell(&fault),
    };
    answer.for_operation(row.name)
}

async fn run(
    services: &Arc<Services>,
    request: &Incoming,
    row: &Row,
) -> Result<Option<Value>, Fault> {
    let caller = caller(services, request, row.service).await?;
    if !matches!(caller, Caller::Signed(_)) {
        return Err(Fault::missing_authentication_token());
    }
    let body = read(request)?;
    let facts = facts(services, request);
    let context = Context { services, caller: &caller, facts: &facts, batch: None };
    (row.run)(&context, &body).await
}

fn read(request: &Incoming) -> Result<Map<String, Value>, Fault> {
    let content_type = text(&request.headers, CONTENT_TYPE.as_str());
    json11::read(content_type, &request.body).map_err(|error| {
        let message = format!("The body cannot be read: {error}.");
        Fault::new(FaultCode::SerializationException, message)
    })
}

fn spell(fault: &Fault) -> Outgoing {
    let (kind, status) = spelled(fault.code());
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json11::error(kind, fault.message(), fault.reason());
    let answer = Outgoing::new(status, json11::CONTENT_TYPE, body).with_log("code", kind);
    match fault.loggable_note() {
        Some(note) => answer.with_log("note", note),
        None => answer,
    }
}

/// The word and status of a code in AWS JSON services: those that all services share have others
/// there than in the Query protocol. Source: "Common errors" in the Organizations API reference.
fn spelled(code: FaultCode) -> (&'static str, u16) {
    match code {
        FaultCode::AccessDenied => ("AccessDeniedException", 400),
        FaultCode::ExpiredToken => ("ExpiredTokenException", 400),
        FaultCode::IncompleteSignature => ("IncompleteSignatureException", 400),
        FaultCode::InternalFailure => ("ServiceException", 500),
        FaultCode::InvalidClientTokenId => ("UnrecognizedClientException", 400),
        FaultCode::MissingAuthenticationToken => ("MissingAuthenticationTokenException", 400),
        FaultCode::SignatureDoesNotMatch => ("InvalidSignatureException", 400),
        FaultCode::Throttling => ("TooManyRequestsException", 400),
        FaultCode::ValidationError => ("ValidationException", 400),
        other => (other.as_str(), other.status()),
    }
}
