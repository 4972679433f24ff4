//! DeleteRole: the end of a role, of its sessions and of all that came from them.
//!
//! As with users, nothing else has to be written for that.
//!
//! Source: AWS IAM API reference, DeleteRole.

use serde_json::{Value, json};

use super::{access, inline};
use crate::directory::{EntityKey, Role};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;

/// The operation.
pub struct DeleteRole;

/// Which.
pub struct Request {
    name: String,
}

impl Operation for DeleteRole {
    const NAME: &'static str = "DeleteRole";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.required("RoleName", &rules::USER_OR_ROLE_NAME).to_owned(),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "roleName": request.name })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let name = &request.name;
                let role = access::existing::<Self, Role>(context, tx.state(), name, |_, _| ())?;
                if tx.state().instance_profiles_with(role.id).next().is_some() {
                    return Err(Fault::delete_conflict(
                        "must remove roles from instance profile first",
                    ));
                }
                inline::check_none(&*role)?;
                tx.delete(EntityKey::Role(role.id));
                Ok(())
            })
            .await
    }
}
