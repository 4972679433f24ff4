//! Managed policies: their versions, who has them, and what they give.

use super::{must, refused};
use crate::directory::managed;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, Credentials, allow, element, elements, find, trusting};
use crate::wire::xml::percent_encode;

const MINE: &str = "arn:aws:iam::111111111111:policy/team/mine";
const ARN: (&str, &str) = ("PolicyArn", MINE);

async fn create(bench: &Bench, admin: &Credentials, name: &str, document: &str) -> String {
    let create = [("PolicyName", name), ("Path", "/team/"), ("PolicyDocument", document)];
    let made = must(bench, admin, "CreatePolicy", &create).await;
    element(&made, "Arn").to_owned()
}

#[tokio::test]
async fn a_policy_is_made_shown_and_deleted() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let document = allow(&["s3:*"]);
    let ask = [
        ("PolicyName", "mine"),
        ("Path", "/team/"),
        ("Description", "Buckets."),
        ("PolicyDocument", document.as_str()),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let made = must(bench, admin, "CreatePolicy", &ask).await;
    let shown = must(bench, admin, "GetPolicy", &[ARN]).await;
    for (name, value) in [
        ("Arn", MINE),
        ("PolicyName", "mine"),
        ("Path", "/team/"),
        ("DefaultVersionId", "v1"),
        ("AttachmentCount", "0"),
        ("PermissionsBoundaryUsageCount", "0"),
        ("IsAttachable", "true"),
        ("Description", "Buckets."),
        ("Key", "k"),
    ] {
        assert_eq!((element(&made, name), element(&shown, name)), (value, value), "{name}");
    }
    assert!(element(&made, "PolicyId").starts_with("ANPA"));
    let again = [("PolicyName", "MINE"), ("PolicyDocument", document.as_str())];
    let message =
        refused(bench.call(admin, "CreatePolicy", &again).await, FaultCode::EntityAlreadyExists);
    assert_eq!(message, "A policy called MINE already exists. Duplicate names are not allowed.");
    // The other account neither sees nor uses it.
    refused(bench.call(&bench.b, "GetPolicy", &[ARN]).await, FaultCode::NoSuchEntity);
    let attach = [("UserName", "admin"), ARN];
    refused(bench.call(&bench.b, "AttachUserPolicy", &attach).await, FaultCode::NoSuchEntity);
    // An ARN that differs in case or path is another's.
    for other in ["arn:aws:iam::111111111111:policy/mine", &MINE.replace("mine", "Mine")] {
        let result = bench.call(admin, "GetPolicy", &[("PolicyArn", other)]).await;
        assert_eq!(
            refused(result, FaultCode::NoSuchEntity),
            format!("Policy {other} was not found.")
        );
    }
    let nonsense = [("PolicyArn", "arn:aws:iam::111111111111:user/x")];
    refused(bench.call(admin, "GetPolicy", &nonsense).await, FaultCode::InvalidInput);
    must(bench, admin, "DeletePolicy", &[ARN]).await;
    refused(bench.call(admin, "GetPolicy", &[ARN]).await, FaultCode::NoSuchEntity);
}

#[tokio::test]
async fn a_policy_has_five_versions_and_one_counts() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    create(bench, admin, "mine", &allow(&["iam:ListUsers"])).await;
    let bob = bench.user(admin, "bob", &allow(&["sts:*"])).await;
    must(bench, admin, "AttachUserPolicy", &[("UserName", "bob"), ARN]).await;
    must(bench, &bob, "ListUsers", &[]).await;
    let roles = allow(&["iam:ListRoles"]);
    let version = [ARN, ("PolicyDocument", roles.as_str())];
    let made = must(bench, admin, "CreatePolicyVersion", &version).await;
    assert_eq!(element(&made, "VersionId"), "v2");
    assert_eq!(element(&made, "IsDefaultVersion"), "false");
    must(bench, &bob, "ListUsers", &[]).await;
    must(bench, admin, "SetDefaultPolicyVersion", &[ARN, ("VersionId", "v2")]).await;
    refused(bench.call(&bob, "ListUsers", &[]).await, FaultCode::AccessDenied);
    must(bench, &bob, "ListRoles", &[]).await;
    let default = [&version[..], &[("SetAsDefault", "true")]].concat();
    must(bench, admin, "CreatePolicyVersion", &default).await;
    for _ in 0..2 {
        must(bench, admin, "CreatePolicyVersion", &version).await;
    }
    let sixth = bench.call(admin, "CreatePolicyVersion", &version).await;
    let message = refused(sixth, FaultCode::LimitExceeded);
    assert!(message.starts_with("A managed policy can have up to 5 versions."), "{message}");
    let listed = must(bench, admin, "ListPolicyVersions", &[ARN]).await;
    let ids: Vec<_> = elements(&listed, "VersionId").collect();
    assert_eq!(ids, ["v5", "v4", "v3", "v2", "v1"]);
    let defaults: Vec<_> = elements(&listed, "IsDefaultVersion").collect();
    assert_eq!(defaults, ["false", "false", "true", "false", "false"]);
    let delete = |version| [ARN, ("VersionId", version)];
    let result = bench.call(admin, "DeletePolicyVersion", &delete("v3")).await;
    let message = refused(result, FaultCode::DeleteConflict);
    assert_eq!(message, "Cannot delete the default version of a policy.");
    must(bench, admin, "DeletePolicyVersion", &delete("v5")).await;
    // The number is not used again.
    let made = must(bench, admin, "CreatePolicyVersion", &version).await;
    assert_eq!(element(&made, "VersionId"), "v6");
    let shown = must(bench, admin, "GetPolicyVersion", &delete("v1")).await;
    assert_eq!(element(&shown, "Document"), percent_encode(&allow(&["iam:ListUsers"])));
    let missing = bench.call(admin, "GetPolicyVersion", &delete("v5")).await;
    refused(missing, FaultCode::NoSuchEntity);

    let conflict = || async {
        refused(bench.call(admin, "DeletePolicy", &[ARN]).await, FaultCode::DeleteConflict)
    };
    assert_eq!(conflict().await, "Cannot delete a policy attached to entities.");
    must(bench, admin, "DetachUserPolicy", &[("UserName", "bob"), ARN]).await;
    assert!(conflict().await.starts_with("This policy has more than one version."));
    for version in ["v1", "v2", "v4", "v6"] {
        must(bench, admin, "DeletePolicyVersion", &delete(version)).await;
    }
    must(bench, admin, "DeletePolicy", &[ARN]).await;
}

#[tokio::test]
async fn a_policy_bounds_users_and_sessions() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    create(bench, admin, "mine", &allow(&["iam:ListUsers", "sts:*"])).await;
    let bob = bench.user(admin, "bob", &allow(&["iam:*", "sts:*"])).await;
    let bound = [("UserName", "bob"), ("PermissionsBoundary", MINE)];
    must(bench, admin, "PutUserPermissionsBoundary", &bound).await;
    must(bench, &bob, "ListUsers", &[]).await;
    refused(bench.call(&bob, "ListRoles", &[]).await, FaultCode::AccessDenied);
    let result = bench.call(admin, "DeletePolicy", &[ARN]).await;
    refused(result, FaultCode::DeleteConflict);
    let shown = must(bench, admin, "GetPolicy", &[ARN]).await;
    assert_eq!(element(&shown, "PermissionsBoundaryUsageCount"), "1");

    let role = bench.role(admin, "r", &trusting(&[A]), &allow(&["iam:*"])).await;
    let ask = [("RoleArn", &*role), ("RoleSessionName", "s1"), ("PolicyArns.member.1.arn", MINE)];
    let session = must(bench, admin, "AssumeRole", &ask).await;
    let session = Credentials::of_answer(&session);
    must(bench, &session, "ListUsers", &[]).await;
    refused(bench.call(&session, "ListRoles", &[]).await, FaultCode::AccessDenied);
    // A policy that is gone allows nothing.
    must(bench, admin, "DeleteUserPermissionsBoundary", &bound[..1]).await;
    must(bench, admin, "DeletePolicy", &[ARN]).await;
    refused(bench.call(&session, "ListUsers", &[]).await, FaultCode::AccessDenied);
    let missing = bench.call(admin, "AssumeRole", &ask).await;
    refused(missing, FaultCode::MalformedPolicyDocument);
    // Another account's policy is none of this one's.
    let other = create(bench, &bench.b, "other", &allow(&["*"])).await;
    for (action, parameters) in [
        ("AssumeRole", vec![ask[0], ask[1], ("PolicyArns.member.1.arn", other.as_str())]),
        ("PutUserPermissionsBoundary", vec![bound[0], ("PermissionsBoundary", &other)]),
        ("AttachRolePolicy", vec![("RoleName", "r"), ("PolicyArn", &other)]),
    ] {
        assert!(bench.call(admin, action, &parameters).await.is_err(), "{action}");
    }
}

#[tokio::test]
async fn policies_are_listed_by_what_they_are_used_for() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    for name in ["b", "A", "c"] {
        create(bench, admin, name, &allow(&["s3:*"])).await;
    }
    let arn = |name: &str| format!("arn:aws:iam::{A}:policy/team/{name}");
    let bound = [("UserName", "admin"), ("PermissionsBoundary", &*arn("c"))];
    must(bench, admin, "CreateUser", &[("UserName", "bob")]).await;
    let bound = [("UserName", "bob"), bound[1]];
    must(bench, admin, "PutUserPermissionsBoundary", &bound).await;
    must(bench, admin, "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", &arn("A"))]).await;
    let list = |more: &'static [(&'static str, &'static str)]| async move {
        let listed = must(bench, admin, "ListPolicies", more).await;
        elements(&listed, "PolicyName").map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let local = ("Scope", "Local");
    assert_eq!(list(&[("Scope", "Local")]).await, ["A", "b", "c"]);
    assert_eq!(list(&[("Scope", "Local"), ("OnlyAttached", "true")]).await, ["A"]);
    assert_eq!(list(&[("OnlyAttached", "true")]).await, ["A", "AdministratorAccess"]);
    assert_eq!(list(&[("PolicyUsageFilter", "PermissionsBoundary")]).await, ["c"]);
    assert_eq!(
        list(&[("PolicyUsageFilter", "PermissionsPolicy"), ("Scope", "Local")]).await,
        ["A"]
    );
    assert_eq!(list(&[("PathPrefix", "/job-function/")]).await, ["ViewOnlyAccess"]);
    assert_eq!(list(&[("Scope", "AWS")]).await.len(), managed::all().count());
    assert_eq!(list(&[]).await.len(), managed::all().count() + 3);
    let page = must(bench, admin, "ListPolicies", &[local, ("MaxItems", "2")]).await;
    let rest = [local, ("Marker", element(&page, "Marker"))];
    let rest = must(bench, admin, "ListPolicies", &rest).await;
    assert_eq!(elements(&rest, "PolicyName").collect::<Vec<_>>(), ["c"]);
}

#[tokio::test]
async fn who_has_a_policy_is_told() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    create(bench, admin, "mine", &allow(&["s3:*"])).await;
    must(bench, admin, "CreateUser", &[("UserName", "u"), ("Path", "/x/")]).await;
    must(bench, admin, "CreateUser", &[("UserName", "bounded")]).await;
    must(bench, admin, "CreateGroup", &[("GroupName", "g")]).await;
    bench.role(admin, "r", &trusting(&[A]), &allow(&["s3:*"])).await;
    for (kind, name) in [("User", "u"), ("Group", "g"), ("Role", "r")] {
        let attach = [(&*format!("{kind}Name"), name), ARN];
        must(bench, admin, &format!("Attach{kind}Policy"), &attach).await;
    }
    let bound = [("UserName", "bounded"), ("PermissionsBoundary", MINE)];
    must(bench, admin, "PutUserPermissionsBoundary", &bound).await;
    let names = |more: &'static [(&'static str, &'static str)]| async move {
        let ask = [&[ARN][..], more].concat();
        let listed = must(bench, admin, "ListEntitiesForPolicy", &ask).await;
        ["GroupName", "UserName", "RoleName"]
            .iter()
            .flat_map(|name| elements(&listed, name).map(ToOwned::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(&[]).await, "g bounded u r");
    assert_eq!(names(&[("PolicyUsageFilter", "PermissionsPolicy")]).await, "g u r");
    assert_eq!(names(&[("PolicyUsageFilter", "PermissionsBoundary")]).await, "bounded");
    assert_eq!(names(&[("EntityFilter", "Role")]).await, "r");
    assert_eq!(names(&[("PathPrefix", "/x/")]).await, "u");
    assert_eq!(names(&[("EntityFilter", "LocalManagedPolicy")]).await, "");
    assert_eq!(names(&[("MaxItems", "2")]).await, "g r");
    let shown = must(bench, admin, "GetPolicy", &[ARN]).await;
    assert_eq!(element(&shown, "AttachmentCount"), "3");
    must(bench, admin, "DetachUserPolicy", &[("UserName", "u"), ARN]).await;
    assert_eq!(names(&[("PolicyUsageFilter", "PermissionsPolicy")]).await, "g r");
}

#[tokio::test]
async fn what_every_deployment_has_is_read_and_never_changed() {
    let bench = Bench::new().await;
    for built_in in managed::all() {
        let arn = ("PolicyArn", built_in.arn.as_str());
        let shown = must(&bench, &bench.a, "GetPolicy", &[arn]).await;
        assert_eq!(element(&shown, "PolicyName"), built_in.name);
        assert!(find(&shown, "Tags").is_none());
        let version = [arn, ("VersionId", element(&shown, "DefaultVersionId"))];
        let shown = must(&bench, &bench.a, "GetPolicyVersion", &version).await;
        assert_eq!(element(&shown, "Document"), percent_encode(built_in.document.text()));
        for (action, more) in [
            ("DeletePolicy", vec![]),
            ("CreatePolicyVersion", vec![("PolicyDocument", built_in.document.text())]),
            ("TagPolicy", vec![("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
        ] {
            let result = bench.call(&bench.a, action, &[&[arn][..], &more].concat()).await;
            refused(result, FaultCode::AccessDenied);
        }
    }
}

#[tokio::test]
async fn a_document_that_is_too_large_or_makes_no_sense_is_refused() {
    let bench = Bench::new().await;
    let large = allow(&["s3:Get"; 800]);
    let create = |document| [("PolicyName", "x"), ("PolicyDocument", document)];
    let result = bench.call(&bench.a, "CreatePolicy", &create(&large)).await;
    let message = refused(result, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for PolicySize: 6144");
    let result = bench.call(&bench.a, "CreatePolicy", &create("{}")).await;
    refused(result, FaultCode::MalformedPolicyDocument);
}
