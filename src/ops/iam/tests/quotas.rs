//! How many there may be: the directory is filled past the API, in one write.

use super::refused;
use crate::directory::{Directory, Entity, Role, User};
use crate::id::{AccountId, UniqueId, UniqueKind};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::iam::kind::{Kind as _, Made};
use crate::ops::testing::{A, Bench, allow, trusting};

/// Copies of an entity under other names and IDs, until the account has `count` of its kind.
async fn fill<H: Made>(bench: &Bench, count: usize, copy: impl Fn(UniqueId, String) -> Entity) {
    let directory: &Directory = &bench.services.directory;
    let account = AccountId::parse(A).unwrap();
    let there = H::all(&directory.snapshot(), account).count();
    let kind = if H::KIND == "user" { UniqueKind::User } else { UniqueKind::Role };
    directory
        .write(|tx| {
            for n in there..count {
                let id = UniqueId::generate(kind, &*bench.services.random).unwrap();
                tx.put(copy(id, format!("copy{n}")));
            }
            Ok::<(), Fault>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_has_five_thousand_users_at_most() {
    let bench = Bench::new().await;
    let account = AccountId::parse(A).unwrap();
    let admin = User::named(&bench.services.directory.snapshot(), account, "admin").unwrap();
    let copy = |id, name| Entity::User(User { id, name, ..User::clone(&admin) });
    fill::<User>(&bench, 4999, copy).await;
    bench.call(&bench.a, "CreateUser", &[("UserName", "last")]).await.unwrap();
    let result = bench.call(&bench.a, "CreateUser", &[("UserName", "more")]).await;
    let message = refused(result, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for UsersPerAccount: 5000");
    bench.call(&bench.b, "CreateUser", &[("UserName", "more")]).await.unwrap();
}

#[tokio::test]
async fn an_account_has_a_thousand_roles_at_most() {
    let bench = Bench::new().await;
    let trust = trusting(&[A]);
    bench.role(&bench.a, "first", &trust, &allow(&["s3:*"])).await;
    let account = AccountId::parse(A).unwrap();
    let first = Role::named(&bench.services.directory.snapshot(), account, "first").unwrap();
    let copy = |id, name| Entity::Role(Role { id, name, ..Role::clone(&first) });
    fill::<Role>(&bench, 999, copy).await;
    let create = |name| [("RoleName", name), ("AssumeRolePolicyDocument", trust.as_str())];
    bench.call(&bench.a, "CreateRole", &create("last")).await.unwrap();
    let result = bench.call(&bench.a, "CreateRole", &create("more")).await;
    let message = refused(result, FaultCode::LimitExceeded);
    assert_eq!(message, "Cannot exceed quota for RolesPerAccount: 1000");
}

#[tokio::test]
async fn an_entity_has_ten_managed_policies_at_most() {
    let bench = Bench::new().await;
    bench.role(&bench.a, "x", &trusting(&[A]), &allow(&["s3:*"])).await;
    bench.user(&bench.a, "x", &allow(&["s3:*"])).await;
    let account = AccountId::parse(A).unwrap();
    bench
        .services
        .directory
        .write(|tx| {
            let arns = || (0..10).map(|n| format!("arn:aws:iam::aws:policy/P{n}"));
            let mut user = User::clone(&User::named(tx.state(), account, "x").unwrap());
            user.policies.attached.extend(arns());
            tx.put(Entity::User(user));
            let mut role = Role::clone(&Role::named(tx.state(), account, "x").unwrap());
            role.policies.attached.extend(arns());
            tx.put(Entity::Role(role));
            Ok::<(), Fault>(())
        })
        .await
        .unwrap();
    let arn = ("PolicyArn", crate::directory::managed::ADMINISTRATOR_ACCESS);
    for kind in ["User", "Role"] {
        let name = format!("{kind}Name");
        let attach = [(name.as_str(), "x"), arn];
        let result = bench.call(&bench.a, &format!("Attach{kind}Policy"), &attach).await;
        let message = refused(result, FaultCode::LimitExceeded);
        assert_eq!(message, format!("Cannot exceed quota for PoliciesPer{kind}: 10"));
    }
}
