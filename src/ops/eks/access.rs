//! Who may do what to which association.
//!
//! INVARIANT (not denied is not allowed): what is there is told only to a caller whose policies allow
//! the action on it; ARNs are made of the names as they were asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::CLUSTER_TAG;
use crate::arn;
use crate::directory::pods::told;
use crate::directory::{OidcProvider, PodAssociation, Role, Snapshot};
use crate::id::{AccountId, AssociationId};
use crate::ops::authorize::Ask;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::JsonOperation;
use crate::ops::region::Region;
use crate::ops::{Context, context};
use crate::policy::{Context as Keys, Value as KeyValue};

/// `arn:aws:eks:<region>:<account>:cluster/<name>`
pub(super) fn cluster_arn(region: &Region, account: AccountId, name: &str) -> String {
    region.arn("eks", account, &format!("cluster/{name}"))
}

/// `arn:aws:eks:<region>:<account>:podidentityassociation/<cluster>/<ID as it is told>`
fn association_arn(region: &Region, account: AccountId, cluster: &str, id: &str) -> String {
    region.arn("eks", account, &format!("podidentityassociation/{cluster}/{id}"))
}

/// The ARN of an association.
pub(super) fn arn_of(region: &Region, it: &PodAssociation) -> String {
    association_arn(region, it.account, &it.cluster, &told(it.id))
}

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::InvalidParameterException, message)
}

fn not_found(message: String) -> Fault {
    Fault::new(FaultCode::ResourceNotFound, message)
}

/// Lets a caller pass who may do `O` to a cluster of its account: the account, and the provider of the
/// cluster's tokens.
pub(super) fn cluster<O: JsonOperation>(
    context: &Context<'_>,
    state: &Snapshot,
    name: &str,
    tags: &BTreeMap<String, String>,
) -> Result<(AccountId, Arc<OidcProvider>), Fault> {
    let account = context.identity()?.account();
    let resource = cluster_arn(&context.facts.region, account, name);
    let action = format!("{}:{}", O::SERVICE.scope(), O::NAME);
    let ask = Ask { action: &action, resource: &resource, owner: account };
    let tagged = |keys: &mut Keys| {
        context::add_request_tags(keys, tags.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    };
    context.authorize(state, &ask, tagged)?;
    if !tags.is_empty() {
        let ask = Ask { action: "eks:TagResource", ..ask };
        context.authorize(state, &ask, tagged)?;
    }
    Ok((account, provider(state, account, name)?))
}

/// The provider of a cluster's tokens: the only one of the account with its tag.
fn provider(state: &Snapshot, account: AccountId, name: &str) -> Result<Arc<OidcProvider>, Fault> {
    let is = |provider: &&Arc<OidcProvider>| {
        provider.tags.iter().any(|tag| tag.key == CLUSTER_TAG && tag.value == name)
    };
    let mut found = state.oidc_providers_of(account).filter(is);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(Arc::clone(one)),
        (None, _) => Err(not_found(format!("No cluster found for name: {name}."))),
        (Some(_), Some(_)) => Err(Fault::new(
            FaultCode::InvalidRequestException,
            format!(
                "More than one OpenID Connect provider of the account has the tag {CLUSTER_TAG} = \
                 {name}."
            ),
        )),
    }
}

/// The association that a request names, for a caller who may do `O` to it.
pub(super) fn association<O: JsonOperation>(
    context: &Context<'_>,
    state: &Snapshot,
    cluster: &str,
    id: &str,
) -> Result<Arc<PodAssociation>, Fault> {
    let account = context.identity()?.account();
    let found = id
        .strip_prefix("a-")
        .and_then(|id| AssociationId::parse(id).ok())
        .and_then(|id| state.pod_association(&id))
        .filter(|it| it.account == account && it.cluster == cluster);
    let region = &context.facts.region;
    let asked = association_arn(region, account, cluster, id);
    let resource = found.map_or_else(|| asked.clone(), |it| arn_of(region, it));
    let action = format!("{}:{}", O::SERVICE.scope(), O::NAME);
    let ask = Ask { action: &action, resource: &resource, owner: account };
    context.authorize_shown(state, &ask, &asked, |keys| {
        for (key, value) in found.iter().flat_map(|it| &it.tags) {
            keys.insert(&format!("aws:ResourceTag/{key}"), KeyValue::One(value.clone()));
        }
    })?;
    found.cloned().ok_or_else(|| {
        not_found(format!("No association found with ID: {id} for cluster: {cluster}."))
    })
}

/// The role that a request names, for a caller who may give it to pods.
pub(super) fn passed_role(
    context: &Context<'_>,
    state: &Snapshot,
    role_arn: &str,
) -> Result<Arc<Role>, Fault> {
    let account = context.identity()?.account();
    let (owner, _, name) =
        arn::parse_role(role_arn).ok_or_else(|| invalid("roleArn is not the ARN of a role."))?;
    if owner != account {
        return Err(invalid("The role must be in the same account as the cluster."));
    }
    let role = state.role_named(account, name).filter(|role| role.arn() == role_arn);
    let ask = Ask { action: "iam:PassRole", resource: role_arn, owner: account };
    context.authorize(state, &ask, |keys| {
        keys.insert("iam:PassedToService", KeyValue::One(super::PRINCIPAL.to_owned()));
        if let Some(role) = role {
            context::add_resource_tags(keys, &role.tags);
        }
    })?;
    role.cloned().ok_or_else(|| invalid("Role provided in the request does not exist."))
}
