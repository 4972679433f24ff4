//! Signing: for our own command line, for clients, and for tests. It shares the canonical form with
//! verification.

use sha2::{Digest, Sha256};

use super::canonical::{Canonical, Sink, hex, write_scope, write_string_to_sign};
use super::chunked::{self, Chain, ChunkSigner, Chunks, Key};
use super::date::SignedAt;
use super::parse::{Arrived, QUERY_PARAMETERS};
use super::signed_set::SignedSet;
use super::uri::{Parameter, Target, write_encoded};
use super::verify::UNSIGNED_PAYLOAD;
use super::{
    Algorithm, RequestHead, Scope, SigError, SigningKey, SigningKeyV4a, UriRules, region_set,
};
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

/// Headers to add to a request, their names in lower case.
pub type Added = Vec<(&'static str, String)>;

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

/// Credentials, and what they sign for, by [`Algorithm::EcdsaP256Sha256`]: SigV4A. Signatures of one
/// request are equal (RFC 6979).
pub struct SignerV4a<'a> {
    /// The access key ID.
    pub access_key_id: &'a str,
    /// The key of its secret.
    pub key: &'a SigningKeyV4a,
    /// The session token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// The regions that a request shall be good in: names separated by commas, `*` standing for any
    /// text.
    pub region_set: &'a str,
    /// The service of the scope.
    pub service: &'a str,
    /// How the service canonicalizes.
    pub uri: UriRules,
    /// Whether [`Self::sign`] sends the body's hash in `x-amz-content-sha256`. S3 wants it.
    pub content_sha256: bool,
}

macro_rules! forms {
    () => {
        /// Signs a request and returns the headers to add to it: `x-amz-date`,
        /// `x-amz-security-token`, `x-amz-region-set` in SigV4A, `x-amz-content-sha256` if wanted,
        /// and `authorization`.
        ///
        /// `head` carries `host` and every header that the client will send and may sign.
        pub fn sign(
            &self,
            head: &RequestHead<'_>,
            body: &[u8],
            now: Timestamp,
        ) -> Result<Added, SigError> {
            self.plan(now)?.sign(head, Payload::Bytes(body)).map(|(added, _)| added)
        }

        /// Signs a request to S3 whose body is left unsigned, and sends `UNSIGNED-PAYLOAD` in
        /// `x-amz-content-sha256`: for TLS only. As [`Self::sign`] otherwise.
        pub fn sign_unsigned_payload(
            &self,
            head: &RequestHead<'_>,
            now: Timestamp,
        ) -> Result<Added, SigError> {
            if self.uri != UriRules::S3 {
                return Err(SigError::PayloadMode);
            }
            self.plan(now)?.sign(head, Payload::Unsigned).map(|(added, _)| added)
        }

        /// Signs the head of a request to S3 whose body of `decoded_length` bytes will come in
        /// chunks, and returns the headers to add to it and what encodes the body. They include
        /// `content-encoding` unless the request has one, which must end in `aws-chunked` then.
        pub fn sign_streaming(
            &self,
            head: &RequestHead<'_>,
            chunks: Chunks,
            decoded_length: u64,
            now: Timestamp,
        ) -> Result<(Added, ChunkSigner), SigError> {
            if self.uri != UriRules::S3 {
                return Err(SigError::PayloadMode);
            }
            let plan = self.plan(now)?;
            let payload = Payload::Chunks(chunks, decoded_length);
            let (added, signature) = plan.sign(head, payload)?;
            let scope = plan.scope();
            let chain =
                Chain::after_head(self.chain_key(scope), &plan.signed_at, scope, &signature);
            Ok((added, ChunkSigner::new(chain, chunks, decoded_length)))
        }

        /// Presigns a request and returns its new target: path, query, and the `X-Amz-*` parameters
        /// that make it good for `expires` seconds: verifiers refuse 0, and more than
        /// [`MAX_EXPIRES`](super::MAX_EXPIRES).
        ///
        /// `head` carries `host` and every header that whoever sends the request must send. The
        /// body is signed, but not under [`UriRules::S3`].
        pub fn presign(
            &self,
            head: &RequestHead<'_>,
            body: &[u8],
            now: Timestamp,
            expires: u32,
        ) -> Result<String, SigError> {
            self.plan(now)?.presign(head, body, expires)
        }
    };
}

impl Signer<'_> {
    forms!();

    fn plan(&self, now: Timestamp) -> Result<Plan<'_>, SigError> {
        Ok(Plan {
            algorithm: Algorithm::HmacSha256,
            access_key_id: self.access_key_id,
            session_token: self.session_token,
            region: self.region,
            region_set: None,
            service: self.service,
            uri: self.uri,
            content_sha256: self.content_sha256,
            signed_at: SignedAt::at(now)?,
            secret: Secret::Hmac(self.secret),
        })
    }

    fn chain_key(&self, scope: Scope<'_>) -> Key {
        Key::Mac(SigningKey::derive(self.secret, scope).mac())
    }
}

impl SignerV4a<'_> {
    forms!();

    fn plan(&self, now: Timestamp) -> Result<Plan<'_>, SigError> {
        region_set::parse(self.region_set.as_bytes())?;
        Ok(Plan {
            algorithm: Algorithm::EcdsaP256Sha256,
            access_key_id: self.access_key_id,
            session_token: self.session_token,
            region: "",
            region_set: Some(self.region_set),
            service: self.service,
            uri: self.uri,
            content_sha256: self.content_sha256,
            signed_at: SignedAt::at(now)?,
            secret: Secret::Ecdsa(self.key),
        })
    }

    fn chain_key(&self, _: Scope<'_>) -> Key {
        Key::Private(self.key.again())
    }
}

#[derive(Clone, Copy)]
enum Secret<'a> {
    Hmac(&'a SecretAccessKey),
    Ecdsa(&'a SigningKeyV4a),
}

#[derive(Clone, Copy)]
enum Payload<'a> {
    Bytes(&'a [u8]),
    Unsigned,
    Chunks(Chunks, u64),
}

/// What both signers have in common, for one moment.
struct Plan<'a> {
    algorithm: Algorithm,
    access_key_id: &'a str,
    session_token: Option<&'a str>,
    region: &'a str,
    region_set: Option<&'a str>,
    service: &'a str,
    uri: UriRules,
    content_sha256: bool,
    signed_at: SignedAt,
    secret: Secret<'a>,
}

impl Plan<'_> {
    /// The headers to add, and the signature.
    fn sign(
        &self,
        head: &RequestHead<'_>,
        payload: Payload<'_>,
    ) -> Result<(Added, String), SigError> {
        let line = match payload {
            Payload::Bytes(body) => text(&hex(&Sha256::digest(body).into())),
            Payload::Unsigned => text(UNSIGNED_PAYLOAD),
            Payload::Chunks(chunks, _) => chunks.mode(self.algorithm).name().to_owned(),
        };
        let mut added = vec![("x-amz-date", text(&self.signed_at.text))];
        if let Some(token) = self.session_token {
            added.push(("x-amz-security-token", token.to_owned()));
        }
        if let Some(set) = self.region_set {
            added.push(("x-amz-region-set", set.to_owned()));
        }
        if self.content_sha256 || !matches!(payload, Payload::Bytes(_)) {
            added.push(("x-amz-content-sha256", line.clone()));
        }
        if let Payload::Chunks(chunks, decoded_length) = payload {
            if !head.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-encoding")) {
                added.push(("content-encoding", "aws-chunked".to_owned()));
            }
            added.push((chunked::DECODED_LENGTH, decoded_length.to_string()));
            if let Some(checksum) = chunks.checksum() {
                added.push((chunked::TRAILER, checksum.trailer().to_owned()));
            }
        }
        let mut headers = head.headers.to_vec();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let head = RequestHead { headers: &headers, ..*head };
        unsigned_yet(&head)?;
        let signed_headers = signed_headers(&headers);
        let signature = self.signature(&head, &signed_headers, line.as_bytes())?;
        let authorization = format!(
            "{} Credential={}, SignedHeaders={signed_headers}, Signature={signature}",
            self.algorithm.name(),
            self.credential(),
        );
        added.push(("authorization", authorization));
        Ok((added, signature))
    }

    fn presign(
        &self,
        head: &RequestHead<'_>,
        body: &[u8],
        expires: u32,
    ) -> Result<String, SigError> {
        unsigned_yet(head)?;
        let signed_headers = signed_headers(head.headers);
        let (date, expires) = (text(&self.signed_at.text), expires.to_string());
        let credential = self.credential();
        let parameters = [
            ("X-Amz-Algorithm", Some(self.algorithm.name())),
            ("X-Amz-Credential", Some(credential.as_str())),
            ("X-Amz-Date", Some(date.as_str())),
            ("X-Amz-Region-Set", self.region_set),
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
        let signature = self.signature(&presigned, &signed_headers, payload)?;
        Ok(format!("{target}&X-Amz-Signature={signature}"))
    }

    fn signature(
        &self,
        head: &RequestHead<'_>,
        signed_headers: &str,
        payload: &[u8],
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
        let hash = canonical.sha256();
        Ok(match self.secret {
            Secret::Hmac(secret) => {
                let key = SigningKey::derive(secret, self.scope());
                text(&hex(&key.sign(&self.signed_at, &hash)))
            }
            Secret::Ecdsa(key) => {
                let mut message = Vec::with_capacity(256);
                let at = &self.signed_at.text;
                write_string_to_sign(&mut message, self.algorithm, at, self.scope(), &hash);
                data_encoding::HEXLOWER.encode(&key.sign(&message))
            }
        })
    }

    fn scope(&self) -> Scope<'_> {
        Scope { date: self.signed_at.day(), region: self.region, service: self.service }
    }

    fn credential(&self) -> String {
        let mut credential = self.access_key_id.as_bytes().to_vec();
        credential.put(b"/");
        write_scope(&mut credential, self.algorithm, self.scope());
        text(&credential)
    }
}

/// Refuses what carries credentials already, and what has no host to sign.
fn unsigned_yet(head: &RequestHead<'_>) -> Result<(), SigError> {
    let arrived = Arrived::scan(head.headers)?;
    let target = Target::parse(head.target)?;
    let in_query = |p: Parameter<'_>| QUERY_PARAMETERS.iter().any(|name| p.is_ignoring_case(name));
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
