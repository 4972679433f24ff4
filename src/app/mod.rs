//! The broker, wired: the one place that names concrete stores.

pub mod bootstrap;
mod meters;
mod readiness;
mod serve;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use serve::{Serving, Stop, start};

use crate::audit::{AuditError, AuditSink, FileSink};
use crate::authn::Authenticator;
use crate::directory::embedded::EmbeddedStore;
use crate::directory::{Directory, StoreError};
use crate::downstream::Shared;
use crate::keysets::{self, KeySets};
use crate::ops::Services;
use crate::ops::iam::credential_report::Reports;
use crate::ops::issuer::{self, Issuer};
use crate::random::{Random, SystemRandom};
use crate::seal::{Keyring, KeyringError};
use crate::sessions::embedded::EmbeddedLedger;
use crate::sessions::redis::{self, Meters, RedisLedger};
use crate::sessions::{Ledger, LedgerError};
use crate::settings::Settings;
use crate::time::{Clock, SystemClock};

/// The files of a data directory.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The data directory at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The root keys. Mode 0600.
    pub fn keyring(&self) -> PathBuf {
        self.0.join("keyring.json")
    }

    /// The directory.
    pub fn directory(&self) -> PathBuf {
        self.0.join("directory.redb")
    }

    /// The session ledger.
    pub fn sessions(&self) -> PathBuf {
        self.0.join("sessions.redb")
    }

    /// The audit log, unless the settings name another file.
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit.jsonl")
    }

    /// The admin socket.
    pub fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }
}

/// The broker cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The data directory was never made.
    #[error("{} holds no keyring: run 'countersign init --data-dir {}' first", .0.display(), .0.display())]
    NotInitialized(PathBuf),
    /// There is a directory and no keyring to open it with.
    #[error(
        "{} is there and {} is not: put the keyring back, or choose another data directory",
        directory.display(), keyring.display()
    )]
    KeyringLost {
        /// The directory.
        directory: PathBuf,
        /// The keyring.
        keyring: PathBuf,
    },
    /// The keyring belongs to others too.
    #[error("{} can be read by others (mode {mode:o}): run 'chmod 600' on it", path.display())]
    KeyringExposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The keyring is of no use.
    #[error("{}: {source}", path.display())]
    Keyring {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyringError,
    },
    /// The directory cannot be opened.
    #[error("cannot open the directory: {0}")]
    Directory(#[from] StoreError),
    /// The ledger cannot be opened.
    #[error("cannot open the session ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// The ledger in Redis cannot be opened.
    #[error("cannot open the session ledger in Redis: {0}")]
    RedisLedger(#[from] redis::OpenError),
    /// The audit log cannot be opened.
    #[error("{0}: {}", path.display())]
    Audit {
        /// Why.
        #[source]
        source: AuditError,
        /// The file.
        path: PathBuf,
    },
    /// Keys of identity providers cannot be fetched as the settings say.
    #[error(transparent)]
    KeySets(#[from] keysets::OpenError),
    /// Tokens cannot be signed as the settings say.
    #[error(transparent)]
    Issuer(#[from] issuer::OpenError),
    /// A listener must not be opened as it was asked for.
    #[error(transparent)]
    Exposure(#[from] crate::http::exposure::ExposureError),
    /// A listener cannot be opened.
    #[error(transparent)]
    Bind(#[from] crate::http::BindError),
}

/// What a deployment runs on.
pub struct World {
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl Default for World {
    /// The machine's own.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock::new()), random: Arc::new(SystemRandom::new()) }
    }
}

/// A deployment with its stores open.
pub struct Deployment {
    /// What operations work on.
    pub services: Arc<Services>,
    /// The audit file, to be reopened after it was rotated.
    pub audit: Arc<FileSink>,
    /// What the ledger counts, if it is in Redis.
    pub redis: Option<Meters>,
    /// What the key sets of identity providers count.
    pub key_sets: keysets::Meters,
}

/// Opens the stores of a data directory. Within a tokio runtime.
pub async fn open(settings: &Settings, world: &World) -> Result<Deployment, AppError> {
    let data = DataDir::new(&settings.store.data_dir);
    let keyring = Arc::new(read_keyring(&data)?);
    let store = EmbeddedStore::open(&data.directory(), keyring.deployment())?;
    let directory = Arc::new(Directory::open(Box::new(store))?);
    let (ledger, redis) = open_ledger(settings, world, &data, &keyring).await?;
    let path = audit_path(settings, &data);
    let audit = FileSink::open(&path, settings.audit.synced)
        .map_err(|source| AppError::Audit { source, path })?;
    let audit = Arc::new(audit);
    let key_sets =
        KeySets::open(settings.oidc.clone(), settings.issuers.clone(), Arc::clone(&world.clock))?;
    let key_set_meters = key_sets.meters().clone();
    let services = Services {
        strangers: crate::ops::dispatch::Strangers::among(settings.limits.requests),
        feeds: crate::ops::verify::Feeds::default(),
        resource_policies: crate::ops::verify::ResourcePolicies::default(),
        downstream: Shared::new(settings.services.clone()),
        key_sets: Arc::new(key_sets),
        saml: settings.saml.clone(),
        issuer: Arc::new(Issuer::open(&settings.issuer)?),
        authenticator: Authenticator::new(
            Arc::clone(&directory),
            Arc::clone(&keyring),
            Arc::clone(&ledger),
            settings.sessions,
        ),
        directory,
        ledger,
        keyring,
        audit: Arc::clone(&audit) as Arc<dyn AuditSink>,
        random: Arc::clone(&world.random),
        iam: settings.iam,
        clock: Arc::clone(&world.clock),
        subjects_lost: prometheus_client::metrics::counter::Counter::default(),
        quotas: settings.quotas.clone(),
        region: settings.region.region.clone(),
        reports: Reports::default(),
    };
    Ok(Deployment { services: Arc::new(services), audit, redis, key_sets: key_set_meters })
}

/// The audit log that the settings choose.
fn audit_path(settings: &Settings, data: &DataDir) -> PathBuf {
    settings.audit.path.clone().unwrap_or_else(|| data.audit())
}

/// Opens the ledger that the settings choose: in Redis if they name one.
async fn open_ledger(
    settings: &Settings,
    world: &World,
    data: &DataDir,
    keyring: &Arc<Keyring>,
) -> Result<(Arc<dyn Ledger>, Option<Meters>), AppError> {
    let clock = Arc::clone(&world.clock);
    if settings.redis.url.is_none() {
        let ledger = EmbeddedLedger::open(&data.sessions(), keyring.deployment(), clock)?;
        ledger.spawn_sweeper();
        return Ok((Arc::new(ledger), None));
    }
    let parts = redis::Parts {
        keyring: Arc::clone(keyring),
        clock,
        random: Arc::clone(&world.random),
        max_staleness: settings.sessions.max_staleness,
    };
    let ledger = RedisLedger::open(&settings.redis, parts).await?;
    let meters = ledger.meters().clone();
    Ok((Arc::new(ledger), Some(meters)))
}

/// Reads the keyring, if only its owner can.
fn read_keyring(data: &DataDir) -> Result<Keyring, AppError> {
    use std::os::unix::fs::MetadataExt as _;
    let path = data.keyring();
    let file = |source| AppError::File { path: path.clone(), source };
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if data.directory().exists() {
                return Err(AppError::KeyringLost { directory: data.directory(), keyring: path });
            }
            return Err(AppError::NotInitialized(data.path().to_owned()));
        }
        Err(error) => return Err(file(error)),
    };
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(AppError::KeyringExposed { path, mode });
    }
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(&path).map_err(file)?);
    Keyring::from_file_text(&text).map_err(|source| AppError::Keyring { path, source })
}
