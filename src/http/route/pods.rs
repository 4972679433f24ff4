//! `GET /pod-identity/<account>/<cluster>/v1/credentials`: what AWS SDKs in a pod ask for themselves,
//! with `AWS_CONTAINER_CREDENTIALS_FULL_URI` and `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
//!
//! The proof is the token of the pod's service account, in the header `Authorization` as it is.

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::json;

use super::json::{self, JSON};
use super::{facts, text};
use crate::authn::Caller;
use crate::http::{Incoming, Outgoing};
use crate::id::AccountId;
use crate::ops::fault::Fault;
use crate::ops::{Context, Services, eks};

/// The account and the cluster of a path.
pub(super) fn path(request: &Incoming) -> Option<(AccountId, &str)> {
    let rest = request.path().strip_prefix("/pod-identity/")?;
    let (account, cluster) = rest.strip_suffix("/v1/credentials")?.split_once('/')?;
    Some((AccountId::parse(account).ok()?, cluster))
}

pub(super) async fn answer(
    services: &Arc<Services>,
    request: &Incoming,
    (account, cluster): (AccountId, &str),
) -> Outgoing {
    if request.method != Method::GET {
        return json::wrong_method(request, "GET");
    }
    let mut given = request.headers.get_all(AUTHORIZATION).iter();
    let token = match (given.next(), given.next()) {
        (Some(_), None) => text(&request.headers, AUTHORIZATION.as_str()),
        _ => None,
    };
    let answer = match token {
        None => Err(Fault::missing_authentication_token()),
        Some(token) => {
            let facts = facts(services, request);
            let caller = &Caller::Anonymous;
            let context = Context { services, caller, facts: &facts, batch: None };
            // SDKs send the file as it is; some tools leave a line feed at its end.
            eks::endpoint(&context, account, cluster, token.trim_ascii_end()).await
        }
    };
    match answer {
        Ok(credentials) => {
            Outgoing::new(StatusCode::OK, JSON, credentials.to_string().into_bytes())
                .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        }
        Err(fault) => spell(&fault),
    }
    .for_operation("AssumeRoleForPodIdentity")
}

/// What AWS SDKs tell of an endpoint that refuses.
fn spell(fault: &Fault) -> Outgoing {
    let code = fault.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "code": code.as_str(), "message": fault.message() }).to_string();
    let answer = Outgoing::new(status, JSON, body.into_bytes()).with_log("code", code.as_str());
    match fault.loggable_note() {
        Some(note) => answer.with_log("note", note),
        None => answer,
    }
}
