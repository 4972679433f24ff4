//! What maps, what does not, and what must not.
