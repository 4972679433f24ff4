//! What every ledger does: one suite, run against the embedded one and the one in Redis.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use countersign::id::{AccessKeyId, AccessKeyKind, AccountId, UniqueId};
use countersign::sessions::embedded::EmbeddedLedger;
use countersign::sessions::redis::RedisLedger;
use countersign::sessions::{Inserted, Ledger, Listing, Mark};
use countersign::time::{Clock, ManualClock, SystemClock, Timestamp};

use crate::redis_server::{Deployment, RedisServer, principal};

/// A ledger to be tested, and what it lives in.
struct Subject<L, H> {
    deployment: Deployment,
    clock: Arc<ManualClock>,
    ledger: L,
    _home: H,
}

fn deployment() -> (Deployment, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock::new().now()));
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
    (Deployment { clock: shared, ..Deployment::new() }, clock)
}

fn embedded() -> Subject<EmbeddedLedger, tempfile::TempDir> {
    let (deployment, clock) = deployment();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("sessions.redb");
    let id = deployment.keyring.deployment();
    let ledger = EmbeddedLedger::open(&path, id, Arc::clone(&deployment.clock)).unwrap();
    Subject { deployment, clock, ledger, _home: home }
}

async fn in_redis() -> Subject<RedisLedger, RedisServer> {
    let (deployment, clock) = deployment();
    let home = RedisServer::start();
    let ledger = deployment.open(&home.settings()).await.unwrap();
    Subject { deployment, clock, ledger, _home: home }
}

impl<L: Ledger, H> Subject<L, H> {
    async fn insert(&self, principal: UniqueId, expires_at: Timestamp) -> (AccessKeyId, Vec<u8>) {
        let new = self.deployment.record_until(principal, expires_at);
        let kept = (new.access_key_id, new.record.clone());
        assert_eq!(self.ledger.insert(new).await, Ok(Inserted::Kept));
        kept
    }

    /// All pages of a principal's records, with the number of pages.
    async fn pages(&self, principal: UniqueId, limit: usize) -> (Vec<(AccessKeyId, Vec<u8>)>, u32) {
        let (mut records, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let listing = Listing { principal, after, limit, now: self.clock.now() };
            let page = self.ledger.list(listing).await.unwrap();
            assert!(page.records.len() <= limit.clamp(1, Listing::LIMIT));
            records.extend(page.records);
            pages += 1;
            match page.next {
                Some(mark) => after = Some(mark),
                None => return (records, pages),
            }
        }
    }
}

/// Runs a test against both ledgers.
macro_rules! both {
    ($($name:ident)*) => {
        mod embedded { $(
            #[tokio::test]
            async fn $name() { super::$name(super::embedded()).await; }
        )* }
        mod redis { $(
            #[tokio::test]
            async fn $name() { super::$name(super::in_redis().await).await; }
        )* }
    };
}

both! {
    what_is_kept_is_found_byte_for_byte
    a_clash_keeps_what_was_there
    concurrent_inserts_of_one_id_keep_one
    pages_hold_every_session_once
    only_the_principals_own_live_sessions_are_listed
    what_is_removed_is_gone
    pages_go_on_past_removed_sessions
}

async fn what_is_kept_is_found_byte_for_byte<L: Ledger, H>(subject: Subject<L, H>) {
    let now = subject.clock.now();
    let mut kept = Vec::new();
    for _ in 0..300 {
        kept.push(subject.insert(principal(), now.plus_secs(900)).await);
    }
    for (id, bytes) in kept {
        assert_eq!(subject.ledger.find(id).await, Ok(Some(bytes)), "{id}");
    }
    let account = AccountId::parse("000000000000").unwrap();
    let never = AccessKeyId::new(AccessKeyKind::Session, account, [0; 5]);
    assert_eq!(subject.ledger.find(never).await, Ok(None));
}

async fn a_clash_keeps_what_was_there<L: Ledger, H>(subject: Subject<L, H>) {
    let expires_at = subject.clock.now().plus_secs(900);
    let (id, bytes) = subject.insert(principal(), expires_at).await;
    let mut second = subject.deployment.record_until(principal(), expires_at);
    second.access_key_id = id;
    let late = second.principal;
    assert_eq!(subject.ledger.insert(second).await, Ok(Inserted::Clash));
    assert_eq!(subject.ledger.find(id).await, Ok(Some(bytes)));
    assert_eq!(subject.ledger.count(late, subject.clock.now()).await, Ok(0));
}

async fn concurrent_inserts_of_one_id_keep_one<L: Ledger, H>(subject: Subject<L, H>) {
    let expires_at = subject.clock.now().plus_secs(900);
    let id = subject.deployment.record_until(principal(), expires_at).access_key_id;
    let ledger = Arc::new(subject.ledger);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let mut new = subject.deployment.record_until(principal(), expires_at);
            new.access_key_id = id;
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.insert(new).await.unwrap() })
        })
        .collect();
    let mut kept = 0;
    for task in tasks {
        kept += usize::from(task.await.unwrap() == Inserted::Kept);
    }
    assert_eq!(kept, 1);
}

async fn pages_hold_every_session_once<L: Ledger, H>(subject: Subject<L, H>) {
    let (role, now) = (principal(), subject.clock.now());
    let mut kept = HashSet::new();
    for index in 0..700 {
        // Many expire in the same second, so that ends of pages fall among them.
        kept.insert(subject.insert(role, now.plus_secs(900 + index % 3)).await);
    }
    assert_eq!(subject.ledger.count(role, now).await, Ok(700));
    for (limit, least) in [(1, 700), (7, 100), (100, 7), (699, 2), (700, 1), (usize::MAX, 1)] {
        let (records, pages) = subject.pages(role, limit).await;
        assert!((least..=least + 1).contains(&pages), "{pages} pages of {limit}");
        assert_eq!(records.len(), 700, "pages of {limit}");
        assert_eq!(records.into_iter().collect::<HashSet<_>>(), kept, "pages of {limit}");
    }
}

async fn only_the_principals_own_live_sessions_are_listed<L: Ledger, H>(subject: Subject<L, H>) {
    let (role, other, now) = (principal(), principal(), subject.clock.now());
    subject.insert(role, now.plus_secs(900)).await;
    let (long, bytes) = subject.insert(role, now.plus_secs(3600)).await;
    subject.insert(other, now.plus_secs(3600)).await;
    assert_eq!(subject.ledger.count(role, now).await, Ok(2));
    subject.clock.advance(Duration::from_secs(899));
    assert_eq!(subject.ledger.count(role, subject.clock.now()).await, Ok(2));
    subject.clock.advance(Duration::from_secs(1));
    assert_eq!(subject.ledger.count(role, subject.clock.now()).await, Ok(1));
    assert_eq!(subject.pages(role, 100).await.0, [(long, bytes)]);
    assert_eq!(subject.pages(principal(), 100).await, (Vec::new(), 1));
}

async fn what_is_removed_is_gone<L: Ledger, H>(subject: Subject<L, H>) {
    let (role, expires_at) = (principal(), subject.clock.now().plus_secs(900).floor_secs());
    let (id, _) = subject.insert(role, expires_at).await;
    let (stays, bytes) = subject.insert(role, expires_at).await;
    let place = Mark { expires_at, access_key_id: id };
    assert_eq!(subject.ledger.remove(role, place).await, Ok(true));
    assert_eq!(subject.ledger.remove(role, place).await, Ok(false));
    assert_eq!(subject.ledger.find(id).await, Ok(None));
    assert_eq!(subject.pages(role, 10).await.0, [(stays, bytes)]);
    assert_eq!(subject.ledger.count(role, subject.clock.now()).await, Ok(1));
}

async fn pages_go_on_past_removed_sessions<L: Ledger, H>(subject: Subject<L, H>) {
    let (role, expires_at) = (principal(), subject.clock.now().plus_secs(900).floor_secs());
    for _ in 0..40 {
        subject.insert(role, expires_at).await;
    }
    let listing = Listing { principal: role, after: None, limit: 10, now: subject.clock.now() };
    let first = subject.ledger.list(listing).await.unwrap();
    // The one that the mark names goes, and so do others before and behind it.
    for (id, _) in &first.records {
        let place = Mark { expires_at, access_key_id: *id };
        assert_eq!(subject.ledger.remove(role, place).await, Ok(true));
    }
    let mut seen: HashSet<_> = first.records.iter().map(|(id, _)| *id).collect();
    let mut after = first.next;
    while after.is_some() {
        let page = subject.ledger.list(Listing { after, ..listing }).await.unwrap();
        for (id, _) in page.records {
            assert!(seen.insert(id), "{id} twice");
        }
        after = page.next;
    }
    assert_eq!(seen.len(), 40);
}
