//! What changed lately, by version: for those who keep a copy of what the directory said.
//!
//! # Model
//!
//! Every publication of a newer snapshot is an [`Entry`]: the versions it covers and what it touched.
//! The log is kept in memory, bounded by entries and by names; whoever asks for more than it holds
//! is told of a gap, and has to forget what it kept.
//!
//! INVARIANT: an entry is there before its write is acknowledged, and the versions of entries join:
//! each begins where the one before it ended. What is published without its changes being known
//! touches everything.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::store::{Change, EntityKey};

/// The most entries that are kept.
const MAX_ENTRIES: usize = 8192;
/// The most names in all entries together.
const MAX_NAMES: usize = 65_536;
/// The most names of one entry: with more, it touches everything.
const MAX_OF_ENTRY: usize = 1024;

/// What a publication touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// These, by the names that [`name`] gives.
    These(Vec<String>),
    /// Everything, or what is not known.
    All,
}

impl Touched {
    /// What these changes touch.
    pub fn of<'c>(changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut names = Vec::new();
        for change in changes {
            let key = match change {
                Change::Put(entity) => entity.key(),
                Change::Delete(key) => *key,
            };
            let Some(name) = name(key) else { return Self::All };
            if !names.contains(&name) {
                if names.len() == MAX_OF_ENTRY {
                    return Self::All;
                }
                names.push(name);
            }
        }
        Self::These(names)
    }

    fn names(&self) -> usize {
        match self {
            Self::These(names) => names.len(),
            Self::All => 0,
        }
    }
}

/// The name by which those who keep something of an entity watch for its change. `None`: nobody
/// watches such entities by name, and a change of one touches everything.
///
/// INVARIANT: a kind has a name here only if whatever hands out what depends on such an entity names
/// it among what to watch.
pub fn name(key: EntityKey) -> Option<String> {
    match key {
        EntityKey::Account(_)
        | EntityKey::User(_)
        | EntityKey::Role(_)
        | EntityKey::AccessKey(_)
        | EntityKey::OidcProvider(_)
        | EntityKey::SessionRevocation(_)
        // Nothing that is handed out depends on one: a session says itself when a second factor was
        // shown. Each use of a device is a change.
        | EntityKey::MfaDevice(_)
        // Nothing depends on one at all.
        | EntityKey::Subject(_) => Some(key.to_string()),
        EntityKey::Group(_)
        | EntityKey::Policy(_)
        | EntityKey::InstanceProfile(_)
        | EntityKey::SamlProvider(_)
        | EntityKey::PodAssociation(_)
        | EntityKey::TrustAnchor(_)
        | EntityKey::AnywhereProfile(_)
        | EntityKey::Crl(_)
        | EntityKey::Epoch
        | EntityKey::Organization
        | EntityKey::Unit(_)
        | EntityKey::Member(_)
        | EntityKey::ControlPolicy(_)
        | EntityKey::Creation(_)
        | EntityKey::AccountState(_)
        | EntityKey::Handshake(_) => None,
    }
}

/// One publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The version before.
    pub after: u64,
    /// The version since.
    pub version: u64,
    /// What it touched.
    pub touched: Touched,
}

/// What came after a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Every entry from there to the newest, oldest first.
    Entries(Vec<Arc<Entry>>),
    /// The log does not reach there.
    Gap,
}

/// The log.
pub struct ChangeLog {
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
}

struct Kept {
    entries: VecDeque<Arc<Entry>>,
    names: usize,
    version: u64,
}

impl ChangeLog {
    /// A log that begins at a version.
    pub(super) fn new(version: u64) -> Self {
        let kept = Kept { entries: VecDeque::new(), names: 0, version };
        Self { kept: Mutex::new(kept), newest: watch::Sender::new(version) }
    }

    /// Adds what was published as `version`.
    pub(super) fn add(&self, version: u64, touched: Touched) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if version == kept.version {
            return;
        }
        if version < kept.version {
            // A state from before: nobody can go on from where they are.
            kept.entries.clear();
            kept.names = 0;
        } else {
            kept.names += touched.names();
            let after = kept.version;
            kept.entries.push_back(Arc::new(Entry { after, version, touched }));
        }
        kept.version = version;
        while kept.entries.len() > MAX_ENTRIES || kept.names > MAX_NAMES {
            let Some(dropped) = kept.entries.pop_front() else { break };
            kept.names -= dropped.touched.names();
        }
        drop(kept);
        self.newest.send_replace(version);
    }

    /// The newest version.
    pub fn version(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).version
    }

    /// Tells when there is a newer version.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// What came after a version.
    pub fn since(&self, after: u64) -> Since {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if after == kept.version {
            return Since::Entries(Vec::new());
        }
        let reaches = kept.entries.front().is_some_and(|first| first.after <= after);
        if after > kept.version || !reaches {
            return Since::Gap;
        }
        let from = kept.entries.partition_point(|entry| entry.version <= after);
        Since::Entries(kept.entries.range(from..).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(names: &[&str]) -> Touched {
        Touched::These(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn versions(since: Since) -> Option<Vec<(u64, u64)>> {
        match since {
            Since::Entries(entries) => {
                Some(entries.iter().map(|entry| (entry.after, entry.version)).collect())
            }
            Since::Gap => None,
        }
    }

    #[test]
    fn entries_join_and_a_version_that_is_not_reached_is_a_gap() {
        let log = ChangeLog::new(10);
        assert_eq!(versions(log.since(10)), Some(vec![]));
        assert_eq!(versions(log.since(9)), None);
        assert_eq!(versions(log.since(11)), None);
        log.add(12, these(&["user/a"]));
        log.add(12, these(&["user/b"]));
        log.add(13, Touched::All);
        assert_eq!(versions(log.since(10)), Some(vec![(10, 12), (12, 13)]));
        assert_eq!(versions(log.since(11)), Some(vec![(10, 12), (12, 13)]));
        assert_eq!(versions(log.since(12)), Some(vec![(12, 13)]));
        assert_eq!(versions(log.since(9)), None);
        assert_eq!(*log.follow().borrow(), 13);
        // Back to an older state.
        log.add(11, Touched::All);
        assert_eq!(versions(log.since(13)), None);
        assert_eq!(versions(log.since(10)), None);
    }

    #[test]
    fn the_log_is_bounded_by_entries_and_by_names() {
        let log = ChangeLog::new(0);
        let last = MAX_ENTRIES as u64 + 5;
        for version in 1..=last {
            log.add(version, these(&["user/a"]));
        }
        assert_eq!(versions(log.since(4)), None);
        assert_eq!(versions(log.since(5)).unwrap().len(), MAX_ENTRIES);

        let log = ChangeLog::new(0);
        let names: Vec<String> = (0..MAX_OF_ENTRY).map(|n| n.to_string()).collect();
        let entries = (MAX_NAMES / MAX_OF_ENTRY) as u64;
        for version in 1..=entries + 1 {
            log.add(version, Touched::These(names.clone()));
        }
        assert_eq!(versions(log.since(0)), None);
        assert_eq!(versions(log.since(1)).unwrap().len() as u64, entries);
    }

    #[test]
    fn too_many_names_and_entities_that_nobody_names_touch_everything() {
        let delete = |n: u64| {
            Change::Delete(EntityKey::Account(
                crate::id::AccountId::parse(&format!("{n:012}")).unwrap(),
            ))
        };
        let many: Vec<_> = (0..=MAX_OF_ENTRY as u64).map(delete).collect();
        assert_eq!(Touched::of(many.iter()), Touched::All);
        assert_eq!(Touched::of(many.iter().take(3)).names(), 3);
        let twice = [delete(1), delete(1)];
        assert_eq!(Touched::of(twice.iter()), these(&["account/000000000001"]));
        let epoch = [delete(1), Change::Delete(EntityKey::Epoch)];
        assert_eq!(Touched::of(epoch.iter()), Touched::All);
    }
}
