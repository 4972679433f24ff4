//! Exclusive canonicalization, by hand. Against other implementations: `tests/it/saml_c14n.rs`.

use super::*;

fn c14n(text: &str, id: Option<&str>, prefixes: &[&str]) -> Result<String, C14nError> {
    canonical(text, id, prefixes).unwrap()
}

#[test]
fn a_document_is_written_in_one_way() {
    for (text, expected) in [
        ("<a/>", "<a></a>"),
        ("<?xml version=\"1.0\"?>\n<a >x</a >\n", "<a>x</a>"),
        ("<a b = 'c' a=\"b\"/>", "<a a=\"b\" b=\"c\"></a>"),
        (
            "<a b='&#9;&#10;&#13;&quot;&apos;&lt;&gt;&amp;'/>",
            "<a b=\"&#x9;&#xA;&#xD;&quot;'&lt;>&amp;\"></a>",
        ),
        ("<a b=' x\n\ty '/>", "<a b=\" x  y \"></a>"),
        ("<a>&#13;&lt;&gt;&amp;\"'</a>", "<a>&#xD;&lt;&gt;&amp;\"'</a>"),
        ("<a>x\r\ny\rz</a>", "<a>x\ny\nz</a>"),
        ("<a>&#x41;\r\nB</a>", "<a>A\nB</a>"),
        ("<a>x<!-- y -->z</a>", "<a>xz</a>"),
        ("<a>\u{e4}&#228;\u{1f600}</a>", "<a>\u{e4}\u{e4}\u{1f600}</a>"),
        // Attributes by the URIs of their namespaces, not by prefixes.
        (
            "<a xmlns:b='urn:z' xmlns:c='urn:y' b:q='1' c:r='2' q='3'/>",
            "<a xmlns:b=\"urn:z\" xmlns:c=\"urn:y\" q=\"3\" c:r=\"2\" b:q=\"1\"></a>",
        ),
        // What is not used is not declared; what is used is, where it is used.
        (
            "<a xmlns='urn:a' xmlns:b='urn:b' xmlns:c='urn:c'><b:x><b:y c:z=''/></b:x></a>",
            "<a xmlns=\"urn:a\"><b:x xmlns:b=\"urn:b\"><b:y xmlns:c=\"urn:c\" c:z=\"\"></b:y></b:x></a>",
        ),
        (
            "<a xmlns='urn:a'><b xmlns=''><c xmlns='urn:a'/></b></a>",
            "<a xmlns=\"urn:a\"><b xmlns=\"\"><c xmlns=\"urn:a\"></c></b></a>",
        ),
        (
            "<p:a xmlns:p='urn:a' xmlns='urn:b'><b xmlns=''/></p:a>",
            "<p:a xmlns:p=\"urn:a\"><b></b></p:a>",
        ),
        (
            "<p:a xmlns:p='urn:a'><p:b xmlns:p='urn:b'><p:c xmlns:p='urn:a'/></p:b></p:a>",
            "<p:a xmlns:p=\"urn:a\"><p:b xmlns:p=\"urn:b\"><p:c xmlns:p=\"urn:a\"></p:c></p:b></p:a>",
        ),
        (
            "<a xml:lang='de'><b xml:space='preserve'/></a>",
            "<a xml:lang=\"de\"><b xml:space=\"preserve\"></b></a>",
        ),
    ] {
        assert_eq!(c14n(text, None, &[]).unwrap(), expected, "{text}");
    }
}

#[test]
fn prefixes_of_a_list_are_declared_where_they_are_in_scope() {
    let text = "<a xmlns='urn:a' xmlns:x='urn:x'><b xmlns='' ID='i'><c xmlns:x='urn:y'/></b></a>";
    for (id, prefixes, expected) in [
        (
            None,
            &["x"][..],
            "<a xmlns=\"urn:a\" xmlns:x=\"urn:x\"><b xmlns=\"\" ID=\"i\"><c xmlns:x=\"urn:y\"></c></b></a>",
        ),
        (Some("i"), &["x"][..], "<b xmlns:x=\"urn:x\" ID=\"i\"><c xmlns:x=\"urn:y\"></c></b>"),
        (Some("i"), &["none", "xml"][..], "<b ID=\"i\"><c></c></b>"),
        (Some("i"), &["#default"][..], "<b ID=\"i\"><c></c></b>"),
    ] {
        assert_eq!(c14n(text, id, prefixes).unwrap(), expected);
    }
    let text = "<p:a xmlns:p='urn:p' xmlns='urn:d'><p:b ID='i'/></p:a>";
    assert_eq!(c14n(text, Some("i"), &[]).unwrap(), "<p:b xmlns:p=\"urn:p\" ID=\"i\"></p:b>");
    assert_eq!(
        c14n(text, Some("i"), &["#default"]).unwrap(),
        "<p:b xmlns=\"urn:d\" xmlns:p=\"urn:p\" ID=\"i\"></p:b>"
    );
}

#[test]
fn what_has_no_canonical_form_is_an_error() {
    for text in ["<a xmlns='b'/>", "<a xmlns:b='../c' b:d=''/>", "<a xmlns='1:x'/>"] {
        assert_eq!(c14n(text, None, &[]).unwrap_err(), C14nError::RelativeNamespace, "{text}");
    }
    assert_eq!(c14n("<a/>", Some("none"), &[]).unwrap_err(), C14nError::Empty);
    // A prefix cannot be undeclared, nor used undeclared.
    for text in ["<b:a/>", "<a b:c=''/>", "<a xmlns:b='urn:b'><b:c xmlns:b=''/></a>"] {
        assert!(canonical(text, None, &[]).is_err_and(|_| true) || c14n(text, None, &[]).is_err());
    }
}
