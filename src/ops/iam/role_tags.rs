//! The tags of roles.

use super::tags;
use crate::directory::Role;

/// TagRole: sets tags.
pub type TagRole = tags::Tag<Role>;
/// UntagRole: removes tags.
pub type UntagRole = tags::Untag<Role>;
/// ListRoleTags: all of them.
pub type ListRoleTags = tags::List<Role>;
