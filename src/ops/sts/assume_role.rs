//! AssumeRole: session credentials of a role, for a caller whom the role trusts.
//!
//! Source: AWS STS API reference, AssumeRole; IAM User Guide, "Roles terms and concepts", "Pass
//! session tags in AWS STS", "Monitor and control actions taken with assumed roles".
//!
//! # What must agree
//!
//! The role's trust policy must allow `sts:AssumeRole`; where tags are passed or handed down also
//! `sts:TagSession`; where a source identity is set or handed down also `sts:SetSourceIdentity`; where
//! contexts are provided also `sts:SetContext`.
//! When the trust policy does not name the caller itself, or the role is another account's, the
//! caller's own policies must allow the same on the role.
//!
//! INVARIANT: a role that does not exist, one of another account and one that does not trust the
//! caller are refused with the same words.

use serde_json::{Value, json};

use super::provided_context::{self, ProvidedContext};
use super::second_factor::SecondFactor;
use super::session_input::{self, SessionInput};
use crate::arn;
use crate::authn::{Identity, PrincipalEntity};
use crate::directory::{Role, Snapshot};
use crate::ops::authorize::{CallerPolicies, Wanted, policy_caller};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service, context};
use crate::policy::{Context as Keys, Value as KeyValue};
use crate::seal::claims::{MAX_ANCESTORS, PrincipalClaim, PrincipalKind, Tag};
use crate::sessions::{Draft, Minted, mint};
use crate::time::Timestamp;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Seconds of a session when none are asked for.
const DEFAULT_DURATION: i64 = 3600;
/// The longest session that a role session may get: an hour.
const MAX_CHAINED: i64 = 3600;

/// The operation.
pub struct AssumeRole;

/// What is asked for.
pub struct Request {
    role_arn: String,
    session_name: String,
    duration: Option<i64>,
    external_id: Option<String>,
    source_identity: Option<String>,
    second_factor: SecondFactor,
    contexts: Vec<ProvidedContext>,
    input: SessionInput,
}

/// Session credentials.
pub struct Response {
    minted: Minted,
    role_id: String,
    arn: String,
    source_identity: Option<String>,
}

impl Operation for AssumeRole {
    const NAME: &'static str = "AssumeRole";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Mint;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            role_arn: v.required("RoleArn", &rules::ARN).to_owned(),
            session_name: v.required("RoleSessionName", &rules::SESSION_NAME).to_owned(),
            duration: v.integer("DurationSeconds", 900..=43_200),
            external_id: v.optional("ExternalId", &rules::EXTERNAL_ID).map(ToOwned::to_owned),
            source_identity: v
                .optional("SourceIdentity", &rules::SESSION_NAME)
                .map(ToOwned::to_owned),
            second_factor: SecondFactor::read(v),
            contexts: ProvidedContext::read(v),
            input: SessionInput::read(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({
            "roleArn": request.role_arn,
            "roleSessionName": request.session_name,
            "durationSeconds": request.duration,
            "externalId": request.external_id,
            "sourceIdentity": request.source_identity,
            "serialNumber": request.second_factor.serial_number(),
            "providedContexts": ProvidedContext::described(&request.contexts),
            "policy": request.input.policy,
            "policyArns": request.input.policy_arns,
            "tags": request.input.tags,
            "transitiveTagKeys": request.input.transitive,
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let mfa_at = request.second_factor.check(context).await?;
        let draft = decide(context, &request, mfa_at)?;
        let services = context.services;
        let (role_id, source_identity) =
            (draft.session.principal.id, draft.session.source_identity.clone());
        let arn = arn::assumed_role(
            draft.session.principal.account,
            &draft.role_name,
            &request.session_name,
        );
        let minted = mint(
            &services.keyring,
            &*services.ledger,
            &*services.random,
            draft.session,
            request.input.minimum_token_size,
        )
        .await
        .map_err(session_input::mint_fault)?;
        Ok(Response {
            minted,
            role_id: format!("{role_id}:{}", request.session_name),
            arn,
            source_identity,
        })
    }

    fn outcome(response: &Response) -> Value {
        json!({
            "credentials": session_input::described(&response.minted),
            "assumedRoleUser": { "assumedRoleId": response.role_id, "arn": response.arn },
            "sourceIdentity": response.source_identity,
            "packedPolicySize": response.minted.packed_policy_size,
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", &response.role_id);
            xml.text("Arn", &response.arn);
        });
        session_input::write_credentials(&response.minted, xml);
        session_input::write_sizes(&response.minted, xml);
        xml.optional("SourceIdentity", response.source_identity.as_ref());
    }
}

struct Decided {
    session: Draft,
    role_name: String,
}

/// Everything that is decided before keys are drawn. Reads one snapshot.
///
/// `mfa_at` is when a second factor was shown with this request. The role's session does not carry it:
/// it tells the trust policy, and the caller's own, that the caller is who he says, and nobody else.
/// Source: IAM User Guide, "Secure API access with MFA".
fn decide(
    context: &Context<'_>,
    request: &Request,
    mfa_at: Option<Timestamp>,
) -> Result<Decided, Fault> {
    let identity = context.identity()?;
    let snapshot = context.services.directory.snapshot();
    context.still_standing(&snapshot)?;
    let duration = duration(identity, request)?;
    let inherited = identity.session().map_or(&[][..], |session| &session.claims().tags);
    let tags = request.input.tags(inherited)?;
    let source_identity = source_identity(identity, request)?;
    let grant = Grant { context, identity, snapshot: &snapshot, request, mfa_at };

    let role = grant.trusted_role(&tags, source_identity.as_deref())?;

    // From here on the caller may know that the role exists.
    provided_context::check(&request.contexts)?;
    if duration > i64::from(role.max_session_duration) {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let policies = request.input.policies(&snapshot, role.account)?;
    let now = context.facts.now.floor_secs();
    let ancestors = identity.chain(now, snapshot.version());
    if ancestors.len() > MAX_ANCESTORS {
        return Err(Fault::access_denied(format!(
            "A session has at most {MAX_ANCESTORS} ancestors: this chain of roles is too long."
        )));
    }
    let session = Draft {
        principal: PrincipalClaim {
            kind: PrincipalKind::Role,
            account: role.account,
            id: role.id,
            arn: role.arn(),
        },
        ancestors,
        issued_at: now,
        expires_at: now.plus_secs(duration),
        version: snapshot.version(),
        epoch: snapshot.epoch(),
        session_name: request.session_name.clone(),
        source_identity,
        tags,
        policies,
        mfa_at: None,
        federated: identity.session().and_then(|session| session.claims().federated.clone()),
    };
    Ok(Decided { session, role_name: role.name.clone() })
}

fn duration(identity: &Identity, request: &Request) -> Result<i64, Fault> {
    let asked = request.duration.unwrap_or(DEFAULT_DURATION);
    let chained =
        identity.session().is_some() && matches!(identity.principal(), PrincipalEntity::Role(_));
    if chained && asked > MAX_CHAINED {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining.",
        ));
    }
    Ok(asked)
}

/// INVARIANT: a source identity, once set, is handed down and cannot be changed.
fn source_identity(identity: &Identity, request: &Request) -> Result<Option<String>, Fault> {
    let inherited =
        identity.session().and_then(|session| session.claims().source_identity.as_ref());
    match (inherited, &request.source_identity) {
        (Some(inherited), Some(asked)) if inherited != asked => Err(Fault::new(
            FaultCode::AccessDenied,
            "The source identity of the calling session cannot be changed.",
        )),
        (Some(inherited), _) => Ok(Some(inherited.clone())),
        (None, asked) => Ok(asked.clone()),
    }
}

/// The question whether the caller may have the role.
struct Grant<'a> {
    context: &'a Context<'a>,
    identity: &'a Identity,
    snapshot: &'a Snapshot,
    request: &'a Request,
    mfa_at: Option<Timestamp>,
}

impl<'a> Grant<'a> {
    fn trusted_role(&self, tags: &[Tag], source_identity: Option<&str>) -> Result<&'a Role, Fault> {
        let role = arn::parse_role(&self.request.role_arn)
            .and_then(|(account, _, name)| {
                self.snapshot.open_account(account)?;
                self.snapshot.role_named(account, name)
            })
            .filter(|role| role.arn() == self.request.role_arn);
        let Some(role) = role else {
            return Err(self.refuse("sts:AssumeRole", "there is no such role"));
        };
        let keys = self.keys(role, source_identity)?;
        let wanted = Wanted {
            action: "sts:AssumeRole",
            tags,
            source_identity,
            contexts: !self.request.contexts.is_empty(),
        };
        CallerPolicies::gather(self.snapshot, self.identity)
            .check_role(&policy_caller(self.identity), role, wanted, keys)
            .map_err(|untrusted| self.refuse(untrusted.action, &untrusted.why))?;
        Ok(role)
    }

    /// One text for every reason: the caller learns nothing about the role. The operator's log has
    /// the reason.
    fn refuse(&self, action: &str, why: &str) -> Fault {
        Fault::not_authorized(&self.identity.arn(), action, Some(&self.request.role_arn), None)
            .with_note(why)
    }

    fn keys(&self, role: &Role, source_identity: Option<&str>) -> Result<Keys, Fault> {
        let request = self.request;
        let mut keys = self.context.condition_keys()?;
        let one = |keys: &mut Keys, key: &str, value: &str| {
            keys.insert(key, KeyValue::One(value.to_owned()));
        };
        if let Some(mfa_at) = self.mfa_at {
            context::add_second_factor(&mut keys, mfa_at, self.context.facts.now);
        }
        one(&mut keys, "sts:RoleSessionName", &request.session_name);
        if let Some(external_id) = &request.external_id {
            one(&mut keys, "sts:ExternalId", external_id);
        }
        if let Some(source_identity) = source_identity {
            one(&mut keys, "sts:SourceIdentity", source_identity);
        }
        let passed = request.input.tags.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        context::add_request_tags(&mut keys, passed);
        if !request.input.transitive.is_empty() {
            let transitive = request.input.transitive.clone();
            keys.insert("sts:TransitiveTagKeys", KeyValue::Many(transitive));
        }
        let providers = ProvidedContext::providers(&request.contexts);
        if !providers.is_empty() {
            keys.insert("sts:RequestContextProviders", KeyValue::Many(providers));
        }
        context::add_resource_tags(&mut keys, &role.tags);
        Ok(keys)
    }
}
