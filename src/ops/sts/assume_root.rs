//! AssumeRoot: a session of the root user of a member of the organization, for one task.
//!
//! # What must agree
//!
//! The caller is a user or a role of the management account, or of a delegated administrator for IAM;
//! the organization works with IAM and has the feature that the task needs; the target is a member,
//! and not the management account. The caller's policies allow `sts:AssumeRoot` on the root user, with
//! the condition key `sts:TaskPolicyArn`. Nothing of the member's own is asked: its membership is what
//! lets others in, and resource control policies still limit them.
//!
//! # What the session may
//!
//! A root user may everything in its account; the policy of the task denies all but the task, and
//! service control policies of the member hold. The session ends within a quarter of an hour, when the
//! caller's own credentials are revoked, disabled or deleted, and as soon as one of the above does not
//! hold any more.
//!
//! INVARIANT: every use is a use of a root user, and stands out as one: in the log, in audit records,
//! in the metric.
//!
//! Source: AWS STS API reference, AssumeRoot; IAM User Guide, "Perform a privileged task on an AWS
//! Organizations member account".

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::session_input;
use crate::arn;
use crate::directory::organization::RootTask;
use crate::id::{AccountId, UniqueId};
use crate::ops::authorize::Ask;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, Text, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::policy::{Context as Keys, DocumentKind, Policy, Value as KeyValue};
use crate::seal::claims::{MAX_ANCESTORS, PrincipalClaim, PrincipalKind, SessionPolicies};
use crate::sessions::{Draft, Minted};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// `TargetPrincipal`
const TARGET: Text = Text::any(12, 2048);
/// Seconds of a session when none are asked for, and the longest.
const DURATION: i64 = 900;

/// The operation.
pub struct AssumeRoot;

/// What is asked for.
pub struct Request {
    target: String,
    task: String,
    duration: i64,
    minimum_token_size: usize,
}

/// Session credentials.
pub struct Response {
    minted: Minted,
    source_identity: Option<String>,
}

impl Operation for AssumeRoot {
    const NAME: &'static str = "AssumeRoot";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Mint;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            target: v.required("TargetPrincipal", &TARGET).to_owned(),
            task: v.required("TaskPolicyArn.arn", &rules::ARN).to_owned(),
            duration: v.integer("DurationSeconds", 0..=DURATION).unwrap_or(DURATION),
            minimum_token_size: session_input::minimum_token_size(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({
            "targetPrincipal": request.target,
            "taskPolicyArn": { "arn": request.task },
            "durationSeconds": request.duration,
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let draft = decide(context, &request)?;
        let source_identity = draft.source_identity.clone();
        tracing::warn!(
            account = %draft.principal.account,
            by = %context.identity()?.arn(),
            task = %request.task,
            "a session of the root user of an account is made"
        );
        let minted = session_input::mint(context, draft, request.minimum_token_size).await?;
        Ok(Response { minted, source_identity })
    }

    fn outcome(response: &Response) -> Value {
        json!({
            "credentials": session_input::described(&response.minted),
            "sourceIdentity": response.source_identity,
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        session_input::write_credentials(&response.minted, xml);
        xml.optional("SourceIdentity", response.source_identity.as_ref());
        session_input::write_token_size(&response.minted, xml);
    }
}

/// What stands for the policy of a member's root user, once the organization gives access to it: the
/// caller's own policies decide, and control policies.
static MEMBERSHIP: LazyLock<Policy> = LazyLock::new(|| {
    let text = r#"{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*",
        "Action":"sts:AssumeRoot"}}"#;
    Policy::parse(text, DocumentKind::Resource)
        .unwrap_or_else(|_| Policy::deny_everything(DocumentKind::Resource))
});

/// The account of a target: its ID, or the ARN of its root user.
fn account(target: &str) -> Result<AccountId, Fault> {
    AccountId::parse(target).ok().or_else(|| arn::parse_account_root(target)).ok_or_else(|| {
        Fault::validation(
            "TargetPrincipal must be the ID of an account or the ARN of its root user.",
        )
    })
}

/// Everything that is decided before keys are drawn. Reads one snapshot.
fn decide(context: &Context<'_>, request: &Request) -> Result<Draft, Fault> {
    let identity = context.identity()?;
    let target = account(&request.target)?;
    let task = RootTask::of_policy(&request.task).ok_or_else(|| {
        Fault::validation("TaskPolicyArn must be one of the managed policies for root tasks.")
    })?;
    let snapshot = context.services.directory.snapshot();
    let root = arn::account_root(target);
    // One text for every reason: the caller learns nothing about the organization.
    let refused = |why: String| {
        Fault::not_authorized(&identity.arn(), "sts:AssumeRoot", Some(&root), None).with_note(why)
    };
    let organized = snapshot.organized();
    organized
        .check_root_access(identity.account(), target, task)
        .map_err(|why| refused(why.to_string()))?;
    let ask = Ask { action: "sts:AssumeRoot", resource: &root, owner: target };
    let add = |keys: &mut Keys| {
        keys.insert("sts:TaskPolicyArn", KeyValue::One(request.task.clone()));
    };
    context.authorize_delegated(&snapshot, &ask, &MEMBERSHIP, add).map_err(|fault| {
        if fault.code() == FaultCode::AccessDenied {
            refused(fault.message().to_owned())
        } else {
            fault
        }
    })?;
    let now = context.facts.now.floor_secs();
    let ancestors = identity.chain(now, snapshot.version());
    if ancestors.len() > MAX_ANCESTORS {
        return Err(Fault::access_denied(format!(
            "A session has at most {MAX_ANCESTORS} ancestors: this chain of roles is too long."
        )));
    }
    let claims = identity.session().map(|session| session.claims());
    Ok(Draft {
        principal: PrincipalClaim {
            kind: PrincipalKind::RootTask,
            account: target,
            id: UniqueId::of_root(target),
            arn: root,
        },
        ancestors,
        issued_at: now,
        expires_at: now.plus_secs(request.duration),
        version: snapshot.version(),
        epoch: snapshot.epoch(),
        session_name: String::new(),
        source_identity: claims.and_then(|claims| claims.source_identity.clone()),
        tags: Vec::new(),
        policies: Some(SessionPolicies {
            inline: None,
            arns: vec![request.task.clone()],
            // One of the broker's own: it is known by its ARN.
            ids: None,
        }),
        mfa_at: None,
        federated: claims.and_then(|claims| claims.federated.clone()),
    })
}
