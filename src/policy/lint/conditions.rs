//! Conditions that never hold, that always hold, or that can be evaded.

use super::super::condition::{Comparison, Quantifier, parse_network};
use super::code::Code;
use super::document::{Condition, Document, Findings, Statement};
use super::keys::{self, Fit, PERIMETER};

use std::collections::HashSet;

pub(super) fn check(document: &Document<'_>, found: &mut Findings<'_>) {
    for statement in &document.statements {
        if let Some(node) = statement
            .node
            .get("Condition")
            .filter(|node| node.json.kind() == "an object" && node.members().is_empty())
        {
            found.key(Code::EmptyCondition, &node, "an empty Condition says nothing: leave it out");
        }
        for condition in &statement.conditions {
            key(condition, found);
            qualifier(statement, condition, found);
            guard(statement, condition, found);
            contradiction(statement, condition, found);
            values(condition, found);
        }
    }
}

/// The key, and whether the operator suits it.
fn key(condition: &Condition<'_>, found: &mut Findings<'_>) {
    let Condition { operator, name, key, node, .. } = condition;
    match keys::is_invented(key) {
        Some(true) => {
            let message = format!("there is no global condition key {key}: it is never present");
            found.key(Code::UnknownGlobalKey, node, message);
        }
        Some(false) => {
            let message = format!("there is no condition key {key}: it is never present");
            found.key(Code::UnknownServiceKey, node, message);
        }
        None => {}
    }
    let Some(known) = keys::find(key) else { return };
    let of = known.values.name();
    match known.values.fit(*operator) {
        Fit::Good => {}
        Fit::AsText => {
            let message = format!("{key} holds {of}: an operator for {of} says what is meant");
            found.key(Code::StringForTyped, node, message);
        }
        Fit::Never => {
            let message = format!("{key} holds {of}, which {name} does not compare");
            found.key(Code::OperatorType, node, message);
        }
    }
}

fn qualifier(statement: &Statement<'_>, condition: &Condition<'_>, found: &mut Findings<'_>) {
    let Condition { operator, name, key, node, .. } = condition;
    let many = keys::find(key).map(|known| known.many);
    match (operator.quantifier, many) {
        (None, Some(true)) if operator.comparison != Comparison::Null => {
            let message = format!(
                "{key} has many values, and {name} takes one: write ForAnyValue:{name} or \
                 ForAllValues:{name}"
            );
            found.key(Code::MissingQualifier, node, message);
        }
        (Some(Quantifier::AllValues), Some(false)) if statement.allows() => {
            let message =
                format!("{key} has one value: ForAllValues only lets requests without it pass");
            found.key(Code::ForAllSingle, node, message);
        }
        (Some(_), Some(false)) => {
            let message = format!("{key} has one value: leave the qualifier out");
            found.key(Code::AnySingle, node, message);
        }
        (Some(Quantifier::AllValues), _) if statement.allows() => {
            let checked = statement.conditions.iter().any(|other| {
                other.operator.comparison == Comparison::Null
                    && other.folded() == condition.folded()
                    && other.values().iter().any(|(value, _)| value.eq_ignore_ascii_case("false"))
            });
            if !checked {
                let message = format!(
                    "without {key} in the request ForAllValues holds: add \"Null\": \
                     {{\"{key}\": \"false\"}}"
                );
                found.key(Code::ForAllWithoutNull, node, message);
            }
        }
        _ => {}
    }
}

/// Guards that do not guard.
fn guard(statement: &Statement<'_>, condition: &Condition<'_>, found: &mut Findings<'_>) {
    let Condition { operator, name, key, node, .. } = condition;
    let folded = condition.folded();
    let says = |word: &str| condition.values().iter().any(|(v, _)| v.eq_ignore_ascii_case(word));
    if matches!(folded.as_ref(), "aws:useragent" | "aws:referer") {
        let message = format!("{key} is whatever the client says: it guards nothing");
        found.key(Code::ClaimedKey, node, message);
    }
    if folded == "aws:multifactorauthpresent" && operator.comparison == Comparison::Bool {
        if statement.allows() && operator.if_exists && says("true") {
            let message = "long-term keys do not have this key, so that IfExists lets them pass \
                           without MFA: use Bool";
            found.key(Code::MfaIfExists, node, message);
        }
        if statement.denies() && !operator.if_exists && says("false") {
            let message = "long-term keys do not have this key, so that they are not denied: use \
                           BoolIfExists";
            found.key(Code::MfaDeny, node, message);
        }
    }
    let open = operator.if_exists || operator.negated;
    if statement.allows() && open && !condition.is_for_all() && PERIMETER.contains(&folded.as_ref())
    {
        let message = format!(
            "under {name} a request without {key} is allowed: use a positive operator without \
             IfExists in an Allow, or a Deny"
        );
        found.key(Code::PerimeterOperator, node, message);
    }
}

fn contradiction(statement: &Statement<'_>, condition: &Condition<'_>, found: &mut Findings<'_>) {
    let absent = condition.operator.comparison == Comparison::Null
        && condition.values().iter().any(|(value, _)| value.eq_ignore_ascii_case("true"));
    let wanted = absent
        && statement.conditions.iter().any(|other| {
            other.operator.comparison != Comparison::Null
                && other.folded() == condition.folded()
                && !other.operator.holds_without_key()
        });
    if wanted {
        let message =
            format!("{} is to be absent here, and another condition wants a value", condition.key);
        found.key(Code::Contradiction, &condition.node, message);
    }
}

fn values(condition: &Condition<'_>, found: &mut Findings<'_>) {
    let Condition { operator, name, key, .. } = condition;
    let mut seen = HashSet::new();
    for (value, node) in condition.values() {
        if !seen.insert(value) {
            found.value(Code::RedundantValue, &node, format!("{value:?} stands here twice"));
        }
        match operator.comparison {
            Comparison::StringEquals | Comparison::StringEqualsIgnoreCase => {
                let literal = value.replace("${*}", "").replace("${?}", "");
                if literal.contains(['*', '?']) {
                    let message = format!(
                        "{name} takes * and ? literally: use {}, or ${{*}} for a star",
                        if operator.negated { "StringNotLike" } else { "StringLike" }
                    );
                    found.value(Code::WildcardWithoutLike, &node, message);
                }
            }
            Comparison::StringLike | Comparison::Arn if value == "*" => {
                let message =
                    format!("* is any value of {key}; to ask whether it is there, use Null");
                found.value(Code::StarValue, &node, message);
            }
            Comparison::IpAddress => network(value, &node, found),
            Comparison::Date(_)
                if value.len() >= 12 && value.bytes().all(|b| b.is_ascii_digit()) =>
            {
                let message =
                    "dates are in seconds since 1970: this one is thousands of years ahead";
                found.value(Code::Milliseconds, &node, message);
            }
            _ => {}
        }
    }
}

fn network(value: &str, node: &super::tree::Node<'_>, found: &mut Findings<'_>) {
    let Some(network) = parse_network(value) else { return };
    if network.prefix_len() == 0 {
        found.value(Code::EveryAddress, node, format!("{value} is every address"));
    } else if network.addr() != network.network() {
        let message = format!("{value} is the network {}: write it so", network.trunc());
        found.value(Code::HostBits, node, message);
    }
}
