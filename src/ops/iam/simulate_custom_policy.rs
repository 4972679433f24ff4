//! SimulateCustomPolicy: what policies would decide, without writing them anywhere.
//!
//! Source: AWS IAM API reference, SimulateCustomPolicy; IAM User Guide, "Policy simulator".
//!
//! A caller that is not named by `CallerArn` is a user of the account that asks. Keys that follow
//! from who the caller is (`aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`,
//! `aws:username`) are there without being given; every other key is what `ContextEntries` says.
//! `ResourceHandlingOption`, which chooses among scenarios of EC2, is refused.

use serde_json::{Value, json};

use super::page::{Page, Paging, by_place};
use super::simulation::{self, Asked, Evaluated, Known};
use crate::ops::authorize::Ask;
use crate::ops::fault::Fault;
use crate::ops::params;
use crate::ops::{Context, Effect, Operation, Service};
use crate::policy::DocumentKind;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct SimulateCustomPolicy;

/// Which policies, and what is asked of them.
pub struct Request {
    identity: Vec<String>,
    asked: Asked,
    paging: Paging,
}

impl Operation for SimulateCustomPolicy {
    const NAME: &'static str = "SimulateCustomPolicy";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Read;
    type Request = Request;
    type Response = Page<Evaluated>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            identity: {
                v.require_list("PolicyInputList");
                simulation::documents(v, "PolicyInputList")
            },
            asked: Asked::read_organized(v),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "actionNames": request.asked.actions, "resourceArns": request.asked.resources })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Page<Evaluated>, Fault> {
        let account = context.identity()?.account();
        let snapshot = context.services.directory.snapshot();
        let ask = Ask { action: "iam:SimulateCustomPolicy", resource: "*", owner: account };
        context.authorize(&snapshot, &ask, |_| ())?;
        drop(snapshot);
        let caller = match request.asked.caller()? {
            Some(caller) => caller,
            None => request.asked.somebody(account)?,
        };
        let identity =
            simulation::sources("PolicyInputList", &request.identity, DocumentKind::Identity)?;
        let prepared = request.asked.prepare(&caller, account, identity, Known::default())?;
        let (pairs, weight) = (by_place(prepared.pairs()), prepared.weight());
        let page = request.paging.page_weighed::<Self, _>(context, "", pairs, |_| weight)?;
        Ok(page.map(|(action, resource)| prepared.evaluate(action, resource)))
    }

    fn write(response: &Page<Evaluated>, xml: &mut Xml) {
        xml.list("EvaluationResults", &response.items, |xml, result| result.write(xml));
        response.write_end(xml);
    }
}
