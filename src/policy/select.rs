//! A part of a document: the statements that may be about some services.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ast::Policy;

/// The statements of a policy that may apply to an action with one of these prefixes: a document of
/// its own, and the place of each statement in the whole one, from 0.
///
/// Only statements whose `Action` names other services alone are left out, so that the part decides
/// about actions with these prefixes as the whole does. `NotAction` and `*` stay, and whatever is not
/// understood. If nothing is left, the first statement stays: a policy that says nothing is still
/// there, which matters for a boundary or a level of an organization.
pub fn select(policy: &Policy, prefixes: &[String]) -> (String, Vec<usize>) {
    let whole = || (policy.text().to_string(), (0..policy.statements()).collect());
    let Ok(document) = serde_json::from_str::<Document<'_>>(policy.text()) else { return whole() };
    let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(document.statement.get()) else {
        return whole();
    };
    let mut kept: Vec<(usize, &RawValue)> = list
        .iter()
        .enumerate()
        .filter(|(_, statement)| may_apply(statement, prefixes))
        .map(|(place, statement)| (place, *statement))
        .collect();
    if kept.is_empty() {
        kept.extend(list.first().map(|statement| (0, *statement)));
    }
    let statements: Vec<&str> = kept.iter().map(|(_, statement)| statement.get()).collect();
    let version =
        document.version.map_or(String::new(), |version| format!("\"Version\":{},", version.get()));
    let text = format!("{{{version}\"Statement\":[{}]}}", statements.join(","));
    (text, kept.into_iter().map(|(place, _)| place).collect())
}

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(rename = "Version", borrow)]
    version: Option<&'d RawValue>,
    #[serde(rename = "Statement", borrow)]
    statement: &'d RawValue,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "Action")]
    action: Option<Actions>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Actions {
    One(String),
    Many(Vec<String>),
}

fn may_apply(statement: &RawValue, prefixes: &[String]) -> bool {
    let Ok(Statement { action: Some(actions) }) = serde_json::from_str(statement.get()) else {
        return true;
    };
    let is_about = |action: &String| {
        let (service, _) = action.split_once(':').unwrap_or((action, ""));
        service.contains(['*', '?'])
            || prefixes.iter().any(|prefix| prefix.eq_ignore_ascii_case(service))
    };
    match actions {
        Actions::One(action) => is_about(&action),
        Actions::Many(actions) => actions.iter().any(is_about),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DocumentKind, Policy};
    use super::select;

    fn chosen(statements: &str, prefixes: &[&str]) -> (Vec<usize>, Policy) {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
        let policy = Policy::parse(&text, DocumentKind::Identity).unwrap();
        let prefixes: Vec<_> = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        let (text, places) = select(&policy, &prefixes);
        (places, Policy::parse(&text, DocumentKind::Identity).unwrap())
    }

    fn statement(effect: &str, action: &str) -> String {
        format!(r#"{{"Effect":"{effect}",{action},"Resource":"*"}}"#)
    }

    #[test]
    fn only_statements_about_other_services_alone_are_left_out() {
        let list = [
            statement("Allow", r#""Action":"s3:*""#),
            statement("Deny", r#""Action":["sqs:*","ORDERS:Get*"]"#),
            statement("Deny", r#""NotAction":"orders:*""#),
            statement("Allow", r#""NotAction":"s3:*""#),
            statement("Deny", r#""Action":"*""#),
            statement("Allow", r#""Action":"*:*""#),
            statement("Deny", r#""Action":"ordersx:*""#),
            statement("Allow", r#""Action":["Bills:Pay"]"#),
        ];
        let all = format!("[{}]", list.join(","));
        assert_eq!(chosen(&all, &["orders"]).0, [1, 2, 3, 4, 5]);
        assert_eq!(chosen(&all, &["orders", "bills"]).0, [1, 2, 3, 4, 5, 7]);
        assert_eq!(chosen(&all, &[]).0, [2, 3, 4, 5]);
    }

    #[test]
    fn a_policy_never_vanishes() {
        let one = statement("Allow", r#""Action":"s3:*""#);
        assert_eq!(chosen(&one, &["orders"]).0, [0]);
        let two = format!("[{one},{one}]");
        let (places, policy) = chosen(&two, &["orders"]);
        assert_eq!((places, policy.statements()), (vec![0], 1));
    }

    #[test]
    fn statements_are_taken_as_they_are_written() {
        let exact = r#"[{"Effect":"Allow","Action":"orders:Get","Resource":"*","Condition":{"NumericEquals":{"x:n":9007199254740993.10}}}]"#;
        let (_, policy) = chosen(exact, &["orders"]);
        assert!(policy.text().contains("9007199254740993.10"), "{}", policy.text());
    }
}
