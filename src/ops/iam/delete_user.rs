//! DeleteUser: the end of a user, and of all sessions that came from it.
//!
//! Nothing else has to be written for that: a session whose principal or ancestor does not exist
//! is refused, and a user made again under the name has another unique ID.
//!
//! Source: AWS IAM API reference, DeleteUser.

use serde_json::{Value, json};

use super::{access, inline};
use crate::directory::{EntityKey, User};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;

/// The operation.
pub struct DeleteUser;

/// Whom.
pub struct Request {
    name: String,
}

impl Operation for DeleteUser {
    const NAME: &'static str = "DeleteUser";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request { name: v.required("UserName", &rules::NAME).to_owned() })
    }

    fn describe(request: &Request) -> Value {
        json!({ "userName": request.name })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let state = tx.state();
                let user =
                    access::existing::<Self, User>(context, state, &request.name, |_, _| ())?;
                if state.access_keys_of(user.id).next().is_some() {
                    return Err(Fault::delete_conflict("must delete access keys first"));
                }
                if state.mfa_devices_of_user(user.id).next().is_some() {
                    return Err(Fault::delete_conflict("must delete MFA device first"));
                }
                if !user.groups.is_empty() {
                    return Err(Fault::delete_conflict("must remove users from group first"));
                }
                inline::check_none(&*user)?;
                tx.delete(EntityKey::User(user.id));
                Ok(())
            })
            .await
    }
}
