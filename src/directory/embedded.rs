//! The directory in one file: redb, one writer thread, waiting writes share a durable commit.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::oneshot;

use super::changes::Touched;
use super::store::{Batch, Change, Contents, DirectoryStore, Entity, StoreError};
use super::uses::{News, Use, Used};
use crate::future::BoxFuture;
use crate::group::Writer;
use crate::id::DeploymentId;

/// The version of the stored format.
///
/// 1: accounts, users, roles, keys, revocations. 2: groups, managed policies, instance profiles,
/// identity providers and the organization besides, and the table of last uses. What 1 holds stands
/// in 2 unchanged.
const FORMAT: u64 = 2;
const META: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");
const ENTITIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("entities");
const USES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("uses");
/// How many writes may wait for the writer thread.
const QUEUE: usize = 4096;

/// A directory in `directory.redb`.
pub struct EmbeddedStore {
    file: Arc<File>,
    writer: Writer<Job>,
}

enum Job {
    Change(Writing),
    Uses(Vec<News>, Done),
}

struct Writing {
    batch: Batch,
    done: Done,
}

type Done = oneshot::Sender<Result<(), StoreError>>;

struct File {
    path: PathBuf,
    deployment: DeploymentId,
    /// `None` after a failure, until `recover`.
    database: Mutex<Option<Database>>,
    failures: AtomicU64,
}

impl EmbeddedStore {
    /// Makes a new store that holds `entities` as version `version`.
    ///
    /// The file appears under its name only when it is complete and durable.
    pub fn create(
        path: &Path,
        deployment: DeploymentId,
        version: u64,
        entities: &[Entity],
    ) -> Result<(), StoreError> {
        let partial = path.with_extension("redb.partial");
        if partial.exists() {
            std::fs::remove_file(&partial).map_err(unavailable)?;
        }
        {
            let database = Database::create(&partial).map_err(unavailable)?;
            restrict(&partial)?;
            let write = database.begin_write().map_err(unavailable)?;
            {
                let mut meta = write.open_table(META).map_err(unavailable)?;
                meta.insert("format", FORMAT.to_string().as_str()).map_err(unavailable)?;
                meta.insert("deployment", deployment.to_string().as_str()).map_err(unavailable)?;
                meta.insert("version", version.to_string().as_str()).map_err(unavailable)?;
                let mut table = write.open_table(ENTITIES).map_err(unavailable)?;
                for entity in entities {
                    let bytes = serde_json::to_vec(entity).map_err(unavailable)?;
                    table
                        .insert(entity.key().to_string().as_str(), bytes.as_slice())
                        .map_err(unavailable)?;
                }
                write.open_table(USES).map_err(unavailable)?;
            }
            write.commit().map_err(unavailable)?;
        }
        std::fs::rename(&partial, path).map_err(unavailable)?;
        sync_parent(path).map_err(unavailable)
    }

    /// Opens the store of a deployment. It is locked: a second process does not open it.
    pub fn open(path: &Path, deployment: DeploymentId) -> Result<Self, StoreError> {
        let database = open(path)?;
        upgrade(&database, deployment)?;
        let file = Arc::new(File {
            path: path.to_owned(),
            deployment,
            database: Mutex::new(Some(database)),
            failures: AtomicU64::new(0),
        });
        let shared = Arc::clone(&file);
        let writer = Writer::start("directory-writer", QUEUE, move |jobs| shared.commit(jobs))
            .map_err(unavailable)?;
        Ok(Self { file, writer })
    }
}

impl EmbeddedStore {
    fn queue(
        &self,
        job: impl FnOnce(Done) -> Job,
    ) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        let (done, result) = oneshot::channel();
        self.writer.submit(job(done))?;
        Ok(Box::pin(async move {
            result
                .await
                .unwrap_or_else(|_| Err(StoreError::Unknown("the writer stopped".to_owned())))
        }))
    }
}

impl DirectoryStore for EmbeddedStore {
    fn load(&self) -> Result<Contents, StoreError> {
        self.file.load()
    }

    fn submit(
        &self,
        batch: Batch,
    ) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        self.queue(|done| Job::Change(Writing { batch, done }))
    }

    fn load_uses(&self) -> Result<Vec<(Used, Use)>, StoreError> {
        self.file.load_uses()
    }

    fn keep_uses(
        &self,
        news: Vec<News>,
    ) -> Result<BoxFuture<'static, Result<(), StoreError>>, StoreError> {
        self.queue(|done| Job::Uses(news, done))
    }

    fn failures(&self) -> u64 {
        self.file.failures.load(Ordering::SeqCst)
    }

    fn recover(&self) -> BoxFuture<'_, Result<Contents, StoreError>> {
        let file = Arc::clone(&self.file);
        Box::pin(async move {
            tokio::task::spawn_blocking(move || file.recover())
                .await
                .unwrap_or_else(|error| Err(unavailable(error)))
        })
    }
}

impl File {
    fn commit(&self, jobs: Vec<Job>) {
        let mut batches = Vec::new();
        for job in jobs {
            match job {
                Job::Change(writing) => batches.push(writing),
                // No decision rests on uses: their failure is nobody's but theirs.
                Job::Uses(news, done) => {
                    let _ = done.send(self.store_uses(&news));
                }
            }
        }
        self.commit_batches(batches);
    }

    /// Stores a run of batches in one durable commit, publishes the last, answers each.
    fn commit_batches(&self, jobs: Vec<Writing>) {
        let failures = self.failures.load(Ordering::SeqCst);
        let (current, stale): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| job.batch.failures == failures);
        for job in stale {
            let _ = job.done.send(Err(StoreError::Unavailable(
                "a write that this one was decided on failed".to_owned(),
            )));
        }
        let Some(last) = current.last() else { return };
        match self.store(&current) {
            Ok(()) => {
                let touched = Touched::of(current.iter().flat_map(|job| &job.batch.changes));
                let snapshot = Arc::clone(&last.batch.snapshot);
                last.batch.published.publish_touching(snapshot, touched);
                for job in current {
                    let _ = job.done.send(Ok(()));
                }
            }
            Err(error) => {
                tracing::error!(%error, "the directory could not be written");
                // The file may be in any state that redb recovers from: closed until recovery.
                *self.lock() = None;
                self.failures.fetch_add(1, Ordering::SeqCst);
                let text = error.to_string();
                for job in current {
                    let _ = job.done.send(Err(StoreError::Unknown(text.clone())));
                }
            }
        }
    }

    fn store(&self, jobs: &[Writing]) -> Result<(), StoreError> {
        let guard = self.lock();
        let database = guard
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("closed after a failure".to_owned()))?;
        let write = database.begin_write().map_err(unavailable)?;
        {
            let mut table = write.open_table(ENTITIES).map_err(unavailable)?;
            let mut meta = write.open_table(META).map_err(unavailable)?;
            for job in jobs {
                for change in &job.batch.changes {
                    match change {
                        Change::Put(entity) => {
                            let bytes = serde_json::to_vec(entity).map_err(unavailable)?;
                            table
                                .insert(entity.key().to_string().as_str(), bytes.as_slice())
                                .map_err(unavailable)?;
                        }
                        Change::Delete(key) => {
                            table.remove(key.to_string().as_str()).map_err(unavailable)?;
                        }
                    }
                }
                meta.insert("version", job.batch.version.to_string().as_str())
                    .map_err(unavailable)?;
            }
        }
        // redb's default durability: the commit returns when it is on disk.
        write.commit().map_err(unavailable)
    }

    fn store_uses(&self, news: &[News]) -> Result<(), StoreError> {
        let guard = self.lock();
        let database = guard
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("closed after a failure".to_owned()))?;
        let write = database.begin_write().map_err(unavailable)?;
        {
            let mut table = write.open_table(USES).map_err(unavailable)?;
            for (used, last) in news {
                let key = used.to_string();
                let Some(last) = last else {
                    table.remove(key.as_str()).map_err(unavailable)?;
                    continue;
                };
                let bytes = serde_json::to_vec(last).map_err(unavailable)?;
                table.insert(key.as_str(), bytes.as_slice()).map_err(unavailable)?;
            }
        }
        write.commit().map_err(unavailable)
    }

    /// A use that cannot be read is left out: nothing rests on it.
    fn load_uses(&self) -> Result<Vec<(Used, Use)>, StoreError> {
        let guard = self.lock();
        let database = guard
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("closed after a failure".to_owned()))?;
        let read = database.begin_read().map_err(damaged)?;
        let table = read.open_table(USES).map_err(damaged)?;
        let mut uses = Vec::new();
        for row in table.iter().map_err(damaged)? {
            let (key, value) = row.map_err(damaged)?;
            let last = serde_json::from_slice(value.value());
            if let (Some(used), Ok(last)) = (Used::parse(key.value()), last) {
                uses.push((used, last));
            }
        }
        Ok(uses)
    }

    fn load(&self) -> Result<Contents, StoreError> {
        let guard = self.lock();
        let database = guard
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("closed after a failure".to_owned()))?;
        let read = database.begin_read().map_err(damaged)?;
        let meta = read.open_table(META).map_err(damaged)?;
        let text = |name: &str| -> Result<String, StoreError> {
            let value = meta.get(name).map_err(damaged)?;
            value
                .map(|value| value.value().to_owned())
                .ok_or_else(|| StoreError::Damaged(format!("no {name}")))
        };
        let number = |name: &str| -> Result<u64, StoreError> {
            text(name)?.parse().map_err(|_| StoreError::Damaged(format!("{name} is no number")))
        };
        let format = number("format")?;
        if format > FORMAT {
            return Err(StoreError::Newer(format, FORMAT));
        }
        if text("deployment")? != self.deployment.to_string() {
            return Err(StoreError::Damaged(
                "it belongs to another deployment than the keyring".to_owned(),
            ));
        }
        let mut contents = Contents { version: number("version")?, entities: Vec::new() };
        let table = read.open_table(ENTITIES).map_err(damaged)?;
        for row in table.iter().map_err(damaged)? {
            let (key, value) = row.map_err(damaged)?;
            let entity: Entity = serde_json::from_slice(value.value())
                .map_err(|error| StoreError::Damaged(format!("{}: {error}", key.value())))?;
            if entity.key().to_string() != key.value() {
                return Err(StoreError::Damaged(format!("{} is misplaced", key.value())));
            }
            contents.entities.push(entity);
        }
        Ok(contents)
    }

    fn recover(&self) -> Result<Contents, StoreError> {
        {
            let mut guard = self.lock();
            if guard.is_none() {
                *guard = Some(open(&self.path)?);
            }
        }
        self.load()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Database>> {
        // A panic while it was held leaves nothing half-done: redb's transactions are whole.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path) -> Result<Database, StoreError> {
    Database::open(path).map_err(|error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen => {
            StoreError::Unavailable(format!("{} is in use by another process", path.display()))
        }
        other => StoreError::Unavailable(format!("{}: {other}", path.display())),
    })
}

/// Brings a store of an older format up to this one. One that is newer, damaged or of another
/// deployment is left as it is: loading says so.
fn upgrade(database: &Database, deployment: DeploymentId) -> Result<(), StoreError> {
    let (format, owner) = {
        let read = database.begin_read().map_err(damaged)?;
        let meta = read.open_table(META).map_err(damaged)?;
        let text = |name: &str| -> Result<Option<String>, StoreError> {
            let value = meta.get(name).map_err(damaged)?;
            Ok(value.map(|value| value.value().to_owned()))
        };
        (text("format")?, text("deployment")?)
    };
    let stored = format.and_then(|format| format.parse::<u64>().ok());
    let own = owner.is_some_and(|owner| owner == deployment.to_string());
    if !own || stored.is_none_or(|stored| stored >= FORMAT) {
        return Ok(());
    }
    let write = database.begin_write().map_err(unavailable)?;
    {
        let mut meta = write.open_table(META).map_err(unavailable)?;
        meta.insert("format", FORMAT.to_string().as_str()).map_err(unavailable)?;
        write.open_table(USES).map_err(unavailable)?;
    }
    write.commit().map_err(unavailable)?;
    tracing::info!(
        from = stored,
        to = FORMAT,
        "the directory's stored format was brought up to date"
    );
    Ok(())
}

fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(unavailable)
}

/// Makes a rename in the folder of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::File::open(parent)?.sync_all(),
        _ => std::fs::File::open(".")?.sync_all(),
    }
}

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(error.to_string())
}
