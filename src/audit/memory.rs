//! A sink for tests: keeps what it accepts, and fails when told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::future::BoxFuture;

use super::{AuditError, AuditSink, Record};

/// Records in memory.
#[derive(Debug, Default)]
pub struct MemorySink {
    records: Mutex<Vec<Value>>,
    failing: AtomicBool,
}

impl MemorySink {
    /// An empty one that accepts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it refuses from now on.
    pub fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// What it accepted, in order, as JSON.
    pub fn records(&self) -> Vec<Value> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AuditSink for MemorySink {
    fn accept(&self, record: Record) -> BoxFuture<'_, Result<(), AuditError>> {
        let outcome = if self.failing.load(Ordering::SeqCst) {
            Err(AuditError::Full)
        } else {
            serde_json::to_value(record).map_err(|_| AuditError::Encode).map(|value| {
                self.records.lock().unwrap_or_else(PoisonError::into_inner).push(value);
            })
        };
        Box::pin(std::future::ready(outcome))
    }
}
