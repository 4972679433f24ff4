//! Services that the organization works with.
//!
//! A trusted service of AWS may look at the organization and act in its accounts. Here services are
//! the operator's own, and get no right by this: a name on the list is what tools keep there, and
//! what a delegated administrator is registered for. IAM's is different: it has to be there for
//! [root access](root_access).

use serde_json::{Value, json};

use super::access::{Ask, Who, constraint, permit};
use super::page::Paging;
use super::shapes;
use crate::directory::Entity;
use crate::directory::entities::Revoked;
use crate::directory::organization::{FeatureSet, Organization, RootFeature, root_access};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member, invalid};
use crate::ops::{Context, Effect, Service};

const SERVICE_PRINCIPAL: Member = Member::required("ServicePrincipal", &shapes::SERVICE_PRINCIPAL);

/// Reads `ServicePrincipal`: a name such as `orders.example.com`.
///
/// # Errors
/// `InvalidInputException` for what is no service's name.
pub(super) fn service(input: &Input<'_>) -> Result<String, Fault> {
    let name = input.required(SERVICE_PRINCIPAL.name);
    let labels = name.split('.');
    if labels.clone().count() < 2 || labels.clone().any(str::is_empty) {
        return Err(invalid(
            "UNRECOGNIZED_SERVICE_PRINCIPAL",
            "You specified an unrecognized service principal.",
        ));
    }
    Ok(name.to_owned())
}

/// The organization has to have all features.
pub(super) fn check_features(organization: &Organization) -> Result<(), Fault> {
    if organization.features == FeatureSet::All {
        return Ok(());
    }
    Err(constraint(
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
        "The organization must have all features enabled.",
    ))
}

/// Puts a service on the list. One that is there stays as it is.
pub struct EnableAWSServiceAccess;

impl JsonOperation for EnableAWSServiceAccess {
    const NAME: &'static str = "EnableAWSServiceAccess";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[SERVICE_PRINCIPAL];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ConstraintViolation];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        service(input)
    }

    async fn execute(context: &Context<'_>, service: String) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let organization = permit::<Self>(context, tx.state(), Who::Management, |_| {
                    Ask::default().of_service(&service)
                })?;
                check_features(&organization)?;
                if !organization.services.contains_key(&service) {
                    let mut organization = organization.as_ref().clone();
                    organization.services.insert(service, now);
                    tx.put(Entity::Organization(organization));
                }
                Ok(Value::Null)
            })
            .await
    }
}

/// Takes a service off the list. It must have no delegated administrator.
pub struct DisableAWSServiceAccess;

impl JsonOperation for DisableAWSServiceAccess {
    const NAME: &'static str = "DisableAWSServiceAccess";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[SERVICE_PRINCIPAL];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ConstraintViolation];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        service(input)
    }

    async fn execute(context: &Context<'_>, service: String) -> Result<Value, Fault> {
        let at = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let organization = permit::<Self>(context, tx.state(), Who::Management, |_| {
                    Ask::default().of_service(&service)
                })?;
                let organized = tx.state().organized();
                if organized.members().any(|it| it.delegated.contains_key(&service)) {
                    return Err(constraint(
                        "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
                        "The service has a delegated administrator: deregister it first.",
                    ));
                }
                if organization.services.contains_key(&service) {
                    let mut organization = organization.as_ref().clone();
                    organization.services.remove(&service);
                    if service == root_access::IAM {
                        let ended = Revoked { version: tx.version(), at };
                        organization.end_root_access(&RootFeature::ALL, ended);
                    }
                    tx.put(Entity::Organization(organization));
                }
                Ok(Value::Null)
            })
            .await
    }
}

/// The list.
pub struct ListAWSServiceAccessForOrganization;

impl JsonOperation for ListAWSServiceAccessForOrganization {
    const NAME: &'static str = "ListAWSServiceAccessForOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[shapes::next_token(), shapes::max_results()];
    const FAULTS: &'static [FaultCode] = &[FaultCode::OrganizationsNotInUse];
    type Request = Paging;

    fn read(input: &Input<'_>) -> Result<Paging, Fault> {
        Ok(Paging::read(input))
    }

    async fn execute(context: &Context<'_>, paging: Paging) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organization = permit::<Self>(context, &state, Who::Delegated, |_| Ask::default())?;
        let entries = organization.services.iter().map(|(name, at)| {
            (name.clone(), json!({ "ServicePrincipal": name, "DateEnabled": at.secs() }))
        });
        paging.page::<Self>(context, "EnabledServicePrincipals", "", entries)
    }
}
