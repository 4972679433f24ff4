//! Requests that get nothing. Each differs from one that is good in one thing.

use serde_json::json;

use super::wire::Wire;
use super::{Stage, call, refused, source, trusting};
use crate::arn;
use crate::authn::CertificateError;
use crate::directory::{Entity, EntityKey, TrustAnchor};
use crate::federation::x509::tests::{Authority, end_entity};
use crate::id::{AccountId, ProviderId};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, allow};

/// What becomes of a request that is changed before it is signed.
async fn changed(
    stage: &Stage,
    change: impl FnOnce(&mut Wire<'_>),
) -> Result<serde_json::Value, Fault> {
    let party = stage.party();
    let mut wire = Wire::new(stage.bench.now(), &party, &stage.body());
    change(&mut wire);
    wire.send(&stage.bench).await
}

#[tokio::test]
async fn only_what_was_signed_is_taken() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let party = stage.party();
    let good = Wire::new(bench.now(), &party, &stage.body()).sign(bench);
    good.send(bench).await.unwrap();
    // The body, each signed header, and headers that were added.
    let arriving = || Wire::new(bench.now(), &party, &stage.body()).sign(bench);
    let mut other = arriving();
    other.body = json!({
        "profileArn": stage.profile["profileArn"], "roleArn": stage.role,
        "trustAnchorArn": stage.anchor["trustAnchorArn"], "durationSeconds": 900,
    })
    .to_string()
    .into_bytes();
    refused(other.send(bench).await, FaultCode::SignatureDoesNotMatch);
    let sibling = stage.root.issue(&end_entity("app"));
    for (name, value) in [
        ("host", "other.test".to_owned()),
        ("content-type", "text/plain".to_owned()),
        ("x-amz-x509", Wire::new(0, &sibling, &json!({})).headers[3].1.clone()),
    ] {
        let mut other = arriving();
        other.headers.iter_mut().find(|it| it.0 == name).unwrap().1 = value;
        refused(other.send(bench).await, FaultCode::SignatureDoesNotMatch);
    }
    let mut other = arriving();
    other.target.push_str("?durationSeconds=900");
    refused(other.send(bench).await, FaultCode::SignatureDoesNotMatch);
    for (name, value) in [
        ("x-amz-x509-chain", Wire::new(0, &sibling, &json!({})).headers[3].1.clone()),
        ("x-amz-meta-role", "x".to_owned()),
        ("X-Amz-Date", "20260921T000000Z".to_owned()),
        ("X-AMZ-X509", Wire::new(0, &sibling, &json!({})).headers[3].1.clone()),
        ("x-amz-security-token", "CST1x".to_owned()),
    ] {
        let mut other = arriving();
        other.headers.push((name.to_owned(), value));
        assert!(other.send(bench).await.is_err(), "{name}");
    }
    // What has to be signed, and is not.
    for name in ["host", "x-amz-date", "x-amz-x509", "content-type"] {
        let result = changed(&stage, |wire| wire.unsigned.push(name.to_owned())).await;
        refused(result, FaultCode::SignatureDoesNotMatch);
    }
    // A chain that is not the one that was signed.
    let between = stage.root.below("between");
    let deep = between.issue(&end_entity("deep"));
    let wire = Wire::new(bench.now(), &deep, &stage.body()).chain(&[between.der()]);
    let mut swapped = wire.sign(bench);
    swapped.send(bench).await.unwrap();
    let chain = swapped.headers.iter_mut().find(|it| it.0 == "x-amz-x509-chain").unwrap();
    chain.1 = format!("{0},{0}", chain.1);
    refused(swapped.send(bench).await, FaultCode::SignatureDoesNotMatch);
}

#[tokio::test]
async fn what_it_is_signed_for_and_when_is_checked() {
    let stage = Stage::new().await;
    for (region, service) in [("elsewhere-1", "rolesanywhere"), ("", "rolesanywhere"), ("", "sts")]
    {
        let result = changed(&stage, |wire| {
            wire.region = Some(region.to_owned());
            wire.service = service.to_owned();
        })
        .await;
        refused(result, FaultCode::SignatureDoesNotMatch);
    }
    let result = changed(&stage, |wire| wire.service = "sts".to_owned()).await;
    refused(result, FaultCode::SignatureDoesNotMatch);
    let now = stage.bench.now();
    let party = stage.party();
    for (skew, good) in [(900, true), (-900, true), (901, false), (-901, false)] {
        let result = Wire::new(now + skew, &party, &stage.body()).send(&stage.bench).await;
        assert_eq!(result.is_ok(), good, "{skew}");
    }
    // A replay, later.
    let arriving = Wire::new(now, &party, &stage.body()).sign(&stage.bench);
    arriving.send(&stage.bench).await.unwrap();
    stage.bench.advance(901);
    refused(arriving.send(&stage.bench).await, FaultCode::SignatureDoesNotMatch);
}

#[tokio::test]
async fn credentials_of_another_kind_are_refused() {
    let stage = Stage::new().await;
    for algorithm in
        ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "AWS4-X509-ECDSA-SHA512", "none", ""]
    {
        let result = changed(&stage, |wire| wire.algorithm = algorithm.to_owned()).await;
        refused(result, FaultCode::IncompleteSignature);
    }
    let result = changed(&stage, |wire| wire.algorithm = "AWS4-X509-RSA-SHA256".to_owned()).await;
    refused(result, FaultCode::SignatureDoesNotMatch);
    for serial in ["1193047", "123456", "0x123456", "01193046", "-1"] {
        let result = changed(&stage, |wire| wire.serial = serial.to_owned()).await;
        refused(result, FaultCode::AccessDenied);
    }
    // Neither certificate nor signature.
    let mut arriving =
        Wire::new(stage.bench.now(), &stage.party(), &stage.body()).sign(&stage.bench);
    arriving.headers.retain(|(name, _)| name != "authorization");
    refused(arriving.send(&stage.bench).await, FaultCode::MissingAuthenticationToken);
    let result =
        changed(&stage, |wire| wire.headers.retain(|(name, _)| name != "x-amz-x509")).await;
    refused(result, FaultCode::IncompleteSignature);
    // Presigned.
    let result = changed(&stage, |wire| wire.target.push_str("?X-Amz-Signature=00")).await;
    assert!(result.is_err());
}

/// CVE-2022-21449: r = s = 0, and what else is no signature of anybody.
#[tokio::test]
async fn museum_m37_empty_signatures_are_none() {
    let stage = Stage::new().await;
    for forged in [
        &[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00][..],
        &[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x00],
        &[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01],
        &[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],
        &[0x30, 0x00],
        &[0; 64],
        &[0xff; 72],
    ] {
        let result = changed(&stage, |wire| wire.forge = Some(forged.to_vec())).await;
        refused(result, FaultCode::SignatureDoesNotMatch);
    }
    let result = changed(&stage, |wire| wire.forge = Some(Vec::new())).await;
    refused(result, FaultCode::IncompleteSignature);
    let result = changed(&stage, |wire| wire.forge = Some(vec![0; 1025])).await;
    refused(result, FaultCode::IncompleteSignature);
}

/// OpenBao CVE-2026-39388: a certificate of the same authority stands in for the one that was shown.
#[tokio::test]
async fn museum_m54_a_sibling_certificate_does_not_stand_in() {
    let stage = Stage::new().await;
    let (one, other) = (stage.party(), stage.root.issue(&end_entity("admin")));
    // Signed by the one, showing the other: neither the number nor the signature fits.
    let mut wire = Wire::new(stage.bench.now(), &one, &stage.body());
    wire.headers[3].1 = Wire::new(0, &other, &json!({})).headers[3].1.clone();
    refused(wire.send(&stage.bench).await, FaultCode::SignatureDoesNotMatch);
    // The other as an authority of the one.
    let wire = Wire::new(stage.bench.now(), &one, &stage.body()).chain(&[other.der()]);
    refused(wire.send(&stage.bench).await, FaultCode::AccessDenied);
}

/// Vault CVE-2025-6011: whoever is not vouched for learns nothing of anchors, and whoever is, nothing of
/// profiles and roles.
#[tokio::test]
async fn museum_m58_refusals_tell_nothing() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let words = |fault: &Fault| fault.message().replace(&stage.role, "ROLE");
    let region = super::region(bench);
    let none = "00000000-0000-4000-8000-000000000000";
    // Anchors: of nobody, of another account, disabled, of another region; a stranger's certificate.
    let other = source(&stage.root.pem());
    let new = json!({ "name": "b", "source": other, "enabled": true });
    let of_b = call(bench, &bench.b, "CreateTrustAnchor", new.clone()).await.unwrap();
    let mut disabled = new;
    disabled["enabled"] = false.into();
    let disabled = stage.manage("CreateTrustAnchor", disabled).await.unwrap();
    let stranger = Authority::root("root").issue(&end_entity("app"));
    let mut told = vec![words(&refused(stage.show(&stranger).await, FaultCode::AccessDenied))];
    let elsewhere = stage.anchor["trustAnchorArn"].as_str().unwrap().replace(&region, "xx-1");
    for anchor in [
        format!("arn:aws:rolesanywhere:{region}:{A}:trust-anchor/{none}"),
        format!("arn:aws:rolesanywhere:{region}:{B}:trust-anchor/{none}"),
        format!("arn:aws:rolesanywhere:{region}:999999999999:trust-anchor/{none}"),
        disabled["trustAnchor"]["trustAnchorArn"].as_str().unwrap().to_owned(),
        elsewhere,
        "nothing".to_owned(),
    ] {
        let mut body = stage.body();
        body["trustAnchorArn"] = anchor.into();
        told.push(words(&refused(stage.ask(&stage.party(), body).await, FaultCode::AccessDenied)));
    }
    told.dedup();
    assert_eq!(told, ["Untrusted certificate."]);

    // Profiles and roles.
    let role_b = bench.role(&bench.b, "app", &trusting(&json!({})), &allow(&["*"])).await;
    let new = json!({ "name": "b", "roleArns": [role_b], "enabled": true });
    let profile_b = call(bench, &bench.b, "CreateProfile", new).await.unwrap();
    let unlisted = bench.role(&bench.a, "unlisted", &trusting(&json!({})), &allow(&["*"])).await;
    let wary = trusting(&json!({ "StringEquals": { "aws:SourceAccount": B } }));
    let wary = bench.role(&bench.a, "wary", &wary, &allow(&["*"])).await;
    stage.update_profile(json!({ "roleArns": [stage.role, wary] })).await;
    let new = json!({ "name": "off", "roleArns": [stage.role] });
    let off = stage.manage("CreateProfile", new).await.unwrap();
    let mut told = Vec::new();
    for (profile, role) in [
        (profile_b["profile"]["profileArn"].clone(), role_b.clone()),
        (profile_b["profile"]["profileArn"].clone(), stage.role.clone()),
        (stage.profile["profileArn"].clone(), role_b),
        (stage.profile["profileArn"].clone(), unlisted),
        (stage.profile["profileArn"].clone(), wary),
        (stage.profile["profileArn"].clone(), format!("arn:aws:iam::{A}:role/gone")),
        (off["profile"]["profileArn"].clone(), stage.role.clone()),
        (format!("arn:aws:rolesanywhere:{region}:{A}:profile/{none}").into(), stage.role.clone()),
    ] {
        let mut body = stage.body();
        (body["profileArn"], body["roleArn"]) = (profile, role.clone().into());
        let fault = refused(stage.ask(&stage.party(), body).await, FaultCode::AccessDenied);
        told.push(fault.message().replace(&role, "ROLE"));
    }
    told.dedup();
    assert_eq!(told, ["Unable to assume role for ROLE"]);
    // The anchor of another account, with what is A's.
    let mut body = stage.body();
    body["trustAnchorArn"] = of_b["trustAnchor"]["trustAnchorArn"].clone();
    refused(stage.ask(&stage.party(), body).await, FaultCode::AccessDenied);
    stage.show(&stage.party()).await.unwrap();
}

/// INVARIANT (identity is by unique ID).
#[tokio::test]
async fn a_role_made_again_is_not_listed() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let policy = [("RoleName", "app"), ("PolicyName", "own")];
    bench.call(&bench.a, "DeleteRolePolicy", &policy).await.unwrap();
    bench.call(&bench.a, "DeleteRole", &[("RoleName", "app")]).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    let again = bench.role(&bench.a, "app", &trusting(&json!({})), &allow(&["*"])).await;
    assert_eq!(again, stage.role);
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    stage.update_profile(json!({ "roleArns": [again] })).await;
    stage.show(&stage.party()).await.unwrap();
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let stage = Stage::new().await;
    for (member, value) in [
        ("RoleArn", json!("x")),
        ("instanceProperties", json!({ "a": "b" })),
        ("unknown", json!(1)),
        ("roleArn", json!(7)),
        ("profileArn", json!("")),
    ] {
        let mut body = stage.body();
        body[member] = value;
        assert!(stage.ask(&stage.party(), body).await.is_err(), "{member}");
    }
    let mut body = stage.body();
    body["instanceProperties"] = json!({});
    stage.ask(&stage.party(), body).await.unwrap();
    for member in ["profileArn", "roleArn", "trustAnchorArn"] {
        let mut body = stage.body();
        body.as_object_mut().unwrap().remove(member);
        assert!(stage.ask(&stage.party(), body).await.is_err(), "{member}");
    }
}

/// What is decided counts, not what was so when the certificate was verified.
#[tokio::test]
async fn an_anchor_that_changes_after_the_proof_proves_nothing() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let directory = &bench.services.directory;
    let arn = stage.anchor["trustAnchorArn"].as_str().unwrap();
    let id = ProviderId(arn::parse_anywhere(arn, "trust-anchor").unwrap().2);
    let written = TrustAnchor::clone(directory.snapshot().trust_anchor(&id).unwrap());
    let party = stage.party();
    let arriving = Wire::new(bench.now(), &party, &stage.body()).sign(bench);
    let shown = arriving.prove(bench, id).unwrap();
    let stands = || shown.still_stands(&directory.snapshot());
    let changed = |change: &dyn Fn(&mut TrustAnchor)| {
        let mut anchor = written.clone();
        change(&mut anchor);
        bench.put(Entity::TrustAnchor(anchor))
    };
    assert!(stands());
    let other = Authority::root("root").pem();
    changed(&|it| it.bundle.clone_from(&other)).await;
    assert!(!stands());
    changed(&|it| it.enabled = false).await;
    assert!(!stands());
    changed(&|it| it.account = AccountId::parse(B).unwrap()).await;
    assert!(!stands());
    assert!(matches!(arriving.prove(bench, id), Err(CertificateError::NoAnchor)));
    changed(&|_| ()).await;
    assert!(stands());
    bench.delete(EntityKey::TrustAnchor(id)).await;
    assert!(!stands());
    changed(&|_| ()).await;
    bench.close(A).await;
    assert!(!stands());
    assert!(matches!(arriving.prove(bench, id), Err(CertificateError::NoAnchor)));
}

#[tokio::test]
async fn a_chain_has_five_certificates_at_most() {
    let stage = Stage::new().await;
    let party = stage.party();
    let between = stage.root.below("between").der();
    for (count, good) in [(5, true), (6, false), (7, false)] {
        let wire = Wire::new(stage.bench.now(), &party, &stage.body());
        let result = wire.chain(&vec![between.clone(); count]).send(&stage.bench).await;
        assert_eq!(result.is_ok(), good, "{count}");
    }
    // Whatever they are: of too many none is looked at.
    for (count, message) in [(5, "cannot be read"), (6, "too large"), (7, "too large")] {
        let wire = Wire::new(stage.bench.now(), &party, &stage.body());
        let wire = wire.header("x-amz-x509-chain", &vec!["?"; count].join(","));
        let fault = refused(wire.send(&stage.bench).await, FaultCode::AccessDenied);
        let note = fault.note().unwrap().to_string();
        assert!(note.contains(message), "{count}: {note}");
    }
}

/// The operator has to find the machine; whoever asks is told one text for all.
#[tokio::test]
async fn the_reason_of_a_refusal_says_which_certificate_and_why() {
    let stage = Stage::new().await;
    let ended = {
        let mut params = end_entity("late");
        params.not_before = rcgen::date_time_ymd(2026, 9, 20);
        params.not_after = rcgen::date_time_ymd(2026, 9, 21);
        stage.root.issue(&params)
    };
    let stranger = Authority::root("elsewhere").issue(&end_entity("app"));
    for (party, reason) in [
        (
            &stranger,
            "no authority of the anchor has issued it (serial number 123456, subject CN=app, issuer CN=elsewhere)",
        ),
        (
            &ended,
            "ended at 2026-09-21T00:00:00Z (serial number 123456, subject CN=late, issuer CN=root)",
        ),
    ] {
        let fault = refused(stage.show(party).await, FaultCode::AccessDenied);
        assert_eq!(fault.message(), "Untrusted certificate.");
        let note = fault.note().unwrap();
        assert!(note.ends_with(reason), "{note}");
    }
}
