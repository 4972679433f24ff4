//! Statements: their elements, and which of them a kind of document has.

use super::super::ast::{Clause, DocumentKind, Statement, Version};
use super::super::resource::ResourcePattern;
use super::super::variables::{Syntax, Template};
use super::super::wildcard::Pattern;
use super::error::{ParseError, Reason};
use super::json::{Json, Path};
use super::{condition, elements, principal, string, strings};

/// Reads one statement.
pub(super) fn parse(
    json: &Json,
    path: &Path<'_>,
    kind: DocumentKind,
    version: Version,
) -> Result<Statement, ParseError> {
    let [
        sid,
        effect,
        principal,
        not_principal,
        action,
        not_action,
        resource,
        not_resource,
        conditions,
    ] = elements(
        json,
        path,
        [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ],
    )?;

    let sid = sid.map(|json| self::sid(json, &path.key("Sid"), kind)).transpose()?;
    let effect = effect.ok_or_else(|| missing(path, "Effect"))?;
    let allows = match string(effect, &path.key("Effect"))? {
        "Allow" => true,
        "Deny" => false,
        _ => return Err(path.key("Effect").refuse(Reason::Effect)),
    };

    let principal = either(path, "Principal", principal, not_principal)?
        .map(|(json, negated)| {
            let path = path.key(if negated { "NotPrincipal" } else { "Principal" });
            principal::parse(json, &path, kind, negated, allows)
        })
        .transpose()?;
    if principal.is_none() && kind.has_principals() {
        return Err(missing(path, "Principal"));
    }

    let Some((json, negated)) = either(path, "Action", action, not_action)? else {
        return Err(missing(path, "Action"));
    };
    let at = path.key(if negated { "NotAction" } else { "Action" });
    if negated && kind == DocumentKind::Trust {
        return Err(at.refuse(Reason::TrustAction));
    }
    let action = Clause {
        negated,
        entries: strings(json, &at, |text, path| self::action(text, path, kind))?,
    };

    let resource = either(path, "Resource", resource, not_resource)?
        .map(|(json, negated)| {
            let path = path.key(if negated { "NotResource" } else { "Resource" });
            if kind == DocumentKind::Trust {
                return Err(path.refuse(Reason::NotInThisKind { kind }));
            }
            let entries = strings(json, &path, |text, path| self::resource(text, path, version))?;
            Ok(Clause { negated, entries })
        })
        .transpose()?;
    if resource.is_none() && kind != DocumentKind::Trust {
        return Err(missing(path, "Resource"));
    }

    let conditions = conditions
        .map(|json| condition::parse(json, &path.key("Condition"), version))
        .transpose()?
        .unwrap_or_default();
    Ok(Statement { sid, allows, principal, action, resource, conditions, span: 0..0 })
}

fn missing(path: &Path<'_>, element: &'static str) -> ParseError {
    path.refuse(Reason::MissingElement { element })
}

/// An element in one of its two forms.
fn either<'j>(
    path: &Path<'_>,
    element: &'static str,
    plain: Option<&'j Json>,
    negated: Option<&'j Json>,
) -> Result<Option<(&'j Json, bool)>, ParseError> {
    match (plain, negated) {
        (Some(_), Some(_)) => Err(path.refuse(Reason::BothForms { element })),
        (Some(json), None) => Ok(Some((json, false))),
        (None, Some(json)) => Ok(Some((json, true))),
        (None, None) => Ok(None),
    }
}

/// IAM's own documents have alphanumeric Sids; other services allow more.
fn sid(json: &Json, path: &Path<'_>, kind: DocumentKind) -> Result<String, ParseError> {
    let sid = string(json, path)?;
    let fits = if kind == DocumentKind::Resource {
        !sid.chars().any(char::is_control)
    } else {
        sid.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if fits { Ok(sid.to_owned()) } else { Err(path.refuse(Reason::Sid)) }
}

/// `*`, `*:*` or `service:Name`. Case does not matter, so patterns are kept folded.
fn action(text: &str, path: &Path<'_>, kind: DocumentKind) -> Result<Pattern, ParseError> {
    let service = match text {
        "*" | "*:*" => "*",
        _ => {
            let (service, name) =
                text.split_once(':').ok_or_else(|| path.refuse(Reason::Action))?;
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            let fits = !service.is_empty()
                && !name.is_empty()
                && service.bytes().all(plain)
                && name.bytes().all(|b| plain(b) || matches!(b, b'*' | b'?'));
            if !fits {
                return Err(path.refuse(Reason::Action));
            }
            service
        }
    };
    if kind == DocumentKind::Trust && !service.eq_ignore_ascii_case("sts") {
        return Err(path.refuse(Reason::TrustAction));
    }
    Ok(Pattern::parse(if service == "*" { "*" } else { text }).folded().shrunk())
}

/// `*`, or an ARN whose service is spelled out and whose variables stand after the fifth colon.
fn resource(text: &str, path: &Path<'_>, version: Version) -> Result<ResourcePattern, ParseError> {
    if text == "*" {
        return Ok(ResourcePattern::All);
    }
    let syntax =
        Syntax { wildcards: true, variables: version == Version::V2012, ignore_case: false };
    let whole =
        Template::parse(text, syntax).map_err(|problem| path.refuse(Reason::Variable(problem)))?;
    let refused = || path.refuse(Reason::Resource);
    let [arn, partition, service, region, account, resource] =
        whole.split_arn().ok_or_else(refused)?;
    if [&arn, &partition, &service, &region, &account].iter().any(|part| part.has_variables()) {
        return Err(path.refuse(Reason::ResourceVariable));
    }
    let named = |part: &Template| part.literal().is_some_and(|text| !text.is_empty());
    if arn.literal() != Some("arn")
        || !named(&service)
        || partition.literal() == Some("")
        || resource.literal() == Some("")
        || text.chars().any(char::is_control)
    {
        return Err(refused());
    }
    let fixed = |part: Template| part.into_pattern().ok_or_else(refused);
    let parts = Box::new([fixed(partition)?, fixed(service)?, fixed(region)?, fixed(account)?]);
    Ok(ResourcePattern::Arn { parts, resource: Box::new(resource), whole: Box::new(whole) })
}
