//! The layers put together.

use super::fixture::*;
use crate::policy::{Caller, DocumentKind, Effect, FederationMaker, Layer, Policy};

/// The observed rows: a role with a boundary B, a role policy P and a resource policy R, no
/// denies, one account (benkehoe/permissions-boundary-test, and its variants of R's principal).
#[test]
fn the_28_rows_observed_on_real_aws() {
    let forms = [
        (format!(r#"{{"AWS":"{ROLE_ARN}"}}"#), "{}"),
        (format!(r#"{{"AWS":"{SESSION_ARN}"}}"#), "{}"),
        (r#"{"AWS":"111111111111"}"#.to_owned(), PRINCIPAL_ARN),
        (r#""*""#.to_owned(), PRINCIPAL_ARN),
    ];
    let rows = [
        ([0, 0, 1], [false, true, false, true]),
        ([0, 1, 1], [false, true, false, true]),
        ([1, 1, 0], [true, true, true, true]),
        ([1, 0, 1], [true, true, false, true]),
        ([1, 1, 1], [true, true, true, true]),
        ([1, 0, 0], [false, false, false, false]),
        ([0, 1, 0], [false, false, false, false]),
    ];
    let mut seen = 0;
    for ([b, p, r], expected) in rows {
        for ((principal, condition), expected) in forms.iter().zip(expected) {
            let action = |allowed: i32| if allowed == 1 { ACTION } else { "s3:ListBucket" };
            let about = |allowed: i32| {
                identity(&format!(
                    r#"{{"Effect":"Allow","Action":"{}","Resource":"*"}}"#,
                    action(allowed)
                ))
            };
            let mut world = World { identity: vec![about(p)], ..World::default() };
            world.context = world.context.with("aws:PrincipalArn", ROLE_ARN);
            world.boundary = Some(about(b));
            if r == 1 {
                world.resource = Some(names("Allow", principal, condition));
            }
            let decision = world.decide(&session());
            assert_eq!(decision.is_allowed(), expected, "B{b} P{p} R{r} {principal}");
            assert_eq!(decision.matched().is_empty(), !expected);
            seen += 1;
        }
    }
    assert_eq!(seen, 28);
}

const PRINCIPAL_ARN: &str =
    r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/app/reader"}}"#;

#[test]
fn nothing_allows_by_default() {
    for caller in [user(), session(), federated(), web_identity(), Caller::Anonymous] {
        let decision = World::default().decide(&caller);
        assert_eq!(decision.effect(), Effect::ImplicitDeny, "{caller:?}");
        assert!(decision.matched().is_empty());
    }
}

#[test]
fn root_has_its_own_account_and_no_other() {
    let decision = World::default().decide(&root());
    assert!(decision.is_allowed());
    assert_eq!(decision.layer(), Layer::Root);
    assert_eq!(decision.matched()[0].policy, "arn:aws:iam::111111111111:root");
    let elsewhere = World { elsewhere: true, ..World::default() };
    assert_eq!(elsewhere.decide(&root()).effect(), Effect::ImplicitDeny);
}

#[test]
fn roots_own_right_yields_to_denies_and_service_control() {
    for principal in [r#""*""#, r#"{"AWS":"111111111111"}"#] {
        let world = World { resource: Some(names("Deny", principal, "{}")), ..World::default() };
        assert_eq!(world.decide(&root()).effect(), Effect::ExplicitDeny);
    }
    let world = World { service_control: vec![vec![]], ..World::default() };
    let decision = world.decide(&root());
    assert_eq!(
        (decision.effect(), decision.layer()),
        (Effect::ImplicitDeny, Layer::ServiceControl)
    );
}

#[test]
fn an_explicit_deny_in_any_layer_is_final() {
    let allow = || identity(&about("Allow", "{}"));
    let deny = || identity(&about("Deny", "{}"));
    let open = || World {
        identity: vec![allow()],
        boundary: Some(allow()),
        session: Some(vec![allow()]),
        resource: Some(names("Allow", &format!(r#"{{"AWS":"{SESSION_ARN}"}}"#), "{}")),
        service_control: vec![vec![allow()]],
        resource_control: vec![vec![allow()]],
        ..World::default()
    };
    assert!(open().decide(&session()).is_allowed());
    let closed: [(Layer, Put); 6] = [
        (Layer::Identity, |w, p| w.identity.push(p)),
        (Layer::Boundary, |w, p| w.boundary = Some(p)),
        (Layer::Session, |w, p| w.session.as_mut().unwrap().push(p)),
        (Layer::Resource, |w, _| w.resource = Some(names("Deny", r#""*""#, "{}"))),
        (Layer::ServiceControl, |w, p| w.service_control[0].push(p)),
        (Layer::ResourceControl, |w, p| w.resource_control[0].push(p)),
    ];
    for (layer, close) in closed {
        let mut world = open();
        close(&mut world, deny());
        let decision = world.decide(&session());
        assert_eq!((decision.effect(), decision.layer()), (Effect::ExplicitDeny, layer));
        assert!(
            decision.matched().iter().all(|m| m.layer == layer) && !decision.matched().is_empty()
        );
    }
}

#[test]
fn each_level_of_the_organization_has_to_allow_and_one_policy_of_a_level_suffices() {
    let allow = || identity(&about("Allow", "{}"));
    let other = || identity(r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#);
    let rows: [(Vec<Vec<Policy>>, bool); 6] = [
        (vec![], true),
        (vec![vec![]], false),
        (vec![vec![allow()]], true),
        (vec![vec![other(), allow()]], true),
        (vec![vec![allow()], vec![other()]], false),
        (vec![vec![allow()], vec![]], false),
    ];
    for (levels, allowed) in rows {
        let world =
            World { identity: vec![allow()], service_control: levels.clone(), ..World::default() };
        assert_eq!(world.decide(&user()).is_allowed(), allowed);
        let world = World { identity: vec![allow()], resource_control: levels, ..World::default() };
        assert_eq!(world.decide(&user()).is_allowed(), allowed);
    }
}

#[test]
fn several_session_policies_are_taken_together_by_or() {
    let allow = || identity(&about("Allow", "{}"));
    let other = || identity(r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#);
    for (list, allowed) in [
        (None, true),
        (Some(vec![]), false),
        (Some(vec![other()]), false),
        (Some(vec![other(), allow()]), true),
    ] {
        let world = World { identity: vec![allow()], session: list, ..World::default() };
        assert_eq!(world.decide(&session()).is_allowed(), allowed);
    }
    let world = World { session: Some(vec![allow()]), ..World::default() };
    assert!(!world.decide(&session()).is_allowed(), "a session policy grants nothing by itself");
}

/// Whether identity, boundary and session policy together suffice.
type Rule = Box<dyn Fn(bool, bool, bool) -> bool>;
/// Puts a policy into a layer.
type Put = fn(&mut World, Policy);

/// What a resource policy passes by, by the way it names the caller. Rows: identity, boundary,
/// session policy allow; columns as in the comments.
#[test]
fn what_a_resource_policy_bypasses_depends_on_how_it_names_the_caller() {
    let user_arn = format!(r#"{{"AWS":"{USER_ARN}"}}"#);
    let user_unique = format!(r#"{{"AWS":"{}"}}"#, user_id());
    let role_arn = format!(r#"{{"AWS":"{ROLE_ARN}"}}"#);
    let role_unique = format!(r#"{{"AWS":"{}"}}"#, role_id());
    let session_arn = format!(r#"{{"AWS":"{SESSION_ARN}"}}"#);
    let federated_arn = format!(r#"{{"AWS":"{FEDERATED_ARN}"}}"#);
    let number = r#"{"AWS":"111111111111"}"#.to_owned();
    let anyone = r#"{"AWS":"*"}"#.to_owned();
    let always: fn() -> Rule = || Box::new(|_, _, _| true);
    let limited: fn() -> Rule = || Box::new(|_, b, s| b && s);
    let by_user: fn() -> Rule = || Box::new(|_, _, s| s);
    let account_only: fn() -> Rule = || Box::new(|i, b, s| i && b && s);
    let rows: Vec<(Caller, &String, Rule)> = vec![
        (user(), &user_arn, by_user()),
        (user(), &user_unique, by_user()),
        (user(), &number, account_only()),
        (user(), &anyone, limited()),
        (session(), &role_arn, limited()),
        (session(), &role_unique, limited()),
        (session(), &session_arn, always()),
        (session(), &number, account_only()),
        (session(), &anyone, limited()),
        (federated(), &federated_arn, always()),
        (federated(), &user_arn, limited()),
        (federated(), &number, account_only()),
        (federated(), &anyone, limited()),
    ];
    let policy = |allowed: bool| {
        identity(&about("Allow", "{}").replace(ACTION, if allowed { ACTION } else { "s3:Other" }))
    };
    for (caller, principal, rule) in rows {
        for bits in 0..8 {
            let (i, b, s) = (bits & 1 == 1, bits & 2 == 2, bits & 4 == 4);
            let world = World {
                identity: vec![policy(i)],
                boundary: Some(policy(b)),
                session: Some(vec![policy(s)]),
                resource: Some(names("Allow", principal, "{}")),
                ..World::default()
            };
            let expected = rule(i, b, s) || (i && b && s);
            assert_eq!(
                world.decide(&caller).is_allowed(),
                expected,
                "{caller:?} by {principal}: identity {i}, boundary {b}, session {s}"
            );
        }
    }
}

#[test]
fn a_federated_user_without_a_session_policy_has_only_what_names_it() {
    let allow = || identity(&about("Allow", "{}"));
    for (principal, allowed) in [
        (format!(r#"{{"AWS":"{FEDERATED_ARN}"}}"#), true),
        (format!(r#"{{"AWS":"{USER_ARN}"}}"#), false),
        (r#"{"AWS":"111111111111"}"#.to_owned(), false),
        (r#""*""#.to_owned(), false),
    ] {
        let world = World {
            identity: vec![allow()],
            resource: Some(names("Allow", &principal, "{}")),
            ..World::default()
        };
        assert_eq!(world.decide(&federated()).is_allowed(), allowed, "{principal}");
    }
    let made_by_root = Caller::FederatedUser {
        account: account(),
        maker: FederationMaker::Root,
        name: "bob".into(),
        arn: FEDERATED_ARN.into(),
    };
    assert!(!World::default().decide(&made_by_root).is_allowed());
    let world = World { session: Some(vec![allow()]), ..World::default() };
    assert!(world.decide(&made_by_root).is_allowed());
    assert!(!world.decide(&federated()).is_allowed());
}

#[test]
fn across_accounts_both_sides_have_to_allow() {
    let mine = || vec![identity(&about("Allow", "{}"))];
    let principals = [
        format!(r#"{{"AWS":"{SESSION_ARN}"}}"#),
        format!(r#"{{"AWS":"{ROLE_ARN}"}}"#),
        r#"{"AWS":"arn:aws:iam::111111111111:root"}"#.to_owned(),
        r#""*""#.to_owned(),
    ];
    for principal in principals {
        let theirs = || Some(names("Allow", &principal, "{}"));
        for (identity, resource, allowed) in
            [(vec![], theirs(), false), (mine(), None, false), (mine(), theirs(), true)]
        {
            let world = World { identity, resource, elsewhere: true, ..World::default() };
            let decision = world.decide(&session());
            assert_eq!(decision.is_allowed(), allowed, "{principal}");
            if allowed {
                let layers: Vec<_> = decision.matched().iter().map(|m| m.layer).collect();
                assert_eq!(layers, [Layer::Identity, Layer::Resource]);
            }
        }
        // The caller's boundary and session policies limit, however it is named.
        let world = World {
            identity: mine(),
            boundary: Some(identity(r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#)),
            resource: theirs(),
            elsewhere: true,
            ..World::default()
        };
        assert_eq!(world.decide(&session()).layer(), Layer::Boundary);
    }
    let world = World {
        identity: mine(),
        resource: Some(names("Allow", r#"{"AWS":"222222222222"}"#, "{}")),
        elsewhere: true,
        ..World::default()
    };
    assert!(!world.decide(&session()).is_allowed(), "the owner names only itself");
}

#[test]
fn a_trust_policy_has_to_allow_even_in_its_own_account() {
    let assume = || {
        identity(&format!(
            r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{TARGET_ROLE}"}}"#
        ))
    };
    let aws = |name: &str| format!(r#"{{"AWS":"{name}"}}"#);
    // caller, principal, without and with an identity allow
    let rows = [
        (user(), aws(USER_ARN), true, true),
        (user(), aws(user_id().as_str()), true, true),
        (user(), aws("111111111111"), false, true),
        (user(), aws(ROLE_ARN), false, false),
        (user(), aws("222222222222"), false, false),
        (session(), aws(ROLE_ARN), true, true),
        (session(), aws(SESSION_ARN), true, true),
        (session(), aws("arn:aws:iam::111111111111:root"), false, true),
        (session(), aws(USER_ARN), false, false),
        (session(), r#""*""#.to_owned(), true, true),
        (web_identity(), format!(r#"{{"Federated":"{OIDC_ARN}"}}"#), true, true),
        (web_identity(), r#""*""#.to_owned(), false, false),
        (web_identity(), aws("111111111111"), false, false),
    ];
    for (caller, principal, without, with) in rows {
        for (identity, expected) in [(vec![], without), (vec![assume()], with)] {
            let trust = Some(trusts("Allow", &principal));
            let world = World { identity, trust, ..World::default() };
            let decision = world.assume(&caller, "sts:AssumeRole");
            assert_eq!(decision.is_allowed(), expected, "{caller:?} {principal}");
        }
    }
    // Across accounts, naming the caller directly is not enough.
    for (identity, expected) in [(vec![], false), (vec![assume()], true)] {
        let trust = Some(trusts("Allow", &aws(USER_ARN)));
        let world = World { identity, trust, elsewhere: true, ..World::default() };
        assert_eq!(world.assume(&user(), "sts:AssumeRole").is_allowed(), expected);
    }
}

#[test]
fn a_role_does_not_trust_itself() {
    let everything = identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let world = World {
        identity: vec![everything],
        trust: Some(trusts("Allow", r#"{"Service":"ec2.amazonaws.com"}"#)),
        ..World::default()
    };
    let decision = world.assume(&session(), "sts:AssumeRole");
    assert_eq!((decision.effect(), decision.layer()), (Effect::ImplicitDeny, Layer::Trust));
    let decision = World { identity: vec![], ..world }.assume(&session(), "sts:AssumeRole");
    assert_eq!((decision.effect(), decision.layer()), (Effect::ImplicitDeny, Layer::Trust));
}

#[test]
fn a_boundary_and_a_session_policy_limit_a_role_that_a_trust_policy_names() {
    let other = || identity(r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#);
    let trust = || Some(trusts("Allow", &format!(r#"{{"AWS":"{ROLE_ARN}"}}"#)));
    let world = World { trust: trust(), boundary: Some(other()), ..World::default() };
    assert_eq!(world.assume(&session(), "sts:AssumeRole").layer(), Layer::Boundary);
    let world = World { trust: trust(), session: Some(vec![other()]), ..World::default() };
    assert_eq!(world.assume(&session(), "sts:AssumeRole").layer(), Layer::Session);
}

#[test]
fn services_and_strangers_have_only_the_owners_word() {
    let service = Caller::Service { name: "ec2.amazonaws.com".into() };
    let everything = || vec![identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#)];
    for (caller, principal, allowed) in [
        (service.clone(), r#"{"Service":"ec2.amazonaws.com"}"#, true),
        (service.clone(), r#"{"Service":"ec2.amazonaws.com.evil"}"#, false),
        (service.clone(), r#"{"Service":"c2.amazonaws.com"}"#, false),
        (Caller::Anonymous, r#""*""#, true),
        (Caller::Anonymous, r#"{"AWS":"111111111111"}"#, false),
    ] {
        let world = World {
            identity: everything(),
            resource: Some(names("Allow", principal, "{}")),
            ..World::default()
        };
        assert_eq!(world.decide(&caller).is_allowed(), allowed, "{caller:?} {principal}");
    }
    let world = World { identity: everything(), ..World::default() };
    assert_eq!(world.decide(&service).layer(), Layer::Resource);
}

/// A document of another kind in the owner's place names nobody: it allows nothing, and what it
/// denies is denied.
#[test]
fn an_identity_policy_in_the_owners_place_allows_nothing() {
    for kind in [
        DocumentKind::Identity,
        DocumentKind::Boundary,
        DocumentKind::Session,
        DocumentKind::ServiceControl,
    ] {
        for (effect, expected) in [("Allow", Effect::ImplicitDeny), ("Deny", Effect::ExplicitDeny)]
        {
            let mut world =
                World { resource: Some(policy(kind, &about(effect, "{}"))), ..World::default() };
            assert_eq!(world.decide(&user()).effect(), expected, "{kind:?}");
            // Not where the owner's word counts beside the caller's policies, either.
            world.identity = vec![identity(&about("Allow", "{}"))];
            world.elsewhere = true;
            assert_eq!(world.decide(&user()).effect(), expected, "{kind:?}");
            let statement =
                format!(r#"{{"Effect":"{effect}","Action":"sts:*","Resource":"{TARGET_ROLE}"}}"#);
            let mut world = World { trust: Some(policy(kind, &statement)), ..World::default() };
            assert_eq!(world.assume(&user(), "sts:AssumeRole").effect(), expected, "{kind:?}");
            let own = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
            world.identity = vec![identity(own)];
            assert_eq!(world.assume(&user(), "sts:AssumeRole").effect(), expected, "{kind:?}");
        }
    }
}

/// What stands in for a document that no longer parses denies everything, whatever its kind.
#[test]
fn what_stands_in_for_an_unreadable_document_denies_everything() {
    for kind in [
        DocumentKind::Identity,
        DocumentKind::Boundary,
        DocumentKind::Session,
        DocumentKind::ServiceControl,
    ] {
        let world = World {
            identity: vec![identity(&about("Allow", "{}")), Policy::deny_everything(kind)],
            ..World::default()
        };
        assert_eq!(Policy::deny_everything(kind).kind(), kind);
        assert_eq!(world.decide(&user()).effect(), Effect::ExplicitDeny, "{kind:?}");
    }
    let allowed = || World { identity: vec![identity(&about("Allow", "{}"))], ..World::default() };
    let resource = Policy::deny_everything(DocumentKind::Resource);
    let world = World { resource: Some(resource), ..allowed() };
    assert_eq!(world.decide(&user()).effect(), Effect::ExplicitDeny);
    assert_eq!(world.decide(&session()).effect(), Effect::ExplicitDeny);
    let control = Policy::deny_everything(DocumentKind::ResourceControl);
    let world = World { resource_control: vec![vec![control]], ..allowed() };
    assert_eq!(world.decide(&user()).effect(), Effect::ExplicitDeny);
    let trust = Policy::deny_everything(DocumentKind::Trust);
    let world = World { trust: Some(trust), ..World::default() };
    assert_eq!(world.assume(&user(), "sts:AssumeRole").effect(), Effect::ExplicitDeny);
    assert_eq!(world.assume(&web_identity(), "sts:TagSession").effect(), Effect::ExplicitDeny);
}
