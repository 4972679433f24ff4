//! REST-JSON: the operation in method and path, its members in path, query and body.

use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::json::JSON;
use super::{caller, facts};
use crate::authn::Caller;
use crate::http::{Incoming, Outgoing};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::Row;
use crate::ops::{Context, Service, Services, eks};
use crate::wire::printable;

/// The header that names an error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An operation, and where its members stand.
pub(super) struct Routed<'r> {
    pub(super) row: &'static Row,
    pub(super) members: Members<'r>,
    /// What it answers with when it is done.
    pub(super) status: StatusCode,
}

/// Where the members of an input stand besides its body.
pub(super) struct Members<'r> {
    /// Those that the path has.
    pub(super) path: Vec<(&'static str, &'r str)>,
    /// Those of the query that are whole numbers.
    pub(super) integers: &'static [&'static str],
    /// Those of the query that may be there several times.
    pub(super) lists: &'static [&'static str],
}

/// The operation of a request, if it is one of these services'.
pub(super) fn route(request: &Incoming) -> Option<Routed<'_>> {
    let rest = request.path().strip_prefix("/clusters/")?;
    let (cluster, rest) = rest.split_once('/')?;
    let (what, association) = match rest.split_once('/') {
        Some((what, association)) => (what, Some(association)),
        None => (rest, None),
    };
    let name = match (&request.method, what, association.is_some()) {
        (&Method::POST, "pod-identity-associations", false) => "CreatePodIdentityAssociation",
        (&Method::GET, "pod-identity-associations", false) => "ListPodIdentityAssociations",
        (&Method::GET, "pod-identity-associations", true) => "DescribePodIdentityAssociation",
        (&Method::POST, "pod-identity-associations", true) => "UpdatePodIdentityAssociation",
        (&Method::DELETE, "pod-identity-associations", true) => "DeletePodIdentityAssociation",
        (&Method::POST, "assume-role-for-pod-identity", false) => "AssumeRoleForPodIdentity",
        _ => return None,
    };
    let row = eks::ROWS.iter().find(|row| row.name == name)?;
    let mut path = vec![("clusterName", cluster)];
    path.extend(association.map(|id| ("associationId", id)));
    let members = Members { path, integers: &["maxResults"], lists: &[] };
    Some(Routed { row, members, status: StatusCode::OK })
}

pub(super) async fn answer(
    services: &Arc<Services>,
    request: &Incoming,
    routed: &Routed<'_>,
) -> Outgoing {
    let answer = match run(services, request, routed).await {
        Ok(output) => {
            let body = output.unwrap_or_else(|| json!({})).to_string();
            Outgoing::new(routed.status, JSON, body.into_bytes())
        }
        Err(fault) => spell(routed.row.service, &fault),
    };
    answer.for_operation(routed.row.name)
}

async fn run(
    services: &Arc<Services>,
    request: &Incoming,
    routed: &Routed<'_>,
) -> Result<Option<Value>, Fault> {
    let caller = caller(services, request, routed.row.service).await?;
    if !matches!(caller, Caller::Signed(_)) {
        return Err(Fault::missing_authentication_token());
    }
    let members = routed.members.read(request)?;
    let facts = facts(services, request);
    let context = Context { services, caller: &caller, facts: &facts, batch: None };
    (routed.row.run)(&context, &members).await
}

impl Members<'_> {
    /// The members of the input. None stands in two places.
    pub(super) fn read(&self, request: &Incoming) -> Result<Map<String, Value>, Fault> {
        let wrong = |message: String| Fault::new(FaultCode::SerializationException, message);
        let mut members = if request.body.is_empty() {
            Map::new()
        } else {
            crate::api::strict::<Map<String, Value>>(&request.body)
                .map_err(|error| wrong(format!("The body cannot be read: {error}.")))?
        };
        let mut others: Vec<(String, Value)> =
            self.path.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        for (name, value) in form_urlencoded::parse(request.query().as_bytes()) {
            let name = name.into_owned();
            let is = |names: &[&str]| names.contains(&name.as_str());
            let value = match value.parse::<i64>() {
                Ok(number) if is(self.integers) => number.into(),
                _ => Value::from(value.into_owned()),
            };
            if !is(self.lists) {
                others.push((name, value));
            } else if let Some((_, Value::Array(list))) =
                others.iter_mut().find(|(known, _)| *known == name)
            {
                list.push(value);
            } else {
                others.push((name, vec![value].into()));
            }
        }
        for (name, value) in others {
            if members.contains_key(&name) {
                return Err(wrong(format!("{} is there twice.", printable(&name, 64))));
            }
            members.insert(name, value);
        }
        Ok(members)
    }
}

/// Spells a fault in the words of a service.
pub(super) fn spell(service: Service, fault: &Fault) -> Outgoing {
    let (kind, status) = match (service, spelled(fault.code())) {
        // Its word for a value that is wrong.
        (
            Service::RolesAnywhere,
            ("InvalidParameterException" | "SerializationException" | "MalformedPolicyDocument", _),
        ) => ("ValidationException", 400),
        (_, spelled) => spelled,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "message": fault.message() }).to_string();
    let answer = Outgoing::new(status, JSON, body.into_bytes())
        .with_header(ERROR_TYPE, HeaderValue::from_static(kind))
        .with_log("code", kind);
    match fault.loggable_note() {
        Some(note) => answer.with_log("note", note),
        None => answer,
    }
}

/// The word and status of a code in these services.
fn spelled(code: FaultCode) -> (&'static str, u16) {
    match code {
        FaultCode::AccessDenied => ("AccessDeniedException", 403),
        FaultCode::ExpiredToken => ("ExpiredTokenException", 403),
        FaultCode::IdpCommunicationError | FaultCode::ServiceUnavailable => {
            ("ServiceUnavailableException", 503)
        }
        FaultCode::IdpRejectedClaim | FaultCode::InvalidIdentityToken => {
            ("InvalidTokenException", 400)
        }
        FaultCode::IncompleteSignature => ("IncompleteSignatureException", 403),
        FaultCode::InternalFailure => ("ServerException", 500),
        FaultCode::InvalidClientTokenId => ("UnrecognizedClientException", 403),
        FaultCode::InvalidInputException
        | FaultCode::InvalidParameterValue
        | FaultCode::ValidationError => ("InvalidParameterException", 400),
        FaultCode::MissingAuthenticationToken => ("MissingAuthenticationTokenException", 403),
        FaultCode::SignatureDoesNotMatch => ("InvalidSignatureException", 403),
        FaultCode::Throttling => ("ThrottlingException", 429),
        other => (other.as_str(), other.status()),
    }
}
