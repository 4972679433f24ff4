//! CreateUser: a new user, without credentials or permissions.
//!
//! Source: AWS IAM API reference, CreateUser.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::access::{self, New};
use super::{boundary, tags, xml};
use crate::directory::entities::Policies;
use crate::directory::{Entity, Tag, User};
use crate::id::{UniqueId, UniqueKind};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct CreateUser;

/// The user that is wanted.
pub struct Request {
    name: String,
    path: String,
    boundary: Option<String>,
    tags: Vec<Tag>,
}

impl Operation for CreateUser {
    const NAME: &'static str = "CreateUser";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    type Request = Request;
    type Response = User;

    fn read(params: &Params) -> Result<Request, Fault> {
        let request = params::read(params, |v| Request {
            name: v.required("UserName", &rules::USER_OR_ROLE_NAME).to_owned(),
            path: v.optional("Path", &rules::PATH).unwrap_or("/").to_owned(),
            boundary: v.optional("PermissionsBoundary", &rules::ARN).map(ToOwned::to_owned),
            tags: tags::owned(&v.tags("Tags")),
        })?;
        tags::check(&request.tags)?;
        Ok(request)
    }

    fn describe(request: &Request) -> Value {
        json!({
            "userName": request.name,
            "path": request.path,
            "permissionsBoundary": request.boundary,
            "tags": xml::told_tags(&request.tags),
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<User, Fault> {
        let random = &*context.services.random;
        let id = UniqueId::generate(UniqueKind::User, random).map_err(Fault::internal)?;
        context
            .change(|tx| {
                let new = New {
                    path: &request.path,
                    name: &request.name,
                    tags: &request.tags,
                    boundary: request.boundary.as_deref(),
                };
                let account = access::to_create::<Self, User>(context, tx.state(), &new)?;
                boundary::check(tx.state(), account, new.boundary)?;
                let user = User {
                    id,
                    account,
                    name: request.name,
                    path: request.path,
                    created_at: context.facts.now.floor_secs(),
                    tags: request.tags,
                    policies: Policies { boundary: request.boundary, ..Policies::default() },
                    groups: BTreeSet::new(),
                    revoked: None,
                };
                tx.put(Entity::User(user.clone()));
                Ok(user)
            })
            .await
    }

    fn outcome(response: &User) -> Value {
        json!({ "user": xml::told_user(response) })
    }

    fn write(response: &User, xml: &mut Xml) {
        xml.element("User", |xml| xml::user(xml, response, xml::Detail::Full));
    }
}
