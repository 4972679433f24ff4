//! What operations on users and roles have in common: both hold policies and tags.

use std::sync::Arc;

use crate::directory::entities::Policies;
use crate::directory::{self, Role, Snapshot, Tag, User};
use crate::id::{AccountId, UniqueId};
use crate::ops::fault::{self, Fault};
use crate::ops::params::rules::{self, Text};
use crate::policy::{INLINE_ROLE_CHARS, INLINE_USER_CHARS};

/// AWS's names for the operations on one kind of holder.
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
    /// Such as `PutUserPermissionsBoundary`.
    pub put_boundary: &'static str,
    /// Such as `DeleteUserPermissionsBoundary`.
    pub delete_boundary: &'static str,
    /// Such as `TagUser`.
    pub tag: &'static str,
    /// Such as `UntagUser`.
    pub untag: &'static str,
    /// Such as `ListUserTags`.
    pub list_tags: &'static str,
}

/// A limit, and AWS's name for it.
pub struct Quota {
    /// Such as `PoliciesPerUser`.
    pub name: &'static str,
    /// How many there may be.
    pub limit: usize,
}

impl Quota {
    /// Refuses more than there may be.
    pub fn check(&self, count: usize) -> Result<(), Fault> {
        if count > self.limit {
            return Err(Fault::limit_exceeded(self.name, self.limit));
        }
        Ok(())
    }
}

/// An entity of an account that holds policies and tags.
pub trait Holder: Clone + Send + Sync + 'static {
    /// Its kind in ARNs and in texts: `user`.
    const KIND: &'static str;
    /// Its kind in texts about what is not there.
    const ENTITY: fault::Entity;
    /// Its inline policies in texts about what is not there.
    const INLINE_POLICY: fault::Entity;
    /// The parameter that names it: `UserName`.
    const NAME_PARAM: &'static str;
    /// The same in audit records: `userName`.
    const NAME_KEY: &'static str;
    /// The rule for the name where inline policies are put, read and deleted.
    const NAME_RULE: Text;
    /// What the operations on it are called.
    const NAMES: Names;
    /// How large its inline policies may be, all together, in characters without white space.
    const INLINE_CHARS: usize;
    /// How many managed policies it may have.
    const ATTACHED: Quota;
    /// How many tags it may have.
    const TAGS: Quota;
    /// How many of its kind an account may have.
    const PER_ACCOUNT: Quota;

    /// The entities of its kind that an account has, by name.
    fn all(state: &Snapshot, account: AccountId) -> impl Iterator<Item = &Arc<Self>>;
    /// The entity of an account by its name, in any case.
    fn named(state: &Snapshot, account: AccountId, name: &str) -> Option<Arc<Self>>;
    /// Its unique ID.
    fn id(&self) -> UniqueId;
    /// Its name.
    fn name(&self) -> &str;
    /// Its path.
    fn path(&self) -> &str;
    /// Its ARN.
    fn arn(&self) -> String;
    /// Its tags.
    fn tags(&self) -> &[Tag];
    /// Its tags, to be changed.
    fn tags_mut(&mut self) -> &mut Vec<Tag>;
    /// Its policies.
    fn policies(&self) -> &Policies;
    /// Its policies, to be changed.
    fn policies_mut(&mut self) -> &mut Policies;
    /// As the directory keeps it.
    fn into_entity(self) -> directory::Entity;
}

impl Holder for User {
    const KIND: &'static str = "user";
    const ENTITY: fault::Entity = fault::Entity::User;
    const INLINE_POLICY: fault::Entity = fault::Entity::UserPolicy;
    const NAME_PARAM: &'static str = "UserName";
    const NAME_KEY: &'static str = "userName";
    const NAME_RULE: Text = rules::NAME;
    const NAMES: Names = Names {
        put: "PutUserPolicy",
        get: "GetUserPolicy",
        delete: "DeleteUserPolicy",
        attach: "AttachUserPolicy",
        detach: "DetachUserPolicy",
        list: "ListUserPolicies",
        list_attached: "ListAttachedUserPolicies",
        put_boundary: "PutUserPermissionsBoundary",
        delete_boundary: "DeleteUserPermissionsBoundary",
        tag: "TagUser",
        untag: "UntagUser",
        list_tags: "ListUserTags",
    };
    const INLINE_CHARS: usize = INLINE_USER_CHARS;
    const ATTACHED: Quota = Quota { name: "PoliciesPerUser", limit: 10 };
    const TAGS: Quota = Quota { name: "TagsPerUser", limit: 50 };
    const PER_ACCOUNT: Quota = Quota { name: "UsersPerAccount", limit: 5000 };

    fn all(state: &Snapshot, account: AccountId) -> impl Iterator<Item = &Arc<Self>> {
        state.users_of(account)
    }

    fn named(state: &Snapshot, account: AccountId, name: &str) -> Option<Arc<Self>> {
        state.user_named(account, name).cloned()
    }

    fn id(&self) -> UniqueId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn arn(&self) -> String {
        Self::arn(self)
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }

    fn into_entity(self) -> directory::Entity {
        directory::Entity::User(self)
    }
}

impl Holder for Role {
    const KIND: &'static str = "role";
    const ENTITY: fault::Entity = fault::Entity::Role;
    const INLINE_POLICY: fault::Entity = fault::Entity::RolePolicy;
    const NAME_PARAM: &'static str = "RoleName";
    const NAME_KEY: &'static str = "roleName";
    const NAME_RULE: Text = rules::USER_OR_ROLE_NAME;
    const NAMES: Names = Names {
        put: "PutRolePolicy",
        get: "GetRolePolicy",
        delete: "DeleteRolePolicy",
        attach: "AttachRolePolicy",
        detach: "DetachRolePolicy",
        list: "ListRolePolicies",
        list_attached: "ListAttachedRolePolicies",
        put_boundary: "PutRolePermissionsBoundary",
        delete_boundary: "DeleteRolePermissionsBoundary",
        tag: "TagRole",
        untag: "UntagRole",
        list_tags: "ListRoleTags",
    };
    const INLINE_CHARS: usize = INLINE_ROLE_CHARS;
    const ATTACHED: Quota = Quota { name: "PoliciesPerRole", limit: 10 };
    const TAGS: Quota = Quota { name: "TagsPerRole", limit: 50 };
    const PER_ACCOUNT: Quota = Quota { name: "RolesPerAccount", limit: 1000 };

    fn all(state: &Snapshot, account: AccountId) -> impl Iterator<Item = &Arc<Self>> {
        state.roles_of(account)
    }

    fn named(state: &Snapshot, account: AccountId, name: &str) -> Option<Arc<Self>> {
        state.role_named(account, name).cloned()
    }

    fn id(&self) -> UniqueId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn arn(&self) -> String {
        Self::arn(self)
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> &mut Policies {
        &mut self.policies
    }

    fn into_entity(self) -> directory::Entity {
        directory::Entity::Role(self)
    }
}
