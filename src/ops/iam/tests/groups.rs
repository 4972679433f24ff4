//! Groups, who is in them, and what that gives him.

use super::{must, refused};
use crate::directory::managed::ADMINISTRATOR_ACCESS;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, elements};

fn of<'a>(group: &'a str, user: &'a str) -> [(&'a str, &'a str); 2] {
    [("GroupName", group), ("UserName", user)]
}

#[tokio::test]
async fn a_group_is_made_shown_changed_and_deleted() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let create = [("GroupName", "Staff"), ("Path", "/team/")];
    let made = must(bench, admin, "CreateGroup", &create).await;
    assert_eq!(element(&made, "Arn"), format!("arn:aws:iam::{A}:group/team/Staff"));
    assert!(element(&made, "GroupId").starts_with("AGPA"));
    let again = bench.call(admin, "CreateGroup", &[("GroupName", "STAFF")]).await;
    let message = refused(again, FaultCode::EntityAlreadyExists);
    assert_eq!(message, "Group with name STAFF already exists.");
    must(bench, &bench.b, "CreateGroup", &[("GroupName", "staff")]).await;

    must(bench, admin, "CreateUser", &[("UserName", "zoe")]).await;
    must(bench, admin, "CreateUser", &[("UserName", "Bob")]).await;
    must(bench, admin, "AddUserToGroup", &of("staff", "zoe")).await;
    for _ in 0..2 {
        must(bench, admin, "AddUserToGroup", &of("staff", "bob")).await;
    }
    let update = [("GroupName", "staff"), ("NewGroupName", "crew"), ("NewPath", "/")];
    must(bench, admin, "UpdateGroup", &update).await;
    let shown = must(bench, admin, "GetGroup", &[("GroupName", "crew"), ("MaxItems", "1")]).await;
    assert_eq!(element(&shown, "GroupId"), element(&made, "GroupId"));
    assert_eq!(element(&shown, "UserName"), "Bob");
    let next = [("GroupName", "crew"), ("Marker", element(&shown, "Marker"))];
    let shown = must(bench, admin, "GetGroup", &next).await;
    assert_eq!(element(&shown, "UserName"), "zoe");
    let groups = must(bench, admin, "ListGroupsForUser", &[("UserName", "zoe")]).await;
    assert_eq!(element(&groups, "Arn"), format!("arn:aws:iam::{A}:group/crew"));

    let conflict = |action: &'static str, name: (&'static str, &'static str)| async move {
        refused(bench.call(admin, action, &[name]).await, FaultCode::DeleteConflict)
    };
    let first = "Cannot delete entity, must remove users from group first.";
    assert_eq!(conflict("DeleteGroup", ("GroupName", "crew")).await, first);
    assert_eq!(conflict("DeleteUser", ("UserName", "zoe")).await, first);
    must(bench, admin, "RemoveUserFromGroup", &of("crew", "zoe")).await;
    must(bench, admin, "DeleteUser", &[("UserName", "zoe")]).await;
    must(bench, admin, "RemoveUserFromGroup", &of("crew", "bob")).await;
    let gone = bench.call(admin, "RemoveUserFromGroup", &of("crew", "bob")).await;
    refused(gone, FaultCode::NoSuchEntity);
    let attach = [("GroupName", "crew"), ("PolicyArn", ADMINISTRATOR_ACCESS)];
    must(bench, admin, "AttachGroupPolicy", &attach).await;
    let first = conflict("DeleteGroup", ("GroupName", "crew")).await;
    assert_eq!(first, "Cannot delete entity, must detach all policies first.");
    must(bench, admin, "DetachGroupPolicy", &attach).await;
    must(bench, admin, "DeleteGroup", &[("GroupName", "crew")]).await;
    let result = bench.call(admin, "GetGroup", &[("GroupName", "crew")]).await;
    let message = refused(result, FaultCode::NoSuchEntity);
    assert_eq!(message, "The group with name crew cannot be found.");
}

#[tokio::test]
async fn members_may_what_their_groups_may_for_as_long_as_they_are_in_them() {
    let bench = Bench::new().await;
    let (bench, admin) = (&bench, &bench.a);
    let bob = bench.user(admin, "bob", &allow(&["sts:GetCallerIdentity"])).await;
    must(bench, admin, "CreateGroup", &[("GroupName", "staff")]).await;
    let document = allow(&["iam:ListUsers"]);
    let put = [("GroupName", "staff"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    must(bench, admin, "PutGroupPolicy", &put).await;
    let denied =
        || async { refused(bench.call(&bob, "ListUsers", &[]).await, FaultCode::AccessDenied) };
    denied().await;
    must(bench, admin, "AddUserToGroup", &of("staff", "bob")).await;
    must(bench, &bob, "ListUsers", &[]).await;
    // Renaming either changes nothing.
    let rename = [("GroupName", "staff"), ("NewGroupName", "crew")];
    must(bench, admin, "UpdateGroup", &rename).await;
    must(bench, admin, "UpdateUser", &[("UserName", "bob"), ("NewUserName", "rob")]).await;
    must(bench, &bob, "ListUsers", &[]).await;
    // A deny counts as much as an allow, and so does what is attached.
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}}"#;
    let put = [("GroupName", "crew"), ("PolicyName", "deny"), ("PolicyDocument", deny)];
    must(bench, admin, "PutGroupPolicy", &put).await;
    let attach = [("GroupName", "crew"), ("PolicyArn", ADMINISTRATOR_ACCESS)];
    must(bench, admin, "AttachGroupPolicy", &attach).await;
    denied().await;
    must(bench, &bob, "ListRoles", &[]).await;
    let delete = [("GroupName", "crew"), ("PolicyName", "deny")];
    must(bench, admin, "DeleteGroupPolicy", &delete).await;
    must(bench, &bob, "ListUsers", &[]).await;
    // A boundary bounds what comes from groups too.
    let bound =
        [("UserName", "rob"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/AWSDenyAll")];
    must(bench, admin, "PutUserPermissionsBoundary", &bound).await;
    denied().await;
    must(bench, admin, "DeleteUserPermissionsBoundary", &bound[..1]).await;
    must(bench, &bob, "ListUsers", &[]).await;
    must(bench, admin, "RemoveUserFromGroup", &of("crew", "rob")).await;
    denied().await;
    // A group made again under the name has no members.
    must(bench, admin, "CreateGroup", &[("GroupName", "staff")]).await;
    let shown = must(bench, admin, "GetGroup", &[("GroupName", "staff")]).await;
    assert_eq!(elements(&shown, "UserName").count(), 0);
}

#[tokio::test]
async fn a_user_is_in_ten_groups_at_most() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateUser", &[("UserName", "bob")]).await;
    for n in 0..11 {
        let name = format!("g{n}");
        must(&bench, &bench.a, "CreateGroup", &[("GroupName", &name)]).await;
        let result = bench.call(&bench.a, "AddUserToGroup", &of(&name, "bob")).await;
        if n == 10 {
            let message = refused(result, FaultCode::LimitExceeded);
            assert_eq!(message, "Cannot exceed quota for GroupsPerUser: 10");
        } else {
            result.unwrap();
        }
    }
}
