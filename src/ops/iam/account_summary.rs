//! GetAccountSummary: how many of each thing an account has, and may have.
//!
//! Source: AWS IAM API reference, GetAccountSummary. Kinds that do not exist here (passwords,
//! certificates) are told as none, with AWS's quotas.

use serde_json::Value;

use super::access;
use super::kind::{Made, constants};
use crate::directory::{
    Group, InstanceProfile, ManagedPolicy, MfaDevice, OidcProvider, Role, SamlProvider, User,
};
use crate::id::UniqueId;
use crate::ops::fault::Fault;
use crate::ops::{Context, Operation};
use crate::policy::{
    INLINE_GROUP_CHARS, INLINE_ROLE_CHARS, INLINE_USER_CHARS, MANAGED_CHARS, TRUST_CHARS,
};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetAccountSummary;

impl Operation for GetAccountSummary {
    constants!(Read "GetAccountSummary");
    type Request = ();
    /// AWS's names and their numbers.
    type Response = Vec<(&'static str, usize)>;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Self::Response, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::in_account::<Self>(context, &state)?;
        let quotas = &context.services.quotas;
        let versions = ManagedPolicy::all(&state, account).map(|it| it.versions.len()).sum();
        let providers =
            OidcProvider::all(&state, account).count() + SamlProvider::all(&state, account).count();
        let in_use = MfaDevice::all(&state, account).filter(|it| it.user.is_some()).count();
        let root = UniqueId::of_root(account);
        let root_has_keys = state.access_keys_of(root).next().is_some();
        Ok(vec![
            ("Users", User::all(&state, account).count()),
            ("UsersQuota", quotas.users_per_account),
            ("Groups", Group::all(&state, account).count()),
            ("GroupsQuota", quotas.groups_per_account),
            ("Roles", Role::all(&state, account).count()),
            ("RolesQuota", quotas.roles_per_account),
            ("Policies", ManagedPolicy::all(&state, account).count()),
            ("PoliciesQuota", quotas.policies_per_account),
            ("PolicyVersionsInUse", versions),
            ("PolicyVersionsInUseQuota", quotas.policies_per_account * quotas.versions_per_policy),
            ("VersionsPerPolicyQuota", quotas.versions_per_policy),
            ("PolicySizeQuota", MANAGED_CHARS),
            ("InstanceProfiles", InstanceProfile::all(&state, account).count()),
            ("InstanceProfilesQuota", quotas.instance_profiles_per_account),
            ("Providers", providers),
            ("UserPolicySizeQuota", INLINE_USER_CHARS),
            ("GroupPolicySizeQuota", INLINE_GROUP_CHARS),
            ("RolePolicySizeQuota", INLINE_ROLE_CHARS),
            ("AssumeRolePolicySizeQuota", TRUST_CHARS),
            ("AttachedPoliciesPerUserQuota", quotas.attached_policies_per_user),
            ("AttachedPoliciesPerGroupQuota", quotas.attached_policies_per_group),
            ("AttachedPoliciesPerRoleQuota", quotas.attached_policies_per_role),
            ("GroupsPerUserQuota", quotas.groups_per_user),
            ("AccessKeysPerUserQuota", quotas.access_keys_per_user),
            ("MFADevices", MfaDevice::all(&state, account).count()),
            ("MFADevicesInUse", in_use),
            // The root user has no device here.
            ("AccountMFAEnabled", 0),
            ("AccountAccessKeysPresent", usize::from(root_has_keys)),
            ("AccountPasswordPresent", 0),
            ("AccountSigningCertificatesPresent", 0),
            ("SigningCertificatesPerUserQuota", 2),
            ("ServerCertificates", 0),
            ("ServerCertificatesQuota", 20),
            ("GlobalEndpointTokenVersion", 2),
        ])
    }

    fn write(response: &Self::Response, xml: &mut Xml) {
        xml.element("SummaryMap", |xml| {
            for (name, number) in response {
                xml.element("entry", |xml| {
                    xml.text("key", name);
                    xml.value("value", number);
                });
            }
        });
    }
}
