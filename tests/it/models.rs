//! The operations of the Query services, held against botocore's service models.
//!
//! Nothing describes an operation twice: `model.py` makes requests at the bounds of each parameter
//! of the model, and the operation's own reader says what it thinks of them. What answers hold is
//! compared with the model by `surface.py`, over the wire.

use std::collections::BTreeMap;

use countersign::ops::Service;
use countersign::ops::catalog::{ROWS, Row};
use countersign::ops::fault::FaultCode;
use countersign::wire::query::{Form, Params};
use serde::Deserialize;

use crate::python::{client, done, script};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Parameters that the model has and this version does not: they are refused, never ignored.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("CreateSAMLProvider", "AssertionEncryptionMode"),
    ("CreateSAMLProvider", "AddPrivateKey"),
    ("UpdateSAMLProvider", "AssertionEncryptionMode"),
    ("UpdateSAMLProvider", "AddPrivateKey"),
    ("UpdateSAMLProvider", "RemovePrivateKey"),
];

/// What the model has and AWS's own documentation excludes: refused as any other wrong value.
const REFUSED: &[(&str, &str)] = &[
    // Words of one enum are shared: a key cannot be made to have expired.
    ("UpdateAccessKey", "Status: Expired"),
];

#[derive(Deserialize)]
struct Model {
    total: usize,
    /// `None` for what the model does not have.
    operations: BTreeMap<String, Option<Described>>,
}

#[derive(Deserialize)]
struct Described {
    has_result: bool,
    errors: Vec<Error>,
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Error {
    code: String,
    status: Option<u16>,
}

#[derive(Deserialize)]
struct Request {
    what: String,
    member: Option<String>,
    parameters: BTreeMap<String, String>,
    good: bool,
}

fn models() -> BTreeMap<String, Model> {
    let rows = ROWS.iter().filter(|row| matches!(row.service, Service::Iam | Service::Sts));
    let names: Vec<String> =
        rows.map(|row| format!("{}:{}", row.service.scope(), row.name)).collect();
    let mut command = client("http://127.0.0.1:1");
    command.env("COUNTERSIGN_OPERATIONS", names.join(",")).arg(script("model.py"));
    serde_json::from_str(&done(command)).unwrap()
}

/// What is wrong with an operation, by its model.
fn mismatches(row: &Row, described: &Described) -> Vec<String> {
    let mut wrong = Vec::new();
    if row.has_result != described.has_result {
        wrong.push(format!("has_result is {}", row.has_result));
    }
    for error in &described.errors {
        match FaultCode::ALL.iter().find(|code| code.as_str() == error.code) {
            None => wrong.push(format!("{} is no code of ours", error.code)),
            Some(code) if error.status.is_some_and(|status| status != code.status()) => {
                wrong.push(format!("{} has status {}", error.code, code.status()));
            }
            Some(_) => (),
        }
    }
    for request in &described.requests {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(&request.parameters).finish();
        let form = Form { content_type: Some(FORM), body: body.as_bytes() };
        let outcome = match Params::parse(None, Some(form)) {
            Ok(params) => (row.check)(&params),
            Err(error) => Err(error.into()),
        };
        let member = request.member.as_deref().unwrap_or_default();
        let unsupported = UNSUPPORTED.contains(&(row.name, member));
        let good = request.good && !REFUSED.contains(&(row.name, request.what.as_str()));
        let expected = match (&outcome, good) {
            (Ok(()), true) => !unsupported,
            (Ok(()), false) => false,
            (Err(fault), true) => {
                let refusals = [FaultCode::InvalidInput, FaultCode::InvalidParameterCombination];
                unsupported && refusals.contains(&fault.code())
            }
            (Err(fault), false) => {
                fault.code() == FaultCode::ValidationError
                    || (unsupported && fault.code() == FaultCode::InvalidParameterCombination)
            }
        };
        if !expected {
            let outcome = outcome.err().map(|fault| format!("{fault:?}"));
            wrong.push(format!("{}: {}", request.what, outcome.as_deref().unwrap_or("accepted")));
        }
    }
    wrong
}

#[test]
fn every_operation_reads_what_its_model_says() {
    let models = models();
    let mut wrong = Vec::new();
    let mut requests = 0;
    for (service, model) in &models {
        for (name, described) in &model.operations {
            let row =
                ROWS.iter().find(|row| row.name == name && row.service.scope() == service).unwrap();
            match described {
                None => wrong.push(format!("{service}:{name} is not in the model")),
                Some(described) => {
                    requests += described.requests.len();
                    let told = mismatches(row, described);
                    wrong.extend(told.iter().map(|it| format!("{service}:{name}: {it}")));
                }
            }
        }
        println!("{service}: {} operations of {}", model.operations.len(), model.total);
    }
    // All of STS, but for one that answers InvalidAction: see the README.
    let sts = &models["sts"];
    assert_eq!((sts.operations.len(), sts.total), (10, 11), "operations of STS");
    println!("{requests} requests at the bounds of the models, {} mismatches", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(requests > 1500, "{requests}");
}
