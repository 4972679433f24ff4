//! What is sent after the head of an answer: its body, and perhaps trailers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

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

    /// Keeps `hold` until a body that is sent piece by piece has been sent, or dropped.
    pub(crate) fn holding(self, hold: impl Send + 'static) -> Self {
        Self { payload: self.payload.holding(hold), ..self }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match Pin::new(&mut self.payload).poll_frame(cx) {
            Poll::Ready(None) => {
                Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
            }
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.payload.is_end_stream() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.payload.size_hint()
    }
}
