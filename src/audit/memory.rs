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
        self.accept_all(vec![record])
    }

    fn accept_all(&self, records: Vec<Record>) -> BoxFuture<'_, Result<(), AuditError>> {
        let outcome = if self.failing.load(Ordering::SeqCst) {
            Err(AuditError::Full)
        } else {
            let values = records.into_iter().map(serde_json::to_value).collect::<Result<_, _>>();
            values.map_err(|_| AuditError::Encode).map(|mut values: Vec<Value>| {
                let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
                records.append(&mut values);
            })
        };
        Box::pin(std::future::ready(outcome))
    }
}
