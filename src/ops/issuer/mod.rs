//! The other side of federation: accounts vouch for their own principals, by signed tokens that
//! anybody can verify.
//!
//! # Model
//!
//! Each account that enables it has an issuer: a URL below the deployment's, with a random ID, and
//! keys of its own for ES384, drawn here and sealed in the directory. The operator may give RSA keys
//! for RS256: ring draws none. Discovery document and key set of an issuer are public, and are all
//! that a verifier needs.
//!
//! Keys are replaced by use: the first token that is asked for after a key's time makes the next
//! one, which is published for a day before it signs ([`directory::issuer`](crate::directory::issuer)).
//!
//! Disabling an issuer takes its keys out of what it publishes, and destroys those that are its
//! own. Enabling it again makes another: so keys are replaced at once.
//!
//! INVARIANT: a key of one account's issuer never signs for another: keys are sealed for their
//! issuer, and a token's `iss` is that of the key's owner. The RSA keys are the deployment's, which
//! writes every `iss` itself.
//!
//! Source: AWS IAM User Guide, "Outbound identity federation"; OpenID Connect Discovery 1.0.

mod settings;

use serde_json::{Value, json};

pub use settings::{Issuer, OpenError, Settings};

use super::fault::Fault;
use super::{Context, Services};
use crate::directory::issuer::PUBLISH_AHEAD;
use crate::directory::{Account, Entity, IssuerKey, Snapshot, TokenIssuer};
use crate::federation::oidc::{Algorithm, PublicJwk, SigningKey};
use crate::id::{AccountId, IssuerId};
use crate::seal::issuer_key::{self, Place};
use crate::time::Timestamp;

/// What stands between the deployment's URL and an issuer's account.
pub const PATH: &str = "/issuers/";

/// The URL of an account's issuer: the `iss` of its tokens. `None`: the deployment has none.
pub fn url(services: &Services, account: AccountId, issuer: IssuerId) -> Option<String> {
    services.issuer.url().map(|url| format!("{url}{PATH}{account}/{issuer}"))
}

/// Whether this is an issuer of this deployment, whoever's.
///
/// INVARIANT (revocation is complete): a token of one is no proof here. Shown to the deployment that
/// made it, it would give a session that does not end with the one it came from.
pub fn is_own(services: &Services, issuer: &str) -> bool {
    services.issuer.url().is_some_and(|url| {
        let below = issuer.strip_prefix(url.trim_end_matches('/'));
        below.is_some_and(|path| path.starts_with(PATH))
    })
}

/// Draws a key.
pub fn draw(
    services: &Services,
    account: AccountId,
    issuer: IssuerId,
    created_at: Timestamp,
    signs_from: Timestamp,
) -> Result<IssuerKey, Fault> {
    let pkcs8 = SigningKey::generate(Algorithm::Es384).map_err(Fault::internal)?;
    let key = SigningKey::from_pkcs8(Algorithm::Es384, &pkcs8).map_err(Fault::internal)?;
    let kid = key.public().kid().to_owned();
    let place = Place { account, issuer, kid: &kid };
    let sealed = issuer_key::seal(&services.keyring, place, &pkcs8, &*services.random)
        .map_err(Fault::internal)?;
    let jwk = serde_json::to_string(key.public()).map_err(Fault::internal)?;
    Ok(IssuerKey { kid, sealed, jwk, created_at, signs_from })
}

/// The key that an account's issuer signs with now.
pub fn signing_key(
    services: &Services,
    account: AccountId,
    issuer: &TokenIssuer,
    now: Timestamp,
) -> Result<SigningKey, Fault> {
    let key = issuer.signing(now).ok_or_else(|| Fault::internal("the issuer has no key"))?;
    let place = Place { account, issuer: issuer.id, kid: &key.kid };
    let pkcs8 = issuer_key::open(&services.keyring, place, &key.sealed).map_err(Fault::internal)?;
    SigningKey::from_pkcs8(Algorithm::Es384, &pkcs8).map_err(Fault::internal)
}

/// Makes the next key of an account's issuer if it is time.
///
/// What is there goes on signing where that fails: the log says so.
pub async fn rotate(context: &Context<'_>, account: AccountId, issuer: &TokenIssuer) {
    let now = context.facts.now.floor_secs();
    if !issuer.is_due(now) {
        return;
    }
    let changed = context
        .change(|tx| {
            let Some(owner) = tx.state().account(account).map(|it| Account::clone(it)) else {
                return Ok(());
            };
            let due = |it: &TokenIssuer| it.enabled && it.is_due(now);
            let Some(mut issuer) = owner.token_issuer.clone().filter(due) else {
                return Ok(());
            };
            let ahead = now.plus_secs(PUBLISH_AHEAD);
            let key = draw(context.services, account, issuer.id, now, ahead)?;
            issuer.add(key, now);
            tx.put(Entity::Account(Account { token_issuer: Some(issuer), ..owner }));
            Ok(())
        })
        .await;
    if let Err(fault) = changed {
        tracing::error!(%account, code = fault.code().as_str(), note = ?fault.loggable_note(), "the next key of an issuer was not made");
    }
}

/// A public document of an issuer, by its path after [`PATH`]: discovery or key set. `None`: there
/// is no such issuer, or its account is closed.
///
/// INVARIANT: an issuer that was disabled has no keys, the deployment's own among them. Its key set
/// is empty, not gone, so that whoever keeps a copy learns of it.
pub fn document(
    services: &Services,
    snapshot: &Snapshot,
    path: &str,
    now: Timestamp,
) -> Option<Value> {
    let mut parts = path.splitn(3, '/');
    let account = AccountId::parse(parts.next()?).ok()?;
    let id = IssuerId::parse(parts.next()?).ok()?;
    let what = parts.next()?;
    let owner = snapshot.open_account(account)?;
    let issuer = owner.token_issuer.as_ref().filter(|issuer| issuer.id == id)?;
    let url = url(services, account, id)?;
    let rsa = services.issuer.rsa();
    match what {
        ".well-known/openid-configuration" => {
            let mut algorithms = vec![Algorithm::Es384.as_str()];
            algorithms.extend((!rsa.is_empty()).then_some(Algorithm::Rs256.as_str()));
            Some(json!({
                "issuer": url,
                "jwks_uri": format!("{url}/.well-known/jwks.json"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": algorithms,
                "claims_supported": [
                    "iss", "sub", "aud", "exp", "iat", "jti", "https://sts.amazonaws.com/",
                ],
            }))
        }
        ".well-known/jwks.json" => {
            if !issuer.enabled {
                return Some(json!({ "keys": [] }));
            }
            let own = issuer.published(now).filter_map(|key| serde_json::from_str(&key.jwk).ok());
            let set = PublicJwk::set(rsa.iter().map(SigningKey::public));
            let shared = set.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
            Some(json!({ "keys": own.chain(shared).collect::<Vec<Value>>() }))
        }
        _ => None,
    }
}
