//! How many of each thing there may be: AWS's quotas, which the operator may change.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas"; EKS User Guide; IAM Roles Anywhere User Guide,
//! "Quotas for AWS Identity and Access Management Roles Anywhere".

use serde::Deserialize;

use crate::ops::fault::Fault;

/// The settings of the table `quotas`: AWS's defaults unless they say otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// Users of an account.
    pub users_per_account: usize,
    /// Groups of an account.
    pub groups_per_account: usize,
    /// Roles of an account.
    pub roles_per_account: usize,
    /// Managed policies that an account makes itself.
    pub policies_per_account: usize,
    /// Instance profiles of an account.
    pub instance_profiles_per_account: usize,
    /// OpenID Connect providers of an account.
    pub oidc_providers_per_account: usize,
    /// SAML providers of an account.
    pub saml_providers_per_account: usize,
    /// Virtual MFA devices of an account.
    pub mfa_devices_per_account: usize,
    /// MFA devices of a user.
    pub mfa_devices_per_user: usize,
    /// Groups that a user may be in.
    pub groups_per_user: usize,
    /// Managed policies attached to a user.
    pub attached_policies_per_user: usize,
    /// Managed policies attached to a group.
    pub attached_policies_per_group: usize,
    /// Managed policies attached to a role.
    pub attached_policies_per_role: usize,
    /// Versions of a managed policy.
    pub versions_per_policy: usize,
    /// Long-term keys of a user.
    pub access_keys_per_user: usize,
    /// Audiences of an OpenID Connect provider.
    pub client_ids_per_oidc_provider: usize,
    /// Associations of EKS Pod Identity of a cluster.
    pub pod_associations_per_cluster: usize,
    /// Associations of EKS Pod Identity of an account, of all clusters together: AWS has no such
    /// quota.
    pub pod_associations_per_account: usize,
    /// Trust anchors of an account.
    pub trust_anchors_per_account: usize,
    /// Profiles of IAM Roles Anywhere of an account.
    pub anywhere_profiles_per_account: usize,
    /// Revocation lists of a trust anchor.
    pub crls_per_trust_anchor: usize,
    /// Subjects of certificates of an account that are kept: AWS has no such quota. With none left,
    /// one that did not come for a day makes room, or the new one is not kept.
    pub anywhere_subjects_per_account: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            users_per_account: 5000,
            groups_per_account: 300,
            roles_per_account: 1000,
            policies_per_account: 1500,
            instance_profiles_per_account: 1000,
            oidc_providers_per_account: 100,
            saml_providers_per_account: 100,
            mfa_devices_per_account: 5000,
            mfa_devices_per_user: 8,
            groups_per_user: 10,
            attached_policies_per_user: 10,
            attached_policies_per_group: 10,
            attached_policies_per_role: 10,
            versions_per_policy: 5,
            access_keys_per_user: 2,
            client_ids_per_oidc_provider: 100,
            pod_associations_per_cluster: 5000,
            pod_associations_per_account: 50_000,
            trust_anchors_per_account: 50,
            anywhere_profiles_per_account: 250,
            crls_per_trust_anchor: 2,
            anywhere_subjects_per_account: 5000,
        }
    }
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
