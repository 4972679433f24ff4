//! Policy variables.

use super::conditions::Holds::{No, Yes};
use super::conditions::{Holds, holds};
use super::fixture::*;
use crate::policy::{Context, DocumentKind, Policy, Reason};

const PREFIX: &str = "arn:aws:s3:::bucket/";

/// Whether an allow for `bucket/<pattern>` reaches `bucket/<key>`.
fn reaches(pattern: &str, key: &str, context: &Context) -> bool {
    let statement =
        format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"{PREFIX}{pattern}"}}"#);
    let world = World {
        identity: vec![identity(&statement)],
        context: context.clone(),
        ..World::default()
    };
    world.ask(&user(), "s3:GetObject", &format!("{PREFIX}{key}")).is_allowed()
}

fn named(value: &str) -> Context {
    Context::new().with("aws:username", value)
}

#[test]
fn a_variable_stands_for_its_keys_value() {
    assert!(reaches("${aws:username}/*", "alice/a.txt", &named("alice")));
    assert!(!reaches("${aws:username}/*", "bob/a.txt", &named("alice")));
    assert!(reaches("home-${AWS:UserName}-x", "home-alice-x", &named("alice")));
    let tag = Context::new().with("aws:PrincipalTag/Team Name", "red");
    assert!(reaches("${aws:PrincipalTag/team name}", "red", &tag));
}

#[test]
fn variables_exist_in_version_2012_only() {
    for version in [r#""Version":"2008-10-17","#, ""] {
        let text = format!(
            r#"{{{version}"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"{PREFIX}${{aws:username}}"}}}}"#
        );
        let policy = Policy::parse(&text, DocumentKind::Identity).unwrap();
        let world = World { identity: vec![policy], context: named("alice"), ..World::default() };
        let allowed =
            |key: &str| world.ask(&user(), "s3:GetObject", &format!("{PREFIX}{key}")).is_allowed();
        assert!(!allowed("alice"));
        assert!(allowed("${aws:username}"));
    }
}

/// M33: an attacker's tag must not become a wildcard, a colon, a path or another variable.
#[test]
fn museum_m33_what_a_variable_puts_in_is_literal() {
    for (value, key, expected) in [
        ("*", "alice/x", false),
        ("*", "*/x", true),
        ("?????", "alice/x", false),
        ("a*", "alice/x", false),
        ("../alice", "alice/x", false),
        ("${aws:userid}", "AIDA/x", false),
        ("", "alice/x", false),
        ("a:b", "a:b/x", true),
    ] {
        let context = named(value).with("aws:userid", "AIDA");
        assert_eq!(reaches("${aws:username}/*", key, &context), expected, "{value} {key}");
    }
    let context = Context::new().with("aws:PrincipalTag/a", "*").with("k:ey", "anything");
    for operator in ["StringLike", "StringEquals"] {
        let condition = format!(r#"{{"{operator}":{{"k:ey":"${{aws:PrincipalTag/a}}"}}}}"#);
        assert_eq!(holds(&condition, &context), No);
    }
    // A colon in a value does not move the components of an ARN.
    let context = Context::new()
        .with("aws:PrincipalTag/a", "111111111111:role/admin")
        .with("aws:SourceArn", "arn:aws:iam::111111111111:role/admin:x");
    let condition = r#"{"ArnLike":{"aws:SourceArn":"arn:aws:iam::${aws:PrincipalTag/a}:x"}}"#;
    assert_eq!(holds(condition, &context), No);
}

#[test]
fn an_unresolved_variable_is_never_the_empty_text() {
    let none = Context::new();
    assert!(!reaches("${aws:username}/*", "/x", &none));
    assert!(!reaches("${aws:username}", "", &none));
    assert!(!reaches("x${aws:username}", "x", &none));
    let context = Context::new().with("k:ey", "");
    let condition = |operator: &str| format!(r#"{{"{operator}":{{"k:ey":"${{aws:username}}"}}}}"#);
    for (operator, expected) in [
        ("StringEquals", No),
        ("StringLike", No),
        ("StringEqualsIgnoreCase", No),
        ("StringNotEquals", Yes),
        ("StringNotLike", Yes),
        ("StringNotEqualsIgnoreCase", Yes),
    ] {
        assert_eq!(holds(&condition(operator), &context), expected, "{operator}");
    }
    let context = Context::new().with("k:ey", "arn:aws:s3:::b");
    for (operator, expected) in
        [("ArnLike", No), ("ArnEquals", No), ("ArnNotLike", Yes), ("ArnNotEquals", Yes)]
    {
        assert_eq!(holds(&condition(operator), &context), expected, "{operator}");
    }
}

#[test]
fn an_unresolved_variable_spoils_its_own_entry_only() {
    let context = Context::new().with("k:ey", "a");
    let condition =
        |operator: &str| format!(r#"{{"{operator}":{{"k:ey":["${{aws:username}}","a"]}}}}"#);
    assert_eq!(holds(&condition("StringEquals"), &context), Yes);
    assert_eq!(holds(&condition("StringNotEquals"), &context), No);
    let resources = |effect: &str, element: &str| {
        identity(&format!(
            r#"{{"Effect":"{effect}","Action":"s3:*","{element}":["{PREFIX}${{aws:username}}","{PREFIX}a"]}}"#
        ))
    };
    let ask = |policy: Policy, key: &str| {
        let everything = identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
        let world = World { identity: vec![everything, policy], ..World::default() };
        world.ask(&user(), "s3:GetObject", &format!("{PREFIX}{key}")).is_allowed()
    };
    assert!(!ask(resources("Deny", "Resource"), "a"));
    assert!(ask(resources("Deny", "Resource"), "b"));
    // The entry matches nothing, so NotResource denies everything else.
    assert!(ask(resources("Deny", "NotResource"), "a"));
    assert!(!ask(resources("Deny", "NotResource"), "b"));
}

/// What is left out of an allow by a variable without a value is everything, for all that is known.
#[test]
fn an_unresolved_variable_under_not_resource_allows_nothing() {
    let policy = || {
        identity(&format!(
            r#"{{"Effect":"Allow","Action":"s3:*","NotResource":["{PREFIX}of-${{aws:PrincipalTag/team}}/*","{PREFIX}a"]}}"#
        ))
    };
    let ask = |context: Context, key: &str| {
        let world = World { identity: vec![policy()], context, ..World::default() };
        world.ask(&user(), "s3:GetObject", &format!("{PREFIX}{key}")).is_allowed()
    };
    let red = || Context::new().with("aws:PrincipalTag/team", "red");
    assert!(ask(red(), "of-blue/x") && ask(red(), "b"));
    assert!(!ask(red(), "of-red/x") && !ask(red(), "a"));
    let many = || Context::new().with_many("aws:PrincipalTag/team", ["red"]);
    for key in ["of-blue/x", "of-red/x", "a", "b"] {
        assert!(!ask(Context::new(), key), "{key}");
        assert!(!ask(many(), key), "{key}");
    }
}

#[test]
fn only_single_valued_keys_resolve_and_a_default_does_not_stand_in_for_several() {
    let context = Context::new().with_many("aws:TagKeys", ["a"]);
    assert!(!reaches("${aws:TagKeys}", "a", &context));
    assert!(!reaches("${aws:TagKeys, 'd'}", "d", &context));
    let context = context.with("k:ey", "");
    assert_eq!(holds(r#"{"StringEquals":{"k:ey":"${aws:TagKeys}"}}"#, &context), No);
}

#[test]
fn a_default_stands_in_for_an_absent_key() {
    let pattern = "${aws:username, 'no body, really'}/x";
    assert!(reaches(pattern, "no body, really/x", &Context::new()));
    assert!(reaches(pattern, "alice/x", &named("alice")));
    assert!(!reaches(pattern, "no body, really/x", &named("alice")));
    // The default is literal too.
    assert!(!reaches("${aws:username, '*'}", "anything", &Context::new()));
    assert!(reaches("${aws:username, ''}x", "x", &Context::new()));
}

#[test]
fn the_special_variables_are_literal_characters() {
    for (pattern, key, expected) in [
        ("a${*}", "a*", true),
        ("a${*}", "ab", false),
        ("a${?}", "a?", true),
        ("a${?}", "ab", false),
        ("a${$}{x}", "a${x}", true),
        ("a$b", "a$b", true),
        ("a$", "a$", true),
        ("$$", "$$", true),
    ] {
        assert_eq!(reaches(pattern, key, &Context::new()), expected, "{pattern} {key}");
    }
    let context = Context::new().with("k:ey", "anything");
    assert_eq!(holds(r#"{"StringLike":{"k:ey":"${*}"}}"#, &context), Holds::No);
}

#[test]
fn malformed_variables_are_refused() {
    for bad in [
        "${",
        "${}",
        "${aws:username",
        "${ aws:username}",
        "${aws:username }",
        "${username}",
        "${aws:username,'x'}",
        "${aws:username, x}",
        "${aws:username, 'x}",
        "${aws:username, 'x' }",
        "${a${aws:x}}",
        "${aws:*}",
        "${**}",
        "${,}",
        "${:x}",
        "${aws:}",
    ] {
        let resource = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"s3:*","Resource":"{PREFIX}{bad}"}}}}"#
        );
        let error = Policy::parse(&resource, DocumentKind::Identity).unwrap_err();
        assert_eq!(error.path, "$.Statement.Resource");
        assert!(matches!(error.reason, Reason::Variable(_)), "{bad}: {error}");
        let condition = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"StringLike":{{"k:ey":["ok","{bad}"]}}}}}}}}"#
        );
        let error = Policy::parse(&condition, DocumentKind::Identity).unwrap_err();
        assert_eq!(error.path, r#"$.Statement.Condition.StringLike["k:ey"][1]"#);
    }
}

#[test]
fn variables_stand_only_after_the_fifth_colon_of_a_resource() {
    for bad in [
        "arn:aws:s3::${aws:PrincipalAccount}:x",
        "arn:aws:${aws:x}:::x",
        "arn:aws:s3:${aws:x, 'eu'}::x",
    ] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"{bad}"}}}}"#
        );
        let error = Policy::parse(&text, DocumentKind::Identity).unwrap_err();
        assert_eq!(error.reason, Reason::ResourceVariable, "{bad}");
    }
}

#[test]
fn arn_conditions_take_variables_in_any_component() {
    let context = Context::new()
        .with("aws:PrincipalAccount", "111111111111")
        .with("aws:SourceArn", "arn:aws:iam::111111111111:role/x");
    for (operand, expected) in [
        ("arn:aws:iam::${aws:PrincipalAccount}:role/*", Yes),
        ("arn:aws:iam::${aws:SourceAccount}:role/*", No),
        ("${aws:SourceArn}", Yes),
        ("${aws:PrincipalArn}", No),
    ] {
        let condition = format!(r#"{{"ArnLike":{{"aws:SourceArn":"{operand}"}}}}"#);
        assert_eq!(holds(&condition, &context), expected, "{operand}");
    }
}
