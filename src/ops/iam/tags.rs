//! Tags of users and roles.
//!
//! Source: AWS IAM API reference, TagUser and its kin; IAM User Guide, "Tags for IAM resources".

use crate::directory::Tag;
use crate::ops::fault::Fault;
use crate::ops::params::{self, TagFault, check_tag_keys};

/// Tags as they came, to be kept.
pub(super) fn owned(tags: &[params::Tag<'_>]) -> Vec<Tag> {
    tags.iter().map(|tag| Tag { key: tag.key.to_owned(), value: tag.value.to_owned() }).collect()
}

/// Refuses tags whose keys are the same but for case, or AWS's own.
pub(super) fn check(tags: &[Tag]) -> Result<(), Fault> {
    check_tag_keys(tags.iter().map(|tag| tag.key.as_str()), TagFault::Iam)
}
