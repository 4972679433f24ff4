//! A stricter reader of HTTP/1.1 before hyper's.
//!
//! hyper follows RFC 9112 where it lets a recipient be lenient: a bare line feed ends a line, of
//! `Transfer-Encoding` and `Content-Length` together the former wins, equal lengths may repeat. A
//! proxy in front that reads such a request another way would see another request. So the bytes of
//! each head pass a scanner first, and hyper is given no byte past the head until that head's
//! framing is known: then the next head begins where this body's last byte was, for both readers.
//! After a chunked body nothing more is read as a head: its connection is closed (RFC 9112,
//! section 6.1, asks no less of a request with both framings).

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use hyper::header::{self, HeaderMap};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read at once while a head is expected.
const CHUNK: usize = 8 * 1024;

/// A stream that holds each HTTP/1.1 head to the letter; transparent for anything else.
pub(crate) struct Strict<S> {
    stream: S,
    expect: Framing,
    /// Bytes that were read and not given yet.
    kept: Vec<u8>,
    given: usize,
}

/// Where in the conversation the reader is; the service announces each request's framing here.
#[derive(Clone)]
pub(crate) struct Framing(Arc<Mutex<Expect>>);

enum Expect {
    Head(Scan),
    /// A head was given; its request is not announced yet.
    Announcement(Option<Waker>),
    /// So many bytes of a body, then a head.
    Body(u64),
    /// No head any more.
    Rest,
}

impl Framing {
    /// Tells the reader what follows the head it gave last. Returns whether another head may come
    /// after it on this connection.
    pub(crate) fn announce(&self, headers: &HeaderMap) -> bool {
        let length = headers.get(header::CONTENT_LENGTH).map_or(Some(0), |length| {
            length.to_str().ok().and_then(|length| length.parse::<u64>().ok())
        });
        let (next, another) = match length {
            Some(length) if !headers.contains_key(header::TRANSFER_ENCODING) => {
                (Expect::Body(length), true)
            }
            _ => (Expect::Rest, false),
        };
        let mut expect = self.lock();
        if let Expect::Announcement(waker) = std::mem::replace(&mut *expect, next)
            && let Some(waker) = waker
        {
            waker.wake();
        }
        another
    }

    fn lock(&self) -> MutexGuard<'_, Expect> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Strict<S> {
    /// Reads HTTP/1.1: `start` first, which was read already.
    pub(crate) fn http1(stream: S, start: Vec<u8>) -> (Self, Framing) {
        let expect = Framing(Arc::new(Mutex::new(Expect::Head(Scan::default()))));
        (Self { stream, expect: expect.clone(), kept: start, given: 0 }, expect)
    }

    /// Reads anything: `start` first, which was read already.
    pub(crate) fn transparent(stream: S, start: Vec<u8>) -> Self {
        let expect = Framing(Arc::new(Mutex::new(Expect::Rest)));
        Self { stream, expect, kept: start, given: 0 }
    }

    /// Gives at most `most` of the bytes that were kept; returns how many.
    fn give(&mut self, buffer: &mut ReadBuf<'_>, most: usize) -> usize {
        let rest = self.kept.get(self.given..).unwrap_or_default();
        let count = rest.len().min(most).min(buffer.remaining());
        buffer.put_slice(rest.get(..count).unwrap_or_default());
        self.given += count;
        if self.given == self.kept.len() {
            (self.kept, self.given) = (Vec::new(), 0);
        }
        count
    }
}

impl<S: AsyncRead + Unpin> Strict<S> {
    /// Makes sure that bytes are kept; returns whether there are any (not: the stream's end).
    fn poll_keep(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.kept.is_empty() {
            let mut chunk = [0; CHUNK];
            let mut read = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
            self.kept.extend_from_slice(read.filled());
        }
        Poll::Ready(Ok(!self.kept.is_empty()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let shared = this.expect.clone();
        let mut expect = shared.lock();
        if let Expect::Body(0) = *expect {
            *expect = Expect::Head(Scan::default());
        }
        match &mut *expect {
            Expect::Announcement(waker) => {
                *waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Expect::Rest => {
                if this.give(buffer, usize::MAX) == 0 {
                    return Pin::new(&mut this.stream).poll_read(cx, buffer);
                }
            }
            Expect::Body(left) => {
                if ready!(this.poll_keep(cx))? {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX);
                    *left -= this.give(buffer, most) as u64;
                }
            }
            Expect::Head(scan) => {
                if ready!(this.poll_keep(cx))? {
                    let rest = this.kept.get(this.given..).unwrap_or_default();
                    let rest = rest.get(..buffer.remaining()).unwrap_or(rest);
                    let (count, ended) = scan
                        .feed(rest)
                        .map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))?;
                    this.give(buffer, count);
                    if ended {
                        *expect = Expect::Announcement(None);
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A head that two readers could take for different requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHead {
    #[error("a line does not end with CR LF")]
    LineEnd,
    #[error("the framing is told more than once")]
    Framing,
}

/// Follows one head, byte by byte.
#[derive(Default)]
struct Scan {
    /// The line so far: as much of it as the longest name of interest.
    line: Vec<u8>,
    carriage_return: bool,
    /// Whether a line that is not empty ended: empty lines before the first do not count.
    begun: bool,
    framings: usize,
}

impl Scan {
    const FRAMINGS: [&'static [u8]; 2] = [b"content-length:", b"transfer-encoding:"];
    const LONGEST: usize = 18;

    /// Reads on; returns how many bytes belong to the head, and whether it ended with them.
    fn feed(&mut self, bytes: &[u8]) -> Result<(usize, bool), BadHead> {
        for (index, byte) in bytes.iter().enumerate() {
            let ended = match (byte, self.carriage_return) {
                (b'\n', true) => self.end_line()?,
                (b'\n', false) | (_, true) => return Err(BadHead::LineEnd),
                (byte, false) => {
                    self.carriage_return = *byte == b'\r';
                    if !self.carriage_return && self.line.len() < Self::LONGEST {
                        self.line.push(byte.to_ascii_lowercase());
                    }
                    false
                }
            };
            if ended {
                return Ok((index + 1, true));
            }
        }
        Ok((bytes.len(), false))
    }

    /// Returns whether the head ended.
    fn end_line(&mut self) -> Result<bool, BadHead> {
        self.carriage_return = false;
        if self.line.is_empty() {
            return Ok(self.begun);
        }
        self.begun = true;
        if Self::FRAMINGS.iter().any(|name| self.line.starts_with(name)) {
            self.framings += 1;
        }
        self.line.clear();
        if self.framings > 1 { Err(BadHead::Framing) } else { Ok(false) }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(head: &str, step: usize) -> Result<(usize, bool), BadHead> {
        let mut scan = Scan::default();
        let mut total = 0;
        for part in head.as_bytes().chunks(step) {
            let (count, ended) = scan.feed(part)?;
            total += count;
            if ended {
                return Ok((total, true));
            }
        }
        Ok((total, false))
    }

    #[test]
    fn a_head_ends_at_the_first_empty_line_however_it_is_cut() {
        for (head, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\n", Ok((27, true))),
            ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Ok((22, true))),
            ("GET / HTTP/1.1\r\nHost: a\r\n", Ok((25, false))),
            ("GET / HTTP/1.1\nHost: a\r\n", Err(BadHead::LineEnd)),
            ("GET / HTTP/1.1\r\nHost: a\rb\r\n", Err(BadHead::LineEnd)),
            ("GET / HTTP/1.1\r\n\n", Err(BadHead::LineEnd)),
            ("A\r\nContent-length: 1\r\nTRANSFER-ENCODING: chunked\r\n", Err(BadHead::Framing)),
            ("A\r\nContent-length: 1\r\nContent-Length: 1\r\n", Err(BadHead::Framing)),
            ("A\r\nContent-Length: 1\r\nContent-Lengthy: 1\r\n\r\n", Ok((44, true))),
        ] {
            for step in 1..=head.len() {
                assert_eq!(scan(head, step), expected, "{head:?} by {step}");
            }
        }
    }
}
