//! A structure within the parameters: the root, or an element of a list.

use std::collections::BTreeSet;

use super::{Entry, MAX_INDEX, Params, QueryError, short};

/// The parameters below one path. The root's path is empty; an element's is `Tags.member.1`.
#[derive(Clone)]
pub struct View<'a> {
    params: &'a Params,
    path: String,
}

impl<'a> View<'a> {
    pub(super) fn root(params: &'a Params) -> Self {
        Self { params, path: String::new() }
    }

    /// The value of a member of this structure, by its exact name.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.exact(&self.child(name))
    }

    /// The value of this element itself: of `TransitiveTagKeys.member.1=team`.
    pub fn value(&self) -> Option<&'a str> {
        self.exact(&self.path)
    }

    /// A member that is there by another case of its name only: as it came.
    ///
    /// A caller who writes `policy` for `Policy` must not get a session without the policy.
    pub fn variant(&self, name: &str) -> Option<String> {
        let child = self.child(name);
        let entry = self.params.entries.get(&child.to_ascii_lowercase())?;
        (entry.name != child).then(|| short(&entry.name))
    }

    /// The elements of a list: see [`Params::list`].
    pub fn list(&self, name: &str) -> Result<Option<Vec<Self>>, QueryError> {
        let path = self.child(name);
        let case = |entry: &Entry, expected: &str| QueryError::Case {
            given: short(&entry.name),
            expected: short(expected),
        };
        let not_a_list = |entry: &Entry| QueryError::NotAList(short(&entry.name), short(&path));

        if let Some(entry) = self.params.entries.get(&path.to_ascii_lowercase()) {
            if entry.name != path {
                return Err(case(entry, &path));
            }
            // A value and elements never stand together: `Params` saw to it.
            return if entry.value.is_empty() {
                Ok(Some(Vec::new()))
            } else {
                Err(not_a_list(entry))
            };
        }

        let below = format!("{path}.");
        let first = below.to_ascii_lowercase();
        let entries = self.params.entries.range(first.clone()..);
        let mut indices = BTreeSet::new();
        for (_, entry) in entries.take_while(|(key, _)| key.starts_with(&first)) {
            let rest = entry.name.strip_prefix(&below).ok_or_else(|| case(entry, &path))?;
            let rest = rest.strip_prefix("member.").ok_or_else(|| not_a_list(entry))?;
            let digits = rest.split('.').next().unwrap_or_default();
            indices.insert(index(digits).ok_or_else(|| QueryError::Index(short(&path)))?);
        }
        match indices.last() {
            None => Ok(None),
            Some(last) if *last == indices.len() => Ok(Some(
                indices
                    .iter()
                    .map(|n| Self { params: self.params, path: format!("{path}.member.{n}") })
                    .collect(),
            )),
            Some(_) => Err(QueryError::Index(short(&path))),
        }
    }

    fn exact(&self, path: &str) -> Option<&'a str> {
        let entry = self.params.entries.get(&path.to_ascii_lowercase())?;
        (entry.name == path).then_some(entry.value.as_str())
    }

    fn child(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// An index as clients write it: no sign, no leading zero.
fn index(digits: &str) -> Option<usize> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let index: usize = plain.then(|| digits.parse().ok()).flatten()?;
    (1..=MAX_INDEX).contains(&index).then_some(index)
}
