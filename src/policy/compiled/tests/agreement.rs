//! The compiled engine and the interpreter never part, over generated policies and requests.
//!
//! `COUNTERSIGN_TEST_POLICY_CASES` sets how many decisions are compared, and
//! `COUNTERSIGN_TEST_POLICY_SEED` where the drawing begins; the seed is printed.

use super::coverage::Coverage;
use super::generate::{ASKED_ACTIONS, ASKED_RESOURCES, Random, callers};
use crate::policy::compiled::{self, CompiledNamed, CompiledPolicy};
use crate::policy::tests::fixture::{Compiled, TARGET_ROLE, agree};
use crate::policy::{Named, Request, decide, decide_trust};

/// So many requests are made to one set of policies: more where there is no end of cases.
fn requests(cases: u64) -> u64 {
    if cases < 1_000_000 { 10 } else { 50 }
}

/// Of so many of them it is noted what each part of the policies made of them.
const NOTED: u64 = 10;

/// The cases are drawn from so many seeds, however many threads there are.
const STREAMS: u64 = 16;

#[test]
fn both_evaluators_agree() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let cases = number("COUNTERSIGN_TEST_POLICY_CASES").unwrap_or(40_000);
    let seed = number("COUNTERSIGN_TEST_POLICY_SEED").unwrap_or(0x5eed);
    println!("seed {seed}, {cases} cases");
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut coverage = Coverage::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let mut coverage = Coverage::default();
                    for stream in (worker..STREAMS).step_by(usize::try_from(threads).unwrap()) {
                        let mut random = Random(seed.wrapping_add(stream << 48));
                        for _ in 0..cases.div_ceil(requests(cases) * STREAMS) {
                            compare(&mut random, requests(cases), &mut coverage);
                        }
                    }
                    coverage
                })
            })
            .collect();
        for worker in workers {
            coverage.add(worker.join().unwrap());
        }
    });
    println!("{}", coverage.shown());
    coverage.check();
}

/// Compares a few decisions about one world; a difference panics with the random state before it.
fn compare(random: &mut Random, requests: u64, coverage: &mut Coverage) {
    let state = random.0;
    let world = random.world();
    let callers = callers();
    let trust = world.trust.as_ref().map(|policy| (policy, CompiledPolicy::new(policy)));
    world.with_layers(|layers| {
        let compiled = Compiled::new(layers);
        for number in 0..requests {
            let context = random.context();
            // Users and sessions meet the most layers.
            let most = if random.chance(50) { 3 } else { callers.len() };
            let (name, caller) = &callers[random.below(most)];
            let (action, resource) = match trust {
                Some(_) if random.chance(90) => {
                    (random.pick(&["sts:AssumeRole", "STS:TagSession"]), TARGET_ROLE)
                }
                _ => (random.pick(&ASKED_ACTIONS), random.pick(&ASKED_RESOURCES)),
            };
            let request = Request { caller, action, resource, context: &context };
            let decision = match &trust {
                Some((policy, _)) => {
                    decide_trust(&request, Named { name: "trust", policy }, layers)
                }
                None => decide(&request, layers),
            };
            compiled.each(|layers| {
                let compiled = match &trust {
                    Some((_, policy)) => {
                        let trust = CompiledNamed { name: "trust", policy };
                        compiled::decide_trust(&request, trust, layers)
                    }
                    None => compiled::decide(&request, layers),
                };
                let agrees = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    agree(&decision, &compiled);
                }));
                assert!(agrees.is_ok(), "state {state}: {request:?}\n{layers:#?}");
            });
            if number < NOTED {
                coverage.parts(&world, caller, &context);
            }
            coverage.decision(&world, (name, caller), &decision);
        }
    });
}

/// The test itself tells: one statement more in one of the two is a difference.
#[test]
fn a_difference_is_seen() {
    let mut random = Random(7);
    let (mut same, mut different) = (0, 0);
    for _ in 0..300 {
        let world = random.world();
        let mut other = world.clone();
        other
            .identity
            .push(crate::policy::Policy::deny_everything(crate::policy::DocumentKind::Identity));
        let context = random.context();
        let callers = callers();
        let (_, caller) = &callers[random.below(callers.len())];
        let request = Request {
            caller,
            action: ASKED_ACTIONS[0],
            resource: ASKED_RESOURCES[0],
            context: &context,
        };
        let decision = world.with_layers(|layers| decide(&request, layers));
        other.with_layers(|layers| {
            Compiled::new(layers).each(|layers| {
                let compiled = compiled::decide(&request, layers);
                if compiled.effect() == decision.effect() { same += 1 } else { different += 1 }
            });
        });
    }
    assert!(different > 100 && same > 0, "{different} {same}");
}
