//! The feed of changes for verifiers inside services.
//!
//! # Model
//!
//! A reader says where it stands; the first line says from where the lines go on, and whether that
//! leaves a gap. Then every publication of the directory is a line, and every second one says that
//! there was none. A feed ends when the broker stops, when its service is registered anew, after
//! [`LIFE`] (the reader then shows again who it is), and when its reader does not read.
//!
//! INVARIANT: whoever is no asker any more hears nothing more. With every publication, before it is
//! told, and with every heartbeat it is asked anew whether the reader would still be admitted.
//!
//! A feed can be held up on its way without anybody seeing it, so what it tells is not taken as a
//! sign of life: for that a reader asks for the lines so far ([`Feeds::so_far`]), whose answer is
//! not older than the question.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::Asking;
use crate::api::{FeedHead, FeedLine, Position};
use crate::directory::changes::{Entry, Since};
use crate::directory::{ChangeLog, Touched};
use crate::downstream::Service;
use crate::ops::{Facts, Services};
use crate::time::Timestamp;

/// The most feeds at once.
const MAX_FEEDS: usize = 512;
/// The most feeds of one service, so that one leaves room for the others.
const MAX_OF_SERVICE: usize = 128;
/// How often a feed says something.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a feed may last.
const LIFE: Duration = Duration::from_mins(5);
/// How long a line may wait for its reader.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lines on their way to a reader.
const LINES: usize = 64;

/// The feeds that are open.
pub struct Feeds {
    room: Arc<Semaphore>,
    /// By the name of the service: the registered ones alone come here.
    shares: Mutex<HashMap<String, Arc<Semaphore>>>,
    closed: watch::Sender<bool>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(MAX_FEEDS)),
            shares: Mutex::default(),
            closed: watch::Sender::new(false),
        }
    }
}

/// Where a reader stands.
pub struct Reader<'a> {
    /// The version that it has read up to; `None` if it begins.
    pub after: Option<u64>,
    /// The epoch of that version.
    pub epoch: Option<u64>,
    /// The deployment of that version.
    pub deployment: Option<&'a str>,
}

/// There are as many feeds as there may be, or the broker stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are as many feeds as there may be, or the broker stops")]
pub struct NoRoom;

impl Feeds {
    /// Ends every feed, and opens none any more.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The lines that a reader has not read, up to now.
    pub fn so_far(
        services: &Services,
        service: &Service,
        reader: &Reader<'_>,
        now: Timestamp,
    ) -> Vec<u8> {
        let (head, entries) = begin(services, service, reader, now);
        let mut out = line(&head);
        for entry in entries {
            out.extend(line(&of_entry(&entry)));
        }
        out.extend(line(&nothing(head.newest)));
        out
    }

    /// Those lines, and what comes after them, for as long as the asker is one.
    pub fn open(
        services: &Arc<Services>,
        service: &Arc<Service>,
        reader: &Reader<'_>,
        asking: Asking,
        facts: &Facts,
    ) -> Result<mpsc::Receiver<Bytes>, NoRoom> {
        let feeds = &services.feeds;
        let share = feeds.share(service.name()).try_acquire_owned().map_err(|_| NoRoom)?;
        let permit = Arc::clone(&feeds.room).try_acquire_owned().map_err(|_| NoRoom)?;
        let mut closed = feeds.closed.subscribe();
        if *closed.borrow_and_update() {
            return Err(NoRoom);
        }
        // From before the beginning is read: nothing falls in between.
        let news = services.directory.changes().follow();
        let (head, entries) = begin(services, service, reader, facts.now);
        let (lines, reading) = mpsc::channel(LINES);
        let feed = Feed {
            services: Arc::clone(services),
            service: Arc::clone(service),
            at: head.at.version,
            lines,
            news,
            asking,
            facts: facts.clone(),
            permits: [share, permit],
        };
        tokio::spawn(async move {
            tokio::select! {
                () = feed.run(head, entries) => {}
                _ = closed.wait_for(|closed| *closed) => {}
            }
        });
        Ok(reading)
    }

    fn share(&self, service: &str) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(service.to_owned());
        Arc::clone(share.or_insert_with(|| Arc::new(Semaphore::new(MAX_OF_SERVICE))))
    }
}

struct Feed {
    services: Arc<Services>,
    service: Arc<Service>,
    at: u64,
    lines: mpsc::Sender<Bytes>,
    news: watch::Receiver<u64>,
    asking: Asking,
    /// Of the question that opened it.
    facts: Facts,
    #[expect(dead_code, reason = "they are the feed's place among those that are open")]
    permits: [OwnedSemaphorePermit; 2],
}

impl Feed {
    async fn run(mut self, head: FeedHead, entries: Vec<Arc<Entry>>) {
        let end = Instant::now() + LIFE;
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if !self.say(line(&head)).await || !self.tell(entries).await {
            return;
        }
        loop {
            tokio::select! {
                changed = self.news.changed() => {
                    let Since::Entries(entries) = self.log().since(self.at) else { return };
                    if changed.is_err() || !self.is_admitted() || !self.tell(entries).await {
                        return;
                    }
                }
                _ = heartbeat.tick() => {
                    let services = self.services.downstream.now();
                    let registered = services.get(self.service.name());
                    if !registered.is_some_and(|now| Arc::ptr_eq(now, &self.service))
                        || !self.is_admitted()
                        || !self.say(line(&nothing(self.at))).await
                    {
                        return;
                    }
                }
                () = self.lines.closed() => return,
                () = sleep_until(end) => return,
            }
        }
    }

    /// Whether its reader would still be admitted.
    fn is_admitted(&self) -> bool {
        let facts = Facts { now: self.services.clock.now(), ..self.facts.clone() };
        let snapshot = self.services.directory.snapshot();
        self.asking.is_still_keeper(&snapshot, &facts, &self.service)
    }

    fn log(&self) -> &ChangeLog {
        self.services.directory.changes()
    }

    async fn tell(&mut self, entries: Vec<Arc<Entry>>) -> bool {
        for entry in entries {
            if !self.say(line(&of_entry(&entry))).await {
                return false;
            }
            self.at = entry.version;
        }
        true
    }

    async fn say(&self, line: Vec<u8>) -> bool {
        matches!(timeout(PATIENCE, self.lines.send(Bytes::from(line))).await, Ok(Ok(())))
    }
}

/// The first line, and the entries after it.
fn begin(
    services: &Services,
    service: &Service,
    reader: &Reader<'_>,
    now: Timestamp,
) -> (FeedHead, Vec<Arc<Entry>>) {
    let log = services.directory.changes();
    // In this order: the epoch is that of the version, or of a later one.
    let newest = log.version();
    let epoch = services.directory.snapshot().epoch();
    let deployment = services.keyring.deployment().to_string();
    let known = reader
        .after
        .filter(|_| reader.epoch == Some(epoch) && reader.deployment == Some(deployment.as_str()));
    let (after, entries, gap) = match known.map(|after| (after, log.since(after))) {
        Some((after, Since::Entries(entries))) => (after, entries, false),
        _ => (newest, Vec::new(), true),
    };
    let newest = entries.last().map_or(after, |entry| entry.version);
    let (settings, routes) = service.registration();
    let head = FeedHead {
        at: Position { deployment, epoch, version: after },
        newest,
        gap,
        now: Some(now.millis()),
        service: serde_json::to_value(settings).unwrap_or_default(),
        routes: serde_json::to_value(routes).unwrap_or_default(),
    };
    (head, entries)
}

fn of_entry(entry: &Entry) -> FeedLine {
    let (touched, all) = match &entry.touched {
        Touched::These(names) => (names.clone(), false),
        Touched::All => (Vec::new(), true),
    };
    FeedLine { after: entry.after, version: entry.version, touched, all }
}

fn nothing(version: u64) -> FeedLine {
    FeedLine { after: version, version, touched: Vec::new(), all: false }
}

fn line(it: &impl Serialize) -> Vec<u8> {
    // These are structs of texts and numbers, which JSON has words for. No line at all would be
    // found missing by the next one.
    let mut out = serde_json::to_vec(it).unwrap_or_default();
    out.push(b'\n');
    out
}
