//! The SigV4 family of request signatures: pure, no I/O, no clock.
