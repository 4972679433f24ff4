//! Identity providers that an account trusts to say who somebody is.

use serde::{Deserialize, Serialize};

use super::entities::{Revoked, Tag};
use crate::arn;
use crate::id::{AccountId, ProviderId};
use crate::time::Timestamp;

/// An OpenID Connect provider.
///
/// INVARIANT (identity is by unique ID): a provider made again under a URL is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcProvider {
    /// Never used twice. AWS has no such ID: it is not told.
    pub id: ProviderId,
    /// The account it belongs to.
    pub account: AccountId,
    /// The issuer's URL without `https://`. Unique in its account.
    pub url: String,
    /// The audiences it may issue tokens for.
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// SHA-1 fingerprints of certificates, 40 hexadecimal digits each.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Sessions that began with it before this are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

impl OidcProvider {
    /// `arn:aws:iam::<account>:oidc-provider/<url>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "oidc-provider", "/", &self.url)
    }
}

/// A SAML 2.0 identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlProvider {
    /// Never used twice; told as `SAMLProviderUUID`.
    pub id: ProviderId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Unique in its account without regard to case.
    pub name: String,
    /// Its metadata, as it was given.
    pub metadata: String,
    /// When the metadata ends, if it says.
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Sessions that began with it before this are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

impl SamlProvider {
    /// `arn:aws:iam::<account>:saml-provider/<name>`
    pub fn arn(&self) -> String {
        arn::iam(self.account, "saml-provider", "/", &self.name)
    }
}
