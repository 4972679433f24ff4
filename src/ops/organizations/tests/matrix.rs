//! Every operation of Organizations: denied without its action, allowed with exactly its own, and
//! only to the management account unless AWS lets every member call it.

use serde_json::{Value, json};

use super::{Stage, call, refused, text, user};
use crate::ops::Effect;
use crate::ops::fault::FaultCode;
use crate::ops::organizations::ROWS;
use crate::ops::testing::{A, B};

/// The operations that any member may call: for itself.
pub(super) const MEMBERS: [&str; 8] = [
    "AcceptHandshake",
    "CancelHandshake",
    "DeclineHandshake",
    "DescribeHandshake",
    "DescribeOrganization",
    "LeaveOrganization",
    "ListHandshakesForAccount",
    "DescribeEffectivePolicy",
];

/// What the calls work on.
pub(super) struct Things {
    root: String,
    unit: String,
    empty: String,
    attached: String,
    free: String,
    creation: String,
    /// An account outside the organization, and an invitation of another such account.
    outside: String,
    invitation: String,
}

impl Things {
    pub(super) async fn new(stage: &Stage) -> Self {
        let unit = stage.unit(&stage.root, "unit").await;
        let empty = stage.unit(&stage.root, "empty").await;
        let content = super::deny(&["s3:DeleteBucket"]);
        let kind = "SERVICE_CONTROL_POLICY";
        let attached = stage.policy(kind, "attached", &content, &unit).await;
        let free = json!({ "Type": kind, "Name": "free", "Description": "", "Content": content });
        let free = stage.must("CreatePolicy", free).await;
        let made = json!({ "AccountName": "c", "Email": "c@c.example" });
        let made = stage.must("CreateAccount", made).await;
        let mut outside = Vec::new();
        for name in ["out", "away"] {
            let made = json!({ "AccountName": name, "Email": format!("{name}@o.example") });
            let made = stage.must("CreateAccount", made).await;
            let id = text(&made, "/CreateAccountStatus/AccountId").to_owned();
            stage.must("RemoveAccountFromOrganization", json!({ "AccountId": id })).await;
            outside.push(id);
        }
        let invited = json!({ "Target": { "Id": outside[1], "Type": "ACCOUNT" } });
        let invited = stage.must("InviteAccountToOrganization", invited).await;
        let service = json!({ "ServicePrincipal": "mail.example.com" });
        stage.must("EnableAWSServiceAccess", service).await;
        Self {
            outside: outside[0].clone(),
            invitation: text(&invited, "/Handshake/Id").to_owned(),
            root: stage.root.clone(),
            unit,
            empty,
            attached,
            free: text(&free, "/Policy/PolicySummary/Id").to_owned(),
            creation: text(&made, "/CreateAccountStatus/Id").to_owned(),
        }
    }

    /// Members that make a call succeed, or fail with what is told beside them.
    pub(super) fn body(&self, name: &str) -> (Value, Option<FaultCode>) {
        let Self { root, unit, empty, attached, free, creation, outside, invitation } = self;
        let kind = "SERVICE_CONTROL_POLICY";
        let body = match name {
            "CreateOrganization" => {
                return (json!({}), Some(FaultCode::AlreadyInOrganization));
            }
            "DeleteOrganization" => return (json!({}), Some(FaultCode::OrganizationNotEmpty)),
            "LeaveOrganization" => {
                return (json!({}), Some(FaultCode::MasterCannotLeaveOrganization));
            }
            "DescribeResourcePolicy" => {
                return (json!({}), Some(FaultCode::ResourcePolicyNotFound));
            }
            "AcceptHandshake" | "DeclineHandshake" => {
                return (json!({ "HandshakeId": invitation }), Some(FaultCode::HandshakeNotFound));
            }
            "EnableAllFeatures" => {
                return (json!({}), Some(FaultCode::HandshakeConstraintViolation));
            }
            "DescribeHandshake" | "CancelHandshake" => json!({ "HandshakeId": invitation }),
            "InviteAccountToOrganization" => {
                json!({ "Target": { "Id": outside, "Type": "ACCOUNT" } })
            }
            "EnableAWSServiceAccess" | "DisableAWSServiceAccess" => {
                json!({ "ServicePrincipal": "orders.example.com" })
            }
            "RegisterDelegatedAdministrator" | "DeregisterDelegatedAdministrator" => {
                json!({ "AccountId": B, "ServicePrincipal": "mail.example.com" })
            }
            "ListDelegatedServicesForAccount" => json!({ "AccountId": B }),
            "DescribeEffectivePolicy" => {
                let of = json!({ "PolicyType": "TAG_POLICY" });
                return (of, Some(FaultCode::EffectivePolicyNotFound));
            }
            "DescribeOrganization"
            | "ListRoots"
            | "ListAccounts"
            | "ListCreateAccountStatus"
            | "ListAWSServiceAccessForOrganization"
            | "ListDelegatedAdministrators"
            | "ListHandshakesForAccount"
            | "ListHandshakesForOrganization" => json!({}),
            "CreateAccount" => json!({ "AccountName": "d", "Email": "d@d.example" }),
            "DescribeCreateAccountStatus" => json!({ "CreateAccountRequestId": creation }),
            "DescribeAccount" | "CloseAccount" | "RemoveAccountFromOrganization" => {
                json!({ "AccountId": B })
            }
            "MoveAccount" => json!({
                "AccountId": B, "SourceParentId": root, "DestinationParentId": unit,
            }),
            "ListAccountsForParent" | "ListOrganizationalUnitsForParent" => {
                json!({ "ParentId": root })
            }
            "ListChildren" => json!({ "ParentId": root, "ChildType": "ACCOUNT" }),
            "ListParents" => json!({ "ChildId": unit }),
            "CreateOrganizationalUnit" => json!({ "ParentId": unit, "Name": "new" }),
            "DescribeOrganizationalUnit" => json!({ "OrganizationalUnitId": unit }),
            "UpdateOrganizationalUnit" => {
                json!({ "OrganizationalUnitId": unit, "Name": "renamed" })
            }
            "DeleteOrganizationalUnit" => json!({ "OrganizationalUnitId": empty }),
            "CreatePolicy" => json!({
                "Type": kind, "Name": "new", "Description": "", "Content": super::deny(&["s3:*"]),
            }),
            "DescribePolicy" | "ListTargetsForPolicy" => json!({ "PolicyId": attached }),
            "UpdatePolicy" => json!({ "PolicyId": free, "Description": "new" }),
            "DeletePolicy" => json!({ "PolicyId": free }),
            "ListPolicies" => json!({ "Filter": kind }),
            "AttachPolicy" => json!({ "PolicyId": free, "TargetId": unit }),
            "DetachPolicy" => json!({ "PolicyId": attached, "TargetId": unit }),
            "ListPoliciesForTarget" => json!({ "TargetId": unit, "Filter": kind }),
            "EnablePolicyType" => {
                let on = json!({ "RootId": root, "PolicyType": kind });
                return (on, Some(FaultCode::PolicyTypeAlreadyEnabled));
            }
            "DisablePolicyType" => json!({ "RootId": root, "PolicyType": kind }),
            "TagResource" => {
                json!({ "ResourceId": unit, "Tags": [{ "Key": "k", "Value": "v" }] })
            }
            "UntagResource" => json!({ "ResourceId": unit, "TagKeys": ["k"] }),
            "ListTagsForResource" => json!({ "ResourceId": unit }),
            other => panic!("{other} has no row in the matrix of permissions: add one"),
        };
        (body, None)
    }
}

#[tokio::test]
async fn without_permission_every_operation_is_denied_and_changes_nothing() {
    let stage = Stage::new().await;
    let things = Things::new(&stage).await;
    let bench = &stage.bench;
    for row in ROWS {
        let others = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "NotAction": format!("organizations:{}", row.name), "Resource": "*",
        }]});
        let name = format!("not-{}", row.name);
        let caller = bench.user(&bench.a, &name, &others.to_string()).await;
        let version = bench.services.directory.snapshot().version();
        let fault = call(bench, &caller, row.name, things.body(row.name).0).await.unwrap_err();
        assert_eq!(fault.code(), FaultCode::AccessDenied, "{}: {fault:?}", row.name);
        let sentence = format!(
            "User: arn:aws:iam::{A}:user/{name} is not authorized to perform: organizations:{} on \
             resource: ",
            row.name
        );
        assert!(fault.message().starts_with(&sentence), "{}", fault.message());
        assert_eq!(bench.services.directory.snapshot().version(), version, "{}", row.name);
    }
}

#[tokio::test]
async fn with_exactly_its_own_action_every_operation_is_allowed() {
    let stage = Stage::new().await;
    let things = Things::new(&stage).await;
    // Those that take away what others need come last.
    let (last, rows): (Vec<_>, Vec<_>) = ROWS.iter().partition(|row| {
        let name = row.name;
        name.starts_with("De") && row.effect == Effect::Write
            || name.starts_with("Disable")
            || name.starts_with("Close")
            || name.starts_with("Remove")
    });
    for row in rows.into_iter().chain(last) {
        let action = format!("organizations:{}", row.name);
        let caller =
            user(&stage.bench, &stage.bench.a, &format!("u-{}", row.name), &[&action]).await;
        let (mut body, code) = things.body(row.name);
        if row.name == "RemoveAccountFromOrganization" {
            let made = json!({ "AccountName": "e", "Email": "e@e.example" });
            let made = stage.must("CreateAccount", made).await;
            body = json!({ "AccountId": text(&made, "/CreateAccountStatus/AccountId") });
        }
        if row.name == "DeletePolicy" {
            // One that no other call attaches.
            let unused = things.body("CreatePolicy").0;
            let unused = json!({
                "Name": "unused", "Type": unused["Type"], "Description": "",
                "Content": unused["Content"],
            });
            let unused = stage.must("CreatePolicy", unused).await;
            body = json!({ "PolicyId": text(&unused, "/Policy/PolicySummary/Id") });
        }
        match (call(&stage.bench, &caller, row.name, body).await, code) {
            (Ok(_), None) => {}
            (Err(fault), Some(code)) => assert_eq!(fault.code(), code, "{}", row.name),
            (result, code) => panic!("{}: {result:?}, not {code:?}", row.name),
        }
    }
}

#[tokio::test]
async fn a_member_may_call_only_what_aws_lets_it_call() {
    let stage = Stage::new().await;
    let things = Things::new(&stage).await;
    let b = &stage.bench.b;
    for row in ROWS.iter().filter(|row| !MEMBERS.contains(&row.name)) {
        let body = things.body(row.name).0;
        let code = match row.name {
            "CreateOrganization" => FaultCode::AlreadyInOrganization,
            _ => FaultCode::AccessDenied,
        };
        let version = stage.bench.services.directory.snapshot().version();
        refused(&stage.bench, b, row.name, body, code).await;
        assert_eq!(stage.bench.services.directory.snapshot().version(), version, "{}", row.name);
    }
    for name in MEMBERS {
        let result = call(&stage.bench, b, name, things.body(name).0).await;
        let denied = result.is_err_and(|fault| fault.code() == FaultCode::AccessDenied);
        assert!(!denied, "{name}");
    }
}

#[tokio::test]
async fn permission_for_one_thing_is_none_for_another() {
    let stage = Stage::new().await;
    let things = Things::new(&stage).await;
    let organization = stage.must("DescribeOrganization", json!({})).await;
    let id = text(&organization, "/Organization/Id");
    let arn = |rest: &str| format!("arn:aws:organizations::{A}:{rest}");
    let one_unit = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "organizations:*",
          "Resource": arn(&format!("ou/{id}/{}", things.unit)) },
        { "Effect": "Allow", "Action": "organizations:*Policy",
          "Resource": arn(&format!("policy/{id}/service_control_policy/{}", things.free)),
          "Condition": { "StringEquals": {
              "organizations:PolicyType": "SERVICE_CONTROL_POLICY" } } },
    ]});
    let caller = stage.bench.user(&stage.bench.a, "narrow", &one_unit.to_string()).await;
    let denied = FaultCode::AccessDenied;
    let of = |unit: &str| json!({ "OrganizationalUnitId": unit });
    super::must(&stage.bench, &caller, "DescribeOrganizationalUnit", of(&things.unit)).await;
    refused(&stage.bench, &caller, "DescribeOrganizationalUnit", of(&things.empty), denied).await;
    // Both ends of an attachment, and both ends and the account of a move, have to be allowed.
    let pair = |policy: &str, target: &str| json!({ "PolicyId": policy, "TargetId": target });
    refused(&stage.bench, &caller, "AttachPolicy", pair(&things.free, B), denied).await;
    refused(&stage.bench, &caller, "DetachPolicy", pair(&things.attached, &things.unit), denied)
        .await;
    super::must(&stage.bench, &caller, "AttachPolicy", pair(&things.free, &things.unit)).await;
    let (body, _) = things.body("MoveAccount");
    refused(&stage.bench, &caller, "MoveAccount", body, denied).await;
    let tags = json!({ "ResourceId": things.empty });
    refused(&stage.bench, &caller, "ListTagsForResource", tags, denied).await;
}

#[tokio::test]
async fn a_denied_caller_cannot_tell_what_is_there_from_what_is_not() {
    let stage = Stage::new().await;
    let things = Things::new(&stage).await;
    let nobody = user(&stage.bench, &stage.bench.a, "nobody", &["s3:*"]).await;
    for (name, there, gone) in [
        ("DescribeAccount", json!({ "AccountId": B }), json!({ "AccountId": "999999999999" })),
        (
            "DescribeOrganizationalUnit",
            json!({ "OrganizationalUnitId": things.unit }),
            json!({ "OrganizationalUnitId": "ou-abcd-12345678" }),
        ),
        ("DescribePolicy", json!({ "PolicyId": things.free }), json!({ "PolicyId": "p-abcd1234" })),
    ] {
        let mut told = Vec::new();
        for body in [there, gone] {
            let id =
                body.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
            let fault = call(&stage.bench, &nobody, name, body).await.unwrap_err();
            told.push(fault.message().replace(&id, "ID"));
        }
        assert_eq!(told[0], told[1]);
    }
}

#[test]
fn names_are_unique_and_effects_are_what_they_say() {
    for (at, row) in ROWS.iter().enumerate() {
        assert!(ROWS[at + 1..].iter().all(|other| other.name != row.name), "{}", row.name);
        let reads = row.name.starts_with("List") || row.name.starts_with("Describe");
        assert_eq!(row.effect == Effect::Read, reads, "{}", row.name);
    }
}
