//! Users, roles and tags in answers and in audit records.

use serde_json::{Value, json};

use super::{instance_profiles, managed_policies, versions};
use crate::directory::{Group, Role, Tag, Use, User};
use crate::wire::xml::Xml;

/// How much of an entity is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// All of it.
    Full,
    /// What AWS tells in lists: neither tags nor permissions boundary.
    Listed,
}

/// The members of a `User`.
pub(super) fn user(xml: &mut Xml, user: &User, detail: Detail) {
    xml.text("Path", &user.path);
    xml.text("UserName", &user.name);
    xml.value("UserId", user.id);
    xml.text("Arn", user.arn());
    xml.time("CreateDate", user.created_at);
    if detail == Detail::Full {
        boundary(xml, user.policies.boundary.as_deref());
        some_tags(xml, &user.tags);
    }
}

/// The members of a `Role`, with its trust policy as it is to be shown.
pub(super) fn role(xml: &mut Xml, role: &Role, trust: &str, detail: Detail) {
    xml.text("Path", &role.path);
    xml.text("RoleName", &role.name);
    xml.value("RoleId", role.id);
    xml.text("Arn", role.arn());
    xml.time("CreateDate", role.created_at);
    xml.policy("AssumeRolePolicyDocument", trust);
    xml.optional("Description", role.description.as_deref());
    xml.value("MaxSessionDuration", role.max_session_duration);
    if detail == Detail::Full {
        boundary(xml, role.policies.boundary.as_deref());
        some_tags(xml, &role.tags);
    }
}

/// `RoleLastUsed`: empty if it never was.
pub(super) fn role_last_used(xml: &mut Xml, last: Option<&Use>) {
    xml.element("RoleLastUsed", |xml| {
        if let Some(last) = last {
            xml.time("LastUsedDate", last.at.floor_secs());
            xml.text("Region", &last.region);
        }
    });
}

/// The members of a `Group`.
pub(super) fn group(xml: &mut Xml, group: &Group) {
    xml.text("Path", &group.path);
    xml.text("GroupName", &group.name);
    xml.value("GroupId", group.id);
    xml.text("Arn", group.arn());
    xml.time("CreateDate", group.created_at);
}

/// The members of a `Policy`. Lists do not tell its description.
pub(super) fn policy(xml: &mut Xml, told: &managed_policies::Told, detail: Detail) {
    let policy = &told.policy;
    let (created_at, updated_at) = policy.times();
    xml.text("PolicyName", policy.name());
    xml.value("PolicyId", policy.id());
    xml.text("Arn", policy.arn());
    xml.text("Path", policy.path());
    xml.text("DefaultVersionId", versions::id(policy.default_version()));
    xml.value("AttachmentCount", told.attached);
    xml.value("PermissionsBoundaryUsageCount", told.bounds);
    xml.value("IsAttachable", true);
    xml.time("CreateDate", created_at);
    xml.time("UpdateDate", updated_at);
    if detail == Detail::Full {
        xml.optional("Description", policy.description());
        some_tags(xml, policy.tags());
    }
}

/// The members of an `InstanceProfile`.
pub(super) fn instance_profile(xml: &mut Xml, told: &instance_profiles::Told, detail: Detail) {
    let profile = &told.profile;
    xml.text("Path", &profile.path);
    xml.text("InstanceProfileName", &profile.name);
    xml.value("InstanceProfileId", profile.id);
    xml.text("Arn", profile.arn());
    xml.time("CreateDate", profile.created_at);
    xml.list("Roles", &told.role, |xml, told| {
        role(xml, &told.role, &told.trust, Detail::Listed);
    });
    if detail == Detail::Full {
        some_tags(xml, &profile.tags);
    }
}

/// The members of a `Tag`.
pub(super) fn tag(xml: &mut Xml, tag: &Tag) {
    xml.text("Key", &tag.key);
    xml.text("Value", &tag.value);
}

pub(super) fn some_tags(xml: &mut Xml, tags: &[Tag]) {
    if !tags.is_empty() {
        xml.list("Tags", tags, tag);
    }
}

pub(super) fn boundary(xml: &mut Xml, arn: Option<&str>) {
    if let Some(arn) = arn {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy");
            xml.text("PermissionsBoundaryArn", arn);
        });
    }
}

/// A user in audit records.
pub(super) fn told_user(user: &User) -> Value {
    json!({
        "path": user.path,
        "userName": user.name,
        "userId": user.id.to_string(),
        "arn": user.arn(),
        "createDate": user.created_at.to_rfc3339(),
        "tags": told_tags(&user.tags),
    })
}

/// A role in audit records.
pub(super) fn told_role(role: &Role) -> Value {
    json!({
        "path": role.path,
        "roleName": role.name,
        "roleId": role.id.to_string(),
        "arn": role.arn(),
        "createDate": role.created_at.to_rfc3339(),
        "assumeRolePolicyDocument": role.trust.text(),
        "maxSessionDuration": role.max_session_duration,
        "tags": told_tags(&role.tags),
    })
}

/// Tags in audit records.
pub(super) fn told_tags(tags: &[Tag]) -> Value {
    tags.iter().map(|tag| json!({ "key": tag.key, "value": tag.value })).collect()
}
