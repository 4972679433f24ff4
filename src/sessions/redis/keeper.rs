//! Keeping the ledger: the one task that renews the lease, notices losses and connects again.
//!
//! Only this task connects, so that a Redis that comes back meets one connection a broker, not a
//! crowd. It waits longer after each failure, by a random share, so that several brokers do not
//! come at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Inner;
use super::connector::ConnectError;
use super::link::Live;
use super::tenure::{ClaimError, Staked};
use super::wire::Wire;
use crate::random::{self, Random};

/// The wait after the first failure.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often a Redis that stays away is told of in the log.
const REMIND_EVERY: Duration = Duration::from_mins(1);
/// The least time between two looks at markers that were reported missing.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// No connection over which the ledger is held.
#[derive(Debug, thiserror::Error)]
pub(super) enum EstablishError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

/// Keeps the ledger until another broker has it.
pub(super) async fn keep(inner: Arc<Inner>, mut live: Arc<Live>) {
    loop {
        let end = attend(&inner, live).await;
        inner.link.take_down();
        match end {
            End::Broken(why) => tracing::error!(
                redis = %inner.connector.endpoint(), reason = %why,
                "the session ledger does not answer: nothing is minted, and sessions are taken on \
                 their tokens for as long as sessions.max_staleness allows"
            ),
            End::Lost => return give_up(&inner),
        }
        match reconnect(&inner).await {
            Some(again) => live = again,
            None => return give_up(&inner),
        }
        tracing::info!(redis = %inner.connector.endpoint(), "the session ledger answers again");
    }
}

fn give_up(inner: &Inner) {
    inner.link.give_up();
    tracing::error!(
        "another broker took the lease of the session ledger: this one mints nothing any more, and \
         takes sessions for no longer than sessions.max_staleness. Stop one of the two, and restart \
         the other"
    );
}

/// Why a connection is not attended to any longer.
enum End {
    Broken(String),
    Lost,
}

/// Renews the lease over a connection, tries it when an answer did not come, and looks at the
/// markers when they are reported missing.
async fn attend(inner: &Inner, mut live: Arc<Live>) -> End {
    let renew_every = inner.claim.lasts / 3;
    let mut due = Instant::now() + renew_every;
    loop {
        let alarmed = tokio::select! {
            () = tokio::time::sleep_until(due) => false,
            () = inner.link.alarm.notified() => true,
        };
        if live.is_broken() {
            return End::Broken("the connection broke".to_owned());
        }
        let suspended = inner.link.live().is_err();
        let kept = if alarmed && !suspended {
            sleep(LOOK_EVERY).await;
            Ok(false)
        } else {
            inner.claim.renew(&live.wire).await
        };
        let kept = match kept {
            Ok(true) => {
                if suspended {
                    tracing::warn!("the session ledger answers slowly");
                    inner.link.publish(&live);
                }
                Ok(())
            }
            Ok(false) => inner.claim.stake(&live.wire).await.map(|staked| {
                live = publish(inner, live.wire.clone(), staked);
            }),
            Err(error) => Err(error),
        };
        match kept {
            Ok(()) => due = Instant::now() + renew_every,
            Err(ClaimError::Lost) => return End::Lost,
            Err(error) => return End::Broken(error.to_string()),
        }
    }
}

/// Lets questions go over a connection, and says what was lost.
pub(super) fn publish(inner: &Inner, wire: Wire, staked: Staked) -> Arc<Live> {
    let Staked { tenure, lost, begun } = staked;
    if begun {
        tracing::info!("the session ledger in Redis was empty, and begins now");
    } else if lost > 0 {
        inner.link.meters.shards_lost.inc_by(u64::try_from(lost).unwrap_or(u64::MAX));
        tracing::error!(
            shards = lost,
            "the session ledger in Redis lost records (emptied, restarted without its data, or set \
             back): sessions it does not know are taken on their tokens, until sessions.max_staleness \
             has passed since it was last whole"
        );
    }
    let live = Arc::new(Live::new(wire, tenure));
    inner.link.publish(&live);
    live
}

/// Connects and takes the ledger back, however long it takes. `None`: another broker has it.
async fn reconnect(inner: &Arc<Inner>) -> Option<Arc<Live>> {
    let mut longest = FIRST_WAIT;
    let mut told = Instant::now();
    loop {
        sleep(share_of(longest, &*inner.random)).await;
        longest = (longest * 2).min(LONGEST_WAIT);
        match establish(inner).await {
            Ok((wire, staked)) => return Some(publish(inner, wire, staked)),
            Err(EstablishError::Claim(ClaimError::Lost)) => return None,
            Err(error) if told.elapsed() >= REMIND_EVERY => {
                told = Instant::now();
                tracing::error!(%error, "the session ledger still does not answer");
            }
            Err(error) => tracing::debug!(%error, "the session ledger still does not answer"),
        }
    }
}

/// Connects once and takes the ledger.
pub(super) async fn establish(inner: &Arc<Inner>) -> Result<(Wire, Staked), EstablishError> {
    let wire = connect(inner).await?;
    let staked = inner.claim.stake(&wire).await?;
    Ok((wire, staked))
}

/// Connects once. When the connection ends, the keeper is told.
pub(super) async fn connect(inner: &Arc<Inner>) -> Result<Wire, ConnectError> {
    let told = Arc::downgrade(inner);
    let wire = inner
        .connector
        .connect(move || {
            if let Some(inner) = told.upgrade() {
                inner.link.alarm.notify_one();
            }
        })
        .await?;
    inner.link.meters.connections.inc();
    Ok(wire)
}

/// Between half and all of a time.
fn share_of(longest: Duration, random: &dyn Random) -> Duration {
    let [byte] = random::bytes::<1>(random).unwrap_or([u8::MAX]);
    longest / 2 + longest * u32::from(byte) / 510
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn waits_are_between_half_and_all() {
        let random = SystemRandom::new();
        let waits: Vec<_> =
            (0..200).map(|_| share_of(Duration::from_secs(1), &random).as_millis()).collect();
        assert!(waits.iter().all(|wait| (500..=1000).contains(wait)), "{waits:?}");
        assert!(waits.iter().min() < waits.iter().max());
    }
}
