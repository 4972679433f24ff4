#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a benchmark reports, and fails loudly"
)]
//! A directory of 100 to 100,000 roles: loading, memory, looking one up, changing one.
//!
//! `cargo bench --bench directory`. The last row is divided by the first: what a lookup and an
//! update cost must not depend on how much there is. An update is measured to the durable commit,
//! and apart from it: the copy and the change of the snapshot.
//!
//! A lookup is measured twice: of a hundred roles that are asked for again and again, the same
//! number whatever the size, and of a thousand all over the directory, which with many roles come
//! from memory and not from a cache. What memory alone takes shows beside it: a plain `HashMap` of
//! the standard library with the same names.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::directory::embedded::EmbeddedStore;
use countersign::directory::entities::Policies;
use countersign::directory::{Account, Directory, Document, Entity, Role, TrustDocument};
use countersign::id::{AccountId, DeploymentId, UniqueId, UniqueKind};
use countersign::random::SystemRandom;
use countersign::time::Timestamp;

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// How many roles are asked for again and again.
const HOT: usize = 100;

fn role(account: AccountId, number: usize, random: &SystemRandom) -> Role {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"tenant-{number}"}}}}}}]}}"#
    );
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-{number}/*"}}]}}"#
    );
    let mut policies = Policies::default();
    policies.inline.insert("own".to_owned(), Document::parse(&policy).unwrap());
    Role {
        id: UniqueId::generate(UniqueKind::Role, random).unwrap(),
        account,
        name: format!("role-{number}"),
        path: "/".to_owned(),
        description: None,
        max_session_duration: 3600,
        created_at: Timestamp::from_secs(1_790_000_000),
        tags: Vec::new(),
        trust: TrustDocument::parse(&trust, |_| None).unwrap(),
        policies,
        revoked: None,
    }
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// What one takes, in nanoseconds: all of them, a hundred times over.
fn each(names: &[String], find: impl Fn(&str) -> *const Role) -> f64 {
    let rounds = (0..100).map(|_| {
        let started = Instant::now();
        for name in names {
            black_box(find(name));
        }
        started.elapsed()
    });
    median(rounds.collect()).as_nanos() as f64 / names.len() as f64
}

struct Row {
    size: usize,
    load: Duration,
    bytes: f64,
    lookup: f64,
    anywhere: f64,
    floor: f64,
    change: Duration,
    update: Duration,
}

fn measure(size: usize, runtime: &tokio::runtime::Runtime) -> Row {
    let random = SystemRandom::new();
    let account = AccountId::parse("111122223333").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.redb");
    let deployment = DeploymentId([7; 16]);
    let created_at = Timestamp::from_secs(1_790_000_000);
    let first = Entity::Account(Account::new(account, "first".to_owned(), created_at));
    let roles = (0..size).map(|number| Entity::Role(role(account, number, &random)));
    let entities: Vec<Entity> = std::iter::once(first).chain(roles).collect();
    EmbeddedStore::create(&path, deployment, 1, &entities).unwrap();
    drop(entities);

    let before = resident();
    let started = Instant::now();
    let store = EmbeddedStore::open(&path, deployment).unwrap();
    let directory = Arc::new(Directory::open(Box::new(store)).unwrap());
    let load = started.elapsed();
    let bytes = resident().saturating_sub(before) as f64 / size as f64;

    let step = size / HOT;
    let hot: Vec<String> = (0..HOT).map(|n| format!("ROLE-{}", n * step)).collect();
    let cold: Vec<String> = (0..1000).map(|n| format!("ROLE-{}", n * 7919 % size)).collect();
    let plain: HashMap<(AccountId, String), Arc<Role>> = directory
        .snapshot()
        .roles_of(account)
        .map(|role| ((account, role.name.clone()), Arc::clone(role)))
        .collect();
    assert_eq!(plain.len(), size);
    let snapshot = directory.snapshot();
    let found = |name: &str| Arc::as_ptr(snapshot.role_named(account, name).unwrap());
    let lookup = each(&hot, found);
    let anywhere = each(&cold, found);
    let floor = each(&cold, |name| Arc::as_ptr(&plain[&(account, name.to_ascii_lowercase())]));
    drop(plain);

    let rename = |number: usize| {
        let snapshot = directory.snapshot();
        let mut role =
            Role::clone(snapshot.role_named(account, &format!("role-{}", number % size)).unwrap());
        role.description = Some(format!("{number}"));
        role
    };
    let changes = (0..200).map(|number| {
        let role = rename(number * 31);
        let started = Instant::now();
        // What is refused is not stored: the change of the snapshot alone.
        let refused = runtime.block_on(directory.write(|tx| {
            tx.put(Entity::Role(role));
            Err::<(), ()>(())
        }));
        assert!(refused.is_err());
        started.elapsed()
    });
    let change = median(changes.collect());
    let updates = (0..50).map(|number| {
        let role = rename(number * 37);
        let started = Instant::now();
        let stored = runtime.block_on(directory.write(|tx| {
            tx.put(Entity::Role(role));
            Ok::<(), ()>(())
        }));
        stored.unwrap();
        started.elapsed()
    });
    let update = median(updates.collect());
    Row { size, load, bytes, lookup, anywhere, floor, change, update }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "   roles     load ms  bytes a role  lookup ns  anywhere ns  HashMap ns  change µs  \
         durable update µs"
    );
    let rows: Vec<Row> = SIZES.map(|size| measure(size, &runtime)).into();
    for row in &rows {
        println!(
            "{:>8} {:>11.1} {:>13.0} {:>10.0} {:>12.0} {:>11.0} {:>10.1} {:>18.1}",
            row.size,
            row.load.as_secs_f64() * 1e3,
            row.bytes,
            row.lookup,
            row.anywhere,
            row.floor,
            row.change.as_secs_f64() * 1e6,
            row.update.as_secs_f64() * 1e6,
        );
    }
    let (first, last) = (&rows[0], &rows[rows.len() - 1]);
    println!(
        "{} to {} roles: lookup {:.2} × (anywhere {:.2} ×, where a HashMap takes {:.2} ×), change \
         {:.2} ×, durable update {:.2} ×",
        first.size,
        last.size,
        last.lookup / first.lookup,
        last.anywhere / first.anywhere,
        last.floor / first.floor,
        last.change.as_secs_f64() / first.change.as_secs_f64(),
        last.update.as_secs_f64() / first.update.as_secs_f64(),
    );
}
