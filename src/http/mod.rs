//! Listeners, TLS, limits, routing.
