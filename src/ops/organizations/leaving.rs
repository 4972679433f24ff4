//! Out of the organization: let go by the management account, or by the account itself.

use serde_json::Value;

use super::access::{Ask, Who, constraint, permit};
use super::{accounts, membership, shapes, views};
use crate::directory::organization::{self, Joined};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// Lets an account go. No policy of the organization limits it any more; its sessions from before
/// are over.
pub struct RemoveAccountFromOrganization;

impl JsonOperation for RemoveAccountFromOrganization {
    const NAME: &'static str = "RemoveAccountFromOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[Member::required("AccountId", &shapes::ACCOUNT_ID)];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::AccountNotFound,
        FaultCode::MasterCannotLeaveOrganization,
        FaultCode::ConstraintViolation,
    ];
    type Request = AccountId;

    fn read(input: &Input<'_>) -> Result<AccountId, Fault> {
        accounts::id(input)
    }

    async fn execute(context: &Context<'_>, account: AccountId) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    accounts::asked(it, state, account)
                })?;
                if account == organization.management {
                    return Err(master_cannot_leave());
                }
                let member = accounts::member(state, account)?;
                check_delegated(&member)?;
                let closed_at = state.state_of(account).and_then(|it| it.closed_at);
                if closed_at.is_some_and(|at| now.secs_since(at) < views::POST_CLOSURE) {
                    return Err(constraint(
                        "ACCOUNT_CANNOT_LEAVE_ORGANIZATION",
                        "A closed account can leave the organization only after 90 days.",
                    ));
                }
                membership::leave(tx, account, now);
                Ok(Value::Null)
            })
            .await
    }
}

/// Leaves, as the account itself. An account that was made in the organization cannot: it would
/// shed the organization's limits.
pub struct LeaveOrganization;

impl JsonOperation for LeaveOrganization {
    const NAME: &'static str = "LeaveOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::AccountNotFound,
        FaultCode::MasterCannotLeaveOrganization,
        FaultCode::ConstraintViolation,
    ];
    type Request = ();

    fn read(_: &Input<'_>) -> Result<(), Fault> {
        Ok(())
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        let account = context.identity()?.account();
        context
            .change(|tx| {
                let organization =
                    permit::<Self>(context, tx.state(), Who::Member, |_| Ask::default())?;
                if account == organization.management {
                    return Err(master_cannot_leave());
                }
                let member = accounts::member(tx.state().organized(), account)?;
                check_delegated(&member)?;
                if member.joined == Joined::Created {
                    return Err(constraint(
                        "ACCOUNT_CANNOT_LEAVE_ORGANIZATION",
                        "An account that was made in the organization leaves it only when the \
                         management account removes it.",
                    ));
                }
                membership::leave(tx, account, now);
                Ok(Value::Null)
            })
            .await
    }
}

fn check_delegated(member: &organization::Member) -> Result<(), Fault> {
    if member.delegated.is_empty() {
        return Ok(());
    }
    Err(constraint(
        "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
        "The account is a delegated administrator: deregister it first.",
    ))
}

fn master_cannot_leave() -> Fault {
    Fault::new(
        FaultCode::MasterCannotLeaveOrganization,
        "The management account cannot leave its organization.",
    )
}
