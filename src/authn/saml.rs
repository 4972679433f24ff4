//! Somebody whom a SAML provider vouches for, before there is a session.
//!
//! # Model
//!
//! [`saml_identity`] is the only way to a [`SamlIdentity`]: the request names a provider of the
//! account of the role that is asked for; the keys are those of that provider's metadata, as its
//! owner wrote it. Nothing is fetched. That an assertion is used once is for whoever grants
//! something for it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::arn;
use crate::directory::{Directory, SamlProvider, Snapshot};
use crate::federation::saml::{self, Expected, MetadataError, TrustedAssertion};
use crate::id::AccountId;
use crate::time::Timestamp;

/// What AWS's sign-in has providers write: clients and providers that are set up for it need no
/// change.
const SIGN_IN: &str = "https://signin.aws.amazon.com/saml";
const SIGN_IN_ENTITY: &str = "urn:amazon:webservices";

/// The table `saml`.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamlSettings {
    /// The audiences that assertions must be for, one of them.
    pub audiences: Vec<String>,
    /// The URLs that responses must have been made to be posted to, one of them.
    pub recipients: Vec<String>,
    /// Whether a response may say that it answers a request. The broker makes none.
    pub accept_answers: bool,
}

impl Default for SamlSettings {
    fn default() -> Self {
        Self {
            audiences: vec![SIGN_IN.to_owned(), SIGN_IN_ENTITY.to_owned()],
            recipients: vec![SIGN_IN.to_owned()],
            accept_answers: false,
        }
    }
}

/// The subject of a verified assertion, and the provider that vouches for it.
pub struct SamlIdentity {
    provider: Arc<SamlProvider>,
    assertion: TrustedAssertion,
    name_qualifier: String,
}

/// An assertion is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SamlIdentityError {
    /// There is no such provider.
    #[error("there is no such SAML provider")]
    NoProvider,
    /// The provider is of another account than the role.
    #[error("the SAML provider is of another account than the role")]
    OtherAccount,
    /// What is kept of the provider cannot be used.
    #[error("the provider's metadata: {0}")]
    Metadata(#[from] MetadataError),
    /// The response is not good.
    #[error(transparent)]
    Response(#[from] saml::SamlError),
}

/// Finds out whom a response is about, for a role of this account.
///
/// # Errors
///
/// Why it is not taken.
pub fn saml_identity(
    directory: &Directory,
    settings: &SamlSettings,
    account: AccountId,
    provider: &str,
    response: &str,
    now: Timestamp,
) -> Result<SamlIdentity, SamlIdentityError> {
    let (owner, name) = arn::parse_saml_provider(provider).ok_or(SamlIdentityError::NoProvider)?;
    if owner != account {
        return Err(SamlIdentityError::OtherAccount);
    }
    let snapshot = directory.snapshot();
    let found =
        snapshot.open_account(account).and_then(|_| snapshot.saml_provider_named(account, name));
    // Names are told apart without regard to case, ARNs are not.
    let found = found.filter(|found| found.arn() == provider);
    let provider = Arc::clone(found.ok_or(SamlIdentityError::NoProvider)?);
    let metadata = snapshot.saml_metadata(&provider.id).ok_or(SamlIdentityError::NoProvider)?;
    let metadata = metadata.as_ref().map_err(Clone::clone)?;
    let assertion = saml::verify(
        response,
        &Expected {
            metadata,
            audiences: &settings.audiences,
            recipients: &settings.recipients,
            answers: settings.accept_answers,
            now,
        },
    )?;
    let name_qualifier = name_qualifier(assertion.issuer(), account, &provider.name);
    Ok(SamlIdentity { provider, assertion, name_qualifier })
}

/// What tells the subjects of one provider from those of another. AWS's: the hash is an identifier,
/// no proof.
fn name_qualifier(issuer: &str, account: AccountId, name: &str) -> String {
    let text = format!("{issuer}{account}/{name}");
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

impl SamlIdentity {
    /// The provider, as it was when the assertion was verified.
    pub fn provider(&self) -> &Arc<SamlProvider> {
        &self.provider
    }

    /// What the assertion says.
    pub fn assertion(&self) -> &TrustedAssertion {
        &self.assertion
    }

    /// `NameQualifier`: base64 of the SHA-1 of issuer, account and provider.
    pub fn name_qualifier(&self) -> &str {
        &self.name_qualifier
    }

    /// The provider as `saml:doc` has it: `<account>/<name>`.
    pub fn document(&self) -> String {
        format!("{}/{}", self.provider.account, self.provider.name)
    }

    /// Whether the provider still is what it was, in a directory that may be newer.
    pub fn still_stands(&self, snapshot: &Snapshot) -> bool {
        snapshot
            .open_account(self.provider.account)
            .and_then(|_| snapshot.saml_provider_by_id(&self.provider.id))
            .is_some_and(|provider| provider.metadata == self.provider.metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the STS API reference, hashed by another implementation.
    #[test]
    fn the_qualifier_is_the_one_of_aws() {
        let account = AccountId::parse("123456789012").unwrap();
        let qualifier = name_qualifier("https://example.com/saml", account, "MySAMLIdP");
        assert_eq!(qualifier, "1uAJanUnBc2XeUkHURMht+xam2c=");
    }
}
