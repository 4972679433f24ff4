//! Keys of identity providers.
