//! Signing: for our own command line, and for tests. It shares the canonical form with
//! verification.

use sha2::{Digest, Sha256};

use super::canonical::{Canonical, Sink, hex, write_scope};
use super::date::SignedAt;
use super::parse::{Arrived, QUERY_PARAMETERS};
use super::signed_set::SignedSet;
use super::uri::{Target, write_encoded};
use super::verify::UNSIGNED_PAYLOAD;
use super::{Algorithm, RequestHead, Scope, SigError, SigningKey, UriRules};
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

/// Credentials, and what they sign for, by [`Algorithm::HmacSha256`].
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
    /// Whether [`Self::sign`] sends the body's hash in `x-amz-content-sha256`. S3 wants it.
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
        let head = RequestHead { headers: &headers, ..*head };
        unsigned_yet(&head)?;
        let signed_headers = signed_headers(&headers);
        let signature = self.signature(&head, &signed_headers, &payload, &signed_at)?;
        let authorization = format!(
            "{} Credential={}, SignedHeaders={signed_headers}, Signature={signature}",
            Algorithm::HmacSha256.name(),
            self.credential(&signed_at),
        );
        added.push(("authorization", authorization));
        Ok(added)
    }

    /// Presigns a request and returns its new target: path, query, and the `X-Amz-*` parameters
    /// that make it good for `expires` seconds.
    ///
    /// `head` carries `host` and every header that whoever sends the request must send. The body
    /// is signed, but not under [`UriRules::S3`].
    pub fn presign(
        &self,
        head: &RequestHead<'_>,
        body: &[u8],
        now: Timestamp,
        expires: u32,
    ) -> Result<String, SigError> {
        unsigned_yet(head)?;
        let signed_at = SignedAt::at(now)?;
        let signed_headers = signed_headers(head.headers);
        let (date, expires) = (text(&signed_at.text), expires.to_string());
        let credential = self.credential(&signed_at);
        let parameters = [
            ("X-Amz-Algorithm", Some(Algorithm::HmacSha256.name())),
            ("X-Amz-Credential", Some(credential.as_str())),
            ("X-Amz-Date", Some(date.as_str())),
            ("X-Amz-Expires", Some(expires.as_str())),
            ("X-Amz-SignedHeaders", Some(signed_headers.as_str())),
            ("X-Amz-Security-Token", self.session_token),
        ];
        let mut target = head.target.as_bytes().to_vec();
        for (name, value) in parameters {
            if let Some(value) = value {
                target.put(if target.contains(&b'?') { b"&" } else { b"?" });
                target.put(name.as_bytes());
                target.put(b"=");
                write_encoded(&mut target, value.as_bytes());
            }
        }
        let target = text(&target);
        let hash = hex(&Sha256::digest(body).into());
        let payload = if self.uri == UriRules::S3 { UNSIGNED_PAYLOAD } else { &hash };
        let presigned = RequestHead { target: &target, ..*head };
        let signature = self.signature(&presigned, &signed_headers, payload, &signed_at)?;
        Ok(format!("{target}&X-Amz-Signature={signature}"))
    }

    fn signature(
        &self,
        head: &RequestHead<'_>,
        signed_headers: &str,
        payload: &[u8],
        signed_at: &SignedAt,
    ) -> Result<String, SigError> {
        let canonical = Canonical {
            head,
            target: Target::parse(head.target)?,
            except: None,
            signed_headers,
            signed: &SignedSet::build(signed_headers, head.headers)?,
            uri: self.uri,
            payload,
        };
        let key = SigningKey::derive(self.secret, self.scope(signed_at));
        Ok(text(&hex(&key.sign(signed_at, &canonical.sha256()))))
    }

    fn scope<'s>(&'s self, signed_at: &'s SignedAt) -> Scope<'s> {
        Scope { date: signed_at.day(), region: self.region, service: self.service }
    }

    fn credential(&self, signed_at: &SignedAt) -> String {
        let mut credential = self.access_key_id.as_bytes().to_vec();
        credential.put(b"/");
        write_scope(&mut credential, Algorithm::HmacSha256, self.scope(signed_at));
        text(&credential)
    }
}

/// Refuses what carries credentials already, and what has no host to sign.
fn unsigned_yet(head: &RequestHead<'_>) -> Result<(), SigError> {
    let arrived = Arrived::scan(head.headers)?;
    let target = Target::parse(head.target)?;
    let in_query =
        |p: super::uri::Parameter<'_>| QUERY_PARAMETERS.iter().any(|name| p.is_ignoring_case(name));
    if arrived.authorization.is_some() || target.parameters().any(in_query) {
        return Err(SigError::ConflictingCredentials);
    }
    if arrived.host.is_none() { Err(SigError::HostNotSigned) } else { Ok(()) }
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
