//! Refusals in AWS's words.

use super::fixture::*;
use crate::policy::{Caller, Policy, Request, access_denied, access_denied_because};

fn message(world: &World, caller: &Caller, action: &str, resource: &str) -> Option<String> {
    let decision = world.ask(caller, action, resource);
    let request = Request { caller, action, resource, context: &world.context };
    access_denied_because(&request, &decision)
}

#[test]
fn each_layer_has_its_words() {
    let allow = || identity(&about("Allow", "{}"));
    let deny = || identity(&about("Deny", "{}"));
    let nothing = || identity(r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#);
    let allowed = || World { identity: vec![allow()], ..World::default() };
    let with = |put: fn(&mut World, Policy), policy: Policy| {
        let mut world = allowed();
        put(&mut world, policy);
        world
    };
    let boundary = |w: &mut World, p: Policy| w.boundary = Some(p);
    let session = |w: &mut World, p: Policy| w.session = Some(vec![p]);
    let service = |w: &mut World, p: Policy| w.service_control = vec![vec![p]];
    let resource = |w: &mut World, p: Policy| w.resource_control = vec![vec![p]];
    let owner = |w: &mut World, p: Policy| {
        w.resource = Some(p);
        w.elsewhere = true;
    };
    let identity_deny = |w: &mut World, p: Policy| w.identity.push(p);
    let head = format!(
        "User: {SESSION_ARN} is not authorized to perform: s3:GetObject on resource: {RESOURCE}"
    );
    for (world, tail) in [
        (World::default(), "because no identity-based policy allows the s3:GetObject action"),
        (with(identity_deny, deny()), "with an explicit deny in an identity-based policy"),
        (
            with(boundary, nothing()),
            "because no permissions boundary allows the s3:GetObject action",
        ),
        (with(boundary, deny()), "with an explicit deny in a permissions boundary"),
        (with(session, nothing()), "because no session policy allows the s3:GetObject action"),
        (with(session, deny()), "with an explicit deny in a session policy"),
        (
            with(service, nothing()),
            "because no service control policy allows the s3:GetObject action",
        ),
        (with(service, deny()), "with an explicit deny in a service control policy"),
        (
            with(resource, nothing()),
            "because no resource control policy allows the s3:GetObject action",
        ),
        (with(resource, deny()), "with an explicit deny in a resource control policy"),
        (
            with(owner, names("Allow", r#"{"AWS":"222222222222"}"#, "{}")),
            "because no resource-based policy allows the s3:GetObject action",
        ),
        (
            with(owner, names("Deny", r#""*""#, "{}")),
            "with an explicit deny in a resource-based policy",
        ),
    ] {
        let caller = super::fixture::session();
        assert_eq!(message(&world, &caller, ACTION, RESOURCE), Some(format!("{head} {tail}")));
    }
    assert_eq!(message(&allowed(), &super::fixture::session(), ACTION, RESOURCE), None);
}

#[test]
fn a_resource_of_star_is_left_out() {
    assert_eq!(
        message(&World::default(), &user(), "iam:ListUsers", "*").unwrap(),
        format!(
            "User: {USER_ARN} is not authorized to perform: iam:ListUsers because no identity-based policy allows the iam:ListUsers action"
        )
    );
}

/// M20: what refuses a role is not told apart without its reason.
#[test]
fn museum_m20_a_refused_trust_can_be_said_without_its_reason() {
    let world = World { trust: Some(trusts("Deny", r#""*""#)), ..World::default() };
    let (caller, context) = (user(), &world.context);
    let request =
        Request { caller: &caller, action: "sts:AssumeRole", resource: TARGET_ROLE, context };
    let plain = format!(
        "User: {USER_ARN} is not authorized to perform: sts:AssumeRole on resource: {TARGET_ROLE}"
    );
    assert_eq!(access_denied(&request), plain);
    let decision = world.assume(&caller, "sts:AssumeRole");
    assert_eq!(
        access_denied_because(&request, &decision),
        Some(format!("{plain} with an explicit deny in the role trust policy"))
    );
}

#[test]
fn every_caller_has_a_name() {
    for (caller, expected) in [
        (
            root(),
            "User: arn:aws:iam::111111111111:root is not authorized to perform: sts:X".to_owned(),
        ),
        (user(), format!("User: {USER_ARN} is not authorized to perform: sts:X")),
        (session(), format!("User: {SESSION_ARN} is not authorized to perform: sts:X")),
        (federated(), format!("User: {FEDERATED_ARN} is not authorized to perform: sts:X")),
        (web_identity(), "Not authorized to perform sts:X".to_owned()),
        (Caller::Saml { provider: "x".into() }, "Not authorized to perform sts:X".to_owned()),
        (
            Caller::Service { name: "ec2.amazonaws.com".into() },
            "User: ec2.amazonaws.com is not authorized to perform: sts:X".to_owned(),
        ),
        (Caller::Anonymous, "User: anonymous is not authorized to perform: sts:X".to_owned()),
    ] {
        let context = crate::policy::Context::new();
        let request =
            Request { caller: &caller, action: "sts:X", resource: "*", context: &context };
        assert_eq!(access_denied(&request), expected);
    }
}

#[test]
fn statements_are_named_for_operators() {
    let world = World {
        identity: vec![identity(
            r#"{"Sid":"Read","Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
        )],
        ..World::default()
    };
    let shown: Vec<String> =
        world.decide(&user()).matched().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["identity-based policy identity, statement 0 (Read)"]);
    let shown = World::default().decide(&root()).matched()[0].to_string();
    assert_eq!(shown, "root user arn:aws:iam::111111111111:root");
}
