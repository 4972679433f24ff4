//! Centralized root access: tasks of the root users of members, for the organization's
//! administrators.
//!
//! Source: IAM User Guide, "Centrally manage root access for member accounts", "Perform a privileged
//! task on an AWS Organizations member account"; AWS STS API reference, AssumeRoot.

use serde::{Deserialize, Serialize};

use super::{FeatureSet, Organization, Organized};
use crate::directory::entities::Revoked;
use crate::id::AccountId;

/// The service whose delegated administrators have root access, and that the organization has to work
/// with for it.
pub const IAM: &str = "iam.amazonaws.com";

/// Where the policies of the tasks are.
const TASKS: &str = "arn:aws:iam::aws:policy/root-task/";

/// What is enabled for the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RootFeature {
    /// Credentials of root users are seen and deleted.
    RootCredentialsManagement,
    /// Root users do what nobody else can.
    RootSessions,
}

impl RootFeature {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::RootCredentialsManagement, Self::RootSessions];

    /// The word of the IAM API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RootCredentialsManagement => "RootCredentialsManagement",
            Self::RootSessions => "RootSessions",
        }
    }
}

/// What a session of a root user may be for: each has a managed policy of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootTask {
    /// To see which credentials the root user has.
    AuditCredentials,
    /// To let the root user have a password again.
    CreatePassword,
    /// To delete the root user's credentials.
    DeleteCredentials,
    /// To delete the policy of a bucket that lets nobody in.
    UnlockBucket,
    /// To delete the policy of a queue that lets nobody in.
    UnlockQueue,
}

impl RootTask {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::AuditCredentials,
        Self::CreatePassword,
        Self::DeleteCredentials,
        Self::UnlockBucket,
        Self::UnlockQueue,
    ];

    /// The name of its policy.
    const fn policy(self) -> &'static str {
        match self {
            Self::AuditCredentials => "IAMAuditRootUserCredentials",
            Self::CreatePassword => "IAMCreateRootUserPassword",
            Self::DeleteCredentials => "IAMDeleteRootUserCredentials",
            Self::UnlockBucket => "S3UnlockBucketPolicy",
            Self::UnlockQueue => "SQSUnlockQueuePolicy",
        }
    }

    /// The task of a policy's ARN.
    pub fn of_policy(arn: &str) -> Option<Self> {
        let name = arn.strip_prefix(TASKS)?;
        Self::ALL.into_iter().find(|task| task.policy() == name)
    }

    /// The feature that it needs.
    pub const fn feature(self) -> RootFeature {
        match self {
            Self::AuditCredentials | Self::CreatePassword | Self::DeleteCredentials => {
                RootFeature::RootCredentialsManagement
            }
            Self::UnlockBucket | Self::UnlockQueue => RootFeature::RootSessions,
        }
    }
}

/// Why an account has no root access to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRootAccess {
    /// It is in no organization.
    #[error("the caller's account is in no organization")]
    NoOrganization,
    /// The organization does nothing but bills.
    #[error("the organization does not have all features")]
    Features,
    /// It administers nothing.
    #[error("the caller's account neither manages the organization nor administers IAM in it")]
    NotAdministrator,
    /// IAM is not on the organization's list of services.
    #[error("the organization does not work with iam.amazonaws.com")]
    NotTrusted,
    /// What the task needs is not enabled.
    #[error("{} is not enabled for the organization", .0.as_str())]
    NotEnabled(RootFeature),
    /// There is no such member.
    #[error("the target is no member of the organization")]
    NoMember,
    /// The management account is nobody's.
    #[error("the target is the management account")]
    Management,
    /// The target was closed.
    #[error("the target was closed")]
    Closed,
    /// An account that administers others does not administer itself.
    #[error("the target is the caller's own account")]
    Own,
}

impl Organization {
    /// Takes features away, with the sessions that there are by them.
    pub fn end_root_access(&mut self, features: &[RootFeature], ended: Revoked) {
        for feature in features {
            if self.root_access.remove(feature) {
                self.root_access_ended.insert(*feature, ended);
            }
        }
    }
}

impl Organized {
    /// Whether `by` manages the organization's root access: it is the management account, or a
    /// delegated administrator for IAM.
    pub fn administers_root_access(&self, by: AccountId) -> bool {
        let Some(organization) = self.organization_of(by) else { return false };
        organization.management == by
            || self.member(by).is_some_and(|member| member.delegated.contains_key(IAM))
    }

    /// Whether principals of `by` may have sessions of the root user of `to` for a task.
    ///
    /// INVARIANT: asked when such a session is made, and whenever it is used.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub fn check_root_access(
        &self,
        by: AccountId,
        to: AccountId,
        task: RootTask,
    ) -> Result<(), NoRootAccess> {
        let organization = self.organization_of(by).ok_or(NoRootAccess::NoOrganization)?;
        if organization.features != FeatureSet::All {
            return Err(NoRootAccess::Features);
        }
        if !self.administers_root_access(by) {
            return Err(NoRootAccess::NotAdministrator);
        }
        if !organization.services.contains_key(IAM) {
            return Err(NoRootAccess::NotTrusted);
        }
        if !organization.root_access.contains(&task.feature()) {
            return Err(NoRootAccess::NotEnabled(task.feature()));
        }
        if organization.management == to {
            return Err(NoRootAccess::Management);
        }
        if by == to {
            return Err(NoRootAccess::Own);
        }
        if self.member(to).is_none() {
            return Err(NoRootAccess::NoMember);
        }
        if self.is_closed(to) {
            return Err(NoRootAccess::Closed);
        }
        Ok(())
    }

    /// When what gives `by` sessions for a task was last taken away. Sessions from before are refused.
    ///
    /// INVARIANT: what was taken away and given back does not bring back what was made before.
    pub fn root_access_ended(&self, by: AccountId, task: RootTask) -> Option<Revoked> {
        let organization = self.organization_of(by)?;
        let feature = organization.root_access_ended.get(&task.feature()).copied();
        let delegation = self.member(by).and_then(|member| member.root_access_ended);
        feature.into_iter().chain(delegation).max_by_key(|it| it.version)
    }
}
