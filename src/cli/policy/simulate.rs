//! `countersign policy simulate`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{FOUND, Format, line, read, usage};
use crate::arn::Arn;
use crate::id::AccountId;
use crate::policy::simulate::{self, MatchedStatement, Outcome, Policies, Question, Source};
use crate::policy::{
    self, Caller, DocumentKind, Effect, Reason, Request, access_denied, denial_reason, lint,
};

#[cfg(test)]
mod tests;

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// Identity policies of the caller
    #[arg(long, value_name = "FILE", num_args = 1..)]
    identity: Vec<PathBuf>,
    /// Its permissions boundary
    #[arg(long, value_name = "FILE")]
    boundary: Option<PathBuf>,
    /// Session policies
    #[arg(long, value_name = "FILE", num_args = 1..)]
    session: Vec<PathBuf>,
    /// The resource's policy
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    resource_policy: Option<PathBuf>,
    /// The trust policy of the role that the resource is: may the caller assume it?
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Service control policies of a level, separated by commas; once for each level from the root
    #[arg(long, value_name = "FILE,...")]
    scp: Vec<String>,
    /// Resource control policies of a level, likewise
    #[arg(long, value_name = "FILE,...")]
    rcp: Vec<String>,
    /// Who asks: an ARN of a user, role, session or provider, an account, or a service's name
    #[arg(long, value_name = "ARN")]
    principal: String,
    /// Actions; with --trust sts:AssumeRole unless said otherwise
    #[arg(long, value_name = "ACTION", num_args = 1.., required_unless_present = "trust")]
    action: Vec<String>,
    /// Resources
    #[arg(long, value_name = "ARN", num_args = 1.., default_value = "*")]
    resource: Vec<String>,
    /// The account that owns the resource [default: that of its ARN, or the principal's]
    #[arg(long, value_name = "ID")]
    resource_account: Option<String>,
    /// Condition keys; a key that is given twice has several values
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    context: Vec<String>,
    /// Show how each statement took part
    #[arg(long)]
    trace: bool,
    /// How results are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let asked = match Asked::of(arguments) {
        Ok(asked) => asked,
        Err(misuse) => return Ok(usage(&misuse.to_string())),
    };
    let Asked { caller, context, resources } = asked;
    let mut policies = policies(arguments)?;
    policies.bind(&caller);
    let default = [default_action(&caller).to_owned()];
    let actions = if arguments.action.is_empty() { &default[..] } else { &arguments.action };
    let mut denied = false;
    let mut results = Vec::new();
    for action in actions {
        for (resource, resource_account) in resources.iter().copied() {
            let request = Request { caller: &caller, action, resource, context: &context };
            let outcome = simulate::simulate(&Question { request, resource_account }, &policies);
            denied |= !outcome.decision().is_allowed();
            match arguments.format {
                Format::Text => text(&request, &outcome, arguments.trace)?,
                Format::Json => results.push(json(&request, &outcome, arguments.trace)),
            }
        }
    }
    if arguments.format == Format::Json {
        line(&format!("{:#}", Value::from(results)))?;
    }
    Ok(if denied { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

fn default_action(caller: &Caller) -> &'static str {
    match caller {
        Caller::WebIdentity { .. } => "sts:AssumeRoleWithWebIdentity",
        Caller::Saml { .. } => "sts:AssumeRoleWithSAML",
        _ => "sts:AssumeRole",
    }
}

fn policies(arguments: &Arguments) -> anyhow::Result<Policies> {
    let one =
        |path: &Option<PathBuf>, kind| path.as_ref().map(|path| source(path, kind)).transpose();
    let many = |paths: &[PathBuf], kind| -> anyhow::Result<Vec<Source>> {
        paths.iter().map(|path| source(path, kind)).collect()
    };
    let levels = |levels: &[String], kind| -> anyhow::Result<Vec<Vec<Source>>> {
        (levels.iter())
            .map(|files| files.split(',').map(|file| source(Path::new(file), kind)).collect())
            .collect()
    };
    Ok(Policies {
        identity: many(&arguments.identity, DocumentKind::Identity)?,
        boundary: one(&arguments.boundary, DocumentKind::Boundary)?,
        session: (!arguments.session.is_empty())
            .then(|| many(&arguments.session, DocumentKind::Session))
            .transpose()?,
        resource: one(&arguments.resource_policy, DocumentKind::Resource)?,
        trust: one(&arguments.trust, DocumentKind::Trust)?,
        service_control: levels(&arguments.scp, DocumentKind::ServiceControl)?,
        resource_control: levels(&arguments.rcp, DocumentKind::ResourceControl)?,
    })
}

fn source(path: &Path, kind: DocumentKind) -> anyhow::Result<Source> {
    let name = path.display().to_string();
    let text = read(path)?;
    Source::parse(&name, &text, kind)
        .map_err(|error| match error.reason {
            // What was expected, and in which column.
            Reason::Json { .. } => {
                match lint::lint(&text, Some(kind)).findings.into_iter().next() {
                    Some(lint::Finding { line, column, message, .. }) => {
                        anyhow::anyhow!("line {line}, column {column}: {message}")
                    }
                    None => error.into(),
                }
            }
            _ => error.into(),
        })
        .with_context(|| format!("{name} is not a valid policy"))
}

/// A question that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Misuse {
    #[error(
        "--principal {0} names nobody: expected the ARN of a user, role, session or provider (such \
         as arn:aws:iam::111122223333:user/alice), an account (111122223333), or a service's name \
         (ec2.amazonaws.com)"
    )]
    Principal(String),
    #[error(
        "--action {0} is no action: expected service:Name (such as s3:GetObject), no wildcards"
    )]
    Action(String),
    #[error(
        "--resource {0} is no resource: expected * or an ARN (such as arn:aws:s3:::team/report)"
    )]
    Resource(String),
    #[error("--resource-account {0} is no account: expected its twelve digits")]
    Account(String),
    #[error("--context {0} is not KEY=VALUE")]
    Context(String),
    #[error("--context {0}: a condition key has a prefix, as aws: in aws:PrincipalTag/team")]
    KeyPrefix(String),
    #[error(
        "whose role is it? Give its ARN with --resource, or its account with --resource-account"
    )]
    WhoseRole,
    #[error("whose is the resource {0}? Give its account with --resource-account")]
    WhoseResource(String),
}

/// What is asked, understood.
struct Asked<'a> {
    caller: Caller,
    context: policy::Context,
    /// Each with the account that owns it.
    resources: Vec<(&'a str, AccountId)>,
}

impl<'a> Asked<'a> {
    fn of(arguments: &'a Arguments) -> Result<Self, Misuse> {
        let caller = simulate::caller(&arguments.principal)
            .ok_or_else(|| Misuse::Principal(arguments.principal.clone()))?;
        let mut context = context(&arguments.context)?;
        simulate::add_caller_keys(&mut context, &caller);
        if let Some(action) = arguments.action.iter().find(|action| !is_action(action)) {
            return Err(Misuse::Action(action.clone()));
        }
        let owned = |resource: &'a String| {
            owner(arguments, resource, &caller).map(|owner| (resource.as_str(), owner))
        };
        let resources = arguments.resource.iter().map(owned).collect::<Result<_, _>>()?;
        Ok(Self { caller, context, resources })
    }
}

/// Whether a request can be for this: `service:Name`.
fn is_action(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    text.split_once(':').is_some_and(|(service, name)| plain(service) && plain(name))
}

/// Reads the condition keys.
fn context(given: &[String]) -> Result<policy::Context, Misuse> {
    let mut context = policy::Context::new();
    for text in given {
        let (key, value) = text.split_once('=').ok_or_else(|| Misuse::Context(text.clone()))?;
        if !key.contains(':') {
            return Err(Misuse::KeyPrefix(text.clone()));
        }
        let value = value.to_owned();
        let value = match context.get(key).cloned() {
            Some(policy::Value::One(first)) => policy::Value::Many(vec![first, value]),
            Some(policy::Value::Many(mut values)) => {
                values.push(value);
                policy::Value::Many(values)
            }
            None if lint::is_multivalued(key) => policy::Value::Many(vec![value]),
            None => policy::Value::One(value),
        };
        context.insert(key, value);
    }
    Ok(context)
}

/// Whose a resource is.
fn owner(arguments: &Arguments, resource: &str, caller: &Caller) -> Result<AccountId, Misuse> {
    let arn = Arn::parse(resource).ok();
    if arn.is_none() && resource != "*" {
        return Err(Misuse::Resource(resource.to_owned()));
    }
    if let Some(text) = &arguments.resource_account {
        return AccountId::parse(text).map_err(|_| Misuse::Account(text.clone()));
    }
    arn.and_then(|arn| AccountId::parse(arn.account).ok()).or_else(|| caller.account()).ok_or_else(
        || match resource {
            "*" if arguments.trust.is_some() => Misuse::WhoseRole,
            _ => Misuse::WhoseResource(resource.to_owned()),
        },
    )
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allowed",
        Effect::ExplicitDeny => "explicitly denied",
        Effect::ImplicitDeny => "denied",
    }
}

fn place(statement: &MatchedStatement) -> String {
    let (line, column) = statement.start;
    format!("{} at line {line}, column {column}", statement.matched)
}

/// What a denial lacked.
fn reasons(request: &Request<'_>, outcome: &Outcome) -> Vec<String> {
    let decision = outcome.decision();
    let mut reasons: Vec<String> = denial_reason(request.action, decision).into_iter().collect();
    match outcome.trace.hint() {
        Some(hint) if decision.effect() == Effect::ImplicitDeny => {
            reasons.push(format!("nearest: {hint}"));
        }
        None if decision.effect() == Effect::ImplicitDeny => {
            reasons.push(format!(
                "no statement of any {} is about the action {}",
                decision.layer(),
                request.action
            ));
        }
        _ => {}
    }
    reasons
}

fn text(request: &Request<'_>, outcome: &Outcome, trace: bool) -> anyhow::Result<()> {
    let effect = outcome.decision().effect();
    let told = |text: &str| line(&crate::wire::printable(text, 4_096));
    told(&format!("{}: {} on {}", word(effect), request.action, request.resource))?;
    if effect != Effect::Allow {
        told(&format!("  {}", access_denied(request)))?;
        for reason in reasons(request, outcome) {
            told(&format!("  {reason}"))?;
        }
    }
    for statement in &outcome.matched {
        told(&format!("  by {}", place(statement)))?;
    }
    if !outcome.missing.is_empty() {
        told(&format!(
            "  keys that the policies ask for and are not given: {}",
            outcome.missing.join(", ")
        ))?;
    }
    if trace {
        for line in outcome.trace.to_text(request).lines() {
            told(&format!("    {line}"))?;
        }
    }
    Ok(())
}

fn json(request: &Request<'_>, outcome: &Outcome, trace: bool) -> Value {
    let matched: Vec<Value> = outcome
        .matched
        .iter()
        .map(|it| {
            json!({
                "layer": it.matched.layer.to_string(),
                "policy": it.matched.policy,
                "statement": it.matched.statement,
                "sid": it.matched.sid,
                "start": { "line": it.start.0, "column": it.start.1 },
                "end": { "line": it.end.0, "column": it.end.1 },
            })
        })
        .collect();
    let decision = outcome.decision();
    let mut told = json!({
        "action": request.action,
        "resource": request.resource,
        "decision": match decision.effect() {
            Effect::Allow => "allowed",
            Effect::ExplicitDeny => "explicitDeny",
            Effect::ImplicitDeny => "implicitDeny",
        },
        "layer": decision.layer().to_string(),
        "reasons": reasons(request, outcome),
        "matched": matched,
        "missing": outcome.missing,
    });
    if trace && let Some(told) = told.as_object_mut() {
        let lines: Vec<Value> = outcome.trace.to_text(request).lines().map(Into::into).collect();
        told.insert("trace".to_owned(), lines.into());
    }
    told
}
