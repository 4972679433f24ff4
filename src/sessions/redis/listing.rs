//! Listing a principal's sessions: by its index in every shard.
//!
//! Nothing is scanned. A page takes three steps, each one pipeline: how many there are in each
//! shard; the IDs, from as many shards as fill the page; their records. The order is by shard, then
//! by expiry and ID.

use std::sync::Arc;

use ::redis::Pipeline;

use super::Inner;
use super::failure::Failure;
use super::keys::Keys;
use super::link::Live;
use super::meters::Kind;
use crate::id::{AccessKeyId, UniqueId};
use crate::sessions::{LedgerError, Listing, Mark, Page};
use crate::time::Timestamp;

impl Inner {
    pub(super) async fn count(
        &self,
        principal: UniqueId,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let keys = Arc::clone(&self.claim.keys);
        let counted = self
            .link
            .ask(Kind::List, |live| async move {
                count(&live, &keys, &principal, 0, |_| above(now)).await
            })
            .await;
        let counts = counted.map_err(|failure| self.of_listing(&failure))?;
        Ok(counts.iter().map(|(_, count)| *count).sum())
    }

    pub(super) async fn list(&self, listing: Listing) -> Result<Page, LedgerError> {
        let keys = Arc::clone(&self.claim.keys);
        let listed = self
            .link
            .ask(Kind::List, |live| async move { page(&live, &keys, &listing).await })
            .await;
        listed.map_err(|failure| self.of_listing(&failure))
    }

    fn of_listing(&self, failure: &Failure) -> LedgerError {
        if *failure == Failure::Unmarked {
            self.link.report_unmarked();
        }
        failure.of_read()
    }
}

/// Scores above a time.
fn above(now: Timestamp) -> String {
    format!("({}", now.millis())
}

/// The shards from `first` on in which a principal has sessions, and how many. `least` tells a
/// shard's least score.
async fn count(
    live: &Live,
    keys: &Keys,
    principal: &UniqueId,
    first: u8,
    least: impl Fn(u8) -> String,
) -> Result<Vec<(u8, u64)>, Failure> {
    let mut questions = Pipeline::new();
    for shard in first..=u8::MAX {
        questions.cmd("GET").arg(keys.marker(shard));
        let index = keys.index(shard, principal);
        questions.cmd("ZCOUNT").arg(index).arg(least(shard)).arg("+inf");
    }
    let answers: Vec<(Option<Vec<u8>>, u64)> = live.wire.ask_all(&questions).await?;
    if answers.len() != usize::from(u8::MAX - first) + 1 {
        return Err(Failure::Unexpected);
    }
    let mut counts = Vec::new();
    for (shard, (marker, count)) in (first..=u8::MAX).zip(answers) {
        if marker.as_ref() != Some(&live.tenure.shard(shard)?.marker) {
            return Err(Failure::Unmarked);
        }
        if count > 0 {
            counts.push((shard, count));
        }
    }
    Ok(counts)
}

/// Where a page begins.
struct Begin {
    shard: u8,
    /// Expiry in milliseconds and ID of the last one before.
    after: Option<(i64, AccessKeyId)>,
}

impl Begin {
    /// The least score that is looked at in a shard. That of the last page's end is looked at again:
    /// several sessions may expire in the same millisecond.
    fn least(&self, shard: u8, now: Timestamp) -> String {
        match self.after {
            Some((end, _)) if shard == self.shard && end > now.millis() => end.to_string(),
            _ => above(now),
        }
    }

    /// How many expire in the millisecond of the last page's end.
    async fn again(&self, live: &Live, keys: &Keys, listing: &Listing) -> Result<u64, Failure> {
        let Some((end, _)) = self.after else { return Ok(0) };
        let mut question = ::redis::cmd("ZCOUNT");
        question.arg(keys.index(self.shard, &listing.principal)).arg(end).arg(end);
        live.wire.ask(&question).await
    }
}

async fn page(live: &Live, keys: &Keys, listing: &Listing) -> Result<Page, Failure> {
    let limit = listing.bound();
    let mut begin = match listing.after {
        None => Begin { shard: 0, after: None },
        Some(mark) => Begin {
            shard: mark.access_key_id.shard(),
            after: Some((mark.expires_at.millis(), mark.access_key_id)),
        },
    };
    loop {
        let least = |shard| begin.least(shard, listing.now);
        let counts = count(live, keys, &listing.principal, begin.shard, least).await?;
        let (mut found, rest) = entries(live, keys, listing, &begin, &counts).await?;
        let more = found.len() > limit || rest.is_some();
        found.truncate(limit);
        match (found.last(), rest) {
            (None, None) => return Ok(Page::default()),
            // All that were counted are gone by now, and there may be others behind.
            (None, Some(shard)) => {
                let after = begin.after.filter(|_| shard == begin.shard);
                begin = Begin { shard, after };
            }
            (Some((end, id)), _) => {
                let mark = Mark { expires_at: Timestamp::from_millis(*end), access_key_id: *id };
                let records = records(live, keys, &found).await?;
                return Ok(Page { records, next: more.then_some(mark) });
            }
        }
    }
}

/// The entries that come next, one more than fit on a page if there are; and the first shard that
/// was not read to its end, if there is one.
async fn entries(
    live: &Live,
    keys: &Keys,
    listing: &Listing,
    begin: &Begin,
    counts: &[(u8, u64)],
) -> Result<(Vec<(i64, AccessKeyId)>, Option<u8>), Failure> {
    let wanted = u64::try_from(listing.bound()).unwrap_or(u64::MAX).saturating_add(1);
    let mut questions = Pipeline::new();
    let (mut planned, mut rest) = (0_u64, None);
    for (shard, count) in counts {
        if planned >= wanted {
            rest = Some(*shard);
            break;
        }
        // Those looked at again may all be passed over: they are not counted on.
        let again = if *shard == begin.shard { begin.again(live, keys, listing).await? } else { 0 };
        let take = (*count).min((wanted - planned).saturating_add(again));
        let least = begin.least(*shard, listing.now);
        questions.cmd("ZRANGE").arg(keys.index(*shard, &listing.principal)).arg(least);
        questions.arg("+inf").arg("BYSCORE").arg("LIMIT").arg(0).arg(take).arg("WITHSCORES");
        planned = planned.saturating_add(take.saturating_sub(again));
        if take < *count {
            rest = Some(*shard);
            break;
        }
    }
    if questions.is_empty() {
        return Ok((Vec::new(), rest));
    }
    let answers: Vec<Vec<(String, String)>> = live.wire.ask_all(&questions).await?;
    let mut found = Vec::new();
    for (id, score) in answers.into_iter().flatten() {
        let (Ok(id), Ok(end)) = (AccessKeyId::parse(&id), score.parse::<i64>()) else { continue };
        let passed = id.shard() == begin.shard && begin.after.is_some_and(|at| (end, id) <= at);
        if !passed {
            found.push((end, id));
        }
    }
    Ok((found, rest))
}

async fn records(
    live: &Live,
    keys: &Keys,
    found: &[(i64, AccessKeyId)],
) -> Result<Vec<(AccessKeyId, Vec<u8>)>, Failure> {
    let mut questions = Pipeline::with_capacity(found.len());
    for (_, id) in found {
        questions.cmd("GET").arg(keys.record(id));
    }
    let records: Vec<Option<Vec<u8>>> = live.wire.ask_all(&questions).await?;
    let of = found.iter().map(|(_, id)| *id);
    Ok(of.zip(records).filter_map(|(id, record)| Some((id, record?))).collect())
}
