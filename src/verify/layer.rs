//! The tower layer: a service behind it sees only requests that are verified and allowed.
//!
//! The layer reads the body, within a bound, before it asks; the service gets the same bytes. Where
//! the service is registered as one that takes bodies unsigned, checks them itself, or drops them, a
//! body that the signature names by its hash, or not at all, goes through unread (or is dropped).
//!
//! INVARIANT (everything that matters is signed): what follows an upgrade of the protocol, or a
//! `CONNECT`, is as little signed as a body that nobody looks at. It passes only where the service is
//! registered as one that takes such bodies (`body = "unsigned"`).
//!
//! INVARIANT: a request that brings a header of the name `x-countersign-…`, `_` for `-` included, is
//! refused, as it is behind a proxy: whoever believes such headers believes the broker.
//!
//! Put it innermost: whatever changes method, path, host or headers before it changes what was
//! signed. A request's [`Connection`] is taken from its extensions.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::answer::{Kind, Refused, Verified};
use super::client::Verifier;
use super::local::presented;
use super::request::{Connection, Deed, Request};
use crate::downstream::{BodyRule, is_ours};
use crate::sigv4::{Body, RequestHead};

type Authorize = dyn Fn(&Parts) -> Option<Deed> + Send + Sync;

/// Makes [`VerifyService`]s.
#[derive(Clone)]
pub struct VerifyLayer {
    verifier: Arc<Verifier>,
    authorize: Option<Arc<Authorize>>,
    body_bytes: usize,
}

impl VerifyLayer {
    /// The largest body that is verified, by default.
    pub const BODY_BYTES: usize = 2 * 1024 * 1024;

    /// For a service whose routes are registered with the broker.
    pub fn mapped(verifier: Arc<Verifier>) -> Self {
        Self { verifier, authorize: None, body_bytes: Self::BODY_BYTES }
    }

    /// For a service that says itself what a request does. A request for which `authorize` has no
    /// word is refused.
    ///
    /// What `authorize` reads was signed, but for what stands in headers that are not.
    pub fn authorized_by(
        verifier: Arc<Verifier>,
        authorize: impl Fn(&Parts) -> Option<Deed> + Send + Sync + 'static,
    ) -> Self {
        Self { authorize: Some(Arc::new(authorize)), ..Self::mapped(verifier) }
    }

    /// With another bound on bodies.
    #[must_use]
    pub fn body_bytes(mut self, limit: usize) -> Self {
        self.body_bytes = limit;
        self
    }
}

impl<S> tower_layer::Layer<S> for VerifyLayer {
    type Service = VerifyService<S>;

    fn layer(&self, inner: S) -> VerifyService<S> {
        VerifyService { layer: self.clone(), inner }
    }
}

/// A service behind the layer. Its requests carry [`Verified`] among their extensions.
#[derive(Clone)]
pub struct VerifyService<S> {
    layer: VerifyLayer,
    inner: S,
}

/// The body of a request that was verified.
pub enum VerifiedBody<B> {
    /// All of it, as it was verified.
    Whole(Bytes),
    /// As it comes: nobody has looked at it.
    Unread(B),
}

impl<B> HttpBody for VerifiedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Unread(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Unread(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Unread(body) => body.size_hint(),
        }
    }
}

type Answering<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<S, B, R> tower_service::Service<hyper::Request<B>> for VerifyService<S>
where
    S: tower_service::Service<hyper::Request<VerifiedBody<B>>, Response = Response<R>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answering<Response<R>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: hyper::Request<B>) -> Self::Future {
        // The one that was found ready goes with the request.
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let layer = self.layer.clone();
        Box::pin(async move {
            match layer.verified(request).await {
                Ok(request) => inner.call(request).await,
                Err(refused) => Ok(answer(&refused)),
            }
        })
    }
}

impl VerifyLayer {
    async fn verified<B>(
        &self,
        request: hyper::Request<B>,
    ) -> Result<hyper::Request<VerifiedBody<B>>, Refused>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, body) = request.into_parts();
        // INVARIANT: what the service finds there was put there by this layer.
        parts.extensions.remove::<Verified>();
        let deed = match &self.authorize {
            None => None,
            Some(authorize) => Some(authorize(&parts).ok_or_else(|| {
                Refused::denied("Unmapped", "The service knows no action that this request is.")
            })?),
        };
        refuse_spoofed(&parts)?;
        let (verified, fate, body) = self.judged(&parts, body, deed.as_ref()).await?;
        parts.extensions.insert(verified);
        if matches!(fate, Fate::Dropped) {
            // They told of a body that is not there any more.
            parts.headers.remove(header::TRANSFER_ENCODING);
            parts.headers.remove(header::TRAILER);
            if parts.headers.contains_key(header::CONTENT_LENGTH) {
                parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
        }
        Ok(hyper::Request::from_parts(parts, body))
    }

    /// Reads as much of the body as is verified, and verifies. The head is read once.
    async fn judged<B>(
        &self,
        parts: &Parts,
        body: B,
        deed: Option<&Deed>,
    ) -> Result<(Verified, Fate, VerifiedBody<B>), Refused>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let headers = headers(parts)?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let head = RequestHead { method: parts.method.as_str(), target, headers: &headers };
        let fate = self.fate(parts, &head)?;
        // Before the body is read: nobody holds memory for what is not signed at all.
        let presented = presented(&head)?;
        let (body, whole) = match fate {
            Fate::Verified => {
                let bytes = self.read(body).await?;
                (VerifiedBody::Whole(bytes.clone()), Some(bytes))
            }
            Fate::Passed => (VerifiedBody::Unread(body), None),
            Fate::Dropped => (VerifiedBody::Whole(Bytes::new()), Some(Bytes::new())),
        };
        let request = Request {
            head,
            body: whole.as_deref().map_or(Body::Unavailable, Body::Bytes),
            connection: parts.extensions.get::<Connection>().copied().unwrap_or_default(),
            deed,
        };
        let verified = self.verifier.verify_presented(&request, &presented).await?;
        Ok((verified, fate, body))
    }

    /// What becomes of the body. One that need not be read to verify its request may be read all the
    /// same, so this goes by what the request says of itself.
    fn fate(&self, parts: &Parts, head: &RequestHead<'_>) -> Result<Fate, Refused> {
        let upgrades =
            parts.headers.contains_key(header::UPGRADE) || parts.method == Method::CONNECT;
        let Some(service) = self.verifier.service() else {
            return if upgrades { Err(upgrade_refused()) } else { Ok(Fate::Verified) };
        };
        let rule = if service.is_mapped() {
            let meaning = service.meaning_of(head, Body::Unavailable).ok().flatten();
            service.body_rule(meaning.as_ref())
        } else {
            service.body_rule(None)
        };
        if upgrades && rule != BodyRule::Unsigned {
            return Err(upgrade_refused());
        }
        let names_hash = parts.headers.contains_key("x-amz-content-sha256");
        Ok(match rule {
            BodyRule::Ignored => Fate::Dropped,
            BodyRule::Checked | BodyRule::Unsigned if names_hash => Fate::Passed,
            BodyRule::Verified | BodyRule::Checked | BodyRule::Unsigned => Fate::Verified,
        })
    }

    async fn read<B>(&self, body: B) -> Result<Bytes, Refused>
    where
        B: HttpBody<Data = Bytes> + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let whole = Limited::new(body, self.body_bytes).collect().await;
        whole.map(http_body_util::Collected::to_bytes).map_err(|error| {
            if error.is::<LengthLimitError>() {
                let message = format!("Bodies of up to {} bytes are verified.", self.body_bytes);
                Refused::new(Kind::TooLarge, "BodyTooLarge", message)
            } else {
                Refused::new(Kind::Unreadable, "BodyBroken", "The body cannot be read.")
            }
        })
    }
}

/// The headers as they are judged, the host among them however it was named.
fn headers(parts: &Parts) -> Result<Vec<(&str, &[u8])>, Refused> {
    let authority = parts.uri.authority().map(hyper::http::uri::Authority::as_str);
    let mut headers: Vec<(&str, &[u8])> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    match (parts.headers.get(header::HOST), authority) {
        (None, Some(authority)) => headers.push(("host", authority.as_bytes())),
        // INVARIANT: the host that was signed is the one that was asked.
        (Some(host), Some(authority))
            if !host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) =>
        {
            if parts.method == Method::CONNECT {
                // Its target is no second host, but whom to connect to: that was not signed.
                return Err(upgrade_refused());
            }
            let message = "The request names more than one host.";
            return Err(Refused::new(Kind::Unreadable, "HostConflict", message));
        }
        _ => {}
    }
    Ok(headers)
}

/// Refuses headers that only the broker sets.
fn refuse_spoofed(parts: &Parts) -> Result<(), Refused> {
    let Some(name) = parts.headers.keys().find(|name| is_ours(name.as_str())) else {
        return Ok(());
    };
    let message = format!("The request brings the header {name}, which only the broker sets.");
    Err(Refused::denied("SpoofedHeader", message))
}

fn upgrade_refused() -> Refused {
    let message = "The request asks for another protocol, whose bytes nobody would judge.";
    Refused::denied("UpgradeRefused", message)
}

/// What becomes of a body.
#[derive(Clone, Copy)]
enum Fate {
    Verified,
    Passed,
    Dropped,
}

fn answer<R: From<Bytes>>(refused: &Refused) -> Response<R> {
    let body = serde_json::json!({
        "error": { "code": refused.code(), "message": refused.message() },
    });
    let mut response = Response::new(R::from(Bytes::from(body.to_string())));
    *response.status_mut() =
        StatusCode::from_u16(refused.kind().status()).unwrap_or(StatusCode::FORBIDDEN);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
