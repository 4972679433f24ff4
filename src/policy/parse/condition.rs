//! Conditions: operators, keys and operands of the right type.

use super::super::ast::Version;
use super::super::condition::{
    ArnPattern, Comparison, Condition, Decimal, Instant, Operands, Operator, parse_binary,
    parse_bool, parse_network,
};
use super::super::context::Key;
use super::super::variables::{Syntax, Template, is_condition_key};
use super::error::{ParseError, Reason};
use super::json::{Json, Path};
use super::{object, wrong_type};

/// Reads a `Condition` element. `{}` is no condition.
pub(super) fn parse(
    json: &Json,
    path: &Path<'_>,
    version: Version,
) -> Result<Vec<Condition>, ParseError> {
    let mut conditions = Vec::new();
    for (name, keys) in object(json, path)? {
        let path = path.key(name);
        let operator = Operator::parse(name).ok_or_else(|| path.refuse(Reason::Operator))?;
        let keys = object(keys, &path)?;
        if keys.is_empty() {
            return Err(path.refuse(Reason::Empty));
        }
        for (key, json) in keys {
            let path = path.key(key);
            if !is_condition_key(key) {
                return Err(path.refuse(Reason::ConditionKey));
            }
            let operands = operands(operator.comparison, json, &path, version)?;
            conditions.push(Condition { operator, key: Key::new(key), operands });
        }
    }
    Ok(conditions)
}

fn operands(
    comparison: Comparison,
    json: &Json,
    path: &Path<'_>,
    version: Version,
) -> Result<Operands, ParseError> {
    let variables = version == Version::V2012;
    let text = |wildcards: bool, ignore_case: bool| {
        each(json, path, |text, path| {
            Template::parse(text, Syntax { wildcards, variables, ignore_case })
                .map_err(|problem| path.refuse(Reason::Variable(problem)))
        })
        .map(|list| Operands::Text { ignore_case, list })
    };
    match comparison {
        Comparison::StringEquals => text(false, false),
        Comparison::StringEqualsIgnoreCase => text(false, true),
        Comparison::StringLike => text(true, false),
        Comparison::Arn => each(json, path, |text, path| {
            let syntax = Syntax { wildcards: true, variables, ignore_case: false };
            let template = Template::parse(text, syntax)
                .map_err(|problem| path.refuse(Reason::Variable(problem)))?;
            ArnPattern::new(template)
                .ok_or_else(|| path.refuse(Reason::Operand { expected: "an ARN" }))
        })
        .map(Operands::Arn),
        Comparison::Numeric(relation) => typed(json, path, "a decimal number", Decimal::parse)
            .map(|list| Operands::Number(relation, list)),
        Comparison::Date(relation) => typed(
            json,
            path,
            "an ISO 8601 date with its zone, or seconds since 1970",
            Instant::parse,
        )
        .map(|list| Operands::Date(relation, list)),
        Comparison::IpAddress => {
            typed(json, path, "an IP address or a network in CIDR notation", parse_network)
                .map(Operands::Ip)
        }
        Comparison::Binary => {
            typed(json, path, "standard base64", parse_binary).map(Operands::Binary)
        }
        Comparison::Bool => truth_value(json, path).map(Operands::Bool),
        Comparison::Null => truth_value(json, path).map(Operands::Null),
    }
}

fn typed<T>(
    json: &Json,
    path: &Path<'_>,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, ParseError> {
    each(json, path, |text, path| {
        read(text).ok_or_else(|| path.refuse(Reason::Operand { expected }))
    })
}

fn truth_value(json: &Json, path: &Path<'_>) -> Result<bool, ParseError> {
    match typed(json, path, "true or false", parse_bool)?.as_slice() {
        [value] => Ok(*value),
        _ => Err(path.refuse(Reason::OneOperand)),
    }
}

/// Reads one value or a non-empty array of values: strings, numbers as written, booleans.
fn each<T>(
    json: &Json,
    path: &Path<'_>,
    mut read: impl FnMut(&str, &Path<'_>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    let mut scalar = |json: &Json, path: &Path<'_>| match json {
        Json::Text(text) | Json::Number(text) => read(text, path),
        Json::Bool(value) => read(if *value { "true" } else { "false" }, path),
        other => Err(wrong_type(path, "a string, a number or a boolean", other)),
    };
    match json {
        Json::List(list) if list.is_empty() => Err(path.refuse(Reason::Empty)),
        Json::List(list) => (list.iter().enumerate())
            .map(|(index, json)| scalar(json, &path.index(index)))
            .collect(),
        json => Ok(vec![scalar(json, path)?]),
    }
}
