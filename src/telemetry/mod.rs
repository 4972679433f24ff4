//! Logs and metrics.
//!
//! INVARIANT (secrets stay secret): a request's line tells method, path, status and what the
//! operation chose to add; never the query, a header or a body. Libraries below us log nothing
//! finer than warnings, whatever the level, and a panic's message (it may quote data) is not
//! logged, only its place.

mod logs;
mod metrics;

pub use logs::{Format, Level, LogControl, LogError, RequestLine, Settings, init, subscriber};
pub use metrics::{Metrics, OpenConnection};
