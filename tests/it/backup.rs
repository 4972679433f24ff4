//! A backup is made of a running broker and put back: into a running one, and onto a bare machine.

use std::path::Path;
use std::sync::Arc;

use crate::broker::{Broker, countersign, finished, stderr, stdout};
use crate::caller::{Credentials, allow, trust};

/// A role that the administrator may assume, and a session of it.
async fn session(broker: &Broker, name: &str) -> Credentials {
    let all = allow("*", "*");
    let admin = format!("arn:aws:iam::{}:user/admin", broker.home.account);
    let role = broker.admin().make_role(name, &trust(&admin), &all).await;
    broker.admin().assume(&role, &[]).await.unwrap()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_ends_every_session_and_takes_keys_out_of_use() {
    let broker = Broker::start();
    let kept = broker.admin().make_user("kept", &allow("*", "*")).await;
    let before = session(&broker, "before").await;
    let file = broker.home.folder().join("backup.jsonl");
    let file = file.to_str().unwrap();
    let made = broker.command(&["backup", file]);
    assert!(made.status.success(), "{}", stderr(&made));
    assert_eq!(mode(Path::new(file)), 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    for secret in [&broker.home.first.secret, &kept.secret] {
        assert!(!text.contains(secret.as_str()), "secrets are sealed");
    }
    let again = broker.command(&["backup", file]);
    assert!(!again.status.success(), "an older backup is not written over");

    // After the backup: a user more, a user gone, and a revocation that the backup does not know.
    broker.admin().make_user("later", &allow("*", "*")).await;
    broker
        .admin()
        .iam("DeleteUserPolicy", &[("UserName", "kept"), ("PolicyName", "own")])
        .await
        .ok();
    let after = session(&broker, "after").await;
    let revoked = serde_json::json!({"session": before.id});
    broker.admin().revoke(&revoked).await.ok();

    let unasked = broker.command(&["restore", file]);
    assert!(!unasked.status.success());
    assert!(stderr(&unasked).contains("--yes"), "{}", stderr(&unasked));
    assert!(broker.admin().whoami().await.status.is_success(), "nothing was changed");

    let restored = broker.command(&["restore", file, "--yes"]);
    assert!(restored.status.success(), "{}", stderr(&restored));
    assert!(stdout(&restored).contains("2 long-term keys"), "{}", stdout(&restored));
    for dead in [&before, &after, &kept, &broker.home.first] {
        broker.caller(dead).whoami().await.refused("InvalidClientTokenId");
    }

    let confirmed = broker.command(&["keys", "confirm", &broker.home.first.id]);
    assert!(confirmed.status.success(), "{}", stderr(&confirmed));
    let admin = broker.admin();
    admin.whoami().await.ok();
    broker.caller(&kept).whoami().await.refused("InvalidClientTokenId");
    admin.iam("GetUser", &[("UserName", "kept")]).await.ok();
    admin.iam("GetUser", &[("UserName", "later")]).await.refused("NoSuchEntity");
    let listed = admin.iam("ListAccessKeys", &[("UserName", "kept")]).await.ok();
    assert_eq!(listed.text("Status").as_deref(), Some("Inactive"));
    for dead in [&before, &after] {
        broker.caller(dead).whoami().await.refused("InvalidClientTokenId");
    }
    // Sessions of the new epoch are good.
    let new = session(&broker, "new").await;
    broker.caller(&new).whoami().await.ok();
    // A key that is confirmed once is not confirmed twice.
    let twice = broker.command(&["keys", "confirm", &broker.home.first.id]);
    assert!(!twice.status.success());

    // All of it lasts.
    let mut broker = broker;
    broker.restart();
    broker.caller(&new).whoami().await.ok();
    for dead in [&before, &after, &kept] {
        broker.caller(dead).whoami().await.refused("InvalidClientTokenId");
    }
    let names: Vec<String> = broker
        .home
        .audit()
        .iter()
        .filter_map(|record| record["eventName"].as_str().map(ToOwned::to_owned))
        .collect();
    for name in ["CreateBackup", "RestoreBackup", "ConfirmAccessKeys"] {
        assert!(names.iter().any(|it| it == name), "{name} is on record");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_key_is_not_confirmed_with_the_others() {
    let broker = Broker::start();
    let off = broker.admin().make_user("off", &allow("*", "*")).await;
    let file = broker.home.folder().join("backup.jsonl");
    let file = file.to_str().unwrap();
    assert!(broker.command(&["backup", file]).status.success());
    assert!(broker.command(&["restore", file, "--yes"]).status.success());
    assert!(broker.command(&["keys", "confirm", &broker.home.first.id]).status.success());
    let admin = broker.admin();
    // It is inactive already; that it is meant to stay so is news.
    let about = [("UserName", "off"), ("AccessKeyId", off.id.as_str()), ("Status", "Inactive")];
    admin.iam("UpdateAccessKey", &about).await.ok();
    assert!(broker.command(&["keys", "confirm", "--all"]).status.success());
    broker.caller(&off).whoami().await.refused("InvalidClientTokenId");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_machine_with_the_keyring_takes_a_backup() {
    let mut broker = Broker::start();
    let before = session(&broker, "before").await;
    let folder = broker.home.folder().to_owned();
    let file = folder.join("backup.jsonl");
    assert!(broker.command(&["backup", file.to_str().unwrap()]).status.success());
    broker.kill();
    for gone in ["directory.redb", "sessions.redb"] {
        std::fs::remove_file(broker.home.data().join(gone)).unwrap();
    }
    let restore = || {
        let mut command = countersign(["restore", "--yes", "--data-dir"]);
        command.arg(broker.home.data()).arg(&file);
        finished(command)
    };
    // Without the keyring it cannot be done, and a new one would not help.
    let (keyring, aside) = (broker.home.data().join("keyring.json"), folder.join("keyring.json"));
    std::fs::rename(&keyring, &aside).unwrap();
    let refused = restore();
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.contains("keyring.json") && !said.contains("init"), "{said}");
    std::fs::rename(&aside, &keyring).unwrap();
    // What cannot be recorded is not done.
    let (audit, aside) = (broker.home.data().join("audit.jsonl"), folder.join("audit.jsonl"));
    std::fs::rename(&audit, &aside).unwrap();
    std::fs::create_dir(&audit).unwrap();
    let refused = restore();
    assert!(stderr(&refused).contains("audit log"), "{}", stderr(&refused));
    assert!(!broker.home.data().join("directory.redb").exists());
    std::fs::remove_dir(&audit).unwrap();
    std::fs::rename(&aside, &audit).unwrap();
    let restored = restore();
    assert!(restored.status.success(), "{}", stderr(&restored));
    let records = broker.home.audit();
    let of_restore: Vec<_> =
        records.iter().filter(|it| it["eventName"] == "RestoreBackup").collect();
    let phases: Vec<_> =
        of_restore.iter().map(|it| it["additionalEventData"]["phase"].clone()).collect();
    assert_eq!(phases, ["intent", "outcome"]);
    assert_eq!(of_restore[1]["requestParameters"]["offline"], true);
    let broker = Broker::serve(&Arc::clone(&broker.home), &[]);
    broker.admin().whoami().await.refused("InvalidClientTokenId");
    // The way back in when no key is left.
    let user = format!("arn:aws:iam::{}:user/admin", broker.home.account);
    let made = broker.command(&["keys", "create", &user]);
    assert!(made.status.success(), "{}", stderr(&made));
    let out = stdout(&made);
    let value = |name: &str| {
        let line = out.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches('=').to_owned()
    };
    let key = Credentials {
        id: value("AWS_ACCESS_KEY_ID"),
        secret: value("AWS_SECRET_ACCESS_KEY"),
        token: None,
    };
    broker.caller(&key).iam("GetRole", &[("RoleName", "before")]).await.ok();
    broker.caller(&before).whoami().await.refused("InvalidClientTokenId");
    let audit = std::fs::read_to_string(broker.home.data().join("audit.jsonl")).unwrap();
    assert!(!audit.contains(&key.secret), "the secret is in no record");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_backup_of_this_deployment_changes_nothing() {
    let broker = Broker::start();
    let file = broker.home.folder().join("backup.jsonl");
    assert!(broker.command(&["backup", file.to_str().unwrap()]).status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    let other = Broker::start();
    let foreign = other.home.folder().join("foreign.jsonl");
    assert!(other.command(&["backup", foreign.to_str().unwrap()]).status.success());
    let lines: Vec<&str> = text.lines().collect();
    let cases = [
        ("a word changed", text.replace("\"admin\"", "\"Admin\"")),
        ("cut off", lines[..lines.len() - 1].join("\n") + "\n"),
        ("a line gone", [&lines[..1], &lines[2..]].concat().join("\n") + "\n"),
        ("a line more", text.replacen(lines[1], &format!("{0}\n{0}", lines[1]), 1)),
        ("of another deployment", std::fs::read_to_string(&foreign).unwrap()),
        ("empty", String::new()),
        ("newer", text.replacen("\"format_version\":2", "\"format_version\":3", 1)),
    ];
    for (what, text) in cases {
        let path = broker.home.folder().join("bad.jsonl");
        std::fs::write(&path, text).unwrap();
        let refused = broker.command(&["restore", path.to_str().unwrap(), "--yes"]);
        assert_eq!(refused.status.code(), Some(1), "{what}");
        assert!(stderr(&refused).contains("backup"), "{what}: {}", stderr(&refused));
        broker.admin().whoami().await.ok();
    }
}
