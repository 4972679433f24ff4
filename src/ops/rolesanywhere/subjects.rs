//! Who came with a certificate: to be read, and nothing depends on it.
//!
//! A subject is told to the hour: one that comes again with a certificate that is known is written once
//! an hour; with another certificate, or with another outcome, once a minute at most. An account has as
//! many as its quota says. Who comes when there is no room takes the place of the one that stayed away
//! longest, if that is a day, and is not kept else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::common::{self, by_id, listing};
use super::{access, shapes};
use crate::directory::anywhere::SeenCertificate;
use crate::directory::{Entity, EntityKey, Snapshot, Subject};
use crate::federation::x509::Leaf;
use crate::id::{AccountId, AnywhereId, uuid};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};
use crate::time::Timestamp;

/// The most certificates of a subject that are kept.
const MAX_SEEN: usize = 10;
/// The most bytes of them, with their issuers' names. The last one is kept whatever it has.
const MAX_SEEN_BYTES: usize = 16_000;
/// The longest name of a subject that is kept, in bytes.
const MAX_NAME: usize = 1024;
/// Seconds in which a subject that comes again is not written again.
const PAUSE_SECS: i64 = 60;
/// Seconds in which a certificate that comes again is not written again.
const FRESH_SECS: i64 = 3600;
/// Seconds after which somebody who stayed away may be forgotten for another.
const AWAY_SECS: i64 = 86_400;

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

/// The ID of a certificate's subject, whether it is kept or not.
pub(super) fn id(context: &Context<'_>, account: AccountId, leaf: &Leaf) -> AnywhereId {
    let name = leaf.subject().to_string();
    let state = context.services.directory.snapshot();
    state.subject_named(account, &name).map_or_else(|| id_of(account, &name), |it| it.id)
}

/// One that was forgotten and comes again is the same.
fn id_of(account: AccountId, name: &str) -> AnywhereId {
    let digest = Sha256::digest(format!("subject {account} {name}"));
    let mut id = AnywhereId([0; 16]);
    for (to, from) in id.0.iter_mut().zip(digest) {
        *to = from;
    }
    id
}

/// Keeps that somebody came with a certificate, and whether in vain.
///
/// INVARIANT: nothing depends on it. What cannot be kept is logged and counted, and refuses nothing:
/// the audit log has it.
pub(super) async fn came(context: &Context<'_>, account: AccountId, leaf: &Leaf, failed: bool) {
    let coming = Coming {
        account,
        name: leaf.subject().to_string(),
        leaf,
        failed,
        now: context.facts.now.floor_secs(),
        most: context.services.quotas.anywhere_subjects_per_account,
    };
    if coming.name.len() > MAX_NAME
        || coming.change(&context.services.directory.snapshot()).is_none()
    {
        return;
    }
    let kept = context
        .change(|tx| {
            // Another request may have kept it meanwhile.
            if let Some((subject, forgotten)) = coming.change(tx.state()) {
                if let Some(forgotten) = forgotten {
                    tx.delete(EntityKey::Subject(forgotten));
                }
                tx.put(Entity::Subject(subject));
            }
            Ok(())
        })
        .await;
    if let Err(error) = kept {
        context.services.subjects_lost.inc();
        tracing::warn!(%account, %error, "that a subject came with a certificate was not kept");
    }
}

/// Somebody who comes.
struct Coming<'l> {
    account: AccountId,
    name: String,
    leaf: &'l Leaf,
    failed: bool,
    now: Timestamp,
    /// How many are kept.
    most: usize,
}

impl Coming<'_> {
    /// The subject as it is to be kept, and who makes room for it; `None` if all stays as it is.
    fn change(&self, state: &Snapshot) -> Option<(Subject, Option<AnywhereId>)> {
        let (mut subject, forgotten) = match state.subject_named(self.account, &self.name) {
            Some(found) => (self.is_news_of(found).then(|| Subject::clone(found))?, None),
            None => (self.new_one(), self.room(state).ok()?),
        };
        (subject.updated_at, subject.last_seen_at) = (self.now, self.now);
        subject.seen.retain(|it| it.der != self.leaf.der());
        let seen = SeenCertificate {
            serial: self.leaf.serial_hex(),
            issuer: self.leaf.issuer().to_string(),
            der: self.leaf.der().to_vec(),
            seen_at: self.now,
            failed: self.failed,
        };
        subject.seen.insert(0, seen);
        let (mut count, mut bytes) = (0, 0);
        subject.seen.retain(|it| {
            count += 1;
            bytes += it.der.len() + it.issuer.len();
            count == 1 || (count <= MAX_SEEN && bytes <= MAX_SEEN_BYTES)
        });
        Some((subject, forgotten))
    }

    fn is_news_of(&self, found: &Subject) -> bool {
        let since = |at| self.now.secs_since(at);
        if since(found.last_seen_at) < PAUSE_SECS {
            return false;
        }
        let known = found.seen.iter().find(|it| it.der == self.leaf.der());
        known.is_none_or(|it| it.failed != self.failed || since(it.seen_at) >= FRESH_SECS)
    }

    /// Who makes room for one more, if somebody has to; an error if nobody does.
    fn room(&self, state: &Snapshot) -> Result<Option<AnywhereId>, ()> {
        let all = || state.subjects_of(self.account);
        if all().count() < self.most {
            return Ok(None);
        }
        let oldest = all().min_by_key(|it| it.last_seen_at).ok_or(())?;
        let away = self.now.secs_since(oldest.last_seen_at) >= AWAY_SECS;
        if away { Ok(Some(oldest.id)) } else { Err(()) }
    }

    fn new_one(&self) -> Subject {
        Subject {
            id: id_of(self.account, &self.name),
            account: self.account,
            name: self.name.clone(),
            tags: Vec::new(),
            created_at: self.now,
            updated_at: self.now,
            last_seen_at: self.now,
            seen: Vec::new(),
        }
    }
}

by_id!(
    /// Gets one.
    GetSubject, Read, shapes::SUBJECT_ID, |context, id| common::get::<Self, Subject>(context, &id)
);
listing!(
    /// Lists those of the account.
    ListSubjects of Subject
);
