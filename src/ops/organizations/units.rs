//! Organizational units.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{Ask, Who, constraint, permit};
use super::{accounts, shapes, tags, tree, views};
use crate::directory::organization::{MAX_DEPTH, Organization, Parent, Unit, UnitId};
use crate::directory::{Entity, EntityKey, Organized, Tag};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// At most this many units in an organization.
const MAX_UNITS: usize = 2000;

/// What a request that names a unit is about.
pub(super) fn asked(organization: &Organization, state: &Organized, id: &str) -> Ask {
    tree::and_parent(Ask::default(), organization, state, id)
}

fn unit(state: &Organized, id: &str) -> Result<Arc<Unit>, Fault> {
    let found = UnitId::parse(id).ok().and_then(|id| state.unit(&id)).cloned();
    found.ok_or_else(|| {
        Fault::new(
            FaultCode::OrganizationalUnitNotFound,
            "You specified an organizational unit that doesn't exist.",
        )
    })
}

fn check_name(state: &Organized, parent: Parent, name: &str) -> Result<(), Fault> {
    if state.units().any(|it| it.parent == parent && it.name == name) {
        return Err(Fault::new(
            FaultCode::DuplicateOrganizationalUnit,
            "An OU with the same name already exists.",
        ));
    }
    Ok(())
}

/// Makes one.
pub struct CreateOrganizationalUnit;

/// The unit that is wanted.
pub struct NewUnit {
    parent: String,
    name: String,
    tags: Vec<Tag>,
}

impl JsonOperation for CreateOrganizationalUnit {
    const NAME: &'static str = "CreateOrganizationalUnit";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        Member::required("ParentId", &shapes::PARENT_ID),
        Member::required("Name", &shapes::NAME),
        Member::optional("Tags", &shapes::TAGS),
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::ConstraintViolation,
        FaultCode::DuplicateOrganizationalUnit,
        FaultCode::ParentNotFound,
    ];
    type Request = NewUnit;

    fn read(input: &Input<'_>) -> Result<NewUnit, Fault> {
        Ok(NewUnit {
            parent: input.required("ParentId").to_owned(),
            name: input.required("Name").to_owned(),
            tags: tags::read(input)?,
        })
    }

    async fn execute(context: &Context<'_>, request: NewUnit) -> Result<Value, Fault> {
        let random = &*context.services.random;
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    asked(it, state, &request.parent).setting(&request.tags)
                })?;
                let parent = tree::parent(&organization, state, &request.parent)?;
                check_name(state, parent, &request.name)?;
                // A broken tree has no depth: nothing is put into it.
                if state.path_to(parent).is_none_or(|path| path.len() >= MAX_DEPTH) {
                    return Err(constraint(
                        "OU_DEPTH_LIMIT_EXCEEDED",
                        "You have exceeded the allowed depth of OUs.",
                    ));
                }
                if state.units().count() >= MAX_UNITS {
                    return Err(constraint(
                        "OU_NUMBER_LIMIT_EXCEEDED",
                        "You have exceeded the allowed number of OUs.",
                    ));
                }
                let id = UnitId::generate(&organization.root, random).map_err(Fault::internal)?;
                if state.unit(&id).is_some() {
                    return Err(Fault::unavailable("the unit ID that was drawn is taken"));
                }
                let attached = organization.initial_policies();
                let made = Unit { id, parent, name: request.name, attached, tags: request.tags };
                tx.put(Entity::Unit(made.clone()));
                let view = views::unit(tx.state().organized(), &organization, &made);
                Ok(json!({ "OrganizationalUnit": view }))
            })
            .await
    }
}

const ID: Member = Member::required("OrganizationalUnitId", &shapes::UNIT_ID);

/// Describes one.
pub struct DescribeOrganizationalUnit;

impl JsonOperation for DescribeOrganizationalUnit {
    const NAME: &'static str = "DescribeOrganizationalUnit";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[ID];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::OrganizationalUnitNotFound];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        Ok(input.required(ID.name).to_owned())
    }

    async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let organization =
            permit::<Self>(context, &state, Who::Delegated, |it| asked(it, organized, &id))?;
        let found = unit(organized, &id)?;
        Ok(json!({ "OrganizationalUnit": views::unit(organized, &organization, &found) }))
    }
}

/// Renames one.
pub struct UpdateOrganizationalUnit;

/// To what.
pub struct Rename {
    id: String,
    name: Option<String>,
}

impl JsonOperation for UpdateOrganizationalUnit {
    const NAME: &'static str = "UpdateOrganizationalUnit";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[ID, Member::optional("Name", &shapes::NAME)];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::DuplicateOrganizationalUnit,
        FaultCode::OrganizationalUnitNotFound,
    ];
    type Request = Rename;

    fn read(input: &Input<'_>) -> Result<Rename, Fault> {
        let name = input.text("Name").map(ToOwned::to_owned);
        Ok(Rename { id: input.required(ID.name).to_owned(), name })
    }

    async fn execute(context: &Context<'_>, request: Rename) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    asked(it, state, &request.id)
                })?;
                let mut changed = unit(state, &request.id)?.as_ref().clone();
                if let Some(name) = request.name
                    && name != changed.name
                {
                    check_name(state, changed.parent, &name)?;
                    changed.name = name;
                    tx.put(Entity::Unit(changed.clone()));
                }
                let view = views::unit(tx.state().organized(), &organization, &changed);
                Ok(json!({ "OrganizationalUnit": view }))
            })
            .await
    }
}

/// Deletes one in which nothing stands.
pub struct DeleteOrganizationalUnit;

impl JsonOperation for DeleteOrganizationalUnit {
    const NAME: &'static str = "DeleteOrganizationalUnit";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[ID];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::OrganizationalUnitNotEmpty,
        FaultCode::OrganizationalUnitNotFound,
    ];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        Ok(input.required(ID.name).to_owned())
    }

    async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                permit::<Self>(context, tx.state(), Who::Management, |it| asked(it, state, &id))?;
                let found = unit(state, &id)?;
                if !accounts::is_empty(state, Parent::Unit(found.id)) {
                    return Err(Fault::new(
                        FaultCode::OrganizationalUnitNotEmpty,
                        "You must remove all accounts and OUs from the OU first.",
                    ));
                }
                tx.delete(EntityKey::Unit(found.id));
                Ok(Value::Null)
            })
            .await
    }
}

/// Lists those that stand in a root or unit, not those below.
pub struct ListOrganizationalUnitsForParent;

impl JsonOperation for ListOrganizationalUnitsForParent {
    const NAME: &'static str = "ListOrganizationalUnitsForParent";
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
        let organized = state.organized();
        let units = organized.units().filter(|it| it.parent == parent);
        let units = units.map(|it| (it.id.to_string(), views::unit(organized, &organization, it)));
        of.paging.page::<Self>(context, "OrganizationalUnits", &of.parent, units)
    }
}
