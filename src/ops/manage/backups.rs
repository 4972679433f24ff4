//! Backups, on the admin socket: a copy of the directory, and putting one back.

use std::io::{self, Write};
use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::api::RestoredView;
use crate::audit::{Event, EventId, Record};
use crate::directory::backup::{self, Restored};
use crate::id::RequestId;
use crate::ops::dispatch::Trail;
use crate::ops::fault::Fault;
use crate::ops::manage::Asker;
use crate::ops::trail::{self, About};
use crate::ops::{Context, Effect, Service, write_fault};
use crate::random::{Random, RandomError};
use crate::time::Timestamp;

/// How many pieces of a backup wait for their reader.
const PIECES: usize = 8;

/// Begins a backup of the directory as it is now, and answers with its pieces.
///
/// It is whole when its last line is there: [`backup::read`] tells.
pub async fn create(asker: &Asker<'_>) -> Result<mpsc::Receiver<Bytes>, Fault> {
    let about = About { service: Service::Countersign, name: "CreateBackup", read_only: true };
    let context = asker.context();
    // INVARIANT: it holds sealed secrets; it does not leave before that is on record.
    let trail =
        Trail::begin(context, &about, Effect::Write, asker.user_identity(), Value::Null).await?;
    let (pieces, answer) = mpsc::channel(PIECES);
    let keyring = Arc::clone(&context.services.keyring);
    let snapshot = context.services.directory.snapshot();
    let version = snapshot.version();
    let now = context.facts.now;
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces(pieces);
        match backup::write(&snapshot, &keyring, now, &mut out) {
            Ok(()) => tracing::info!(version, "a backup was made"),
            Err(error) => tracing::error!(%error, version, "a backup was not finished"),
        }
    });
    let _ = trail.end(context, Ok(json!({ "directoryVersion": version }))).await;
    Ok(answer)
}

/// Passes on what is written, and waits for the reader.
struct Pieces(mpsc::Sender<Bytes>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Bytes::copy_from_slice(bytes))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Replaces the directory by a backup of this deployment, in one write.
///
/// INVARIANT (revocation is complete): sessions from before are refused, long-term keys are out of
/// use until they are confirmed.
///
/// # Errors
/// `ValidationError` with what is wrong with the file; nothing was changed then.
pub async fn restore(asker: &Asker<'_>, file: &[u8]) -> Result<RestoredView, Fault> {
    let about = About { service: Service::Countersign, name: "RestoreBackup", read_only: false };
    let context = asker.context();
    let described = json!({ "bytes": file.len() });
    let trail =
        Trail::begin(context, &about, Effect::Write, asker.user_identity(), described).await?;
    let result = put_back(context, file).await;
    let elements = match &result {
        Ok(view) => Ok(serde_json::to_value(view).unwrap_or_default()),
        Err(fault) => Err(fault),
    };
    // The intent is on record; what was restored stands whether or not its outcome is.
    let _ = trail.end(context, elements).await;
    result
}

async fn put_back(context: &Context<'_>, file: &[u8]) -> Result<RestoredView, Fault> {
    let services = context.services;
    let backup = backup::read(file, &services.keyring)
        .map_err(|error| Fault::validation(format!("{error}.")))?;
    let made_at = backup.created_at;
    let epoch = new_epoch(context)?;
    let now = context.facts.now.floor_secs();
    let (restored, version) = services
        .directory
        .write(|tx| Ok(backup.restore(tx, epoch, now)))
        .await
        .map_err(write_fault)?;
    tracing::warn!(version, epoch = restored.epoch.number, "a backup was restored");
    Ok(view(&restored, version, made_at.to_rfc3339()))
}

fn new_epoch(context: &Context<'_>) -> Result<u64, Fault> {
    let mut bytes = [0; 8];
    context.services.random.fill(&mut bytes).map_err(Fault::internal)?;
    Ok(u64::from_be_bytes(bytes).max(1))
}

/// The intent of a restore that no broker does, for its audit log.
///
/// # Errors
/// No randomness.
pub fn offline_intent(
    random: &dyn Random,
    now: Timestamp,
    bytes: usize,
) -> Result<Record, RandomError> {
    let event = Event {
        id: EventId::generate(random)?,
        time: now,
        source: Service::Countersign.event_source(),
        name: "RestoreBackup".to_owned(),
        region: String::new(),
        source_ip: "local".to_owned(),
        user_agent: None,
        request_id: RequestId::generate(random)?,
        read_only: false,
    };
    let asked = json!({ "bytes": bytes, "offline": true });
    Ok(Record::intent(event, trail::host_operator()).request_parameters(asked))
}

/// What a restore did, for people.
pub fn view(restored: &Restored, version: u64, backup_made_at: String) -> RestoredView {
    RestoredView {
        version,
        restored_version: restored.epoch.restored_version,
        backup_made_at,
        entities: restored.entities,
        unconfirmed_keys: restored.unconfirmed_keys,
    }
}
