//! Backups: everything that a directory holds, as one text file, and the way back.
//!
//! # Format
//!
//! Lines of JSON: a head (format, deployment, version, time, number of entities), an entity a
//! line as the stores keep it, and a last line with the MAC of all lines before it under a key
//! of the deployment's keyring. Secrets of access keys and seeds of MFA devices stand in it sealed,
//! as in the store; the keyring never does: whoever holds the file alone can neither read a secret
//! nor change a line.
//!
//! # The way back
//!
//! INVARIANT (a lost revocation is the second worst thing): the directory of a backup does not
//! know what was revoked after it was made. Restoring one begins a new [`Epoch`]: every session
//! from before is refused, and every long-term key is out of use until it is confirmed. Codes of MFA
//! devices from before are refused too.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::entities::{AccessKey, Epoch};
use super::snapshot::Snapshot;
use super::store::{Entity, EntityKey};
use super::{KeyStatus, Transaction};
use crate::id::DeploymentId;
use crate::seal::{Keyring, SealError, backup as seal};
use crate::time::Timestamp;

const FORMAT: &str = "countersign-backup";
/// 1: what a directory of format 1 holds. 2: of format 2.
const VERSION: u32 = 2;
/// How many bytes are gathered before they are passed on.
const PIECE: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    format_version: u32,
    deployment: DeploymentId,
    /// The version of the directory.
    version: u64,
    created_at: Timestamp,
    entities: u64,
}

/// Reads no more than the version, so that a newer file is named as such whatever else it holds.
#[derive(Deserialize)]
struct Versioned {
    format: String,
    format_version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tail {
    key: u32,
    mac: String,
}

/// A backup that was read: whole, unchanged, of this deployment.
pub struct Backup {
    /// The version of the directory that it holds.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Every entity.
    pub entities: Vec<Entity>,
}

/// A file is no backup that can be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Not the format of a backup, or cut off.
    #[error("the backup is damaged or cut off: {0}")]
    Malformed(&'static str),
    /// Made by a newer version.
    #[error("the backup has format version {0}; this version reads up to {VERSION}")]
    Newer(u32),
    /// Of another deployment.
    #[error("the backup is of deployment {found}, and the keyring of {expected}")]
    OtherDeployment {
        /// The backup's.
        found: DeploymentId,
        /// The keyring's.
        expected: DeploymentId,
    },
    /// Changed since it was made, or made with a key that the keyring does not have.
    #[error("the backup was changed since it was made, or its key is not in the keyring: {0}")]
    Seal(#[from] SealError),
    /// An entity of it cannot be read.
    #[error("line {line} of the backup cannot be read: {source}")]
    Entity {
        /// The line, counted from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The epoch that began.
    pub epoch: Epoch,
    /// How many entities there are now, the epoch apart.
    pub entities: usize,
    /// How many long-term keys wait to be confirmed.
    pub unconfirmed_keys: usize,
}

/// Writes the backup of a directory.
///
/// # Errors
/// What `out` fails with; [`io::ErrorKind::Other`] when it cannot be sealed.
pub fn write(
    snapshot: &Snapshot,
    keyring: &Keyring,
    now: Timestamp,
    out: &mut impl Write,
) -> io::Result<()> {
    let mac = seal::Mac::begin(keyring).map_err(io::Error::other)?;
    let mut lines = Lines { piece: Vec::with_capacity(PIECE * 2), mac, out };
    let entities = || snapshot.entities().filter(|it| it.key() != EntityKey::Epoch);
    lines.add(&Head {
        format: FORMAT.to_owned(),
        format_version: VERSION,
        deployment: keyring.deployment(),
        version: snapshot.version(),
        created_at: now,
        entities: entities().count() as u64,
    })?;
    for entity in entities() {
        lines.add(&entity)?;
    }
    lines.finish()
}

/// Lines on their way out, and the MAC over them.
struct Lines<'a, W> {
    piece: Vec<u8>,
    mac: seal::Mac,
    out: &'a mut W,
}

impl<W: Write> Lines<'_, W> {
    fn add(&mut self, value: &impl Serialize) -> io::Result<()> {
        let before = self.piece.len();
        serde_json::to_writer(&mut self.piece, value)?;
        self.piece.push(b'\n');
        self.mac.update(self.piece.get(before..).unwrap_or_default());
        if self.piece.len() >= PIECE {
            self.out.write_all(&self.piece)?;
            self.piece.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        let (key, tag) = self.mac.finish();
        let tail = Tail { key, mac: data_encoding::HEXLOWER.encode(&tag) };
        serde_json::to_writer(&mut self.piece, &tail)?;
        self.piece.push(b'\n');
        self.out.write_all(&self.piece)?;
        self.out.flush()
    }
}

/// Reads a backup, and believes nothing of it before its MAC has been checked.
pub fn read(bytes: &[u8], keyring: &Keyring) -> Result<Backup, BackupError> {
    let malformed = |what| BackupError::Malformed(what);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let versioned: Versioned =
        serde_json::from_slice(first).map_err(|_| malformed("its first line"))?;
    if versioned.format != FORMAT {
        return Err(malformed("another format"));
    }
    if versioned.format_version > VERSION {
        return Err(BackupError::Newer(versioned.format_version));
    }
    let head: Head = serde_json::from_slice(first).map_err(|_| malformed("its first line"))?;
    if head.deployment != keyring.deployment() {
        return Err(BackupError::OtherDeployment {
            found: head.deployment,
            expected: keyring.deployment(),
        });
    }
    let lines = bytes.strip_suffix(b"\n").ok_or(malformed("its last line"))?;
    let end = lines.iter().rposition(|byte| *byte == b'\n').ok_or(malformed("its last line"))?;
    let (body, last) = bytes.split_at_checked(end + 1).ok_or(malformed("its last line"))?;
    let tail: Tail = serde_json::from_slice(last).map_err(|_| malformed("its last line"))?;
    let tag = data_encoding::HEXLOWER
        .decode(tail.mac.as_bytes())
        .map_err(|_| malformed("its last line"))?;
    seal::verify(keyring, tail.key, body, &tag)?;

    let mut entities = Vec::with_capacity(usize::try_from(head.entities).unwrap_or(0).min(1 << 20));
    let between = body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n');
    for (index, text) in between.enumerate().skip(1) {
        let entity = serde_json::from_slice(text)
            .map_err(|source| BackupError::Entity { line: index + 1, source })?;
        entities.push(entity);
    }
    if entities.len() as u64 != head.entities {
        return Err(malformed("entities are missing"));
    }
    Ok(Backup { version: head.version, created_at: head.created_at, entities })
}

impl Backup {
    /// Takes every long-term key out of use until it is confirmed, and every code that an MFA device
    /// has shown by now: it may have been used after the backup was made.
    fn suspend_keys(&mut self, now: Timestamp) -> usize {
        let mut suspended = 0;
        for entity in &mut self.entities {
            match entity {
                Entity::AccessKey(key) => {
                    suspend(key);
                    suspended += usize::from(key.unconfirmed);
                }
                Entity::MfaDevice(device) => device.spend(now),
                _ => {}
            }
        }
        suspended
    }

    /// Replaces what a running directory holds by the backup: all of it or nothing.
    ///
    /// `epoch` is a random number other than 0.
    pub fn restore(mut self, tx: &mut Transaction, epoch: u64, now: Timestamp) -> Restored {
        let unconfirmed_keys = self.suspend_keys(now);
        tx.skip_versions(self.version);
        let kept: std::collections::HashSet<EntityKey> =
            self.entities.iter().map(Entity::key).collect();
        let gone: Vec<EntityKey> =
            tx.state().entities().map(|it| it.key()).filter(|key| !kept.contains(key)).collect();
        for key in gone {
            tx.delete(key);
        }
        let entities = self.entities.len();
        for entity in self.entities {
            tx.put(entity);
        }
        let epoch = Epoch { number: epoch, began_at: now, restored_version: self.version };
        tx.put(Entity::Epoch(epoch.clone()));
        Restored { epoch, entities, unconfirmed_keys }
    }

    /// What a new store begins with, and what was done to it.
    pub fn into_entities(mut self, epoch: u64, now: Timestamp) -> (Vec<Entity>, Restored) {
        let unconfirmed_keys = self.suspend_keys(now);
        let entities = self.entities.len();
        let epoch = Epoch { number: epoch, began_at: now, restored_version: self.version };
        self.entities.push(Entity::Epoch(epoch.clone()));
        (self.entities, Restored { epoch, entities, unconfirmed_keys })
    }
}

fn suspend(key: &mut AccessKey) {
    if key.status == KeyStatus::Active {
        key.status = KeyStatus::Inactive;
        key.unconfirmed = true;
    }
}
