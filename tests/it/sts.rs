//! What STS gives besides roles, with boto3: federated users, and sessions of members' root users.

use countersign::ops::catalog::ROWS;

use crate::broker::{Broker, stderr, stdout};
use crate::python::run_script;

#[test]
fn federated_users_and_root_users_by_boto3() {
    let broker = Broker::start();
    let made = stdout(&broker.command(&["accounts", "create", "partner"]));
    let (partner, role) = made.trim_end().split_once('\t').unwrap();
    let root = format!("arn:aws:iam::{partner}:root");
    let key = broker.command(&["keys", "create", &root]);
    assert!(key.status.success(), "{}", stderr(&key));
    let key = stdout(&key);
    let value = |name: &str| key.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let key = format!("{}:{}", value("AWS_ACCESS_KEY_ID="), value("AWS_SECRET_ACCESS_KEY="));
    let variables = [("COUNTERSIGN_PARTNER_ROLE", role), ("COUNTERSIGN_ROOT_KEY", &key)];
    let told = run_script(&broker, "sts.py", &variables);
    let steps = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(steps >= 60, "{told}");
    assert_eq!(told.lines().last().unwrap(), format!("{steps} steps"));

    // Who it was stands in the audit log, and every use of a root user stands out.
    broker.logged("a session of the root user of an account is made");
    broker.logged("the root user of an account signed a request");
    let audit = broker.home.audit();
    let federated = audit.iter().filter(|it| it["userIdentity"]["type"] == "FederatedUser");
    assert!(federated.count() >= 5);
    let by_root = audit
        .iter()
        .filter(|it| it["userIdentity"]["sessionContext"]["assumedRoot"] == "true")
        .inspect(|it| assert_eq!(it["additionalEventData"]["rootUser"], true, "{it}"));
    assert!(by_root.count() > 5);
    let minted = audit.iter().filter(|it| it["eventName"] == "AssumeRoot");
    assert!(minted.clone().any(|it| it["errorCode"] == "AccessDenied"));
    assert!(minted.clone().any(|it| it["requestParameters"]["targetPrincipal"] == partner));
}

/// What the model has of STS, and the one action that is not here.
#[test]
fn all_of_sts_is_here_but_the_tokens_of_partners() {
    const MODEL: [&str; 11] = [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "DecodeAuthorizationMessage",
        "GetAccessKeyInfo",
        "GetCallerIdentity",
        "GetDelegatedAccessToken",
        "GetFederationToken",
        "GetSessionToken",
        "GetWebIdentityToken",
    ];
    let here: Vec<_> =
        ROWS.iter().filter(|row| row.service.scope() == "sts").map(|row| row.name).collect();
    let absent: Vec<_> = MODEL.iter().filter(|name| !here.contains(name)).collect();
    assert_eq!(absent, [&"GetDelegatedAccessToken"]);
    assert_eq!(here.len() + absent.len(), MODEL.len());
}
