//! Hostile sizes. A test here that takes long has failed.

use super::fixture::*;
use crate::policy::wildcard::Pattern;
use crate::policy::{Context, DocumentKind, HARD_CAP_BYTES, Policy, Reason, Value};

#[test]
fn many_stars_cost_no_more_than_one() {
    let text = "a".repeat(60_000);
    for pattern in [
        format!("{}b", "*a".repeat(3_000)),
        format!("{}b", "a*".repeat(3_000)),
        format!("*{}b", "?*".repeat(3_000)),
        format!("{}*b", "?".repeat(3_000)),
        format!("*{}b*", "a".repeat(3_000)),
    ] {
        assert!(!Pattern::parse(&pattern).matches(&text), "{pattern:.20}");
    }
    assert!(Pattern::parse(&"*a".repeat(3_000)).matches(&text));
}

/// A sixty-fourth of the product, at most: tried at each place, each of these is a hundred million
/// steps.
#[test]
fn long_chunks_with_question_marks_are_bearable() {
    let text = "a".repeat(20_000);
    for chunk in ["a?".repeat(5_000), format!("?{}", "a".repeat(10_000))] {
        for end in ["b", "\u{e9}"] {
            assert!(!Pattern::parse(&format!("*{chunk}{end}*")).matches(&text));
        }
        assert!(Pattern::parse(&format!("*{chunk}a*")).matches(&text));
    }
}

/// Different characters cost no more than alike ones: with a bit for each pair of them, each of these
/// is a thousand million steps.
#[test]
fn long_chunks_of_different_characters_are_bearable() {
    let different: String = (0x4e00..0x9e00).filter_map(char::from_u32).collect();
    bearable(|| {
        let pattern = Pattern::parse(&format!("*?{different}*"));
        assert!(!pattern.matches("arn:aws:s3:::bucket/key"));
        assert!(!pattern.matches(&different));
        assert!(!pattern.matches(&different.replace('\u{5000}', "a").repeat(2)));
        assert!(pattern.matches(&format!("xyz{different}z")));
    });
}

#[test]
fn as_many_statements_as_fit_are_evaluated() {
    let statement = r#"{"Effect":"Deny","Action":"s3:*a*a*b","Resource":"*"}"#;
    let list = |count: usize| format!(r#"{{"Statement":[{}]}}"#, vec![statement; count].join(","));
    let fits = (HARD_CAP_BYTES - 20) / (statement.len() + 1);
    let policy = Policy::parse(&list(fits), DocumentKind::Identity).unwrap();
    assert_eq!(policy.statements(), fits);
    let world = World { identity: vec![policy], ..World::default() };
    let action = format!("s3:{}", "a".repeat(10_000));
    assert!(!world.ask(&user(), &action, RESOURCE).is_allowed());
    let error = Policy::parse(&list(10_000), DocumentKind::Identity).unwrap_err();
    assert_eq!(error.reason, Reason::TooLong { limit: HARD_CAP_BYTES });
}

#[test]
fn long_values_of_every_type_are_read_in_linear_time() {
    let digits = "9".repeat(60_000);
    let mut context = Context::new();
    for value in [digits.clone(), format!("0.{digits}"), "::".repeat(30_000), "Q".repeat(60_000)] {
        context.insert("k:ey", Value::One(value));
        for condition in [
            r#"{"NumericLessThan":{"k:ey":0}}"#,
            r#"{"DateLessThan":{"k:ey":"2020-01-01"}}"#,
            r#"{"IpAddress":{"k:ey":"10.0.0.0/8"}}"#,
            r#"{"BinaryEquals":{"k:ey":"QQ=="}}"#,
            r#"{"ArnLike":{"k:ey":"arn:aws:s3:::*"}}"#,
            r#"{"Bool":{"k:ey":true}}"#,
        ] {
            let world = World {
                identity: vec![identity(&about("Allow", condition))],
                context: context.clone(),
                ..World::default()
            };
            assert!(!world.decide(&user()).is_allowed(), "{condition}");
        }
    }
}

#[test]
fn a_long_key_does_not_make_a_long_error() {
    let text = format!(r#"{{"{}":1}}"#, "x\\u0001".repeat(5_000));
    let error = Policy::parse(&text, DocumentKind::Identity).unwrap_err();
    assert!(error.to_string().len() < 2_000);
}

#[test]
fn policies_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Policy>();
}
