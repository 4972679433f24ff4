//! `countersign policy simulate`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{FOUND, Format, read, usage};
use crate::arn::Arn;
use crate::cli::output;
use crate::id::AccountId;
use crate::policy::simulate::{self, MatchedStatement, Outcome, Policies, Question, Source};
use crate::policy::{
    self, Caller, DocumentKind, Effect, Request, access_denied, denial_reason, lint,
};

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
    let Some(caller) = simulate::caller(&arguments.principal) else {
        return Ok(usage(&format!("--principal {} names nobody", arguments.principal)));
    };
    let mut context = match context(&arguments.context) {
        Ok(context) => context,
        Err(wrong) => return Ok(usage(&format!("--context {wrong} is not KEY=VALUE"))),
    };
    simulate::add_caller_keys(&mut context, &caller);
    let mut policies = policies(arguments)?;
    policies.bind(&caller);
    let default = [default_action(&caller).to_owned()];
    let actions = if arguments.action.is_empty() { &default[..] } else { &arguments.action };
    let mut denied = false;
    let mut results = Vec::new();
    for action in actions {
        for resource in &arguments.resource {
            let Some(resource_account) = owner(arguments, resource, &caller) else {
                return Ok(usage(&format!("{resource}: say --resource-account")));
            };
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
        output::line(&format!("{:#}", Value::from(results)))?;
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
    Source::parse(&name, &read(path)?, kind).with_context(|| format!("{name} is no such policy"))
}

/// Reads the condition keys.
fn context(given: &[String]) -> Result<policy::Context, &str> {
    let mut context = policy::Context::new();
    for text in given {
        let (key, value) =
            text.split_once('=').filter(|(key, _)| key.contains(':')).ok_or(text.as_str())?;
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
fn owner(arguments: &Arguments, resource: &str, caller: &Caller) -> Option<AccountId> {
    match &arguments.resource_account {
        Some(text) => AccountId::parse(text).ok(),
        None => (Arn::parse(resource).ok())
            .and_then(|arn| AccountId::parse(arn.account).ok())
            .or_else(|| caller.account()),
    }
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
    let told = |line: &str| output::line(&crate::wire::printable(line, 4_096));
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
