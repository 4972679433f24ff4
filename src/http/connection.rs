//! One connection: which HTTP it speaks, its bounds in time, and its graceful end.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::exchange::Exchange;
use super::message::{Peer, TlsInfo};
use super::server::{Hold, Stage};
use super::settings::Limits;
use super::strict::Strict;
use super::tls::Tls;

/// The first bytes of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a connection that was told to end may take.
const GRACE: Duration = Duration::from_secs(5);

/// Where a connection's requests come from.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) peer: Peer,
    pub(crate) tls: Option<TlsInfo>,
}

/// Why a connection ended before its time; a label in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Handshake,
    Timeout,
    Protocol,
}

impl Broken {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
        }
    }
}

/// Serves a connection until it ends, or until `stage` says so.
pub(crate) async fn serve<S>(
    exchange: Arc<Exchange>,
    tls: Option<Arc<Tls>>,
    mut stream: S,
    peer: Peer,
    stage: watch::Receiver<Stage>,
    hold: Hold,
) -> Result<(), Broken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut closing = stage.clone();
    let served = async move {
        let limits = exchange.limits;
        match tls {
            None => {
                let sniffed = sniff(&mut stream);
                let Some(read) = before_stop(&stage, limits.header_timeout, sniffed).await? else {
                    return Ok(());
                };
                let (start, http2) = read.map_err(|_| Broken::Protocol)?;
                let origin = Origin { peer, tls: None };
                speak(exchange, stream, start, http2, origin, stage, hold).await
            }
            Some(tls) => {
                let accept = TlsAcceptor::from(tls.current()).accept(stream);
                let Some(shaken) = before_stop(&stage, limits.handshake_timeout, accept).await?
                else {
                    return Ok(());
                };
                let stream = shaken.map_err(|error| {
                    tracing::debug!(%error, "TLS handshake failed");
                    Broken::Handshake
                })?;
                let (_, session) = stream.get_ref();
                let http2 = session.alpn_protocol() == Some(b"h2");
                let origin = Origin { peer, tls: Some(tls.told(session)) };
                speak(exchange, stream, Vec::new(), http2, origin, stage, hold).await
            }
        }
    };
    tokio::select! {
        result = served => result,
        _ = closing.wait_for(|stage| *stage == Stage::Closing) => Ok(()),
    }
}

/// Waits for what comes before the first request; a stop ends it (`None`), and so does time.
async fn before_stop<T>(
    stage: &watch::Receiver<Stage>,
    time: Duration,
    future: impl Future<Output = T>,
) -> Result<Option<T>, Broken> {
    let mut stage = stage.clone();
    tokio::select! {
        done = timeout(time, future) => done.map(Some).map_err(|_| Broken::Timeout),
        _ = stage.wait_for(|stage| *stage != Stage::Serving) => Ok(None),
    }
}

/// Speaks HTTP on a stream whose `start` was read already.
async fn speak<S>(
    exchange: Arc<Exchange>,
    stream: S,
    start: Vec<u8>,
    http2: bool,
    origin: Origin,
    stage: watch::Receiver<Stage>,
    hold: Hold,
) -> Result<(), Broken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = exchange.limits;
    let activity = Arc::new(Activity::new());
    let watched = Arc::clone(&activity);
    let answer = move |request: Request<Incoming>, last: bool| {
        let exchange = Arc::clone(&exchange);
        let busy = Busy::new(Arc::clone(&watched));
        let (origin, hold) = (origin.clone(), hold.clone());
        async move {
            let answer = exchange.answer(origin, request, last, hold).await;
            // An answer that is sent piece by piece is work until its end.
            Ok::<_, Infallible>(answer.map(|body| body.holding(busy)))
        }
    };
    if http2 {
        let io = TokioIo::new(Strict::transparent(stream, start));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(Limits::STREAMS)
            .max_pending_accept_reset_streams(Limits::PENDING_RESETS)
            .max_header_list_size(u32::try_from(Limits::HEAD_BYTES).unwrap_or(u32::MAX))
            .keep_alive_interval(limits.idle_timeout / 2)
            .keep_alive_timeout(limits.idle_timeout / 2)
            .serve_connection(io, service_fn(move |request| answer(request, false)));
        drive(connection, &activity, limits, stage).await
    } else {
        let (stream, framing) = Strict::http1(stream, start);
        let service = service_fn(move |request: Request<Incoming>| {
            let another = framing.announce(request.headers());
            answer(request, !another)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_headers(Limits::HEADERS)
            .max_header_size(Limits::HEAD_BYTES)
            .max_buf_size(2 * Limits::HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        drive(connection, &activity, limits, stage).await
    }
}

/// Polls the connection; ends it gracefully when it idles too long or a stop is asked for, and
/// drops it when it does not heed.
async fn drive<C>(
    connection: C,
    activity: &Activity,
    limits: Limits,
    mut stage: watch::Receiver<Stage>,
) -> Result<(), Broken>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let mut ending: Option<Instant> = None;
    let mut deadline = Instant::now() + limits.idle_timeout;
    loop {
        let end = tokio::select! {
            ended = connection.as_mut() => return ended.map_err(|error| {
                tracing::debug!(%error, "connection broken");
                if error.is_timeout() { Broken::Timeout } else { Broken::Protocol }
            }),
            _ = stage.wait_for(|stage| *stage != Stage::Serving), if ending.is_none() => true,
            () = sleep_until(deadline) => false,
        };
        let now = Instant::now();
        let idle_since = activity.idle_since().unwrap_or(now);
        let due = ending.map_or(idle_since + limits.idle_timeout, |at| idle_since.max(at) + GRACE);
        if !end && due > now {
            deadline = due;
        } else if ending.is_some() {
            return Err(Broken::Timeout);
        } else {
            ending = Some(now);
            deadline = now + GRACE;
            connection.as_mut().graceful_shutdown();
        }
    }
}

/// Whether requests are in work on a connection, and since when none was.
struct Activity {
    busy: AtomicUsize,
    idle_since: Mutex<Instant>,
}

impl Activity {
    fn new() -> Self {
        Self { busy: AtomicUsize::new(0), idle_since: Mutex::new(Instant::now()) }
    }

    /// `None` while a request is in work.
    fn idle_since(&self) -> Option<Instant> {
        let since = *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner);
        (self.busy.load(Ordering::SeqCst) == 0).then_some(since)
    }
}

/// Marks a request in work.
struct Busy(Arc<Activity>);

impl Busy {
    fn new(activity: Arc<Activity>) -> Self {
        activity.busy.fetch_add(1, Ordering::SeqCst);
        Self(activity)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Reads until the bytes are the preface of HTTP/2 or cannot become it; returns what was read, and
/// which it is.
async fn sniff<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(Vec<u8>, bool)> {
    let mut start = Vec::with_capacity(PREFACE.len());
    while start.len() < PREFACE.len() && PREFACE.starts_with(&start) {
        let mut rest = (&mut *stream).take((PREFACE.len() - start.len()) as u64);
        if rest.read_buf(&mut start).await? == 0 {
            break;
        }
    }
    let http2 = start == PREFACE;
    Ok((start, http2))
}
