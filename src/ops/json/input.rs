//! An input, held against its description, in the words of AWS Organizations.
//!
//! What the description does not know is refused, not ignored: a name in another case (`tags` for
//! `Tags`), or a member that a newer client means something by, would otherwise get its caller
//! something else than was asked for. A member that is null is not there, as in every AWS JSON
//! service.

use serde_json::{Map, Value};

use super::shape::{Kind, Member, Text};
use crate::ops::fault::{Fault, FaultCode};
use crate::wire::printable;

/// An input whose members are as its description says.
pub struct Input<'a> {
    members: &'a Map<String, Value>,
}

impl<'a> Input<'a> {
    /// Holds an object against its description.
    ///
    /// # Errors
    /// `SerializationException` when a member is unknown or of another type, `InvalidInputException`
    /// with AWS's reason when a value is not allowed.
    pub fn check(object: &'a Map<String, Value>, members: &[Member]) -> Result<Self, Fault> {
        structure(object, members)?;
        Ok(Self { members: object })
    }

    /// A text that may be there.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// Whether a member is there, and not null.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A text that the description requires.
    pub fn required(&self, name: &str) -> &'a str {
        self.text(name).unwrap_or_default()
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.members.get(name).and_then(Value::as_i64)
    }

    /// Yes or no.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.members.get(name).and_then(Value::as_bool)
    }

    /// The members of an object that are texts; none if it is not there.
    pub fn entries(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let object = self.members.get(name).and_then(Value::as_object);
        object
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// The texts of a list; none if it is not there.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.items(name).iter().filter_map(Value::as_str)
    }

    /// The structures of a list; none if it is not there.
    pub fn structures(&self, name: &str) -> impl Iterator<Item = Input<'a>> {
        self.items(name).iter().filter_map(Value::as_object).map(|members| Input { members })
    }

    /// A structure that may be there.
    pub fn structure(&self, name: &str) -> Option<Input<'a>> {
        self.members.get(name).and_then(Value::as_object).map(|members| Input { members })
    }

    fn items(&self, name: &str) -> &'a [Value] {
        self.members.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

fn structure(object: &Map<String, Value>, members: &[Member]) -> Result<(), Fault> {
    for name in object.keys() {
        if !members.iter().any(|member| member.name == name) {
            let message = format!("There is no member {} here.", printable(name, 64));
            return Err(Fault::new(FaultCode::SerializationException, message));
        }
    }
    for member in members {
        match object.get(member.name).filter(|value| !value.is_null()) {
            Some(value) => check(member.name, value, member.kind)?,
            None if member.required => {
                let message = format!("You must provide a value for {}.", member.name);
                return Err(invalid("INPUT_REQUIRED", message));
            }
            None => {}
        }
    }
    Ok(())
}

fn check(name: &str, value: &Value, kind: &Kind) -> Result<(), Fault> {
    let mistyped = |expected: &str| {
        Fault::new(FaultCode::SerializationException, format!("{name} must be {expected}."))
    };
    match kind {
        Kind::Text(text) => {
            check_text(name, value.as_str().ok_or_else(|| mistyped("a text"))?, text)
        }
        Kind::Choice(words) => {
            let word = value.as_str().ok_or_else(|| mistyped("a text"))?;
            if words.contains(&word) {
                return Ok(());
            }
            let of_policies = words.contains(&"TAG_POLICY");
            let reason = if of_policies { "INVALID_ENUM_POLICY_TYPE" } else { "INVALID_ENUM" };
            Err(invalid(reason, format!("{name} must be one of: {}.", words.join(", "))))
        }
        Kind::Integer { min, max } => {
            let number = value.as_i64().ok_or_else(|| mistyped("a whole number"))?;
            if number < *min {
                return Err(invalid(
                    "MIN_VALUE_EXCEEDED",
                    format!("{name} must be at least {min}."),
                ));
            }
            if number > *max {
                return Err(invalid(
                    "MAX_VALUE_EXCEEDED",
                    format!("{name} must be at most {max}."),
                ));
            }
            Ok(())
        }
        Kind::Boolean => match value {
            Value::Bool(_) => Ok(()),
            _ => Err(mistyped("true or false")),
        },
        Kind::Texts { most, key, value: longest } => {
            let members = value.as_object().ok_or_else(|| mistyped("an object"))?;
            if members.len() > *most {
                let message = format!("{name} must have at most {most} members.");
                return Err(invalid("MAX_LENGTH_EXCEEDED", message));
            }
            members.iter().try_for_each(|(member, text)| {
                let text = text.as_str().ok_or_else(|| mistyped("an object of texts"))?;
                let fits = |text: &str, most: usize| text.chars().count() <= most;
                if member.is_empty() || !fits(member, *key) || !fits(text, *longest) {
                    let message = format!(
                        "{name} must have names of 1 to {key} and values of up to {longest} \
                         characters."
                    );
                    return Err(invalid("MAX_LENGTH_EXCEEDED", message));
                }
                Ok(())
            })
        }
        Kind::List(of) => {
            let items = value.as_array().ok_or_else(|| mistyped("a list"))?;
            items.iter().try_for_each(|item| check(name, item, of))
        }
        Kind::Structure(members) => {
            structure(value.as_object().ok_or_else(|| mistyped("an object"))?, members)
        }
    }
}

fn check_text(name: &str, text: &str, rule: &Text) -> Result<(), Fault> {
    let length = text.chars().count();
    if length < rule.min {
        let message = format!("{name} must have at least {} characters.", rule.min);
        return Err(invalid("MIN_LENGTH_EXCEEDED", message));
    }
    if let Some(max) = rule.max
        && length > max
    {
        let message = format!("{name} must have at most {max} characters.");
        return Err(invalid("MAX_LENGTH_EXCEEDED", message));
    }
    if !(rule.accepts)(text) {
        let reason =
            if name == "TargetId" { "INVALID_PATTERN_TARGET_ID" } else { "INVALID_PATTERN" };
        let message =
            format!("You provided a value for {name} that does not match the required pattern.");
        return Err(invalid(reason, message));
    }
    Ok(())
}

/// `InvalidInputException` with AWS's reason.
pub(in crate::ops) fn invalid(reason: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::InvalidInputException, message).with_reason(reason)
}
