//! The edge: listeners, TLS, limits, and the way of a request from bytes to a [`Handler`] and back.
//!
//! # Model
//!
//! A [`Server`] holds listeners; each has an address (TCP or Unix socket), perhaps TLS, limits and
//! one handler. HTTP/1.1 and HTTP/2 are read by hyper, HTTP/1.1 after a stricter look at each head
//! (bare line feeds, framing told twice). This module bounds them (connections, requests at once,
//! header bytes and count, body bytes, time to send each) and hands a handler an [`Incoming`]
//! request that is complete: its body is read, its time and ID are drawn, it names exactly one
//! host. [`client`] is the other side, for our own commands.
//!
//! # Trust boundary
//!
//! Everything a peer sends is hostile. What a handler may rely on comes from the connection, not
//! from headers: the peer's address (`X-Forwarded-For` and its kin are never read), whether TLS
//! was spoken, and the client's certificate once the configured client CA vouched for it. Where the
//! API listener asks for certificates, nobody has vouched for one that a client holds
//! ([`TlsInfo::held`]): it is judged where it is used.
//!
//! INVARIANT (no accidental plaintext): [`exposure`] decides before anything is bound.
//! INVARIANT (secrets stay secret): headers, queries and bodies are never logged.

pub mod client;
mod connection;
mod exchange;
pub mod exposure;
mod holder;
mod listen;
mod message;
pub mod ops;
mod payload;
mod peer;
mod reply;
pub mod route;
mod server;
mod settings;
pub mod signals;
mod strict;
mod tls;

pub use listen::{Address, BindError};
pub use message::{Answer, Handler, Incoming, KnownClient, Outgoing, Peer, TlsInfo};
pub use payload::Payload;
pub use server::{Edge, Listener, Reloader, Server};
pub use settings::{ClientCertificates, Limits, Settings, TlsSettings};
pub use tls::{Clients, TlsError, TlsFiles};
