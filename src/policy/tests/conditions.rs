//! Condition operators, quantifiers and absent keys.

use super::fixture::*;
use crate::policy::{Context, Effect};

/// What a condition makes of an `Allow` and of a `Deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    No,
    /// Not decided: the `Allow` does not apply, the `Deny` does.
    Undecided,
}
use Holds::{No, Undecided, Yes};

/// Whether a `Condition` element holds of a context.
pub(super) fn holds(condition: &str, context: &Context) -> Holds {
    let allows = World {
        identity: vec![identity(&about("Allow", condition))],
        context: context.clone(),
        ..World::default()
    };
    let denies = World { identity: vec![identity(&about("Deny", condition))], ..allows.clone() };
    let allowed = allows.decide(&user()).is_allowed();
    let denied = denies.decide(&user()).effect() == Effect::ExplicitDeny;
    match (allowed, denied) {
        (true, true) => Yes,
        (false, false) => No,
        (false, true) => Undecided,
        (true, false) => panic!("allows what it cannot deny: {condition}"),
    }
}

/// Whether an operator with operands (JSON) holds of `k:ey`, absent when `None`.
pub(super) fn operator(name: &str, operands: &str, value: Option<&str>) -> Holds {
    let context = match value {
        Some(value) => Context::new().with("k:ey", value),
        None => Context::new(),
    };
    holds(&format!(r#"{{"{name}":{{"k:ey":{operands}}}}}"#), &context)
}

fn many(name: &str, operands: &str, values: &[&str]) -> Holds {
    let context = Context::new().with_many("k:ey", values.iter().copied());
    holds(&format!(r#"{{"{name}":{{"k:ey":{operands}}}}}"#), &context)
}

#[test]
fn operators_and_keys_are_anded_and_values_ored() {
    let context = Context::new().with("k:one", "a").with("k:two", "b");
    for (condition, expected) in [
        (r#"{"StringEquals":{"k:one":["x","a"],"k:two":"b"}}"#, Yes),
        (r#"{"StringEquals":{"k:one":"a","k:two":"x"}}"#, No),
        (r#"{"StringEquals":{"k:one":"a"},"StringLike":{"k:two":"b*"}}"#, Yes),
        (r#"{"StringEquals":{"k:one":"a"},"StringLike":{"k:two":"x*"}}"#, No),
        ("{}", Yes),
    ] {
        assert_eq!(holds(condition, &context), expected, "{condition}");
    }
}

#[test]
fn negated_operators_are_nor_over_their_values() {
    for (name, operands, value, expected) in [
        ("StringNotEquals", r#"["a","b"]"#, "a", No),
        ("StringNotEquals", r#"["a","b"]"#, "b", No),
        ("StringNotEquals", r#"["a","b"]"#, "c", Yes),
        ("StringNotLike", r#"["a*","b*"]"#, "b1", No),
        ("StringNotLike", r#"["a*","b*"]"#, "c1", Yes),
        ("NumericNotEquals", "[1, 2]", "2.0", No),
        ("NumericNotEquals", "[1, 2]", "3", Yes),
        ("NotIpAddress", r#"["10.0.0.0/8","2001:db8::/32"]"#, "10.9.9.9", No),
        ("NotIpAddress", r#"["10.0.0.0/8","2001:db8::/32"]"#, "2001:db8::1", No),
        ("NotIpAddress", r#"["10.0.0.0/8","2001:db8::/32"]"#, "192.0.2.1", Yes),
        (
            "ArnNotLike",
            r#"["arn:aws:iam::1*:role/a","arn:aws:iam::*:role/b"]"#,
            "arn:aws:iam::111111111111:role/b",
            No,
        ),
    ] {
        assert_eq!(operator(name, operands, Some(value)), expected, "{name} {operands} {value}");
    }
}

/// Positive, negated, and what an operand for them is.
const OPERATORS: [(&str, &str, &str); 26] = [
    ("StringEquals", "+", "a"),
    ("StringNotEquals", "-", "a"),
    ("StringEqualsIgnoreCase", "+", "a"),
    ("StringNotEqualsIgnoreCase", "-", "a"),
    ("StringLike", "+", "a"),
    ("StringNotLike", "-", "a"),
    ("NumericEquals", "+", "1"),
    ("NumericNotEquals", "-", "1"),
    ("NumericLessThan", "+", "1"),
    ("NumericLessThanEquals", "+", "1"),
    ("NumericGreaterThan", "+", "1"),
    ("NumericGreaterThanEquals", "+", "1"),
    ("DateEquals", "+", "2020-01-01"),
    ("DateNotEquals", "-", "2020-01-01"),
    ("DateLessThan", "+", "2020-01-01"),
    ("DateLessThanEquals", "+", "2020-01-01"),
    ("DateGreaterThan", "+", "2020-01-01"),
    ("DateGreaterThanEquals", "+", "2020-01-01"),
    ("Bool", "+", "true"),
    ("BinaryEquals", "+", "QQ=="),
    ("IpAddress", "+", "10.0.0.1"),
    ("NotIpAddress", "-", "10.0.0.1"),
    ("ArnEquals", "+", "arn:aws:s3:::a"),
    ("ArnLike", "+", "arn:aws:s3:::a"),
    ("ArnNotEquals", "-", "arn:aws:s3:::a"),
    ("ArnNotLike", "-", "arn:aws:s3:::a"),
];

#[test]
fn an_absent_key_fails_positive_and_meets_negated_operators_and_if_exists() {
    for (name, sign, operand) in OPERATORS {
        let operand = format!(r#""{operand}""#);
        let absent = |name: &str| operator(name, &operand, None);
        assert_eq!(absent(name), if sign == "-" { Yes } else { No }, "{name}");
        assert_eq!(absent(&format!("{name}IfExists")), Yes, "{name}IfExists");
        assert_eq!(absent(&format!("ForAllValues:{name}")), Yes, "ForAllValues:{name}");
        assert_eq!(absent(&format!("ForAnyValue:{name}")), No, "ForAnyValue:{name}");
        assert_eq!(absent(&format!("ForAllValues:{name}IfExists")), Yes);
        assert_eq!(absent(&format!("ForAnyValue:{name}IfExists")), Yes);
    }
}

#[test]
fn an_empty_multivalued_key_is_absent() {
    for (name, sign, operand) in OPERATORS {
        let operand = format!(r#""{operand}""#);
        assert_eq!(many(name, &operand, &[]), if sign == "-" { Yes } else { No }, "{name}");
        assert_eq!(many(&format!("ForAllValues:{name}"), &operand, &[]), Yes);
        assert_eq!(many(&format!("ForAnyValue:{name}"), &operand, &[]), No);
    }
    assert_eq!(many("Null", "true", &[]), Yes);
    assert_eq!(many("Null", "false", &[]), No);
}

#[test]
fn if_exists_compares_what_exists() {
    assert_eq!(operator("StringEqualsIfExists", r#""a""#, Some("a")), Yes);
    assert_eq!(operator("StringEqualsIfExists", r#""a""#, Some("b")), No);
    assert_eq!(operator("StringNotEqualsIfExists", r#""a""#, Some("a")), No);
}

#[test]
fn for_all_values_wants_every_and_for_any_value_one() {
    let tags = r#"["a","b","c"]"#;
    for (name, values, expected) in [
        ("ForAllValues:StringEquals", &["a", "b"][..], Yes),
        ("ForAllValues:StringEquals", &["a", "x"], No),
        ("ForAnyValue:StringEquals", &["a", "x"], Yes),
        ("ForAnyValue:StringEquals", &["y", "x"], No),
        ("ForAllValues:StringLike", &["a", "c"], Yes),
        ("ForAllValues:StringNotEquals", &["y", "x"], Yes),
        ("ForAllValues:StringNotEquals", &["a", "x"], No),
        ("ForAnyValue:StringNotEquals", &["a", "x"], Yes),
        ("ForAnyValue:StringNotEquals", &["a", "b"], No),
    ] {
        assert_eq!(many(name, tags, values), expected, "{name} {values:?}");
    }
    // A single-valued key is a set of one.
    assert_eq!(operator("ForAnyValue:StringEquals", tags, Some("b")), Yes);
    assert_eq!(operator("ForAllValues:StringEquals", tags, Some("x")), No);
}

#[test]
fn an_empty_text_under_a_quantifier_is_decided_only_when_both_readings_agree() {
    for (name, operands, expected) in [
        ("ForAllValues:StringEquals", r#""a""#, Undecided),
        ("ForAllValues:StringEquals", r#""""#, Yes),
        ("ForAnyValue:StringEquals", r#""a""#, No),
        ("ForAnyValue:StringEquals", r#""""#, Undecided),
    ] {
        assert_eq!(many(name, operands, &[""]), expected, "{name} {operands}");
    }
}

#[test]
fn a_multivalued_key_does_not_match_a_plain_operator() {
    for values in [&["a"][..], &["a", "b"]] {
        for name in ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"] {
            assert_eq!(many(name, r#""a""#, values), Undecided, "{name} {values:?}");
            assert_eq!(many(name, r#""x""#, values), Undecided, "{name} {values:?}");
        }
    }
}

#[test]
fn null_is_about_presence() {
    for (operand, value, expected) in [
        ("true", None, Yes),
        ("false", None, No),
        (r#""true""#, Some("v"), No),
        (r#""false""#, Some("v"), Yes),
        ("true", Some(""), Undecided),
        ("false", Some(""), Undecided),
    ] {
        assert_eq!(operator("Null", operand, value), expected, "{operand} {value:?}");
    }
    assert_eq!(many("Null", "false", &["a", "b"]), Yes);
}

#[test]
fn condition_keys_are_case_insensitive_with_their_tag_keys() {
    let context = Context::new().with("AWS:PrincipalTag/CostCenter", "7");
    let condition = r#"{"StringEquals":{"aws:principaltag/costcenter":"7"}}"#;
    assert_eq!(holds(condition, &context), Yes);
    assert!(context.get("aws:PRINCIPALTAG/costCENTER").is_some());
    // The Kelvin sign is no k.
    let kelvin = Context::new().with("aws:PrincipalTag/\u{212a}ind", "7");
    assert!(kelvin.get("aws:PrincipalTag/kind").is_none());
}

#[test]
fn texts_and_arns_are_case_sensitive_unless_the_operator_says_otherwise() {
    for (name, operand, value, expected) in [
        ("StringEquals", "Admin", "admin", No),
        ("StringLike", "Admin*", "admin1", No),
        ("StringEqualsIgnoreCase", "Admin", "aDMIN", Yes),
        ("StringEqualsIgnoreCase", "ÉCOLE", "école", Yes),
        ("StringEqualsIgnoreCase", "kind", "\u{212a}ind", No),
        ("StringNotEqualsIgnoreCase", "Admin", "aDMIN", No),
        ("ArnLike", "arn:aws:s3:::Bucket", "arn:aws:s3:::bucket", No),
    ] {
        assert_eq!(operator(name, &format!("{operand:?}"), Some(value)), expected, "{name}");
    }
}

#[test]
fn a_variable_in_a_text_is_compared_without_case_too() {
    let condition = r#"{"StringEqualsIgnoreCase":{"k:ey":"${aws:username}-${k:team, 'Red'}"}}"#;
    for (value, expected) in [
        ("ALICE-rED", Yes),
        ("alice-red", Yes),
        ("alice-blue", No),
        ("bob-red", No),
        ("alice-red-", No),
        ("alice-re", No),
    ] {
        let context = Context::new().with("aws:username", "Alice").with("k:ey", value);
        assert_eq!(holds(condition, &context), expected, "{value}");
    }
    assert_eq!(holds(condition, &Context::new().with("k:ey", "alice-red")), No);
}

#[test]
fn only_like_and_arn_operators_have_wildcards() {
    for (name, operand, value, expected) in [
        ("StringEquals", "a*", "ab", No),
        ("StringEquals", "a*", "a*", Yes),
        ("StringEqualsIgnoreCase", "a?", "ab", No),
        ("StringLike", "a*", "ab", Yes),
        ("StringLike", "a?", "ab", Yes),
        ("StringLike", "a?", "a", No),
        ("ArnEquals", "arn:aws:s3:::a*", "arn:aws:s3:::ab", Yes),
        ("ArnNotEquals", "arn:aws:s3:::a*", "arn:aws:s3:::ab", No),
    ] {
        assert_eq!(operator(name, &format!("{operand:?}"), Some(value)), expected, "{name}");
    }
}
