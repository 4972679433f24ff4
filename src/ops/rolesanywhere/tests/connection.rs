//! Certificates that a connection proves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};
use serde_json::{Value, json};

use super::wire::{Arriving, Wire};
use super::{Stage, call, credentials, refused, source, trusting};
use crate::authn::{Caller, HeldChain};
use crate::federation::x509::tests::{Authority, Party, at, end_entity};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, allow};

fn held(party: &Party) -> HeldChain {
    HeldChain::of_test(party.der(), Vec::new())
}

fn below(party: &Party, chain: &[&Authority]) -> HeldChain {
    HeldChain::of_test(party.der(), chain.iter().map(|it| it.der()).collect())
}

impl Stage {
    /// A request with nothing of a signature.
    fn bare(&self, body: &Value) -> Arriving {
        Wire::new(self.bench.now(), &self.party(), body).bare()
    }

    /// What whoever holds this is answered.
    async fn by(&self, connection: &HeldChain) -> Result<Value, Fault> {
        self.bare(&self.body()).send_by(&self.bench, Some(connection)).await
    }

    /// The same, with one more header.
    async fn with(&self, connection: &HeldChain, name: &str, value: &str) -> Result<Value, Fault> {
        let mut arriving = self.bare(&self.body());
        arriving.headers.push((name.to_owned(), value.to_owned()));
        arriving.send_by(&self.bench, Some(connection)).await
    }
}

/// An answer without what is drawn anew each time.
fn without_secrets(mut answer: Value) -> Value {
    for name in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        assert!(answer["credentialSet"][0]["credentials"][name].take().is_string(), "{name}");
    }
    answer
}

#[tokio::test]
async fn both_proofs_get_the_same() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let party = stage.party();
    let before = bench.records().len();
    let signed = stage.show(&party).await.unwrap();
    let between = bench.records().len();
    let answer = stage.by(&held(&party)).await.unwrap();
    let claims = async |answer: &Value| {
        let session = credentials(answer);
        let caller = bench.verify(&session, "GetCallerIdentity", &[]).await.unwrap();
        let Caller::Signed(signed) = &caller else { panic!("not signed") };
        let claims = signed.identity().session().unwrap().claims();
        let tags: Vec<_> =
            claims.tags.iter().map(|it| (it.key.clone(), it.value.clone())).collect();
        let federated = claims.federated.clone().unwrap();
        (tags, claims.source_identity.clone(), federated.arn, federated.subject)
    };
    assert_eq!(claims(&answer).await, claims(&signed).await);
    let arn = format!("arn:aws:sts::{A}:assumed-role/app/123456");
    assert_eq!(bench.whoami(&credentials(&answer)).await.unwrap(), arn);
    // The records differ in how it was proven, and in no more.
    let recorded = |from: usize| {
        let mut records = bench.records().split_off(from);
        records.truncate(2);
        let proofs: Vec<_> = records
            .iter_mut()
            .map(|it| it["additionalEventData"]["certificateProof"].take())
            .collect();
        let told: Vec<_> = records
            .iter()
            .map(|it| {
                (
                    it["eventName"].clone(),
                    it["userIdentity"].clone(),
                    it["requestParameters"].clone(),
                )
            })
            .collect();
        (proofs, told)
    };
    let ((signature, by_signature), (connection, by_connection)) =
        (recorded(before), recorded(between));
    assert_eq!(
        (signature, connection),
        (vec![json!("signature"); 2], vec![json!("connection"); 2])
    );
    assert_eq!(by_signature, by_connection);
    assert_eq!(without_secrets(answer), without_secrets(signed));
}

#[tokio::test]
async fn every_kind_of_key_and_a_chain_are_held() {
    let stage = Stage::new().await;
    let rsa = include_str!("../../../federation/oidc/tests/rsa-2048.pem");
    for key in
        [KeyPair::from_pem(rsa).unwrap(), KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()]
    {
        stage.by(&held(&stage.root.issue_to(&end_entity("app"), key))).await.unwrap();
    }
    let other = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let other = stage.root.issue_to(&end_entity("app"), other);
    refused(stage.by(&held(&other)).await, FaultCode::AccessDenied);

    let between = stage.root.below("between");
    let party = between.issue(&end_entity("app"));
    stage.by(&below(&party, &[&between])).await.unwrap();
    refused(stage.by(&held(&party)).await, FaultCode::AccessDenied);
    let sibling = stage.root.below("sibling");
    refused(stage.by(&below(&party, &[&sibling])).await, FaultCode::AccessDenied);
    refused(stage.by(&below(&party, &[&between; 6])).await, FaultCode::AccessDenied);
}

/// Whoever is not vouched for reads one text, as with signatures.
#[tokio::test]
async fn what_no_anchor_vouches_for_gets_nothing() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    stage.by(&held(&stage.party())).await.unwrap();
    let mut told = Vec::new();
    let mut say = |result: Result<Value, Fault>| {
        told.push(refused(result, FaultCode::AccessDenied).message().to_owned());
    };
    let issued = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let mut params = end_entity("app");
        change(&mut params);
        held(&stage.root.issue(&params))
    };
    for bad in [
        issued(&|it| it.not_after = at!(-1)),
        issued(&|it| it.not_before = at!(60)),
        issued(&|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
        issued(&|it| it.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
        issued(&|it| it.key_usages = Vec::new()),
        issued(&|it| it.is_ca = IsCa::NoCa),
        issued(&|it| it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
        held(&Authority::root("root").issue(&end_entity("app"))),
        HeldChain::of_test(stage.root.der(), Vec::new()),
        HeldChain::of_test(Vec::new(), Vec::new()),
        HeldChain::of_test(vec![0x30; 20_000], Vec::new()),
    ] {
        say(stage.by(&bad).await);
    }
    let good = held(&stage.party());
    // Anchors of others, and of nobody.
    let new =
        json!({ "name": "b", "source": source(&Authority::root("b").pem()), "enabled": true });
    let of_b = call(bench, &bench.b, "CreateTrustAnchor", new).await.unwrap();
    let none = stage.anchor["trustAnchorArn"].as_str().unwrap();
    let none = none.replace(stage.anchor_id(), "00000000-0000-4000-8000-000000000000");
    for anchor in [of_b["trustAnchor"]["trustAnchorArn"].clone(), none.into()] {
        let mut body = stage.body();
        body["trustAnchorArn"] = anchor;
        say(stage.bare(&body).send_by(bench, Some(&good)).await);
    }
    told.dedup();
    assert_eq!(told, ["Untrusted certificate."]);
    // What is left on record of a stranger is what he named, and no texts of his own.
    let mut body = stage.body();
    body["roleSessionName"] = "stranger".into();
    let stranger = held(&Authority::root("root").issue(&end_entity("app")));
    let result = stage.bare(&body).send_by(bench, Some(&stranger)).await;
    refused(result, FaultCode::AccessDenied);
    let record = bench.records().pop().unwrap();
    assert_eq!(record["errorCode"], "AccessDenied");
    assert_eq!(record["requestParameters"], stage.body());

    // A profile of another account; a role that does not trust this certificate.
    let role_b = bench.role(&bench.b, "app", &trusting(&json!({})), &allow(&["*"])).await;
    let new = json!({ "name": "b", "roleArns": [role_b], "enabled": true });
    let profile_b = call(bench, &bench.b, "CreateProfile", new).await.unwrap();
    let mut body = stage.body();
    body["profileArn"] = profile_b["profile"]["profileArn"].clone();
    let result = stage.bare(&body).send_by(bench, Some(&good)).await;
    let fault = refused(result, FaultCode::AccessDenied);
    assert!(fault.message().starts_with("Unable to assume role"), "{fault:?}");
    let wary = trusting(&json!({ "StringEquals": { "aws:PrincipalTag/x509Subject/CN": "other" } }));
    let wary = Stage::trusting(&wary).await;
    let fault = refused(wary.by(&held(&wary.party())).await, FaultCode::AccessDenied);
    assert!(fault.message().starts_with("Unable to assume role"), "{fault:?}");
}

/// A connection outlives what it was opened with: lists, anchors and time count for each request.
#[tokio::test]
async fn what_changes_while_a_connection_lives_counts_at_once() {
    let stage = Stage::new().await;
    let connection = held(&stage.party());
    stage.by(&connection).await.unwrap();
    let list = stage.root.list(&[&[0x12, 0x34, 0x56]], 3600);
    let list = json!({ "name": "crl", "crlData": STANDARD.encode(list), "enabled": true,
        "trustAnchorArn": stage.anchor["trustAnchorArn"] });
    let list = stage.manage("ImportCrl", list).await.unwrap();
    refused(stage.by(&connection).await, FaultCode::AccessDenied);
    let list = json!({ "crlId": list["crl"]["crlId"] });
    stage.manage("DisableCrl", list).await.unwrap();
    stage.by(&connection).await.unwrap();
    let anchor = json!({ "trustAnchorId": stage.anchor_id() });
    stage.manage("DisableTrustAnchor", anchor.clone()).await.unwrap();
    refused(stage.by(&connection).await, FaultCode::AccessDenied);
    stage.manage("EnableTrustAnchor", anchor.clone()).await.unwrap();
    stage.by(&connection).await.unwrap();
    stage.bench.advance(86_401);
    refused(stage.by(&connection).await, FaultCode::AccessDenied);
}

/// Proof, certificate and chain are of one kind, whatever is good of the other.
#[tokio::test]
async fn a_connection_and_a_signature_are_never_mixed() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let mut params = end_entity("app");
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x77]));
    let (one, other) = (stage.party(), stage.root.issue(&params));
    let by_other = held(&other);
    let name = |answer: &Value| {
        let arn = answer["credentialSet"][0]["assumedRoleUser"]["arn"].as_str().unwrap();
        arn.rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(name(&stage.by(&by_other).await.unwrap()), "77");
    // A signature decides, also against a connection.
    let wire = |party| Wire::new(bench.now(), party, &stage.body());
    let answer = wire(&one).sign(bench).send_by(bench, Some(&by_other)).await.unwrap();
    assert_eq!(name(&answer), "123456");
    assert_eq!(
        bench.records().last().unwrap()["additionalEventData"]["certificateProof"],
        "signature"
    );
    let stranger = Authority::root("root").issue(&end_entity("app"));
    let answer = wire(&one).sign(bench).send_by(bench, Some(&held(&stranger))).await.unwrap();
    assert_eq!(name(&answer), "123456");
    let result = wire(&stranger).sign(bench).send_by(bench, Some(&by_other)).await;
    refused(result, FaultCode::AccessDenied);
    let mut forged = wire(&one);
    forged.forge = Some(vec![0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]);
    let result = forged.sign(bench).send_by(bench, Some(&held(&one))).await;
    refused(result, FaultCode::SignatureDoesNotMatch);
    let mut late = wire(&one);
    late.at = crate::time::Timestamp::from_secs(bench.now() - 901);
    let result = late.sign(bench).send_by(bench, Some(&held(&one))).await;
    refused(result, FaultCode::SignatureDoesNotMatch);
    for algorithm in ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "Bearer", ""] {
        let mut plain = wire(&one);
        plain.algorithm = algorithm.to_owned();
        let result = plain.sign(bench).send_by(bench, Some(&by_other)).await;
        refused(result, FaultCode::IncompleteSignature);
    }
    // No chain, and no certificate, of the other kind.
    let between = stage.root.below("between");
    let deep = between.issue(&end_entity("app"));
    let result = wire(&deep).sign(bench).send_by(bench, Some(&below(&deep, &[&between]))).await;
    refused(result, FaultCode::AccessDenied);
    let encoded = STANDARD.encode(between.der());
    let result = stage.with(&held(&deep), "x-amz-x509-chain", &encoded).await;
    refused(result, FaultCode::MissingAuthenticationToken);
    let encoded = STANDARD.encode(one.der());
    let result = stage.with(&by_other, "x-amz-x509", &encoded).await;
    refused(result, FaultCode::MissingAuthenticationToken);
    // What lost its signature on the way is nobody's.
    let mut unsigned = wire(&one).sign(bench);
    unsigned.headers.retain(|(name, _)| name != "authorization");
    let result = unsigned.send_by(bench, Some(&by_other)).await;
    refused(result, FaultCode::MissingAuthenticationToken);
    let mut presigned = stage.bare(&stage.body());
    presigned.target.push_str("?X-Amz-Signature=00");
    assert!(presigned.send_by(bench, Some(&by_other)).await.is_err());
    // Neither.
    let result = stage.bare(&stage.body()).send(bench).await;
    refused(result, FaultCode::MissingAuthenticationToken);
}

/// A browser shows its certificate to whatever page makes it ask; a proxy that has one speaks for many.
#[tokio::test]
async fn what_a_page_or_a_proxy_makes_a_holder_send_is_refused() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let connection = held(&stage.party());
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://countersign.test"),
        ("sec-fetch-site", "cross-site"),
        ("x-forwarded-client-cert", "Hash=00;Subject=\"CN=app\""),
        ("client-cert", ":AA==:"),
    ] {
        refused(stage.with(&connection, name, value).await, FaultCode::AccessDenied);
    }
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let mut arriving = stage.bare(&stage.body());
        arriving.headers.retain(|(name, _)| name != "content-type");
        arriving.headers.extend(kind.map(|kind| ("content-type".to_owned(), kind.to_owned())));
        let result = arriving.send_by(bench, Some(&connection)).await;
        refused(result, FaultCode::ValidationError);
    }
    // A second one of what must stand once.
    assert!(stage.with(&connection, "content-type", "text/plain").await.is_err());
    // Nothing was given for any of them, and each is on record.
    let refusals = bench.records().iter().filter(|it| !it["errorCode"].is_null()).count();
    assert_eq!(refusals, 10);
    let listed = call(bench, &bench.a, "ListSubjects", json!({})).await.unwrap();
    assert_eq!(listed["subjects"], json!([]));
    // A header of a proxy is no proof, and does not harm a signature.
    let mut bare = stage.bare(&stage.body());
    let told = ("x-forwarded-client-cert".to_owned(), STANDARD.encode(stage.party().der()));
    bare.headers.push(told.clone());
    refused(bare.send(bench).await, FaultCode::MissingAuthenticationToken);
    let mut signed = Wire::new(bench.now(), &stage.party(), &stage.body()).sign(bench);
    signed.headers.extend([told, ("origin".to_owned(), "https://page.example".to_owned())]);
    signed.send_by(bench, Some(&connection)).await.unwrap();
}
