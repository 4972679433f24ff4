//! What stands in no file, and how it goes: emptied, then deleted.

use std::collections::BTreeSet;

use super::holders::Holder;
use super::steps::Steps;
use crate::api::DirectoryFile;
use crate::api::PlanChange::Remove;
use crate::directory::Snapshot;
use crate::id::{AccountId, UniqueId};
use crate::ops::fault::Fault;

/// # Errors
/// `ValidationError` when who asks would be removed: it may be the last administrator.
pub(super) fn prune(
    state: &Snapshot,
    account: AccountId,
    files: &DirectoryFile,
    own: UniqueId,
    steps: &mut Steps,
) -> Result<(), Fault> {
    let keeper = |what: String| {
        Fault::validation(format!(
            "{what} asks for this itself and stands in no file: pruning would remove it."
        ))
    };
    let profiles = named(files.instance_profile.iter().map(|it| &it.name));
    for profile in state.instance_profiles_of(account) {
        if profiles.contains(&profile.name.to_ascii_lowercase()) {
            continue;
        }
        let what = format!("instance profile {}", profile.name);
        if let Some(role) = profile.role.and_then(|id| state.role(&id)) {
            let parameters =
                [("InstanceProfileName", profile.name.as_str()), ("RoleName", &role.name)];
            let action = "RemoveRoleFromInstanceProfile";
            steps.push(Remove, format!("{what}: role {}", role.name), action, parameters);
        }
        let parameters = [("InstanceProfileName", profile.name.as_str())];
        steps.push(Remove, what, "DeleteInstanceProfile", parameters);
    }
    let users = named(files.user.iter().map(|it| &it.name));
    for user in state.users_of(account) {
        if users.contains(&user.name.to_ascii_lowercase()) {
            continue;
        }
        let holder = Holder { kind: "User", name: &user.name };
        let what = holder.what();
        if user.id == own {
            return Err(keeper(what));
        }
        for key in state.access_keys_of(user.id) {
            let parameters = [("UserName", user.name.as_str()), ("AccessKeyId", key.id.as_str())];
            let what = format!("{what}: access key {}", key.id);
            steps.push(Remove, what, "DeleteAccessKey", parameters);
        }
        for device in state.mfa_devices_of_user(user.id) {
            let serial = device.arn();
            let parameters = [("UserName", user.name.as_str()), ("SerialNumber", &serial)];
            let what = format!("{what}: MFA device {serial}");
            steps.push(Remove, what, "DeactivateMFADevice", parameters);
        }
        for group in user.groups.iter().filter_map(|id| state.group(id)) {
            let parameters = [("GroupName", group.name.as_str()), ("UserName", user.name.as_str())];
            let what = format!("{what}: group {}", group.name);
            steps.push(Remove, what, "RemoveUserFromGroup", parameters);
        }
        holder.strip(steps, &user.policies);
        steps.push(Remove, what, "DeleteUser", [holder.key()]);
    }
    let groups = named(files.group.iter().map(|it| &it.name));
    for group in state.groups_of(account) {
        if groups.contains(&group.name.to_ascii_lowercase()) {
            continue;
        }
        let holder = Holder { kind: "Group", name: &group.name };
        let what = holder.what();
        for user in state.members_of(group.id) {
            let parameters = [("GroupName", group.name.as_str()), ("UserName", user.name.as_str())];
            let what = format!("user {}: group {}", user.name, group.name);
            steps.push(Remove, what, "RemoveUserFromGroup", parameters);
        }
        holder.strip(steps, &group.policies);
        steps.push(Remove, what, "DeleteGroup", [holder.key()]);
    }
    let roles = named(files.role.iter().map(|it| &it.name));
    for role in state.roles_of(account) {
        if roles.contains(&role.name.to_ascii_lowercase()) {
            continue;
        }
        let holder = Holder { kind: "Role", name: &role.name };
        let what = holder.what();
        if role.id == own {
            return Err(keeper(what));
        }
        for profile in state.instance_profiles_with(role.id) {
            let parameters =
                [("InstanceProfileName", profile.name.as_str()), ("RoleName", &role.name)];
            let what = format!("instance profile {}: role {}", profile.name, role.name);
            steps.push(Remove, what, "RemoveRoleFromInstanceProfile", parameters);
        }
        holder.strip(steps, &role.policies);
        steps.push(Remove, what, "DeleteRole", [holder.key()]);
    }
    let oidc = named(files.oidc_provider.iter().map(|it| &it.url));
    for provider in state.oidc_providers_of(account) {
        let url = format!("https://{}", provider.url);
        if oidc.contains(&url.to_ascii_lowercase()) {
            continue;
        }
        let arn = provider.arn();
        let parameters = [("OpenIDConnectProviderArn", arn.as_str())];
        steps.push(
            Remove,
            format!("OIDC provider {url}"),
            "DeleteOpenIDConnectProvider",
            parameters,
        );
    }
    let saml = named(files.saml_provider.iter().map(|it| &it.name));
    for provider in state.saml_providers_of(account) {
        if saml.contains(&provider.name.to_ascii_lowercase()) {
            continue;
        }
        let arn = provider.arn();
        let what = format!("SAML provider {}", provider.name);
        steps.push(Remove, what, "DeleteSAMLProvider", [("SAMLProviderArn", arn.as_str())]);
    }
    let policies = named(files.policy.iter().map(|it| &it.name));
    for policy in state.policies_of(account) {
        if policies.contains(&policy.name.to_ascii_lowercase()) {
            continue;
        }
        let (what, arn) = (format!("policy {}", policy.name), policy.arn());
        for number in policy.versions.keys().filter(|number| **number != policy.default) {
            let version = format!("v{number}");
            let parameters = [("PolicyArn", arn.as_str()), ("VersionId", version.as_str())];
            steps.push(Remove, format!("{what}: {version}"), "DeletePolicyVersion", parameters);
        }
        steps.push(Remove, what, "DeletePolicy", [("PolicyArn", arn.as_str())]);
    }
    Ok(())
}

fn named<'a>(names: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    names.map(|name| name.to_ascii_lowercase()).collect()
}
