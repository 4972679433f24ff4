//! Countersign: a self-hosted broker of temporary credentials that speaks the protocols of AWS
//! STS and IAM.
//!
//! The public API is what a downstream service needs: [`sigv4`] (signatures), [`policy`] (the
//! policy language), [`verify`] (verification inside a service) and [`api`] (the types of `/v1`). The
//! rest is the broker.
//!
//! # Layers
//!
//! A module imports only from its own layer or from one below; a test holds it to that.
//!
//! | layer | modules | what |
//! |---|---|---|
//! | L4 edges | `http`, `grpc`, `cli`, `telemetry`, `settings`, `app`, `verify` | servers, command line, wiring, the verifier inside a service |
//! | L3 operations | `ops` | one file an operation |
//! | L2 state | `authn`, `directory`, `sessions`, `audit`, `keysets` | who asks, what is stored |
//! | L1 engines | `sigv4`, `policy`, `downstream`, `seal`, `mfa`, `wire`, `api`, `federation` | pure: no I/O, no clock |
//! | L0 primitives | `arn`, `future`, `group`, `id`, `random`, `secret`, `time` | |

// L0
pub mod arn;
#[doc(hidden)]
pub mod future;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod group;
pub mod id;
pub mod random;
pub mod secret;
pub mod time;

// L1
pub mod api;
#[doc(hidden)]
pub mod downstream;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod federation;
#[doc(hidden)]
pub mod mfa;
pub mod policy;
#[doc(hidden)]
pub mod seal;
pub mod sigv4;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod wire;

// L2
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod audit;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod authn;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod directory;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod keysets;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod sessions;

// L3
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod ops;

// L4
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod app;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod grpc;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod http;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod settings;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod telemetry;
pub mod verify;
