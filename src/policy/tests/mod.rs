//! Tests of the policy engine: by table, by law, and against what AWS documents.

mod conditions;
mod documented;
mod explain;
mod federation;
pub(super) mod fixture;
mod grammar;
mod json;
mod known_errors;
mod laws;
mod layers;
mod matching;
mod messages;
mod principals;
mod robustness;
mod simulate;
mod typed_values;
mod variables;
