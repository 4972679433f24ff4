//! GetCallerIdentity: who am I? No policy is asked, not even one that denies.
//!
//! Source: AWS STS API reference, GetCallerIdentity.

use serde_json::{Value, json};

use crate::ops::fault::Fault;
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetCallerIdentity;

/// Who the caller is.
pub struct Response {
    user_id: String,
    account: String,
    arn: String,
}

impl Operation for GetCallerIdentity {
    const NAME: &'static str = "GetCallerIdentity";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Read;
    type Request = ();
    type Response = Response;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        json!({})
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Response, Fault> {
        let identity = context.identity()?;
        Ok(Response {
            user_id: identity.user_id(),
            account: identity.account().to_string(),
            arn: identity.arn(),
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.text("UserId", &response.user_id);
        xml.text("Account", &response.account);
        xml.text("Arn", &response.arn);
    }
}
