//! Traces.

use super::fixture::*;
use crate::policy::{Context, DocumentKind, Element, Layer, Matched, Request, Truth};

#[test]
fn a_trace_shows_every_element_with_what_it_expects_and_finds() {
    let world = World {
        identity: vec![identity(
            r#"{"Sid":"Home","Effect":"Allow","Action":["s3:Get*","ec2:*"],
                "Resource":"arn:aws:s3:::bucket/${aws:username, 'nobody'}/*",
                "Condition":{"IpAddressIfExists":{"aws:SourceIp":["10.0.0.0/8","2001:DB8::1"]},
                    "ForAnyValue:StringNotLike":{"aws:TagKeys":"x*"},
                    "NumericLessThanEquals":{"s3:max-keys":"010.50"},
                    "DateGreaterThan":{"aws:CurrentTime":"2020-01-01T01:00:00.250+01:00"}}}"#,
        )],
        context: Context::new()
            .with("aws:SourceIp", "192.0.2.1")
            .with("aws:username", "alice")
            .with("aws:CurrentTime", "never")
            .with_many("aws:TagKeys", ["x1", "y"]),
        ..World::default()
    };
    let trace = world.explain(&user(), ACTION);
    assert!(!trace.decision.is_allowed());
    let [statement] = trace.statements.as_slice() else { panic!("{trace:?}") };
    assert_eq!((statement.layer, statement.statement), (Layer::Identity, 0));
    assert_eq!((statement.matches, statement.applies), (Truth::False, false));
    assert_eq!(
        statement.to_string(),
        "identity-based policy identity, statement 0 (Home): Allow does not apply\n\
         \x20 Action [s3:get*, ec2:*] matches: s3:getobject\n\
         \x20 Resource [arn:aws:s3:::bucket/${aws:username, 'nobody'}/*] does not match: \
         arn:aws:s3:::bucket/team/report.txt\n\
         \x20 IpAddressIfExists aws:SourceIp [10.0.0.0/8, 2001:db8::1/128] does not match: 192.0.2.1\n\
         \x20 ForAnyValue:StringNotLike aws:TagKeys [x*] matches: x1, y\n\
         \x20 NumericLessThanEquals s3:max-keys [10.5] does not match: absent\n\
         \x20 DateGreaterThan aws:CurrentTime [2020-01-01T00:00:00.25Z] cannot be decided: never\n"
    );
    let key =
        Element::Condition { operator: "NumericLessThanEquals".into(), key: "s3:max-keys".into() };
    let element = statement.elements.iter().find(|element| element.element == key).unwrap();
    assert_eq!((element.actual.as_ref(), element.matches), (None, Truth::False));
}

#[test]
fn a_trace_shows_principals_with_their_ids_and_levels() {
    let world = World {
        trust: Some(trusts(
            "Allow",
            &format!(r#"{{"AWS":["{ROLE_ARN}","arn:aws:iam::111111111111:user/gone"]}}"#),
        )),
        service_control: vec![vec![identity(
            r#"{"Effect":"Deny","NotAction":"iam:*","NotResource":"arn:aws:s3:::x","Condition":{"Bool":{"k:ey":"false"}}}"#,
        )]],
        context: Context::new().with("k:ey", "perhaps"),
        ..World::default()
    };
    let trace = world.explain(&session(), "sts:AssumeRole");
    let caller = session();
    let request = Request {
        caller: &caller,
        action: "sts:AssumeRole",
        resource: TARGET_ROLE,
        context: &world.context,
    };
    assert_eq!(
        trace.to_text(&request),
        format!(
            "denied by service control policy\n\
             User: {SESSION_ARN} is not authorized to perform: sts:AssumeRole on resource: {TARGET_ROLE}\n\
             service control policy scp, statement 0, level 0: Deny applies\n\
             \x20 NotAction [iam:*] matches: sts:assumerole\n\
             \x20 NotResource [arn:aws:s3:::x] matches: {TARGET_ROLE}\n\
             \x20 Bool k:ey [false] cannot be decided: perhaps\n\
             role trust policy trust, statement 0: Allow applies\n\
             \x20 Principal [{ROLE_ARN} (AROAREADER00000000001), arn:aws:iam::111111111111:user/gone (bound to no ID)] matches: {SESSION_ARN} (AROAREADER00000000001)\n\
             \x20 Action [sts:*] matches: sts:assumerole\n"
        )
    );
}

/// What a trace shows of an operator is what the document says, but for the ARN synonyms.
#[test]
fn operators_are_shown_as_they_are_written() {
    for name in [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnLike",
        "ArnNotLike",
        "Null",
    ] {
        for quantifier in ["", "ForAllValues:", "ForAnyValue:"] {
            for suffix in ["", "IfExists"] {
                let name = format!("{quantifier}{name}{suffix}");
                let Some(operator) = crate::policy::condition::Operator::parse(&name) else {
                    assert!(name.contains("Null") && name != "Null", "{name}");
                    continue;
                };
                assert_eq!(operator.to_string(), name);
            }
        }
    }
}

#[test]
fn the_keys_that_a_policy_asks_for() {
    let policy = identity(
        r#"{"Effect":"Allow","Action":"*","Resource":["*","arn:aws:s3:::b/${aws:username}/${aws:userid, 'x'}"],
            "Condition":{"StringLike":{"s3:Prefix":["${AWS:UserName}/*","${aws:PrincipalTag/Team}"]},
                "ArnLike":{"aws:SourceArn":["arn:aws:s3:::${s3:x}","${k:ey}","*"]}}},
           {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"AWS:SecureTransport":false,"S3:prefix":true}}}"#,
    );
    assert_eq!(
        policy.condition_keys(),
        [
            "aws:username",
            "aws:userid",
            "s3:Prefix",
            "aws:PrincipalTag/Team",
            "aws:SourceArn",
            "s3:x",
            "k:ey",
            "AWS:SecureTransport"
        ]
    );
}

/// The hint of an ordinary decision about the fixture's user.
fn hint(identity_statements: &str, boundary: Option<&str>) -> Option<String> {
    let world = World {
        identity: vec![identity(identity_statements)],
        boundary: boundary.map(|text| policy(DocumentKind::Boundary, text)),
        context: Context::new().with("k:ey", "a"),
        ..World::default()
    };
    world.explain(&user(), ACTION).hint()
}

fn allow(resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Action":"{ACTION}","Resource":"{resource}","Condition":{condition}}}"#
    )
}

#[test]
fn a_hint_tells_of_the_statement_that_denies() {
    let statements = [
        allow("*", "{}"),
        r#"{"Effect":"Deny","Action":"ec2:*","Resource":"*"}"#.to_owned(),
        r#"{"Sid":"No","Effect":"Deny","Action":"s3:*","Resource":"*"}"#.to_owned(),
    ]
    .join(",");
    assert_eq!(
        hint(&statements, None).as_deref(),
        Some("statement 2 (No) of identity-based policy identity denies")
    );
    assert_eq!(hint(&allow("*", "{}"), None), None, "what is allowed needs no hint");
}

#[test]
fn a_hint_tells_of_the_statement_that_came_nearest() {
    let far = allow("arn:aws:s3:::other", "{}");
    let two = allow("*", r#"{"StringEquals":{"k:ey":"b"},"Bool":{"k:two":"true"}}"#);
    let one = allow("*", r#"{"StringEquals":{"k:ey":["b","c"]}}"#);
    let wants_one = "of identity-based policy identity wants StringEquals k:ey b or c \
                     (the request has a)";
    let wants_two = "of identity-based policy identity wants StringEquals k:ey b (the request \
                     has a), and wants Bool k:two true (the request has none)";
    for (statements, expected) in [
        ([&far, &two, &one], format!("statement 2 {wants_one}")),
        ([&two, &one, &far], format!("statement 1 {wants_one}")),
        ([&far, &two, &far], format!("statement 1 {wants_two}")),
        // Of those that are as near, the first.
        ([&one, &one, &far], format!("statement 0 {wants_one}")),
    ] {
        let statements = statements.map(String::as_str).join(",");
        assert_eq!(hint(&statements, None), Some(expected), "{statements}");
    }
    let sid = one.replace("{\"Effect\"", "{\"Sid\":\"Own\",\"Effect\"");
    assert_eq!(hint(&sid, None), Some(format!("statement 0 (Own) {wants_one}")));
}

#[test]
fn a_hint_tells_only_of_allows_about_the_action_in_the_layer_that_decided() {
    let near = |effect: &str, action: &str| {
        format!(
            r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{RESOURCE}","Condition":{{"Null":{{"k:ey":"true"}}}}}}"#
        )
    };
    assert_eq!(hint(&near("Allow", "ec2:*"), None), None, "another action");
    assert_eq!(hint(&near("Deny", ACTION), None), None, "a deny");
    assert_eq!(hint(&near("Allow", "ec2:*"), Some(&near("Allow", ACTION))), None, "not the layer");
    // The identity allows, beside what does not apply; the boundary lacks.
    let own = [allow("*", "{}"), near("Allow", ACTION)].join(",");
    let limit = [near("Deny", ACTION), near("Allow", "ec2:*"), allow("arn:aws:s3:::other", "{}")];
    assert_eq!(
        hint(&own, Some(&limit.join(","))),
        Some(format!(
            "statement 2 of permissions boundary boundary is for the resources \
             arn:aws:s3:::other (the request has {RESOURCE})"
        ))
    );
}

/// A trust policy is called by its name alone.
#[test]
fn a_hint_about_a_trust_policy_tells_of_whom_it_is_for() {
    let world =
        World { trust: Some(trusts("Allow", r#"{"AWS":"222222222222"}"#)), ..World::default() };
    assert_eq!(
        world.explain(&user(), "sts:AssumeRole").hint(),
        Some(format!(
            "statement 0 of trust is for 222222222222 (the request has \
             {USER_ARN} ({}))",
            user_id()
        ))
    );
}

#[test]
fn a_statement_is_told_of_with_its_sid_if_it_has_one() {
    let told = |layer, sid: Option<&str>| {
        Matched { layer, policy: "p".into(), statement: 3, sid: sid.map(Into::into) }.to_string()
    };
    assert_eq!(told(Layer::Identity, Some("Own")), "identity-based policy p, statement 3 (Own)");
    assert_eq!(told(Layer::Session, Some("")), "session policy p, statement 3");
    assert_eq!(told(Layer::Resource, None), "resource-based policy p, statement 3");
    assert_eq!(told(Layer::Root, None), "root user p");
}
