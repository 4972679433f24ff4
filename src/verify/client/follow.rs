//! Following the broker: the feed, and the proofs that nothing of it is missing.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::time::{sleep, timeout};

use super::Shared;
use super::connect::ClientError;
use crate::api::{FeedHead, FeedLine, Position};
use crate::time::Timestamp;
use crate::verify::news::Applied;

/// The most bytes of a line. The first one holds the service's routes.
const LINE_BYTES: usize = 2 * 1024 * 1024;
/// The most bytes of a proof.
const PROOF_BYTES: usize = 16 * 1024 * 1024;
/// How long a feed may be silent: it says something every second.
const SILENCE: Duration = Duration::from_secs(5);
/// The pauses between attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Follows the feed for ever.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut pause = PAUSES.0;
    loop {
        match once(&shared).await {
            Ok(()) => pause = PAUSES.0,
            Err(error) => {
                if error.is_refusal() {
                    shared.local.dismiss();
                }
                tracing::warn!(%error, service = shared.name, "the change feed broke");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Reads one feed to its end.
async fn once(shared: &Shared) -> Result<(), ClientError> {
    let mut feed = shared.broker.stream(&target(shared, true)).await?;
    let mut lines = Lines::default();
    let mut begun = false;
    loop {
        let Some(bytes) =
            timeout(SILENCE, feed.next()).await.map_err(|_| ClientError::Timeout)??
        else {
            return Ok(());
        };
        lines.push(&bytes)?;
        while let Some(line) = lines.next() {
            if take(shared, &line, !begun)? == Applied::Reset {
                shared.wanted.notify_one();
            }
            begun = true;
        }
    }
}

/// Proves, again and again, that no change is missing.
///
/// INVARIANT: a proof counts from when its question was sent. What is told without being asked for
/// may have been held up on its way.
pub(super) async fn prove(shared: Arc<Shared>) {
    let every = (shared.freshness / 6).clamp(Duration::from_millis(50), Duration::from_secs(5));
    loop {
        let pause = match proof(&shared).await {
            Ok(Applied::Joined) => every,
            // Was this the newest, or an answer from before what the feed has told already?
            Ok(Applied::Reset) => every.min(Duration::from_millis(500)),
            Err(error) => {
                if error.is_refusal() {
                    shared.local.dismiss();
                }
                tracing::warn!(%error, service = shared.name, "freshness cannot be proven");
                every.min(Duration::from_millis(500))
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = shared.wanted.notified() => {}
        }
    }
}

async fn proof(shared: &Shared) -> Result<Applied, ClientError> {
    let (asked_at, now) = (shared.clock.monotonic(), shared.clock.now());
    let answer = shared.broker.get(&target(shared, false), PROOF_BYTES).await?;
    if answer.status != 200 {
        return Err(ClientError::Status(answer.status));
    }
    let mut lines = answer.body.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let Some((b'\n', line)) = line.split_last() else { return Err(ClientError::Answer) };
        Ok(line)
    });
    let head: FeedHead = read(lines.next().ok_or(ClientError::Answer)??)?;
    let mut applied = shared.local.begin(&head).map_err(ClientError::News)?;
    let mut newest = None;
    for line in lines {
        let line: FeedLine = read(line?)?;
        if shared.local.line(&line).map_err(ClientError::News)? == Applied::Reset {
            applied = Applied::Reset;
        }
        // The last line says that there is nothing more.
        newest = (line.after == line.version).then_some(line.version);
    }
    let version = newest.ok_or(ClientError::Answer)?;
    if let Some(told) = head.now {
        shared.local.hear_time(Timestamp::from_millis(told), asked_at);
    }
    shared.local.prove(&Position { version, ..head.at }, asked_at, now);
    Ok(applied)
}

fn take(shared: &Shared, line: &[u8], first: bool) -> Result<Applied, ClientError> {
    let local = &shared.local;
    let taken =
        if first { local.begin(&read::<FeedHead>(line)?) } else { local.line(&read(line)?) };
    taken.map_err(ClientError::News)
}

fn read<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(line).map_err(|_| ClientError::Answer)
}

fn target(shared: &Shared, follow: bool) -> String {
    let mut target = format!("/v1/changes?service={}&follow={follow}", shared.name);
    if let Some(at) = shared.local.position() {
        // None of these needs escapes: numbers and an ID.
        let (version, epoch, deployment) = (at.version, at.epoch, &at.deployment);
        let _ = write!(target, "&after={version}&epoch={epoch}&deployment={deployment}");
    }
    target
}

/// Bytes cut into lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn push(&mut self, bytes: &Bytes) -> Result<(), ClientError> {
        if self.0.len() + bytes.len() > LINE_BYTES {
            return Err(ClientError::Answer);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        let rest = self.0.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.0, rest);
        line.pop();
        Some(line)
    }
}
