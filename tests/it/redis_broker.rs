//! The real program with its ledger in Redis.

use std::time::{Duration, Instant};

use countersign::id::AccessKeyId;
use countersign::random::SystemRandom;
use countersign::seal::{Keyring, record};
use countersign::time::Timestamp;
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::broker::{Broker, Home, Signal, stderr};
use crate::caller::{Caller, Credentials, allow, trust};
use crate::redis_server::RedisServer;

/// A broker on a Redis, and a role that its administrator may assume.
struct Scene {
    server: RedisServer,
    broker: Broker,
    role: String,
}

impl Scene {
    async fn start(server: RedisServer, more: &[(&str, &str)]) -> Self {
        let url = server.url();
        let mut settings = vec![
            ("COUNTERSIGN_REDIS_URL", url.as_str()),
            ("COUNTERSIGN_SESSIONS_CONFIRM_EVERY", "0"),
            ("COUNTERSIGN_REDIS_LEASE", "2s"),
        ];
        settings.extend_from_slice(more);
        let broker = Broker::with(&settings);
        let root = format!("arn:aws:iam::{}:root", broker.home.account);
        let role = broker.admin().make_role("deploy", &trust(&root), &allow("*", "*")).await;
        Self { server, broker, role }
    }

    async fn mint(&self) -> Caller {
        self.broker.caller(&self.assume().await.unwrap())
    }

    async fn assume(&self) -> Result<Credentials, crate::caller::Answer> {
        self.broker.admin().assume(&self.role, &[]).await
    }

    async fn metric(&self, name: &str) -> u64 {
        let (status, text) = self.broker.ops_text("/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// Waits until it mints again.
    async fn until_it_mints(&self) -> Caller {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            match self.assume().await {
                Ok(credentials) => return self.broker.caller(&credentials),
                Err(answer) => assert_eq!(answer.code(), "ServiceUnavailable"),
            }
            assert!(Instant::now() < end, "it does not mint again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_record_dies_with_its_session() {
    let scene = Scene::start(RedisServer::start(), &[]).await;
    for seconds in ["900", "1234", "3600"] {
        let parameters = [
            ("RoleArn", scene.role.as_str()),
            ("RoleSessionName", "ttl"),
            ("DurationSeconds", seconds),
        ];
        let answer = scene.broker.admin().sts("AssumeRole", &parameters).await.ok();
        let expiration = Timestamp::parse_rfc3339(&answer.text("Expiration").unwrap()).unwrap();
        let caller = scene.broker.caller(&answer.credentials());
        let dies: i64 = scene.server.ask(&["PEXPIRETIME", &key(&caller)]);
        assert!((dies - expiration.millis()).abs() <= 1000, "{dies} {expiration:?}");
    }
    // The index goes when its last session does.
    let index = scene.server.keys("cs:{*}:i:*");
    assert!(!index.is_empty());
    for key in index {
        let left: i64 = scene.server.ask(&["PTTL", &key]);
        assert!(left > 0 && left <= 3_600_000, "{key} {left}");
    }
    let _: i64 = scene.server.ask(&["PERSIST", &key(&scene.mint().await)]);
}

/// The name of a session's key.
fn key(caller: &Caller) -> String {
    let id = AccessKeyId::parse(&caller.credentials.id).unwrap();
    format!("cs:{{{:02x}}}:s:{id}", id.shard())
}

/// Everything that is in a Redis, keys and values, as bytes.
fn dump(server: &RedisServer) -> Vec<u8> {
    let mut all = Vec::new();
    for key in server.keys("*") {
        let kind: String = server.ask(&["TYPE", &key]);
        let values: Vec<Vec<u8>> = match kind.as_str() {
            "string" => vec![server.ask(&["GET", &key])],
            "zset" => server.ask(&["ZRANGE", &key, "0", "-1"]),
            other => panic!("{key} is a {other}"),
        };
        all.extend_from_slice(key.as_bytes());
        all.extend(values.into_iter().flatten());
    }
    all
}

#[tokio::test]
async fn nothing_in_redis_can_be_read_as_a_secret_an_arn_or_a_tag() {
    let scene = Scene::start(RedisServer::start(), &[]).await;
    let parameters = [
        ("RoleArn", scene.role.as_str()),
        ("RoleSessionName", "canary-session-name"),
        ("SourceIdentity", "canary-source-identity"),
        ("Tags.member.1.Key", "canary-tag-key"),
        ("Tags.member.1.Value", "canary-tag-value"),
        (
            "Policy",
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"CanaryPolicy","Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        ),
    ];
    let answer = scene.broker.admin().sts("AssumeRole", &parameters).await.ok();
    let caller = scene.broker.caller(&answer.credentials());
    caller.whoami().await.ok();
    let all = dump(&scene.server);
    let keyring = std::fs::read_to_string(scene.broker.home.data().join("keyring.json")).unwrap();
    let root: Value = serde_json::from_str(&keyring).unwrap();
    let holds = |text: &str| all.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(&caller.credentials.id), "the dump is no dump");
    for canary in [
        caller.credentials.secret.as_str(),
        &scene.broker.home.first.secret,
        &scene.broker.home.first.id,
        root["keys"][0]["secret"].as_str().unwrap(),
        &scene.role,
        "arn:",
        "canary",
        "Canary",
        "deploy",
    ] {
        assert!(!holds(canary), "{canary}");
    }
}

#[tokio::test]
async fn a_record_that_was_copied_changed_or_rolled_back_is_refused() {
    let scene = Scene::start(RedisServer::start(), &[]).await;
    let (one, two) = (scene.mint().await, scene.mint().await);
    let (first, second) = (key(&one), key(&two));
    one.whoami().await.ok();
    let record: Vec<u8> = scene.server.ask(&["GET", &first]);
    let put = |key: &str, bytes: &[u8]| {
        let mut connection = scene.server.connection();
        redis::cmd("SET").arg(key).arg(bytes).exec(&mut connection).unwrap();
    };
    // Copied under the other's key.
    put(&second, &record);
    two.whoami().await.refused("InvalidClientTokenId");
    one.whoami().await.ok();
    // Changed, one bit in each part: magic, key number, expiry, body, MAC.
    for at in [0, 7, 12, 20, record.len() / 2, record.len() - 1] {
        let mut changed = record.clone();
        changed[at] ^= 1;
        put(&first, &changed);
        one.whoami().await.refused("InvalidClientTokenId");
    }
    put(&first, &record[..record.len() - 1]);
    one.whoami().await.refused("InvalidClientTokenId");
    put(&first, &record);
    one.whoami().await.ok();
    // Rolled back: a true record of an earlier session of the same access key ID.
    let keyring = std::fs::read_to_string(scene.broker.home.data().join("keyring.json")).unwrap();
    let keyring = Keyring::from_file_text(&keyring).unwrap();
    let place = one.credentials.id.as_bytes();
    let (expires_at, token) = record::open(&keyring, place, &record).unwrap();
    assert_eq!(Some(String::from_utf8_lossy(token).as_ref()), one.credentials.token.as_deref());
    let earlier = record::make(&keyring, place, expires_at, b"CST1earlier").unwrap();
    put(&first, &earlier);
    one.whoami().await.refused("InvalidClientTokenId");
    // Gone.
    put(&first, &record);
    one.whoami().await.ok();
    let _: i64 = scene.server.ask(&["DEL", &first]);
    one.whoami().await.refused("InvalidClientTokenId");
    // What was minted under another deployment's keyring is nothing here.
    let other = Keyring::generate(&SystemRandom::new()).unwrap();
    put(&first, &record::make(&other, place, expires_at, token).unwrap());
    one.whoami().await.refused("InvalidClientTokenId");
}

#[tokio::test]
async fn while_redis_is_stopped() {
    let mut scene =
        Scene::start(RedisServer::durable(), &[("COUNTERSIGN_SESSIONS_MAX_STALENESS", "4s")]).await;
    let (stays, revoked) = (scene.mint().await, scene.mint().await);
    stays.whoami().await.ok();
    scene.server.kill();
    let stopped = Instant::now();
    // Minting: a 503 at once.
    let _ = scene.assume().await;
    for _ in 0..5 {
        let asked = Instant::now();
        let refused = scene.assume().await.unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "ServiceUnavailable"));
        assert!(asked.elapsed() < Duration::from_millis(400), "{:?}", asked.elapsed());
    }
    // Sessions go on, also for downstream services, and chaining does not mint.
    stays.whoami().await.ok();
    let question = crate::caller::question(&stays.order());
    assert_eq!(scene.broker.ask(&question).await["authenticated"], true);
    // Revocations bite.
    revoked.whoami().await.ok();
    scene.broker.admin().revoke(&json!({"session": revoked.credentials.id})).await.ok();
    revoked.whoami().await.refused("InvalidClientTokenId");
    // It is said.
    assert_eq!(scene.metric("countersign_ledger_up").await, 0);
    assert_eq!(scene.broker.ops_text("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    scene.broker.logged("the session ledger does not answer");
    // Not after max_staleness.
    let mut good_until = stopped.elapsed();
    let refused = loop {
        let answer = stays.whoami().await;
        if !answer.status.is_success() {
            break answer;
        }
        good_until = stopped.elapsed();
        assert!(good_until < Duration::from_secs(6), "it is still taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "ServiceUnavailable"));
    assert!(good_until > Duration::from_secs(2), "only until {good_until:?}");
    // Redis back: everything again, without a restart.
    scene.server.restart();
    scene.until_it_mints().await.whoami().await.ok();
    stays.whoami().await.ok();
    revoked.whoami().await.refused("InvalidClientTokenId");
    assert_eq!(scene.metric("countersign_ledger_up").await, 1);
    assert_eq!(scene.broker.ops_text("/readyz").await.0, StatusCode::OK);
    scene.broker.logged("the session ledger answers again");
}

#[tokio::test]
async fn a_redis_that_was_emptied_is_an_outage_for_the_sessions_that_were_in_it() {
    let scene =
        Scene::start(RedisServer::start(), &[("COUNTERSIGN_SESSIONS_MAX_STALENESS", "4s")]).await;
    let old = scene.mint().await;
    old.whoami().await.ok();
    let _: String = scene.server.ask(&["FLUSHALL"]);
    let emptied = Instant::now();
    old.whoami().await.ok();
    let new = scene.until_it_mints().await;
    assert!(emptied.elapsed() < Duration::from_secs(2), "{:?}", emptied.elapsed());
    new.whoami().await.ok();
    old.whoami().await.ok();
    assert!(scene.metric("countersign_ledger_marker_missing_total").await >= 1);
    assert_eq!(scene.metric("countersign_ledger_shards_lost_total").await, 256);
    assert!(scene.metric("countersign_ledger_forgotten_total").await >= 1);
    scene.broker.logged("the session ledger in Redis lost records");
    // Others answer all the time; that does not keep the lost ones alive.
    while old.whoami().await.status.is_success() {
        new.whoami().await.ok();
        assert!(emptied.elapsed() < Duration::from_secs(6), "it is still taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(emptied.elapsed() > Duration::from_secs(3), "{:?}", emptied.elapsed());
    old.whoami().await.refused("InvalidClientTokenId");
    new.whoami().await.ok();
    assert_eq!(scene.broker.ops_text("/readyz").await.0, StatusCode::OK);
}

/// Its lease is renewed all the time; that is no answer about a session.
#[tokio::test]
async fn a_redis_that_lives_and_answers_nothing_is_silent() {
    let scene =
        Scene::start(RedisServer::start(), &[("COUNTERSIGN_SESSIONS_MAX_STALENESS", "3s")]).await;
    let caller = scene.mint().await;
    caller.whoami().await.ok();
    let _: String = scene.server.ask(&["ACL", "SETUSER", "default", "-mget"]);
    let denied = Instant::now();
    while caller.whoami().await.status.is_success() {
        assert!(denied.elapsed() < Duration::from_secs(5), "it is still taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(denied.elapsed() > Duration::from_millis(1500), "{:?}", denied.elapsed());
    caller.whoami().await.refused("ServiceUnavailable");
    // Minting does not need to read.
    scene.mint().await;
    let _: String = scene.server.ask(&["ACL", "SETUSER", "default", "+mget"]);
    caller.whoami().await.ok();
}

#[tokio::test]
async fn museum_m26_a_revocation_bites_whatever_the_ledger_says() {
    let scene = Scene::start(RedisServer::start(), &[]).await;
    let caller = scene.mint().await;
    let chained = scene.broker.caller(&caller.assume(&scene.role, &[]).await.unwrap());
    chained.whoami().await.ok();
    scene.broker.admin().revoke(&json!({"session": caller.credentials.id})).await.ok();
    // The records of both are there, and true.
    assert_eq!(scene.server.ask::<i64>(&["EXISTS", &key(&caller)]), 1);
    assert_eq!(scene.server.ask::<i64>(&["EXISTS", &key(&chained)]), 1);
    caller.whoami().await.refused("InvalidClientTokenId");
    chained.whoami().await.refused("InvalidClientTokenId");
}

#[tokio::test]
async fn a_second_broker_with_a_directory_of_its_own_does_not_start() {
    let scene = Scene::start(RedisServer::start(), &[]).await;
    let url = scene.server.url();
    let serve = |home: &Home| {
        let mut command = home.serve_command();
        command.env("COUNTERSIGN_REDIS_URL", &url).env("COUNTERSIGN_REDIS_LEASE", "2s");
        command.output().unwrap()
    };
    // Another deployment's broker.
    let refused = serve(&Home::init());
    assert_eq!(refused.status.code(), Some(1));
    let text = stderr(&refused);
    assert!(text.contains("another broker, which started at"), "{text}");
    // This deployment's own data, copied.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("data");
    std::fs::create_dir(&copy).unwrap();
    for name in ["keyring.json", "directory.redb"] {
        std::fs::copy(scene.broker.home.data().join(name), copy.join(name)).unwrap();
    }
    let twin = Home::of(folder, &copy, scene.broker.home.first.clone());
    let refused = serve(&twin);
    assert_eq!(refused.status.code(), Some(1));
    let text = stderr(&refused);
    assert!(text.contains("cannot open the session ledger in Redis"), "{text}");
    assert!(text.contains("a directory in a file is one broker's, and so is its ledger"), "{text}");
    scene.mint().await.whoami().await.ok();
}

#[tokio::test]
async fn a_stop_gives_the_ledger_back_and_a_crash_leaves_it_for_seconds() {
    let mut scene = Scene::start(RedisServer::start(), &[]).await;
    let caller = scene.mint().await;
    scene.broker.signal(Signal::Terminate);
    assert!(scene.broker.wait().success());
    assert_eq!(scene.server.ask::<i64>(&["EXISTS", "cs:{lease}:owner"]), 0);
    scene.broker.restart();
    let again = scene.broker.caller(&caller.credentials);
    again.whoami().await.ok();
    scene.broker.restart();
    let again = scene.broker.caller(&caller.credentials);
    again.whoami().await.ok();
}

#[tokio::test]
async fn museum_m61_the_password_of_redis_is_told_to_nobody() {
    const PASSWORD: &str = "canary-redis-password";
    let server = RedisServer::with(&["--requirepass", PASSWORD]);
    let broker = Broker::with(&[
        ("COUNTERSIGN_REDIS_URL", &server.url()),
        ("COUNTERSIGN_REDIS_PASSWORD", PASSWORD),
        ("COUNTERSIGN_LOG", "trace"),
    ]);
    broker.admin().whoami().await.ok();
    let metrics = broker.ops_text("/metrics").await.1;
    let audit = format!("{:?}", broker.home.audit());
    drop(server);
    broker.logged("the session ledger does not answer");
    for told in [broker.log(), metrics, audit] {
        assert!(!told.contains(PASSWORD), "{told}");
    }
    // Nor by a broker that is refused.
    let server = RedisServer::with(&["--requirepass", "another"]);
    let mut command = broker.home.serve_command();
    command.env("COUNTERSIGN_REDIS_URL", server.url());
    command.env("COUNTERSIGN_REDIS_PASSWORD", PASSWORD).env("COUNTERSIGN_LOG", "trace");
    drop(broker);
    let output = command.output().unwrap();
    let text = stderr(&output);
    assert!(!output.status.success() && !text.contains(PASSWORD), "{text}");
}

/// How much memory a session takes in Redis: printed, and held to a bound.
#[tokio::test]
async fn bytes_in_redis_for_each_session() {
    const SESSIONS: i64 = 600;
    let patient = [("COUNTERSIGN_REDIS_COMMAND_TIMEOUT", "20s")];
    let scene = Scene::start(RedisServer::start(), &patient).await;
    let used = || {
        let info: String = scene.server.ask(&["INFO", "memory"]);
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        line.trim().parse::<i64>().unwrap()
    };
    let first = scene.mint().await;
    let before = used();
    for _ in 0..12 {
        let mints: Vec<_> = (0..SESSIONS / 12)
            .map(|_| {
                let (admin, role) = (scene.broker.admin(), scene.role.clone());
                tokio::spawn(async move { admin.assume(&role, &[]).await.unwrap() })
            })
            .collect();
        for mint in mints {
            mint.await.unwrap();
        }
    }
    let each = (used() - before) / SESSIONS;
    let key = key(&first);
    let record: i64 = scene.server.ask(&["STRLEN", &key]);
    let entry: i64 = scene.server.ask(&["MEMORY", "USAGE", &key]);
    let token = first.credentials.token.as_ref().unwrap().len();
    println!(
        "bytes in Redis for each session: {each} in all (token {token}, record {record}, its entry \
         {entry}, the rest is the index)"
    );
    assert!(each < 2048, "{each}");
}
