#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

//! Certificates made on the spot, each with one thing wrong.

mod lists;
mod make;
mod mapping;
mod paths;

pub(crate) use make::{Authority, NOW, Party, at, end_entity};
