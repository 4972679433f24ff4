//! GetContextKeysForPrincipalPolicy: the condition keys that the policies of a user, group or role
//! ask for.
//!
//! Source: AWS IAM API reference, GetContextKeysForPrincipalPolicy. A user's groups and a boundary
//! count; what the organization says does not, for it is not the account's to read.

use serde_json::{Value, json};

use super::get_context_keys_for_custom_policy::parse;
use super::kind::constants;
use super::principal_policies::PrincipalPolicies;
use super::simulation;
use super::source::SourceArn;
use crate::ops::fault::Fault;
use crate::ops::{Context, Operation, params};
use crate::policy::simulate;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetContextKeysForPrincipalPolicy;

/// Whose policies, and which more.
pub struct Request {
    source: SourceArn,
    more: Vec<String>,
}

/// Their keys.
pub struct Response {
    keys: Vec<String>,
}

impl Operation for GetContextKeysForPrincipalPolicy {
    constants!(Read "GetContextKeysForPrincipalPolicy");
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            source: SourceArn::read(v, "PolicySourceArn"),
            more: simulation::documents(v, "PolicyInputList"),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "policySourceArn": request.source.text() })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let state = context.services.directory.snapshot();
        let source = request.source.find::<Self>(context, &state)?;
        let more = parse(&request.more)?;
        let own = PrincipalPolicies::gather(&state, &source);
        let keys = simulate::condition_keys(own.all().chain(&more));
        Ok(Response { keys: keys.into_iter().map(ToOwned::to_owned).collect() })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.texts("ContextKeyNames", &response.keys);
    }
}
