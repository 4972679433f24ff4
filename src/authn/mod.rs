//! The one verification pipeline: from a request to its caller.
