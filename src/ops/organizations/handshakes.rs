//! Handshakes: invitations, and the change to all features.
//!
//! An invitation is how an account of the deployment that is outside the organization comes into it:
//! one that left, or was removed. The account itself has to accept: no policy of the organization
//! limits anybody before. Nobody outside has an address, so that accounts are invited by their IDs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{self, Ask, Who, permit};
use super::create_account::MAX_ACCOUNTS;
use super::page::Paging;
use super::{membership, shapes, tags, views};
use crate::directory::organization::{
    FeatureSet, Handshake, HandshakeAction, HandshakeId, HandshakeState, Joined, Organization,
    Target,
};
use crate::directory::{Entity, EntityKey, Organized, Snapshot, Tag, Transaction};
use crate::id::AccountId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member, invalid};
use crate::ops::{Context, Effect, Service};
use crate::time::Timestamp;

/// How long an invitation may be accepted, in seconds: 15 days.
const INVITATION: i64 = 15 * 24 * 3600;
/// How long the change to all features would wait, in seconds: 90 days.
const ALL_FEATURES: i64 = 90 * 24 * 3600;
/// At most this many invitations in a day, in seconds.
const A_DAY: (usize, i64) = (20, 24 * 3600);

/// `HandshakeConstraintViolationException` with AWS's reason.
fn constraint(reason: &'static str, message: &str) -> Fault {
    Fault::new(FaultCode::HandshakeConstraintViolation, message).with_reason(reason)
}

/// Forgets those that nobody is told of any more.
fn forget_past(tx: &mut Transaction, now: Timestamp) {
    let past = tx.state().organized().handshakes().filter(|it| it.is_past(now));
    let past: Vec<EntityKey> = past.map(|it| EntityKey::Handshake(it.id)).collect();
    for key in past {
        tx.delete(key);
    }
}

/// Invites an account. It joins when it accepts.
pub struct InviteAccountToOrganization;

/// Whom, with what words and tags.
pub struct Invitation {
    account: AccountId,
    notes: Option<String>,
    tags: Vec<Tag>,
}

impl JsonOperation for InviteAccountToOrganization {
    const NAME: &'static str = "InviteAccountToOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        Member::required("Target", &shapes::PARTY),
        Member::optional("Notes", &shapes::NOTES),
        Member::optional("Tags", &shapes::TAGS),
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::DuplicateHandshake,
        FaultCode::HandshakeConstraintViolation,
        FaultCode::ConstraintViolation,
    ];
    type Request = Invitation;

    fn read(input: &Input<'_>) -> Result<Invitation, Fault> {
        let target = input.structure("Target");
        let (id, kind) = target.map_or(("", ""), |it| (it.required("Id"), it.required("Type")));
        let wrong = || {
            invalid(
                "INVALID_PARTY_TYPE_TARGET",
                "An account is invited by its ID, with the type ACCOUNT.",
            )
        };
        if kind != "ACCOUNT" {
            return Err(wrong());
        }
        Ok(Invitation {
            account: AccountId::parse(id).map_err(|_| wrong())?,
            notes: input.text("Notes").map(ToOwned::to_owned),
            tags: tags::read(input)?,
        })
    }

    async fn execute(context: &Context<'_>, request: Invitation) -> Result<Value, Fault> {
        let id = HandshakeId::generate(&*context.services.random).map_err(Fault::internal)?;
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let account = request.account;
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    let arn = it.target_arn(&Target::Account(account));
                    Ask::about(arn, &[]).setting(&request.tags)
                })?;
                forget_past(tx, now);
                let (state, organized) = (tx.state(), tx.state().organized());
                if state.account(account).is_none() || organized.is_closed(account) {
                    return Err(invalid(
                        "INVALID_PARTY_TYPE_TARGET",
                        "There is no such account that could join.",
                    ));
                }
                if organized.organization_of(account).is_some() {
                    return Err(already_in());
                }
                check_number(organized)?;
                let invitations =
                    || organized.handshakes().filter(|it| it.action == HandshakeAction::Invite);
                let open = |it: &&Arc<Handshake>| {
                    it.account == Some(account) && it.state_at(now) == HandshakeState::Requested
                };
                if invitations().any(|it| open(&it)) {
                    return Err(Fault::new(
                        FaultCode::DuplicateHandshake,
                        "A handshake with the same action and target already exists.",
                    ));
                }
                let lately = |it: &&Arc<Handshake>| now.secs_since(it.requested_at) < A_DAY.1;
                if invitations().filter(lately).count() >= A_DAY.0 {
                    return Err(constraint(
                        "HANDSHAKE_RATE_LIMIT_EXCEEDED",
                        "You have exceeded the number of handshakes that you can send in one day.",
                    ));
                }
                if organized.handshake(&id).is_some() {
                    return Err(Fault::unavailable("the handshake ID that was drawn is taken"));
                }
                let made = Handshake {
                    id,
                    action: HandshakeAction::Invite,
                    organization: organization.id,
                    account: Some(account),
                    state: HandshakeState::Requested,
                    requested_at: now,
                    expires_at: now.plus_secs(INVITATION),
                    ended_at: None,
                    notes: request.notes,
                    tags: request.tags,
                };
                let view = views::handshake(tx.state(), &organization, &made, now);
                tx.put(Entity::Handshake(made));
                Ok(json!({ "Handshake": view }))
            })
            .await
    }
}

fn already_in() -> Fault {
    constraint(
        "ALREADY_IN_AN_ORGANIZATION",
        "The invited account is already a member of an organization.",
    )
}

fn check_number(organized: &Organized) -> Result<(), Fault> {
    if organized.members().count() < MAX_ACCOUNTS {
        return Ok(());
    }
    Err(constraint(
        "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
        "You have exceeded the allowed number of AWS accounts.",
    ))
}

const ID: Member = Member::required("HandshakeId", &shapes::HANDSHAKE_ID);

/// Which side of a handshake may do something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Who asked: the management account.
    Sender,
    /// Who is asked.
    Recipient,
    /// Both.
    Either,
}

/// The handshake that a caller of that side names, for one whose own policies allow `O` on it.
///
/// Somebody who is no party of it is told that there is none.
fn find<O: JsonOperation>(
    context: &Context<'_>,
    state: &Snapshot,
    side: Side,
    id: &str,
) -> Result<(Arc<Organization>, Arc<Handshake>), Fault> {
    let caller = context.identity()?.account();
    let organized = state.organized();
    let found = HandshakeId::parse(id).ok().and_then(|id| organized.handshake(&id));
    let organization = organized.organization();
    let party = organization.zip(found).filter(|(organization, it)| {
        let sender = caller == organization.management;
        let recipient = it.account == Some(caller);
        it.organization == organization.id
            && !it.is_past(context.facts.now)
            && match side {
                Side::Sender => sender,
                Side::Recipient => recipient,
                Side::Either => sender || recipient,
            }
    });
    let arn = match party {
        Some((organization, it)) => it.arn(organization),
        None => format!("arn:aws:organizations::{caller}:handshake/{id}"),
    };
    access::permit_own::<O>(context, state, &arn, id)?;
    let (organization, it) = party.ok_or_else(|| {
        Fault::new(FaultCode::HandshakeNotFound, "You specified a handshake that doesn't exist.")
    })?;
    Ok((Arc::clone(organization), Arc::clone(it)))
}

/// The same handshake, ended so.
///
/// # Errors
/// That it has ended already.
fn ended(it: &Handshake, state: HandshakeState, now: Timestamp) -> Result<Handshake, Fault> {
    match it.state_at(now) {
        HandshakeState::Requested => {
            Ok(Handshake { state, ended_at: Some(now), ..Handshake::clone(it) })
        }
        before if before == state => Err(Fault::new(
            FaultCode::HandshakeAlreadyInState,
            "The handshake is already in the requested state.",
        )),
        _ => Err(Fault::new(
            FaultCode::InvalidHandshakeTransition,
            "The handshake cannot go from its state to the requested one.",
        )),
    }
}

/// Accepts an invitation: the account joins, and the organization's policies limit it from then on,
/// also its sessions from before.
pub struct AcceptHandshake;

impl JsonOperation for AcceptHandshake {
    const NAME: &'static str = "AcceptHandshake";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[ID];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::HandshakeNotFound,
        FaultCode::HandshakeAlreadyInState,
        FaultCode::InvalidHandshakeTransition,
        FaultCode::HandshakeConstraintViolation,
    ];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        Ok(input.required(ID.name).to_owned())
    }

    async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let (organization, it) = find::<Self>(context, tx.state(), Side::Recipient, &id)?;
                let accepted = ended(&it, HandshakeState::Accepted, now)?;
                let account = context.identity()?.account();
                let organized = tx.state().organized();
                if organized.organization_of(account).is_some() {
                    return Err(already_in());
                }
                check_number(organized)?;
                membership::join(tx, account, Joined::Invited, None, now);
                tags::begin_with(tx, account, accepted.tags.clone());
                tx.put(Entity::Handshake(accepted.clone()));
                let view = views::handshake(tx.state(), &organization, &accepted, now);
                Ok(json!({ "Handshake": view }))
            })
            .await
    }
}

/// Declines an invitation, as the account that has it.
pub struct DeclineHandshake;
/// Takes an invitation back, as the management account.
pub struct CancelHandshake;

macro_rules! ending {
    ($operation:ident, $side:ident, $state:ident) => {
        impl JsonOperation for $operation {
            const NAME: &'static str = stringify!($operation);
            const SERVICE: Service = Service::Organizations;
            const EFFECT: Effect = Effect::Write;
            const INPUT: &'static [Member] = &[ID];
            const FAULTS: &'static [FaultCode] = &[
                FaultCode::HandshakeNotFound,
                FaultCode::HandshakeAlreadyInState,
                FaultCode::InvalidHandshakeTransition,
            ];
            type Request = String;

            fn read(input: &Input<'_>) -> Result<String, Fault> {
                Ok(input.required(ID.name).to_owned())
            }

            async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
                let now = context.facts.now.floor_secs();
                context
                    .change(|tx| {
                        let (organization, it) =
                            find::<Self>(context, tx.state(), Side::$side, &id)?;
                        let ended = ended(&it, HandshakeState::$state, now)?;
                        tx.put(Entity::Handshake(ended.clone()));
                        let view = views::handshake(tx.state(), &organization, &ended, now);
                        Ok(json!({ "Handshake": view }))
                    })
                    .await
            }
        }
    };
}

ending!(DeclineHandshake, Recipient, Declined);
ending!(CancelHandshake, Sender, Canceled);

/// Describes one, to either party.
pub struct DescribeHandshake;

impl JsonOperation for DescribeHandshake {
    const NAME: &'static str = "DescribeHandshake";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[ID];
    const FAULTS: &'static [FaultCode] = &[FaultCode::HandshakeNotFound];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        Ok(input.required(ID.name).to_owned())
    }

    async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let (organization, it) = find::<Self>(context, &state, Side::Either, &id)?;
        let view = views::handshake(&state, &organization, &it, context.facts.now);
        Ok(json!({ "Handshake": view }))
    }
}

/// Which handshakes are to be listed.
pub struct Which {
    action: Option<String>,
    parent: bool,
    paging: Paging,
}

const LIST: &[Member] = &[
    Member::optional("Filter", &shapes::HANDSHAKE_FILTER),
    shapes::next_token(),
    shapes::max_results(),
];

impl Which {
    fn read(input: &Input<'_>) -> Result<Self, Fault> {
        let filter = input.structure("Filter");
        let text = |name| filter.as_ref().and_then(|it| it.text(name));
        let (action, parent) = (text("ActionType"), text("ParentHandshakeId"));
        if action.is_some() && parent.is_some() {
            return Err(invalid(
                "MAX_LIMIT_EXCEEDED_FILTER",
                "You can specify only one filter parameter for the operation.",
            ));
        }
        Ok(Self {
            action: action.map(ToOwned::to_owned),
            // None has a parent.
            parent: parent.is_some(),
            paging: Paging::read(input),
        })
    }

    fn page<O: JsonOperation>(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
        is_wanted: impl Fn(&Handshake) -> bool,
    ) -> Result<Value, Fault> {
        let now = context.facts.now;
        let action = self.action.as_deref();
        let fits = |it: &&Arc<Handshake>| {
            let of_action = action.is_none_or(|action| action == it.action.as_str());
            !self.parent && of_action && !it.is_past(now) && is_wanted(it)
        };
        let organization = state.organized().organization();
        let entries = organization.into_iter().flat_map(|organization| {
            let all = state.organized().handshakes().filter(fits);
            all.map(move |it| (it.id.to_string(), views::handshake(state, organization, it, now)))
        });
        let of = format!("{}/{}", action.unwrap_or_default(), self.parent);
        self.paging.page::<O>(context, "Handshakes", &of, entries)
    }
}

/// Lists those that the caller's account has.
pub struct ListHandshakesForAccount;

impl JsonOperation for ListHandshakesForAccount {
    const NAME: &'static str = "ListHandshakesForAccount";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = LIST;
    const FAULTS: &'static [FaultCode] = &[];
    type Request = Which;

    fn read(input: &Input<'_>) -> Result<Which, Fault> {
        Which::read(input)
    }

    async fn execute(context: &Context<'_>, which: Which) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::permit_outside::<Self>(context, &state)?;
        which.page::<Self>(context, &state, |it| it.account == Some(account))
    }
}

/// Lists those of the organization.
pub struct ListHandshakesForOrganization;

impl JsonOperation for ListHandshakesForOrganization {
    const NAME: &'static str = "ListHandshakesForOrganization";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = LIST;
    const FAULTS: &'static [FaultCode] = &[FaultCode::OrganizationsNotInUse];
    type Request = Which;

    fn read(input: &Input<'_>) -> Result<Which, Fault> {
        Which::read(input)
    }

    async fn execute(context: &Context<'_>, which: Which) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        permit::<Self>(context, &state, Who::Delegated, |_| Ask::default())?;
        which.page::<Self>(context, &state, |_| true)
    }
}

/// Gives an organization that began without policies all features, at once.
///
/// In AWS every invited account has to approve. Here all accounts are the deployment's, and its
/// first account could have made the organization with all features: nobody is asked.
pub struct EnableAllFeatures;

impl JsonOperation for EnableAllFeatures {
    const NAME: &'static str = "EnableAllFeatures";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::HandshakeConstraintViolation];
    type Request = ();

    fn read(_: &Input<'_>) -> Result<(), Fault> {
        Ok(())
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Value, Fault> {
        let id = HandshakeId::generate(&*context.services.random).map_err(Fault::internal)?;
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let organization =
                    permit::<Self>(context, tx.state(), Who::Management, |_| Ask::default())?;
                if organization.features == FeatureSet::All {
                    return Err(constraint(
                        "ORGANIZATION_ALREADY_HAS_ALL_FEATURES",
                        "The organization has already enabled all features.",
                    ));
                }
                forget_past(tx, now);
                if tx.state().organized().handshake(&id).is_some() {
                    return Err(Fault::unavailable("the handshake ID that was drawn is taken"));
                }
                let mut organization = organization.as_ref().clone();
                organization.features = FeatureSet::All;
                let made = Handshake {
                    id,
                    action: HandshakeAction::EnableAllFeatures,
                    organization: organization.id,
                    account: None,
                    state: HandshakeState::Accepted,
                    requested_at: now,
                    expires_at: now.plus_secs(ALL_FEATURES),
                    ended_at: Some(now),
                    notes: None,
                    tags: Vec::new(),
                };
                let view = views::handshake(tx.state(), &organization, &made, now);
                tx.put(Entity::Organization(organization));
                tx.put(Entity::Handshake(made));
                Ok(json!({ "Handshake": view }))
            })
            .await
    }
}
