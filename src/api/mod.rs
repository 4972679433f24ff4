//! The types of the broker's own `/v1` interfaces.
