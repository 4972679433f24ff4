//! The real program: made, served, killed and asked, as an operator does it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use countersign::http::client::Client;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::caller::{Caller, Credentials};

/// Long enough for a busy machine; nothing waits this long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program as a command, with nothing of this process's environment but the search path.
pub(crate) fn countersign<S: AsRef<std::ffi::OsStr>>(
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    /// Opened once: a build that puts another program in its place does not change it half-way.
    static PROGRAM: LazyLock<(File, PathBuf)> = LazyLock::new(|| {
        let path = env!("CARGO_BIN_EXE_countersign");
        let file = File::open(path).unwrap();
        let held = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        let path = if Path::new(&held).exists() { held.into() } else { path.into() };
        (file, path)
    });
    let mut command = Command::new(&PROGRAM.1);
    command.args(arguments);
    isolate(&mut command);
    command
}

/// Takes this process's environment away from a command, but for the search path.
pub(crate) fn isolate(command: &mut Command) {
    command.env_clear().stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
}

/// Runs a command to its end. One that does not end, a broker that should not have started, is
/// killed and fails the test.
#[track_caller]
pub(crate) fn finished(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            let _ = child.kill();
            panic!("it goes on: {}", stderr(&child.wait_with_output().unwrap()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

/// What a finished command printed.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a finished command complained of.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A deployment on disk and its first key.
pub(crate) struct Home {
    folder: TempDir,
    data: PathBuf,
    pub(crate) first: Credentials,
    pub(crate) account: String,
}

impl Home {
    /// Made by `countersign init`.
    pub(crate) fn init() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let made = countersign(["init", "--format", "json", "--data-dir"]).arg(&data).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", stderr(&made));
        let key: Value = serde_json::from_slice(&made.stdout).unwrap();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let first =
            Credentials { id: text("AccessKeyId"), secret: text("SecretAccessKey"), token: None };
        Self::of(folder, &data, first)
    }

    /// A deployment that was made by other means.
    pub(crate) fn of(folder: TempDir, data: &Path, first: Credentials) -> Self {
        let account = countersign::id::AccessKeyId::parse(&first.id).unwrap().account();
        Self { folder, data: data.to_owned(), first, account: account.to_string() }
    }

    /// A folder for whatever a test needs beside the data directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// `countersign serve` on free ports.
    pub(crate) fn serve_command(&self) -> Command {
        let mut command = countersign(["serve", "--log-format", "json", "--data-dir"]);
        command.arg(self.data());
        for listener in ["--listen", "--verify-listen", "--ops-listen"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        command
    }

    /// The audit log, a record a line; a line that a crash cut short is left out.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.data().join("audit.jsonl")).unwrap_or_default();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// A signal, by the name that `kill` knows.
#[derive(Clone, Copy)]
pub(crate) enum Signal {
    Hangup,
    Interrupt,
    Terminate,
}

/// A broker that serves.
pub(crate) struct Broker {
    pub(crate) home: Arc<Home>,
    pub(crate) api: SocketAddr,
    pub(crate) verify: SocketAddr,
    pub(crate) ops: SocketAddr,
    tls: bool,
    process: Process,
    settings: Vec<(String, String)>,
}

impl Broker {
    /// A new deployment, served.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A new deployment, served with these `COUNTERSIGN_*` variables.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::serve(&Arc::new(Home::init()), settings)
    }

    /// Serves a deployment.
    pub(crate) fn serve(home: &Arc<Home>, settings: &[(&str, &str)]) -> Self {
        Self::serve_by(home, settings, home.serve_command())
    }

    /// Serves a deployment by a command of the caller's making.
    pub(crate) fn serve_by(
        home: &Arc<Home>,
        settings: &[(&str, &str)],
        mut command: Command,
    ) -> Self {
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        command.envs(settings.iter().cloned());
        let mut process = Process::spawn(command);
        let said = |name: &str, process: &mut Process| {
            let line = process.listening(name);
            (line["address"].as_str().unwrap().parse().unwrap(), line["tls"] == true)
        };
        let (api, tls) = said("api", &mut process);
        let (verify, _) = said("verify", &mut process);
        let (ops, _) = said("ops", &mut process);
        let broker = Self { home: Arc::clone(home), api, verify, ops, tls, process, settings };
        broker.wait_until_ready();
        broker
    }

    /// Ends it as a power cut would end the process: no handler runs.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Kills it if it still runs, and serves the same deployment again, on other ports.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let settings = std::mem::take(&mut self.settings);
        let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let home = Arc::clone(&self.home);
        *self = Self::serve(&home, &settings);
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.child.try_wait().unwrap().is_none()
    }

    /// Everything it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.log.lock().unwrap().clone()
    }

    /// Waits until it has logged a line that holds this text.
    pub(crate) fn logged(&self, text: &str) {
        eventually(&format!("a log line with {text}"), || self.log().contains(text));
    }

    /// Where the AWS-protocol services are, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.api)
    }

    /// Where downstream services ask, as a URL.
    pub(crate) fn verify_url(&self) -> String {
        format!("{}://{}", self.scheme(), self.verify)
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The first administrator.
    pub(crate) fn admin(&self) -> Caller {
        self.caller(&self.home.first)
    }

    /// Whoever has these credentials.
    pub(crate) fn caller(&self, credentials: &Credentials) -> Caller {
        Caller::new(self.api, credentials.clone())
    }

    /// Makes an account over the admin socket: its ID, and a session of its administrator.
    pub(crate) async fn account(&self, name: &str) -> (String, Caller) {
        let (status, made) = self
            .admin_socket(Method::POST, "/countersign/v1/accounts", &json!({"name": name}))
            .await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let role = made["role_arn"].as_str().unwrap();
        let session = self.admin().assume(role, &[]).await.unwrap();
        (made["account"]["id"].as_str().unwrap().to_owned(), self.caller(&session))
    }

    /// Asks the admin socket.
    pub(crate) async fn admin_socket(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let client = Client::unix(&self.home.data().join("admin.sock"));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = client.request(method, path, HeaderMap::new(), body).await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// Puts a question, as text, to the verify listener.
    pub(crate) async fn ask_text(&self, question: &str) -> (StatusCode, Value) {
        let client = Client::url(&format!("http://{}", self.verify), None, false).unwrap();
        let headers: HeaderMap =
            [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect();
        let body = question.to_owned().into_bytes();
        let answer = client.request(Method::POST, "/v1/verify", headers, body).await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// Puts a question that makes sense to the verify listener.
    pub(crate) async fn ask(&self, question: &Value) -> Value {
        let (status, answer) = self.ask_text(&question.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// The text at a path of the ops listener.
    pub(crate) async fn ops_text(&self, path: &str) -> (StatusCode, String) {
        let client = Client::url(&format!("http://{}", self.ops), None, false).unwrap();
        let answer = client.request(Method::GET, path, HeaderMap::new(), Vec::new()).await.unwrap();
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// A command of the same program, as the administrator, for this broker and its data directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        let mut command = countersign(arguments);
        command
            .env("COUNTERSIGN_DATA_DIR", self.home.data())
            .env("AWS_ENDPOINT_URL", self.url())
            .env("AWS_ACCESS_KEY_ID", &self.home.first.id)
            .env("AWS_SECRET_ACCESS_KEY", &self.home.first.secret);
        command.output().unwrap()
    }

    fn wait_until_ready(&self) {
        let ready = || {
            let Ok(mut stream) = std::net::TcpStream::connect(self.ops) else { return false };
            let asked =
                stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n");
            let mut answer = String::new();
            asked.is_ok()
                && stream.read_to_string(&mut answer).is_ok()
                && answer.starts_with("HTTP/1.1 200")
        };
        eventually("/readyz", ready);
    }
}

impl Drop for Broker {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("the broker's last lines, newest first:\n{}", tail.join("\n"));
        }
    }
}

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process whose log is read; it does not outlive this.
struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    lines: Receiver<String>,
    early: Vec<Value>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let reader = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        let copy = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let mut log = copy.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
                drop(log);
                // Nobody listens once it has started.
                let _ = sender.send(line);
            }
        });
        Self { child, log, lines, early: Vec::new(), reader: Some(reader) }
    }

    /// What the listener of this name says of itself.
    fn listening(&mut self, name: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let said = self
                .early
                .iter()
                .find(|line| line["message"] == "listening" && line["listener"] == name);
            if let Some(line) = said {
                return line.clone();
            }
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.early.extend(serde_json::from_str::<Value>(&line)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    self.kill();
                    panic!("it does not serve: {}", self.log.lock().unwrap());
                }
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Hangup => "HUP",
            Signal::Interrupt => "INT",
            Signal::Terminate => "TERM",
        };
        // The shell's own `kill`: there may be no other.
        let script = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.read_to_the_end();
    }

    /// Of a process that has ended.
    fn read_to_the_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the end of the process", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        self.read_to_the_end();
        status.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
