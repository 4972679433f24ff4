//! The known keys, read off the sections' structs.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::SECRETS;
use super::problem::{Origin, Problem};

/// Every key by its path (`sessions.confirm_every`), the tables they stand in, and the arrays of
/// tables.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The variable of each key.
    keys: BTreeMap<String, String>,
    /// What stands in each table of an array (`[[service]]`), by its name. Files only.
    arrays: BTreeMap<&'static str, Shape>,
}

/// What may stand in a table of an array.
#[derive(Debug)]
pub(super) struct Shape {
    /// Its fields.
    pub(super) fields: &'static [&'static str],
    /// The arrays of tables in it.
    pub(super) arrays: BTreeMap<&'static str, Shape>,
}

impl Shape {
    /// The shape of this struct.
    pub(super) fn of<'de, T: Deserialize<'de>>() -> Self {
        Self { fields: fields_of::<T>(), arrays: BTreeMap::new() }
    }

    /// With an array of tables in it.
    pub(super) fn with(mut self, name: &'static str, shape: Self) -> Self {
        self.arrays.insert(name, shape);
        self
    }

    /// The name most like this one.
    pub(super) fn suggest(&self, name: &str) -> Option<String> {
        nearest(name, self.fields.iter().copied().chain(self.arrays.keys().copied()))
    }

    fn paths(&self, prefix: &str) -> Vec<String> {
        let own = self.fields.iter().map(|field| format!("{prefix}[].{field}"));
        let inner = |(name, shape): (&&str, &Self)| shape.paths(&format!("{prefix}[].{name}"));
        own.chain(self.arrays.iter().flat_map(inner)).collect()
    }
}

impl Keys {
    pub(super) fn add(&mut self, table: &str, fields: &[&str]) {
        for field in fields {
            let path =
                if table.is_empty() { (*field).to_owned() } else { format!("{table}.{field}") };
            let variable = format!("{PREFIX}{}", path.replace('.', "_").to_uppercase());
            self.keys.insert(path, variable);
        }
    }

    pub(super) fn add_array(&mut self, name: &'static str, shape: Shape) {
        self.arrays.insert(name, shape);
    }

    pub(super) fn array(&self, path: &str) -> Option<&Shape> {
        self.arrays.get(path)
    }

    /// The keys of all arrays of tables: `service[].name`.
    pub(super) fn array_paths(&self) -> Vec<String> {
        self.arrays.iter().flat_map(|(name, shape)| shape.paths(name)).collect()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.keys.contains_key(path)
    }

    pub(super) fn is_table(&self, path: &str) -> bool {
        self.paths().any(|key| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    pub(super) fn by_variable(&self, variable: &str) -> Option<&str> {
        self.keys.iter().find(|(_, name)| *name == variable).map(|(path, _)| path.as_str())
    }

    /// The problem of a secret that stands somewhere else than in its variable.
    pub(super) fn misplaced_secret(&self, path: &str, origin: &Origin) -> Option<Problem> {
        let variable = self.keys.get(path).filter(|_| SECRETS.contains(&path))?;
        Some(Problem::Value {
            origin: origin.clone(),
            key: path.to_owned(),
            message: format!("is a secret: set it as {variable}, or as a file by `{path}_file`"),
        })
    }

    /// The key most like `path`.
    pub(super) fn suggest(&self, path: &str) -> Option<String> {
        // A key in the wrong table is told by its own name.
        let tables = self.paths().filter_map(|key| key.rsplit_once('.')).map(|(table, _)| table);
        let last = |key: &str| key.rsplit('.').next().map(ToOwned::to_owned);
        let arrays = self.arrays.keys().copied();
        nearest(path, self.paths().chain(tables).chain(arrays))
            .or_else(|| self.paths().find(|key| last(key) == last(path)).map(ToOwned::to_owned))
    }

    /// The variable most like `variable`.
    pub(super) fn suggest_variable(&self, variable: &str) -> Option<String> {
        nearest(variable, self.keys.values().map(String::as_str))
    }
}

/// What the variables of all settings begin with.
pub(super) const PREFIX: &str = "COUNTERSIGN_";

fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase().replace('-', "_");
    let tolerance = name.strip_prefix("countersign_").unwrap_or(&name).len().div_ceil(3).min(4);
    candidates
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// Levenshtein's distance, in bytes; long names are cut.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let a = a.get(..128).unwrap_or(a);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let substituted = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = substituted.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The names of the fields of a struct, as its `Deserialize` asks for them.
pub(super) fn fields_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // It always fails: nothing is deserialized but the question.
    let _ = T::deserialize(Probe(&mut fields));
    fields
}

struct Probe<'a>(&'a mut &'static [&'static str]);

#[derive(Debug, thiserror::Error)]
#[error("only the names of fields are asked for")]
struct Asked;

impl de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Asked;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        *self.0 = fields;
        Err(Asked)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("log", "log", 0)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
