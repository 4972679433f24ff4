//! The bounds of documents.

use super::super::xml::{MAX_DEPTH, time};
use super::*;

fn refused(text: &str) -> XmlError {
    let metadata = golden::metadata();
    match verify_at(text, &metadata, NOW) {
        Err(SamlError::Xml(why)) => why,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn markup_other_than_tags_is_refused_wherever_it_stands() {
    use XmlError as E;
    let markup = [
        ("<!--x-->", E::Comment),
        ("<!---->", E::Comment),
        ("<![CDATA[x]]>", E::Cdata),
        ("<?x y?>", E::ProcessingInstruction),
        ("<?xml-stylesheet href='x'?>", E::ProcessingInstruction),
        ("<!DOCTYPE x>", E::Dtd),
        ("<!DOCTYPE r [<!ENTITY a 'b'>]>", E::Dtd),
        ("<!ENTITY a 'b'>", E::Dtd),
        ("<!ELEMENT a ANY>", E::Dtd),
    ];
    for (_, text) in &golden::GOLDEN[..2] {
        let places = text.match_indices('<').map(|(at, _)| at).chain([text.len()]);
        for at in places {
            for (markup, why) in &markup {
                let changed = format!("{}{markup}{}", &text[..at], &text[at..]);
                assert_eq!(refused(&changed), *why);
            }
        }
    }
}

#[test]
fn a_document_has_bounds() {
    let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert_eq!(refused(&deep(MAX_DEPTH + 1)), XmlError::Depth);
    assert_eq!(refused(&"<a>".repeat(20_000)), XmlError::Depth);
    let metadata = golden::metadata();
    let not = Err(SamlError::NotResponse);
    assert_eq!(verify_at(&deep(MAX_DEPTH), &metadata, NOW), not);
    let wide = |n: usize| {
        let attributes: Vec<String> = (0..n).map(|n| format!(" a{n}=''")).collect();
        let attributes = attributes.concat();
        format!("<a{attributes}/>")
    };
    assert_eq!(verify_at(&wide(64), &metadata, NOW), not);
    assert_eq!(refused(&wide(65)), XmlError::Attributes);
    // What is declared around an element is looked through for each declaration in it.
    let declared: Vec<String> = (0..60).map(|n| format!(" xmlns:a{n}=''")).collect();
    let declared = declared.concat();
    let around = |n: usize| format!("{}{}", format!("<a{declared}>").repeat(n), "<a xmlns:b=''/>");
    assert_eq!(refused(&format!("{}{}", around(3), "</a>".repeat(3))), XmlError::Attributes);
    assert_eq!(refused(&around(10)), XmlError::Attributes);
    assert_eq!(refused(&wide(7_000)), XmlError::Attributes);
    // So are they for many elements that declare something each.
    let many =
        |n: usize| format!("<a{declared}><a{declared}>{}</a></a>", "<b xmlns=''/>".repeat(n));
    assert_eq!(verify_at(&many(200), &metadata, NOW), not);
    assert_eq!(refused(&many(400)), XmlError::Attributes);
    assert_eq!(
        verify_at(&format!("<a>{}</a>", "<b xmlns=''/>".repeat(4_000)), &metadata, NOW),
        not
    );
    assert_eq!(refused(&format!("<a>{}</a>", "<b/>".repeat(10_001))), XmlError::Malformed);
    for text in
        ["<a", "<a b='", "<a>", "</a>", "<a></b>", "<a b='' b=''/>", "<a/><b/>", "<a>&b;</a>"]
    {
        assert_eq!(refused(text), XmlError::Malformed, "{text}");
    }
    assert_eq!(refused("<a>&#0;</a>"), XmlError::Malformed);
    assert_eq!(refused("<a>\u{1}</a>"), XmlError::Malformed);
}

#[test]
fn only_xml_1_0_in_utf_8() {
    let metadata = golden::metadata();
    let declared = |inside: &str| verify_at(&format!("<?xml{inside}?><a/>"), &metadata, NOW);
    for good in [
        " version='1.0'",
        " version=\"1.0\" encoding=\"UTF-8\"",
        " version='1.0' encoding='utf-8' standalone='yes'",
    ] {
        assert_eq!(declared(good), Err(SamlError::NotResponse), "{good}");
    }
    for wrong in [
        " version='1.1'",
        " encoding='UTF-8'",
        " version='1.0' encoding='ISO-8859-1'",
        " version='1.0' encoding='UTF-7'",
        " version='1.0' encoding=UTF-8",
    ] {
        assert_eq!(declared(wrong), Err(SamlError::Xml(XmlError::Declaration)), "{wrong}");
    }
}

#[test]
fn times_are_in_utc() {
    assert_eq!(time("2026-09-21T14:13:20Z"), Some(Timestamp::from_secs(NOW)));
    assert_eq!(time("2026-09-21T14:13:20.25Z"), Some(Timestamp::from_millis(NOW * 1000 + 250)));
    for wrong in [
        "",
        "Z",
        "2026-09-21T14:13:20",
        "2026-09-21T14:13:20+00:00",
        "2026-09-21 14:13:20Z",
        "2026-09-21T14:13:60Z",
        "2026-09-31T14:13:20Z",
        "2026-09-21T25:13:20Z",
        "2026-09-21T14:13Z",
        "2026-09-21T14:13:20.Z",
        "2026-09-21T14:13:20,5Z",
        "+2026-09-21T14:13:20Z",
        "2026-09-21T14:13:20z",
        " 2026-09-21T14:13:20Z",
        "2026-09-21T14:13:20.1234567890Z",
    ] {
        assert_eq!(time(wrong), None, "{wrong}");
    }
}

/// The parser takes some documents that are no XML with namespaces. A signature vouches for the
/// canonical form alone, and claims are read from that, so that such a document is refused or says
/// what its signer said.
#[test]
fn what_the_parser_takes_too_much_says_nothing_else() {
    let signer = sign::Signer::new();
    let good = signer.signed(&sign::Form::default());
    let metadata = signer.metadata();
    let said = verify_at(&good, &metadata, NOW).unwrap();
    let other = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        verify_at(&good.replacen(from, to, 1), &metadata, NOW)
    };
    let statement = "<AuthnStatement ";
    let malformed = Err(SamlError::Xml(XmlError::Malformed));
    // Refused by the parser.
    for declared in [
        // Two attributes of one name, by their namespaces.
        "xmlns:p='u' xmlns:q='u' p:x='1' q:x='2' ",
        // The prefix of XML itself, for something else; something else for it.
        "xmlns:xml='urn:other' ",
        "xmlns:p='http://www.w3.org/XML/1998/namespace' ",
        "xmlns:p='http://www.w3.org/2000/xmlns/' ",
        // Not declared.
        "p:x='1' ",
        "x='&other;' ",
        "x='&#0;' ",
    ] {
        assert_eq!(other(statement, &format!("{statement}{declared}")), malformed, "{declared}");
    }
    // Taken by the parser, and not in the canonical form: nothing of it is read.
    for declared in [
        // A prefix that is undeclared, as XML 1.0 has no way to.
        "xmlns:p='' ",
        // A prefix that must not be declared.
        "xmlns:xmlns='urn:other' ",
    ] {
        let taken = other(statement, &format!("{statement}{declared}"));
        assert_eq!(taken, Ok(said.clone()), "{declared}");
    }
    // Taken by the parser, and another canonical form: the digest is not of it.
    for (from, to) in [
        // The default namespace declared twice, by its name and by one that is no declaration.
        (statement, "<AuthnStatement xmlns='urn:other' xmlns='urn:more' "),
        (statement, "<AuthnStatement p:xmlns='urn:other' "),
        // A prefix without a name.
        ("<NameID>alice</NameID>", "<:NameID>alice</:NameID>"),
        // A character that there is not.
        ("<NameID>alice", "<NameID>&#xD800;alice"),
        ("<NameID>alice", "<NameID>&#x110000;alice"),
    ] {
        assert_eq!(other(from, to), Err(SamlError::Digest), "{to}");
    }
}
