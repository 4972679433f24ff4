//! Traces.

use super::fixture::*;
use crate::policy::{Context, Element, Layer, Request, Truth};

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
