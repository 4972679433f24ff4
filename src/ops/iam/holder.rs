//! What users, groups and roles have in common: they hold policies.

use super::kind::Made;
use super::quotas::{Quota, Quotas};
use crate::directory::entities::Policies;
use crate::directory::{Group, Role, User};
use crate::ops::fault;
use crate::ops::params::rules::{self, Text};
use crate::policy::{INLINE_GROUP_CHARS, INLINE_ROLE_CHARS, INLINE_USER_CHARS};

/// AWS's names for the operations on the policies of one kind of holder.
pub struct Names {
    /// Such as `PutUserPolicy`.
    pub put: &'static str,
    /// Such as `GetUserPolicy`.
    pub get: &'static str,
    /// Such as `DeleteUserPolicy`.
    pub delete: &'static str,
    /// Such as `AttachUserPolicy`.
    pub attach: &'static str,
    /// Such as `DetachUserPolicy`.
    pub detach: &'static str,
    /// Such as `ListUserPolicies`.
    pub list: &'static str,
    /// Such as `ListAttachedUserPolicies`.
    pub list_attached: &'static str,
}

/// An entity of an account that holds policies.
pub trait Holder: Made {
    /// Its inline policies in texts about what is not there.
    const INLINE_POLICY: fault::Entity;
    /// The rule for its name where managed policies are attached, detached and listed.
    const ATTACH_RULE: Text;
    /// What the operations on its policies are called.
    const NAMES: Names;
    /// How large its inline policies may be, all together, in characters without white space.
    const INLINE_CHARS: usize;

    /// How many managed policies it may have.
    fn attached(quotas: &Quotas) -> Quota;
    /// Its name.
    fn name(&self) -> &str;
    /// Its policies.
    fn policies(&self) -> &Policies;
    /// Its policies, to be changed.
    fn policies_mut(&mut self) -> &mut Policies;
}

/// A holder that may have a permissions boundary.
pub trait Bounded: Holder {
    /// Such as `PutUserPermissionsBoundary`.
    const PUT_BOUNDARY: &'static str;
    /// Such as `DeleteUserPermissionsBoundary`.
    const DELETE_BOUNDARY: &'static str;
}

macro_rules! holder {
    ($entity:ident, $inline:ident, $attach:expr, $chars:expr, $quota:literal $field:ident,
        $names:expr) => {
        impl Holder for $entity {
            const INLINE_POLICY: fault::Entity = fault::Entity::$inline;
            const ATTACH_RULE: Text = $attach;
            const NAMES: Names = $names;
            const INLINE_CHARS: usize = $chars;

            fn attached(quotas: &Quotas) -> Quota {
                Quota { name: $quota, limit: quotas.$field }
            }

            fn name(&self) -> &str {
                &self.name
            }

            fn policies(&self) -> &Policies {
                &self.policies
            }

            fn policies_mut(&mut self) -> &mut Policies {
                &mut self.policies
            }
        }
    };
}

holder!(
    User,
    UserPolicy,
    rules::USER_OR_ROLE_NAME,
    INLINE_USER_CHARS,
    "PoliciesPerUser" attached_policies_per_user,
    Names {
        put: "PutUserPolicy",
        get: "GetUserPolicy",
        delete: "DeleteUserPolicy",
        attach: "AttachUserPolicy",
        detach: "DetachUserPolicy",
        list: "ListUserPolicies",
        list_attached: "ListAttachedUserPolicies",
    }
);

holder!(
    Group,
    GroupPolicy,
    rules::NAME,
    INLINE_GROUP_CHARS,
    "PoliciesPerGroup" attached_policies_per_group,
    Names {
        put: "PutGroupPolicy",
        get: "GetGroupPolicy",
        delete: "DeleteGroupPolicy",
        attach: "AttachGroupPolicy",
        detach: "DetachGroupPolicy",
        list: "ListGroupPolicies",
        list_attached: "ListAttachedGroupPolicies",
    }
);

holder!(
    Role,
    RolePolicy,
    rules::USER_OR_ROLE_NAME,
    INLINE_ROLE_CHARS,
    "PoliciesPerRole" attached_policies_per_role,
    Names {
        put: "PutRolePolicy",
        get: "GetRolePolicy",
        delete: "DeleteRolePolicy",
        attach: "AttachRolePolicy",
        detach: "DetachRolePolicy",
        list: "ListRolePolicies",
        list_attached: "ListAttachedRolePolicies",
    }
);

impl Bounded for User {
    const PUT_BOUNDARY: &'static str = "PutUserPermissionsBoundary";
    const DELETE_BOUNDARY: &'static str = "DeleteUserPermissionsBoundary";
}

impl Bounded for Role {
    const PUT_BOUNDARY: &'static str = "PutRolePermissionsBoundary";
    const DELETE_BOUNDARY: &'static str = "DeleteRolePermissionsBoundary";
}
