//! Who manages it.

use serde_json::{Value, json};

use super::{ROWS, Stage, call, refused, source};
use crate::federation::x509::tests::{Authority, end_entity};
use crate::ops::Effect;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, allow};

/// Every operation with an input that is good, in an order in which all succeed.
async fn calls(stage: &Stage) -> Vec<(&'static str, Value)> {
    use base64::Engine as _;
    let encode = |der: &[u8]| base64::engine::general_purpose::STANDARD.encode(der);
    let anchor = json!({ "trustAnchorId": stage.anchor_id() });
    let profile = json!({ "profileId": stage.profile_id() });
    let list = json!({ "name": "crl", "crlData": encode(&stage.root.list(&[], 60)),
        "trustAnchorArn": stage.anchor["trustAnchorArn"] });
    let crl = stage.manage("ImportCrl", list.clone()).await.unwrap()["crl"]["crlId"].clone();
    let crl = json!({ "crlId": crl });
    stage.show(&stage.party()).await.unwrap();
    let subjects = stage.manage("ListSubjects", json!({})).await.unwrap();
    let subject = json!({ "subjectId": subjects["subjects"][0]["subjectId"] });
    let with = |base: &Value, more: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let arn = json!({ "resourceArn": stage.profile["profileArn"] });
    let rules =
        json!({ "certificateField": "x509Subject", "mappingRules": [{ "specifier": "CN" }] });
    let settings = json!({ "notificationSettings": [
        { "enabled": true, "event": "CA_CERTIFICATE_EXPIRY" } ]});
    let keys = json!({ "notificationSettingKeys": [{ "event": "CA_CERTIFICATE_EXPIRY" }] });
    vec![
        ("CreateTrustAnchor", json!({ "name": "new", "source": source(&stage.root.pem()) })),
        ("GetTrustAnchor", anchor.clone()),
        ("ListTrustAnchors", json!({})),
        ("UpdateTrustAnchor", with(&anchor, json!({ "name": "changed" }))),
        ("DisableTrustAnchor", anchor.clone()),
        ("EnableTrustAnchor", anchor.clone()),
        ("CreateProfile", json!({ "name": "new", "roleArns": [stage.role] })),
        ("GetProfile", profile.clone()),
        ("ListProfiles", json!({})),
        ("UpdateProfile", with(&profile, json!({ "name": "changed" }))),
        ("DisableProfile", profile.clone()),
        ("EnableProfile", profile.clone()),
        ("PutAttributeMapping", with(&profile, rules)),
        ("DeleteAttributeMapping", with(&profile, json!({ "certificateField": "x509SAN" }))),
        ("ImportCrl", list),
        ("GetCrl", crl.clone()),
        ("ListCrls", json!({})),
        ("UpdateCrl", with(&crl, json!({ "name": "changed" }))),
        ("DisableCrl", crl.clone()),
        ("EnableCrl", crl.clone()),
        ("GetSubject", subject),
        ("ListSubjects", json!({})),
        ("PutNotificationSettings", with(&anchor, settings)),
        ("ResetNotificationSettings", with(&anchor, keys)),
        ("TagResource", with(&arn, json!({ "tags": [{ "key": "team", "value": "blue" }] }))),
        ("UntagResource", with(&arn, json!({ "tagKeys": ["team"] }))),
        ("ListTagsForResource", arn),
        ("DeleteCrl", crl),
        ("DeleteProfile", profile),
        ("DeleteTrustAnchor", anchor),
    ]
}

#[tokio::test]
async fn each_operation_needs_its_own_permission() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let calls = calls(&stage).await;
    let mut names: Vec<_> = calls.iter().map(|(name, _)| *name).collect();
    let mut rows: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    names.sort_unstable();
    rows.sort_unstable();
    assert_eq!(names, rows);
    for (name, body) in calls {
        let denied = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "NotAction": format!("rolesanywhere:{name}"), "Resource": "*" },
        ]});
        let caller = bench.user(&bench.a, &format!("not-{name}"), &denied.to_string()).await;
        refused(call(bench, &caller, name, body.clone()).await, FaultCode::AccessDenied);
        // Another account's administrator has no such resource, or makes its own.
        let result = call(bench, &bench.b, name, body.clone()).await;
        if body.to_string().contains("Id\"") || body.get("resourceArn").is_some() {
            refused(result, FaultCode::ResourceNotFound);
        } else {
            assert_eq!(result.is_ok(), !["CreateProfile", "ImportCrl"].contains(&name), "{name}");
        }
        let own = format!("rolesanywhere:{name}");
        let caller = bench.user(&bench.a, &format!("only-{name}"), &allow(&[&own])).await;
        let result = call(bench, &caller, name, body).await;
        if name == "CreateProfile" {
            let fault = refused(result, FaultCode::AccessDenied);
            assert!(fault.message().contains("iam:PassRole"), "{}", fault.message());
        } else if name.ends_with("NotificationSettings") {
            refused(result, FaultCode::ValidationError);
        } else {
            result.unwrap();
        }
    }
    for row in ROWS {
        let reads = row.name.starts_with("Get") || row.name.starts_with("List");
        assert_eq!(row.effect == Effect::Read, reads, "{}", row.name);
    }
}

#[tokio::test]
async fn a_permission_can_be_for_one_resource_and_by_its_tags() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let arn = stage.profile["profileArn"].as_str().unwrap();
    let tag = json!({ "resourceArn": arn, "tags": [{ "key": "Team", "value": "blue" }] });
    stage.manage("TagResource", tag).await.unwrap();
    let of = json!({ "profileId": stage.profile_id() });
    for (resource, condition, good) in [
        (arn, json!({}), true),
        ("arn:aws:rolesanywhere:*:*:profile/*", json!({}), true),
        ("arn:aws:rolesanywhere:*:*:trust-anchor/*", json!({}), false),
        ("*", json!({ "StringEquals": { "aws:ResourceTag/Team": "blue" } }), true),
        ("*", json!({ "StringEquals": { "aws:ResourceTag/Team": "red" } }), false),
    ] {
        let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Action": "rolesanywhere:GetProfile", "Resource": resource, "Condition": condition }]});
        let name = format!("u{}", bench.records().len());
        let caller = bench.user(&bench.a, &name, &policy.to_string()).await;
        let result = call(bench, &caller, "GetProfile", of.clone()).await;
        assert_eq!(result.is_ok(), good, "{resource} {condition}");
    }
    // Tags: with a new resource they need consent, too; keys are compared without case.
    let caller = bench.user(&bench.a, "maker", &allow(&["rolesanywhere:CreateTrustAnchor"])).await;
    let new = json!({ "name": "x", "source": source(&stage.root.pem()),
        "tags": [{ "key": "a", "value": "b" }] });
    refused(call(bench, &caller, "CreateTrustAnchor", new).await, FaultCode::AccessDenied);
    let tag = json!({ "resourceArn": arn, "tags": [{ "key": "TEAM", "value": "red" }] });
    stage.manage("TagResource", tag).await.unwrap();
    let listed = stage.manage("ListTagsForResource", json!({ "resourceArn": arn })).await.unwrap();
    assert_eq!(listed["tags"], json!([{ "key": "TEAM", "value": "red" }]));
    for bad in [
        json!([{ "key": "aws:x", "value": "" }]),
        json!([{ "key": "a", "value": "" }, { "key": "A", "value": "" }]),
        json!([{ "key": "", "value": "" }]),
        json!([{ "key": "a*", "value": "" }]),
    ] {
        let tag = json!({ "resourceArn": arn, "tags": bad });
        assert!(stage.manage("TagResource", tag).await.is_err());
    }
    let many: Vec<_> = (0..200).map(|n| json!({ "key": format!("k{n}"), "value": "" })).collect();
    let tag = json!({ "resourceArn": arn, "tags": many });
    refused(stage.manage("TagResource", tag).await, FaultCode::TooManyTags);
    for (arn, code) in [
        ("nothing".to_owned(), FaultCode::ValidationError),
        (arn.replace(A, B), FaultCode::ResourceNotFound),
        (arn.replace("profile", "crl"), FaultCode::ResourceNotFound),
    ] {
        let list = json!({ "resourceArn": arn });
        refused(stage.manage("ListTagsForResource", list).await, code);
    }
}

#[tokio::test]
async fn what_is_not_good_is_not_kept() {
    let stage = Stage::new().await;
    let root = &stage.root;
    let leaf = root.issue(&end_entity("app")).certificate.pem();
    for bad in [
        json!({ "sourceType": "AWS_ACM_PCA", "sourceData": { "acmPcaArn": "arn:aws:acm-pca:x" } }),
        json!({ "sourceType": "SELF_SIGNED_REPOSITORY" }),
        json!({ "sourceType": "CERTIFICATE_BUNDLE" }),
        json!({}),
        source("nothing"),
        source(&leaf),
        source(&format!("{}{leaf}", root.pem())),
        source(&root.pem().repeat(11)),
    ] {
        let new = json!({ "name": "x", "source": bad });
        refused(stage.manage("CreateTrustAnchor", new.clone()).await, FaultCode::ValidationError);
        let mut update = json!({ "trustAnchorId": stage.anchor_id() });
        update["source"] = bad;
        refused(stage.manage("UpdateTrustAnchor", update).await, FaultCode::ValidationError);
    }
    let notified = json!({ "name": "x", "source": source(&root.pem()), "notificationSettings": [
        { "enabled": true, "event": "CA_CERTIFICATE_EXPIRY" } ]});
    refused(stage.manage("CreateTrustAnchor", notified).await, FaultCode::ValidationError);
    for roles in [
        json!([format!("arn:aws:iam::{B}:role/app")]),
        json!([format!("arn:aws:iam::{A}:role/gone")]),
        json!([format!("arn:aws:iam::{A}:user/admin")]),
        json!(["x"]),
    ] {
        let new = json!({ "name": "x", "roleArns": roles });
        assert!(stage.manage("CreateProfile", new).await.is_err(), "{roles}");
    }
    for name in ["", "a/b", "é", &"a".repeat(256)] {
        let new = json!({ "name": name, "roleArns": [] });
        assert!(stage.manage("CreateProfile", new).await.is_err(), "{name}");
    }
}

/// A new bundle counts at once; lists are paged.
#[tokio::test]
async fn anchors_change_and_lists_have_pages() {
    let stage = Stage::new().await;
    let next = Authority::root("next");
    let party = next.issue(&end_entity("app"));
    refused(stage.show(&party).await, FaultCode::AccessDenied);
    let id = stage.anchor_id();
    let update = json!({ "trustAnchorId": id, "source": source(&next.pem()) });
    stage.manage("UpdateTrustAnchor", update).await.unwrap();
    stage.show(&party).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    for n in 0..4 {
        let new = json!({ "name": format!("n{n}"), "source": source(&next.pem()) });
        stage.manage("CreateTrustAnchor", new).await.unwrap();
    }
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut ask = json!({ "pageSize": 2 });
        if token.is_string() {
            ask["nextToken"] = token;
        }
        let page = stage.manage("ListTrustAnchors", ask).await.unwrap();
        let of = page["trustAnchors"].as_array().unwrap();
        assert!(of.len() <= 2);
        seen.extend(of.iter().map(|it| it["name"].as_str().unwrap().to_owned()));
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, ["corp", "n0", "n1", "n2", "n3"]);
    let bad = json!({ "nextToken": "x" });
    refused(stage.manage("ListTrustAnchors", bad).await, FaultCode::ValidationError);
}
