//! The kinds of entities that IAM's operations name, and what they have in common.

use std::sync::Arc;

use super::quotas::{Quota, Quotas};
use crate::arn::{self, Arn};
use crate::directory::{
    self, Group, InstanceProfile, Managed, ManagedPolicy, MfaDevice, OidcProvider, Role,
    SamlProvider, Snapshot, Tag, User,
};
use crate::id::AccountId;
use crate::ops::fault::{self, Fault};
use crate::ops::params::rules::{self, Text};

/// The constants of an operation of IAM: its effect and name, and whether it has a result.
macro_rules! constants {
    ($effect:ident $name:expr) => {
        const NAME: &'static str = $name;
        const SERVICE: $crate::ops::Service = $crate::ops::Service::Iam;
        const EFFECT: $crate::ops::Effect = $crate::ops::Effect::$effect;
    };
    ($effect:ident $name:expr, no result) => {
        $crate::ops::iam::kind::constants!($effect $name);
        const HAS_RESULT: bool = false;
    };
}
pub(in crate::ops::iam) use constants;

/// A kind of entity, which requests name by its name or by its ARN.
pub trait Kind: Clone + Send + Sync + 'static {
    /// Its kind in ARNs and in texts: `user`.
    const KIND: &'static str;
    /// Its kind in texts about what is not there.
    const ENTITY: fault::Entity;
    /// The parameter that names it: `UserName`.
    const NAME_PARAM: &'static str;
    /// The same in audit records: `userName`.
    const NAME_KEY: &'static str;
    /// The rule for that parameter, unless an operation has one of its own.
    const NAME_RULE: Text;

    /// The entity of an account that a request names so.
    fn named(state: &Snapshot, account: AccountId, given: &str) -> Option<Arc<Self>>;
    /// The ARN that a request which names what is not there is about.
    fn asked_arn(account: AccountId, given: &str) -> String {
        arn::iam(account, Self::KIND, "/", given)
    }
    /// What a caller is told who may do what he asks, when there is no such entity.
    fn missing(given: &str) -> Fault {
        Fault::no_such_entity(Self::ENTITY, given)
    }
    /// Its unique ID, as text.
    fn key(&self) -> String;
    /// Its ARN.
    fn arn(&self) -> String;
    /// Its tags.
    fn tags(&self) -> &[Tag] {
        &[]
    }
}

/// A kind that accounts make and list.
pub trait Made: Kind {
    /// The action that sets its tags, or nothing if it has none.
    const TAG: &'static str;

    /// How many of its kind an account may have.
    fn per_account(quotas: &Quotas) -> Quota;
    /// The entities of its kind that an account has, by name.
    fn all(state: &Snapshot, account: AccountId) -> impl Iterator<Item = &Arc<Self>>;
    /// Whether an account has one of this name.
    fn taken(state: &Snapshot, account: AccountId, name: &str) -> bool {
        Self::named(state, account, name).is_some()
    }
    /// As the directory keeps it.
    fn into_entity(self) -> directory::Entity;
}

/// A kind whose tags can be changed.
pub trait Tagged: Made {
    /// Such as `UntagUser`.
    const UNTAG: &'static str;
    /// Such as `ListUserTags`.
    const LIST_TAGS: &'static str;
    /// How many tags it may have.
    const TAGS: Quota;

    /// Its tags, to be changed.
    fn tags_mut(&mut self) -> &mut Vec<Tag>;
}

/// Refuses what is no ARN of that kind of IAM's entities.
pub(super) fn check_arn(text: &str, kind: &str) -> Result<(), Fault> {
    let valid = Arn::parse(text).is_ok_and(|arn| {
        let name = arn.resource.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
        arn.partition == arn::PARTITION
            && arn.service == "iam"
            && arn.region.is_empty()
            && name.is_some_and(|name| !name.is_empty())
    });
    if valid {
        return Ok(());
    }
    Err(Fault::invalid_input(format!("ARN {text} is not valid.")))
}

/// What an entity that is not there, and is named by ARN, is answered with.
fn missing_arn<K: Kind>(given: &str) -> Fault {
    match check_arn(given, K::KIND) {
        Ok(()) => Fault::no_such_entity(K::ENTITY, given),
        Err(fault) => fault,
    }
}

/// A kind that requests name by its name.
macro_rules! by_name {
    ($($entity:ty { $kind:literal, $param:literal, $key:literal, $rule:expr, $fault:ident,
        $named:ident $(, $tags:ident)? })*) => {$(
        impl Kind for $entity {
            const KIND: &'static str = $kind;
            const ENTITY: fault::Entity = fault::Entity::$fault;
            const NAME_PARAM: &'static str = $param;
            const NAME_KEY: &'static str = $key;
            const NAME_RULE: Text = $rule;

            fn named(state: &Snapshot, account: AccountId, given: &str) -> Option<Arc<Self>> {
                state.$named(account, given).cloned()
            }

            fn key(&self) -> String {
                self.id.to_string()
            }

            fn arn(&self) -> String {
                Self::arn(self)
            }

            $(fn tags(&self) -> &[Tag] {
                &self.$tags
            })?
        }
    )*};
}

by_name! {
    User { "user", "UserName", "userName", rules::NAME, User, user_named, tags }
    Role { "role", "RoleName", "roleName", rules::USER_OR_ROLE_NAME, Role, role_named, tags }
    Group { "group", "GroupName", "groupName", rules::NAME, Group, group_named }
    InstanceProfile {
        "instance-profile", "InstanceProfileName", "instanceProfileName", rules::NAME,
        InstanceProfile, instance_profile_named, tags
    }
}

/// A kind that requests name by its ARN.
macro_rules! by_arn {
    ($($entity:ty { $kind:literal, $param:literal, $key:literal, $fault:ident } $named:expr;)*) => {$(
        impl Kind for $entity {
            const KIND: &'static str = $kind;
            const ENTITY: fault::Entity = fault::Entity::$fault;
            const NAME_PARAM: &'static str = $param;
            const NAME_KEY: &'static str = $key;
            const NAME_RULE: Text = rules::ARN;

            fn named(state: &Snapshot, account: AccountId, given: &str) -> Option<Arc<Self>> {
                let find: fn(&Snapshot, AccountId, &str) -> Option<Arc<Self>> = $named;
                find(state, account, given).filter(|found| found.arn() == given)
            }

            fn asked_arn(_: AccountId, given: &str) -> String {
                given.to_owned()
            }

            fn missing(given: &str) -> Fault {
                missing_arn::<Self>(given)
            }

            fn key(&self) -> String {
                self.id.to_string()
            }

            fn arn(&self) -> String {
                Self::arn(self)
            }

            fn tags(&self) -> &[Tag] {
                &self.tags
            }
        }
    )*};
}

by_arn! {
    OidcProvider {
        "oidc-provider", "OpenIDConnectProviderArn", "openIDConnectProviderArn", OidcProvider
    } |state, account, given| {
        let (_, url) = given.split_once(":oidc-provider/")?;
        state.oidc_provider(account, url).cloned()
    };
    SamlProvider { "saml-provider", "SAMLProviderArn", "samlProviderArn", SamlProvider }
    |state, account, given| {
        let (_, name) = given.split_once(":saml-provider/")?;
        state.saml_provider_named(account, name).cloned()
    };
}

/// A virtual MFA device, which requests name by its serial number: its ARN.
impl Kind for MfaDevice {
    const KIND: &'static str = "mfa";
    const ENTITY: fault::Entity = fault::Entity::MfaDevice;
    const NAME_PARAM: &'static str = "SerialNumber";
    const NAME_KEY: &'static str = "serialNumber";
    const NAME_RULE: Text = rules::SERIAL_NUMBER;

    fn named(state: &Snapshot, account: AccountId, given: &str) -> Option<Arc<Self>> {
        let (_, _, name) = arn::parse_mfa(given)?;
        state.mfa_device_named(account, name).filter(|found| found.arn() == given).cloned()
    }

    fn asked_arn(account: AccountId, given: &str) -> String {
        // Devices of other makes have numbers that are no ARNs; there are none here.
        let is_arn = arn::parse_mfa(given).is_some();
        if is_arn { given.to_owned() } else { arn::iam(account, Self::KIND, "/", given) }
    }

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn arn(&self) -> String {
        Self::arn(self)
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

/// A managed policy that an account made itself: what it may change.
impl Kind for ManagedPolicy {
    const KIND: &'static str = "policy";
    const ENTITY: fault::Entity = fault::Entity::Policy;
    const NAME_PARAM: &'static str = "PolicyArn";
    const NAME_KEY: &'static str = "policyArn";
    const NAME_RULE: Text = rules::ARN;

    fn named(state: &Snapshot, account: AccountId, given: &str) -> Option<Arc<Self>> {
        match state.managed_policy(account, given)? {
            Managed::Own(policy) => Some(policy),
            Managed::BuiltIn(_) => None,
        }
    }

    fn asked_arn(_: AccountId, given: &str) -> String {
        given.to_owned()
    }

    fn missing(given: &str) -> Fault {
        if directory::managed::find(given).is_some() {
            return Fault::access_denied(format!("The policy {given} cannot be changed."));
        }
        missing_arn::<Self>(given)
    }

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn arn(&self) -> String {
        Self::arn(self)
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

/// A managed policy that an account sees: its own, or a built-in one.
impl Kind for Managed {
    const KIND: &'static str = ManagedPolicy::KIND;
    const ENTITY: fault::Entity = ManagedPolicy::ENTITY;
    const NAME_PARAM: &'static str = ManagedPolicy::NAME_PARAM;
    const NAME_KEY: &'static str = ManagedPolicy::NAME_KEY;
    const NAME_RULE: Text = ManagedPolicy::NAME_RULE;

    fn named(state: &Snapshot, account: AccountId, given: &str) -> Option<Arc<Self>> {
        state.managed_policy(account, given).map(Arc::new)
    }

    fn asked_arn(_: AccountId, given: &str) -> String {
        given.to_owned()
    }

    fn missing(given: &str) -> Fault {
        missing_arn::<Self>(given)
    }

    fn key(&self) -> String {
        self.id().to_string()
    }

    fn arn(&self) -> String {
        Self::arn(self)
    }

    fn tags(&self) -> &[Tag] {
        Self::tags(self)
    }
}

/// What accounts make: the tag action, the quota and its field, the listing, the stored form.
macro_rules! made {
    ($($entity:ty { $tag:literal, $quota:literal $field:ident, $all:ident, $stored:ident
        $(, $taken:ident)? })*) => {$(
        impl Made for $entity {
            const TAG: &'static str = $tag;

            fn per_account(quotas: &Quotas) -> Quota {
                Quota { name: $quota, limit: quotas.$field }
            }

            fn all(state: &Snapshot, account: AccountId) -> impl Iterator<Item = &Arc<Self>> {
                state.$all(account)
            }

            $(fn taken(state: &Snapshot, account: AccountId, name: &str) -> bool {
                state.$taken(account, name).is_some()
            })?

            fn into_entity(self) -> directory::Entity {
                directory::Entity::$stored(self)
            }
        }
    )*};
}

made! {
    User { "TagUser", "UsersPerAccount" users_per_account, users_of, User }
    Role { "TagRole", "RolesPerAccount" roles_per_account, roles_of, Role }
    Group { "", "GroupsPerAccount" groups_per_account, groups_of, Group }
    InstanceProfile {
        "TagInstanceProfile", "InstanceProfilesPerAccount" instance_profiles_per_account,
        instance_profiles_of, InstanceProfile
    }
    ManagedPolicy {
        "TagPolicy", "PoliciesPerAccount" policies_per_account, policies_of, Policy, policy_named
    }
    OidcProvider {
        "TagOpenIDConnectProvider", "OpenIdConnectProvidersPerAccount" oidc_providers_per_account,
        oidc_providers_of, OidcProvider, oidc_provider
    }
    SamlProvider {
        "TagSAMLProvider", "SAMLProvidersPerAccount" saml_providers_per_account,
        saml_providers_of, SamlProvider, saml_provider_named
    }
    MfaDevice {
        "TagMFADevice", "VirtualMFADevicesPerAccount" mfa_devices_per_account, mfa_devices_of,
        MfaDevice, mfa_device_named
    }
}

macro_rules! tagged {
    ($($entity:ty { $untag:literal, $list:literal, $quota:literal })*) => {$(
        impl Tagged for $entity {
            const UNTAG: &'static str = $untag;
            const LIST_TAGS: &'static str = $list;
            const TAGS: Quota = Quota { name: $quota, limit: 50 };

            fn tags_mut(&mut self) -> &mut Vec<Tag> {
                &mut self.tags
            }
        }
    )*};
}

tagged! {
    User { "UntagUser", "ListUserTags", "TagsPerUser" }
    Role { "UntagRole", "ListRoleTags", "TagsPerRole" }
    InstanceProfile {
        "UntagInstanceProfile", "ListInstanceProfileTags", "TagsPerInstanceProfile"
    }
    ManagedPolicy { "UntagPolicy", "ListPolicyTags", "TagsPerPolicy" }
    OidcProvider {
        "UntagOpenIDConnectProvider", "ListOpenIDConnectProviderTags",
        "TagsPerOpenIDConnectProvider"
    }
    SamlProvider { "UntagSAMLProvider", "ListSAMLProviderTags", "TagsPerSAMLProvider" }
    MfaDevice { "UntagMFADevice", "ListMFADeviceTags", "TagsPerVirtualMFADevice" }
}
