//! Trust policies, as they are written and as they are shown.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal": ARNs of users and roles become
//! unique IDs when a trust policy is saved, and are shown as ARNs for as long as the IDs exist.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

use super::settings::Settings;
use crate::arn::{self, Arn};
use crate::directory::document::TrustError;
use crate::directory::{Snapshot, TrustDocument};
use crate::id::{AccountId, UniqueId, UniqueKind};
use crate::ops::fault::Fault;
use crate::policy::{Policy, TRUST_CHARS, count_without_whitespace};

/// Parses a trust policy and binds the principals it names to what `state` has under their ARNs, in
/// any account.
///
/// # Errors
/// `LimitExceeded`; `MalformedPolicyDocument` if it does not parse, or names a user, role, account
/// or unique ID that does not exist.
/// A federated provider has to be trusted with a condition that says whom of its people, unless
/// the settings let it pass.
pub(super) fn parse(
    settings: Settings,
    state: &Snapshot,
    text: &str,
) -> Result<TrustDocument, Fault> {
    if count_without_whitespace(text) > TRUST_CHARS {
        return Err(Fault::limit_exceeded("ACLSizePerRole", TRUST_CHARS));
    }
    let trust =
        TrustDocument::parse(text, |arn| unique_id(state, arn)).map_err(|error| match error {
            TrustError::Parse(error) => Fault::refused_policy(&error),
            TrustError::NoSuchPrincipal(arn) => invalid(&arn),
        })?;
    for named in aws_principals(text) {
        if !exists(state, &named.text) {
            return Err(invalid(&named.text));
        }
    }
    if !settings.allow_unconditioned_federation {
        check_federation(trust.policy())?;
    }
    Ok(trust)
}

/// INVARIANT (fail closed): an allow for a federated provider says whom, by subject, audience or
/// another claim; for an issuer that many share, by the claim that tells its users apart.
fn check_federation(policy: &Policy) -> Result<(), Fault> {
    for allow in policy.federated_allows() {
        if let Some(lack) = allow.lack() {
            return Err(Fault::malformed_policy(format!(
                "Statement {} of the trust policy gives the role to {} without saying whom: {lack}.",
                allow.statement, allow.provider
            )));
        }
    }
    Ok(())
}

fn invalid(principal: &str) -> Fault {
    Fault::malformed_policy(format!("Invalid principal in policy: \"AWS\":\"{principal}\""))
}

/// The unique ID of the user or role, or of the session's role, that has this very ARN now.
fn unique_id(state: &Snapshot, text: &str) -> Option<UniqueId> {
    if let Some((account, _, name)) = arn::parse_user(text) {
        return state.user_named(account, name).filter(|user| user.arn() == text).map(|it| it.id);
    }
    if let Some((account, _, name)) = arn::parse_role(text) {
        return state.role_named(account, name).filter(|role| role.arn() == text).map(|it| it.id);
    }
    let (account, role, _) = assumed_role(text)?;
    state.role_named(account, role).filter(|it| it.name == role).map(|it| it.id)
}

/// Account, role name and session name of a role session's ARN.
fn assumed_role(text: &str) -> Option<(AccountId, &str, &str)> {
    let arn = Arn::parse(text).ok()?;
    let (role, session) = arn.resource.strip_prefix("assumed-role/")?.split_once('/')?;
    let account = AccountId::parse(arn.account).ok()?;
    // Only the spelling that the broker itself gives it.
    (arn::assumed_role(account, role, session) == text).then_some((account, role, session))
}

/// Whether an account or a unique ID exists; whatever else has been bound is there.
fn exists(state: &Snapshot, principal: &str) -> bool {
    if let Ok(id) = UniqueId::parse(principal) {
        return is_there(state, &id);
    }
    let root = Arn::parse(principal).ok().filter(|arn| arn.resource == "root");
    let account = root.map_or(principal, |arn| arn.account);
    AccountId::parse(account).map_or(true, |account| state.account(account).is_some())
}

fn is_there(state: &Snapshot, id: &UniqueId) -> bool {
    match id.kind() {
        UniqueKind::User => state.user(id).is_some(),
        UniqueKind::Role => state.role(id).is_some(),
        UniqueKind::Group | UniqueKind::Policy | UniqueKind::InstanceProfile | UniqueKind::Root => {
            false
        }
    }
}

/// The text of a trust policy as it is shown: whom it names by ARN stands there by the ARN he has
/// now; who is gone, by his unique ID.
pub(in crate::ops) fn shown(state: &Snapshot, trust: &TrustDocument) -> String {
    let text = trust.text();
    let now: BTreeMap<&str, String> = trust
        .bound()
        .iter()
        .map(|(arn, id)| (arn.as_str(), current(state, arn, id)))
        .filter(|(arn, now)| arn != now)
        .collect();
    if now.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for named in aws_principals(text) {
        let Some(replacement) = now.get(named.text.as_str()) else { continue };
        out.push_str(text.get(done..named.place.start).unwrap_or_default());
        // ARNs and IDs hold nothing that JSON escapes: the parser saw to it.
        out.extend(["\"", replacement, "\""]);
        done = named.place.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// How the principal that was named `arn` is named now.
fn current(state: &Snapshot, arn: &str, id: &UniqueId) -> String {
    let now = match id.kind() {
        UniqueKind::User => state.user(id).map(|user| user.arn()),
        _ => state.role(id).map(|role| match assumed_role(arn) {
            Some((_, _, session)) => arn::assumed_role(role.account, &role.name, session),
            None => role.arn(),
        }),
    };
    now.unwrap_or_else(|| id.to_string())
}

/// A principal of the type `AWS`, and where its JSON string stands in the text.
struct Named {
    text: String,
    place: Range<usize>,
}

/// Every principal of the type `AWS`, in the order of the text, which has been parsed before.
fn aws_principals(text: &str) -> Vec<Named> {
    let mut named = Vec::new();
    let document: Members<'_> = serde_json::from_str(text).unwrap_or_default();
    for statement in document.get("Statement").map_or_else(Vec::new, |raw| one_or_many(raw)) {
        let statement: Members<'_> = serde_json::from_str(statement.get()).unwrap_or_default();
        // `*` is no map.
        let principals = statement.get("Principal").map(|raw| serde_json::from_str(raw.get()));
        let principals: Members<'_> = principals.and_then(Result::ok).unwrap_or_default();
        for raw in principals.get("AWS").map_or_else(Vec::new, |raw| one_or_many(raw)) {
            let Ok(principal) = serde_json::from_str(raw.get()) else { continue };
            // A raw value is a part of the text it was read from.
            let start = raw.get().as_ptr().addr().wrapping_sub(text.as_ptr().addr());
            let place = start..start.saturating_add(raw.get().len());
            named.push(Named { text: principal, place });
        }
    }
    named.sort_by_key(|named| named.place.start);
    named
}

type Members<'t> = BTreeMap<String, &'t RawValue>;

fn one_or_many(raw: &RawValue) -> Vec<&RawValue> {
    if raw.get().starts_with('[') {
        serde_json::from_str(raw.get()).unwrap_or_default()
    } else {
        vec![raw]
    }
}
