//! When keys and roles were used last: kept in memory, written down now and then.
//!
//! Nothing here decides anything. A request costs a lock that is held for a look-up; only the first
//! use of a key, or a use in another service or region, allocates.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::id::{AccessKeyId, UniqueId};
use crate::time::Timestamp;

/// What was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Used {
    /// A long-term key.
    Key(AccessKeyId),
    /// A role, by one of its sessions.
    Role(UniqueId),
}

/// One use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// When.
    pub at: Timestamp,
    /// The service's name in the credential scope.
    pub service: String,
    /// The region in the credential scope, perhaps empty.
    pub region: String,
}

/// A last use to be kept, or none any more.
pub type News = (Used, Option<Use>);

/// The last use of each key and role.
pub struct Uses {
    shards: [Mutex<HashMap<Used, Entry>>; SHARDS],
}

const SHARDS: usize = 16;

struct Entry {
    last: Use,
    /// Whether it has changed since it was kept.
    news: bool,
}

impl Uses {
    /// As the store kept them.
    pub(super) fn from_kept(kept: Vec<(Used, Use)>) -> Self {
        let uses = Self { shards: std::array::from_fn(|_| Mutex::default()) };
        for (used, last) in kept {
            uses.shard(used).insert(used, Entry { last, news: false });
        }
        uses
    }

    /// Records a use. An older one than is known changes nothing.
    pub fn record(&self, used: Used, at: Timestamp, service: &str, region: &str) {
        let mut shard = self.shard(used);
        let Some(entry) = shard.get_mut(&used) else {
            let last = Use { at, service: service.to_owned(), region: region.to_owned() };
            shard.insert(used, Entry { last, news: true });
            return;
        };
        if at < entry.last.at {
            return;
        }
        entry.news = true;
        entry.last.at = at;
        for (known, now) in [(&mut entry.last.service, service), (&mut entry.last.region, region)] {
            if known != now {
                now.clone_into(known);
            }
        }
    }

    /// The last use.
    pub fn last(&self, used: Used) -> Option<Use> {
        self.shard(used).get(&used).map(|entry| entry.last.clone())
    }

    /// What is new since the last call; what `exists` does not know is forgotten (`None`).
    pub(super) fn news(&self, exists: impl Fn(&Used) -> bool) -> Vec<News> {
        let mut news = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.retain(|used, entry| {
                let there = exists(used);
                if !there {
                    news.push((*used, None));
                } else if entry.news {
                    entry.news = false;
                    news.push((*used, Some(entry.last.clone())));
                }
                there
            });
        }
        news
    }

    /// Those are to be told again by [`news`](Self::news).
    pub(super) fn not_kept(&self, news: Vec<News>) {
        for (used, _) in news {
            if let Some(entry) = self.shard(used).get_mut(&used) {
                entry.news = true;
            }
        }
    }

    fn shard(&self, used: Used) -> MutexGuard<'_, HashMap<Used, Entry>> {
        // The last character of either ID is random.
        let last = match &used {
            Used::Key(id) => id.as_str().bytes().last(),
            Used::Role(id) => id.as_str().bytes().last(),
        };
        let [first, ..] = &self.shards;
        lock(self.shards.get(usize::from(last.unwrap_or(0)) % SHARDS).unwrap_or(first))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it was held leaves a use unrecorded at worst.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Display for Used {
    /// The text under which stores keep it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key/{id}"),
            Self::Role(id) => write!(f, "role/{id}"),
        }
    }
}

impl Used {
    /// Reads what `Display` writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("key", id) => AccessKeyId::parse(id).ok().map(Self::Key),
            ("role", id) => UniqueId::parse(id).ok().map(Self::Role),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AKIAAAAAAAAAAAAAAAAA";

    #[test]
    fn the_last_use_is_told_and_is_news_once() {
        let used = Used::Key(AccessKeyId::parse(KEY).unwrap());
        let uses = Uses::from_kept(Vec::new());
        assert_eq!(uses.last(used), None);
        uses.record(used, Timestamp::from_secs(10), "sts", "eu-west-1");
        uses.record(used, Timestamp::from_secs(20), "orders", "");
        uses.record(used, Timestamp::from_secs(15), "late", "late");
        let last =
            Use { at: Timestamp::from_secs(20), service: "orders".into(), region: String::new() };
        assert_eq!(uses.last(used), Some(last.clone()));
        assert_eq!(uses.news(|_| true), [(used, Some(last.clone()))]);
        assert_eq!(uses.news(|_| true), []);
        uses.not_kept(vec![(used, Some(last.clone()))]);
        assert_eq!(uses.news(|_| true), [(used, Some(last))]);
        assert_eq!(uses.news(|_| false), [(used, None)]);
        assert_eq!(uses.last(used), None, "what is deleted is forgotten");
    }

    #[test]
    fn texts_read_back() {
        for text in [format!("key/{KEY}"), "role/AROAAAAAAAAAAAAAAAAA1".to_owned()] {
            assert_eq!(Used::parse(&text).unwrap().to_string(), text);
        }
        assert_eq!(Used::parse("user/x"), None);
    }
}
