//! From what an account holds to what the files say, as operations of IAM, and of Organizations.
//!
//! The order is one in which each operation finds what it needs: managed policies and providers,
//! then groups, users and roles, then what joins them, then what goes.

use std::collections::{BTreeMap, BTreeSet};

use super::holders::{Holder, Names, change_tags, same_json};
use super::mistakes::Mistakes;
use super::order;
use super::organization;
use super::prune;
use super::steps::{Step, Steps, list, tags};
use crate::api::PlanChange::{Add, Change, Remove};
use crate::api::{
    DirectoryFile, GroupFile, InstanceProfileFile, OidcProviderFile, PasswordPolicyFile,
    PolicyFile, RoleFile, SamlProviderFile, UserFile,
};
use crate::arn;
use crate::directory::Snapshot;
use crate::directory::entities::Policies;
use crate::id::{AccountId, UniqueId};
use crate::ops::fault::Fault;
use crate::ops::iam::trust;

/// Makes the plan. With `prune`, which holds who asks, what stands in no file goes.
///
/// # Errors
/// `ValidationError` for what no operation can do: a name that is there twice, a path or a
/// description that cannot be changed. It tells every mistake, up to a bound.
pub(super) fn plan(
    state: &Snapshot,
    account: AccountId,
    files: &DirectoryFile,
    prune: Option<UniqueId>,
) -> Result<Vec<Step>, Fault> {
    let own = files.policy.iter().map(|it| {
        // One that is there keeps its path when the files do not say.
        let there = state.policy_named(account, &it.name).map(|there| there.path.as_str());
        let path = it.path.as_deref().or(there).unwrap_or("/");
        (it.name.to_ascii_lowercase(), arn::iam(account, "policy", path, &it.name))
    });
    let planner = Planner {
        state,
        account,
        names: Names { state, account, own: own.collect() },
        steps: Steps::default(),
    };
    planner.run(files, prune)
}

struct Planner<'a> {
    state: &'a Snapshot,
    account: AccountId,
    names: Names<'a>,
    steps: Steps,
}

fn name_of(key: &str, name: &str) -> (String, String) {
    (key.to_owned(), name.to_owned())
}

/// The optional parameter `name`.
fn given(name: &str, value: Option<&String>) -> Vec<(String, String)> {
    value.map(|value| name_of(name, value)).into_iter().collect()
}

fn fixed(what: &str, property: &str) -> Fault {
    Fault::validation(format!(
        "{what}: the {property} cannot be changed: remove it first, and make it again."
    ))
}

impl Planner<'_> {
    fn run(mut self, files: &DirectoryFile, prune: Option<UniqueId>) -> Result<Vec<Step>, Fault> {
        let mut mistakes = Mistakes::default();
        names_once(files, &mut mistakes);
        self.alias(files.account_alias.as_deref());
        self.password_policy(files.password_policy.as_ref());
        for policy in &files.policy {
            mistakes.note(self.policy(policy));
        }
        for provider in &files.oidc_provider {
            self.oidc_provider(provider);
        }
        for provider in &files.saml_provider {
            self.saml_provider(provider);
        }
        for group in &files.group {
            mistakes.note(self.group(group));
        }
        for user in &files.user {
            mistakes.note(self.user(user));
        }
        for role in order::by_trust(self.account, &files.role) {
            mistakes.note(self.role(role));
        }
        for user in &files.user {
            self.memberships(user);
        }
        for profile in &files.instance_profile {
            mistakes.note(self.instance_profile(profile));
        }
        if let Some(organization) = &files.organization {
            let (state, account, prune) = (self.state, self.account, prune.is_some());
            let steps = &mut self.steps;
            mistakes.note(organization::plan(state, account, organization, prune, steps));
        }
        if let Some(own) = prune {
            mistakes.note(prune::prune(self.state, self.account, files, own, &mut self.steps));
        }
        mistakes.settle()?;
        Ok(self.steps.into_steps())
    }

    fn alias(&mut self, wanted: Option<&str>) {
        let Some(wanted) = wanted else { return };
        let now = self.state.account(self.account).and_then(|account| account.alias.clone());
        if now.as_deref().unwrap_or_default() == wanted {
            return;
        }
        if let Some(now) = now {
            let parameters = [name_of("AccountAlias", &now)];
            self.steps.push(
                Remove,
                format!("account alias {now}"),
                "DeleteAccountAlias",
                parameters,
            );
        }
        if !wanted.is_empty() {
            let parameters = [name_of("AccountAlias", wanted)];
            let what = format!("account alias {wanted}");
            self.steps.push(Add, what, "CreateAccountAlias", parameters);
        }
    }

    fn password_policy(&mut self, wanted: Option<&PasswordPolicyFile>) {
        let Some(wanted) = wanted else { return };
        let account = self.state.account(self.account);
        let now = account.and_then(|account| account.password_policy).map(super::export::password);
        if now.as_ref() == Some(wanted) {
            return;
        }
        let mut parameters = vec![
            ("MinimumPasswordLength", wanted.minimum_length.to_string()),
            ("RequireSymbols", wanted.require_symbols.to_string()),
            ("RequireNumbers", wanted.require_numbers.to_string()),
            ("RequireUppercaseCharacters", wanted.require_uppercase.to_string()),
            ("RequireLowercaseCharacters", wanted.require_lowercase.to_string()),
            ("AllowUsersToChangePassword", wanted.allow_users_to_change.to_string()),
        ];
        parameters.extend(wanted.max_age.map(|it| ("MaxPasswordAge", it.to_string())));
        let reuse = wanted.reuse_prevention.map(|it| ("PasswordReusePrevention", it.to_string()));
        parameters.extend(reuse);
        parameters.extend(wanted.hard_expiry.map(|it| ("HardExpiry", it.to_string())));
        let change = if now.is_some() { Change } else { Add };
        self.steps.push(change, "password policy", "UpdateAccountPasswordPolicy", parameters);
    }

    fn policy(&mut self, wanted: &PolicyFile) -> Result<(), Fault> {
        let what = format!("policy {}", wanted.name);
        let text = wanted.document.text();
        let Some(now) = self.state.policy_named(self.account, &wanted.name) else {
            let mut parameters =
                vec![name_of("PolicyName", &wanted.name), name_of("PolicyDocument", &text)];
            parameters.extend(given("Path", wanted.path.as_ref()));
            parameters.extend(given("Description", wanted.description.as_ref()));
            parameters.extend(tags(wanted.tags.iter().flatten()));
            self.steps.push(Add, what, "CreatePolicy", parameters);
            return Ok(());
        };
        same_name(&what, &now.name, &wanted.name)?;
        if wanted.path.as_ref().is_some_and(|path| *path != now.path) {
            return Err(fixed(&what, "path"));
        }
        let description = wanted.description.as_deref();
        if description.is_some_and(|it| it != now.description.as_deref().unwrap_or_default()) {
            return Err(fixed(&what, "description"));
        }
        let key = name_of("PolicyArn", &now.arn());
        let document = now.versions.get(&now.default).map(|version| version.document.text());
        if !document.is_some_and(|document| same_json(document, &text)) {
            let oldest = now.versions.keys().find(|number| **number != now.default);
            if let (true, Some(oldest)) = (now.versions.len() >= 5, oldest) {
                let parameters = [key.clone(), name_of("VersionId", &format!("v{oldest}"))];
                let what = format!("{what}: version v{oldest}");
                self.steps.push(Remove, what, "DeletePolicyVersion", parameters);
            }
            let parameters =
                [key.clone(), name_of("PolicyDocument", &text), name_of("SetAsDefault", "true")];
            self.steps.push(Change, what.clone(), "CreatePolicyVersion", parameters);
        }
        change_tags(&mut self.steps, &what, "Policy", &key, &now.tags, wanted.tags.as_ref());
        Ok(())
    }

    fn oidc_provider(&mut self, wanted: &OidcProviderFile) {
        let what = format!("OIDC provider {}", wanted.url);
        let bare = wanted.url.strip_prefix("https://").unwrap_or(&wanted.url);
        let Some(now) = self.state.oidc_provider(self.account, bare) else {
            let mut parameters = vec![name_of("Url", &wanted.url)];
            parameters.extend(list("ClientIDList", wanted.client_ids.iter().flatten()));
            parameters.extend(list("ThumbprintList", wanted.thumbprints.iter().flatten()));
            parameters.extend(tags(wanted.tags.iter().flatten()));
            self.steps.push(Add, what, "CreateOpenIDConnectProvider", parameters);
            return;
        };
        let key = name_of("OpenIDConnectProviderArn", &now.arn());
        if let Some(wanted) = &wanted.client_ids {
            let there: BTreeSet<String> = now.client_ids.iter().cloned().collect();
            for id in wanted.difference(&there) {
                let parameters = [key.clone(), name_of("ClientID", id)];
                let what = format!("{what}: client {id}");
                self.steps.push(Add, what, "AddClientIDToOpenIDConnectProvider", parameters);
            }
            for id in there.difference(wanted) {
                let parameters = [key.clone(), name_of("ClientID", id)];
                let what = format!("{what}: client {id}");
                self.steps.push(
                    Remove,
                    what,
                    "RemoveClientIDFromOpenIDConnectProvider",
                    parameters,
                );
            }
        }
        if let Some(wanted) = wanted.thumbprints.as_ref().filter(|it| **it != now.thumbprints) {
            let parameters = [vec![key.clone()], list("ThumbprintList", wanted)].concat();
            let what = format!("{what}: thumbprints");
            self.steps.push(Change, what, "UpdateOpenIDConnectProviderThumbprint", parameters);
        }
        let wanted = wanted.tags.as_ref();
        change_tags(&mut self.steps, &what, "OpenIDConnectProvider", &key, &now.tags, wanted);
    }

    fn saml_provider(&mut self, wanted: &SamlProviderFile) {
        let what = format!("SAML provider {}", wanted.name);
        let metadata = name_of("SAMLMetadataDocument", &wanted.metadata);
        let Some(now) = self.state.saml_provider_named(self.account, &wanted.name) else {
            let mut parameters = vec![name_of("Name", &wanted.name), metadata];
            parameters.extend(tags(wanted.tags.iter().flatten()));
            self.steps.push(Add, what, "CreateSAMLProvider", parameters);
            return;
        };
        let key = name_of("SAMLProviderArn", &now.arn());
        if now.metadata != wanted.metadata {
            let what = format!("{what}: metadata");
            self.steps.push(Change, what, "UpdateSAMLProvider", [key.clone(), metadata]);
        }
        let wanted = wanted.tags.as_ref();
        change_tags(&mut self.steps, &what, "SAMLProvider", &key, &now.tags, wanted);
    }

    fn group(&mut self, wanted: &GroupFile) -> Result<(), Fault> {
        let holder = Holder { kind: "Group", name: &wanted.name };
        let what = holder.what();
        let now = self.state.group_named(self.account, &wanted.name);
        match now {
            None => {
                let mut parameters = vec![holder.key()];
                parameters.extend(given("Path", wanted.path.as_ref()));
                self.steps.push(Add, what, "CreateGroup", parameters);
            }
            Some(now) => {
                same_name(&what, &now.name, &wanted.name)?;
                if let Some(path) = wanted.path.as_ref().filter(|path| **path != now.path) {
                    let parameters = [holder.key(), name_of("NewPath", path)];
                    self.steps.push(Change, format!("{what}: path"), "UpdateGroup", parameters);
                }
            }
        }
        let none = Policies::default();
        let policies = now.map_or(&none, |now| &now.policies);
        let (inline, attached) = (wanted.inline.as_ref(), wanted.policies.as_ref());
        holder.policies(&mut self.steps, &self.names, policies, inline, attached)
    }

    fn user(&mut self, wanted: &UserFile) -> Result<(), Fault> {
        let holder = Holder { kind: "User", name: &wanted.name };
        let what = holder.what();
        let none = Policies::default();
        let now = self.state.user_named(self.account, &wanted.name);
        let boundary = wanted.permissions_boundary.as_deref();
        match now {
            None => {
                let mut parameters = vec![holder.key()];
                parameters.extend(given("Path", wanted.path.as_ref()));
                if let Some(policy) = boundary.filter(|it| !it.is_empty()) {
                    parameters.push(name_of("PermissionsBoundary", &self.names.arn(policy)?));
                }
                parameters.extend(tags(wanted.tags.iter().flatten()));
                self.steps.push(Add, what, "CreateUser", parameters);
            }
            Some(now) => {
                same_name(&what, &now.name, &wanted.name)?;
                if let Some(path) = wanted.path.as_ref().filter(|path| **path != now.path) {
                    let parameters = [holder.key(), name_of("NewPath", path)];
                    self.steps.push(Change, format!("{what}: path"), "UpdateUser", parameters);
                }
                let there = now.policies.boundary.as_deref();
                holder.boundary(&mut self.steps, &self.names, there, boundary)?;
                let (key, tags) = (holder.key(), wanted.tags.as_ref());
                change_tags(&mut self.steps, &what, "User", &key, &now.tags, tags);
            }
        }
        let policies = now.map_or(&none, |now| &now.policies);
        let (inline, attached) = (wanted.inline.as_ref(), wanted.policies.as_ref());
        holder.policies(&mut self.steps, &self.names, policies, inline, attached)
    }

    fn memberships(&mut self, wanted: &UserFile) {
        let Some(groups) = &wanted.groups else { return };
        let user = self.state.user_named(self.account, &wanted.name);
        let now: BTreeMap<String, String> = user
            .iter()
            .flat_map(|user| &user.groups)
            .filter_map(|id| self.state.group(id))
            .map(|group| (group.name.to_ascii_lowercase(), group.name.clone()))
            .collect();
        let wanted_groups: BTreeMap<String, &String> =
            groups.iter().map(|name| (name.to_ascii_lowercase(), name)).collect();
        let mut step = |change, group: &String, action| {
            let parameters = [name_of("GroupName", group), name_of("UserName", &wanted.name)];
            self.steps.push(
                change,
                format!("user {}: group {group}", wanted.name),
                action,
                parameters,
            );
        };
        for (_, group) in wanted_groups.iter().filter(|(folded, _)| !now.contains_key(*folded)) {
            step(Add, group, "AddUserToGroup");
        }
        for (_, group) in now.iter().filter(|(folded, _)| !wanted_groups.contains_key(*folded)) {
            step(Remove, group, "RemoveUserFromGroup");
        }
    }

    fn role(&mut self, wanted: &RoleFile) -> Result<(), Fault> {
        let holder = Holder { kind: "Role", name: &wanted.name };
        let what = holder.what();
        let none = Policies::default();
        let trusted = wanted.trust.text();
        let now = self.state.role_named(self.account, &wanted.name);
        let boundary = wanted.permissions_boundary.as_deref();
        match now {
            None => {
                let mut parameters =
                    vec![holder.key(), name_of("AssumeRolePolicyDocument", &trusted)];
                parameters.extend(given("Path", wanted.path.as_ref()));
                parameters.extend(given("Description", wanted.description.as_ref()));
                let duration = wanted.max_session_duration.map(|it| it.to_string());
                parameters.extend(given("MaxSessionDuration", duration.as_ref()));
                if let Some(policy) = boundary.filter(|it| !it.is_empty()) {
                    parameters.push(name_of("PermissionsBoundary", &self.names.arn(policy)?));
                }
                parameters.extend(tags(wanted.tags.iter().flatten()));
                self.steps.push(Add, what, "CreateRole", parameters);
            }
            Some(now) => {
                same_name(&what, &now.name, &wanted.name)?;
                if wanted.path.as_ref().is_some_and(|path| *path != now.path) {
                    return Err(fixed(&what, "path"));
                }
                if !same_json(&trust::shown(self.state, &now.trust), &trusted) {
                    let parameters = [holder.key(), name_of("PolicyDocument", &trusted)];
                    let what = format!("{what}: trust policy");
                    self.steps.push(Change, what, "UpdateAssumeRolePolicy", parameters);
                }
                let there = now.description.as_deref().unwrap_or_default();
                let description = wanted.description.as_deref().unwrap_or(there);
                let duration = wanted.max_session_duration.unwrap_or(now.max_session_duration);
                if description != there || duration != now.max_session_duration {
                    // Both: what is not given to UpdateRole goes back to its default.
                    let parameters = [
                        holder.key(),
                        name_of("Description", description),
                        name_of("MaxSessionDuration", &duration.to_string()),
                    ];
                    let what = format!("{what}: description, longest session");
                    self.steps.push(Change, what, "UpdateRole", parameters);
                }
                let there = now.policies.boundary.as_deref();
                holder.boundary(&mut self.steps, &self.names, there, boundary)?;
                let (key, tags) = (holder.key(), wanted.tags.as_ref());
                change_tags(&mut self.steps, &what, "Role", &key, &now.tags, tags);
            }
        }
        let policies = now.map_or(&none, |now| &now.policies);
        let (inline, attached) = (wanted.inline.as_ref(), wanted.policies.as_ref());
        holder.policies(&mut self.steps, &self.names, policies, inline, attached)
    }

    fn instance_profile(&mut self, wanted: &InstanceProfileFile) -> Result<(), Fault> {
        let what = format!("instance profile {}", wanted.name);
        let key = name_of("InstanceProfileName", &wanted.name);
        let now = self.state.instance_profile_named(self.account, &wanted.name);
        match now {
            None => {
                let mut parameters = vec![key.clone()];
                parameters.extend(given("Path", wanted.path.as_ref()));
                parameters.extend(tags(wanted.tags.iter().flatten()));
                self.steps.push(Add, what.clone(), "CreateInstanceProfile", parameters);
            }
            Some(now) => {
                same_name(&what, &now.name, &wanted.name)?;
                if wanted.path.as_ref().is_some_and(|path| *path != now.path) {
                    return Err(fixed(&what, "path"));
                }
                let (steps, tags) = (&mut self.steps, wanted.tags.as_ref());
                change_tags(steps, &what, "InstanceProfile", &key, &now.tags, tags);
            }
        }
        let Some(role) = &wanted.role else { return Ok(()) };
        let there = now
            .and_then(|now| now.role)
            .and_then(|id| self.state.role(&id))
            .map(|role| role.name.clone());
        if there.as_deref().unwrap_or_default() == role {
            return Ok(());
        }
        let what = format!("{what}: role");
        if let Some(there) = there {
            let parameters = [key.clone(), name_of("RoleName", &there)];
            let action = "RemoveRoleFromInstanceProfile";
            self.steps.push(Remove, format!("{what} {there}"), action, parameters);
        }
        if !role.is_empty() {
            let parameters = [key, name_of("RoleName", role)];
            self.steps.push(Add, format!("{what} {role}"), "AddRoleToInstanceProfile", parameters);
        }
        Ok(())
    }
}

/// Names are found in any case, and kept in theirs.
fn same_name(what: &str, now: &str, wanted: &str) -> Result<(), Fault> {
    if now == wanted {
        return Ok(());
    }
    Err(Fault::validation(format!("{what}: it is there as {now}: names differ not by case alone.")))
}

/// Refuses a name that stands twice: which of the two would be meant?
fn names_once(files: &DirectoryFile, mistakes: &mut Mistakes) {
    once("policy", files.policy.iter().map(|it| &it.name), mistakes);
    once("oidc_provider", files.oidc_provider.iter().map(|it| &it.url), mistakes);
    once("saml_provider", files.saml_provider.iter().map(|it| &it.name), mistakes);
    once("group", files.group.iter().map(|it| &it.name), mistakes);
    once("user", files.user.iter().map(|it| &it.name), mistakes);
    once("role", files.role.iter().map(|it| &it.name), mistakes);
    once("instance_profile", files.instance_profile.iter().map(|it| &it.name), mistakes);
}

fn once<'a>(kind: &str, names: impl Iterator<Item = &'a String>, mistakes: &mut Mistakes) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.to_ascii_lowercase()) {
            let twice = format!("{kind} {name} stands twice in the files.");
            mistakes.note(Err(Fault::validation(twice)));
        }
    }
}
