//! UpdateRole and UpdateRoleDescription: what a role is for, and how long its sessions may last.
//!
//! Source: AWS IAM API reference, UpdateRole, UpdateRoleDescription. UpdateRole without a
//! `MaxSessionDuration` sets an hour, as the reference says; without a `Description` it leaves it.

use serde_json::{Value, json};

use super::{access, create_role, get_role};
use crate::directory::{Entity, Role};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation UpdateRole.
pub struct UpdateRole;

/// What is to change.
pub struct Request {
    name: String,
    description: Option<String>,
    max_session: u32,
}

impl Operation for UpdateRole {
    const NAME: &'static str = "UpdateRole";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.required("RoleName", &rules::USER_OR_ROLE_NAME).to_owned(),
            description: v.optional("Description", &rules::DESCRIPTION).map(ToOwned::to_owned),
            max_session: create_role::max_session(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({
            "roleName": request.name,
            "description": request.description,
            "maxSessionDuration": request.max_session,
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let name = &request.name;
                let found = access::existing::<Self, Role>(context, tx.state(), name, |_, _| ())?;
                let mut role = Role::clone(&found);
                role.max_session_duration = request.max_session;
                role.description = request.description.or(role.description);
                tx.put(Entity::Role(role));
                Ok(())
            })
            .await
    }
}

/// The operation UpdateRoleDescription.
pub struct UpdateRoleDescription;

/// The new description.
pub struct DescriptionRequest {
    name: String,
    description: String,
}

impl Operation for UpdateRoleDescription {
    const NAME: &'static str = "UpdateRoleDescription";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    type Request = DescriptionRequest;
    type Response = get_role::Response;

    fn read(params: &Params) -> Result<DescriptionRequest, Fault> {
        params::read(params, |v| DescriptionRequest {
            name: v.required("RoleName", &rules::USER_OR_ROLE_NAME).to_owned(),
            description: v.required("Description", &rules::DESCRIPTION).to_owned(),
        })
    }

    fn describe(request: &DescriptionRequest) -> Value {
        json!({ "roleName": request.name, "description": request.description })
    }

    async fn execute(
        context: &Context<'_>,
        request: DescriptionRequest,
    ) -> Result<get_role::Response, Fault> {
        context
            .change(|tx| {
                let name = &request.name;
                let found = access::existing::<Self, Role>(context, tx.state(), name, |_, _| ())?;
                let description = Some(request.description);
                let role = Role { description, ..Role::clone(&found) };
                tx.put(Entity::Role(role.clone()));
                Ok(get_role::Response::of(tx.state(), role.into()))
            })
            .await
    }

    fn write(response: &get_role::Response, xml: &mut Xml) {
        response.write(xml);
    }
}
