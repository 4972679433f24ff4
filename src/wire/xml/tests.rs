use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

/// Reads XML to its end and returns the text of the first element called `name`.
fn read_back(xml: &str, name: &str) -> String {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut depth, mut inside, mut text, mut found) = (0, false, String::new(), false);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                depth += 1;
                inside = !found && start.name().as_ref() == name;
                found |= inside;
            }
            Event::End(_) => {
                depth -= 1;
                inside = false;
            }
            Event::Text(part) if inside => text.push_str(part.as_ref()),
            Event::GeneralRef(entity) if inside => {
                let name = entity.as_ref();
                let resolved = match entity.resolve_char_ref().expect("a character") {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_xml_entity(name).expect("known").to_owned(),
                };
                text.push_str(&resolved);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{xml}");
    assert!(found, "no {name} in {xml}");
    text
}

fn carried(text: &str) -> String {
    let illegal = |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if illegal(c) { '\u{fffd}' } else { c }).collect()
}

#[test]
fn success_envelope() {
    let mut xml = Xml::new();
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", "ASIA");
        xml.time("Expiration", Timestamp::from_secs(0));
    });
    xml.optional("SourceIdentity", None::<&str>);
    xml.optional("Arn", Some("a&b"));
    xml.value("PackedPolicySize", 7);
    xml.texts("Keys", ["a", "<b>"]);
    xml.list("Tags", [("k", "v")], |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
    xml.list("Empty", Vec::<()>::new(), |_, ()| ());
    xml.policy("PolicyDocument", r#"{"a": "b~"}"#);
    assert_eq!(
        success(Namespace::STS, "AssumeRole", Some(&xml), "id"),
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId>\
         <Expiration>1970-01-01T00:00:00Z</Expiration></Credentials><Arn>a&amp;b</Arn>\
         <PackedPolicySize>7</PackedPolicySize>\
         <Keys><member>a</member><member>&lt;b&gt;</member></Keys>\
         <Tags><member><Key>k</Key><Value>v</Value></member></Tags><Empty></Empty>\
         <PolicyDocument>%7B%22a%22%3A%20%22b~%22%7D</PolicyDocument></AssumeRoleResult>\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></AssumeRoleResponse>"
    );
}

#[test]
fn an_action_without_output_has_no_result() {
    assert_eq!(
        success(Namespace::IAM, "DeleteRole", None, "id"),
        "<DeleteRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteRoleResponse>"
    );
}

#[test]
fn error_envelope() {
    assert_eq!(
        error(Namespace::STS, "Sender", "AccessDenied", "no </Message>", "id"),
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>AccessDenied</Code><Message>no &lt;/Message&gt;</Message>\
         </Error><RequestId>id</RequestId></ErrorResponse>"
    );
}

#[test]
fn text_stays_text() {
    for text in [
        "</Arn><Arn>",
        "a\r\nSet-Cookie: b",
        "\t\n\r",
        "]]>",
        "<![CDATA[x]]>",
        "<!-- x -->",
        "&lt;",
        "&#0;",
        "a\0b\u{1}\u{b}\u{1f}",
        "\u{fffe}\u{ffff}",
        "\u{85}\u{2028}\u{7f}",
        "'\"",
        "  leading",
        "😀",
    ] {
        let mut xml = Xml::new();
        xml.text("Arn", text);
        assert!(!xml.as_str().contains(['\r', '\n', '\t', '\0']), "{text:?}");
        let answer = success(Namespace::STS, "A", Some(&xml), "id");
        assert_eq!(read_back(&answer, "Arn"), carried(text), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_well_formed_and_reads_back(text in any::<String>()) {
        let mut xml = Xml::new();
        xml.text("T", &text);
        let answer = success(Namespace::IAM, "A", Some(&xml), &text);
        prop_assert_eq!(read_back(&answer, "T"), carried(&text));
        prop_assert_eq!(read_back(&answer, "RequestId"), carried(&text));
        let answer = error(Namespace::IAM, "Sender", "C", &text, "id");
        prop_assert_eq!(read_back(&answer, "Message"), carried(&text));
    }

    #[test]
    fn percent_encoding_is_plain_ascii(text in any::<String>()) {
        let encoded = percent_encode(&text);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
    }
}
