//! Verification inside a service: who signed this request, is the signature good, may they do this?
//!
//! # Model
//!
//! The first request of a credential in a scope goes to the broker, all of it but the body, which is
//! shown as its hash. The answer carries what it takes to go on: the signing key of that scope, the
//! principal, its expiry, and the policies that concern the service. Requests after it are verified
//! and decided here ([`Local`]), by the same functions as in the broker.
//!
//! What is kept is held to the directory by the broker's change feed: a change of anything that an
//! entry depends on ends it. The feed is pushed, so that a revocation arrives within moments; that
//! nothing was missed is proven every few seconds by a question of its own, whose answer is not
//! older than the question.
//!
//! # Trust boundary
//!
//! The request is hostile. The broker is trusted, once TLS (or the owner of a Unix socket or of a
//! loopback port) has shown that it is the broker. The service is trusted for what it says of the
//! connection and of its own resources.
//!
//! # Fail closed
//!
//! - INVARIANT: staleness runs on the monotonic clock and starts expired. When nothing has proven
//!   for [`Settings::freshness`] that all changes are known here, nothing that is kept counts: each
//!   request is a question to the broker, and without its answer the request is refused with 503.
//! - INVARIANT: news that do not join what is known, a new epoch, another deployment, or new settings
//!   of the service make all that is kept void.
//! - INVARIANT: expiry is absolute and checked at every use.
//! - A session is confirmed with the broker as often as the broker itself confirms it in its ledger;
//!   while the broker does not answer, it goes on within the freshness limit.
//! - INVARIANT: the later of two clocks counts, the service's own and the broker's as last heard.
//! - A credential that the broker refuses is refused for a moment without asking, unless the
//!   directory changes before. Other refusals are not kept.
//!
//! What is not verified here but asked of the broker each time: SigV4A (its key would be good for
//! every service), resource policies (their principals are bound by the directory), questions that
//! the broker would refuse to read.
//!
//! # Features
//!
//! `verify` has [`Local`], without a runtime. `client` adds the `Verifier`, which asks the broker and
//! follows its feed, and the tower layer.

mod answer;
#[cfg(feature = "client")]
mod client;
mod entry;
mod judge;
#[cfg(feature = "client")]
mod layer;
mod local;
mod news;
mod request;
#[cfg(test)]
#[cfg(feature = "server")]
mod tests;

pub use answer::{Kind, Refused, Verified};
#[cfg(feature = "client")]
pub use client::{
    BrokerAddress, ClientError, CredentialSource, Credentials, Tls, Verifier, VerifierBuilder,
};
#[cfg(feature = "client")]
pub use layer::{VerifiedBody, VerifyLayer, VerifyService};
pub use local::{Asking, Local, Outcome, Settings};
pub use news::{Applied, NewsError};
pub use request::{Connection, Deed, Request};
