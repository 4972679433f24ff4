//! ListAccessKeys: a user's long-term keys, without their secrets.
//!
//! Source: AWS IAM API reference, ListAccessKeys.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::page::{Page, Paging};
use crate::directory::AccessKey;
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct ListAccessKeys;

/// Whose.
pub struct Request {
    user: Option<String>,
    paging: Paging,
}

/// Keys of one user.
pub struct Response {
    /// A root user has no name.
    user: Option<String>,
    page: Page<Arc<AccessKey>>,
}

impl Operation for ListAccessKeys {
    const NAME: &'static str = "ListAccessKeys";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            user: v.optional("UserName", &rules::NAME).map(ToOwned::to_owned),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "userName": request.user })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let state = context.services.directory.snapshot();
        let user = access::person_or_caller::<Self>(context, &state, request.user.as_deref())?;
        let id = user.id();
        let keys = state.access_keys_of(id).map(|key| (key.id.to_string(), Arc::clone(key)));
        let page = request.paging.page::<Self, _>(context, id.as_str(), keys)?;
        Ok(Response { user: user.name().map(ToOwned::to_owned), page })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.list("AccessKeyMetadata", &response.page.items, |xml, key| {
            xml.optional("UserName", response.user.as_ref());
            xml.text("AccessKeyId", key.id.as_str());
            xml.text("Status", key.status.as_str());
            xml.time("CreateDate", key.created_at);
        });
        response.page.write_end(xml);
    }
}
