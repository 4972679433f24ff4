//! The bounds of a document, and what is read from its tree.
//!
//! The parser is `roxmltree`: no DTD, no unsafe code, no recursion. A scan in front of it counts
//! and refuses; it never decides what a document means. In XML that has neither comments nor CDATA
//! sections nor processing instructions, `<` stands nowhere but at the beginning of a tag, and `>`
//! outside of quotes ends it, so that the scan cannot count less than the parser.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use crate::time::Timestamp;

/// The deepest that elements may stand in each other.
pub(super) const MAX_DEPTH: usize = 32;
/// The most attributes of one element, declarations of namespaces counted.
const MAX_ATTRIBUTES: usize = 64;
/// The most attributes and declarations of an element and those that it stands in.
const MAX_OPEN_ATTRIBUTES: usize = 128;
/// The most work. For an element that declares something, the parser looks through all declarations
/// in scope for each of them: each element with attributes costs the square of what is open then.
const MAX_WORK: usize = 4_000_000;

/// XML that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Not well-formed, or with undeclared prefixes or entities, or too many nodes.
    #[error("it is not well-formed")]
    Malformed,
    /// A declaration that says anything but XML 1.0 in UTF-8.
    #[error("it is not XML 1.0 in UTF-8")]
    Declaration,
    /// A document type, an entity, a notation.
    #[error("it has a document type declaration")]
    Dtd,
    /// A comment.
    #[error("it has a comment")]
    Comment,
    /// A CDATA section.
    #[error("it has a CDATA section")]
    Cdata,
    /// A processing instruction.
    #[error("it has a processing instruction")]
    ProcessingInstruction,
    /// Elements stand too deep in each other.
    #[error("its elements stand more than {MAX_DEPTH} deep in each other")]
    Depth,
    /// An element has too many attributes, by itself or with the elements that it stands in.
    #[error(
        "an element has more than {MAX_ATTRIBUTES} attributes, or with those around it more than \
         {MAX_OPEN_ATTRIBUTES}, or too many elements have too many"
    )]
    Attributes,
}

/// What a kind of document may have.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// The most nodes: elements and texts.
    pub(super) nodes: u32,
    /// Whether there may be comments. They are no part of any value.
    pub(super) comments: bool,
}

impl Bounds {
    /// Those of a response, and of what was verified of one.
    pub(super) const RESPONSE: Self = Self { nodes: 10_000, comments: false };
    /// Those of metadata.
    pub(super) const METADATA: Self = Self { nodes: 100_000, comments: true };
}

/// Line ends as XML 1.0 (2.11) has them unified before a document is parsed.
pub(super) fn unify_line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Parses a document within bounds.
pub(super) fn parse(text: &str, bounds: Bounds) -> Result<Document<'_>, XmlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    scan(declaration(text)?, bounds)?;
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: bounds.nodes, entity_resolver: None };
    let document = Document::parse_with_options(text, options).map_err(|_| XmlError::Malformed)?;
    for node in document.descendants() {
        // The scan has refused these; the tree says the same, or the document is.
        if node.is_pi() || (node.is_comment() && !bounds.comments) {
            return Err(XmlError::Malformed);
        }
    }
    Ok(document)
}

/// Checks the XML declaration, if there is one. Returns what follows.
fn declaration(text: &str) -> Result<&str, XmlError> {
    let Some(inside) = text.strip_prefix("<?xml") else { return Ok(text) };
    if !inside.starts_with([' ', '\t', '\n']) {
        return Err(XmlError::ProcessingInstruction);
    }
    let (inside, rest) = inside.split_once("?>").ok_or(XmlError::Malformed)?;
    let value = |name: &str| {
        let (_, rest) = inside.split_once(name)?;
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()
    };
    let utf8 = !inside.contains("encoding")
        || value("encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("utf-8"));
    if value("version") == Some("1.0") && utf8 { Ok(rest) } else { Err(XmlError::Declaration) }
}

/// Counts depth and attributes, and refuses all markup but tags.
fn scan(text: &str, bounds: Bounds) -> Result<(), XmlError> {
    let mut rest = text;
    // How many attributes each open element has.
    let mut open: Vec<usize> = Vec::new();
    let mut work = 0;
    while let Some((_, markup)) = rest.split_once('<') {
        if let Some(comment) = markup.strip_prefix("!--") {
            if !bounds.comments {
                return Err(XmlError::Comment);
            }
            (_, rest) = comment.split_once("-->").ok_or(XmlError::Malformed)?;
            continue;
        }
        match markup.as_bytes().first() {
            Some(b'!') if markup.starts_with("![") => return Err(XmlError::Cdata),
            Some(b'!') => return Err(XmlError::Dtd),
            Some(b'?') => return Err(XmlError::ProcessingInstruction),
            Some(b'/') => {
                open.pop().ok_or(XmlError::Malformed)?;
                (_, rest) = markup.split_once('>').ok_or(XmlError::Malformed)?;
            }
            _ => {
                let Tag { length, attributes, empty } = tag(markup)?;
                let in_scope = open.iter().sum::<usize>() + attributes;
                work += if attributes == 0 { 0 } else { in_scope * in_scope };
                if in_scope > MAX_OPEN_ATTRIBUTES || work > MAX_WORK {
                    return Err(XmlError::Attributes);
                }
                if !empty {
                    open.push(attributes);
                }
                if open.len() > MAX_DEPTH {
                    return Err(XmlError::Depth);
                }
                rest = markup.get(length..).ok_or(XmlError::Malformed)?;
            }
        }
    }
    Ok(())
}

/// An opening tag: its length, its `>` included, how many attributes and declarations it has, and
/// whether it closes itself.
struct Tag {
    length: usize,
    attributes: usize,
    empty: bool,
}

fn tag(markup: &str) -> Result<Tag, XmlError> {
    let (mut quote, mut attributes, mut before) = (None, 0, 0);
    for (at, byte) in markup.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                attributes += 1;
                if attributes > MAX_ATTRIBUTES {
                    return Err(XmlError::Attributes);
                }
            }
            (None, b'>') => {
                return Ok(Tag { length: at + 1, attributes, empty: before == b'/' });
            }
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        before = byte;
    }
    Err(XmlError::Malformed)
}

/// The prefix of a qualified name as it is written, or an empty text.
pub(super) fn prefix(qualified: &str) -> &str {
    qualified.split_once(':').map_or("", |(prefix, _)| prefix)
}

/// The value of an attribute that has no namespace.
///
/// `Node::attribute` takes a name without a namespace for a name in any.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let found = node.attributes().find(|it| it.namespace().is_none() && it.name() == name);
    found.map(|it| it.value())
}

/// Whether an element has no attributes but these, which have no namespace.
pub(super) fn only_attributes(node: Node<'_, '_>, names: &[&str]) -> bool {
    node.attributes().all(|it| it.namespace().is_none() && names.contains(&it.name()))
}

/// Whether an element has this name in this namespace.
pub(super) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    let tag = node.tag_name();
    node.is_element() && tag.namespace() == Some(namespace) && tag.name() == name
}

/// The children of an element that holds nothing but elements and white space; `None` for another.
pub(super) fn elements<'a, 'i>(node: Node<'a, 'i>) -> Option<Vec<Node<'a, 'i>>> {
    let mut found = Vec::new();
    for child in node.children() {
        if child.is_element() {
            found.push(child);
        } else if child.is_text() && !child.text().unwrap_or_default().bytes().all(is_white) {
            return None;
        }
    }
    Some(found)
}

/// The text of an element that holds nothing else, not even a comment; `None` for another.
pub(super) fn text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let mut children = node.children();
    match (children.next(), children.next()) {
        (None, _) => Some(""),
        (Some(only), None) if only.is_text() => only.text(),
        _ => None,
    }
}

/// Base64 in an element: strict, but for white space between its characters.
pub(super) fn base64(node: Node<'_, '_>) -> Option<Vec<u8>> {
    use ::base64::Engine as _;
    let text: Vec<u8> = text(node)?.bytes().filter(|byte| !is_white(*byte)).collect();
    let bytes = ::base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// A time as SAML has it: `xs:dateTime` in UTC, `2026-01-02T03:04:05Z` with or without a fraction.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let rest = text.strip_suffix('Z')?;
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let form = "0000-00-00T00:00:00";
    let fits = whole.len() == form.len()
        && whole.bytes().zip(form.bytes()).all(|(byte, place)| match place {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
    let digits = fraction.is_none_or(|digits| {
        (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    (fits && digits && !whole.ends_with(":60")).then(|| Timestamp::parse_rfc3339(text)).flatten()
}
