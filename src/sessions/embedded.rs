//! The ledger in one file: redb, one writer thread, concurrent mints share a durable commit.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::oneshot;

use super::ledger::{Inserted, Ledger, LedgerError, Listing, Mark, NewRecord, Page};
use crate::future::BoxFuture;
use crate::group::Writer;
use crate::id::{AccessKeyId, DeploymentId, UniqueId};
use crate::time::{Clock, Timestamp};

/// The version of the stored format.
const FORMAT: u64 = 1;
const META: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");
/// Records by access key ID.
const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
/// What is in `RECORDS`, by expiry (seconds) and access key ID.
const EXPIRIES: TableDefinition<'_, (i64, &str), &str> = TableDefinition::new("expiries");
/// What is in `RECORDS`, by principal, expiry and access key ID.
const PRINCIPALS: TableDefinition<'_, (&str, i64, &str), ()> = TableDefinition::new("principals");
/// How many writes may wait for the writer thread.
const QUEUE: usize = 16 * 1024;
/// How many expired records one commit removes besides its own work.
const SWEEP: usize = 256;
/// How long a record is kept past its expiry, so that clocks a little apart do not matter.
const GRACE_SECS: i64 = 60;
/// How often expired records are removed when nobody writes.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// A ledger in `sessions.redb`.
pub struct EmbeddedLedger {
    file: Arc<File>,
    writer: Arc<Writer<Job>>,
}

/// The file, open or to be opened again.
struct File {
    path: PathBuf,
    /// `None` after a failed write: redb takes no more through that handle. The next use opens it
    /// again.
    database: Mutex<Option<Arc<Database>>>,
}

impl File {
    fn open(&self) -> Result<Arc<Database>, LedgerError> {
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = database.as_ref() {
            return Ok(Arc::clone(open));
        }
        // Not created here: a ledger that was taken away is missed, not replaced.
        let open = Arc::new(Database::open(&self.path).map_err(unavailable)?);
        tracing::info!("the session ledger is open again");
        *database = Some(Arc::clone(&open));
        Ok(open)
    }

    fn close(&self) {
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

enum Job {
    Insert(NewRecord, oneshot::Sender<Result<Inserted, LedgerError>>),
    Remove(UniqueId, Mark, oneshot::Sender<Result<bool, LedgerError>>),
    Sweep,
}

/// What became of a job.
enum Outcome {
    Insert(Inserted),
    Remove(bool),
    Sweep,
}

impl EmbeddedLedger {
    /// Opens the ledger of a deployment, making it if there is none. It is locked: a second process
    /// does not open it.
    pub fn open(
        path: &Path,
        deployment: DeploymentId,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let fresh = !path.exists();
        let database = Database::create(path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => {
                LedgerError::Unavailable(format!("{} is in use by another process", path.display()))
            }
            other => LedgerError::Unavailable(format!("{}: {other}", path.display())),
        })?;
        if fresh {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
                .map_err(unavailable)?;
        }
        prepare(&database, deployment)?;
        let file = Arc::new(File {
            path: path.to_owned(),
            database: Mutex::new(Some(Arc::new(database))),
        });
        let shared = Arc::clone(&file);
        let writer = Writer::start("sessions-writer", QUEUE, move |jobs| {
            commit(&shared, jobs, clock.now());
        })
        .map_err(unavailable)?;
        Ok(Self { file, writer: Arc::new(writer) })
    }

    /// Removes expired records from time to time, until the ledger is dropped.
    pub fn spawn_sweeper(&self) {
        let writer = Arc::downgrade(&self.writer);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                let Some(writer) = writer.upgrade() else { return };
                // A full queue sweeps by itself, with every commit.
                let _ = writer.submit(Job::Sweep);
            }
        });
    }
}

impl Ledger for EmbeddedLedger {
    fn insert(&self, record: NewRecord) -> BoxFuture<'_, Result<Inserted, LedgerError>> {
        let (done, result) = oneshot::channel();
        let submitted = self.writer.submit(Job::Insert(record, done));
        Box::pin(async move {
            submitted.map_err(unavailable)?;
            result.await.unwrap_or_else(|_| Err(LedgerError::Unknown("the writer stopped".into())))
        })
    }

    fn find(
        &self,
        access_key_id: AccessKeyId,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, LedgerError>> {
        let file = Arc::clone(&self.file);
        Box::pin(async move {
            blocking(move || {
                let database = file.open()?;
                let read = database.begin_read().map_err(unavailable)?;
                let records = read.open_table(RECORDS).map_err(unavailable)?;
                let found = records.get(access_key_id.as_str()).map_err(unavailable)?;
                Ok(found.map(|bytes| bytes.value().to_vec()))
            })
            .await
        })
    }

    fn list(&self, listing: Listing) -> BoxFuture<'_, Result<Page, LedgerError>> {
        let file = Arc::clone(&self.file);
        Box::pin(blocking(move || list(&*file.open()?, &listing).map_err(unavailable)))
    }

    fn count(
        &self,
        principal: UniqueId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        let file = Arc::clone(&self.file);
        Box::pin(blocking(move || count(&*file.open()?, principal, now).map_err(unavailable)))
    }

    fn remove(&self, principal: UniqueId, place: Mark) -> BoxFuture<'_, Result<bool, LedgerError>> {
        let (done, result) = oneshot::channel();
        let submitted = self.writer.submit(Job::Remove(principal, place, done));
        Box::pin(async move {
            submitted.map_err(unavailable)?;
            result.await.unwrap_or_else(|_| Err(LedgerError::Unknown("the writer stopped".into())))
        })
    }
}

/// Runs what reads the file off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(unavailable(error)))
}

fn list(database: &Database, listing: &Listing) -> Result<Page, redb::Error> {
    let read = database.begin_read()?;
    let (principals, records) = (read.open_table(PRINCIPALS)?, read.open_table(RECORDS)?);
    let principal = listing.principal.as_str();
    let live = listing.now.secs() + 1;
    let after = listing.after.map(|mark| (mark.expires_at.secs(), mark.access_key_id));
    let first = after.as_ref().map_or((live, ""), |(secs, id)| (*secs, id.as_str()));
    let mut page = Page::default();
    let mut last = None;
    for row in principals.range((principal, first.0, first.1)..=(principal, i64::MAX, "~"))? {
        let row = row?.0;
        let (_, secs, id) = row.value();
        let passed = secs < live || after.is_some_and(|(s, i)| (secs, id) <= (s, i.as_str()));
        let Some(access_key_id) = AccessKeyId::parse(id).ok().filter(|_| !passed) else { continue };
        if page.records.len() == listing.bound() {
            page.next = last;
            return Ok(page);
        }
        if let Some(bytes) = records.get(id)? {
            page.records.push((access_key_id, bytes.value().to_vec()));
        }
        last = Some(Mark { expires_at: Timestamp::from_secs(secs), access_key_id });
    }
    Ok(page)
}

fn count(database: &Database, principal: UniqueId, now: Timestamp) -> Result<u64, redb::Error> {
    let read = database.begin_read()?;
    let principals = read.open_table(PRINCIPALS)?;
    let principal = principal.as_str();
    let live = principals.range((principal, now.secs() + 1, "")..=(principal, i64::MAX, "~"))?;
    Ok(u64::try_from(live.count()).unwrap_or(u64::MAX))
}

/// Checks or writes the marker of the deployment, and makes the tables.
fn prepare(database: &Database, deployment: DeploymentId) -> Result<(), LedgerError> {
    let write = database.begin_write().map_err(unavailable)?;
    {
        let mut meta = write.open_table(META).map_err(unavailable)?;
        let read = |name: &str| -> Result<Option<String>, LedgerError> {
            let value = meta.get(name).map_err(unavailable)?;
            Ok(value.map(|value| value.value().to_owned()))
        };
        match (read("format")?, read("deployment")?) {
            (None, None) => {
                meta.insert("format", FORMAT.to_string().as_str()).map_err(unavailable)?;
                meta.insert("deployment", deployment.to_string().as_str()).map_err(unavailable)?;
            }
            (Some(format), Some(found)) => {
                if format.parse() != Ok(FORMAT) {
                    return Err(LedgerError::Unavailable(format!(
                        "it has format version {format}; this version reads {FORMAT}"
                    )));
                }
                if found != deployment.to_string() {
                    return Err(LedgerError::Unavailable(
                        "it belongs to another deployment than the keyring".into(),
                    ));
                }
            }
            _ => return Err(LedgerError::Unavailable("it is damaged: half a marker".into())),
        }
        write.open_table(RECORDS).map_err(unavailable)?;
        write.open_table(EXPIRIES).map_err(unavailable)?;
        write.open_table(PRINCIPALS).map_err(unavailable)?;
    }
    write.commit().map_err(unavailable)
}

/// Does a run of jobs in one durable commit and answers each.
fn commit(file: &File, jobs: Vec<Job>, now: Timestamp) {
    let stored = file
        .open()
        .map_err(|error| error.to_string())
        .and_then(|database| store(&database, &jobs, now).map_err(|error| error.to_string()));
    match stored {
        Ok(outcomes) => {
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                match (job, outcome) {
                    (Job::Insert(_, done), Outcome::Insert(inserted)) => {
                        let _ = done.send(Ok(inserted));
                    }
                    (Job::Remove(_, _, done), Outcome::Remove(removed)) => {
                        let _ = done.send(Ok(removed));
                    }
                    _ => {}
                }
            }
        }
        Err(error) => {
            tracing::error!(error, "the session ledger could not be written");
            file.close();
            let unknown = || LedgerError::Unknown(error.clone());
            for job in jobs {
                match job {
                    Job::Insert(_, done) => drop(done.send(Err(unknown()))),
                    Job::Remove(_, _, done) => drop(done.send(Err(unknown()))),
                    Job::Sweep => {}
                }
            }
        }
    }
}

/// One outcome a job, in order.
fn store(database: &Database, jobs: &[Job], now: Timestamp) -> Result<Vec<Outcome>, redb::Error> {
    let write = database.begin_write()?;
    let mut outcomes = Vec::with_capacity(jobs.len());
    {
        let mut records = write.open_table(RECORDS)?;
        let mut expiries = write.open_table(EXPIRIES)?;
        let mut principals = write.open_table(PRINCIPALS)?;
        let end = now.secs().saturating_sub(GRACE_SECS);
        let mut spent = Vec::new();
        for row in expiries.range(..(end, ""))?.take(SWEEP) {
            let (key, principal) = row?;
            let (expiry, id) = key.value();
            spent.push((expiry, id.to_owned(), principal.value().to_owned()));
        }
        for (expiry, id, principal) in spent {
            records.remove(id.as_str())?;
            expiries.remove((expiry, id.as_str()))?;
            principals.remove((principal.as_str(), expiry, id.as_str()))?;
        }
        for job in jobs {
            outcomes.push(match job {
                Job::Insert(new, _) => {
                    let id = new.access_key_id.as_str();
                    if records.get(id)?.is_some() {
                        Outcome::Insert(Inserted::Clash)
                    } else {
                        let (expiry, principal) = (new.expires_at.secs(), new.principal.as_str());
                        records.insert(id, new.record.as_slice())?;
                        expiries.insert((expiry, id), principal)?;
                        principals.insert((principal, expiry, id), ())?;
                        Outcome::Insert(Inserted::Kept)
                    }
                }
                Job::Remove(principal, place, _) => {
                    let (id, expiry) = (place.access_key_id.as_str(), place.expires_at.secs());
                    expiries.remove((expiry, id))?;
                    principals.remove((principal.as_str(), expiry, id))?;
                    Outcome::Remove(records.remove(id)?.is_some())
                }
                Job::Sweep => Outcome::Sweep,
            });
        }
    }
    // redb's default durability: the commit returns when it is on disk.
    write.commit()?;
    Ok(outcomes)
}

fn unavailable(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccessKeyKind, AccountId, UniqueId, UniqueKind};
    use crate::random::SystemRandom;
    use crate::time::ManualClock;

    fn record(secs: i64) -> NewRecord {
        let random = SystemRandom::new();
        let account = AccountId::parse("111122223333").unwrap();
        NewRecord {
            access_key_id: AccessKeyId::generate(AccessKeyKind::Session, account, &random).unwrap(),
            principal: UniqueId::generate(UniqueKind::Role, &random).unwrap(),
            expires_at: Timestamp::from_secs(secs),
            record: b"bytes".to_vec(),
        }
    }

    #[tokio::test]
    async fn a_ledger_that_failed_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.redb");
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1000)));
        let ledger = EmbeddedLedger::open(&path, DeploymentId([1; 16]), clock).unwrap();
        let first = record(2000);
        let id = first.access_key_id;
        assert_eq!(ledger.insert(first).await, Ok(Inserted::Kept));
        ledger.file.close();
        // Taken away, it is missed and not replaced; put back, it is used again.
        let aside = folder.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        assert!(ledger.find(id).await.is_err());
        assert!(ledger.insert(record(2000)).await.is_err());
        assert!(!path.exists());
        std::fs::rename(&aside, &path).unwrap();
        assert_eq!(ledger.find(id).await, Ok(Some(b"bytes".to_vec())));
        assert_eq!(ledger.insert(record(2000)).await, Ok(Inserted::Kept));
    }
}
