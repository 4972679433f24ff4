//! Tests of the policy engine: by table, by law, and against what AWS documents.

mod fixture;
mod layers;
