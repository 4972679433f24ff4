//! What tools ask for and never is: trusted services, delegated administrators, handshakes and the
//! organization's resource policy. There is no operation that makes any of them.

use std::marker::PhantomData;

use serde_json::Value;

use super::access::{Ask, Who, permit};
use super::page::Paging;
use super::{accounts, shapes};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// A list that has no entries.
pub trait Nothing: Send + Sync + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// The name of its list.
    const LIST: &'static str;
    /// Its input.
    const INPUT: &'static [Member];
    /// Who may call it.
    const WHO: Who;
}

/// The operation that answers with it.
pub struct List<N>(PhantomData<N>);

impl<N: Nothing> JsonOperation for List<N> {
    const NAME: &'static str = N::NAME;
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = N::INPUT;
    const FAULTS: &'static [FaultCode] = match N::WHO {
        Who::Management => &[FaultCode::OrganizationsNotInUse],
        Who::Member => &[],
    };
    type Request = Paging;

    fn read(input: &Input<'_>) -> Result<Paging, Fault> {
        Ok(Paging::read(input))
    }

    async fn execute(context: &Context<'_>, paging: Paging) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        // An account outside every organization has no handshakes either.
        let outside = |fault: &Fault| {
            N::WHO == Who::Member && fault.code() == FaultCode::OrganizationsNotInUse
        };
        if let Err(fault) = permit::<Self>(context, &state, N::WHO, |_| Ask::default())
            && !outside(&fault)
        {
            return Err(fault);
        }
        paging.page::<Self>(context, N::LIST, "", [])
    }
}

/// Services that may act in every account.
pub struct TrustedServices;

impl Nothing for TrustedServices {
    const NAME: &'static str = "ListAWSServiceAccessForOrganization";
    const LIST: &'static str = "EnabledServicePrincipals";
    const INPUT: &'static [Member] = &[shapes::next_token(), shapes::max_results()];
    const WHO: Who = Who::Management;
}

/// Lists services that may act in every account.
pub type ListAWSServiceAccessForOrganization = List<TrustedServices>;

/// Accounts that administer a service for the organization.
pub struct Administrators;

impl Nothing for Administrators {
    const NAME: &'static str = "ListDelegatedAdministrators";
    const LIST: &'static str = "DelegatedAdministrators";
    const INPUT: &'static [Member] = &[
        Member::optional("ServicePrincipal", &shapes::SERVICE_PRINCIPAL),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const WHO: Who = Who::Management;
}

/// Lists accounts that administer a service for the organization.
pub type ListDelegatedAdministrators = List<Administrators>;

/// Invitations and the like that an account has.
pub struct OwnHandshakes;

impl Nothing for OwnHandshakes {
    const NAME: &'static str = "ListHandshakesForAccount";
    const LIST: &'static str = "Handshakes";
    const INPUT: &'static [Member] = HANDSHAKES;
    const WHO: Who = Who::Member;
}

/// Lists invitations and the like that an account has.
pub type ListHandshakesForAccount = List<OwnHandshakes>;

/// Invitations and the like of the organization.
pub struct Handshakes;

impl Nothing for Handshakes {
    const NAME: &'static str = "ListHandshakesForOrganization";
    const LIST: &'static str = "Handshakes";
    const INPUT: &'static [Member] = HANDSHAKES;
    const WHO: Who = Who::Management;
}

/// Lists invitations and the like of the organization.
pub type ListHandshakesForOrganization = List<Handshakes>;

const HANDSHAKES: &[Member] = &[
    Member::optional("Filter", &shapes::HANDSHAKE_FILTER),
    shapes::next_token(),
    shapes::max_results(),
];

/// The services that an account administers: no account does.
pub struct ListDelegatedServicesForAccount;

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
    type Request = AccountId;

    fn read(input: &Input<'_>) -> Result<AccountId, Fault> {
        accounts::id(input)
    }

    async fn execute(context: &Context<'_>, account: AccountId) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        permit::<Self>(context, &state, Who::Management, |it| {
            accounts::asked(it, organized, account)
        })?;
        accounts::member(organized, account)?;
        Err(Fault::new(
            FaultCode::AccountNotRegistered,
            "The account is not a delegated administrator.",
        ))
    }
}

/// The policy by which the management account would delegate to members: there is none.
pub struct DescribeResourcePolicy;

impl JsonOperation for DescribeResourcePolicy {
    const NAME: &'static str = "DescribeResourcePolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ResourcePolicyNotFound];
    type Request = ();

    fn read(_: &Input<'_>) -> Result<(), Fault> {
        Ok(())
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        permit::<Self>(context, &state, Who::Management, |_| Ask::default())?;
        Err(Fault::new(
            FaultCode::ResourcePolicyNotFound,
            "The organization has no resource policy.",
        ))
    }
}
