//! One writer thread behind a bounded queue: jobs that wait together are committed together.
//!
//! Durable writes cost a flush of the disk; sharing one flush among all that wait is what makes
//! them affordable, and a thread of its own keeps the flush off the runtime's threads.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// The most jobs that share one commit.
const MAX_BATCH: usize = 1024;

/// A handle to a writer thread. Dropping it waits until the thread has finished what was queued.
pub struct Writer<J: Send + 'static> {
    queue: Option<SyncSender<J>>,
    thread: Option<JoinHandle<()>>,
}

/// A job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// As many jobs wait as are allowed to.
    #[error("the write queue is full")]
    Full,
    /// The thread has ended.
    #[error("the writer has stopped")]
    Stopped,
}

impl<J: Send + 'static> Writer<J> {
    /// Starts a thread that hands `commit` every job, several at a time when several wait.
    ///
    /// `commit` answers each job itself, through whatever channel the job carries.
    pub fn start(
        name: &str,
        capacity: usize,
        mut commit: impl FnMut(Vec<J>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, jobs): (SyncSender<J>, Receiver<J>) = sync_channel(capacity);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Ok(first) = jobs.recv() {
                let mut batch = vec![first];
                batch.extend(jobs.try_iter().take(MAX_BATCH - 1));
                commit(batch);
            }
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues a job. Never waits.
    pub fn submit(&self, job: J) -> Result<(), SubmitError> {
        let queue = self.queue.as_ref().ok_or(SubmitError::Stopped)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => SubmitError::Full,
            TrySendError::Disconnected(_) => SubmitError::Stopped,
        })
    }
}

impl<J: Send + 'static> Drop for Writer<J> {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed where it happened.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn jobs_come_in_order_and_none_is_lost_at_the_end() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let writer =
            Writer::start("test", 1000, move |batch| sink.lock().unwrap().extend(batch)).unwrap();
        for job in 0..1000 {
            writer.submit(job).unwrap();
        }
        drop(writer);
        assert_eq!(*seen.lock().unwrap(), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_queue_says_so() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let writer = Writer::start("test", 1, move |_batch: Vec<u8>| {
            let _ = held.recv();
        })
        .unwrap();
        let full = (0..10).any(|job| writer.submit(job) == Err(SubmitError::Full));
        assert!(full);
        drop(hold);
    }
}
