//! Operations: one file each.

pub mod fault;
pub mod params;
