//! GetSessionToken: session credentials of the calling user itself, or of the root user.
//!
//! No policy is asked: a user needs no permission for it. Only a long-term key may call it. The
//! session may do what its user may, but for IAM and most of STS: see
//! [`credentials`](crate::ops::credentials). Whoever shows a second factor has it in the session, with
//! its age.
//!
//! Source: AWS STS API reference, GetSessionToken.

use serde_json::{Value, json};

use super::second_factor::SecondFactor;
use super::session_input;
use crate::authn::PrincipalEntity;
use crate::ops::fault::Fault;
use crate::ops::params;
use crate::ops::{Context, Effect, Operation, Service};
use crate::seal::claims::{PrincipalClaim, PrincipalKind};
use crate::sessions::{Draft, Minted, mint};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Seconds of a session when none are asked for: twelve hours.
const DEFAULT_DURATION: i64 = 43_200;
/// The longest session of a root user: more than an hour asked for is an hour.
const MAX_OF_ROOT: i64 = 3600;

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
            duration: v.integer("DurationSeconds", 900..=129_600).unwrap_or(DEFAULT_DURATION),
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
        let identity = context.identity()?;
        let (kind, longest) = match identity.principal() {
            PrincipalEntity::User(_) => (PrincipalKind::User, i64::MAX),
            PrincipalEntity::Root(_) => (PrincipalKind::Root, MAX_OF_ROOT),
            PrincipalEntity::Role(_) | PrincipalEntity::Federated(_) => return Err(refused()),
        };
        if identity.session().is_some() {
            return Err(refused());
        }
        let mfa_at = request.second_factor.check(context).await?;
        let snapshot = context.services.directory.snapshot();
        context.still_standing(&snapshot)?;
        let now = context.facts.now.floor_secs();
        let draft = Draft {
            principal: PrincipalClaim {
                kind,
                account: identity.account(),
                id: identity.unique_id(),
                arn: identity.arn(),
            },
            ancestors: identity.chain(now, snapshot.version()),
            issued_at: now,
            expires_at: now.plus_secs(request.duration.min(longest)),
            version: snapshot.version(),
            epoch: snapshot.epoch(),
            session_name: String::new(),
            source_identity: None,
            tags: Vec::new(),
            policies: None,
            mfa_at,
            federated: None,
        };
        let services = context.services;
        mint(
            &services.keyring,
            &*services.ledger,
            &*services.random,
            draft,
            request.minimum_token_size,
        )
        .await
        .map_err(session_input::mint_fault)
    }

    fn outcome(minted: &Minted) -> Value {
        json!({ "credentials": session_input::described(minted) })
    }

    fn write(minted: &Minted, xml: &mut Xml) {
        session_input::write_credentials(minted, xml);
        session_input::write_sizes(minted, xml);
    }
}

fn refused() -> Fault {
    Fault::access_denied("Cannot call GetSessionToken with session credentials")
}
