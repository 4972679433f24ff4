//! What is sent after the head of an answer: its body, and perhaps trailers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::HeaderMap;

use super::payload::Payload;

/// A body and its trailers.
pub(crate) struct Reply {
    payload: Payload,
    trailers: Option<HeaderMap>,
}

impl Reply {
    pub(crate) fn new(payload: Payload, trailers: Option<HeaderMap>) -> Self {
        Self { payload, trailers }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(frame) = ready!(Pin::new(&mut self.payload).poll_frame(cx)) {
            return Poll::Ready(Some(frame));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.payload.is_end_stream() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.payload.size_hint()
    }
}
