//! The policies of users.

use super::{attached, inline};
use crate::directory::User;

/// PutUserPolicy: makes or replaces an inline policy.
pub type PutUserPolicy = inline::Put<User>;
/// GetUserPolicy: an inline policy's text.
pub type GetUserPolicy = inline::Get<User>;
/// DeleteUserPolicy: removes an inline policy.
pub type DeleteUserPolicy = inline::Delete<User>;
/// AttachUserPolicy: gives a user a managed policy.
pub type AttachUserPolicy = attached::Attach<User>;
/// DetachUserPolicy: takes a managed policy from a user.
pub type DetachUserPolicy = attached::Detach<User>;
