//! What ends an entry: silence, news, new settings, its expiry, and that nobody confirms it.

use super::*;

#[tokio::test]
async fn it_starts_expired_and_silence_ends_all_that_is_kept() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    inside.sync().unwrap();
    let request = inside.get(&alice);
    assert!(inside.warm(&request).await);

    let untold = Local::new("orders", Settings::default());
    assert!(!untold.is_fresh(inside.bench.clock.monotonic()));

    inside.bench.advance(59);
    assert!(inside.held(&request));
    // Lines that come without being asked for prove nothing.
    let position = inside.local.position().unwrap();
    let at = position.version;
    let heartbeat = FeedLine { after: at, version: at, touched: vec![], all: false };
    assert_eq!(inside.local.line(&heartbeat), Ok(Applied::Joined));
    inside.bench.advance(1);
    assert!(!inside.held(&request), "silent for a minute");
    assert!(!inside.held(&inside.sign(&alice, "PUT", "/orders/42", b"")));
    inside.sync().unwrap();
    assert!(inside.held(&request));
    assert!(inside.warm(&request).await);
    // A proof of a version that is not known here is none.
    inside.bench.advance(60);
    let clock = &inside.bench.clock;
    let proves = |of: &Position| inside.local.prove(of, clock.monotonic(), clock.now());
    proves(&Position { version: at + 1, ..position.clone() });
    assert!(!inside.held(&request));
    // Nor is one of another epoch or deployment, whatever its version.
    proves(&Position { epoch: position.epoch + 1, ..position.clone() });
    proves(&Position { deployment: "other".into(), version: 0, ..position.clone() });
    assert!(!inside.held(&request));
    proves(&position);
    assert!(inside.held(&request));
}

#[tokio::test]
async fn a_change_of_anything_that_an_entry_depends_on_ends_it() {
    let inside = Inside::new(&routes()).await;
    let bench = &inside.bench;
    let all = allow(&["*"]);
    let alice = bench.user(&bench.a, "alice", &all).await;
    let role = bench.role(&bench.a, "first", &trusting(&[A]), &all).await;
    let behind = bench.role(&bench.a, "second", &trusting(&[A]), &all).await;
    let first = bench.assume(&alice, &role, "monday").await.unwrap();
    let second = bench.assume(&first, &behind, "tuesday").await.unwrap();
    bench.user(&bench.a, "bystander", &all).await;
    inside.sync().unwrap();
    let request = inside.get(&second);
    let put = |who: &'static str, name: &'static str, kind: &'static str| {
        let all = all.clone();
        async move {
            let action = if kind == "user" { "PutUserPolicy" } else { "PutRolePolicy" };
            let field = if kind == "user" { "UserName" } else { "RoleName" };
            let put = [(field, who), ("PolicyName", name), ("PolicyDocument", all.as_str())];
            bench.call(&bench.a, action, &put).await.unwrap();
        }
    };
    assert!(inside.warm(&request).await);

    // What it does not depend on changes nothing.
    put("bystander", "more", "user").await;
    assert_eq!(inside.sync(), Ok(Applied::Joined));
    assert!(inside.here(&request).is_some());

    // Each of these is something that it depends on.
    put("second", "more", "role").await;
    inside.sync().unwrap();
    assert!(inside.here(&request).is_none(), "its role's policies");
    assert!(inside.warm(&request).await);
    put("first", "more", "role").await;
    inside.sync().unwrap();
    assert!(inside.here(&request).is_none(), "an ancestor's role");
    assert!(inside.warm(&request).await);
    put("alice", "more", "user").await;
    inside.sync().unwrap();
    assert!(inside.here(&request).is_none(), "an ancestor's user");
    assert!(inside.warm(&request).await);

    let target = RevocationTarget::Session(first.access_key_id.clone());
    bench.revoke(&bench.a, target).await.unwrap();
    inside.sync().unwrap();
    let asking = inside.asking(&request);
    let question = inside.question(&request, None, true);
    let mut grant = inside.ask_as(&verifier(), &question).await.unwrap();
    assert!(!grant.answer.authenticated && grant.material.is_none());
    assert!(!inside.local.keep(&asking, &mut grant, bench.clock.monotonic()));

    // A key that is made inactive.
    let own = inside.get(&alice);
    assert!(inside.warm(&own).await);
    let id = alice.access_key_id.as_str();
    let update = [("UserName", "alice"), ("AccessKeyId", id), ("Status", "Inactive")];
    bench.call(&bench.a, "UpdateAccessKey", &update).await.unwrap();
    inside.sync().unwrap();
    assert!(inside.here(&own).is_none());
}

#[tokio::test]
async fn an_answer_that_the_feed_has_overtaken_is_not_kept() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    inside.sync().unwrap();
    let request = inside.get(&alice);
    let asking = inside.asking(&request);
    let mut about_alice = inside.grant(&request).await;
    let mut about_others = inside.grant(&request).await;
    let now = inside.bench.clock.monotonic();

    inside.bench.user(&inside.bench.a, "bystander", &allow(&["*"])).await;
    inside.sync().unwrap();
    assert!(inside.local.keep(&asking, &mut about_others, now), "nothing of it has changed");
    let denied = allow(&["orders:Nothing"]);
    let put = [("UserName", "alice"), ("PolicyName", "own"), ("PolicyDocument", denied.as_str())];
    inside.bench.call(&inside.bench.a, "PutUserPolicy", &put).await.unwrap();
    inside.sync().unwrap();
    assert!(!inside.local.keep(&asking, &mut about_alice, now), "its policy has changed");
    assert!(inside.here(&request).is_none());
}

#[tokio::test]
async fn news_that_do_not_join_void_everything() {
    let line = |after, version| FeedLine { after, version, touched: vec![], all: false };
    for case in 0..5 {
        let inside = Inside::new(&routes()).await;
        let alice = reader(&inside).await;
        inside.sync().unwrap();
        let request = inside.get(&alice);
        assert!(inside.warm(&request).await);
        assert!(inside.here(&request).is_some());
        let at = inside.local.position().unwrap();
        let lines = inside.lines();
        let mut head: FeedHead = serde_json::from_slice(&lines[0]).unwrap();
        let applied = match case {
            0 => inside.local.line(&line(at.version + 1, at.version + 2)).unwrap(),
            1 => {
                let all = FeedLine { all: true, ..line(at.version, at.version + 1) };
                inside.local.line(&all).unwrap()
            }
            2 => {
                head.at.epoch += 1;
                inside.local.begin(&head).unwrap()
            }
            3 => {
                head.at.deployment = "another".into();
                inside.local.begin(&head).unwrap()
            }
            _ => {
                head.gap = true;
                inside.local.begin(&head).unwrap()
            }
        };
        assert_eq!(applied, Applied::Reset, "case {case}");
        assert!(inside.here(&request).is_none(), "case {case}");
        let now = inside.bench.clock.monotonic();
        assert!(!inside.local.is_fresh(now), "what counts has to be proven anew: case {case}");
    }
}

#[tokio::test]
async fn new_settings_of_the_service_void_everything_and_are_held_to() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    inside.sync().unwrap();
    let request = inside.get(&alice);
    assert!(inside.warm(&request).await);
    let hosts = vec!["new.example".to_owned()];
    inside.register(&ServiceSettings { hosts, ..settings() }, &routes());
    assert_eq!(inside.sync(), Ok(Applied::Reset));
    assert_eq!(inside.here(&request).unwrap().unwrap_err().code(), "HostNotServed");

    // Settings that are not understood serve nobody from here.
    let lines = inside.lines();
    let mut head: FeedHead = serde_json::from_slice(&lines[0]).unwrap();
    head.service["from_the_future"] = true.into();
    assert_eq!(inside.local.begin(&head), Err(NewsError::Registration));
    assert!(inside.here(&request).is_none());
    let mut head: FeedHead = serde_json::from_slice(&lines[0]).unwrap();
    head.service["name"] = "bills".into();
    assert_eq!(inside.local.begin(&head), Err(NewsError::OtherService));
}

#[tokio::test]
async fn expiry_and_confirmation_are_kept_at_every_use() {
    let inside = Inside::new(&routes()).await;
    let bench = &inside.bench;
    let role = bench.role(&bench.a, "r", &trusting(&[A]), &allow(&["orders:*"])).await;
    let ask =
        [("RoleArn", role.as_str()), ("RoleSessionName", "monday"), ("DurationSeconds", "900")];
    let session = Credentials::of_answer(&bench.call(&bench.a, "AssumeRole", &ask).await.unwrap());
    inside.sync().unwrap();
    let request = inside.get(&session);
    assert!(inside.warm(&request).await);
    // Half the time between confirmations: one request asks, the others go on.
    bench.advance(30);
    inside.sync().unwrap();
    assert!(inside.here(&request).is_none(), "one confirms ahead of time");
    assert!(inside.here(&request).is_some(), "the others need not wait");
    bench.advance(30);
    inside.sync().unwrap();
    assert!(inside.here(&request).is_none(), "it has to be confirmed");
    let outage = inside.check_with(&request, None, Connection::default(), true);
    assert!(matches!(outage, Outcome::Decided(Ok(_))), "the broker was asked in vain");
    // It goes on proving that it is there, and cannot say whether the session is: not for ever.
    bench.advance(60);
    inside.sync().unwrap();
    let outage = inside.check_with(&request, None, Connection::default(), true);
    assert!(matches!(outage, Outcome::Ask(asking) if !asking.has_entry()), "unconfirmed too long");
    assert!(inside.warm(&inside.get(&session)).await);
    assert!(inside.here(&inside.get(&session)).is_some());
    bench.advance(840);
    inside.sync().unwrap();
    let late = inside.check_with(&inside.get(&session), None, Connection::default(), true);
    let Outcome::Decided(Err(refused)) = late else { panic!("it has expired") };
    assert_eq!(refused.code(), "ExpiredToken");
}
