//! The way of a token, from text to an assertion.

use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::assertion::TrustedAssertion;
use super::claims::Claims;
use super::error::{Part, TokenError};
use super::header::Header;
use super::jwks::KeySet;
use super::{LEEWAY_SECS, MAX_TOKEN, base64url};
use crate::api;
use crate::time::Timestamp;

/// A token taken apart. Nothing of it is believed.
pub struct Unverified<'t> {
    /// Header and payload as they were signed.
    signed: &'t str,
    header: Header,
    payload: Map<String, Value>,
    issuer: String,
    signature: Vec<u8>,
}

/// What a token must be, as its provider's owner has it.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer's URL, with its scheme.
    pub issuer: &'a str,
    /// The audiences that are accepted. None is accepted if there are none.
    pub client_ids: &'a [String],
    /// The algorithms that are accepted.
    pub algorithms: &'a [Algorithm],
    /// Now.
    pub now: Timestamp,
}

/// A token that is what was expected, were its signature good. Nothing of it is believed yet.
pub struct Checked<'t> {
    token: Unverified<'t>,
    claims: Claims,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart.
    pub fn read(token: &'t str) -> Result<Self, TokenError> {
        // INVARIANT (bounded): before anything else, and dots are not collected (CVE-2025-30204).
        if token.len() > MAX_TOKEN {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Form)?;
        if payload.contains('.') || [header, payload, signature].contains(&"") {
            return Err(TokenError::Form);
        }
        let header = Header::read(&object(header, Part::Header)?)?;
        let payload = object(payload, Part::Payload)?;
        let signature =
            base64url::decode(signature).ok_or(TokenError::Encoding(Part::Signature))?;
        let issuer = match payload.get("iss") {
            None => return Err(TokenError::Missing("iss")),
            Some(Value::String(issuer)) => issuer.clone(),
            Some(_) => return Err(TokenError::Claim("iss")),
        };
        Ok(Self { signed, header, payload, issuer, signature })
    }

    /// Who the token says has issued it: only to look the provider up.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Holds it against what is expected of it.
    pub fn check(self, expected: &Expected<'_>) -> Result<Checked<'t>, TokenError> {
        if self.issuer != expected.issuer {
            return Err(TokenError::Issuer);
        }
        // INVARIANT: the token does not choose its algorithm, it has to be one that is accepted.
        if !expected.algorithms.contains(&self.header.algorithm) {
            return Err(TokenError::NotAccepted(self.header.algorithm.as_str()));
        }
        let claims = Claims::read(&self.payload)?;
        check_audience(&claims, self.header.is_access_token, expected.client_ids)?;
        let now = expected.now;
        if now >= claims.expires_at() {
            return Err(TokenError::Expired(claims.expires_at()));
        }
        for begins in [Some(claims.issued_at()), claims.not_before()].into_iter().flatten() {
            if begins > now.plus_secs(LEEWAY_SECS) {
                return Err(TokenError::NotYet(begins));
            }
        }
        Ok(Checked { token: self, claims })
    }
}

impl Checked<'_> {
    /// The ID of the key that it says it is signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.token.header.key_id.as_deref()
    }

    /// Verifies its signature with the issuer's own keys.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] if the set has no such key: a newer set may have it. Then and
    /// only then it is worth another try.
    pub fn verify(&self, keys: &KeySet) -> Result<TrustedAssertion, TokenError> {
        let Unverified { signed, header, signature, issuer, .. } = &self.token;
        let candidates = keys.select(header.algorithm, header.key_id.as_deref())?;
        for key in candidates {
            if key.verify(header.algorithm, signed.as_bytes(), signature) {
                return Ok(TrustedAssertion::of_verified(issuer.clone(), self.claims.clone()));
            }
        }
        Err(TokenError::Signature)
    }
}

/// Where the token names the party it was issued to, that party must be a client ID; otherwise one
/// of the audiences must be. Source: IAM User Guide, "Available keys for AWS OIDC federation", on
/// `aud` and `azp`.
///
/// INVARIANT: an access token was given to be shown to its audience, so that audience could show it
/// here: it must be ours whoever it was issued to.
fn check_audience(
    claims: &Claims,
    is_access_token: bool,
    client_ids: &[String],
) -> Result<(), TokenError> {
    let is_ours = claims.audiences().iter().any(|audience| client_ids.contains(audience));
    if is_access_token && !is_ours {
        return Err(TokenError::Audience);
    }
    match claims.authorized_party() {
        Some(party) if client_ids.iter().any(|id| id == party) => Ok(()),
        Some(_) => Err(TokenError::AuthorizedParty),
        None if is_ours => Ok(()),
        None => Err(TokenError::Audience),
    }
}

fn object(part: &str, which: Part) -> Result<Map<String, Value>, TokenError> {
    let bytes = base64url::decode(part).ok_or(TokenError::Encoding(which))?;
    api::strict(&bytes).map_err(|_| TokenError::Json(which))
}
