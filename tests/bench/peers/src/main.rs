//! The same decisions by this crate's compiled policies and by other engines of crates.io.
//!
//! A caller with `n` statements, each about one bucket and with one condition, asks for an object
//! of the last one. Every engine gets its policies in their prepared form and, where it has one,
//! its request too. The answers are checked, also that of a request that nobody allows. Each
//! engine's time is the best of several rounds that take turns, so that a disturbance of the
//! machine meets all of them.
//!
//! Run: `cargo run --release`, in this folder.

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::id::{AccountId, UniqueId};
use countersign::policy::compiled::{
    CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy, CompiledSet, decide,
};
use countersign::policy::{Caller, Context, DocumentKind, Named, Policy, Request};

const SIZES: [usize; 4] = [1, 10, 100, 1_000];
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(80);

/// Decides about the allowed request, or about one by another team.
type Decide = Box<dyn FnMut(bool) -> bool>;

fn main() {
    println!("nanoseconds a decision, the matching statement last\n");
    println!("statements |      ours |    iam-rs |     cedar | regorus (rvm) | regorus | nearest");
    for size in SIZES {
        let mut engines: Vec<Decide> =
            vec![ours(size), iam_rs(size), cedar(size), regorus_rvm(size), regorus(size)];
        for (index, decide) in engines.iter_mut().enumerate() {
            assert!(decide(true), "engine {index} refuses");
            assert!(!decide(false), "engine {index} allows");
        }
        let mut best = vec![f64::INFINITY; engines.len()];
        for _ in 0..ROUNDS {
            for (decide, best) in engines.iter_mut().zip(&mut best) {
                *best = best.min(time(decide));
            }
        }
        let nearest = best.iter().skip(1).copied().fold(f64::INFINITY, f64::min) / best[0];
        let cells: Vec<String> = (best.iter().zip([9, 9, 9, 13, 7]))
            .map(|(time, width)| format!("{time:width$.0}"))
            .collect();
        println!("{size:10} | {} | {nearest:.1} x", cells.join(" | "));
    }
}

/// Nanoseconds a decision, of the processor and not of the clock: other work on the machine does
/// not count.
fn time(decide: &mut Decide) -> f64 {
    let (start, since) = (Instant::now(), processor());
    let mut decisions = 0_u32;
    while start.elapsed() < ROUND {
        for _ in 0..64 {
            black_box(decide(black_box(true)));
        }
        decisions += 64;
    }
    (processor() - since) / f64::from(decisions)
}

/// Nanoseconds that this thread has had a processor.
fn processor() -> f64 {
    // The kernel brings the figure up to date when the thread gives way.
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

fn bucket(index: usize) -> String {
    format!("bucket-{index:04}")
}

const TEAMS: [&str; 2] = ["blue", "red"];

fn team(allowed: bool) -> &'static str {
    TEAMS[usize::from(!allowed)]
}

fn object(size: usize) -> String {
    format!("arn:aws:s3:::{}/report.txt", bucket(size - 1))
}

fn document(buckets: Range<usize>) -> String {
    let statements: Vec<String> = buckets
        .map(|index| {
            format!(
                r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{}/*","Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"blue"}}}}}}"#,
                bucket(index)
            )
        })
        .collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn ours(size: usize) -> Decide {
    let account = AccountId::parse("111111111111").unwrap();
    let caller = Caller::User {
        account,
        id: UniqueId::parse("AIDAALICE000000000001").unwrap(),
        arn: "arn:aws:iam::111111111111:user/alice".into(),
    };
    // A document may be 64 KiB long: a thousand statements are ten documents.
    let policies: Vec<Policy> = (0..size)
        .step_by(100)
        .map(|first| document(first..size.min(first + 100)))
        .map(|text| Policy::parse(&text, DocumentKind::Identity).unwrap())
        .collect();
    let object = object(size);
    let contexts = TEAMS.map(|team| Context::new().with("aws:PrincipalTag/team", team));
    let decide_with = move |allowed: bool, identity: CompiledLayer<'_>| {
        let layers = CompiledLayers {
            resource_account: account,
            identity,
            boundary: None,
            session: None,
            resource: None,
            service_control: &[],
            resource_control: &[],
        };
        let request = Request {
            caller: &caller,
            action: "s3:GetObject",
            resource: &object,
            context: &contexts[usize::from(!allowed)],
        };
        decide(&request, &layers).is_allowed()
    };
    match policies.as_slice() {
        [policy] => {
            let policy = CompiledPolicy::new(policy);
            Box::new(move |allowed| {
                let list = [CompiledNamed { name: "policy", policy: &policy }];
                decide_with(allowed, CompiledLayer::List(&list))
            })
        }
        policies => {
            let named: Vec<_> =
                (policies.iter()).map(|policy| Named { name: "policy", policy }).collect();
            let set = CompiledSet::new(&named);
            Box::new(move |allowed| decide_with(allowed, CompiledLayer::Set(&set)))
        }
    }
}

fn iam_rs(size: usize) -> Decide {
    use iam_rs::{
        Arn, Context, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId,
    };

    let evaluator =
        PolicyEvaluator::with_policies(vec![IAMPolicy::from_json(&document(0..size)).unwrap()]);
    let requests = TEAMS.map(|team| {
        IAMRequest::new_with_context(
            Principal::Aws(PrincipalId::String("arn:aws:iam::111111111111:user/alice".to_owned())),
            "s3:GetObject",
            Arn::parse(&object(size)).unwrap(),
            Context::new().with_string("aws:PrincipalTag/team", team),
        )
    });
    Box::new(move |allowed| {
        let result = evaluator.evaluate(&requests[usize::from(!allowed)]).unwrap();
        result.decision == Decision::Allow
    })
}

fn cedar(size: usize) -> Decide {
    use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};

    // As Cedar has it: the bucket is the object's parent, and stands in the policy's scope.
    let text: String = (0..size)
        .map(|index| {
            format!(
                "permit(principal == User::\"alice\", action == Action::\"s3:GetObject\", resource in \
                 Bucket::\"{}\") when {{ context.team == \"blue\" }};\n",
                bucket(index)
            )
        })
        .collect();
    let policies: PolicySet = text.parse().unwrap();
    let last = bucket(size - 1);
    let entities = Entities::from_json_value(
        serde_json::json!([
            { "uid": { "type": "User", "id": "alice" }, "attrs": {}, "parents": [] },
            { "uid": { "type": "Bucket", "id": last }, "attrs": {}, "parents": [] },
            {
                "uid": { "type": "Object", "id": "report.txt" },
                "attrs": {},
                "parents": [{ "type": "Bucket", "id": last }]
            },
        ]),
        None,
    )
    .unwrap();
    let uid = |text: &str| text.parse::<EntityUid>().unwrap();
    let requests = TEAMS.map(|team| {
        let context = Context::from_json_value(serde_json::json!({ "team": team }), None).unwrap();
        Request::new(
            uid("User::\"alice\""),
            uid("Action::\"s3:GetObject\""),
            uid("Object::\"report.txt\""),
            context,
            None,
        )
        .unwrap()
    });
    let authorizer = Authorizer::new();
    Box::new(move |allowed| {
        let request = &requests[usize::from(!allowed)];
        authorizer.is_authorized(request, &policies, &entities).decision() == Decision::Allow
    })
}

fn rego(size: usize) -> String {
    let rules: String = (0..size)
        .map(|index| {
            format!(
                "allow if {{\n\tinput.action == \"s3:GetObject\"\n\tstartswith(input.resource, \
                 \"arn:aws:s3:::{}/\")\n\tinput.team == \"blue\"\n}}\n",
                bucket(index)
            )
        })
        .collect();
    format!("package peers\n\nimport rego.v1\n\ndefault allow := false\n\n{rules}")
}

fn rego_inputs(size: usize) -> [regorus::Value; 2] {
    [true, false].map(|allowed| {
        let input = serde_json::json!({
            "action": "s3:GetObject",
            "resource": object(size),
            "team": team(allowed),
        });
        regorus::Value::from_json_str(&input.to_string()).unwrap()
    })
}

const RULE: &str = "data.peers.allow";

fn rego_compiled(size: usize) -> regorus::CompiledPolicy {
    let mut engine = regorus::Engine::new();
    engine.add_policy("peers.rego".to_owned(), rego(size)).unwrap();
    engine.compile_with_entrypoint(&RULE.into()).unwrap()
}

fn regorus(size: usize) -> Decide {
    let policy = rego_compiled(size);
    let inputs = rego_inputs(size);
    Box::new(move |allowed| {
        let input = inputs[usize::from(!allowed)].clone();
        policy.eval_with_input(input).unwrap() == regorus::Value::from(true)
    })
}

fn regorus_rvm(size: usize) -> Decide {
    use regorus::languages::rego::compiler::Compiler;
    use regorus::rvm::vm::RegoVM;

    let program: Arc<_> = Compiler::compile_from_policy(&rego_compiled(size), &[RULE]).unwrap();
    let mut machine = RegoVM::new();
    machine.load_program(program);
    let inputs = rego_inputs(size);
    Box::new(move |allowed| {
        machine.set_input(inputs[usize::from(!allowed)].clone());
        machine.execute().unwrap() == regorus::Value::from(true)
    })
}
