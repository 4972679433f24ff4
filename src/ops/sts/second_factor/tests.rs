//! Second factors: once, by their owner, and told as AWS tells them.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, Bench, Credentials, allow, trusting};

/// A user who may do anything, with a device.
async fn stage(bench: &Bench) -> (Credentials, String) {
    let alice = bench.user(&bench.a, "alice", &allow(&["*"])).await;
    (alice, bench.mfa_device("phone", Some("alice")).await)
}

async fn session(
    bench: &Bench,
    caller: &Credentials,
    shown: &[(&str, &str)],
) -> Result<Credentials, Fault> {
    bench.call(caller, "GetSessionToken", shown).await.map(|it| Credentials::of_answer(&it))
}

async fn with_code(
    bench: &Bench,
    caller: &Credentials,
    serial: &str,
    code: &str,
) -> Result<Credentials, Fault> {
    session(bench, caller, &[("SerialNumber", serial), ("TokenCode", code)]).await
}

#[track_caller]
fn failed<T>(result: Result<T, Fault>) -> String {
    let fault = result.err().expect("an error");
    assert_eq!(fault.code(), FaultCode::AccessDenied, "{fault:?}");
    fault.message().to_owned()
}

const INVALID: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
const UNABLE: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify \
    your MFA serial number is valid and associated with this user.";
const BOTH: &str = "MultiFactorAuthentication failed, must provide both MFA serial number and one \
    time pass code.";

#[tokio::test]
async fn a_code_is_good_once_and_no_older_one_after_it() {
    let bench = Bench::new().await;
    let (alice, phone) = stage(&bench).await;
    let show = |steps: i64| {
        let code = bench.totp(steps);
        let (bench, alice, phone) = (&bench, &alice, &phone);
        async move { with_code(bench, alice, phone, &code).await }
    };
    for steps in [-3, -2, 2, 3] {
        assert_eq!(failed(show(steps).await), INVALID, "{steps}");
    }
    show(0).await.unwrap();
    assert_eq!(failed(show(0).await), INVALID, "again");
    assert_eq!(failed(show(-1).await), INVALID, "an older one");
    show(1).await.unwrap();
    assert_eq!(failed(show(1).await), INVALID);
    bench.advance(30);
    assert_eq!(failed(show(0).await), INVALID, "the one that was shown a step early");
    bench.advance(30);
    show(0).await.unwrap();
}

#[tokio::test]
async fn a_device_serves_its_owner_alone_and_both_parameters_are_needed() {
    let bench = Bench::new().await;
    let (alice, phone) = stage(&bench).await;
    let bob = bench.user(&bench.a, "bob", &allow(&["*"])).await;
    let spare = bench.mfa_device("spare", None).await;
    let code = bench.totp(0);
    assert_eq!(failed(with_code(&bench, &bob, &phone, &code).await), UNABLE);
    assert_eq!(failed(with_code(&bench, &bench.b, &phone, &code).await), UNABLE);
    for serial in [spare.as_str(), "GAHT12345678", &phone.replace("phone", "Phone")] {
        assert_eq!(failed(with_code(&bench, &alice, serial, &code).await), UNABLE, "{serial}");
    }
    for half in [("SerialNumber", phone.as_str()), ("TokenCode", code.as_str())] {
        assert_eq!(failed(session(&bench, &alice, &[half]).await), BOTH, "{half:?}");
    }
    // A role has no device, its session neither.
    let role = bench.role(&bench.a, "deploy", &trusting(&[A]), &allow(&["*"])).await;
    let deploy = bench.assume(&alice, &role, "monday").await.unwrap();
    let ask = [
        ("RoleArn", role.as_str()),
        ("RoleSessionName", "tuesday"),
        ("SerialNumber", &phone),
        ("TokenCode", &code),
    ];
    assert_eq!(failed(bench.call(&deploy, "AssumeRole", &ask).await), UNABLE);
    // None of that has used the code, or counted as a guess.
    with_code(&bench, &alice, &phone, &code).await.unwrap();
}

/// Museum M56: 100 uses of one code at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn museum_m56_of_100_uses_at_once_one_is_good() {
    let bench = Arc::new(Bench::new().await);
    let (alice, phone) = stage(&bench).await;
    let code = bench.totp(0);
    let mut uses = JoinSet::new();
    for _ in 0..100 {
        let (bench, alice) = (Arc::clone(&bench), alice.clone());
        let (phone, code) = (phone.clone(), code.clone());
        uses.spawn(async move { with_code(&bench, &alice, &phone, &code).await.is_ok() });
    }
    let good = uses.join_all().await.into_iter().filter(|good| *good).count();
    assert_eq!(good, 1);
}

/// Museum M59: guesses at once are counted one by one, on every way in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn museum_m59_guesses_at_once_are_all_counted() {
    let bench = Arc::new(Bench::new().await);
    let (alice, phone) = stage(&bench).await;
    let role = bench.role(&bench.a, "deploy", &trusting(&[A]), &allow(&["*"])).await;
    let wrong = bench.totp(50);
    let mut guesses = JoinSet::new();
    for number in 0..100 {
        let (bench, alice, role) = (Arc::clone(&bench), alice.clone(), role.clone());
        let (phone, wrong) = (phone.clone(), wrong.clone());
        guesses.spawn(async move {
            let mut ask = vec![("SerialNumber", phone.as_str()), ("TokenCode", wrong.as_str())];
            let action = if number % 2 == 0 { "GetSessionToken" } else { "AssumeRole" };
            if action == "AssumeRole" {
                ask.extend([("RoleArn", role.as_str()), ("RoleSessionName", "x-x")]);
            }
            failed(bench.call(&alice, action, &ask).await)
        });
    }
    let told = guesses.join_all().await;
    let looked_at = told.iter().filter(|message| *message == INVALID).count();
    assert_eq!(looked_at, 5);
    let message = failed(with_code(&bench, &alice, &phone, &bench.totp(0)).await);
    assert!(message.contains("after too many wrong codes. Try again in 30 seconds."), "{message}");
    bench.advance(30);
    with_code(&bench, &alice, &phone, &bench.totp(0)).await.unwrap();
}

/// A policy that allows a little of STS under a condition.
fn when(condition: Value) -> String {
    let mut statement = json!({
        "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:GetAccessKeyInfo"], "Resource": "*",
    });
    statement["Condition"] = condition;
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn trust_when(condition: &Value) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": A },
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }],
    })
    .to_string()
}

/// IAM User Guide, "AWS global condition context keys": the keys are absent for long-term keys,
/// `false` for sessions made without a second factor, and none is handed to a role's session.
#[tokio::test]
async fn the_keys_are_told_as_aws_tells_them() {
    let bench = Bench::new().await;
    let (alice, phone) = stage(&bench).await;
    let key = |value: &str| json!({ "Bool": { "aws:MultiFactorAuthPresent": value } });
    let absent = |value: &str| json!({ "Null": { "aws:MultiFactorAuthPresent": value, "aws:MultiFactorAuthAge": value } });
    let no_age = json!({
        "Bool": { "aws:MultiFactorAuthPresent": "false" },
        "Null": { "aws:MultiFactorAuthAge": "true" },
    });
    let mut roles = Vec::new();
    for (name, condition) in [
        ("present", key("true")),
        ("absent", absent("true")),
        ("without", no_age),
        ("young", json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "60" } })),
    ] {
        let trust = trust_when(&condition);
        roles.push((name, bench.role(&bench.a, name, &trust, &allow(&["sts:*"])).await));
    }
    let may = |caller: Credentials, shown: Option<String>| {
        let (bench, roles, phone) = (&bench, &roles, &phone);
        async move {
            let mut names = Vec::new();
            for (name, role) in roles {
                let mut ask = vec![("RoleArn", role.as_str()), ("RoleSessionName", "me")];
                if let Some(code) = &shown {
                    ask.extend([("SerialNumber", phone.as_str()), ("TokenCode", code)]);
                }
                if bench.call(&caller, "AssumeRole", &ask).await.is_ok() {
                    names.push(*name);
                }
                if shown.is_some() {
                    // The next code.
                    return names;
                }
            }
            names
        }
    };
    assert_eq!(may(alice.clone(), None).await, ["absent"], "a long-term key");
    let plain = session(&bench, &alice, &[]).await.unwrap();
    assert_eq!(may(plain.clone(), None).await, ["without"], "a session without");
    let code = bench.totp(0);
    assert_eq!(may(alice.clone(), Some(code)).await, ["present"], "with the request itself");
    let code = bench.totp(1);
    assert_eq!(may(plain, Some(code)).await, ["present"], "the same, by a session without");
    bench.advance(60);
    let shown = with_code(&bench, &alice, &phone, &bench.totp(0)).await.unwrap();
    assert_eq!(may(shown.clone(), None).await, ["present", "young"], "a session with");
    bench.advance(59);
    assert_eq!(may(shown.clone(), None).await, ["present", "young"]);
    bench.advance(1);
    assert_eq!(may(shown.clone(), None).await, ["present"], "its age grows");
    // A role's session has none, whoever made it and however.
    let role = &roles[0].1;
    let of_session = bench.assume(&shown, role, "chained").await.unwrap();
    assert_eq!(may(of_session, None).await, ["without"]);
    let ask = [
        ("RoleArn", role.as_str()),
        ("RoleSessionName", "me"),
        ("SerialNumber", &phone),
        ("TokenCode", &bench.totp(0)),
    ];
    let answer = bench.call(&alice, "AssumeRole", &ask).await.unwrap();
    assert_eq!(may(Credentials::of_answer(&answer), None).await, ["without"]);
}

/// The caller's own policies see the factor too; IAM opens to a session only with one.
#[tokio::test]
async fn a_second_factor_opens_what_asks_for_it() {
    let bench = Bench::new().await;
    let present = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let alice = bench.user(&bench.a, "alice", &when(present)).await;
    let phone = bench.mfa_device("phone", Some("alice")).await;
    let role = bench.role(&bench.a, "deploy", &trusting(&[A]), &allow(&["*"])).await;
    assert!(bench.assume(&alice, &role, "me").await.is_err());
    let ask = [
        ("RoleArn", role.as_str()),
        ("RoleSessionName", "me"),
        ("SerialNumber", &phone),
        ("TokenCode", &bench.totp(0)),
    ];
    bench.call(&alice, "AssumeRole", &ask).await.unwrap();
    // A wrong code is refused, also where none is asked for.
    let admin = bench.user(&bench.a, "admin-too", &allow(&["*"])).await;
    let other = bench.mfa_device("other", Some("admin-too")).await;
    let result = with_code(&bench, &admin, &other, &bench.totp(9)).await;
    assert_eq!(failed(result), INVALID);
    let without = session(&bench, &admin, &[]).await.unwrap();
    let fault = bench.call(&without, "ListUsers", &[]).await.unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidClientTokenId);
    let with = with_code(&bench, &admin, &other, &bench.totp(0)).await.unwrap();
    bench.call(&with, "ListUsers", &[]).await.unwrap();
    let told = failed(bench.call(&with, "GetSessionToken", &[]).await);
    assert_eq!(told, "Cannot call GetSessionToken with session credentials");
    // The records tell the serial number and no code.
    let records = serde_json::to_string(&bench.records()).unwrap();
    assert!(records.contains(r#""serialNumber":"arn:aws:iam::111111111111:mfa/phone""#));
    assert!(records.contains(r#""mfaAuthenticated":"true""#));
    assert!(!records.contains(&format!("\"{}\"", bench.totp(0))));
}
