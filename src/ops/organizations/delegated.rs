//! Delegated administrators: members that see the organization.
//!
//! INVARIANT: a delegated administrator may call what only looks at the organization, as far as its
//! own policies allow, and nothing that changes it: [`Who::Delegated`] says which operations these
//! are. AWS's own services give more in themselves; here they are the operator's.

use serde_json::{Value, json};

use super::access::{Ask, Who, constraint, permit};
use super::page::Paging;
use super::trusted_services::{check_features, service};
use super::{accounts, shapes, views};
use crate::directory::entities::Revoked;
use crate::directory::organization::root_access;
use crate::directory::{Entity, Transaction};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// Which account, and for which service.
pub struct Delegation {
    account: AccountId,
    service: String,
}

const INPUT: &[Member] = &[
    Member::required("AccountId", &shapes::ACCOUNT_ID),
    Member::required("ServicePrincipal", &shapes::SERVICE_PRINCIPAL),
];

impl Delegation {
    fn read(input: &Input<'_>) -> Result<Self, Fault> {
        Ok(Self { account: accounts::id(input)?, service: service(input)? })
    }

    fn permit<O: JsonOperation>(
        &self,
        context: &Context<'_>,
        tx: &Transaction,
    ) -> Result<std::sync::Arc<crate::directory::organization::Organization>, Fault> {
        let state = tx.state().organized();
        permit::<O>(context, tx.state(), Who::Management, |it| {
            accounts::asked(it, state, self.account).of_service(&self.service)
        })
    }
}

/// Lets a member see the organization, for a service that is on the list.
pub struct RegisterDelegatedAdministrator;

impl JsonOperation for RegisterDelegatedAdministrator {
    const NAME: &'static str = "RegisterDelegatedAdministrator";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = INPUT;
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::AccountAlreadyRegistered,
        FaultCode::AccountNotFound,
        FaultCode::ConstraintViolation,
    ];
    type Request = Delegation;

    fn read(input: &Input<'_>) -> Result<Delegation, Fault> {
        Delegation::read(input)
    }

    async fn execute(context: &Context<'_>, request: Delegation) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let organization = request.permit::<Self>(context, tx)?;
                let state = tx.state().organized();
                if request.account == organization.management {
                    return Err(constraint(
                        "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
                        "You cannot register the management account as delegated administrator.",
                    ));
                }
                let mut member = accounts::member(state, request.account)?.as_ref().clone();
                if state.is_closed(request.account) {
                    return Err(constraint(
                        "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
                        "You cannot register a suspended account as delegated administrator.",
                    ));
                }
                check_features(&organization)?;
                if !organization.services.contains_key(&request.service) {
                    return Err(constraint(
                        "SERVICE_ACCESS_NOT_ENABLED",
                        "Service access is not enabled for this service: enable it first.",
                    ));
                }
                if member.delegated.insert(request.service, now).is_some() {
                    return Err(Fault::new(
                        FaultCode::AccountAlreadyRegistered,
                        "The account is already a delegated administrator for this service.",
                    ));
                }
                tx.put(Entity::Member(member));
                Ok(Value::Null)
            })
            .await
    }
}

/// Takes that back. Without any service left, the account sees no more than other members. The root
/// users' sessions that it made as one for IAM end for good.
pub struct DeregisterDelegatedAdministrator;

impl JsonOperation for DeregisterDelegatedAdministrator {
    const NAME: &'static str = "DeregisterDelegatedAdministrator";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = INPUT;
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::AccountNotFound,
        FaultCode::AccountNotRegistered,
    ];
    type Request = Delegation;

    fn read(input: &Input<'_>) -> Result<Delegation, Fault> {
        Delegation::read(input)
    }

    async fn execute(context: &Context<'_>, request: Delegation) -> Result<Value, Fault> {
        let at = context.facts.now.floor_secs();
        context
            .change(|tx| {
                request.permit::<Self>(context, tx)?;
                let state = tx.state().organized();
                let mut member = accounts::member(state, request.account)?.as_ref().clone();
                if member.delegated.remove(&request.service).is_none() {
                    return Err(not_registered());
                }
                if request.service == root_access::IAM {
                    member.root_access_ended = Some(Revoked { version: tx.version(), at });
                }
                tx.put(Entity::Member(member));
                Ok(Value::Null)
            })
            .await
    }
}

fn not_registered() -> Fault {
    Fault::new(
        FaultCode::AccountNotRegistered,
        "The account is not a registered delegated administrator.",
    )
}

/// Lists the delegated administrators, of one service or of any.
pub struct ListDelegatedAdministrators;

/// Of which service.
pub struct OfService {
    service: Option<String>,
    paging: Paging,
}

impl JsonOperation for ListDelegatedAdministrators {
    const NAME: &'static str = "ListDelegatedAdministrators";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::optional("ServicePrincipal", &shapes::SERVICE_PRINCIPAL),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] = &[FaultCode::OrganizationsNotInUse];
    type Request = OfService;

    fn read(input: &Input<'_>) -> Result<OfService, Fault> {
        let service = input.text("ServicePrincipal").map(|_| service(input)).transpose()?;
        Ok(OfService { service, paging: Paging::read(input) })
    }

    async fn execute(context: &Context<'_>, request: OfService) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let service = request.service.as_deref();
        let organization = permit::<Self>(context, &state, Who::Delegated, |_| match service {
            Some(service) => Ask::default().of_service(service),
            None => Ask::default(),
        })?;
        let now = context.facts.now;
        let entries = state.organized().members().filter_map(|it| {
            let since = match service {
                Some(service) => it.delegated.get(service),
                None => it.delegated.values().min(),
            }?;
            let view = views::delegated(views::account(&state, &organization, it, now), *since);
            Some((it.account.to_string(), view))
        });
        let of = service.unwrap_or_default();
        request.paging.page::<Self>(context, "DelegatedAdministrators", of, entries)
    }
}

/// Lists the services of a delegated administrator.
pub struct ListDelegatedServicesForAccount;

/// Of which account.
pub struct OfAccount {
    account: AccountId,
    paging: Paging,
}

impl JsonOperation for ListDelegatedServicesForAccount {
    const NAME: &'static str = "ListDelegatedServicesForAccount";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("AccountId", &shapes::ACCOUNT_ID),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::AccountNotFound,
        FaultCode::AccountNotRegistered,
    ];
    type Request = OfAccount;

    fn read(input: &Input<'_>) -> Result<OfAccount, Fault> {
        Ok(OfAccount { account: accounts::id(input)?, paging: Paging::read(input) })
    }

    async fn execute(context: &Context<'_>, request: OfAccount) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        permit::<Self>(context, &state, Who::Delegated, |it| {
            accounts::asked(it, organized, request.account)
        })?;
        let member = accounts::member(organized, request.account)?;
        if member.delegated.is_empty() {
            return Err(not_registered());
        }
        let entries = member.delegated.iter().map(|(service, at)| {
            let view = json!({ "ServicePrincipal": service, "DelegationEnabledDate": at.secs() });
            (service.clone(), view)
        });
        let of = request.account.to_string();
        request.paging.page::<Self>(context, "DelegatedServices", &of, entries)
    }
}
