//! What a certificate gets.

use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, SanType};
use serde_json::json;

use super::wire::Wire;
use super::{OWNER, Stage, call, credentials, refused, trusting};
use crate::api::RevocationTarget;
use crate::authn::Caller;
use crate::federation::x509::tests::{Authority, end_entity};
use crate::ops::fault::FaultCode;
use crate::ops::testing::{A, B, Credentials, allow};

#[tokio::test]
async fn a_certificate_gets_a_session_of_the_role() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let before = bench.records().len();
    let answer = stage.show(&stage.party()).await.unwrap();
    let session = credentials(&answer);
    let arn = format!("arn:aws:sts::{A}:assumed-role/app/123456");
    assert_eq!(bench.whoami(&session).await.unwrap(), arn);
    let set = &answer["credentialSet"][0];
    assert_eq!(set["assumedRoleUser"]["arn"], arn);
    assert_eq!((&set["roleArn"], &set["sourceIdentity"]), (&json!(stage.role), &json!("CN=app")));
    let opened = bench.verify(&session, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(signed) = &opened else { panic!("not signed") };
    let claims = signed.identity().session().unwrap().claims();
    let tags: Vec<_> =
        claims.tags.iter().map(|it| (it.key.as_str(), it.value.as_str(), it.transitive)).collect();
    assert_eq!(tags, [("x509Issuer/CN", "root", false), ("x509Subject/CN", "app", false)]);
    assert_eq!(claims.source_identity.as_deref(), Some("CN=app"));
    // Two records, the caller's names in both and a secret in none.
    let records = bench.records().split_off(before);
    assert!(records.len() >= 2);
    for record in &records[..2] {
        assert_eq!(record["eventName"], "CreateSession");
        assert_eq!(record["eventSource"], "rolesanywhere.amazonaws.com");
        assert_eq!(record["userIdentity"]["userName"], "CN=app");
        let text = record.to_string();
        let secret = set["credentials"]["secretAccessKey"].as_str().unwrap();
        let token = set["credentials"]["sessionToken"].as_str().unwrap();
        assert!(!text.contains(secret) && !text.contains(token));
    }
    // An hour, if nobody says otherwise.
    bench.advance(3599);
    assert!(bench.whoami(&session).await.is_ok());
    bench.advance(1);
    assert!(bench.whoami(&session).await.is_err());
}

#[tokio::test]
async fn every_kind_of_key_and_a_chain_are_taken() {
    let stage = Stage::new().await;
    let rsa = include_str!("../../../federation/oidc/tests/rsa-2048.pem");
    let rsa = stage.root.issue_to(&end_entity("app"), KeyPair::from_pem(rsa).unwrap());
    let mut wire = Wire::new(stage.bench.now(), &rsa, &stage.body());
    refused(wire.send(&stage.bench).await, FaultCode::SignatureDoesNotMatch);
    wire.algorithm = "AWS4-X509-RSA-SHA256".to_owned();
    wire.send(&stage.bench).await.unwrap();
    // rcgen signs by P-384 with SHA-384, which the protocol does not: only the certificate is tried.
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let p384 = stage.root.issue_to(&end_entity("app"), p384);
    refused(stage.show(&p384).await, FaultCode::SignatureDoesNotMatch);

    let between = stage.root.below("between");
    let party = between.issue(&end_entity("app"));
    refused(stage.show(&party).await, FaultCode::AccessDenied);
    let wire = || Wire::new(stage.bench.now(), &party, &stage.body());
    wire().chain(&[between.der()]).send(&stage.bench).await.unwrap();
    let sibling = stage.root.below("sibling");
    let result = wire().chain(&[sibling.der()]).send(&stage.bench).await;
    refused(result, FaultCode::AccessDenied);
}

#[tokio::test]
async fn trust_policies_see_the_certificate_and_the_anchor() {
    let key = |name: &str| format!("aws:PrincipalTag/{name}");
    for (condition, good) in [
        (json!({ "StringEquals": { key("x509Subject/CN"): "app" } }), true),
        (json!({ "StringEquals": { key("x509Subject/CN"): "other" } }), false),
        (json!({ "StringEquals": { key("x509Subject/OU"): "app" } }), false),
        (json!({ "StringEquals": { key("x509Issuer/CN"): "root" } }), true),
        (json!({ "StringEquals": { "aws:RequestTag/x509Subject/CN": "app" } }), true),
        (json!({ "StringEquals": { "sts:SourceIdentity": "CN=app" } }), true),
        (json!({ "StringEquals": { "sts:SourceIdentity": "app" } }), false),
        (json!({ "StringEquals": { "sts:RoleSessionName": "123456" } }), true),
        (json!({ "StringEquals": { "aws:SourceAccount": A } }), true),
        (json!({ "StringEquals": { "aws:SourceAccount": B } }), false),
        (
            json!({ "ArnLike": { "aws:SourceArn":
                format!("arn:aws:rolesanywhere:*:{OWNER}:trust-anchor/*") } }),
            true,
        ),
        (json!({ "ArnLike": { "aws:SourceArn": "arn:aws:rolesanywhere:*:*:profile/*" } }), false),
    ] {
        let stage = Stage::trusting(&trusting(&condition)).await;
        let result = stage.show(&stage.party()).await;
        if good {
            result.unwrap();
        } else {
            refused(result, FaultCode::AccessDenied);
        }
    }
    // Each consent is needed, and to this service.
    let plain = trusting(&json!({}));
    for trust in [
        plain.replace("\"sts:AssumeRole\",", ""),
        plain.replace("\"sts:TagSession\",", ""),
        plain.replace(",\"sts:SetSourceIdentity\"", ""),
        plain.replace("rolesanywhere", "ec2"),
        crate::ops::testing::trusting(&[A]),
    ] {
        assert_ne!(trust, plain);
        let stage = Stage::trusting(&trust).await;
        refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    }
}

/// The preset of `deploy/examples/trust`: an X509-SVID, which has a URI and no common name.
#[tokio::test]
async fn a_spiffe_id_is_its_certificate_s_uri() {
    let preset = include_str!("../../../../deploy/examples/trust/spiffe-x509.json");
    let stage = Stage::trusting(preset).await;
    for (uri, good) in [
        ("spiffe://example.org/ns/shop/sa/orders", true),
        ("spiffe://example.org/ns/shop/sa/orders2", false),
        ("spiffe://example.org/ns/shop/sa", false),
        ("spiffe://evil.example/ns/shop/sa/orders", false),
    ] {
        let mut params = end_entity("");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "SPIRE");
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        let result = stage.show(&stage.root.issue(&params)).await;
        assert_eq!(result.is_ok(), good, "{uri}");
        if let Ok(answer) = result {
            assert!(answer["credentialSet"][0]["sourceIdentity"].is_null());
        }
    }
}

#[tokio::test]
async fn the_profile_binds_sessions() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let list = |session: Credentials| async move { bench.call(&session, "ListUsers", &[]).await };
    list(stage.session().await).await.unwrap();
    // Policies: what they do not allow, the session may not.
    stage.update_profile(json!({ "sessionPolicy": allow(&["s3:*"]) })).await;
    refused(list(stage.session().await).await, FaultCode::AccessDenied);
    stage.update_profile(json!({ "sessionPolicy": allow(&["iam:ListUsers"]) })).await;
    list(stage.session().await).await.unwrap();
    let own = [("PolicyName", "bound"), ("PolicyDocument", &*allow(&["s3:*"]))];
    bench.call(&bench.a, "CreatePolicy", &own).await.unwrap();
    let arn = format!("arn:aws:iam::{A}:policy/bound");
    let bench_policy = json!({ "sessionPolicy": allow(&["s3:*"]), "managedPolicyArns": [arn] });
    stage.update_profile(bench_policy).await;
    refused(list(stage.session().await).await, FaultCode::AccessDenied);
    // One that is gone since: no session at all.
    bench.call(&bench.a, "DeletePolicy", &[("PolicyArn", &arn)]).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    for bad in [
        json!({ "sessionPolicy": "{}" }),
        json!({ "sessionPolicy": format!("{}{}", " ".repeat(2048), allow(&["s3:*"])) }),
        json!({ "managedPolicyArns": ["arn:aws:iam::aws:policy/None"] }),
        json!({ "managedPolicyArns": vec!["arn:aws:iam::aws:policy/ReadOnlyAccess"; 11] }),
        json!({ "requireInstanceProperties": true }),
    ] {
        let mut update = bad.clone();
        update["profileId"] = stage.profile["profileId"].clone();
        assert!(stage.manage("UpdateProfile", update).await.is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_session_lasts_as_long_as_the_shortest() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let lasts = |asked: Option<i64>, certificate: i64| {
        let mut body = stage.body();
        if let Some(asked) = asked {
            body["durationSeconds"] = asked.into();
        }
        let mut params = end_entity("app");
        let now = bench.now() - crate::federation::x509::tests::NOW;
        params.not_after = crate::federation::x509::tests::at!(now + certificate);
        let party = stage.root.issue(&params);
        let stage = &stage;
        async move {
            let answer = stage.ask(&party, body).await.unwrap();
            let session = credentials(&answer);
            let caller = stage.bench.verify(&session, "GetCallerIdentity", &[]).await.unwrap();
            let Caller::Signed(signed) = &caller else { panic!("not signed") };
            let claims = signed.identity().session().unwrap().claims();
            claims.expires_at.secs_since(claims.issued_at)
        }
    };
    assert_eq!(lasts(None, 50_000).await, 3600);
    assert_eq!(lasts(Some(900), 50_000).await, 900);
    assert_eq!(lasts(Some(43_200), 50_000).await, 3600);
    // The role allows an hour, whatever the profile says.
    stage.update_profile(json!({ "durationSeconds": 43_200 })).await;
    assert_eq!(lasts(None, 50_000).await, 3600);
    let update = [("RoleName", "app"), ("MaxSessionDuration", "7200")];
    bench.call(&bench.a, "UpdateRole", &update).await.unwrap();
    assert_eq!(lasts(None, 50_000).await, 7200);
    assert_eq!(lasts(None, 1200).await, 1200);
    stage.update_profile(json!({ "durationSeconds": 900 })).await;
    assert_eq!(lasts(Some(1200), 50_000).await, 900);
    for bad in [json!(899), json!(43_201), json!("900"), json!(-1)] {
        let mut body = stage.body();
        body["durationSeconds"] = bad;
        assert!(stage.ask(&stage.party(), body).await.is_err());
    }
}

#[tokio::test]
async fn the_session_s_name_is_the_profile_s_to_give_away() {
    let stage = Stage::new().await;
    let mut body = stage.body();
    body["roleSessionName"] = "job-7".into();
    refused(stage.ask(&stage.party(), body.clone()).await, FaultCode::AccessDenied);
    stage.update_profile(json!({ "acceptRoleSessionName": true })).await;
    let answer = stage.ask(&stage.party(), body.clone()).await.unwrap();
    let arn = answer["credentialSet"][0]["assumedRoleUser"]["arn"].as_str().unwrap();
    assert!(arn.ends_with(":assumed-role/app/job-7"), "{arn}");
    for bad in ["a", "a b", "a/b", &"a".repeat(65)] {
        body["roleSessionName"] = bad.into();
        refused(stage.ask(&stage.party(), body.clone()).await, FaultCode::ValidationError);
    }
}

#[tokio::test]
async fn names_that_no_tag_can_have_refuse_until_they_are_left_out() {
    let stage = Stage::new().await;
    let mut params = end_entity("app");
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "Shop, Inc.");
    let party = stage.root.issue(&params);
    let fault = refused(stage.show(&party).await, FaultCode::ValidationError);
    assert!(fault.message().contains("x509Subject/O"), "{}", fault.message());
    let put = json!({ "profileId": stage.profile_id(), "certificateField": "x509Subject",
        "mappingRules": [{ "specifier": "CN" }] });
    stage.manage("PutAttributeMapping", put).await.unwrap();
    stage.show(&party).await.unwrap();
    // Two common names are none.
    let mut params = end_entity("app");
    params.distinguished_name.push(rcgen::DnType::CustomDnType(vec![2, 5, 4, 3]), "admin");
    refused(stage.show(&stage.root.issue(&params)).await, FaultCode::ValidationError);
}

#[tokio::test]
async fn what_a_session_depends_on_ends_it() {
    // Disabled, and enabled again: those from before are over.
    let stage = Stage::new().await;
    let (bench, id) = (&stage.bench, json!({ "trustAnchorId": stage.anchor_id() }));
    let session = stage.session().await;
    let chained = bench.assume(&session, &stage.role, "again").await;
    assert!(chained.is_err(), "the role trusts no session");
    stage.manage("DisableTrustAnchor", id.clone()).await.unwrap();
    assert!(bench.whoami(&session).await.is_err());
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    stage.manage("EnableTrustAnchor", id.clone()).await.unwrap();
    assert!(bench.whoami(&session).await.is_err());
    let session = stage.session().await;
    // Revoked by the operator, by the anchor's ARN.
    let arn = stage.anchor["trustAnchorArn"].as_str().unwrap().to_owned();
    bench.revoke(&bench.a, RevocationTarget::Provider(arn)).await.unwrap();
    assert!(bench.whoami(&session).await.is_err());
    let session = stage.session().await;
    // The profile: no new ones.
    let profile = json!({ "profileId": stage.profile_id() });
    stage.manage("DisableProfile", profile.clone()).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    assert!(bench.whoami(&session).await.is_ok());
    stage.manage("EnableProfile", profile).await.unwrap();
    stage.session().await;
    // Deleted.
    stage.manage("DeleteTrustAnchor", id).await.unwrap();
    assert!(bench.whoami(&session).await.is_err());
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn revocation_lists_count_while_they_are_enabled() {
    let stage = Stage::new().await;
    let encode = |der: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(der)
    };
    let anchor = &stage.anchor["trustAnchorArn"];
    let list =
        |der: &[u8]| json!({ "name": "crl", "crlData": encode(der), "trustAnchorArn": anchor });
    let foreign = Authority::root("root").list(&[&[0x12, 0x34, 0x56]], 3600);
    refused(stage.manage("ImportCrl", list(&foreign)).await, FaultCode::ValidationError);
    refused(stage.manage("ImportCrl", list(&[0, 1])).await, FaultCode::ValidationError);
    let revoked = stage.root.list(&[&[0x12, 0x34, 0x56]], 3600);
    let made = stage.manage("ImportCrl", list(&revoked)).await.unwrap();
    assert_eq!(made["crl"]["enabled"], true);
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    let mut other = end_entity("app");
    other.serial_number = Some(rcgen::SerialNumber::from_slice(&[9]));
    stage.show(&stage.root.issue(&other)).await.unwrap();
    let id = json!({ "crlId": made["crl"]["crlId"] });
    stage.manage("DisableCrl", id.clone()).await.unwrap();
    stage.show(&stage.party()).await.unwrap();
    stage.manage("EnableCrl", id.clone()).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    // A newer one in its place; then nobody comes with the next.
    let mut update = id.clone();
    update["crlData"] = encode(&stage.root.list(&[], 600)).into();
    stage.manage("UpdateCrl", update).await.unwrap();
    stage.show(&stage.party()).await.unwrap();
    stage.bench.advance(601);
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    stage.manage("DeleteCrl", id).await.unwrap();
    stage.show(&stage.party()).await.unwrap();
}

#[tokio::test]
async fn who_came_is_kept() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let party = stage.party();
    let answer = stage.show(&party).await.unwrap();
    let listed = stage.manage("ListSubjects", json!({})).await.unwrap();
    let subjects = listed["subjects"].as_array().unwrap();
    assert_eq!(subjects.len(), 1);
    assert_eq!(subjects[0]["subjectArn"], answer["subjectArn"]);
    let id = json!({ "subjectId": subjects[0]["subjectId"] });
    let first = stage.manage("GetSubject", id.clone()).await.unwrap()["subject"].clone();
    assert_eq!((&first["x509Subject"], &first["enabled"]), (&json!("CN=app"), &json!(true)));
    assert_eq!(first["credentials"][0]["serialNumber"], "123456");
    assert_eq!(first["credentials"][0]["failed"], false);
    // Within the minute nothing is written; after it, that it came in vain.
    let version = bench.services.directory.snapshot().version();
    stage.show(&party).await.unwrap();
    let mut body = stage.body();
    body["roleArn"] = format!("arn:aws:iam::{A}:role/other").into();
    refused(stage.ask(&party, body.clone()).await, FaultCode::AccessDenied);
    assert_eq!(bench.services.directory.snapshot().version(), version);
    bench.advance(60);
    refused(stage.ask(&party, body).await, FaultCode::AccessDenied);
    let found = stage.manage("GetSubject", id.clone()).await.unwrap();
    assert_eq!(found["subject"]["credentials"][0]["failed"], true);
    // Others' certificates of the same subject, at most ten; nobody whom no anchor vouches for.
    for serial in 1..=12_u8 {
        bench.advance(61);
        let mut params = end_entity("app");
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[serial]));
        stage.show(&stage.root.issue(&params)).await.unwrap();
    }
    let found = stage.manage("GetSubject", id).await.unwrap()["subject"].clone();
    assert_eq!(found["credentials"].as_array().unwrap().len(), 10);
    assert_eq!(found["credentials"][0]["serialNumber"], "0c");
    assert_ne!(found["lastSeenAt"], first["lastSeenAt"]);
    let stranger = Authority::root("root").issue(&end_entity("stranger"));
    refused(stage.show(&stranger).await, FaultCode::AccessDenied);
    let listed = call(bench, &bench.a, "ListSubjects", json!({})).await.unwrap();
    assert_eq!(listed["subjects"].as_array().unwrap().len(), 1);
    let listed = call(bench, &bench.b, "ListSubjects", json!({})).await.unwrap();
    assert_eq!(listed["subjects"], json!([]));
}
