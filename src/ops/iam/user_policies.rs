//! The policies of users.

use super::{attached, boundary, inline};
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
/// ListUserPolicies: the names of the inline policies.
pub type ListUserPolicies = inline::List<User>;
/// ListAttachedUserPolicies: the managed policies.
pub type ListAttachedUserPolicies = attached::List<User>;
/// PutUserPermissionsBoundary: bounds a user.
pub type PutUserPermissionsBoundary = boundary::Put<User>;
/// DeleteUserPermissionsBoundary: unbounds a user.
pub type DeleteUserPermissionsBoundary = boundary::Delete<User>;
