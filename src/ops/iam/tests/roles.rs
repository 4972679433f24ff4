//! Roles and their trust policies.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Bench, allow, element, find, trusting};
use crate::wire::xml::percent_encode;

fn create<'p>(name: &'p str, trust: &'p str) -> [(&'p str, &'p str); 2] {
    [("RoleName", name), ("AssumeRolePolicyDocument", trust)]
}

#[tokio::test]
async fn a_role_is_made_shown_and_deleted() {
    let bench = Bench::new().await;
    let trust = trusting(&[A]);
    let mut parameters = create("Reader", &trust).to_vec();
    parameters.extend([
        ("Path", "/team/"),
        ("Description", "reads"),
        ("MaxSessionDuration", "7200"),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", ""),
    ]);
    let made = must(&bench, &bench.a, "CreateRole", &parameters).await;
    assert_eq!(element(&made, "Arn"), "arn:aws:iam::111111111111:role/team/Reader");
    assert!(element(&made, "RoleId").starts_with("AROA"));
    assert_eq!(element(&made, "AssumeRolePolicyDocument"), percent_encode(&trust));
    let shown = must(&bench, &bench.a, "GetRole", &[("RoleName", "reader")]).await;
    for (name, value) in [("Description", "reads"), ("MaxSessionDuration", "7200"), ("Key", "k")] {
        assert_eq!(element(&shown, name), value);
    }
    must(&bench, &bench.a, "DeleteRole", &[("RoleName", "reader")]).await;
    let gone = bench.call(&bench.a, "GetRole", &[("RoleName", "reader")]).await;
    let message = refused(gone, FaultCode::NoSuchEntity);
    assert_eq!(message, "The role with name reader cannot be found.");
}

#[tokio::test]
async fn what_is_not_said_has_awss_defaults() {
    let bench = Bench::new().await;
    let made = must(&bench, &bench.a, "CreateRole", &create("r", &trusting(&[A]))).await;
    assert_eq!(element(&made, "MaxSessionDuration"), "3600");
    assert_eq!(element(&made, "Path"), "/");
    for absent in ["Description", "Tags", "PermissionsBoundary"] {
        assert_eq!(find(&made, absent), None);
    }
    for wrong in ["3599", "43201", "1h"] {
        let mut parameters = create("s", "{}").to_vec();
        parameters.push(("MaxSessionDuration", wrong));
        let result = bench.call(&bench.a, "CreateRole", &parameters).await;
        refused(result, FaultCode::ValidationError);
    }
}

#[tokio::test]
async fn a_role_goes_only_when_nothing_hangs_on_it_and_takes_its_sessions_along() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let arn = bench.role(admin, "r", &trusting(&[A]), &allow(&["sts:*"])).await;
    let session = bench.assume(admin, &arn, "me").await.unwrap();
    let next = bench.role(admin, "next", &trusting(&[&arn]), &allow(&["s3:*"])).await;
    let chained = bench.assume(&session, &next, "me").await.unwrap();
    let r = ("RoleName", "r");
    let managed = ("PolicyArn", crate::directory::managed::ADMINISTRATOR_ACCESS);
    must(bench, admin, "AttachRolePolicy", &[r, managed]).await;
    let conflict = || async {
        refused(bench.call(admin, "DeleteRole", &[r]).await, FaultCode::DeleteConflict)
    };
    assert_eq!(conflict().await, "Cannot delete entity, must detach all policies first.");
    must(bench, admin, "DetachRolePolicy", &[r, managed]).await;
    assert_eq!(conflict().await, "Cannot delete entity, must delete policies first.");
    must(bench, admin, "DeleteRolePolicy", &[r, ("PolicyName", "own")]).await;
    bench.whoami(&chained).await.unwrap();
    must(bench, admin, "DeleteRole", &[r]).await;
    for dead in [&session, &chained] {
        refused(bench.whoami(dead).await, FaultCode::InvalidClientTokenId);
    }
    // Made again under the name, it is somebody else.
    bench.role(admin, "r", &trusting(&[A]), &allow(&["sts:*"])).await;
    for dead in [&session, &chained] {
        refused(bench.whoami(dead).await, FaultCode::InvalidClientTokenId);
    }
    let again = bench.assume(admin, &arn, "me").await.unwrap();
    refused(bench.assume(&again, &next, "me").await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn trust_is_bound_to_unique_ids() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let bob = bench.user(admin, "bob", &allow(&["sts:*"])).await;
    let bob_arn = format!("arn:aws:iam::{A}:user/bob");
    let role = bench.role(&bench.b, "r", &trusting(&[&bob_arn]), &allow(&["s3:*"])).await;
    bench.assume(&bob, &role, "me").await.unwrap();
    let shown = must(bench, &bench.b, "GetRole", &[("RoleName", "r")]).await;
    assert!(element(&shown, "AssumeRolePolicyDocument").contains(&percent_encode(&bob_arn)));

    let id = must(bench, admin, "GetUser", &[("UserName", "bob")]).await;
    let id = element(&id, "UserId").to_owned();
    let key = [("UserName", "bob"), ("AccessKeyId", bob.access_key_id.as_str())];
    must(bench, admin, "DeleteAccessKey", &key).await;
    must(bench, admin, "DeleteUserPolicy", &[("UserName", "bob"), ("PolicyName", "own")]).await;
    must(bench, admin, "DeleteUser", &[("UserName", "bob")]).await;
    let impostor = bench.user(admin, "bob", &allow(&["sts:*"])).await;
    refused(bench.assume(&impostor, &role, "me").await, FaultCode::AccessDenied);

    // Who is gone is shown by the ID, and cannot be written again.
    let shown = must(bench, &bench.b, "GetRole", &[("RoleName", "r")]).await;
    let document = element(&shown, "AssumeRolePolicyDocument");
    assert_eq!(document, percent_encode(&trusting(&[&id])));
    let trust = trusting(&[&id]);
    let update = [("RoleName", "r"), ("PolicyDocument", trust.as_str())];
    let result = bench.call(&bench.b, "UpdateAssumeRolePolicy", &update).await;
    let message = refused(result, FaultCode::MalformedPolicyDocument);
    assert_eq!(message, format!("Invalid principal in policy: \"AWS\":\"{id}\""));

    let trust = trusting(&[&bob_arn]);
    let update = [("RoleName", "r"), ("PolicyDocument", trust.as_str())];
    must(bench, &bench.b, "UpdateAssumeRolePolicy", &update).await;
    bench.assume(&impostor, &role, "me").await.unwrap();
}

#[tokio::test]
async fn only_what_is_a_principal_is_replaced_in_what_is_shown() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    must(bench, admin, "CreateUser", &[("UserName", "bob")]).await;
    let bob = format!("arn:aws:iam::{A}:user/bob");
    let escaped = bob.replace("user", "\\u0075ser");
    let trust = |principal: &str| {
        format!(
            r#"{{ "Statement" : {{"Effect":"Allow", "Action":"sts:AssumeRole",
            "Principal":{{"AWS":[ "{A}", "{principal}" ],"Service":"ec2.amazonaws.com"}},
            "Condition":{{"StringEquals":{{"aws:PrincipalArn":"{bob}"}}}} }} }}"#
        )
    };
    must(bench, admin, "CreateRole", &create("r", &trust(&escaped))).await;
    let id = must(bench, admin, "GetUser", &[("UserName", "bob")]).await;
    must(bench, admin, "DeleteUser", &[("UserName", "bob")]).await;
    let shown = must(bench, admin, "GetRole", &[("RoleName", "r")]).await;
    let document = element(&shown, "AssumeRolePolicyDocument");
    assert_eq!(document, percent_encode(&trust(element(&id, "UserId"))));
}

#[tokio::test]
async fn a_trust_policy_names_only_what_exists() {
    let bench = Bench::new().await;
    bench.role(&bench.b, "there", &trusting(&[B]), &allow(&["s3:*"])).await;
    must(&bench, &bench.b, "CreateUser", &[("UserName", "carol"), ("Path", "/far/")]).await;
    let good = [
        A.to_owned(),
        format!("arn:aws:iam::{B}:root"),
        format!("arn:aws:iam::{B}:role/there"),
        format!("arn:aws:iam::{B}:user/far/carol"),
        format!("arn:aws:sts::{B}:assumed-role/there/any-session"),
        "*".to_owned(),
    ];
    for (at, principal) in good.iter().enumerate() {
        let trust = trusting(&[principal]);
        must(&bench, &bench.a, "CreateRole", &create(&format!("r{at}"), &trust)).await;
    }
    let bad = [
        "333333333333".to_owned(),
        "arn:aws:iam::333333333333:root".to_owned(),
        format!("arn:aws:iam::{A}:role/none"),
        format!("arn:aws:iam::{A}:user/there"),
        format!("arn:aws:iam::{B}:user/carol"),
        format!("arn:aws:iam::{B}:user/far/Carol"),
        format!("arn:aws:sts::{B}:assumed-role/none/any-session"),
        format!("arn:aws:iam::{A}:role/there"),
        format!("arn:aws:iam::{B}:role/near/there"),
        format!("arn:aws:iam::{B}:role/There"),
        format!("arn:aws:sts::{B}:assumed-role/There/any-session"),
        "AIDAAAAAAAAAAAAAAAAAA".to_owned(),
        "AROAAAAAAAAAAAAAAAAAA".to_owned(),
    ];
    for principal in bad {
        let trust = trusting(&[A, &principal]);
        let result = bench.call(&bench.a, "CreateRole", &create("bad", &trust)).await;
        let message = refused(result, FaultCode::MalformedPolicyDocument);
        assert_eq!(message, format!("Invalid principal in policy: \"AWS\":\"{principal}\""));
    }
    refused(bench.call(&bench.a, "GetRole", &[("RoleName", "bad")]).await, FaultCode::NoSuchEntity);
}

#[tokio::test]
async fn a_session_named_by_a_trust_policy_is_that_of_the_role_there_was() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let first = bench.role(admin, "first", &trusting(&[A]), &allow(&["sts:*"])).await;
    let named = format!("arn:aws:sts::{A}:assumed-role/first/alice");
    let second = bench.role(admin, "second", &trusting(&[&named]), &allow(&["s3:*"])).await;
    let alice = bench.assume(admin, &first, "alice").await.unwrap();
    let mallory = bench.assume(admin, &first, "mallory").await.unwrap();
    bench.assume(&alice, &second, "me").await.unwrap();
    refused(bench.assume(&mallory, &second, "me").await, FaultCode::AccessDenied);

    must(bench, admin, "DeleteRolePolicy", &[("RoleName", "first"), ("PolicyName", "own")]).await;
    must(bench, admin, "DeleteRole", &[("RoleName", "first")]).await;
    bench.role(admin, "first", &trusting(&[A]), &allow(&["sts:*"])).await;
    let alice = bench.assume(admin, &first, "alice").await.unwrap();
    refused(bench.assume(&alice, &second, "me").await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn a_document_that_does_not_parse_is_refused_with_its_place() {
    let bench = Bench::new().await;
    for (document, place) in [
        ("{", "at $"),
        ("[]", "at $"),
        (r#"{"Version":"2012-10-17"}"#, "the element Statement is missing"),
        (&allow(&["sts:AssumeRole"]), "at $.Statement[0]"),
        (&trusting(&["arn:aws:iam::111111111111:user/*"]), "at $.Statement[0].Principal.AWS"),
        (&trusting(&[A]).replace("sts:TagSession", "s3:GetObject"), "only actions of sts"),
    ] {
        let result = bench.call(&bench.a, "CreateRole", &create("r", document)).await;
        let message = refused(result, FaultCode::MalformedPolicyDocument);
        assert!(message.contains(place), "{message}");
    }
}

#[tokio::test]
async fn white_space_does_not_count_in_a_trust_policy_and_the_rest_does() {
    let bench = Bench::new().await;
    let sized = |chars: usize| {
        let bare = trusting(&[A]).replace("\"Version\"", "\"Id\":\"\",\"Version\"");
        let fill = "i".repeat(chars - bare.len());
        bare.replace("\"Id\":\"\"", &format!("\"Id\" : {}\"{fill}\"", " ".repeat(3000)))
    };
    let longest = sized(2048);
    must(&bench, &bench.a, "CreateRole", &create("r", &longest)).await;
    let result = bench.call(&bench.a, "CreateRole", &create("s", &sized(2049))).await;
    let message = refused(result, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for ACLSizePerRole: 2048");
}
