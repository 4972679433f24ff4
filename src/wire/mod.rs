//! Wire formats: the Query protocol's parameters, XML answers, AWS JSON 1.1.

pub mod json11;
mod printable;
pub mod query;
pub mod xml;

pub use printable::printable;
