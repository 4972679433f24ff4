//! What is said twice.

use super::super::fold::fold;
use super::super::parse::json::Json;
use super::super::wildcard::Pattern;
use super::code::Code;
use super::document::{Document, Findings, Statement};
use super::tree::Node;

use std::cmp::Ordering;

/// At most this many comparisons: the work is bounded whatever the document.
const MAX_COMPARISONS: usize = 200_000;

pub(super) fn check(document: &Document<'_>, found: &mut Findings<'_>) {
    let mut left = MAX_COMPARISONS;
    for statement in &document.statements {
        for element in ["Action", "NotAction"] {
            twice(&statement.texts(element), true, Code::RedundantAction, &mut left, found);
        }
        for element in ["Resource", "NotResource"] {
            twice(&statement.texts(element), false, Code::RedundantResource, &mut left, found);
        }
    }
    for statement in &document.statements {
        let covering = document.statements.iter().find(|other| {
            // Of two that say the same the second one is too many.
            match other.index.cmp(&statement.index) {
                Ordering::Less => covers(other, statement, &mut left),
                Ordering::Equal => false,
                Ordering::Greater => {
                    covers(other, statement, &mut left) && !covers(statement, other, &mut left)
                }
            }
        });
        if let Some(other) = covering {
            let message = format!("Statement[{}] says as much, and perhaps more", other.index);
            found.value(Code::RedundantStatement, &statement.node, message);
        }
    }
}

/// Entries of a list that another one covers.
fn twice(
    entries: &[(&str, Node<'_>)],
    ignore_case: bool,
    code: Code,
    left: &mut usize,
    found: &mut Findings<'_>,
) {
    for (at, (text, node)) in entries.iter().enumerate() {
        let covering = entries.iter().enumerate().find(|(other_at, (other, _))| {
            let same = || eq(other, text, ignore_case);
            let wider = || includes(other, text, ignore_case);
            match other_at.cmp(&at) {
                Ordering::Less => spend(left) && (same() || wider()),
                Ordering::Equal => false,
                Ordering::Greater => spend(left) && !same() && wider(),
            }
        });
        if let Some((_, (other, _))) = covering {
            found.value(code, node, format!("{other} covers {text}"));
        }
    }
}

fn spend(left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    *left > 0
}

fn eq(a: &str, b: &str, ignore_case: bool) -> bool {
    if ignore_case { fold(a) == fold(b) } else { a == b }
}

/// Whether a pattern matches whatever another one does. May miss some.
fn includes(wide: &str, narrow: &str, ignore_case: bool) -> bool {
    if !wide.contains(['*', '?']) || wide.contains("${") {
        return eq(wide, narrow, ignore_case);
    }
    // A question mark would take the star of the narrow pattern for one character.
    if wide.contains('?') && narrow.contains('*') {
        return false;
    }
    let pattern = Pattern::parse(wide);
    if ignore_case { pattern.folded().matches(&fold(narrow)) } else { pattern.matches(narrow) }
}

/// Whether a statement says all that another one does: actions and resources that include the
/// other's, and all else the same.
fn covers(wide: &Statement<'_>, narrow: &Statement<'_>, left: &mut usize) -> bool {
    if !spend(left) {
        return false;
    }
    let alike = |name: &str| match (wide.node.get(name), narrow.node.get(name)) {
        (None, None) => true,
        (Some(a), Some(b)) => same(a.json, b.json),
        _ => false,
    };
    let mut all = |name: &str, ignore_case: bool| {
        let wide = wide.texts(name);
        let narrow = narrow.texts(name);
        narrow.iter().all(|(text, _)| {
            wide.iter().any(|(other, _)| spend(left) && includes(other, text, ignore_case))
        })
    };
    ["Effect", "Principal", "NotPrincipal", "NotAction", "NotResource", "Condition"]
        .into_iter()
        .all(alike)
        && all("Action", true)
        && all("Resource", false)
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Map(a), Json::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    b.iter().any(|(other, with)| fold(other) == fold(key) && same(value, with))
                })
        }
        (a, b) => a == b,
    }
}
