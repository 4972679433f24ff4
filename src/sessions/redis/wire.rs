//! One connection, shared by all who ask.
//!
//! Questions of concurrent requests follow one another without waiting for answers (pipelining),
//! and the library hands out the answers in order. A question whose asker is gone keeps its place:
//! its answer is thrown away, never given to another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::redis::aio::MultiplexedConnection;
use ::redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, ServerErrorKind};
use tokio::task::AbortHandle;

use super::failure::Failure;
use super::script::Call;

/// A connection that a password has opened. It closes when its last clone is dropped.
#[derive(Clone)]
pub(super) struct Wire {
    connection: MultiplexedConnection,
    driver: Arc<Driver>,
}

/// The task that reads and writes.
struct Driver {
    task: AbortHandle,
    ended: Arc<AtomicBool>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    /// Wraps a connection. `tell` is called when it has ended.
    pub(super) fn new(
        connection: MultiplexedConnection,
        driver: impl Future<Output = ()> + Send + 'static,
        tell: impl FnOnce() + Send + 'static,
    ) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let task = tokio::spawn(async move {
            driver.await;
            end.store(true, Ordering::SeqCst);
            tell();
        });
        let driver = Driver { task: task.abort_handle(), ended };
        Self { connection, driver: Arc::new(driver) }
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.driver.ended.load(Ordering::SeqCst)
    }

    /// Asks one question.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }

    /// Asks several questions in one go.
    pub(super) async fn ask_all<T: FromRedisValue>(
        &self,
        pipeline: &Pipeline,
    ) -> Result<T, Failure> {
        Ok(pipeline.query_async(&mut self.connection.clone()).await?)
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(&self, call: &Call) -> Result<T, Failure> {
        let mut connection = self.connection.clone();
        let first: Result<T, RedisError> = call.by_hash().query_async(&mut connection).await;
        match first {
            // Nothing was done then.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                Ok(call.by_text().query_async(&mut connection).await?)
            }
            answer => Ok(answer?),
        }
    }
}
