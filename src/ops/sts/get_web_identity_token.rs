//! GetWebIdentityToken: a signed token about the caller, for somebody outside who verifies it with
//! the public keys of the account's issuer.
//!
//! Source: AWS STS API reference, GetWebIdentityToken; IAM User Guide, "Understanding token claims",
//! "Controlling access with IAM policies" (outbound identity federation).
//!
//! # Who gets one
//!
//! The caller's account has enabled it. Its policies allow `sts:GetWebIdentityToken`, and where the
//! request has tags also `sts:TagGetWebIdentityToken`. A token does not outlive the session that
//! asked for it.
//!
//! INVARIANT: who the token is about, and everything that it says of them, is what the directory and
//! the caller's verified session say. Of the request there are the audience and, under a name of
//! their own (`request_tags`), the tags.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::authn::Identity;
use crate::directory::{Snapshot, TokenIssuer};
use crate::federation::oidc::{Algorithm, MAX_TOKEN};
use crate::id::{AccountId, RequestId};
use crate::ops::authorize::Ask;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, TagFault, Text, check_tag_keys};
use crate::ops::{Context, Effect, Operation, Service, context, issuer};
use crate::policy::{Context as Keys, Value as KeyValue};
use crate::time::Timestamp;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Seconds that a token lives when none are asked for.
const DEFAULT_DURATION: i64 = 300;
/// `Audience.member.N`
const AUDIENCE: Text = Text::any(1, 1000);
/// `SigningAlgorithm`
const ALGORITHM: Text = Text::any(5, 5);
/// What AWS's own claims stand under.
const NAMESPACE: &str = "https://sts.amazonaws.com/";

/// The operation.
pub struct GetWebIdentityToken;

/// What is asked for.
pub struct Request {
    audience: Vec<String>,
    algorithm: String,
    duration: i64,
    tags: Vec<(String, String)>,
}

/// The token.
pub struct Response {
    token: Zeroizing<String>,
    expires_at: Timestamp,
    id: String,
    issuer: String,
    kid: String,
}

impl Operation for GetWebIdentityToken {
    const NAME: &'static str = "GetWebIdentityToken";
    const SERVICE: Service = Service::Sts;
    const EFFECT: Effect = Effect::Mint;
    type Request = Request;
    type Response = Response;

    fn read(params: &Params) -> Result<Request, Fault> {
        let request = params::read(params, |v| Request {
            audience: v
                .required_texts("Audience", 1..=10, &AUDIENCE)
                .into_iter()
                .map(ToOwned::to_owned)
                .collect(),
            algorithm: v.required("SigningAlgorithm", &ALGORITHM).to_owned(),
            duration: v.integer("DurationSeconds", 60..=3600).unwrap_or(DEFAULT_DURATION),
            tags: v
                .tags("Tags")
                .into_iter()
                .map(|tag| (tag.key.to_owned(), tag.value.to_owned()))
                .collect(),
        })?;
        check_tag_keys(request.tags.iter().map(|(key, _)| key.as_str()), TagFault::Sts)?;
        Ok(request)
    }

    fn describe(request: &Request) -> Value {
        json!({
            "audience": request.audience,
            "signingAlgorithm": request.algorithm,
            "durationSeconds": request.duration,
            "tags": request.tags.iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect::<Vec<_>>(),
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Response, Fault> {
        let identity = context.identity()?;
        let account = identity.account();
        let algorithm = match request.algorithm.as_str() {
            "ES384" => Algorithm::Es384,
            "RS256" => Algorithm::Rs256,
            _ => return Err(Fault::validation("SigningAlgorithm must be RS256 or ES384.")),
        };
        authorize(context, account, &request)?;
        let services = context.services;
        let issuer = enabled(&services.directory.snapshot(), account)?;
        issuer::rotate(context, account, &issuer).await;
        // Disabled meanwhile, or with the next key; and the caller may have been revoked.
        let snapshot = services.directory.snapshot();
        context.still_standing(&snapshot)?;
        let issuer = enabled(&snapshot, account)?;
        let url = issuer::url(services, account, issuer.id).ok_or_else(|| {
            Fault::unavailable("issuer.url is not set, but an account has an issuer")
        })?;

        let now = context.facts.now.floor_secs();
        let expires_at = now.plus_secs(request.duration);
        if identity.session().is_some_and(|session| session.claims().expires_at < expires_at) {
            return Err(Fault::new(
                FaultCode::SessionDurationEscalation,
                "The requested token duration would extend the session beyond its original \
                 expiration time.",
            ));
        }
        let id = RequestId::generate(&*services.random).map_err(Fault::internal)?.to_string();
        let claims = claims((context, &snapshot), identity, &request, &url, &id, (now, expires_at));
        let own;
        let key = if algorithm == Algorithm::Rs256 {
            services.issuer.rsa().first().ok_or_else(|| {
                Fault::validation(
                    "This deployment has no RSA key to sign with: ask for ES384, or have its \
                     operator set issuer.rsa_keys.",
                )
            })?
        } else {
            own = issuer::signing_key(services, account, &issuer, now)?;
            &own
        };
        let kid = key.public().kid().to_owned();
        let token = key.sign(&claims).map_err(Fault::internal)?;
        let token = Zeroizing::new(token);
        if token.len() > MAX_TOKEN {
            return Err(Fault::new(
                FaultCode::JwtPayloadSizeExceeded,
                format!("The token would have more than {MAX_TOKEN} characters."),
            ));
        }
        Ok(Response { token, expires_at, id, issuer: url, kid })
    }

    fn outcome(response: &Response) -> Value {
        json!({
            "jti": response.id,
            "issuer": response.issuer,
            "keyId": response.kid,
            "expiration": response.expires_at.to_rfc3339(),
        })
    }

    fn write(response: &Response, xml: &mut Xml) {
        xml.text("WebIdentityToken", &response.token);
        xml.time("Expiration", response.expires_at);
    }
}

fn authorize(context: &Context<'_>, owner: AccountId, request: &Request) -> Result<(), Fault> {
    let snapshot = context.services.directory.snapshot();
    let add = |keys: &mut Keys| {
        let one = |text: String| KeyValue::One(text);
        keys.insert("sts:IdentityTokenAudience", KeyValue::Many(request.audience.clone()));
        keys.insert("sts:SigningAlgorithm", one(request.algorithm.clone()));
        keys.insert("sts:DurationSeconds", one(request.duration.to_string()));
        let tags = request.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        context::add_request_tags(keys, tags);
    };
    let ask = Ask { action: "sts:GetWebIdentityToken", resource: "*", owner };
    context.authorize(&snapshot, &ask, add)?;
    if !request.tags.is_empty() {
        let ask = Ask { action: "sts:TagGetWebIdentityToken", ..ask };
        context.authorize(&snapshot, &ask, add)?;
    }
    Ok(())
}

fn enabled(snapshot: &Snapshot, account: AccountId) -> Result<TokenIssuer, Fault> {
    let issuer = snapshot.account(account).and_then(|account| account.token_issuer.clone());
    issuer.filter(|issuer| issuer.enabled).ok_or_else(|| {
        Fault::new(
            FaultCode::OutboundWebIdentityFederationDisabled,
            "The outbound web identity federation feature is not enabled for this account.",
        )
    })
}

/// What the token says. Claims that have no value are not there.
fn claims(
    (context, snapshot): (&Context<'_>, &Snapshot),
    identity: &Identity,
    request: &Request,
    issuer: &str,
    id: &str,
    (now, expires_at): (Timestamp, Timestamp),
) -> Value {
    let account = identity.account();
    let mut own = Map::new();
    own.insert("aws_account".to_owned(), account.to_string().into());
    own.insert("source_region".to_owned(), context.facts.region.as_str().into());
    let organized = snapshot.organized();
    if let Some((organization, member)) =
        organized.organization_of(account).zip(organized.member(account))
    {
        own.insert("org_id".to_owned(), organization.id.to_string().into());
        if let Some(path) = organized.path_text(member.parent) {
            own.insert("ou_path".to_owned(), path.into());
        }
    }
    let tags = context::principal_tags(identity);
    if !tags.is_empty() {
        own.insert("principal_tags".to_owned(), object(tags));
    }
    if let Some(session) = identity.session() {
        let claims = session.claims();
        own.insert("original_session_exp".to_owned(), claims.expires_at.to_rfc3339().into());
        if let Some(source_identity) = &claims.source_identity {
            own.insert("source_identity".to_owned(), source_identity.clone().into());
        }
        if let Some(federated) = context::vouched(claims) {
            own.insert("federated_provider".to_owned(), federated.arn.clone().into());
        }
    }
    if !request.tags.is_empty() {
        own.insert("request_tags".to_owned(), object(request.tags.iter().cloned()));
    }
    let audience = match request.audience.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    json!({
        "iss": issuer,
        "sub": identity.principal_arn(),
        "aud": audience,
        "iat": now.secs(),
        "exp": expires_at.secs(),
        "jti": id,
        NAMESPACE: own,
    })
}

fn object(tags: impl IntoIterator<Item = (String, String)>) -> Value {
    tags.into_iter().map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>().into()
}
