//! The request's condition keys and their values.

use super::fold::fold;
use super::hash::hash;
use crate::time::Timestamp;

/// The value of a condition key.
///
/// Source: IAM User Guide, "Single-valued vs. multivalued context keys". Which of the two a key
/// has is a property of the key, not of the request: `aws:TagKeys` is multivalued even when it
/// holds one value. Plain operators and variables take single values only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A single-valued key's value.
    One(String),
    /// A multivalued key's values. None at all is the same as an absent key.
    Many(Vec<String>),
}

/// Condition keys and their values. Keys are case-insensitive, tag keys in them too.
///
/// A key is hashed when it is set; a policy's key, when the policy is compiled. A decision looks
/// keys up by these hashes, without hashing or allocating.
#[derive(Clone, Debug, Default)]
pub struct Context {
    entries: Vec<Entry>,
    /// An open table over the entries, at most half full: 0, or the place of an entry and 1. Its
    /// length is a power of two.
    table: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    hash: u64,
    key: String,
    value: Value,
}

/// A condition key in a policy: as it is written, and as it is looked up.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    text: String,
    folded: String,
    hash: u64,
}

impl Key {
    pub(crate) fn new(text: &str) -> Self {
        let folded = fold(text).into_owned();
        Self { text: text.to_owned(), hash: hash(folded.as_bytes()), folded }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Case-folded.
    pub(crate) fn folded(&self) -> &str {
        &self.folded
    }
}

impl Context {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keys that every request has by its time.
    ///
    /// Source: IAM User Guide, "AWS global condition context keys".
    pub fn at(now: Timestamp) -> Self {
        let mut keys = Self::new();
        keys.set_time(now);
        keys
    }

    /// Sets the keys that every request has by its time.
    pub fn set_time(&mut self, now: Timestamp) {
        let one = |text: &str| Value::One(text.to_owned());
        self.insert("aws:CurrentTime", Value::One(now.to_rfc3339()));
        self.insert("aws:EpochTime", Value::One(now.secs().to_string()));
        self.insert("aws:PrincipalIsAWSService", one("false"));
        self.insert("aws:ViaAWSService", one("false"));
    }

    /// Sets a key and returns what it had before, under any case.
    pub fn insert(&mut self, key: &str, value: Value) -> Option<Value> {
        let key = fold(key);
        let hash = hash(key.as_bytes());
        let place = self.find(hash, &key);
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
            return Some(std::mem::replace(&mut entry.value, value));
        }
        self.entries.push(Entry { hash, key: key.into_owned(), value });
        if self.entries.len() * 2 > self.table.len() {
            let length = (self.entries.len() * 4).next_power_of_two().max(32);
            self.table.clear();
            self.table.resize(length, 0);
            for (place, entry) in self.entries.iter().enumerate() {
                enter(&mut self.table, entry.hash, place);
            }
        } else {
            enter(&mut self.table, hash, self.entries.len() - 1);
        }
        None
    }

    /// This context with a single-valued key set.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.insert(key, Value::One(value.into()));
        self
    }

    /// This context with a multivalued key set.
    #[must_use]
    pub fn with_many<T: Into<String>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.insert(key, Value::Many(values.into_iter().map(Into::into).collect()));
        self
    }

    /// The value of a key, in any case.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.value(&Key::new(key))
    }

    /// Every key, lower-cased, with its value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        entries.into_iter().map(|entry| (entry.key.as_str(), &entry.value))
    }

    /// The value of a policy's key; `None` too when it holds no values.
    #[inline]
    pub(crate) fn value(&self, key: &Key) -> Option<&Value> {
        self.find(key.hash, &key.folded)
            .and_then(|place| self.entries.get(place))
            .map(|entry| &entry.value)
            .filter(|value| !matches!(value, Value::Many(none) if none.is_empty()))
    }

    /// The place of a folded key's entry.
    #[inline]
    fn find(&self, hash: u64, key: &str) -> Option<usize> {
        for step in slots(hash, self.table.len()) {
            let place = (*self.table.get(step)? as usize).checked_sub(1)?;
            let entry = self.entries.get(place)?;
            if entry.hash == hash && entry.key == key {
                return Some(place);
            }
        }
        None
    }
}

/// Where an entry of this hash may stand, in order.
#[inline]
fn slots(hash: u64, length: usize) -> impl Iterator<Item = usize> {
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are as good as any")]
    let start = hash as usize;
    (0..length).map(move |step| start.wrapping_add(step) & (length - 1))
}

fn enter(table: &mut [u32], hash: u64, place: usize) {
    for slot in slots(hash, table.len()) {
        if let Some(slot) = table.get_mut(slot).filter(|slot| **slot == 0) {
            // Nobody has four thousand million keys.
            *slot = u32::try_from(place + 1).unwrap_or(0);
            return;
        }
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Context {}

#[cfg(test)]
mod tests {
    use super::{Context, Value, hash};
    use crate::time::Timestamp;

    fn one(text: &str) -> Value {
        Value::One(text.to_owned())
    }

    #[test]
    fn every_request_has_its_time_and_no_service_in_between() {
        let context = Context::at(Timestamp::from_secs(1_585_699_200));
        let found: Vec<_> = context.iter().collect();
        assert_eq!(
            found,
            [
                ("aws:currenttime", &one("2020-04-01T00:00:00Z")),
                ("aws:epochtime", &one("1585699200")),
                ("aws:principalisawsservice", &one("false")),
                ("aws:viaawsservice", &one("false")),
            ]
        );
    }

    #[test]
    fn a_key_is_set_once_under_any_case() {
        let mut context = Context::new();
        assert_eq!(context.insert("K:ey", one("a")), None);
        assert_eq!(context.insert("k:EY", one("b")), Some(one("a")));
        assert_eq!(context.iter().collect::<Vec<_>>(), [("k:ey", &one("b"))]);
    }

    #[test]
    fn contexts_are_equal_in_any_order_of_their_keys() {
        let context = Context::new().with("k:a", "1").with("k:b", "2");
        assert!(context == Context::new().with("K:B", "2").with("k:a", "1"));
        for other in [
            Context::new(),
            Context::new().with("k:a", "1"),
            Context::new().with("k:a", "1").with("k:b", "1"),
            Context::new().with("k:a", "1").with("k:c", "2"),
            Context::new().with("k:a", "1").with("k:b", "2").with("k:c", "3"),
            Context::new().with("k:a", "1").with_many("k:b", ["2"]),
        ] {
            assert!(context != other, "{other:?}");
        }
    }

    /// Texts of one hash are told apart, and a text is not found by the hash of another.
    #[test]
    fn a_key_is_found_by_its_hash_and_its_text() {
        let context = Context::new().with("k:ey", "1");
        let of = |text: &str| hash(text.as_bytes());
        assert_eq!(context.find(of("k:ey"), "k:ey"), Some(0));
        assert_eq!(context.find(of("k:ey"), "other"), None);
        // Were the slot the same, the text alone would find it.
        assert_eq!(context.find(of("k:ey") ^ (1 << 63), "k:ey"), None);
    }

    #[test]
    fn the_table_is_at_most_half_full_and_holds_every_key() {
        let mut context = Context::new();
        for (count, length) in [(1, 32), (16, 32), (17, 128), (64, 128), (65, 512), (700, 2048)] {
            for number in context.entries.len()..count {
                context.insert(&format!("k:{number}"), one(&number.to_string()));
            }
            assert_eq!((context.entries.len(), context.table.len()), (count, length));
        }
        for number in 0..700 {
            assert_eq!(context.get(&format!("K:{number}")), Some(&one(&number.to_string())));
        }
        assert_eq!(context.get("k:700"), None);
    }
}
