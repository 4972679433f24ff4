//! The audit log cannot be written: nothing is handed out or changed, reads and verification go on,
//! and it recovers without a restart.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;

use crate::broker::{Broker, Home, finished, stderr};
use crate::caller::{Caller, Credentials, allow, question_about, trust};
use crate::python::client;

/// What was made while all was well.
struct Before {
    role: String,
    session: Credentials,
}

impl Before {
    async fn make(broker: &Broker) -> Self {
        let admin = broker.admin();
        let root = format!("arn:aws:iam::{}:root", broker.home.account);
        let role = admin.make_role("any", &trust(&root), &allow("*", "*")).await;
        let session = admin.assume(&role, &[]).await.unwrap();
        admin.iam("CreateUser", &[("UserName", "alice")]).await.ok();
        Self { role, session }
    }

    /// Nothing leaves and nothing changes; what is only read goes on.
    async fn only_reads(&self, broker: &Broker) {
        let admin = broker.admin();
        let role = self.role.as_str();
        let no = allow("*", "*").to_string();
        let put = [("RoleName", "any"), ("PolicyName", "more"), ("PolicyDocument", no.as_str())];
        let refused = [
            admin.assume(role, &[]).await.unwrap_err(),
            admin.iam("CreateAccessKey", &[("UserName", "alice")]).await,
            admin.iam("CreateUser", &[("UserName", "bob")]).await,
            admin.iam("PutRolePolicy", &put).await,
            admin.iam("DeleteUser", &[("UserName", "alice")]).await,
        ];
        for answer in refused {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            assert_eq!(answer.code(), "ServiceUnavailable");
        }
        let revocation = admin.revoke(&json!({"session": self.session.id})).await;
        assert_eq!(revocation.status, StatusCode::SERVICE_UNAVAILABLE, "{revocation:?}");
        let body = json!({"name": "other"});
        let account =
            broker.admin_socket(hyper::Method::POST, "/countersign/v1/accounts", &body).await;
        assert_eq!(account.0, StatusCode::SERVICE_UNAVAILABLE, "{}", account.1);

        let session = broker.caller(&self.session);
        session.whoami().await.ok();
        session.iam("GetUser", &[("UserName", "alice")]).await.ok();
        session.iam("GetUser", &[("UserName", "bob")]).await.refused("NoSuchEntity");
        let get = [("RoleName", "any"), ("PolicyName", "more")];
        session.iam("GetRolePolicy", &get).await.refused("NoSuchEntity");
        let keys = session.iam("ListAccessKeys", &[("UserName", "alice")]).await.ok();
        assert!(!keys.body.contains("AKIA"), "{keys:?}");
        assert_eq!(verified(broker, &session).await, "allow");
    }

    /// Everything works.
    async fn all(&self, broker: &Broker) {
        let admin = broker.admin();
        admin.iam("CreateUser", &[("UserName", "bob")]).await.ok();
        let session = admin.assume(&self.role, &[]).await.unwrap();
        broker.caller(&session).whoami().await.ok();
        admin.revoke(&json!({"session": self.session.id})).await.ok();
        assert_eq!(verified(broker, &broker.caller(&self.session)).await, "deny");
    }
}

async fn verified(broker: &Broker, caller: &Caller) -> serde_json::Value {
    let question = question_about(&caller.order(), "orders:GetOrder", &broker.home.account);
    broker.ask(&question).await["decision"].clone()
}

#[tokio::test]
async fn its_folder_is_gone() {
    let home = Arc::new(Home::init());
    let folder = home.folder().join("audit");
    let log = folder.join("audit.jsonl");
    let settings = [("COUNTERSIGN_AUDIT_PATH", log.to_str().unwrap())];
    let broker = Broker::serve(&home, &settings);
    let before = Before::make(&broker).await;
    let aside = home.folder().join("aside");
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, "a file where the folder was").unwrap();
    before.only_reads(&broker).await;
    broker.logged("audit records were not accepted");

    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    before.all(&broker).await;
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("\"bob\""), "{text}");
}

/// Bytes that a file may have under the limit. Larger than the stores'.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Serves with no file growing beyond the limit: a disk that is full for the audit log alone.
fn serve_limited(home: &Arc<Home>) -> Broker {
    let serve = home.serve_command();
    let script = "import os, resource, signal, sys\n\
                  signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n\
                  resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)\n\
                  os.execv(sys.argv[2], sys.argv[2:])";
    let mut limited: Command = client("unused");
    limited.env_clear().args(["-c", script, &LIMIT.to_string()]);
    limited.arg(serve.get_program()).args(serve.get_args());
    Broker::serve_by(home, &[], limited)
}

/// Lets the file grow to `room` bytes below the limit.
fn fill(log: &Path, room: u64) {
    let mut file = File::options().write(true).open(log).unwrap();
    // A hole takes no space on the disk.
    file.seek(SeekFrom::Start(LIMIT - room - 1)).unwrap();
    file.write_all(b"\n").unwrap();
}

#[tokio::test]
async fn the_disk_is_full() {
    let home = Arc::new(Home::init());
    let log = home.data().join("audit.jsonl");
    let mut broker = Broker::serve(&home, &[]);
    let before = Before::make(&broker).await;
    let admin = broker.admin();
    admin.assume(&before.role, &[]).await.unwrap();
    let text = std::fs::read_to_string(&log).unwrap();
    let intent = text.lines().rev().find(|line| line.contains("\"phase\":\"intent\"")).unwrap();
    assert!(intent.contains("AssumeRole"));

    // Room for an intent and half an outcome: the credential is withheld.
    broker.kill();
    let room = intent.len() as u64 * 3 / 2;
    fill(&log, room);
    let limited = serve_limited(&home);
    let withheld = limited.admin().assume(&before.role, &[]).await.unwrap_err();
    assert_eq!(withheld.status, StatusCode::SERVICE_UNAVAILABLE, "{withheld:?}");
    assert!(!withheld.body.contains("ASIA"), "{withheld:?}");
    limited.logged("an audit outcome was not accepted");
    let length = std::fs::metadata(&log).unwrap().len();
    assert!(length > LIMIT - room, "the intent is kept");
    before.only_reads(&limited).await;
    // Half a record was taken back each time.
    let end = std::fs::metadata(&log).unwrap().len();
    assert!(end < LIMIT, "half a record is left");

    // The file is moved away, and it goes on in a new one.
    let moved = home.data().join("audit.jsonl.1");
    std::fs::rename(&log, &moved).unwrap();
    before.all(&limited).await;
    let records = home.audit();
    assert!(records.iter().any(|record| record["eventName"] == "AssumeRole"));
    let lines = std::fs::read_to_string(&log).unwrap().lines().count();
    assert_eq!(lines, records.len(), "whole lines");
    let old = std::fs::read(&moved).unwrap();
    assert_eq!(old.last(), Some(&b'\n'));
}

#[test]
fn what_keeps_nothing_is_refused() {
    let home = Home::init();
    for path in ["/dev/full", "/dev/null", home.data().to_str().unwrap()] {
        let mut serve = home.serve_command();
        serve.env("COUNTERSIGN_AUDIT_PATH", path);
        let output = finished(serve);
        let complaint = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains("not a regular file"), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}
