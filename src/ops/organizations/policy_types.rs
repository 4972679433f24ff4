//! Types of policies: turned on and off for the whole organization.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::access::{Ask, Who, permit};
use super::attachments::{self, not_enabled};
use super::policies::{control, not_available};
use super::{accounts, shapes, tree, views};
use crate::directory::organization::{
    ControlType, FeatureSet, Organization, PolicyRef, RootId, Target,
};
use crate::directory::{Entity, Organized, Snapshot, Transaction};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// Which type, on which root.
pub struct OnRoot {
    root: String,
    kind: String,
}

const INPUT: &[Member] = &[
    Member::required("RootId", &shapes::ROOT_ID),
    Member::required("PolicyType", &shapes::POLICY_TYPE),
];

impl OnRoot {
    fn read(input: &Input<'_>) -> Self {
        Self {
            root: input.required("RootId").to_owned(),
            kind: input.required("PolicyType").to_owned(),
        }
    }

    fn permit<O: JsonOperation>(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
    ) -> Result<(Organization, Option<ControlType>), Fault> {
        let organization = permit::<O>(context, state, Who::Management, |it| {
            let ask = Ask::default().of_type(self.kind.clone());
            tree::and_parent(ask, it, state.organized(), &self.root)
        })?;
        if RootId::parse(&self.root) != Ok(organization.root) {
            return Err(Fault::new(
                FaultCode::RootNotFound,
                "You specified a root that doesn't exist.",
            ));
        }
        Ok((organization.as_ref().clone(), control(&self.kind)))
    }
}

/// Every root, unit and account.
fn targets(state: &Organized, organization: &Organization) -> Vec<Target> {
    let units = state.units().map(|it| Target::Unit(it.id));
    let members = state.members().map(|it| Target::Account(it.account));
    std::iter::once(Target::Root(organization.root)).chain(units).chain(members).collect()
}

/// Turns a type on. The policy that allows everything is attached everywhere: nothing changes until
/// another policy is.
pub struct EnablePolicyType;

impl JsonOperation for EnablePolicyType {
    const NAME: &'static str = "EnablePolicyType";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = INPUT;
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::PolicyTypeAlreadyEnabled,
        FaultCode::PolicyTypeNotAvailable,
        FaultCode::RootNotFound,
    ];
    type Request = OnRoot;

    fn read(input: &Input<'_>) -> Result<OnRoot, Fault> {
        Ok(OnRoot::read(input))
    }

    async fn execute(context: &Context<'_>, request: OnRoot) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let (mut organization, control) = request.permit::<Self>(context, tx.state())?;
                let control = control
                    .filter(|_| organization.features == FeatureSet::All)
                    .ok_or_else(not_available)?;
                if !organization.enabled.insert(control) {
                    return Err(Fault::new(
                        FaultCode::PolicyTypeAlreadyEnabled,
                        "The specified policy type is already enabled.",
                    ));
                }
                let targets = targets(tx.state().organized(), &organization);
                tx.put(Entity::Organization(organization));
                for target in targets {
                    attachments::change(tx, &target, |attached, _| {
                        attached.insert(control.full_access());
                    });
                }
                Ok(root(tx))
            })
            .await
    }
}

/// Turns a type off. Every policy of it is detached from everything.
pub struct DisablePolicyType;

impl JsonOperation for DisablePolicyType {
    const NAME: &'static str = "DisablePolicyType";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = INPUT;
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::PolicyTypeNotEnabled,
        FaultCode::RootNotFound,
    ];
    type Request = OnRoot;

    fn read(input: &Input<'_>) -> Result<OnRoot, Fault> {
        Ok(OnRoot::read(input))
    }

    async fn execute(context: &Context<'_>, request: OnRoot) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let (mut organization, control) = request.permit::<Self>(context, tx.state())?;
                let control = control
                    .filter(|control| organization.enabled.remove(control))
                    .ok_or_else(not_enabled)?;
                let state = tx.state().organized();
                let targets = targets(state, &organization);
                let of_type: BTreeSet<PolicyRef> = (state.policies())
                    .filter(|it| it.control == control)
                    .map(|it| PolicyRef::Own(it.id))
                    .chain(std::iter::once(control.full_access()))
                    .collect();
                tx.put(Entity::Organization(organization));
                for target in targets {
                    attachments::change(tx, &target, |attached, _| {
                        attached.retain(|it| !of_type.contains(it));
                    });
                }
                Ok(root(tx))
            })
            .await
    }
}

fn root(tx: &Transaction) -> Value {
    let organization = tx.state().organized().organization();
    json!({ "Root": organization.map(|it| views::root(it)) })
}

/// The effective policy of one of the types that are put together. None of these types is available
/// here, and there is none for control policies: those are not put together.
pub struct DescribeEffectivePolicy;

/// Of which account.
pub struct Effective {
    kind: String,
    target: Option<String>,
}

impl JsonOperation for DescribeEffectivePolicy {
    const NAME: &'static str = "DescribeEffectivePolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("PolicyType", &shapes::EFFECTIVE_POLICY_TYPE),
        Member::optional("TargetId", &shapes::TARGET_ID),
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::TargetNotFound,
        FaultCode::EffectivePolicyNotFound,
    ];
    type Request = Effective;

    fn read(input: &Input<'_>) -> Result<Effective, Fault> {
        Ok(Effective {
            kind: input.required("PolicyType").to_owned(),
            target: input.text("TargetId").map(ToOwned::to_owned),
        })
    }

    async fn execute(context: &Context<'_>, request: Effective) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let own = context.identity()?.account();
        let account = match &request.target {
            None => Some(own),
            Some(id) => AccountId::parse(id).ok(),
        };
        // Any member may ask about itself; about another, who sees the organization.
        let who = if account == Some(own) { Who::Member } else { Who::Delegated };
        permit::<Self>(context, &state, who, |it| {
            let ask = match account {
                Some(account) if account != own => accounts::asked(it, organized, account),
                // Any member may ask for its own: its own policies decide.
                _ => Ask::default(),
            };
            ask.of_type(request.kind.clone())
        })?;
        if account.is_none_or(|account| organized.member(account).is_none()) {
            return Err(Fault::new(
                FaultCode::TargetNotFound,
                "You specified a target that doesn't exist.",
            ));
        }
        Err(Fault::new(
            FaultCode::EffectivePolicyNotFound,
            "There is no effective policy of this type: it is not enabled.",
        ))
    }
}
