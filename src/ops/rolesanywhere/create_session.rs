//! CreateSession, `POST /sessions`: a session of a role, for whoever shows a certificate.
//!
//! Source: IAM Roles Anywhere User Guide, "IAM Roles Anywhere CreateSession API" and "The IAM Roles
//! Anywhere trust model".
//!
//! # What must agree
//!
//! The certificate is shown by the request's signature, or by the TLS connection that it came by; which
//! of them is no matter for what follows. It is one of the anchor; the profile is enabled, of the same account, and lists the role
//! by its unique ID; the role is of that account, and its trust policy allows `sts:AssumeRole` to
//! `rolesanywhere.amazonaws.com`, `sts:TagSession` where a name of the certificate becomes a tag, and
//! `sts:SetSourceIdentity` where it has a common name that can be one.
//!
//! The session lasts as long as the shortest of what was asked for, the profile and the role allow, and
//! no longer than the certificate. It is named by the certificate's serial number unless the profile
//! lets the request say. It ends with the anchor: when that is disabled, deleted, or revoked.

use serde_json::{Map, Value, json};

use super::{PRINCIPAL, access, profiles, shapes, subjects};
use crate::arn;
use crate::authn::{
    AuthnError, Caller, CertificateError, CertificateIdentity, HeldChain, ShowingRequest,
    certificate_identity,
};
use crate::directory::{AnywhereProfile, Role, Snapshot};
use crate::federation::x509::{Leaf, X509Error};
use crate::id::{AccountId, AnywhereId, ProviderId};
use crate::ops::authorize::{CallerPolicies, Wanted};
use crate::ops::dispatch::{Unproven, carry_out_unsigned};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, Member};
use crate::ops::params::{self, TagFault, check_tag_keys, rules};
use crate::ops::sts::session_input;
use crate::ops::trail::About;
use crate::ops::{Context, Effect, Service, context};
use crate::policy::{self, Context as Keys, DocumentKind, Policy, Value as KeyValue};
use crate::seal::claims::{FederatedClaim, SessionPolicies, Tag};
use crate::sessions::{Draft, Minted};
use crate::sigv4::{RequestHead, Rules, UriRules};
use crate::wire::printable;

/// The members of a request, in its query or body.
const INPUT: &[Member] = &[
    shapes::PROFILE,
    shapes::SESSION_ROLE,
    shapes::SESSION_ANCHOR,
    shapes::DURATION,
    shapes::SESSION_NAME,
    shapes::OLD_SESSION_NAME,
    shapes::PROPERTIES,
];
/// The most session tags.
const MAX_TAGS: usize = 50;

/// What is asked for.
struct Request {
    account: AccountId,
    anchor: ProviderId,
    profile: Option<AnywhereId>,
    role_arn: String,
    duration: Option<u32>,
    session_name: Option<String>,
}

/// A session that was given.
struct Granted {
    minted: Minted,
    role_id: String,
    arn: String,
    role_arn: String,
    source_identity: Option<String>,
    subject_arn: String,
}

/// Answers a request: `members` are those of its query and body, `body` is what was signed;
/// `connection` is what the other end of the connection it came by has shown.
///
/// # Errors
/// Why there is no session.
pub async fn create_session(
    context: &Context<'_>,
    head: &RequestHead<'_>,
    members: &Map<String, Value>,
    body: &[u8],
    connection: Option<&HeldChain>,
) -> Result<Value, Fault> {
    let about = About { service: Service::RolesAnywhere, name: "CreateSession", read_only: false };
    let text = |member: Member| {
        members.get(member.name).and_then(Value::as_str).map(|text| printable(text, 1024))
    };
    let described = json!({
        "profileArn": text(shapes::PROFILE),
        "roleArn": text(shapes::SESSION_ROLE),
        "trustAnchorArn": text(shapes::SESSION_ANCHOR),
        "roleSessionName": text(shapes::SESSION_NAME),
        "durationSeconds": members.get(shapes::DURATION.name).and_then(Value::as_i64),
    });
    let proving = async |()| {
        let asked = read(context, members)?;
        let request = ShowingRequest {
            head,
            body,
            connection,
            region: access::region(context),
            rules: Rules::new(UriRules::Standard, context.facts.now),
        };
        let identity = prove(context, &request, &asked)?;
        Ok((Caller::Certificate(Box::new(identity)), asked))
    };
    let executing = async |context: &Context<'_>, asked: Request| match context.caller {
        Caller::Certificate(identity) => grant(context, identity, &asked).await,
        _ => Err(Fault::missing_authentication_token()),
    };
    // What cannot be read is recorded as what cannot be proven: by what it names.
    let account = text(shapes::SESSION_ANCHOR)
        .and_then(|anchor| Some(arn::parse_anywhere(&anchor, "trust-anchor")?.1));
    let telling = || Ok(Unproven { account, described, request: () });
    let granted =
        carry_out_unsigned(context, &about, Effect::Mint, telling, proving, executing, outcome)
            .await?;
    let minted = &granted.minted;
    Ok(json!({
        "credentialSet": [{
            "assumedRoleUser": { "arn": granted.arn, "assumedRoleId": granted.role_id },
            "credentials": {
                "accessKeyId": minted.access_key_id.to_string(),
                "secretAccessKey": minted.secret.expose(),
                "sessionToken": minted.token.as_str(),
                "expiration": minted.expires_at.to_rfc3339(),
            },
            "packedPolicySize": minted.packed_policy_size.unwrap_or_default(),
            "roleArn": granted.role_arn,
            "sourceIdentity": granted.source_identity,
        }],
        "subjectArn": granted.subject_arn,
    }))
}

fn outcome(granted: &Granted) -> Value {
    json!({
        "credentials": session_input::described(&granted.minted),
        "assumedRoleUser": { "assumedRoleId": granted.role_id, "arn": granted.arn },
        "sourceIdentity": granted.source_identity,
        "subjectArn": granted.subject_arn,
    })
}

/// Reads a request. Of anchor and profile nothing is looked up yet.
fn read(context: &Context<'_>, members: &Map<String, Value>) -> Result<Request, Fault> {
    let input = Input::check(members, INPUT)?;
    if input.entries(shapes::PROPERTIES.name).next().is_some() {
        return Err(access::invalid("instanceProperties is not supported."));
    }
    let region = access::region(context);
    let here = |member: Member, kind| {
        arn::parse_anywhere(input.required(member.name), kind).filter(|(of, ..)| *of == region)
    };
    let anchor = here(shapes::SESSION_ANCHOR, "trust-anchor");
    // An ARN that cannot be one of an anchor is answered as one that is none.
    let (_, account, anchor) = anchor.ok_or_else(|| untrusted("no ARN of a trust anchor here"))?;
    let profile = here(shapes::PROFILE, "profile")
        // INVARIANT: anchor, profile and role are of one account.
        .filter(|(_, of, _)| *of == account)
        .map(|(.., id)| AnywhereId(id));
    let session_name = input.text(shapes::SESSION_NAME.name).map(ToOwned::to_owned);
    if let Some(name) = &session_name {
        params::check("roleSessionName", name, &rules::SESSION_NAME)?;
    }
    Ok(Request {
        account,
        anchor: ProviderId(anchor),
        profile,
        role_arn: input.required(shapes::SESSION_ROLE.name).to_owned(),
        duration: input.integer(shapes::DURATION.name).and_then(|it| u32::try_from(it).ok()),
        session_name,
    })
}

/// One text for whatever is wrong with certificate or anchor: it tells nothing about what exists.
fn untrusted(why: impl std::fmt::Display) -> Fault {
    Fault::access_denied("Untrusted certificate.").with_note(why)
}

fn prove(
    context: &Context<'_>,
    request: &ShowingRequest<'_>,
    asked: &Request,
) -> Result<CertificateIdentity, Fault> {
    let directory = &context.services.directory;
    certificate_identity(directory, request, asked.account, asked.anchor).map_err(|error| {
        if let CertificateError::Untrusted { why: why @ X509Error::ListNotInDate(_), .. } = &error {
            // Nobody else comes so far, and all of that authority are out.
            tracing::warn!(account = %asked.account, anchor = %asked.anchor, "{why}: put a newer one");
        }
        match error {
            CertificateError::Signature(error) => AuthnError::Signature(error).into(),
            CertificateError::Missing | CertificateError::HalfSigned(_) => {
                Fault::missing_authentication_token().with_note(error)
            }
            CertificateError::Scope => {
                let message = "Credential should be scoped to the service 'rolesanywhere' and to \
                               the region of the trust anchor.";
                Fault::new(FaultCode::SignatureDoesNotMatch, message)
            }
            CertificateError::ContentType => access::invalid(
                "A request that only its connection proves must have the Content-Type \
                 application/json.",
            ),
            CertificateError::Page(_) | CertificateError::PassedOn(_) => {
                let message = "A request that only its connection proves must be made by the \
                               holder of the certificate itself.";
                Fault::access_denied(message).with_note(error)
            }
            CertificateError::Encoding
            | CertificateError::Serial
            | CertificateError::NoAnchor
            | CertificateError::Certificate(_)
            | CertificateError::Untrusted { .. } => untrusted(error),
        }
    })
}

async fn grant(
    context: &Context<'_>,
    identity: &CertificateIdentity,
    asked: &Request,
) -> Result<Granted, Fault> {
    let account = identity.anchor().account;
    let decided = match decide(context, identity, asked) {
        Ok(decided) => decided,
        Err(fault) => {
            subjects::came(context, account, identity.leaf(), true).await;
            return Err(fault);
        }
    };
    let (draft, role_name) = decided;
    let name = draft.session_name.clone();
    let source_identity = draft.source_identity.clone();
    let role_id = format!("{}:{name}", draft.principal.id);
    let role_arn = draft.principal.arn.clone();
    let arn = arn::assumed_role(account, &role_name, &name);
    let minted = session_input::mint(context, draft, 0).await?;
    subjects::came(context, account, identity.leaf(), false).await;
    let subject = subjects::id(context, account, identity.leaf());
    let subject_arn = arn::anywhere(access::region(context), account, "subject", &subject.0);
    Ok(Granted { minted, role_id, arn, role_arn, source_identity, subject_arn })
}

/// Everything that is decided before keys are drawn, with the role's name. Reads one snapshot.
fn decide(
    context: &Context<'_>,
    identity: &CertificateIdentity,
    asked: &Request,
) -> Result<(Draft, String), Fault> {
    // One text for every reason that is about profile and role.
    let refuse = |why: &str| {
        let role = printable(&asked.role_arn, 256);
        Fault::access_denied(format!("Unable to assume role for {role}")).with_note(why.to_owned())
    };
    let snapshot = context.services.directory.snapshot();
    if !identity.still_stands(&snapshot) {
        return Err(untrusted("the trust anchor was changed since"));
    }
    let (anchor, leaf) = (identity.anchor(), identity.leaf());
    let account = anchor.account;
    let profile = asked
        .profile
        .and_then(|id| snapshot.anywhere_profile(&id))
        .filter(|it| it.account == account && it.enabled)
        .ok_or_else(|| refuse("there is no such profile of the account that is enabled"))?;
    let session_name = session_name(asked, profile, leaf)?;
    let tags = tags(profile, leaf)?;
    let source_identity = source_identity(leaf);
    let role = profile
        .roles
        .iter()
        .find(|it| it.arn == asked.role_arn)
        .ok_or_else(|| refuse("the profile does not list the role"))?;
    let role = snapshot
        .role(&role.id)
        .filter(|it| it.account == account && it.arn() == asked.role_arn)
        .ok_or_else(|| refuse("the role that the profile lists is gone"))?;
    let session =
        Session { name: &session_name, source_identity: source_identity.as_deref(), tags: &tags };
    trusted(context, &snapshot, identity, role, &session).map_err(|why| refuse(&why))?;

    let now = context.facts.now.floor_secs();
    let most = profile.duration.unwrap_or(profiles::DEFAULT_DURATION);
    let duration = asked.duration.unwrap_or(most).min(most).min(role.max_session_duration);
    let end = now.plus_secs(i64::from(duration));
    // No session outlives its certificate.
    let end = leaf.not_after().min(end);
    let anchor_arn = access::arn_of(context, &**anchor);
    let draft = Draft {
        version: identity.proven_at(),
        session_name,
        source_identity,
        tags,
        policies: policies(&snapshot, profile).map_err(refuse)?,
        federated: Some(FederatedClaim {
            provider: anchor.id,
            arn: anchor_arn,
            subject: leaf.subject().to_string(),
            audience: access::arn_of(context, &**profile),
            version: identity.proven_at(),
        }),
        ..Draft::first(role, &snapshot, now, end)
    };
    Ok((draft, role.name.clone()))
}

fn session_name(asked: &Request, profile: &AnywhereProfile, leaf: &Leaf) -> Result<String, Fault> {
    match &asked.session_name {
        None => {
            let serial = leaf.serial_hex();
            params::check("roleSessionName", &serial, &rules::SESSION_NAME)?;
            Ok(serial)
        }
        Some(name) if profile.accept_session_name => Ok(name.clone()),
        Some(_) => Err(Fault::access_denied("The profile does not accept a roleSessionName.")),
    }
}

/// The tags that the profile has of the certificate. A value that no tag can have refuses the session:
/// without the tag a policy that denies by it would not.
fn tags(profile: &AnywhereProfile, leaf: &Leaf) -> Result<Vec<Tag>, Fault> {
    let unusable = |key: &str| {
        access::invalid(format!(
            "The certificate's {key} cannot be a session tag: put an attribute mapping that leaves \
             it out."
        ))
    };
    let found = profile.mappings.tags(leaf).map_err(|error| match &error {
        X509Error::Attribute(key) => unusable(key).with_note(&error),
        _ => Fault::internal(&error),
    })?;
    check_tag_keys(found.iter().map(|(key, _)| key.as_str()), TagFault::Sts)?;
    for (key, value) in &found {
        let fits = params::check("key", key, &rules::TAG_KEY).is_ok()
            && params::check("value", value, &rules::TAG_VALUE).is_ok();
        if !fits {
            return Err(unusable(key));
        }
    }
    if found.len() > MAX_TAGS {
        return Err(access::invalid(format!("A session has at most {MAX_TAGS} tags.")));
    }
    Ok(found.into_iter().map(|(key, value)| Tag { key, value, transitive: false }).collect())
}

/// `CN=<common name>`, as AWS has it. A certificate whose common name no source identity can be has
/// none: no condition can name it.
fn source_identity(leaf: &Leaf) -> Option<String> {
    let identity = format!("CN={}", leaf.subject().common_name()?);
    let fits = params::check("sourceIdentity", &identity, &rules::SESSION_NAME).is_ok();
    fits.then_some(identity)
}

/// The profile's session policies, if there are any.
///
/// # Errors
/// Which of them cannot be used.
fn policies(
    state: &Snapshot,
    profile: &AnywhereProfile,
) -> Result<Option<SessionPolicies>, &'static str> {
    let (inline, arns) = (&profile.session_policy, &profile.managed_policies);
    if inline.is_none() && arns.is_empty() {
        return Ok(None);
    }
    if let Some(text) = inline {
        Policy::parse(text, DocumentKind::Session)
            .map_err(|_| "the session policy of the profile does not parse")?;
    }
    let found = arns.iter().map(|arn| state.managed_policy(profile.account, arn));
    let ids = found.map(|it| it.map(|it| it.id())).collect::<Option<Vec<_>>>();
    let ids = ids.ok_or("a managed session policy of the profile does not exist any more")?;
    if *profile.managed_policy_ids.as_deref().unwrap_or_default() != *ids {
        return Err("a managed session policy of the profile was made again under its ARN");
    }
    Ok(Some(SessionPolicies { inline: inline.clone(), arns: arns.clone(), ids: Some(ids) }))
}

/// What a role has to trust.
struct Session<'a> {
    name: &'a str,
    source_identity: Option<&'a str>,
    tags: &'a [Tag],
}

/// Whether the role trusts the service with this.
fn trusted(
    context: &Context<'_>,
    snapshot: &Snapshot,
    identity: &CertificateIdentity,
    role: &Role,
    session: &Session<'_>,
) -> Result<(), String> {
    let mut keys = Keys::new();
    context::add_request(&mut keys, context.facts);
    let mut one = |key: &str, value: &str| {
        keys.insert(key, KeyValue::One(value.to_owned()));
    };
    let anchor = identity.anchor();
    one("aws:PrincipalIsAWSService", "true");
    one("aws:PrincipalServiceName", PRINCIPAL);
    one("aws:SourceAccount", &anchor.account.to_string());
    one("aws:SourceArn", &access::arn_of(context, &**anchor));
    one("sts:RoleSessionName", session.name);
    if let Some(source_identity) = session.source_identity {
        one("sts:SourceIdentity", source_identity);
    }
    for tag in session.tags {
        one(&format!("aws:PrincipalTag/{}", tag.key), &tag.value);
    }
    let passed = session.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    context::add_request_tags(&mut keys, passed);
    context::add_resource_tags(&mut keys, &role.tags);
    let caller = policy::Caller::Service { name: PRINCIPAL.to_owned() };
    let wanted = Wanted {
        action: "sts:AssumeRole",
        tags: session.tags,
        source_identity: session.source_identity,
        contexts: false,
    };
    CallerPolicies::none(snapshot)
        .check_role(&caller, role, wanted, keys)
        .map_err(|untrusted| untrusted.why)
}
