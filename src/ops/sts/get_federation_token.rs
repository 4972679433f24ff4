//! GetFederationToken: session credentials of somebody to whom the calling user, or the root user,
//! gives a name and some of its own rights.
//!
//! The session may do what both its maker and the session policies may. Without a session policy it
//! may nothing, but for what resources' own policies give to it by its ARN. The maker needs
//! `sts:GetFederationToken` on that ARN, and `sts:TagSession` for tags. Only a long-term key may call
//! it: see [`credentials`](crate::ops::credentials).
//!
//! INVARIANT: the maker is an ancestor of the session by its key, and its policies are those of each
//! use: what ends or narrows the maker ends or narrows the session.
//!
//! Source: AWS STS API reference, GetFederationToken; IAM User Guide, "Permissions for
//! GetFederationToken".

use serde_json::{Value, json};

use super::long_term::{self, Maker};
use super::session_input::{self, SessionInput};
use crate::arn;
use crate::ops::authorize::Ask;
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Effect, Operation, Service, context};
use crate::policy::Context as Keys;
use crate::seal::claims::{PrincipalClaim, PrincipalKind};
use crate::sessions::{Draft, Minted};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetFederationToken;

/// What is asked for.
pub struct Request {
    name: String,
    duration: i64,
    input: SessionInput,
}

/// Session credentials, and whom they are of.
pub struct Response {
    minted: Minted,
    id: String,
    arn: String,
}

impl Operation for GetFederationToken {
    const NAME: &'static str = "GetFederationToken";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Mint;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            name: v.required("Name", &rules::FEDERATED_NAME).to_owned(),
            duration: long_term::duration(v),
            input: SessionInput::read_tagged(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({
            "name": request.name,
            "durationSeconds": request.duration,
            "policy": request.input.policy,
            "policyArns": request.input.policy_arns,
            "tags": request.input.tags,
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let draft = decide(context, &request)?;
        let account = draft.principal.account;
        let minted = session_input::mint(context, draft, request.input.minimum_token_size).await?;
        Ok(Response {
            minted,
            id: format!("{account}:{}", request.name),
            arn: arn::federated_user(account, &request.name),
        })
    }

    fn outcome(response: &Response) -> Value {
        json!({
            "credentials": session_input::described(&response.minted),
            "federatedUser": { "federatedUserId": response.id, "arn": response.arn },
            "packedPolicySize": response.minted.packed_policy_size,
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        session_input::write_credentials(&response.minted, xml);
        xml.element("FederatedUser", |xml| {
            xml.text("FederatedUserId", &response.id);
            xml.text("Arn", &response.arn);
        });
        session_input::write_sizes(&response.minted, xml);
    }
}

/// Everything that is decided before keys are drawn. Reads one snapshot.
fn decide(context: &Context<'_>, request: &Request) -> Result<Draft, Fault> {
    let maker = Maker::of::<GetFederationToken>(context)?;
    let identity = maker.identity;
    let snapshot = context.services.directory.snapshot();
    let tags = request.input.tags(&[])?;
    let account = identity.account();
    let resource = arn::federated_user(account, &request.name);
    let add_tags = |keys: &mut Keys| {
        let passed = request.input.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        context::add_request_tags(keys, passed);
    };
    let mut ask = Ask { action: "sts:GetFederationToken", resource: &resource, owner: account };
    context.authorize(&snapshot, &ask, add_tags)?;
    if !tags.is_empty() {
        ask.action = "sts:TagSession";
        context.authorize(&snapshot, &ask, add_tags)?;
    }
    let policies = request.input.policies(&snapshot, account)?;
    let now = context.facts.now.floor_secs();
    Ok(Draft {
        principal: PrincipalClaim {
            kind: PrincipalKind::FederatedUser,
            account,
            id: identity.unique_id(),
            arn: identity.arn(),
        },
        ancestors: identity.chain(now, snapshot.version()),
        issued_at: now,
        expires_at: maker.end(now, request.duration),
        version: snapshot.version(),
        epoch: snapshot.epoch(),
        session_name: request.name.clone(),
        source_identity: None,
        tags,
        policies,
        mfa_at: None,
        federated: None,
    })
}
