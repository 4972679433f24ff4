//! A revocation is complete and lasts: through warm caches, down the chain, past a crash.

use serde_json::{Value, json};

use crate::broker::Broker;
use crate::caller::{Caller, Credentials, allow, question, trust};

/// A user, a session of hers, and one chained from that.
struct Chain {
    key: Credentials,
    first: Credentials,
    second: Credentials,
}

const FIRST: &str = "first";

async fn chain(broker: &Broker) -> Chain {
    let admin = broker.admin();
    let all = allow("*", "*");
    let key = admin.make_user("alice", &all).await;
    let alice = format!("arn:aws:iam::{}:user/alice", broker.home.account);
    let role = admin.make_role(FIRST, &trust(&alice), &all).await;
    let behind = admin.make_role("second", &trust(&role), &all).await;
    let first = broker.caller(&key).assume(&role, &[]).await.unwrap();
    let second = broker.caller(&first).assume(&behind, &[]).await.unwrap();
    Chain { key, first, second }
}

fn role(broker: &Broker, name: &str) -> String {
    format!("arn:aws:iam::{}:role/{name}", broker.home.account)
}

/// Both ways that credentials are used; they must agree.
async fn is_good(broker: &Broker, credentials: &Credentials) -> Result<(), String> {
    let caller = broker.caller(credentials);
    let asked = broker.ask(&question(&caller.order())).await;
    let answer = caller.whoami().await;
    let good = answer.status.is_success();
    assert_eq!(asked["authenticated"], good, "{asked} {answer:?}");
    if good {
        return Ok(());
    }
    assert_eq!(answer.code(), "InvalidClientTokenId", "{answer:?}");
    assert_eq!(asked["decision"], "deny");
    Err(asked["reason"]["code"].as_str().unwrap().to_owned())
}

/// Refused now, with warm caches; and by the next process, with none.
async fn stays_refused(broker: &mut Broker, dead: &[&Credentials], why: &str) {
    for _ in 0..2 {
        for credentials in dead {
            assert_eq!(is_good(broker, credentials).await, Err(why.to_owned()));
        }
    }
    broker.restart();
    for credentials in dead {
        assert_eq!(is_good(broker, credentials).await, Err(why.to_owned()), "after a crash");
    }
}

async fn revoke(caller: &Caller, target: Value) {
    caller.revoke(&target).await.ok();
}

#[tokio::test]
async fn of_a_session() {
    let mut broker = Broker::start();
    let Chain { key, first, second } = chain(&broker).await;
    let sibling = broker.caller(&key).assume(&role(&broker, FIRST), &[]).await.unwrap();
    for credentials in [&key, &first, &second, &sibling] {
        is_good(&broker, credentials).await.unwrap();
    }
    revoke(&broker.admin(), json!({"session": first.id})).await;
    stays_refused(&mut broker, &[&first, &second], "SessionRevoked").await;
    for credentials in [&key, &sibling] {
        is_good(&broker, credentials).await.unwrap();
    }
    // A session mints nothing once it is revoked.
    let refused = broker.caller(&first).assume(&role(&broker, "second"), &[]).await;
    refused.unwrap_err().refused("InvalidClientTokenId");
}

#[tokio::test]
async fn of_a_role() {
    let mut broker = Broker::start();
    let Chain { key, first, second } = chain(&broker).await;
    is_good(&broker, &first).await.unwrap();
    is_good(&broker, &second).await.unwrap();
    revoke(&broker.admin(), json!({"role": role(&broker, FIRST)})).await;
    // What is made from now on is good at once, within the same second too.
    let later = broker.caller(&key).assume(&role(&broker, FIRST), &[]).await.unwrap();
    is_good(&broker, &later).await.unwrap();
    stays_refused(&mut broker, &[&first, &second], "SessionRevoked").await;
    is_good(&broker, &later).await.unwrap();
    is_good(&broker, &key).await.unwrap();
}

#[tokio::test]
async fn of_a_user() {
    let mut broker = Broker::start();
    let Chain { key, first, second } = chain(&broker).await;
    is_good(&broker, &second).await.unwrap();
    let user = format!("arn:aws:iam::{}:user/alice", broker.home.account);
    revoke(&broker.admin(), json!({"user": user})).await;
    let later = broker.caller(&key).assume(&role(&broker, FIRST), &[]).await.unwrap();
    stays_refused(&mut broker, &[&first, &second], "SessionRevoked").await;
    is_good(&broker, &key).await.unwrap();
    is_good(&broker, &later).await.unwrap();
}

#[tokio::test]
async fn of_a_long_term_key() {
    let mut broker = Broker::start();
    let Chain { key, first, second } = chain(&broker).await;
    let other = broker.admin().iam("CreateAccessKey", &[("UserName", "alice")]).await.ok();
    let other = other.credentials();
    let by_other = broker.caller(&other).assume(&role(&broker, FIRST), &[]).await.unwrap();
    is_good(&broker, &second).await.unwrap();
    revoke(&broker.admin(), json!({"access_key": key.id})).await;
    stays_refused(&mut broker, &[&first, &second], "SessionRevoked").await;
    for credentials in [&key, &other, &by_other] {
        is_good(&broker, credentials).await.unwrap();
    }
}

#[tokio::test]
async fn by_disabling_a_key_that_is_enabled_again() {
    let mut broker = Broker::start();
    let Chain { key, first, second } = chain(&broker).await;
    is_good(&broker, &second).await.unwrap();
    let set =
        |status| [("UserName", "alice"), ("AccessKeyId", key.id.as_str()), ("Status", status)];
    broker.admin().iam("UpdateAccessKey", &set("Inactive")).await.ok();
    stays_refused(&mut broker, &[&key, &first, &second], "KeyInactive").await;
    broker.admin().iam("UpdateAccessKey", &set("Active")).await.ok();
    stays_refused(&mut broker, &[&first, &second], "SessionRevoked").await;
    is_good(&broker, &key).await.unwrap();
    let later = broker.caller(&key).assume(&role(&broker, FIRST), &[]).await.unwrap();
    is_good(&broker, &later).await.unwrap();
}

#[tokio::test]
async fn by_deleting_a_key() {
    let mut broker = Broker::start();
    let Chain { key, first, second } = chain(&broker).await;
    is_good(&broker, &second).await.unwrap();
    let delete = [("UserName", "alice"), ("AccessKeyId", key.id.as_str())];
    broker.admin().iam("DeleteAccessKey", &delete).await.ok();
    stays_refused(&mut broker, &[&first, &second], "PrincipalDeleted").await;
}

#[tokio::test]
async fn by_deleting_a_role() {
    let mut broker = Broker::start();
    let Chain { key, first, second } = chain(&broker).await;
    is_good(&broker, &second).await.unwrap();
    let delete = [("RoleName", FIRST), ("PolicyName", "own")];
    broker.admin().iam("DeleteRolePolicy", &delete).await.ok();
    broker.admin().iam("DeleteRole", &[("RoleName", FIRST)]).await.ok();
    stays_refused(&mut broker, &[&first, &second], "PrincipalDeleted").await;
    is_good(&broker, &key).await.unwrap();
}

/// Who may revoke: whom a policy of the target's own account lets.
#[tokio::test]
async fn only_by_those_who_may() {
    let broker = Broker::start();
    let Chain { key, first, .. } = chain(&broker).await;
    let (_, stranger) = broker.account("other").await;
    let clerk = broker.admin().make_user("clerk", &allow("orders:*", "*")).await;
    let home = &broker.home.account;
    let session = json!({"session": first.id});
    for target in [
        session.clone(),
        json!({"role": role(&broker, FIRST)}),
        json!({"user": format!("arn:aws:iam::{home}:user/alice")}),
        json!({"access_key": key.id}),
    ] {
        for caller in [&stranger, &broker.caller(&clerk)] {
            let answer = caller.revoke(&target).await;
            assert_eq!(answer.status, 403, "{answer:?}");
            assert!(answer.body.contains("AccessDenied"), "{answer:?}");
        }
    }
    is_good(&broker, &first).await.unwrap();
    let guard =
        allow("countersign:RevokeSessions", &format!("arn:aws:countersign::{home}:session/*"));
    let guard = broker.admin().make_user("guard", &guard).await;
    let guard = broker.caller(&guard);
    assert_eq!(guard.revoke(&json!({"role": role(&broker, FIRST)})).await.status, 403);
    guard.revoke(&session).await.ok();
    assert!(is_good(&broker, &first).await.is_err());
}
