//! Parents and children.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{self, Ask, Who};
use super::page::Paging;
use super::{accounts, shapes, units};
use crate::directory::organization::{Organization, Parent, RootId, Target, UnitId};
use crate::directory::{Organized, Snapshot};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// The root or unit that an ID names, if it is there.
pub(super) fn find(organization: &Organization, state: &Organized, id: &str) -> Option<Parent> {
    if let Ok(unit) = UnitId::parse(id) {
        return state.unit(&unit).map(|unit| Parent::Unit(unit.id));
    }
    RootId::parse(id).ok().filter(|root| *root == organization.root).map(|_| Parent::Root)
}

/// As [`find`].
///
/// # Errors
/// `ParentNotFoundException`.
pub(super) fn parent(
    organization: &Organization,
    state: &Organized,
    id: &str,
) -> Result<Parent, Fault> {
    find(organization, state, id).ok_or_else(|| {
        Fault::new(FaultCode::ParentNotFound, "You specified a parent that doesn't exist.")
    })
}

/// And about this root or unit.
pub(super) fn and_parent(
    ask: Ask,
    organization: &Organization,
    state: &Organized,
    id: &str,
) -> Ask {
    let tags = match find(organization, state, id) {
        Some(Parent::Root) => &organization.tags[..],
        Some(Parent::Unit(unit)) => state.unit(&unit).map_or(&[][..], |unit| &unit.tags),
        None => &[][..],
    };
    let kind = if id.starts_with("ou-") { "ou" } else { "root" };
    ask.and(organization.arn_of(kind, id), tags)
}

/// A list of what stands in a parent.
pub struct OfParent {
    /// The parent, as it was asked for.
    pub parent: String,
    /// Which page.
    pub paging: Paging,
}

impl OfParent {
    /// Reads `ParentId`, `NextToken` and `MaxResults`.
    pub fn read(input: &Input<'_>) -> Self {
        Self { parent: input.required("ParentId").to_owned(), paging: Paging::read(input) }
    }

    /// The organization and the parent, for a caller who may do `O`.
    pub fn permit<O: JsonOperation>(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
    ) -> Result<(Arc<Organization>, Parent), Fault> {
        let organized = state.organized();
        let organization = access::permit::<O>(context, state, Who::Delegated, |it| {
            and_parent(Ask::default(), it, organized, &self.parent)
        })?;
        let parent = parent(&organization, organized, &self.parent)?;
        Ok((organization, parent))
    }
}

/// Lists the accounts, or the units, that stand in a root or unit.
pub struct ListChildren;

/// Of which kind.
pub struct Children {
    of: OfParent,
    accounts: bool,
}

impl JsonOperation for ListChildren {
    const NAME: &'static str = "ListChildren";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("ParentId", &shapes::PARENT_ID),
        Member::required("ChildType", &shapes::CHILD_TYPE),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ParentNotFound];
    type Request = Children;

    fn read(input: &Input<'_>) -> Result<Children, Fault> {
        let accounts = input.required("ChildType") == "ACCOUNT";
        Ok(Children { of: OfParent::read(input), accounts })
    }

    async fn execute(context: &Context<'_>, request: Children) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let (_, parent) = request.of.permit::<Self>(context, &state)?;
        let state = state.organized();
        let kind = if request.accounts { "ACCOUNT" } else { "ORGANIZATIONAL_UNIT" };
        let ids: Vec<String> = if request.accounts {
            state
                .members()
                .filter(|it| it.parent == parent)
                .map(|it| it.account.to_string())
                .collect()
        } else {
            state.units().filter(|it| it.parent == parent).map(|it| it.id.to_string()).collect()
        };
        let children = ids.into_iter().map(|id| (id.clone(), json!({ "Id": id, "Type": kind })));
        let of = format!("{}/{kind}", request.of.parent);
        request.of.paging.page::<Self>(context, "Children", &of, children)
    }
}

/// Lists the one root or unit in which an account or unit stands.
pub struct ListParents;

/// Of which child.
pub struct Child {
    id: String,
    paging: Paging,
}

impl JsonOperation for ListParents {
    const NAME: &'static str = "ListParents";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("ChildId", &shapes::CHILD_ID),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::ChildNotFound];
    type Request = Child;

    fn read(input: &Input<'_>) -> Result<Child, Fault> {
        Ok(Child { id: input.required("ChildId").to_owned(), paging: Paging::read(input) })
    }

    async fn execute(context: &Context<'_>, child: Child) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let target = Target::parse(&child.id).ok();
        let organization =
            access::permit::<Self>(context, &state, Who::Delegated, |it| match target {
                Some(Target::Account(account)) => accounts::asked(it, organized, account),
                _ => units::asked(it, organized, &child.id),
            })?;
        let parent = match target {
            Some(Target::Account(account)) => organized.member(account).map(|it| it.parent),
            Some(Target::Unit(unit)) => organized.unit(&unit).map(|it| it.parent),
            _ => None,
        };
        let parent = parent.ok_or_else(|| {
            Fault::new(FaultCode::ChildNotFound, "You specified a child that doesn't exist.")
        })?;
        let id = organization.parent_id(parent);
        let kind = if parent == Parent::Root { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
        let parents = [(id.clone(), json!({ "Id": id, "Type": kind }))];
        child.paging.page::<Self>(context, "Parents", &child.id, parents)
    }
}
