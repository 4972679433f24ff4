//! Listing and counting sessions, with either ledger; and the expiry that no ledger can put off.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use countersign::app::bootstrap::{Bootstrap, Outcome, init};
use countersign::app::{DataDir, World, start};
use countersign::id::AccessKeyId;
use countersign::random::SystemRandom;
use countersign::sessions::redis::Endpoint;
use countersign::settings::{Inputs, Settings};
use countersign::time::{Clock, ManualClock, SystemClock};
use hyper::Method;
use serde_json::{Value, json};

use crate::broker::{Broker, stderr, stdout};
use crate::caller::{Answer, Caller, Credentials, Plan, allow, trust};
use crate::redis_server::RedisServer;

async fn get(caller: &Caller, target: &str) -> Answer {
    let plan = Plan {
        service: "countersign",
        method: Method::GET,
        target: format!("/countersign/v1/{target}"),
        headers: Vec::new(),
        body: String::new(),
        at: None,
    };
    caller.send(caller.sign(plan)).await
}

async fn json_of(caller: &Caller, target: &str) -> Value {
    serde_json::from_str(&get(caller, target).await.ok().body).unwrap()
}

/// All sessions of a query, a page after another; and the number of pages.
async fn pages(caller: &Caller, query: &str) -> (Vec<Value>, usize) {
    let (mut all, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let answer = json_of(caller, &format!("sessions?{query}{token}")).await;
        all.extend(answer["sessions"].as_array().unwrap().iter().cloned());
        pages += 1;
        match answer["next_token"].as_str() {
            Some(next) => token = format!("&next_token={next}"),
            None => return (all, pages),
        }
    }
}

fn ids(sessions: &[Value]) -> HashSet<String> {
    sessions.iter().map(|s| s["access_key_id"].as_str().unwrap().to_owned()).collect()
}

/// A broker with two roles and some sessions of each.
async fn story(broker: &Broker) {
    let admin = broker.admin();
    let account = admin.account();
    let root = format!("arn:aws:iam::{account}:root");
    let deploy = admin.make_role("deploy", &trust(&root), &allow("*", "*")).await;
    let audit = admin.make_role("audit", &trust(&root), &allow("sts:*", "*")).await;
    let mut minted = Vec::new();
    for (role, name, source) in [
        (&deploy, "monday", Some("alice")),
        (&deploy, "monday", None),
        (&deploy, "tuesday", Some("bob")),
        (&audit, "monday", Some("alice")),
    ] {
        let mut more = vec![("RoleSessionName", name)];
        more.extend(source.map(|source| ("SourceIdentity", source)));
        minted.push(admin.assume(role, &more).await.unwrap());
    }
    let of = |indexes: &[usize]| -> HashSet<String> {
        indexes.iter().map(|index| minted[*index].id.clone()).collect()
    };
    let session = |name| format!("arn:aws:sts::{account}:assumed-role/deploy/{name}");
    for (query, expected) in [
        (String::new(), of(&[0, 1, 2, 3])),
        (format!("account={account}"), of(&[0, 1, 2, 3])),
        (format!("role={deploy}"), of(&[0, 1, 2])),
        (format!("principal={audit}"), of(&[3])),
        (format!("principal={}", session("monday")), of(&[0, 1])),
        (format!("principal={}&source_identity=alice", session("monday")), of(&[0])),
        ("source_identity=alice".to_owned(), of(&[0, 3])),
        ("source_identity=nobody".to_owned(), of(&[])),
        (format!("role={deploy}&source_identity=bob"), of(&[2])),
        (format!("principal=arn:aws:iam::{account}:user/admin"), of(&[])),
    ] {
        let (sessions, _) = pages(&admin, &query).await;
        assert_eq!(ids(&sessions), expected, "{query}");
        assert_eq!(sessions.len(), expected.len(), "{query}");
        let (sessions, _) = pages(&admin, &format!("{query}&max_items=1")).await;
        assert_eq!(ids(&sessions), expected, "{query}, one by one");
        assert_eq!(sessions.len(), expected.len(), "{query}, one by one");
        let counted = json_of(&admin, &format!("sessions/count?{query}")).await;
        assert_eq!(counted, json!({"count": expected.len()}), "{query}");
    }

    // What is told of a session: everything but what is secret.
    let answer = get(&admin, &format!("sessions?role={audit}")).await.ok();
    for secret in [&minted[3].secret, minted[3].token.as_ref().unwrap()] {
        assert!(!answer.body.contains(secret.as_str()));
    }
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    let told = &told["sessions"][0];
    for (field, value) in [
        ("access_key_id", json!(minted[3].id)),
        ("account", json!(account)),
        ("arn", json!(format!("arn:aws:sts::{account}:assumed-role/audit/monday"))),
        ("principal_arn", json!(audit)),
        ("session_name", json!("monday")),
        ("source_identity", json!("alice")),
        ("revoked", json!(false)),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
    let ancestor = &told["ancestors"][0];
    assert_eq!(ancestor["access_key_id"], json!(broker.home.first.id));
    assert_eq!(ancestor["arn"], json!(format!("arn:aws:iam::{account}:user/admin")));

    // Revoked sessions are told as such, and so is what came from them.
    let monday = broker.caller(&minted[0]);
    let chained = monday.assume(&audit, &[]).await.unwrap();
    admin.revoke(&json!({"session": minted[0].id})).await.ok();
    let (sessions, _) = pages(&admin, "").await;
    assert_eq!(sessions.len(), 5);
    for session in sessions {
        let id = session["access_key_id"].as_str().unwrap();
        assert_eq!(session["revoked"], json!(id == minted[0].id || id == chained.id), "{id}");
    }
    refusals(broker, &admin, &deploy).await;
    commands(broker, &minted[1], &deploy);
}

async fn refusals(broker: &Broker, admin: &Caller, deploy: &str) {
    let account = admin.account();
    // Nobody lists without a statement that allows it, nor another account's.
    let user = broker.caller(&admin.make_user("eve", &allow("sts:*", "*")).await);
    let (other, partner) = broker.account("partner").await;
    let own = json!([
        {"Effect": "Allow", "Action": "countersign:ListSessions", "Resource": deploy},
    ]);
    let own = json!({"Version": "2012-10-17", "Statement": own});
    let narrow = broker.caller(&admin.make_user("narrow", &own).await);
    for (caller, query) in [
        (&user, String::new()),
        (&user, format!("role={deploy}")),
        (&narrow, String::new()),
        (&narrow, format!("account={account}")),
        (&narrow, format!("role=arn:aws:iam::{account}:role/audit")),
        (admin, format!("account={other}")),
        (admin, format!("role=arn:aws:iam::{other}:role/OrganizationAccountAccessRole")),
        (&partner, format!("account={account}")),
        (&partner, format!("role={deploy}")),
    ] {
        for path in ["sessions", "sessions/count"] {
            let answer = get(caller, &format!("{path}?{query}")).await;
            assert_eq!(answer.status.as_u16(), 403, "{query}: {answer:?}");
            assert!(answer.body.contains("\"AccessDenied\""), "{query}: {answer:?}");
        }
    }
    assert_eq!(pages(&narrow, &format!("role={deploy}")).await.0.len(), 3);
    // The partner's own session is in its own account.
    assert_eq!(json_of(&partner, "sessions/count?").await["count"], 1);
    // Questions that make no sense.
    let token = json_of(admin, "sessions?max_items=1").await["next_token"].clone();
    let token = token.as_str().unwrap();
    for (query, status, reason) in [
        ("acount=1".to_owned(), 400, "unknown field"),
        ("account=1&account=1".to_owned(), 400, "twice"),
        ("account=12".to_owned(), 400, "exactly 12 digits"),
        (format!("account={other}&role={deploy}"), 400, "it is not the ARN's"),
        (format!("role={deploy}&principal={deploy}"), 400, "name one of them"),
        ("role=deploy".to_owned(), 400, "the ARN of a role"),
        ("principal=deploy".to_owned(), 400, "a role, a user, a root user or a role session"),
        ("max_items=0".to_owned(), 400, "1 to 1000"),
        ("max_items=1001".to_owned(), 400, "1 to 1000"),
        ("source_identity=%00".to_owned(), 400, "source_identity"),
        (format!("role=arn:aws:iam::{account}:role/never"), 404, "cannot be found"),
        // A token is good for its own listing.
        (format!("role={deploy}&next_token={token}"), 400, "not of this listing"),
        (format!("source_identity=alice&next_token={token}"), 400, "not of this listing"),
        ("next_token=AAAA".to_owned(), 400, "not of this listing"),
    ] {
        let answer = get(admin, &format!("sessions?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {answer:?}");
        assert!(answer.body.contains(reason), "{query}: {answer:?}");
    }
    let counted = get(admin, &format!("sessions/count?next_token={token}")).await;
    assert_eq!(counted.status.as_u16(), 400);
}

fn commands(broker: &Broker, minted: &Credentials, deploy: &str) {
    let run = |arguments: &[&str]| {
        let output = broker.command(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let lines = run(&["sessions", "list", "--role", deploy]);
    assert_eq!(lines.lines().count(), 3, "{lines}");
    let line = lines.lines().find(|line| line.starts_with(&minted.id)).unwrap();
    let words: Vec<_> = line.split('\t').collect();
    assert_eq!((words.len(), words[2], words[4]), (5, "active", "-"), "{line}");
    assert!(words[3].ends_with(":assumed-role/deploy/monday"), "{line}");
    assert!(lines.contains("\trevoked\t"), "{lines}");
    let account = &broker.home.account;
    for more in [&[][..], &["--account", account, "--admin"]] {
        let count = |words: &[&str]| run(&[words, more].concat());
        assert_eq!(count(&["sessions", "count", "--source-identity", "bob"]).trim(), "1");
        let json = count(&["sessions", "list", "--json", "--source-identity", "bob"]);
        let told: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(told["session_name"], "tuesday");
    }
    // Without a filter the host's operator counts, and lists, those of every account.
    let number = |words: &[&str]| run(words).trim().parse::<u32>().unwrap();
    let all = number(&["sessions", "count", "--admin"]);
    let listed = run(&["accounts", "list"]);
    let of_each = listed.lines().map(|line| {
        let id = line.split('\t').next().unwrap();
        number(&["sessions", "count", "--account", id, "--admin"])
    });
    assert_eq!(of_each.sum::<u32>(), all);
    assert!(all > number(&["sessions", "count"]), "{listed}");
    assert_eq!(run(&["sessions", "list", "--admin"]).lines().count(), all as usize);
}

#[tokio::test]
async fn sessions_are_listed_from_a_file() {
    story(&Broker::start()).await;
}

#[tokio::test]
async fn sessions_are_listed_from_redis() {
    let server = RedisServer::start();
    let broker = Broker::with(&[("COUNTERSIGN_REDIS_URL", &server.url())]);
    story(&broker).await;
    // A record that was spoilt is told of, and not shown.
    let admin = broker.admin();
    let (sessions, _) = pages(&admin, "source_identity=bob").await;
    let id = AccessKeyId::parse(sessions[0]["access_key_id"].as_str().unwrap()).unwrap();
    let key = format!("cs:{{{:02x}}}:s:{id}", id.shard());
    let _: String = server.ask(&["SET", &key, "spoilt", "KEEPTTL"]);
    let answer = json_of(&admin, "sessions?source_identity=bob").await;
    assert_eq!(answer, json!({"sessions": [], "unreadable": 1}));
    // What Redis does not answer is not told as 'none'.
    drop(server);
    for path in ["sessions", "sessions/count"] {
        let answer = get(&admin, &format!("{path}?")).await;
        assert_eq!(answer.status.as_u16(), 503, "{answer:?}");
    }
}

/// More roles than one answer asks about.
#[tokio::test]
async fn an_account_with_many_roles_takes_several_answers() {
    let server = RedisServer::start();
    let broker = Broker::with(&[
        ("COUNTERSIGN_REDIS_URL", &server.url()),
        ("COUNTERSIGN_REDIS_COMMAND_TIMEOUT", "10s"),
    ]);
    let admin = broker.admin();
    let root = format!("arn:aws:iam::{}:root", admin.account());
    let mut minted = HashSet::new();
    for index in 0..70 {
        let role = admin.make_role(&format!("role-{index}"), &trust(&root), &allow("*", "*")).await;
        if index % 10 == 0 {
            minted.insert(admin.assume(&role, &[]).await.unwrap().id);
        }
    }
    let (sessions, answers) = pages(&admin, "").await;
    assert_eq!((ids(&sessions), sessions.len()), (minted, 7));
    assert!(answers >= 3, "{answers}");
    let counted = broker.command(&["sessions", "count"]);
    assert_eq!(stdout(&counted).trim(), "7");
}

/// Whatever is done to the record's expiry, the token's own holds.
#[tokio::test]
async fn museum_m28_a_session_ends_when_its_token_says_so() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(SystemClock::new().now().floor_secs()));
    let world = World {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        random: Arc::new(SystemRandom::new()),
    };
    let data = DataDir::new(folder.path().join("data"));
    let random = SystemRandom::new();
    let Ok(Outcome::Made(first)) = init(&data, &world, || Ok(Bootstrap::generate(None, &random)?))
    else {
        panic!("no deployment");
    };
    let mut settings = Settings::load(&Inputs::default()).unwrap();
    settings.store.data_dir = data.path().to_owned();
    settings.sessions.confirm_every = Duration::ZERO;
    settings.redis.url = Some(Endpoint::parse(&server.url()).unwrap());
    let free = "127.0.0.1:0".parse().unwrap();
    settings.http.listen = free;
    settings.http.verify_listen = free;
    settings.http.ops_listen = free;
    let serving = start(&settings, &world).await.unwrap();
    let secret = first.secret.expose().to_owned();
    let first = Credentials { id: first.access_key_id.to_string(), secret, token: None };
    let admin = Caller::new(serving.api, first);
    let query = async |caller: &Caller, service, action, parameters: &[(&str, &str)]| {
        let plan = Plan { at: Some(clock.now()), ..Plan::query(service, action, parameters) };
        caller.send(caller.sign(plan)).await
    };
    let root = format!("arn:aws:iam::{}:root", admin.account());
    let (trust, policy) = (trust(&root).to_string(), allow("*", "*").to_string());
    let role = [("RoleName", "deploy"), ("AssumeRolePolicyDocument", trust.as_str())];
    query(&admin, "iam", "CreateRole", &role).await.ok();
    let put = [("RoleName", "deploy"), ("PolicyName", "own"), ("PolicyDocument", policy.as_str())];
    query(&admin, "iam", "PutRolePolicy", &put).await.ok();
    let role = format!("arn:aws:iam::{}:role/deploy", admin.account());
    let assume =
        [("RoleArn", role.as_str()), ("RoleSessionName", "long"), ("DurationSeconds", "900")];
    let minted = query(&admin, "sts", "AssumeRole", &assume).await.ok().credentials();
    let session = Caller::new(serving.api, minted);
    let id = AccessKeyId::parse(&session.credentials.id).unwrap();
    let key = format!("cs:{{{:02x}}}:s:{id}", id.shard());
    assert_eq!(server.ask::<i64>(&["PERSIST", &key]), 1);
    clock.advance(Duration::from_secs(899));
    query(&session, "sts", "GetCallerIdentity", &[]).await.ok();
    for _ in 0..3 {
        clock.advance(Duration::from_secs(1));
        query(&session, "sts", "GetCallerIdentity", &[]).await.refused("ExpiredToken");
    }
    assert_eq!(server.ask::<i64>(&["EXISTS", &key]), 1);
    serving.stop().await;
    assert_eq!(server.ask::<i64>(&["EXISTS", "cs:{lease}:owner"]), 0);
}
