//! Policies on roots, units and accounts.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::access::{Ask, Who, constraint, permit};
use super::page::Paging;
use super::{policies, shapes, tree, views};
use crate::directory::organization::{ControlType, Organization, PolicyRef, Target};
use crate::directory::{Entity, Organized, Tag, Transaction};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member, invalid};
use crate::ops::{Context, Effect, Service};

/// At most this many policies of a type on one target.
const MAX_ATTACHED: usize = 5;

/// And about this target.
pub(super) fn and_target(
    ask: Ask,
    organization: &Organization,
    state: &Organized,
    id: &str,
) -> Ask {
    match Target::parse(id) {
        Ok(Target::Account(account)) => {
            let tags = state.member(account).map_or(&[][..], |it| &it.tags);
            ask.and(organization.target_arn(&Target::Account(account)), tags)
        }
        _ => tree::and_parent(ask, organization, state, id),
    }
}

/// The target that a request names, if it is there.
pub(super) fn target(state: &Organized, id: &str) -> Result<Target, Fault> {
    let target = Target::parse(id).ok().filter(|target| state.attached(target).is_some());
    target.ok_or_else(|| {
        Fault::new(FaultCode::TargetNotFound, "You specified a target that doesn't exist.")
    })
}

/// Changes what a target has.
pub(super) fn change(
    tx: &mut Transaction,
    target: &Target,
    change: impl FnOnce(&mut BTreeSet<PolicyRef>, &mut Vec<Tag>),
) {
    let state = tx.state().organized();
    let changed = match target {
        Target::Root(_) => state.organization().map(|it| {
            let mut it = it.as_ref().clone();
            change(&mut it.attached, &mut it.tags);
            Entity::Organization(it)
        }),
        Target::Unit(id) => state.unit(id).map(|it| {
            let mut it = it.as_ref().clone();
            change(&mut it.attached, &mut it.tags);
            Entity::Unit(it)
        }),
        Target::Account(id) => state.member(*id).map(|it| {
            let mut it = it.as_ref().clone();
            change(&mut it.attached, &mut it.tags);
            Entity::Member(it)
        }),
    };
    if let Some(changed) = changed {
        tx.put(changed);
    }
}

/// How many policies of a type are attached to a target.
fn count(state: &Organized, target: &Target, control: ControlType) -> usize {
    let attached = state.attached(target).into_iter().flatten();
    attached.filter(|it| state.control_of(it) == Some(control)).count()
}

/// Which policy, and which target.
pub struct Pair {
    policy: String,
    target: String,
}

const PAIR: &[Member] = &[
    Member::required("PolicyId", &shapes::POLICY_ID),
    Member::required("TargetId", &shapes::TARGET_ID),
];

impl Pair {
    fn read(input: &Input<'_>) -> Self {
        Self { policy: policies::id(input), target: input.required("TargetId").to_owned() }
    }

    fn find(&self, state: &Organized) -> Result<(PolicyRef, ControlType, Target), Fault> {
        let (policy, control) = policies::find(state, &self.policy)?;
        Ok((policy, control, target(state, &self.target)?))
    }

    fn asked(&self, organization: &Organization, state: &Organized) -> Ask {
        let ask = policies::asked(organization, state, &self.policy);
        and_target(ask, organization, state, &self.target)
    }
}

/// Attaches a policy. It is in force at once, also for sessions that were made before.
pub struct AttachPolicy;

impl JsonOperation for AttachPolicy {
    const NAME: &'static str = "AttachPolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = PAIR;
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::ConstraintViolation,
        FaultCode::DuplicatePolicyAttachment,
        FaultCode::PolicyNotFound,
        FaultCode::PolicyTypeNotEnabled,
        FaultCode::TargetNotFound,
    ];
    type Request = Pair;

    fn read(input: &Input<'_>) -> Result<Pair, Fault> {
        Ok(Pair::read(input))
    }

    async fn execute(context: &Context<'_>, pair: Pair) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    pair.asked(it, state)
                })?;
                let (policy, control, target) = pair.find(state)?;
                if !organization.enabled.contains(&control) {
                    return Err(not_enabled());
                }
                if state.attached(&target).is_some_and(|attached| attached.contains(&policy)) {
                    return Err(Fault::new(
                        FaultCode::DuplicatePolicyAttachment,
                        "The policy is already attached to the target.",
                    ));
                }
                if count(state, &target, control) >= MAX_ATTACHED {
                    return Err(constraint(
                        "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                        "You have attached the maximum number of policies to the specified target.",
                    ));
                }
                change(tx, &target, |attached, _| {
                    attached.insert(policy);
                });
                Ok(Value::Null)
            })
            .await
    }
}

pub(super) fn not_enabled() -> Fault {
    Fault::new(
        FaultCode::PolicyTypeNotEnabled,
        "This operation can be performed only for enabled policy types.",
    )
}

/// Detaches a policy. At least one service control policy stays on every target.
pub struct DetachPolicy;

impl JsonOperation for DetachPolicy {
    const NAME: &'static str = "DetachPolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = PAIR;
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::ConstraintViolation,
        FaultCode::PolicyNotAttached,
        FaultCode::PolicyNotFound,
        FaultCode::TargetNotFound,
    ];
    type Request = Pair;

    fn read(input: &Input<'_>) -> Result<Pair, Fault> {
        Ok(Pair::read(input))
    }

    async fn execute(context: &Context<'_>, pair: Pair) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                permit::<Self>(context, tx.state(), Who::Management, |it| pair.asked(it, state))?;
                let (policy, control, target) = pair.find(state)?;
                if policy == PolicyRef::ResourceFullAccess {
                    return Err(invalid(
                        "NON_DETACHABLE_POLICY",
                        "You can't detach the policy RCPFullAWSAccess.",
                    ));
                }
                if !state.attached(&target).is_some_and(|attached| attached.contains(&policy)) {
                    return Err(Fault::new(
                        FaultCode::PolicyNotAttached,
                        "The policy isn't attached to the specified target.",
                    ));
                }
                if count(state, &target, control) <= 1 {
                    return Err(constraint(
                        "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                        "You cannot remove the last policy attached to the specified target. You \
                         must have at least one attached at all times.",
                    ));
                }
                change(tx, &target, |attached, _| {
                    attached.remove(&policy);
                });
                Ok(Value::Null)
            })
            .await
    }
}

/// Lists the policies of a type that are attached to a target itself, not to what is above.
pub struct ListPoliciesForTarget;

/// Which target, and which type.
pub struct OnTarget {
    target: String,
    kind: String,
    paging: Paging,
}

impl JsonOperation for ListPoliciesForTarget {
    const NAME: &'static str = "ListPoliciesForTarget";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("TargetId", &shapes::TARGET_ID),
        Member::required("Filter", &shapes::POLICY_TYPE),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::TargetNotFound];
    type Request = OnTarget;

    fn read(input: &Input<'_>) -> Result<OnTarget, Fault> {
        Ok(OnTarget {
            target: input.required("TargetId").to_owned(),
            kind: input.required("Filter").to_owned(),
            paging: Paging::read(input),
        })
    }

    async fn execute(context: &Context<'_>, request: OnTarget) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let organization = permit::<Self>(context, &state, Who::Delegated, |it| {
            let ask = Ask::default().of_type(request.kind.clone());
            and_target(ask, it, organized, &request.target)
        })?;
        let target = target(organized, &request.target)?;
        let control = policies::control(&request.kind);
        let attached = organized.attached(&target).into_iter().flatten();
        let entries = attached
            .filter(|it| control.is_some() && organized.control_of(it) == control)
            .filter_map(|it| Some((it.to_string(), views::summary(organized, &organization, it)?)));
        let of = format!("{}/{}", request.target, request.kind);
        request.paging.page::<Self>(context, "Policies", &of, entries)
    }
}

/// Lists what a policy is attached to.
pub struct ListTargetsForPolicy;

/// Which policy.
pub struct OfPolicy {
    policy: String,
    paging: Paging,
}

impl JsonOperation for ListTargetsForPolicy {
    const NAME: &'static str = "ListTargetsForPolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("PolicyId", &shapes::POLICY_ID),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::PolicyNotFound];
    type Request = OfPolicy;

    fn read(input: &Input<'_>) -> Result<OfPolicy, Fault> {
        Ok(OfPolicy { policy: policies::id(input), paging: Paging::read(input) })
    }

    async fn execute(context: &Context<'_>, request: OfPolicy) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let organization = permit::<Self>(context, &state, Who::Delegated, |it| {
            policies::asked(it, organized, &request.policy)
        })?;
        let (policy, _) = policies::find(organized, &request.policy)?;
        let root = Some((Target::Root(organization.root), "Root".to_owned(), "ROOT"))
            .filter(|_| organization.attached.contains(&policy));
        let units = organized.units().filter(|it| it.attached.contains(&policy));
        let units = units.map(|it| (Target::Unit(it.id), it.name.clone(), "ORGANIZATIONAL_UNIT"));
        let members = organized.members().filter(|it| it.attached.contains(&policy));
        let members = members.map(|it| {
            let name = state.account(it.account).map_or_else(String::new, |it| it.name.clone());
            (Target::Account(it.account), name, "ACCOUNT")
        });
        let entries = root.into_iter().chain(units).chain(members).map(|(target, name, kind)| {
            let id = target.to_string();
            let arn = organization.target_arn(&target);
            (id.clone(), json!({ "TargetId": id, "Arn": arn, "Name": name, "Type": kind }))
        });
        request.paging.page::<Self>(context, "Targets", &request.policy, entries)
    }
}
