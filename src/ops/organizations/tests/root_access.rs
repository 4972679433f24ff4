//! AssumeRoot: who gets a session of a member's root user, what it may, what ends it.

use serde_json::{Value, json};

use super::{Stage, call, deny};
use crate::authn::Caller;
use crate::id::AccountId;
use crate::ops::authorize::{Act, CallerPolicies, policy_caller, signed_context};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, Bench, Credentials, allow, element, elements, find, trusting};

const ACTION: &str = "AssumeRoot";
const IAM: &str = "iam.amazonaws.com";
const SESSIONS: &str = "EnableOrganizationsRootSessions";
const CREDENTIALS: &str = "EnableOrganizationsRootCredentialsManagement";
const AUDIT: &str = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
const DELETE: &str = "arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials";
const BUCKET: &str = "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy";

#[track_caller]
fn refused<T>(result: Result<T, Fault>, code: FaultCode) -> Fault {
    let fault = result.err().unwrap_or_else(|| panic!("granted"));
    assert_eq!(fault.code(), code, "{fault:?}");
    fault
}

/// An organization that has root access, and a user of its management account who may use it.
async fn stage() -> (Stage, Credentials) {
    let stage = Stage::new().await;
    stage.must("EnableAWSServiceAccess", json!({ "ServicePrincipal": IAM })).await;
    for feature in [SESSIONS, CREDENTIALS] {
        stage.bench.call(&stage.bench.a, feature, &[]).await.unwrap();
    }
    let alice = stage.bench.user(&stage.bench.a, "alice", &allow(&["sts:AssumeRoot"])).await;
    (stage, alice)
}

async fn ask(
    bench: &Bench,
    by: &Credentials,
    target: &str,
    task: &str,
) -> Result<Credentials, Fault> {
    let parameters = [("TargetPrincipal", target), ("TaskPolicyArn.arn", task)];
    bench.call(by, ACTION, &parameters).await.map(|answer| Credentials::of_answer(&answer))
}

/// Whether credentials may do something to what B owns, as a service of B's is told.
async fn may(bench: &Bench, credentials: &Credentials, action: &str, resource: &str) -> bool {
    let caller = bench.verify(credentials, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(request) = &caller else { panic!("nobody signed") };
    let identity = request.identity();
    let policies = CallerPolicies::gather(request.snapshot(), identity);
    let who = policy_caller(identity);
    let owner = AccountId::parse(B).unwrap();
    let keys = policies.keys(signed_context(&bench.facts(), identity), &who, owner);
    policies.decide(&who, Act { action, resource }, &keys, None).is_allowed()
}

/// The root user of B has keys; its organization's administrator sees and deletes them.
#[tokio::test]
async fn credentials_of_a_members_root_user_are_seen_and_deleted() {
    let (stage, alice) = stage().await;
    let bench = &stage.bench;
    let root_arn = format!("arn:aws:iam::{B}:root");
    let root = bench.key(&root_arn).await.unwrap();
    bench.whoami(&root).await.unwrap();
    let uses = bench.services.authenticator.root_uses().get();

    let asked = [("TargetPrincipal", B), ("TaskPolicyArn.arn", AUDIT)];
    let answer = bench.call(&alice, ACTION, &asked).await.unwrap();
    assert_eq!(find(&answer, "SourceIdentity"), None);
    assert_eq!(find(&answer, "PackedPolicySize"), None, "the model has none here");
    let audit = Credentials::of_answer(&answer);
    let told = bench.call(&audit, "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!((element(&told, "Arn"), element(&told, "UserId")), (root_arn.as_str(), B));
    let listed = bench.call(&audit, "ListAccessKeys", &[]).await.unwrap();
    assert_eq!(element(&listed, "AccessKeyId"), root.access_key_id);
    assert_eq!(find(&listed, "UserName"), None);
    let key = [("AccessKeyId", root.access_key_id.as_str())];
    let used = bench.call(&audit, "GetAccessKeyLastUsed", &key).await.unwrap();
    assert_eq!(element(&used, "ServiceName"), "sts");
    bench.call(&audit, "GetAccountSummary", &[]).await.unwrap();
    bench.call(&audit, "ListSigningCertificates", &[]).await.unwrap();
    refused(bench.call(&audit, "GetLoginProfile", &[]).await, FaultCode::NoSuchEntity);
    // It is for the root user's credentials, and to look at them.
    let admin = [("UserName", "admin")];
    for (action, parameters) in [
        ("DeleteAccessKey", &key[..]),
        ("ListAccessKeys", &admin),
        ("GetUser", &admin),
        ("CreateAccessKey", &admin),
        ("ListUsers", &[]),
        ("CreateUser", &[("UserName", "eve")]),
    ] {
        let fault = refused(bench.call(&audit, action, parameters).await, FaultCode::AccessDenied);
        assert!(fault.message().contains("with an explicit deny"), "{fault:?}");
    }
    assert_eq!(uses + 12, bench.services.authenticator.root_uses().get(), "every use is counted");

    let deleting = ask(bench, &alice, &root_arn, DELETE).await.unwrap();
    refused(
        bench.call(&deleting, "UpdateAccessKey", &[key[0], ("Status", "Inactive")]).await,
        FaultCode::AccessDenied,
    );
    bench.call(&deleting, "DeleteAccessKey", &key).await.unwrap();
    refused(bench.whoami(&root).await, FaultCode::InvalidClientTokenId);
    let listed = bench.call(&deleting, "ListAccessKeys", &[]).await.unwrap();
    assert_eq!(elements(&listed, "AccessKeyId").count(), 0);

    let records = bench.records();
    let uses: Vec<&Value> = records
        .iter()
        .filter(|it| it["userIdentity"]["sessionContext"]["assumedRoot"] == "true")
        .collect();
    assert!(uses.len() > 10, "{}", uses.len());
    for record in uses {
        assert_eq!(record["additionalEventData"]["rootUser"], true, "{record}");
        assert_eq!(record["userIdentity"]["type"], "Root");
        assert_eq!(record["recipientAccountId"], B);
    }
    let made = records.iter().find(|it| it["eventName"] == ACTION).unwrap();
    assert_eq!(made["requestParameters"]["taskPolicyArn"]["arn"], AUDIT);
    assert_eq!(made["requestParameters"]["targetPrincipal"], B);
}

#[tokio::test]
async fn its_task_is_all_that_it_may() {
    let (stage, alice) = stage().await;
    let bench = &stage.bench;
    let bucket = "arn:aws:s3:::b";
    let unlock = ask(bench, &alice, B, BUCKET).await.unwrap();
    for (action, expected) in [
        ("s3:DeleteBucketPolicy", true),
        ("s3:PutBucketPolicy", true),
        ("s3:ListAllMyBuckets", true),
        ("s3:GetObject", false),
        ("s3:DeleteBucket", false),
        ("sqs:SetQueueAttributes", false),
        ("iam:CreateUser", false),
        ("orders:GetOrder", false),
        ("sts:AssumeRole", false),
        ("countersign:RevokeSessions", false),
    ] {
        assert_eq!(may(bench, &unlock, action, bucket).await, expected, "{action}");
    }
    let queue = "arn:aws:iam::aws:policy/root-task/SQSUnlockQueuePolicy";
    let queue = ask(bench, &alice, B, queue).await.unwrap();
    let of_b = format!("arn:aws:sqs:eu-west-1:{B}:q");
    assert!(may(bench, &queue, "sqs:SetQueueAttributes", &of_b).await);
    assert!(may(bench, &queue, "sqs:GetQueueAttributes", &of_b).await);
    assert!(!may(bench, &queue, "sqs:DeleteQueue", &of_b).await);
    assert!(!may(bench, &queue, "s3:DeleteBucketPolicy", bucket).await);
    // What is a root user's key's by right is not this session's: it never calls more of STS.
    let carol = [("Name", "carol")];
    for (action, parameters) in [("GetSessionToken", &[][..]), ("GetFederationToken", &carol)] {
        refused(bench.call(&unlock, action, parameters).await, FaultCode::AccessDenied);
    }
    // A guardrail of the member's holds for its root user too.
    let guard = deny(&["s3:DeleteBucketPolicy"]);
    stage.policy("SERVICE_CONTROL_POLICY", "guard", &guard, B).await;
    assert!(!may(bench, &unlock, "s3:DeleteBucketPolicy", bucket).await);
    assert!(may(bench, &unlock, "s3:PutBucketPolicy", bucket).await);
    // Root users that are no such session, as AWS's examples have it.
    let no_root = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Action": "s3:*", "Resource": "*",
        "Condition": {
            "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:root" },
            "Null": { "aws:AssumedRoot": "true" },
        },
    }});
    stage.policy("SERVICE_CONTROL_POLICY", "no-root", &no_root.to_string(), B).await;
    assert!(may(bench, &unlock, "s3:PutBucketPolicy", bucket).await);
    let root = bench.key(&format!("arn:aws:iam::{B}:root")).await.unwrap();
    assert!(!may(bench, &root, "s3:PutBucketPolicy", bucket).await);
}

/// Whatever is lacking, the words are the same.
#[tokio::test]
async fn it_is_refused_unless_all_agree() {
    let (stage, alice) = stage().await;
    let bench = &stage.bench;
    ask(bench, &alice, B, AUDIT).await.unwrap();
    let nobody = bench.user(&bench.a, "nobody", &allow(&["sts:AssumeRole"])).await;
    let fault = refused(ask(bench, &nobody, B, AUDIT).await, FaultCode::AccessDenied);
    // The operator reads why; the caller does not.
    assert!(format!("{fault:?}").contains("no identity-based policy allows"), "{fault:?}");
    assert!(!fault.message().contains("policy"), "{fault:?}");
    // The member's own administrator, and targets that are none.
    let denied = |by: &str, target: &str| {
        format!(
            "User: {by} is not authorized to perform: sts:AssumeRoot on resource: \
             arn:aws:iam::{target}:root"
        )
    };
    let (of_a, of_b) =
        (format!("arn:aws:iam::{A}:user/alice"), format!("arn:aws:iam::{B}:user/admin"));
    for (by, name, target, why) in [
        (&bench.b, &of_b, B, "neither manages"),
        (&bench.b, &of_b, A, "neither manages"),
        (&alice, &of_a, A, "is the management account"),
        (&alice, &of_a, "999999999999", "no member"),
    ] {
        let fault = refused(ask(bench, by, target, AUDIT).await, FaultCode::AccessDenied);
        assert_eq!(fault.message(), denied(name, target));
        assert!(fault.note().unwrap().contains(why), "{fault:?}");
    }
    for target in
        ["arn:aws:iam::222222222222:user/admin", "somebody-else", "arn:aws:iam::222222222222:rootx"]
    {
        refused(ask(bench, &alice, target, AUDIT).await, FaultCode::ValidationError);
    }
    for task in [
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::aws:policy/root-task/AdministratorAccess",
        "arn:aws:iam::111111111111:policy/root-task/S3UnlockBucketPolicy",
        "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy/",
    ] {
        refused(ask(bench, &alice, B, task).await, FaultCode::ValidationError);
    }
    let long = [("TargetPrincipal", B), ("TaskPolicyArn.arn", AUDIT), ("DurationSeconds", "901")];
    refused(bench.call(&alice, ACTION, &long).await, FaultCode::ValidationError);
    let none = [("TargetPrincipal", B)];
    refused(bench.call(&alice, ACTION, &none).await, FaultCode::ValidationError);
    // Neither a root user nor a user's session.
    let root = bench.key(&format!("arn:aws:iam::{A}:root")).await.unwrap();
    refused(ask(bench, &root, B, AUDIT).await, FaultCode::AccessDenied);
    let session =
        Credentials::of_answer(&bench.call(&alice, "GetSessionToken", &[]).await.unwrap());
    refused(ask(bench, &session, B, AUDIT).await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn policies_name_the_target_and_the_task() {
    let (stage, _) = stage().await;
    let bench = &stage.bench;
    let only = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRoot",
        "Resource": format!("arn:aws:iam::{B}:root"),
        "Condition": { "StringEquals": { "sts:TaskPolicyArn": AUDIT } },
    }});
    let careful = bench.user(&bench.a, "careful", &only.to_string()).await;
    ask(bench, &careful, B, AUDIT).await.unwrap();
    refused(ask(bench, &careful, B, DELETE).await, FaultCode::AccessDenied);
    // The member's resources are its own: what limits who reaches them limits this.
    let fence = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoot", "Resource": "*",
    }});
    stage.policy("RESOURCE_CONTROL_POLICY", "fence", &fence.to_string(), B).await;
    let fault = refused(ask(bench, &careful, B, AUDIT).await, FaultCode::AccessDenied);
    assert!(format!("{fault:?}").contains("resource control policy"), "{fault:?}");
}

#[tokio::test]
async fn delegated_administrators_for_iam_have_it_and_no_others() {
    let (stage, _) = stage().await;
    let bench = &stage.bench;
    let made = json!({ "AccountName": "third", "Email": "third@example.com" });
    let made = stage.must("CreateAccount", made).await;
    let third = super::text(&made, "/CreateAccountStatus/AccountId").to_owned();
    let delegate = |service: &str| json!({ "AccountId": B, "ServicePrincipal": service });
    stage.must("EnableAWSServiceAccess", json!({ "ServicePrincipal": "sso.amazonaws.com" })).await;
    stage.must("RegisterDelegatedAdministrator", delegate("sso.amazonaws.com")).await;
    refused(ask(bench, &bench.b, &third, AUDIT).await, FaultCode::AccessDenied);
    let code = FaultCode::AccountNotManagementOrDelegatedAdministrator;
    refused(bench.call(&bench.b, "ListOrganizationsFeatures", &[]).await, code);
    stage.must("RegisterDelegatedAdministrator", delegate(IAM)).await;
    let session = ask(bench, &bench.b, &third, AUDIT).await.unwrap();
    let told = bench.whoami(&session).await.unwrap();
    assert_eq!(told, format!("arn:aws:iam::{third}:root"));
    refused(ask(bench, &bench.b, A, AUDIT).await, FaultCode::AccessDenied);
    // Nobody has his own account's, and nobody anything without a right of his own.
    let nobody = bench.user(&bench.b, "nobody", &allow(&["s3:ListBucket"])).await;
    for (who, target) in [(&bench.b, B), (&nobody, B), (&nobody, third.as_str())] {
        for task in [AUDIT, DELETE, BUCKET] {
            let fault = refused(ask(bench, who, target, task).await, FaultCode::AccessDenied);
            assert!(!fault.message().contains("because"), "{fault:?}");
        }
    }
    // It sees what is enabled, and switches off; on is the management account's.
    let listed = bench.call(&bench.b, "ListOrganizationsFeatures", &[]).await.unwrap();
    assert_eq!(elements(&listed, "member").count(), 2);
    refused(bench.call(&bench.b, SESSIONS, &[]).await, FaultCode::CallerIsNotManagementAccount);
    stage.must("DeregisterDelegatedAdministrator", delegate(IAM)).await;
    refused(bench.whoami(&session).await, FaultCode::InvalidClientTokenId);
}

/// What gave it takes it away, at once.
#[tokio::test]
async fn it_ends_with_what_gave_it() {
    for ending in [
        "feature off",
        "service off",
        "key inactive",
        "role revoked",
        "session revoked",
        "root user revoked",
        "account closed",
        "account removed",
        "in time",
    ] {
        let (stage, alice) = stage().await;
        let bench = &stage.bench;
        let admin = &bench.a;
        let everything = allow(&["sts:*"]);
        let role = bench.role(admin, "breakglass", &trusting(&[A]), &everything).await;
        let more = [("UserName", "alice"), ("PolicyName", "more"), ("PolicyDocument", &everything)];
        bench.call(admin, "PutUserPolicy", &more).await.unwrap();
        let assumed = bench.assume(&alice, &role, "me").await.unwrap();
        let session = ask(bench, &assumed, B, AUDIT).await.unwrap();
        bench.whoami(&session).await.unwrap();
        let mut code = FaultCode::InvalidClientTokenId;
        match ending {
            "feature off" => {
                let off = "DisableOrganizationsRootCredentialsManagement";
                bench.call(admin, off, &[]).await.unwrap();
            }
            "service off" => {
                let off = json!({ "ServicePrincipal": IAM });
                stage.must("DisableAWSServiceAccess", off.clone()).await;
                // What was enabled does not come back by itself.
                stage.must("EnableAWSServiceAccess", off).await;
                let listed = bench.call(admin, "ListOrganizationsFeatures", &[]).await.unwrap();
                assert_eq!(elements(&listed, "member").count(), 0);
            }
            "key inactive" => {
                let key = ("AccessKeyId", alice.access_key_id.as_str());
                let off = [("UserName", "alice"), key, ("Status", "Inactive")];
                bench.call(admin, "UpdateAccessKey", &off).await.unwrap();
            }
            "role revoked" => {
                bench.revoke(admin, crate::api::RevocationTarget::Role(role)).await.unwrap();
            }
            "root user revoked" => {
                let root = format!("arn:aws:iam::{B}:root");
                let target = crate::api::RevocationTarget::User(root);
                bench.revoke(&bench.b, target).await.unwrap();
            }
            "session revoked" => {
                let target = crate::api::RevocationTarget::Session(session.access_key_id.clone());
                bench.revoke(&bench.b, target).await.unwrap();
            }
            "account closed" => {
                stage.must("CloseAccount", json!({ "AccountId": B })).await;
            }
            "account removed" => {
                let out = json!({ "AccountId": B });
                stage.must("RemoveAccountFromOrganization", out).await;
            }
            _ => {
                bench.advance(899);
                bench.whoami(&session).await.unwrap();
                bench.advance(1);
                code = FaultCode::ExpiredToken;
            }
        }
        let fault = refused(bench.whoami(&session).await, code);
        assert!(ending != "feature off" || fault.note().is_some(), "{ending}");
    }
}

/// What was taken away and given back within a session's time does not bring the session back.
#[tokio::test]
async fn what_was_taken_away_does_not_come_back() {
    const OFF: &str = "DisableOrganizationsRootCredentialsManagement";
    for ending in ["feature", "service", "administrator"] {
        let (stage, alice) = stage().await;
        let bench = &stage.bench;
        let made = json!({ "AccountName": "third", "Email": "third@example.com" });
        let made = stage.must("CreateAccount", made).await;
        let third = super::text(&made, "/CreateAccountStatus/AccountId").to_owned();
        let delegate = json!({ "AccountId": B, "ServicePrincipal": IAM });
        stage.must("RegisterDelegatedAdministrator", delegate.clone()).await;
        let by = if ending == "administrator" { &bench.b } else { &alice };
        let session = ask(bench, by, &third, AUDIT).await.unwrap();
        let bucket = ask(bench, by, &third, BUCKET).await.unwrap();
        bench.whoami(&session).await.unwrap();
        match ending {
            "feature" => {
                bench.call(&bench.a, OFF, &[]).await.unwrap();
                bench.call(&bench.a, CREDENTIALS, &[]).await.unwrap();
            }
            "service" => {
                stage.must("DeregisterDelegatedAdministrator", delegate.clone()).await;
                let service = json!({ "ServicePrincipal": IAM });
                stage.must("DisableAWSServiceAccess", service.clone()).await;
                stage.must("EnableAWSServiceAccess", service).await;
                bench.call(&bench.a, CREDENTIALS, &[]).await.unwrap();
                bench.call(&bench.a, SESSIONS, &[]).await.unwrap();
            }
            _ => {
                stage.must("DeregisterDelegatedAdministrator", delegate.clone()).await;
                stage.must("RegisterDelegatedAdministrator", delegate.clone()).await;
            }
        }
        let fault = refused(bench.whoami(&session).await, FaultCode::InvalidClientTokenId);
        assert!(fault.note().unwrap().contains("gives no access to the root user"), "{fault:?}");
        // The other feature was not touched.
        assert_eq!(bench.whoami(&bucket).await.is_ok(), ending == "feature", "{ending}");
        let session = ask(bench, by, &third, AUDIT).await.unwrap();
        bench.whoami(&session).await.unwrap();
        // What only is enabled again, or delegated besides, takes nothing away.
        bench.call(&bench.a, CREDENTIALS, &[]).await.unwrap();
        let other = json!({ "AccountId": B, "ServicePrincipal": "sso.amazonaws.com" });
        stage
            .must("EnableAWSServiceAccess", json!({ "ServicePrincipal": "sso.amazonaws.com" }))
            .await;
        stage.must("RegisterDelegatedAdministrator", other.clone()).await;
        stage.must("DeregisterDelegatedAdministrator", other).await;
        bench.whoami(&session).await.unwrap();
    }
}

/// The other feature does for other tasks alone.
#[tokio::test]
async fn each_task_needs_its_feature() {
    for (feature, yes, no) in [(SESSIONS, BUCKET, DELETE), (CREDENTIALS, DELETE, BUCKET)] {
        let stage = Stage::new().await;
        let bench = &stage.bench;
        refused(bench.call(&bench.a, feature, &[]).await, FaultCode::ServiceAccessNotEnabled);
        stage.must("EnableAWSServiceAccess", json!({ "ServicePrincipal": IAM })).await;
        refused(ask(bench, &bench.a, B, yes).await, FaultCode::AccessDenied);
        let told = bench.call(&bench.a, feature, &[]).await.unwrap();
        assert!(element(&told, "OrganizationId").starts_with("o-"));
        ask(bench, &bench.a, B, yes).await.unwrap();
        refused(ask(bench, &bench.a, B, no).await, FaultCode::AccessDenied);
    }
}

#[tokio::test]
async fn without_an_organization_there_is_no_root_access() {
    let bench = Bench::new().await;
    for action in [SESSIONS, CREDENTIALS, "ListOrganizationsFeatures"] {
        refused(bench.call(&bench.a, action, &[]).await, FaultCode::OrganizationNotFound);
    }
    refused(ask(&bench, &bench.a, B, AUDIT).await, FaultCode::AccessDenied);
    let billing = json!({ "FeatureSet": "CONSOLIDATED_BILLING" });
    call(&bench, &bench.a, "CreateOrganization", billing).await.unwrap();
    refused(bench.call(&bench.a, SESSIONS, &[]).await, FaultCode::OrganizationNotInAllFeaturesMode);
    refused(
        bench.call(&bench.b, SESSIONS, &[]).await,
        FaultCode::AccountNotManagementOrDelegatedAdministrator,
    );
}

/// A source identity of the caller's is the session's.
#[tokio::test]
async fn a_source_identity_is_handed_down() {
    let (stage, alice) = stage().await;
    let bench = &stage.bench;
    let everything = allow(&["sts:*"]);
    let more = [("UserName", "alice"), ("PolicyName", "more"), ("PolicyDocument", &*everything)];
    bench.call(&bench.a, "PutUserPolicy", &more).await.unwrap();
    let role = bench.role(&bench.a, "breakglass", &trusting(&[A]), &everything).await;
    let asked =
        [("RoleArn", role.as_str()), ("RoleSessionName", "me"), ("SourceIdentity", "alice")];
    let assumed = bench.call(&alice, "AssumeRole", &asked).await.unwrap();
    let asked = [("TargetPrincipal", B), ("TaskPolicyArn.arn", AUDIT), ("DurationSeconds", "60")];
    let answer = bench.call(&Credentials::of_answer(&assumed), ACTION, &asked).await.unwrap();
    assert_eq!(element(&answer, "SourceIdentity"), "alice");
    let session = Credentials::of_answer(&answer);
    bench.advance(60);
    refused(bench.whoami(&session).await, FaultCode::ExpiredToken);
}
