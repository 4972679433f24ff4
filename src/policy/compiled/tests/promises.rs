//! What the compiled engine promises beside agreeing.

use std::hint::black_box;

use super::generate::{ASKED_ACTIONS, ASKED_RESOURCES, Random, callers};
use crate::policy::compiled::{
    self, CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy, CompiledSet,
};
use crate::policy::tests::fixture::{Compiled, World, account, identity, user};
use crate::policy::{Context, DocumentKind, Effect, Named, Policy, Request};

#[test]
fn a_decision_allocates_nothing() {
    let mut random = Random(11);
    let callers = callers();
    for _ in 0..400 {
        let world = random.world();
        let trust = world.trust.as_ref().map(CompiledPolicy::new);
        world.with_layers(|layers| {
            let compiled = Compiled::new(layers);
            for _ in 0..5 {
                let context = random.context();
                let request = Request {
                    caller: &callers[random.below(callers.len())].1,
                    action: random.pick(&ASKED_ACTIONS),
                    resource: random.pick(&ASKED_RESOURCES),
                    context: &context,
                };
                compiled.each(|layers| {
                    let counted = allocation_counter::measure(|| {
                        let _ = black_box(match &trust {
                            Some(policy) => {
                                let trust = CompiledNamed { name: "trust", policy };
                                compiled::decide_trust(&request, trust, layers)
                            }
                            None => compiled::decide(&request, layers),
                        });
                    });
                    assert_eq!(counted.count_total, 0, "{request:?}");
                });
            }
        });
    }
}

fn layers(identity: CompiledLayer<'_>) -> CompiledLayers<'_> {
    CompiledLayers {
        resource_account: account(),
        identity,
        boundary: None,
        session: None,
        resource: None,
        service_control: &[],
        resource_control: &[],
    }
}

#[test]
fn a_decision_names_policy_statement_and_sid() {
    let one = identity(r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#);
    let two = identity(
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"},
           {"Sid":"No","Effect":"Deny","Action":"s3:PutObject","Resource":"*"}"#,
    );
    let set = CompiledSet::new(&[
        Named { name: "one", policy: &one },
        Named { name: "two", policy: &two },
    ]);
    assert_eq!((set.policies(), set.statements()), (2, 3));
    let alone = CompiledPolicy::new(&two);
    assert_eq!((alone.kind(), alone.statements()), (DocumentKind::Identity, 2));
    let (caller, context) = (user(), Context::new());
    let request = Request {
        caller: &caller,
        action: "S3:putobject",
        resource: "arn:aws:s3:::b/x",
        context: &context,
    };
    let decision = compiled::decide(&request, &layers(CompiledLayer::Set(&set)));
    assert_eq!(decision.effect(), Effect::ExplicitDeny);
    let matched: Vec<_> = decision.matched().collect();
    let [deny] = matched.as_slice() else { panic!("{matched:?}") };
    assert_eq!((deny.policy(), deny.statement(), deny.sid()), (Some("two"), 1, Some("No")));
    let alone = decision.to_decision();
    assert_eq!(alone.matched()[0].policy, "two");
}

#[test]
fn many_policies_are_one_index() {
    let policies: Vec<Policy> = (0..2_000)
        .map(|index| {
            identity(&format!(
                r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b{index:04}/*"}}"#
            ))
        })
        .collect();
    let named: Vec<Named<'_>> = policies.iter().map(|policy| Named { name: "p", policy }).collect();
    let set = CompiledSet::new(&named);
    let (caller, context) = (user(), Context::new());
    for (index, expected) in [(0, true), (777, true), (1_999, true), (2_000, false)] {
        let resource = format!("arn:aws:s3:::b{index:04}/x");
        let request = Request {
            caller: &caller,
            action: "s3:GetObject",
            resource: &resource,
            context: &context,
        };
        let decision = compiled::decide(&request, &layers(CompiledLayer::Set(&set)));
        assert_eq!(decision.is_allowed(), expected, "{index}");
    }
}

#[test]
fn what_stands_for_a_damaged_document_denies_compiled_too() {
    for kind in [DocumentKind::Identity, DocumentKind::Trust, DocumentKind::Resource] {
        let policy = Policy::deny_everything(kind);
        let world = match kind {
            DocumentKind::Trust => World { trust: Some(policy), ..World::default() },
            DocumentKind::Resource => World { resource: Some(policy), ..World::default() },
            _ => World { identity: vec![policy], ..World::default() },
        };
        // The fixture asks both evaluators.
        let decision = match kind {
            DocumentKind::Trust => world.assume(&user(), "sts:AssumeRole"),
            _ => world.decide(&user()),
        };
        assert_eq!(decision.effect(), Effect::ExplicitDeny, "{kind:?}");
    }
}
