//! UpdateUser: another name or path for a user. Its unique ID stays, and so do its keys, sessions,
//! and what trusts it.
//!
//! Source: AWS IAM API reference, UpdateUser: the caller must be allowed it on the user both as it
//! is and as it is to be.

use serde_json::{Value, json};

use super::access;
use crate::directory::{Entity, User};
use crate::ops::authorize::Ask;
use crate::ops::fault::{self, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service, context};
use crate::wire::query::Params;

/// The operation.
pub struct UpdateUser;

/// Whom, and what is to change.
pub struct Request {
    name: String,
    new_name: Option<String>,
    new_path: Option<String>,
}

impl Operation for UpdateUser {
    const NAME: &'static str = "UpdateUser";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.required("UserName", &rules::NAME).to_owned(),
            new_name: v.optional("NewUserName", &rules::USER_OR_ROLE_NAME).map(ToOwned::to_owned),
            new_path: v.optional("NewPath", &rules::PATH).map(ToOwned::to_owned),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({
            "userName": request.name,
            "newUserName": request.new_name,
            "newPath": request.new_path,
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let state = tx.state();
                let found =
                    access::existing::<Self, User>(context, state, &request.name, |_, _| ())?;
                let mut user = User::clone(&found);
                user.name = request.new_name.unwrap_or(user.name);
                user.path = request.new_path.unwrap_or(user.path);
                let action = access::action(Self::NAME);
                let ask = Ask { action: &action, resource: &user.arn(), owner: user.account };
                context.authorize(state, &ask, |keys| {
                    context::add_resource_tags(keys, &user.tags);
                })?;
                let holder = state.user_named(user.account, &user.name);
                if holder.is_some_and(|holder| holder.id != user.id) {
                    return Err(Fault::already_exists(fault::Entity::User, &user.name));
                }
                if user != *found {
                    tx.put(Entity::User(user));
                }
                Ok(())
            })
            .await
    }
}
