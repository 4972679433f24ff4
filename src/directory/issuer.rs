//! The issuer of an account: whom it is when it vouches for its own principals to others.
//!
//! # Model
//!
//! A key is published before it signs, so that whoever keeps a copy of the key set has it by then,
//! and stays published as long as a token that it signed may live. Times decide, not states: the
//! newest key whose time has come signs.

use serde::{Deserialize, Serialize};

use super::entities::base64_bytes;
use crate::id::IssuerId;
use crate::time::Timestamp;

/// Seconds after which a key is to be replaced: 30 days.
pub const ROTATE_AFTER: i64 = 30 * 86_400;
/// Seconds that a key is published before it signs: a day.
pub const PUBLISH_AHEAD: i64 = 86_400;
/// Seconds that a key is published after the next one took over: the longest life of a token, and
/// an hour for the clocks of others.
pub const KEEP: i64 = 2 * 3_600;

/// An account's issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenIssuer {
    /// In its URL; drawn once for an account.
    pub id: IssuerId,
    /// Whether principals of the account get tokens.
    pub enabled: bool,
    /// Its keys, oldest first.
    pub keys: Vec<IssuerKey>,
}

/// A key of an issuer, for ES384.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerKey {
    /// Its ID: the thumbprint of its public half.
    pub kid: String,
    /// The private half, sealed for this issuer and ID.
    #[serde(with = "base64_bytes")]
    pub sealed: Vec<u8>,
    /// The public half, as JSON.
    pub jwk: String,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub signs_from: Timestamp,
}

impl TokenIssuer {
    /// The key that signs now.
    pub fn signing(&self, now: Timestamp) -> Option<&IssuerKey> {
        self.keys.iter().rev().find(|key| key.signs_from <= now)
    }

    /// The keys that are published now: those that sign, will sign, or signed lately.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &IssuerKey> {
        let ends = self.keys.iter().skip(1).map(|next| Some(next.signs_from.plus_secs(KEEP)));
        let kept = self.keys.iter().zip(ends.chain([None]));
        kept.filter(move |(_, end)| end.is_none_or(|end| now < end)).map(|(key, _)| key)
    }

    /// Whether the next key is to be made.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.keys.last().is_none_or(|newest| newest.signs_from.plus_secs(ROTATE_AFTER) <= now)
    }

    /// Adds a key, and forgets those that are not published any more.
    pub fn add(&mut self, key: IssuerKey, now: Timestamp) {
        self.keys = self.published(now).cloned().collect();
        self.keys.push(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const BEGIN: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn key(kid: &str, at: Timestamp, ahead: i64) -> IssuerKey {
        IssuerKey {
            kid: kid.to_owned(),
            sealed: vec![],
            jwk: String::new(),
            created_at: at,
            signs_from: at.plus_secs(ahead),
        }
    }

    fn kids<'k>(keys: impl IntoIterator<Item = &'k IssuerKey>) -> Vec<&'k str> {
        keys.into_iter().map(|key| key.kid.as_str()).collect()
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_until_its_last_token_ended() {
        let id = IssuerId::generate(&SystemRandom::new()).unwrap();
        let mut issuer = TokenIssuer { id, enabled: true, keys: vec![key("a", BEGIN, 0)] };
        let due = BEGIN.plus_secs(ROTATE_AFTER);
        assert!(!issuer.is_due(due.plus_secs(-1)) && issuer.is_due(due));
        issuer.add(key("b", due, PUBLISH_AHEAD), due);
        let turn = due.plus_secs(PUBLISH_AHEAD);
        for (now, signing, published) in [
            (due, "a", &["a", "b"][..]),
            (turn.plus_secs(-1), "a", &["a", "b"]),
            (turn, "b", &["a", "b"]),
            (turn.plus_secs(KEEP - 1), "b", &["a", "b"]),
            (turn.plus_secs(KEEP), "b", &["b"]),
        ] {
            assert_eq!(issuer.signing(now).map(|key| key.kid.as_str()), Some(signing));
            assert_eq!(kids(issuer.published(now)), published);
        }
        // A key that is late because nobody asked for tokens: its turn is counted from its making.
        let late = turn.plus_secs(3 * ROTATE_AFTER);
        issuer.add(key("c", late, PUBLISH_AHEAD), late);
        assert_eq!(kids(&issuer.keys), ["b", "c"]);
        assert!(!issuer.is_due(late));
    }

    /// The stored form, as released: it must read for ever.
    #[test]
    fn a_golden_issuer_reads() {
        let text = r#"{"id":"000102030405060708090a0b0c0d0e0f","enabled":true,"keys":[{"kid":"k",
            "sealed":"AQI=","jwk":"{}","created_at":1790000000000,"signs_from":1790000001000}]}"#;
        let issuer: TokenIssuer = serde_json::from_str(text).unwrap();
        let stored: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&issuer).unwrap(), stored);
        assert_eq!(issuer.keys[0].sealed, [1, 2]);
    }
}
