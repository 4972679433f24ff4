//! Signing keys: a secret access key bound to one scope.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::canonical::{Sink, write_string_to_sign};
use super::date::SignedAt;
use super::{Algorithm, Scope};
use crate::secret::{SecretAccessKey, SecretKey};

/// A secret bound to one date, region and service, its HMAC state prepared, so that it can be
/// kept and each verification costs one MAC.
///
/// INVARIANT (secrets stay secret): no `Debug`, `Clone` or `==`; the state is wiped on drop (the
/// `zeroize` features of `hmac` and `sha2`).
pub struct SigningKey {
    mac: Hmac<Sha256>,
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
}

impl SigningKey {
    /// Derives the key of `secret` for `scope`.
    pub fn derive(secret: &SecretAccessKey, scope: Scope<'_>) -> Self {
        Self::new(&Self::secret_of(secret, scope), scope)
    }

    /// The key of `scope` from the bytes that [`SigningKey::secret_of`] gave for it.
    pub fn new(key: &SecretKey, scope: Scope<'_>) -> Self {
        Self {
            mac: keyed(key.expose()),
            date: scope.date.into(),
            region: scope.region.into(),
            service: scope.service.into(),
        }
    }

    /// The bytes of the key of `secret` for `scope`: whoever has them can sign in that scope.
    pub fn secret_of(secret: &SecretAccessKey, scope: Scope<'_>) -> SecretKey {
        let mut start = Zeroizing::new(Vec::with_capacity(4 + secret.expose().len()));
        start.extend_from_slice(b"AWS4");
        start.extend_from_slice(secret.expose().as_bytes());
        let date = hmac(&start, scope.date.as_bytes());
        let region = hmac(date.as_slice(), scope.region.as_bytes());
        let service = hmac(region.as_slice(), scope.service.as_bytes());
        let signing = hmac(service.as_slice(), b"aws4_request");
        SecretKey::new(*signing)
    }

    /// The scope that this key is good for.
    pub fn scope(&self) -> Scope<'_> {
        Scope { date: &self.date, region: &self.region, service: &self.service }
    }

    /// The prepared MAC, for the chunks of a payload.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        self.mac.clone()
    }

    /// The MAC of a request's string to sign, in this key's scope.
    pub(super) fn sign(&self, signed_at: &SignedAt, canonical_sha256: &[u8; 32]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        let text = &signed_at.text;
        let (algorithm, scope) = (Algorithm::HmacSha256, self.scope());
        write_string_to_sign(&mut mac, algorithm, text, scope, canonical_sha256);
        mac.finalize().into_bytes().into()
    }
}

impl Sink for Hmac<Sha256> {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = keyed(key);
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}
