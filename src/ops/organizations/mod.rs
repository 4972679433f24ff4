//! The Organizations API.
//!
//! # Model
//!
//! A deployment has at most one organization. Its first account makes it and becomes its management
//! account; every other account of the deployment that is open is taken in, and every account made
//! later joins it. Only the management account changes it, as in AWS, and delegated administrators
//! see it; members may ask which organization they are in, and leave. An account that left comes
//! back when it accepts an invitation.
//!
//! What AWS does in the background is done here before it is answered: an account that CreateAccount
//! names is there, a policy type is enabled, an account is closed.
//!
//! Source: AWS Organizations API reference and User Guide.

pub mod access;
pub mod accounts;
pub mod attachments;
pub mod create_account;
pub mod delegated;
pub mod handshakes;
pub mod leaving;
pub mod membership;
pub mod organization;
pub mod page;
pub mod policies;
pub mod policy_types;
pub mod resource_policy;
pub mod shapes;
pub mod tags;
pub mod tree;
pub mod trusted_services;
pub mod units;
pub mod views;

#[cfg(test)]
mod tests;

use super::json::{Row, row};

/// What stands before the operation in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "AWSOrganizationsV20161128";

/// Every operation.
pub static ROWS: &[Row] = &[
    row::<organization::CreateOrganization>(),
    row::<organization::DescribeOrganization>(),
    row::<organization::DeleteOrganization>(),
    row::<organization::ListRoots>(),
    row::<create_account::CreateAccount>(),
    row::<create_account::DescribeCreateAccountStatus>(),
    row::<create_account::ListCreateAccountStatus>(),
    row::<accounts::DescribeAccount>(),
    row::<accounts::ListAccounts>(),
    row::<accounts::ListAccountsForParent>(),
    row::<accounts::MoveAccount>(),
    row::<accounts::CloseAccount>(),
    row::<leaving::RemoveAccountFromOrganization>(),
    row::<leaving::LeaveOrganization>(),
    row::<units::CreateOrganizationalUnit>(),
    row::<units::DescribeOrganizationalUnit>(),
    row::<units::UpdateOrganizationalUnit>(),
    row::<units::DeleteOrganizationalUnit>(),
    row::<units::ListOrganizationalUnitsForParent>(),
    row::<tree::ListChildren>(),
    row::<tree::ListParents>(),
    row::<policies::CreatePolicy>(),
    row::<policies::DescribePolicy>(),
    row::<policies::UpdatePolicy>(),
    row::<policies::DeletePolicy>(),
    row::<policies::ListPolicies>(),
    row::<attachments::AttachPolicy>(),
    row::<attachments::DetachPolicy>(),
    row::<attachments::ListPoliciesForTarget>(),
    row::<attachments::ListTargetsForPolicy>(),
    row::<policy_types::EnablePolicyType>(),
    row::<policy_types::DisablePolicyType>(),
    row::<policy_types::DescribeEffectivePolicy>(),
    row::<tags::TagResource>(),
    row::<tags::UntagResource>(),
    row::<tags::ListTagsForResource>(),
    row::<trusted_services::EnableAWSServiceAccess>(),
    row::<trusted_services::DisableAWSServiceAccess>(),
    row::<trusted_services::ListAWSServiceAccessForOrganization>(),
    row::<delegated::RegisterDelegatedAdministrator>(),
    row::<delegated::DeregisterDelegatedAdministrator>(),
    row::<delegated::ListDelegatedAdministrators>(),
    row::<delegated::ListDelegatedServicesForAccount>(),
    row::<handshakes::EnableAllFeatures>(),
    row::<handshakes::InviteAccountToOrganization>(),
    row::<handshakes::AcceptHandshake>(),
    row::<handshakes::DeclineHandshake>(),
    row::<handshakes::CancelHandshake>(),
    row::<handshakes::DescribeHandshake>(),
    row::<handshakes::ListHandshakesForAccount>(),
    row::<handshakes::ListHandshakesForOrganization>(),
    row::<resource_policy::DescribeResourcePolicy>(),
];
