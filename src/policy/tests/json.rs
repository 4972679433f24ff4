//! The JSON reader.

use proptest::prelude::*;

use crate::policy::parse::json::{self, Json};
use crate::policy::{DocumentKind, JsonProblem, MAX_DEPTH, Policy, Reason};

fn problem(text: &str) -> JsonProblem {
    match Policy::parse(text, DocumentKind::Identity).map_err(|error| error.reason) {
        Err(Reason::Json { problem, .. }) => problem,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_is_not_json_is_refused() {
    use JsonProblem::{ControlCharacter, Escape, TrailingData, Truncated, Unexpected};
    for (text, expected) in [
        ("", Truncated),
        (" ", Truncated),
        ("{", Truncated),
        (r#"{"Version""#, Truncated),
        (r#"{"Version":"#, Truncated),
        (r#"{"Version":"x"#, Truncated),
        ("{,}", Unexpected),
        (r#"{"Version":"x",}"#, Unexpected),
        (r#"{"Version":[1,]}"#, Unexpected),
        ("{Version:1}", Unexpected),
        ("{'Version':1}", Unexpected),
        ("\u{feff}{}", Unexpected),
        ("{} {}", TrailingData),
        ("{}\u{0}", TrailingData),
        ("{}//", TrailingData),
        ("\u{a0}{}", Unexpected),
        (r#"{"Version":01}"#, Unexpected),
        (r#"{"Version":+1}"#, Unexpected),
        (r#"{"Version":.5}"#, Unexpected),
        (r#"{"Version":1.}"#, Unexpected),
        (r#"{"Version":1e}"#, Unexpected),
        (r#"{"Version":-}"#, Unexpected),
        (r#"{"Version":0x1}"#, Unexpected),
        (r#"{"Version":NaN}"#, Unexpected),
        (r#"{"Version":True}"#, Unexpected),
        (r#"{"Version":truely}"#, Unexpected),
        ("{\"Version\":\"a\nb\"}", ControlCharacter),
        ("{\"Version\":\"a\u{0}b\"}", ControlCharacter),
        (r#"{"Version":"\x41"}"#, Escape),
        (r#"{"Version":"\u12"}"#, Escape),
        (r#"{"Version":"\u+123"}"#, Escape),
        (r#"{"Version":"\ud800"}"#, Escape),
        (r#"{"Version":"\ud800\ud800"}"#, Escape),
        (r#"{"Version":"\udc00\ud800"}"#, Escape),
        (r#"{"Version":"\ud800x"}"#, Escape),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
}

#[test]
fn escapes_are_read_and_do_not_hide_duplicates() {
    let text = r#"{"St\u0061tement":{"Effect":"\u0041llow","Action":"s3:\u002a","Resource":"*","Sid":"a"}}"#;
    assert!(Policy::parse(text, DocumentKind::Identity).is_ok());
    let doubled = r#"{"Statement":[{}],"St\u0061tement":[{}]}"#;
    let error = Policy::parse(doubled, DocumentKind::Identity).unwrap_err();
    assert_eq!(error.reason, Reason::DuplicateKey);
    let smile =
        r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::\ud83d\ude00"}}"#;
    assert!(Policy::parse(smile, DocumentKind::Identity).is_ok());
    for (text, expected) in [
        (r#""\ud800\udc00""#, "\u{10000}"),
        (r#""\ud83d\ude00""#, "\u{1f600}"),
        (r#""\uDBFF\uDFFF""#, "\u{10ffff}"),
        (r#""\ud7ff\ue000""#, "\u{d7ff}\u{e000}"),
        (r#""\"\\\/\b\f\n\r\t\u0001""#, "\"\\/\u{8}\u{c}\n\r\t\u{1}"),
    ] {
        assert_eq!(json::parse(text), Ok(Json::Text(expected.to_owned())), "{text}");
    }
}

#[test]
fn numbers_keep_their_text() {
    for text in ["0", "-0", "10", "1.50", "1e5", "1E5", "2e+07", "2E-1", "0.0e0"] {
        assert_eq!(json::parse(text), Ok(Json::Number(text.to_owned())));
    }
    for text in ["1eE5", "1Ee5", "1e+-5", "1e++5", "1e-", "--1", "00", "1.e5", "1..5"] {
        assert!(json::parse(text).is_err(), "{text}");
    }
}

/// M43: depth costs nothing, and long runs are refused before they are read.
#[test]
fn museum_m43_depth_is_bounded() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |depth: usize| {
            format!(r#"{{"Statement":{}1{}}}"#, open.repeat(depth), close.repeat(depth))
        };
        assert_eq!(problem(&nested(MAX_DEPTH)), JsonProblem::TooDeep);
        assert!(
            !Policy::parse(&nested(MAX_DEPTH - 1), DocumentKind::Identity)
                .is_err_and(|error| matches!(error.reason, Reason::Json { .. }))
        );
        assert_eq!(problem(&nested(9_000)), JsonProblem::TooDeep);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    /// Two readers agree: what we take, serde_json takes too, and finds the same in it.
    #[test]
    fn what_we_read_serde_json_reads_alike(text in r#"[\[\]{}:,"a0-9 .eE+\\untrlsf\-]{0,24}"#) {
        let ours = crate::policy::parse::json::parse(&text);
        let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert!(same(&ours, &theirs), "{ours:?} {theirs:?}"),
            // Numbers beyond a float's range are text to us.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range")),
            // We refuse double keys and depth.
            (Err(error), Ok(_)) => prop_assert!(error.reason == Reason::DuplicateKey, "{error}"),
            (Err(_), Err(_)) => {}
        }
    }
}

fn same(ours: &crate::policy::parse::json::Json, theirs: &serde_json::Value) -> bool {
    use crate::policy::parse::json::Json;
    use serde_json::Value;
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Bool(b)) => a == b,
        (Json::Text(a), Value::String(b)) => a == b,
        (Json::Number(a), Value::Number(b)) => {
            a.parse::<f64>().unwrap().to_bits() == b.as_f64().unwrap().to_bits() || a == "-0"
        }
        (Json::List(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Map(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}
