//! Input made fit for messages: bounded, on one line, without control characters.

use std::fmt::Write as _;

/// `text` as it may stand in an error message, a log line or a record: control characters (and
/// the invisible ones that reorder text) as `\u{…}`, at most `max` characters of the original,
/// then `...` when something was cut off.
pub fn printable(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max.saturating_add(3)));
    let mut chars = text.chars();
    for c in chars.by_ref().take(max) {
        let invisible = matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fffe}' | '\u{ffff}'
        );
        if c.is_control() || invisible {
            // Writing to a String does not fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    if chars.next().is_some() {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escapes_and_cuts() {
        for (input, max, expected) in [
            ("plain", 10, "plain"),
            ("", 10, ""),
            ("exact", 5, "exact"),
            ("longer", 5, "longe..."),
            ("a\r\nb\0", 10, "a\\u{d}\\u{a}b\\u{0}"),
            ("\u{202e}x", 10, "\\u{202e}x"),
            ("ééé", 2, "éé..."),
            ("x", 0, "..."),
        ] {
            assert_eq!(printable(input, max), expected, "{input:?}");
        }
    }
}
