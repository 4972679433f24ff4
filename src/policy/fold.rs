//! Case folding, for condition keys, actions and the `IgnoreCase` operators.

use std::borrow::Cow;

/// Lower-cases `text`, but never across the border of ASCII: the Kelvin sign does not become a
/// `k`, so nothing outside ASCII can pass for an ASCII name.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    Cow::Owned(folded_chars(text).collect())
}

/// The characters of a text as [`fold`] has them.
pub(crate) fn folded_chars(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|c| {
        let lower = c.to_lowercase();
        // A character that lower-cases into ASCII stays as it is.
        let stays = !c.is_ascii() && lower.clone().any(|lower| lower.is_ascii());
        stays.then_some(c).into_iter().chain((!stays).then_some(lower).into_iter().flatten())
    })
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
