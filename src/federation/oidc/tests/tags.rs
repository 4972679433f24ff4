use serde_json::json;

use super::*;

const TAGS: &str = "https://aws.amazon.com/tags";

fn judged(extra: &[(&str, Value)]) -> Result<SessionTags, TokenError> {
    let key = key(Algorithm::Es256);
    let mut claims = claims();
    for (name, value) in extra {
        claims[*name] = value.clone();
    }
    let assertion = verify(&key.sign(&claims).unwrap(), &set(&[&key]))?;
    Ok(assertion.claims().tags().clone())
}

fn expected() -> SessionTags {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    SessionTags {
        tags: vec![pair("CostCenter", "987654"), pair("Project", "Automation")],
        transitive: vec!["Project".to_owned(), "CostCenter".to_owned()],
    }
}

#[test]
fn both_documented_forms_say_the_same() {
    let nested = json!({
        "principal_tags": { "Project": ["Automation"], "CostCenter": ["987654"] },
        "transitive_tag_keys": ["Project", "CostCenter"],
    });
    assert_eq!(judged(&[(TAGS, nested)]).unwrap(), expected());
    let flat = [
        ("https://aws.amazon.com/tags/principal_tags/Project", json!("Automation")),
        ("https://aws.amazon.com/tags/principal_tags/CostCenter", json!("987654")),
        ("https://aws.amazon.com/tags/transitive_tag_keys", json!(["Project", "CostCenter"])),
    ];
    assert_eq!(judged(&flat).unwrap(), expected());
    assert_eq!(judged(&[]).unwrap(), SessionTags::default());
    assert_eq!(judged(&[(TAGS, json!({}))]).unwrap(), SessionTags::default());
    // A tag key may hold slashes.
    let slashes = [("https://aws.amazon.com/tags/principal_tags/a/b", json!(["c"]))];
    assert_eq!(judged(&slashes).unwrap().tags, [("a/b".to_owned(), "c".to_owned())]);
}

#[test]
fn what_is_not_understood_is_refused() {
    for bad in [
        vec![(TAGS, json!([]))],
        vec![(TAGS, json!("Project=a"))],
        vec![(TAGS, json!(null))],
        vec![(TAGS, json!({ "principal_tags": [] }))],
        vec![(TAGS, json!({ "principal_tags": { "a": ["b", "c"] } }))],
        vec![(TAGS, json!({ "principal_tags": { "a": [] } }))],
        vec![(TAGS, json!({ "principal_tags": { "a": 1 } }))],
        vec![(TAGS, json!({ "principal_tags": { "a": null } }))],
        vec![(TAGS, json!({ "principal_tags": {}, "transitive_tag_keys": { "a": 1 } }))],
        vec![(TAGS, json!({ "principal_tags": {}, "transitive_tag_keys": [1] }))],
        vec![(TAGS, json!({ "principal_tags": {}, "transitive_tags": ["a"] }))],
        vec![("https://aws.amazon.com/tags/", json!("a"))],
        vec![("https://aws.amazon.com/tags2", json!("a"))],
        vec![("https://aws.amazon.com/tags/principal_tags", json!({ "a": "b" }))],
        vec![("https://aws.amazon.com/tags/principal_tags/a", json!({ "a": "b" }))],
        vec![("https://aws.amazon.com/tags/other", json!("a"))],
        vec![
            (TAGS, json!({ "principal_tags": { "a": "b" } })),
            ("https://aws.amazon.com/tags/principal_tags/c", json!("d")),
        ],
    ] {
        assert!(matches!(judged(&bad), Err(TokenError::Tags(_))), "{bad:?}");
    }
    let bad = [("https://aws.amazon.com/source_identity", json!(["a"]))];
    assert!(matches!(judged(&bad), Err(TokenError::Claim(_))));
}
