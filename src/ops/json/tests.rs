use serde_json::json;

use super::shape::Text;
use super::*;

static WORD: Kind = Kind::Text(Text {
    min: 2,
    max: Some(4),
    pattern: "[a-z]*",
    accepts: |text| text.bytes().all(|b| b.is_ascii_lowercase()),
});
static MEMBERS: &[Member] = &[
    Member::required("Word", &WORD),
    Member::optional("Type", &Kind::Choice(&["A", "B"])),
    Member::optional("Most", &Kind::Integer { min: 1, max: 20 }),
    Member::optional("Words", &Kind::List(&WORD)),
    Member::optional("Pairs", &Kind::List(&Kind::Structure(&[Member::required("Key", &WORD)]))),
];

fn check(value: &Value) -> Result<(), (FaultCode, Option<&'static str>)> {
    let object = value.as_object().unwrap();
    Input::check(object, MEMBERS).map(|_| ()).map_err(|fault| (fault.code(), fault.reason()))
}

#[test]
fn what_the_description_allows_is_read() {
    let value = json!({
        "Word": "abc", "Type": "B", "Most": 20, "Words": ["ab", "cd"],
        "Pairs": [{ "Key": "xy" }],
    });
    assert_eq!(check(&value), Ok(()));
    let input = Input::check(value.as_object().unwrap(), MEMBERS).unwrap();
    assert_eq!(input.required("Word"), "abc");
    assert_eq!(input.integer("Most"), Some(20));
    assert_eq!(input.texts("Words").collect::<Vec<_>>(), ["ab", "cd"]);
    assert_eq!(input.structures("Pairs").map(|it| it.required("Key")).collect::<Vec<_>>(), ["xy"]);
    assert_eq!(check(&json!({ "Word": "abc", "Type": null, "Words": [] })), Ok(()));
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    let invalid = |reason| Err((FaultCode::InvalidInputException, Some(reason)));
    let mistyped = Err((FaultCode::SerializationException, None));
    for (value, expected) in [
        (json!({}), invalid("INPUT_REQUIRED")),
        (json!({ "Word": null }), invalid("INPUT_REQUIRED")),
        (json!({ "Word": "a" }), invalid("MIN_LENGTH_EXCEEDED")),
        (json!({ "Word": "abcde" }), invalid("MAX_LENGTH_EXCEEDED")),
        (json!({ "Word": "AB" }), invalid("INVALID_PATTERN")),
        (json!({ "Word": "ab", "Type": "C" }), invalid("INVALID_ENUM")),
        (json!({ "Word": "ab", "Most": 0 }), invalid("MIN_VALUE_EXCEEDED")),
        (json!({ "Word": "ab", "Most": 21 }), invalid("MAX_VALUE_EXCEEDED")),
        (json!({ "Word": "ab", "Words": ["ab", "A"] }), invalid("MIN_LENGTH_EXCEEDED")),
        (json!({ "Word": "ab", "Pairs": [{}] }), invalid("INPUT_REQUIRED")),
        (json!({ "Word": 1 }), mistyped),
        (json!({ "Word": "ab", "Most": "1" }), mistyped),
        (json!({ "Word": "ab", "Most": 1.5 }), mistyped),
        (json!({ "Word": "ab", "Words": "ab" }), mistyped),
        (json!({ "Word": "ab", "Words": [null] }), mistyped),
        (json!({ "Word": "ab", "Pairs": ["ab"] }), mistyped),
        // A name in another case, and one that nobody knows.
        (json!({ "word": "ab" }), mistyped),
        (json!({ "Word": "ab", "word": "cd" }), mistyped),
        (json!({ "Word": "ab", "More": 1 }), mistyped),
        (json!({ "Word": "ab", "Pairs": [{ "Key": "ab", "key": "ab" }] }), mistyped),
    ] {
        assert_eq!(check(&value), expected, "{value}");
    }
}

#[test]
fn records_tell_nothing_sensitive() {
    let value = json!({ "Email": "a@b.cc", "Account": { "Id": "1", "Email": "a@b.cc" } });
    let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
    let expected = json!({ "email": hidden, "account": { "id": "1", "email": hidden } });
    assert_eq!(told(&value), expected);
}
