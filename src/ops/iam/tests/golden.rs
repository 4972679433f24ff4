//! Every operation of IAM for holders of each policy that every deployment has: who is let through.
//!
//! `golden/matrix.txt` has a line an operation, with the policies whose holders may do it. An
//! operation that is added needs a line: what a well-known policy gives is decided, not found out.

use std::collections::BTreeMap;

use super::matrix::{iam_rows, parameters, stage, with_key};
use super::must;
use crate::directory::managed;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{Bench, Credentials};

#[tokio::test]
async fn holders_of_well_known_policies_may_what_the_golden_matrix_says() {
    let bench = Bench::new().await;
    let bob = stage(&bench).await;
    let mut callers = Vec::new();
    for policy in managed::all() {
        let name = ("UserName", policy.name);
        must(&bench, &bench.a, "CreateUser", &[name]).await;
        must(&bench, &bench.a, "AttachUserPolicy", &[name, ("PolicyArn", &policy.arn)]).await;
        let key = must(&bench, &bench.a, "CreateAccessKey", &[name]).await;
        callers.push((policy.name, Credentials::of_answer(&key)));
    }
    let mut found = BTreeMap::new();
    for action in iam_rows() {
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        let mut may = Vec::new();
        for (name, caller) in &callers {
            // Whether it can be done twice is another question.
            let result = bench.call(caller, action, &parameters).await;
            if !result.is_err_and(|fault| fault.code() == FaultCode::AccessDenied) {
                may.push(*name);
            }
        }
        may.sort_unstable();
        found.insert(action, may.join(" "));
    }
    let golden: BTreeMap<&str, String> = include_str!("golden/matrix.txt")
        .lines()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(action, may)| (action, may.to_owned()))
        .collect();
    for (action, may) in &found {
        assert_eq!(golden.get(action), Some(may), "{action}");
    }
    assert_eq!(golden.len(), found.len(), "the golden matrix speaks of what is not there");
}
