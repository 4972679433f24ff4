//! The actions of the services that the broker answers for, those without an operation of their own
//! (`iam:PassRole`) too, and those that only AWS has.
//!
//! Source: the service models of STS 2011-06-15, IAM 2010-05-08, Organizations 2016-11-28, IAM Roles
//! Anywhere 2018-05-10, EKS 2017-11-01 and EKS Auth 2023-11-26; Service Authorization Reference; IAM
//! Roles Anywhere User Guide, "Interface VPC endpoints". Actions of other services are not known here
//! and never found fault with.

use super::super::fold::fold;
use super::super::wildcard::Pattern;

const STS: &str = "\
    AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot \
    DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken \
    GetFederationToken GetServiceBearerToken GetSessionToken GetWebIdentityToken SetContext \
    SetSourceIdentity TagGetWebIdentityToken TagSession";

const IAM: &str = "\
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

const ORGANIZATIONS: &str = "\
    AcceptHandshake AttachPolicy CancelHandshake CloseAccount CreateAccount CreateGovCloudAccount \
    CreateOrganization CreateOrganizationalUnit CreatePolicy DeclineHandshake DeleteOrganization \
    DeleteOrganizationalUnit DeletePolicy DeleteResourcePolicy DeregisterDelegatedAdministrator \
    DescribeAccount DescribeCreateAccountStatus DescribeEffectivePolicy DescribeHandshake \
    DescribeOrganization DescribeOrganizationalUnit DescribePolicy DescribeResourcePolicy \
    DescribeResponsibilityTransfer DetachPolicy DisableAWSServiceAccess DisablePolicyType \
    EnableAWSServiceAccess EnableAllFeatures EnablePolicyType InviteAccountToOrganization \
    InviteOrganizationToTransferResponsibility LeaveOrganization \
    ListAWSServiceAccessForOrganization ListAccounts ListAccountsForParent \
    ListAccountsWithInvalidEffectivePolicy ListChildren ListCreateAccountStatus \
    ListDelegatedAdministrators ListDelegatedServicesForAccount \
    ListEffectivePolicyValidationErrors ListHandshakesForAccount ListHandshakesForOrganization \
    ListInboundResponsibilityTransfers ListOrganizationalUnitsForParent \
    ListOutboundResponsibilityTransfers ListParents ListPolicies ListPoliciesForTarget ListRoots \
    ListTagsForResource ListTargetsForPolicy MoveAccount PutResourcePolicy \
    RegisterDelegatedAdministrator RemoveAccountFromOrganization TagResource \
    TerminateResponsibilityTransfer UntagResource UpdateOrganizationalUnit UpdatePolicy \
    UpdateResponsibilityTransfer";

const ROLES_ANYWHERE: &str = "\
    CreateProfile CreateSession CreateTrustAnchor DeleteAttributeMapping DeleteCrl DeleteProfile \
    DeleteTrustAnchor DisableCrl DisableProfile DisableTrustAnchor EnableCrl EnableProfile \
    EnableTrustAnchor GetCrl GetProfile GetSubject GetTrustAnchor ImportCrl ListCrls ListProfiles \
    ListSubjects ListTagsForResource ListTrustAnchors PutAttributeMapping PutNotificationSettings \
    ResetNotificationSettings TagResource UntagResource UpdateCrl UpdateProfile UpdateTrustAnchor";

const EKS: &str = "\
    AccessKubernetesApi ActivateCertificateAuthority AssociateAccessPolicy \
    AssociateEncryptionConfig AssociateIdentityProviderConfig CancelUpdate CreateAccessEntry \
    CreateAddon CreateCapability CreateCertificateAuthority CreateCluster \
    CreateEksAnywhereSubscription CreateFargateProfile CreateNodegroup \
    CreatePodIdentityAssociation DeleteAccessEntry DeleteAddon DeleteCapability \
    DeleteCertificateAuthority DeleteCluster DeleteEksAnywhereSubscription DeleteFargateProfile \
    DeleteNodegroup DeletePodIdentityAssociation DeregisterCluster DescribeAccessEntry \
    DescribeAddon DescribeAddonConfiguration DescribeAddonVersions DescribeCapability \
    DescribeCertificateAuthority DescribeCluster DescribeClusterVersions \
    DescribeEksAnywhereSubscription DescribeFargateProfile DescribeIdentityProviderConfig \
    DescribeInsight DescribeInsightsRefresh DescribeNodegroup DescribePodIdentityAssociation \
    DescribeUpdate DisassociateAccessPolicy DisassociateIdentityProviderConfig ListAccessEntries \
    ListAccessPolicies ListAddons ListAssociatedAccessPolicies ListCapabilities \
    ListCertificateAuthorities ListClusters ListDashboardData ListDashboardResources \
    ListEksAnywhereSubscriptions ListFargateProfiles ListIdentityProviderConfigs ListInsights \
    ListNodegroups ListPodIdentityAssociations ListTagsForResource ListUpdates \
    MutateViaKubernetesApi RegisterCluster StartInsightsRefresh TagResource UntagResource \
    UpdateAccessEntry UpdateAddon UpdateCapability UpdateClusterConfig UpdateClusterVersion \
    UpdateEksAnywhereSubscription UpdateNodegroupConfig UpdateNodegroupVersion \
    UpdatePodIdentityAssociation";

const EKS_AUTH: &str = "AssumeRoleForPodIdentity";

/// The broker's own: what a policy can allow there.
const COUNTERSIGN: &str = "ApplyDirectory ExportDirectory ListSessions RevokeSessions Verify";

/// The names of a service's actions, separated by spaces; `None` for a service that is not known here.
pub(crate) fn names(service: &str) -> Option<&'static str> {
    Some(match fold(service).as_ref() {
        "sts" => STS,
        "iam" => IAM,
        "organizations" => ORGANIZATIONS,
        "rolesanywhere" => ROLES_ANYWHERE,
        "eks" => EKS,
        "eks-auth" => EKS_AUTH,
        "countersign" => COUNTERSIGN,
        _ => return None,
    })
}

/// Whether an action of these services, perhaps with wildcards, is none that there is. `None` for
/// those of other services.
pub(super) fn is_unknown(action: &str) -> Option<bool> {
    let (service, name) = action.split_once(':')?;
    let names = names(service)?;
    let pattern = Pattern::parse(name).folded();
    Some(!names.split_whitespace().any(|known| pattern.matches(&fold(known))))
}
