//! Actions, resources, wildcards.

use super::fixture::*;
use crate::policy::wildcard::Pattern;
use crate::policy::{DocumentKind, Effect, Policy, Reason};

#[test]
fn wildcards_match_characters_not_bytes() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "änything", true),
        ("?", "ä", true),
        ("?", "", false),
        ("??", "ä", false),
        ("a?c", "a\u{1f600}c", true),
        ("a*c", "ac", true),
        ("a*c", "abcbc", true),
        ("a*c", "abcb", false),
        ("*a*b*", "xxaxxbxx", true),
        ("*a*b*", "xxbxxaxx", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("ab*ba", "aba", false),
        ("*?", "", false),
        ("?*?", "a", false),
        ("?*?", "ab", true),
        ("*a?b*", "aab-axb", true),
        ("*a?b", "a-b-a", false),
        ("*.txt", "a.txt.txt", true),
        ("**", "x", true),
        ("a.c", "abc", false),
        ("[a]", "a", false),
        ("\\*", "*", false),
    ] {
        assert_eq!(Pattern::parse(pattern).matches(text), expected, "{pattern} {text}");
    }
}

fn action_allows(element: &str, action: &str) -> bool {
    let policy = identity(&format!(r#"{{"Effect":"Allow",{element},"Resource":"*"}}"#));
    let world = World { identity: vec![policy], ..World::default() };
    world.ask(&user(), action, RESOURCE).is_allowed()
}

#[test]
fn actions_are_case_insensitive_patterns() {
    for (element, action, expected) in [
        (r#""Action":"s3:GetObject""#, "S3:getobject", true),
        (r#""Action":"S3:GETOBJECT""#, "s3:GetObject", true),
        (r#""Action":"s3:Get*""#, "s3:GetObjectAcl", true),
        (r#""Action":"s3:*Object""#, "s3:GetObjectAcl", false),
        (r#""Action":"s3:*Object""#, "s3:GetOBJECT", true),
        (r#""Action":"s3:*Obj?ct""#, "s3:GetObject", true),
        (r#""Action":"s3:*Obj?ct""#, "s3:GetObjct", false),
        (r#""Action":"s3:*Object*Tag?""#, "s3:GetObjectVersionTags", true),
        (r#""Action":"s3:*Object*Tag?""#, "s3:GetObjectTag", false),
        (r#""Action":"s3:*?ect*ion*""#, "s3:GetObjectVersion", true),
        (r#""Action":"s3:*ion*ect*""#, "s3:GetObjectVersion", false),
        (r#""Action":"s3:?etObject""#, "s3:GetObject", true),
        (r#""Action":"s3:*""#, "s3express:GetObject", false),
        (r#""Action":"*""#, "ec2:RunInstances", true),
        (r#""Action":"*:*""#, "ec2:RunInstances", true),
        (r#""Action":["ec2:*","s3:*"]"#, "s3:GetObject", true),
        (r#""NotAction":"iam:*""#, "s3:GetObject", true),
        (r#""NotAction":"iam:*""#, "IAM:CreateUser", false),
        (r#""NotAction":["iam:*","s3:*"]"#, "s3:GetObject", false),
    ] {
        assert_eq!(action_allows(element, action), expected, "{element} {action}");
    }
}

#[test]
fn what_cannot_be_an_action_is_refused() {
    for action in [
        "",
        "s3",
        "s3:",
        ":Get",
        "GetObject",
        "s*:Get",
        "*:Get",
        "s3:Get Object",
        "s3:Get:Object",
        "s3:${aws:username}",
        "s3:Gét",
        "s3.*",
        "?:*",
        "s3/*",
        " s3:*",
    ] {
        for element in ["Action", "NotAction"] {
            let text = format!(
                r#"{{"Statement":{{"Effect":"Deny","Resource":"*","{element}":["s3:*","{action}"]}}}}"#
            );
            let error = Policy::parse(&text, DocumentKind::Identity).unwrap_err();
            assert_eq!(error.path, format!("$.Statement.{element}[1]"));
            assert_eq!(error.reason, Reason::Action, "{action}");
        }
    }
}

#[test]
fn a_trust_policy_has_only_actions_of_sts() {
    for (element, good) in [
        (r#""Action":"sts:AssumeRole""#, true),
        (r#""Action":["STS:AssumeRole","sts:TagSession"]"#, true),
        (r#""Action":"sts:*""#, true),
        (r#""Action":"*""#, false),
        (r#""Action":"*:*""#, false),
        (r#""Action":["sts:AssumeRole","iam:PassRole"]"#, false),
        (r#""NotAction":"sts:TagSession""#, false),
    ] {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":"*",{element}}}}}"#);
        let parsed = Policy::parse(&text, DocumentKind::Trust);
        assert_eq!(parsed.is_ok(), good, "{element}");
        if let Err(error) = parsed {
            assert_eq!(error.reason, Reason::TrustAction);
        }
    }
}

/// What a resource element makes of a resource: allowed, denied.
fn resource(element: &str, resource: &str) -> (bool, bool) {
    let policy =
        |effect: &str| identity(&format!(r#"{{"Effect":"{effect}","Action":"*",{element}}}"#));
    let ask = |effect: &str| {
        let world = World { identity: vec![policy(effect)], ..World::default() };
        world.ask(&user(), ACTION, resource).effect()
    };
    (ask("Allow") == Effect::Allow, ask("Deny") == Effect::ExplicitDeny)
}

#[test]
fn resources_match_as_whole_arns() {
    const YES: (bool, bool) = (true, true);
    const NO: (bool, bool) = (false, false);
    for (element, arn, expected) in [
        (r#""Resource":"*""#, "*", YES),
        (r#""Resource":"*""#, "arn:aws:s3:::b", YES),
        (r#""Resource":"arn:aws:s3:::b""#, "arn:aws:s3:::b", YES),
        (r#""Resource":"arn:aws:s3:::b""#, "arn:aws:s3:::B", NO),
        (r#""Resource":"arn:aws:s3:::b""#, "arn:aws:s3:::b/k", NO),
        (r#""Resource":"arn:aws:s3:::b/*""#, "arn:aws:s3:::b", NO),
        (r#""Resource":"arn:aws:s3:::b/*""#, "arn:aws:s3:::b/x/y:z", YES),
        (r#""Resource":"arn:aws:s3:::b*""#, "arn:aws:s3:::bigger/k", YES),
        (r#""Resource":"arn:aws:s3:::b?/k""#, "arn:aws:s3:::bä/k", YES),
        (r#""Resource":"arn:aws:s3:::*""#, "*", NO),
        (r#""Resource":"arn:aws:sqs:*:111111111111:q""#, "arn:aws:sqs:eu:111111111111:q", YES),
        (r#""Resource":"arn:aws:sqs:*:111111111111:q""#, "arn:aws:sqs:eu:222222222222:q", NO),
        (r#""Resource":["arn:aws:s3:::a","arn:aws:s3:::b"]"#, "arn:aws:s3:::b", YES),
        (r#""NotResource":"arn:aws:s3:::b""#, "arn:aws:s3:::b", NO),
        (r#""NotResource":"arn:aws:s3:::b""#, "arn:aws:s3:::c", YES),
        (r#""NotResource":["arn:aws:s3:::a","arn:aws:s3:::b"]"#, "arn:aws:s3:::a", NO),
        (r#""NotResource":"*""#, "arn:aws:s3:::c", NO),
    ] {
        assert_eq!(resource(element, arn), expected, "{element} {arn}");
    }
}

/// AWS leaves open whether a star crosses the colon after its component: the closed side of both.
#[test]
fn a_star_that_would_have_to_cross_a_colon_does_not_allow_and_does_deny() {
    let pattern = "arn:aws:sns:*:111111111111:topic";
    let resource_arn = "arn:aws:sns:eu:222222222222:x:111111111111:topic";
    assert_eq!(resource(&format!(r#""Resource":"{pattern}""#), resource_arn), (false, true));
    assert_eq!(resource(&format!(r#""NotResource":"{pattern}""#), resource_arn), (false, true));
    for (pattern, arn) in [
        // Only the last component does not fit.
        ("arn:aws:sns:*:*:topic", "arn:aws:sns:eu:222222222222:x:topic"),
        // The last component fits where it does not stand.
        ("arn:aws:s3:*:x:*:y", "arn:aws:s3:b:y:x:c:y"),
    ] {
        assert_eq!(
            resource(&format!(r#""Resource":"{pattern}""#), arn),
            (false, true),
            "{pattern}"
        );
    }
}

/// The plainest matcher there is: `*` stands for any characters, `?` for one.
fn plainly(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|skipped| plainly(rest, &text[skipped..])),
        Some((wanted, rest)) => text
            .split_first()
            .is_some_and(|(c, text)| (*wanted == '?' || wanted == c) && plainly(rest, text)),
    }
}

/// Chunks with `?`s that are long enough to be looked for by bits: of one word, of just as many
/// bits as words have, and of several words.
#[test]
fn long_chunks_stand_where_a_plain_matcher_finds_them() {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let (mut found, mut lost) = (0, 0);
    for length in [1, 23, 24, 25, 31, 32, 33, 63, 64, 65, 127, 128, 129, 150] {
        for _ in 0..12 {
            let letters: String =
                (0..length).map(|_| if random(4) == 0 { 'ä' } else { 'a' }).collect();
            let chunk: String =
                letters.chars().map(|c| if random(3) == 0 { '?' } else { c }).collect();
            let mut text: Vec<char> = letters.chars().collect();
            // As it is; one character other; one less.
            match random(3) {
                0 => text[usize::try_from(random(length)).unwrap()] = 'x',
                1 => drop(text.pop()),
                _ => {}
            }
            let noise = |count: u64| vec!['a'; usize::try_from(count).unwrap()];
            let text = [noise(random(70)), text, noise(random(3))].concat();
            let text: String = text.into_iter().collect();
            let pattern = format!("*{chunk}*");
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            let expected = plainly(&chars(&pattern), &chars(&text));
            found += u32::from(expected);
            lost += u32::from(!expected);
            assert_eq!(Pattern::parse(&pattern).matches(&text), expected, "{pattern} {text}");
            let element = format!(r#""Resource":"arn:aws:s3:::b{pattern}""#);
            let asked = resource(&element, &format!("arn:aws:s3:::b{text}"));
            assert_eq!(asked, (expected, expected), "{pattern} {text}");
        }
    }
    assert!(found > 50 && lost > 50, "{found} {lost}");
}

#[test]
fn what_cannot_be_a_resource_is_refused() {
    for bad in [
        "",
        "bucket",
        "**",
        "arn",
        "arn:aws:s3",
        "arn:aws:s3:::",
        "arn:aws:*:::x",
        "arn:aws:s?:::x",
        "arn:aws::::x",
        "arn::s3:::x",
        "*:aws:s3:::x",
        "arn:aws:s3::*",
        "ARN:aws:s3:::x",
        "arn:aws:s3:::a\\u0000b",
    ] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"*","Resource":["*","{bad}"]}}}}"#
        );
        let error = Policy::parse(&text, DocumentKind::Identity).unwrap_err();
        assert_eq!(error.path, "$.Statement.Resource[1]");
        assert_eq!(error.reason, Reason::Resource, "{bad}");
    }
}
