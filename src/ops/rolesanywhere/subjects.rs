//! Who came with a certificate: to be read, and nothing depends on it.
//!
//! A subject is told to the minute: a session within the minute of the last one writes nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::common::{self, by_id, listing};
use super::{access, shapes};
use crate::directory::anywhere::SeenCertificate;
use crate::directory::{Entity, EntityKey, Subject};
use crate::federation::x509::Leaf;
use crate::id::{AccountId, AnywhereId, uuid};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// The most certificates of a subject that are kept.
const MAX_SEEN: usize = 10;
/// The most subjects of an account; who came least lately is forgotten.
const MAX_SUBJECTS: usize = 10_000;
/// Seconds in which a subject that comes again is not written again.
const FRESH_SECS: i64 = 60;

pub(super) fn view(it: &Subject, context: &Context<'_>, listed: bool) -> Value {
    let mut view = json!({
        "subjectArn": access::arn_of(context, it),
        "subjectId": uuid(&it.id.0),
        "enabled": true,
        "x509Subject": it.name,
        "lastSeenAt": it.last_seen_at.to_rfc3339(),
        "createdAt": it.created_at.to_rfc3339(),
        "updatedAt": it.updated_at.to_rfc3339(),
    });
    if let Some(view) = view.as_object_mut().filter(|_| !listed) {
        let seen: Vec<_> = it
            .seen
            .iter()
            .map(|it| {
                json!({
                    "seenAt": it.seen_at.to_rfc3339(),
                    "serialNumber": it.serial,
                    "issuer": it.issuer,
                    "enabled": true,
                    "x509CertificateData": pem(&it.der),
                    "failed": it.failed,
                })
            })
            .collect();
        view.insert("credentials".to_owned(), seen.into());
        view.insert("instanceProperties".to_owned(), json!([]));
    }
    view
}

fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, c) in base64.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

/// Keeps that somebody came with a certificate, and whether in vain. Returns the subject's ID.
pub(super) async fn came(
    context: &Context<'_>,
    account: AccountId,
    leaf: &Leaf,
    failed: bool,
) -> Result<AnywhereId, Fault> {
    let now = context.facts.now.floor_secs();
    let name = leaf.subject().to_string();
    let serial = leaf.serial_hex();
    let fresh = |it: &Subject| {
        let first = it.seen.first();
        now.secs_since(it.last_seen_at) < FRESH_SECS
            && first.is_some_and(|it| it.der == leaf.der() && it.failed == failed)
    };
    let known = context.services.directory.snapshot();
    if let Some(found) = known.subject_named(account, &name).filter(|it| fresh(it)) {
        return Ok(found.id);
    }
    context
        .change(|tx| {
            let found = tx.state().subject_named(account, &name).cloned();
            let mut subject = if let Some(found) = found {
                Subject::clone(&found)
            } else {
                let state = tx.state();
                let oldest = (state.subjects_of(account).count() >= MAX_SUBJECTS)
                    .then(|| state.subjects_of(account).min_by_key(|it| it.last_seen_at))
                    .flatten()
                    .map(|it| it.id);
                if let Some(oldest) = oldest {
                    tx.delete(EntityKey::Subject(oldest));
                }
                Subject {
                    id: AnywhereId::generate(&*context.services.random).map_err(Fault::internal)?,
                    account,
                    name: name.clone(),
                    tags: Vec::new(),
                    created_at: now,
                    updated_at: now,
                    last_seen_at: now,
                    seen: Vec::new(),
                }
            };
            (subject.updated_at, subject.last_seen_at) = (now, now);
            subject.seen.retain(|it| it.der != leaf.der());
            let seen = SeenCertificate {
                serial,
                issuer: leaf.issuer().to_string(),
                der: leaf.der().to_vec(),
                seen_at: now,
                failed,
            };
            subject.seen.insert(0, seen);
            subject.seen.truncate(MAX_SEEN);
            let id = subject.id;
            tx.put(Entity::Subject(subject));
            Ok(id)
        })
        .await
}

by_id!(
    /// Gets one.
    GetSubject, Read, shapes::SUBJECT_ID, |context, id| common::get::<Self, Subject>(context, &id)
);
listing!(
    /// Lists those of the account.
    ListSubjects of Subject
);
