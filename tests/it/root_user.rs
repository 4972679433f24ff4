//! Root users of accounts: keys from the host's operator, every use seen.

use serde_json::Value;

use crate::broker::{Broker, stderr, stdout};
use crate::caller::Credentials;
use crate::python::run_script;

fn root(broker: &Broker) -> String {
    format!("arn:aws:iam::{}:root", broker.home.account)
}

/// A key that `countersign keys create` prints.
fn key(broker: &Broker) -> Credentials {
    let made = broker.command(&["keys", "create", &root(broker)]);
    assert!(made.status.success(), "{}", stderr(&made));
    let made = stdout(&made);
    let value = |name: &str| {
        let line = made.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.to_owned()
    };
    let secret = value("AWS_SECRET_ACCESS_KEY=");
    Credentials { id: value("AWS_ACCESS_KEY_ID="), secret, token: None }
}

/// A command that must succeed: what it printed.
#[track_caller]
fn done(broker: &Broker, arguments: &[&str]) -> String {
    let output = broker.command(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_root_user_lives_and_dies_on_the_admin_socket() {
    let mut broker = Broker::start();
    let arn = root(&broker);
    assert_eq!(done(&broker, &["keys", "list", &arn]), "");
    let key = key(&broker);
    let told = broker.caller(&key).whoami().await.ok();
    assert_eq!(told.text("Arn").as_deref(), Some(arn.as_str()));
    assert_eq!(told.text("UserId").as_deref(), Some(broker.home.account.as_str()));
    let session = broker.caller(&key).sts("GetSessionToken", &[]).await.ok().credentials();
    let listed = done(&broker, &["keys", "list", &arn]);
    assert!(listed.starts_with(&format!("{}\tActive\t", key.id)), "{listed}");

    // Every use stands out: in the log, in the audit log, in the metrics.
    broker.logged("the root user of an account signed a request");
    let warning = broker.log();
    let warning = warning.lines().find(|line| line.contains("the root user of an account signed"));
    let warning: Value = serde_json::from_str(warning.unwrap()).unwrap();
    assert_eq!(warning["level"], "WARN", "{warning}");
    assert!(warning.to_string().contains(&broker.home.account), "{warning}");
    let (_, metrics) = broker.ops_text("/metrics").await;
    assert!(metrics.contains("countersign_root_uses_total 2"), "{metrics}");
    let audit = broker.home.audit();
    let by_root: Vec<_> =
        audit.iter().filter(|it| it["additionalEventData"]["rootUser"] == true).collect();
    assert_eq!(by_root.len(), 3, "whoami, and an intent and an outcome");
    assert!(by_root.iter().all(|it| it["userIdentity"]["type"] == "Root"));

    // Out of use at once, with what came from it, also after a crash; and back.
    let changed = done(&broker, &["keys", "deactivate", &key.id]);
    assert_eq!(changed, format!("{}\t{arn}\n", key.id));
    for _ in 0..2 {
        for dead in [&key, &session] {
            broker.caller(dead).whoami().await.refused("InvalidClientTokenId");
        }
        broker.restart();
    }
    done(&broker, &["keys", "activate", &key.id]);
    broker.caller(&key).whoami().await.ok();
    broker.caller(&session).whoami().await.refused("InvalidClientTokenId");
    done(&broker, &["keys", "delete", &key.id]);
    broker.caller(&key).whoami().await.refused("InvalidClientTokenId");
    assert_eq!(done(&broker, &["keys", "list", &arn]), "");
    let gone = broker.command(&["keys", "activate", &key.id]);
    assert!(!gone.status.success());
    assert!(stderr(&gone).contains("NoSuchEntity"), "{}", stderr(&gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_key_of_a_root_user_waits_to_be_confirmed() {
    let broker = Broker::start();
    let key = key(&broker);
    broker.caller(&key).whoami().await.ok();
    let file = broker.home.folder().join("backup.jsonl");
    let file = file.to_str().unwrap();
    done(&broker, &["backup", file]);
    done(&broker, &["restore", file, "--yes"]);
    broker.caller(&key).whoami().await.refused("InvalidClientTokenId");
    let listed = done(&broker, &["keys", "list", &root(&broker)]);
    assert!(listed.contains("\tUnconfirmed\t"), "{listed}");
    let unasked = broker.command(&["keys", "activate", &key.id]);
    assert!(stderr(&unasked).contains("waits to be confirmed"), "{}", stderr(&unasked));
    broker.caller(&key).whoami().await.refused("InvalidClientTokenId");
    done(&broker, &["keys", "confirm", &key.id]);
    broker.caller(&key).whoami().await.ok();
}

#[test]
fn a_root_user_by_boto3() {
    let broker = Broker::start();
    let key = key(&broker);
    let variable = format!("{}:{}", key.id, key.secret);
    let told = run_script(&broker, "root_user.py", &[("COUNTERSIGN_ROOT_KEY", &variable)]);
    assert_eq!(told.lines().last().unwrap(), "11 steps", "{told}");
}
