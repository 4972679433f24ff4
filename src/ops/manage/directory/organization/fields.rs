//! Parameters of Organizations' operations, which may name what an earlier step of the plan makes.

use serde_json::{Map, Value, json};

use super::names::{PolicyKey, UnitPath};
use crate::directory::Organized;
use crate::ops::fault::Fault;

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::ops::manage::directory) enum Field {
    /// As it is.
    Text(String),
    /// A list.
    Texts(Vec<String>),
    /// Tags.
    Tags(Vec<(String, String)>),
    /// The ID of a unit, or of the root.
    Unit(UnitPath),
    /// The ID of a policy.
    Policy(PolicyKey),
}

/// Parameters with their names.
pub(in crate::ops::manage::directory) type Fields = Vec<(&'static str, Field)>;

/// The input of an operation, with the IDs that things have by now.
///
/// # Errors
/// `ValidationError` for what is not there.
pub(in crate::ops::manage::directory) fn input(
    organized: &Organized,
    fields: &Fields,
) -> Result<Map<String, Value>, Fault> {
    let value = |field: &Field| match field {
        Field::Text(text) => Ok(json!(text)),
        Field::Texts(texts) => Ok(json!(texts)),
        Field::Tags(tags) => {
            Ok(tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect())
        }
        Field::Unit(path) if path.is_root() => organized
            .organization()
            .map(|it| json!(it.root.to_string()))
            .ok_or_else(|| Fault::validation("There is no organization.")),
        Field::Unit(path) => path
            .find(organized)
            .map(|unit| json!(unit.id.to_string()))
            .ok_or_else(|| Fault::validation(format!("There is no unit {path}."))),
        Field::Policy(PolicyKey::FullAccess(control)) => Ok(json!(control.full_access().as_str())),
        Field::Policy(key) => key
            .find(organized)
            .map(|policy| json!(policy.id.to_string()))
            .ok_or_else(|| Fault::validation(format!("There is no policy {key}."))),
    };
    fields.iter().map(|(name, field)| Ok(((*name).to_owned(), value(field)?))).collect()
}

/// The parameters as names and texts, for a digest: nothing else has the same ones.
pub(in crate::ops::manage::directory) fn texts(
    fields: &Fields,
) -> impl Iterator<Item = (String, String)> {
    fields.iter().flat_map(|(name, field)| {
        let one = |kind: &str, text: String| vec![(format!("{name}:{kind}"), text)];
        match field {
            Field::Text(text) => one("text", text.clone()),
            Field::Unit(path) => one("unit", path.to_string()),
            Field::Policy(key) => one("policy", key.to_string()),
            Field::Texts(texts) => {
                texts.iter().map(|text| (format!("{name}:each"), text.clone())).collect()
            }
            Field::Tags(tags) => {
                let named = |(key, value): &(String, String)| {
                    [(format!("{name}:key"), key.clone()), (format!("{name}:value"), value.clone())]
                };
                tags.iter().flat_map(named).collect()
            }
        }
    })
}
