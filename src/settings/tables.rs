//! Arrays of tables: `[[service]]`, with `[[service.route]]` in it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::keys::Shape;
use super::problem::{Origin, Problem};
use super::source::{Field, read_fields};
use crate::downstream::{Invalid, Registry, RouteSettings, Service, ServiceSettings};
use crate::keysets::{IssuerSettings, Issuers};

/// The array of the downstream services.
pub(super) const SERVICE: &str = "service";
/// The array of a service's routes.
const ROUTE: &str = "route";

/// The array of the issuers of tokens.
pub(super) const ISSUER: &str = "oidc.issuer";

/// One table of an array, as the file has it.
pub(super) struct Table {
    path: String,
    origin: Origin,
    pub(super) fields: Vec<Field>,
    pub(super) arrays: BTreeMap<&'static str, Vec<Table>>,
}

impl Table {
    pub(super) fn new(path: &str, origin: Origin) -> Self {
        Self { path: path.to_owned(), origin, fields: Vec::new(), arrays: BTreeMap::new() }
    }

    fn read<T: DeserializeOwned + Default>(&self, problems: &mut Vec<Problem>) -> T {
        read_fields(self.fields.clone(), problems)
    }

    fn inner(&self, name: &str) -> &[Table] {
        self.arrays.get(name).map_or(&[], Vec::as_slice)
    }

    /// Where a field stands; where the table begins if it is not there.
    fn origin_of(&self, field: &str) -> Origin {
        let found = self.fields.iter().find(|(name, ..)| *name == field);
        found.map_or(&self.origin, |(.., origin)| origin).clone()
    }

    fn problem(&self, field: &str, message: String) -> Problem {
        let key = format!("{}.{field}", self.path);
        Problem::Value { origin: self.origin_of(field), key, message }
    }
}

/// What may stand in `[[service]]`.
pub(super) fn service_shape() -> Shape {
    Shape::of::<ServiceSettings>().with(ROUTE, Shape::of::<RouteSettings>())
}

/// What may stand in `[[oidc.issuer]]`.
pub(super) fn issuer_shape() -> Shape {
    Shape::of::<IssuerSettings>()
}

/// Reads the issuers of tokens; every problem is told.
pub(super) fn issuers(tables: &[Table], problems: &mut Vec<Problem>) -> Issuers {
    let before = problems.len();
    let settings: Vec<IssuerSettings> = tables.iter().map(|table| table.read(problems)).collect();
    if problems.len() > before {
        return Issuers::default();
    }
    Issuers::new(settings).unwrap_or_else(|invalid| {
        let tell = invalid.into_iter().filter_map(|what| {
            Some(tables.get(what.table)?.problem(what.field, what.message.to_owned()))
        });
        problems.extend(tell);
        Issuers::default()
    })
}

/// Reads the downstream services; every problem is told.
pub(super) fn services(tables: &[Table], problems: &mut Vec<Problem>) -> Registry {
    let before = problems.len();
    let mut services = Vec::with_capacity(tables.len());
    for table in tables {
        // A value that could not be read is told once, not again as one that is missing.
        let unread = problems.len();
        let settings: ServiceSettings = table.read(problems);
        let routes: Vec<RouteSettings> =
            table.inner(ROUTE).iter().map(|route| route.read(problems)).collect();
        if problems.len() > unread {
            continue;
        }
        match Service::new(&settings, &routes) {
            Ok(service) => services.push(service),
            Err(invalid) => problems.extend(invalid.into_iter().map(|what| tell(table, what))),
        }
    }
    if problems.len() > before {
        return Registry::default();
    }
    match Registry::new(services) {
        Ok(registry) => registry,
        Err(error) => {
            if let (Some(table), Some(other)) = (tables.get(error.service), tables.get(error.other))
            {
                let message = format!("{error}: see {}", other.origin_of("name"));
                problems.push(table.problem("name", message));
            }
            Registry::default()
        }
    }
}

fn tell(table: &Table, what: Invalid) -> Problem {
    let routes = table.inner(ROUTE);
    let at = what.route.and_then(|route| routes.get(route)).unwrap_or(table);
    let message = match what.other.and_then(|other| routes.get(other)) {
        Some(other) => format!("{}: see {}", what.message, other.origin_of(what.field)),
        None => what.message,
    };
    at.problem(what.field, message)
}
