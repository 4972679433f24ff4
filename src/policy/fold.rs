//! Case folding, for condition keys, actions and the `IgnoreCase` operators.

use std::borrow::Cow;

/// Lower-cases `text`, but never across the border of ASCII: the Kelvin sign does not become a
/// `k`, so nothing outside ASCII can pass for an ASCII name.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else if c.to_lowercase().any(|lower| lower.is_ascii()) {
            folded.push(c);
        } else {
            folded.extend(c.to_lowercase());
        }
    }
    Cow::Owned(folded)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn folding_stays_on_its_side_of_ascii() {
        for (text, folded) in [
            ("aws:UserName", "aws:username"),
            ("plain", "plain"),
            ("ÉCOLE", "école"),
            ("\u{212a}elvin", "\u{212a}elvin"),
            ("\u{130}", "\u{130}"),
            ("ſ", "ſ"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }
}
