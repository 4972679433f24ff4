//! Laws that hold for every world.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::fixture::*;
use crate::policy::wildcard::Pattern;
use crate::policy::{Caller, Context, DocumentKind, Effect, Layer, Policy};

/// A statement, before it is written down.
#[derive(Clone, Debug)]
struct Spec {
    allow: bool,
    not_action: bool,
    actions: Vec<&'static str>,
    not_resource: bool,
    resources: Vec<&'static str>,
    condition: &'static str,
    principal: String,
    /// Rotates the order of the elements.
    turn: usize,
    /// Writes actions and condition keys in capitals.
    shout: bool,
}

impl Spec {
    fn write(&self, kind: DocumentKind) -> String {
        let actions = if self.shout {
            self.actions.iter().map(|action| action.to_uppercase()).collect::<Vec<_>>()
        } else {
            self.actions.iter().map(ToString::to_string).collect()
        };
        let condition = if self.shout {
            self.condition.replace("k:ey", "K:EY").replace("aws:username", "AWS:USERNAME")
        } else {
            self.condition.to_owned()
        };
        let not = |negated: bool| if negated { "Not" } else { "" };
        let mut elements = vec![
            format!(r#""Effect":"{}""#, if self.allow { "Allow" } else { "Deny" }),
            format!(r#""Condition":{condition}"#),
        ];
        if kind == DocumentKind::Trust {
            elements.push(r#""Action":["sts:AssumeRole","sts:TagSession"]"#.to_owned());
        } else {
            elements.push(format!(r#""{}Action":{actions:?}"#, not(self.not_action)));
            elements.push(format!(r#""{}Resource":{:?}"#, not(self.not_resource), self.resources));
        }
        if matches!(kind, DocumentKind::Trust | DocumentKind::Resource) {
            elements.push(format!(r#""Principal":{}"#, self.principal));
        }
        let turn = self.turn % elements.len();
        elements.rotate_left(turn);
        format!("{{{}}}", elements.join(","))
    }
}

fn spec() -> impl Strategy<Value = Spec> {
    let actions = vec!["s3:GetObject", "s3:*", "s3:Put*", "*", "sts:AssumeRole", "sts:*", "iam:*"];
    let resources = vec![
        "*",
        "arn:aws:s3:::bucket/*",
        "arn:aws:s3:::bucket/team/report.txt",
        "arn:aws:s3:::bucket/${aws:username}/*",
        "arn:aws:s3:::other/*",
        "arn:aws:iam::111111111111:role/*",
    ];
    let conditions = vec![
        "{}",
        "{}",
        "{}",
        "{}",
        r#"{"StringEquals":{"k:ey":"a"}}"#,
        r#"{"StringNotEquals":{"k:ey":"a"}}"#,
        r#"{"StringEqualsIfExists":{"k:ey":["a","b"]}}"#,
        r#"{"ForAllValues:StringLike":{"k:ey":["a*","b"]}}"#,
        r#"{"ForAnyValue:StringNotEquals":{"k:ey":"b"}}"#,
        r#"{"NumericLessThan":{"k:ey":5}}"#,
        r#"{"Null":{"k:ey":"true"}}"#,
        r#"{"StringLike":{"k:ey":"${aws:username}*"}}"#,
        r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/app/reader"}}"#,
    ];
    let principals = [
        USER_ARN,
        ROLE_ARN,
        SESSION_ARN,
        FEDERATED_ARN,
        "111111111111",
        "222222222222",
        "*",
        "AIDAALICE000000000001",
    ];
    let mut principals: Vec<String> =
        principals.iter().map(|name| format!(r#"{{"AWS":"{name}"}}"#)).collect();
    principals.push(format!(r#"{{"Federated":"{OIDC_ARN}"}}"#));
    (
        (prop::bool::weighted(0.85), prop::bool::weighted(0.1), prop::bool::weighted(0.1)),
        subsequence(actions, 1..4),
        subsequence(resources, 1..4),
        select(conditions),
        select(principals),
        0..5_usize,
        any::<bool>(),
    )
        .prop_map(
            |(
                (allow, not_action, not_resource),
                actions,
                resources,
                condition,
                principal,
                turn,
                shout,
            )| {
                Spec {
                    allow,
                    not_action,
                    actions,
                    not_resource,
                    resources,
                    condition,
                    principal,
                    turn,
                    shout,
                }
            },
        )
}

/// Policies by layer, before they are written down.
#[derive(Clone, Debug)]
struct Plan {
    identity: Vec<Spec>,
    boundary: Option<Vec<Spec>>,
    session: Option<Vec<Vec<Spec>>>,
    resource: Vec<Spec>,
    service_control: Vec<Vec<Spec>>,
    resource_control: Vec<Vec<Spec>>,
    elsewhere: bool,
    trust: bool,
    context: Context,
}

/// Half of the lists hold an allow for everything, so that enough worlds allow.
fn statements() -> impl Strategy<Value = Vec<Spec>> {
    (prop::collection::vec(spec(), 1..3), spec(), any::<bool>()).prop_map(
        |(mut specs, wide, open)| {
            if open {
                specs.push(Spec {
                    allow: true,
                    not_action: false,
                    actions: vec!["*"],
                    not_resource: false,
                    resources: vec!["*"],
                    condition: "{}",
                    ..wide
                });
            }
            specs
        },
    )
}

fn levels() -> impl Strategy<Value = Vec<Vec<Spec>>> {
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(statements(), 1..3)]
}

fn context() -> impl Strategy<Value = Context> {
    let value = select(vec!["a", "b", "alice", "", "4", "5"]);
    (
        prop::option::of(value),
        prop::option::of(prop::collection::vec(select(vec!["a", "ab", "b", ""]), 0..3)),
        prop::option::of(select(vec!["team", "*", "a"])),
    )
        .prop_map(|(one, many, name)| {
            let mut context = Context::new().with("aws:PrincipalArn", ROLE_ARN);
            if let Some(one) = one {
                context = context.with("k:ey", one);
            }
            if let Some(many) = many {
                context = context.with_many("k:ey", many);
            }
            if let Some(name) = name {
                context = context.with("aws:username", name);
            }
            context
        })
}

fn plan() -> impl Strategy<Value = Plan> {
    (
        statements(),
        prop::option::of(statements()),
        prop::option::of(prop::collection::vec(statements(), 0..3)),
        statements(),
        levels(),
        levels(),
        any::<(bool, bool)>(),
        context(),
    )
        .prop_map(
            |(
                identity,
                boundary,
                session,
                resource,
                service_control,
                resource_control,
                (elsewhere, trust),
                context,
            )| {
                Plan {
                    identity,
                    boundary,
                    session,
                    resource,
                    service_control,
                    resource_control,
                    elsewhere,
                    trust,
                    context,
                }
            },
        )
}

fn caller() -> impl Strategy<Value = Caller> {
    select(vec![root(), user(), session(), federated(), web_identity(), Caller::Anonymous])
}

fn write(kind: DocumentKind, specs: &[Spec]) -> Policy {
    let statements: Vec<String> = specs.iter().map(|spec| spec.write(kind)).collect();
    policy(kind, &statements.join(","))
}

impl Plan {
    fn write(&self) -> World {
        let one = |kind: DocumentKind, specs: &Vec<Spec>| write(kind, specs);
        World {
            identity: vec![one(DocumentKind::Identity, &self.identity)],
            boundary: self.boundary.as_ref().map(|specs| one(DocumentKind::Boundary, specs)),
            session: (self.session.as_ref())
                .map(|list| list.iter().map(|specs| one(DocumentKind::Session, specs)).collect()),
            resource: Some(one(DocumentKind::Resource, &self.resource)),
            trust: Some(one(DocumentKind::Trust, &self.resource)),
            service_control: (self.service_control.iter())
                .map(|specs| vec![one(DocumentKind::ServiceControl, specs)])
                .collect(),
            resource_control: (self.resource_control.iter())
                .map(|specs| vec![one(DocumentKind::ServiceControl, specs)])
                .collect(),
            elsewhere: self.elsewhere,
            context: self.context.clone(),
        }
    }

    fn decide(&self, caller: &Caller) -> crate::policy::Decision {
        let world = self.write();
        if self.trust { world.assume(caller, "sts:AssumeRole") } else { world.decide(caller) }
    }

    fn allowed(&self, caller: &Caller) -> bool {
        self.decide(caller).is_allowed()
    }

    /// Every list of statements that there is.
    fn lists(&mut self) -> Vec<&mut Vec<Spec>> {
        let mut lists = vec![&mut self.identity, &mut self.resource];
        lists.extend(&mut self.boundary);
        lists.extend(self.session.iter_mut().flatten());
        lists.extend(&mut self.service_control);
        lists.extend(&mut self.resource_control);
        lists
    }
}

proptest! {
    // A law that leaves many cases out is to be tried as often as the others, however many are asked
    // for.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        ..ProptestConfig::with_cases(600)
    })]

    #[test]
    fn without_an_allow_nothing_is_allowed(mut plan in plan(), caller in caller()) {
        prop_assume!(!matches!(caller, Caller::Root { .. }));
        for list in plan.lists() {
            for spec in list {
                spec.allow = false;
            }
        }
        prop_assert!(!plan.allowed(&caller));
    }

    #[test]
    fn an_allow_names_allowing_statements(plan in plan(), caller in caller()) {
        let decision = plan.decide(&caller);
        let matched = decision.matched();
        prop_assert_eq!(matched.is_empty(), decision.effect() == Effect::ImplicitDeny);
        prop_assert_eq!(decision.is_allowed(), decision.effect() == Effect::Allow);
        if let Some(first) = matched.first() {
            prop_assert_eq!(first.layer, decision.layer());
        }
        for one in matched {
            let specs: Vec<&Vec<Spec>> = match one.layer {
                Layer::Root => continue,
                Layer::Identity => vec![&plan.identity],
                Layer::Boundary => plan.boundary.iter().collect(),
                Layer::Session => plan.session.iter().flatten().collect(),
                Layer::Resource | Layer::Trust => vec![&plan.resource],
                Layer::ServiceControl => plan.service_control.iter().collect(),
                Layer::ResourceControl => plan.resource_control.iter().collect(),
            };
            let agrees = specs.iter().any(|list| {
                list.get(one.statement).is_some_and(|spec| spec.allow == decision.is_allowed())
            });
            prop_assert!(agrees, "{one:?}");
        }
    }

    #[test]
    fn adding_a_deny_never_grants(
        plan in plan(), caller in caller(), deny in spec(), at in any::<prop::sample::Index>()
    ) {
        let mut stricter = plan.clone();
        let mut lists = stricter.lists();
        let at = at.index(lists.len());
        lists[at].push(Spec { allow: false, ..deny });
        prop_assert!(plan.allowed(&caller) || !stricter.allowed(&caller));
    }

    #[test]
    fn taking_an_allow_away_never_grants(
        plan in plan(), caller in caller(), at in any::<prop::sample::Index>()
    ) {
        let mut stricter = plan.clone();
        let mut lists = stricter.lists();
        let at = at.index(lists.len());
        if let Some(place) = lists[at].iter().position(|spec| spec.allow) {
            // Turned into a deny of something else, so that the list does not become empty.
            lists[at][place] = Spec {
                allow: false, not_action: false, actions: vec!["iam:*"], ..lists[at][place].clone()
            };
        }
        prop_assert!(plan.allowed(&caller) || !stricter.allowed(&caller));
    }

    #[test]
    fn a_condition_on_an_allow_never_grants(
        plan in plan(), caller in caller(), at in any::<prop::sample::Index>(), other in spec()
    ) {
        // A condition on aws:PrincipalArn says how the caller is named, and may carry it further.
        prop_assume!(!other.condition.contains("PrincipalArn"));
        let mut stricter = plan.clone();
        let mut lists = stricter.lists();
        let at = at.index(lists.len());
        for spec in lists[at].iter_mut().filter(|spec| spec.allow && spec.condition == "{}") {
            spec.condition = other.condition;
        }
        prop_assert!(plan.allowed(&caller) || !stricter.allowed(&caller));
    }

    /// M16: a child is never more than its parent.
    #[test]
    fn museum_m16_limits_never_widen(
        plan in plan(), caller in caller(),
        boundary in statements(), session in prop::collection::vec(statements(), 0..3),
        level in statements(),
    ) {
        let federated = matches!(caller, Caller::FederatedUser { .. });
        let unlimited = Plan {
            boundary: None,
            session: if federated { plan.session.clone() } else { None },
            ..plan
        };
        let before = unlimited.allowed(&caller);
        let bounded = Plan { boundary: Some(boundary), ..unlimited.clone() };
        prop_assert!(before || !bounded.allowed(&caller), "boundary");
        if !federated {
            let narrowed = Plan { session: Some(session), ..unlimited.clone() };
            prop_assert!(before || !narrowed.allowed(&caller), "session");
        }
        let mut levelled = unlimited.clone();
        levelled.service_control.push(level.clone());
        prop_assert!(before || !levelled.allowed(&caller), "service control");
        let mut levelled = unlimited;
        levelled.resource_control.push(level);
        prop_assert!(before || !levelled.allowed(&caller), "resource control");
    }

    /// A federated user never has more than its maker, but for what names the session.
    #[test]
    fn a_federated_user_never_exceeds_its_maker(plan in plan()) {
        let names_session = plan.resource.iter().any(|spec| {
            spec.principal.contains("federated-user") || spec.condition.contains("PrincipalArn")
        });
        prop_assume!(!names_session);
        let maker = Plan { session: None, ..plan.clone() };
        prop_assert!(!plan.allowed(&federated()) || maker.allowed(&user()));
    }

    #[test]
    fn another_accounts_resource_needs_its_owners_word(mut plan in plan(), caller in caller()) {
        plan.elsewhere = true;
        let decision = plan.decide(&caller);
        if decision.is_allowed() {
            let owner = |layer| matches!(layer, Layer::Resource | Layer::Trust);
            prop_assert!(decision.matched().iter().any(|one| owner(one.layer)));
            let own = |layer| matches!(layer, Layer::Root | Layer::Identity);
            let inside = caller.account().is_some();
            prop_assert_eq!(decision.matched().iter().any(|one| own(one.layer)), inside);
        }
    }

    /// The trace and the decision never part.
    #[test]
    fn a_trace_agrees_with_its_decision(plan in plan(), caller in caller()) {
        let action = if plan.trust { "sts:AssumeRole" } else { "s3:GetObject" };
        let trace = plan.write().explain(&caller, action);
        let decision = &trace.decision;
        prop_assert_eq!(decision, &plan.decide(&caller));
        let denies: Vec<_> = trace.statements.iter().filter(|s| s.applies && !s.allows).collect();
        prop_assert_eq!(denies.is_empty(), decision.effect() != Effect::ExplicitDeny);
        if decision.effect() == Effect::ExplicitDeny {
            let shown: Vec<_> = denies.iter().map(|s| (s.layer, s.statement)).collect();
            let made: Vec<_> = decision.matched().iter().map(|m| (m.layer, m.statement)).collect();
            prop_assert_eq!(shown, made);
        }
        for one in decision.matched().iter().filter(|one| one.layer != Layer::Root) {
            let shown = trace.statements.iter().any(|s| {
                s.applies && (s.layer, s.statement) == (one.layer, one.statement)
                    && s.allows == decision.is_allowed()
            });
            prop_assert!(shown, "{one:?}");
        }
    }

    #[test]
    fn order_and_case_never_matter(plan in plan(), caller in caller(), turn in 0..5_usize) {
        let mut other = plan.clone();
        for list in other.lists() {
            list.reverse();
            for spec in list {
                spec.turn += turn;
                spec.shout = !spec.shout;
                spec.actions.reverse();
                spec.resources.reverse();
            }
        }
        let (one, two) = (plan.decide(&caller), other.decide(&caller));
        prop_assert_eq!((one.effect(), one.layer()), (two.effect(), two.layer()));
        let ask = |action: &str| plan.write().ask(&caller, action, RESOURCE).effect();
        prop_assert_eq!(ask("s3:GetObject"), ask("S3:GETOBJECT"));
    }

    /// The matcher agrees with the plainest one there is.
    #[test]
    fn wildcards_agree_with_the_textbook(pattern in "[abä*?]{0,10}", text in "[abä]{0,12}") {
        let expected = textbook(
            &pattern.chars().collect::<Vec<_>>(),
            &text.chars().collect::<Vec<_>>(),
        );
        prop_assert_eq!(Pattern::parse(&pattern).matches(&text), expected);
    }

    /// Long chunks are looked for in another way.
    #[test]
    fn long_chunks_agree_with_the_textbook(
        chunk in "[ab?]{30,70}", before in "[ab]{0,20}", after in "[ab]{0,20}", star in "[a*]",
        change in 0..80_usize,
    ) {
        let mut text: Vec<char> = before.chars().collect();
        text.extend(chunk.chars().map(|c| if c == '?' { '\u{e9}' } else { c }));
        text.extend(after.chars());
        let changed = text.len() - 1;
        if change < 40 {
            text[changed.min(change)] = 'b';
        }
        let pattern = format!("*{chunk}*{star}*");
        let expected = textbook(&pattern.chars().collect::<Vec<_>>(), &text);
        let text: String = text.into_iter().collect();
        prop_assert_eq!(Pattern::parse(&pattern).matches(&text), expected);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        for kind in [DocumentKind::Identity, DocumentKind::Trust, DocumentKind::ResourceControl] {
            let _ = Policy::parse(&text, kind);
        }
    }

    #[test]
    fn no_mutation_makes_the_parser_or_a_decision_panic(
        spec in spec(), at in any::<prop::sample::Index>(), with in "[\\[\\]{}:,\"*?$a0 ]{0,3}"
    ) {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{}}}"#, spec.write(DocumentKind::Identity));
        let cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = cuts[at.index(cuts.len())];
        let (before, after) = text.split_at(at);
        let mutated = format!("{before}{with}{}", after.chars().skip(1).collect::<String>());
        if let Ok(policy) = Policy::parse(&mutated, DocumentKind::Identity) {
            let world = World { identity: vec![policy], ..World::default() };
            let _ = world.decide(&user());
        }
    }
}

fn textbook(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            textbook(rest, text) || text.split_first().is_some_and(|(_, t)| textbook(pattern, t))
        }
        (Some((p, rest)), Some((t, text))) => (*p == '?' || p == t) && textbook(rest, text),
        _ => false,
    }
}
