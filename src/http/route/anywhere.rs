//! IAM Roles Anywhere: its operations in method and path, and `POST /sessions`, which a certificate
//! signs, or the connection's certificate proves.

use std::sync::Arc;

use hyper::header::{CACHE_CONTROL, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value};

use super::facts;
use super::json::JSON;
use super::restjson::{Members, Routed, spell};
use crate::authn::Caller;
use crate::http::{Incoming, Outgoing};
use crate::ops::{Context, Service, Services, rolesanywhere};
use crate::sigv4::RequestHead;

/// The path of sessions.
const SESSIONS: &str = "/sessions";

/// Whether it asks for a session.
pub(super) fn is_session(request: &Incoming) -> bool {
    request.method == Method::POST && request.path() == SESSIONS
}

/// The operation of a request, if it is one of this service's.
pub(super) fn route(request: &Incoming) -> Option<Routed<'_>> {
    let mut parts = request.path().strip_prefix('/')?.split('/');
    let parts = [parts.next()?, parts.next().unwrap_or(""), parts.next().unwrap_or("")]
        .into_iter()
        .chain(parts)
        .collect::<Vec<_>>();
    let [what, id, more] = *parts else { return None };
    if request.path().ends_with('/') {
        return None;
    }
    let (name, member) = match (request.method.as_str(), what, id.is_empty(), more) {
        ("POST", "trustanchors", true, "") => ("CreateTrustAnchor", ""),
        ("GET", "trustanchors", true, "") => ("ListTrustAnchors", ""),
        ("GET", "trustanchor", false, "") => ("GetTrustAnchor", "trustAnchorId"),
        ("PATCH", "trustanchor", false, "") => ("UpdateTrustAnchor", "trustAnchorId"),
        ("DELETE", "trustanchor", false, "") => ("DeleteTrustAnchor", "trustAnchorId"),
        ("POST", "trustanchor", false, "enable") => ("EnableTrustAnchor", "trustAnchorId"),
        ("POST", "trustanchor", false, "disable") => ("DisableTrustAnchor", "trustAnchorId"),
        ("POST", "profiles", true, "") => ("CreateProfile", ""),
        ("GET", "profiles", true, "") => ("ListProfiles", ""),
        ("PUT", "profiles", false, "mappings") => ("PutAttributeMapping", "profileId"),
        ("DELETE", "profiles", false, "mappings") => ("DeleteAttributeMapping", "profileId"),
        ("GET", "profile", false, "") => ("GetProfile", "profileId"),
        ("PATCH", "profile", false, "") => ("UpdateProfile", "profileId"),
        ("DELETE", "profile", false, "") => ("DeleteProfile", "profileId"),
        ("POST", "profile", false, "enable") => ("EnableProfile", "profileId"),
        ("POST", "profile", false, "disable") => ("DisableProfile", "profileId"),
        ("POST", "crls", true, "") => ("ImportCrl", ""),
        ("GET", "crls", true, "") => ("ListCrls", ""),
        ("GET", "crl", false, "") => ("GetCrl", "crlId"),
        ("PATCH", "crl", false, "") => ("UpdateCrl", "crlId"),
        ("DELETE", "crl", false, "") => ("DeleteCrl", "crlId"),
        ("POST", "crl", false, "enable") => ("EnableCrl", "crlId"),
        ("POST", "crl", false, "disable") => ("DisableCrl", "crlId"),
        ("GET", "subjects", true, "") => ("ListSubjects", ""),
        ("GET", "subject", false, "") => ("GetSubject", "subjectId"),
        ("PATCH", "put-notifications-settings", true, "") => ("PutNotificationSettings", ""),
        ("PATCH", "reset-notifications-settings", true, "") => ("ResetNotificationSettings", ""),
        ("POST", "TagResource", true, "") => ("TagResource", ""),
        ("POST", "UntagResource", true, "") => ("UntagResource", ""),
        ("GET", "ListTagsForResource", true, "") => ("ListTagsForResource", ""),
        _ => return None,
    };
    let row = rolesanywhere::ROWS.iter().find(|row| row.name == name)?;
    let path = if member.is_empty() { Vec::new() } else { vec![(member, id)] };
    // Those that make something say so.
    let created = ["CreateTrustAnchor", "CreateProfile", "ImportCrl", "TagResource"];
    let status = if created.contains(&name) { StatusCode::CREATED } else { StatusCode::OK };
    let members = Members { path, integers: &["pageSize"], lists: &["specifiers"] };
    Some(Routed { row, members, status })
}

/// Answers `POST /sessions`.
pub(super) async fn session(services: &Arc<Services>, request: &Incoming) -> Outgoing {
    let headers: Vec<(&str, &[u8])> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let head =
        RequestHead { method: request.method.as_str(), target: &request.target, headers: &headers };
    let facts = facts(services, request);
    let context = Context { services, caller: &Caller::Anonymous, facts: &facts, batch: None };
    let members = Members { path: Vec::new(), integers: &["durationSeconds"], lists: &[] };
    let answer = match members.read(request) {
        Ok(members) => {
            let members: Map<String, Value> = members;
            let connection = request.tls.as_ref().and_then(|tls| tls.held.as_deref());
            let body = &request.body;
            rolesanywhere::create_session(&context, &head, &members, body, connection).await
        }
        Err(fault) => Err(fault),
    };
    match answer {
        Ok(answer) => Outgoing::new(StatusCode::CREATED, JSON, answer.to_string().into_bytes())
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store")),
        Err(fault) => spell(Service::RolesAnywhere, &fault),
    }
    .for_operation("CreateSession")
}
