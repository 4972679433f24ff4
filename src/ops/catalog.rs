//! A row an operation: those of the Query services, and where those of the JSON services are.

use super::dispatch::{self, Answer, Step};
use super::fault::Fault;
use super::iam as i;
use super::sts as s;
use super::{Context, Effect, Operation, Service, json, organizations};
use crate::wire::json11;
use crate::wire::query::Params;

/// One operation.
pub struct Row {
    /// The action's name, such as `AssumeRole`.
    pub name: &'static str,
    /// The service it belongs to.
    pub service: Service,
    /// What it does to the world, and so how it is recorded.
    pub effect: Effect,
    /// Whether its requests come without a signature.
    pub unsigned: bool,
    /// Whether its answers have a result element.
    pub has_result: bool,
    /// Checks the parameters of a request, and does nothing.
    pub check: fn(&Params) -> Result<(), Fault>,
    /// Runs it.
    pub run: for<'a> fn(&'a Context<'a>, &'a Params) -> Answer<'a>,
    /// Runs it as one of several that make one write: its caller keeps the records.
    pub step: for<'a> fn(&'a Context<'a>, &'a Params) -> Step<'a>,
}

const fn row<O: Operation>() -> Row {
    Row {
        name: O::NAME,
        service: O::SERVICE,
        effect: O::EFFECT,
        unsigned: O::UNSIGNED,
        has_result: O::HAS_RESULT,
        check: |params| O::read(params).map(drop),
        run: dispatch::run::<O>,
        step: dispatch::step::<O>,
    }
}

/// Every operation of the Query services.
pub static ROWS: &[Row] = &[
    row::<s::assume_role::AssumeRole>(),
    row::<s::assume_role_with_saml::AssumeRoleWithSAML>(),
    row::<s::assume_role_with_web_identity::AssumeRoleWithWebIdentity>(),
    row::<s::assume_root::AssumeRoot>(),
    row::<s::decode_authorization_message::DecodeAuthorizationMessage>(),
    row::<s::get_access_key_info::GetAccessKeyInfo>(),
    row::<s::get_caller_identity::GetCallerIdentity>(),
    row::<s::get_federation_token::GetFederationToken>(),
    row::<s::get_session_token::GetSessionToken>(),
    row::<s::get_web_identity_token::GetWebIdentityToken>(),
    row::<i::create_user::CreateUser>(),
    row::<i::get_user::GetUser>(),
    row::<i::delete_user::DeleteUser>(),
    row::<i::create_role::CreateRole>(),
    row::<i::get_role::GetRole>(),
    row::<i::delete_role::DeleteRole>(),
    row::<i::update_assume_role_policy::UpdateAssumeRolePolicy>(),
    row::<i::create_access_key::CreateAccessKey>(),
    row::<i::update_access_key::UpdateAccessKey>(),
    row::<i::delete_access_key::DeleteAccessKey>(),
    row::<i::list_access_keys::ListAccessKeys>(),
    row::<i::user_policies::PutUserPolicy>(),
    row::<i::user_policies::GetUserPolicy>(),
    row::<i::user_policies::DeleteUserPolicy>(),
    row::<i::user_policies::AttachUserPolicy>(),
    row::<i::user_policies::DetachUserPolicy>(),
    row::<i::role_policies::PutRolePolicy>(),
    row::<i::role_policies::GetRolePolicy>(),
    row::<i::role_policies::DeleteRolePolicy>(),
    row::<i::role_policies::AttachRolePolicy>(),
    row::<i::role_policies::DetachRolePolicy>(),
    row::<i::user_policies::ListUserPolicies>(),
    row::<i::user_policies::ListAttachedUserPolicies>(),
    row::<i::user_policies::PutUserPermissionsBoundary>(),
    row::<i::user_policies::DeleteUserPermissionsBoundary>(),
    row::<i::role_policies::ListRolePolicies>(),
    row::<i::role_policies::ListAttachedRolePolicies>(),
    row::<i::role_policies::PutRolePermissionsBoundary>(),
    row::<i::role_policies::DeleteRolePermissionsBoundary>(),
    row::<i::user_tags::TagUser>(),
    row::<i::user_tags::UntagUser>(),
    row::<i::user_tags::ListUserTags>(),
    row::<i::role_tags::TagRole>(),
    row::<i::role_tags::UntagRole>(),
    row::<i::role_tags::ListRoleTags>(),
    row::<i::list_users::ListUsers>(),
    row::<i::list_roles::ListRoles>(),
    row::<i::update_user::UpdateUser>(),
    row::<i::update_role::UpdateRole>(),
    row::<i::update_role::UpdateRoleDescription>(),
    row::<i::simulate_custom_policy::SimulateCustomPolicy>(),
    row::<i::get_context_keys_for_custom_policy::GetContextKeysForCustomPolicy>(),
    row::<i::simulate_principal_policy::SimulatePrincipalPolicy>(),
    row::<i::get_context_keys_for_principal_policy::GetContextKeysForPrincipalPolicy>(),
    row::<i::groups::CreateGroup>(),
    row::<i::groups::GetGroup>(),
    row::<i::groups::UpdateGroup>(),
    row::<i::groups::DeleteGroup>(),
    row::<i::groups::ListGroups>(),
    row::<i::groups::PutGroupPolicy>(),
    row::<i::groups::GetGroupPolicy>(),
    row::<i::groups::DeleteGroupPolicy>(),
    row::<i::groups::ListGroupPolicies>(),
    row::<i::groups::AttachGroupPolicy>(),
    row::<i::groups::DetachGroupPolicy>(),
    row::<i::groups::ListAttachedGroupPolicies>(),
    row::<i::membership::AddUserToGroup>(),
    row::<i::membership::RemoveUserFromGroup>(),
    row::<i::membership::ListGroupsForUser>(),
    row::<i::managed_policies::CreatePolicy>(),
    row::<i::managed_policies::GetPolicy>(),
    row::<i::managed_policies::DeletePolicy>(),
    row::<i::managed_policies::ListPolicies>(),
    row::<i::managed_policies::TagPolicy>(),
    row::<i::managed_policies::UntagPolicy>(),
    row::<i::managed_policies::ListPolicyTags>(),
    row::<i::versions::CreatePolicyVersion>(),
    row::<i::versions::GetPolicyVersion>(),
    row::<i::versions::ListPolicyVersions>(),
    row::<i::versions::DeletePolicyVersion>(),
    row::<i::versions::SetDefaultPolicyVersion>(),
    row::<i::entities_for_policy::ListEntitiesForPolicy>(),
    row::<i::instance_profiles::CreateInstanceProfile>(),
    row::<i::instance_profiles::GetInstanceProfile>(),
    row::<i::instance_profiles::DeleteInstanceProfile>(),
    row::<i::instance_profiles::ListInstanceProfiles>(),
    row::<i::instance_profiles::ListInstanceProfilesForRole>(),
    row::<i::instance_profiles::TagInstanceProfile>(),
    row::<i::instance_profiles::UntagInstanceProfile>(),
    row::<i::instance_profiles::ListInstanceProfileTags>(),
    row::<i::profile_roles::AddRoleToInstanceProfile>(),
    row::<i::profile_roles::RemoveRoleFromInstanceProfile>(),
    row::<i::account_alias::CreateAccountAlias>(),
    row::<i::account_alias::DeleteAccountAlias>(),
    row::<i::account_alias::ListAccountAliases>(),
    row::<i::outbound_federation::EnableOutboundWebIdentityFederation>(),
    row::<i::outbound_federation::DisableOutboundWebIdentityFederation>(),
    row::<i::outbound_federation::GetOutboundWebIdentityFederationInfo>(),
    row::<i::root_access::EnableOrganizationsRootSessions>(),
    row::<i::root_access::DisableOrganizationsRootSessions>(),
    row::<i::root_access::EnableOrganizationsRootCredentialsManagement>(),
    row::<i::root_access::DisableOrganizationsRootCredentialsManagement>(),
    row::<i::root_access::ListOrganizationsFeatures>(),
    row::<i::password_policy::UpdateAccountPasswordPolicy>(),
    row::<i::password_policy::GetAccountPasswordPolicy>(),
    row::<i::password_policy::DeleteAccountPasswordPolicy>(),
    row::<i::account_summary::GetAccountSummary>(),
    row::<i::key_last_used::GetAccessKeyLastUsed>(),
    row::<i::oidc_providers::CreateOpenIDConnectProvider>(),
    row::<i::oidc_providers::GetOpenIDConnectProvider>(),
    row::<i::oidc_providers::ListOpenIDConnectProviders>(),
    row::<i::oidc_providers::DeleteOpenIDConnectProvider>(),
    row::<i::oidc_providers::AddClientID>(),
    row::<i::oidc_providers::RemoveClientID>(),
    row::<i::oidc_providers::UpdateThumbprint>(),
    row::<i::oidc_providers::TagOpenIDConnectProvider>(),
    row::<i::oidc_providers::UntagOpenIDConnectProvider>(),
    row::<i::oidc_providers::ListOpenIDConnectProviderTags>(),
    row::<i::saml_providers::CreateSAMLProvider>(),
    row::<i::saml_providers::GetSAMLProvider>(),
    row::<i::saml_providers::ListSAMLProviders>(),
    row::<i::saml_providers::UpdateSAMLProvider>(),
    row::<i::saml_providers::DeleteSAMLProvider>(),
    row::<i::saml_providers::TagSAMLProvider>(),
    row::<i::saml_providers::UntagSAMLProvider>(),
    row::<i::saml_providers::ListSAMLProviderTags>(),
    row::<i::mfa_devices::CreateVirtualMFADevice>(),
    row::<i::mfa_devices::DeleteVirtualMFADevice>(),
    row::<i::mfa_devices::ListVirtualMFADevices>(),
    row::<i::mfa_devices::TagMFADevice>(),
    row::<i::mfa_devices::UntagMFADevice>(),
    row::<i::mfa_devices::ListMFADeviceTags>(),
    row::<i::user_mfa::EnableMFADevice>(),
    row::<i::user_mfa::ResyncMFADevice>(),
    row::<i::user_mfa::DeactivateMFADevice>(),
    row::<i::user_mfa::GetMFADevice>(),
    row::<i::user_mfa::ListMFADevices>(),
    row::<i::absent::ListSSHPublicKeys>(),
    row::<i::absent::ListSigningCertificates>(),
    row::<i::absent::ListServerCertificates>(),
    row::<i::absent::ListServiceSpecificCredentials>(),
    row::<i::absent::GetLoginProfile>(),
    row::<i::absent::DeleteLoginProfile>(),
    row::<i::authorization_details::GetAccountAuthorizationDetails>(),
    row::<i::credential_report::GenerateCredentialReport>(),
    row::<i::credential_report::GetCredentialReport>(),
    row::<i::granting_access::ListPoliciesGrantingServiceAccess>(),
];

/// The operation of an action's name and its API's version.
pub fn find(action: &str, version: Option<&str>) -> Option<&'static Row> {
    ROWS.iter().find(|row| {
        row.name == action && version.is_none_or(|version| version == row.service.version())
    })
}

/// The operation that an `X-Amz-Target` names.
pub fn find_target(target: &str) -> Option<&'static json::Row> {
    let (prefix, name) = json11::target(target)?;
    let rows = (prefix == organizations::TARGET_PREFIX).then_some(organizations::ROWS)?;
    rows.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_within_a_service() {
        for (at, row) in ROWS.iter().enumerate() {
            let again = ROWS[at + 1..]
                .iter()
                .any(|other| other.name == row.name && other.service == row.service);
            assert!(!again, "{}", row.name);
        }
    }

    /// AWS has more of them; of the broker's own there are no others.
    #[test]
    fn every_action_is_one_that_lint_knows() {
        use crate::downstream::Service as Registered;
        use crate::ops::manage::{directory, revocations, sessions};
        use crate::ops::{eks, rolesanywhere};
        use crate::policy::lint::action_names;

        let known = |service: &str| -> BTreeSet<&str> {
            action_names(service).unwrap().split_whitespace().collect()
        };
        let query = ROWS.iter().map(|row| (row.service, row.name));
        let json = [organizations::ROWS, rolesanywhere::ROWS, eks::ROWS].into_iter().flatten();
        for (service, name) in query.chain(json.map(|row| (row.service, row.name))) {
            assert!(known(service.scope()).contains(name), "{}:{name}", service.scope());
        }
        let own: BTreeSet<&str> = [
            directory::APPLY,
            directory::EXPORT,
            revocations::ACTION,
            sessions::ACTION,
            Registered::ASK,
        ]
        .into_iter()
        .map(|action| action.strip_prefix("countersign:").unwrap())
        .collect();
        assert_eq!(known(Service::Countersign.scope()), own);
    }

    #[test]
    fn only_operations_with_another_proof_come_unsigned() {
        let unsigned: Vec<_> = ROWS.iter().filter(|row| row.unsigned).map(|row| row.name).collect();
        assert_eq!(unsigned, ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"]);
    }
}
