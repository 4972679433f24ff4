//! Operators whose operands have a type: numbers, dates, addresses, bytes, truth values, ARNs.

use super::conditions::Holds::{No, Undecided, Yes};
use super::conditions::{Holds, operator};
use super::fixture::about;
use crate::policy::{DocumentKind, Policy, Reason};

fn refused(name: &str, operand: &str) -> bool {
    let statement = about("Allow", &format!(r#"{{"{name}":{{"k:ey":{operand}}}}}"#));
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
    match Policy::parse(&text, DocumentKind::Identity) {
        Ok(_) => false,
        Err(error) => {
            assert!(
                error.path.starts_with(&format!(r#"$.Statement.Condition.{name}["k:ey"]"#)),
                "{error}"
            );
            matches!(error.reason, Reason::Operand { .. } | Reason::OneOperand | Reason::Empty)
        }
    }
}

#[test]
fn numbers_compare_exactly() {
    let rows: [(&str, &str, &str, Holds); 17] = [
        ("NumericEquals", "10", "10.00", Yes),
        ("NumericEquals", "010", "10", No),
        ("NumericEquals", "-0", "0.0", Yes),
        ("NumericEquals", "9007199254740993", "9007199254740992", No),
        ("NumericEquals", "9007199254740993", "9007199254740993", Yes),
        ("NumericEquals", "0.1", "0.10000000000000000001", No),
        ("NumericLessThan", "10", "9.999999999999999999999", Yes),
        ("NumericLessThan", "10", "10", No),
        ("NumericLessThanEquals", "10", "10.0", Yes),
        ("NumericGreaterThan", "-2", "-1.5", Yes),
        ("NumericGreaterThan", "-2", "-10", No),
        ("NumericGreaterThanEquals", "100", "99", No),
        ("NumericGreaterThanEquals", "9", "10", Yes),
        ("NumericEquals", "5", "5 ", Undecided),
        ("NumericEquals", "5", "5abc", Undecided),
        ("NumericNotEquals", "5", "five", Undecided),
        ("NumericLessThan", "5", "", Undecided),
    ];
    for (name, operand, value, expected) in rows {
        if operand == "010" {
            // Not a JSON number; as text it is ten.
            assert_eq!(operator(name, r#""010""#, Some(value)), Yes);
            continue;
        }
        for operand in [operand.to_owned(), format!("{operand:?}")] {
            assert_eq!(operator(name, &operand, Some(value)), expected, "{operand} {value}");
        }
    }
}

#[test]
fn malformed_numbers_are_refused() {
    for operand in [
        r#""10abc""#,
        r#""""#,
        r#"" 1""#,
        r#""1 ""#,
        r#""+1""#,
        r#""1.""#,
        r#"".5""#,
        r#""1e3""#,
        "1e3",
        r#""0x10""#,
        r#""NaN""#,
        r#""Infinity""#,
        r#""1,000""#,
        r#""--1""#,
        r#""١""#,
        "true",
        r#""${aws:x}""#,
    ] {
        assert!(refused("NumericEquals", operand), "{operand}");
    }
}

#[test]
fn dates_are_iso_8601_or_epoch_seconds() {
    for (name, operand, value, expected) in [
        ("DateEquals", "2020-04-01T00:00:00Z", "1585699200", Yes),
        ("DateEquals", "1585699200", "2020-04-01T02:00:00+02:00", Yes),
        ("DateEquals", "1585699200", "2020-04-01T05:30:00+05:30", Yes),
        ("DateEquals", "1585699200", "2020-03-31T16:15:00-07:45", Yes),
        ("DateEquals", "2020-04-01", "2020-04-01T00:00Z", Yes),
        ("DateLessThan", "2020-04-01T00:00:00.123456789Z", "2020-04-01T00:00:00.123456788Z", Yes),
        ("DateEquals", "2020-04", "2020-04-01T00:00:00.000Z", Yes),
        ("DateNotEquals", "2020-04-01", "2020-04-01T00:00:00.5Z", Yes),
        ("DateLessThan", "2020-04-01T00:00:00.1Z", "2020-04-01T00:00:00.05Z", Yes),
        ("DateGreaterThan", "2020-04-01T00:00:00-01:00", "2020-04-01T00:30:00Z", No),
        ("DateGreaterThanEquals", "2020-04-01T00:00:00Z", "2020-04-01T00:00:00Z", Yes),
        ("DateLessThanEquals", "1969-12-31T23:59:59Z", "-1", Yes),
        ("DateLessThan", "2030-01-01T00:00:00Z", "yesterday", Undecided),
        ("DateNotEquals", "2030-01-01T00:00:00Z", "2030-13-01T00:00:00Z", Undecided),
    ] {
        assert_eq!(
            operator(name, &format!("{operand:?}"), Some(value)),
            expected,
            "{name} {operand} {value}"
        );
    }
}

#[test]
fn malformed_dates_are_refused() {
    for operand in [
        "",
        "2020",
        "20200401",
        "2020-4-1",
        "2020-02-30",
        "2020-04-01T00:00:00",
        "2020-04-01T24:00:00Z",
        "2020-04-01T00:60:00Z",
        "2020-04-01T00:00:60Z",
        "2020-04-01 00:00:00Z",
        "2020-04-01T00Z",
        "2020-04-01T00:00:00z",
        "2020-04-01T00:00:00.Z",
        "2020-04-01T00:00:00.1234567890Z",
        "2020-04-01T00:00.5Z",
        "2020-*",
        "tomorrow",
        "2020-04-01T00:00:00+0200",
        "2020-04-01T00:00:00+24:00",
        "2020-04T00:00:00Z",
        "1.5",
        "${aws:CurrentTime}",
        "9999999999999999",
        "2020-04-01T",
        "T00:00Z",
        "2020-04-01T00:00:00ZZ",
    ] {
        if operand == "20200401" {
            assert!(!refused("DateEquals", r#""20200401""#), "seconds");
            continue;
        }
        assert!(refused("DateEquals", &format!("{operand:?}")), "{operand}");
    }
}

#[test]
fn addresses_compare_as_addresses() {
    for (name, operands, value, expected) in [
        ("IpAddress", r#""203.0.113.0/24""#, "203.0.113.255", Yes),
        ("IpAddress", r#""203.0.113.0/24""#, "203.0.114.0", No),
        ("IpAddress", r#""203.0.113.7""#, "203.0.113.7", Yes),
        ("IpAddress", r#""203.0.113.7""#, "203.0.113.8", No),
        ("IpAddress", r#""203.0.113.9/24""#, "203.0.113.1", Yes),
        ("IpAddress", r#""2001:DB8:1234:5678::/64""#, "2001:db8:1234:5678:0:0:0:1", Yes),
        ("IpAddress", r#""2001:db8::1""#, "2001:0db8:0000::0001", Yes),
        ("IpAddress", r#""2001:db8::1""#, "2001:db8::2", No),
        ("IpAddress", r#"["203.0.113.0/24","2001:db8::/32"]"#, "2001:db8::9", Yes),
        ("IpAddress", r#""0.0.0.0/0""#, "2001:db8::9", No),
        ("IpAddress", r#""::/0""#, "203.0.113.1", No),
        ("IpAddress", r#""203.0.113.0/24""#, "::ffff:203.0.113.1", Yes),
        ("IpAddress", r#""::ffff:203.0.113.0/120""#, "203.0.113.1", Yes),
        ("IpAddress", r#""::ffff:203.0.113.0/120""#, "203.0.114.1", No),
        ("IpAddress", r#""::ffff:0:0/96""#, "203.0.113.1", Yes),
        ("IpAddress", r#""::/80""#, "203.0.113.1", No),
        ("NotIpAddress", r#""::ffff:203.0.113.7""#, "203.0.113.7", No),
        ("NotIpAddress", r#""203.0.113.0/24""#, "2001:db8::9", Yes),
        ("IpAddress", r#""203.0.113.0/24""#, "203.0.113.1:443", Undecided),
        ("NotIpAddress", r#""203.0.113.0/24""#, "", Undecided),
        ("NotIpAddress", r#""203.0.113.0/24""#, "203.0.113.1, 198.51.100.1", Undecided),
    ] {
        assert_eq!(operator(name, operands, Some(value)), expected, "{name} {operands} {value}");
    }
}

#[test]
fn malformed_networks_are_refused() {
    for operand in [
        "",
        "203.0.113",
        "203.0.113.0/33",
        "203.0.113.0/",
        "203.0.113.0/-1",
        "203.0.113.*",
        "256.0.0.1",
        "010.0.0.1",
        "010.0.0.0/8",
        "::ffff:010.0.0.0/104",
        "10.0.0.0/08",
        "10.0.0.0/00",
        "10.0.0.0/+8",
        "10.0.0.0/8 ",
        "/8",
        "2001:db8::/129",
        "2001:db8::1%eth0",
        "[::1]",
        "localhost",
        "203.0.113.0/255.255.255.0",
        "${aws:SourceIp}",
        "::ffff:203.0.113.0/24/1",
    ] {
        assert!(refused("IpAddress", &format!("{operand:?}")), "{operand}");
    }
}

#[test]
fn binary_values_compare_decoded_and_case_sensitively() {
    for (operand, value, expected) in [
        ("QmluYXJ5", "QmluYXJ5", Yes),
        ("QmluYXJ5", "qmluyxj5", No),
        ("QmluYXJ5", "Binary", Undecided),
        ("QmluYXJ5", "QmluYXJ5=", Undecided),
    ] {
        assert_eq!(operator("BinaryEquals", &format!("{operand:?}"), Some(value)), expected);
    }
    // Whatever is no other base64 decides nothing: the ends of each range of characters, and what
    // stands beside them, in each place of a last group.
    let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    for c in "AMZaegz0489+/=@[`{:-_. ".chars() {
        for (value, whole) in [
            (format!("{c}AAAQQ=="), is_digit(c)),
            (format!("QQ{c}A"), is_digit(c)),
            (format!("QQA{c}"), is_digit(c) || c == '='),
            (format!("{c}Q=="), is_digit(c)),
            (format!("{c}QA="), is_digit(c)),
            (format!("A{c}=="), matches!(c, 'A' | 'Q' | 'g' | 'w')),
            (format!("AA{c}="), "AEIMQUYcgkosw048".contains(c) || c == '='),
            (format!("AA=={c}"), false),
        ] {
            let expected = if whole { No } else { Undecided };
            assert_eq!(
                operator("BinaryEquals", r#""QmluYXJ5""#, Some(&value)),
                expected,
                "{value}"
            );
        }
    }
    for operand in ["QQ", "QQ=", "QR==", "Q Q==", "-_-_", "${aws:x}"] {
        assert!(refused("BinaryEquals", &format!("{operand:?}")), "{operand}");
    }
}

#[test]
fn truth_values_are_one_true_or_false() {
    for (operand, value, expected) in [
        ("true", "true", Yes),
        (r#""True""#, "TRUE", Yes),
        ("true", "false", No),
        (r#""false""#, "false", Yes),
        ("true", "1", Undecided),
        ("false", "", Undecided),
    ] {
        assert_eq!(operator("Bool", operand, Some(value)), expected, "{operand} {value}");
    }
    for operand in ["1", "0", r#""yes""#, r#""""#, r#"["true","false"]"#, "[]", r#""${aws:x}""#] {
        assert!(refused("Bool", operand), "{operand}");
        assert!(refused("Null", operand), "{operand}");
    }
}

#[test]
fn arns_match_component_by_component() {
    let like =
        |operand: &str, value: &str| operator("ArnLike", &format!("{operand:?}"), Some(value));
    for (operand, value, expected) in [
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b/c", Yes),
        ("arn:aws:sns:*:111111111111:t", "arn:aws:sns:eu-west-1:111111111111:t", Yes),
        // The example of the guide: a string operator would match.
        (
            "arn:aws:someservice:*:111122223333:finance/*",
            "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
            No,
        ),
        ("arn:aws:*:*:*:x", "arn:aws:s3:eu:111111111111:y:x", No),
        ("arn:aws:iam::?11111111111:role/a", "arn:aws:iam::111111111111:role/a", Yes),
        ("arn:*:iam::111111111111:role/*", "arn:aws:iam::111111111111:role/a/b", Yes),
        ("*", "arn:aws:iam::111111111111:role/a", Yes),
        ("arn:aws:s3:::b", "not-an-arn", Undecided),
        ("*", "not-an-arn", Undecided),
        ("arn:aws:s3:::b", "ARN:aws:s3:::b", Undecided),
    ] {
        assert_eq!(like(operand, value), expected, "{operand} {value}");
    }
    for operand in
        ["", "arn", "arn:aws:s3", "bucket", "**", "*:aws:s3:::b", "arn:*", "arn:aws:${aws:x}"]
    {
        assert!(refused("ArnLike", &format!("{operand:?}")), "{operand}");
    }
}
