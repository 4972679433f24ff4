//! GetUser: a user, or without a name the caller itself.
//!
//! Source: AWS IAM API reference, GetUser.

use serde_json::{Value, json};

use super::access::{self, Person};
use super::xml;
use crate::arn;
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
    type Response = Person;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.optional("UserName", &rules::NAME).map(ToOwned::to_owned),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "userName": request.name })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Person, Fault> {
        let state = context.services.directory.snapshot();
        access::person_or_caller::<Self>(context, &state, request.name.as_deref())
    }

    fn write(response: &Person, xml: &mut Xml) {
        xml.element("User", |xml| match response {
            Person::User(user) => xml::user(xml, user, xml::Detail::Full),
            // As AWS tells of it: a root user has neither name nor path.
            Person::Root(account) => {
                xml.text("UserId", account.id.to_string());
                xml.text("Arn", arn::account_root(account.id));
                xml.time("CreateDate", account.created_at);
            }
        });
    }
}
