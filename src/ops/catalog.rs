//! A row an operation of the Query services.

use super::dispatch::{self, Answer};
use super::sts as s;
use super::{Context, Effect, Operation, Service};
use crate::wire::query::Params;

/// One operation.
pub struct Row {
    /// The action's name, such as `AssumeRole`.
    pub name: &'static str,
    /// The service it belongs to.
    pub service: Service,
    /// What it does to the world, and so how it is recorded.
    pub effect: Effect,
    /// Runs it.
    pub run: for<'a> fn(&'a Context<'a>, &'a Params) -> Answer<'a>,
}

const fn row<O: Operation>() -> Row {
    Row { name: O::NAME, service: O::SERVICE, effect: O::EFFECT, run: dispatch::run::<O> }
}

/// Every operation of the Query services.
pub static ROWS: &[Row] = &[
    row::<s::assume_role::AssumeRole>(),
    row::<s::get_access_key_info::GetAccessKeyInfo>(),
    row::<s::get_caller_identity::GetCallerIdentity>(),
];

/// The operation of an action's name and its API's version.
pub fn find(action: &str, version: Option<&str>) -> Option<&'static Row> {
    ROWS.iter().find(|row| {
        row.name == action && version.is_none_or(|version| version == row.service.version())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_within_a_service() {
        for (at, row) in ROWS.iter().enumerate() {
            let again = ROWS[at + 1..]
                .iter()
                .any(|other| other.name == row.name && other.service == row.service);
            assert!(!again, "{}", row.name);
        }
    }
}
