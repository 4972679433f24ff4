//! `countersign init`, and the data directories that `serve` refuses.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::broker::{Broker, Home, countersign, finished, isolate, stderr, stdout};
use crate::caller::Credentials;

const ID: &str = "COUNTERSIGN_BOOTSTRAP_ACCESS_KEY_ID";
const SECRET: &str = "COUNTERSIGN_BOOTSTRAP_SECRET_ACCESS_KEY";
const ACCOUNT: &str = "COUNTERSIGN_BOOTSTRAP_ACCOUNT_ID";

/// A folder for a data directory that is not made yet.
fn empty() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (folder, data)
}

fn init(data: &Path, format: &str, variables: &[(&str, &str)]) -> Output {
    countersign(["init", "--format", format, "--data-dir"])
        .arg(data)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[track_caller]
fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

/// A refusal: one line on standard error, nothing on standard output, exit code 1.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert_eq!(stdout(output), "");
    let complaint = stderr(output);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("countersign: "), "{complaint}");
    complaint
}

/// Every file below a folder with its bytes and mode.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.insert(path.clone(), (mode, std::fs::read(&path).unwrap()));
        }
    }
    all
}

/// A fitting set of variables, as `--print-bootstrap` makes it.
fn print_bootstrap(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut command = countersign(["init", "--print-bootstrap"]);
    let made = good(&command.envs(variables.iter().copied()).output().unwrap());
    let lines = made.lines().map(|line| line.split_once('=').unwrap());
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Serves a data directory and asks who the first key belongs to.
async fn caller_arn(data: &Path, folder: TempDir, id: &str, secret: &str) -> String {
    let first = Credentials { id: id.into(), secret: secret.into(), token: None };
    let broker = Broker::serve(&Arc::new(Home::of(folder, data, first)), &[]);
    broker.admin().whoami().await.ok().text("Arn").unwrap()
}

#[test]
fn the_text_tells_the_key() {
    let (_folder, data) = empty();
    let told = good(&init(&data, "text", &[]));
    let names: Vec<_> = told.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(names, ["Account", "User", "Access key ID", "Secret access key"], "{told}");
}

#[test]
fn the_json_is_that_of_a_credential_process() {
    let (_folder, data) = empty();
    let told: Value = serde_json::from_str(&good(&init(&data, "json", &[]))).unwrap();
    assert_eq!(told["Version"], 1);
    let keys: Vec<_> = told.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["AccessKeyId", "SecretAccessKey", "Version"]);
}

#[test]
fn the_env_format_is_two_lines_that_a_shell_reads() {
    let id = print_bootstrap(&[])[ID].clone();
    for secret in [
        "plain0123456789abcdefghijklmnop",
        "it's$(touch${IFS}pwned)`id`\"&;|<>*?~#!\\",
        "-n%s\\n{a,b}[c]=x'y'z'0123456789",
    ] {
        let (folder, data) = empty();
        let told = good(&init(&data, "env", &[(ID, &id), (SECRET, secret)]));
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.ends_with('\n') && !told.contains("export"), "{told}");

        let script =
            "eval \"$ENV\"; printf '%s\\n' \"$AWS_ACCESS_KEY_ID\" \"$AWS_SECRET_ACCESS_KEY\"";
        let mut shell = Command::new("sh");
        isolate(&mut shell);
        shell.args(["-euc", script]).env("ENV", &told).current_dir(folder.path());
        assert_eq!(good(&shell.output().unwrap()), format!("{id}\n{secret}\n"));
        let made: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(made.len(), 1, "the shell ran a part of the secret");
    }
}

/// The help's own example, run in a shell: what it sets reaches a program that is started there.
#[test]
fn the_example_in_the_help_works() {
    let help = good(&countersign(["init", "--help"]).output().unwrap());
    let example = help.lines().map(str::trim).find(|line| line.contains("--format env"));
    let example = example.unwrap().replace("countersign init", "\"$@\" init");
    let script = format!("{example}\nsh -c 'echo $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY'");
    let (folder, _) = empty();
    let mut shell = Command::new("sh");
    isolate(&mut shell);
    let program = countersign([""; 0]).get_program().to_owned();
    shell.args(["-euc", &script, "sh"]).arg(program).current_dir(folder.path());
    let told = good(&shell.output().unwrap());
    let words: Vec<_> = told.split_whitespace().collect();
    assert!(matches!(words[..], [id, secret] if id.len() == 20 && secret.len() == 40), "{told}");
}

#[test]
fn a_second_init_changes_nothing_and_says_so() {
    let (folder, data) = empty();
    good(&init(&data, "text", &[]));
    let before = contents(folder.path());
    let other = print_bootstrap(&[]);
    let variables: Vec<_> = other.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    for (format, variables) in [("text", &[][..]), ("env", &[]), ("json", &variables)] {
        let again = init(&data, format, variables);
        assert_eq!(good(&again), "", "{format}");
        assert!(stderr(&again).contains("nothing was changed"), "{}", stderr(&again));
    }
    assert!(contents(folder.path()) == before, "a file changed");
}

#[tokio::test]
async fn the_key_may_come_from_the_environment() {
    let fitting = print_bootstrap(&[(ACCOUNT, "123456789012")]);
    assert_eq!(fitting[ACCOUNT], "123456789012");
    let (folder, data) = empty();
    let variables: Vec<_> = fitting.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    good(&init(&data, "text", &variables));
    let arn = caller_arn(&data, folder, &fitting[ID], &fitting[SECRET]).await;
    assert_eq!(arn, "arn:aws:iam::123456789012:user/admin");
}

#[tokio::test]
async fn the_key_may_come_from_files() {
    let fitting = print_bootstrap(&[]);
    let (folder, data) = empty();
    let mut command = countersign(["init", "--data-dir"]);
    command.arg(&data);
    for (name, value) in &fitting {
        let file = folder.path().join(name);
        std::fs::write(&file, format!("{value}\n")).unwrap();
        command.env(format!("{name}_FILE"), file);
    }
    good(&command.output().unwrap());
    let arn = caller_arn(&data, folder, &fitting[ID], &fitting[SECRET]).await;
    assert_eq!(arn, format!("arn:aws:iam::{}:user/admin", fitting[ACCOUNT]));
}

#[test]
fn keys_that_make_no_sense_are_refused_before_anything_is_made() {
    let fitting = print_bootstrap(&[]);
    let (id, secret) = (fitting[ID].as_str(), fitting[SECRET].as_str());
    let session = id.replacen("AKIA", "ASIA", 1);
    let (folder, data) = empty();
    let file = folder.path().join("secret");
    std::fs::write(&file, secret).unwrap();
    let (file, absent) = (file.to_str().unwrap(), "/nowhere/to/be/found");
    let secret_file = &format!("{SECRET}_FILE");
    for (variables, expected) in [
        (&[(ACCOUNT, "000000000042"), (ID, id), (SECRET, secret)][..], "--print-bootstrap"),
        (&[(ACCOUNT, "42")], "12 digits"),
        (&[(ID, "AKIAIOSFODNN7EXAMPLE"), (SECRET, secret)], "documentation"),
        (&[(ID, id), (SECRET, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")], "documentation"),
        (&[(ID, id)], "is not set"),
        (&[(SECRET, secret)], "is not set"),
        (&[(ID, &session), (SECRET, secret)], "AKIA"),
        (&[(ID, "AKIA"), (SECRET, secret)], ID),
        (&[(ID, id), (SECRET, "short")], SECRET),
        (&[(ID, id), (SECRET, "with a space and long enough")], SECRET),
        (&[(ID, id), (SECRET, secret), (secret_file, file)], "both set"),
        (&[(ID, id), (secret_file, absent)], absent),
    ] {
        let complaint = refused(&init(&data, "text", variables));
        assert!(complaint.contains(expected), "{expected}: {complaint}");
        assert!(!complaint.contains(secret), "{complaint}");
        assert!(!data.exists());
    }
}

#[test]
fn everything_is_its_owners_alone() {
    let (_folder, data) = empty();
    // Even where the process may make files for everybody.
    let mut shell = Command::new("sh");
    isolate(&mut shell);
    let program = countersign([""; 0]).get_program().to_owned();
    shell.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(program);
    good(&shell.args(["init", "--data-dir"]).arg(&data).output().unwrap());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for (path, (mode, _)) in contents(&data) {
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn what_a_broker_makes_is_its_owners_alone() {
    let home = Arc::new(Home::init());
    let serve = home.serve_command();
    let mut shell = Command::new("sh");
    isolate(&mut shell);
    shell.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(serve.get_program());
    shell.args(serve.get_args());
    let _broker = Broker::serve_by(&home, &[], shell);
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(home.data()).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        assert!(metadata.is_file() || metadata.file_type().is_socket());
        seen.push(entry.file_name().into_string().unwrap());
    }
    seen.sort();
    let expected = ["admin.sock", "audit.jsonl", "directory.redb", "keyring.json", "sessions.redb"];
    assert_eq!(seen, expected);
}

/// `serve` on a data directory that it must refuse: its complaint.
#[track_caller]
fn serve_refuses(home: &Home) -> String {
    refused(&finished(home.serve_command()))
}

#[test]
fn museum_m60_no_keyring_no_start() {
    let home = Home::init();
    let keyring = home.data().join("keyring.json");
    let aside = home.folder().join("keyring.json");
    std::fs::rename(&keyring, &aside).unwrap();
    // Neither does init make one for a directory that it does not fit.
    for complaint in [serve_refuses(&home), refused(&init(&home.data(), "text", &[]))] {
        assert!(complaint.contains("put the keyring back"), "{complaint}");
        assert!(!keyring.exists(), "a keyring was made up");
    }

    let nowhere = finished(countersign(["serve", "--data-dir", "/nowhere"]));
    assert!(refused(&nowhere).contains("init"));
}

#[test]
fn an_exposed_keyring_is_refused() {
    let home = Home::init();
    let keyring = home.data().join("keyring.json");
    for mode in [0o640, 0o604, 0o644, 0o660] {
        std::fs::set_permissions(&keyring, PermissionsExt::from_mode(mode)).unwrap();
        let complaint = serve_refuses(&home);
        assert!(complaint.contains("chmod 600"), "{mode:o}: {complaint}");
    }
}

#[test]
fn a_keyring_of_another_deployment_or_version_is_refused() {
    let home = Home::init();
    let keyring = home.data().join("keyring.json");
    let own = std::fs::read_to_string(&keyring).unwrap();
    let other = std::fs::read_to_string(Home::init().data().join("keyring.json")).unwrap();
    let newer = own.replace("\"version\": 1", "\"version\": 2");
    let half = &own[..own.len() / 2];
    for (text, expected) in [
        (other.as_str(), "another deployment"),
        (&newer, "format version 2"),
        (half, "damaged"),
        ("", "damaged"),
        ("{}", "damaged"),
    ] {
        std::fs::write(&keyring, text).unwrap();
        let complaint = serve_refuses(&home);
        assert!(complaint.contains(expected), "{expected}: {complaint}");
    }
    std::fs::write(&keyring, own).unwrap();
    Broker::serve(&Arc::new(home), &[]);
}

#[test]
fn stores_of_another_deployment_or_version_are_refused() {
    const META: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("meta");
    let home = Arc::new(Home::init());
    drop(Broker::serve(&home, &[]));
    let other = Arc::new(Home::init());
    drop(Broker::serve(&other, &[]));
    for file in ["directory.redb", "sessions.redb"] {
        let path = home.data().join(file);
        let own = std::fs::read(&path).unwrap();

        std::fs::copy(other.data().join(file), &path).unwrap();
        let complaint = serve_refuses(&home);
        assert!(complaint.contains("another deployment"), "{file}: {complaint}");

        std::fs::write(&path, &own).unwrap();
        let database = redb::Database::open(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(META).unwrap().insert("format", "99").unwrap();
        write.commit().unwrap();
        drop(database);
        let complaint = serve_refuses(&home);
        assert!(complaint.contains("format version 99"), "{file}: {complaint}");

        std::fs::write(&path, b"not a database at all").unwrap();
        serve_refuses(&home);

        std::fs::write(&path, own).unwrap();
    }
    Broker::serve(&home, &[]);
}

#[test]
fn a_second_broker_does_not_start_on_the_same_data() {
    let broker = Broker::start();
    let complaint = serve_refuses(&broker.home);
    assert!(complaint.contains("in use by another process"), "{complaint}");
    assert!(broker.home.data().join("admin.sock").exists());
}

/// A crash between the keyring and the directory leaves the first alone; init goes on from there.
#[test]
fn an_interrupted_init_is_taken_up() {
    let (_folder, data) = empty();
    good(&init(&data, "text", &[]));
    let keyring = std::fs::read(data.join("keyring.json")).unwrap();
    std::fs::remove_file(data.join("directory.redb")).unwrap();
    std::fs::write(data.join("directory.redb.partial"), b"half").unwrap();
    std::fs::write(data.join("keyring.partial"), b"half").unwrap();
    let told = good(&init(&data, "text", &[]));
    assert!(told.contains("Secret access key"), "{told}");
    assert_eq!(std::fs::read(data.join("keyring.json")).unwrap(), keyring);
}

#[test]
fn a_secret_that_was_brought_is_not_repeated() {
    let (_folder, data) = empty();
    let brought = print_bootstrap(&[]);
    let variables: Vec<_> = brought.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let told = good(&init(&data, "text", &variables));
    assert!(told.contains(&brought[ID]) && !told.contains(&brought[SECRET]), "{told}");
}
