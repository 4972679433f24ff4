//! The feed of changes, read: where we stand, and what that ends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use serde_json::Value;

use super::entry::Entry;
use crate::api::{FeedHead, FeedLine, Position};
use crate::downstream::{RouteSettings, Service, ServiceSettings};

/// The most lines that are remembered, for answers that are older than the feed.
const RECENT: usize = 1024;
/// The most names in them together.
const RECENT_NAMES: usize = 16_384;
/// The fewest watchers among which those of entries that are gone are looked for.
const LEAST_PURGE: usize = 4096;

/// The feed says what cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewsError {
    /// A line before the first, or one that ends before it begins.
    #[error("the feed's lines do not follow each other")]
    Order,
    /// The service's settings cannot be read here: the broker is newer, most likely.
    #[error("the service's settings, as the broker has them, cannot be read here")]
    Registration,
    /// The feed is another service's.
    #[error("the feed is about another service")]
    OtherService,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It joins what is known.
    Joined,
    /// It does not: all that was kept is void.
    Reset,
}

/// Where we stand.
#[derive(Default)]
pub(super) struct News {
    at: Option<Position>,
    registered: Option<(Value, Value)>,
    recent: VecDeque<FeedLine>,
    recent_names: usize,
    watchers: HashMap<String, Vec<Weak<Entry>>>,
    watching: usize,
    purge_at: usize,
}

/// The head of a feed, taken in.
pub(super) struct Begun {
    pub(super) applied: Applied,
    /// The service, if its settings are new.
    pub(super) service: Option<Arc<Service>>,
}

impl News {
    /// Where we stand; `None` before the first news.
    pub(super) fn at(&self) -> Option<&Position> {
        self.at.as_ref()
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Forgets who watches, and goes on from a version.
    fn reset(&mut self, at: Position) {
        for (_, entries) in self.watchers.drain() {
            entries.iter().filter_map(Weak::upgrade).for_each(|entry| entry.drop_now());
        }
        self.watching = 0;
        self.recent.clear();
        self.recent_names = 0;
        self.at = Some(at);
    }

    /// Takes in the first line of a feed of the service `name`.
    pub(super) fn begin(&mut self, head: &FeedHead, name: &str) -> Result<Begun, NewsError> {
        let mut service = None;
        let registration = (&head.service, &head.routes);
        let anew = self.registered.as_ref().is_none_or(|(s, r)| (s, r) != registration);
        if anew {
            let read = read_service(head)?;
            if read.name() != name {
                return Err(NewsError::OtherService);
            }
            service = Some(Arc::new(read));
            self.registered = Some((head.service.clone(), head.routes.clone()));
        }
        let same = self
            .at
            .as_ref()
            .is_some_and(|at| at.deployment == head.at.deployment && at.epoch == head.at.epoch);
        let joins = self.at.as_ref().is_some_and(|at| head.at.version <= at.version);
        if same && joins && !anew && !head.gap {
            return Ok(Begun { applied: Applied::Joined, service });
        }
        self.reset(head.at.clone());
        Ok(Begun { applied: Applied::Reset, service })
    }

    /// Takes in a line.
    pub(super) fn line(&mut self, line: &FeedLine) -> Result<Applied, NewsError> {
        let at = self.at.as_mut().ok_or(NewsError::Order)?;
        if line.version < line.after {
            return Err(NewsError::Order);
        }
        if line.version <= at.version {
            // Known already, by the feed or by a question.
            return Ok(Applied::Joined);
        }
        if line.after > at.version || line.all {
            // INVARIANT: what lies between was missed, or touches everything.
            let at = Position { version: line.version, ..at.clone() };
            self.reset(at);
            return Ok(Applied::Reset);
        }
        at.version = line.version;
        for name in &line.touched {
            for entry in self.watchers.remove(name).unwrap_or_default() {
                self.watching = self.watching.saturating_sub(1);
                if let Some(entry) = entry.upgrade() {
                    entry.drop_now();
                }
            }
        }
        self.recent_names += line.touched.len();
        self.recent.push_back(line.clone());
        while self.recent.len() > RECENT || self.recent_names > RECENT_NAMES {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_names -= oldest.touched.len();
        }
        Ok(Applied::Joined)
    }

    /// Whether an answer that was read from the directory at this position still holds, as far as it
    /// depends on these names.
    pub(super) fn still_holds(&self, of: &Position, watch: &[String]) -> bool {
        let Some(at) = &self.at else { return false };
        if of.deployment != at.deployment || of.epoch != at.epoch {
            return false;
        }
        if of.version >= at.version {
            return true;
        }
        // The feed was quicker than the answer: what it told since must be known, and none of it be
        // about the answer.
        self.recent.front().is_some_and(|first| first.after <= of.version)
            && !self
                .recent
                .iter()
                .filter(|line| line.version > of.version)
                .any(|line| line.touched.iter().any(|name| watch.contains(name)))
    }

    /// Ends an entry when one of these is touched.
    pub(super) fn watch(&mut self, entry: &Arc<Entry>, watch: Vec<String>) {
        for name in watch {
            self.watchers.entry(name).or_default().push(Arc::downgrade(entry));
            self.watching += 1;
        }
        if self.watching > self.purge_at.max(LEAST_PURGE) {
            self.watchers.retain(|_, entries| {
                entries.retain(|entry| entry.upgrade().is_some_and(|entry| !entry.is_dropped()));
                !entries.is_empty()
            });
            self.watching = self.watchers.values().map(Vec::len).sum();
            self.purge_at = self.watching * 2;
        }
    }
}

fn read_service(head: &FeedHead) -> Result<Service, NewsError> {
    let settings: ServiceSettings =
        serde_json::from_value(head.service.clone()).map_err(|_| NewsError::Registration)?;
    let routes: Vec<RouteSettings> =
        serde_json::from_value(head.routes.clone()).map_err(|_| NewsError::Registration)?;
    Service::new(&settings, &routes).map_err(|_| NewsError::Registration)
}
