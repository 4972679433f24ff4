//! AWS's SDKs as clients of the broker: the programs of `tests/sdk`, each with an unmodified SDK that
//! is configured by environment variables and a shared configuration file alone.
//!
//! Each prints one line of what went well, past the capture of the test runner. Where a client's
//! toolchain is not on the machine, the line says so and the test passes.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

use crate::broker::{Broker, isolate, stderr, stdout};
use crate::caller::{Credentials, allow, policy, trust, trust_if};
use crate::fault_proxy::FaultProxy;
use crate::python;

/// Seconds that the broker's clock is ahead of the client's for the last step, and what it says.
const SKEWS: [(&str, &str); 2] =
    [("1200", "Signature expired"), ("-1200", "Signature not yet current")];

/// Makes a program in a folder. Tells how to start it, or what is missing.
pub(crate) type Make = fn(&Path) -> Result<Vec<OsString>, String>;

/// A client: how its program is made, and what it does when the clocks differ.
struct Client {
    name: &'static str,
    make: Make,
    /// What it must be told besides AWS_ENDPOINT_URL, so that its profiles ask the broker for roles.
    also: Option<&'static str>,
    /// Whether it sets its clock by the `Date` of a refusal and asks again.
    corrects_its_clock: bool,
}

#[test]
fn javascript() {
    Client::new("javascript", make_javascript).that_corrects_its_clock().test();
}

#[test]
fn go() {
    let mut client = Client::new("go", make_go).that_corrects_its_clock();
    // It resolves AWS_ENDPOINT_URL after the credentials of a profile.
    client.also = Some("AWS_ENDPOINT_URL_STS");
    client.test();
}

#[test]
fn java() {
    Client::new("java", make_java).that_corrects_its_clock().test();
}

#[test]
fn rust() {
    Client::new("rust", make_rust).that_corrects_its_clock().test();
}

#[test]
fn boto3() {
    Client::new("boto3", |_| Ok(make_python("boto3"))).test();
}

#[test]
fn aws_cli() {
    Client::new("aws-cli", |_| Ok(make_python("aws-cli"))).test();
}

/// Makes a client's program in its folder, one process at a time; `None`, and a line that says so,
/// where its toolchain is missing.
pub(crate) fn program(name: &str, make: Make) -> Option<Vec<OsString>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-{name}"));
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.with_file_name("sdks.lock")).unwrap();
    lock.lock().unwrap();
    make(&folder)
        .inspect_err(|missing| {
            let line = format!("{name} with a web identity: skipped: {missing}\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        })
        .ok()
}

impl Client {
    fn new(name: &'static str, make: Make) -> Self {
        Self { name, make, also: None, corrects_its_clock: false }
    }

    fn that_corrects_its_clock(mut self) -> Self {
        self.corrects_its_clock = true;
        self
    }

    fn test(&self) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-{}", self.name));
        fs::create_dir_all(&folder).unwrap();
        // One after the other, of whatever process: installing and building wants the whole machine.
        let lock = File::create(folder.with_file_name("sdks.lock")).unwrap();
        lock.lock().unwrap();
        match (self.make)(&folder) {
            Ok(program) => self.say(&Run::new(self, program).whole()),
            Err(missing) => self.say(&format!(": skipped: {missing}")),
        }
    }

    /// Prints a line that the test runner does not keep to itself.
    fn say(&self, what: &str) {
        std::io::stderr().write_all(format!("{}{what}\n", self.name).as_bytes()).unwrap();
    }
}

/// A client's program, and a deployment for it.
struct Run<'c> {
    client: &'c Client,
    program: Vec<OsString>,
    broker: Broker,
    user: Credentials,
    config: PathBuf,
}

impl<'c> Run<'c> {
    fn new(client: &'c Client, program: Vec<OsString>) -> Self {
        let broker = Broker::start();
        let user = tokio::runtime::Runtime::new().unwrap().block_on(prepare(&broker));
        let config = broker.home.folder().join("config");
        let account = &broker.home.account;
        let profiles = format!(
            "[profile first]\nsource_profile = base\nexternal_id = x:7\nrole_session_name = one\n\
             role_arn = arn:aws:iam::{account}:role/first\n\
             [profile second]\nsource_profile = first\nrole_session_name = two\n\
             role_arn = arn:aws:iam::{account}:role/second\n"
        );
        fs::write(&config, profiles).unwrap();
        let keys = format!(
            "[base]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            user.id, user.secret
        );
        fs::write(config.with_file_name("credentials"), keys).unwrap();
        Self { client, program, broker, user, config }
    }

    /// Every step. Returns the rest of the client's line.
    fn whole(self) -> String {
        let (name, proxy) = (self.client.name, FaultProxy::start(self.broker.api));
        let told = self.steps(&proxy, &["keys", "sessions", "errors", "iam", "retries"]);
        let refusals = proxy.refusals().to_string();
        assert_eq!(value(&told, "refusals"), refusals, "{name}: a refused call was made again");
        assert_eq!(proxy.asked("Action=GetServerCertificate"), 1, "{name}");
        assert_eq!(proxy.asked("RoleSessionName=unavailable"), 3, "{name}");

        let chained = FaultProxy::start(self.broker.api);
        self.steps(&chained, &["chain"]);
        assert_eq!(chained.asked("Action=AssumeRole"), 2, "{name}");
        assert_eq!(chained.refusals(), 0, "{name}");

        let version = value(&told, "version").to_owned();
        let skew = self.skew();
        format!(
            " v{version}: keys ok, chain ok, sessions ok, errors ok, iam ok, retries ok, skew {skew}"
        )
    }

    /// Serves the deployment anew with a clock that differs. Tells what came of it.
    fn skew(mut self) -> &'static str {
        let Some(shim) = clock_shim() else { return "skipped (no C compiler)" };
        let name = self.client.name;
        for (seconds, words) in SKEWS {
            self.broker.kill();
            let mut command = self.broker.home.serve_command();
            command.env("LD_PRELOAD", &shim).env("CLOCK_OFFSET", seconds);
            self.broker = Broker::serve_by(&Arc::clone(&self.broker.home), &[], command);
            let asked = async { self.broker.admin().whoami().await };
            if tokio::runtime::Runtime::new().unwrap().block_on(asked).status.is_success() {
                return "skipped (the broker's clock cannot be moved here)";
            }
            let proxy = FaultProxy::start(self.broker.api);
            let told = self.steps(&proxy, &["skew"]);
            let clock = value(&told, "clock");
            let asked = (proxy.asked("Action=GetCallerIdentity"), proxy.refusals());
            if self.client.corrects_its_clock {
                assert_eq!(clock, "corrected", "{name}");
                // One refusal, and the same again by the right clock.
                assert_eq!(asked, (2, 1), "{name}");
            } else {
                let expected = format!("refused SignatureDoesNotMatch: {words}: ");
                assert!(clock.starts_with(&expected), "{name}: {clock}");
                assert_eq!(asked, (1, 1), "{name}: it was asked again");
            }
        }
        if self.client.corrects_its_clock { "ok (corrected)" } else { "ok (refused)" }
    }

    /// Runs steps in one process; all must go well. Returns what it printed.
    fn steps(&self, proxy: &FaultProxy, steps: &[&str]) -> String {
        let mut command = Command::new(&self.program[0]);
        isolate(&mut command);
        command
            .args(&self.program[1..])
            .args(steps)
            .env("HOME", "/nonexistent")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", &self.config)
            .env("AWS_SHARED_CREDENTIALS_FILE", self.config.with_file_name("credentials"))
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("AWS_ENDPOINT_URL", proxy.url())
            .env("COUNTERSIGN_ACCOUNT", &self.broker.home.account);
        if steps == ["chain"] {
            command.env("AWS_PROFILE", "second").envs(self.client.also.map(|n| (n, proxy.url())));
        } else {
            python::with_key(&mut command, &self.user);
        }
        let output = command.output().unwrap();
        let told = stdout(&output);
        let name = self.client.name;
        assert!(output.status.success(), "{name}: after\n{told}{}", stderr(&output));
        for step in steps {
            assert!(told.lines().any(|line| line == format!("ok {step}")), "{name}: {told}");
        }
        told
    }
}

/// A user, two roles in a chain, and one that wants an ExternalId and allows whatever there is.
async fn prepare(broker: &Broker) -> Credentials {
    let admin = broker.admin();
    let any = allow("*", "*");
    let user = admin.make_user("sdk", &any).await;
    let arn = format!("arn:aws:iam::{}:user/sdk", broker.home.account);
    let named = serde_json::json!({ "StringEquals": { "sts:ExternalId": "x:7" } });
    let first = admin.make_role("first", &trust_if(&arn, &named), &any).await;
    admin.make_role("second", &trust(&first), &any).await;
    let tagging = policy(&serde_json::json!({
        "Effect": "Allow",
        "Principal": { "AWS": arn },
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": named,
    }));
    admin.make_role("partner", &tagging, &any).await;
    user
}

/// The value of a line that begins with a name.
fn value<'t>(told: &'t str, name: &str) -> &'t str {
    let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {told}"))
}

/// A library that moves the clock of whatever loads it; none without a C compiler.
fn clock_shim() -> Option<PathBuf> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    SHIM.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clock.so");
        version("cc", "--version").ok()?;
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&path).arg(sources("clock.c"));
        done(&mut command);
        Some(path)
    })
    .clone()
}

/// A file or folder of `tests/sdk`.
pub(crate) fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(name)
}

pub(crate) fn make_javascript(folder: &Path) -> Result<Vec<OsString>, String> {
    at_least("node", "--version", &[20])?;
    version("npm", "--version")?;
    let from = sources("javascript");
    for name in ["package.json", "package-lock.json", "client.mjs"] {
        fs::copy(from.join(name), folder.join(name)).unwrap();
    }
    unless_made(folder, &[from.join("package-lock.json")], || {
        let mut command = Command::new("npm");
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        done(&mut command);
    });
    Ok(vec!["node".into(), folder.join("client.mjs").into()])
}

/// The folder with the modules of the JavaScript client, installed first if need be; none where its
/// toolchain is missing.
pub(crate) fn javascript_modules() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk-javascript");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.with_file_name("sdks.lock")).unwrap();
    lock.lock().unwrap();
    make_javascript(&folder).ok().map(|_| folder)
}

pub(crate) fn make_go(folder: &Path) -> Result<Vec<OsString>, String> {
    at_least("go", "version", &[1, 24])?;
    let program = folder.join("client");
    let mut command = Command::new("go");
    command
        .args(["build", "-modcacherw", "-o"])
        .arg(&program)
        .current_dir(sources("go"))
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "")
        .env("CGO_ENABLED", "0")
        .env("GOMODCACHE", folder.join("mod"))
        .env("GOCACHE", folder.join("cache"));
    done(&mut command);
    Ok(vec![program.into()])
}

fn make_java(folder: &Path) -> Result<Vec<OsString>, String> {
    at_least("javac", "-version", &[17])?;
    version("java", "-version")?;
    version("mvn", "--version")?;
    let (from, build) = (sources("java"), folder.join("build"));
    let setting = |name: &str, path: &Path| format!("-D{name}={}", path.display());
    unless_made(folder, &[from.join("pom.xml"), from.join("src/main/java/Client.java")], || {
        let mut command = Command::new("mvn");
        command
            .args(["--quiet", "--batch-mode", "--file"])
            .arg(from.join("pom.xml"))
            .arg(setting("maven.repo.local", &folder.join("repository")))
            .arg(setting("build.folder", &build))
            .args(["compile", "dependency:build-classpath"]);
        done(&mut command);
    });
    let packages = fs::read_to_string(build.join("classpath")).unwrap();
    let classpath = format!("{}:{}", build.join("classes").display(), packages.trim());
    // It runs for seconds: compiling it well does not pay.
    let start = ["java", "-XX:TieredStopAtLevel=1", "-cp", &classpath, "Client"];
    Ok(start.map(OsString::from).into())
}

fn make_rust(folder: &Path) -> Result<Vec<OsString>, String> {
    at_least("rustc", "--version", &[1, 94, 1])?;
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet", "--locked", "--target-dir"])
        .arg(folder)
        .current_dir(sources("rust"))
        .env_remove("CARGO_BUILD_TARGET");
    done(&mut command);
    Ok(vec![folder.join("debug/client").into()])
}

/// A Python is what the other tests need, too: without one this fails.
fn make_python(client: &str) -> Vec<OsString> {
    let script = sources("python/client.py");
    vec![python::python().into(), "-B".into(), script.into(), client.into()]
}

/// Makes something in a folder unless that was done from the same files before.
pub(crate) fn unless_made(folder: &Path, from: &[PathBuf], make: impl FnOnce()) {
    let made_from: String = from.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let stamp = folder.join("made-from");
    if fs::read_to_string(&stamp).is_ok_and(|before| before == made_from) {
        return;
    }
    make();
    fs::write(stamp, made_from).unwrap();
}

/// Runs a command of a toolchain, with the environment that the machine's owner set up for it.
#[track_caller]
pub(crate) fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}:\n{}{}", stdout(&output), stderr(&output));
    output
}

/// What a tool says of its version, or that it is not there.
pub(crate) fn version(tool: &str, argument: &str) -> Result<String, String> {
    let output = Command::new(OsStr::new(tool)).arg(argument).output();
    match output {
        Ok(output) if output.status.success() => Ok(stdout(&output) + &stderr(&output)),
        _ => Err(format!("no {tool} on this machine")),
    }
}

/// The tool must be there, and of this version or newer.
pub(crate) fn at_least(tool: &str, argument: &str, wanted: &[u32]) -> Result<(), String> {
    let told = version(tool, argument)?;
    let numbers = told.split(|letter: char| !letter.is_ascii_digit());
    let found: Vec<u32> = numbers.filter_map(|digits| digits.parse().ok()).collect();
    if found.as_slice() < wanted {
        let wanted: Vec<_> = wanted.iter().map(u32::to_string).collect();
        return Err(format!("{tool} is older than {} on this machine", wanted.join(".")));
    }
    Ok(())
}
