//! GetRole: a role and its trust policy.
//!
//! Source: AWS IAM API reference, GetRole.

use std::sync::Arc;

use serde_json::{Value, json};

use super::xml::{self, Detail};
use super::{access, trust};
use crate::directory::{Role, Snapshot, Use, Used};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetRole;

/// Which.
pub struct Request {
    name: String,
}

/// A role, with its trust policy as it is to be shown.
pub struct Response {
    /// The role.
    pub role: Arc<Role>,
    /// The text of its trust policy.
    pub trust: String,
    /// Its last use, where that is told of.
    pub last_used: LastUsed,
}

/// What is told of a role's last use.
pub enum LastUsed {
    /// Nothing.
    Untold,
    /// The use, if there was one.
    Told(Option<Use>),
}

impl Response {
    /// A role as `state` has it.
    pub fn of(state: &Snapshot, role: Arc<Role>) -> Self {
        let trust = trust::shown(state, &role.trust);
        Self { role, trust, last_used: LastUsed::Untold }
    }

    /// `Role`, all of it.
    pub fn write(&self, xml: &mut Xml) {
        xml.element("Role", |xml| {
            xml::role(xml, &self.role, &self.trust, Detail::Full);
            if let LastUsed::Told(last) = &self.last_used {
                xml::role_last_used(xml, last.as_ref());
            }
        });
    }
}

impl Operation for GetRole {
    const NAME: &'static str = "GetRole";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.required("RoleName", &rules::USER_OR_ROLE_NAME).to_owned(),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "roleName": request.name })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let state = context.services.directory.snapshot();
        let role = access::existing::<Self, Role>(context, &state, &request.name, |_, _| ())?;
        let last = context.services.directory.uses().last(Used::Role(role.id));
        let last_used = LastUsed::Told(last);
        Ok(Response { last_used, ..Response::of(&state, role) })
    }

    fn write(response: &Response, xml: &mut Xml) {
        response.write(xml);
    }
}
