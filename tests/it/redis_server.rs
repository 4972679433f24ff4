//! A real redis-server of a test's own, and sessions to put into it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::id::{AccessKeyId, AccessKeyKind, AccountId, UniqueId, UniqueKind};
use countersign::random::SystemRandom;
use countersign::seal::{Keyring, record};
use countersign::sessions::redis::{Endpoint, OpenError, Parts, RedisLedger, Settings};
use countersign::sessions::{Ledger, NewRecord};
use countersign::time::{Clock, SystemClock, Timestamp};
use redis::{Connection, FromRedisValue};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A redis-server, which ends with this.
pub(crate) struct RedisServer {
    child: Child,
    folder: tempfile::TempDir,
    options: Vec<String>,
    pub(crate) port: u16,
}

impl RedisServer {
    /// One that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        Self::with(&["--appendonly", "no"])
    }

    /// One that survives being killed.
    pub(crate) fn durable() -> Self {
        Self::with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// One with these options.
    pub(crate) fn with(options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        // Another process may take a free port before the server does.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let folder = tempfile::tempdir().unwrap();
            let mut child = spawn(&options, port, folder.path());
            if answers(&mut child, port) {
                return Self { child, folder, options, port };
            }
        }
        panic!("redis-server does not start with {options:?}");
    }

    /// Ends it as a power cut would end the process.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, on the same port, with what it kept on disk.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let end = Instant::now() + PATIENCE;
        loop {
            self.child = spawn(&self.options, self.port, self.folder.path());
            if answers(&mut self.child, self.port) {
                return;
            }
            assert!(Instant::now() < end, "redis-server does not start again");
        }
    }

    /// Stops it in its tracks: connections stay, nothing is answered.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its Unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// A connection of the test's own.
    pub(crate) fn connection(&self) -> Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Asks it something.
    #[track_caller]
    pub(crate) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query(&mut self.connection()).unwrap()
    }

    /// The names of its keys that match.
    pub(crate) fn keys(&self, pattern: &str) -> Vec<String> {
        self.ask(&["KEYS", pattern])
    }

    /// Settings for a ledger in it.
    pub(crate) fn settings(&self) -> Settings {
        Settings { url: Some(Endpoint::parse(&self.url()).unwrap()), ..quick() }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Settings with short times, and no URL.
pub(crate) fn quick() -> Settings {
    Settings {
        command_timeout: Duration::from_millis(300),
        lease: Duration::from_secs(2),
        ..Settings::default()
    }
}

fn spawn(options: &[String], port: u16, folder: &Path) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--daemonize", "no", "--loglevel", "warning", "--dir"])
        .arg(folder)
        .arg("--unixsocket")
        .arg(folder.join("redis.sock"))
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "these tests need a real redis-server, and there is none ({error}): \
                 install it ('apt-get install redis-server', 'brew install redis')"
            )
        })
}

/// Waits until it answers; `false` if it ends instead.
fn answers(child: &mut Child, port: u16) -> bool {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let answered = client.get_connection_with_timeout(Duration::from_secs(1)).is_ok_and(
            |mut connection| match redis::cmd("PING").query::<String>(&mut connection) {
                Ok(_) => true,
                // It answers, and asks for a password first.
                Err(error) => matches!(error.code(), Some("NOAUTH")),
            },
        );
        if answered {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// One deployment's keys and clock.
pub(crate) struct Deployment {
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_staleness: Duration,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        Self {
            keyring: Arc::new(Keyring::generate(&SystemRandom::new()).unwrap()),
            clock: Arc::new(SystemClock::new()),
            max_staleness: Duration::from_mins(5),
        }
    }

    pub(crate) async fn open(&self, settings: &Settings) -> Result<RedisLedger, OpenError> {
        let parts = Parts {
            keyring: Arc::clone(&self.keyring),
            clock: Arc::clone(&self.clock),
            random: Arc::new(SystemRandom::new()),
            max_staleness: self.max_staleness,
        };
        RedisLedger::open(settings, parts).await
    }

    /// A record of an hour, with a body of its own.
    pub(crate) fn record(&self, principal: UniqueId) -> NewRecord {
        self.record_until(principal, self.clock.now().plus_secs(3600))
    }

    pub(crate) fn record_until(&self, principal: UniqueId, expires_at: Timestamp) -> NewRecord {
        let access_key_id = session_id();
        let place = access_key_id.as_str().as_bytes();
        let record = record::make(&self.keyring, place, expires_at, place).unwrap();
        NewRecord { access_key_id, principal, expires_at: expires_at.floor_secs(), record }
    }

    /// Keeps a record of an hour: its ID and bytes.
    pub(crate) async fn keep(&self, ledger: &dyn Ledger) -> (AccessKeyId, Vec<u8>) {
        let new = self.record(principal());
        let kept = (new.access_key_id, new.record.clone());
        ledger.insert(new).await.unwrap();
        kept
    }
}

/// A session's ID that was never used.
pub(crate) fn session_id() -> AccessKeyId {
    let account = AccountId::parse("123456789012").unwrap();
    AccessKeyId::generate(AccessKeyKind::Session, account, &SystemRandom::new()).unwrap()
}

/// A role's ID that was never used.
pub(crate) fn principal() -> UniqueId {
    UniqueId::generate(UniqueKind::Role, &SystemRandom::new()).unwrap()
}

/// Waits until `condition` holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let end = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < end, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
