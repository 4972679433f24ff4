//! Wire formats: the Query protocol's parameters, XML answers.

mod printable;
pub mod query;
pub mod xml;

pub use printable::printable;
