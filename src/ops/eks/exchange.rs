//! From the token of a service account to a session of the role that its pods have.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{PRINCIPAL, access};
use crate::arn;
use crate::authn::{Caller, WebIdentity, web_identity};
use crate::directory::pods::told;
use crate::directory::{PodAssociation, Role, Snapshot};
use crate::federation::oidc::{Pod, service_account};
use crate::id::{AccountId, RequestId};
use crate::ops::authorize::{CallerPolicies, Wanted};
use crate::ops::dispatch::carry_out_unsigned;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::region::Region;
use crate::ops::sts::assume_role_with_web_identity::refused_token;
use crate::ops::sts::session_input;
use crate::ops::trail::About;
use crate::ops::{Context, Effect, Service, context};
use crate::policy::{self, Context as Keys, Value as KeyValue};
use crate::seal::claims::{FederatedClaim, PrincipalClaim, PrincipalKind, Tag};
use crate::sessions::{Draft, Minted, mint};

/// The longest session of a pod, in seconds, if its role allows as much: SDKs come again in time.
const MAX_DURATION: i64 = 6 * 3_600;

/// A session for a pod.
pub(super) struct Granted {
    pub(super) minted: Minted,
    pub(super) association: Arc<PodAssociation>,
    /// `<role ID>:<session name>`
    pub(super) role_id: String,
    /// The session's ARN.
    pub(super) arn: String,
}

/// Finds out which pod a token is about, in a cluster of this account.
pub(super) async fn assert(
    context: &Context<'_>,
    account: AccountId,
    token: &str,
) -> Result<WebIdentity, Fault> {
    let services = context.services;
    let now = context.facts.now;
    web_identity(&services.directory, &*services.key_sets, account, token, now)
        .await
        .map_err(|error| refused_token(error, context))
}

/// Gives the pod a session of its role.
pub(super) async fn grant(
    context: &Context<'_>,
    identity: &WebIdentity,
    cluster: &str,
) -> Result<Granted, Fault> {
    let services = context.services;
    let (draft, association, role_name) = decide(context, identity, cluster)?;
    let name = draft.session_name.clone();
    let role_id = format!("{}:{name}", draft.principal.id);
    let arn = arn::assumed_role(draft.principal.account, &role_name, &name);
    let minted = mint(&services.keyring, &*services.ledger, &*services.random, draft, 0)
        .await
        .map_err(session_input::mint_fault)?;
    Ok(Granted { minted, association, role_id, arn })
}

/// What the credentials endpoint answers a pod that shows its token: the form that AWS SDKs read.
pub async fn endpoint(
    context: &Context<'_>,
    account: AccountId,
    cluster: &str,
    token: &str,
) -> Result<Value, Fault> {
    let about =
        About { service: Service::EksAuth, name: "AssumeRoleForPodIdentity", read_only: false };
    let read = || Ok((json!({ "clusterName": cluster }), ()));
    let prove = async |()| {
        let identity = assert(context, account, token).await?;
        Ok((Caller::Asserted(Box::new(identity)), ()))
    };
    let execute = async |context: &Context<'_>, ()| match context.caller {
        Caller::Asserted(identity) => grant(context, identity, cluster).await,
        _ => Err(Fault::missing_authentication_token()),
    };
    let shown = |granted: &Granted| outcome(&context.facts.region, granted);
    let granted =
        carry_out_unsigned(context, &about, Effect::Mint, read, prove, execute, shown).await?;
    let minted = &granted.minted;
    Ok(json!({
        "AccessKeyId": minted.access_key_id.to_string(),
        "SecretAccessKey": minted.secret.expose(),
        "Token": minted.token.as_str(),
        "Expiration": minted.expires_at.to_rfc3339(),
        "AccountId": account.to_string(),
    }))
}

fn outcome(region: &Region, granted: &Granted) -> Value {
    json!({
        "credentials": session_input::described(&granted.minted),
        "assumedRoleUser": { "assumeRoleId": granted.role_id, "arn": granted.arn },
        "podIdentityAssociation": {
            "associationArn": access::arn_of(region, &granted.association),
            "associationId": told(granted.association.id),
        },
    })
}

fn bad_token(message: &str) -> Fault {
    Fault::new(FaultCode::InvalidIdentityToken, message)
}

/// The pod of a token that was made for Pod Identity, with its namespace and service account.
fn pod(identity: &WebIdentity) -> Result<(&str, &str, &Pod), Fault> {
    let claims = identity.assertion().claims();
    // INVARIANT: a token that was made for somebody else says nothing to us.
    // What was made for others too can be shown here by any of them.
    if claims.audiences() != [PRINCIPAL] || claims.authorized_party().is_some() {
        return Err(bad_token("Incorrect token audience"));
    }
    let (namespace, name) = service_account(claims.subject())
        .ok_or_else(|| bad_token("The token is not one of a service account."))?;
    let kubernetes =
        claims.kubernetes().ok_or_else(|| bad_token("Missing a required claim: kubernetes.io"))?;
    let agrees =
        |said: &Option<String>, of: &str| said.as_ref().is_none_or(|said| said.as_str() == of);
    if !agrees(&kubernetes.namespace, namespace) || !agrees(&kubernetes.service_account, name) {
        return Err(bad_token("The token's subject and its claim kubernetes.io do not agree."));
    }
    let pod =
        kubernetes.pod.as_ref().ok_or_else(|| bad_token("The token is not bound to a pod."))?;
    if !pod.is_plain() {
        // They stand in the session's name and tags.
        return Err(bad_token("The name or the UID of the token's pod is not one of Kubernetes."));
    }
    Ok((namespace, name, pod))
}

/// Everything that is decided before keys are drawn, with the role's name. Reads one snapshot.
fn decide(
    context: &Context<'_>,
    identity: &WebIdentity,
    cluster: &str,
) -> Result<(Draft, Arc<PodAssociation>, String), Fault> {
    let refuse = |why: &str| {
        Fault::access_denied("Not authorized to assume the role of the association.")
            .with_note(why.to_owned())
    };
    let snapshot = context.services.directory.snapshot();
    if !identity.still_stands(&snapshot) {
        return Err(refuse("the provider was changed while its keys were fetched"));
    }
    let (namespace, name, pod) = pod(identity)?;
    let provider = identity.provider();
    let account = provider.account;
    let association = snapshot
        .pod_association_of(account, (cluster, namespace), name)
        // INVARIANT: another cluster's issuer has no say, whatever the names.
        .filter(|it| it.provider == provider.id)
        .ok_or_else(|| {
            Fault::new(
                FaultCode::ResourceNotFound,
                "There is no association for the cluster, namespace and service account of the \
                 token.",
            )
        })?;
    let role = snapshot
        .role(&association.role)
        .filter(|role| role.account == account)
        .ok_or_else(|| refuse("the role of the association is gone"))?;
    let session_name = session_name(context, cluster, &pod.name)?;
    let tags = if association.disable_session_tags {
        Vec::new()
    } else {
        tags(context, association, namespace, name, pod)
    };
    trusted(context, &snapshot, association, role, &session_name, &tags).map_err(|w| refuse(&w))?;

    let now = context.facts.now.floor_secs();
    let draft = Draft {
        principal: PrincipalClaim {
            kind: PrincipalKind::Role,
            account,
            id: role.id,
            arn: role.arn(),
        },
        ancestors: Vec::new(),
        issued_at: now,
        expires_at: now.plus_secs(MAX_DURATION.min(i64::from(role.max_session_duration))),
        version: snapshot.version(),
        epoch: snapshot.epoch(),
        session_name,
        source_identity: None,
        tags,
        policies: None,
        mfa_at: None,
        federated: Some(FederatedClaim {
            provider: provider.id,
            arn: provider.arn(),
            subject: identity.assertion().claims().subject().to_owned(),
            audience: identity.audience().to_owned(),
            version: snapshot.version(),
        }),
    };
    Ok((draft, Arc::clone(association), role.name.clone()))
}

/// `eks-<cluster>-<pod>-<UUID>`, the names cut so that it is a session name.
fn session_name(context: &Context<'_>, cluster: &str, pod: &str) -> Result<String, Fault> {
    let id = RequestId::generate(&*context.services.random).map_err(Fault::internal)?;
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    Ok(format!("eks-{}-{}-{id}", cut(cluster, 10), cut(pod, 12)))
}

/// Source: EKS User Guide, "List of session tags added by EKS Pod Identity". All are transitive.
fn tags(
    context: &Context<'_>,
    association: &PodAssociation,
    namespace: &str,
    name: &str,
    pod: &Pod,
) -> Vec<Tag> {
    [
        ("eks-cluster-arn", source(context, association).as_str()),
        ("eks-cluster-name", &association.cluster),
        ("kubernetes-namespace", namespace),
        ("kubernetes-service-account", name),
        ("kubernetes-pod-name", &pod.name),
        ("kubernetes-pod-uid", &pod.uid),
    ]
    .into_iter()
    .map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned(), transitive: true })
    .collect()
}

/// The cluster's ARN.
fn source(context: &Context<'_>, association: &PodAssociation) -> String {
    access::cluster_arn(&context.facts.region, association.account, &association.cluster)
}

/// Whether the role trusts Pod Identity with this.
fn trusted(
    context: &Context<'_>,
    snapshot: &Snapshot,
    association: &PodAssociation,
    role: &Role,
    session_name: &str,
    tags: &[Tag],
) -> Result<(), String> {
    let mut keys = Keys::new();
    context::add_request(&mut keys, context.facts);
    let mut one = |key: &str, value: &str| {
        keys.insert(key, KeyValue::One(value.to_owned()));
    };
    one("aws:PrincipalIsAWSService", "true");
    one("aws:PrincipalServiceName", PRINCIPAL);
    one("aws:SourceAccount", &association.account.to_string());
    one("aws:SourceArn", &source(context, association));
    one("sts:RoleSessionName", session_name);
    let passed = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    context::add_request_tags(&mut keys, passed);
    if !tags.is_empty() {
        let transitive = tags.iter().map(|tag| tag.key.clone()).collect();
        keys.insert("sts:TransitiveTagKeys", KeyValue::Many(transitive));
    }
    context::add_resource_tags(&mut keys, &role.tags);
    let caller = policy::Caller::Service { name: PRINCIPAL.to_owned() };
    let wanted = Wanted { action: "sts:AssumeRole", tags, source_identity: None, contexts: false };
    CallerPolicies::none(snapshot)
        .check_role(&caller, role, wanted, keys)
        .map_err(|untrusted| untrusted.why)
}
