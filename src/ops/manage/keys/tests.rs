//! Root users: keys by the host's operator alone, every right in their account, nothing unseen.

use serde_json::Value;

use super::*;
use crate::authn::Caller;
use crate::ops::fault::FaultCode;
use crate::ops::manage::revocations;
use crate::ops::testing::{A, B, Bench, Credentials, allow, element, trusting};

fn root(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

/// Asks as the host's operator.
macro_rules! admin {
    ($bench:expr, |$asker:ident| $ask:expr) => {{
        let facts = $bench.facts();
        let context = Context {
            services: &$bench.services,
            caller: &Caller::Anonymous,
            facts: &facts,
            batch: None,
        };
        let $asker = Asker::HostOperator(&context);
        $ask
    }};
}

async fn become_(bench: &Bench, key: &Credentials, to: KeyFate) -> Result<ChangedKey, Fault> {
    let request = ChangeKey { access_key_id: key.access_key_id.clone(), to };
    admin!(bench, |asker| change(&asker, &request).await)
}

#[track_caller]
fn code<T>(result: Result<T, Fault>) -> FaultCode {
    result.err().expect("an error").code()
}

#[tokio::test]
async fn a_root_user_may_do_anything_in_its_account_and_nothing_in_another() {
    let bench = Bench::new().await;
    let key = bench.key(&root(A)).await.unwrap();
    let told = bench.call(&key, "GetCallerIdentity", &[]).await.unwrap();
    assert_eq!(element(&told, "UserId"), A);
    assert_eq!(element(&told, "Account"), A);
    assert_eq!(element(&told, "Arn"), root(A));
    bench.call(&key, "CreateUser", &[("UserName", "alice")]).await.unwrap();
    bench.call(&key, "GetUser", &[("UserName", "alice")]).await.unwrap();
    // Names never reach another account, nor does the right of a root user.
    bench.user(&bench.b, "bob", &allow(&["*"])).await;
    let bob = bench.call(&key, "GetUser", &[("UserName", "bob")]).await;
    assert_eq!(code(bob), FaultCode::NoSuchEntity);
    // A role that trusts the account, whose root user is not let through.
    for (admin, account) in [(&bench.a, A), (&bench.b, B)] {
        let role = bench.role(admin, "deploy", &trusting(&[A]), &allow(&["*"])).await;
        let fault = bench.assume(&key, &role, "me").await.err().unwrap();
        assert_eq!(fault.code(), FaultCode::AccessDenied, "{account}");
        assert_eq!(fault.message(), "Roles may not be assumed by root accounts.");
    }
}

#[tokio::test]
async fn no_key_of_a_root_user_is_made_or_changed_by_the_api() {
    let bench = Bench::new().await;
    let key = bench.key(&root(A)).await.unwrap();
    let id = ("AccessKeyId", key.access_key_id.as_str());
    for (action, parameters) in [
        ("CreateAccessKey", &[][..]),
        ("ListAccessKeys", &[]),
        ("UpdateAccessKey", &[id, ("Status", "Inactive")]),
        ("DeleteAccessKey", &[id]),
    ] {
        let result = bench.call(&key, action, parameters).await;
        if action == "ListAccessKeys" {
            assert_eq!(element(&result.unwrap(), "AccessKeyId"), key.access_key_id);
        } else {
            assert_eq!(code(result), FaultCode::AccessDenied, "{action}");
        }
        for user in [A, "root", "admin"] {
            let named = [&[("UserName", user)], parameters].concat();
            if user == "admin" && ["CreateAccessKey", "ListAccessKeys"].contains(&action) {
                continue;
            }
            let result = bench.call(&bench.a, action, &named).await;
            assert_eq!(code(result), FaultCode::NoSuchEntity, "{action} {user}");
        }
    }
    let state = bench.services.directory.snapshot();
    assert_eq!(state.access_keys_of(UniqueId::of_root(AccountId::parse(A).unwrap())).count(), 1);
    bench.whoami(&key).await.unwrap();
}

#[tokio::test]
async fn a_session_of_a_root_user_lasts_an_hour_and_dies_with_its_key() {
    let bench = Bench::new().await;
    let key = bench.key(&root(A)).await.unwrap();
    let ask = [("DurationSeconds", "129600")];
    let answer = bench.call(&key, "GetSessionToken", &ask).await.unwrap();
    let session = Credentials::of_answer(&answer);
    assert_eq!(bench.whoami(&session).await.unwrap(), root(A));
    let role = bench.role(&bench.a, "deploy", &trusting(&[A]), &allow(&["*"])).await;
    assert_eq!(code(bench.assume(&session, &role, "me").await), FaultCode::AccessDenied);
    let result = bench.call(&session, "ListUsers", &[]).await;
    assert_eq!(code(result), FaultCode::InvalidClientTokenId, "IAM without a second factor");
    bench.advance(3599);
    bench.whoami(&session).await.unwrap();
    bench.advance(1);
    assert_eq!(code(bench.whoami(&session).await), FaultCode::ExpiredToken);

    let ask = [("SerialNumber", "arn:aws:iam::111111111111:mfa/x"), ("TokenCode", "123456")];
    assert_eq!(code(bench.call(&key, "GetSessionToken", &ask).await), FaultCode::AccessDenied);
    let renewed = bench.call(&key, "GetSessionToken", &[]).await.unwrap();
    let session = Credentials::of_answer(&renewed);
    let changed = become_(&bench, &key, KeyFate::Inactive).await.unwrap();
    assert_eq!(changed.user, root(A));
    for dead in [&key, &session] {
        assert_eq!(code(bench.whoami(dead).await), FaultCode::InvalidClientTokenId);
    }
    become_(&bench, &key, KeyFate::Active).await.unwrap();
    bench.whoami(&key).await.unwrap();
    assert_eq!(code(bench.whoami(&session).await), FaultCode::InvalidClientTokenId, "for good");
    become_(&bench, &key, KeyFate::Deleted).await.unwrap();
    assert_eq!(code(bench.whoami(&key).await), FaultCode::InvalidClientTokenId);
    assert_eq!(code(become_(&bench, &key, KeyFate::Active).await), FaultCode::NoSuchEntity);
}

#[tokio::test]
async fn sessions_of_a_root_user_are_revoked_by_its_arn() {
    let bench = Bench::new().await;
    let key = bench.key(&root(A)).await.unwrap();
    let answer = bench.call(&key, "GetSessionToken", &[]).await.unwrap();
    let session = Credentials::of_answer(&answer);
    let target = crate::api::RevocationTarget::User(root(A));
    let request = crate::api::CreateRevocation { target };
    admin!(bench, |asker| revocations::create(&asker, &request).await).unwrap();
    assert_eq!(code(bench.whoami(&session).await), FaultCode::InvalidClientTokenId);
    bench.whoami(&key).await.unwrap();
}

#[tokio::test]
async fn every_use_of_a_root_user_is_on_record_and_counted() {
    let bench = Bench::new().await;
    let uses = || bench.services.authenticator.root_uses().get();
    bench.call(&bench.a, "ListUsers", &[]).await.unwrap();
    assert_eq!(uses(), 0);
    let key = bench.key(&root(A)).await.unwrap();
    bench.call(&key, "ListUsers", &[]).await.unwrap();
    bench.call(&key, "CreateUser", &[("UserName", "alice")]).await.unwrap();
    let _ = bench.call(&key, "GetUser", &[("UserName", "none")]).await;
    assert_eq!(uses(), 3);
    let records = bench.records();
    let by_root = |record: &&Value| record["additionalEventData"]["rootUser"] == true;
    let marked: Vec<_> = records.iter().filter(by_root).collect();
    // The change has an intent and an outcome.
    assert_eq!(marked.len(), 4);
    for record in marked {
        let who = &record["userIdentity"];
        assert_eq!(who["type"], "Root");
        assert_eq!(who["arn"], root(A));
        assert_eq!(who["principalId"], A);
        assert_eq!(who["userName"], Value::Null);
    }
    let made = records.iter().find(|it| it["eventName"] == "CreateAccessKey").unwrap();
    assert_eq!(made["requestParameters"]["user"], root(A));
}

/// A federated user has the rights of whoever made it.
#[tokio::test]
async fn what_a_federated_user_of_a_root_user_does_is_a_use_of_it() {
    let bench = Bench::new().await;
    let uses = || bench.services.authenticator.root_uses().get();
    let key = bench.key(&root(A)).await.unwrap();
    for (by, name, counted) in [(&key, "carol", 2), (&bench.a, "bob", 0)] {
        let before = uses();
        let made = bench.call(by, "GetFederationToken", &[("Name", name)]).await.unwrap();
        bench.whoami(&Credentials::of_answer(&made)).await.unwrap();
        assert_eq!(uses() - before, counted, "{name}");
        let arn = format!("arn:aws:sts::{A}:federated-user/{name}");
        let records = bench.records();
        let record = records.iter().find(|it| it["userIdentity"]["arn"] == arn.as_str()).unwrap();
        assert_eq!(record["additionalEventData"]["rootUser"] == true, counted > 0, "{record}");
    }
}

#[tokio::test]
async fn keys_of_root_users_are_told_in_lists_and_reports() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let bench = Bench::new().await;
    let list = |user: String| {
        let request = ListKeys { user };
        admin!(bench, |asker| super::list(&asker, &request))
    };
    assert_eq!(list(root(A)).unwrap().keys, []);
    let key = bench.key(&root(A)).await.unwrap();
    bench.whoami(&key).await.unwrap();
    let keys = list(root(A)).unwrap().keys;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].access_key_id, key.access_key_id);
    assert_eq!((keys[0].status.as_str(), keys[0].unconfirmed), ("Active", false));
    assert!(keys[0].last_used_at.is_some());
    assert_eq!(list(format!("arn:aws:iam::{A}:user/admin")).unwrap().keys.len(), 1);
    assert_eq!(list(root(B)).unwrap().keys, []);
    let summary = bench.call(&bench.a, "GetAccountSummary", &[]).await.unwrap();
    assert!(summary.contains("<key>AccountAccessKeysPresent</key><value>1</value>"), "{summary}");
    bench.call(&bench.a, "GenerateCredentialReport", &[]).await.unwrap();
    let report = bench.call(&bench.a, "GetCredentialReport", &[]).await.unwrap();
    let report = String::from_utf8(STANDARD.decode(element(&report, "Content")).unwrap()).unwrap();
    let line = report.lines().nth(1).unwrap();
    let now = bench.clock_text().replace('Z', "+00:00");
    assert!(line.starts_with(&format!("<root_account>,{},", root(A))), "{line}");
    let keys = format!(",false,true,{now},{now},eu-west-1,sts,false,N/A,N/A,N/A,N/A,");
    assert!(line.contains(&keys), "{line}");
    assert_eq!(line.split(',').count(), 22);
    for wrong in ["", "root", &root("333333333333"), "arn:aws:iam::111111111111:root/x", "*"] {
        assert_eq!(code(bench.key(wrong).await), FaultCode::ValidationError, "{wrong}");
        assert_eq!(code(list(wrong.to_owned())), FaultCode::ValidationError, "{wrong}");
    }
}
