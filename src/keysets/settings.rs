//! How keys are fetched and kept: the table `oidc`, and a table `[[oidc.issuer]]` for each issuer
//! about which there is something to say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::pem;
use serde::Deserialize;

use super::fetch::FetchError;
use crate::federation::oidc::Algorithm;

/// The table `oidc`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The time of a fetch, from resolving a name to the last byte of the key set.
    pub timeout: Duration,
    /// How old keys grow before they are fetched again.
    pub refresh_every: Duration,
    /// How long keys are used when the issuer does not answer.
    pub max_stale: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            refresh_every: Duration::from_mins(5),
            max_stale: Duration::from_hours(6),
        }
    }
}

/// A table `[[oidc.issuer]]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IssuerSettings {
    /// The issuer's URL, as its tokens have it.
    pub url: String,
    /// The certificate authorities that vouch for its server, instead of the system's. PEM.
    pub ca: Option<PathBuf>,
    /// Its key set, in a file: nothing is fetched. Read again every `refresh_every`.
    pub jwks: Option<PathBuf>,
    /// Lets its server be at a private address, loopback included.
    pub allow_private: bool,
    /// The algorithms that are accepted of it; what AWS takes, if not set.
    pub algorithms: Option<Vec<Algorithm>>,
}

/// What the settings say of issuers, by URL.
#[derive(Clone, Debug, Default)]
pub struct Issuers(BTreeMap<String, IssuerSettings>);

/// A table `[[oidc.issuer]]` makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIssuer {
    /// The table's place among its like.
    pub table: usize,
    /// The field.
    pub field: &'static str,
    /// What is wrong.
    pub message: &'static str,
}

/// Keys cannot be fetched as the settings say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A duration is out of bounds.
    #[error("oidc.{0} is out of bounds: {1}")]
    Bounds(&'static str, &'static str),
    /// A file of certificates cannot be read.
    #[error("oidc.issuer.ca: {}: {source}", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A file of certificates holds none that can be used.
    #[error("oidc.issuer.ca: {} holds no certificate that can be used", .0.display())]
    NoCa(PathBuf),
    /// A file of keys cannot be used.
    #[error("oidc.issuer.jwks: {}: {source}", path.display())]
    Jwks {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FetchError,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let secs = Duration::from_secs;
        for (name, value, range, rule) in [
            ("timeout", self.timeout, secs(1)..=secs(60), "1s to 60s"),
            ("refresh_every", self.refresh_every, secs(60)..=secs(86_400), "60s to 1d"),
            ("max_stale", self.max_stale, secs(0)..=secs(7 * 86_400), "0 to 7d"),
        ] {
            if !range.contains(&value) {
                return Err(OpenError::Bounds(name, rule));
            }
        }
        Ok(())
    }
}

impl Issuers {
    /// Checks the tables; every problem is told.
    pub fn new(tables: Vec<IssuerSettings>) -> Result<Self, Vec<InvalidIssuer>> {
        let mut problems = Vec::new();
        let mut issuers = BTreeMap::new();
        for (table, settings) in tables.into_iter().enumerate() {
            let mut wrong = |field, message| problems.push(InvalidIssuer { table, field, message });
            let host = settings.url.strip_prefix("https://").unwrap_or_default();
            if host.is_empty() || host.starts_with('/') || host.contains(['?', '#', '@', ' ']) {
                wrong("url", "must be https://HOST[:PORT][/PATH], as the issuer's tokens have it");
            }
            if settings.jwks.is_some() && (settings.ca.is_some() || settings.allow_private) {
                wrong(
                    "jwks",
                    "is read from a file: ca and allow_private have no meaning beside it",
                );
            }
            if settings.algorithms.as_ref().is_some_and(Vec::is_empty) {
                wrong("algorithms", "accepts nothing: leave it out, or name some");
            }
            if issuers.insert(slashless(&settings.url).to_owned(), settings).is_some() {
                wrong("url", "is there twice");
            }
        }
        if problems.is_empty() { Ok(Self(issuers)) } else { Err(problems) }
    }

    /// The algorithms that are accepted of an issuer.
    pub fn algorithms(&self, issuer: &str) -> &[Algorithm] {
        self.get(issuer).and_then(|it| it.algorithms.as_deref()).unwrap_or(Algorithm::DEFAULT)
    }

    pub(super) fn get(&self, issuer: &str) -> Option<&IssuerSettings> {
        self.0.get(slashless(issuer))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &IssuerSettings> {
        self.0.values()
    }
}

/// What an issuer is known by. INVARIANT: as a provider is found with and without a slash at the end
/// of the issuer's URL, so are the settings that bind it.
pub(super) fn slashless(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}
