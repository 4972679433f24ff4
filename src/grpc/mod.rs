//! Envoy's `ext_authz` over gRPC, on the verify listener.
//!
//! # Model
//!
//! One unary method, `envoy.service.auth.v3.Authorization/Check`. A gRPC call is an HTTP/2 request
//! with a length-prefixed message in its body, and its status stands in the trailers of the answer
//! (`frame`); so the listener's own limits, TLS and log lines hold for it too. The few messages
//! that are needed stand in `proto`.
//!
//! Envoy names the service by `context_extensions` of the route, which no client can set, and must
//! send raw headers (`encode_raw_headers`), as they came in.
//!
//! # Trust boundary
//!
//! Envoy is an [asker](crate::downstream::Asker) of the service, by loopback or its certificate. It is
//! trusted for what it says of the client's connection; the headers and the body are the client's.

mod ext_authz;
mod frame;
mod proto;
#[cfg(test)]
mod tests;

pub(crate) use ext_authz::check;

/// The method's path.
pub(crate) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
