//! The lease: one broker at a time has a ledger.
//!
//! The owner is a random ID, drawn when a broker starts, kept under a key that expires unless it is
//! renewed. Each time the lease is taken it gets a higher number, its fence, which the new owner
//! writes into every shard's marker before it mints. What a broker writes carries the markers it
//! knows: one that was asleep while another took over writes nothing any more.
//!
//! The beat counts how often the lease was taken and renewed. When it falls, Redis has gone back to
//! an earlier state, and with it the ledger.

use std::time::Duration;

use super::failure::Failure;
use super::keys::Keys;
use super::script::script;
use super::wire::Wire;
use crate::random::{self, Random, RandomError};
use crate::time::Timestamp;

script!(
    ACQUIRE,
    r"
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return {0, holder, redis.call('PTTL', KEYS[1])}
end
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = string.format('%.0f', math.max(last + 1, clock))
redis.call('SET', KEYS[2], fence)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, fence, redis.call('INCR', KEYS[3])}"
);

script!(
    RENEW,
    r"
local holder = redis.call('GET', KEYS[1])
if not holder then return {0, 0} end
if holder ~= ARGV[1] then return {-1, 0} end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local beat = redis.pcall('INCR', KEYS[2])
if type(beat) ~= 'number' then beat = 0 end
return {1, beat}"
);

script!(
    RELEASE,
    r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0"
);

/// A broker's own name, and when it started.
pub(super) struct Owner(String);

/// The broker that has the lease, as it wrote itself down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// When it started; `None` if it did not write that.
    pub started_at: Option<Timestamp>,
    /// How long its lease lasts if it is not renewed.
    pub left: Duration,
}

/// An answer to taking the lease.
pub(super) enum Acquired {
    Granted { fence: u64, beat: i64 },
    Held(Holder),
}

/// An answer to renewing it.
pub(super) enum Renewed {
    /// The beat is 0 if it could not be counted: a Redis whose memory is full still answers.
    Kept { beat: i64 },
    /// Nobody has it.
    Lapsed,
    /// Another broker has it.
    Taken,
}

impl Owner {
    pub(super) fn draw(random: &dyn Random, now: Timestamp) -> Result<Self, RandomError> {
        let id = data_encoding::HEXLOWER.encode(&random::bytes::<16>(random)?);
        Ok(Self(format!("{id} {}", now.millis())))
    }

    /// Takes the lease, if nobody else has it.
    pub(super) async fn acquire(
        &self,
        wire: &Wire,
        keys: &Keys,
        lasts: Duration,
    ) -> Result<Acquired, Failure> {
        let call = ACQUIRE
            .call([keys.lease(), keys.fence(), keys.beat()])
            .arg(self.0.as_str())
            .number(millis(lasts));
        let (granted, text, number): (i64, String, i64) = wire.run(&call).await?;
        if granted == 1 {
            let fence = text.parse().map_err(|_| Failure::Unexpected)?;
            return Ok(Acquired::Granted { fence, beat: number });
        }
        let started_at =
            text.split_once(' ').and_then(|(_, at)| at.parse().ok()).map(Timestamp::from_millis);
        let left = Duration::from_millis(u64::try_from(number).unwrap_or(0));
        Ok(Acquired::Held(Holder { started_at, left }))
    }

    /// Makes it last longer.
    pub(super) async fn renew(
        &self,
        wire: &Wire,
        keys: &Keys,
        lasts: Duration,
    ) -> Result<Renewed, Failure> {
        let call =
            RENEW.call([keys.lease(), keys.beat()]).arg(self.0.as_str()).number(millis(lasts));
        match wire.run(&call).await? {
            (1, beat) => Ok(Renewed::Kept { beat }),
            (0, _) => Ok(Renewed::Lapsed),
            (-1, _) => Ok(Renewed::Taken),
            (_, _) => Err(Failure::Unexpected),
        }
    }

    /// Gives it back.
    pub(super) async fn release(&self, wire: &Wire, keys: &Keys) -> Result<(), Failure> {
        wire.run(&RELEASE.call([keys.lease()]).arg(self.0.as_str())).await
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
