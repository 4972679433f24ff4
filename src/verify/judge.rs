//! A request against an entry: the same steps, in the same order, with the same words as the
//! broker's.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::answer::{Refused, Verified};
use super::entry::Entry;
use super::request::Request;
use crate::api::{BodyState, Match};
use crate::downstream::mapping::{self, Meaning, Unmapped};
use crate::downstream::{self, BodyRule, Service, Signature};
use crate::policy::{self, Context, Effect, Layer};
use crate::sigv4::{self, Body, PayloadCheck, Presented, Rules, SigError, UriRules};
use crate::time::Timestamp;

/// It cannot be answered here: the broker is to be asked.
pub(super) struct NotHere;

/// Refuses a request that was made for another host.
pub(super) fn check_host(service: &Service, request: &Request<'_>) -> Result<(), Refused> {
    let refused = |message: &str| Err(Refused::unauthenticated("HostNotServed", message));
    let headers = request.head.headers.iter();
    let mut hosts = headers.filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    let (Some((_, host)), None) = (hosts.next(), hosts.next()) else {
        return refused("The request has no host header, or several.");
    };
    let host = std::str::from_utf8(host.trim_ascii()).unwrap_or_default();
    if service.answers_to(host) { Ok(()) } else { refused(downstream::NOT_SERVED) }
}

/// Refuses a scope of another service or region.
pub(super) fn check_scope(service: &Service, presented: &Presented<'_>) -> Result<(), Refused> {
    let scope = presented.scope();
    let refused = |what: &str, expected: &str| {
        let message = format!("The credential is scoped to another {what} than {expected}.");
        Err(Refused::unauthenticated("SignatureDoesNotMatch", message))
    };
    if scope.service != service.name() {
        return refused("service", service.name());
    }
    match service.region() {
        Some(region) if region != scope.region => refused("region", region),
        _ => Ok(()),
    }
}

/// What a request does, by the service's mapping or by the service's own word.
pub(super) fn meaning<'r>(
    service: &Service,
    request: &'r Request<'_>,
) -> Result<Result<Cow<'r, Meaning>, Unmapped>, NotHere> {
    let head = &request.head;
    match service.meaning_of(head, request.body) {
        // Both would have to agree; the broker says whether they do.
        Ok(Some(_)) | Err(_) if request.deed.is_some() => Err(NotHere),
        Ok(Some(meaning)) => Ok(Ok(Cow::Owned(meaning))),
        Err(unmapped) => Ok(Err(unmapped)),
        Ok(None) => {
            let deed = request.deed.ok_or(NotHere)?;
            if deed.resource_policy.is_some() || !deed.is_well_formed(service.account()) {
                return Err(NotHere);
            }
            let deed = mapping::Deed::new(deed.action.clone(), deed.resource.clone());
            Ok(Ok(Cow::Owned(Meaning { deeds: vec![deed], body: None, keys: Vec::new() })))
        }
    }
}

/// Verifies and decides.
pub(super) fn judge(
    service: &Service,
    entry: &Entry,
    presented: &Presented<'_>,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Result<Verified, Refused>, NotHere> {
    let Ok(meant) = meaning(service, request) else {
        return not_here(service, entry, presented, request, now);
    };
    if let Ok(meaning) = &meant {
        let prefix = |action: &str| action.split_once(':').map_or(String::new(), |(p, _)| p.into());
        let decides = |action: &str| entry.decides_about(&prefix(action), service.account());
        if meaning.deeds.is_empty() || !meaning.deeds.iter().all(|deed| decides(&deed.action)) {
            return not_here(service, entry, presented, request, now);
        }
    }
    Ok(refusing(service, entry, presented, request, now, meant))
}

/// What the broker is to be asked about, unless it is not signed with the key at all: nobody else's
/// requests are questions.
fn not_here(
    service: &Service,
    entry: &Entry,
    presented: &Presented<'_>,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Result<Verified, Refused>, NotHere> {
    let rules = Rules::new(service.uri_rules(), now);
    match sigv4::verify(presented, &entry.key, request.body, &rules) {
        Err(error @ SigError::SignatureDoesNotMatch { .. }) => {
            Ok(Err(Refused::unauthenticated(error.code(), error.public_message())))
        }
        Ok(_) | Err(_) => Err(NotHere),
    }
}

fn refusing(
    service: &Service,
    entry: &Entry,
    presented: &Presented<'_>,
    request: &Request<'_>,
    now: Timestamp,
    meant: Result<Cow<'_, Meaning>, Unmapped>,
) -> Result<Verified, Refused> {
    let meaning = meant.as_deref().ok();
    let rule = service.body_rule(meaning);
    let body = match request.body {
        // What is dropped is not there.
        Body::Unavailable if rule == BodyRule::Ignored => Body::Bytes(&[]),
        body => body,
    };
    let rules = Rules::new(service.uri_rules(), now);
    let verified = sigv4::verify(presented, &entry.key, body, &rules)
        .map_err(|error| Refused::unauthenticated(error.code(), error.public_message()))?;
    if entry.has_expired(now) {
        return Err(Refused::unauthenticated("ExpiredToken", "The session has expired."));
    }
    if !verified.path_as_signed() || has_dot_segment(service, request.head.target) {
        return Err(Refused::unauthenticated(
            "AmbiguousPath",
            "The path holds dot segments or empty segments, which may be read in several ways.",
        ));
    }
    if !entry.caller.account().is_some_and(|account| service.serves(account)) {
        return Err(Refused::denied(
            "AccountNotServed",
            "The service does not serve callers of this account.",
        ));
    }
    let meaning = meant.map_err(|why| {
        let code = match why {
            Unmapped::Path(_) => "AmbiguousPath",
            Unmapped::Override(_) => "MethodOverride",
            _ => "Unmapped",
        };
        Refused::denied(code, format!("{why}."))
    })?;
    check_body(verified.payload(), rule)?;
    let mut keys = entry.keys(now);
    request.add_keys(&mut keys, service.region());
    // Last: what the signed request says is over what the service says of it.
    for (key, value) in &meaning.keys {
        keys.insert(key, value.clone());
    }
    let signature =
        Signature { signed_at: presented.signed_at(), now, payload: verified.payload() };
    service.add_keys_of_signature(&mut keys, &request.head, body, &signature);
    let matched = decide(service, entry, &keys, &meaning)?;
    let state = match verified.payload() {
        PayloadCheck::Verified => BodyState::Verified,
        _ => BodyState::Unverified,
    };
    let hash = (rule == BodyRule::Checked).then(|| signed_hash(verified.payload(), body)).flatten();
    let hash = hash.map(|hash| data_encoding::HEXLOWER.encode(&hash));
    Ok(Verified::here(&entry.principal, entry.expires_text.as_ref(), state, hash, matched))
}

/// INVARIANT (everything that matters is signed): what the signature does not vouch for passes only
/// where the service is registered as one that takes care of it.
fn check_body(payload: PayloadCheck, rule: BodyRule) -> Result<(), Refused> {
    match (payload, rule) {
        (PayloadCheck::Verified, _)
        | (PayloadCheck::SignedHash(_), BodyRule::Checked | BodyRule::Unsigned)
        | (PayloadCheck::Unsigned, BodyRule::Unsigned | BodyRule::Ignored) => Ok(()),
        _ => Err(Refused::denied(
            "BodyUnverified",
            "The signature does not vouch for the body, and the service is not registered as one \
             that takes such bodies.",
        )),
    }
}

fn signed_hash(payload: PayloadCheck, body: Body<'_>) -> Option<[u8; 32]> {
    match (payload, body) {
        (PayloadCheck::SignedHash(hash), _) | (PayloadCheck::Verified, Body::Sha256(hash)) => {
            Some(hash)
        }
        (PayloadCheck::Verified, Body::Bytes(bytes)) => Some(Sha256::digest(bytes).into()),
        _ => None,
    }
}

/// Whether a segment of the path is `.` or `..`, escaped or not. Keys of S3 are opaque.
fn has_dot_segment(service: &Service, target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    service.uri_rules() != UriRules::S3
        && path.split('/').any(|segment| {
            segment.len() <= 6
                && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
        })
}

/// Asks the policies about everything that the request does: all of it must be allowed.
fn decide(
    service: &Service,
    entry: &Entry,
    keys: &Context,
    meaning: &Meaning,
) -> Result<Vec<Match>, Refused> {
    debug_assert!(meaning.deeds.iter().all(|deed| {
        deed.action.split_once(':').is_some_and(|(p, _)| entry.decides_about(p, service.account()))
    }));
    let mut matches = Vec::new();
    for deed in &meaning.deeds {
        let mut keys = Cow::Borrowed(keys);
        for (key, value) in &deed.keys {
            keys.to_mut().insert(key, value.clone());
        }
        let asked = policy::Request {
            caller: &entry.caller,
            action: &deed.action,
            resource: &deed.resource,
            context: &keys,
        };
        let decision = entry.decide(&asked);
        if !decision.is_allowed() {
            let code = match decision.effect() {
                Effect::ExplicitDeny => "ExplicitDeny",
                Effect::Allow | Effect::ImplicitDeny => "ImplicitDeny",
            };
            let why = policy::denial_reason(&deed.action, &decision).unwrap_or_default();
            let who = &entry.principal.arn;
            let message = format!(
                "{who} is not authorized to perform {} on {} {why}.",
                deed.action, deed.resource
            );
            return Err(Refused::denied(code, message));
        }
        for matched in decision.matched() {
            let found = Match {
                layer: layer(matched.layer).to_owned(),
                policy: matched.policy.clone(),
                statement: entry.place(&matched.policy, matched.statement),
                sid: matched.sid.clone(),
            };
            if !matches.contains(&found) {
                matches.push(found);
            }
        }
    }
    Ok(matches)
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Root => "root",
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
        Layer::Resource => "resource",
        Layer::Trust => "trust",
        Layer::ServiceControl => "service_control",
        Layer::ResourceControl => "resource_control",
    }
}
