//! Exclusive XML Canonicalization 1.0, without comments.
//!
//! Source: W3C, Exclusive XML Canonicalization 1.0 (2002), 3; W3C, Canonical XML 1.0 (2001), 2.3.
//!
//! A subtree is written in one way: names and values as the parser yields them, attributes in the
//! order of their names, and of each element the declarations of those namespaces that it visibly
//! uses and no element around it in the output has declared. The prefixes of a list are handled as
//! in Canonical XML: declared wherever they are in scope.

use roxmltree::{Document, Node, NodeId};

use super::xml::{self, Bounds, MAX_DEPTH, XmlError};

/// The list's name for the default namespace.
const DEFAULT: &str = "#default";

/// A document without a canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum C14nError {
    /// A namespace is named by a relative URI, or a prefix by none.
    #[error("the name of a namespace is not absolute")]
    RelativeNamespace,
    /// A prefix that is not declared.
    #[error("a prefix is not declared")]
    Prefix,
    /// Elements stand too deep in each other.
    #[error("its elements stand too deep in each other")]
    Depth,
    /// Nothing is left.
    #[error("the canonical form is empty")]
    Empty,
}

/// The canonical form of the element with this `ID`, or of the root. For tests and tools.
///
/// # Errors
///
/// Why it is not XML that is taken, has no such element or no canonical form.
pub fn canonical(
    text: &str,
    id: Option<&str>,
    prefixes: &[&str],
) -> Result<Result<String, C14nError>, XmlError> {
    let text = xml::unify_line_ends(text);
    let document = xml::parse(&text, Bounds { comments: true, ..Bounds::RESPONSE })?;
    let apex = match id {
        None => Some(document.root_element()),
        Some(_) => document.descendants().find(|node| xml::attribute(*node, "ID") == id),
    };
    Ok(apex.map_or(Err(C14nError::Empty), |apex| exclusive(apex, None, prefixes)))
}

/// The canonical form of the subtree at `apex`, without the subtree at `except`.
pub(super) fn exclusive(
    apex: Node<'_, '_>,
    except: Option<NodeId>,
    prefixes: &[&str],
) -> Result<String, C14nError> {
    let mut writer = Writer {
        out: String::new(),
        except,
        prefixes,
        declared: Vec::new(),
        document: apex.document(),
    };
    writer.element(apex, 0)?;
    // INVARIANT: nothing is ever the digest of nothing.
    if writer.out.is_empty() { Err(C14nError::Empty) } else { Ok(writer.out) }
}

struct Writer<'a, 'i> {
    out: String,
    except: Option<NodeId>,
    prefixes: &'a [&'a str],
    /// The declarations in the output that are in scope, the innermost last.
    declared: Vec<(&'a str, &'a str)>,
    document: &'a Document<'i>,
}

impl<'a, 'i> Writer<'a, 'i> {
    fn element(&mut self, node: Node<'a, 'i>, depth: usize) -> Result<(), C14nError> {
        if self.except == Some(node.id()) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(C14nError::Depth);
        }
        let outer = self.declared.len();
        let name = self.name(node)?;
        self.out.push('<');
        self.out.push_str(name);
        self.declare(node, name)?;
        self.attributes(node)?;
        self.out.push('>');
        for child in node.children() {
            if child.is_element() {
                self.element(child, depth + 1)?;
            } else if child.is_text() {
                self.text(child.text().unwrap_or_default());
            }
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self.declared.truncate(outer);
        Ok(())
    }

    /// The name as it is written; the tree keeps no prefixes.
    fn name(&self, node: Node<'a, 'i>) -> Result<&'a str, C14nError> {
        let source: &'a str = self.document.input_text();
        let tag = source.get(node.range()).and_then(|tag| tag.strip_prefix('<'));
        let end = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '/' | '>');
        let name = tag.and_then(|tag| tag.split(end).next()).unwrap_or_default();
        // What is written and what the tree knows are the same, or there is no canonical form.
        let local = name.split_once(':').map_or(name, |(_, local)| local);
        if local == node.tag_name().name() && !local.is_empty() {
            Ok(name)
        } else {
            Err(C14nError::Prefix)
        }
    }

    fn declare(&mut self, node: Node<'a, 'i>, name: &'a str) -> Result<(), C14nError> {
        let mut wanted = vec![xml::prefix(name)];
        for attribute in node.attributes() {
            let prefix = self.attribute_prefix(&attribute)?;
            if !prefix.is_empty() {
                wanted.push(prefix);
            }
        }
        let visible = wanted.len();
        wanted.extend(self.prefixes.iter().map(|&name| if name == DEFAULT { "" } else { name }));
        let mut new: Vec<(&'a str, &'a str)> = Vec::new();
        for (at, prefix) in wanted.into_iter().enumerate() {
            if prefix == "xml" || new.iter().any(|(known, _)| *known == prefix) {
                continue;
            }
            let scope = (!prefix.is_empty()).then_some(prefix);
            let namespace = node.namespaces().find(|it| it.name() == scope);
            let uri = match namespace.map(roxmltree::Namespace::uri) {
                Some(uri) => uri,
                None if prefix.is_empty() => "",
                None if at < visible => return Err(C14nError::Prefix),
                None => continue,
            };
            if !(uri.is_empty() && prefix.is_empty() || is_absolute(uri)) {
                return Err(C14nError::RelativeNamespace);
            }
            let known = self.declared.iter().rev().find(|(known, _)| *known == prefix);
            if known.map_or("", |(_, uri)| uri) == uri {
                continue;
            }
            new.push((prefix, uri));
        }
        new.sort_unstable();
        for &(prefix, uri) in &new {
            self.out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.out.push_str(prefix);
            self.value(uri);
        }
        self.declared.append(&mut new);
        Ok(())
    }

    fn attributes(&mut self, node: Node<'a, 'i>) -> Result<(), C14nError> {
        let mut all: Vec<_> = node.attributes().collect();
        all.sort_unstable_by_key(|it| (it.namespace().unwrap_or_default(), it.name()));
        for attribute in all {
            let prefix = self.attribute_prefix(&attribute)?;
            self.out.push(' ');
            if !prefix.is_empty() {
                self.out.push_str(prefix);
                self.out.push(':');
            }
            self.out.push_str(attribute.name());
            self.value(attribute.value());
        }
        Ok(())
    }

    fn attribute_prefix(
        &self,
        attribute: &roxmltree::Attribute<'a, 'i>,
    ) -> Result<&'a str, C14nError> {
        let source: &'a str = self.document.input_text();
        let prefix = source.get(attribute.range_qname()).map(xml::prefix).unwrap_or_default();
        if prefix.is_empty() == attribute.namespace().is_none() {
            Ok(prefix)
        } else {
            Err(C14nError::Prefix)
        }
    }

    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        for c in value.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#x9;"),
                '\n' => self.out.push_str("&#xA;"),
                '\r' => self.out.push_str("&#xD;"),
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\r' => self.out.push_str("&#xD;"),
                other => self.out.push(other),
            }
        }
    }
}

/// Whether a URI begins with a scheme.
fn is_absolute(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| {
        let mut letters = scheme.bytes();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}
