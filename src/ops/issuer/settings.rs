//! The table `issuer`: where and with what accounts vouch for their principals to others.

use std::path::PathBuf;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::{self, PemObject as _};
use serde::Deserialize;

use crate::federation::oidc::{Algorithm, SignError, SigningKey};

/// The table `issuer`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The URL at which others reach the API listener, `https://HOST[:PORT][/PATH]`. The issuers of
    /// accounts stand below it. Not set: nobody gets tokens.
    pub url: Option<String>,
    /// Private RSA keys in PKCS #8, PEM: the first one signs `RS256`, all are published. None:
    /// `RS256` is refused.
    pub rsa_keys: Vec<PathBuf>,
}

/// What tokens are signed with besides the accounts' own keys, and where they are from.
#[derive(Default)]
pub struct Issuer {
    url: Option<String>,
    rsa: Vec<SigningKey>,
}

/// The table makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is not one.
    #[error("issuer.url must be https://HOST[:PORT][/PATH], without a slash at its end")]
    Url,
    /// A file holds no key in PKCS #8.
    #[error("issuer.rsa_keys: {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A key cannot be used.
    #[error("issuer.rsa_keys: {}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SignError,
    },
}

impl Issuer {
    /// Reads the keys.
    pub fn open(settings: &Settings) -> Result<Self, OpenError> {
        if let Some(url) = &settings.url {
            let rest = url.strip_prefix("https://").unwrap_or_default();
            let plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
            if rest.is_empty()
                || rest.starts_with('/')
                || rest.ends_with('/')
                || rest.contains(['?', '#', '@'])
                || !plain
            {
                return Err(OpenError::Url);
            }
        }
        let read = |path: &PathBuf| {
            let key = PrivatePkcs8KeyDer::from_pem_file(path)
                .map_err(|source| OpenError::File { path: path.clone(), source })?;
            SigningKey::from_pkcs8(Algorithm::Rs256, key.secret_pkcs8_der())
                .map_err(|source| OpenError::Key { path: path.clone(), source })
        };
        let rsa = settings.rsa_keys.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { url: settings.url.clone(), rsa })
    }

    /// Where issuers stand.
    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The keys for `RS256`, the one that signs in front.
    pub(in crate::ops) fn rsa(&self) -> &[SigningKey] {
        &self.rsa
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_none_and_a_file_without_a_key_are_refused() {
        let with = |url: &str| Settings { url: Some(url.to_owned()), ..Settings::default() };
        for good in ["https://sts.example", "https://sts.example:8350", "https://a.example/b/c"] {
            assert_eq!(Issuer::open(&with(good)).unwrap().url(), Some(good));
        }
        for bad in [
            "",
            "sts.example",
            "http://sts.example",
            "https://",
            "https:///a",
            "https://a.example/",
            "https://a.example?b",
            "https://a.example#b",
            "https://me@a.example",
            "https://a.exa mple",
            "https://ä.example",
        ] {
            assert!(matches!(Issuer::open(&with(bad)), Err(OpenError::Url)), "{bad}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let settings = Settings { url: None, rsa_keys: vec![path.clone()] };
        assert!(matches!(Issuer::open(&settings), Err(OpenError::File { .. })));
        std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .unwrap();
        assert!(matches!(Issuer::open(&settings), Err(OpenError::Key { .. })));
    }
}
