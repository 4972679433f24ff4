//! GetAccessKeyLastUsed: when, where and for what a long-term key signed last.
//!
//! Source: AWS IAM API reference, GetAccessKeyLastUsed.

use serde_json::{Value, json};

use super::access;
use crate::arn;
use crate::directory::{Use, Used, User};
use crate::id::{AccessKeyId, UniqueId};
use crate::ops::authorize::Ask;
use crate::ops::fault::{Entity, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation, context};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

use super::kind::constants;

/// The operation.
pub struct GetAccessKeyLastUsed;

/// Which key.
pub struct Request {
    key: String,
}

/// Whose key it is, and its last use.
pub struct Response {
    user: Option<String>,
    last: Option<Use>,
}

impl Operation for GetAccessKeyLastUsed {
    constants!(Read "GetAccessKeyLastUsed");
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            key: v.required("AccessKeyId", &rules::ACCESS_KEY_ID).to_owned(),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "accessKeyId": request.key })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let state = context.services.directory.snapshot();
        let identity = context.identity()?;
        let account = identity.account();
        let key = AccessKeyId::parse(&request.key).ok();
        let is_root = key
            .and_then(|id| state.access_key(&id))
            .is_some_and(|key| key.user == UniqueId::of_root(account));
        if is_root && identity.task_policy().is_some() {
            access::person_or_caller::<Self>(context, &state, None)?;
            let last = key.and_then(|key| context.services.directory.uses().last(Used::Key(key)));
            return Ok(Response { user: None, last });
        }
        let owner: Option<&std::sync::Arc<User>> = key
            .and_then(|id| state.access_key(&id))
            .and_then(|key| state.user(&key.user))
            .filter(|user| user.account == account);
        // A key that is nobody's is asked about as if it could be any user's.
        let resource = owner.map_or_else(|| arn::iam(account, "user", "/", "*"), |user| user.arn());
        let action = access::action(Self::NAME);
        let ask = Ask { action: &action, resource: &resource, owner: account };
        context.authorize_shown(&state, &ask, &format!("access key {}", request.key), |keys| {
            if let Some(owner) = owner {
                context::add_resource_tags(keys, &owner.tags);
            }
        })?;
        let (Some(key), Some(owner)) = (key, owner) else {
            return Err(Fault::no_such_entity(Entity::AccessKey, &request.key));
        };
        let last = context.services.directory.uses().last(Used::Key(key));
        Ok(Response { user: Some(owner.name.clone()), last })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.optional("UserName", response.user.as_ref());
        xml.element("AccessKeyLastUsed", |xml| {
            if let Some(last) = &response.last {
                xml.time("LastUsedDate", last.at.floor_secs());
            }
            let last = response.last.as_ref();
            xml.text("ServiceName", last.map_or("N/A", |last| &last.service));
            xml.text("Region", last.map_or("N/A", |last| &last.region));
        });
    }
}
