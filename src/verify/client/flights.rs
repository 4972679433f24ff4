//! One question at a time about one credential: the others wait for its answer, once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::super::entry::EntryKey;

/// The questions that are under way.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<EntryKey, watch::Sender<()>>>);

/// A question that is under way; it ends when this is dropped.
pub(super) struct Flight<'f> {
    flights: &'f Flights,
    key: EntryKey,
}

impl Flights {
    /// Begins a question. `None`: there was one, and it has ended.
    pub(super) async fn join(&self, key: &EntryKey) -> Option<Flight<'_>> {
        let mut ended = {
            let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(flight) = under_way.get(key) {
                flight.subscribe()
            } else {
                under_way.insert(key.clone(), watch::Sender::new(()));
                return Some(Flight { flights: self, key: key.clone() });
            }
        };
        // Ends when the sender is dropped.
        while ended.changed().await.is_ok() {}
        None
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
