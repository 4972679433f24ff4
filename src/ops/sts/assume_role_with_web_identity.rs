//! AssumeRoleWithWebIdentity: session credentials of a role, for whoever shows a token of an OIDC
//! provider that the role trusts. The request is not signed: the token is the proof.
//!
//! Source: AWS STS API reference, AssumeRoleWithWebIdentity; IAM User Guide, "OIDC federation",
//! "Available keys for AWS OIDC federation", "Pass session tags in AWS STS".
//!
//! # What must agree
//!
//! The provider is one of the role's own account. The role's trust policy must allow
//! `sts:AssumeRoleWithWebIdentity` to the provider; where the token carries tags also
//! `sts:TagSession`; where it carries a source identity also `sts:SetSourceIdentity`.
//!
//! A token may be shown again until it expires, as with AWS: clients read it from a file and show
//! it whenever their session ends. Its audience is what binds it to us.
//!
//! INVARIANT: a role that does not exist and one that does not trust the token are refused with the
//! same words, which name no condition.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::session_input::{self, SessionInput};
use crate::arn;
use crate::authn::{Caller, WebIdentity, WebIdentityError, web_identity};
use crate::directory::{Role, Snapshot};
use crate::federation::oidc::TokenError;
use crate::id::AccountId;
use crate::ops::authorize::{CallerPolicies, Wanted};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::issuer;
use crate::ops::params::{self, Text, rules};
use crate::ops::{Context, Effect, Operation, Service, context, eks};
use crate::policy::{self, Context as Keys, Value as KeyValue};
use crate::seal::claims::{FederatedClaim, Tag};
use crate::sessions::{Draft, Minted};
use crate::wire::printable;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Seconds of a session when none are asked for.
const DEFAULT_DURATION: i64 = 3600;
/// `ProviderId`
const PROVIDER_ID: Text = Text::any(4, 2048);

/// The operation.
pub struct AssumeRoleWithWebIdentity;

/// What is asked for.
pub struct Request {
    role_arn: String,
    session_name: String,
    token: Zeroizing<String>,
    provider_id: bool,
    duration: i64,
    input: SessionInput,
}

/// Session credentials, and whom the token was about.
pub struct Response {
    minted: Minted,
    role_id: String,
    arn: String,
    subject: String,
    audience: String,
    issuer: String,
    source_identity: Option<String>,
}

impl Operation for AssumeRoleWithWebIdentity {
    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Mint;
    const UNSIGNED: bool = true;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            role_arn: v.required("RoleArn", &rules::ARN).to_owned(),
            session_name: v.required("RoleSessionName", &rules::SESSION_NAME).to_owned(),
            token: Zeroizing::new(
                v.required("WebIdentityToken", &rules::WEB_IDENTITY_TOKEN).to_owned(),
            ),
            provider_id: v.optional("ProviderId", &PROVIDER_ID).is_some(),
            duration: session_input::role_duration(v).unwrap_or(DEFAULT_DURATION),
            input: SessionInput::read_policies(v),
        })
    }

    fn account(request: &Request) -> Option<AccountId> {
        arn::parse_role(&request.role_arn).map(|(account, _, _)| account)
    }

    fn describe(request: &Request) -> Value {
        json!({
            "roleArn": request.role_arn,
            "roleSessionName": request.session_name,
            "durationSeconds": request.duration,
            "policy": request.input.policy,
            "policyArns": request.input.policy_arns,
        })
    }

    async fn assert(context: &Context<'_>, request: &Request) -> Result<Caller, Fault> {
        if request.provider_id {
            return Err(Fault::validation(
                "ProviderId is for OAuth 2.0 access tokens, which are not supported. Leave it out \
                 for an OpenID Connect ID token.",
            ));
        }
        let account =
            Self::account(request).ok_or_else(|| Fault::validation("Request ARN is invalid"))?;
        let services = context.services;
        let now = context.facts.now;
        web_identity(&services.directory, &*services.key_sets, account, &request.token, now)
            .await
            // INVARIANT: what is made for Pod Identity is good there alone, where the association
            // and the pod are looked at.
            .and_then(|identity| {
                let audiences = identity.assertion().claims().audiences();
                if audiences.iter().any(|audience| audience == eks::PRINCIPAL) {
                    return Err(TokenError::Audience.into());
                }
                Ok(Caller::Asserted(Box::new(identity)))
            })
            .map_err(|error| refused_token(error, context))
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let Caller::Asserted(identity) = context.caller else {
            return Err(Fault::missing_authentication_token());
        };
        let (draft, role_name) = decide(context, identity, &request)?;
        let role_id = draft.principal.id;
        let source_identity = draft.source_identity.clone();
        let arn = arn::assumed_role(draft.principal.account, &role_name, &request.session_name);
        let minted = session_input::mint(context, draft, request.input.minimum_token_size).await?;
        Ok(Response {
            minted,
            role_id: format!("{role_id}:{}", request.session_name),
            arn,
            subject: identity.assertion().claims().subject().to_owned(),
            audience: identity.audience().to_owned(),
            issuer: identity.assertion().issuer().to_owned(),
            source_identity,
        })
    }

    fn outcome(response: &Response) -> Value {
        json!({
            "credentials": session_input::described(&response.minted),
            "subjectFromWebIdentityToken": response.subject,
            "assumedRoleUser": { "assumedRoleId": response.role_id, "arn": response.arn },
            "provider": response.issuer,
            "audience": response.audience,
            "sourceIdentity": response.source_identity,
            "packedPolicySize": response.minted.packed_policy_size,
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.text("SubjectFromWebIdentityToken", &response.subject);
        xml.text("Audience", &response.audience);
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", &response.role_id);
            xml.text("Arn", &response.arn);
        });
        session_input::write_credentials(&response.minted, xml);
        session_input::write_sizes(&response.minted, xml);
        xml.text("Provider", &response.issuer);
        xml.optional("SourceIdentity", response.source_identity.as_ref());
    }
}

/// What a token that is not taken is answered with. The token is the caller's own, so that it may
/// know what is wrong with it; what is known of the provider's server is the operator's.
pub(in crate::ops) fn refused_token(error: WebIdentityError, context: &Context<'_>) -> Fault {
    let invalid = |message: String| Fault::new(FaultCode::InvalidIdentityToken, message);
    let rejected = |message: &str| Fault::new(FaultCode::IdpRejectedClaim, message);
    let fault = match &error {
        WebIdentityError::Keys { .. } => Fault::new(
            FaultCode::IdpCommunicationError,
            "Couldn't retrieve verification key from your identity provider, please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        ),
        WebIdentityError::NoProvider { issuer } => invalid(format!(
            "No OpenIDConnect provider found in your account for {}",
            printable(issuer, 255)
        )),
        WebIdentityError::Unnameable => {
            invalid("The host of the issuer has neither a dot nor a port nor a path.".to_owned())
        }
        WebIdentityError::Token(token) => match token {
            TokenError::Expired(at) => Fault::new(
                FaultCode::ExpiredTokenException,
                format!(
                    "Token expired: current date/time {} must be before the expiration date/time {}",
                    context.facts.now.secs(),
                    at.secs()
                ),
            ),
            TokenError::NotYet(_) => rejected("The token is not valid yet."),
            TokenError::Tags(why) => {
                rejected(&format!("The token's session tags are malformed: {why}."))
            }
            TokenError::Audience | TokenError::AuthorizedParty => {
                invalid("Incorrect token audience".to_owned())
            }
            TokenError::Missing(claim) => invalid(format!("Missing a required claim: {claim}")),
            TokenError::UnknownKey => invalid(
                "Couldn't retrieve verification key from your identity provider, please reference \
                 AssumeRoleWithWebIdentity documentation for requirements"
                    .to_owned(),
            ),
            TokenError::Signature => invalid("The token's signature is not valid.".to_owned()),
            other => invalid(format!("The ID Token provided is not a valid JWT: {other}.")),
        },
    };
    fault.with_note(error)
}

/// Everything that is decided before keys are drawn, with the role's name. Reads one snapshot.
fn decide(
    context: &Context<'_>,
    identity: &WebIdentity,
    request: &Request,
) -> Result<(Draft, String), Fault> {
    let snapshot = context.services.directory.snapshot();
    let own = issuer::is_own(context.services, identity.assertion().issuer());
    // Or it was changed while its keys were fetched.
    if own || !identity.still_stands(&snapshot) {
        let issuer = identity.assertion().issuer().to_owned();
        return Err(refused_token(WebIdentityError::NoProvider { issuer }, context));
    }
    let claims = identity.assertion().claims();
    let passed = claims.tags();
    let input = SessionInput {
        tags: passed.tags.clone(),
        transitive: passed.transitive.clone(),
        ..request.input.clone()
    };
    check_claims(identity)?;
    let tags = input.tags(&[])?;
    let source_identity = claims.source_identity().map(ToOwned::to_owned);

    let role = trusted_role(context, &snapshot, identity, request, &input, &tags)?;

    // From here on the caller may know that the role exists.
    session_input::check_role_duration(role, request.duration)?;
    let policies = input.policies(&snapshot, role.account)?;
    let now = context.facts.now.floor_secs();
    let session = Draft {
        session_name: request.session_name.clone(),
        source_identity,
        tags,
        policies,
        federated: Some(FederatedClaim {
            provider: identity.provider().id,
            arn: identity.provider().arn(),
            subject: claims.subject().to_owned(),
            audience: identity.audience().to_owned(),
            version: snapshot.version(),
        }),
        ..Draft::first(role, &snapshot, now, now.plus_secs(request.duration))
    };
    Ok((session, role.name.clone()))
}

/// The limits of tags and source identity: what a signed request's parameters are held to.
fn check_claims(identity: &WebIdentity) -> Result<(), Fault> {
    let claims = identity.assertion().claims();
    for (key, value) in &claims.tags().tags {
        params::check("principal_tags.key", key, &rules::TAG_KEY)?;
        params::check("principal_tags.value", value, &rules::TAG_VALUE)?;
    }
    for key in &claims.tags().transitive {
        params::check("transitive_tag_keys", key, &rules::TAG_KEY)?;
    }
    match claims.source_identity() {
        Some(name) => params::check("source_identity", name, &rules::SESSION_NAME),
        None => Ok(()),
    }
}

fn trusted_role<'s>(
    context: &Context<'_>,
    snapshot: &'s Snapshot,
    identity: &WebIdentity,
    request: &Request,
    input: &SessionInput,
    tags: &[Tag],
) -> Result<&'s Role, Fault> {
    // One text for every reason: the caller learns nothing about the role.
    let refuse = |why: String| {
        Fault::access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
            .with_note(why)
    };
    let account = identity.provider().account;
    let role = arn::parse_role(&request.role_arn)
        .filter(|(of, _, _)| *of == account)
        .and_then(|(account, _, name)| snapshot.role_named(account, name))
        .filter(|role| role.arn() == request.role_arn)
        .ok_or_else(|| refuse("there is no such role".to_owned()))?;
    let keys = condition_keys(context, identity, request, input, role);
    let caller = policy::Caller::WebIdentity { provider: identity.provider().arn() };
    let wanted = Wanted {
        action: "sts:AssumeRoleWithWebIdentity",
        tags,
        source_identity: identity.assertion().claims().source_identity(),
        contexts: false,
    };
    CallerPolicies::none(snapshot)
        .check_role(&caller, role, wanted, keys)
        .map_err(|untrusted| refuse(untrusted.why))?;
    Ok(role)
}

fn condition_keys(
    context: &Context<'_>,
    identity: &WebIdentity,
    request: &Request,
    input: &SessionInput,
    role: &Role,
) -> Keys {
    let mut keys = Keys::new();
    // First what the issuer says: what we know ourselves goes over it.
    context::add_web_identity(&mut keys, identity);
    context::add_request(&mut keys, context.facts);
    let one = |keys: &mut Keys, key: &str, value: &str| {
        keys.insert(key, KeyValue::One(value.to_owned()));
    };
    one(&mut keys, "aws:FederatedProvider", &identity.provider().arn());
    one(&mut keys, "sts:RoleSessionName", &request.session_name);
    if let Some(source_identity) = identity.assertion().claims().source_identity() {
        one(&mut keys, "sts:SourceIdentity", source_identity);
    }
    let passed = input.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    context::add_request_tags(&mut keys, passed);
    if !input.transitive.is_empty() {
        keys.insert("sts:TransitiveTagKeys", KeyValue::Many(input.transitive.clone()));
    }
    context::add_resource_tags(&mut keys, &role.tags);
    keys
}
