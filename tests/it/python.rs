//! AWS's own clients: the CLI and scripts with boto3, from the virtual environment of `tests/sdk`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::broker::{Broker, isolate, stderr, stdout};
use crate::caller::Credentials;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/python")
}

/// A script of `tests/sdk/python`.
pub(crate) fn script(name: &str) -> PathBuf {
    folder().join(name)
}

/// The interpreter that has the clients; they are installed first if need be.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let made =
            Command::new(folder().join("venv")).arg(env!("CARGO_TARGET_TMPDIR")).output().unwrap();
        assert!(made.status.success(), "no Python for the SDK tests:\n{}", stderr(&made));
        stdout(&made).trim_end().into()
    })
}

/// Python, with nothing of this process's environment, told where a broker is.
pub(crate) fn client(url: &str) -> Command {
    let mut command = Command::new(python());
    isolate(&mut command);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", "/nonexistent")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("AWS_PAGER", "")
        .env("AWS_ENDPOINT_URL", url);
    command
}

/// Gives a command an access key.
pub(crate) fn with_key<'c>(command: &'c mut Command, key: &Credentials) -> &'c mut Command {
    command.env("AWS_ACCESS_KEY_ID", &key.id).env("AWS_SECRET_ACCESS_KEY", &key.secret);
    match &key.token {
        Some(token) => command.env("AWS_SESSION_TOKEN", token),
        None => command.env_remove("AWS_SESSION_TOKEN"),
    }
}

/// A command of the AWS CLI, its words separated by blanks; `more` are words that hold blanks.
pub(crate) fn aws(url: &str, key: Option<&Credentials>, words: &str, more: &[&str]) -> Command {
    let mut command = client(url);
    if let Some(key) = key {
        with_key(&mut command, key);
    }
    command.args(["-m", "awscli"]).args(words.split_whitespace()).args(more);
    command
}

/// Runs a script of `tests/sdk/python` as the administrator of a broker; it must succeed. Returns
/// what it printed.
pub(crate) fn run_script(broker: &Broker, name: &str, variables: &[(&str, &str)]) -> String {
    run_script_with(broker, name, variables, &[])
}

/// The same, with arguments.
pub(crate) fn run_script_with(
    broker: &Broker,
    name: &str,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> String {
    let mut command = client(&broker.url());
    let output = with_key(&mut command, &broker.home.first)
        .env("COUNTERSIGN_VERIFY_URL", broker.verify_url())
        .env("PYTHONUNBUFFERED", "1")
        .envs(variables.iter().copied())
        .arg(folder().join(name))
        .args(arguments)
        .output()
        .unwrap();
    let told = stdout(&output);
    assert!(output.status.success(), "{told}{}", stderr(&output));
    told
}

/// What a command printed; it must have succeeded.
#[track_caller]
pub(crate) fn done(mut command: Command) -> String {
    let output: Output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    stdout(&output).trim_end().to_owned()
}

/// What a command complained of; it must have failed with this error code.
#[track_caller]
pub(crate) fn refused(mut command: Command, code: &str) -> String {
    let output = command.output().unwrap();
    let complaint = stderr(&output);
    assert!(!output.status.success(), "{}", stdout(&output));
    assert!(complaint.contains(&format!("({code})")), "{code}: {complaint}");
    complaint.trim().to_owned()
}
