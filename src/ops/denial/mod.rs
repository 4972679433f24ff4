//! What an encoded authorization message tells: the reason of a refusal, for those who may know.
//!
//! # Model
//!
//! A signed caller whom its policies deny an action gets, beside AWS's words, a sealed message.
//! `DecodeAuthorizationMessage` opens it, for a caller of the same account who may do that. The
//! message has the shape of AWS's.
//!
//! # What is not in it
//!
//! - INVARIANT: nothing that the decision knew of the resource beyond what the caller named: no tags, no
//!   boundary of it, and no path where the caller gave a name. Neither content nor length tells
//!   whether it exists.
//!   A hint that would compare such a thing is left out.
//! - External IDs and request contexts of providers, neither as values nor in conditions: of the
//!   keys of STS only the session name and the source identity are told.
//! - What does not fit: conditions are left out from the end, and `truncated` says so.
//!
//! The refusals of AssumeRole have no message at all: they are one text for every reason.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::Services;
use crate::authn::Identity;
use crate::policy::{self, Effect, Element, Layer, StatementTrace, Trace};
use crate::seal::message;

/// At most this many bytes of JSON: about 4,200 characters when sealed. DecodeAuthorizationMessage
/// takes 10,240.
const MAX_BYTES: usize = 3_072;
/// At most this many statements are told.
const MAX_STATEMENTS: usize = 5;
/// A text longer than this is cut, in characters.
const MAX_TEXT: usize = 512;

/// A refusal to be told.
pub struct Denial<'a> {
    /// Who was refused.
    pub identity: &'a Identity,
    /// Such as `iam:GetUser`.
    pub action: &'a str,
    /// As the caller named it.
    pub resource: &'a str,
    /// The condition keys that do not depend on the resource.
    pub keys: &'a policy::Context,
    /// How it was decided.
    pub trace: &'a Trace,
    /// Whether the resource is told as it is: then the trace says nothing that the caller did not
    /// know of it.
    pub plain: bool,
}

impl Denial<'_> {
    /// Seals it for the account of the caller. `None` if that is not possible: the refusal stands
    /// without it.
    pub fn encode(&self, services: &Services) -> Option<String> {
        let account = self.identity.account();
        let body = self.body();
        match message::seal(&services.keyring, account, &body, &*services.random) {
            Ok(sealed) => Some(sealed),
            Err(error) => {
                tracing::warn!(%error, "an authorization message could not be sealed");
                None
            }
        }
    }

    /// The message, at most [`MAX_BYTES`] long.
    fn body(&self) -> String {
        let mut conditions: Vec<Value> =
            self.keys.iter().filter(|(key, _)| is_told(key)).map(condition).collect();
        let mut statements = self.statements();
        let mut truncated = false;
        loop {
            let mut told = self.told(&statements, &conditions);
            if truncated && let Some(told) = told.as_object_mut() {
                told.insert("truncated".to_owned(), Value::Bool(true));
            }
            let text = told.to_string();
            truncated = true;
            if text.len() <= MAX_BYTES || (conditions.pop().is_none() && statements.pop().is_none())
            {
                return text;
            }
        }
    }

    fn told(&self, statements: &[Value], conditions: &[Value]) -> Value {
        let decision = &self.trace.decision;
        let plain = self.plain && is_own(decision.layer());
        let hint = self.trace.hint().filter(|hint| plain && !is_secret(hint));
        let failures: Vec<Value> = hint.iter().map(|hint| json!({ "value": cut(hint) })).collect();
        json!({
            "allowed": false,
            "explicitDeny": decision.effect() == Effect::ExplicitDeny,
            "matchedStatements": { "items": statements },
            "failures": { "items": failures },
            "context": {
                "principal": { "id": self.identity.user_id(), "arn": self.identity.arn() },
                "action": self.action,
                "resource": cut(self.resource),
                "conditions": { "items": conditions },
            },
        })
    }

    /// The statements that denied, of the caller's own account: what the organization and the owner
    /// of a resource say is theirs to tell.
    fn statements(&self) -> Vec<Value> {
        let statements = self.trace.statements.iter();
        let denied = statements.filter(|it| !it.allows && it.applies && is_own(it.layer));
        denied.take(MAX_STATEMENTS).map(|it| statement(self.identity, it)).collect()
    }
}

/// Whether the caller's own account wrote what stands in this layer.
fn is_own(layer: Layer) -> bool {
    matches!(layer, Layer::Identity | Layer::Boundary | Layer::Session)
}

fn statement(identity: &Identity, statement: &StatementTrace) -> Value {
    let items = |texts: &[String]| -> Value {
        let shown = texts.iter().take(MAX_STATEMENTS).map(|text| json!({ "value": cut(text) }));
        json!({ "items": shown.collect::<Vec<_>>() })
    };
    let (mut actions, mut resources, mut conditions) = (items(&[]), items(&[]), Vec::new());
    for element in &statement.elements {
        match &element.element {
            Element::Action { .. } => actions = items(&element.expected),
            Element::Resource { .. } => resources = items(&element.expected),
            Element::Condition { operator, key } if is_told(&key.to_ascii_lowercase()) => {
                let values = items(&element.expected);
                conditions.push(json!({ "key": key, "operator": operator, "values": values }));
            }
            Element::Condition { .. } | Element::Principal { .. } => {}
        }
    }
    json!({
        "statementId": statement.sid.as_deref().unwrap_or_default(),
        "effect": "DENY",
        "principals": { "items": [{ "value": identity.unique_id().to_string() }] },
        "principalGroups": { "items": [] },
        "actions": actions,
        "resources": resources,
        "conditions": { "items": conditions },
    })
}

fn condition((key, value): (&str, &policy::Value)) -> Value {
    let values = match value {
        policy::Value::One(value) => std::slice::from_ref(value),
        policy::Value::Many(values) => values.as_slice(),
    };
    let values: Vec<Value> = values.iter().map(|value| json!({ "value": cut(value) })).collect();
    json!({ "key": key, "values": { "items": values } })
}

/// Whether a key, lower-cased, and its values may be told.
fn is_told(key: &str) -> bool {
    let of_resource = key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/");
    let ours = ["aws:", "iam:", "countersign:"].iter().any(|prefix| key.starts_with(prefix));
    (ours && !of_resource && key != "iam:permissionsboundary")
        || matches!(key, "sts:rolesessionname" | "sts:sourceidentity")
}

/// Whether a text speaks of what must not be told: of secrets between accounts, or of the resource.
fn is_secret(text: &str) -> bool {
    const SECRET: [&str; 7] = [
        "sts:externalid",
        "sts:requestcontext",
        "sts:transitivetagkeys",
        "aws:resourcetag/",
        "iam:resourcetag/",
        "aws:resourceorg",
        "organizations:policytype",
    ];
    let text = text.to_ascii_lowercase();
    SECRET.iter().any(|key| text.contains(key))
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
