//! A test service for S3 uploads: it takes `PUT /bucket/key` in every payload mode of S3 and asks
//! the library whether the signature holds, of the head and of what follows it.
//!
//! It keeps no payload, only its length and its hash, and those once the payload was found whole.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign::secret::SecretAccessKey;
use countersign::sigv4::{
    Algorithm, Body, ChunkError, ChunkVerifier, Limits, PayloadCheck, Presented, RequestHead,
    Rules, SigError, SigningKey, UriRules, VerifyingKey, parse, verify, verify_v4a,
};
use countersign::time::{Clock, SystemClock};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use sha2::{Digest, Sha256};

/// The largest payload, in bytes: that of one PUT to S3.
const MAX_PAYLOAD: u64 = 5 * 1024 * 1024 * 1024;

/// How much of a refused body is read, in bytes: clients send all of it before they read the answer.
const MAX_DRAINED: usize = 256 * 1024 * 1024;

/// What was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The payload's length, in bytes.
    pub length: u64,
    /// The payload's SHA-256.
    pub sha256: [u8; 32],
    /// The payload mode: `x-amz-content-sha256`, a hash being told as `SHA256`.
    pub mode: String,
    /// The encoded body, if the service was told to record it.
    pub wire: Vec<u8>,
    /// The head as it was verified: method, target and headers.
    pub head: (String, String, Vec<(String, Vec<u8>)>),
}

/// The service, with the one access key that it knows.
pub struct Uploads {
    region: String,
    access_key_id: String,
    secret: SecretAccessKey,
    record: bool,
    objects: Mutex<BTreeMap<String, Object>>,
    refusals: Mutex<Vec<String>>,
    high_water: AtomicUsize,
}

/// Why an upload is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("no credentials")]
    Anonymous,
    #[error("the access key is not known")]
    UnknownKey,
    #[error("the request was signed for another {0}")]
    Elsewhere(&'static str),
    #[error(transparent)]
    Head(#[from] SigError),
    #[error(transparent)]
    Chunks(#[from] ChunkError),
    #[error("the payload has another SHA-256 than was signed")]
    Payload,
    #[error("the payload is too large")]
    TooLarge,
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
}

impl Refusal {
    /// Status, code and message of the answer.
    fn answer(&self) -> (u16, &'static str, String) {
        match self {
            Self::Anonymous => (403, "AccessDenied", "Access Denied".to_owned()),
            Self::UnknownKey => (403, "InvalidAccessKeyId", self.to_string()),
            Self::Elsewhere(_) => (403, "SignatureDoesNotMatch", self.to_string()),
            Self::Head(error) => (error.status(), error.code(), error.public_message()),
            Self::Chunks(error) => (error.status(), error.code(), error.public_message()),
            Self::Payload => (400, "XAmzContentSHA256Mismatch", self.to_string()),
            Self::TooLarge => (400, "EntityTooLarge", self.to_string()),
            Self::Broken(_) => (400, "IncompleteBody", self.to_string()),
        }
    }
}

impl Uploads {
    /// A service of a region that knows this access key. `record`: it keeps the encoded bodies, for
    /// tests.
    pub fn new(
        region: &str,
        access_key_id: &str,
        secret: SecretAccessKey,
        record: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            region: region.to_owned(),
            access_key_id: access_key_id.to_owned(),
            secret,
            record,
            objects: Mutex::default(),
            refusals: Mutex::default(),
            high_water: AtomicUsize::new(0),
        })
    }

    /// What was uploaded to a path.
    pub fn object(&self, path: &str) -> Option<Object> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// The codes of all refusals so far.
    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The most memory that chunks took in one upload, in bytes.
    pub fn high_water(&self) -> usize {
        self.high_water.load(Ordering::SeqCst)
    }

    /// Answers a request.
    pub async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path().to_owned();
        if *request.method() != Method::PUT {
            return Ok(answer(405, "MethodNotAllowed", "PUT only"));
        }
        let (parts, mut body) = request.into_parts();
        Ok(match self.put(parts, &mut body).await {
            Ok(object) => {
                let etag = format!("\"{}\"", data_encoding::HEXLOWER.encode(&object.sha256));
                self.objects.lock().unwrap_or_else(PoisonError::into_inner).insert(path, object);
                let mut response = Response::new(Full::default());
                if let Ok(etag) = etag.parse() {
                    response.headers_mut().insert(hyper::header::ETAG, etag);
                }
                response
            }
            Err(refusal) => {
                drain(body).await;
                let (status, code, message) = refusal.answer();
                self.refusals.lock().unwrap_or_else(PoisonError::into_inner).push(code.to_owned());
                answer(status, code, &message)
            }
        })
    }

    async fn put(&self, parts: Parts, body: &mut Incoming) -> Result<Object, Refusal> {
        // hyper gives the target of HTTP/1.1 as it came, and header names in lower case.
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let headers: Vec<(&str, &[u8])> =
            parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let head = RequestHead { method: parts.method.as_str(), target, headers: &headers };
        let (check, chunks) = self.head(&head)?;
        let mode = match check {
            PayloadCheck::Streaming(mode) => mode.name(),
            PayloadCheck::Unsigned => "UNSIGNED-PAYLOAD",
            PayloadCheck::Verified | PayloadCheck::SignedHash(_) => "SHA256",
        };
        let owned = headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec()));
        let head = (head.method.to_owned(), target.to_owned(), owned.collect());
        let object =
            Object { length: 0, sha256: [0; 32], mode: mode.to_owned(), wire: Vec::new(), head };
        match chunks {
            Some(chunks) => self.chunks(body, chunks, object).await,
            None => plain(body, check, object).await,
        }
    }

    /// Verifies a head, and begins with its chunks if it has some.
    fn head(
        &self,
        head: &RequestHead<'_>,
    ) -> Result<(PayloadCheck, Option<ChunkVerifier>), Refusal> {
        let presented = parse(head)?.ok_or(Refusal::Anonymous)?;
        if presented.access_key_id() != self.access_key_id {
            return Err(Refusal::UnknownKey);
        }
        self.check_place(head, &presented)?;
        let rules = Rules::new(UriRules::S3, SystemClock::new().now());
        let limits = Limits::default();
        let (verified, chunks) = match presented.algorithm() {
            Algorithm::HmacSha256 => {
                let key = SigningKey::derive(&self.secret, presented.scope());
                let verified = verify(&presented, &key, Body::Streamed, &rules)?;
                let chunks = verified.streaming().map(|_| verified.chunks(&key, limits));
                (verified.payload(), chunks.transpose()?)
            }
            Algorithm::EcdsaP256Sha256 => {
                let key = VerifyingKey::derive(&self.secret, presented.access_key_id())
                    .ok_or(Refusal::UnknownKey)?;
                let verified =
                    verify_v4a(&presented, &key, Some(&self.region), Body::Streamed, &rules)?;
                let chunks = verified.streaming().map(|_| verified.chunks_v4a(&key, limits));
                (verified.payload(), chunks.transpose()?)
            }
            // Requests that a certificate signs: `parse` reads none.
            _ => return Err(Refusal::UnknownKey),
        };
        Ok((verified, chunks))
    }

    /// A key signs for every service that knows it: what was signed for another service, region or
    /// host is none of ours, however good its signature. The regions of SigV4A are checked with it.
    fn check_place(
        &self,
        head: &RequestHead<'_>,
        presented: &Presented<'_>,
    ) -> Result<(), Refusal> {
        let scope = presented.scope();
        if scope.service != "s3" {
            return Err(Refusal::Elsewhere("service"));
        }
        if presented.algorithm() == Algorithm::HmacSha256 && scope.region != self.region {
            return Err(Refusal::Elsewhere("region"));
        }
        let mut headers = head.headers.iter();
        let host = headers.find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.and_then(|(_, host)| std::str::from_utf8(host).ok()).unwrap_or_default();
        match host.rsplit_once(':').map_or(host, |(name, _port)| name) {
            "127.0.0.1" | "localhost" => Ok(()),
            _ => Err(Refusal::Elsewhere("host")),
        }
    }

    /// Reads a payload in chunks. Nothing of it counts before the verifier says that it is whole.
    async fn chunks(
        &self,
        body: &mut Incoming,
        mut chunks: ChunkVerifier,
        mut object: Object,
    ) -> Result<Object, Refusal> {
        let mut hash = Sha256::new();
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame?.into_data() else { continue };
            if self.record {
                object.wire.extend_from_slice(&bytes);
            }
            let mut rest = &bytes[..];
            while let Some(payload) = chunks.push(&mut rest)? {
                hash.update(payload);
                object.length += payload.len() as u64;
            }
            self.high_water.fetch_max(chunks.buffered(), Ordering::SeqCst);
        }
        chunks.finish()?;
        object.sha256 = hash.finalize().into();
        Ok(object)
    }
}

/// Reads a payload that comes as it is.
async fn plain(
    body: &mut Incoming,
    check: PayloadCheck,
    mut object: Object,
) -> Result<Object, Refusal> {
    if body.size_hint().lower() > MAX_PAYLOAD {
        return Err(Refusal::TooLarge);
    }
    let mut hash = Sha256::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame?.into_data() else { continue };
        hash.update(&bytes);
        object.length += bytes.len() as u64;
        if object.length > MAX_PAYLOAD {
            return Err(Refusal::TooLarge);
        }
    }
    object.sha256 = hash.finalize().into();
    match check {
        PayloadCheck::SignedHash(signed) if signed != object.sha256 => Err(Refusal::Payload),
        // `Body::Streamed` verified none.
        PayloadCheck::Verified | PayloadCheck::Streaming(_) => Err(Refusal::Payload),
        PayloadCheck::SignedHash(_) | PayloadCheck::Unsigned => Ok(object),
    }
}

/// Reads what is left of a refused body.
async fn drain(mut body: Incoming) {
    let mut left = MAX_DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(after) = left.checked_sub(length) else { return };
        left = after;
    }
}

/// An answer in S3's form.
fn answer(status: u16, code: &str, message: &str) -> Response<Full<Bytes>> {
    let escaped = message.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>{escaped}</Message></Error>"
    );
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/xml"),
    );
    // A refused body may not have been read to its end: the connection cannot go on.
    response
        .headers_mut()
        .insert(hyper::header::CONNECTION, hyper::header::HeaderValue::from_static("close"));
    response
}
