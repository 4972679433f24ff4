//! The actions of STS and IAM, those without an operation of their own (`iam:PassRole`) too.
//!
//! Source: the service models of STS 2011-06-15 and IAM 2010-05-08; Service Authorization
//! Reference. Actions of other services are not known here and never found fault with.

use super::super::fold::fold;
use super::super::wildcard::Pattern;

pub(super) const STS: &str = "\
    AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot \
    DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken \
    GetFederationToken GetServiceBearerToken GetSessionToken GetWebIdentityToken SetContext \
    SetSourceIdentity TagGetWebIdentityToken TagSession";

pub(super) const IAM: &str = "\
    AcceptDelegationRequest AcquireRole AddClientIDToOpenIDConnectProvider \
    AddRoleToInstanceProfile AddUserToGroup AssociateDelegationRequest AttachGroupPolicy \
    AttachRolePolicy AttachUserPolicy ChangePassword CreateAccessKey CreateAccountAlias \
    CreateDelegationRequest CreateGroup CreateInstanceProfile CreateLoginProfile \
    CreateOpenIDConnectProvider CreatePolicy CreatePolicyVersion CreateRole CreateSAMLProvider \
    CreateServiceLinkedRole CreateServiceSpecificCredential CreateUser CreateVirtualMFADevice \
    DeactivateMFADevice DeleteAccessKey DeleteAccountAlias DeleteAccountPasswordPolicy \
    DeleteCloudFrontPublicKey DeleteGroup DeleteGroupPolicy DeleteInstanceProfile \
    DeleteLoginProfile DeleteOpenIDConnectProvider DeletePolicy DeletePolicyVersion DeleteRole \
    DeleteRolePermissionsBoundary DeleteRolePolicy DeleteSAMLProvider DeleteSSHPublicKey \
    DeleteServerCertificate DeleteServiceLinkedRole DeleteServiceSpecificCredential \
    DeleteSigningCertificate DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy \
    DeleteVirtualMFADevice DetachGroupPolicy DetachRolePolicy DetachUserPolicy \
    DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions \
    DisableOutboundWebIdentityFederation EnableMFADevice \
    EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions \
    EnableOutboundWebIdentityFederation GenerateCredentialReport \
    GenerateOrganizationsAccessReport GenerateServiceLastAccessedDetails GetAccessKeyLastUsed \
    GetAccountAuthorizationDetails GetAccountEmailAddress GetAccountName \
    GetAccountPasswordPolicy GetAccountProperties GetAccountSummary GetCloudFrontPublicKey \
    GetContextKeysForCustomPolicy GetContextKeysForPrincipalPolicy GetCredentialReport \
    GetDelegationRequest GetGroup GetGroupPolicy GetHumanReadableSummary GetInstanceProfile \
    GetLoginProfile GetMFADevice GetOpenIDConnectProvider GetOrganizationsAccessReport \
    GetOutboundWebIdentityFederationInfo GetPolicy GetPolicyVersion GetRole GetRolePolicy \
    GetRoleTemplateVersion GetSAMLProvider GetSSHPublicKey GetServerCertificate \
    GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities \
    GetServiceLinkedRoleDeletionStatus GetUser GetUserPolicy ListAccessKeys ListAccountAliases \
    ListAttachedGroupPolicies ListAttachedRolePolicies ListAttachedUserPolicies \
    ListCloudFrontPublicKeys ListDelegationRequests ListEntitiesForPolicy ListGroupPolicies \
    ListGroups ListGroupsForUser ListInstanceProfileTags ListInstanceProfiles \
    ListInstanceProfilesForRole ListMFADeviceTags ListMFADevices ListOpenIDConnectProviderTags \
    ListOpenIDConnectProviders ListOrganizationsFeatures ListPolicies \
    ListPoliciesGrantingServiceAccess ListPolicyTags ListPolicyVersions ListRolePolicies \
    ListRoleTags ListRoles ListSAMLProviderTags ListSAMLProviders ListSSHPublicKeys \
    ListSTSRegionalEndpointsStatus ListServerCertificateTags ListServerCertificates \
    ListServiceSpecificCredentials ListSigningCertificates ListUserPolicies ListUserTags \
    ListUsers ListVirtualMFADevices PassRole PutAccountProperties PutGroupPolicy \
    PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy \
    RejectDelegationRequest RemoveClientIDFromOpenIDConnectProvider \
    RemoveRoleFromInstanceProfile RemoveUserFromGroup ResetServiceSpecificCredential \
    ResyncMFADevice SendDelegationToken SetDefaultPolicyVersion SetSTSRegionalEndpointStatus \
    SetSecurityTokenServicePreferences SimulateCustomPolicy SimulatePrincipalPolicy \
    TagInstanceProfile TagMFADevice TagOpenIDConnectProvider TagPolicy TagRole TagSAMLProvider \
    TagServerCertificate TagUser UntagInstanceProfile UntagMFADevice \
    UntagOpenIDConnectProvider UntagPolicy UntagRole UntagSAMLProvider UntagServerCertificate \
    UntagUser UpdateAccessKey UpdateAccountEmailAddress UpdateAccountName \
    UpdateAccountPasswordPolicy UpdateAssumeRolePolicy UpdateCloudFrontPublicKey \
    UpdateDelegationRequest UpdateGroup UpdateLoginProfile \
    UpdateOpenIDConnectProviderThumbprint UpdateRole UpdateRoleDescription UpdateSAMLProvider \
    UpdateSSHPublicKey UpdateServerCertificate UpdateServiceSpecificCredential \
    UpdateSigningCertificate UpdateUser UploadCloudFrontPublicKey UploadSSHPublicKey \
    UploadServerCertificate UploadSigningCertificate";

/// Whether an action of STS or IAM, perhaps with wildcards, is none that there is. `None` for
/// those of other services.
pub(super) fn is_unknown(action: &str) -> Option<bool> {
    let (service, name) = action.split_once(':')?;
    let names = match fold(service).as_ref() {
        "sts" => STS,
        "iam" => IAM,
        _ => return None,
    };
    let pattern = Pattern::parse(name).folded();
    Some(!names.split_whitespace().any(|known| pattern.matches(&fold(known))))
}
