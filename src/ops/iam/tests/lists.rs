//! Listings and their pages.

use super::{must, refused};
use crate::directory::managed::ADMINISTRATOR_ACCESS;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, elements, find, trusting};
use crate::wire::xml::percent_encode;

/// Every page of a listing, joined.
async fn pages(bench: &Bench, action: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let mut pages = Vec::new();
    let mut marker = None::<String>;
    loop {
        let mut parameters = parameters.to_vec();
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = must(bench, &bench.a, action, &parameters).await;
        marker = find(&page, "Marker").map(ToOwned::to_owned);
        assert_eq!(element(&page, "IsTruncated"), marker.is_some().to_string());
        pages.push(page);
        if marker.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn users_are_listed_by_name_page_by_page() {
    let bench = Bench::new().await;
    for (name, path) in [("Zoe", "/x/"), ("bob", "/"), ("Carol", "/x/y/"), ("alice", "/xx/")] {
        must(&bench, &bench.a, "CreateUser", &[("UserName", name), ("Path", path)]).await;
    }
    for size in ["1", "2", "3", "4", "5", "100"] {
        let pages = pages(&bench, "ListUsers", &[("MaxItems", size)]).await;
        assert_eq!(pages.len(), 5_usize.div_ceil(size.parse().unwrap()));
        let names: Vec<&str> = pages.iter().flat_map(|page| elements(page, "UserName")).collect();
        assert_eq!(names, ["admin", "alice", "bob", "Carol", "Zoe"]);
    }
    let below = [("PathPrefix", "/x/"), ("MaxItems", "1")];
    let pages = pages(&bench, "ListUsers", &below).await;
    let names: Vec<&str> = pages.iter().flat_map(|page| elements(page, "UserName")).collect();
    assert_eq!(names, ["Carol", "Zoe"]);
    // The other account has its own.
    let others = must(&bench, &bench.b, "ListUsers", &[]).await;
    assert_eq!(elements(&others, "UserName").collect::<Vec<_>>(), ["admin"]);
}

#[tokio::test]
async fn a_page_goes_on_where_it_ended_though_entries_come_and_go() {
    let bench = Bench::new().await;
    for name in ["b", "d", "f"] {
        must(&bench, &bench.a, "CreateUser", &[("UserName", name)]).await;
    }
    let first = must(&bench, &bench.a, "ListUsers", &[("MaxItems", "3")]).await;
    assert_eq!(elements(&first, "UserName").last(), Some("d"));
    must(&bench, &bench.a, "DeleteUser", &[("UserName", "d")]).await;
    for name in ["c", "e"] {
        must(&bench, &bench.a, "CreateUser", &[("UserName", name)]).await;
    }
    let marker = [("Marker", element(&first, "Marker"))];
    let rest = must(&bench, &bench.a, "ListUsers", &marker).await;
    assert_eq!(elements(&rest, "UserName").collect::<Vec<_>>(), ["e", "f"]);
}

#[tokio::test]
async fn a_marker_is_good_for_its_own_listing_only() {
    let bench = Bench::new().await;
    for name in ["bob", "carol"] {
        must(&bench, &bench.a, "CreateUser", &[("UserName", name)]).await;
        for policy in ["one", "two"] {
            let document = allow(&["s3:*"]);
            let put = [("UserName", name), ("PolicyName", policy), ("PolicyDocument", &document)];
            must(&bench, &bench.a, "PutUserPolicy", &put).await;
        }
    }
    let one = ("MaxItems", "1");
    let users = must(&bench, &bench.a, "ListUsers", &[one]).await;
    let of_bob = must(&bench, &bench.a, "ListUserPolicies", &[("UserName", "bob"), one]).await;
    let users = element(&users, "Marker");
    let of_bob = element(&of_bob, "Marker");
    for (caller, action, name, marker) in [
        (&bench.a, "ListRoles", None, users),
        (&bench.b, "ListUsers", None, users),
        (&bench.a, "ListUsers", None, of_bob),
        (&bench.a, "ListUsers", None, "admin"),
        (&bench.a, "ListUserPolicies", Some("carol"), of_bob),
        (&bench.a, "ListUserTags", Some("bob"), of_bob),
    ] {
        let mut parameters = vec![("Marker", marker)];
        parameters.extend(name.map(|name| ("UserName", name)));
        let result = bench.call(caller, action, &parameters).await;
        assert_eq!(refused(result, FaultCode::ValidationError), "Invalid Marker.");
    }
}

#[tokio::test]
async fn policies_of_both_sorts_are_listed() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "x")]).await;
    let trust = trusting(&[A]);
    let role = [("RoleName", "x"), ("AssumeRolePolicyDocument", trust.as_str())];
    must(&bench, &bench.a, "CreateRole", &role).await;
    for (kind, name) in [("User", "UserName"), ("Role", "RoleName")] {
        for policy in ["b", "a", "c"] {
            let document = allow(&["s3:*"]);
            let put = [(name, "x"), ("PolicyName", policy), ("PolicyDocument", &document)];
            must(&bench, &bench.a, &format!("Put{kind}Policy"), &put).await;
        }
        let own = [(name, "x"), ("MaxItems", "2")];
        let pages = pages(&bench, &format!("List{kind}Policies"), &own).await;
        let names: Vec<&str> = pages.iter().flat_map(|page| elements(page, "member")).collect();
        assert_eq!(names, ["a", "b", "c"]);

        let attach = [(name, "x"), ("PolicyArn", ADMINISTRATOR_ACCESS)];
        must(&bench, &bench.a, &format!("Attach{kind}Policy"), &attach).await;
        let action = format!("ListAttached{kind}Policies");
        let attached = must(&bench, &bench.a, &action, &[(name, "x")]).await;
        assert_eq!(element(&attached, "PolicyName"), "AdministratorAccess");
        assert_eq!(element(&attached, "PolicyArn"), ADMINISTRATOR_ACCESS);
        let below = [(name, "x"), ("PathPrefix", "/team/")];
        let none = must(&bench, &bench.a, &action, &below).await;
        assert!(none.contains("<AttachedPolicies></AttachedPolicies>"), "{none}");
    }
}

#[tokio::test]
async fn lists_tell_less_of_an_entity_than_it_has() {
    let bench = Bench::new().await;
    let trust = trusting(&[A]);
    let more = [
        ("PermissionsBoundary", ADMINISTRATOR_ACCESS),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let role = [("RoleName", "x"), ("AssumeRolePolicyDocument", trust.as_str())];
    must(&bench, &bench.a, "CreateRole", &[&role[..], &more].concat()).await;
    must(&bench, &bench.a, "CreateUser", &[&[("UserName", "x")][..], &more].concat()).await;
    let roles = must(&bench, &bench.a, "ListRoles", &[]).await;
    assert_eq!(element(&roles, "AssumeRolePolicyDocument"), percent_encode(&trust));
    let users = must(&bench, &bench.a, "ListUsers", &[]).await;
    for list in [roles, users] {
        assert!(!list.contains("<Tags>") && !list.contains("PermissionsBoundary"), "{list}");
    }
}

#[tokio::test]
async fn a_listing_can_be_allowed_below_a_path() {
    let bench = Bench::new().await;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Action": "iam:ListUsers",
        "Resource": format!("arn:aws:iam::{A}:user/team/*"),
    }});
    let caller = bench.user(&bench.a, "caller", &policy.to_string()).await;
    must(&bench, &caller, "ListUsers", &[("PathPrefix", "/team/")]).await;
    let result = bench.call(&caller, "ListUsers", &[]).await;
    let message = refused(result, FaultCode::AccessDenied);
    assert!(message.contains(&format!("on resource: arn:aws:iam::{A}:user/ because")));
}
