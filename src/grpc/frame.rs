//! gRPC's framing of one message, and its status.
//!
//! Source: "gRPC over HTTP2" in the grpc repository's documentation.

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;

use crate::http::Outgoing;

/// A status, by gRPC's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok = 0,
    InvalidArgument = 3,
    PermissionDenied = 7,
    Unimplemented = 12,
    Unavailable = 14,
}

/// Reads the one message of a call: not compressed, nothing after it.
pub(super) fn read<M: Message + Default>(body: &[u8]) -> Option<M> {
    let (compressed, rest) = body.split_first()?;
    let (length, message) = rest.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let whole = usize::try_from(length).ok()? == message.len();
    if *compressed != 0 || !whole {
        return None;
    }
    M::decode(message).ok()
}

/// An answer of one message.
pub(super) fn message<M: Message>(message: &M) -> Outgoing {
    let encoded = message.encode_to_vec();
    let mut body = Vec::with_capacity(encoded.len() + 5);
    body.push(0);
    body.extend_from_slice(&u32::try_from(encoded.len()).unwrap_or(u32::MAX).to_be_bytes());
    body.extend_from_slice(&encoded);
    ended(body.into(), Status::Ok, "")
}

/// An answer without a message.
pub(super) fn failure(status: Status, why: &str) -> Outgoing {
    ended(Bytes::new(), status, why)
}

fn ended(body: Bytes, status: Status, why: &str) -> Outgoing {
    let mut trailers = HeaderMap::new();
    trailers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from(status as u16));
    if let Ok(why) = HeaderValue::from_str(why)
        && !why.is_empty()
    {
        trailers.insert(HeaderName::from_static("grpc-message"), why);
    }
    Outgoing::new(StatusCode::OK, "application/grpc", body).with_trailers(trailers)
}
