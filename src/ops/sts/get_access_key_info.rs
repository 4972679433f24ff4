//! GetAccessKeyInfo: whose account is this access key of? The ID itself says it.
//!
//! Source: AWS STS API reference, GetAccessKeyInfo.

use serde_json::{Value, json};

use crate::id::AccessKeyId;
use crate::ops::authorize::Ask;
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetAccessKeyInfo;

/// The key in question.
pub struct Request {
    access_key_id: String,
}

/// Its account.
pub struct Response {
    account: String,
}

impl Operation for GetAccessKeyInfo {
    const NAME: &'static str = "GetAccessKeyInfo";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            access_key_id: v.required("AccessKeyId", &rules::ACCESS_KEY_ID).to_owned(),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "accessKeyId": request.access_key_id })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let snapshot = context.services.directory.snapshot();
        let owner = context.identity()?.account();
        let ask = Ask { action: "sts:GetAccessKeyInfo", resource: "*", owner };
        context.authorize(&snapshot, &ask, |_| ())?;
        // Only accounts that exist: an ID of a made-up account names nobody here.
        let account = AccessKeyId::parse(&request.access_key_id)
            .ok()
            .map(|id| id.account())
            .filter(|account| snapshot.account(*account).is_some())
            .ok_or_else(|| Fault::validation("Access key ID is invalid."))?;
        Ok(Response { account: account.to_string() })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.text("Account", &response.account);
    }
}
