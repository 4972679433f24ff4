//! kill -9 in the middle of many concurrent writes to the directory: whatever was acknowledged is
//! there, nothing is half-written, nothing needs repair.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use crate::broker::{Broker, eventually};
use crate::caller::{Caller, Plan};

/// Rounds and writes of a round, unless `COUNTERSIGN_TEST_WRITES` says otherwise: `20x10000`.
const DEFAULT: (usize, usize) = (3, 600);
const CLIENTS: usize = 16;

fn extent() -> (usize, usize) {
    let Ok(text) = std::env::var("COUNTERSIGN_TEST_WRITES") else { return DEFAULT };
    let (rounds, writes) = text.split_once('x').unwrap();
    (rounds.parse().unwrap(), writes.parse().unwrap())
}

/// Makes users, tags and policy in one write each, until the broker is gone.
async fn write(
    caller: Caller,
    round: usize,
    next: Arc<AtomicUsize>,
    writes: usize,
    kept: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= writes {
            return;
        }
        let name = format!("u-{round}-{number}");
        let parameters = [
            ("UserName", name.as_str()),
            ("Path", "/round/"),
            ("Tags.member.1.Key", "number"),
            ("Tags.member.1.Value", name.as_str()),
        ];
        let request = caller.sign(Plan::query("iam", "CreateUser", &parameters));
        match caller.try_send(request).await {
            Ok(answer) if answer.status.is_success() => kept.lock().unwrap().push(name),
            Ok(answer) => assert!(answer.status.is_server_error(), "{answer:?}"),
            Err(_) => return,
        }
    }
}

/// Every user of the directory; each must be whole.
async fn all_users(admin: &Caller) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut marker: Option<String> = None;
    loop {
        let mut parameters = vec![("MaxItems", "1000"), ("PathPrefix", "/round/")];
        if let Some(marker) = &marker {
            parameters.push(("Marker", marker));
        }
        let page = admin.iam("ListUsers", &parameters).await.ok();
        found.extend(page.body.split("<UserName>").skip(1).map(|rest| {
            let name = rest.split('<').next().unwrap().to_owned();
            assert!(rest.contains(&format!(":user/round/{name}</Arn>")), "{name} is half there");
            name
        }));
        marker = page.text("Marker");
        if marker.is_none() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_many_writes_keeps_what_was_acknowledged() {
    let (rounds, writes) = extent();
    // More users than an account may have by default.
    let quota = ("COUNTERSIGN_QUOTAS_USERS_PER_ACCOUNT", "1000000");
    let mut broker = Broker::with(&[quota]);
    let mut all = Vec::new();
    for round in 0..rounds {
        let (next, kept) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let mut load = JoinSet::new();
        for _ in 0..CLIENTS {
            let (next, kept) = (Arc::clone(&next), Arc::clone(&kept));
            load.spawn(write(broker.admin(), round, next, writes, kept));
        }
        // Another moment each round, never before the first or after the last write.
        let moment = writes * (10 + round * 37 % 80) / 100;
        let count = || kept.lock().unwrap().len();
        while count() < moment {
            // However slow the disk is, as long as it goes on.
            let seen = count();
            eventually("another write", || count() > seen);
        }
        broker.kill();
        while let Some(ended) = load.join_next().await {
            ended.unwrap();
        }
        let kept = std::mem::take(&mut *kept.lock().unwrap());
        assert!(kept.len() < writes, "it was killed in the middle");
        all.extend(kept);
        broker.restart();
        let admin = broker.admin();
        let found = all_users(&admin).await;
        for name in &all {
            assert!(found.contains(name), "{name} was acknowledged and is not there");
        }
        let last = all.last().unwrap().as_str();
        let tags = admin.iam("ListUserTags", &[("UserName", last)]).await.ok();
        assert_eq!(tags.text("Value").as_deref(), Some(last));
        // No more is there than was asked for: a client has at most one write without an answer.
        assert!(found.len() <= all.len() + CLIENTS * (round + 1), "{}", found.len());
    }
}
