//! The body of an answer: whole, or in pieces as they are made.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

/// The body of an answer.
pub enum Payload {
    /// All of it, at once.
    Whole(Bytes),
    /// Piece by piece; it ends when the sender is dropped. What reads it must be able to tell the
    /// end from a cut: the format says how.
    Stream {
        /// The pieces.
        pieces: mpsc::Receiver<Bytes>,
        /// Dropped with the body: while it is there, the answer is being sent.
        hold: Option<Box<dyn Send>>,
    },
}

impl Payload {
    /// No body.
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// Keeps `hold` until the body has been sent, or dropped; of a body that is there as a whole,
    /// which ends by itself, no longer than until it is given to the connection.
    pub(super) fn holding(mut self, it: impl Send + 'static) -> Self {
        if let Self::Stream { hold, .. } = &mut self {
            *hold = Some(Box::new(it));
        }
        self
    }

    /// All of it, if it is there.
    #[cfg(test)]
    pub(crate) fn whole(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Stream { .. } => &[],
        }
    }

    /// Its length, where that is known before it is sent.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::Whole(bytes) => Some(bytes.len()),
            Self::Stream { .. } => None,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream { pieces, .. } => {
                pieces.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream { .. } => SizeHint::new(),
        }
    }
}
