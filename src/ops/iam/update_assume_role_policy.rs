//! UpdateAssumeRolePolicy: who may assume a role from now on. Its sessions stay.
//!
//! Source: AWS IAM API reference, UpdateAssumeRolePolicy.

use serde_json::{Value, json};

use super::{access, trust};
use crate::directory::{Entity, Role};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;

/// The operation.
pub struct UpdateAssumeRolePolicy;

/// Which role, and its new trust policy.
pub struct Request {
    name: String,
    trust: String,
}

impl Operation for UpdateAssumeRolePolicy {
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.required("RoleName", &rules::USER_OR_ROLE_NAME).to_owned(),
            trust: v.required("PolicyDocument", &rules::POLICY_DOCUMENT).to_owned(),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "roleName": request.name, "policyDocument": request.trust })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let name = &request.name;
                let role = access::existing::<Self, Role>(context, tx.state(), name, |_, _| ())?;
                let trust = trust::parse(context.services.iam, tx.state(), &request.trust)?;
                tx.put(Entity::Role(Role { trust, ..Role::clone(&role) }));
                Ok(())
            })
            .await
    }
}
