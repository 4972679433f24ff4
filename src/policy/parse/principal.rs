//! Principals: who may be named, and how.

use super::super::ast::{Clause, DocumentKind};
use super::super::principal::Principal;
use super::error::{ParseError, Reason};
use super::json::{Json, Path};
use super::{elements, object, strings, wrong_type};
use crate::arn::{self, Arn};
use crate::id::{AccountId, UniqueId, UniqueKind};

/// Reads `Principal`, or `NotPrincipal` when `negated`.
pub(super) fn parse(
    json: &Json,
    path: &Path<'_>,
    kind: DocumentKind,
    negated: bool,
    allows: bool,
) -> Result<Clause<Principal>, ParseError> {
    if !kind.has_principals() || (negated && kind != DocumentKind::Resource) {
        return Err(path.refuse(Reason::NotInThisKind { kind }));
    }
    let entries = match json {
        Json::Text(text) if text == "*" => vec![Principal::Anyone],
        Json::Text(_) => return Err(path.refuse(Reason::Principal)),
        Json::Map(_) => map(json, path)?,
        other => return Err(wrong_type(path, "* or an object", other)),
    };
    let everyone = entries.contains(&Principal::Anyone);
    if negated && (allows || everyone) {
        return Err(path.refuse(Reason::NotPrincipal));
    }
    if kind == DocumentKind::ResourceControl && entries != [Principal::Anyone] {
        return Err(path.refuse(Reason::NotEveryone));
    }
    Ok(Clause { negated, entries })
}

type Reader = fn(&str) -> Option<Principal>;

fn map(json: &Json, path: &Path<'_>) -> Result<Vec<Principal>, ParseError> {
    if object(json, path)?.is_empty() {
        return Err(path.refuse(Reason::Empty));
    }
    let [aws, federated, service] =
        elements(json, path, ["AWS", "Federated", "Service"]).map_err(|error| {
            match error.reason {
                Reason::UnknownElement => ParseError { reason: Reason::PrincipalType, ..error },
                _ => error,
            }
        })?;
    let readers: [(_, _, Reader); 3] = [
        ("AWS", aws, self::aws),
        ("Federated", federated, self::federated),
        ("Service", service, self::service),
    ];
    let mut entries = Vec::new();
    for (name, json, read) in readers {
        let Some(json) = json else { continue };
        let list = strings(json, &path.key(name), |text, path| {
            read(text).ok_or_else(|| {
                path.refuse(if text.contains(['*', '?']) {
                    Reason::PrincipalWildcard
                } else {
                    Reason::Principal
                })
            })
        })?;
        entries.extend(list);
    }
    Ok(entries)
}

/// `*`, an account, a unique ID, or the ARN of a user, role, role session or federated user.
fn aws(text: &str) -> Option<Principal> {
    if text == "*" {
        return Some(Principal::Anyone);
    }
    if let Ok(account) = AccountId::parse(text) {
        return Some(Principal::Account(account));
    }
    if let Ok(id) = UniqueId::parse(text) {
        let person = matches!(id.kind(), UniqueKind::User | UniqueKind::Role);
        return person.then_some(Principal::Unique(id));
    }
    let arn = Arn::parse(text).ok()?;
    if arn.partition != arn::PARTITION || !arn.region.is_empty() {
        return None;
    }
    let account = AccountId::parse(arn.account).ok()?;
    match arn.service {
        "iam" => iam(text, &arn, account),
        "sts" => sts(text, &arn),
        _ => None,
    }
}

fn iam(text: &str, arn: &Arn<'_>, account: AccountId) -> Option<Principal> {
    if arn.resource == "root" {
        return Some(Principal::Account(account));
    }
    let arn = text.to_owned();
    if let Some((_, path, name)) = arn::parse_user(text) {
        return (is_path(path) && is_name(name)).then_some(Principal::User { arn, id: None });
    }
    let (_, path, name) = arn::parse_role(text)?;
    (is_path(path) && is_name(name)).then_some(Principal::Role { arn, id: None })
}

fn sts(text: &str, arn: &Arn<'_>) -> Option<Principal> {
    let (kind, name) = arn.resource.split_once('/')?;
    let arn = text.to_owned();
    match kind {
        "federated-user" => is_name(name).then_some(Principal::FederatedUser { arn }),
        "assumed-role" => {
            let (role, session) = name.split_once('/')?;
            (is_name(role) && is_name(session)).then(|| Principal::RoleSession {
                arn,
                session_name: session.to_owned(),
                role_id: None,
            })
        }
        _ => None,
    }
}

/// The ARN of an OIDC or SAML provider, or the host of a built-in one.
fn federated(text: &str) -> Option<Principal> {
    let named = if text.starts_with("arn:") {
        let arn = Arn::parse(text).ok()?;
        let name = (arn.resource.strip_prefix("oidc-provider/"))
            .or_else(|| arn.resource.strip_prefix("saml-provider/"))?;
        arn.partition == arn::PARTITION
            && arn.service == "iam"
            && arn.region.is_empty()
            && AccountId::parse(arn.account).is_ok()
            && is_provider(name)
    } else {
        is_provider(text)
    };
    named.then(|| Principal::Federated(text.to_owned()))
}

fn service(text: &str) -> Option<Principal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (!text.is_empty() && text.bytes().all(plain)).then(|| Principal::Service(text.to_owned()))
}

/// Names of users, roles and sessions.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'=' | b',' | b'.' | b'@' | b'-')
    };
    !text.is_empty() && text.bytes().all(plain)
}

fn is_path(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'*' | b'?' | b'$'))
}

/// A provider's name, or its URL without the scheme.
fn is_provider(text: &str) -> bool {
    let plain = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'-' | b'_' | b'.' | b'/' | b':' | b'%' | b'~' | b'+' | b'=' | b',' | b'@'
            )
    };
    !text.is_empty() && text.bytes().all(plain)
}
