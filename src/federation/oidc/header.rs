//! The header of a token.

use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::error::TokenError;

/// The parameters that are looked at, and the most characters of a key's ID.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// Whether it says that it is an access token (RFC 9068): made for the party that it is shown
    /// to, and no proof of identity by itself.
    pub(super) is_access_token: bool,
}

/// Parameters that make a token something else than a plain signed one, or that bring keys along.
/// An encrypted token's are among them. `x5t` and `x5t#S256` only name a key and are ignored.
const REFUSED: &[&str] = &[
    "crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip", "epk", "apu", "apv", "iv", "tag",
    "p2s", "p2c", "cty",
];

const ACCESS_TOKEN: &str = "at+jwt";
/// What a token may be. One of another type (a logout token, a DPoP proof) is signed by the same
/// keys and is no proof of identity (RFC 8725, section 3.11).
const TYPES: &[&str] = &["jwt", "jose", ACCESS_TOKEN];

/// The most bytes of a key's ID.
const MAX_KEY_ID: usize = 512;

impl Header {
    pub(super) fn read(header: &Map<String, Value>) -> Result<Self, TokenError> {
        for name in REFUSED {
            // The name of a parameter is case-sensitive; a variant of one of these has no good
            // reason to be there.
            if header.keys().any(|key| key.eq_ignore_ascii_case(name)) {
                return Err(TokenError::Header(name));
            }
        }
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(Algorithm::parse)
            .ok_or(TokenError::Algorithm)?;
        let kind = text(header, "typ")?.map(media_type);
        if kind.as_deref().is_some_and(|kind| !TYPES.contains(&kind)) {
            return Err(TokenError::Type);
        }
        let is_access_token = kind.as_deref() == Some(ACCESS_TOKEN);
        let key_id = text(header, "kid")?;
        if key_id.is_some_and(|id| id.is_empty() || id.len() > MAX_KEY_ID) {
            return Err(TokenError::HeaderType("kid"));
        }
        Ok(Self { algorithm, key_id: key_id.map(ToOwned::to_owned), is_access_token })
    }
}

fn text<'h>(
    header: &'h Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'h str>, TokenError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::HeaderType(name)),
    }
}

/// A media type as it is compared (RFC 7515, section 4.1.9).
fn media_type(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    kind.strip_prefix("application/").map(ToOwned::to_owned).unwrap_or(kind)
}
