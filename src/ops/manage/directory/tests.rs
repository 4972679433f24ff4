//! Files that would do more than they say, and files that would take too long.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{apply, export, plan};
use crate::api::{ApplyRequest, DirectoryFile, Plan};
use crate::audit::memory::MemorySink;
use crate::audit::{AuditError, AuditSink, Record};
use crate::directory::{Account, Directory, Entity};
use crate::future::BoxFuture;
use crate::id::AccountId;
use crate::ops::Context;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, Bench, Credentials, allow};
use crate::time::{Clock as _, SystemClock};

fn asked(files: Value) -> ApplyRequest {
    let directory: DirectoryFile = serde_json::from_value(files).unwrap();
    ApplyRequest { directory, prune: false, plan: None }
}

async fn planned(bench: &Bench, who: &Credentials, request: &ApplyRequest) -> Result<Plan, Fault> {
    let caller = bench.verify(who, "GetCallerIdentity", &[]).await?;
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    plan(&context, request).await
}

async fn applied(bench: &Bench, request: &ApplyRequest) -> Result<Plan, Fault> {
    let caller = bench.verify(&bench.a, "GetCallerIdentity", &[]).await?;
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    apply(&context, request).await
}

/// Whoever may make a policy must not choose what the files of an administrator attach.
#[tokio::test]
async fn a_policy_of_the_account_does_not_take_the_name_of_one_of_awss() {
    let bench = Bench::new().await;
    let files = asked(json!({ "group": [{ "name": "auditors", "policies": ["ReadOnlyAccess"] }] }));
    let steps = planned(&bench, &bench.a, &files).await.unwrap().steps;
    assert!(steps.iter().any(|step| step.what.ends_with(":policy/ReadOnlyAccess")));
    let everything = allow(&["*"]);
    let shadow = [("PolicyName", "readonlyAccess"), ("PolicyDocument", everything.as_str())];
    bench.call(&bench.a, "CreatePolicy", &shadow).await.unwrap();
    for name in ["ReadOnlyAccess", "readonlyaccess"] {
        let policies = [name];
        let fault = planned(
            &bench,
            &bench.a,
            &asked(json!({ "group": [{ "name": "auditors", "policies": policies }] })),
        )
        .await;
        let fault = fault.err().unwrap_or_else(|| panic!("{name} is one of two policies"));
        assert_eq!(fault.code(), FaultCode::ValidationError);
        assert!(fault.message().contains("ARN"), "{}", fault.message());
    }
    // An ARN says which; so do files that hold the account's own.
    let arn = format!("arn:aws:iam::{A}:policy/readonlyAccess");
    let by_arn = json!({ "group": [{ "name": "auditors", "policies": [arn] }] });
    planned(&bench, &bench.a, &asked(by_arn)).await.unwrap();
    let own = json!({
        "policy": [{ "name": "readonlyAccess", "document": everything }],
        "group": [{ "name": "auditors", "policies": ["readonlyAccess"] }],
    });
    planned(&bench, &bench.a, &asked(own)).await.unwrap();
}

/// A path that the files leave out is left alone, also in the ARN that is attached.
#[tokio::test]
async fn a_policy_below_a_path_is_found_by_its_name() {
    let bench = Bench::new().await;
    let document = allow(&["orders:Get*"]);
    let policy =
        [("PolicyName", "read"), ("Path", "/orders/"), ("PolicyDocument", document.as_str())];
    bench.call(&bench.a, "CreatePolicy", &policy).await.unwrap();
    let files = json!({
        "policy": [{ "name": "read", "document": document }],
        "group": [{ "name": "readers", "policies": ["read"] }],
    });
    let caller = bench.verify(&bench.a, "GetCallerIdentity", &[]).await.unwrap();
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    apply(&context, &asked(files)).await.unwrap();
}

/// Roles that wait for each other, so that none can be the first. A plan is made on the runtime's
/// threads, and to apply is to hold the directory's writes up.
#[tokio::test]
async fn roles_that_wait_for_each_other_do_not_hold_the_broker_up() {
    const ROLES: usize = 1200;
    let bench = Bench::new().await;
    let role = |n: usize, waits_for: usize| {
        let named = format!("arn:aws:iam::{A}:role/r{waits_for}");
        json!({ "name": format!("r{n}"), "trust": { "Principal": { "AWS": named } } })
    };
    let last = ROLES - 1;
    let mut roles: Vec<Value> = (0..last).map(|n| role(n, last)).collect();
    roles.push(role(last, last - 1));
    let clock = SystemClock::new();
    let begun = clock.monotonic();
    let steps = planned(&bench, &bench.a, &asked(json!({ "role": roles }))).await.unwrap().steps;
    assert_eq!(steps.len(), ROLES);
    let took = clock.monotonic().since(begun);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

/// A session of GetSessionToken without a second factor calls nothing of IAM.
#[tokio::test]
async fn a_users_session_without_mfa_does_not_read_the_directory() {
    let bench = Bench::new().await;
    let answer = bench.call(&bench.a, "GetSessionToken", &[]).await.unwrap();
    let session = Credentials::of_answer(&answer);
    bench.call(&session, "GetAccountAuthorizationDetails", &[]).await.unwrap_err();
    let caller = bench.verify(&session, "GetCallerIdentity", &[]).await.unwrap();
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    let nothing = asked(json!({}));
    for (what, result) in [
        ("export", export(&context).await.map(drop)),
        ("plan", plan(&context, &nothing).await.map(drop)),
        ("apply", apply(&context, &nothing).await.map(drop)),
    ] {
        let fault = result.err().unwrap_or_else(|| panic!("{what} is not refused"));
        assert_eq!(fault.code(), FaultCode::InvalidClientTokenId, "{what}");
    }
}

/// What was done can be read in the audit log as if it had been done by the API.
#[tokio::test]
async fn every_step_stands_on_record_with_its_parameters_before_it_is_done() {
    let bench = Bench::new().await;
    let document = allow(&["orders:Get*"]);
    let files = asked(json!({
        "group": [{ "name": "readers", "inline": { "own": document } }],
    }));
    let caller = bench.verify(&bench.a, "GetCallerIdentity", &[]).await.unwrap();
    let facts = bench.facts();
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    let before = bench.records().len();
    let done = apply(&context, &files).await.unwrap();
    let records = bench.records().split_off(before);
    let position = |name: &str, phase: &str| {
        records
            .iter()
            .position(|it| it["eventName"] == name && it["additionalEventData"]["phase"] == phase)
            .unwrap_or_else(|| panic!("{phase} of {name}: {records:#?}"))
    };
    let put = position("PutGroupPolicy", "intent");
    assert_eq!(records[put]["requestParameters"]["PolicyName"], "own");
    assert!(records[put]["requestParameters"]["PolicyDocument"].as_str().unwrap().contains("Get*"));
    assert!(position("CreateGroup", "intent") < put);
    assert!(put < position("CreateGroup", "outcome"));
    assert!(position("PutGroupPolicy", "outcome") < position("ApplyDirectory", "outcome"));
    assert_eq!(done.steps.len(), 2);
    // What is refused changes nothing, and that is on record too.
    let only = allow(&["countersign:*", "iam:Get*", "iam:List*"]);
    let weak = bench.user(&bench.a, "weak", &only).await;
    let caller = bench.verify(&weak, "GetCallerIdentity", &[]).await.unwrap();
    let context = Context { caller: &caller, ..context };
    let more = asked(json!({ "group": [{ "name": "writers" }] }));
    let fault = apply(&context, &more).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::AccessDenied);
    let records = bench.records();
    let created = records.iter().rev().find(|it| it["eventName"] == "CreateGroup").unwrap();
    assert_eq!(created["errorCode"], "AccessDenied", "{created}");
}

/// Files are mended once, not once for each of their mistakes.
#[tokio::test]
async fn every_mistake_is_told_and_what_hangs_on_it_is_not() {
    let bench = Bench::new().await;
    let good = allow(&["orders:Get*"]);
    let bad = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}"#;
    let refused = asked(json!({
        "policy": [
            { "name": "first", "document": bad },
            { "name": "second", "document": good },
            { "name": "third", "document": bad },
        ],
        "group": [
            { "name": "a b", "inline": { "own": good } },
            { "name": "readers", "policies": ["third"] },
        ],
    }));
    let plan = planned(&bench, &bench.a, &refused).await.unwrap();
    let problems: Vec<&str> =
        plan.problem.iter().chain(&plan.more_problems).map(|it| it.what.as_str()).collect();
    assert_eq!(problems, ["policy first", "policy third", "group a b"]);
    let fault = applied(&bench, &refused).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::MalformedPolicyDocument);
    let lines: Vec<&str> = fault.message().lines().collect();
    assert!(lines[0].starts_with("policy first: CreatePolicy: "), "{lines:?}");
    assert!(lines[1].starts_with("policy third: CreatePolicy: "), "{lines:?}");
    assert!(lines[2].starts_with("group a b: CreateGroup: "), "{lines:?}");
    assert_eq!(lines.len(), 3);
    let state = bench.services.directory.snapshot();
    assert!(state.policy_named(AccountId::parse(A).unwrap(), "second").is_none());

    // What no operation can do, likewise.
    let fault = applied(
        &bench,
        &asked(json!({
            "policy": [
                { "name": "twice", "document": good }, { "name": "Twice", "document": good },
            ],
            "group": [
                { "name": "a", "policies": ["Nowhere"] },
                { "name": "b", "policies": ["Nowhere"] },
                { "name": "c", "policies": ["Elsewhere"] },
            ],
        })),
    )
    .await
    .unwrap_err();
    let lines: Vec<&str> = fault.message().lines().collect();
    assert!(lines[0].contains("twice"), "{lines:?}");
    assert!(lines[1].contains("Nowhere") && lines[2].contains("Elsewhere"), "{lines:?}");
    assert_eq!(lines.len(), 3);

    // Up to a bound.
    let groups: Vec<Value> = (0..30).map(|n| json!({ "name": format!("a {n}") })).collect();
    let many = planned(&bench, &bench.a, &asked(json!({ "group": groups }))).await.unwrap();
    assert_eq!((many.problem.is_some(), many.more_problems.len()), (true, 19));
}

/// An audit log: while it writes the intents of the steps, somebody else writes to the directory.
struct Meddling {
    sink: Arc<MemorySink>,
    directory: Arc<Directory>,
    meanwhile: Mutex<Option<Entity>>,
}

impl AuditSink for Meddling {
    fn accept(&self, record: Record) -> BoxFuture<'_, Result<(), AuditError>> {
        self.sink.accept(record)
    }

    fn accept_all(&self, records: Vec<Record>) -> BoxFuture<'_, Result<(), AuditError>> {
        Box::pin(async move {
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(entity) = meanwhile {
                let put = self.directory.write(|tx| {
                    tx.put(entity);
                    Ok::<_, Fault>(())
                });
                put.await.unwrap();
            }
            self.sink.accept_all(records).await
        })
    }
}

/// What is done is what stands on record, also where the directory changes after that.
#[tokio::test]
async fn a_plan_that_the_directory_has_left_behind_is_not_carried_out() {
    for (account, carried_out) in [(A, false), (B, true)] {
        let mut bench = Bench::new().await;
        let directory = Arc::clone(&bench.services.directory);
        let id = AccountId::parse(account).unwrap();
        let mut other = Account::clone(directory.snapshot().account(id).unwrap());
        other.alias = Some("meanwhile".to_owned());
        bench.services.audit = Arc::new(Meddling {
            sink: Arc::clone(&bench.sink),
            directory: Arc::clone(&directory),
            meanwhile: Mutex::new(Some(Entity::Account(other))),
        });
        let result = applied(&bench, &asked(json!({ "account_alias": "wanted" }))).await;
        let code = result.err().map(|fault| fault.code());
        assert_eq!(code, (!carried_out).then_some(FaultCode::ConcurrentModification));
        let state = directory.snapshot();
        let own = state.account(AccountId::parse(A).unwrap()).unwrap();
        let expected = if carried_out { "wanted" } else { "meanwhile" };
        assert_eq!(own.alias.as_deref(), Some(expected));
        let records = bench.records();
        let told = records.iter().filter(|it| it["eventName"] == "CreateAccountAlias");
        let refused = told.filter(|it| it["errorCode"] == "ConcurrentModification").count();
        assert_eq!(refused, usize::from(!carried_out));
    }
}
