//! What is large: answers end before they are too large, and white space is not for nothing.

use super::{must, refused};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, Bench, allow, element, elements, find, trusting};

/// A document with as much white space as the model takes.
fn padded(document: &str) -> String {
    let padding = " ".repeat(131_072 - document.len());
    document.replacen('{', &format!("{{{padding}"), 1)
}

/// The sizes of all pages of a listing, and how many of those elements are in them.
async fn pages(bench: &Bench, action: &str, count: &str, more: &[(&str, &str)]) -> (usize, usize) {
    let (mut largest, mut seen, mut marker) = (0, 0, None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "1000")];
        parameters.extend_from_slice(more);
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = must(bench, &bench.a, action, &parameters).await;
        largest = largest.max(answer.len());
        seen += elements(&answer, count).count();
        if element(&answer, "IsTruncated") == "false" {
            return (largest, seen);
        }
        marker = Some(find(&answer, "Marker").unwrap().to_owned());
    }
}

#[tokio::test]
async fn a_page_ends_before_its_policies_are_too_large() {
    const ROLES: usize = 40;
    /// Escaped, a blank takes three bytes.
    const MOST: usize = 6 * 1024 * 1024;
    let bench = Bench::new().await;
    let trust = padded(&trusting(&[A]));
    for n in 0..ROLES {
        let name = format!("role{n}");
        let role = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", &trust)];
        must(&bench, &bench.a, "CreateRole", &role).await;
        let profile = [("InstanceProfileName", name.as_str())];
        must(&bench, &bench.a, "CreateInstanceProfile", &profile).await;
        let both = [("InstanceProfileName", name.as_str()), ("RoleName", "role0")];
        must(&bench, &bench.a, "AddRoleToInstanceProfile", &both).await;
    }
    for (action, count, more) in [
        ("ListRoles", "RoleId", &[][..]),
        ("ListInstanceProfiles", "InstanceProfileId", &[]),
        ("ListInstanceProfilesForRole", "InstanceProfileId", &[("RoleName", "role0")]),
    ] {
        let (largest, seen) = pages(&bench, action, count, more).await;
        assert!(seen == ROLES, "{action}: {seen}");
        assert!(largest < MOST, "{action}: a page of {largest} bytes");
    }
}

#[tokio::test]
async fn details_of_an_account_come_in_pages_that_are_not_too_large() {
    const POLICIES: usize = 20;
    const MOST: usize = 6 * 1024 * 1024;
    let bench = Bench::new().await;
    let document = padded(&allow(&["s3:*"]));
    for n in 0..POLICIES {
        let name = format!("policy{n}");
        let policy = [("PolicyName", name.as_str()), ("PolicyDocument", &document)];
        must(&bench, &bench.a, "CreatePolicy", &policy).await;
        let arn = format!("arn:aws:iam::{A}:policy/{name}");
        for _ in 0..2 {
            let version = [("PolicyArn", arn.as_str()), ("PolicyDocument", &document)];
            must(&bench, &bench.a, "CreatePolicyVersion", &version).await;
        }
    }
    let own = [("Filter.member.1", "LocalManagedPolicy")];
    let (largest, seen) = pages(&bench, "GetAccountAuthorizationDetails", "PolicyId", &own).await;
    assert_eq!(seen, POLICIES);
    assert!(largest < MOST, "a page of {largest} bytes");
}

/// The quota does not count white space: without a limit of its own, one entity could hold a
/// hundred times the model's largest document.
#[tokio::test]
async fn inline_policies_are_together_no_longer_than_one_may_be() {
    let bench = Bench::new().await;
    must(&bench, &bench.a, "CreateGroup", &[("GroupName", "g")]).await;
    let document = padded(&allow(&["s3:*"]));
    let put = |name| [("GroupName", "g"), ("PolicyName", name), ("PolicyDocument", &document)];
    must(&bench, &bench.a, "PutGroupPolicy", &put("one")).await;
    must(&bench, &bench.a, "PutGroupPolicy", &put("one")).await;
    refused(bench.call(&bench.a, "PutGroupPolicy", &put("two")).await, FaultCode::LimitExceeded);
}
