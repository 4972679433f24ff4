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
    /// Reads a key set. Keys of another kind or use, and RSA keys that are too small, are left out.
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
            keys.extend(PublicKey::read(key)?);
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
    fn read(key: &Map<String, Value>) -> Result<Option<Self>, KeySetError> {
        let kind = text(key, "kty")?.ok_or(KeySetError::Malformed("a key has no kty"))?;
        let id = text(key, "kid")?.map(ToOwned::to_owned);
        // `jwt-svid` is what SPIFFE's trust bundles say of keys for tokens.
        if text(key, "use")?.is_some_and(|it| it != "sig" && it != "jwt-svid") {
            return Ok(None);
        }
        match key.get("key_ops") {
            Some(Value::Array(list)) if !list.iter().any(|it| it == "verify") => return Ok(None),
            None | Some(Value::Array(_)) => {}
            Some(_) => return Err(KeySetError::Malformed("key_ops is no list")),
        }
        let only = match text(key, "alg")? {
            None => None,
            Some(name) => match Algorithm::parse(name) {
                Some(algorithm) => Some(algorithm),
                None => return Ok(None),
            },
        };
        let material = match (kind, text(key, "crv")?) {
            ("RSA", _) => rsa(key)?,
            ("EC", Some("P-256")) => Some(curve(key, KeyType::P256, 32)?),
            ("EC", Some("P-384")) => Some(curve(key, KeyType::P384, 48)?),
            ("OKP", Some("Ed25519")) => {
                let bytes = bytes(key, "x", Some(32))?;
                Some(Material::Point { kind: KeyType::Ed25519, bytes })
            }
            ("EC" | "OKP", None) => return Err(KeySetError::Malformed("a key has no crv")),
            _ => None,
        };
        let Some(material) = material else { return Ok(None) };
        let found = Self { id, only, material };
        if only.is_some_and(|only| !found.fits(only)) {
            return Err(KeySetError::Malformed("a key's alg does not go with its kty and crv"));
        }
        Ok(Some(found))
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
fn rsa(key: &Map<String, Value>) -> Result<Option<Material>, KeySetError> {
    let (n, e) = (bytes(key, "n", None)?, bytes(key, "e", None)?);
    let (Some(first), Some(last)) = (n.first(), e.last()) else {
        return Err(KeySetError::Malformed("an empty RSA key"));
    };
    if *first == 0 || e.first() == Some(&0) {
        return Err(KeySetError::Malformed("an RSA key with leading zeros"));
    }
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    let exponent = e.len() >= 3 && e.len() <= 4 && last % 2 == 1;
    Ok((RSA_BITS.contains(&bits) && exponent).then_some(Material::Rsa { n, e }))
}

/// An uncompressed point (SEC 1, section 2.3.3) of both coordinates in full length. Whether it is
/// on the curve is checked at each use.
fn curve(key: &Map<String, Value>, kind: KeyType, length: usize) -> Result<Material, KeySetError> {
    let (x, y) = (bytes(key, "x", Some(length))?, bytes(key, "y", Some(length))?);
    Ok(Material::Point { kind, bytes: [&[4][..], &x, &y].concat() })
}

fn text<'k>(key: &'k Map<String, Value>, name: &str) -> Result<Option<&'k str>, KeySetError> {
    match key.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeySetError::Malformed("a member of a key is no text")),
    }
}

fn bytes(
    key: &Map<String, Value>,
    name: &str,
    length: Option<usize>,
) -> Result<Vec<u8>, KeySetError> {
    let found = text(key, name)?.ok_or(KeySetError::Malformed("a key lacks a part"))?;
    base64url::decode(found)
        .filter(|bytes| length.is_none_or(|length| bytes.len() == length))
        .ok_or(KeySetError::Malformed("a part of a key is not base64url of the right length"))
}
