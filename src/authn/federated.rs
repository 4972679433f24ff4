//! Somebody whom an identity provider vouches for, before there is a session.
//!
//! # Model
//!
//! [`web_identity`] is the only way to a [`WebIdentity`]: the token names its issuer, the account
//! of the role that is asked for must have a provider of that issuer, and the provider's owner says
//! what the token must be. The keys are the issuer's. Nothing of this is remembered: a token is
//! verified each time it is shown, so that what was found for one account or provider says nothing
//! to another.

use std::sync::Arc;

use crate::directory::{Directory, OidcProvider, Snapshot};
use crate::federation::oidc::{Expected, TokenError, TrustedAssertion, Unverified};
use crate::id::AccountId;
use crate::keysets::{FetchError, KeySource};
use crate::time::Timestamp;

/// The subject of a verified token, and the provider that vouches for it.
pub struct WebIdentity {
    provider: Arc<OidcProvider>,
    assertion: TrustedAssertion,
    audience: String,
}

/// A token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum WebIdentityError {
    /// It is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The account has no provider of its issuer.
    #[error("the account has no OIDC provider for the token's issuer")]
    NoProvider {
        /// The issuer that it names.
        issuer: String,
    },
    /// The issuer's name is one of ours: its claims would pass for our own condition keys.
    #[error(
        "the issuer's host has neither a dot nor a port nor a path: its claims cannot be named"
    )]
    Unnameable,
    /// The issuer's keys cannot be had now.
    #[error("the keys of {issuer}: {source}")]
    Keys {
        /// The issuer.
        issuer: String,
        /// Why.
        source: FetchError,
    },
}

const SCHEME: &str = "https://";

/// Finds out whom a token is about, for a role of this account.
pub async fn web_identity(
    directory: &Directory,
    keys: &dyn KeySource,
    account: AccountId,
    token: &str,
    now: Timestamp,
) -> Result<WebIdentity, WebIdentityError> {
    let token = Unverified::read(token)?;
    let issuer = token.issuer().to_owned();
    let provider = provider(&directory.snapshot(), account, &issuer)?;
    if !provider.url.contains(['.', ':', '/']) {
        return Err(WebIdentityError::Unnameable);
    }
    // INVARIANT: nothing is fetched for an issuer that no provider names, nor for a token that
    // would be refused anyway.
    let checked = token.check(&Expected {
        issuer: &issuer,
        client_ids: &provider.client_ids,
        algorithms: keys.algorithms(&issuer),
        now,
    })?;
    let failed = |source| WebIdentityError::Keys { issuer: issuer.clone(), source };
    let held = keys.keys(account, &issuer).await.map_err(failed)?;
    let assertion = match checked.verify(&held) {
        Err(TokenError::UnknownKey) => {
            let newer = keys.newer(account, &issuer, &held).await.ok_or(TokenError::UnknownKey)?;
            checked.verify(&newer)?
        }
        other => other?,
    };
    let audience = assertion.client(&provider.client_ids).ok_or(TokenError::Audience)?.to_owned();
    Ok(WebIdentity { provider, assertion, audience })
}

/// The account's provider of this issuer; a closed account has none. Providers are kept without
/// scheme, and without a slash at the end, which some issuers have.
fn provider(
    snapshot: &Snapshot,
    account: AccountId,
    issuer: &str,
) -> Result<Arc<OidcProvider>, WebIdentityError> {
    let url = issuer.strip_prefix(SCHEME);
    let found = url.and_then(|url| {
        snapshot.open_account(account)?;
        snapshot
            .oidc_provider(account, url)
            .or_else(|| snapshot.oidc_provider(account, url.strip_suffix('/')?))
    });
    let found = found.filter(|found| {
        let name = url.map(|url| url.strip_suffix('/').unwrap_or(url));
        name == Some(found.url.strip_suffix('/').unwrap_or(&found.url))
    });
    found.cloned().ok_or_else(|| WebIdentityError::NoProvider { issuer: issuer.to_owned() })
}

impl WebIdentity {
    /// The provider, as it was when the token was verified.
    pub fn provider(&self) -> &Arc<OidcProvider> {
        &self.provider
    }

    /// What the token says.
    pub fn assertion(&self) -> &TrustedAssertion {
        &self.assertion
    }

    /// The client ID of the provider that it was issued for.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whether the provider still is what it was, in a directory that may be newer.
    pub fn still_stands(&self, snapshot: &Snapshot) -> bool {
        snapshot
            .open_account(self.provider.account)
            .and_then(|_| snapshot.oidc_provider_by_id(&self.provider.id))
            .is_some_and(|provider| provider.client_ids.contains(&self.audience))
    }
}
