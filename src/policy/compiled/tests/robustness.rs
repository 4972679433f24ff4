//! Hostile sizes, compiled: patterns by the steps that they take, the rest by what they cost.

use crate::policy::compiled::{self, CompiledLayer, CompiledLayers, CompiledSet, work};
use crate::policy::tests::fixture::{
    ACTION, RESOURCE, World, about, account, bearable, identity, user,
};
use crate::policy::{Context, DocumentKind, HARD_CAP_BYTES, Named, Policy, Request};

/// Decides with one set of policies, for so much work as no quadratic engine keeps to.
fn decide(policies: &[Policy], action: &str, resource: &str, context: &Context) -> bool {
    bearable(|| decided(policies, action, resource, context))
}

/// Likewise, however long it takes.
fn decided(policies: &[Policy], action: &str, resource: &str, context: &Context) -> bool {
    let named: Vec<Named<'_>> = policies.iter().map(|policy| Named { name: "p", policy }).collect();
    let set = CompiledSet::new(&named);
    let layers = CompiledLayers {
        resource_account: account(),
        identity: CompiledLayer::Set(&set),
        boundary: None,
        session: None,
        resource: None,
        service_control: &[],
        resource_control: &[],
    };
    let caller = user();
    let request = Request { caller: &caller, action, resource, context };
    compiled::decide(&request, &layers).is_allowed()
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{action},"Resource":{resource}}}"#)
}

/// However long the text is, each of its characters, and of the pattern's, costs the same.
#[test]
fn stars_and_question_marks_do_not_blow_up() {
    let context = Context::new().with("aws:username", "aaaa");
    for (pattern, longest, each) in [
        (format!("{}b", "*a".repeat(1_500)), 8_000, 1),
        (format!("{}b", "?*".repeat(1_500)), 8_000, 1),
        (format!("{}*b*", "*a".repeat(1_500)), 8_000, 1),
        (format!("{}*b*", "?*".repeat(1_500)), 8_000, 1),
        (format!("*{}b*", "a".repeat(3_000)), 8_000, 1),
        // A word for 64 characters of the chunk.
        (format!("*{}b*", "a?".repeat(1_500)), 8_000, 48),
        (format!("*?{}b*", "a".repeat(3_000)), 8_000, 48),
        // Tried at each place.
        (format!("*{}b*", "a?".repeat(5_000)), 2_000, 15_010),
        (format!("*{}?b*", "${aws:username}".repeat(200)), 2_000, 1_010),
    ] {
        let policy = identity(&allow("\"*\"", &format!("\"arn:aws:s3:::{pattern}\"")));
        for length in [longest / 2, longest] {
            let resource = format!("arn:aws:s3:::{}", "a".repeat(length));
            let bound = each * (resource.len() + pattern.len() + 100);
            let policies = std::slice::from_ref(&policy);
            let (allowed, steps) =
                work::within(bound, || decided(policies, ACTION, &resource, &context));
            assert!(!allowed && steps > 0, "{pattern:.20}: {steps} steps");
        }
    }
    let policy = identity(&allow("\"s3:*a*a*a*a*a*a*a*a*b*\"", "\"*\""));
    for length in [4_000, 8_000] {
        let action = format!("s3:{}", "a".repeat(length));
        let policies = std::slice::from_ref(&policy);
        let (allowed, steps) =
            work::within(length + 100, || decided(policies, &action, "*", &Context::new()));
        assert!(!allowed && steps > length / 2, "{steps} steps");
    }
}

#[test]
fn ten_thousand_statements_are_found_at_once() {
    let policies: Vec<Policy> = (0..100)
        .map(|policy| {
            let statements: Vec<String> = (0..100)
                .map(|statement| {
                    let resource = format!("\"arn:aws:s3:::bucket-{policy}-{statement}/*\"");
                    allow("\"s3:GetObject\"", &resource)
                })
                .collect();
            identity(&statements.join(","))
        })
        .collect();
    let ask = |resource: &str| decide(&policies, ACTION, resource, &Context::new());
    assert!(ask("arn:aws:s3:::bucket-99-99/x"));
    assert!(!ask("arn:aws:s3:::bucket-99-100/x"));
}

#[test]
fn an_index_grows_with_the_document_and_not_with_its_square() {
    let numbered = |format: fn(usize) -> String, count: usize| {
        let list: Vec<String> = (0..count).map(|index| format!("{:?}", format(index))).collect();
        format!("[{}]", list.join(","))
    };
    let actions = numbered(|index| format!("s3:A{index}"), 2_500);
    let resources = numbered(|index| format!("arn:aws:s3:::{index}*"), 1_200);
    let policy = identity(&allow(&actions, &resources));
    assert!(decide(std::slice::from_ref(&policy), "s3:A7", "arn:aws:s3:::9x", &Context::new()));
    assert!(!decide(&[policy], "s3:B7", "arn:aws:s3:::9x", &Context::new()));
}

/// Prefixes that begin with one another, patterns that all match, and a condition that costs:
/// nobody gets it evaluated for each pair of them.
#[test]
fn a_condition_is_not_evaluated_for_every_pair_of_patterns() {
    let nested = |start: &str, end: &str, count: usize| {
        let list: Vec<String> =
            (0..count).map(|length| format!("\"{start}{}{end}\"", "a".repeat(length))).collect();
        format!("[{}]", list.join(","))
    };
    let operands: Vec<String> = (0..2_000).map(|index| format!("\"*{index}*b\"")).collect();
    let statement = format!(
        r#"{{"Effect":"Allow","Action":{},"Resource":{},"Condition":{{"StringLike":{{"k:ey":[{}]}}}}}}"#,
        nested("s3:", "*", 150),
        nested("arn:aws:s3:::", "*", 150),
        operands.join(",")
    );
    let policy = identity(&statement);
    let context = Context::new().with("k:ey", "1".repeat(4_000));
    let (action, resource) = (format!("s3:{}", "a".repeat(150)), "a".repeat(150));
    assert!(!decide(&[policy], &action, &format!("arn:aws:s3:::{resource}"), &context));
}

#[test]
fn long_values_are_compared_alike() {
    for value in ["9".repeat(60_000), "::".repeat(30_000), "Q".repeat(60_000)] {
        for condition in [
            r#"{"NumericLessThan":{"k:ey":0}}"#,
            r#"{"DateLessThan":{"k:ey":"2020-01-01"}}"#,
            r#"{"IpAddress":{"k:ey":"10.0.0.0/8"}}"#,
            r#"{"BinaryEquals":{"k:ey":"QQ=="}}"#,
            r#"{"ArnLike":{"k:ey":"arn:aws:s3:::*"}}"#,
            r#"{"StringEqualsIgnoreCase":{"k:ey":"${k:ey}"}}"#,
        ] {
            let world = World {
                identity: vec![identity(&about("Allow", condition))],
                context: Context::new().with("k:ey", value.clone()),
                ..World::default()
            };
            // The fixture asks both evaluators.
            let _ = world.decide(&user());
        }
    }
}

#[test]
fn a_document_full_of_the_worst_statements_is_bearable() {
    let statement = r#"{"Effect":"Deny","Action":"s3:*a*a*b","Resource":"*"}"#;
    let fits = (HARD_CAP_BYTES - 20) / (statement.len() + 1);
    let text = format!(r#"{{"Statement":[{}]}}"#, vec![statement; fits].join(","));
    let policy = Policy::parse(&text, DocumentKind::Identity).unwrap();
    let action = format!("s3:{}", "a".repeat(10_000));
    assert!(!decide(&[policy], &action, RESOURCE, &Context::new()));
}
