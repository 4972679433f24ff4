//! The managed policies that every deployment has: `arn:aws:iam::aws:policy/*`.
//!
//! Model: they have AWS's names, so that tools find them, and AWS's meaning as far as it concerns
//! this product's own services. ReadOnlyAccess and its like name hundreds of services with AWS:
//! here they name the broker's own and the few that are common; an account whose downstream
//! services need more writes its own policy.
//!
//! Source: AWS managed policy reference.

use std::sync::LazyLock;

use data_encoding::HEXUPPER;
use sha2::{Digest as _, Sha256};

use super::document::Document;
use crate::arn::PARTITION;
use crate::id::UniqueId;
use crate::time::Timestamp;

/// A policy that cannot be changed and belongs to no account.
pub struct BuiltIn {
    /// `ANPA…`, made of its name: the same in every deployment.
    pub id: UniqueId,
    /// `arn:aws:iam::aws:policy<path><name>`
    pub arn: String,
    /// Its name.
    pub name: &'static str,
    /// `/`, or `/job-function/`.
    pub path: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What it says.
    pub document: Document,
}

impl BuiltIn {
    /// The number of the one version that each has.
    pub const VERSION: u32 = 1;
    /// When they were made: 2026-01-01.
    pub const CREATED_AT: Timestamp = Timestamp::from_secs(1_767_225_600);
}

/// Everything, everywhere in the account.
pub const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Path, name, description, statements.
type Text = (&'static str, &'static str, &'static str, &'static str);

const TEXTS: &[Text] = &[
    (
        "/",
        "AdministratorAccess",
        "Everything.",
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
    ),
    (
        "/",
        "PowerUserAccess",
        "Everything but users, roles, policies, accounts and other people's sessions.",
        r#"{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*","countersign:*"],"Resource":"*"},
           {"Effect":"Allow","Action":["iam:ListRoles","organizations:DescribeOrganization","account:GetAccountInformation","account:ListRegions"],"Resource":"*"}"#,
    ),
    (
        "/",
        "ReadOnlyAccess",
        "Reading: this broker and common services.",
        r#"{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:Get*","iam:List*","iam:Simulate*","sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetSessionToken","organizations:Describe*","organizations:List*","countersign:Get*","countersign:List*","cloudwatch:Describe*","cloudwatch:Get*","cloudwatch:List*","dynamodb:BatchGet*","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*","dynamodb:Query","dynamodb:Scan","ec2:Describe*","ec2:Get*","ecr:BatchGet*","ecr:Describe*","ecr:Get*","ecr:List*","kms:Describe*","kms:Get*","kms:List*","lambda:Get*","lambda:List*","logs:Describe*","logs:FilterLogEvents","logs:Get*","s3:Get*","s3:List*","sns:Get*","sns:List*","sqs:Get*","sqs:List*","ssm:Describe*","ssm:Get*","ssm:List*","secretsmanager:Describe*","secretsmanager:List*"],"Resource":"*"}"#,
    ),
    (
        "/",
        "IAMFullAccess",
        "Users, groups, roles and policies.",
        r#"{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit","organizations:DescribePolicy","organizations:ListChildren","organizations:ListParents","organizations:ListPoliciesForTarget","organizations:ListRoots","organizations:ListPolicies","organizations:ListTargetsForPolicy"],"Resource":"*"}"#,
    ),
    (
        "/",
        "IAMReadOnlyAccess",
        "Reading users, groups, roles and policies.",
        r#"{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}"#,
    ),
    (
        "/",
        "IAMUserChangePassword",
        "A user's change of its own password.",
        r#"{"Effect":"Allow","Action":"iam:ChangePassword","Resource":["arn:aws:iam::*:user/${aws:username}","arn:aws:iam::*:user/*/${aws:username}"]},
           {"Effect":"Allow","Action":"iam:GetAccountPasswordPolicy","Resource":"*"}"#,
    ),
    (
        "/",
        "SecurityAudit",
        "Reading what a security audit needs: configuration, never data.",
        r#"{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy","sts:GetAccessKeyInfo","sts:GetCallerIdentity","organizations:Describe*","organizations:List*","countersign:Get*","countersign:List*","ec2:Describe*","kms:Describe*","kms:GetKeyPolicy","kms:GetKeyRotationStatus","kms:List*","lambda:GetPolicy","lambda:List*","logs:Describe*","s3:GetBucket*","s3:GetEncryptionConfiguration","s3:ListAllMyBuckets","secretsmanager:Describe*","secretsmanager:GetResourcePolicy","secretsmanager:ListSecrets","sns:GetTopicAttributes","sns:List*","sqs:GetQueueAttributes","sqs:ListQueues"],"Resource":"*"}"#,
    ),
    (
        "/job-function/",
        "ViewOnlyAccess",
        "Seeing what there is, not what is in it.",
        r#"{"Effect":"Allow","Action":["iam:List*","iam:GetAccountSummary","iam:GetLoginProfile","organizations:List*","countersign:List*","cloudwatch:Describe*","cloudwatch:List*","dynamodb:DescribeTable","dynamodb:ListTables","ec2:Describe*","kms:ListAliases","kms:ListKeys","lambda:List*","logs:Describe*","s3:ListAllMyBuckets","s3:ListBucket","sns:List*","sqs:ListQueues"],"Resource":"*"}"#,
    ),
    (
        "/",
        "AWSDenyAll",
        "Nothing: it denies everything.",
        r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#,
    ),
    (
        "/",
        "AWSOrganizationsFullAccess",
        "The organization, its units, accounts and policies.",
        r#"{"Effect":"Allow","Action":"organizations:*","Resource":"*"}"#,
    ),
    (
        "/",
        "AWSOrganizationsReadOnlyAccess",
        "Reading the organization.",
        r#"{"Effect":"Allow","Action":["organizations:Describe*","organizations:List*"],"Resource":"*"}"#,
    ),
    (
        "/",
        "CountersignFullAccess",
        "All of this broker's own actions: sessions and their revocation.",
        r#"{"Effect":"Allow","Action":"countersign:*","Resource":"*"}"#,
    ),
    (
        "/",
        "CountersignReadOnlyAccess",
        "Seeing sessions, and the directory as files.",
        r#"{"Effect":"Allow","Action":["countersign:Get*","countersign:List*","countersign:ExportDirectory"],"Resource":"*"}"#,
    ),
    (
        "/",
        "CountersignIncidentResponse",
        "Seeing and ending sessions, disabling keys, and reading who may do what.",
        r#"{"Effect":"Allow","Action":["countersign:ListSessions","countersign:RevokeSessions","iam:GenerateCredentialReport","iam:Get*","iam:List*","iam:UpdateAccessKey","sts:GetAccessKeyInfo"],"Resource":"*"}"#,
    ),
    // They allow nothing: what they do not deny is the root user's by right.
    (
        "/root-task/",
        "IAMAuditRootUserCredentials",
        "A root session that sees which credentials the root user has.",
        r#"{"Sid":"DenyAllOtherActionsOnAnyResource","Effect":"Deny","NotAction":["iam:ListAccessKeys","iam:ListSigningCertificates","iam:GetLoginProfile","iam:ListMFADevices","iam:GetAccountSummary","iam:GetUser","iam:GetAccessKeyLastUsed"],"Resource":"*"},
           {"Sid":"DenyAuditingCredentialsOnNonRootUserResource","Effect":"Deny","Action":["iam:ListAccessKeys","iam:ListSigningCertificates","iam:GetLoginProfile","iam:ListMFADevices","iam:GetUser","iam:GetAccessKeyLastUsed"],"NotResource":"arn:aws:iam::*:root"}"#,
    ),
    (
        "/root-task/",
        "IAMCreateRootUserPassword",
        "A root session that lets the root user have a password again.",
        r#"{"Sid":"DenyAllOtherActionsOnAnyResource","Effect":"Deny","NotAction":["iam:CreateLoginProfile","iam:GetLoginProfile"],"Resource":"*"},
           {"Sid":"DenyCreatingPasswordOnNonRootUserResource","Effect":"Deny","Action":["iam:CreateLoginProfile","iam:GetLoginProfile"],"NotResource":"arn:aws:iam::*:root"}"#,
    ),
    (
        "/root-task/",
        "IAMDeleteRootUserCredentials",
        "A root session that deletes the root user's credentials.",
        r#"{"Sid":"DenyAllOtherActionsOnAnyResource","Effect":"Deny","NotAction":["iam:DeleteAccessKey","iam:DeleteSigningCertificate","iam:DeleteLoginProfile","iam:DeactivateMFADevice","iam:ListAccessKeys","iam:ListSigningCertificates","iam:GetLoginProfile","iam:ListMFADevices","iam:GetUser","iam:GetAccessKeyLastUsed"],"Resource":"*"},
           {"Sid":"DenyDeletingRootUserCredentialsOnNonRootUserResource","Effect":"Deny","Action":["iam:DeleteAccessKey","iam:DeleteSigningCertificate","iam:DeleteLoginProfile","iam:DeactivateMFADevice","iam:ListAccessKeys","iam:ListSigningCertificates","iam:GetLoginProfile","iam:ListMFADevices","iam:GetUser","iam:GetAccessKeyLastUsed"],"NotResource":"arn:aws:iam::*:root"}"#,
    ),
    (
        "/root-task/",
        "S3UnlockBucketPolicy",
        "A root session that takes away the policy of a bucket that lets nobody in.",
        r#"{"Sid":"DenyAllOtherActionsOnAnyResource","Effect":"Deny","NotAction":["s3:DeleteBucketPolicy","s3:PutBucketPolicy","s3:GetBucketPolicy","s3:ListAllMyBuckets"],"Resource":"*"},
           {"Sid":"DenyManagingBucketPolicyForNonRootCallers","Effect":"Deny","Action":["s3:DeleteBucketPolicy","s3:PutBucketPolicy","s3:GetBucketPolicy","s3:ListAllMyBuckets"],"Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:root"}}}"#,
    ),
    (
        "/root-task/",
        "SQSUnlockQueuePolicy",
        "A root session that takes away the policy of a queue that lets nobody in.",
        r#"{"Sid":"DenyAllOtherActionsOnAnyResource","Effect":"Deny","NotAction":["sqs:SetQueueAttributes","sqs:GetQueueAttributes","sqs:ListQueues","sqs:GetQueueUrl"],"Resource":"*"},
           {"Sid":"DenyGettingQueueAttributesOnNonOwnQueue","Effect":"Deny","Action":["sqs:GetQueueAttributes"],"Resource":"arn:aws:sqs:*:*:*","Condition":{"StringNotEqualsIfExists":{"aws:ResourceAccount":["${aws:PrincipalAccount}"]}}},
           {"Sid":"DenyActionsForNonRootUser","Effect":"Deny","Action":["sqs:SetQueueAttributes","sqs:GetQueueAttributes","sqs:ListQueues","sqs:GetQueueUrl"],"Resource":"*","Condition":{"StringNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:root"}}}"#,
    ),
];

static BUILT_IN: LazyLock<Vec<BuiltIn>> =
    // A test parses every text; here one that did not would just not exist.
    LazyLock::new(|| TEXTS.iter().filter_map(built_in).collect());

fn built_in(&(path, name, description, statements): &Text) -> Option<BuiltIn> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    // White space between statements is the source's, not the document's.
    let text: String = text.lines().map(str::trim).collect();
    let digits = HEXUPPER.encode(&Sha256::digest(name));
    Some(BuiltIn {
        id: UniqueId::parse(&format!("ANPA{}", digits.get(..17)?)).ok()?,
        arn: format!("arn:{PARTITION}:iam::aws:policy{path}{name}"),
        name,
        path,
        description,
        document: Document::parse(&text).ok()?,
    })
}

/// A built-in managed policy by its ARN.
pub fn find(arn: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|policy| policy.arn == arn)
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static BuiltIn> {
    BUILT_IN.iter()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::directory::organization::RootTask;

    #[test]
    fn every_built_in_policy_parses_and_has_an_id_of_its_own() {
        assert_eq!(BUILT_IN.len(), TEXTS.len());
        assert!(find(ADMINISTRATOR_ACCESS).is_some());
        let ids: BTreeSet<_> = all().map(|policy| policy.id).collect();
        assert_eq!(ids.len(), TEXTS.len());
        let arns: BTreeSet<_> = all().map(|policy| &policy.arn).collect();
        assert_eq!(arns.len(), TEXTS.len());
    }

    /// The actions that each task leaves, as AWS publishes them (IAM User Guide, "AWS managed policies
    /// for AWS Identity and Access Management"); those of the queues' it describes in words.
    #[test]
    fn tasks_leave_the_actions_that_they_do_with_aws() {
        for (name, actions) in [
            (
                "IAMAuditRootUserCredentials",
                &[
                    "iam:GetAccessKeyLastUsed",
                    "iam:GetAccountSummary",
                    "iam:GetLoginProfile",
                    "iam:GetUser",
                    "iam:ListAccessKeys",
                    "iam:ListMFADevices",
                    "iam:ListSigningCertificates",
                ][..],
            ),
            ("IAMCreateRootUserPassword", &["iam:CreateLoginProfile", "iam:GetLoginProfile"]),
            (
                "IAMDeleteRootUserCredentials",
                &[
                    "iam:DeactivateMFADevice",
                    "iam:DeleteAccessKey",
                    "iam:DeleteLoginProfile",
                    "iam:DeleteSigningCertificate",
                    "iam:GetAccessKeyLastUsed",
                    "iam:GetLoginProfile",
                    "iam:GetUser",
                    "iam:ListAccessKeys",
                    "iam:ListMFADevices",
                    "iam:ListSigningCertificates",
                ],
            ),
            (
                "S3UnlockBucketPolicy",
                &[
                    "s3:DeleteBucketPolicy",
                    "s3:GetBucketPolicy",
                    "s3:ListAllMyBuckets",
                    "s3:PutBucketPolicy",
                ],
            ),
            (
                "SQSUnlockQueuePolicy",
                &[
                    "sqs:GetQueueAttributes",
                    "sqs:GetQueueUrl",
                    "sqs:ListQueues",
                    "sqs:SetQueueAttributes",
                ],
            ),
        ] {
            let policy = find(&format!("arn:aws:iam::aws:policy/root-task/{name}")).unwrap();
            let text: serde_json::Value = serde_json::from_str(policy.document.text()).unwrap();
            let statements = text["Statement"].as_array().unwrap();
            assert!(statements.iter().all(|it| it["Effect"] == "Deny"), "{name}");
            let all = &statements[0];
            assert_eq!(
                (&all["Sid"], &all["Resource"]),
                (&"DenyAllOtherActionsOnAnyResource".into(), &"*".into())
            );
            let mut left: Vec<_> = all["NotAction"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_str().unwrap())
                .collect();
            left.sort_unstable();
            assert_eq!(left, actions, "{name}");
        }
    }

    #[test]
    fn every_task_of_a_root_user_has_its_policy_and_no_other_is_there() {
        let tasks = all().filter_map(|policy| RootTask::of_policy(&policy.arn));
        assert!(tasks.eq(RootTask::ALL));
        assert_eq!(all().filter(|policy| policy.path == "/root-task/").count(), 5);
        assert_eq!(RootTask::of_policy(ADMINISTRATOR_ACCESS), None);
    }
}
