//! The policies of roles.

use super::{attached, boundary, inline};
use crate::directory::Role;

/// PutRolePolicy: makes or replaces an inline policy.
pub type PutRolePolicy = inline::Put<Role>;
/// GetRolePolicy: an inline policy's text.
pub type GetRolePolicy = inline::Get<Role>;
/// DeleteRolePolicy: removes an inline policy.
pub type DeleteRolePolicy = inline::Delete<Role>;
/// AttachRolePolicy: gives a role a managed policy.
pub type AttachRolePolicy = attached::Attach<Role>;
/// DetachRolePolicy: takes a managed policy from a role.
pub type DetachRolePolicy = attached::Detach<Role>;
/// ListRolePolicies: the names of the inline policies.
pub type ListRolePolicies = inline::List<Role>;
/// ListAttachedRolePolicies: the managed policies.
pub type ListAttachedRolePolicies = attached::List<Role>;
/// PutRolePermissionsBoundary: bounds a role.
pub type PutRolePermissionsBoundary = boundary::Put<Role>;
/// DeleteRolePermissionsBoundary: unbounds a role.
pub type DeleteRolePermissionsBoundary = boundary::Delete<Role>;
