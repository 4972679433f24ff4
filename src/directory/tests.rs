use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::embedded::EmbeddedStore;
use super::entities::Policies;
use super::store::{Batch, Contents};
use super::*;
use crate::future::BoxFuture;
use crate::id::{AccessKeyId, AccessKeyKind, AccountId, DeploymentId, UniqueId, UniqueKind};
use crate::random::SystemRandom;
use crate::time::Timestamp;

fn account_id() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

fn deployment() -> DeploymentId {
    DeploymentId([7; 16])
}

fn user(name: &str) -> User {
    User {
        id: UniqueId::generate(UniqueKind::User, &SystemRandom::new()).unwrap(),
        account: account_id(),
        name: name.to_owned(),
        path: "/".to_owned(),
        created_at: Timestamp::from_secs(1_790_000_000),
        tags: vec![Tag { key: "k".into(), value: "v".into() }],
        policies: Policies {
            inline: BTreeMap::from([("p".to_owned(), document())]),
            ..Policies::default()
        },
        groups: BTreeSet::new(),
        revoked: None,
    }
}

fn document() -> Document {
    Document::parse(r#"{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"*"}}"#).unwrap()
}

fn open(path: &std::path::Path) -> Directory {
    Directory::open(Box::new(EmbeddedStore::open(path, deployment()).unwrap())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.redb");
    EmbeddedStore::create(&path, deployment(), 1, &[]).unwrap();
    let directory = Arc::new(open(&path));
    let writes = (0..100).map(|n| {
        let directory = Arc::clone(&directory);
        tokio::spawn(async move {
            let user = user(&format!("user-{n}"));
            let written = directory
                .write(|tx| {
                    tx.put(Entity::User(user));
                    Ok::<_, ()>(())
                })
                .await;
            let ((), version) = written.unwrap();
            assert!(directory.snapshot().version() >= version, "published before acknowledged");
            version
        })
    });
    let mut versions = Vec::new();
    for write in writes.collect::<Vec<_>>() {
        versions.push(write.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..=101).collect::<Vec<_>>(), "each write has a version of its own");
    let before = directory.snapshot();
    drop(directory);
    let after = open(&path).snapshot();
    assert_eq!(after.version(), 101);
    for n in 0..100 {
        let name = format!("USER-{n}");
        let (a, b) =
            (before.user_named(account_id(), &name), after.user_named(account_id(), &name));
        assert_eq!(a.unwrap(), b.unwrap());
    }
}

#[tokio::test]
async fn a_closure_that_refuses_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.redb");
    EmbeddedStore::create(&path, deployment(), 1, &[]).unwrap();
    let directory = open(&path);
    let refused = directory
        .write(|tx| {
            tx.put(Entity::User(user("alice")));
            Err::<(), _>("no")
        })
        .await;
    assert!(matches!(refused, Err(WriteError::Refused("no"))));
    assert!(directory.snapshot().user_named(account_id(), "alice").is_none());
    assert_eq!(directory.write(|_| Ok::<_, ()>(5)).await.unwrap(), (5, 1));
}

#[test]
fn another_deployments_directory_and_a_second_opener_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.redb");
    EmbeddedStore::create(&path, deployment(), 1, &[]).unwrap();
    let other = EmbeddedStore::open(&path, DeploymentId([8; 16])).unwrap();
    assert!(matches!(other.load(), Err(StoreError::Damaged(_))));
    let second = EmbeddedStore::open(&path, deployment());
    assert!(second.err().unwrap().to_string().contains("in use by another process"));
}

#[test]
fn names_are_found_in_any_case_and_forgotten_with_their_entity() {
    let alice = user("Alice");
    let mut snapshot =
        Snapshot::build(Contents { version: 1, entities: vec![Entity::User(alice.clone())] })
            .unwrap();
    assert_eq!(snapshot.user_named(account_id(), "aLICE").unwrap().id, alice.id);
    assert_eq!(snapshot.principal_id("arn:aws:iam::111122223333:user/Alice"), Some(alice.id));
    assert_eq!(snapshot.principal_id("arn:aws:iam::111122223333:user/alice"), None);
    let renamed = User { name: "Bob".into(), ..alice.clone() };
    snapshot.apply(&Change::Put(Box::new(Entity::User(renamed))));
    assert!(snapshot.user_named(account_id(), "alice").is_none());
    snapshot.apply(&Change::Delete(EntityKey::User(alice.id)));
    assert!(snapshot.user_named(account_id(), "bob").is_none());
}

#[test]
fn keys_are_listed_by_user() {
    let (alice, bob) = (user("alice"), user("bob"));
    let key = |user: &User| {
        let id = AccessKeyId::generate(AccessKeyKind::LongTerm, account_id(), &SystemRandom::new());
        AccessKey {
            id: id.unwrap(),
            user: user.id,
            sealed: vec![1, 2],
            status: KeyStatus::Active,
            created_at: Timestamp::from_secs(0),
            revoked: None,
            unconfirmed: false,
            put_away: false,
        }
    };
    let keys = [key(&alice), key(&bob), key(&alice)];
    let entities = keys.iter().cloned().map(Entity::AccessKey).collect();
    let snapshot = Snapshot::build(Contents { version: 1, entities }).unwrap();
    assert_eq!(snapshot.access_keys_of(alice.id).count(), 2);
    assert_eq!(snapshot.access_keys_of(bob.id).next().unwrap().id, keys[1].id);
}

/// A store in memory that can be told to fail.
#[derive(Default)]
struct Fragile {
    contents: Mutex<(u64, Vec<Entity>)>,
    broken: AtomicBool,
    failures: AtomicU64,
}

impl DirectoryStore for Arc<Fragile> {
    fn load(&self) -> Result<Contents, StoreError> {
        let (version, entities) = self.contents.lock().unwrap().clone();
        Ok(Contents { version, entities })
    }

    fn submit(
        &self,
        batch: Batch,
    ) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        let store = Arc::clone(self);
        let stale = batch.failures != store.failures();
        let broken = store.broken.load(Ordering::SeqCst);
        if broken && !stale {
            store.failures.fetch_add(1, Ordering::SeqCst);
        }
        if broken || stale {
            return Ok(Box::pin(async { Err(StoreError::Unknown("broken".into())) }));
        }
        let mut contents = store.contents.lock().unwrap();
        contents.0 = batch.version;
        for change in batch.changes {
            if let Change::Put(entity) = change {
                contents.1.push(*entity);
            }
        }
        batch.published.publish(batch.snapshot);
        Ok(Box::pin(async { Ok(()) }))
    }

    fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    fn recover(&self) -> BoxFuture<'_, Result<Contents, StoreError>> {
        Box::pin(async { self.load() })
    }
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_built_on_it() {
    let store = Arc::new(Fragile::default());
    let directory = Directory::open(Box::new(Arc::clone(&store))).unwrap();
    let put = |name: &'static str| {
        directory.write(move |tx| {
            tx.put(Entity::User(user(name)));
            Ok::<_, ()>(())
        })
    };
    put("alice").await.unwrap();
    store.broken.store(true, Ordering::SeqCst);
    assert!(matches!(put("bob").await, Err(WriteError::Store(StoreError::Unknown(_)))));
    assert!(directory.is_failing());
    assert!(directory.snapshot().user_named(account_id(), "bob").is_none());
    store.broken.store(false, Ordering::SeqCst);
    let seen = directory
        .write(|tx| {
            let bob = tx.state().user_named(account_id(), "bob").is_some();
            tx.put(Entity::User(user("carol")));
            Ok::<_, ()>(bob)
        })
        .await;
    assert_eq!(seen.unwrap(), (false, 2), "the failed write is not seen, its version is free");
    assert!(!directory.is_failing());
}

type Done = tokio::sync::oneshot::Sender<Result<(), StoreError>>;

/// A store whose writes wait until they are kept or lost.
#[derive(Default)]
struct Held {
    waiting: Mutex<Vec<(Batch, Done)>>,
    failures: AtomicU64,
}

impl Held {
    fn end(&self, kept: bool) {
        if !kept {
            self.failures.fetch_add(1, Ordering::SeqCst);
        }
        for (batch, done) in self.waiting.lock().unwrap().drain(..) {
            let outcome = if kept {
                batch.published.publish(batch.snapshot);
                Ok(())
            } else {
                Err(StoreError::Unknown("lost".into()))
            };
            let _ = done.send(outcome);
        }
    }
}

impl DirectoryStore for Arc<Held> {
    fn load(&self) -> Result<Contents, StoreError> {
        Ok(Contents::default())
    }

    fn submit(
        &self,
        batch: Batch,
    ) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        let (done, outcome) = tokio::sync::oneshot::channel();
        self.waiting.lock().unwrap().push((batch, done));
        Ok(Box::pin(async { outcome.await.unwrap() }))
    }

    fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    fn recover(&self) -> BoxFuture<'_, Result<Contents, StoreError>> {
        Box::pin(async { self.load() })
    }
}

/// Whoever is told that there is nothing left to do, or that what he asks cannot be, has been told
/// of a write before his: that one must be kept first.
#[tokio::test]
async fn what_changes_nothing_waits_for_what_it_was_decided_on() {
    for kept in [true, false] {
        let store = Arc::new(Held::default());
        let directory = Arc::new(Directory::open(Box::new(Arc::clone(&store))).unwrap());
        let write = |refuse: bool| {
            let directory = Arc::clone(&directory);
            tokio::spawn(async move {
                let decide = |tx: &mut Transaction| match tx.state().user_named(account_id(), "al")
                {
                    Some(_) if refuse => Err("it is there"),
                    Some(_) => Ok(()),
                    None => {
                        tx.put(Entity::User(user("al")));
                        Ok(())
                    }
                };
                directory.write(decide).await
            })
        };
        let first = write(false);
        tokio::task::yield_now().await;
        let (again, refused) = (write(false), write(true));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(!again.is_finished(), "acknowledged before it is durable");
        assert!(!refused.is_finished(), "refused for what is not durable");
        store.end(kept);
        assert_eq!(first.await.unwrap().is_ok(), kept);
        assert_eq!(again.await.unwrap().is_ok(), kept);
        let refused = refused.await.unwrap();
        assert_eq!(matches!(refused, Err(WriteError::Refused("it is there"))), kept);
        assert_eq!(directory.snapshot().user_named(account_id(), "al").is_some(), kept);
    }
}

#[test]
fn a_stored_policy_that_does_not_parse_denies_everything() {
    let stored = r#""{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"Unknown\":{\"a:b\":\"c\"}}}}""#;
    let document: Document = serde_json::from_str(stored).unwrap();
    let request = crate::policy::Request {
        caller: &crate::policy::Caller::Root { account: account_id() },
        action: "a:B",
        resource: "*",
        context: &crate::policy::Context::new(),
    };
    let named = crate::policy::Named { name: "p", policy: document.policy() };
    let layers = crate::policy::Layers {
        resource_account: account_id(),
        identity: &[named],
        boundary: None,
        session: None,
        resource: None,
        service_control: &[],
        resource_control: &[],
    };
    let decision = crate::policy::decide(&request, &layers);
    assert_eq!(decision.effect(), crate::policy::Effect::ExplicitDeny);
}

/// Entities as they were stored, each read and written alike.
fn golden(text: &str) -> Vec<Entity> {
    let entities: Vec<Entity> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (line, entity) in text.lines().zip(&entities) {
        let again: serde_json::Value = serde_json::to_value(entity).unwrap();
        let stored: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(again, stored, "what is read is written alike");
    }
    entities
}

/// The stored form of every entity in format version 1, as released: it must read for ever.
#[test]
fn golden_entities_of_version_1_read() {
    let entities = golden(include_str!("golden/v1.jsonl"));
    assert_eq!(entities.len(), 5);
    let snapshot = Snapshot::build(Contents { version: 1, entities }).unwrap();
    let role = snapshot.role_named(account_id(), "deploy").unwrap();
    assert_eq!(role.trust.bound().len(), 1);
}

/// What format version 2 added.
#[test]
fn golden_entities_of_version_2_read() {
    let entities = golden(include_str!("golden/v2.jsonl"));
    assert_eq!(entities.len(), 13);
    let snapshot = Snapshot::build(Contents { version: 1, entities: entities.clone() }).unwrap();
    // What a backup would hold.
    let mut keys: Vec<_> = snapshot.entities().map(|it| it.key().to_string()).collect();
    keys.sort();
    let mut stored: Vec<_> = entities.iter().map(|it| it.key().to_string()).collect();
    stored.sort();
    assert_eq!(keys, stored);
    let group = snapshot.group_named(account_id(), "STAFF").unwrap();
    assert_eq!(snapshot.members_of(group.id).next().unwrap().name, "alice");
    let arn = "arn:aws:iam::111122223333:policy/team/buckets";
    let policy = snapshot.managed_policy(account_id(), arn).unwrap();
    assert!(policy.document().unwrap().text().contains("Deny"));
    assert_eq!(snapshot.holders_of(account_id(), arn).len(), 1);
    let role = snapshot.role_named(account_id(), "deploy").unwrap();
    assert_eq!(snapshot.bounded_by(account_id(), arn), [role.id]);
    assert_eq!(snapshot.instance_profiles_with(role.id).next().unwrap().name, "web");
    assert!(snapshot.oidc_provider(account_id(), "issuer.example/path").is_some());
    assert!(snapshot.saml_provider_named(account_id(), "CORP").is_some());
    let device = snapshot.mfa_device_named(account_id(), "PHONE").unwrap();
    let alice = snapshot.user_named(account_id(), "alice").unwrap().id;
    assert_eq!(snapshot.mfa_devices_of_user(alice).next().unwrap().arn(), device.arn());
    let root = crate::id::UniqueId::of_root(account_id());
    assert_eq!(snapshot.access_keys_of(root).count(), 1);
    let handshake = snapshot.organized().handshakes().next().unwrap();
    assert!(handshake.is_past(Timestamp::from_secs(1_800_000_000)));
    let member = snapshot.organized().member(account_id()).unwrap();
    assert!(member.delegated.contains_key("audit.example.com"));
}

/// A store as version 1 of the format made it opens, keeps what it held, and is of this version
/// from then on.
#[tokio::test]
async fn a_store_of_format_1_is_brought_up_to_date() {
    const META: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("meta");
    const ENTITIES: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("entities");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.redb");
    let make = |format: &str| {
        let _ = std::fs::remove_file(&path);
        let database = redb::Database::create(&path).unwrap();
        let write = database.begin_write().unwrap();
        {
            let mut meta = write.open_table(META).unwrap();
            meta.insert("format", format).unwrap();
            meta.insert("deployment", deployment().to_string().as_str()).unwrap();
            meta.insert("version", "41").unwrap();
            let mut table = write.open_table(ENTITIES).unwrap();
            for line in include_str!("golden/v1.jsonl").lines() {
                let entity: Entity = serde_json::from_str(line).unwrap();
                table.insert(entity.key().to_string().as_str(), line.as_bytes()).unwrap();
            }
        }
        write.commit().unwrap();
    };
    make("1");
    let used = Used::Key(AccessKeyId::parse("AKIAAAAAAAAAAAAAAAAA").unwrap());
    {
        let directory = open(&path);
        assert_eq!(directory.snapshot().version(), 41);
        assert!(directory.snapshot().user_named(account_id(), "alice").is_some());
        directory.uses().record(used, Timestamp::from_secs(7), "sts", "eu-west-1");
        directory.keep_uses().await.unwrap();
    }
    assert_eq!(open(&path).uses().last(used).unwrap().service, "sts");
    let database = redb::Database::open(&path).unwrap();
    let meta = redb::ReadableDatabase::begin_read(&database).unwrap().open_table(META).unwrap();
    assert_eq!(meta.get("format").unwrap().unwrap().value(), "2");
    drop((meta, database));
    make("3");
    let newer = EmbeddedStore::open(&path, deployment()).unwrap().load();
    assert!(matches!(newer, Err(StoreError::Newer(3, 2))));
}
