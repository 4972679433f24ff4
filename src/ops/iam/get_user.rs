//! GetUser: a user, or without a name the caller itself.
//!
//! Source: AWS IAM API reference, GetUser.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{access, xml};
use crate::directory::User;
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetUser;

/// Whom.
pub struct Request {
    name: Option<String>,
}

impl Operation for GetUser {
    const NAME: &'static str = "GetUser";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Arc<User>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.optional("UserName", &rules::NAME).map(ToOwned::to_owned),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "userName": request.name })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Arc<User>, Fault> {
        let state = context.services.directory.snapshot();
        access::user_or_caller::<Self>(context, &state, request.name.as_deref())
    }

    fn write(response: &Arc<User>, xml: &mut Xml) {
        xml.element("User", |xml| xml::user(xml, response, xml::Detail::Full));
    }
}
