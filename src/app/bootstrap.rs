//! Making a deployment: keyring, directory, first account, first administrator.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{AppError, DataDir, World, audit_path, read_keyring};
use crate::audit::{AuditError, AuditSink as _, EventId, FileSink};
use crate::directory::backup::{self, BackupError, Restored};
use crate::directory::embedded::EmbeddedStore;
use crate::directory::entities::Policies;
use crate::directory::{AccessKey, Account, Entity, KeyStatus, StoreError, User, managed};
use crate::id::{AccessKeyId, AccessKeyKind, AccountId, UniqueId, UniqueKind};
use crate::ops::manage::backups;
use crate::random::{Random, RandomError};
use crate::seal::{Keyring, SealError, stored};
use crate::secret::SecretAccessKey;
use crate::settings::Settings;
use crate::time::Timestamp;

/// The first administrator's name.
pub const ADMIN: &str = "admin";

/// The first account and its administrator's key.
pub struct Bootstrap {
    /// The account.
    pub account: AccountId,
    /// The key's ID; it decodes to the account.
    pub access_key_id: AccessKeyId,
    /// The key's secret.
    pub secret: SecretAccessKey,
    /// Whether the key was drawn: whoever brought one knows it.
    pub drawn: bool,
}

/// What `init` did.
pub enum Outcome {
    /// A deployment was made. The secret is told here, and nowhere again.
    Made(Bootstrap),
    /// There was one already; nothing changed.
    Present,
}

/// The variables `COUNTERSIGN_BOOTSTRAP_*` make no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// A variable and its `_FILE` are both set.
    #[error("{0} and {0}_FILE are both set: set one")]
    Both(&'static str),
    /// A file cannot be read.
    #[error("{variable}_FILE: {}: {source}", path.display())]
    File {
        /// The variable without `_FILE`.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value is not what it should be.
    #[error("{variable}: {reason}")]
    Value {
        /// The variable.
        variable: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The key's ID names another account.
    #[error(
        "{KEY_ID} names account {found}, not {wanted}: 'countersign init --print-bootstrap' makes a fitting pair"
    )]
    OtherAccount {
        /// What it names.
        found: AccountId,
        /// What `COUNTERSIGN_BOOTSTRAP_ACCOUNT_ID` says.
        wanted: AccountId,
    },
    /// ID without secret, or the other way around.
    #[error("{KEY_ID} and {SECRET} belong together: {0} is not set")]
    Half(&'static str),
    /// A key from a document is no secret.
    #[error("{0} is an example from AWS's documentation: everybody knows it")]
    Example(&'static str),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

const ACCOUNT: &str = "COUNTERSIGN_BOOTSTRAP_ACCOUNT_ID";
const KEY_ID: &str = "COUNTERSIGN_BOOTSTRAP_ACCESS_KEY_ID";
const SECRET: &str = "COUNTERSIGN_BOOTSTRAP_SECRET_ACCESS_KEY";

impl Bootstrap {
    /// Draws what is not given.
    pub fn generate(account: Option<AccountId>, random: &dyn Random) -> Result<Self, RandomError> {
        let account = account.map_or_else(|| AccountId::generate(random), Ok)?;
        Ok(Self {
            account,
            access_key_id: AccessKeyId::generate(AccessKeyKind::LongTerm, account, random)?,
            secret: SecretAccessKey::generate(random)?,
            drawn: true,
        })
    }

    /// Takes what the environment gives, and draws the rest.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        random: &dyn Random,
    ) -> Result<Self, BootstrapError> {
        let account = given(&variable, ACCOUNT)?
            .map(|text| AccountId::parse(&text))
            .transpose()
            .map_err(|error| value(ACCOUNT, error))?;
        let key_id = given(&variable, KEY_ID)?;
        let secret = given(&variable, SECRET)?;
        let (key_id, secret) = match (key_id, secret) {
            (None, None) => return Ok(Self::generate(account, random)?),
            (Some(_), None) => return Err(BootstrapError::Half(SECRET)),
            (None, Some(_)) => return Err(BootstrapError::Half(KEY_ID)),
            (Some(key_id), Some(secret)) => (key_id, secret),
        };
        // Every example in AWS's documentation says that it is one.
        if key_id.contains("EXAMPLE") {
            return Err(BootstrapError::Example(KEY_ID));
        }
        if secret.contains("EXAMPLE") {
            return Err(BootstrapError::Example(SECRET));
        }
        let access_key_id = AccessKeyId::parse(&key_id)
            .map_err(|error| value(KEY_ID, error))
            .and_then(|id| match id.kind() {
                AccessKeyKind::LongTerm => Ok(id),
                AccessKeyKind::Session => Err(value(KEY_ID, "a long-term key begins with AKIA")),
            })?;
        if let Some(wanted) = account
            && access_key_id.account() != wanted
        {
            let found = access_key_id.account();
            return Err(BootstrapError::OtherAccount { found, wanted });
        }
        let secret = SecretAccessKey::parse(secret).map_err(|error| value(SECRET, error))?;
        Ok(Self { account: access_key_id.account(), access_key_id, secret, drawn: false })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an error's text is taken from it")]
fn value(variable: &'static str, reason: impl ToString) -> BootstrapError {
    BootstrapError::Value { variable, reason: reason.to_string() }
}

/// The value of a variable, or of the file that its `_FILE` names, without a newline at its end.
fn given(
    variable: &impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Option<Zeroizing<String>>, BootstrapError> {
    let direct = variable(name).map(Zeroizing::new);
    match (direct, variable(&format!("{name}_FILE"))) {
        (Some(_), Some(_)) => Err(BootstrapError::Both(name)),
        (direct, None) => Ok(direct),
        (None, Some(path)) => {
            let path = PathBuf::from(path);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => Zeroizing::new(text),
                Err(source) => return Err(BootstrapError::File { variable: name, path, source }),
            };
            let line = text.strip_suffix('\n').unwrap_or(&text);
            Ok(Some(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned())))
        }
    }
}

/// A deployment was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The environment makes no sense.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// A file cannot be made or read.
    #[error(transparent)]
    App(#[from] AppError),
    /// The directory cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A backup was not put back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The file is no backup of this deployment.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The keyring that the backup was made with is not there.
    #[error(
        "{} is not there: put the keyring of the deployment that the backup is of into its place \
         (mode 0600). Another keyring cannot open it",
        .0.display()
    )]
    NoKeyring(PathBuf),
    /// The keyring cannot be read.
    #[error(transparent)]
    App(#[from] AppError),
    /// It cannot be recorded, and is not done.
    #[error("the audit log does not take the record, and nothing was done: {0}")]
    Audit(#[from] AuditError),
    /// The directory cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Makes the directory of a data directory that holds only the keyring, from a backup. Returns what
/// was done, the directory's version, and when the backup was made.
///
/// INVARIANT: the audit log has accepted the intent before anything is made, as with a broker.
pub async fn restore(
    settings: &Settings,
    world: &World,
    file: &[u8],
) -> Result<(Restored, u64, Timestamp), RestoreError> {
    let data = DataDir::new(&settings.store.data_dir);
    if !data.keyring().exists() {
        return Err(RestoreError::NoKeyring(data.keyring()));
    }
    let keyring = read_keyring(&data)?;
    let (path, now) = (audit_path(settings, &data), world.clock.now());
    let audit = FileSink::open(&path, settings.audit.synced)?;
    let intent = backups::offline_intent(&*world.random, now, file.len())?;
    audit.accept(intent.clone()).await?;
    let result = put_back(&data, &keyring, world, file);
    let outcome = intent.outcome(EventId::generate(&*world.random)?, world.clock.now());
    let outcome = match &result {
        Ok((restored, version, made_at)) => {
            let view = backups::view(restored, *version, made_at.to_rfc3339());
            outcome.response_elements(serde_json::to_value(view).unwrap_or_default())
        }
        Err(error) => outcome.error("ValidationError", &error.to_string()),
    };
    // The intent is on record; what was restored stands whether or not its outcome is.
    if let Err(error) = audit.accept(outcome).await {
        tracing::error!(%error, "an audit outcome was not accepted");
    }
    result
}

fn put_back(
    data: &DataDir,
    keyring: &Keyring,
    world: &World,
    file: &[u8],
) -> Result<(Restored, u64, Timestamp), RestoreError> {
    let backup = backup::read(file, keyring)?;
    let mut number = [0; 8];
    world.random.fill(&mut number)?;
    let made_at = backup.created_at;
    let version = backup.version + 1;
    let epoch = u64::from_be_bytes(number).max(1);
    let (entities, restored) = backup.into_entities(epoch, world.clock.now().floor_secs());
    EmbeddedStore::create(&data.directory(), keyring.deployment(), version, &entities)?;
    Ok((restored, version, made_at))
}

/// Makes the data directory, unless there is a deployment in it.
///
/// The keyring comes first and the directory last; an `init` that was interrupted between the two
/// is taken up by the next.
pub fn init(
    data: &DataDir,
    world: &World,
    bootstrap: impl FnOnce() -> Result<Bootstrap, BootstrapError>,
) -> Result<Outcome, InitError> {
    let random = &*world.random;
    let (keyring, directory) = (data.keyring(), data.directory());
    match (keyring.exists(), directory.exists()) {
        (true, true) => return Ok(Outcome::Present),
        (false, true) => return Err(AppError::KeyringLost { directory, keyring }.into()),
        (_, false) => {}
    }
    // What is wrong with the environment is told before anything is made.
    let bootstrap = bootstrap()?;
    make_folder(data.path())?;
    if !keyring.exists() {
        write_new(&keyring, Keyring::generate(random)?.to_file_text().as_bytes())?;
    }
    let keys = read_keyring(data)?;
    let entities = entities(&keys, &bootstrap, world)?;
    EmbeddedStore::create(&directory, keys.deployment(), 1, &entities)?;
    Ok(Outcome::Made(bootstrap))
}

fn entities(
    keyring: &Keyring,
    bootstrap: &Bootstrap,
    world: &World,
) -> Result<Vec<Entity>, InitError> {
    let random = &*world.random;
    let created_at = world.clock.now().floor_secs();
    let Bootstrap { account, access_key_id, secret, drawn: _ } = bootstrap;
    let id = UniqueId::generate(UniqueKind::User, random)?;
    let admin = User {
        id,
        account: *account,
        name: ADMIN.to_owned(),
        path: "/".to_owned(),
        created_at,
        tags: Vec::new(),
        policies: Policies {
            attached: [managed::ADMINISTRATOR_ACCESS.to_owned()].into(),
            ..Policies::default()
        },
        groups: BTreeSet::new(),
        revoked: None,
    };
    let key = AccessKey {
        id: *access_key_id,
        user: id,
        sealed: stored::seal(keyring, &id, access_key_id, secret, random)?,
        status: KeyStatus::Active,
        created_at,
        revoked: None,
        unconfirmed: false,
    };
    // The account's root identity has no keys: it is the account itself.
    let account = Account::new(*account, "first".to_owned(), created_at);
    Ok(vec![Entity::Account(account), Entity::User(admin), Entity::AccessKey(key)])
}

fn make_folder(path: &Path) -> Result<(), AppError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| AppError::File { path: path.to_owned(), source })
}

/// Writes a file with mode 0600 that appears under its name only when it is whole and durable.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let partial = path.with_extension("partial");
    let write = || -> std::io::Result<()> {
        match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        crate::directory::embedded::sync_parent(path)
    };
    write().map_err(|source| AppError::File { path: path.to_owned(), source })
}
