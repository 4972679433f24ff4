//! What tells of a whole account: authorization details, the credential report, who may use what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::matrix::stage;
use super::{must, refused};
use crate::directory::managed::ADMINISTRATOR_ACCESS;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, elements, find};

#[tokio::test]
async fn authorization_details_tell_everything_page_by_page() {
    let bench = Bench::new().await;
    stage(&bench).await;
    let all = must(&bench, &bench.a, "GetAccountAuthorizationDetails", &[]).await;
    let lists = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
    let names = |answer: &str| {
        let mut names = Vec::new();
        for (list, name) in lists.iter().zip(["UserName", "GroupName", "RoleName", "PolicyName"]) {
            let list = answer.split_once(&format!("<{list}>")).unwrap().1;
            // Lists hold others of their names: the last of these ends them.
            let list = list.split("</GetAccountAuthorizationDetailsResult>").next().unwrap();
            let end = match name {
                "UserName" => "<GroupDetailList>",
                "GroupName" => "<RoleDetailList>",
                "RoleName" => "<Policies>",
                _ => "<IsTruncated>",
            };
            let list = list.split(end).next().unwrap();
            let mut of_list: Vec<_> = elements(list, name).map(ToOwned::to_owned).collect();
            of_list.dedup();
            names.push(of_list);
        }
        names
    };
    assert_eq!(names(&all)[0], ["admin", "bare", "bob"]);
    assert_eq!(names(&all)[1], ["bare", "staff"]);
    assert!(names(&all)[2].contains(&"reader".to_owned()));
    assert_eq!(names(&all)[3], ["bare", "mine", "AdministratorAccess"]);
    assert!(all.contains("<GroupList><member>staff</member></GroupList>"), "{all}");
    assert!(all.contains("<InstanceProfileName>web</InstanceProfileName>"));
    assert!(all.contains("<VersionId>v2</VersionId>"));
    let mut paged: Vec<Vec<String>> = vec![Vec::new(); 4];
    let mut marker = None::<String>;
    loop {
        let mut ask = vec![("MaxItems", "2")];
        ask.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = must(&bench, &bench.a, "GetAccountAuthorizationDetails", &ask).await;
        for (all, page) in paged.iter_mut().zip(names(&page)) {
            all.extend(page);
            all.dedup();
        }
        marker = find(&page, "Marker").map(ToOwned::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(paged[0], names(&all)[0]);
    assert_eq!(paged[3], names(&all)[3]);
    let filter = [("Filter.member.1", "Group"), ("Filter.member.2", "LocalManagedPolicy")];
    let some = must(&bench, &bench.a, "GetAccountAuthorizationDetails", &filter).await;
    assert_eq!(names(&some)[0], [""; 0]);
    assert_eq!(names(&some)[3], ["bare", "mine"]);
    let wrong = [("Filter.member.1", "Person")];
    let result = bench.call(&bench.a, "GetAccountAuthorizationDetails", &wrong).await;
    refused(result, FaultCode::ValidationError);
    let other = must(&bench, &bench.b, "GetAccountAuthorizationDetails", &[]).await;
    assert_eq!(names(&other)[0], ["admin"]);
}

#[tokio::test]
async fn a_credential_report_is_made_and_expires() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let result = bench.call(admin, "GetCredentialReport", &[]).await;
    refused(result, FaultCode::ReportNotPresent);
    let bob = bench.user(admin, "b,ob", &allow(&["sts:*"])).await;
    bench.whoami(&bob).await.unwrap();
    let used = bench.clock_text().replace('Z', "+00:00");
    let made = must(bench, admin, "GenerateCredentialReport", &[]).await;
    assert_eq!(element(&made, "State"), "COMPLETE");
    let read = || async {
        let report = must(bench, admin, "GetCredentialReport", &[]).await;
        assert_eq!(element(&report, "ReportFormat"), "text/csv");
        String::from_utf8(STANDARD.decode(element(&report, "Content")).unwrap()).unwrap()
    };
    let text = read().await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    let columns = lines[0].split(',').count();
    assert_eq!(columns, 22);
    assert_eq!(lines[1].split(',').count(), columns);
    assert!(lines[1].starts_with(&format!("<root_account>,arn:aws:iam::{A}:root,")));
    assert_eq!(lines[2].split(',').count(), columns);
    let expected = format!(
        "\"b,ob\",\"arn:aws:iam::{A}:user/b,ob\",{used},false,N/A,N/A,N/A,false,true,{used},{used},\
         eu-west-1,sts,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
    );
    assert_eq!(lines[3], expected);
    // The other account has none of it, and no report of its own.
    let result = bench.call(&bench.b, "GetCredentialReport", &[]).await;
    refused(result, FaultCode::ReportNotPresent);
    // It is what it was when it was made, until another is.
    must(bench, admin, "CreateUser", &[("UserName", "carol")]).await;
    must(bench, admin, "GenerateCredentialReport", &[]).await;
    assert_eq!(read().await, text);
    bench.advance(4 * 3600);
    let result = bench.call(admin, "GetCredentialReport", &[]).await;
    refused(result, FaultCode::ReportExpired);
    must(bench, admin, "GenerateCredentialReport", &[]).await;
    assert!(read().await.contains("carol"));
}

#[tokio::test]
async fn policies_that_grant_a_service_are_told_with_who_has_them() {
    let bench = Bench::new().await;
    stage(&bench).await;
    let ask = [
        ("Arn", &*format!("arn:aws:iam::{A}:user/bob")),
        ("ServiceNamespaces.member.1", "sts"),
        ("ServiceNamespaces.member.2", "s3"),
        ("ServiceNamespaces.member.3", "iam"),
    ];
    let told = must(&bench, &bench.a, "ListPoliciesGrantingServiceAccess", &ask).await;
    let entries: Vec<&str> = told.split("<ServiceNamespace>").skip(1).collect();
    let names = |at: usize| elements(entries[at], "PolicyName").collect::<Vec<_>>();
    assert_eq!(names(0), ["own", "AdministratorAccess"]);
    assert_eq!(names(1), ["inline", "AdministratorAccess", "inline"]);
    assert_eq!(names(2), ["AdministratorAccess"]);
    let holders: Vec<_> = elements(entries[1], "EntityName").collect();
    assert_eq!(holders, ["bob", "staff"]);
    assert_eq!(element(entries[2], "PolicyArn"), ADMINISTRATOR_ACCESS);
    for (arn, code) in [
        (format!("arn:aws:iam::{A}:user/none"), FaultCode::NoSuchEntity),
        (format!("arn:aws:iam::{A}:policy/mine"), FaultCode::InvalidInput),
        ("arn:aws:iam::222222222222:user/admin".to_owned(), FaultCode::NoSuchEntity),
    ] {
        let ask = [("Arn", arn.as_str()), ask[1]];
        let result = bench.call(&bench.a, "ListPoliciesGrantingServiceAccess", &ask).await;
        refused(result, code);
    }
}

#[tokio::test]
async fn users_with_a_device_are_marked_in_the_credential_report() {
    let bench = Bench::new().await;
    for user in ["alice", "bob"] {
        must(&bench, &bench.a, "CreateUser", &[("UserName", user)]).await;
    }
    bench.mfa_device("phone", Some("alice")).await;
    bench.mfa_device("spare", None).await;
    must(&bench, &bench.a, "GenerateCredentialReport", &[]).await;
    let report = must(&bench, &bench.a, "GetCredentialReport", &[]).await;
    let report = String::from_utf8(STANDARD.decode(element(&report, "Content")).unwrap()).unwrap();
    for (user, active) in [("alice,", "true"), ("bob,", "false"), ("<root_account>,", "false")] {
        let line = report.lines().find(|line| line.starts_with(user)).unwrap();
        assert_eq!(line.split(',').nth(7), Some(active), "{line}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_listed_as_none() {
    let bench = Bench::new().await;
    for action in [
        "ListMFADevices",
        "ListVirtualMFADevices",
        "ListSSHPublicKeys",
        "ListSigningCertificates",
        "ListServerCertificates",
        "ListServiceSpecificCredentials",
    ] {
        let none = must(&bench, &bench.a, action, &[]).await;
        assert_eq!(element(&none, "IsTruncated"), "false");
        assert_eq!(find(&none, "member"), None);
    }
    let missing = bench.call(&bench.a, "ListMFADevices", &[("UserName", "none")]).await;
    refused(missing, FaultCode::NoSuchEntity);
    for action in ["GetLoginProfile", "DeleteLoginProfile"] {
        let result = bench.call(&bench.a, action, &[("UserName", "admin")]).await;
        let message = refused(result, FaultCode::NoSuchEntity);
        assert_eq!(message, "Login Profile for User admin cannot be found.");
    }
}
