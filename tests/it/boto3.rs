//! boto3, many calls in one process: the scripts of `tests/sdk/python`.

use crate::broker::{Broker, stdout};
use crate::python::run_script;

#[test]
fn the_main_job() {
    let broker = Broker::start();
    let made = stdout(&broker.command(&["accounts", "create", "partner"]));
    let (_, role) = made.trim_end().split_once('\t').unwrap();
    let scratch = broker.home.folder().to_str().unwrap().to_owned();
    let variables = [("COUNTERSIGN_PARTNER_ROLE", role), ("SCRATCH", &scratch)];
    let told = run_script(&broker, "main_job.py", &variables);
    let steps = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(steps > 80, "{told}");
    assert_eq!(told.lines().last().unwrap(), format!("{steps} steps"));
}
