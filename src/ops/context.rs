//! The condition keys that every decision has, from verified facts.
//!
//! Source: IAM User Guide, "AWS global condition context keys".
//!
//! INVARIANT: what the caller merely claims never becomes a condition key, but for `aws:UserAgent`.
//! The region that its signature names is such a claim.

use crate::arn;
use crate::authn::{Identity, Maker, PrincipalEntity, SamlIdentity, WebIdentity};
use crate::directory::Tag;
use crate::federation::oidc::ClaimValue;
use crate::ops::{Facts, eks};
use crate::policy::{Context, Value, fold};
use crate::seal::{Claims, FederatedClaim};
use crate::time::Timestamp;

/// The keys of the request and its time.
pub fn of_request(facts: &Facts) -> Context {
    let mut context = Context::new();
    add_request(&mut context, facts);
    context
}

/// Adds the keys of the request and its time.
pub fn add_request(context: &mut Context, facts: &Facts) {
    context.set_time(facts.now);
    one(context, "aws:SecureTransport", bool(facts.secure));
    one(context, "aws:RequestedRegion", facts.region.as_str());
    if let Some(ip) = facts.source_ip {
        one(context, "aws:SourceIp", ip.to_canonical().to_string());
    }
    if let Some(agent) = &facts.user_agent {
        one(context, "aws:UserAgent", agent.clone());
    }
}

/// The keys of the current time.
pub fn of_time(now: Timestamp) -> Context {
    Context::at(now)
}

/// Adds the claims of a token under its issuer's name: `<issuer>:<claim>`.
///
/// Source: IAM User Guide, "Available keys for AWS OIDC federation". `aud` is the audience that the
/// token was taken for. Where the token names the party it was issued to (`azp`), that is the
/// audience, and what stands in `aud` is `oaud`. Where several audiences are client IDs, the key has
/// several values: a plain operator matches none of them.
pub fn add_web_identity(context: &mut Context, identity: &WebIdentity) {
    let (provider, claims) = (identity.provider(), identity.assertion().claims());
    let key = |claim: &str| format!("{}:{claim}", provider.url);
    for (claim, value) in claims.others() {
        let value = match value {
            ClaimValue::One(text) => Value::One(text.clone()),
            ClaimValue::Many(texts) => Value::Many(texts.clone()),
        };
        context.insert(&key(claim), value);
    }
    one(context, &key("sub"), claims.subject());
    if let Some(party) = claims.authorized_party() {
        one(context, &key("azp"), party);
        one(context, &key("aud"), party);
        context.insert(&key("oaud"), few(claims.audiences().to_vec()));
    } else {
        let ours = claims.audiences().iter().filter(|it| provider.client_ids.contains(it));
        context.insert(&key("aud"), few(ours.cloned().collect()));
    }
}

/// One value is one, several are several.
fn few(mut texts: Vec<String>) -> Value {
    texts.dedup();
    match texts.as_slice() {
        [one] => Value::One(one.clone()),
        _ => Value::Many(texts),
    }
}

/// Adds what a SAML assertion says: `saml:…`.
///
/// Source: IAM User Guide, "Available keys for SAML-based AWS STS federation".
pub fn add_saml_identity(context: &mut Context, identity: &SamlIdentity) {
    let assertion = identity.assertion();
    for key in &assertion.attributes().keys {
        let value = match key.values.as_slice() {
            [only] if !key.is_many() => Value::One(only.clone()),
            values => Value::Many(values.to_vec()),
        };
        context.insert(&format!("saml:{}", key.name), value);
    }
    one(context, "saml:aud", assertion.recipient());
    one(context, "saml:iss", assertion.issuer());
    one(context, "saml:sub", assertion.subject().name.as_str());
    one(context, "saml:sub_type", assertion.subject().format.as_str());
    one(context, "saml:namequalifier", identity.name_qualifier());
    one(context, "saml:doc", identity.document());
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
        PrincipalEntity::Federated(_) => "FederatedUser",
    };
    one(context, "aws:PrincipalType", kind);
    for (key, value) in principal_tags(identity) {
        one(context, &format!("aws:PrincipalTag/{key}"), value);
    }
    // The keys below exist for temporary credentials only.
    let Some(session) = identity.session() else { return };
    let claims = session.claims();
    if identity.task_policy().is_some() {
        one(context, "aws:AssumedRoot", bool(true));
    }
    one(context, "aws:TokenIssueTime", claims.issued_at.to_rfc3339());
    if let Some(source_identity) = &claims.source_identity {
        one(context, "aws:SourceIdentity", source_identity.clone());
    }
    // Of the session that a token was exchanged for, not of those that came from it.
    if let Some(federated) = vouched(claims).filter(|_| claims.ancestors.is_empty()) {
        one(context, "aws:FederatedProvider", federated.arn.clone());
        if let Some((_, issuer)) = federated.arn.split_once(":oidc-provider/") {
            one(context, &format!("{issuer}:sub"), federated.subject.clone());
            one(context, &format!("{issuer}:aud"), federated.audience.clone());
        } else if let Some((account, name)) = arn::parse_saml_provider(&federated.arn) {
            one(context, "saml:sub", federated.subject.clone());
            one(context, "saml:aud", federated.audience.clone());
            one(context, "saml:doc", format!("{account}/{name}"));
        }
    }
    match claims.mfa_at {
        Some(mfa_at) => add_second_factor(context, mfa_at, now),
        None => one(context, "aws:MultiFactorAuthPresent", bool(false)),
    }
}

/// What an identity provider said at the beginning of a session's chain.
///
/// Pods have none: there the provider of the cluster's tokens told which pod it is, and EKS took
/// the role for it. Only it gets sessions for tokens of its own audience.
pub fn vouched(claims: &Claims) -> Option<&FederatedClaim> {
    let anchored = |it: &FederatedClaim| arn::parse_anywhere(&it.arn, "trust-anchor").is_some();
    claims.federated.as_ref().filter(|it| it.audience != eks::PRINCIPAL && !anchored(it))
}

/// Adds the keys of a second factor that was shown at `mfa_at`.
pub fn add_second_factor(context: &mut Context, mfa_at: Timestamp, now: Timestamp) {
    one(context, "aws:MultiFactorAuthPresent", bool(true));
    one(context, "aws:MultiFactorAuthAge", now.secs_since(mfa_at).max(0).to_string());
}

/// The principal's tags: the entity's own (of a federated user, its maker's), a session's over them, keys compared without case.
pub fn principal_tags(identity: &Identity) -> Vec<(String, String)> {
    let entity: &[Tag] = match identity.principal() {
        PrincipalEntity::User(user) | PrincipalEntity::Federated(Maker::User(user)) => &user.tags,
        PrincipalEntity::Role(role) => &role.tags,
        PrincipalEntity::Root(_) | PrincipalEntity::Federated(Maker::Root(_)) => &[],
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

/// Adds to the keys of tags that are set or removed how those are spelled that go by it.
///
/// INVARIANT: keys of tags are stored without regard to case, and policies may compare them with
/// it. A Deny that names a tag as it is stored holds however a request spells it.
pub fn add_stored_tag_keys(context: &mut Context, stored: &[Tag]) {
    let Some(Value::Many(asked)) = context.get("aws:TagKeys") else { return };
    let goes = |tag: &&Tag| asked.iter().any(|key| fold(key) == fold(&tag.key));
    let gone = stored.iter().filter(goes).map(|tag| &tag.key).filter(|key| !asked.contains(key));
    let keys = asked.iter().chain(gone).cloned().collect();
    context.insert("aws:TagKeys", Value::Many(keys));
}

fn one(context: &mut Context, key: &str, value: impl Into<String>) {
    context.insert(key, Value::One(value.into()));
}

fn bool(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
