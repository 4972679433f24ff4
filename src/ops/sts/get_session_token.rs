//! GetSessionToken: session credentials of the calling user itself, or of the root user.
//!
//! No policy is asked: a user needs no permission for it. Only a long-term key may call it. The
//! session may do what its user may, but for IAM and most of STS: see
//! [`credentials`](crate::ops::credentials). Whoever shows a second factor has it in the session, with
//! its age.
//!
//! Source: AWS STS API reference, GetSessionToken.

use serde_json::{Value, json};

use super::long_term::{self, Maker};
use super::second_factor::SecondFactor;
use super::session_input;
use crate::ops::fault::Fault;
use crate::ops::params;
use crate::ops::{Context, Effect, Operation, Service};
use crate::seal::claims::PrincipalClaim;
use crate::sessions::{Draft, Minted};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetSessionToken;

/// What is asked for.
pub struct Request {
    duration: i64,
    second_factor: SecondFactor,
    minimum_token_size: usize,
}

impl Operation for GetSessionToken {
    const NAME: &'static str = "GetSessionToken";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Mint;
    type Request = Request;
    type Response = Minted;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| Request {
            duration: long_term::duration(v),
            second_factor: SecondFactor::read(v),
            minimum_token_size: session_input::minimum_token_size(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({
            "durationSeconds": request.duration,
            "serialNumber": request.second_factor.serial_number(),
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Minted, Fault> {
        let maker = Maker::of::<Self>(context)?;
        let identity = maker.identity;
        let mfa_at = request.second_factor.check(context).await?;
        let snapshot = context.services.directory.snapshot();
        context.still_standing(&snapshot)?;
        let now = context.facts.now.floor_secs();
        let draft = Draft {
            principal: PrincipalClaim {
                kind: maker.kind,
                account: identity.account(),
                id: identity.unique_id(),
                arn: identity.arn(),
            },
            ancestors: identity.chain(now, snapshot.version()),
            issued_at: now,
            expires_at: maker.end(now, request.duration),
            version: snapshot.version(),
            epoch: snapshot.epoch(),
            session_name: String::new(),
            source_identity: None,
            tags: Vec::new(),
            policies: None,
            mfa_at,
            federated: None,
        };
        session_input::mint(context, draft, request.minimum_token_size).await
    }

    fn outcome(minted: &Minted) -> Value {
        json!({ "credentials": session_input::described(minted) })
    }

    fn write(minted: &Minted, xml: &mut Xml) {
        session_input::write_credentials(minted, xml);
        session_input::write_sizes(minted, xml);
    }
}
