//! What is read of a stored text: once, by whoever needs it first, and not before.

use std::sync::{Arc, OnceLock};

use imbl::HashMap;

use crate::id::ProviderId;

/// What was read of the texts of providers, beside them.
///
/// INVARIANT: an entry is of one text. Whoever writes another text makes another entry.
#[derive(Clone)]
pub(super) struct ReadOnce<T>(HashMap<ProviderId, Arc<OnceLock<T>>>);

impl<T> Default for ReadOnce<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<T> ReadOnce<T> {
    /// Nothing is read yet of what stands there now.
    pub(super) fn put(&mut self, id: ProviderId) {
        self.0.insert(id, Arc::default());
    }

    pub(super) fn remove(&mut self, id: &ProviderId) {
        self.0.remove(id);
    }

    pub(super) fn get(&self, id: &ProviderId, read: impl FnOnce() -> T) -> Option<&T> {
        self.0.get(id).map(|it| it.get_or_init(read))
    }
}
