//! Associations of service accounts with roles.
//!
//! Source: EKS API reference, CreatePodIdentityAssociation and its like.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{access, shapes};
use crate::directory::pods::told;
use crate::directory::{Entity, EntityKey, PodAssociation};
use crate::id::AssociationId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::params::{TagFault, check_tag_keys};
use crate::ops::region::Region;
use crate::ops::{Context, Effect, Service};
use crate::seal::marker;

/// Entries of a page, if the caller does not say.
const PAGE: usize = 100;

fn view(region: &Region, it: &PodAssociation) -> Value {
    let mut view = summary(region, it);
    if let Some(view) = view.as_object_mut() {
        view.insert("roleArn".to_owned(), it.role_arn.clone().into());
        view.insert("tags".to_owned(), json!(it.tags));
        view.insert("createdAt".to_owned(), it.created_at.secs().into());
        view.insert("modifiedAt".to_owned(), it.modified_at.secs().into());
        view.insert("disableSessionTags".to_owned(), it.disable_session_tags.into());
    }
    view
}

fn summary(region: &Region, it: &PodAssociation) -> Value {
    json!({
        "clusterName": it.cluster,
        "namespace": it.namespace,
        "serviceAccount": it.service_account,
        "associationArn": access::arn_of(region, it),
        "associationId": told(it.id),
    })
}

/// Refuses what is not built: it would give other rights than were asked for.
fn refuse_unbuilt(input: &Input<'_>) -> Result<(), Fault> {
    for member in [shapes::TARGET_ROLE.name, shapes::POLICY.name] {
        if input.text(member).is_some() {
            return Err(access::invalid(format!("{member} is not supported.")));
        }
    }
    Ok(())
}

/// Makes one.
pub struct CreatePodIdentityAssociation;

/// The association that is wanted.
pub struct New {
    cluster: String,
    namespace: String,
    service_account: String,
    role: String,
    tags: BTreeMap<String, String>,
    disable_session_tags: bool,
}

impl JsonOperation for CreatePodIdentityAssociation {
    const NAME: &'static str = "CreatePodIdentityAssociation";
    const SERVICE: Service = Service::Eks;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        shapes::CLUSTER,
        shapes::NAMESPACE,
        shapes::SERVICE_ACCOUNT,
        shapes::ROLE,
        shapes::REQUEST_TOKEN,
        shapes::TAGS,
        shapes::WITHOUT_TAGS,
        shapes::TARGET_ROLE,
        shapes::POLICY,
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::InvalidRequestException,
        FaultCode::ResourceInUse,
        FaultCode::ResourceLimitExceeded,
    ];
    type Request = New;

    fn read(input: &Input<'_>) -> Result<New, Fault> {
        refuse_unbuilt(input)?;
        let own = |member: Member| input.required(member.name).to_owned();
        let tags: BTreeMap<_, _> = (input.entries(shapes::TAGS.name))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        check_tag_keys(tags.keys().map(String::as_str), TagFault::Sts)?;
        Ok(New {
            cluster: own(shapes::CLUSTER),
            namespace: own(shapes::NAMESPACE),
            service_account: own(shapes::SERVICE_ACCOUNT),
            role: own(shapes::ROLE),
            tags,
            disable_session_tags: input.boolean(shapes::WITHOUT_TAGS.name).unwrap_or(false),
        })
    }

    async fn execute(context: &Context<'_>, new: New) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let state = tx.state();
                let (account, provider) =
                    access::cluster::<Self>(context, state, &new.cluster, &new.tags)?;
                let role = access::passed_role(context, state, &new.role)?;
                let place = (new.cluster.as_str(), new.namespace.as_str());
                if state.pod_association_of(account, place, &new.service_account).is_some() {
                    return Err(Fault::new(
                        FaultCode::ResourceInUse,
                        "Association already exists for this cluster, namespace and service \
                         account.",
                    ));
                }
                let quotas = &context.services.quotas;
                let full = |whose: &str| {
                    let message = format!("The {whose} has as many associations as it may have.");
                    Fault::new(FaultCode::ResourceLimitExceeded, message)
                };
                let (mut of_account, mut of_cluster) = (0, 0);
                for it in state.pod_associations_of(account) {
                    of_account += 1;
                    of_cluster += usize::from(it.cluster == new.cluster);
                }
                if of_cluster >= quotas.pod_associations_per_cluster {
                    return Err(full("cluster"));
                }
                if of_account >= quotas.pod_associations_per_account {
                    return Err(full("account"));
                }
                let id =
                    AssociationId::generate(&*context.services.random).map_err(Fault::internal)?;
                let made = PodAssociation {
                    id,
                    account,
                    cluster: new.cluster,
                    namespace: new.namespace,
                    service_account: new.service_account,
                    provider: provider.id,
                    role: role.id,
                    role_arn: role.arn(),
                    disable_session_tags: new.disable_session_tags,
                    tags: new.tags,
                    created_at: now,
                    modified_at: now,
                };
                let answer = json!({ "association": view(&context.facts.region, &made) });
                tx.put(Entity::PodAssociation(made));
                Ok(answer)
            })
            .await
    }
}

/// Which association.
pub struct One {
    cluster: String,
    id: String,
}

impl One {
    fn read(input: &Input<'_>) -> Self {
        let own = |member: Member| input.required(member.name).to_owned();
        Self { cluster: own(shapes::CLUSTER), id: own(shapes::ASSOCIATION) }
    }
}

/// Describes one.
pub struct DescribePodIdentityAssociation;

impl JsonOperation for DescribePodIdentityAssociation {
    const NAME: &'static str = "DescribePodIdentityAssociation";
    const SERVICE: Service = Service::Eks;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[shapes::CLUSTER, shapes::ASSOCIATION];
    const FAULTS: &'static [FaultCode] = &[];
    type Request = One;

    fn read(input: &Input<'_>) -> Result<One, Fault> {
        Ok(One::read(input))
    }

    async fn execute(context: &Context<'_>, asked: One) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let found = access::association::<Self>(context, &state, &asked.cluster, &asked.id)?;
        Ok(json!({ "association": view(&context.facts.region, &found) }))
    }
}

/// Deletes one. Sessions that pods have last until they expire.
pub struct DeletePodIdentityAssociation;

impl JsonOperation for DeletePodIdentityAssociation {
    const NAME: &'static str = "DeletePodIdentityAssociation";
    const SERVICE: Service = Service::Eks;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[shapes::CLUSTER, shapes::ASSOCIATION];
    const FAULTS: &'static [FaultCode] = &[];
    type Request = One;

    fn read(input: &Input<'_>) -> Result<One, Fault> {
        Ok(One::read(input))
    }

    async fn execute(context: &Context<'_>, asked: One) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let (cluster, id) = (&asked.cluster, &asked.id);
                let found = access::association::<Self>(context, tx.state(), cluster, id)?;
                tx.delete(EntityKey::PodAssociation(found.id));
                Ok(json!({ "association": view(&context.facts.region, &found) }))
            })
            .await
    }
}

/// Gives one another role, or session tags or none.
pub struct UpdatePodIdentityAssociation;

/// What is to change.
pub struct Update {
    which: One,
    role: Option<String>,
    disable_session_tags: Option<bool>,
}

impl JsonOperation for UpdatePodIdentityAssociation {
    const NAME: &'static str = "UpdatePodIdentityAssociation";
    const SERVICE: Service = Service::Eks;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        shapes::CLUSTER,
        shapes::ASSOCIATION,
        shapes::NEW_ROLE,
        shapes::REQUEST_TOKEN,
        shapes::WITHOUT_TAGS,
        shapes::TARGET_ROLE,
        shapes::POLICY,
    ];
    const FAULTS: &'static [FaultCode] = &[];
    type Request = Update;

    fn read(input: &Input<'_>) -> Result<Update, Fault> {
        refuse_unbuilt(input)?;
        Ok(Update {
            which: One::read(input),
            role: input.text(shapes::NEW_ROLE.name).map(ToOwned::to_owned),
            disable_session_tags: input.boolean(shapes::WITHOUT_TAGS.name),
        })
    }

    async fn execute(context: &Context<'_>, update: Update) -> Result<Value, Fault> {
        let modified_at = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let One { cluster, id } = &update.which;
                let found = access::association::<Self>(context, tx.state(), cluster, id)?;
                let mut changed = PodAssociation { modified_at, ..PodAssociation::clone(&found) };
                if let Some(arn) = &update.role {
                    let role = access::passed_role(context, tx.state(), arn)?;
                    (changed.role, changed.role_arn) = (role.id, role.arn());
                }
                if let Some(disable) = update.disable_session_tags {
                    changed.disable_session_tags = disable;
                }
                let answer = json!({ "association": view(&context.facts.region, &changed) });
                tx.put(Entity::PodAssociation(changed));
                Ok(answer)
            })
            .await
    }
}

/// Lists those of a cluster.
pub struct ListPodIdentityAssociations;

/// Which ones.
pub struct Which {
    cluster: String,
    namespace: Option<String>,
    service_account: Option<String>,
    most: usize,
    after: Option<String>,
}

impl JsonOperation for ListPodIdentityAssociations {
    const NAME: &'static str = "ListPodIdentityAssociations";
    const SERVICE: Service = Service::Eks;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        shapes::CLUSTER,
        shapes::OF_NAMESPACE,
        shapes::OF_SERVICE_ACCOUNT,
        shapes::MOST,
        shapes::NEXT,
    ];
    const FAULTS: &'static [FaultCode] = &[FaultCode::InvalidRequestException];
    type Request = Which;

    fn read(input: &Input<'_>) -> Result<Which, Fault> {
        let text = |member: Member| input.text(member.name).map(ToOwned::to_owned);
        let most = input.integer(shapes::MOST.name).and_then(|most| usize::try_from(most).ok());
        Ok(Which {
            cluster: input.required(shapes::CLUSTER.name).to_owned(),
            namespace: text(shapes::OF_NAMESPACE),
            service_account: text(shapes::OF_SERVICE_ACCOUNT),
            most: most.unwrap_or(PAGE).clamp(1, PAGE),
            after: text(shapes::NEXT),
        })
    }

    async fn execute(context: &Context<'_>, which: Which) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let (account, _) =
            access::cluster::<Self>(context, &state, &which.cluster, &BTreeMap::new())?;
        let keyring = &context.services.keyring;
        let owner = account.to_string();
        let place = [owner.as_bytes(), Self::NAME.as_bytes(), which.cluster.as_bytes()];
        let after = match &which.after {
            None => None,
            Some(token) => Some(
                marker::open(keyring, &place, token)
                    .map_err(|error| access::invalid("nextToken is not valid.").with_note(error))?,
            ),
        };
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let mut found: Vec<_> = state
            .pod_associations_of(account)
            .filter(|it| it.cluster == which.cluster && is(&which.namespace, &it.namespace))
            .filter(|it| is(&which.service_account, &it.service_account))
            .filter(|it| after.as_ref().is_none_or(|after| it.id.to_string() > *after))
            .collect();
        found.sort_by_key(|it| it.id);
        let more = found.len() > which.most;
        found.truncate(which.most);
        let mut answer = Map::new();
        if let Some(last) = found.last().filter(|_| more) {
            let token =
                marker::seal(keyring, &place, &last.id.to_string(), &*context.services.random)
                    .map_err(Fault::internal)?;
            answer.insert("nextToken".to_owned(), token.into());
        }
        let views = found.iter().map(|it| summary(&context.facts.region, it)).collect::<Vec<_>>();
        answer.insert("associations".to_owned(), views.into());
        Ok(answer.into())
    }
}
