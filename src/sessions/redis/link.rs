//! The way to Redis while there is one, and a plain no while there is none.
//!
//! A question is asked by a task of its own: the asker may go away, the question and its place
//! among those under way stay until it is answered or its time is up. As soon as one goes
//! unanswered nobody is sent over that connection any more; the [keeper](super::keeper) tries it
//! once, and makes another if need be. Nobody waits for that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::failure::Failure;
use super::meters::{Kind, Meters};
use super::tenure::Tenure;
use super::wire::Wire;

/// A connection over which the ledger is held.
pub(super) struct Live {
    pub(super) wire: Wire,
    pub(super) tenure: Tenure,
    /// When it was last known to work.
    proved: Mutex<Instant>,
    broken: AtomicBool,
}

impl Live {
    pub(super) fn new(wire: Wire, tenure: Tenure) -> Self {
        let proved = Mutex::new(Instant::now());
        Self { wire, tenure, proved, broken: AtomicBool::new(false) }
    }

    /// Whether it cannot be used again.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst) || self.wire.has_ended()
    }
}

/// Where questions go.
pub(super) struct Link {
    live: ArcSwapOption<Live>,
    in_flight: Arc<Semaphore>,
    lost: AtomicBool,
    /// Wakes the keeper.
    pub(super) alarm: Notify,
    pub(super) meters: Meters,
}

impl Link {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self {
            live: ArcSwapOption::empty(),
            in_flight: Arc::new(Semaphore::new(max_in_flight)),
            lost: AtomicBool::new(false),
            alarm: Notify::new(),
            meters: Meters::default(),
        }
    }

    /// Lets questions go over this connection, which works.
    pub(super) fn publish(&self, live: &Arc<Live>) {
        *live.proved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.live.store(Some(Arc::clone(live)));
        self.meters.up.set(1);
    }

    /// Lets no question go anywhere.
    pub(super) fn take_down(&self) {
        self.live.store(None);
        self.meters.up.set(0);
    }

    /// Lets no question go anywhere, ever again: another broker has the ledger.
    pub(super) fn give_up(&self) {
        self.lost.store(true, Ordering::SeqCst);
        self.take_down();
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// What questions go over now.
    pub(super) fn live(&self) -> Result<Arc<Live>, Failure> {
        self.live.load_full().ok_or(if self.is_lost() { Failure::LeaseLost } else { Failure::Down })
    }

    /// Asks: `question` gets the connection. At most as many as allowed are under way at once, and
    /// one more is refused at once.
    pub(super) async fn ask<T, Q, A>(
        self: &Arc<Self>,
        kind: Kind,
        question: Q,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        Q: FnOnce(Arc<Live>) -> A,
        A: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let result = self.send(kind, question).await;
        if let Err(failure) = &result {
            self.meters.fail(failure.label());
        }
        result
    }

    async fn send<T, Q, A>(self: &Arc<Self>, kind: Kind, question: Q) -> Result<T, Failure>
    where
        T: Send + 'static,
        Q: FnOnce(Arc<Live>) -> A,
        A: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let live = self.live()?;
        let place =
            Arc::clone(&self.in_flight).try_acquire_owned().map_err(|_| Failure::Crowded)?;
        let answer = question(Arc::clone(&live));
        let link = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _place = place;
            link.meters.in_flight.inc();
            let asked = Instant::now();
            let answer = answer.await;
            link.meters.observe(kind, asked.elapsed());
            link.meters.in_flight.dec();
            match &answer {
                Err(Failure::Timeout) => link.suspect(&live, asked),
                Err(failure) if failure.condemns_connection() => link.condemn(&live),
                _ => {}
            }
            answer
        });
        task.await.unwrap_or(Err(Failure::Broken))
    }

    /// A question that was asked at `asked` went unanswered: has the keeper try the connection.
    fn suspect(&self, live: &Arc<Live>, asked: Instant) {
        // It may have been tried since; then this is no news.
        if asked > *live.proved.lock().unwrap_or_else(PoisonError::into_inner) {
            self.suspend(live);
        }
    }

    /// Has the keeper make another connection.
    fn condemn(&self, live: &Arc<Live>) {
        live.broken.store(true, Ordering::SeqCst);
        self.suspend(live);
    }

    /// Sends nobody over this connection.
    fn suspend(&self, live: &Arc<Live>) {
        // Only if it is still this one: a new one must not suffer for the old one's answers.
        let before = self.live.compare_and_swap(live, None);
        if Guard::into_inner(before).is_some_and(|before| Arc::ptr_eq(&before, live)) {
            self.meters.up.set(0);
            self.alarm.notify_one();
        }
    }

    /// An answer showed that the markers are not as they should be.
    pub(super) fn report_unmarked(&self) -> Failure {
        self.meters.marker_missing.inc();
        self.alarm.notify_one();
        Failure::Unmarked
    }
}
