//! boto3 and botocore, many calls in one process: the scripts of `tests/sdk/python`.

use countersign::ops::catalog::ROWS;

use crate::broker::{Broker, stdout};
use crate::python::run_script;

/// Runs a script that prints a line a step.
fn run(script: &str, at_least: usize) {
    let broker = Broker::with(&[("COUNTERSIGN_ISSUER_URL", "https://tokens.example")]);
    let made = stdout(&broker.command(&["accounts", "create", "partner"]));
    let (_, role) = made.trim_end().split_once('\t').unwrap();
    let scratch = broker.home.folder().to_str().unwrap().to_owned();
    let operations: Vec<String> =
        ROWS.iter().map(|row| format!("{}:{}", row.service.scope(), row.name)).collect();
    let operations = operations.join(",");
    let variables = [
        ("COUNTERSIGN_PARTNER_ROLE", role),
        ("SCRATCH", &scratch),
        ("COUNTERSIGN_OPERATIONS", &operations),
    ];
    let told = run_script(&broker, script, &variables);
    let steps = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(steps >= at_least, "{told}");
    assert_eq!(told.lines().last().unwrap(), format!("{steps} steps"));
}

#[test]
fn the_main_job() {
    run("main_job.py", 90);
}

/// Simulations and encoded authorization messages.
#[test]
fn why_something_is_denied() {
    run("explain.py", 20);
}

/// The calls of Terraform's provider and of boto3's resources; every operation of IAM, its answers
/// held against the service model.
#[test]
fn the_surface_of_iam() {
    run("surface.py", 85);
}

/// Requests that botocore signed for a downstream service, and what the broker says of them.
#[test]
fn questions_about_signed_requests() {
    run("verify.py", 75);
}
