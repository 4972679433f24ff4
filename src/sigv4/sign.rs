//! Signing: for our own command line, and for tests. It shares the canonical form with
//! verification.

use sha2::{Digest, Sha256};

use super::canonical::{Canonical, hex, write_scope};
use super::date::SignedAt;
use super::key::HMAC_SHA256;
use super::parse::Arrived;
use super::signed_set::SignedSet;
use super::uri::Target;
use super::{RequestHead, Scope, SigError, SigningKey, UriRules};
use crate::secret::SecretAccessKey;
use crate::time::Timestamp;

/// Headers that proxies and HTTP clients change, so that clients do not sign them.
const UNSIGNED: [&str; 13] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Credentials, and what they sign for.
pub struct Signer<'a> {
    /// The access key ID.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret: &'a SecretAccessKey,
    /// The session token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// The region of the scope.
    pub region: &'a str,
    /// The service of the scope.
    pub service: &'a str,
    /// How the service canonicalizes.
    pub uri: UriRules,
    /// Whether to send the body's hash in `x-amz-content-sha256`. S3 wants it.
    pub content_sha256: bool,
}

impl Signer<'_> {
    /// Signs a request and returns the headers to add to it, in lower case: `x-amz-date`,
    /// `x-amz-security-token` and `x-amz-content-sha256` if wanted, and `authorization`.
    ///
    /// `head` carries `host` and every header that the client will send and may sign.
    pub fn sign(
        &self,
        head: &RequestHead<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<(&'static str, String)>, SigError> {
        let signed_at = SignedAt::at(now)?;
        let payload = hex(&Sha256::digest(body).into());
        let mut added = vec![("x-amz-date", text(&signed_at.text))];
        if let Some(token) = self.session_token {
            added.push(("x-amz-security-token", token.to_owned()));
        }
        if self.content_sha256 {
            added.push(("x-amz-content-sha256", text(&payload)));
        }
        let mut headers = head.headers.to_vec();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let arrived = Arrived::scan(&headers)?;
        if arrived.authorization.is_some() {
            return Err(SigError::Duplicate { name: "authorization" });
        }
        if arrived.host.is_none() {
            return Err(SigError::HostNotSigned);
        }

        let signed_headers = signed_headers(&headers);
        let signed = SignedSet::build(&signed_headers, &headers)?;
        let canonical_sha256 = Canonical {
            head: &RequestHead { headers: &headers, ..*head },
            target: Target::parse(head.target)?,
            except: None,
            signed_headers: &signed_headers,
            signed: &signed,
            uri: self.uri,
            payload: &payload,
        }
        .sha256();

        let scope = Scope { date: signed_at.day(), region: self.region, service: self.service };
        let signature = SigningKey::derive(self.secret, scope).sign(&signed_at, &canonical_sha256);
        let mut scope_text = Vec::new();
        write_scope(&mut scope_text, scope);
        let authorization = format!(
            "{HMAC_SHA256} Credential={}/{}, SignedHeaders={signed_headers}, Signature={}",
            self.access_key_id,
            text(&scope_text),
            text(&hex(&signature)),
        );
        added.push(("authorization", authorization));
        Ok(added)
    }
}

fn signed_headers(headers: &[(&str, &[u8])]) -> String {
    let mut names: Vec<String> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| !UNSIGNED.contains(&name.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(";")
}

fn text(ascii: &[u8]) -> String {
    String::from_utf8_lossy(ascii).into_owned()
}
