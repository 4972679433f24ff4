//! Examples that AWS documents, with what it says they do.

use super::fixture::*;
use crate::policy::{Context, DocumentKind, Effect, Policy};

/// A document as the guide prints it, parsed and bound.
fn document(kind: DocumentKind, text: &str) -> Policy {
    let mut policy = Policy::parse(text, kind).unwrap_or_else(|error| panic!("{error}: {text}"));
    policy.bind_known(&mut directory);
    policy
}

fn admin() -> Policy {
    identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#)
}

/// "Example IAM identity-based policies: denies access to AWS based on the source IP".
#[test]
fn deny_by_source_ip_except_when_a_service_calls() {
    let deny = document(
        DocumentKind::Identity,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*",
            "Condition":{
                "NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]},
                "Bool":{"aws:ViaAWSService":"false"}}}}"#,
    );
    for (ip, via, effect) in [
        ("192.0.2.7", "false", Effect::Allow),
        ("198.51.100.7", "false", Effect::ExplicitDeny),
        ("198.51.100.7", "true", Effect::Allow),
    ] {
        let world = World {
            identity: vec![admin(), deny.clone()],
            context: Context::new().with("aws:SourceIp", ip).with("aws:ViaAWSService", via),
            ..World::default()
        };
        assert_eq!(world.decide(&user()).effect(), effect, "{ip} {via}");
    }
}

/// "AWS global condition context keys: aws:MultiFactorAuthPresent": absent for long-term keys.
#[test]
fn deny_without_mfa_needs_if_exists_to_reach_long_term_keys() {
    let deny = |operator: &str| {
        identity(&format!(
            r#"{{"Effect":"Deny","Action":"*","Resource":"*",
                "Condition":{{"{operator}":{{"aws:MultiFactorAuthPresent":"false"}}}}}}"#
        ))
    };
    for (operator, present, effect) in [
        ("Bool", None, Effect::Allow),
        ("Bool", Some("false"), Effect::ExplicitDeny),
        ("Bool", Some("true"), Effect::Allow),
        ("BoolIfExists", None, Effect::ExplicitDeny),
        ("BoolIfExists", Some("false"), Effect::ExplicitDeny),
        ("BoolIfExists", Some("true"), Effect::Allow),
    ] {
        let context = present.map_or_else(Context::new, |value| {
            Context::new().with("aws:MultiFactorAuthPresent", value)
        });
        let world = World { identity: vec![admin(), deny(operator)], context, ..World::default() };
        assert_eq!(world.decide(&user()).effect(), effect, "{operator} {present:?}");
    }
}

/// "Allows access within specific dates".
#[test]
fn access_within_dates() {
    let dated = document(
        DocumentKind::Identity,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*",
            "Condition":{
                "DateGreaterThan":{"aws:CurrentTime":"2020-04-01T00:00:00Z"},
                "DateLessThan":{"aws:CurrentTime":"2020-06-30T23:59:59Z"}}}]}"#,
    );
    for (now, allowed) in [
        ("2020-03-31T23:59:59Z", false),
        ("2020-04-01T00:00:00Z", false),
        ("2020-04-01T00:00:00.001Z", true),
        ("2020-06-30T23:59:59Z", false),
    ] {
        let world = World {
            identity: vec![dated.clone()],
            context: Context::new().with("aws:CurrentTime", now),
            ..World::default()
        };
        assert_eq!(world.decide(&user()).is_allowed(), allowed, "{now}");
    }
}

/// "Amazon S3: allows IAM users access to their S3 home directory".
#[test]
fn home_directories() {
    let home = document(
        DocumentKind::Identity,
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["s3:ListAllMyBuckets","s3:GetBucketLocation"],"Resource":"*"},
            {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket",
             "Condition":{"StringLike":{"s3:prefix":["","home/","home/${aws:username}/*"]}}},
            {"Effect":"Allow","Action":"s3:*","Resource":[
                "arn:aws:s3:::bucket/home/${aws:username}","arn:aws:s3:::bucket/home/${aws:username}/*"]}]}"#,
    );
    for (action, resource, prefix, allowed) in [
        ("s3:ListAllMyBuckets", "*", None, true),
        ("s3:ListBucket", "arn:aws:s3:::bucket", Some(""), true),
        ("s3:ListBucket", "arn:aws:s3:::bucket", Some("home/alice/x"), true),
        ("s3:ListBucket", "arn:aws:s3:::bucket", Some("home/bob/x"), false),
        ("s3:ListBucket", "arn:aws:s3:::bucket", None, false),
        ("s3:PutObject", "arn:aws:s3:::bucket/home/alice/a", None, true),
        ("s3:PutObject", "arn:aws:s3:::bucket/home/alicex/a", None, false),
        ("s3:PutObject", "arn:aws:s3:::bucket/home/bob/a", None, false),
    ] {
        let mut context = Context::new().with("aws:username", "alice");
        if let Some(prefix) = prefix {
            context = context.with("s3:prefix", prefix);
        }
        let world = World { identity: vec![home.clone()], context, ..World::default() };
        assert_eq!(
            world.ask(&user(), action, resource).is_allowed(),
            allowed,
            "{resource} {prefix:?}"
        );
    }
}

/// "Controlling access to AWS resources using tags: Controlling access based on tag keys".
#[test]
fn tag_keys_with_for_all_values_and_null() {
    let tags = document(
        DocumentKind::Identity,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*",
            "Condition":{"Null":{"aws:TagKeys":"false"},
                "ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}}}}"#,
    );
    for (keys, allowed) in [
        (&["environment"][..], true),
        (&["environment", "cost-center"], true),
        (&["environment", "owner"], false),
        (&["Environment"], false),
        (&[], false),
    ] {
        let world = World {
            identity: vec![tags.clone()],
            context: Context::new().with_many("aws:TagKeys", keys.iter().copied()),
            ..World::default()
        };
        assert_eq!(world.ask(&user(), "ec2:CreateTags", "*").is_allowed(), allowed, "{keys:?}");
    }
}

/// "Permissions boundaries for IAM entities: delegating responsibility".
#[test]
fn a_boundary_is_a_ceiling_and_grants_nothing() {
    let boundary = || {
        document(
            DocumentKind::Boundary,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
                "Action":["s3:*","cloudwatch:*","ec2:*"],"Resource":"*"}]}"#,
        )
    };
    let create = identity(r#"{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}"#);
    let world = World { identity: vec![create], boundary: Some(boundary()), ..World::default() };
    assert_eq!(world.ask(&user(), "iam:CreateUser", "*").effect(), Effect::ImplicitDeny);
    assert_eq!(world.ask(&user(), "s3:GetObject", "*").effect(), Effect::ImplicitDeny);
    let world = World { identity: vec![admin()], boundary: Some(boundary()), ..World::default() };
    assert!(world.ask(&user(), "s3:GetObject", "*").is_allowed());
}

/// Organizations User Guide, "Deny access to AWS based on the requested Region".
#[test]
fn a_service_control_policy_by_region() {
    let regions = document(
        DocumentKind::ServiceControl,
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"FullAWSAccess","Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"DenyAllOutsideEU","Effect":"Deny","NotAction":["cloudfront:*","iam:*","sts:*"],"Resource":"*",
             "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-central-1","eu-west-1"]},
                "ArnNotLike":{"aws:PrincipalARN":["arn:aws:iam::*:role/Role1AllowedToBypassThisSCP"]}}}]}"#,
    );
    for (action, region, principal, allowed) in [
        ("ec2:RunInstances", "eu-west-1", USER_ARN, true),
        ("ec2:RunInstances", "us-east-1", USER_ARN, false),
        ("iam:CreateUser", "us-east-1", USER_ARN, true),
        (
            "ec2:RunInstances",
            "us-east-1",
            "arn:aws:iam::111111111111:role/Role1AllowedToBypassThisSCP",
            true,
        ),
    ] {
        let world = World {
            identity: vec![admin()],
            service_control: vec![vec![regions.clone()]],
            context: Context::new()
                .with("aws:RequestedRegion", region)
                .with("aws:PrincipalArn", principal),
            ..World::default()
        };
        let decision = world.ask(&user(), action, "*");
        assert_eq!(decision.is_allowed(), allowed, "{action} {region}");
        if !allowed {
            assert_eq!(decision.matched()[0].sid.as_deref(), Some("DenyAllOutsideEU"));
        }
    }
}

/// Organizations User Guide, "RCP examples: restrict access to only identities of the organization".
#[test]
fn a_resource_control_policy_around_an_organization() {
    let perimeter = document(
        DocumentKind::ResourceControl,
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Full","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
            {"Sid":"EnforceOrgIdentities","Effect":"Deny","Principal":"*","Action":["s3:*","sts:*"],"Resource":"*",
             "Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"},
                "BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}"#,
    );
    for (org, service, denied) in [
        (Some("o-1"), "false", false),
        (Some("o-2"), "false", true),
        (None, "true", false),
        (None, "false", true),
    ] {
        let mut context = Context::new().with("aws:PrincipalIsAWSService", service);
        if let Some(org) = org {
            context = context.with("aws:PrincipalOrgID", org);
        }
        let world = World {
            identity: vec![admin()],
            resource: Some(names("Allow", r#""*""#, "{}")),
            resource_control: vec![vec![perimeter.clone()]],
            elsewhere: true,
            context,
            ..World::default()
        };
        let decision = world.decide(&user());
        assert_eq!(decision.effect() == Effect::ExplicitDeny, denied, "{org:?} {service}");
    }
}

/// "Create a role for OpenID Connect federation: GitHub".
#[test]
fn the_trust_policy_of_a_github_role() {
    let trust = document(
        DocumentKind::Trust,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},
            "Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{"StringEquals":{
                "token.actions.githubusercontent.com:aud":"sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub":"repo:GitHubOrg/GitHubRepo:ref:refs/heads/GitHubBranch"}}}]}"#,
    );
    let caller = crate::policy::Caller::WebIdentity {
        provider: "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
            .into(),
    };
    for (aud, sub, action, allowed) in [
        (
            "sts.amazonaws.com",
            "repo:GitHubOrg/GitHubRepo:ref:refs/heads/GitHubBranch",
            "sts:AssumeRoleWithWebIdentity",
            true,
        ),
        (
            "sts.amazonaws.com",
            "repo:GitHubOrg/GitHubRepo:ref:refs/heads/other",
            "sts:AssumeRoleWithWebIdentity",
            false,
        ),
        (
            "other",
            "repo:GitHubOrg/GitHubRepo:ref:refs/heads/GitHubBranch",
            "sts:AssumeRoleWithWebIdentity",
            false,
        ),
        (
            "sts.amazonaws.com",
            "repo:GitHubOrg/GitHubRepo:ref:refs/heads/GitHubBranch",
            "sts:AssumeRole",
            false,
        ),
    ] {
        let world = World {
            trust: Some(trust.clone()),
            context: Context::new()
                .with("token.actions.githubusercontent.com:aud", aud)
                .with("token.actions.githubusercontent.com:sub", sub),
            ..World::default()
        };
        assert_eq!(world.assume(&caller, action).is_allowed(), allowed, "{aud} {sub} {action}");
    }
}

/// "AWS JSON policy elements: NotPrincipal": everyone but Bob.
#[test]
fn everyone_but_one_user() {
    let deny = document(
        DocumentKind::Resource,
        &format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny",
                "NotPrincipal":{{"AWS":["{USER_ARN}","arn:aws:iam::111111111111:root"]}},
                "Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}}]}}"#
        ),
    );
    let world = World { identity: vec![admin()], resource: Some(deny), ..World::default() };
    assert!(world.decide(&user()).is_allowed());
    assert_eq!(world.decide(&session()).effect(), Effect::ExplicitDeny);
}

/// "AWS JSON policy elements: Principal": the example to use instead of NotPrincipal.
#[test]
fn everyone_but_one_principal_arn() {
    let deny = document(
        DocumentKind::Resource,
        &format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"UsePrincipalArnInsteadOfNotPrincipalWithDeny",
                "Effect":"Deny","Action":"s3:*","Principal":"*","Resource":["arn:aws:s3:::bucket/*","arn:aws:s3:::bucket"],
                "Condition":{{"ArnNotEquals":{{"aws:PrincipalArn":"{USER_ARN}"}}}}}}]}}"#
        ),
    );
    for (arn, effect) in [(USER_ARN, Effect::Allow), (ROLE_ARN, Effect::ExplicitDeny)] {
        let world = World {
            identity: vec![admin()],
            resource: Some(deny.clone()),
            context: Context::new().with("aws:PrincipalArn", arn),
            ..World::default()
        };
        assert_eq!(world.decide(&user()).effect(), effect, "{arn}");
    }
}

/// "Creating a condition with multiple keys or values": the DynamoDB example.
#[test]
fn requested_attributes() {
    let allow = document(
        DocumentKind::Identity,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem",
            "Resource":"arn:aws:dynamodb:*:*:table/Thread",
            "Condition":{"ForAllValues:StringLike":{"dynamodb:Attributes":["PostDateTime","Message","Tags"]}}}]}"#,
    );
    for (attributes, allowed) in
        [(&["PostDateTime", "Message"][..], true), (&["PostDateTime", "ID"], false), (&[], true)]
    {
        let world = World {
            identity: vec![allow.clone()],
            context: Context::new().with_many("dynamodb:Attributes", attributes.iter().copied()),
            ..World::default()
        };
        let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Thread";
        assert_eq!(world.ask(&user(), "dynamodb:GetItem", table).is_allowed(), allowed);
    }
}
