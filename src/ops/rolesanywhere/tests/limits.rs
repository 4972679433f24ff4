//! How many there may be, what may take the place of what, and what a session does not depend on.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{ExtendedKeyUsagePurpose, SerialNumber};
use serde_json::{Value, json};

use super::{Stage, credentials, refused, source};
use crate::directory::store::{Batch, Contents, DirectoryStore};
use crate::directory::{Directory, Entity, StoreError};
use crate::federation::x509::tests::{Authority, Party, at, authority, end_entity};
use crate::future::BoxFuture;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, allow};

/// The serial number of the certificates of `Stage`.
const SERIAL: &[u8] = &[0x12, 0x34, 0x56];

impl Stage {
    async fn import(&self, list: &[u8]) -> Result<Value, Fault> {
        let new = json!({ "name": "crl", "crlData": STANDARD.encode(list),
            "trustAnchorArn": self.anchor["trustAnchorArn"] });
        self.manage("ImportCrl", new).await
    }

    async fn update(&self, id: &Value, list: &[u8]) -> Result<Value, Fault> {
        let update = json!({ "crlId": id, "crlData": STANDARD.encode(list) });
        self.manage("UpdateCrl", update).await
    }

    /// A party of another name.
    fn named(&self, name: &str) -> Party {
        self.root.issue(&end_entity(name))
    }

    async fn subjects(&self) -> Vec<String> {
        let listed = self.manage("ListSubjects", json!({})).await.unwrap();
        let of = listed["subjects"].as_array().unwrap();
        let mut names: Vec<_> =
            of.iter().map(|it| it["x509Subject"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    fn version(&self) -> u64 {
        self.bench.services.directory.snapshot().version()
    }
}

#[tokio::test]
async fn an_update_of_a_list_is_of_its_authority_and_not_older() {
    let stage = Stage::new().await;
    let list = |serials: &[&[u8]], at: i64, number: u64| {
        stage.root.list_with(serials, 3600, |it| {
            it.this_update = at!(at);
            it.crl_number = SerialNumber::from(number);
        })
    };
    let made = stage.import(&list(&[SERIAL], -60, 7)).await.unwrap();
    let id = &made["crl"]["crlId"];
    for (at, number, field) in
        [(-61, 7, "thisUpdate"), (-61, 8, "thisUpdate"), (-60, 6, "cRLNumber")]
    {
        let result = stage.update(id, &list(&[], at, number)).await;
        let fault = refused(result, FaultCode::ValidationError);
        assert!(fault.message().contains(&format!("its {field} is older")), "{}", fault.message());
    }
    // An authority of the same anchor, with its own list.
    let other = Authority::root("other");
    let both = [stage.root.pem(), other.pem()].concat();
    let update = json!({ "trustAnchorId": stage.anchor_id(), "source": source(&both) });
    stage.manage("UpdateTrustAnchor", update).await.unwrap();
    let result = stage.update(id, &other.list(&[], 3600)).await;
    let fault = refused(result, FaultCode::ValidationError);
    assert!(fault.message().contains("its issuer is another one"), "{}", fault.message());
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    // What the authority itself takes back is taken back.
    stage.update(id, &list(&[SERIAL], -60, 7)).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    stage.update(id, &list(&[], -60, 8)).await.unwrap();
    stage.show(&stage.party()).await.unwrap();
}

#[tokio::test]
async fn all_lists_of_an_anchor_count_and_those_of_others_do_not() {
    let stage = Stage::new().await;
    let new = json!({ "name": "other", "source": source(&stage.root.pem()), "enabled": true });
    let other = stage.manage("CreateTrustAnchor", new).await.unwrap();
    let of_other = json!({ "name": "crl", "crlData": STANDARD.encode(stage.root.list(&[SERIAL], 60)),
        "trustAnchorArn": other["trustAnchor"]["trustAnchorArn"] });
    stage.manage("ImportCrl", of_other).await.unwrap();
    stage.show(&stage.party()).await.unwrap();
    stage.import(&stage.root.list(&[SERIAL], 3600)).await.unwrap();
    stage.import(&stage.root.list_with(&[], 3600, |it| it.this_update = at!(0))).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    // With its anchor go its lists, and no others.
    let id = json!({ "trustAnchorId": other["trustAnchor"]["trustAnchorId"] });
    stage.manage("DeleteTrustAnchor", id).await.unwrap();
    let left = stage.manage("ListCrls", json!({})).await.unwrap();
    assert_eq!(left["crls"].as_array().unwrap().len(), 2);
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
}

#[tokio::test]
async fn there_are_as_many_as_the_quotas_say() {
    let mut stage = Stage::new().await;
    let list = stage.root.list(&[], 3600);
    stage.import(&list).await.unwrap();
    stage.import(&list).await.unwrap();
    let fault = refused(stage.import(&list).await, FaultCode::ValidationError);
    assert_eq!(fault.message(), "A trust anchor has at most 2 revocation lists.");
    let quotas = &mut stage.bench.services.quotas;
    quotas.crls_per_trust_anchor = 3;
    (quotas.trust_anchors_per_account, quotas.anywhere_profiles_per_account) = (2, 2);
    stage.import(&list).await.unwrap();
    refused(stage.import(&list).await, FaultCode::ValidationError);
    for (action, new) in [
        ("CreateTrustAnchor", json!({ "name": "x", "source": source(&stage.root.pem()) })),
        ("CreateProfile", json!({ "name": "x", "roleArns": [] })),
    ] {
        stage.manage(action, new.clone()).await.unwrap();
        let fault = refused(stage.manage(action, new).await, FaultCode::ValidationError);
        assert!(fault.message().contains("has at most 2"), "{}", fault.message());
    }
}

#[tokio::test]
async fn an_authority_that_is_not_for_clients_is_not_taken_into_a_bundle() {
    let stage = Stage::new().await;
    let mut params = authority("servers");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let servers = Authority::of(params);
    for pem in [servers.pem(), [stage.root.pem(), servers.pem()].concat()] {
        let new = json!({ "name": "x", "source": source(&pem), "enabled": true });
        let fault =
            refused(stage.manage("CreateTrustAnchor", new).await, FaultCode::ValidationError);
        assert!(fault.message().contains("lacks clientAuth"), "{}", fault.message());
        let update = json!({ "trustAnchorId": stage.anchor_id(), "source": source(&pem) });
        refused(stage.manage("UpdateTrustAnchor", update).await, FaultCode::ValidationError);
    }
}

#[tokio::test]
async fn subjects_are_kept_as_long_as_there_is_room() {
    let mut stage = Stage::new().await;
    stage.bench.services.quotas.anywhere_subjects_per_account = 2;
    for name in ["one", "two", "three"] {
        let answer = stage.show(&stage.named(name)).await.unwrap();
        assert!(answer["subjectArn"].as_str().unwrap().contains(":subject/"));
    }
    assert_eq!(stage.subjects().await, ["CN=one", "CN=two"]);
    // Nobody stayed away for a day: who comes writes nothing.
    stage.bench.advance(3600);
    stage.show(&stage.named("two")).await.unwrap();
    stage.bench.advance(86_400 - 3601);
    let version = stage.version();
    let long = |name: &str| {
        let mut params = end_entity(name);
        params.not_after = at!(30 * 86_400);
        stage.root.issue(&params)
    };
    let untold = stage.show(&long("three")).await.unwrap();
    assert_eq!(stage.version(), version);
    stage.bench.advance(1);
    let told = stage.show(&long("three")).await.unwrap();
    assert_eq!(stage.subjects().await, ["CN=three", "CN=two"]);
    // Kept or not, it is one and the same.
    assert_eq!(told["subjectArn"], untold["subjectArn"]);
    let listed = stage.manage("ListSubjects", json!({})).await.unwrap();
    let listed = listed["subjects"].as_array().unwrap().clone();
    assert!(listed.iter().any(|it| it["subjectArn"] == told["subjectArn"]));
}

#[tokio::test]
async fn a_subject_is_written_once_an_hour_and_keeps_what_fits() {
    let stage = Stage::new().await;
    let party = stage.party();
    stage.show(&party).await.unwrap();
    let version = stage.version();
    for _ in 0..6 {
        stage.bench.advance(599);
        stage.show(&party).await.unwrap();
    }
    assert_eq!(stage.version(), version, "known, and shown within the hour");
    stage.bench.advance(6);
    stage.show(&party).await.unwrap();
    assert_eq!(stage.version(), version + 1);
    // Two certificates by turns: both are known, and only that they came is.
    let other = stage.party();
    let version = stage.version();
    for _ in 0..4 {
        stage.bench.advance(61);
        stage.show(&other).await.unwrap();
        stage.show(&party).await.unwrap();
    }
    assert_eq!(stage.version(), version + 1);
    // Large ones leave no room for ten.
    for serial in 1..=4_u8 {
        stage.bench.advance(61);
        let mut params = end_entity("app");
        params.serial_number = Some(SerialNumber::from_slice(&[serial]));
        params.custom_extensions.push(rcgen::CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 4, 1, 99_999, 1],
            [&[4, 0x82, 0x1f, 0x40][..], &[0; 8000]].concat(),
        ));
        stage.show(&stage.root.issue(&params)).await.unwrap();
    }
    let id =
        stage.manage("ListSubjects", json!({})).await.unwrap()["subjects"][0]["subjectId"].clone();
    let found = stage.manage("GetSubject", json!({ "subjectId": id })).await.unwrap();
    let kept = found["subject"]["credentials"].as_array().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0]["serialNumber"], "04");
}

/// A name that is not kept, as it is too long, gets what it gets.
#[tokio::test]
async fn a_name_that_is_too_long_is_not_kept() {
    let stage = Stage::new().await;
    let put = json!({ "profileId": stage.profile_id(), "certificateField": "x509Subject",
        "mappingRules": [{ "specifier": "OU" }] });
    stage.manage("PutAttributeMapping", put).await.unwrap();
    stage.show(&stage.named(&"n".repeat(1021))).await.unwrap();
    stage.show(&stage.named(&"m".repeat(1022))).await.unwrap();
    let kept = stage.subjects().await;
    assert_eq!((kept.len(), kept[0].len()), (1, 1024));
}

/// A store that holds what it was given, and takes nothing.
struct Full(std::sync::Mutex<Option<Contents>>);

impl DirectoryStore for Full {
    fn load(&self) -> Result<Contents, StoreError> {
        Ok(self.0.lock().unwrap().take().unwrap())
    }

    fn submit(&self, _: Batch) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        Err(StoreError::Unavailable("no room".to_owned()))
    }

    fn failures(&self) -> u64 {
        0
    }

    fn recover(&self) -> BoxFuture<'_, Result<Contents, StoreError>> {
        Box::pin(async { Err(StoreError::Unavailable("no room".to_owned())) })
    }
}

#[tokio::test]
async fn a_session_does_not_depend_on_what_is_kept_of_its_subject() {
    let mut stage = Stage::new().await;
    let there = stage.bench.services.directory.snapshot();
    let entities: Vec<Entity> = there.entities().collect();
    let contents = Contents { version: there.version(), entities };
    let full = Full(std::sync::Mutex::new(Some(contents)));
    stage.bench.services.directory = Arc::new(Directory::open(Box::new(full)).unwrap());
    let lost = || stage.bench.services.subjects_lost.get();
    let answer = stage.show(&stage.party()).await.unwrap();
    assert_eq!(lost(), 1);
    assert!(answer["subjectArn"].as_str().unwrap().contains(":subject/"));
    stage.bench.whoami(&credentials(&answer)).await.unwrap();
    // Who gets nothing, gets that answer.
    let mut body = stage.body();
    body["roleArn"] = format!("arn:aws:iam::{A}:role/other").into();
    refused(stage.ask(&stage.party(), body).await, FaultCode::AccessDenied);
    assert_eq!(lost(), 2);
    assert_eq!(stage.subjects().await, Vec::<String>::new());
}

/// INVARIANT (identity is by unique ID).
#[tokio::test]
async fn a_policy_made_again_under_its_arn_is_not_the_one_of_the_profile() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let arn = format!("arn:aws:iam::{A}:policy/bound");
    let create = |policy: String| async move {
        let new = [("PolicyName", "bound"), ("PolicyDocument", policy.as_str())];
        bench.call(&bench.a, "CreatePolicy", &new).await.unwrap();
    };
    create(allow(&["s3:*"])).await;
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    stage.update_profile(json!({ "managedPolicyArns": [arn, read_only] })).await;
    stage.session().await;
    bench.call(&bench.a, "DeletePolicy", &[("PolicyArn", &arn)]).await.unwrap();
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    create(allow(&["*"])).await;
    let fault = refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    assert!(fault.note().unwrap().contains("made again"), "{fault:?}");
    // Another change of the profile does not bring it back; naming it anew does.
    stage.update_profile(json!({ "durationSeconds": 900 })).await;
    refused(stage.show(&stage.party()).await, FaultCode::AccessDenied);
    stage.update_profile(json!({ "managedPolicyArns": [arn] })).await;
    stage.session().await;
}
