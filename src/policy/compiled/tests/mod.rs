//! The compiled engine against the interpreter, and its own promises.

mod agreement;
mod coverage;
mod generate;
mod promises;
mod robustness;
