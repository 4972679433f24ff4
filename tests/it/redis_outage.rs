//! The ledger in Redis when Redis dies, hangs, forgets, goes back in time, or is full.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::sessions::redis::RedisLedger;
use countersign::sessions::{Inserted, Ledger, LedgerError};
use countersign::time::{Clock, ManualClock, SystemClock};

use crate::redis_server::{Deployment, RedisServer, principal, until};

/// What counts as at once, on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(150);

fn is_unavailable<T>(answer: &Result<T, LedgerError>) -> bool {
    matches!(answer, Err(LedgerError::Unavailable(_)))
}

/// Waits until the ledger takes records again.
async fn until_it_mints(deployment: &Deployment, ledger: &RedisLedger) {
    until("minting", || async {
        ledger.insert(deployment.record(principal())).await == Ok(Inserted::Kept)
    })
    .await;
}

/// Asks once and checks that the answer came at once.
async fn at_once<T>(question: impl Future<Output = T>) -> T {
    let asked = Instant::now();
    let answer = question.await;
    assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    answer
}

#[tokio::test]
async fn a_dead_redis_is_a_no_at_once_and_a_restarted_one_is_used_again() {
    let mut server = RedisServer::durable();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (id, bytes) = deployment.keep(&ledger).await;
    assert_eq!((ledger.failure(), ledger.meters().up.get()), (None, 1));
    server.kill();
    // The first may find the connection broken only after it was sent.
    let _ = ledger.insert(deployment.record(principal())).await;
    for _ in 0..20 {
        assert!(is_unavailable(&at_once(ledger.insert(deployment.record(principal()))).await));
        assert!(is_unavailable(&at_once(ledger.find(id)).await));
    }
    assert_eq!(ledger.failure(), Some("the session ledger does not answer"));
    assert_eq!(ledger.meters().up.get(), 0);
    server.restart();
    until_it_mints(&deployment, &ledger).await;
    assert_eq!(ledger.find(id).await, Ok(Some(bytes)));
    assert_eq!((ledger.failure(), ledger.meters().up.get()), (None, 1));
    assert_eq!(ledger.meters().shards_lost.get(), 0);
}

#[tokio::test]
async fn a_hanging_redis_costs_one_timeout_and_then_nothing() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (id, bytes) = deployment.keep(&ledger).await;
    server.freeze();
    let asked = Instant::now();
    let answer = ledger.insert(deployment.record(principal())).await;
    assert!(matches!(answer, Err(LedgerError::Unknown(_))), "{answer:?}");
    let took = asked.elapsed();
    assert!((250..1000).contains(&took.as_millis()), "{took:?}");
    for _ in 0..20 {
        assert!(is_unavailable(&at_once(ledger.insert(deployment.record(principal()))).await));
        assert!(is_unavailable(&at_once(ledger.find(id)).await));
    }
    server.thaw();
    until_it_mints(&deployment, &ledger).await;
    assert_eq!(ledger.find(id).await, Ok(Some(bytes)));
}

#[tokio::test]
async fn a_hanging_redis_is_noticed_when_nobody_asks() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    server.freeze();
    until("the ledger to be down", || async { ledger.failure().is_some() }).await;
    server.thaw();
    until("the ledger to be up", || async { ledger.failure().is_none() }).await;
}

#[tokio::test]
async fn a_crowd_does_not_connect_when_redis_comes_back() {
    let mut server = RedisServer::durable();
    let deployment = Arc::new(Deployment::new());
    let ledger = Arc::new(deployment.open(&server.settings()).await.unwrap());
    let (id, _) = deployment.keep(&*ledger).await;
    server.kill();
    let crowd: Vec<_> = (0..200)
        .map(|_| {
            let (ledger, deployment) = (Arc::clone(&ledger), Arc::clone(&deployment));
            tokio::spawn(async move {
                until_it_mints(&deployment, &ledger).await;
                ledger.find(id).await.unwrap();
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(700)).await;
    server.restart();
    for one in crowd {
        one.await.unwrap();
    }
    // One connection stands; the test's own questions make the others.
    let info: String = server.ask(&["INFO", "stats"]);
    let received = info.lines().find_map(|l| l.strip_prefix("total_connections_received:"));
    let received: u32 = received.unwrap().trim().parse().unwrap();
    assert!(received <= 6, "{received} connections");
}

#[tokio::test]
async fn questions_beyond_the_bound_are_refused_at_once() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let mut settings = server.settings();
    settings.max_in_flight = 4;
    let ledger = Arc::new(deployment.open(&settings).await.unwrap());
    let (id, _) = deployment.keep(&*ledger).await;
    server.freeze();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.find(id).await })
        })
        .collect();
    tokio::task::yield_now().await;
    until("four under way", || async { ledger.meters().in_flight.get() == 4 }).await;
    let refused = at_once(ledger.find(id)).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("too many questions"), "{text}");
    // Whoever gives up does not make room: the question is still under way.
    for one in &waiting {
        one.abort();
    }
    tokio::task::yield_now().await;
    assert_eq!(ledger.meters().in_flight.get(), 4);
    server.thaw();
    until_it_mints(&deployment, &ledger).await;
}

#[tokio::test]
async fn flushall_is_noticed_by_the_next_read_and_is_an_outage_for_what_was_there() {
    let server = RedisServer::start();
    let clock = Arc::new(ManualClock::at(SystemClock::new().now()));
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let deployment = Deployment { clock: shared, ..Deployment::new() };
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (before, _) = deployment.keep(&ledger).await;
    clock.advance(Duration::from_mins(1));
    let _: String = server.ask(&["FLUSHALL"]);
    let first = ledger.find(before).await;
    assert!(is_unavailable(&first), "{first:?}");
    assert!(ledger.meters().marker_missing.get() >= 1);
    until_it_mints(&deployment, &ledger).await;
    assert_eq!(ledger.meters().shards_lost.get(), 256);
    let (after, bytes) = deployment.keep(&ledger).await;
    // Four minutes are left of the five since it was last whole.
    clock.advance(Duration::from_secs(239));
    assert_eq!(ledger.find(before).await, Err(LedgerError::Forgotten));
    assert_eq!(ledger.find(after).await, Ok(Some(bytes.clone())));
    clock.advance(Duration::from_secs(1));
    assert_eq!(ledger.find(before).await, Ok(None));
    assert_eq!(ledger.find(after).await, Ok(Some(bytes)));
    assert!(ledger.meters().forgotten.get() >= 1);
}

#[tokio::test]
async fn flushall_is_noticed_by_the_next_insert_and_by_nobodys_question() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let _: String = server.ask(&["FLUSHALL"]);
    let new = deployment.record(principal());
    let id = new.access_key_id;
    assert!(is_unavailable(&ledger.insert(new).await));
    assert_eq!(server.keys(&format!("*{id}")), Vec::<String>::new());
    until_it_mints(&deployment, &ledger).await;
    let _: String = server.ask(&["FLUSHALL"]);
    until("new markers", || async { ledger.meters().shards_lost.get() == 512 }).await;
    assert_eq!(server.keys("cs:{*}:m").len(), 256);
}

#[tokio::test]
async fn a_restart_without_its_data_is_a_loss() {
    let mut server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (id, _) = deployment.keep(&ledger).await;
    server.restart();
    until_it_mints(&deployment, &ledger).await;
    assert_eq!(ledger.find(id).await, Err(LedgerError::Forgotten));
    assert_eq!(ledger.meters().shards_lost.get(), 256);
}

#[tokio::test]
async fn a_redis_that_went_back_in_time_is_a_loss() {
    let mut server = RedisServer::with(&["--appendonly", "no", "--dbfilename", "dump.rdb"]);
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (early, bytes) = deployment.keep(&ledger).await;
    let _: String = server.ask(&["SAVE"]);
    let (late, _) = deployment.keep(&ledger).await;
    // The lease is renewed after the snapshot: what comes back is older than what was answered.
    let beat: i64 = server.ask(&["GET", "cs:{lease}:beat"]);
    until("a renewal", || async { server.ask::<i64>(&["GET", "cs:{lease}:beat"]) > beat }).await;
    server.restart();
    until_it_mints(&deployment, &ledger).await;
    assert_eq!(ledger.find(early).await, Ok(Some(bytes)));
    assert_eq!(ledger.find(late).await, Err(LedgerError::Forgotten));
    assert_eq!(ledger.meters().shards_lost.get(), 256);
}

#[tokio::test]
async fn one_shard_that_lost_its_marker_casts_doubt_on_itself_only() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (here, _) = deployment.keep(&ledger).await;
    let mut there = deployment.keep(&ledger).await;
    while there.0.shard() == here.shard() {
        there = deployment.keep(&ledger).await;
    }
    let shard = format!("{{{:02x}}}", here.shard());
    let _: i64 = server.ask(&["DEL", &format!("cs:{shard}:m"), &format!("cs:{shard}:s:{here}")]);
    let _: i64 = server.ask(&["DEL", &format!("cs:{{{:02x}}}:s:{}", there.0.shard(), there.0)]);
    assert!(is_unavailable(&ledger.find(here).await));
    until("a new marker", || async { !is_unavailable(&ledger.find(here).await) }).await;
    assert_eq!(ledger.find(here).await, Err(LedgerError::Forgotten));
    assert_eq!(ledger.find(there.0).await, Ok(None));
    assert_eq!(ledger.meters().shards_lost.get(), 1);
}

#[tokio::test]
async fn without_staleness_nothing_is_taken_on_its_token_after_a_loss() {
    let server = RedisServer::start();
    let deployment = Deployment { max_staleness: Duration::ZERO, ..Deployment::new() };
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (id, _) = deployment.keep(&ledger).await;
    let _: String = server.ask(&["FLUSHALL"]);
    until_it_mints(&deployment, &ledger).await;
    assert_eq!(ledger.find(id).await, Ok(None));
}

#[tokio::test]
async fn a_full_redis_refuses_new_sessions_and_confirms_old_ones() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (id, bytes) = deployment.keep(&ledger).await;
    let _: String = server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = ledger.insert(deployment.record(principal())).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("OOM (its memory is full (maxmemory))"), "{text}");
    // Longer than the lease lasts: it is renewed all the same.
    let end = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < end {
        assert_eq!(ledger.find(id).await, Ok(Some(bytes.clone())));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _: String = server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    until_it_mints(&deployment, &ledger).await;
    assert_eq!(ledger.meters().connections.get(), 1);
}

#[tokio::test]
async fn forgotten_scripts_are_told_again() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    for _ in 0..3 {
        let _: String = server.ask(&["SCRIPT", "FLUSH"]);
        let (id, bytes) = deployment.keep(&ledger).await;
        assert_eq!(ledger.find(id).await, Ok(Some(bytes)));
    }
}
