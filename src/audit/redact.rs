//! What callers wrote, made fit for a record: without secrets, and bounded.
//!
//! INVARIANT (secrets stay secret): an operation puts into a record what it chose to. This is the
//! second fence: a member whose name says that it holds a secret loses its value, at any depth
//! and however the name is spelt.

use serde_json::{Map, Value};

use crate::wire::printable;

/// What stands where a secret stood: CloudTrail's word.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Bounds within one value.
const MAX_TEXT: usize = 8 * 1024;
const MAX_NAME: usize = 128;
const MAX_MEMBERS: usize = 256;
const MAX_DEPTH: usize = 16;

/// Endings of names, in lower case without `-`, `_`, `.` and spaces, whose values are secrets.
const SECRET_ENDINGS: &[&str] = &[
    "secret",
    "secretaccesskey",
    "secretkey",
    "privatekey",
    "sessionkey",
    "signingkey",
    "password",
    "passphrase",
    "passcode",
    "token",
    "assertion",
    "tokencode",
    "authenticationcode",
    "authenticationcode1",
    "authenticationcode2",
    "stringseed",
    "qrcodepng",
    "signature",
    "authorization",
    "cookie",
    "servicecredentialsecret",
];

/// `value` without secrets, its parts bounded, and in all at most `max` bytes of JSON: what is
/// more is left out as a whole and said to be.
pub(super) fn redact(value: Value, max: usize) -> Value {
    let value = part(value, 0);
    let length = serde_json::to_string(&value).map_or(usize::MAX, |json| json.len());
    if length <= max {
        return value;
    }
    Value::Object(Map::from_iter([
        ("omitted".to_owned(), Value::Bool(true)),
        ("originalSize".to_owned(), Value::from(length)),
    ]))
}

/// `text`, cut off after `max` bytes with a note of how long it was.
pub(super) fn cut(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    let kept = (0..=max).rev().find_map(|end| text.get(..end)).unwrap_or_default();
    format!("{kept}... [truncated, {} bytes in all]", text.len())
}

fn part(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) => Value::String(cut(text, MAX_TEXT)),
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => {
            Value::String("[omitted, too deep]".to_owned())
        }
        Value::Array(items) => {
            let more = items.len().saturating_sub(MAX_MEMBERS);
            let mut kept: Vec<Value> =
                items.into_iter().take(MAX_MEMBERS).map(|item| part(item, depth + 1)).collect();
            if more > 0 {
                kept.push(Value::String(format!("[omitted, {more} more]")));
            }
            Value::Array(kept)
        }
        Value::Object(members) => {
            let more = members.len().saturating_sub(MAX_MEMBERS);
            let mut kept: Map<String, Value> = members
                .into_iter()
                .take(MAX_MEMBERS)
                .map(|(name, value)| {
                    let value = if is_secret(&name) && !value.is_null() {
                        Value::String(HIDDEN.to_owned())
                    } else {
                        part(value, depth + 1)
                    };
                    (printable(&name, MAX_NAME), value)
                })
                .collect();
            if more > 0 {
                kept.insert("omitted".to_owned(), Value::from(more));
            }
            Value::Object(kept)
        }
        plain => plain,
    }
}

/// Names with such an ending whose values are no secrets: whom a token was about.
const PLAIN: &[&str] = &["subjectfromwebidentitytoken"];

fn is_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | '.' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    !PLAIN.contains(&plain.as_str()) && SECRET_ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_by_name_at_any_depth() {
        for name in [
            "secretAccessKey",
            "SecretAccessKey",
            "SECRETACCESSKEY",
            "secret_access_key",
            "secret-access-key",
            "sessionToken",
            "token",
            "Token",
            "webIdentityToken",
            "X-Amz-Security-Token",
            "sAMLAssertion",
            "SAMLAssertion",
            "tokenCode",
            "password",
            "NewPassword",
            "oldPassword",
            "AuthenticationCode1",
            "authenticationCode2",
            "Base32StringSeed",
            "QRCodePNG",
            "PrivateKey",
            "Authorization",
            "X-Amz-Signature",
            "clientSecret",
            "tradeInToken",
        ] {
            let canary = json!({ name: "canary", "a": [{ "b": { name: ["canary"] } }] });
            let shown = redact(canary, 10_000).to_string();
            assert!(!shown.contains("canary"), "{name}: {shown}");
            assert_eq!(shown.matches(HIDDEN).count(), 2, "{name}: {shown}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let plain = json!({
            "accessKeyId": "AKIA", "minimumSessionTokenSize": 1, "passwordLastUsed": "never",
            "tokenType": "x", "roleArn": "arn", "list": [1, true, null], "keyId": "k",
            "subjectFromWebIdentityToken": "app",
        });
        assert_eq!(redact(plain.clone(), 10_000), plain);
    }

    #[test]
    fn bounds_hold() {
        let long = redact(json!({ "policy": "x".repeat(200_000) }), 100_000).to_string();
        assert!(long.len() < 9000 && long.contains("[truncated, 200000 bytes in all]"), "{long}");

        let cut_within_a_character = redact(json!("é".repeat(MAX_TEXT)), 100_000);
        assert!(cut_within_a_character.as_str().unwrap().starts_with('é'));

        let wide = redact(json!(vec![0; 1000]), 100_000);
        assert_eq!(wide.as_array().unwrap().len(), MAX_MEMBERS + 1);

        let mut deep = json!("canary");
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(!redact(deep, 100_000).to_string().contains("canary"));

        let much: Vec<String> = vec!["x".repeat(8000); 200];
        assert_eq!(redact(json!(much), 50_000)["omitted"], json!(true));
    }
}
