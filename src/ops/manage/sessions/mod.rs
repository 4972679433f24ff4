//! Listing and counting live sessions.
//!
//! The ledger lists the sessions of one role or user. An account's are those of its roles and
//! users, one after the other, so that an answer takes a bounded number of questions to the ledger
//! whatever an account holds; it ends with a token where the next one goes on. What a session is
//! stands in its token, which is opened for it and closed again: nothing secret is told.

mod scope;
mod walk;

use serde::Serialize;

use crate::api::{Ancestor, ListSessions, SessionCount, SessionView, Sessions};
use crate::arn;
use crate::authn::standing;
use crate::directory::Snapshot;
use crate::id::AccessKeyId;
use crate::ops::dispatch::Trail;
use crate::ops::fault::Fault;
use crate::ops::manage::Asker;
use crate::ops::trail::About;
use crate::ops::{Effect, Service};
use crate::seal::{Claims, Link, PrincipalKind};
use crate::sessions::Listing;
use walk::Walk;

/// The action that a caller must be allowed, for listing and for counting.
pub const ACTION: &str = "countersign:ListSessions";

/// How many sessions are told when the caller does not say.
const DEFAULT: usize = 100;

/// Lists.
pub async fn list(asker: &Asker<'_>, request: &ListSessions) -> Result<Sessions, Fault> {
    recorded(asker, "ListSessions", request, async {
        let mut walk = Walk::begin(asker, request, "ListSessions")?;
        let limit = limit(request)?;
        let (mut sessions, mut unreadable) = (Vec::new(), 0);
        while sessions.len() < limit && walk.goes_on() {
            for found in walk.step(limit - sessions.len()).await? {
                match found {
                    Some((id, claims)) => sessions.push(view(&walk.snapshot, id, &claims)),
                    None => unreadable += 1,
                }
            }
        }
        Ok(Sessions { sessions, unreadable, next_token: walk.end()? })
    })
    .await
}

/// Counts.
pub async fn count(asker: &Asker<'_>, request: &ListSessions) -> Result<SessionCount, Fault> {
    recorded(asker, "CountSessions", request, async {
        let mut walk = Walk::begin(asker, request, "CountSessions")?;
        let mut count = 0;
        while walk.goes_on() {
            count += if walk.filter.is_empty() {
                walk.count().await?
            } else {
                let found = walk.step(Listing::LIMIT).await?;
                u64::try_from(found.iter().flatten().count()).unwrap_or(u64::MAX)
            };
        }
        Ok(SessionCount { count, next_token: walk.end()? })
    })
    .await
}

/// Does it, and records it.
async fn recorded<T: Serialize>(
    asker: &Asker<'_>,
    name: &'static str,
    request: &ListSessions,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let about = About { service: Service::Countersign, name, read_only: true };
    let context = asker.context();
    let described = serde_json::to_value(request).map_err(Fault::internal)?;
    let trail =
        Trail::begin(context, &about, Effect::Read, asker.user_identity(), described).await?;
    let result = work.await;
    let told = result.as_ref().map(|_| serde_json::Value::Null);
    // Nothing was changed: the log says if the record was lost.
    let _ = trail.end(context, told).await;
    result
}

fn limit(request: &ListSessions) -> Result<usize, Fault> {
    let Some(text) = &request.max_items else { return Ok(DEFAULT) };
    text.parse()
        .ok()
        .filter(|limit| (1..=Listing::LIMIT).contains(limit))
        .ok_or_else(|| Fault::validation("max_items: a number from 1 to 1000 is expected."))
}

fn view(snapshot: &Snapshot, id: AccessKeyId, claims: &Claims) -> SessionView {
    let principal = &claims.principal;
    let arn = match (principal.kind, arn::parse_role(&principal.arn)) {
        (PrincipalKind::Role, Some((account, _, name))) => {
            arn::assumed_role(account, name, &claims.session_name)
        }
        (PrincipalKind::FederatedUser, _) => {
            arn::federated_user(principal.account, &claims.session_name)
        }
        _ => principal.arn.clone(),
    };
    let own = Link {
        access_key_id: id,
        session_id: Some(claims.session_id),
        principal_id: principal.id,
        arn: arn.clone(),
        issued_at: claims.issued_at,
        version: claims.version,
    };
    SessionView {
        access_key_id: id.to_string(),
        account: principal.account.to_string(),
        principal_arn: principal.arn.clone(),
        principal_id: principal.id.to_string(),
        session_name: claims.session_name.clone(),
        source_identity: claims.source_identity.clone(),
        ancestors: claims.ancestors.iter().rev().map(ancestor).collect(),
        issued_at: claims.issued_at.to_rfc3339(),
        expires_at: claims.expires_at.to_rfc3339(),
        provider: claims.federated.as_ref().map(|it| it.arn.clone()),
        subject: claims.federated.as_ref().map(|it| it.subject.clone()),
        revoked: standing::link(snapshot, &own)
            .and_then(|()| standing::origin(snapshot, &id, claims))
            .is_err(),
        arn,
    }
}

fn ancestor(link: &Link) -> Ancestor {
    Ancestor {
        arn: link.arn.clone(),
        access_key_id: link.access_key_id.to_string(),
        issued_at: link.issued_at.to_rfc3339(),
    }
}
