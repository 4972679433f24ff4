//! Listings, a page at a time.

use serde_json::{Value, json};

use super::kind::Kind;
use crate::ops::fault::Fault;
use crate::ops::params::{Text, Validator, rules};
use crate::ops::{Context, Operation};
use crate::seal::marker;
use crate::wire::xml::Xml;

/// How many entries a page has when the caller does not say.
const DEFAULT: usize = 100;
/// A page ends before its entries' documents have more bytes than this, even if the caller asked for
/// more entries. Escaped, a document can take three times as many.
const MOST_BYTES: usize = 1024 * 1024;

/// Which page is asked for.
pub struct Paging {
    marker: Option<String>,
    most: usize,
}

impl Paging {
    /// Reads `Marker` and `MaxItems`.
    pub(super) fn read(v: &mut Validator<'_, '_>) -> Self {
        let most = v.integer("MaxItems", 1..=1000).and_then(|most| usize::try_from(most).ok());
        Self {
            marker: v.optional("Marker", &rules::MARKER).map(ToOwned::to_owned),
            most: most.unwrap_or(DEFAULT),
        }
    }

    /// Reads `Marker` alone, for an operation whose pages have one size.
    pub(super) fn read_marker(v: &mut Validator<'_, '_>) -> Self {
        let marker = v.optional("Marker", &rules::MARKER).map(ToOwned::to_owned);
        Self { marker, most: DEFAULT }
    }

    /// The page of the listing that `O` makes of `of`: an entity's unique ID, or nothing for the
    /// account's. `entries` come with their keys, at most 128 bytes, in ascending order.
    ///
    /// # Errors
    /// `ValidationError` for a marker that is not of this listing.
    pub(super) fn page<O: Operation, T>(
        &self,
        context: &Context<'_>,
        of: &str,
        entries: impl IntoIterator<Item = (String, T)>,
    ) -> Result<Page<T>, Fault> {
        self.page_weighed::<O, T>(context, of, entries, |_| 0)
    }

    /// As [`page`](Self::page), of entries with documents: `weigh` tells their bytes.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    pub(super) fn page_weighed<O: Operation, T>(
        &self,
        context: &Context<'_>,
        of: &str,
        entries: impl IntoIterator<Item = (String, T)>,
        weigh: impl Fn(&T) -> usize,
    ) -> Result<Page<T>, Fault> {
        let services = context.services;
        let account = context.identity()?.account().to_string();
        let place = [account.as_bytes(), O::NAME.as_bytes(), of.as_bytes()];
        let after = match &self.marker {
            Some(marker) => Some(
                marker::open(&services.keyring, &place, marker)
                    .map_err(|error| Fault::validation("Invalid Marker.").with_note(error))?,
            ),
            None => None,
        };
        let mut rest = entries
            .into_iter()
            .skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after))
            .peekable();
        let (mut items, mut last, mut room) = (Vec::new(), None, MOST_BYTES);
        while items.len() < self.most {
            // The first fits whatever it weighs: a listing goes on.
            let fits = |(_, item): &(String, T)| items.is_empty() || weigh(item) <= room;
            let Some((key, item)) = rest.next_if(fits) else { break };
            room = room.saturating_sub(weigh(&item));
            items.push(item);
            last = Some(key);
        }
        let next = match (rest.peek(), last) {
            (Some(_), Some(last)) => Some(
                marker::seal(&services.keyring, &place, &last, &*services.random)
                    .map_err(Fault::internal)?,
            ),
            _ => None,
        };
        Ok(Page { items, next })
    }
}

/// A listing of what one holder has.
pub struct OfHolder {
    /// The holder's name.
    pub holder: String,
    /// Which page.
    pub paging: Paging,
}

impl OfHolder {
    /// Reads the holder's name, `Marker` and `MaxItems`.
    pub fn read<H: Kind>(v: &mut Validator<'_, '_>, rule: &Text) -> Self {
        Self { holder: v.required(H::NAME_PARAM, rule).to_owned(), paging: Paging::read(v) }
    }

    /// What audit records tell of it.
    pub fn describe<H: Kind>(&self) -> Value {
        json!({ H::NAME_KEY: self.holder })
    }
}

/// One page.
pub struct Page<T> {
    /// Its entries.
    pub items: Vec<T>,
    next: Option<String>,
}

impl<T> Page<T> {
    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(each).collect(), next: self.next }
    }

    /// `IsTruncated` and, if there is more, `Marker`.
    pub(super) fn write_end(&self, xml: &mut Xml) {
        xml.value("IsTruncated", self.next.is_some());
        xml.optional("Marker", self.next.as_deref());
    }
}

/// Entries whose order is their own: keyed by their place.
pub(super) fn by_place<T>(
    entries: impl IntoIterator<Item = T>,
) -> impl Iterator<Item = (String, T)> {
    entries.into_iter().zip(0_usize..).map(|(entry, place)| (format!("{place:06}"), entry))
}
