//! What was tried to get a wrong allow, a late revocation or a key, and what comes of it.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::api::Material;
use crate::authn::{Caller, Expectation};
use crate::ops::testing::B;
use crate::ops::{Context, Services, catalog};
use crate::sigv4::Rules;
use crate::wire::query::{Form, Params};

impl Inside {
    async fn material(&self, signed: &Signed) -> Option<Material> {
        self.grant(signed).await.material
    }

    async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        self.bench.call(&self.bench.a, action, parameters).await.unwrap()
    }

    /// A role of account A, and a session of it that lasts a quarter of an hour.
    async fn session(&self, policy: &str) -> Credentials {
        let role = self.bench.role(&self.bench.a, "r", &trusting(&[A]), policy).await;
        let name = ("RoleSessionName", "monday");
        let ask = [("RoleArn", role.as_str()), name, ("DurationSeconds", "900")];
        Credentials::of_answer(&self.call("AssumeRole", &ask).await)
    }

    /// What is decided here; that it has not been confirmed lately does not matter.
    fn decided(&self, signed: &Signed) -> Option<Result<Verified, Refused>> {
        match self.check_with(signed, None, Connection::default(), true) {
            Outcome::Decided(answer) => Some(answer.map(|verified| *verified)),
            Outcome::Ask(_) => None,
        }
    }

    /// An asker that signs its questions.
    async fn signing(&self, who: &Credentials) -> broker::Asking {
        let now = self.bench.clock.now();
        let signer = Signer {
            access_key_id: &who.access_key_id,
            secret: &who.secret,
            session_token: who.token.as_deref(),
            region: "eu-west-1",
            service: "countersign",
            uri: UriRules::Standard,
            content_sha256: false,
        };
        let mut headers = vec![("host", b"broker".as_slice())];
        let head = RequestHead { method: "GET", target: "/v1/changes", headers: &headers };
        let added = signer.sign(&head, b"", now).unwrap();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let head = RequestHead { method: "GET", target: "/v1/changes", headers: &headers };
        let expectation = Expectation {
            service: "countersign",
            region: None,
            rules: Rules::new(UriRules::Standard, now),
            monotonic: self.bench.clock.monotonic(),
        };
        let authenticator = &self.bench.services.authenticator;
        let caller = authenticator.authenticate(&head, Body::Bytes(b""), &expectation).await;
        let asking = broker::Asking { confidential: true, ..broker::Asking::default() };
        asking.signed_by(caller.unwrap())
    }
}

fn code(answer: Option<Result<Verified, Refused>>) -> String {
    match answer {
        None => "asked".to_owned(),
        Some(Ok(_)) => "allowed".to_owned(),
        Some(Err(refused)) => refused.code().to_owned(),
    }
}

#[tokio::test]
async fn the_key_of_a_caller_who_is_not_served_stays_with_the_broker() {
    let inside = Inside::new(&routes()).await;
    let signed = inside.get(&inside.bench.b);
    let grant = inside.grant(&signed).await;
    assert_eq!(grant.answer.reason.code, "AccountNotServed");
    assert!(grant.material.is_none());
    let accounts = Some(vec![A.to_owned(), B.to_owned()]);
    inside.register(&ServiceSettings { accounts, ..settings() }, &routes());
    assert!(inside.material(&signed).await.is_some());
}

#[tokio::test]
async fn a_confirmation_is_not_handed_on_as_a_new_one() {
    let inside = Inside::new(&routes()).await;
    let session = inside.session(&allow(&["orders:*"])).await;
    let request = inside.get(&session);
    for (seconds, left) in [(0, 60_000), (45, 15_000), (15, 60_000), (59, 1_000)] {
        inside.bench.advance(seconds);
        let material = inside.material(&request).await.unwrap();
        assert_eq!(material.confirm_every, left, "after {seconds} s more");
    }
    // A key of the directory needs none: the feed tells.
    let own = inside.material(&inside.get(&inside.bench.a)).await.unwrap();
    assert_eq!(own.confirm_every, 60_000);
}

#[tokio::test]
async fn a_client_chooses_no_region() {
    let inside = Inside::new(&routes()).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"orders:*",
        "Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}"#;
    let alice = inside.bench.user(&inside.bench.a, "alice", policy).await;
    for (region, expected) in [(None, "ImplicitDeny"), (Some("eu-west-1"), "Allowed")] {
        let region = region.map(str::to_owned);
        inside.register(&ServiceSettings { region, ..settings() }, &routes());
        inside.sync().unwrap();
        let request = inside.get(&alice);
        let grant = inside.grant(&request).await;
        assert_eq!(grant.answer.reason.code, expected);
        assert!(inside.warm(&request).await);
        let here = code(inside.here(&request));
        assert_eq!(here, if expected == "Allowed" { "allowed" } else { expected });
    }
}

#[tokio::test]
async fn the_age_of_a_signature_is_a_key_of_s3() {
    let settings = ServiceSettings {
        name: "s3".into(),
        mapping: Some(crate::downstream::BuiltIn::S3),
        ..settings()
    };
    let inside = Inside::of("s3", &settings, &[]).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Effect":"Deny","Action":"s3:*","Resource":"*",
         "Condition":{"NumericGreaterThan":{"s3:signatureAge":"600000"}}}]}"#;
    let alice = inside.bench.user(&inside.bench.a, "alice", policy).await;
    inside.sync().unwrap();
    let request = inside.sign(&alice, "GET", "/bucket/key", b"");
    assert!(inside.warm(&request).await);
    inside.bench.advance(600);
    inside.sync().unwrap();
    assert!(inside.warm(&request).await);
    assert_eq!(code(inside.decided(&request)), "allowed");
    assert_eq!(inside.grant(&request).await.answer.reason.code, "Allowed");
    inside.bench.advance(1);
    assert_eq!(code(inside.decided(&request)), "ExplicitDeny");
    assert_eq!(inside.grant(&request).await.answer.reason.code, "ExplicitDeny");
}

/// A presigned request names no payload mode, and is unsigned all the same.
#[tokio::test]
async fn the_payload_mode_that_was_verified_is_a_key_of_s3() {
    let settings = ServiceSettings {
        name: "s3".into(),
        mapping: Some(crate::downstream::BuiltIn::S3),
        body: crate::downstream::BodyRule::Unsigned,
        ..settings()
    };
    let inside = Inside::of("s3", &settings, &[]).await;
    let statement = |operator: &str, key: &str, value: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"s3:*","Resource":"*"}},
            {{"Effect":"Deny","Action":"s3:*","Resource":"*",
              "Condition":{{"{operator}":{{"{key}":"{value}"}}}}}}]}}"#
        )
    };
    let mode = "s3:x-amz-content-sha256";
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(b"body"));
    for (name, policy, signed, presigned) in [
        ("a", statement("StringEquals", mode, "UNSIGNED-PAYLOAD"), "allowed", "ExplicitDeny"),
        ("b", statement("StringNotEquals", mode, "UNSIGNED-PAYLOAD"), "ExplicitDeny", "allowed"),
        ("c", statement("StringEquals", mode, &hash), "ExplicitDeny", "allowed"),
        ("d", statement("Null", mode, "true"), "allowed", "allowed"),
        ("e", statement("StringEquals", "s3:ResourceAccount", A), "ExplicitDeny", "ExplicitDeny"),
        ("f", statement("StringEquals", "s3:ResourceAccount", B), "allowed", "allowed"),
    ] {
        let user = inside.bench.user(&inside.bench.a, name, &policy).await;
        inside.sync().unwrap();
        let by_header = inside.sign(&user, "PUT", "/bucket/key", b"body");
        let in_query = inside.presign(&user, "PUT", "/bucket/key", b"body");
        assert!(in_query.headers.iter().all(|(name, _)| name == "host"));
        assert!(inside.warm(&by_header).await);
        for (request, expected) in [(by_header, signed), (in_query, presigned)] {
            assert_eq!(code(inside.decided(&request)), expected, "{policy}");
            let word = if expected == "allowed" { "Allowed" } else { expected };
            assert_eq!(inside.grant(&request).await.answer.reason.code, word, "{policy}");
        }
    }
}

#[tokio::test]
async fn the_version_that_is_read_is_a_key_of_s3() {
    let settings = ServiceSettings {
        name: "s3".into(),
        mapping: Some(crate::downstream::BuiltIn::S3),
        ..settings()
    };
    let inside = Inside::of("s3", &settings, &[]).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Effect":"Deny","Action":"s3:*","Resource":"*",
         "Condition":{"StringEquals":{"s3:VersionId":"AAA"}}}]}"#;
    let alice = inside.bench.user(&inside.bench.a, "alice", policy).await;
    inside.sync().unwrap();
    assert!(inside.warm(&inside.sign(&alice, "GET", "/bucket/key", b"")).await);
    for (target, expected) in [
        ("/bucket/key", "allowed"),
        ("/bucket/key?versionId=AAA", "ExplicitDeny"),
        ("/bucket/key?versionId=AAB", "allowed"),
    ] {
        let request = inside.sign(&alice, "GET", target, b"");
        assert_eq!(code(inside.decided(&request)), expected, "{target}");
        let word = if expected == "allowed" { "Allowed" } else { expected };
        assert_eq!(inside.grant(&request).await.answer.reason.code, word, "{target}");
    }
}

#[tokio::test]
async fn a_forged_request_is_no_question_whatever_has_to_be_confirmed() {
    let inside = Inside::new(&routes()).await;
    let session = inside.session(&allow(&["orders:GetOrder"])).await;
    inside.sync().unwrap();
    let request = inside.get(&session);
    let forged = || Signed { target: "/orders/7".into(), ..inside.get(&session) };
    assert!(inside.warm(&request).await);
    inside.bench.advance(60);
    inside.sync().unwrap();
    assert_eq!(code(inside.here(&forged())), "SignatureDoesNotMatch");
    let put = inside.sign(&session, "PUT", "/orders/42", b"");
    assert_eq!(code(inside.here(&put)), "ImplicitDeny", "a refusal needs no confirmation");
    assert_eq!(code(inside.here(&inside.get(&session))), "asked", "an allow does");

    // What only the broker decides: its questions are for those who hold the key.
    let inside = Inside::new(&[]).await;
    let alice = reader(&inside).await;
    inside.sync().unwrap();
    let deed = |policy: Option<&str>| Deed {
        action: "orders:GetOrder".into(),
        resource: "arn:aws:orders:::order/42".into(),
        resource_policy: policy.map(str::to_owned),
        ..Deed::default()
    };
    let check = |signed: &Signed, deed: &Deed| match inside.check_with(
        signed,
        Some(deed),
        Connection::default(),
        false,
    ) {
        Outcome::Decided(answer) => code(Some(answer.map(|verified| *verified))),
        Outcome::Ask(_) => "asked".to_owned(),
    };
    let good = inside.get(&alice);
    assert!(inside.warm_with(&good, &deed(None), Connection::default()).await);
    assert_eq!(check(&good, &deed(None)), "allowed");
    assert_eq!(check(&good, &deed(Some("{}"))), "asked");
    let forged = Signed { target: "/orders/7".into(), ..inside.get(&alice) };
    assert_eq!(check(&forged, &deed(Some("{}"))), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_credential_that_was_just_refused_is_not_asked_about_again_for_a_moment() {
    let inside = Inside::new(&routes()).await;
    let (alice, now) = (reader(&inside).await, || inside.bench.clock.monotonic());
    inside.sync().unwrap();
    let request = inside.get(&alice);
    let refused = Refused::unauthenticated("InvalidClientTokenId", "Unknown.");
    inside.local.refuse(&inside.asking(&request), &refused, now());
    assert_eq!(inside.here(&request).unwrap().unwrap_err(), refused);
    assert_eq!(code(inside.here(&inside.get(&inside.bench.a))), "asked", "another credential");
    // For a moment.
    inside.bench.advance(1);
    assert_eq!(code(inside.here(&request)), "asked");
    // Not past a change of the directory: the key may have come with it.
    inside.local.refuse(&inside.asking(&request), &refused, now());
    let late = inside.asking(&inside.get(&inside.bench.a));
    inside.call("CreateGroup", &[("GroupName", "g")]).await;
    inside.sync().unwrap();
    assert_eq!(code(inside.here(&request)), "asked");
    // Nor is an answer from before it kept.
    inside.local.refuse(&late, &refused, now());
    assert_eq!(code(inside.here(&inside.get(&inside.bench.a))), "asked");
    // When nothing is proven, the broker is asked.
    inside.local.refuse(&inside.asking(&request), &refused, now());
    assert_eq!(code(inside.here(&request)), "InvalidClientTokenId");
    inside.bench.advance(60);
    assert_eq!(code(inside.here(&request)), "asked");
}

#[tokio::test]
async fn a_slow_clock_makes_no_session_last_longer() {
    let inside = Inside::new(&routes()).await;
    let session = inside.session(&allow(&["orders:*"])).await;
    inside.sync().unwrap();
    assert!(inside.warm(&inside.get(&session)).await);
    let at = |slow: i64| {
        let now = inside.bench.clock.now().plus_secs(-slow);
        let request = inside.get(&session);
        match inside.check_at(now, &request, None, Connection::default(), true) {
            Outcome::Decided(answer) => code(Some(answer.map(|verified| *verified))),
            Outcome::Ask(_) => "asked".to_owned(),
        }
    };
    inside.bench.advance(899);
    inside.sync().unwrap();
    assert!(inside.warm(&inside.get(&session)).await);
    assert_eq!((at(0), at(600)), ("allowed".into(), "allowed".into()));
    inside.bench.advance(1);
    assert_eq!((at(0), at(600)), ("ExpiredToken".into(), "ExpiredToken".into()));
}

#[tokio::test]
async fn a_machine_that_has_slept_asks_what_has_changed() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    inside.sync().unwrap();
    let request = inside.get(&alice);
    assert!(inside.warm(&request).await);
    // The monotonic clock stands still while a machine sleeps.
    for (slept, expected) in [(0, "allowed"), (59, "allowed"), (60, "asked"), (-3600, "allowed")] {
        let now = inside.bench.clock.now().plus_secs(slept);
        let code = match inside.check_at(now, &request, None, Connection::default(), true) {
            Outcome::Decided(answer) => code(Some(answer.map(|verified| *verified))),
            Outcome::Ask(_) => "asked".to_owned(),
        };
        assert_eq!(code, expected, "{slept}");
    }
}

#[tokio::test]
async fn what_a_principal_is_touched_by_indirectly_ends_its_entry() {
    let inside = Inside::new(&routes()).await;
    let all = allow(&["*"]);
    let alice = reader(&inside).await;
    let arn = |name: &str| format!("arn:aws:iam::{A}:policy/{name}");
    let (managed, limit) = (arn("managed"), arn("limit"));
    for name in ["managed", "limit"] {
        let create = [("PolicyName", name), ("PolicyDocument", all.as_str())];
        inside.call("CreatePolicy", &create).await;
    }
    inside.call("CreateGroup", &[("GroupName", "g")]).await;
    let (user, group) = (("UserName", "alice"), ("GroupName", "g"));
    let text = ("PolicyDocument", all.as_str());
    let changes: &[(&str, &[(&str, &str)])] = &[
        ("AddUserToGroup", &[user, group]),
        ("PutGroupPolicy", &[group, ("PolicyName", "p"), text]),
        ("AttachGroupPolicy", &[group, ("PolicyArn", &managed)]),
        ("CreatePolicyVersion", &[("PolicyArn", &managed), text, ("SetAsDefault", "true")]),
        ("SetDefaultPolicyVersion", &[("PolicyArn", &managed), ("VersionId", "v1")]),
        ("DetachGroupPolicy", &[group, ("PolicyArn", &managed)]),
        ("RemoveUserFromGroup", &[user, group]),
        ("PutUserPermissionsBoundary", &[user, ("PermissionsBoundary", &limit)]),
        ("CreatePolicyVersion", &[("PolicyArn", &limit), text, ("SetAsDefault", "true")]),
        ("DeleteUserPermissionsBoundary", &[user]),
        ("TagUser", &[user, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "a")]),
    ];
    for (at, (action, parameters)) in changes.iter().enumerate() {
        let other = inside.bench.user(&inside.bench.a, &format!("other{at}"), &all).await;
        let other = inside.get(&other);
        inside.sync().unwrap();
        let request = inside.get(&alice);
        assert!(inside.warm(&request).await, "before {action}");
        assert!(inside.here(&request).is_some(), "before {action}");
        // An answer from before the change, that comes after it.
        let asking = inside.asking(&other);
        let mut early = inside.grant(&other).await;
        inside.call(action, parameters).await;
        inside.sync().unwrap();
        assert!(inside.here(&request).is_none(), "{action}");
        // It is kept only if the change cannot have been about it.
        let kept = inside.local.keep(&asking, &mut early, inside.bench.clock.monotonic());
        let named = ["AddUserToGroup", "RemoveUserFromGroup", "TagUser"].contains(action)
            || action.contains("Boundary");
        assert_eq!(kept, named, "{action}");
    }
}

/// Runs an operation of a caller that was verified before.
async fn run(services: &Services, inside: &crate::ops::Facts, by: &Caller, what: &Operation<'_>) {
    let row = catalog::find(what.0, None).unwrap();
    let mut form = form_urlencoded::Serializer::new(format!("Action={}", what.0));
    form.extend_pairs(what.1);
    let body = form.finish();
    let kind = Some("application/x-www-form-urlencoded; charset=utf-8");
    let params =
        Params::parse(None, Some(Form { content_type: kind, body: body.as_bytes() })).unwrap();
    let context = Context { services, caller: by, facts: inside, batch: None };
    (row.run)(&context, &params).await.map(drop).unwrap();
}

type Operation<'o> = (&'o str, &'o [(&'o str, &'o str)]);

#[tokio::test]
async fn an_asker_that_is_no_more_one_loses_its_feed_at_once_and_hears_nothing_more() {
    let arn = format!("arn:aws:iam::{A}:user/verifier");
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny",
        "Action":"countersign:Verify","Resource":"*"}]}"#;
    for case in 0..6 {
        let inside = Inside::new(&routes()).await;
        inside.register(&ServiceSettings { askers: Some(vec![arn.clone()]), ..settings() }, &[]);
        let who = inside.bench.user(&inside.bench.a, "verifier", &allow(&["orders:None"])).await;
        let (asking, facts) = (inside.signing(&who).await, inside.bench.facts());
        let admin = inside.bench.verify(&inside.bench.a, "GetCallerIdentity", &[]).await.unwrap();
        let services = Arc::new(inside.bench.services);
        let service = services.downstream.now().get("orders").cloned().unwrap();
        let reader = Reader { after: None, epoch: None, deployment: None };
        asking.admit_keeper(&facts, &service).expect("an asker");
        let mut feed = Feeds::open(&services, &service, &reader, asking, &facts).unwrap();
        // What happens to others is told.
        let bystander: Operation<'_> = ("CreateUser", &[("UserName", "bystander")]);
        run(&services, &facts, &admin, &bystander).await;
        let mut told = 0;
        while told == 0 {
            let line: serde_json::Value =
                serde_json::from_slice(&feed.recv().await.expect("it is open")).unwrap();
            told = line["touched"].as_array().map_or(0, Vec::len);
        }
        let user = ("UserName", "verifier");
        let key = ("AccessKeyId", who.access_key_id.as_str());
        let change: Operation<'_> = match case {
            0 => ("UpdateAccessKey", &[user, key, ("Status", "Inactive")]),
            1 => ("DeleteAccessKey", &[user, key]),
            2 => {
                let put = [user, ("PolicyName", "no"), ("PolicyDocument", deny)];
                ("PutUserPolicy", Box::leak(Box::new(put)))
            }
            3 => ("UpdateUser", &[user, ("NewUserName", "somebody")]),
            // The operator's word is heard with the next heartbeat.
            4 => {
                services.downstream.replace(Registry::default());
                ("GetUser", &[user])
            }
            _ => ("CreateUser", &[("UserName", "another")]),
        };
        run(&services, &facts, &admin, &change).await;
        let mut news = 0;
        let end = async {
            while let Some(line) = feed.recv().await {
                let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
                news += usize::from(line["after"] != line["version"]);
            }
        };
        let ended = tokio::time::timeout(Duration::from_millis(1500), end).await.is_ok();
        assert_eq!((ended, news), if case == 5 { (false, 1) } else { (true, 0) }, "case {case}");
    }
}

#[tokio::test]
async fn a_feed_ends_with_the_session_that_opened_it() {
    let role = format!("arn:aws:iam::{A}:role/r");
    let inside = Inside::new(&routes()).await;
    inside.register(&ServiceSettings { askers: Some(vec![role]), ..settings() }, &[]);
    let session = inside.session(&allow(&["orders:None"])).await;
    let (asking, facts) = (inside.signing(&session).await, inside.bench.facts());
    let (services, clock) = (Arc::new(inside.bench.services), inside.bench.clock);
    let service = services.downstream.now().get("orders").cloned().unwrap();
    let reader = Reader { after: None, epoch: None, deployment: None };
    let mut feed = Feeds::open(&services, &service, &reader, asking, &facts).unwrap();
    assert!(feed.recv().await.is_some());
    clock.advance(Duration::from_mins(15));
    let end = async { while feed.recv().await.is_some() {} };
    tokio::time::timeout(Duration::from_millis(1500), end).await.expect("it ends");
}

#[tokio::test]
async fn one_service_leaves_feeds_for_the_others() {
    let inside = Inside::new(&routes()).await;
    let bills = ServiceSettings { name: "bills".into(), ..settings() };
    let both = [Service::new(&settings(), &[]).unwrap(), Service::new(&bills, &[]).unwrap()];
    inside.bench.services.downstream.replace(Registry::new(both.into()).unwrap());
    let facts = inside.bench.facts();
    let services = Arc::new(inside.bench.services);
    let open = |name: &str| {
        let service = services.downstream.now().get(name).cloned().unwrap();
        let reader = Reader { after: None, epoch: None, deployment: None };
        Feeds::open(&services, &service, &reader, verifier(), &facts)
    };
    let mut feeds = Vec::new();
    while let Ok(feed) = open("orders") {
        feeds.push(feed);
        assert!(feeds.len() <= 128);
    }
    assert_eq!(feeds.len(), 128);
    assert!(open("bills").is_ok());
}
