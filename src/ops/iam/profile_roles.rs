//! The role of an instance profile: one at most.
//!
//! Source: AWS IAM API reference, AddRoleToInstanceProfile, RemoveRoleFromInstanceProfile: whoever
//! adds a role must be allowed to pass it (`iam:PassRole`) to `ec2.amazonaws.com`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kind::constants;
use super::quotas::Quota;
use super::{access, kind::Kind as _};
use crate::directory::{Entity, InstanceProfile, Role, Snapshot};
use crate::id::AccountId;
use crate::ops::authorize::Ask;
use crate::ops::fault::{self, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation, context};
use crate::policy::Value as KeyValue;
use crate::wire::query::Params;

/// Where the roles of instance profiles go.
const PASSED_TO: &str = "ec2.amazonaws.com";

/// The operation AddRoleToInstanceProfile.
pub struct AddRoleToInstanceProfile;
/// The operation RemoveRoleFromInstanceProfile.
pub struct RemoveRoleFromInstanceProfile;

/// Which role, and which profile.
pub struct Request {
    profile: String,
    role: String,
}

impl Request {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            profile: v.required("InstanceProfileName", &rules::NAME).to_owned(),
            role: v.required("RoleName", &rules::USER_OR_ROLE_NAME).to_owned(),
        })
    }

    fn describe(&self) -> Value {
        json!({ "instanceProfileName": self.profile, "roleName": self.role })
    }

    fn profile<O: Operation>(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
    ) -> Result<Arc<InstanceProfile>, Fault> {
        access::existing::<O, InstanceProfile>(context, state, &self.profile, |_, _| ())
    }

    /// The role, for a caller who may pass it.
    fn passed(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
        account: AccountId,
    ) -> Result<Arc<Role>, Fault> {
        let role = Role::named(state, account, &self.role);
        let resource =
            role.as_ref().map_or_else(|| Role::asked_arn(account, &self.role), |role| role.arn());
        let ask = Ask { action: "iam:PassRole", resource: &resource, owner: account };
        context.authorize_shown(state, &ask, &format!("role {}", self.role), |keys| {
            keys.insert("iam:PassedToService", KeyValue::One(PASSED_TO.to_owned()));
            if let Some(role) = &role {
                context::add_resource_tags(keys, &role.tags);
            }
        })?;
        role.ok_or_else(|| Role::missing(&self.role))
    }
}

impl Operation for AddRoleToInstanceProfile {
    constants!(Write "AddRoleToInstanceProfile", no result);
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        Request::read(params)
    }

    fn describe(request: &Request) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let found = request.profile::<Self>(context, tx.state())?;
                let role = request.passed(context, tx.state(), found.account)?;
                let there = usize::from(found.role.is_some());
                Quota { name: "InstanceSessionsPerInstanceProfile", limit: 1 }.check(there + 1)?;
                let profile = InstanceProfile::clone(&found);
                tx.put(Entity::InstanceProfile(InstanceProfile { role: Some(role.id), ..profile }));
                Ok(())
            })
            .await
    }
}

impl Operation for RemoveRoleFromInstanceProfile {
    constants!(Write "RemoveRoleFromInstanceProfile", no result);
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        Request::read(params)
    }

    fn describe(request: &Request) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let found = request.profile::<Self>(context, tx.state())?;
                let role = tx.state().role_named(found.account, &request.role).map(|role| role.id);
                if role.is_none() || found.role != role {
                    return Err(Fault::no_such_entity(fault::Entity::Role, &request.role));
                }
                let profile = InstanceProfile::clone(&found);
                tx.put(Entity::InstanceProfile(InstanceProfile { role: None, ..profile }));
                Ok(())
            })
            .await
    }
}
