//! Records: kept, found, removed.
//!
//! INVARIANT: a ledger without its deployment's marker counts as not answering. The marker of the
//! record's shard is read in the same step as the record, so that no answer is older than the
//! marker it is believed by.

use super::Inner;
use super::failure::Failure;
use super::meters::Kind;
use super::script::script;
use crate::id::{AccessKeyId, UniqueId};
use crate::sessions::{Inserted, LedgerError, Mark, NewRecord};

script!(
    INSERT,
    r"
local marker = redis.call('GET', KEYS[3])
if marker ~= ARGV[1] then return -1 end
if not redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PXAT', ARGV[4]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
if redis.call('PTTL', KEYS[2]) < ARGV[4] - ARGV[5] then
  redis.call('PEXPIREAT', KEYS[2], ARGV[4])
end
return 1"
);

script!(
    REMOVE,
    r"
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return -1 end
redis.call('ZREM', KEYS[2], ARGV[2])
return redis.call('DEL', KEYS[1])"
);

impl Inner {
    pub(super) async fn insert(&self, new: NewRecord) -> Result<Inserted, LedgerError> {
        let keys = &self.claim.keys;
        let (id, expires) = (new.access_key_id, new.expires_at.millis());
        let now = self.claim.clock.now().millis();
        let asked = self.claim.clock.monotonic();
        let shard = id.shard();
        let names = [keys.record(&id), keys.index(shard, &new.principal), keys.marker(shard)];
        let kept: Result<i64, Failure> = self
            .link
            .ask(Kind::Insert, |live| async move {
                let call = INSERT
                    .call(names)
                    .arg(live.tenure.shard(shard)?.marker.as_slice())
                    .arg(new.record)
                    .arg(id.as_str())
                    .number(expires)
                    .number(now);
                live.wire.run(&call).await
            })
            .await;
        match kept {
            Ok(1) => {
                self.claim.note_answer(asked);
                Ok(Inserted::Kept)
            }
            Ok(0) => {
                self.claim.note_answer(asked);
                Ok(Inserted::Clash)
            }
            Ok(-1) => Err(self.link.report_unmarked().of_write()),
            Ok(_) => Err(Failure::Unexpected.of_write()),
            Err(failure) => Err(failure.of_write()),
        }
    }

    pub(super) async fn find(&self, id: AccessKeyId) -> Result<Option<Vec<u8>>, LedgerError> {
        let keys = &self.claim.keys;
        let asked = self.claim.clock.monotonic();
        let shard = id.shard();
        let names = [keys.record(&id), keys.marker(shard)];
        let answer = self
            .link
            .ask(Kind::Find, |live| async move {
                let mut command = ::redis::cmd("MGET");
                command.arg(&names);
                let (record, marker): (Option<Vec<u8>>, Option<Vec<u8>>) =
                    live.wire.ask(&command).await?;
                let known = live.tenure.shard(shard)?;
                let is_marked = marker.as_ref() == Some(&known.marker);
                Ok((is_marked, known.doubt_until, record))
            })
            .await
            .map_err(|failure| failure.of_read())?;
        let (is_marked, doubt_until, record) = answer;
        if !is_marked {
            return Err(self.link.report_unmarked().of_read());
        }
        self.claim.note_answer(asked);
        if record.is_none() && self.claim.clock.monotonic() < doubt_until {
            self.link.meters.forgotten.inc();
            return Err(LedgerError::Forgotten);
        }
        Ok(record)
    }

    pub(super) async fn remove(
        &self,
        principal: UniqueId,
        place: Mark,
    ) -> Result<bool, LedgerError> {
        let keys = &self.claim.keys;
        let id = place.access_key_id;
        let shard = id.shard();
        let names = [keys.record(&id), keys.index(shard, &principal), keys.marker(shard)];
        let removed: Result<i64, Failure> = self
            .link
            .ask(Kind::Remove, |live| async move {
                let marker = live.tenure.shard(shard)?.marker.as_slice();
                let call = REMOVE.call(names).arg(marker).arg(id.as_str());
                live.wire.run(&call).await
            })
            .await;
        match removed {
            Ok(-1) => Err(self.link.report_unmarked().of_write()),
            Ok(count) => Ok(count > 0),
            Err(failure) => Err(failure.of_write()),
        }
    }
}
