//! ListRoles: the roles of the account below a path.
//!
//! Source: AWS IAM API reference, ListRoles.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kind::Made as _;
use super::page::{Page, Paging};
use super::xml::{self, Detail};
use super::{access, get_role};
use crate::directory::Role;
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct ListRoles;

/// Which.
pub struct Request {
    prefix: String,
    paging: Paging,
}

impl Operation for ListRoles {
    const NAME: &'static str = "ListRoles";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Page<get_role::Response>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            prefix: v.optional("PathPrefix", &rules::PATH_PREFIX).unwrap_or("/").to_owned(),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "pathPrefix": request.prefix })
    }

    async fn execute(
        context: &Context<'_>,
        request: Request,
    ) -> Result<Page<get_role::Response>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::to_list::<Self, Role>(context, &state, &request.prefix)?;
        let below = Role::all(&state, account)
            .filter(|role| role.path.starts_with(&request.prefix))
            .map(|role| (role.name.to_ascii_lowercase(), Arc::clone(role)));
        let page = request
            .paging
            .page_weighed::<Self, _>(context, "", below, |role| role.trust.text().len())?;
        Ok(page.map(|role| get_role::Response::of(&state, role)))
    }

    fn write(response: &Page<get_role::Response>, xml: &mut Xml) {
        xml.list("Roles", &response.items, |xml, role| {
            xml::role(xml, &role.role, &role.trust, Detail::Listed);
        });
        response.write_end(xml);
    }
}
