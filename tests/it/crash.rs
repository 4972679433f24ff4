//! kill -9 under load: what was acknowledged is kept, whatever the moment.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::broker::{Broker, eventually};
use crate::caller::{Answer, Caller, Credentials, allow, trust};

/// Rounds, unless `COUNTERSIGN_TEST_CRASH_ROUNDS` says otherwise.
const ROUNDS: usize = 20;

fn rounds() -> usize {
    let set = std::env::var("COUNTERSIGN_TEST_CRASH_ROUNDS").ok();
    set.map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// What clients were told, by all rounds.
#[derive(Default)]
struct Told {
    /// How many requests were acknowledged, in all.
    count: AtomicUsize,
    /// Their IDs, and whether they handed out credentials.
    requests: Mutex<Vec<(String, bool)>>,
    sessions: Mutex<Vec<Credentials>>,
    revoked: Mutex<Vec<Credentials>>,
    keys: Mutex<Vec<Credentials>>,
    users: Mutex<Vec<String>>,
}

impl Told {
    /// Notes an acknowledgement; `None` when there was no answer. The broker that goes down may
    /// also refuse, but never with anything that looks like the caller's fault.
    fn heard(&self, answer: Option<Answer>, mint: bool) -> Option<Answer> {
        let answer = answer?;
        assert!(answer.status.is_success() || answer.status.is_server_error(), "{answer:?}");
        if !answer.status.is_success() {
            return None;
        }
        let id = answer.headers["x-amzn-requestid"].to_str().unwrap().to_owned();
        self.requests.lock().unwrap().push((id, mint));
        self.count.fetch_add(1, Ordering::SeqCst);
        Some(answer)
    }
}

fn add<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().unwrap().push(item);
}

fn drain<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut *list.lock().unwrap())
}

/// Asks; `None` when the connection broke.
async fn ask(
    caller: &Caller,
    service: &str,
    action: &str,
    parameters: &[(&str, &str)],
) -> Option<Answer> {
    let plan = crate::caller::Plan::query(service, action, parameters);
    caller.try_send(caller.sign(plan)).await.ok()
}

/// Assumes the role again and again.
async fn mint(caller: Caller, role: String, told: Arc<Told>) {
    let parameters = [("RoleArn", role.as_str()), ("RoleSessionName", "load")];
    while let Some(answer) = told.heard(ask(&caller, "sts", "AssumeRole", &parameters).await, true)
    {
        add(&told.sessions, answer.credentials());
    }
}

/// Assumes the role and revokes the session, again and again.
async fn revoke(caller: Caller, role: String, told: Arc<Told>) {
    let parameters = [("RoleArn", role.as_str()), ("RoleSessionName", "load")];
    while let Some(answer) = told.heard(ask(&caller, "sts", "AssumeRole", &parameters).await, true)
    {
        let session = answer.credentials();
        let revocation = caller.try_revoke(&json!({"session": session.id})).await.ok();
        if told.heard(revocation, false).is_none() {
            // It may have been revoked or not.
            return;
        }
        add(&told.revoked, session);
    }
}

/// Makes users with a key, again and again.
async fn users(caller: Caller, round: usize, told: Arc<Told>) {
    for number in 0.. {
        let name = format!("user-{round}-{number}");
        let named = [("UserName", name.as_str())];
        if told.heard(ask(&caller, "iam", "CreateUser", &named).await, false).is_none() {
            return;
        }
        add(&told.users, name.clone());
        let made = told.heard(ask(&caller, "iam", "CreateAccessKey", &named).await, true);
        let Some(key) = made else { return };
        add(&told.keys, key.credentials());
    }
}

/// Writes a policy of the role again and again, a number higher each time; returns the last number
/// that was acknowledged.
async fn policies(caller: Caller, from: usize, told: Arc<Told>) -> usize {
    for number in from + 1.. {
        let document = numbered(number).to_string();
        let put = [
            ("RoleName", "load"),
            ("PolicyName", "counter"),
            ("PolicyDocument", document.as_str()),
        ];
        if told.heard(ask(&caller, "iam", "PutRolePolicy", &put).await, false).is_none() {
            return number - 1;
        }
    }
    unreachable!("the broker is killed before");
}

fn numbered(number: usize) -> Value {
    allow(&format!("counter:Is{number}"), "*")
}

/// The number in the policy that is there.
async fn number(admin: &Caller) -> usize {
    let get = [("RoleName", "load"), ("PolicyName", "counter")];
    let document = admin.iam("GetRolePolicy", &get).await.ok().text("PolicyDocument").unwrap();
    let digits = document.split("counter%3AIs").nth(1).unwrap();
    digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

async fn all_good(broker: &Broker, credentials: &[Credentials]) {
    for credentials in credentials {
        broker.caller(credentials).whoami().await.ok();
    }
}

async fn all_revoked(broker: &Broker, credentials: &[Credentials]) {
    for credentials in credentials {
        broker.caller(credentials).whoami().await.refused("InvalidClientTokenId");
    }
}

/// Each acknowledged request has an intent on record, and an outcome if it handed out credentials.
fn all_recorded(broker: &Broker, requests: &[(String, bool)]) {
    let records = broker.home.audit();
    let of_phase = |phase: &str| -> HashSet<&str> {
        let records =
            records.iter().filter(|record| record["additionalEventData"]["phase"] == phase);
        records.map(|record| record["requestID"].as_str().unwrap()).collect()
    };
    let (intents, outcomes) = (of_phase("intent"), of_phase("outcome"));
    for (id, mint) in requests {
        assert!(intents.contains(id.as_str()), "no intent of {id}");
        assert!(!mint || outcomes.contains(id.as_str()), "no outcome of {id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_under_load_loses_nothing_that_was_acknowledged() {
    let mut broker = Broker::start();
    let root = format!("arn:aws:iam::{}:root", broker.home.account);
    let admin = broker.admin();
    let role = admin.make_role("load", &trust(&root), &allow("*", "*")).await;
    let put = |document: &str| {
        [("RoleName", "load"), ("PolicyName", "counter"), ("PolicyDocument", document)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let first = put(&numbered(0).to_string());
    let first: Vec<_> = first.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    admin.iam("PutRolePolicy", &first).await.ok();

    let (mut live, mut dead, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    let mut counter = 0;
    for round in 0..rounds() {
        let told = Arc::new(Told::default());
        let mut load = JoinSet::new();
        for _ in 0..2 {
            load.spawn(mint(broker.admin(), role.clone(), Arc::clone(&told)));
        }
        load.spawn(revoke(broker.admin(), role.clone(), Arc::clone(&told)));
        load.spawn(users(broker.admin(), round, Arc::clone(&told)));
        let writer = tokio::spawn(policies(broker.admin(), counter, Arc::clone(&told)));
        // Another moment each round.
        let enough = 10 + round * 13 % 60;
        eventually("acknowledgements", || told.count.load(Ordering::SeqCst) >= enough);
        broker.kill();
        while let Some(ended) = load.join_next().await {
            ended.unwrap();
        }
        let acknowledged = writer.await.unwrap();
        broker.restart();

        let sessions = drain(&told.sessions);
        let keys = drain(&told.keys);
        let revoked = drain(&told.revoked);
        assert!(!sessions.is_empty(), "there was no load");
        all_good(&broker, &sessions).await;
        all_good(&broker, &keys).await;
        all_revoked(&broker, &revoked).await;
        let admin = broker.admin();
        for name in drain(&told.users) {
            admin.iam("GetUser", &[("UserName", &name)]).await.ok();
        }
        // The write that got no answer may have been made; none before it is lost.
        counter = number(&admin).await;
        let possible = acknowledged..=acknowledged + 1;
        assert!(possible.contains(&counter), "{counter} is not in {possible:?}");
        let told = drain(&told.requests);
        all_recorded(&broker, &told);
        requests.extend(told);
        live.extend(sessions.into_iter().chain(keys));
        dead.extend(revoked);
    }
    all_good(&broker, &live).await;
    all_revoked(&broker, &dead).await;
    all_recorded(&broker, &requests);
}
