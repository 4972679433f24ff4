//! AssumeRole and its kin through signed requests: what is granted, refused, inherited, recorded.

mod ends;
mod tags;

use std::time::Duration;

use serde_json::json;

use crate::authn::{Authenticator, Caller, Expectation};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::testing::{A, B, Bench, Credentials, REGION, allow, element, find, trusting};
use crate::seal::claims::Tag;
use crate::sigv4::{Body, RequestHead, Rules, Scope, Signer, SigningKey, UriRules};
use crate::time::Clock as _;

type Parameters<'a> = Vec<(&'a str, &'a str)>;

fn ask<'a>(role: &'a str, more: &[(&'a str, &'a str)]) -> Parameters<'a> {
    let mut parameters = vec![("RoleArn", role), ("RoleSessionName", "monday")];
    parameters.extend_from_slice(more);
    parameters
}

fn code<T>(result: Result<T, Fault>) -> FaultCode {
    result.err().expect("an error").code()
}

/// A user of A who may assume anything, and a role of B that trusts A and may do anything.
async fn stage(bench: &Bench) -> (Credentials, String) {
    let alice = bench
        .user(
            &bench.a,
            "alice",
            &allow(&["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]),
        )
        .await;
    let role = bench.role(&bench.b, "deploy", &trusting(&[A]), &allow(&["*"])).await;
    (alice, role)
}

async fn claims_of(bench: &Bench, credentials: &Credentials) -> (Vec<Tag>, Option<String>, usize) {
    let caller = bench.verify(credentials, "GetCallerIdentity", &[]).await.unwrap();
    let Caller::Signed(signed) = caller else { panic!("signed") };
    let claims = signed.identity().session().unwrap().claims();
    (claims.tags.clone(), claims.source_identity.clone(), claims.ancestors.len())
}

#[tokio::test]
async fn a_trusted_caller_of_another_account_gets_a_session() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let answer = bench.call(&alice, "AssumeRole", &ask(&role, &[])).await.unwrap();
    assert!(element(&answer, "AccessKeyId").starts_with("ASIA"));
    assert_eq!(element(&answer, "Arn"), format!("arn:aws:sts::{B}:assumed-role/deploy/monday"));
    assert!(element(&answer, "AssumedRoleId").ends_with(":monday"));
    assert_eq!(find(&answer, "PackedPolicySize"), None);
    let session = Credentials::of_answer(&answer);
    assert_eq!(
        bench.whoami(&session).await.unwrap(),
        format!("arn:aws:sts::{B}:assumed-role/deploy/monday")
    );
}

#[tokio::test]
async fn both_accounts_must_agree_and_every_refusal_reads_the_same() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let nobody = bench.user(&bench.a, "nobody", &allow(&["orders:*"])).await;
    let wary = bench.role(&bench.b, "wary", &trusting(&[B]), &allow(&["*"])).await;
    let mut messages = Vec::new();
    for target in [
        wary.as_str(),
        &format!("arn:aws:iam::{B}:role/missing"),
        "arn:aws:iam::999988887777:role/deploy",
    ] {
        let fault = bench.call(&alice, "AssumeRole", &ask(target, &[])).await.unwrap_err();
        assert_eq!(fault.code(), FaultCode::AccessDenied);
        messages.push(fault.message().replace(target, "ROLE"));
    }
    assert!(messages.windows(2).all(|pair| pair[0] == pair[1]), "{messages:?}");
    assert_eq!(
        code(bench.call(&nobody, "AssumeRole", &ask(&role, &[])).await),
        FaultCode::AccessDenied
    );
    // A role's path belongs to its ARN.
    let elsewhere = role.replace("role/", "role/x/");
    assert_eq!(
        code(bench.call(&alice, "AssumeRole", &ask(&elsewhere, &[])).await),
        FaultCode::AccessDenied
    );
}

#[tokio::test]
async fn museum_m21_the_external_id_counts() {
    let bench = Bench::new().await;
    let (alice, _) = stage(&bench).await;
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": A },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": "partner-7" } },
        }],
    });
    let role = bench.role(&bench.b, "partner", &trust.to_string(), &allow(&["*"])).await;
    for wrong in [vec![], vec![("ExternalId", "partner-8")], vec![("ExternalId", "PARTNER-7")]] {
        assert_eq!(
            code(bench.call(&alice, "AssumeRole", &ask(&role, &wrong)).await),
            FaultCode::AccessDenied
        );
    }
    let empty = bench.call(&alice, "AssumeRole", &ask(&role, &[("ExternalId", "")])).await;
    assert_eq!(code(empty), FaultCode::ValidationError);
    let right = [("ExternalId", "partner-7")];
    assert!(bench.call(&alice, "AssumeRole", &ask(&role, &right)).await.is_ok());
    let reason = bench.records().into_iter().find_map(|record| {
        Some(record.pointer("/additionalEventData/reason")?.as_str()?.to_owned())
    });
    assert!(reason.unwrap().contains("sts:ExternalId partner-7 (the request has none)"));
}

#[tokio::test]
async fn museum_m22_durations_are_held_to_role_and_chain() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    for (seconds, good) in [
        ("899", false),
        ("900", true),
        ("3600", true),
        ("3601", false),
        ("43200", false),
        ("43201", false),
        ("9223372036854775808", false),
        ("-1", false),
        ("1e3", false),
    ] {
        let result =
            bench.call(&alice, "AssumeRole", &ask(&role, &[("DurationSeconds", seconds)])).await;
        match result {
            Ok(_) => assert!(good, "{seconds}"),
            Err(fault) => {
                assert!(
                    !good && fault.code() == FaultCode::ValidationError,
                    "{seconds}: {fault:?}"
                );
            }
        }
    }
    let long = bench.role(&bench.b, "long", &trusting(&[B, &role]), &allow(&["*"])).await;
    let update = [("RoleName", "long"), ("MaxSessionDuration", "43200")];
    bench.call(&bench.b, "UpdateRole", &update).await.unwrap();
    assert!(
        bench
            .call(&bench.b, "AssumeRole", &ask(&long, &[("DurationSeconds", "43200")]))
            .await
            .is_ok()
    );
    let session = bench.assume(&alice, &role, "first").await.unwrap();
    let chained =
        bench.call(&session, "AssumeRole", &ask(&long, &[("DurationSeconds", "3601")])).await;
    assert_eq!(code(chained), FaultCode::ValidationError);
    assert!(
        bench
            .call(&session, "AssumeRole", &ask(&long, &[("DurationSeconds", "3600")]))
            .await
            .is_ok()
    );
}

/// A policy's text is read at each use, as AWS does; but it has to be the policy that was passed.
#[tokio::test]
async fn a_session_policy_that_is_made_again_is_not_the_one_that_was_passed() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let (users, roles) = (allow(&["iam:ListUsers"]), allow(&["iam:ListRoles"]));
    let create = [("PolicyName", "limit"), ("PolicyDocument", users.as_str())];
    bench.call(&bench.b, "CreatePolicy", &create).await.unwrap();
    let arn = format!("arn:aws:iam::{B}:policy/limit");
    let read_only = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let session = async |arn: &str| {
        let passed = ask(&role, &[("PolicyArns.member.1.arn", arn)]);
        let answer = bench.call(&alice, "AssumeRole", &passed).await.unwrap();
        Credentials::of_answer(&answer)
    };
    let may = async |session: &Credentials| {
        let users = bench.call(session, "ListUsers", &[]).await.is_ok();
        (users, bench.call(session, "ListRoles", &[]).await.is_ok())
    };
    let (own, built_in) = (session(&arn).await, session(read_only).await);
    assert_eq!((may(&own).await, may(&built_in).await), ((true, false), (true, true)));
    let version =
        [("PolicyArn", arn.as_str()), ("PolicyDocument", &roles), ("SetAsDefault", "true")];
    bench.call(&bench.b, "CreatePolicyVersion", &version).await.unwrap();
    assert_eq!(may(&own).await, (false, true));
    let old = [("PolicyArn", arn.as_str()), ("VersionId", "v1")];
    bench.call(&bench.b, "DeletePolicyVersion", &old).await.unwrap();
    bench.call(&bench.b, "DeletePolicy", &old[..1]).await.unwrap();
    assert_eq!(may(&own).await, (false, false));
    bench.call(&bench.b, "CreatePolicy", &create).await.unwrap();
    assert_eq!(may(&own).await, (false, false));
    assert_eq!(may(&session(&arn).await).await, (true, false));
}

#[tokio::test]
async fn museum_m15_m16_a_narrow_session_stays_narrow() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    bench.role(&bench.b, "other", &trusting(&[B]), &allow(&["*"])).await;
    let policy = allow(&["orders:GetOrder"]);
    let narrow = [("Policy", policy.as_str())];
    let answer = bench.call(&alice, "AssumeRole", &ask(&role, &narrow)).await.unwrap();
    let session = Credentials::of_answer(&answer);
    let other = format!("arn:aws:iam::{B}:role/other");
    for (action, parameters) in [
        ("AssumeRole", ask(&other, &[])),
        ("CreateUser", vec![("UserName", "mallory")]),
        ("CreateAccessKey", vec![("UserName", "admin")]),
        ("GetAccessKeyInfo", vec![("AccessKeyId", "ASIAAAAAAAAAAAAAAAAA")]),
    ] {
        let result = bench.call(&session, action, &parameters).await;
        assert_eq!(code(result), FaultCode::AccessDenied, "{action}");
    }
}

#[tokio::test]
async fn session_policies_are_checked_and_bounded() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let long =
        format!("{{\"Version\":\"2012-10-17\",\"Statement\":[],\"x\":\"{}\"}}", "x".repeat(2100));
    for (wrong, expected) in [
        (vec![("Policy", "{}")], FaultCode::MalformedPolicyDocument),
        (vec![("Policy", long.as_str())], FaultCode::ValidationError),
        (vec![("policy", "{}")], FaultCode::MalformedInput),
        (
            vec![("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/Missing")],
            FaultCode::MalformedPolicyDocument,
        ),
        (
            vec![("PolicyArns.member.1.arn", admin), ("PolicyArns.member.2.arn", admin)],
            FaultCode::ValidationError,
        ),
        (vec![("MinimumSessionTokenSize", "4097")], FaultCode::ValidationError),
    ] {
        let result = bench.call(&alice, "AssumeRole", &ask(&role, &wrong)).await;
        assert_eq!(code(result), expected, "{wrong:?}");
    }
    let padded = bench
        .call(&alice, "AssumeRole", &ask(&role, &[("MinimumSessionTokenSize", "3000")]))
        .await
        .unwrap();
    let token = element(&padded, "SessionToken");
    assert!((3000..=3008).contains(&token.len()));
    assert_eq!(element(&padded, "SessionTokenSize"), token.len().to_string());
}

#[tokio::test]
async fn a_chain_has_an_end() {
    let bench = Bench::new().await;
    let trust = trusting(&[B]);
    let role = bench.role(&bench.b, "loop", &trust, &allow(&["*"])).await;
    let mut session = bench.assume(&bench.b, &role, "s-1").await.unwrap();
    for n in 2..=8 {
        session = bench.assume(&session, &role, &format!("s-{n}")).await.unwrap();
    }
    assert_eq!(claims_of(&bench, &session).await.2, 8);
    assert_eq!(code(bench.assume(&session, &role, "s-9").await), FaultCode::AccessDenied);
}

#[tokio::test]
async fn museum_m20_nothing_is_stored_for_a_role_that_is_not_there() {
    let bench = Bench::new().await;
    let (alice, _) = stage(&bench).await;
    let before = bench.services.directory.snapshot();
    let bogus = "arn:aws:iam::999988887777:role/ghost";
    assert_eq!(code(bench.assume(&alice, bogus, "x1").await), FaultCode::AccessDenied);
    let after = bench.services.directory.snapshot();
    assert_eq!(
        (before.version(), before.accounts().count()),
        (after.version(), after.accounts().count())
    );
}

#[tokio::test]
async fn get_session_token_is_the_user_and_no_more() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let answer = bench.call(&alice, "GetSessionToken", &[]).await.unwrap();
    let session = Credentials::of_answer(&answer);
    assert_eq!(bench.whoami(&session).await.unwrap(), format!("arn:aws:iam::{A}:user/alice"));
    assert_eq!(code(bench.call(&session, "GetSessionToken", &[]).await), FaultCode::AccessDenied);
    let role_session = bench.assume(&session, &role, "from-session").await.unwrap();
    assert_eq!(
        code(bench.call(&role_session, "GetSessionToken", &[]).await),
        FaultCode::AccessDenied
    );
    // Not even an administrator's session reaches IAM without a second factor.
    let answer =
        bench.call(&bench.a, "GetSessionToken", &[("DurationSeconds", "900")]).await.unwrap();
    let admin = Credentials::of_answer(&answer);
    assert_eq!(code(bench.call(&admin, "GetUser", &[]).await), FaultCode::InvalidClientTokenId);
    let info = [("AccessKeyId", admin.access_key_id.as_str())];
    assert_eq!(code(bench.call(&admin, "GetAccessKeyInfo", &info).await), FaultCode::AccessDenied);
    bench.advance(900);
    assert_eq!(code(bench.whoami(&admin).await), FaultCode::ExpiredToken);
    for (seconds, good) in [("899", false), ("129600", true), ("129601", false)] {
        let result = bench.call(&alice, "GetSessionToken", &[("DurationSeconds", seconds)]).await;
        assert_eq!(result.is_ok(), good, "{seconds}");
    }
}

#[tokio::test]
async fn without_the_audit_log_nothing_is_handed_out_or_changed() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let version = bench.services.directory.snapshot().version();
    bench.sink.fail(true);
    assert_eq!(code(bench.assume(&alice, &role, "x1").await), FaultCode::ServiceUnavailable);
    assert_eq!(
        code(bench.call(&bench.a, "CreateUser", &[("UserName", "bob")]).await),
        FaultCode::ServiceUnavailable
    );
    assert_eq!(bench.services.directory.snapshot().version(), version);
    assert!(bench.whoami(&alice).await.is_ok(), "reads go on");
    bench.sink.fail(false);
    assert!(bench.assume(&alice, &role, "x1").await.is_ok());
}

#[tokio::test]
async fn every_grant_has_an_intent_before_and_an_outcome_after() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let session = bench.assume(&alice, &role, "first").await.unwrap();
    let second = bench.role(&bench.b, "second", &trusting(&[&role]), &allow(&["*"])).await;
    bench.assume(&session, &second, "next").await.unwrap();
    let records: Vec<_> =
        bench.records().into_iter().filter(|record| record["eventName"] == "AssumeRole").collect();
    let phases: Vec<_> =
        records.iter().map(|r| r["additionalEventData"]["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["intent", "outcome", "intent", "outcome"]);
    assert_eq!(records[0]["sharedEventID"], records[1]["sharedEventID"]);
    let ancestors = records[3]["additionalEventData"]["ancestors"].as_array().unwrap();
    assert!(ancestors[0].as_str().unwrap().contains("user/alice"));
    let text = serde_json::to_string(&bench.records()).unwrap();
    for secret in
        [session.secret.expose(), session.token.as_deref().unwrap(), alice.secret.expose()]
    {
        assert!(!text.contains(secret));
    }
}

/// What a verified request says of itself: who, in which scope, and by which key for others.
#[tokio::test]
async fn a_verified_request_tells_who_signed_and_in_which_scope() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let answer = bench.call(&alice, "AssumeRole", &ask(&role, &[])).await.unwrap();
    let session = Credentials::of_answer(&answer);
    let authenticator = &bench.services.authenticator;
    let now = bench.clock.now().to_amz();
    let day = &now[..8];
    for (credentials, begin, end) in [(&alice, "AIDA", ""), (&session, "AROA", ":monday")] {
        let caller = bench.verify(credentials, "GetCallerIdentity", &[]).await.unwrap();
        let Caller::Signed(signed) = caller else { panic!("signed") };
        let id = signed.identity().unique_id().to_string();
        assert!(id.starts_with(begin), "{id}");
        assert_eq!(signed.identity().user_id(), format!("{id}{end}"));
        assert_eq!((signed.scope_day(), signed.region()), (Some(day), REGION));
        assert!(signed.path_as_signed());
        let scope = Scope { date: day, region: REGION, service: "s3" };
        let expected = SigningKey::secret_of(&credentials.secret, scope);
        let key = authenticator.signing_key(&signed, "s3").unwrap();
        assert_eq!(key.expose(), expected.expose());
        // INVARIANT: nobody gets a key for the services that the broker itself serves.
        assert!(authenticator.signing_key(&signed, "sts").is_none());
    }
}

/// The path that was sent is told apart from the one that was signed.
#[tokio::test]
async fn a_verified_request_tells_whether_its_path_was_signed_as_sent() {
    let bench = Bench::new().await;
    for (target, as_signed) in [("/", true), ("/a/b", true), ("/a//b", false), ("/a/../b", false)] {
        let now = bench.clock.now();
        let head = RequestHead { method: "GET", target, headers: &[("host", b"sts.example.com")] };
        let signer = Signer {
            access_key_id: &bench.a.access_key_id,
            secret: &bench.a.secret,
            session_token: None,
            region: REGION,
            service: "sts",
            uri: UriRules::Standard,
            content_sha256: false,
        };
        let added = signer.sign(&head, b"", now).unwrap();
        let mut headers = head.headers.to_vec();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let expectation = Expectation {
            service: "sts",
            region: None,
            rules: Rules::new(UriRules::Standard, now),
            monotonic: bench.clock.monotonic(),
        };
        let head = RequestHead { headers: &headers, ..head };
        let authenticator = &bench.services.authenticator;
        let caller = authenticator.authenticate(&head, Body::Bytes(b""), &expectation).await;
        let Ok(Caller::Signed(signed)) = caller else { panic!("signed") };
        assert_eq!(signed.path_as_signed(), as_signed, "{target}");
    }
}

#[tokio::test]
async fn sessions_are_confirmed_as_the_settings_have_it() {
    let services = Bench::new().await.services;
    let settings = crate::sessions::Settings {
        confirm_every: Duration::from_secs(7),
        max_staleness: Duration::from_secs(9),
    };
    let authenticator =
        Authenticator::new(services.directory, services.keyring, services.ledger, settings);
    let found = authenticator.settings();
    assert_eq!((found.confirm_every.as_secs(), found.max_staleness.as_secs()), (7, 9));
}
