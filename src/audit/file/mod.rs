//! The audit file and the one thread that writes it.
//!
//! Model: callers hand lines to a bounded queue and wait for the answer; the thread takes what
//! waits, writes it at once, and answers all of it. No file I/O happens on a runtime's thread,
//! and a slow disk makes callers wait for their own record only, up to the queue's length. Over
//! it, a record is refused at once.

mod log;
#[cfg(test)]
mod tests;

use std::path::Path;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use self::log::Log;
use crate::future::BoxFuture;

use super::{AuditError, AuditSink, Record, Step};

/// At most this many records wait; those that are handed in together count as one.
const QUEUE: usize = 1024;
/// At most this many of them, or about this many bytes, share a write.
const GROUP: usize = 256;
const GROUP_BYTES: usize = 1024 * 1024;

type Done = oneshot::Sender<Result<(), AuditError>>;

enum Job {
    Write(Vec<u8>, Done),
    Reopen(Done),
}

/// Appends records to a file, one JSON object a line.
///
/// The file is made with mode 0600, a missing directory with 0700. It is locked: a second broker
/// does not write to it. When it was renamed or removed, as by logrotate, writing goes on in a new
/// file of the same name. It is never truncated, but for what a failed write left behind.
pub struct FileSink {
    queue: mpsc::Sender<Job>,
}

impl FileSink {
    /// Opens the file and starts the thread. `synced`: see [`Settings`](super::Settings).
    ///
    /// A last line that a crash cut short is ended, so that it stays on its own.
    pub fn open(path: &Path, synced: bool) -> Result<Self, AuditError> {
        Self::start(Log::open(path, synced)?, QUEUE)
    }

    /// Looks for the file anew: after SIGHUP. Ends when that is done; records that were handed in
    /// before are in the old file.
    pub async fn reopen(&self) -> Result<(), AuditError> {
        let (done, outcome) = oneshot::channel();
        self.queue.send(Job::Reopen(done)).await.map_err(|_| AuditError::Stopped)?;
        outcome.await.unwrap_or(Err(AuditError::Stopped))
    }

    fn start(log: Log, queue: usize) -> Result<Self, AuditError> {
        let (queue, jobs) = mpsc::channel(queue);
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || run(log, jobs))
            .map_err(|error| Step::Start.failed(error))?;
        Ok(Self { queue })
    }

    fn hand_in(
        &self,
        records: &[Record],
    ) -> Result<oneshot::Receiver<Result<(), AuditError>>, AuditError> {
        let mut lines = Vec::new();
        for record in records {
            lines.append(&mut record.to_line()?);
        }
        let (done, outcome) = oneshot::channel();
        match self.queue.try_send(Job::Write(lines, done)) {
            Ok(()) => Ok(outcome),
            Err(TrySendError::Full(_)) => Err(AuditError::Full),
            Err(TrySendError::Closed(_)) => Err(AuditError::Stopped),
        }
    }
}

impl AuditSink for FileSink {
    fn accept(&self, record: Record) -> BoxFuture<'_, Result<(), AuditError>> {
        let handed_in = self.hand_in(&[record]);
        Box::pin(async move { handed_in?.await.unwrap_or(Err(AuditError::Stopped)) })
    }

    fn accept_all(&self, records: Vec<Record>) -> BoxFuture<'_, Result<(), AuditError>> {
        let handed_in = self.hand_in(&records);
        Box::pin(async move { handed_in?.await.unwrap_or(Err(AuditError::Stopped)) })
    }
}

/// Writes until the sink is dropped and the queue is empty.
fn run(mut log: Log, mut jobs: mpsc::Receiver<Job>) {
    let mut lines = Vec::new();
    let mut waiting: Vec<Done> = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        let mut next = Some(first);
        let mut reopen = None;
        while let Some(job) = next.take() {
            match job {
                Job::Write(more, done) => {
                    lines.extend_from_slice(&more);
                    waiting.push(done);
                }
                Job::Reopen(done) => {
                    reopen = Some(done);
                    break;
                }
            }
            if waiting.len() < GROUP && lines.len() < GROUP_BYTES {
                next = jobs.try_recv().ok();
            }
        }
        if !waiting.is_empty() {
            let outcome = log.append(&lines);
            if let Err(error) = &outcome {
                tracing::error!(%error, records = waiting.len(), "audit records were not accepted");
            }
            for done in waiting.drain(..) {
                // Whoever no longer waits does not care.
                let _ = done.send(outcome.clone());
            }
            lines.clear();
            lines.shrink_to(GROUP_BYTES);
        }
        if let Some(done) = reopen {
            let _ = done.send(log.reopen());
        }
    }
}
