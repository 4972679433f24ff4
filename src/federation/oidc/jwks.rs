//! An issuer's public keys: RFC 7517, and RFC 7518 section 6.

use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, KeyType, Verification};
use super::base64url;
use super::error::TokenError;
use crate::api;

/// The most bytes of a key set.
const MAX_BYTES: usize = 256 * 1024;
/// The most keys of a key set.
const MAX_KEYS: usize = 100;
/// The most keys of one ID that are tried.
const MAX_TRIED: usize = 4;
/// Bits of an RSA key.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The public keys of one issuer that can verify tokens.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

/// A key set is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Larger than it may be.
    #[error("the key set is larger than {MAX_BYTES} bytes, or holds more than {MAX_KEYS} keys")]
    TooLarge,
    /// Not a key set in JSON.
    #[error("not a key set: {0}")]
    Malformed(&'static str),
    /// It publishes secrets: private keys are known to everybody then.
    #[error("the key set holds private keys: they are known to everybody")]
    Private,
    /// It has no key that could verify anything.
    #[error("the key set has no key that can be used")]
    Empty,
}

/// One key.
#[derive(Clone, Debug)]
pub(super) struct PublicKey {
    id: Option<String>,
    /// The one algorithm that the key says it is for.
    only: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Point { kind: KeyType, bytes: Vec<u8> },
}

/// Members that only a private or symmetric key has.
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl KeySet {
    /// Reads a key set. Keys of another kind or use, RSA keys that are too small, and keys that are
    /// not well made are left out (RFC 7517, section 5): one of them must not keep the keys alive
    /// that the issuer has withdrawn meanwhile.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        if text.len() > MAX_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let set: Map<String, Value> = api::strict(text)
            .map_err(|_| KeySetError::Malformed("no JSON object without repeated names"))?;
        let Some(Value::Array(list)) = set.get("keys") else {
            return Err(KeySetError::Malformed("there is no array 'keys'"));
        };
        if list.len() > MAX_KEYS {
            return Err(KeySetError::TooLarge);
        }
        let mut keys = Vec::with_capacity(list.len());
        for key in list {
            let Value::Object(key) = key else {
                return Err(KeySetError::Malformed("a key is no object"));
            };
            if PRIVATE.iter().any(|name| key.contains_key(*name)) {
                return Err(KeySetError::Private);
            }
            keys.extend(PublicKey::read(key));
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none can: never true of a set that was read.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that a token of this algorithm and key ID may be signed with.
    pub(super) fn select(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<&PublicKey>, TokenError> {
        let fits = |key: &&PublicKey| key.fits(algorithm);
        let Some(id) = id else {
            // Without an ID there must be no choice.
            let mut found: Vec<_> = self.keys.iter().filter(fits).collect();
            return match found.len() {
                0 => Err(TokenError::UnknownKey),
                1 => Ok(std::mem::take(&mut found)),
                _ => Err(TokenError::AmbiguousKey),
            };
        };
        let named = || self.keys.iter().filter(|key| key.id.as_deref() == Some(id));
        if named().next().is_none() {
            return Err(TokenError::UnknownKey);
        }
        let found: Vec<_> = named().filter(fits).take(MAX_TRIED).collect();
        if found.is_empty() { Err(TokenError::WrongKey) } else { Ok(found) }
    }
}

impl PublicKey {
    /// Reads a key; `None` for one that is of no use here.
    fn read(key: &Map<String, Value>) -> Option<Self> {
        let kind = text(key, "kty")??;
        let id = text(key, "kid")?.map(ToOwned::to_owned);
        // `jwt-svid` is what SPIFFE's trust bundles say of keys for tokens.
        if text(key, "use")?.is_some_and(|it| it != "sig" && it != "jwt-svid") {
            return None;
        }
        match key.get("key_ops") {
            None => {}
            Some(Value::Array(list)) if list.iter().any(|it| it == "verify") => {}
            Some(_) => return None,
        }
        let only =
            text(key, "alg")?.map(|name| Algorithm::parse(name).ok_or(())).transpose().ok()?;
        let material = match (kind, text(key, "crv")?) {
            ("RSA", _) => rsa(key)?,
            ("EC", Some("P-256")) => curve(key, KeyType::P256, 32)?,
            ("EC", Some("P-384")) => curve(key, KeyType::P384, 48)?,
            ("OKP", Some("Ed25519")) => {
                Material::Point { kind: KeyType::Ed25519, bytes: bytes(key, "x", Some(32))? }
            }
            _ => return None,
        };
        let found = Self { id, only, material };
        only.is_none_or(|only| found.fits(only)).then_some(found)
    }

    /// INVARIANT: a key verifies what it is for: its kind and curve, and its `alg` if it has one.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match &self.material {
            Material::Rsa { .. } => KeyType::Rsa,
            Material::Point { kind, .. } => *kind,
        };
        algorithm.key_type() == kind && self.only.is_none_or(|only| only == algorithm)
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        match (algorithm.verification(), &self.material) {
            (Verification::Rsa(parameters), Material::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            (Verification::Point(algorithm), Material::Point { bytes, .. }) => {
                UnparsedPublicKey::new(algorithm, bytes).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

/// A modulus of 2,048 to 8,192 bits and an exponent from 65,537 up (FIPS 186-5, section 5.1).
fn rsa(key: &Map<String, Value>) -> Option<Material> {
    let (n, e) = (bytes(key, "n", None)?, bytes(key, "e", None)?);
    let (first, last) = (n.first()?, e.last()?);
    if *first == 0 || e.first() == Some(&0) {
        return None;
    }
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    let exponent = e.len() >= 3 && e.len() <= 4 && last % 2 == 1;
    (RSA_BITS.contains(&bits) && exponent).then_some(Material::Rsa { n, e })
}

/// An uncompressed point (SEC 1, section 2.3.3) of both coordinates in full length. Whether it is
/// on the curve is checked at each use.
fn curve(key: &Map<String, Value>, kind: KeyType, length: usize) -> Option<Material> {
    let (x, y) = (bytes(key, "x", Some(length))?, bytes(key, "y", Some(length))?);
    Some(Material::Point { kind, bytes: [&[4][..], &x, &y].concat() })
}

/// A member that is a text or is not there; `None` if it is anything else.
#[expect(clippy::option_option, reason = "absent is not wrong")]
fn text<'k>(key: &'k Map<String, Value>, name: &str) -> Option<Option<&'k str>> {
    match key.get(name) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text)),
        Some(_) => None,
    }
}

fn bytes(key: &Map<String, Value>, name: &str, length: Option<usize>) -> Option<Vec<u8>> {
    base64url::decode(text(key, name)??)
        .filter(|bytes| length.is_none_or(|length| bytes.len() == length))
}
