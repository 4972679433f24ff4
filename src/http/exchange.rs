//! One request and its answer: what is refused at once, the body, the handler, the log line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::Origin;
use super::message::{Handler, Incoming, Outgoing};
use super::payload::Payload;
use super::reply::Reply;
use super::settings::Limits;
use crate::id::RequestId;
use crate::random::Random;
use crate::telemetry::{Metrics, RequestLine};
use crate::time::{Clock, Monotonic};

/// What all requests of one listener share.
pub(crate) struct Exchange {
    pub(crate) listener: &'static str,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) metrics: Metrics,
    /// One permit a request in work.
    pub(crate) room: Arc<Semaphore>,
    /// One permit a kibibyte of a request that arrives or is in work.
    pub(crate) memory: Arc<Semaphore>,
}

/// What a request counts for besides the bytes of its head and body, in kibibytes.
const OVERHEAD_KIB: usize = 4;

/// Room for a body that is not there yet: who announces much need not send it.
const FIRST_ROOM: usize = 64 * 1024;

/// What a request in work holds until it is answered.
type Room = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// Why the edge itself refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("the request names no host")]
    NoHost,
    #[error("the request names more than one host")]
    HostConflict,
    #[error("the request's target is not a path")]
    Target,
    #[error("the request's target is too long")]
    TargetTooLong,
    #[error("the request has too many headers")]
    TooManyHeaders,
    #[error("the method is not supported")]
    Method,
    #[error("the request's body is too large")]
    BodyTooLarge,
    #[error("the request's body did not arrive in time")]
    BodyTimeout,
    #[error("the request's body cannot be read")]
    BodyBroken,
    #[error("the only transfer coding is chunked")]
    Coding,
    #[error("too many requests at once")]
    Busy,
    #[error("internal error")]
    Internal,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::NoHost | Self::HostConflict | Self::Target | Self::Coding | Self::BodyBroken => {
                StatusCode::BAD_REQUEST
            }
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn answer(self) -> Outgoing {
        Outgoing::text(self.status(), &self.to_string())
    }
}

/// What the log line needs of a request once the handler owns it.
struct Seen {
    request_id: RequestId,
    started: Monotonic,
    method: Method,
    path: String,
}

impl Exchange {
    /// Answers one request; says so when it is the `last` of its connection. `hold` lives until the
    /// answer is made, even when the client has gone.
    pub(crate) async fn answer<H: Send + 'static>(
        self: Arc<Self>,
        origin: Origin,
        request: Request<hyper::body::Incoming>,
        last: bool,
        hold: H,
    ) -> Response<Reply> {
        let started = self.clock.monotonic();
        let Ok(request_id) = RequestId::generate(&*self.random) else {
            tracing::error!(listener = self.listener, "the random generator failed");
            return encode(Refusal::Internal.answer(), None, false);
        };
        let method = request.method().clone();
        let head = method == Method::HEAD;
        let http1 = request.version() < Version::HTTP_2;
        let path = request.uri().path().to_owned();
        let seen = Seen { request_id, started, method, path };
        let mut close = last;
        let mut outgoing = match self.admit(request_id, origin, request).await {
            Err(refusal) => {
                // Who sends what is refused here may have meant something else by it.
                close |= http1 && refusal != Refusal::Busy;
                let outgoing = refusal.answer();
                self.record(&seen, &outgoing);
                outgoing
            }
            // A task of its own: a client that goes away cancels nothing.
            Ok((incoming, permit)) => tokio::spawn(async move {
                let outgoing = guarded(&*self.handler, incoming).await;
                self.record(&seen, &outgoing);
                drop((permit, hold));
                outgoing
            })
            .await
            .unwrap_or_else(|_| Refusal::Internal.answer()),
        };
        if close {
            outgoing.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        encode(outgoing, Some(request_id), head)
    }

    async fn admit(
        &self,
        request_id: RequestId,
        origin: Origin,
        request: Request<hyper::body::Incoming>,
    ) -> Result<(Incoming, Room), Refusal> {
        let received_at = self.clock.now();
        let (Parts { method, uri, mut headers, .. }, body) = request.into_parts();
        let target = target(&method, &uri)?;
        one_host(&uri, &mut headers)?;
        if let Some(coding) = headers.get(header::TRANSFER_ENCODING)
            && !coding.as_bytes().eq_ignore_ascii_case(b"chunked")
        {
            return Err(Refusal::Coding);
        }
        if headers.len() > Limits::HEADERS {
            return Err(Refusal::TooManyHeaders);
        }
        let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        let mut held = Held::new(&self.memory, target.len() + fields.sum::<usize>())?;
        let awaits_word = headers.contains_key(header::EXPECT);
        let Limits { body_bytes, body_timeout, .. } = self.limits;
        let body = read_body(body, body_bytes, body_timeout, awaits_word, &mut held).await?;
        // Only now: a body that does not come must not keep others out.
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let Origin { peer, tls } = origin;
        let listener = self.listener;
        let incoming = Incoming {
            listener,
            peer,
            tls,
            request_id,
            received_at,
            method,
            target,
            headers,
            body,
        };
        Ok((incoming, (permit, held.permit)))
    }

    fn record(&self, seen: &Seen, outgoing: &Outgoing) {
        let line = RequestLine {
            listener: self.listener,
            request_id: seen.request_id,
            method: seen.method.as_str(),
            path: &seen.path,
            status: outgoing.status.as_u16(),
            took: self.clock.monotonic().since(seen.started),
            operation: outgoing.operation,
            extra: &outgoing.log,
        };
        line.log();
        self.metrics.observe(&line);
    }
}

/// Runs the handler; a panic becomes an answer. The panic hook has logged where it was.
async fn guarded(handler: &dyn Handler, incoming: Incoming) -> Outgoing {
    let request_id = incoming.request_id;
    let mut answer = Box::pin(async move { handler.handle(incoming).await });
    let caught = std::future::poll_fn(move |cx| {
        match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await;
    caught.unwrap_or_else(|| {
        tracing::error!(%request_id, "a handler panicked");
        Refusal::Internal.answer().with_log("code", "panic")
    })
}

/// The path and query as they arrived.
fn target(method: &Method, uri: &Uri) -> Result<String, Refusal> {
    if method == Method::CONNECT {
        return Err(Refusal::Method);
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    if target.len() > Limits::TARGET_BYTES {
        return Err(Refusal::TargetTooLong);
    }
    // `OPTIONS *` names no resource of ours; an absolute target may lack the path but not the query.
    if target.starts_with('?') {
        return Ok(format!("/{target}"));
    }
    target.starts_with('/').then(|| target.to_owned()).ok_or(Refusal::Target)
}

/// INVARIANT (everything that matters is signed): a handler sees exactly one host, so the host
/// that was signed is the one that was asked.
fn one_host(uri: &Uri, headers: &mut HeaderMap) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(Refusal::HostConflict);
    }
    match (first, uri.authority()) {
        (None, None) => Err(Refusal::NoHost),
        (Some(host), None) if host.is_empty() => Err(Refusal::NoHost),
        (Some(_), None) => Ok(()),
        (Some(host), Some(authority)) => host
            .as_bytes()
            .eq_ignore_ascii_case(authority.as_str().as_bytes())
            .then_some(())
            .ok_or(Refusal::HostConflict),
        (None, Some(authority)) => {
            let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Refusal::NoHost)?;
            headers.insert(header::HOST, host);
            Ok(())
        }
    }
}

/// The share of the memory for requests that one of them has.
struct Held {
    memory: Arc<Semaphore>,
    permit: OwnedSemaphorePermit,
    head: usize,
}

impl Held {
    fn new(memory: &Arc<Semaphore>, head: usize) -> Result<Self, Refusal> {
        let permit = Arc::clone(memory).try_acquire_many_owned(0).map_err(|_| Refusal::Busy)?;
        let mut held = Self { memory: Arc::clone(memory), permit, head };
        held.grow(0)?;
        Ok(held)
    }

    /// Makes the share large enough for a body of `length` bytes.
    fn grow(&mut self, length: usize) -> Result<(), Refusal> {
        let wanted = OVERHEAD_KIB + self.head.saturating_add(length).div_ceil(1024);
        let more = wanted.saturating_sub(self.permit.num_permits());
        let more = u32::try_from(more).map_err(|_| Refusal::Busy)?;
        let memory = Arc::clone(&self.memory);
        self.permit.merge(memory.try_acquire_many_owned(more).map_err(|_| Refusal::Busy)?);
        Ok(())
    }
}

/// Reads at most `limit` bytes within `time`.
///
/// A body a little over the limit is read to its end and dropped: a client that is still sending
/// when the connection closes may never see the answer.
async fn read_body<B>(
    mut body: B,
    limit: usize,
    time: Duration,
    awaits_word: bool,
    held: &mut Held,
) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let patience = limit.saturating_mul(2);
    let hint = body.size_hint();
    let least = usize::try_from(hint.lower()).unwrap_or(usize::MAX);
    if least > patience || (least > limit && awaits_word) {
        return Err(Refusal::BodyTooLarge);
    }
    let whole = async {
        let mut first = Bytes::new();
        let mut rest = Vec::new();
        let mut length = 0_usize;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Refusal::BodyBroken)?.into_data() else { continue };
            length = length.saturating_add(data.len());
            if length > limit {
                (first, rest) = (Bytes::new(), Vec::new());
                if length > patience {
                    return Err(Refusal::BodyTooLarge);
                }
                continue;
            }
            held.grow(length)?;
            if first.is_empty() && rest.is_empty() {
                first = data;
            } else {
                if rest.is_empty() {
                    let room = least.min(limit).min(FIRST_ROOM);
                    rest = Vec::with_capacity(room.max(first.len() + data.len()));
                    rest.extend_from_slice(&first);
                    first = Bytes::new();
                }
                rest.extend_from_slice(&data);
            }
        }
        if length > limit {
            return Err(Refusal::BodyTooLarge);
        }
        Ok(if rest.is_empty() { first } else { Bytes::from(rest) })
    };
    tokio::time::timeout(time, whole).await.unwrap_or(Err(Refusal::BodyTimeout))
}

fn encode(outgoing: Outgoing, request_id: Option<RequestId>, head: bool) -> Response<Reply> {
    let length = outgoing.body.length();
    let body = if head { Payload::empty() } else { outgoing.body };
    let mut response = Response::new(Reply::new(body, outgoing.trailers));
    *response.status_mut() = outgoing.status;
    *response.headers_mut() = outgoing.headers;
    if head && let Some(length) = length {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(&id.to_string()).ok()) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}
