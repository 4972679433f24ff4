//! Errors that other engines made, one test each.

use super::conditions::Holds::{No, Undecided, Yes};
use super::conditions::{holds, operator};
use super::fixture::*;
use crate::policy::{Caller, Context, DocumentKind, Effect, Policy, Reason};

#[test]
fn federated_principal_matched_by_prefix() {
    let world = World {
        trust: Some(trusts("Allow", r#"{"Federated":"accounts.google.com"}"#)),
        ..World::default()
    };
    let caller = Caller::WebIdentity { provider: "accounts.google.com.evil.org".into() };
    assert!(!world.assume(&caller, "sts:AssumeRoleWithWebIdentity").is_allowed());
}

#[test]
fn unresolved_variable_as_empty_string() {
    let context = Context::new().with("s3:prefix", "home//");
    let condition = r#"{"StringLike":{"s3:prefix":"home/${aws:username}/*"}}"#;
    assert_eq!(holds(condition, &context), No);
}

#[test]
fn tag_value_injecting_a_wildcard() {
    let context = Context::new().with("aws:PrincipalTag/team", "*").with("s3:prefix", "red/");
    let condition = r#"{"StringLike":{"s3:prefix":"${aws:PrincipalTag/team}/"}}"#;
    assert_eq!(holds(condition, &context), No);
}

#[test]
fn base64_compared_case_folded() {
    assert_eq!(operator("BinaryEquals", r#""QUJD""#, Some("qujd")), No);
}

#[test]
fn arn_like_crossing_colons() {
    let value = Some("arn:aws:sns:eu:222222222222:x:111111111111:t");
    assert_eq!(operator("ArnLike", r#""arn:aws:sns:*:111111111111:t""#, value), No);
}

#[test]
fn arn_equals_ignoring_wildcards() {
    let value = Some("arn:aws:iam::111111111111:role/app-1");
    assert_eq!(operator("ArnEquals", r#""arn:aws:iam::111111111111:role/app-*""#, value), Yes);
    assert_eq!(operator("ArnNotEquals", r#""arn:aws:iam::111111111111:role/app-*""#, value), No);
}

#[test]
fn string_not_equals_as_or() {
    assert_eq!(operator("StringNotEquals", r#"["a","b"]"#, Some("a")), No);
}

#[test]
fn negated_operator_false_on_a_missing_key() {
    assert_eq!(operator("StringNotEquals", r#""corp""#, None), Yes);
    assert_eq!(operator("NotIpAddress", r#""10.0.0.0/8""#, None), Yes);
}

#[test]
fn quantifiers_transposed() {
    let context = Context::new().with_many("aws:TagKeys", ["a", "x"]);
    assert_eq!(holds(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}"#, &context), No);
    assert_eq!(holds(r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}}"#, &context), Yes);
}

#[test]
fn unknown_operator_passes() {
    for name in ["StringContains", "IpAddresses", "StringNotLikes", "BinaryNotEquals", "BoolNot"] {
        let text = format!(
            r#"{{"Statement":{}}}"#,
            about("Allow", &format!(r#"{{"{name}":{{"k:ey":"v"}}}}"#))
        );
        let error = Policy::parse(&text, DocumentKind::Identity).unwrap_err();
        assert_eq!(error.reason, Reason::Operator, "{name}");
    }
}

/// M21: the trust policy sees the request's context.
#[test]
fn museum_m21_role_trust_evaluated_without_the_requests_context() {
    let trust = policy(
        DocumentKind::Trust,
        r#"{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole",
            "Condition":{"StringEquals":{"sts:ExternalId":"Unique-7"}}}"#,
    );
    let assume = identity(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#);
    for (value, expected) in [
        (None, false),
        (Some("Unique-7"), true),
        (Some("unique-7"), false),
        (Some(""), false),
        (Some("Unique-7 "), false),
        (Some("*"), false),
    ] {
        let mut context = Context::new();
        if let Some(value) = value {
            context = context.with("sts:ExternalId", value);
        }
        let world = World {
            trust: Some(trust.clone()),
            identity: vec![assume.clone()],
            context,
            ..World::default()
        };
        assert_eq!(world.assume(&user(), "sts:AssumeRole").is_allowed(), expected, "{value:?}");
    }
}

#[test]
fn ten_abc_parsed_as_ten() {
    assert_eq!(operator("NumericEquals", "10", Some("10abc")), Undecided);
}

#[test]
fn integers_over_2_to_the_53_collide() {
    assert_eq!(operator("NumericEquals", "9007199254740993", Some("9007199254740992")), No);
}

#[test]
fn ipv6_compared_as_text() {
    assert_eq!(operator("IpAddress", r#""2001:DB8::1""#, Some("2001:db8:0::0:1")), Yes);
}

/// M15, M24: a session policy that does not mention the action denies it, whatever the role may.
#[test]
fn museum_m15_m24_not_denied_taken_as_allowed() {
    let broad = identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let read = identity(r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#);
    let world = World { identity: vec![broad], session: Some(vec![read]), ..World::default() };
    assert!(world.ask(&session(), "s3:GetObject", RESOURCE).is_allowed());
    for action in ["s3:PutObject", "iam:CreateAccessKey", "sts:AssumeRole"] {
        let decision = world.ask(&session(), action, RESOURCE);
        assert_eq!(decision.effect(), Effect::ImplicitDeny, "{action}");
    }
}

/// M30: a role without `sts:TagSession` in its trust does not take tags.
#[test]
fn museum_m30_tagging_a_session_has_to_be_allowed_by_itself() {
    let trust = policy(
        DocumentKind::Trust,
        &format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{USER_ARN}"}},"Action":"sts:AssumeRole"}}"#
        ),
    );
    let world = World { trust: Some(trust), ..World::default() };
    assert!(world.assume(&user(), "sts:AssumeRole").is_allowed());
    assert!(!world.assume(&user(), "sts:TagSession").is_allowed());
    assert!(!world.assume(&user(), "sts:SetSourceIdentity").is_allowed());
}
