//! What belongs to an account: alias, password policy, summary; instance profiles; last uses.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, elements, find, trusting};

#[tokio::test]
async fn an_alias_is_one_and_unique() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let alias = |name| [("AccountAlias", name)];
    let listed = || async {
        let listed = must(bench, admin, "ListAccountAliases", &[]).await;
        elements(&listed, "member").map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [""; 0]);
    must(bench, admin, "CreateAccountAlias", &alias("one")).await;
    must(bench, admin, "CreateAccountAlias", &alias("one")).await;
    let result = bench.call(&bench.b, "CreateAccountAlias", &alias("one")).await;
    let message = refused(result, FaultCode::EntityAlreadyExists);
    assert_eq!(message, "The account alias one already exists.");
    must(bench, admin, "CreateAccountAlias", &alias("two")).await;
    assert_eq!(listed().await, ["two"]);
    must(bench, &bench.b, "CreateAccountAlias", &alias("one")).await;
    let result = bench.call(admin, "DeleteAccountAlias", &alias("one")).await;
    refused(result, FaultCode::NoSuchEntity);
    must(bench, admin, "DeleteAccountAlias", &alias("two")).await;
    assert_eq!(listed().await, [""; 0]);
}

#[tokio::test]
async fn a_password_policy_is_replaced_as_a_whole() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let none = || async {
        for action in ["GetAccountPasswordPolicy", "DeleteAccountPasswordPolicy"] {
            let message = refused(bench.call(admin, action, &[]).await, FaultCode::NoSuchEntity);
            let text = format!("The Password Policy with domain name {A} cannot be found.");
            assert_eq!(message, text);
        }
    };
    none().await;
    let update = [("RequireSymbols", "true"), ("MaxPasswordAge", "90"), ("HardExpiry", "false")];
    must(bench, admin, "UpdateAccountPasswordPolicy", &update).await;
    let shown = must(bench, admin, "GetAccountPasswordPolicy", &[]).await;
    for (name, value) in [
        ("MinimumPasswordLength", "6"),
        ("RequireSymbols", "true"),
        ("RequireNumbers", "false"),
        ("ExpirePasswords", "true"),
        ("MaxPasswordAge", "90"),
        ("HardExpiry", "false"),
    ] {
        assert_eq!(element(&shown, name), value, "{name}");
    }
    let update = [("MinimumPasswordLength", "12")];
    must(bench, admin, "UpdateAccountPasswordPolicy", &update).await;
    let shown = must(bench, admin, "GetAccountPasswordPolicy", &[]).await;
    assert_eq!(element(&shown, "MinimumPasswordLength"), "12");
    assert_eq!(element(&shown, "RequireSymbols"), "false");
    assert_eq!(element(&shown, "ExpirePasswords"), "false");
    assert_eq!(find(&shown, "MaxPasswordAge"), None);
    must(bench, admin, "DeleteAccountPasswordPolicy", &[]).await;
    none().await;
}

#[tokio::test]
async fn a_summary_counts() {
    let mut bench = Bench::new().await;
    bench.services.quotas.users_per_account = 7;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "bob")]).await;
    must(&bench, &bench.a, "CreateGroup", &[("GroupName", "g")]).await;
    let summary = must(&bench, &bench.a, "GetAccountSummary", &[]).await;
    for (name, value) in [("Users", 2), ("Groups", 1), ("Roles", 0), ("UsersQuota", 7)] {
        let entry = format!("<entry><key>{name}</key><value>{value}</value></entry>");
        assert!(summary.contains(&entry), "{entry}: {summary}");
    }
    for n in 0..5 {
        must(&bench, &bench.a, "CreateUser", &[("UserName", &format!("u{n}"))]).await;
    }
    let more = bench.call(&bench.a, "CreateUser", &[("UserName", "more")]).await;
    let message = refused(more, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for UsersPerAccount: 7");
}

#[tokio::test]
async fn an_instance_profile_holds_one_role() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    for name in ["one", "two"] {
        bench.role(admin, name, &trusting(&[A]), &allow(&["s3:*"])).await;
    }
    let create = [
        ("InstanceProfileName", "Web"),
        ("Path", "/x/"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let made = must(bench, admin, "CreateInstanceProfile", &create).await;
    assert_eq!(element(&made, "Arn"), format!("arn:aws:iam::{A}:instance-profile/x/Web"));
    assert!(element(&made, "InstanceProfileId").starts_with("AIPA"));
    let with = |role| [("InstanceProfileName", "web"), ("RoleName", role)];
    must(bench, admin, "AddRoleToInstanceProfile", &with("one")).await;
    let second = bench.call(admin, "AddRoleToInstanceProfile", &with("two")).await;
    let message = refused(second, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    let shown = must(bench, admin, "GetInstanceProfile", &[("InstanceProfileName", "web")]).await;
    assert_eq!((element(&shown, "RoleName"), element(&shown, "Key")), ("one", "k"));
    let of = must(bench, admin, "ListInstanceProfilesForRole", &[("RoleName", "one")]).await;
    assert_eq!(element(&of, "InstanceProfileName"), "Web");
    let of = must(bench, admin, "ListInstanceProfilesForRole", &[("RoleName", "two")]).await;
    assert_eq!(find(&of, "InstanceProfileName"), None);
    let first = "Cannot delete entity, must remove roles from instance profile first.";
    for (action, parameters) in [
        ("DeleteInstanceProfile", [("InstanceProfileName", "web")]),
        ("DeleteRole", [("RoleName", "one")]),
    ] {
        let result = bench.call(admin, action, &parameters).await;
        assert_eq!(refused(result, FaultCode::DeleteConflict), first);
    }
    let wrong = bench.call(admin, "RemoveRoleFromInstanceProfile", &with("two")).await;
    refused(wrong, FaultCode::NoSuchEntity);
    must(bench, admin, "RemoveRoleFromInstanceProfile", &with("one")).await;
    must(bench, admin, "DeleteInstanceProfile", &[("InstanceProfileName", "web")]).await;
}

#[tokio::test]
async fn whoever_adds_a_role_to_a_profile_must_be_allowed_to_pass_it() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    bench.role(admin, "one", &trusting(&[A]), &allow(&["s3:*"])).await;
    must(bench, admin, "CreateInstanceProfile", &[("InstanceProfileName", "web")]).await;
    let add = [("InstanceProfileName", "web"), ("RoleName", "one")];
    for (service, role, allowed) in [
        ("lambda.amazonaws.com", "one", false),
        ("ec2.amazonaws.com", "two", false),
        ("ec2.amazonaws.com", "one", true),
    ] {
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*" },
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": format!("arn:aws:iam::{A}:role/{role}"),
                "Condition": { "StringEquals": { "iam:PassedToService": service } },
            },
        ]});
        let name = format!("caller-{}-{role}", service.len());
        let caller = bench.user(admin, &name, &policy.to_string()).await;
        let result = bench.call(&caller, "AddRoleToInstanceProfile", &add).await;
        if allowed {
            result.unwrap();
        } else {
            let message = refused(result, FaultCode::AccessDenied);
            assert!(message.contains("iam:PassRole on resource: role one "), "{message}");
        }
    }
}

#[tokio::test]
async fn the_last_use_of_keys_and_roles_is_told_and_kept() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let bob = bench.user(admin, "bob", &allow(&["sts:*"])).await;
    let key = [("AccessKeyId", bob.access_key_id.as_str())];
    let shown = must(bench, admin, "GetAccessKeyLastUsed", &key).await;
    assert_eq!(element(&shown, "UserName"), "bob");
    assert_eq!(element(&shown, "ServiceName"), "N/A");
    assert_eq!(find(&shown, "LastUsedDate"), None);
    let role = bench.role(admin, "r", &trusting(&[A]), &allow(&["s3:*"])).await;
    let shown = must(bench, admin, "GetRole", &[("RoleName", "r")]).await;
    assert_eq!(element(&shown, "RoleLastUsed"), "");
    bench.advance(100);
    let session = bench.assume(&bob, &role, "me").await.unwrap();
    let used = bench.clock_text();
    bench.advance(50);
    bench.whoami(&session).await.unwrap();
    let shown = must(bench, admin, "GetAccessKeyLastUsed", &key).await;
    assert_eq!(element(&shown, "LastUsedDate"), used);
    assert_eq!(element(&shown, "ServiceName"), "sts");
    assert_eq!(element(&shown, "Region"), "eu-west-1");
    let shown = must(bench, admin, "GetRole", &[("RoleName", "r")]).await;
    assert_eq!(element(&shown, "LastUsedDate"), bench.clock_text());
    // It is no change of the directory.
    let version = bench.services.directory.snapshot().version();
    bench.services.directory.keep_uses().await.unwrap();
    assert_eq!(bench.services.directory.snapshot().version(), version);
    // Somebody else's key, and nobody's.
    for key in [bench.b.access_key_id.as_str(), "AKIAQAAAAAAAAAAAAAAA"] {
        let result = bench.call(admin, "GetAccessKeyLastUsed", &[("AccessKeyId", key)]).await;
        refused(result, FaultCode::NoSuchEntity);
    }
}
