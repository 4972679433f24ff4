//! CreateRole: a new role, and who may assume it.
//!
//! Source: AWS IAM API reference, CreateRole.

use serde_json::{Value, json};

use super::access::{self, New};
use super::{boundary, get_role, tags, trust, xml};
use crate::directory::entities::Policies;
use crate::directory::{Entity, Role, Tag};
use crate::id::{UniqueId, UniqueKind};
use crate::ops::fault::Fault;
use crate::ops::params::{self, Validator, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Seconds of a role's longest session when nobody says: an hour.
pub const DEFAULT_MAX_SESSION: u32 = 3600;

/// The operation.
pub struct CreateRole;

/// The role that is wanted.
pub struct Request {
    name: String,
    path: String,
    trust: String,
    description: Option<String>,
    max_session: u32,
    boundary: Option<String>,
    tags: Vec<Tag>,
}

/// Reads `MaxSessionDuration`, in seconds: an hour to twelve.
pub fn max_session(v: &mut Validator<'_, '_>) -> u32 {
    v.integer("MaxSessionDuration", 3600..=43_200)
        .and_then(|seconds| u32::try_from(seconds).ok())
        .unwrap_or(DEFAULT_MAX_SESSION)
}

impl Operation for CreateRole {
    const NAME: &'static str = "CreateRole";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    type Request = Request;
    type Response = get_role::Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        let request = params::read(params, |v| Request {
            name: v.required("RoleName", &rules::USER_OR_ROLE_NAME).to_owned(),
            path: v.optional("Path", &rules::PATH).unwrap_or("/").to_owned(),
            trust: v.required("AssumeRolePolicyDocument", &rules::POLICY_DOCUMENT).to_owned(),
            description: v.optional("Description", &rules::DESCRIPTION).map(ToOwned::to_owned),
            max_session: max_session(v),
            boundary: v.optional("PermissionsBoundary", &rules::ARN).map(ToOwned::to_owned),
            tags: tags::owned(&v.tags("Tags")),
        })?;
        tags::check(&request.tags)?;
        Ok(request)
    }

    fn describe(request: &Request) -> Value {
        json!({
            "roleName": request.name,
            "path": request.path,
            "assumeRolePolicyDocument": request.trust,
            "description": request.description,
            "maxSessionDuration": request.max_session,
            "permissionsBoundary": request.boundary,
            "tags": xml::told_tags(&request.tags),
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<get_role::Response, Fault> {
        let random = &*context.services.random;
        let id = UniqueId::generate(UniqueKind::Role, random).map_err(Fault::internal)?;
        context
            .change(|tx| {
                let new = New {
                    path: &request.path,
                    name: &request.name,
                    tags: &request.tags,
                    boundary: request.boundary.as_deref(),
                };
                let account = access::to_create::<Self, Role>(context, tx.state(), &new)?;
                boundary::check(tx.state(), account, new.boundary)?;
                let role = Role {
                    id,
                    account,
                    trust: trust::parse(context.services.iam, tx.state(), &request.trust)?,
                    name: request.name,
                    path: request.path,
                    description: request.description,
                    max_session_duration: request.max_session,
                    created_at: context.facts.now.floor_secs(),
                    tags: request.tags,
                    policies: Policies { boundary: request.boundary, ..Policies::default() },
                    revoked: None,
                };
                tx.put(Entity::Role(role.clone()));
                Ok(get_role::Response::of(tx.state(), role.into()))
            })
            .await
    }

    fn outcome(response: &get_role::Response) -> Value {
        json!({ "role": xml::told_role(&response.role) })
    }

    fn write(response: &get_role::Response, xml: &mut Xml) {
        response.write(xml);
    }
}
