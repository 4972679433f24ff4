//! GetContextKeysForCustomPolicy: the condition keys that policies ask for.
//!
//! Source: AWS IAM API reference, GetContextKeysForCustomPolicy. The policies may be of any kind;
//! keys are told as they are first written.

use serde_json::Value;

use super::simulation;
use crate::ops::authorize::Ask;
use crate::ops::fault::Fault;
use crate::ops::params;
use crate::ops::{Context, Effect, Operation, Service};
use crate::policy::{DocumentKind, Policy, simulate};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetContextKeysForCustomPolicy;

/// Which policies.
pub struct Request {
    policies: Vec<String>,
}

/// Their keys.
pub struct Response {
    keys: Vec<String>,
}

impl Operation for GetContextKeysForCustomPolicy {
    const NAME: &'static str = "GetContextKeysForCustomPolicy";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| {
            v.require_list("PolicyInputList");
            Request { policies: simulation::documents(v, "PolicyInputList") }
        })
    }

    fn describe(_: &Request) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let snapshot = context.services.directory.snapshot();
        let owner = context.identity()?.account();
        let ask = Ask { action: "iam:GetContextKeysForCustomPolicy", resource: "*", owner };
        context.authorize(&snapshot, &ask, |_| ())?;
        let policies = parse(&request.policies)?;
        let keys = simulate::condition_keys(&policies).into_iter().map(ToOwned::to_owned).collect();
        Ok(Response { keys })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.texts("ContextKeyNames", &response.keys);
    }
}

/// Parses policies of whatever kind they are.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn parse(texts: &[String]) -> Result<Vec<Policy>, Fault> {
    (texts.iter().zip(1_usize..))
        .map(|(text, number)| {
            any_kind(text)
                .map_err(|error| Fault::invalid_input(format!("PolicyInputList.{number}: {error}")))
        })
        .collect()
}

/// Parses a policy of whatever kind it is; what is wrong with it as an identity policy, if it is of
/// none.
fn any_kind(text: &str) -> Result<Policy, crate::policy::ParseError> {
    Policy::parse(text, DocumentKind::Identity).or_else(|error| {
        Policy::parse(text, DocumentKind::Resource)
            .or_else(|_| Policy::parse(text, DocumentKind::Trust))
            .map_err(|_| error)
    })
}
