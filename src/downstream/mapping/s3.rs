//! S3.
use super::{Meaning, Unmapped};
use crate::downstream::HostPattern;

pub fn find(_: &[HostPattern], _: &str, _: &str, _: &[(&str, &[u8])]) -> Result<Meaning, Unmapped> {
    Err(Unmapped::NoRoute)
}
