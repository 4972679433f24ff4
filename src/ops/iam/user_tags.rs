//! The tags of users.

use super::tags;
use crate::directory::User;

/// TagUser: sets tags.
pub type TagUser = tags::Tag<User>;
/// UntagUser: removes tags.
pub type UntagUser = tags::Untag<User>;
/// ListUserTags: all of them.
pub type ListUserTags = tags::List<User>;
