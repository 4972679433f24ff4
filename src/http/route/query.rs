//! AWS's Query protocol: parameters in a query or a form, answers in XML.

use std::sync::Arc;

use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};

use super::{caller, facts, text};
use crate::authn::Caller;
use crate::http::{Incoming, Outgoing};
use crate::ops::catalog::{self, Row};
use crate::ops::fault::Fault;
use crate::ops::{Context, Service, Services};
use crate::wire::query::{Form, Params};
use crate::wire::xml::{self, Namespace, Xml};

const XML: &str = "text/xml";

pub(super) async fn answer(services: &Arc<Services>, request: &Incoming) -> Outgoing {
    let (row, params) = match route(request) {
        Ok(routed) => routed,
        Err((namespace, fault)) => return spell(request, namespace, &fault),
    };
    let namespace = namespace(row.service);
    let answer = match run(services, request, row, &params).await {
        Ok(result) => {
            let id = request.request_id.to_string();
            let body = xml::success(namespace, row.name, result.as_ref(), &id);
            Outgoing::new(StatusCode::OK, XML, body)
        }
        Err(fault) => spell(request, namespace, &fault),
    };
    answer.for_operation(row.name)
}

/// The operation and its parameters.
fn route(request: &Incoming) -> Result<(&'static Row, Params), (Namespace, Fault)> {
    let fail = |fault: Fault| (Namespace::STS, fault);
    let query = Some(request.query());
    let params = match request.method {
        Method::GET => Params::parse(query, None),
        Method::POST => {
            let content_type = text(&request.headers, CONTENT_TYPE.as_str());
            Params::parse(query, Some(Form { content_type, body: &request.body }))
        }
        // What a Query service answers to any other method.
        _ => return Err(fail(Fault::missing_action())),
    }
    .map_err(|error| fail(error.into()))?;
    let Some(action) = params.text("Action") else { return Err(fail(Fault::missing_action())) };
    let version = params.text("Version");
    let Some(row) = catalog::find(action, version) else {
        let iam = version == Some(Service::Iam.version());
        let namespace = if iam { Namespace::IAM } else { Namespace::STS };
        return Err((namespace, Fault::invalid_action(action, version.unwrap_or("none"))));
    };
    Ok((row, params))
}

async fn run(
    services: &Arc<Services>,
    request: &Incoming,
    row: &Row,
    params: &Params,
) -> Result<Option<Xml>, Fault> {
    let caller = caller(services, request, row.service).await?;
    // INVARIANT: an unsigned request reaches only the operations that ask for another proof.
    if !row.unsigned && !matches!(caller, Caller::Signed(_)) {
        return Err(Fault::missing_authentication_token());
    }
    let facts = facts(services, request);
    let context = Context { services, caller: &caller, facts: &facts, batch: None };
    (row.run)(&context, params).await
}

fn namespace(service: Service) -> Namespace {
    match service {
        Service::Iam => Namespace::IAM,
        Service::Sts
        | Service::Organizations
        | Service::Eks
        | Service::EksAuth
        | Service::RolesAnywhere
        | Service::Countersign => Namespace::STS,
    }
}

fn spell(request: &Incoming, namespace: Namespace, fault: &Fault) -> Outgoing {
    let code = fault.code();
    let id = request.request_id.to_string();
    let body = xml::error(namespace, code.side().as_str(), code.as_str(), &fault.told(), &id);
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = Outgoing::new(status, XML, body).with_log("code", code.as_str());
    match fault.loggable_note() {
        Some(note) => answer.with_log("note", note),
        None => answer,
    }
}
