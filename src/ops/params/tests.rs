use proptest::prelude::*;

use super::rules::*;
use super::*;
use crate::ops::fault::FaultCode;

fn params(query: &str) -> Params {
    Params::parse(Some(query), None).unwrap()
}

/// What a request is refused with.
fn refused<T>(query: &str, build: impl FnOnce(&mut Validator<'_, 'static>) -> T) -> String {
    // Leaked, so that what is built may borrow from it.
    let params: &'static Params = Box::leak(Box::new(params(query)));
    let fault = read(params, build).err().expect("refused");
    assert_eq!(fault.code(), FaultCode::ValidationError, "{}", fault.message());
    fault.message().to_owned()
}

#[test]
fn errors_in_aws_words() {
    let name = "Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have \
                length greater than or equal to 2";
    assert_eq!(
        refused("RoleSessionName=a", |v| v.required("RoleSessionName", &SESSION_NAME)),
        format!("1 validation error detected: {name}")
    );
    assert_eq!(
        refused("RoleSessionName=a", |v| {
            v.required("RoleArn", &ARN);
            v.required("RoleSessionName", &SESSION_NAME);
        }),
        format!(
            "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: \
             Member must not be null; {name}"
        )
    );
    // As STS was seen to answer: the pattern before the length.
    assert_eq!(
        refused("RoleArn=", |v| v.required("RoleArn", &ARN)),
        r"2 validation errors detected: Value '' at 'roleArn' failed to satisfy constraint: Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+; Value '' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20"
    );
    assert_eq!(
        refused("Status=on", |v| v.choice("Status", &[("Active", 1), ("Inactive", 2)])),
        "1 validation error detected: Value 'on' at 'status' failed to satisfy constraint: Member \
         must satisfy enum value set: [Active, Inactive]"
    );
    assert_eq!(
        refused("SAMLAssertion=x", |v| v.required("SAMLAssertion", &SAML_ASSERTION)),
        "1 validation error detected: Value at 'sAMLAssertion' failed to satisfy constraint: \
         Member must have length greater than or equal to 4"
    );
}

#[test]
fn texts() {
    let good = params("A=ab&B=&C=x%20y");
    let read = |name: &str, rule: &Text| read(&good, |v| v.optional(name, rule));
    assert_eq!(read("A", &SESSION_NAME).unwrap(), Some("ab"));
    assert_eq!(read("None", &SESSION_NAME).unwrap(), None);
    assert_eq!(read("B", &TAG_VALUE).unwrap(), Some(""));
    assert!(read("B", &SESSION_NAME).is_err());
    assert!(read("C", &SESSION_NAME).is_err());
    // Lengths are characters.
    let wide = format!("A={}", "é".repeat(256));
    assert!(super::read(&params(&wide), |v| v.required("A", &TAG_VALUE)).is_ok());
    let wider = format!("A={}", "é".repeat(257));
    assert!(super::read(&params(&wider), |v| v.required("A", &TAG_VALUE)).is_err());
}

#[test]
fn secrets_are_not_quoted() {
    for (name, rule) in [
        ("TokenCode", &TOKEN_CODE),
        ("WebIdentityToken", &WEB_IDENTITY_TOKEN),
        ("SAMLAssertion", &SAML_ASSERTION),
        ("Password", &PASSWORD),
    ] {
        let value = format!("canary%00{}", "x".repeat(100_001));
        let message = refused(&format!("{name}={value}"), |v| v.required(name, rule));
        assert!(!message.contains("canary"), "{message}");
        let query = format!("L.member.1={value}");
        let message = refused(&query, |v| v.texts("L", 0..=5, rule));
        assert!(!message.contains("canary"), "{message}");
    }
}

#[test]
fn quoted_values_are_cut_and_on_one_line() {
    let query = format!("RoleSessionName=%0d%0a%1b{}", "x".repeat(10_000));
    let message = refused(&query, |v| v.required("RoleSessionName", &SESSION_NAME));
    assert!(message.len() < 800 && !message.contains(char::is_control), "{message}");
    assert!(message.contains(r"\u{d}\u{a}\u{1b}xxx"), "{message}");
    let many = refused("", |v| (0..100).for_each(|_| _ = v.required("A", &ARN)));
    assert!(many.starts_with("100 validation errors detected: "), "{many}");
    assert_eq!(many.matches("must not be null").count(), 10);
}

#[test]
fn integers_are_strict() {
    for (text, expected) in [
        ("900", Some(900)),
        ("43200", Some(43200)),
        ("899", None),
        ("43201", None),
        ("", None),
        ("%2B900", None),
        ("+900", None),
        ("900+", None),
        ("900.0", None),
        ("9e2", None),
        ("0900", None),
        ("0x384", None),
        ("-900", None),
        ("٩٠٠", None),
        ("99999999999999999999", None),
        ("null", None),
    ] {
        let query = params(&format!("DurationSeconds={text}"));
        let number = read(&query, |v| v.integer("DurationSeconds", 900..=43_200));
        assert_eq!(number.ok().flatten(), expected, "{text:?}");
    }
    assert_eq!(read(&params(""), |v| v.integer("A", 1..=2)).unwrap(), None);
    for (text, expected) in [("0", Some(0)), ("-5", Some(-5)), ("-0", Some(0)), ("-", None)] {
        let query = params(&format!("A={text}"));
        let number = read(&query, |v| v.integer("A", i64::MIN..=i64::MAX));
        assert_eq!(number.ok().flatten(), expected, "{text:?}");
    }
    assert_eq!(
        refused("DurationSeconds=43201", |v| v.integer("DurationSeconds", 900..=43_200)),
        "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy \
         constraint: Member must have value less than or equal to 43200"
    );
}

#[test]
fn booleans_and_choices() {
    for (text, expected) in
        [("true", Some(true)), ("false", Some(false)), ("True", None), ("1", None), ("", None)]
    {
        let query = params(&format!("A={text}"));
        assert_eq!(read(&query, |v| v.boolean("A")).ok().flatten(), expected, "{text:?}");
    }
    let choices = [("RS256", 1), ("ES384", 2)];
    let read = |query: &str| read(&params(query), |v| v.required_choice("A", &choices));
    assert_eq!(read("A=ES384").unwrap(), Some(2));
    assert!(read("A=es384").is_err());
    assert!(read("").is_err());
}

#[test]
fn a_name_in_another_case_is_refused() {
    let fault = |query: &str| {
        let query = params(query);
        read(&query, |v| {
            v.optional("Policy", &SESSION_POLICY);
            v.integer("DurationSeconds", 900..=43_200);
            v.tags("Tags");
        })
        .expect_err("refused")
    };
    for query in ["policy=x", "DURATIONSECONDS=900", "tags.member.1.Key=a", "Tags.member.1.key=a"] {
        let fault = fault(query);
        assert_eq!(fault.code(), FaultCode::MalformedInput, "{query}: {}", fault.message());
    }
}

#[test]
fn unknown_parameters_are_ignored() {
    let query = params("MinimumSessionTokenSize=1&Unheard.member.1=x&A=ab");
    assert_eq!(read(&query, |v| v.required("A", &SESSION_NAME)).unwrap(), "ab");
}

#[test]
fn tags() {
    let query = params(
        "Tags.member.1.Key=k&Tags.member.1.Value=&Tags.member.2.Key=é%20:/&Tags.member.2.Value=v",
    );
    let expected = [Tag { key: "k", value: "" }, Tag { key: "é :/", value: "v" }];
    assert_eq!(read(&query, |v| v.tags("Tags")).unwrap(), expected);
    assert!(read(&params("Tags="), |v| v.tags("Tags")).unwrap().is_empty());
    assert!(read(&params(""), |v| v.tags("Tags")).unwrap().is_empty());
    assert!(read(&params(""), |v| v.required_tags("Tags")).is_err());
    assert_eq!(
        refused("Tags.member.1.Key=a!&Tags.member.1.Value=v", |v| v.tags("Tags")),
        r"1 validation error detected: Value 'a!' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+"
    );
    assert_eq!(
        refused("Tags.member.1.Key=a", |v| v.tags("Tags")),
        "1 validation error detected: Value null at 'tags.1.member.value' failed to satisfy \
         constraint: Member must not be null"
    );
    // A text where a structure belongs.
    assert!(refused("Tags.member.1=a", |v| v.tags("Tags")).starts_with("2 validation errors"));
    let many: Vec<String> =
        (1..=51).map(|n| format!("Tags.member.{n}.Key=k{n}&Tags.member.{n}.Value=v")).collect();
    assert!(read(&params(&many[..50].join("&")), |v| v.tags("Tags")).is_ok());
    assert_eq!(
        refused(&many.join("&"), |v| v.tags("Tags")),
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must \
         have length less than or equal to 50"
    );
}

#[test]
fn tag_keys_differ_and_are_not_aws_own() {
    let check = |keys: &[&'static str]| check_tag_keys(keys.iter().copied(), TagFault::Iam);
    assert!(check(&["team", "project", "awsome"]).is_ok());
    for bad in [&["team", "TEAM"][..], &["é", "É"], &["a", "a"], &["aws:x"], &["AWS:x"]] {
        let fault = check(bad).expect_err("refused");
        assert_eq!(fault.code(), FaultCode::InvalidInput);
    }
    let sts = check_tag_keys(["a", "A"], TagFault::Sts).expect_err("refused");
    assert_eq!(sts.code(), FaultCode::InvalidParameterValue);
}

#[test]
fn lists_of_texts() {
    let query = params("K.member.1=a&K.member.2=b");
    assert_eq!(read(&query, |v| v.texts("K", 0..=50, &TAG_KEY)).unwrap(), Some(vec!["a", "b"]));
    assert_eq!(read(&params(""), |v| v.texts("K", 1..=5, &TAG_KEY)).unwrap(), None);
    assert!(read(&params("K="), |v| v.texts("K", 1..=5, &TAG_KEY)).is_err());
    assert!(read(&params(""), |v| v.required_texts("K", 1..=5, &TAG_KEY)).is_err());
    assert!(read(&params("K.member.1.Key=a"), |v| v.texts("K", 0..=5, &TAG_KEY)).is_err());
    assert_eq!(
        refused("K.member.1=a&K.member.2=", |v| v.texts("K", 0..=50, &TAG_KEY)),
        r"1 validation error detected: Value '[a, ]' at 'k' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+]"
    );
}

#[test]
fn patterns() {
    for (chars, good, bad) in [
        (chars::NAME, &["a", "a_B9+=,.@-"][..], &["", "a b", "a/b", "é", "a:b", "a\n"][..]),
        (chars::SESSION_NAME, &["", "a@b"], &["a b", "</Arn>", "a\r\nb", "a:b", "a*"]),
        (chars::EXTERNAL_ID, &["", "a:/b-c@"], &["a b", "*", "a\\b", "é"]),
        (chars::SERIAL, &["arn:aws:iam::1:mfa/x"], &["a b"]),
        (chars::WORD, &["AKIA_1"], &["a-b", "é", "٣"]),
        (chars::DIGITS, &["123456"], &["12345a", "١٢٣٤٥٦", " 12345"]),
        (chars::ACCOUNT, &["123456789012"], &["12345678901", "1234567890123", "12345678901a"]),
        (chars::PATH, &["/", "/a/", "/a/b/", "/!~/", "///"], &["", "a", "/a", "a/", "//", "/ /"]),
        (chars::PATH_PREFIX, &["/", "/a", "//"], &["", "a", "/ "]),
        (chars::POLICY_PATH, &["/", "/a/", "/a/b.c/"], &["", "/a", "//", "/a//", "a/", "/*/"]),
        (
            chars::POLICY_VERSION,
            &["v1", "v10", "v1.a-B", "v1."],
            &["v0", "v", "1", "v01", "v1.é", "v1.a.b"],
        ),
        (
            chars::ACCOUNT_ALIAS,
            &["abc", "a-b", "0a9"],
            &["ab", "-ab", "ab-", "a--b", "Abc", "a_b", "é-b"],
        ),
        (chars::SAML_NAME, &["a._-"], &["", "a@b"]),
        (chars::KEY_ID, &["A0"], &["", "a", "A-"]),
        (chars::NAMESPACE, &["", "s3-x_Y"], &["a:b", "é"]),
        (chars::LATIN, &["{\"é\": 1}\r\n"], &["", "\0", "Ā", "\u{1b}"]),
        (chars::DESCRIPTION, &["", "é ~"], &["\u{7f}", "\u{85}", "\u{a0}", "Ā"]),
        (chars::MARKER, &["a b"], &["", "\n"]),
        (
            chars::TAG_KEY,
            &["a b", "é", "日本", "a\u{a0}b", "½", "_.:/=+-@"],
            &["", "a!", "a\tb", "*"],
        ),
        (chars::TAG_VALUE, &[""], &["\n", "😀", "${a}"]),
        (chars::ANY, &["arn:*", "é\n"], &["", "\0", "\u{ffff}", "\u{1}"]),
    ] {
        for value in good {
            assert!((chars.accepts)(value), "{} should match {value:?}", chars.pattern);
        }
        for value in bad {
            assert!(!(chars.accepts)(value), "{} should not match {value:?}", chars.pattern);
        }
    }
}

proptest! {
    #[test]
    fn any_value_is_accepted_or_told_on_one_line(value in any::<String>()) {
        let query = params(&format!("A={0}&L.member.1={0}", crate::wire::xml::percent_encode(&value)));
        let outcome = read(&query, |v| {
            (v.required("A", &SESSION_NAME), v.texts("L", 0..=1, &NAME), v.boolean("A"), v.integer("A", 0..=1))
        });
        if let Err(fault) = outcome {
            prop_assert!(!fault.message().contains(char::is_control));
            prop_assert!(fault.message().chars().count() < 8000);
        }
    }
}
