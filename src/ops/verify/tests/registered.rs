//! Questions about registered services: what is theirs, who may ask, what a body must show.

use std::sync::Arc;

use super::*;
use crate::api::{BatchAnswer, VerifyBatchRequest};
use crate::downstream::{
    Admission, BodyRule, CertificateNames, Registry, RouteSettings, Service, ServiceSettings,
};
use crate::ops::verify::{NotAdmitted, verify_batch};

fn settings() -> ServiceSettings {
    ServiceSettings {
        name: "orders".into(),
        hosts: vec![HOST.into()],
        account: A.into(),
        ..ServiceSettings::default()
    }
}

fn routes() -> Vec<RouteSettings> {
    let route = |method: &str, path: &str, action: &str| RouteSettings {
        method: method.into(),
        path: path.into(),
        action: action.into(),
        resource: "arn:aws:orders:::order/{id}".into(),
        body: None,
    };
    vec![
        route("GET", "/orders/{id}", "orders:GetOrder"),
        route("DELETE", "/orders/{id}", "orders:DeleteOrder"),
    ]
}

fn register(bench: &Bench, settings: &ServiceSettings, routes: &[RouteSettings]) {
    let service = Service::new(settings, routes).unwrap();
    bench.services.downstream.replace(Registry::new(vec![service]).unwrap());
}

/// What only a question about an unregistered service must say is left out.
fn bare(request: VerifyRequest) -> VerifyRequest {
    VerifyRequest { hosts: vec![], ..request }
}

async fn asked_by(
    bench: &Bench,
    asking: &Asking,
    request: &VerifyRequest,
) -> Result<Admission, VerifyError> {
    let facts = bench.facts();
    let answered =
        verify(&bench.services, &facts, bench.clock.monotonic(), asking, request).await?;
    assert!(answered.service.is_some());
    Ok(answered.admission)
}

#[tokio::test]
async fn the_registered_mapping_decides() {
    let bench = Bench::new().await;
    register(&bench, &settings(), &routes());
    let session = session(&bench).await;
    let question = bare(signed(&bench, &session, "/orders/42?x=1", b""));
    let allowed = ok(&bench, &question).await;
    assert_eq!(allowed.decision, Decision::Allow);
    assert!(allowed.reason.message.contains("orders:GetOrder on arn:aws:orders:::order/42"));

    let unmapped = ok(&bench, &bare(signed(&bench, &session, "/other", b""))).await;
    assert_eq!((unmapped.authenticated, unmapped.decision), (true, Decision::Deny));
    assert_eq!(unmapped.reason.code, "Unmapped");
    // What the policies allow elsewhere does not matter: the administrator is denied too.
    let unmapped = ok(&bench, &bare(signed(&bench, &bench.a, "/other", b""))).await;
    assert_eq!(unmapped.reason.code, "Unmapped");
}

#[tokio::test]
async fn a_resource_pattern_sees_what_the_path_names() {
    let bench = Bench::new().await;
    register(&bench, &settings(), &routes());
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":"orders:*","Resource":"arn:aws:orders:::order/4?"}]}"#;
    let user = bench.user(&bench.a, "narrow", policy).await;
    for (path, code) in [
        ("/orders/42", "Allowed"),
        ("/orders/420", "ImplicitDeny"),
        ("/orders/52", "ImplicitDeny"),
        ("/orders/%2A", "Unmapped"),
        ("/orders/4%3F", "Unmapped"),
    ] {
        let answer = ok(&bench, &bare(signed(&bench, &user, path, b""))).await;
        assert_eq!(answer.reason.code, code, "{path}");
    }
}

#[tokio::test]
async fn what_is_registered_may_not_be_contradicted() {
    let bench = Bench::new().await;
    let region = Some("eu-west-1".to_owned());
    register(&bench, &ServiceSettings { region, ..settings() }, &routes());
    let good = bare(signed(&bench, &bench.a, "/orders/42", b""));
    let same = VerifyRequest {
        hosts: vec![HOST.into()],
        region: Some("eu-west-1".into()),
        action: Some("orders:GetOrder".into()),
        resource: Some("arn:aws:orders:::order/42".into()),
        resource_account: Some(A.into()),
        ..good.clone()
    };
    assert_eq!(ok(&bench, &same).await.decision, Decision::Allow);
    for (field, question) in [
        ("hosts", VerifyRequest { hosts: vec!["other.example".into()], ..same.clone() }),
        ("region", VerifyRequest { region: Some("us-east-1".into()), ..same.clone() }),
        ("action", VerifyRequest { action: Some("orders:Peek".into()), ..same.clone() }),
        (
            "action",
            VerifyRequest { resource: Some("arn:aws:orders:::order/1".into()), ..same.clone() },
        ),
        ("resource_account", VerifyRequest { resource_account: Some(B.into()), ..same.clone() }),
    ] {
        match answer(&bench, &question).await {
            Err(VerifyError::Malformed(error)) => assert_eq!(error.field, field),
            other => panic!("{field}: {:?}", other.map(|answer| answer.decision)),
        }
    }
    // Signed for another region than the registered one.
    let elsewhere = Some("us-east-1".to_owned());
    register(&bench, &ServiceSettings { region: elsewhere, ..settings() }, &routes());
    assert_eq!(ok(&bench, &good).await.reason.code, "SignatureDoesNotMatch");
    // Of another host than the registered ones.
    let hosts = vec!["orders.internal".to_owned()];
    register(&bench, &ServiceSettings { hosts, ..settings() }, &routes());
    assert_eq!(ok(&bench, &good).await.reason.code, "HostNotServed");
}

#[tokio::test]
async fn without_a_mapping_the_asker_names_action_and_resource() {
    let bench = Bench::new().await;
    register(&bench, &settings(), &[]);
    let question = bare(signed(&bench, &bench.a, "/orders/42", b""));
    assert_eq!(ok(&bench, &question).await.decision, Decision::NotAsked);
    let asking = VerifyRequest {
        action: Some("orders:GetOrder".into()),
        resource: Some("arn:aws:orders:::order/42".into()),
        ..question
    };
    assert_eq!(ok(&bench, &asking).await.decision, Decision::Allow, "the owner is registered");
}

#[tokio::test]
async fn callers_of_accounts_that_are_not_served_are_refused() {
    let bench = Bench::new().await;
    register(&bench, &settings(), &routes());
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{B}"}},
        "Action":"orders:*","Resource":"*"}}]}}"#
    );
    let stranger = VerifyRequest {
        resource_policy: Some(policy),
        ..bare(signed(&bench, &bench.b, "/orders/42", b""))
    };
    let answer = ok(&bench, &stranger).await;
    assert_eq!(
        (answer.decision, answer.reason.code.as_str()),
        (Decision::Deny, "AccountNotServed")
    );
    let accounts = Some(vec!["*".to_owned()]);
    register(&bench, &ServiceSettings { accounts, ..settings() }, &routes());
    assert_eq!(ok(&bench, &stranger).await.decision, Decision::Allow);
    let without = VerifyRequest { resource_policy: None, ..stranger };
    assert_eq!(ok(&bench, &without).await.decision, Decision::Deny, "two accounts must agree");
}

#[tokio::test]
async fn a_body_that_was_not_shown_is_taken_only_by_a_registered_rule() {
    use BodyRule::{Checked, Ignored, Unsigned, Verified};
    let bench = Bench::new().await;
    let hash = data_encoding::HEXLOWER.encode(&sha256(b"body"));
    // Signed with a hash in a header, and without.
    let with_hash = bare(signed_with(&bench, &bench.a, "/orders/42", b"body", true));
    let without = bare(signed(&bench, &bench.a, "/orders/42", b"body"));
    let empty = bare(signed(&bench, &bench.a, "/orders/42", b""));
    for (rule, hashed, unhashed, bodiless) in [
        (Verified, "BodyUnverified", "BodyUnverified", "BodyUnverified"),
        (Checked, "Allowed", "BodyUnverified", "BodyUnverified"),
        (Unsigned, "Allowed", "BodyUnverified", "BodyUnverified"),
        (Ignored, "XAmzContentSHA256Mismatch", "SignatureDoesNotMatch", "Allowed"),
    ] {
        let mut routes = routes();
        routes[0].body = Some(rule);
        register(&bench, &settings(), &routes);
        for (question, code) in [(&with_hash, hashed), (&without, unhashed), (&empty, bodiless)] {
            let shown = ok(&bench, question).await;
            assert_eq!((shown.decision, shown.reason.code.as_str()), (Decision::Allow, "Allowed"));
            assert_eq!(shown.content_sha256.is_some(), rule == Checked);
            let hidden = ok(&bench, &VerifyRequest { body: None, ..question.clone() }).await;
            assert_eq!(hidden.reason.code, code, "{rule:?}");
            let told = (rule == Checked && code == "Allowed").then(|| hash.clone());
            assert_eq!(hidden.content_sha256, told);
        }
    }
}

#[tokio::test]
async fn only_this_host_asks_about_services_that_are_not_registered() {
    let bench = Bench::new().await;
    let question = signed(&bench, &bench.a, "/orders/42", b"");
    let refused = asked_by(&bench, &Asking::default(), &question).await.unwrap_err();
    assert!(matches!(refused, VerifyError::NotAdmitted(NotAdmitted::NotRegistered)));
    // A certificate that no service lists changes nothing.
    let names = CertificateNames { dns: vec!["orders.internal".into()], ..Default::default() };
    let remote = Asking { certificate: Some(Arc::new(names)), ..Asking::default() };
    let refused = asked_by(&bench, &remote, &question).await.unwrap_err();
    assert!(matches!(refused, VerifyError::NotAdmitted(NotAdmitted::NotRegistered)));
}

#[tokio::test]
async fn nobody_asks_about_the_brokers_own_services() {
    let bench = Bench::new().await;
    for service in ["sts", "iam", "IAM", "countersign", "organizations"] {
        let question = signed(&bench, &bench.a, "/orders/42", b"");
        let question = VerifyRequest { service: service.into(), ..question };
        assert!(matches!(answer(&bench, &question).await, Err(VerifyError::Malformed(_))));
    }
}

#[tokio::test]
async fn askers_are_those_that_the_service_lists() {
    let bench = Bench::new().await;
    let askers = Some(vec!["dns:orders.internal".to_owned()]);
    register(&bench, &ServiceSettings { askers, ..settings() }, &routes());
    let question = bare(signed(&bench, &bench.a, "/orders/42", b""));
    let of = |dns: &str| {
        let names = CertificateNames { dns: vec![dns.into()], ..Default::default() };
        Asking { certificate: Some(Arc::new(names)), ..Asking::default() }
    };
    let listed = asked_by(&bench, &of("orders.internal"), &question).await;
    assert_eq!(listed.unwrap(), Admission::Registered);
    let local = Asking { local: true, ..Asking::default() };
    for asking in [of("billing.internal"), local, Asking::default()] {
        let refused = asked_by(&bench, &asking, &question).await.unwrap_err();
        assert!(matches!(refused, VerifyError::NotAdmitted(NotAdmitted::NotListed)));
    }
}

#[tokio::test]
async fn principals_ask_by_signing_and_their_policies_have_a_say() {
    let bench = Bench::new().await;
    let own = |effect: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}",
            "Action":"countersign:Verify","Resource":"*"}}]}}"#
        )
    };
    let nothing = allow(&["orders:Nothing"]);
    let listed = bench.user(&bench.a, "verifier", &nothing).await;
    let denied = bench.user(&bench.a, "denied", &own("Deny")).await;
    let other = bench.user(&bench.a, "other", &own("Allow")).await;
    let askers = ["verifier", "denied", "ghost"];
    let askers = askers.iter().map(|name| format!("arn:aws:iam::{A}:user/{name}")).collect();
    register(&bench, &ServiceSettings { askers: Some(askers), ..settings() }, &routes());
    let question = bare(signed(&bench, &bench.a, "/orders/42", b""));
    for (who, admitted) in [(&listed, true), (&denied, false), (&other, false), (&bench.a, false)] {
        let caller = bench.verify(who, "GetCallerIdentity", &[]).await.unwrap();
        let asking = Asking::default().signed_by(caller);
        let result = asked_by(&bench, &asking, &question).await;
        assert_eq!(result.is_ok(), admitted, "{}", who.access_key_id);
    }
    // The directory is as it was: who is listed is not looked for again.
    let snapshot = bench.services.directory.snapshot();
    let service = bench.services.downstream.now().get(&settings().name).cloned().unwrap();
    let state = (snapshot.epoch(), snapshot.version());
    service.asker_policy().unwrap().at(state, &mut |arn| panic!("{arn} is looked for again"));
}

#[tokio::test]
async fn a_batch_is_answered_in_order() {
    let bench = Bench::new().await;
    register(&bench, &settings(), &routes());
    let good = bare(signed(&bench, &bench.a, "/orders/42", b""));
    let spoilt = VerifyRequest { uri: "/orders/43".into(), ..good.clone() };
    let senseless = VerifyRequest { region: Some(String::new()), ..good.clone() };
    let asking = Asking { local: true, ..Asking::default() };
    let (facts, now) = (bench.facts(), bench.clock.monotonic());
    let ask = async |questions: Vec<VerifyRequest>| {
        let batch = VerifyBatchRequest { questions };
        verify_batch(&bench.services, &facts, now, &asking, &batch).await
    };
    let answers = ask(vec![good.clone(), spoilt, senseless, good.clone()]).await.unwrap().answers;
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            BatchAnswer::Answer(answer) => answer.reason.code.as_str(),
            BatchAnswer::Error(error) => error.error.code.as_str(),
        })
        .collect();
    assert_eq!(codes, ["Allowed", "SignatureDoesNotMatch", "InvalidRequest", "Allowed"]);
    assert!(ask(vec![]).await.is_err());
    assert!(ask(vec![good.clone(); 101]).await.is_err());
    assert!(ask(vec![good; 100]).await.is_ok());
}

/// A copy from `source` to `dst/k`, signed now.
fn copy(bench: &Bench, who: &Credentials, source: &str) -> VerifyRequest {
    let signer = Signer {
        access_key_id: &who.access_key_id,
        secret: &who.secret,
        session_token: who.token.as_deref(),
        region: "eu-west-1",
        service: "s3",
        uri: UriRules::S3,
        content_sha256: true,
    };
    let sent = [("host", "s3.example"), ("x-amz-copy-source", source)];
    let bytes = sent.map(|(name, value)| (name, value.as_bytes()));
    let head = RequestHead { method: "PUT", target: "/dst/k", headers: &bytes };
    let added = signer.sign(&head, b"", bench.clock.now()).unwrap();
    let mut headers = sent.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    VerifyRequest {
        method: "PUT".into(),
        service: "s3".into(),
        headers,
        ..bare(signed(bench, who, "/dst/k", b""))
    }
}

#[tokio::test]
async fn what_is_said_of_a_copys_destination_is_not_said_of_its_source() {
    let bench = Bench::new().await;
    let s3 = ServiceSettings {
        name: "s3".into(),
        hosts: vec!["s3.example".into()],
        mapping: Some(crate::downstream::BuiltIn::S3),
        ..settings()
    };
    register(&bench, &s3, &[]);
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["s3:PutObject","s3:PutObjectTagging"],
         "Resource":"arn:aws:s3:::dst/*"},
        {"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectTagging"],"Resource":"*",
         "Condition":{"StringEquals":{"s3:ExistingObjectTag/public":"yes"}}}]}"#;
    let user = bench.user(&bench.a, "copier", policy).await;
    let tags = || {
        let yes = OneOrMany::One("yes".to_owned());
        BTreeMap::from([("s3:ExistingObjectTag/public".to_owned(), yes)])
    };
    // The destination's tag says nothing of the source, in whichever bucket.
    for source in ["src/secret", "dst/secret"] {
        let question = VerifyRequest { context: tags(), ..copy(&bench, &user, source) };
        let answer = ok(&bench, &question).await;
        assert_eq!(answer.reason.code, "ImplicitDeny", "{source}");
    }
    let itself = VerifyRequest { context: tags(), ..copy(&bench, &user, "dst/k") };
    assert_eq!(ok(&bench, &itself).await.decision, Decision::Allow);

    // Nor does the destination's policy, of another bucket's object.
    let resource_policy = Some(format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{A}"}},
            "Action":"s3:*","Resource":"*"}}]}}"#
    ));
    let question = |source: &str| VerifyRequest {
        resource_policy: resource_policy.clone(),
        ..copy(&bench, &bench.a, source)
    };
    assert_eq!(ok(&bench, &question("dst/other")).await.decision, Decision::Allow);
    let across = ok(&bench, &question("src/secret")).await;
    assert_eq!(
        (across.decision, across.reason.code.as_str()),
        (Decision::Deny, "SourcePolicyUnknown")
    );
    let without = copy(&bench, &bench.a, "src/secret");
    assert_eq!(ok(&bench, &without).await.decision, Decision::Allow);
}

/// A source's version is a key of what reads it, and of nothing else.
#[tokio::test]
async fn a_copy_may_be_limited_to_a_version_of_its_source() {
    let bench = Bench::new().await;
    let s3 = ServiceSettings {
        name: "s3".into(),
        hosts: vec!["s3.example".into()],
        mapping: Some(crate::downstream::BuiltIn::S3),
        ..settings()
    };
    register(&bench, &s3, &[]);
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["s3:PutObject","s3:PutObjectTagging"],"Resource":"*",
         "Condition":{"Null":{"s3:VersionId":"true"}}},
        {"Effect":"Allow","Action":["s3:GetObjectVersion","s3:GetObjectVersionTagging"],
         "Resource":"*","Condition":{"StringEquals":{"s3:VersionId":"AAA"}}}]}"#;
    let user = bench.user(&bench.a, "copier", policy).await;
    for (source, expected) in [
        ("src/k?versionId=AAA", "Allowed"),
        ("src/k?versionId=BBB", "ImplicitDeny"),
        ("src/k", "ImplicitDeny"),
    ] {
        let answer = ok(&bench, &copy(&bench, &user, source)).await;
        assert_eq!(answer.reason.code, expected, "{source}");
    }
}
