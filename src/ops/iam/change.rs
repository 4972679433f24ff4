//! Changing the directory from an operation.

use std::sync::PoisonError;

use crate::directory::Transaction;
use crate::ops::fault::Fault;
use crate::ops::{Context, write_fault};

impl Context<'_> {
    /// Decides and makes one change: `decide` authorizes, checks and changes against one state.
    ///
    /// # Errors
    /// What `decide` refuses with, and what the store failed with: `ServiceUnavailable` if nothing
    /// was written, `InternalFailure` if that is not known.
    pub(in crate::ops) async fn change<R>(
        &self,
        decide: impl FnOnce(&mut Transaction) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        if let Some(batch) = self.batch {
            // A decision that was refused may have left changes: the batch is given up with it.
            return decide(&mut batch.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let (result, _) = self.services.directory.write(decide).await.map_err(write_fault)?;
        Ok(result)
    }
}
