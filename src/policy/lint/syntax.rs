//! What was expected where a document stops being JSON.

use super::super::parse::{JsonProblem, Reason};

/// What to say of JSON that breaks off at a byte. Its line and column are the finding's own.
pub(super) fn message(text: &str, at: usize, reason: &Reason) -> String {
    let Reason::Json { problem, .. } = reason else { return reason.to_string() };
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    match (problem, after.chars().next()) {
        (JsonProblem::Unexpected, Some(found)) => {
            let expected = expected(before);
            let comma = before.trim_end().ends_with(',') && matches!(found, '}' | ']');
            let advice = if comma { ": take the comma before it out" } else { "" };
            format!("{problem}: {expected} is expected, not {found}{advice}")
        }
        _ => problem.to_string(),
    }
}

/// What may follow the beginning of a document.
fn expected(before: &str) -> &'static str {
    // The objects and arrays that are open: whether it is an object, and whether its member has its
    // colon.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut last = None;
    let mut chars = before.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => continue,
            '{' => open.push((true, false)),
            '[' => open.push((false, false)),
            '}' | ']' => {
                open.pop();
            }
            ':' | ',' => {
                if let Some((_, colon)) = open.last_mut() {
                    *colon = c == ':';
                }
            }
            '"' => {
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => {
                            chars.next();
                        }
                        '"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        last = Some(c);
    }
    let digits = before.trim_end_matches(['-', '+', '.', 'e', 'E']);
    let exponent = digits.ends_with(|c: char| c.is_ascii_digit()) && digits.len() < before.len();
    match (last, open.last()) {
        _ if exponent || last == Some('-') => "a digit",
        (Some('{'), _) => "a key in double quotes or }",
        (Some('['), _) => "a value or ]",
        (Some(','), Some((true, _))) => "a key in double quotes",
        (Some(':' | ',') | None, _) | (_, None) => "a value",
        (_, Some((true, false))) => "a colon",
        (_, Some((true, true))) => "a comma or }",
        (_, Some((false, _))) => "a comma or ]",
    }
}
