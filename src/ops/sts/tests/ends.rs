//! What ends a session: its time, a revocation, and the end of what it came from.

use super::*;
use crate::api::RevocationTarget;

#[tokio::test]
async fn a_session_ends_at_its_expiry_to_the_second() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let short = [("DurationSeconds", "900")];
    let answer = bench.call(&alice, "AssumeRole", &ask(&role, &short)).await.unwrap();
    let session = Credentials::of_answer(&answer);
    bench.advance(899);
    assert!(bench.whoami(&session).await.is_ok());
    bench.advance(1);
    assert_eq!(code(bench.whoami(&session).await), FaultCode::ExpiredToken);
}

#[tokio::test]
async fn revocation_reaches_descendants_and_only_the_past() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let second = bench.role(&bench.b, "second", &trusting(&[&role]), &allow(&["*"])).await;
    let key = RevocationTarget::AccessKey(alice.access_key_id.clone());
    let user = RevocationTarget::User(format!("arn:aws:iam::{A}:user/alice"));
    let targets = [
        (None, &bench.b),
        (Some(RevocationTarget::Role(role.clone())), &bench.b),
        (Some(user), &bench.a),
        (Some(key), &bench.a),
    ];
    for (target, admin) in targets {
        let first = bench.assume(&alice, &role, "first").await.unwrap();
        let bystander =
            bench.assume(&bench.b, &format!("arn:aws:iam::{B}:role/second"), "bystander").await;
        assert_eq!(code(bystander), FaultCode::AccessDenied, "second trusts deploy alone");
        let chained = bench.assume(&first, &second, "chained").await.unwrap();
        let target =
            target.unwrap_or_else(|| RevocationTarget::Session(first.access_key_id.clone()));
        bench.revoke(admin, target.clone()).await.unwrap();
        for session in [&first, &chained] {
            assert_eq!(
                code(bench.whoami(session).await),
                FaultCode::InvalidClientTokenId,
                "{target:?}"
            );
        }
        // What is made afterwards is new.
        let fresh = bench.assume(&alice, &role, "fresh").await.unwrap();
        assert!(bench.whoami(&fresh).await.is_ok(), "{target:?}");
    }
}

#[tokio::test]
async fn revoking_needs_permission_and_the_own_account() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let session = bench.assume(&alice, &role, "first").await.unwrap();
    let target = || RevocationTarget::Session(session.access_key_id.clone());
    assert_eq!(code(bench.revoke(&alice, target()).await), FaultCode::AccessDenied);
    assert_eq!(
        code(bench.revoke(&bench.a, target()).await),
        FaultCode::AccessDenied,
        "A's admin, B's session"
    );
    assert!(bench.whoami(&session).await.is_ok());
    for wrong in [
        RevocationTarget::Session(alice.access_key_id.clone()),
        RevocationTarget::AccessKey(session.access_key_id.clone()),
        RevocationTarget::Role("x".into()),
        RevocationTarget::User(role.clone()),
    ] {
        assert_eq!(code(bench.revoke(&bench.b, wrong).await), FaultCode::ValidationError);
    }
}

#[tokio::test]
async fn museum_m25_a_name_made_again_revives_nothing() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let session = bench.assume(&alice, &role, "first").await.unwrap();
    let delete = [("RoleName", "deploy"), ("PolicyName", "own")];
    bench.call(&bench.b, "DeleteRolePolicy", &delete).await.unwrap();
    bench.call(&bench.b, "DeleteRole", &[("RoleName", "deploy")]).await.unwrap();
    assert_eq!(code(bench.whoami(&session).await), FaultCode::InvalidClientTokenId);
    bench.role(&bench.b, "deploy", &trusting(&[A]), &allow(&["*"])).await;
    assert_eq!(code(bench.whoami(&session).await), FaultCode::InvalidClientTokenId);
    assert!(bench.assume(&alice, &role, "again").await.is_ok());
}

#[tokio::test]
async fn a_key_made_inactive_ends_its_sessions_for_good() {
    let bench = Bench::new().await;
    let (alice, role) = stage(&bench).await;
    let session = bench.assume(&alice, &role, "first").await.unwrap();
    let token = Credentials::of_answer(&bench.call(&alice, "GetSessionToken", &[]).await.unwrap());
    for status in ["Inactive", "Active"] {
        let set = [
            ("UserName", "alice"),
            ("AccessKeyId", alice.access_key_id.as_str()),
            ("Status", status),
        ];
        bench.call(&bench.a, "UpdateAccessKey", &set).await.unwrap();
        for dead in [&session, &token] {
            assert_eq!(code(bench.whoami(dead).await), FaultCode::InvalidClientTokenId, "{status}");
        }
    }
    assert!(bench.assume(&alice, &role, "again").await.is_ok());
}
