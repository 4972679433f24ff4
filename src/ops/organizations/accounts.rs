//! The accounts of the organization.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{Ask, Who, constraint, permit};
use super::page::Paging;
use super::{shapes, tree, views};
use crate::directory::organization::{
    self, AccountState, FeatureSet, Organization, Parent, Target,
};
use crate::directory::{Entity, Organized};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// Days over which closed accounts are counted, in seconds.
const CLOSING_WINDOW: i64 = 30 * 24 * 3600;
/// So many accounts may be closed in that time, or a fifth of all, whichever is more.
const CLOSINGS: usize = 250;
/// But never more than this.
const MAX_CLOSINGS: usize = 1000;

/// What a request that names an account is about.
pub(super) fn asked(organization: &Organization, state: &Organized, account: AccountId) -> Ask {
    let tags = state.member(account).map_or(&[][..], |it| &it.tags);
    Ask::about(organization.target_arn(&Target::Account(account)), tags)
}

/// The member that a request names.
pub(super) fn member(
    state: &Organized,
    account: AccountId,
) -> Result<Arc<organization::Member>, Fault> {
    state.member(account).cloned().ok_or_else(not_found)
}

pub(super) fn not_found() -> Fault {
    Fault::new(FaultCode::AccountNotFound, "You specified an account that doesn't exist.")
}

/// Reads `AccountId`.
pub(super) fn id(input: &Input<'_>) -> Result<AccountId, Fault> {
    AccountId::parse(input.required("AccountId")).map_err(Fault::internal)
}

/// Describes one.
pub struct DescribeAccount;

impl JsonOperation for DescribeAccount {
    const NAME: &'static str = "DescribeAccount";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[Member::required("AccountId", &shapes::ACCOUNT_ID)];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::AccountNotFound];
    type Request = AccountId;

    fn read(input: &Input<'_>) -> Result<AccountId, Fault> {
        id(input)
    }

    async fn execute(context: &Context<'_>, account: AccountId) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let organization =
            permit::<Self>(context, &state, Who::Delegated, |it| asked(it, organized, account))?;
        let found = member(organized, account)?;
        Ok(json!({ "Account": views::account(&state, &organization, &found, context.facts.now) }))
    }
}

/// Lists them all.
pub struct ListAccounts;

impl JsonOperation for ListAccounts {
    const NAME: &'static str = "ListAccounts";
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
        let now = context.facts.now;
        let accounts = state.organized().members();
        let accounts = accounts
            .map(|it| (it.account.to_string(), views::account(&state, &organization, it, now)));
        paging.page::<Self>(context, "Accounts", "", accounts)
    }
}

/// Lists those that stand in a root or unit, not those below.
pub struct ListAccountsForParent;

impl JsonOperation for ListAccountsForParent {
    const NAME: &'static str = "ListAccountsForParent";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("ParentId", &shapes::PARENT_ID),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ParentNotFound];
    type Request = tree::OfParent;

    fn read(input: &Input<'_>) -> Result<tree::OfParent, Fault> {
        Ok(tree::OfParent::read(input))
    }

    async fn execute(context: &Context<'_>, of: tree::OfParent) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let (organization, parent) = of.permit::<Self>(context, &state)?;
        let now = context.facts.now;
        let accounts = state.organized().members().filter(|it| it.parent == parent);
        let accounts = accounts
            .map(|it| (it.account.to_string(), views::account(&state, &organization, it, now)));
        of.paging.page::<Self>(context, "Accounts", &of.parent, accounts)
    }
}

/// Moves one to another root or unit.
pub struct MoveAccount;

/// From where to where.
pub struct Move {
    account: AccountId,
    from: String,
    to: String,
}

impl JsonOperation for MoveAccount {
    const NAME: &'static str = "MoveAccount";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[
        Member::required("AccountId", &shapes::ACCOUNT_ID),
        Member::required("SourceParentId", &shapes::PARENT_ID),
        Member::required("DestinationParentId", &shapes::PARENT_ID),
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::AccountNotFound,
        FaultCode::SourceParentNotFound,
        FaultCode::DestinationParentNotFound,
        FaultCode::DuplicateAccount,
    ];
    type Request = Move;

    fn read(input: &Input<'_>) -> Result<Move, Fault> {
        Ok(Move {
            account: id(input)?,
            from: input.required("SourceParentId").to_owned(),
            to: input.required("DestinationParentId").to_owned(),
        })
    }

    async fn execute(context: &Context<'_>, request: Move) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    let ask = asked(it, state, request.account);
                    let ask = tree::and_parent(ask, it, state, &request.from);
                    tree::and_parent(ask, it, state, &request.to)
                })?;
                let mut found = member(state, request.account)?.as_ref().clone();
                let from = tree::find(&organization, state, &request.from);
                if from != Some(found.parent) {
                    return Err(Fault::new(
                        FaultCode::SourceParentNotFound,
                        "You specified a source parent that doesn't hold the account.",
                    ));
                }
                let to = tree::find(&organization, state, &request.to).ok_or_else(|| {
                    Fault::new(
                        FaultCode::DestinationParentNotFound,
                        "You specified a destination parent that doesn't exist.",
                    )
                })?;
                if to == found.parent {
                    return Err(Fault::new(
                        FaultCode::DuplicateAccount,
                        "The account is already in the destination.",
                    ));
                }
                found.parent = to;
                tx.put(Entity::Member(found));
                Ok(Value::Null)
            })
            .await
    }
}

/// Closes one: from now on its credentials, and whatever came from them, are refused.
pub struct CloseAccount;

impl JsonOperation for CloseAccount {
    const NAME: &'static str = "CloseAccount";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[Member::required("AccountId", &shapes::ACCOUNT_ID)];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::AccountNotFound,
        FaultCode::AccountAlreadyClosed,
        FaultCode::ConstraintViolation,
    ];
    type Request = AccountId;

    fn read(input: &Input<'_>) -> Result<AccountId, Fault> {
        id(input)
    }

    async fn execute(context: &Context<'_>, account: AccountId) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    asked(it, state, account)
                })?;
                if account == organization.management {
                    return Err(constraint(
                        "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
                        "You attempted to close the management account.",
                    ));
                }
                member(state, account)?;
                if organization.features != FeatureSet::All {
                    return Err(constraint(
                        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
                        "An account can be closed only in an organization with all features.",
                    ));
                }
                if state.is_closed(account) {
                    return Err(Fault::new(
                        FaultCode::AccountAlreadyClosed,
                        "The account is already closed.",
                    ));
                }
                let lately = |state: &&AccountState| {
                    state.closed_at.is_some_and(|at| now.secs_since(at) < CLOSING_WINDOW)
                };
                let limit = (state.members().count() / 5).clamp(CLOSINGS, MAX_CLOSINGS);
                if state.states().filter(lately).count() >= limit {
                    return Err(constraint(
                        "CLOSE_ACCOUNT_QUOTA_EXCEEDED",
                        "You have exceeded the number of accounts that can be closed in 30 days.",
                    ));
                }
                let left = state.state_of(account).and_then(|state| state.left);
                let closed = AccountState { account, closed_at: Some(now), left };
                tx.put(Entity::AccountState(closed));
                Ok(Value::Null)
            })
            .await
    }
}

/// Whether something stands in a unit.
pub(super) fn is_empty(state: &Organized, parent: Parent) -> bool {
    !state.members().any(|it| it.parent == parent) && !state.units().any(|it| it.parent == parent)
}
