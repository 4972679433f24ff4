//! A write in the making.

use std::sync::Arc;

use super::snapshot::Snapshot;
use super::store::{Change, Entity, EntityKey};

/// A place in a [`Transaction`].
pub struct Mark {
    working: Option<Snapshot>,
    changes: usize,
}

/// The newest state and the changes made to it so far. Reads see the changes.
pub struct Transaction {
    base: Arc<Snapshot>,
    working: Option<Snapshot>,
    changes: Vec<Change>,
    /// Versions up to this one are taken.
    taken: u64,
}

impl Transaction {
    pub(super) fn new(base: Arc<Snapshot>) -> Self {
        Self { taken: base.version(), base, working: None, changes: Vec::new() }
    }

    /// A transaction of its own that begins where this one stands.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            base: Arc::clone(&self.base),
            working: self.working.clone(),
            changes: self.changes.clone(),
            taken: self.taken,
        }
    }

    /// The state, with this transaction's own changes.
    pub fn state(&self) -> &Snapshot {
        self.working.as_ref().unwrap_or(&self.base)
    }

    /// The version that the directory will have when this write is stored.
    pub fn version(&self) -> u64 {
        self.taken + 1
    }

    /// Gives this write, and those after it, versions above `version`. Before the first change.
    pub fn skip_versions(&mut self, version: u64) {
        if self.working.is_none() {
            self.taken = self.taken.max(version);
        }
    }

    /// Makes or replaces an entity.
    pub fn put(&mut self, entity: Entity) {
        self.change(Change::Put(Box::new(entity)));
    }

    /// Removes an entity; removing what is not there changes nothing.
    pub fn delete(&mut self, key: EntityKey) {
        self.change(Change::Delete(key));
    }

    fn change(&mut self, change: Change) {
        let version = self.version();
        let base = &self.base;
        self.working.get_or_insert_with(|| base.at_version(version)).apply(&change);
        self.changes.push(change);
    }

    /// Where it stands, to come back to.
    pub fn mark(&self) -> Mark {
        Mark { working: self.working.clone(), changes: self.changes.len() }
    }

    /// Takes back what was changed since this mark of its own.
    pub fn back_to(&mut self, mark: Mark) {
        self.working = mark.working;
        self.changes.truncate(mark.changes);
    }

    /// The new state and its changes; `None` if nothing changed.
    pub(super) fn finish(self) -> Option<(Snapshot, Vec<Change>)> {
        self.working.map(|working| (working, self.changes))
    }
}
