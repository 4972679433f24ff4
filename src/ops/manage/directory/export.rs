//! What an account holds, as a file that applies without a step.

use std::collections::BTreeMap;

use super::organization;
use crate::api::{
    DirectoryFile, GroupFile, InstanceProfileFile, OidcProviderFile, PasswordPolicyFile,
    PolicyFile, PolicyText, RoleFile, SamlProviderFile, UserFile,
};
use crate::directory::account::PasswordPolicy;
use crate::directory::entities::Policies;
use crate::directory::{Snapshot, Tag};
use crate::id::AccountId;
use crate::ops::iam::trust;

/// Everything that files can say of an account.
pub(super) fn export(state: &Snapshot, account: AccountId) -> DirectoryFile {
    let own = state.account(account);
    let policy = state.policies_of(account).map(|it| PolicyFile {
        name: it.name.clone(),
        path: Some(it.path.clone()),
        description: it.description.clone(),
        document: it
            .versions
            .get(&it.default)
            .map_or_else(|| text("{}"), |version| text(version.document.text())),
        tags: Some(tags(&it.tags)),
    });
    let oidc_provider = state.oidc_providers_of(account).map(|it| OidcProviderFile {
        url: format!("https://{}", it.url),
        client_ids: Some(it.client_ids.iter().cloned().collect()),
        thumbprints: Some(it.thumbprints.clone()),
        tags: Some(tags(&it.tags)),
    });
    let saml_provider = state.saml_providers_of(account).map(|it| SamlProviderFile {
        name: it.name.clone(),
        metadata: it.metadata.clone(),
        tags: Some(tags(&it.tags)),
    });
    let group = state.groups_of(account).map(|it| GroupFile {
        name: it.name.clone(),
        path: Some(it.path.clone()),
        policies: Some(it.policies.attached.clone()),
        inline: Some(inline(&it.policies)),
    });
    let user = state.users_of(account).map(|it| UserFile {
        name: it.name.clone(),
        path: Some(it.path.clone()),
        permissions_boundary: Some(it.policies.boundary.clone().unwrap_or_default()),
        groups: Some(
            it.groups.iter().filter_map(|id| state.group(id)).map(|it| it.name.clone()).collect(),
        ),
        policies: Some(it.policies.attached.clone()),
        tags: Some(tags(&it.tags)),
        inline: Some(inline(&it.policies)),
    });
    let role = state.roles_of(account).map(|it| RoleFile {
        name: it.name.clone(),
        path: Some(it.path.clone()),
        description: Some(it.description.clone().unwrap_or_default()),
        max_session_duration: Some(it.max_session_duration),
        trust: text(&trust::shown(state, &it.trust)),
        permissions_boundary: Some(it.policies.boundary.clone().unwrap_or_default()),
        policies: Some(it.policies.attached.clone()),
        tags: Some(tags(&it.tags)),
        inline: Some(inline(&it.policies)),
    });
    let instance_profile = state.instance_profiles_of(account).map(|it| InstanceProfileFile {
        name: it.name.clone(),
        path: Some(it.path.clone()),
        role: Some(
            it.role
                .and_then(|id| state.role(&id))
                .map(|role| role.name.clone())
                .unwrap_or_default(),
        ),
        tags: Some(tags(&it.tags)),
    });
    DirectoryFile {
        account_alias: own.and_then(|account| account.alias.clone()),
        password_policy: own.and_then(|account| account.password_policy).map(password),
        organization: organization::export(state.organized(), account),
        policy: policy.collect(),
        oidc_provider: oidc_provider.collect(),
        saml_provider: saml_provider.collect(),
        group: group.collect(),
        user: user.collect(),
        role: role.collect(),
        instance_profile: instance_profile.collect(),
    }
}

/// A stored password policy as files tell it.
pub(super) fn password(policy: PasswordPolicy) -> PasswordPolicyFile {
    PasswordPolicyFile {
        minimum_length: policy.minimum_length,
        require_symbols: policy.symbols,
        require_numbers: policy.numbers,
        require_uppercase: policy.uppercase,
        require_lowercase: policy.lowercase,
        allow_users_to_change: policy.users_may_change,
        max_age: policy.max_age,
        reuse_prevention: policy.reuse_prevention,
        hard_expiry: policy.hard_expiry,
    }
}

/// A document as a table; one that is no JSON any more as its text.
pub(super) fn text(document: &str) -> PolicyText {
    PolicyText(
        serde_json::from_str(document)
            .unwrap_or_else(|_| serde_json::Value::String(document.to_owned())),
    )
}

pub(super) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn inline(policies: &Policies) -> BTreeMap<String, PolicyText> {
    policies.inline.iter().map(|(name, document)| (name.clone(), text(document.text()))).collect()
}
