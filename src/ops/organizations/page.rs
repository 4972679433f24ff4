//! Lists, a page at a time.

use serde_json::{Value, json};

use crate::ops::Context;
use crate::ops::fault::Fault;
use crate::ops::json::invalid;
use crate::ops::json::{Input, JsonOperation};
use crate::seal::marker;

/// The most entries of a page, and as many as one has when the caller does not say.
const MOST: usize = 20;

/// Which page is asked for.
pub struct Paging {
    token: Option<String>,
    most: usize,
}

impl Paging {
    /// Reads `NextToken` and `MaxResults`.
    pub fn read(input: &Input<'_>) -> Self {
        let most = input.integer("MaxResults").and_then(|most| usize::try_from(most).ok());
        Self {
            token: input.text("NextToken").map(ToOwned::to_owned),
            most: most.unwrap_or(MOST).clamp(1, MOST),
        }
    }

    /// The page of the list that `O` makes of `of`, as the member `name` with `NextToken` beside it.
    /// Entries come with their keys, at most 128 bytes, in any order.
    ///
    /// # Errors
    /// `InvalidInputException` for a token that is not of this list.
    pub fn page<O: JsonOperation>(
        &self,
        context: &Context<'_>,
        name: &str,
        of: &str,
        entries: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Value, Fault> {
        let services = context.services;
        let account = context.identity()?.account().to_string();
        let place = [account.as_bytes(), O::NAME.as_bytes(), of.as_bytes()];
        let after = match &self.token {
            Some(token) => {
                Some(marker::open(&services.keyring, &place, token).map_err(|error| {
                    invalid("INVALID_NEXT_TOKEN", "You provided an invalid NextToken.")
                        .with_note(error)
                })?)
            }
            None => None,
        };
        let mut rest: Vec<(String, Value)> = entries
            .into_iter()
            .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after))
            .collect();
        rest.sort_by(|(a, _), (b, _)| a.cmp(b));
        let more = rest.len() > self.most;
        rest.truncate(self.most);
        let token = match rest.last() {
            Some((last, _)) if more => Some(
                marker::seal(&services.keyring, &place, last, &*services.random)
                    .map_err(Fault::internal)?,
            ),
            _ => None,
        };
        let items: Vec<Value> = rest.into_iter().map(|(_, item)| item).collect();
        let mut page = json!({ name: items });
        if let (Some(token), Some(page)) = (token, page.as_object_mut()) {
            page.insert("NextToken".to_owned(), token.into());
        }
        Ok(page)
    }
}
