//! The admin socket: what only the host's operator may do. Its file's mode is the authorization.

use std::sync::Arc;

use hyper::{Method, StatusCode};

use super::{facts, json};
use crate::authn::Caller;
use crate::http::{Answer, Handler, Incoming, Outgoing};
use crate::ops::manage::{Asker, accounts, backups, keys};
use crate::ops::{Context, Services};

/// The admin socket's handler.
pub struct Admin {
    services: Arc<Services>,
}

impl Admin {
    /// A handler over one deployment.
    pub fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

impl Handler for Admin {
    fn handle(&self, request: Incoming) -> Answer<'_> {
        Box::pin(async move { answer(&self.services, &request).await })
    }
}

async fn answer(services: &Arc<Services>, request: &Incoming) -> Outgoing {
    let facts = facts(services, request);
    let context = Context { services, caller: &Caller::Anonymous, facts: &facts, batch: None };
    let asker = Asker::HostOperator(&context);
    match (&request.method, request.path()) {
        (&Method::GET, "/countersign/v1/accounts") => {
            json::ok(request, &accounts::list(&services.directory.snapshot()))
                .for_operation("ListAccounts")
        }
        (&Method::POST, "/countersign/v1/accounts") => match json::read(request) {
            Ok(wanted) => json::result(request, &accounts::create(&asker, &wanted).await),
            Err(answer) => *answer,
        }
        .for_operation("CreateAccount"),
        (&Method::POST, "/countersign/v1/revocations") => {
            json::revoke(request, &asker).await.for_operation("RevokeSessions")
        }
        (&Method::GET, "/countersign/v1/sessions") => {
            json::list_sessions(request, &asker).await.for_operation("ListSessions")
        }
        (&Method::GET, "/countersign/v1/sessions/count") => {
            json::count_sessions(request, &asker).await.for_operation("CountSessions")
        }
        (&Method::GET, "/countersign/v1/backup") => match backups::create(&asker).await {
            Ok(pieces) => Outgoing::streamed(StatusCode::OK, "application/jsonl", pieces),
            Err(fault) => json::spell(request, &fault),
        }
        .for_operation("CreateBackup"),
        (&Method::POST, "/countersign/v1/restore") => {
            json::result(request, &backups::restore(&asker, &request.body).await)
                .for_operation("RestoreBackup")
        }
        (&Method::POST, "/countersign/v1/keys") => match json::read(request) {
            Ok(wanted) => json::result(request, &keys::create(&asker, &wanted).await),
            Err(answer) => *answer,
        }
        .for_operation("CreateAccessKey"),
        (&Method::GET, "/countersign/v1/keys") => match json::query(request) {
            Ok(wanted) => json::result(request, &keys::list(&asker, &wanted)),
            Err(answer) => *answer,
        }
        .for_operation("ListAccessKeys"),
        (&Method::POST, "/countersign/v1/keys/change") => match json::read(request) {
            Ok(wanted) => json::result(request, &keys::change(&asker, &wanted).await),
            Err(answer) => *answer,
        }
        .for_operation("ChangeAccessKey"),
        (&Method::POST, "/countersign/v1/keys/confirm") => match json::read(request) {
            Ok(wanted) => json::result(request, &keys::confirm(&asker, &wanted).await),
            Err(answer) => *answer,
        }
        .for_operation("ConfirmAccessKeys"),
        (_, "/countersign/v1/accounts" | "/countersign/v1/keys") => {
            json::wrong_method(request, "GET or POST")
        }
        (_, "/countersign/v1/backup") => json::wrong_method(request, "GET"),
        (
            _,
            "/countersign/v1/restore"
            | "/countersign/v1/keys/change"
            | "/countersign/v1/keys/confirm"
            | "/countersign/v1/revocations",
        ) => json::wrong_method(request, "POST"),
        (_, "/countersign/v1/sessions" | "/countersign/v1/sessions/count") => {
            json::wrong_method(request, "GET")
        }
        _ => json::not_found(request),
    }
}
