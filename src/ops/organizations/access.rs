//! Who may do what in the organization.
//!
//! INVARIANT (not denied is not allowed): an operation gets the organization only for a caller whose
//! policies allow its action on each thing it touches, and, unless any member may call it, only for
//! the management account. What a member may not ask for is refused by its own policies, or because
//! it is a member: nothing of the organization bears on the answer.

use std::sync::{Arc, LazyLock};

use crate::directory::organization::{ControlType, Organization};
use crate::directory::{Snapshot, Tag};
use crate::id::AccountId;
use crate::ops::authorize;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::JsonOperation;
use crate::ops::{Context, Effect, context};
use crate::policy::{Context as Keys, DocumentKind, Policy, Value};

/// What every operation of Organizations may answer with.
#[cfg(test)]
pub const COMMON: &[FaultCode] =
    &[FaultCode::AccessDenied, FaultCode::InvalidInputException, FaultCode::SerializationException];

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The management account.
    Management,
    /// The management account and delegated administrators: what only looks.
    Delegated,
    /// Every account of the organization.
    Member,
}

/// What is to be allowed.
#[derive(Default)]
pub struct Ask {
    /// ARNs with the tags of what they name; none for an action without a resource.
    resources: Vec<(String, Vec<Tag>)>,
    control: Option<String>,
    service: Option<String>,
    request_tags: Vec<Tag>,
    tag_keys: Vec<String>,
    /// Whether the tags are those of the resource itself.
    of_resource: bool,
}

impl Ask {
    /// About one thing.
    pub fn about(arn: String, tags: &[Tag]) -> Self {
        Self::default().and(arn, tags)
    }

    /// And about one more.
    #[must_use]
    pub fn and(mut self, arn: String, tags: &[Tag]) -> Self {
        self.resources.push((arn, tags.to_vec()));
        self
    }

    /// Policies of this type: `organizations:PolicyType`.
    #[must_use]
    pub fn of_type(mut self, control: impl Into<String>) -> Self {
        self.control = Some(control.into());
        self
    }

    /// Policies of this type, if it is known.
    #[must_use]
    pub fn of_control(self, control: Option<ControlType>) -> Self {
        match control {
            Some(control) => self.of_type(control.as_str()),
            None => self,
        }
    }

    /// For this service: `organizations:ServicePrincipal`.
    #[must_use]
    pub fn of_service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// With these tags to be set.
    #[must_use]
    pub fn setting(mut self, tags: &[Tag]) -> Self {
        self.request_tags = tags.to_vec();
        self
    }

    /// With these tags to be taken away.
    #[must_use]
    pub fn untagging(mut self, keys: &[String]) -> Self {
        self.tag_keys = keys.to_vec();
        self
    }

    /// The tags to be set or taken away are those of what is named.
    #[must_use]
    pub fn of_resource(mut self) -> Self {
        self.of_resource = true;
        self
    }

    /// Without the tags of what is named.
    fn untagged(mut self) -> Self {
        for (_, tags) in &mut self.resources {
            tags.clear();
        }
        self
    }

    fn add_keys(&self, keys: &mut Keys, tags: &[Tag]) {
        if let Some(control) = &self.control {
            keys.insert("organizations:PolicyType", Value::One(control.clone()));
        }
        if let Some(service) = &self.service {
            keys.insert("organizations:ServicePrincipal", Value::One(service.clone()));
        }
        for tag in tags {
            keys.insert(&format!("aws:ResourceTag/{}", tag.key), Value::One(tag.value.clone()));
        }
        if !self.request_tags.is_empty() {
            let tags = self.request_tags.iter();
            context::add_request_tags(keys, tags.map(|tag| (tag.key.as_str(), tag.value.as_str())));
        }
        if !self.tag_keys.is_empty() {
            keys.insert("aws:TagKeys", Value::Many(self.tag_keys.clone()));
        }
        if self.of_resource {
            context::add_stored_tag_keys(keys, tags);
        }
    }
}

/// The organization, for a caller who may do `O` to all that `ask` names.
///
/// # Errors
/// `AccessDeniedException`; `AWSOrganizationsNotInUseException` for a caller who may, outside the
/// organization.
pub fn permit<O: JsonOperation>(
    context: &Context<'_>,
    state: &Snapshot,
    who: Who,
    ask: impl FnOnce(&Organization) -> Ask,
) -> Result<Arc<Organization>, Fault> {
    let account = context.identity()?.account();
    let Some(organization) = state.organized().organization_of(account) else {
        allow(context, state, O::NAME, &Ask::default(), Owner::Account(account))?;
        return Err(not_in_use());
    };
    let is_management = account == organization.management;
    // INVARIANT: what a delegated administrator gets, it gets for operations that only look.
    let delegated = !is_management
        && who == Who::Delegated
        && O::EFFECT == Effect::Read
        && state.organized().member(account).is_some_and(|it| !it.delegated.is_empty());
    if who != Who::Member && !is_management && !delegated {
        // INVARIANT: a member's policies never meet the tags, types or ARNs of what is there: the
        // words of a refusal would tell which of them they fit.
        allow(context, state, O::NAME, &Ask::default(), Owner::Account(account))?;
        return Err(not_management());
    }
    let ask = ask(organization);
    let ask = if is_management || delegated { ask } else { ask.untagged() };
    let owner = match organization.management {
        management if delegated => Owner::Delegating(management),
        management => Owner::Account(management),
    };
    allow(context, state, O::NAME, &ask, owner)?;
    if !ask.request_tags.is_empty() && O::NAME != "TagResource" {
        allow(context, state, "TagResource", &ask, owner)?;
    }
    Ok(Arc::clone(organization))
}

/// Lets a caller do `O` to what its own account has a part in, whosever organization it is of: the
/// caller's own policies decide. A refusal names it as `shown`.
pub fn permit_own<O: JsonOperation>(
    context: &Context<'_>,
    state: &Snapshot,
    arn: &str,
    shown: &str,
) -> Result<(), Fault> {
    let action = format!("organizations:{}", O::NAME);
    let owner = context.identity()?.account();
    let asked = authorize::Ask { action: &action, resource: arn, owner };
    context.authorize_shown(state, &asked, shown, |_| ())
}

/// Lets a caller of an account that has no organization do `O`.
pub fn permit_outside<O: JsonOperation>(
    context: &Context<'_>,
    state: &Snapshot,
) -> Result<AccountId, Fault> {
    let account = context.identity()?.account();
    allow(context, state, O::NAME, &Ask::default(), Owner::Account(account))?;
    Ok(account)
}

/// Who owns what is asked about.
#[derive(Clone, Copy)]
enum Owner {
    /// This account.
    Account(AccountId),
    /// This one, which lets the caller's account look.
    Delegating(AccountId),
}

/// What a delegated administrator is let do, as the policy of everything in the organization.
static DELEGATION: LazyLock<Policy> = LazyLock::new(|| {
    let text = r#"{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*",
        "Action":["organizations:Describe*","organizations:List*"]}}"#;
    Policy::parse(text, DocumentKind::Resource)
        .unwrap_or_else(|_| Policy::deny_everything(DocumentKind::Resource))
});

fn allow(
    context: &Context<'_>,
    state: &Snapshot,
    name: &str,
    ask: &Ask,
    owner: Owner,
) -> Result<(), Fault> {
    let action = format!("organizations:{name}");
    let one = |resource: &str, owner, tags: &[Tag]| {
        let add = |keys: &mut Keys| ask.add_keys(keys, tags);
        let asked = |owner| authorize::Ask { action: &action, resource, owner };
        match owner {
            Owner::Account(owner) => context.authorize(state, &asked(owner), add),
            Owner::Delegating(owner) => {
                context.authorize_delegated(state, &asked(owner), &DELEGATION, add)
            }
        }
    };
    if ask.resources.is_empty() {
        // Nobody else's: the caller's own policies decide.
        return one("*", Owner::Account(context.identity()?.account()), &[]);
    }
    ask.resources.iter().try_for_each(|(arn, tags)| one(arn, owner, tags))
}

/// The caller's account is in no organization.
pub fn not_in_use() -> Fault {
    Fault::new(FaultCode::OrganizationsNotInUse, "Your account is not a member of an organization.")
}

/// The operation is the management account's.
pub fn not_management() -> Fault {
    Fault::access_denied("You don't have permissions to access this resource.")
        .with_note("the operation is for the management account only")
}

/// `ConstraintViolationException` with AWS's reason.
pub fn constraint(reason: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::ConstraintViolation, message).with_reason(reason)
}
