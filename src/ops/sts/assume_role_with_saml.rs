//! AssumeRoleWithSAML: session credentials of a role, for whoever shows a response of a SAML provider
//! that the role trusts. The request is not signed: the response is the proof.
//!
//! Source: AWS STS API reference, AssumeRoleWithSAML; IAM User Guide, "SAML 2.0 federation",
//! "Configure SAML assertions for the authentication response", "Troubleshoot SAML federation".
//!
//! # What must agree
//!
//! The provider is one of the role's own account. The assertion must offer the role through it. The
//! role's trust policy must allow `sts:AssumeRoleWithSAML` to the provider; where the assertion
//! carries tags also `sts:TagSession`; where it carries a source identity also
//! `sts:SetSourceIdentity`.
//!
//! An assertion is used once for a role, unlike with AWS: it passes through a browser, and is good
//! for whoever reads it there. The use is in the ledger before the session is. The same assertion
//! may be used for each role that it offers. It is known by its issuer and ID, and the role by its
//! ARN, so that a provider or role that is deleted and made again changes nothing. What is refused
//! for its parameters is not used.
//!
//! A session lasts as long as `DurationSeconds` and the attribute `SessionDuration` say, whichever
//! is shorter, and no longer than the one at the provider.
//!
//! INVARIANT: a role that does not exist, one that is not offered and one that does not trust the
//! assertion are refused with the same words, which name no condition.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::session_input::{self, SessionInput};
use crate::arn;
use crate::authn::{Caller, SamlIdentity, SamlIdentityError, saml_identity};
use crate::directory::{Role, Snapshot};
use crate::federation::saml::SamlError;
use crate::id::AccountId;
use crate::ops::authorize::{CallerPolicies, Wanted};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service, context};
use crate::policy::{self, Context as Keys, Value as KeyValue};
use crate::seal::claims::{FederatedClaim, Tag};
use crate::sessions::{Draft, Minted, prepare, spend};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Seconds of a session when neither the request nor the assertion says.
const DEFAULT_DURATION: i64 = 3600;
const ACTION: &str = "sts:AssumeRoleWithSAML";

/// The operation.
pub struct AssumeRoleWithSAML;

/// What is asked for.
pub struct Request {
    role_arn: String,
    provider_arn: String,
    response: Zeroizing<String>,
    duration: Option<i64>,
    input: SessionInput,
}

/// Session credentials, and whom the assertion was about.
pub struct Response {
    minted: Minted,
    role_id: String,
    arn: String,
    subject: String,
    subject_type: String,
    issuer: String,
    audience: String,
    name_qualifier: String,
    source_identity: Option<String>,
}

impl Operation for AssumeRoleWithSAML {
    const NAME: &'static str = "AssumeRoleWithSAML";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Mint;
    const UNSIGNED: bool = true;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            role_arn: v.required("RoleArn", &rules::ARN).to_owned(),
            provider_arn: v.required("PrincipalArn", &rules::ARN).to_owned(),
            response: Zeroizing::new(
                v.required("SAMLAssertion", &rules::SAML_ASSERTION).to_owned(),
            ),
            duration: session_input::role_duration(v),
            input: SessionInput::read_policies(v),
        })
    }

    fn account(request: &Request) -> Option<AccountId> {
        arn::parse_role(&request.role_arn).map(|(account, _, _)| account)
    }

    fn describe(request: &Request) -> Value {
        json!({
            "roleArn": request.role_arn,
            "principalArn": request.provider_arn,
            "durationSeconds": request.duration,
            "policy": request.input.policy,
            "policyArns": request.input.policy_arns,
        })
    }

    async fn assert(context: &Context<'_>, request: &Request) -> Result<Caller, Fault> {
        let account =
            Self::account(request).ok_or_else(|| Fault::validation("Request ARN is invalid"))?;
        let services = context.services;
        saml_identity(
            &services.directory,
            &services.saml,
            account,
            &request.provider_arn,
            &request.response,
            context.facts.now,
        )
        .map(|identity| Caller::Saml(Box::new(identity)))
        .map_err(|error| refused(&error))
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let Caller::Saml(identity) = context.caller else {
            return Err(Fault::missing_authentication_token());
        };
        let (draft, role_name) = decide(context, identity, &request)?;
        let services = context.services;
        let assertion = identity.assertion();
        let role_id = draft.principal.id;
        let account = draft.principal.account.to_string();
        let role_arn = draft.principal.arn.clone();
        let session_name = draft.session_name.clone();
        let source_identity = draft.source_identity.clone();
        let arn = arn::assumed_role(draft.principal.account, &role_name, &session_name);
        // What does not fit is refused before the assertion is used.
        let prepared = prepare(&*services.random, draft, request.input.minimum_token_size)
            .map_err(session_input::mint_fault)?;
        let used = [
            &b"SAML"[..],
            account.as_bytes(),
            assertion.issuer().as_bytes(),
            assertion.id().as_bytes(),
            role_arn.as_bytes(),
        ];
        // INVARIANT: nothing is granted for an assertion before its use is on record.
        let first = spend(&services.keyring, &*services.ledger, &used, assertion.good_until());
        if !first.await.map_err(Fault::unavailable)? {
            let message = "The SAML assertion has been used for this role before.";
            return Err(Fault::new(FaultCode::InvalidIdentityToken, message));
        }
        let minted = prepared
            .issue(&services.keyring, &*services.ledger, &*services.random)
            .await
            .map_err(session_input::mint_fault)?;
        Ok(Response {
            minted,
            role_id: format!("{role_id}:{session_name}"),
            arn,
            subject: assertion.subject().name.clone(),
            subject_type: assertion.subject().format.clone(),
            issuer: assertion.issuer().to_owned(),
            audience: assertion.recipient().to_owned(),
            name_qualifier: identity.name_qualifier().to_owned(),
            source_identity,
        })
    }

    fn outcome(response: &Response) -> Value {
        json!({
            "credentials": session_input::described(&response.minted),
            "assumedRoleUser": { "assumedRoleId": response.role_id, "arn": response.arn },
            "subject": response.subject,
            "subjectType": response.subject_type,
            "issuer": response.issuer,
            "audience": response.audience,
            "nameQualifier": response.name_qualifier,
            "sourceIdentity": response.source_identity,
            "packedPolicySize": response.minted.packed_policy_size,
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        session_input::write_credentials(&response.minted, xml);
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", &response.role_id);
            xml.text("Arn", &response.arn);
        });
        session_input::write_sizes(&response.minted, xml);
        xml.text("Subject", &response.subject);
        xml.text("SubjectType", &response.subject_type);
        xml.text("Issuer", &response.issuer);
        xml.text("Audience", &response.audience);
        xml.text("NameQualifier", &response.name_qualifier);
        xml.optional("SourceIdentity", response.source_identity.as_ref());
    }
}

/// What a response that is not taken is answered with. It is the caller's own, so that it may know
/// what is wrong with it.
fn refused(error: &SamlIdentityError) -> Fault {
    const NAME: &str = "[a-zA-Z_0-9+=,.@-]{2,64}";
    let invalid = |message: String| Fault::new(FaultCode::InvalidIdentityToken, message);
    let rejected = |message: String| Fault::new(FaultCode::IdpRejectedClaim, message);
    let expired = |message: String| Fault::new(FaultCode::ExpiredTokenException, message);
    let fault = match error {
        SamlIdentityError::NoProvider => invalid("Specified provider doesn't exist.".to_owned()),
        SamlIdentityError::OtherAccount => {
            Fault::access_denied("Principal exists outside the account of the Role being assumed")
        }
        SamlIdentityError::Metadata(_) => {
            invalid("The metadata of the specified provider cannot be used.".to_owned())
        }
        SamlIdentityError::Response(response) => match response {
            SamlError::Expired(_) => expired("The SAML assertion has expired.".to_owned()),
            SamlError::TooLate(_) => {
                expired("Token must be redeemed within 5 minutes of issuance".to_owned())
            }
            SamlError::MetadataExpired(_) => {
                expired("The metadata of the specified provider has expired.".to_owned())
            }
            SamlError::NotYet(_) => rejected("The SAML assertion is not valid yet.".to_owned()),
            SamlError::Status => {
                rejected("The identity provider reported that authentication failed.".to_owned())
            }
            SamlError::Signature | SamlError::Digest => {
                invalid("Response signature invalid".to_owned())
            }
            SamlError::Audience => {
                invalid("Response does not contain the required audience.".to_owned())
            }
            SamlError::Issuer => invalid("Issuer not present in specified provider".to_owned()),
            SamlError::MissingAttribute(name) => {
                invalid(format!("{name} is required in AuthnResponse"))
            }
            SamlError::Attribute("RoleSessionName") => {
                invalid(format!("RoleSessionName in AuthnResponse must match {NAME}"))
            }
            SamlError::Attribute("SourceIdentity") => {
                invalid(format!("Source Identity must match {NAME} and not begin with \"aws:\""))
            }
            other => invalid(format!("Your request included an invalid SAML response: {other}.")),
        },
    };
    fault.with_note(error)
}

/// Everything that is decided before keys are drawn, with the role's name. Reads one snapshot.
fn decide(
    context: &Context<'_>,
    identity: &SamlIdentity,
    request: &Request,
) -> Result<(Draft, String), Fault> {
    let snapshot = context.services.directory.snapshot();
    if !identity.still_stands(&snapshot) {
        // It was changed since it was read.
        return Err(refused(&SamlIdentityError::NoProvider));
    }
    let assertion = identity.assertion();
    let attributes = assertion.attributes();
    let input = SessionInput {
        tags: attributes.tags.clone(),
        transitive: attributes.transitive.clone(),
        ..request.input.clone()
    };
    check_tags(identity)?;
    let tags = input.tags(&[])?;

    let role = trusted_role(context, &snapshot, identity, request, &input, &tags)?;

    // From here on the caller may know that the role exists.
    let wanted = [request.duration, attributes.duration];
    let duration = wanted.into_iter().flatten().min().unwrap_or(DEFAULT_DURATION);
    session_input::check_role_duration(role, request.duration.unwrap_or(duration))?;
    let policies = input.policies(&snapshot, role.account)?;
    let now = context.facts.now.floor_secs();
    let end = now.plus_secs(duration);
    // No session outlives the one at the provider.
    let end = assertion.session_ends().map_or(end, |ends| ends.floor_secs().min(end));
    let session = Draft {
        session_name: attributes.session_name.clone(),
        source_identity: attributes.source_identity.clone(),
        tags,
        policies,
        federated: Some(FederatedClaim {
            provider: identity.provider().id,
            arn: identity.provider().arn(),
            subject: assertion.subject().name.clone(),
            audience: assertion.recipient().to_owned(),
            version: snapshot.version(),
        }),
        ..Draft::first(role, &snapshot, now, end)
    };
    Ok((session, role.name.clone()))
}

/// The limits of tags: what a signed request's parameters are held to.
fn check_tags(identity: &SamlIdentity) -> Result<(), Fault> {
    let attributes = identity.assertion().attributes();
    for (key, value) in &attributes.tags {
        params::check("principalTag.key", key, &rules::TAG_KEY)?;
        params::check("principalTag.value", value, &rules::TAG_VALUE)?;
    }
    for key in &attributes.transitive {
        params::check("transitiveTagKeys", key, &rules::TAG_KEY)?;
    }
    Ok(())
}

fn trusted_role<'s>(
    context: &Context<'_>,
    snapshot: &'s Snapshot,
    identity: &SamlIdentity,
    request: &Request,
    input: &SessionInput,
    tags: &[Tag],
) -> Result<&'s Role, Fault> {
    // One text for every reason: the caller learns nothing about the role.
    let refuse = |why: String| {
        Fault::access_denied(format!("Not authorized to perform {ACTION}")).with_note(why)
    };
    let provider = identity.provider();
    let attributes = identity.assertion().attributes();
    if !attributes.offers(&request.role_arn, &provider.arn()) {
        return Err(refuse("the assertion does not offer the role by the provider".to_owned()));
    }
    let role = arn::parse_role(&request.role_arn)
        .filter(|(of, _, _)| *of == provider.account)
        .and_then(|(account, _, name)| snapshot.role_named(account, name))
        .filter(|role| role.arn() == request.role_arn)
        .ok_or_else(|| refuse("there is no such role".to_owned()))?;
    let keys = condition_keys(context, identity, input, role);
    let caller = policy::Caller::Saml { provider: provider.arn() };
    let source_identity = attributes.source_identity.as_deref();
    let wanted = Wanted { action: ACTION, tags, source_identity, contexts: false };
    CallerPolicies::none(snapshot)
        .check_role(&caller, role, wanted, keys)
        .map_err(|untrusted| refuse(untrusted.why))?;
    Ok(role)
}

fn condition_keys(
    context: &Context<'_>,
    identity: &SamlIdentity,
    input: &SessionInput,
    role: &Role,
) -> Keys {
    let mut keys = Keys::new();
    // First what the provider says: what we know ourselves goes over it.
    context::add_saml_identity(&mut keys, identity);
    context::add_request(&mut keys, context.facts);
    let attributes = identity.assertion().attributes();
    let one = |keys: &mut Keys, key: &str, value: &str| {
        keys.insert(key, KeyValue::One(value.to_owned()));
    };
    one(&mut keys, "aws:FederatedProvider", &identity.provider().arn());
    one(&mut keys, "sts:RoleSessionName", &attributes.session_name);
    if let Some(source_identity) = &attributes.source_identity {
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
