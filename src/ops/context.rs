//! The condition keys that every decision has, from verified facts.
//!
//! Source: IAM User Guide, "AWS global condition context keys".
//!
//! INVARIANT: what the caller merely claims never becomes a condition key, but for `aws:UserAgent`.

use crate::authn::{Identity, PrincipalEntity};
use crate::directory::Tag;
use crate::ops::Facts;
use crate::policy::{Context, Value, fold};
use crate::time::Timestamp;

/// The keys of the request and its time.
pub fn of_request(facts: &Facts) -> Context {
    let mut context = of_time(facts.now).with("aws:SecureTransport", bool(facts.secure));
    if let Some(ip) = facts.source_ip {
        one(&mut context, "aws:SourceIp", ip.to_string());
    }
    if let Some(agent) = &facts.user_agent {
        one(&mut context, "aws:UserAgent", agent.clone());
    }
    context
}

/// The keys of the current time.
pub fn of_time(now: Timestamp) -> Context {
    Context::at(now)
}

/// Adds the keys of the principal that signed.
pub fn add_identity(context: &mut Context, identity: &Identity, now: Timestamp) {
    one(context, "aws:PrincipalArn", identity.principal_arn());
    one(context, "aws:PrincipalAccount", identity.account().to_string());
    one(context, "aws:userid", identity.user_id());
    let kind = match identity.principal() {
        PrincipalEntity::User(user) => {
            one(context, "aws:username", user.name.clone());
            "User"
        }
        PrincipalEntity::Role(_) => "AssumedRole",
        PrincipalEntity::Root(_) => "Account",
    };
    one(context, "aws:PrincipalType", kind);
    for (key, value) in principal_tags(identity) {
        one(context, &format!("aws:PrincipalTag/{key}"), value);
    }
    // The keys below exist for temporary credentials only.
    let Some(session) = identity.session() else { return };
    let claims = session.claims();
    one(context, "aws:TokenIssueTime", claims.issued_at.to_rfc3339());
    if let Some(source_identity) = &claims.source_identity {
        one(context, "aws:SourceIdentity", source_identity.clone());
    }
    match claims.mfa_at {
        Some(mfa_at) => add_second_factor(context, mfa_at, now),
        None => one(context, "aws:MultiFactorAuthPresent", bool(false)),
    }
}

/// Adds the keys of a second factor that was shown at `mfa_at`.
pub fn add_second_factor(context: &mut Context, mfa_at: Timestamp, now: Timestamp) {
    one(context, "aws:MultiFactorAuthPresent", bool(true));
    one(context, "aws:MultiFactorAuthAge", now.secs_since(mfa_at).max(0).to_string());
}

/// The principal's tags: the entity's own, a session's over them, keys compared without case.
pub fn principal_tags(identity: &Identity) -> Vec<(String, String)> {
    let entity: &[Tag] = match identity.principal() {
        PrincipalEntity::User(user) => &user.tags,
        PrincipalEntity::Role(role) => &role.tags,
        PrincipalEntity::Root(_) => &[],
    };
    let session = identity.session().map_or(&[][..], |session| &session.claims().tags);
    let own =
        entity.iter().filter(|tag| !session.iter().any(|over| fold(&over.key) == fold(&tag.key)));
    own.map(|tag| (tag.key.clone(), tag.value.clone()))
        .chain(session.iter().map(|tag| (tag.key.clone(), tag.value.clone())))
        .collect()
}

/// Adds an entity's tags as `aws:ResourceTag/…`, and under the service's own name for it if it has
/// one (`iam:ResourceTag/…`).
pub fn add_resource_tags(context: &mut Context, tags: &[Tag]) {
    for tag in tags {
        one(context, &format!("aws:ResourceTag/{}", tag.key), tag.value.clone());
        one(context, &format!("iam:ResourceTag/{}", tag.key), tag.value.clone());
    }
}

/// Adds the tags that a request asks to set.
pub fn add_request_tags<'t>(context: &mut Context, tags: impl Iterator<Item = (&'t str, &'t str)>) {
    let mut keys = Vec::new();
    for (key, value) in tags {
        one(context, &format!("aws:RequestTag/{key}"), value);
        keys.push(key.to_owned());
    }
    if !keys.is_empty() {
        context.insert("aws:TagKeys", Value::Many(keys));
    }
}

fn one(context: &mut Context, key: &str, value: impl Into<String>) {
    context.insert(key, Value::One(value.into()));
}

fn bool(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
