//! ListUsers: the users of the account below a path.
//!
//! Source: AWS IAM API reference, ListUsers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::kind::Made as _;
use super::page::{Page, Paging};
use super::xml::{self, Detail};
use crate::directory::User;
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct ListUsers;

/// Which.
pub struct Request {
    prefix: String,
    paging: Paging,
}

impl Operation for ListUsers {
    const NAME: &'static str = "ListUsers";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Page<Arc<User>>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            prefix: v.optional("PathPrefix", &rules::PATH_PREFIX).unwrap_or("/").to_owned(),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "pathPrefix": request.prefix })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Page<Arc<User>>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::to_list::<Self, User>(context, &state, &request.prefix)?;
        let below = User::all(&state, account)
            .filter(|user| user.path.starts_with(&request.prefix))
            .map(|user| (user.name.to_ascii_lowercase(), Arc::clone(user)));
        request.paging.page::<Self, _>(context, "", below)
    }

    fn write(response: &Page<Arc<User>>, xml: &mut Xml) {
        xml.list("Users", &response.items, |xml, user| {
            xml::user(xml, user, Detail::Listed);
        });
        response.write_end(xml);
    }
}
