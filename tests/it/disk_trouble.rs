//! The disk takes no more, or nothing: a clear error, and what needs no disk goes on.

use std::process::Command;
use std::sync::Arc;

use crate::broker::{Broker, Home, Signal, eventually, finished, stderr};
use crate::caller::{allow, question_about, trust};

/// `command` under a shell that prepares its process.
fn prepared(preparation: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{preparation}; exec \"$@\"")).arg("sh");
    shell.arg(env!("CARGO_BIN_EXE_countersign")).args(command.get_args());
    shell.env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_reads_and_verification_go_on() {
    let home = Arc::new(Home::init());
    // No file may grow much beyond what the directory takes now: as if the disk were full then.
    let size = std::fs::metadata(home.data().join("directory.redb")).unwrap().len();
    let blocks = (size + 256 * 1024) / 512;
    let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
    let mut broker = Broker::serve_by(&home, &[], prepared(&limit, &home.serve_command()));
    let admin = broker.admin();
    let root = format!("arn:aws:iam::{}:root", home.account);
    let role = admin.make_role("any", &trust(&root), &allow("*", "*")).await;
    let session = admin.assume(&role, &[]).await.unwrap();

    let filler = allow(&format!("s3:{}", "x".repeat(1900)), "*").to_string();
    let mut kept = Vec::new();
    let refused = loop {
        // The audit log has tests of its own: it is rotated, so that it has room.
        let log = home.data().join("audit.jsonl");
        if std::fs::metadata(&log).unwrap().len() > size / 2 {
            std::fs::remove_file(&log).unwrap();
            broker.signal(Signal::Hangup);
            eventually("a new audit file", || log.exists());
        }
        let name = format!("user-{}", kept.len());
        let made = admin.iam("CreateUser", &[("UserName", &name)]).await;
        if !made.status.is_success() {
            break made;
        }
        let put =
            [("UserName", name.as_str()), ("PolicyName", "p"), ("PolicyDocument", filler.as_str())];
        let put = admin.iam("PutUserPolicy", &put).await;
        if !put.status.is_success() {
            break put;
        }
        kept.push(name);
        assert!(kept.len() < 5000, "the limit is not in force");
    };
    assert!(refused.status.is_server_error(), "{refused:?}");
    assert!(broker.log().contains("the directory could not be written"));

    let caller = broker.caller(&session);
    for _ in 0..3 {
        caller.whoami().await.ok();
        admin.iam("GetUser", &[("UserName", "user-0")]).await.ok();
        let question = question_about(&caller.order(), "orders:Get", &home.account);
        assert_eq!(broker.ask(&question).await["decision"], "allow");
        let more = filler.as_str();
        let put = [("RoleName", "any"), ("PolicyName", "more"), ("PolicyDocument", more)];
        let answer = admin.iam("PutRolePolicy", &put).await;
        assert!(answer.status.is_success() || answer.status.is_server_error(), "{answer:?}");
    }

    // Room again: everything that was acknowledged is there, without repair.
    broker.kill();
    let broker = Broker::serve(&home, &[]);
    let admin = broker.admin();
    for name in &kept {
        let get = [("UserName", name.as_str()), ("PolicyName", "p")];
        admin.iam("GetUserPolicy", &get).await.ok();
    }
    admin.iam("CreateUser", &[("UserName", "after")]).await.ok();
    broker.caller(&session).whoami().await.ok();
}

#[test]
fn a_read_only_disk_stops_the_start_with_one_clear_line() {
    let home = Home::init();
    let data = home.data();
    let data = data.to_str().unwrap();
    // A mount of its own, which only this process sees; not every machine allows that.
    let mount = format!("mount --bind '{data}' '{data}' && mount -o remount,bind,ro '{data}'");
    let mut probe = Command::new("unshare");
    probe.args(["-rm", "sh", "-c", &mount]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let mut inner = Command::new("unshare");
    let shell = prepared(&mount, &home.serve_command());
    inner.arg("-rm").arg(shell.get_program()).args(shell.get_args());
    let stopped = finished(inner);
    assert!(!stopped.status.success());
    let said = stderr(&stopped);
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("countersign:")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("directory.redb"), "{said}");
}
