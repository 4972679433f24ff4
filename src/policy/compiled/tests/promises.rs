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

/// Actions and resources of one statement that are so many that they are indexed once.
#[test]
fn statements_of_many_actions_and_resources_are_found() {
    let list = |of: fn(usize) -> String| {
        let texts: Vec<String> = (0..9).map(|number| format!("{:?}", of(number))).collect();
        texts.join(",")
    };
    let about = |effect: &str| {
        identity(&format!(
            r#"{{"Effect":"{effect}","Action":[{}],"Resource":[{}]}}"#,
            list(|number| format!("s3:Action{number}")),
            list(|number| format!("arn:aws:s3:::b{number}/*"))
        ))
    };
    let all = identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let allows = World { identity: vec![about("Allow")], ..World::default() };
    let denies = World { identity: vec![all, about("Deny")], ..World::default() };
    for (action, resource, expected) in [
        ("s3:Action8", "arn:aws:s3:::b8/x", true),
        ("S3:ACTION0", "arn:aws:s3:::b0/x", true),
        ("s3:Action9", "arn:aws:s3:::b0/x", false),
        ("s3:Action0", "arn:aws:s3:::b9/x", false),
    ] {
        // The fixture asks both evaluators.
        assert_eq!(allows.ask(&user(), action, resource).is_allowed(), expected);
        let denied = denies.ask(&user(), action, resource).effect() == Effect::ExplicitDeny;
        assert_eq!(denied, expected);
    }
}

/// What is found first ends the search: the action's own statement, before those of its service,
/// of patterns, of every action, and those that are tried.
#[test]
fn the_statement_that_is_found_first_is_named() {
    let actions = ["s3:GetObject", "s3:*", "s3:Get*", "*"];
    let (caller, context) = (user(), Context::new());
    let request =
        Request { caller: &caller, action: "s3:GetObject", resource: "b", context: &context };
    for effect in ["Allow", "Deny"] {
        for first in 0..actions.len() {
            let statements: Vec<String> = actions[first..]
                .iter()
                .map(|action| {
                    format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}"#)
                })
                .chain([format!(r#"{{"Effect":"{effect}","NotAction":"ec2:*","Resource":"*"}}"#)])
                .collect();
            let policy = CompiledPolicy::new(&identity(&statements.join(",")));
            let list = [CompiledNamed { name: "p", policy: &policy }];
            let decision = compiled::decide(&request, &layers(CompiledLayer::List(&list)));
            assert_eq!(decision.matched().map(|one| one.statement()).collect::<Vec<_>>(), [0]);
        }
    }
}

/// Whoever may pass policies decides how many there are at hand: what one takes, read and compiled, is
/// bounded by its text.
#[test]
fn a_policy_takes_so_many_times_its_text_and_no_more() {
    let list = |entry: &dyn Fn(usize) -> String, size: usize| {
        let (mut list, mut number) = (String::new(), 0);
        while list.len() < size {
            list.push_str(if number == 0 { "" } else { "," });
            list.push_str(&entry(number));
            number += 1;
        }
        list
    };
    let statement = |actions: &str, resources: &str, condition: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":[{actions}],"Resource":[{resources}],"Condition":{{{condition}}}}}"#
        )
    };
    let (any, all) = (r#""*""#, r#""arn:aws:s3:::*""#);
    for size in [2_000, 6_000, 20_000] {
        let like = |operand: &dyn Fn(usize) -> String| {
            format!(r#""ArnLike":{{"k:ey":[{}]}}"#, list(operand, size))
        };
        let texts = [
            statement(&list(&|n| format!("\"a:{n}\""), size), any, ""),
            statement(&list(&|n| format!("\"a{n}:*b\""), size), any, ""),
            statement(any, &list(&|n| format!("\"arn:a:a:::{n}\""), size), ""),
            statement(any, &list(&|n| format!("\"arn:*:a:*:*:*{n}*\""), size), ""),
            statement(any, all, &like(&|n| format!("\"arn:a::::{n}\""))),
            statement(any, all, &like(&|n| format!("\"arn:*:*:*:*:*{n}*\""))),
            statement(any, all, &like(&|_| "\"${a:b}\"".to_owned())),
            statement(
                any,
                all,
                &format!(r#""StringEquals":{{{}}}"#, list(&|n| format!("\"k:{n}\":\"\""), size)),
            ),
            list(&|_| r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#.to_owned(), size),
        ];
        for text in texts {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#);
            let mut kept = None;
            let counted = allocation_counter::measure(|| {
                let policy = Policy::parse(&text, DocumentKind::Session).unwrap();
                kept = Some((CompiledPolicy::new(&policy), policy));
            });
            let bytes = usize::try_from(counted.bytes_current).unwrap();
            assert!(bytes < 150 * text.len(), "{} for each of {text:.200}", bytes / text.len());
            drop(kept);
        }
    }
}
