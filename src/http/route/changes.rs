//! `GET /v1/changes`: the feed for verifiers inside services.

use std::sync::Arc;

use hyper::StatusCode;
use serde::Deserialize;

use super::verify::{asking, problem};
use super::{facts, json};
use crate::http::{Incoming, Outgoing};
use crate::ops::Services;
use crate::ops::verify::{Feeds, NotAdmitted, Reader};

const LINES: &str = "application/x-ndjson";

/// The query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    service: String,
    /// Where the reader stands: all three, or none.
    after: Option<String>,
    epoch: Option<String>,
    deployment: Option<String>,
    /// `false`: the lines so far, and no more.
    follow: Option<String>,
}

pub(super) async fn answer(services: &Arc<Services>, request: &Incoming) -> Outgoing {
    let asking = match asking(services, request).await {
        Ok(asking) => asking,
        Err(answer) => return *answer,
    };
    let query: Query = match json::query(request) {
        Ok(query) => query,
        Err(answer) => return *answer,
    };
    // Whoever may not ask does not learn which services there are.
    let Some(service) = services.downstream.now().get(&query.service).cloned() else {
        return problem(request, &NotAdmitted::NotKeeper.into());
    };
    let facts = facts(services, request);
    if let Err(why) = asking.admit_keeper(&facts, &service) {
        return problem(request, &why.into());
    }
    let number = |text: &Option<String>| text.as_deref().map(str::parse::<u64>).transpose();
    let (Ok(after), Ok(epoch)) = (number(&query.after), number(&query.epoch)) else {
        let message = "after and epoch take numbers.";
        return json::problem(request, StatusCode::BAD_REQUEST, "InvalidRequest", message);
    };
    let reader = Reader { after, epoch, deployment: query.deployment.as_deref() };
    match query.follow.as_deref() {
        None | Some("true") => {}
        Some("false") => {
            let lines = Feeds::so_far(services, &service, &reader, facts.now);
            return Outgoing::new(StatusCode::OK, LINES, lines);
        }
        Some(_) => {
            let message = "follow takes true or false.";
            return json::problem(request, StatusCode::BAD_REQUEST, "InvalidRequest", message);
        }
    }
    match Feeds::open(services, &service, &reader, asking, &facts) {
        Ok(lines) => Outgoing::streamed(StatusCode::OK, LINES, lines),
        Err(error) => json::problem(
            request,
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "There are as many feeds as there may be. Ask again.",
        )
        .with_log("note", error.to_string()),
    }
}
