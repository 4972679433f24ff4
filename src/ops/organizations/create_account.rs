//! Making accounts. AWS does it in the background; here it is done when it is answered.

use serde_json::{Value, json};

use super::access::{Ask, Who, constraint, permit};
use super::page::Paging;
use super::{membership, shapes, tags, views};
use crate::directory::organization::{Creation, CreationId, Joined, Target};
use crate::directory::{Account, Entity, EntityKey, Tag};
use crate::id::{AccountId, UniqueId, UniqueKind};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::manage::accounts;
use crate::ops::{Context, Effect, Service};

/// How long what became of a request is kept, in seconds: 90 days, as in AWS.
const KEPT: i64 = 90 * 24 * 3600;

/// At most this many accounts in an organization: the most to which AWS's quota goes.
pub(super) const MAX_ACCOUNTS: usize = 10_000;

/// Makes an account with the role that the management account's administrators may assume.
pub struct CreateAccount;

/// The account that is wanted.
pub struct NewAccount {
    name: String,
    email: String,
    role: String,
    tags: Vec<Tag>,
}

impl JsonOperation for CreateAccount {
    const NAME: &'static str = "CreateAccount";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        Member::required("Email", &shapes::EMAIL),
        Member::required("AccountName", &shapes::ACCOUNT_NAME),
        Member::optional("RoleName", &shapes::ROLE_NAME),
        // There are no bills to see: it changes nothing.
        Member::optional("IamUserAccessToBilling", &shapes::BILLING_ACCESS),
        Member::optional("Tags", &shapes::TAGS),
    ];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ConstraintViolation];
    type Request = NewAccount;

    fn read(input: &Input<'_>) -> Result<NewAccount, Fault> {
        Ok(NewAccount {
            name: input.required("AccountName").to_owned(),
            email: input.required("Email").to_owned(),
            role: input.text("RoleName").unwrap_or(accounts::DEFAULT_ROLE).to_owned(),
            tags: tags::read(input)?,
        })
    }

    async fn execute(context: &Context<'_>, request: NewAccount) -> Result<Value, Fault> {
        let random = &*context.services.random;
        let id = AccountId::generate(random).map_err(Fault::internal)?;
        let role_id = UniqueId::generate(UniqueKind::Role, random).map_err(Fault::internal)?;
        let creation_id = CreationId::generate(random).map_err(Fault::internal)?;
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    // Without tags there is no resource to name yet.
                    if request.tags.is_empty() {
                        Ask::default()
                    } else {
                        Ask::about(it.target_arn(&Target::Account(id)), &[]).setting(&request.tags)
                    }
                })?;
                let state = tx.state();
                if state.account(id).is_some() {
                    return Err(Fault::unavailable("the account ID that was drawn is taken"));
                }
                let members = || state.organized().members();
                if members().count() >= MAX_ACCOUNTS {
                    return Err(constraint(
                        "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
                        "You have exceeded the allowed number of AWS accounts.",
                    ));
                }
                let same = |email: &String| email.eq_ignore_ascii_case(&request.email);
                let taken = members().filter_map(|it| it.email.as_ref()).any(same);
                let old: Vec<EntityKey> = (state.organized().creations())
                    .filter(|it| now.secs_since(it.at) > KEPT)
                    .map(|it| EntityKey::Creation(it.id))
                    .collect();
                for key in old {
                    tx.delete(key);
                }
                if !taken {
                    let first = tx.state().account(organization.management);
                    let created_at =
                        first.map_or(now, |first| now.max(first.created_at.plus_secs(1)));
                    let account = Account::new(id, request.name.clone(), created_at);
                    let management = organization.management;
                    let role =
                        accounts::administrator(&account, role_id, &request.role, management)?;
                    tx.put(Entity::Account(account));
                    tx.put(Entity::Role(role));
                    membership::join(tx, id, Joined::Created, Some(request.email.clone()), now);
                    tags::begin_with(tx, id, request.tags);
                }
                let account = (!taken).then_some(id);
                let creation = Creation { id: creation_id, name: request.name, at: now, account };
                tx.put(Entity::Creation(creation.clone()));
                Ok(json!({ "CreateAccountStatus": views::creation(&creation) }))
            })
            .await
    }
}

/// What became of one request.
pub struct DescribeCreateAccountStatus;

impl JsonOperation for DescribeCreateAccountStatus {
    const NAME: &'static str = "DescribeCreateAccountStatus";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] =
        &[Member::required("CreateAccountRequestId", &shapes::CREATION_ID)];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::CreateAccountStatusNotFound];
    type Request = Option<CreationId>;

    fn read(input: &Input<'_>) -> Result<Option<CreationId>, Fault> {
        Ok(CreationId::parse(input.required("CreateAccountRequestId")).ok())
    }

    async fn execute(context: &Context<'_>, id: Option<CreationId>) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        permit::<Self>(context, &state, Who::Delegated, |_| Ask::default())?;
        let found = id.and_then(|id| state.organized().creation(&id)).ok_or_else(|| {
            Fault::new(
                FaultCode::CreateAccountStatusNotFound,
                "You specified a create account request that doesn't exist.",
            )
        })?;
        Ok(json!({ "CreateAccountStatus": views::creation(found) }))
    }
}

/// What became of all requests of the last 90 days.
pub struct ListCreateAccountStatus;

/// Which of them.
pub struct Which {
    states: Vec<String>,
    paging: Paging,
}

impl JsonOperation for ListCreateAccountStatus {
    const NAME: &'static str = "ListCreateAccountStatus";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::optional("States", &shapes::CREATION_STATES),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] = &[FaultCode::OrganizationsNotInUse];
    type Request = Which;

    fn read(input: &Input<'_>) -> Result<Which, Fault> {
        let states = input.texts("States").map(ToOwned::to_owned).collect();
        Ok(Which { states, paging: Paging::read(input) })
    }

    async fn execute(context: &Context<'_>, which: Which) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        permit::<Self>(context, &state, Who::Delegated, |_| Ask::default())?;
        let wanted = |view: &Value| {
            which.states.is_empty()
                || which
                    .states
                    .iter()
                    .any(|state| view.get("State") == Some(&state.as_str().into()))
        };
        let entries = state.organized().creations().filter_map(|it| {
            let view = views::creation(it);
            wanted(&view).then(|| (it.id.to_string(), view))
        });
        which.paging.page::<Self>(
            context,
            "CreateAccountStatuses",
            &which.states.join(","),
            entries,
        )
    }
}
