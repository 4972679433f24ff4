//! Users and their keys.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{Bench, Credentials, allow, element, elements, find, trusting};

#[tokio::test]
async fn a_user_is_made_shown_and_deleted() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let create = [
        ("UserName", "Bob"),
        ("Path", "/team/"),
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red + blue"),
    ];
    let made = must(bench, admin, "CreateUser", &create).await;
    assert!(made.starts_with("<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateUserResult><User>"), "{made}");
    assert_eq!(element(&made, "Arn"), "arn:aws:iam::111111111111:user/team/Bob");
    assert_eq!(element(&made, "CreateDate"), "2026-09-21T14:13:20Z");
    assert!(element(&made, "UserId").starts_with("AIDA"));
    let shown = must(bench, admin, "GetUser", &[("UserName", "bOB")]).await;
    for name in ["Path", "UserName", "UserId", "Arn", "CreateDate", "Key", "Value"] {
        assert_eq!(element(&shown, name), element(&made, name), "{name}");
    }
    let deleted = must(bench, admin, "DeleteUser", &[("UserName", "bob")]).await;
    assert!(!deleted.contains("Result"), "{deleted}");
    let message = refused(
        bench.call(admin, "GetUser", &[("UserName", "bob")]).await,
        FaultCode::NoSuchEntity,
    );
    assert_eq!(message, "The user with name bob cannot be found.");
}

#[tokio::test]
async fn names_are_unique_without_regard_to_case() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "bob")]).await;
    let again = bench.call(&bench.a, "CreateUser", &[("UserName", "BOB")]).await;
    assert_eq!(
        refused(again, FaultCode::EntityAlreadyExists),
        "User with name BOB already exists."
    );
    must(&bench, &bench.b, "CreateUser", &[("UserName", "BOB")]).await;
}

#[tokio::test]
async fn without_a_name_it_is_the_caller() {
    let bench = Bench::new().await;
    let shown = must(&bench, &bench.a, "GetUser", &[]).await;
    assert_eq!(element(&shown, "UserName"), "admin");
    let key = must(&bench, &bench.a, "CreateAccessKey", &[]).await;
    assert_eq!(element(&key, "UserName"), "admin");
    let listed = must(&bench, &bench.a, "ListAccessKeys", &[]).await;
    assert_eq!(elements(&listed, "member").count(), 2);

    let role = bench.role(&bench.a, "any", &trusting(&["111111111111"]), &allow(&["*"])).await;
    let session = bench.assume(&bench.a, &role, "me").await.unwrap();
    for action in ["GetUser", "CreateAccessKey", "ListAccessKeys"] {
        let message = refused(bench.call(&session, action, &[]).await, FaultCode::ValidationError);
        assert_eq!(message, "Must specify userName when calling with non-User credentials");
    }
}

/// As with AWS; but what would change a root user is the host's operator's.
#[tokio::test]
async fn without_a_name_the_root_user_reads_about_itself_and_changes_nothing() {
    let bench = Bench::new().await;
    let root = bench.key("arn:aws:iam::111111111111:root").await.unwrap();
    let shown = must(&bench, &root, "GetUser", &[]).await;
    assert_eq!(element(&shown, "Arn"), "arn:aws:iam::111111111111:root");
    assert_eq!(element(&shown, "UserId"), "111111111111");
    assert_eq!(element(&shown, "CreateDate"), bench.clock_text());
    assert_eq!((find(&shown, "UserName"), find(&shown, "Path")), (None, None));
    let listed = must(&bench, &root, "ListAccessKeys", &[]).await;
    assert_eq!(elements(&listed, "AccessKeyId").collect::<Vec<_>>(), [&root.access_key_id]);
    assert_eq!((element(&listed, "Status"), find(&listed, "UserName")), ("Active", None));
    let listed = must(&bench, &root, "ListMFADevices", &[]).await;
    assert_eq!(find(&listed, "SerialNumber"), None);
    // By name it reads about users.
    let shown = must(&bench, &root, "GetUser", &[("UserName", "admin")]).await;
    assert_eq!(element(&shown, "UserName"), "admin");
    let key = ("AccessKeyId", root.access_key_id.as_str());
    let phone = bench.mfa_device("phone", None).await;
    for (action, parameters) in [
        ("CreateAccessKey", &[][..]),
        ("UpdateAccessKey", &[key, ("Status", "Inactive")]),
        ("DeleteAccessKey", &[key]),
        ("DeactivateMFADevice", &[("SerialNumber", phone.as_str())]),
    ] {
        let version = bench.services.directory.snapshot().version();
        let message = refused(bench.call(&root, action, parameters).await, FaultCode::AccessDenied);
        assert!(message.starts_with(&format!("{action} does nothing to a root user")), "{message}");
        assert_eq!(bench.services.directory.snapshot().version(), version, "{action}");
    }
}

#[tokio::test]
async fn a_user_goes_only_when_nothing_hangs_on_it() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let key = bench.user(admin, "bob", &allow(&["s3:*"])).await;
    let arn = crate::directory::managed::ADMINISTRATOR_ACCESS;
    let bob = ("UserName", "bob");
    must(bench, admin, "AttachUserPolicy", &[bob, ("PolicyArn", arn)]).await;
    let conflict = || async {
        refused(bench.call(admin, "DeleteUser", &[bob]).await, FaultCode::DeleteConflict)
    };
    assert_eq!(conflict().await, "Cannot delete entity, must delete access keys first.");
    must(bench, admin, "DeleteAccessKey", &[bob, ("AccessKeyId", &key.access_key_id)]).await;
    assert_eq!(conflict().await, "Cannot delete entity, must detach all policies first.");
    must(bench, admin, "DetachUserPolicy", &[bob, ("PolicyArn", arn)]).await;
    assert_eq!(conflict().await, "Cannot delete entity, must delete policies first.");
    must(bench, admin, "DeleteUserPolicy", &[bob, ("PolicyName", "own")]).await;
    must(bench, admin, "DeleteUser", &[bob]).await;
}

#[tokio::test]
async fn tags_need_a_permission_of_their_own() {
    let bench = Bench::new().await;
    let tagged = |name: &'static str| {
        [("UserName", name), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]
    };
    let maker = bench.user(&bench.a, "maker", &allow(&["iam:CreateUser"])).await;
    let message =
        refused(bench.call(&maker, "CreateUser", &tagged("x")).await, FaultCode::AccessDenied);
    assert!(message.contains("iam:TagUser on resource: arn:aws:iam::111111111111:user/x "));
    must(&bench, &maker, "CreateUser", &[("UserName", "x")]).await;
    let both = bench.user(&bench.a, "both", &allow(&["iam:CreateUser", "iam:TagUser"])).await;
    must(&bench, &both, "CreateUser", &tagged("y")).await;
}

#[tokio::test]
async fn conditions_see_the_tags_that_are_asked_for_and_those_that_are_there() {
    let bench = Bench::new().await;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow",
            "Action": ["iam:CreateUser", "iam:TagUser"],
            "Resource": "arn:aws:iam::111111111111:user/red/*",
            "Condition": {
                "StringEquals": { "aws:RequestTag/team": "red" },
                "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
            },
        },
        {
            "Effect": "Allow",
            "Action": ["iam:DeleteUser", "iam:GetUser"],
            "Resource": "*",
            "Condition": { "StringEquals": { "iam:ResourceTag/Team": "red" } },
        },
    ]});
    let red = bench.user(&bench.a, "red-admin", &policy.to_string()).await;
    let create = |name, path, value| {
        [
            ("UserName", name),
            ("Path", path),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", value),
        ]
    };
    must(&bench, &red, "CreateUser", &create("one", "/red/", "red")).await;
    for wrong in [create("two", "/", "red"), create("two", "/red/", "blue")] {
        refused(bench.call(&red, "CreateUser", &wrong).await, FaultCode::AccessDenied);
    }
    let mut two_tags = create("two", "/red/", "red").to_vec();
    two_tags.extend([("Tags.member.2.Key", "x"), ("Tags.member.2.Value", "")]);
    refused(bench.call(&red, "CreateUser", &two_tags).await, FaultCode::AccessDenied);
    must(&bench, &bench.a, "CreateUser", &create("blue", "/", "blue")).await;
    refused(bench.call(&red, "DeleteUser", &[("UserName", "blue")]).await, FaultCode::AccessDenied);
    refused(bench.call(&red, "DeleteUser", &[("UserName", "none")]).await, FaultCode::AccessDenied);
    must(&bench, &red, "DeleteUser", &[("UserName", "one")]).await;
}

#[tokio::test]
async fn a_boundary_is_a_condition_and_must_exist() {
    let bench = Bench::new().await;
    let admin_access = crate::directory::managed::ADMINISTRATOR_ACCESS;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["iam:CreateUser", "iam:PutUserPolicy", "iam:GetUser"],
        "Resource": "*",
        "Condition": { "StringEquals": { "iam:PermissionsBoundary": admin_access } },
    }, { "Effect": "Allow", "Action": "iam:GetUser", "Resource": "*" }]});
    let maker = bench.user(&bench.a, "maker", &policy.to_string()).await;
    refused(bench.call(&maker, "CreateUser", &[("UserName", "x")]).await, FaultCode::AccessDenied);
    let bounded = [("UserName", "x"), ("PermissionsBoundary", admin_access)];
    let made = must(&bench, &maker, "CreateUser", &bounded).await;
    assert_eq!(element(&made, "PermissionsBoundaryArn"), admin_access);
    let document = allow(&["s3:*"]);
    let put =
        |name| [("UserName", name), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    must(&bench, &maker, "PutUserPolicy", &put("x")).await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "free")]).await;
    refused(bench.call(&maker, "PutUserPolicy", &put("free")).await, FaultCode::AccessDenied);

    let missing = "arn:aws:iam::111111111111:policy/none";
    let unknown = [("UserName", "y"), ("PermissionsBoundary", missing)];
    let message =
        refused(bench.call(&bench.a, "CreateUser", &unknown).await, FaultCode::NoSuchEntity);
    assert_eq!(message, format!("Scope ARN: {missing} does not exist or is not attachable."));
}

#[tokio::test]
async fn a_key_signs_until_it_is_inactive_or_deleted() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let bob = bench.user(admin, "bob", &allow(&["sts:AssumeRole"])).await;
    let role = bench.role(admin, "any", &trusting(&["111111111111"]), &allow(&["s3:*"])).await;
    let before = bench.assume(&bob, &role, "before").await.unwrap();
    let chained = {
        let own = bench.role(admin, "next", &trusting(&[&role]), &allow(&["s3:*"])).await;
        bench.assume(&before, &own, "chained").await.unwrap()
    };
    let update = |status| {
        [("UserName", "bob"), ("AccessKeyId", bob.access_key_id.as_str()), ("Status", status)]
    };
    must(bench, admin, "UpdateAccessKey", &update("Inactive")).await;
    for dead in [&bob, &before, &chained] {
        refused(bench.whoami(dead).await, FaultCode::InvalidClientTokenId);
    }
    let listed = must(bench, admin, "ListAccessKeys", &[("UserName", "bob")]).await;
    assert_eq!(element(&listed, "Status"), "Inactive");
    assert!(find(&listed, "SecretAccessKey").is_none());

    must(bench, admin, "UpdateAccessKey", &update("Active")).await;
    assert_eq!(bench.whoami(&bob).await.unwrap(), "arn:aws:iam::111111111111:user/bob");
    // What came from it before stays refused; what comes from it now is good.
    for dead in [&before, &chained] {
        refused(bench.whoami(dead).await, FaultCode::InvalidClientTokenId);
    }
    let after = bench.assume(&bob, &role, "after").await.unwrap();
    bench.whoami(&after).await.unwrap();

    let delete = [("UserName", "bob"), ("AccessKeyId", bob.access_key_id.as_str())];
    must(bench, admin, "DeleteAccessKey", &delete).await;
    for dead in [&bob, &after] {
        refused(bench.whoami(dead).await, FaultCode::InvalidClientTokenId);
    }
    let message =
        refused(bench.call(admin, "DeleteAccessKey", &delete).await, FaultCode::NoSuchEntity);
    let expected = format!("The Access Key with id {} cannot be found.", bob.access_key_id);
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_user_has_two_keys_at_most_and_only_its_own() {
    let bench = Bench::new().await;
    bench.user(&bench.a, "bob", &allow(&["s3:*"])).await;
    let bob = [("UserName", "bob")];
    must(&bench, &bench.a, "CreateAccessKey", &bob).await;
    let third = bench.call(&bench.a, "CreateAccessKey", &bob).await;
    let message = refused(third, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for AccessKeysPerUser: 2");
    // Somebody else's key, by its ID, under bob's name.
    for (key, action) in [(&bench.a, "DeleteAccessKey"), (&bench.b, "DeleteAccessKey")] {
        let other = [("UserName", "bob"), ("AccessKeyId", key.access_key_id.as_str())];
        refused(bench.call(&bench.a, action, &other).await, FaultCode::NoSuchEntity);
        bench.whoami(key).await.unwrap();
    }
}

#[tokio::test]
async fn a_secret_is_told_once_and_never_recorded() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "bob")]).await;
    let answer = must(&bench, &bench.a, "CreateAccessKey", &[("UserName", "bob")]).await;
    let key = Credentials::of_answer(&answer);
    let records = serde_json::to_string(&bench.records()).unwrap();
    assert!(records.contains(&key.access_key_id));
    assert!(!records.contains(key.secret.expose()));
    bench.whoami(&key).await.unwrap();
}

#[tokio::test]
async fn nothing_is_changed_that_the_audit_log_does_not_take() {
    let bench = Bench::new().await;
    let version = bench.services.directory.snapshot().version();
    bench.sink.fail(true);
    let result = bench.call(&bench.a, "CreateUser", &[("UserName", "bob")]).await;
    refused(result, FaultCode::ServiceUnavailable);
    assert_eq!(bench.services.directory.snapshot().version(), version);
}

#[tokio::test]
async fn a_caller_revoked_after_it_signed_changes_nothing() {
    let bench = Bench::new().await;
    let bob = bench.user(&bench.a, "bob", &allow(&["iam:*"])).await;
    let create = [("UserName", "new")];
    let caller = bench.verify(&bob, "CreateUser", &create).await.unwrap();
    let key =
        [("UserName", "bob"), ("AccessKeyId", bob.access_key_id.as_str()), ("Status", "Inactive")];
    must(&bench, &bench.a, "UpdateAccessKey", &key).await;
    let result = bench.call_as(&caller, "CreateUser", &create).await;
    refused(result, FaultCode::InvalidClientTokenId);
    let missing = bench.call(&bench.a, "GetUser", &create).await;
    refused(missing, FaultCode::NoSuchEntity);
}

#[tokio::test]
async fn malformed_values_are_told_in_awss_words() {
    let bench = Bench::new().await;
    for (action, parameters) in [
        ("CreateUser", &[][..]),
        ("CreateUser", &[("UserName", "a b")]),
        ("CreateUser", &[("UserName", &"n".repeat(65))]),
        ("CreateUser", &[("UserName", "bob"), ("Path", "no-slash")]),
        ("UpdateAccessKey", &[("AccessKeyId", &bench.a.access_key_id), ("Status", "Expired")]),
        ("UpdateAccessKey", &[("AccessKeyId", &bench.a.access_key_id)]),
        ("ListAccessKeys", &[("MaxItems", "0")]),
        ("ListAccessKeys", &[("MaxItems", "1001")]),
    ] {
        let result = bench.call(&bench.a, action, parameters).await;
        let message = refused(result, FaultCode::ValidationError);
        assert!(message.starts_with("1 validation error detected: Value"), "{message}");
    }
    let twice = [
        ("UserName", "bob"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "A"),
        ("Tags.member.2.Value", "2"),
    ];
    refused(bench.call(&bench.a, "CreateUser", &twice).await, FaultCode::InvalidInput);
    bench.whoami(&bench.a).await.unwrap();
}
