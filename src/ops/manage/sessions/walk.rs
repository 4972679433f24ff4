//! The way through the ledger, an answer at a time.

use std::iter::Peekable;
use std::sync::Arc;
use std::vec::IntoIter;

use super::ACTION;
use super::scope::{Filter, Scope};
use crate::api::ListSessions;
use crate::directory::Snapshot;
use crate::id::{AccessKeyId, UniqueId};
use crate::ops::Context;
use crate::ops::authorize::Ask;
use crate::ops::fault::Fault;
use crate::ops::manage::Asker;
use crate::seal::{Claims, marker, record, token};
use crate::sessions::{Listing, Mark};
use crate::time::Timestamp;

/// How many roles and users one answer asks the ledger about.
const PRINCIPALS: usize = 32;
/// How many records one answer opens.
const RECORDS: usize = 2000;

/// A way through the ledger that may be left and taken up again.
pub(super) struct Walk<'a> {
    context: &'a Context<'a>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) filter: Filter<'a>,
    principals: Peekable<IntoIter<UniqueId>>,
    after: Option<Mark>,
    /// What the token is bound to.
    place: [String; 4],
    /// Questions to the ledger, and records opened.
    asked: usize,
    opened: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn begin(
        asker: &'a Asker<'_>,
        request: &'a ListSessions,
        name: &str,
    ) -> Result<Self, Fault> {
        let context = asker.context();
        let snapshot = context.services.directory.snapshot();
        let scope = Scope::parse(asker, request)?;
        let resource = scope.resource();
        if let Asker::Signed(context) = asker {
            // Across accounts this denies: a session has no policy of its own to agree.
            let owner = scope.account.ok_or_else(|| Fault::internal("no account was named"))?;
            let ask = Ask { action: ACTION, resource: &resource, owner };
            context.authorize(&snapshot, &ask, |_| ())?;
        }
        let mut principals = scope.principals(&snapshot)?;
        let of = scope.filter.source_identity.unwrap_or_default();
        let account = scope.account.map_or_else(String::new, |account| account.to_string());
        let place = [account, name.to_owned(), resource, of.to_owned()];
        let mut after = None;
        if let Some(token) = &request.next_token {
            let parts = place.each_ref().map(String::as_bytes);
            let at = marker::open(&context.services.keyring, &parts, token)
                .ok()
                .and_then(|text| Position::parse(&text))
                .ok_or_else(|| Fault::validation("next_token: it is not of this listing."))?;
            principals.retain(|id| *id >= at.principal);
            after = at.after.filter(|_| principals.first() == Some(&at.principal));
        }
        Ok(Self {
            context,
            snapshot,
            filter: scope.filter,
            principals: principals.into_iter().peekable(),
            after,
            place,
            asked: 0,
            opened: 0,
        })
    }

    /// Whether there is more, and this answer may look at it.
    pub(super) fn goes_on(&mut self) -> bool {
        self.principals.peek().is_some() && self.asked < PRINCIPALS && self.opened < RECORDS
    }

    /// The next sessions that fit the filter, at most `limit`; `None` is one that does not open.
    pub(super) async fn step(
        &mut self,
        limit: usize,
    ) -> Result<Vec<Option<(AccessKeyId, Claims)>>, Fault> {
        let Some(principal) = self.principals.peek().copied() else { return Ok(Vec::new()) };
        let services = self.context.services;
        let limit = limit.min(RECORDS - self.opened);
        let listing = Listing { principal, after: self.after, limit, now: self.now() };
        let page = services.ledger.list(listing).await.map_err(Fault::unavailable)?;
        self.asked += 1;
        self.opened += page.records.len();
        self.after = page.next;
        if page.next.is_none() {
            self.principals.next();
        }
        let open = |(id, bytes): (AccessKeyId, Vec<u8>)| match self.open(id, &bytes) {
            Some(claims) => self.filter.takes(&claims).then_some(Some((id, claims))),
            None => Some(None),
        };
        Ok(page.records.into_iter().filter_map(open).collect())
    }

    /// How many the next principal has.
    pub(super) async fn count(&mut self) -> Result<u64, Fault> {
        let Some(principal) = self.principals.next() else { return Ok(0) };
        self.asked += 1;
        let counted = self.context.services.ledger.count(principal, self.now()).await;
        counted.map_err(Fault::unavailable)
    }

    /// The token by which the next answer goes on.
    pub(super) fn end(&mut self) -> Result<Option<String>, Fault> {
        let Some(principal) = self.principals.peek().copied() else { return Ok(None) };
        let services = self.context.services;
        let at = Position { principal, after: self.after };
        let parts = self.place.each_ref().map(String::as_bytes);
        marker::seal(&services.keyring, &parts, &at.to_text(), &*services.random)
            .map(Some)
            .map_err(Fault::internal)
    }

    fn now(&self) -> Timestamp {
        self.context.facts.now
    }

    fn open(&self, id: AccessKeyId, bytes: &[u8]) -> Option<Claims> {
        let keyring = &self.context.services.keyring;
        let (_, body) = record::open(keyring, id.as_str().as_bytes(), bytes).ok()?;
        token::open(keyring, &id, std::str::from_utf8(body).ok()?).ok()
    }
}

/// Where a listing goes on.
struct Position {
    principal: UniqueId,
    after: Option<Mark>,
}

impl Position {
    fn to_text(&self) -> String {
        match self.after {
            None => self.principal.to_string(),
            Some(Mark { expires_at, access_key_id }) => {
                format!("{} {} {access_key_id}", self.principal, expires_at.millis())
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let principal = UniqueId::parse_stored(words.next()?).ok()?;
        let after = match words.next() {
            None => None,
            Some(millis) => Some(Mark {
                expires_at: Timestamp::from_millis(millis.parse().ok()?),
                access_key_id: AccessKeyId::parse(words.next()?).ok()?,
            }),
        };
        Some(Self { principal, after })
    }
}
