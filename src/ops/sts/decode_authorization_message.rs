//! DecodeAuthorizationMessage: why a request was refused.
//!
//! Source: AWS STS API reference, DecodeAuthorizationMessage. Whoever may call it may open the
//! messages of its own account's principals, and no others: a message tells what a principal's
//! request and policies were like, which is nobody else's business.

use serde_json::Value;

use crate::ops::authorize::Ask;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service};
use crate::seal::message;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct DecodeAuthorizationMessage;

/// The message.
pub struct Request {
    encoded: String,
}

/// What it says.
pub struct Response {
    decoded: String,
}

impl Operation for DecodeAuthorizationMessage {
    const NAME: &'static str = "DecodeAuthorizationMessage";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            encoded: v.required("EncodedMessage", &rules::ENCODED_MESSAGE).to_owned(),
        })
    }

    fn describe(_: &Request) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let snapshot = context.services.directory.snapshot();
        let owner = context.identity()?.account();
        let ask = Ask { action: "sts:DecodeAuthorizationMessage", resource: "*", owner };
        context.authorize(&snapshot, &ask, |_| ())?;
        let decoded =
            message::open(&context.services.keyring, owner, &request.encoded).map_err(|error| {
                let message = "Message is not valid.";
                Fault::new(FaultCode::InvalidAuthorizationMessage, message).with_note(error)
            })?;
        Ok(Response { decoded })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.text("DecodedMessage", &response.decoded);
    }
}
