//! Identity providers, and what they publish.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::Bench;
use crate::federation::oidc::{Algorithm, KeySet, PublicJwk, SigningKey};
use crate::future::BoxFuture;
use crate::id::AccountId;
use crate::keysets::{FetchError, KeySource};
use crate::time::Clock as _;

/// Issuers' keys, as tests set them.
#[derive(Default)]
pub(crate) struct TestKeys(Mutex<HashMap<String, Arc<KeySet>>>);

impl TestKeys {
    fn get(&self, issuer: &str) -> Option<Arc<KeySet>> {
        self.0.lock().unwrap().get(issuer).cloned()
    }
}

impl KeySource for TestKeys {
    fn algorithms(&self, _: &str) -> &[Algorithm] {
        Algorithm::DEFAULT
    }

    fn keys<'a>(
        &'a self,
        _: AccountId,
        issuer: &'a str,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, FetchError>> {
        Box::pin(async move { self.get(issuer).ok_or(FetchError::Timeout) })
    }

    fn newer<'a>(
        &'a self,
        _: AccountId,
        issuer: &'a str,
        than: &'a Arc<KeySet>,
    ) -> BoxFuture<'a, Option<Arc<KeySet>>> {
        Box::pin(async move { self.get(issuer).filter(|keys| !Arc::ptr_eq(keys, than)) })
    }
}

/// An identity provider.
pub(crate) struct Idp {
    pub(crate) issuer: String,
    pub(crate) key: SigningKey,
}

impl Idp {
    /// One whose keys the bench knows.
    pub(crate) fn new(bench: &Bench, issuer: &str) -> Self {
        let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap();
        let idp = Self { issuer: issuer.to_owned(), key };
        let set = PublicJwk::set([idp.key.public()]).to_string();
        let set = Arc::new(KeySet::parse(set.as_bytes()).unwrap());
        bench.keys.0.lock().unwrap().insert(issuer.to_owned(), set);
        idp
    }

    /// A token of this subject for `sts.amazonaws.com`, with more claims or others.
    pub(crate) fn token(&self, bench: &Bench, subject: &str, more: &Value) -> String {
        let now = bench.clock.now().secs();
        let mut claims = serde_json::json!({
            "iss": self.issuer, "sub": subject, "aud": "sts.amazonaws.com",
            "iat": now - 5, "nbf": now - 5, "exp": now + 900,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        self.key.sign(&claims).unwrap()
    }
}
