//! The organization itself, and its root.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::access::{self, Ask, Who, permit};
use super::page::Paging;
use super::{membership, shapes, views};
use crate::directory::organization::{FeatureSet, Joined, Organization, OrganizationId, RootId};
use crate::directory::{Entity, EntityKey};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// Makes the organization. The caller's account, the deployment's first, becomes its management
/// account; every other open account is taken in, as if it had been invited and had accepted. So is
/// one that was made in an organization before: it is outside only because the management account
/// removed it, and with AWS such an account comes back by an invitation, too.
pub struct CreateOrganization;

impl JsonOperation for CreateOrganization {
    const NAME: &'static str = "CreateOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[Member::optional("FeatureSet", &shapes::FEATURE_SET)];
    const FAULTS: &'static [FaultCode] = &[FaultCode::AlreadyInOrganization];
    type Request = FeatureSet;

    fn read(input: &Input<'_>) -> Result<FeatureSet, Fault> {
        Ok(match input.text("FeatureSet") {
            Some("CONSOLIDATED_BILLING") => FeatureSet::ConsolidatedBilling,
            _ => FeatureSet::All,
        })
    }

    async fn execute(context: &Context<'_>, features: FeatureSet) -> Result<Value, Fault> {
        let random = &*context.services.random;
        let id = OrganizationId::generate(random).map_err(Fault::internal)?;
        let root = RootId::generate(random).map_err(Fault::internal)?;
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let account = access::permit_outside::<Self>(context, tx.state())?;
                let state = tx.state();
                if state.organized().organization_of(account).is_some() {
                    return Err(Fault::new(
                        FaultCode::AlreadyInOrganization,
                        "The account is already a member of an organization.",
                    ));
                }
                let first = state.accounts().min_by_key(|it| (it.created_at, it.id));
                let is_first = first.is_some_and(|first| first.id == account);
                if !is_first || state.organized().organization().is_some() {
                    return Err(Fault::access_denied(
                        "Only the first account of the deployment can make its organization.",
                    ));
                }
                let others: Vec<_> = state.accounts().map(|it| it.id).collect();
                tx.put(Entity::Organization(Organization {
                    id,
                    features,
                    management: account,
                    created_at: now,
                    root,
                    enabled: BTreeSet::new(),
                    attached: BTreeSet::new(),
                    tags: Vec::new(),
                    services: BTreeMap::new(),
                    root_access: BTreeSet::new(),
                    root_access_ended: BTreeMap::new(),
                }));
                for other in others {
                    if !tx.state().organized().is_closed(other) {
                        membership::join(tx, other, Joined::Invited, None, now);
                    }
                }
                let state = tx.state().organized();
                let made = state.organization().ok_or_else(access::not_in_use)?;
                Ok(json!({ "Organization": views::organization(state, made) }))
            })
            .await
    }
}

/// Which organization the caller's account is in.
pub struct DescribeOrganization;

impl JsonOperation for DescribeOrganization {
    const NAME: &'static str = "DescribeOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[];
    const FAULTS: &'static [FaultCode] = &[FaultCode::OrganizationsNotInUse];
    type Request = ();

    fn read(_: &Input<'_>) -> Result<(), Fault> {
        Ok(())
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organization = permit::<Self>(context, &state, Who::Member, |_| Ask::default())?;
        Ok(json!({ "Organization": views::organization(state.organized(), &organization) }))
    }
}

/// Ends the organization, with its units and policies. It must have no account but the management
/// account.
pub struct DeleteOrganization;

impl JsonOperation for DeleteOrganization {
    const NAME: &'static str = "DeleteOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::OrganizationNotEmpty];
    type Request = ();

    fn read(_: &Input<'_>) -> Result<(), Fault> {
        Ok(())
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let organization =
                    permit::<Self>(context, tx.state(), Who::Management, |_| Ask::default())?;
                let state = tx.state().organized();
                if state.members().any(|it| it.account != organization.management) {
                    return Err(Fault::new(
                        FaultCode::OrganizationNotEmpty,
                        "To delete the organization you must first remove all member accounts \
                         (except the management account).",
                    ));
                }
                let units = state.units().map(|it| EntityKey::Unit(it.id));
                let policies = state.policies().map(|it| EntityKey::ControlPolicy(it.id));
                let creations = state.creations().map(|it| EntityKey::Creation(it.id));
                let handshakes = state.handshakes().map(|it| EntityKey::Handshake(it.id));
                let gone: Vec<EntityKey> =
                    units.chain(policies).chain(creations).chain(handshakes).collect();
                for key in gone {
                    tx.delete(key);
                }
                // No policy limited the management account: its sessions go on.
                tx.delete(EntityKey::Member(organization.management));
                tx.delete(EntityKey::Organization);
                Ok(Value::Null)
            })
            .await
    }
}

/// Lists the root: there is one.
pub struct ListRoots;

impl JsonOperation for ListRoots {
    const NAME: &'static str = "ListRoots";
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
        let roots = [(organization.root.to_string(), views::root(&organization))];
        paging.page::<Self>(context, "Roots", "", roots)
    }
}
