//! Keys of a backup that was restored: the host's operator confirms them, nobody else.

use super::{must, refused};
use crate::api::ConfirmKeys;
use crate::authn::Caller;
use crate::directory::{AccessKey, Entity, KeyStatus};
use crate::id::AccessKeyId;
use crate::ops::Context;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::manage::{Asker, keys};
use crate::ops::testing::{Bench, Credentials, allow};

/// Takes a key out of use as restoring a backup does.
async fn suspend(bench: &Bench, key: &Credentials) {
    let id = AccessKeyId::parse(&key.access_key_id).unwrap();
    bench
        .services
        .directory
        .write::<_, Fault>(|tx| {
            let key = tx.state().access_key(&id).unwrap().as_ref().clone();
            let status = KeyStatus::Inactive;
            tx.put(Entity::AccessKey(AccessKey { status, unconfirmed: true, ..key }));
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_key_that_waits_for_the_hosts_operator_is_not_put_into_use_by_the_api() {
    let bench = Bench::new().await;
    let stolen = bench.user(&bench.a, "alice", &allow(&["*"])).await;
    suspend(&bench, &stolen).await;
    let id = stolen.access_key_id.as_str();
    let named = |status| [("UserName", "alice"), ("AccessKeyId", id), ("Status", status)];
    // An administrator's tools would: what they keep says that the key is active.
    let answer = bench.call(&bench.a, "UpdateAccessKey", &named("Active")).await;
    let message = refused(answer, FaultCode::AccessDenied);
    assert!(message.contains("countersign keys confirm"), "{message}");
    refused(bench.whoami(&stolen).await, FaultCode::InvalidClientTokenId);
    // Nor by way of what it is already.
    must(&bench, &bench.a, "UpdateAccessKey", &named("Inactive")).await;
    let answer = bench.call(&bench.a, "UpdateAccessKey", &named("Active")).await;
    refused(answer, FaultCode::AccessDenied);
    refused(bench.whoami(&stolen).await, FaultCode::InvalidClientTokenId);
    let key = [("UserName", "alice"), ("AccessKeyId", id)];
    must(&bench, &bench.a, "DeleteAccessKey", &key).await;
}

#[tokio::test]
async fn what_is_put_out_of_use_while_it_waits_is_not_put_into_it_by_being_confirmed() {
    let bench = Bench::new().await;
    let (kept, leaked) = (
        bench.user(&bench.a, "kept", &allow(&["*"])).await,
        bench.user(&bench.a, "leaked", &allow(&["*"])).await,
    );
    suspend(&bench, &kept).await;
    suspend(&bench, &leaked).await;
    let id = leaked.access_key_id.as_str();
    let named = |status| [("UserName", "leaked"), ("AccessKeyId", id), ("Status", status)];
    must(&bench, &bench.a, "UpdateAccessKey", &named("Inactive")).await;
    let facts = bench.facts();
    let caller = Caller::Anonymous;
    let context =
        Context { services: &bench.services, caller: &caller, facts: &facts, batch: None };
    let all = ConfirmKeys { all: true, access_key_ids: Vec::new() };
    keys::confirm(&Asker::HostOperator(&context), &all).await.unwrap();
    bench.whoami(&kept).await.unwrap();
    refused(bench.whoami(&leaked).await, FaultCode::InvalidClientTokenId);
    // The operator has had his word: it is a key like any other.
    must(&bench, &bench.a, "UpdateAccessKey", &named("Active")).await;
    bench.whoami(&leaked).await.unwrap();
}
