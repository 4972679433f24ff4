//! One broker a ledger.

use std::time::{Duration, Instant};

use countersign::sessions::redis::{ClaimError, OpenError};
use countersign::sessions::{Ledger, LedgerError};

use crate::redis_server::{Deployment, RedisServer, principal, until};

#[tokio::test]
async fn a_second_broker_is_refused_with_the_reason() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let first = deployment.open(&server.settings()).await.unwrap();
    let refused = deployment.open(&server.settings()).await.err().unwrap();
    assert!(matches!(refused, OpenError::Claim { source: ClaimError::Held(_), .. }), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("another broker, which started at 20"), "{text}");
    assert!(text.contains("Stop that broker, or give each its own redis.prefix"), "{text}");
    // The first one goes on.
    deployment.keep(&first).await;
    // Under another prefix, or in another database, there is room.
    let mut settings = server.settings();
    settings.prefix = countersign::sessions::redis::Prefix::parse("blue").unwrap();
    let blue = deployment.open(&settings).await.unwrap();
    deployment.keep(&blue).await;
    assert_eq!(server.keys("blue:{*}:s:*").len(), 1);
    deployment.keep(&first).await;
}

#[tokio::test]
async fn a_ledger_that_was_closed_is_free_at_once_and_one_whose_broker_died_soon() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let first = deployment.open(&server.settings()).await.unwrap();
    let (id, bytes) = deployment.keep(&first).await;
    first.close().await;
    assert!(first.insert(deployment.record(principal())).await.is_err());
    let asked = Instant::now();
    let second = deployment.open(&server.settings()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(second.find(id).await, Ok(Some(bytes.clone())));
    // It dies without a word.
    drop(second);
    let asked = Instant::now();
    let third = deployment.open(&server.settings()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(third.find(id).await, Ok(Some(bytes)));
    assert_eq!(third.meters().shards_lost.get(), 0);
}

#[tokio::test]
async fn whoever_lost_the_lease_mints_nothing_from_then_on() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let first = deployment.open(&server.settings()).await.unwrap();
    let (id, bytes) = deployment.keep(&first).await;
    // As if the first one had slept until its lease ran out.
    let _: i64 = server.ask(&["DEL", "cs:{lease}:owner"]);
    let second = deployment.open(&server.settings()).await.unwrap();
    // INVARIANT: not one record, before or after it knows.
    for _ in 0..50 {
        let new = deployment.record(principal());
        let place = new.access_key_id;
        let answer = first.insert(new).await;
        assert!(matches!(answer, Err(LedgerError::Unavailable(_))), "{answer:?}");
        assert_eq!(second.find(place).await, Ok(None));
        assert!(first.find(id).await.is_err());
    }
    until("the first one to know", || async { first.failure().is_some() }).await;
    assert_eq!(first.failure(), Some("another broker took the session ledger"));
    assert_eq!(second.find(id).await, Ok(Some(bytes)));
    deployment.keep(&second).await;
    // It does not come back when the other one goes, either.
    second.close().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(first.insert(deployment.record(principal())).await.is_err());
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_again_if_nobody_else_did() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (id, bytes) = deployment.keep(&ledger).await;
    let fence: u64 = server.ask(&["GET", "cs:{lease}:fence"]);
    let _: i64 = server.ask(&["DEL", "cs:{lease}:owner"]);
    until("a new lease", || async { server.ask::<u64>(&["GET", "cs:{lease}:fence"]) > fence })
        .await;
    until("minting", || async { ledger.insert(deployment.record(principal())).await.is_ok() })
        .await;
    // The markers are put in order one after another: that of this record may come later.
    let kept = Ok(Some(bytes));
    until("the record", || async { ledger.find(id).await == kept }).await;
    assert_eq!(ledger.meters().shards_lost.get(), 0);
}

#[tokio::test]
async fn another_deployments_ledger_is_not_touched() {
    let server = RedisServer::start();
    let (production, staging) = (Deployment::new(), Deployment::new());
    let first = production.open(&server.settings()).await.unwrap();
    production.keep(&first).await;
    first.close().await;
    let mut before = server.keys("cs:{??}:*");
    let refused = staging.open(&server.settings()).await.err().unwrap().to_string();
    let wanted = format!("it belongs to the deployment {}", production.keyring.deployment());
    assert!(refused.contains(&wanted), "{refused}");
    let mut after = server.keys("cs:{??}:*");
    before.sort();
    after.sort();
    assert_eq!(before, after);
    // What was refused left no lease behind that keeps the owner out.
    let asked = Instant::now();
    let again = production.open(&server.settings()).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    production.keep(&again).await;
}

#[tokio::test]
async fn a_marker_that_was_overwritten_is_noticed_and_replaced() {
    let server = RedisServer::start();
    let deployment = Deployment::new();
    let ledger = deployment.open(&server.settings()).await.unwrap();
    let (id, bytes) = deployment.keep(&ledger).await;
    let marker = format!("cs:{{{:02x}}}:m", id.shard());
    let _: String = server.ask(&["SET", &marker, "forged"]);
    assert!(ledger.find(id).await.is_err());
    until("a new marker", || async { ledger.find(id).await == Ok(Some(bytes.clone())) }).await;
    // At a start it may be somebody else's key: nothing is overwritten.
    ledger.close().await;
    let _: String = server.ask(&["SET", &marker, "forged"]);
    let refused = deployment.open(&server.settings()).await.err().unwrap().to_string();
    assert!(refused.contains("a marker in it is damaged or forged"), "{refused}");
    assert_eq!(server.ask::<String>(&["GET", &marker]), "forged");
}
