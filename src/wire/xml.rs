//! XML answers of the Query protocol.
//!
//! Model: element names are ours and fixed at compile time; text is anybody's and is escaped in
//! one place. Source: the answers of STS (2011-06-15) and IAM (2010-05-08) in their API
//! references.
//!
//! INVARIANT (fakecloud#2252): whatever the text, the answer is well-formed and the reader gets
//! the same text back. `<>&"'` are escaped; tab, LF and CR are written as references, so that no
//! normalisation changes them and a header-like line never starts in an answer; a character that
//! XML 1.0 cannot carry at all (most control characters, U+FFFE, U+FFFF) becomes U+FFFD.

use std::fmt::{self, Write as _};

use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// The XML namespace of a service's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespace(&'static str);

impl Namespace {
    /// The Security Token Service, 2011-06-15.
    pub const STS: Self = Self("https://sts.amazonaws.com/doc/2011-06-15/");
    /// Identity and Access Management, 2010-05-08.
    pub const IAM: Self = Self("https://iam.amazonaws.com/doc/2010-05-08/");

    /// Its URI.
    pub const fn uri(self) -> &'static str {
        self.0
    }
}

/// A run of XML elements. It may hold a secret that is being handed out: no `Debug`.
#[derive(Default)]
pub struct Xml {
    out: String,
}

impl Xml {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `<name>` around what `inner` writes.
    pub fn element(&mut self, name: &'static str, inner: impl FnOnce(&mut Self)) {
        self.open(name);
        inner(self);
        self.close(name);
    }

    /// `<name>text</name>`, escaped.
    pub fn text(&mut self, name: &'static str, text: impl AsRef<str>) {
        self.element(name, |xml| xml.escaped(text.as_ref()));
    }

    /// The same when there is a text, nothing otherwise.
    pub fn optional(&mut self, name: &'static str, text: Option<impl AsRef<str>>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// `<name>` with what a number, a boolean or an identifier displays.
    pub fn value(&mut self, name: &'static str, value: impl fmt::Display) {
        self.text(name, value.to_string());
    }

    /// `<name>2026-01-02T03:04:05Z</name>`: whole seconds, UTC.
    pub fn time(&mut self, name: &'static str, time: Timestamp) {
        self.text(name, time.to_rfc3339());
    }

    /// A policy document the way IAM returns it: percent-encoded.
    pub fn policy(&mut self, name: &'static str, document: &str) {
        self.text(name, percent_encode(document));
    }

    /// `<name>` with a `<member>` around what `each` writes for each item. An empty list is an
    /// empty element.
    pub fn list<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| each(xml, item));
            }
        });
    }

    /// `<name>` with a `<member>` of text for each item.
    pub fn texts<T: AsRef<str>>(&mut self, name: &'static str, items: impl IntoIterator<Item = T>) {
        self.list(name, items, |xml, item| xml.escaped(item.as_ref()));
    }

    /// The XML so far.
    pub fn as_str(&self) -> &str {
        &self.out
    }

    fn open(&mut self, name: &str) {
        self.out.extend(["<", name, ">"]);
    }

    fn close(&mut self, name: &str) {
        self.out.extend(["</", name, ">"]);
    }

    fn escaped(&mut self, text: &str) {
        self.out.reserve(text.len());
        for c in text.chars() {
            match c {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&apos;"),
                '\t' => self.out.push_str("&#9;"),
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => self.out.push('\u{fffd}'),
                other => self.out.push(other),
            }
        }
    }
}

/// The answer to an action that succeeded: `<{A}Response>` with `<{A}Result>` and the request ID.
///
/// `None` leaves the result element out: the action's model has no output shape. An action with
/// an output that happens to be empty has an empty result: `Some`.
pub fn success(
    namespace: Namespace,
    action: &'static str,
    result: Option<&Xml>,
    request_id: &str,
) -> String {
    let mut xml = Xml::new();
    let _ = write!(xml.out, "<{action}Response xmlns=\"{}\">", namespace.uri());
    if let Some(result) = result {
        xml.out.reserve(result.out.len() + 256);
        let _ = write!(xml.out, "<{action}Result>{}</{action}Result>", result.out);
    }
    xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    let _ = write!(xml.out, "</{action}Response>");
    xml.out
}

/// The answer to an action that failed. `kind` is `Sender` or `Receiver`.
pub fn error(
    namespace: Namespace,
    kind: &'static str,
    code: &'static str,
    message: &str,
    request_id: &str,
) -> String {
    let mut xml = Xml::new();
    let _ = write!(xml.out, "<ErrorResponse xmlns=\"{}\">", namespace.uri());
    xml.element("Error", |xml| {
        xml.text("Type", kind);
        xml.text("Code", code);
        xml.text("Message", message);
    });
    xml.text("RequestId", request_id);
    xml.close("ErrorResponse");
    xml.out
}

/// Percent-encodes everything but RFC 3986's unreserved characters, the way IAM returns policy
/// documents.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
