//! Reading the broker's own XML answers: enough for texts without markup.

/// The text of the first element of this name.
pub(super) fn text<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once('<').map(|(text, _)| text)
}

/// The text of the first element of this name, its predefined entities resolved.
pub(super) fn prose(xml: &str, name: &str) -> Option<String> {
    let raw = text(xml, name)?;
    let plain = raw
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    Some(plain)
}
