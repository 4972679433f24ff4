//! The sources, and their merging into one value a key.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Keys, PREFIX, Shape};
use super::problem::{Origin, Problem};
use super::tables::Table;
use super::value::{self, Value};

/// Variables that are no settings: the file's own, and what `init` reads.
const CONFIG: &str = "COUNTERSIGN_CONFIG";
const BOOTSTRAP: &str = "COUNTERSIGN_BOOTSTRAP_";

/// How much of a file is read, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// The value of each key that some source sets. A source added later does not replace what an
/// earlier one said, except that flags replace all.
#[derive(Default)]
pub(super) struct Values {
    values: BTreeMap<String, (Value, Origin)>,
    /// The tables of each array, in the order of the file.
    arrays: BTreeMap<String, Vec<Table>>,
}

impl Values {
    /// The value of a key that a flag or variable set, or a file as text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some((Value::Typed(text) | Value::Text(text), _)) => Some(text),
            _ => None,
        }
    }

    /// Adds the variables; returns the file that `COUNTERSIGN_CONFIG` names.
    pub(super) fn environment(
        &mut self,
        known: &Keys,
        variables: &[(OsString, OsString)],
        problems: &mut Vec<Problem>,
    ) -> Option<PathBuf> {
        let mut config = None;
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
                continue;
            };
            let origin = Origin::Variable(name.to_owned());
            if name == CONFIG {
                config = Some(PathBuf::from(value));
            } else if let Some(key) = known.by_variable(name) {
                match value.to_str() {
                    Some(text) => self.add(key, Value::Typed(text.to_owned()), origin),
                    None => problems.push(Problem::Value {
                        origin,
                        key: key.to_owned(),
                        message: "is not UTF-8".into(),
                    }),
                }
            } else if !name.starts_with(BOOTSTRAP) && !is_service_link(name) {
                problems.push(Problem::Unknown {
                    origin,
                    what: "variable",
                    name: name.to_owned(),
                    suggestion: known.suggest_variable(name),
                });
            }
        }
        config
    }

    /// Adds the flags, over what is there.
    pub(super) fn flags(
        &mut self,
        known: &Keys,
        flags: &BTreeMap<&'static str, String>,
        problems: &mut Vec<Problem>,
    ) {
        for (key, text) in flags {
            let origin = Origin::Flag((*key).to_owned());
            if let Some(problem) = known.misplaced_secret(key, &origin) {
                problems.push(problem);
            } else if known.has(key) {
                self.values.insert((*key).to_owned(), (Value::Typed(text.clone()), origin));
            } else {
                problems.push(Problem::Unknown {
                    origin,
                    what: "key",
                    name: (*key).to_owned(),
                    suggestion: known.suggest(key),
                });
            }
        }
    }

    /// Adds what the file says and nothing said yet.
    pub(super) fn file(&mut self, known: &Keys, path: &Path, problems: &mut Vec<Problem>) {
        let text = match read(path) {
            Ok(text) => text,
            Err(error) => {
                let file = path.to_owned();
                problems.push(Problem::Unreadable { file, reason: error.kind() });
                return;
            }
        };
        let file = File { path, text: &text };
        match DeTable::parse(&text) {
            Ok(table) => self.table(known, &file, "", table.get_ref(), problems),
            Err(error) => problems.push(Problem::Syntax {
                origin: file.origin(error.span().map_or(0, |span| span.start)),
                message: error.message().to_owned(),
            }),
        }
    }

    fn table(
        &mut self,
        known: &Keys,
        file: &File<'_>,
        prefix: &str,
        table: &DeTable<'_>,
        problems: &mut Vec<Problem>,
    ) {
        for (name, value) in table {
            let origin = file.origin(name.span().start);
            let path = format!("{prefix}{}", name.get_ref());
            let wrong = |message: &str| Problem::Value {
                origin: origin.clone(),
                key: path.clone(),
                message: message.to_owned(),
            };
            if let Some(problem) = known.misplaced_secret(&path, &origin) {
                problems.push(problem);
                continue;
            }
            if let Some(shape) = known.array(&path) {
                let tables = file.tables(shape, &path, value, problems);
                self.arrays.insert(path, tables);
                continue;
            }
            match value.get_ref() {
                DeValue::Table(inner) if known.is_table(&path) => {
                    self.table(known, file, &format!("{path}."), inner, problems);
                }
                DeValue::Table(_) if known.has(&path) => {
                    problems.push(wrong("takes a value, not a table"));
                }
                _ if known.has(&path) => match convert(value) {
                    Some(value) => self.add(&path, value, origin),
                    None => problems.push(wrong("has a value of a kind that no setting takes")),
                },
                _ if known.is_table(&path) => problems.push(wrong("is a table")),
                _ => problems.push(Problem::Unknown {
                    origin,
                    what: "key",
                    suggestion: known.suggest(&path),
                    name: path,
                }),
            }
        }
    }

    fn add(&mut self, key: &str, value: Value, origin: Origin) {
        self.values.entry(key.to_owned()).or_insert((value, origin));
    }

    /// Takes the values of one section out and reads them; every problem is told.
    pub(super) fn section<T: DeserializeOwned + Default>(
        &mut self,
        table: &str,
        problems: &mut Vec<Problem>,
    ) -> T {
        let fields = super::keys::fields_of::<T>();
        let mut values = Vec::new();
        for field in fields {
            let path =
                if table.is_empty() { (*field).to_owned() } else { format!("{table}.{field}") };
            if let Some((value, origin)) = self.values.remove(&path) {
                values.push((*field, path, value, origin));
            }
        }
        read_fields(values, problems)
    }

    /// Takes out the tables of an array.
    pub(super) fn array(&mut self, name: &str) -> Vec<Table> {
        self.arrays.remove(name).unwrap_or_default()
    }
}

/// A field's name, the path of its key, its value and where that stands.
pub(super) type Field = (&'static str, String, Value, Origin);

/// Reads a struct from its fields. A value that cannot be read is a problem, and the struct is read
/// again without it, so that all are told.
pub(super) fn read_fields<T: DeserializeOwned + Default>(
    mut values: Vec<Field>,
    problems: &mut Vec<Problem>,
) -> T {
    loop {
        let entries = values.iter().map(|(field, _, value, _)| (*field, value.clone()));
        let failed = match value::read::<T>(entries.collect()) {
            Ok(section) => return section,
            Err(failed) => failed,
        };
        let Some(at) = values.iter().position(|(field, ..)| Some(*field) == failed.field) else {
            return T::default();
        };
        let (_, key, _, origin) = values.remove(at);
        problems.push(Problem::Value { origin, key, message: failed.message });
    }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let line = self.text.get(..offset).unwrap_or_default().split('\n').count();
        Origin::File(self.path.to_owned(), line)
    }

    /// The tables of an array, with what stands in them.
    fn tables(
        &self,
        shape: &Shape,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Table> {
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut tables = Vec::new();
        for item in items {
            let origin = self.origin(item.span().start);
            match (item.get_ref(), value.get_ref()) {
                (DeValue::Table(table), DeValue::Array(_)) => {
                    tables.push(self.one_of(shape, path, table, origin, problems));
                }
                _ => problems.push(Problem::Value {
                    origin,
                    key: path.to_owned(),
                    message: format!("is a list of tables: write [[{path}]] for each"),
                }),
            }
        }
        tables
    }

    /// One table of an array.
    fn one_of(
        &self,
        shape: &Shape,
        path: &str,
        table: &DeTable<'_>,
        origin: Origin,
        problems: &mut Vec<Problem>,
    ) -> Table {
        let mut read = Table::new(path, origin);
        for (name, value) in table {
            let origin = self.origin(name.span().start);
            let key = format!("{path}.{}", name.get_ref());
            let field = shape.fields.iter().find(|field| **field == name.get_ref().as_ref());
            let array = shape.arrays.get_key_value(name.get_ref().as_ref());
            match (field, array) {
                (_, Some((name, shape))) => {
                    let tables = self.tables(shape, &key, value, problems);
                    read.arrays.insert(name, tables);
                }
                (Some(field), None) => match convert(value) {
                    Some(value) => read.fields.push((field, key, value, origin)),
                    None => problems.push(Problem::Value {
                        origin,
                        key,
                        message: "has a value of a kind that no setting takes".to_owned(),
                    }),
                },
                (None, None) => problems.push(Problem::Unknown {
                    origin,
                    what: "key",
                    suggestion: shape.suggest(name.get_ref()).map(|like| format!("{path}.{like}")),
                    name: key,
                }),
            }
        }
        read
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn convert(value: &Spanned<DeValue<'_>>) -> Option<Value> {
    match value.get_ref() {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Boolean(yes) => Some(Value::Bool(*yes)),
        DeValue::Integer(digits) => {
            i64::from_str_radix(digits.as_str(), digits.radix()).ok().map(Value::Integer)
        }
        DeValue::Float(digits) => digits.as_str().parse().ok().map(Value::Float),
        DeValue::Array(items) => items.iter().map(convert).collect::<Option<_>>().map(Value::List),
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// Whether Kubernetes sets this variable in every pod beside a Service named `countersign`.
///
/// Source: Kubernetes documentation, "Service", environment variables: `{NAME}_SERVICE_HOST`,
/// `{NAME}_SERVICE_PORT` with the names of ports, and Docker's `{NAME}_PORT` with port, protocol
/// and part.
fn is_service_link(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let numbered = |rest: &str| {
        let mut parts = rest.split('_');
        let port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
        let protocol = matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"));
        let part = matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"));
        port && protocol && part && parts.next().is_none()
    };
    rest == "SERVICE_HOST"
        || rest == "SERVICE_PORT"
        || rest.starts_with("SERVICE_PORT_")
        || rest == "PORT"
        || rest.strip_prefix("PORT_").is_some_and(numbered)
}

#[cfg(test)]
mod tests {
    use super::is_service_link;

    #[test]
    fn only_what_kubernetes_sets_is_a_service_link() {
        for link in [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_API",
            "PORT",
            "PORT_8350_TCP",
            "PORT_8350_TCP_ADDR",
        ] {
            assert!(is_service_link(&format!("COUNTERSIGN_{link}")), "{link}");
        }
        for other in ["PORTS", "PORT_X_TCP", "PORT_8350", "PORT_8350_TCP_X", "SERVICE", "LISTEN"] {
            assert!(!is_service_link(&format!("COUNTERSIGN_{other}")), "{other}");
        }
    }
}
