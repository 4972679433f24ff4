//! SimulatePrincipalPolicy: what a user, group or role may do.
//!
//! The decision is the one that a request of the principal would get now, as far as it is known:
//! its own policies, its groups', its boundary, the control policies of both sides, and the
//! condition keys that follow from who it is, where its account stands and what time it is. What
//! depends on the request (`aws:SourceIp`, `aws:SecureTransport` and the like) and on the session of
//! a role is what `ContextEntries` says, which goes before everything else. `CallerArn` asks as
//! another user who had these policies. A boundary that is given stands in for the principal's.
//!
//! INVARIANT (not denied is not allowed): a result tells of the tags and the ID of whoever asks, so
//! that a user of the account that `CallerArn` names has to be allowed to the caller, too.
//!
//! Source: AWS IAM API reference, SimulatePrincipalPolicy.

use serde_json::{Value, json};

use super::exclusions::{self, Exclusion};
use super::kind::constants;
use super::page::{Page, Paging, by_place};
use super::principal_policies::PrincipalPolicies;
use super::simulation::{self, Asked, Evaluated, Known};
use super::source::{self, Source, SourceArn};
use crate::directory::{Snapshot, Tag};
use crate::ops::fault::Fault;
use crate::ops::{Context, Operation, params};
use crate::policy::{self, Caller, DocumentKind, simulate};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The session name of a role that is simulated.
const SESSION_NAME: &str = "simulated";

/// The operation.
pub struct SimulatePrincipalPolicy;

/// Whose policies, which more, and what is asked of them.
pub struct Request {
    source: SourceArn,
    more: Vec<String>,
    excluded: Vec<Exclusion>,
    asked: Asked,
    paging: Paging,
}

impl Operation for SimulatePrincipalPolicy {
    constants!(Read "SimulatePrincipalPolicy");
    type Request = Request;
    type Response = Page<Evaluated>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            source: SourceArn::read(v, "PolicySourceArn"),
            more: simulation::documents(v, "PolicyInputList"),
            excluded: exclusions::read(v),
            asked: Asked::read(v),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({
            "policySourceArn": request.source.text(),
            "actionNames": request.asked.actions,
            "resourceArns": request.asked.resources,
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Page<Evaluated>, Fault> {
        let account = context.identity()?.account();
        let state = context.services.directory.snapshot();
        let source = request.source.find::<Self>(context, &state)?;
        let mut keys = policy::Context::at(context.facts.now);
        let caller = caller(context, &request.asked, &state, &source, &mut keys)?;
        let more = simulation::sources("PolicyInputList", &request.more, DocumentKind::Identity)?;
        let mut policies = PrincipalPolicies::gather(&state, &source);
        let without_scps = exclusions::leave_out(&request.excluded, &mut policies)?;
        let PrincipalPolicies { identity, boundary, names } = policies;
        let organized = Some((account, state.organized().clone()));
        let known = Known { identity, boundary, names, keys, organized, without_scps };
        let prepared = request.asked.prepare(&caller, account, more, known)?;
        let (pairs, weight) = (by_place(prepared.pairs()), prepared.weight());
        let page =
            request.paging.page_weighed::<Self, _>(context, &source.key(), pairs, |_| weight)?;
        Ok(page.map(|(action, resource)| prepared.evaluate(action, resource)))
    }

    fn write(response: &Page<Evaluated>, xml: &mut Xml) {
        xml.list("EvaluationResults", &response.items, |xml, result| result.write(xml));
        response.write_end(xml);
    }
}

/// Who asks, and the condition keys that follow from it.
fn caller(
    context: &Context<'_>,
    asked: &Asked,
    state: &Snapshot,
    source: &Source,
    keys: &mut policy::Context,
) -> Result<Caller, Fault> {
    let account = context.identity()?.account();
    let mut tagged = |tags: &[Tag]| {
        for tag in tags {
            let value = policy::Value::One(tag.value.clone());
            keys.insert(&format!("aws:PrincipalTag/{}", tag.key), value);
        }
    };
    let caller = match (asked.caller()?, source) {
        (Some(caller), _) => {
            let named = match &caller {
                Caller::User { account: of, arn, .. } if *of == account => {
                    source::asking::<SimulatePrincipalPolicy>(context, state, arn)?
                }
                _ => None,
            };
            match named {
                Some(user) => {
                    tagged(&user.tags);
                    Caller::User { account, id: user.id, arn: user.arn() }
                }
                None => caller,
            }
        }
        (None, Source::User(user)) => {
            tagged(&user.tags);
            Caller::User { account, id: user.id, arn: user.arn() }
        }
        (None, Source::Role(role)) => {
            asked.somebody(account)?;
            tagged(&role.tags);
            Caller::RoleSession {
                account,
                role_id: role.id,
                role_arn: role.arn(),
                session_name: SESSION_NAME.to_owned(),
                session_arn: crate::arn::assumed_role(account, &role.name, SESSION_NAME),
            }
        }
        (None, Source::Group(_)) => {
            // Whoever of its members: who, is not known.
            let one = |text: &str| policy::Value::One(text.to_owned());
            keys.insert("aws:PrincipalAccount", one(&account.to_string()));
            keys.insert("aws:PrincipalType", one("User"));
            return asked.somebody(account);
        }
    };
    if let Caller::User { id, .. } = &caller
        && state.user(id).is_some()
    {
        keys.insert("aws:userid", policy::Value::One(id.to_string()));
    }
    simulate::add_caller_keys(keys, &caller);
    Ok(caller)
}
