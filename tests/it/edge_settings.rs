//! Settings: precedence and every kind of mistake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign::settings::{Inputs, Settings};

struct Case {
    folder: tempfile::TempDir,
    inputs: Inputs,
}

impl Case {
    fn new(
        file: Option<&str>,
        environment: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut flags: BTreeMap<_, _> =
            flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let config = file.map(|text| {
            let path = folder.path().join("given.toml");
            std::fs::write(&path, text).unwrap();
            path
        });
        if config.is_none() {
            flags.entry("data_dir").or_insert_with(|| folder.path().display().to_string());
        }
        let environment =
            environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { folder, inputs: Inputs { config, flags, environment } }
    }

    fn errors(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let text = Settings::load(&self.inputs).err().unwrap().to_string();
        text.lines().map(|line| line.replace(&folder, "")).collect()
    }
}

#[test]
fn flags_over_variables_over_file_over_default() {
    let file = "[sessions]\nconfirm_every = \"10s\"\n";
    let variable = ("COUNTERSIGN_SESSIONS_CONFIRM_EVERY", "20s");
    let flag = ("sessions.confirm_every", "30s");
    for (file, variables, flags, seconds) in [
        (None, &[][..], &[][..], 60),
        (Some(file), &[], &[], 10),
        (None, &[variable], &[], 20),
        (None, &[], &[flag], 30),
        (Some(file), &[variable], &[], 20),
        (Some(file), &[], &[flag], 30),
        (None, &[variable], &[flag], 30),
        (Some(file), &[variable], &[flag], 30),
    ] {
        let settings = Settings::load(&Case::new(file, variables, flags).inputs).unwrap();
        assert_eq!(settings.sessions.confirm_every, Duration::from_secs(seconds));
        assert_eq!(settings.sessions.max_staleness, Duration::from_mins(5));
    }
}

#[test]
fn every_type_is_read_from_file_and_variable() {
    let file = "listen = '[::1]:1'\ndata_dir = 'd'\ninsecure_plaintext = true\nlog = 'debug'\n\
        log_format = 'json'\nregion = 'eu-central-1'\n[limits]\nconnections = 0x10\nidle_timeout = '1500ms'\n\
        [tls]\ncertificate = 'c'\n";
    let variables = &[
        ("COUNTERSIGN_LISTEN", "[::1]:1"),
        ("COUNTERSIGN_DATA_DIR", "d"),
        ("COUNTERSIGN_INSECURE_PLAINTEXT", "true"),
        ("COUNTERSIGN_LOG", "debug"),
        ("COUNTERSIGN_LOG_FORMAT", "json"),
        ("COUNTERSIGN_REGION", "eu-central-1"),
        ("COUNTERSIGN_LIMITS_CONNECTIONS", "16"),
        ("COUNTERSIGN_LIMITS_IDLE_TIMEOUT", "1500ms"),
        ("COUNTERSIGN_TLS_CERTIFICATE", "c"),
    ];
    for case in [Case::new(Some(file), &[], &[]), Case::new(Some(""), variables, &[])] {
        let settings = Settings::load(&case.inputs).unwrap();
        assert_eq!(settings.http.listen, "[::1]:1".parse().unwrap());
        assert_eq!(settings.store.data_dir, PathBuf::from("d"));
        assert!(settings.http.insecure_plaintext);
        assert_eq!(settings.telemetry.log, countersign::telemetry::Level::Debug);
        assert_eq!(settings.telemetry.log_format, Some(countersign::telemetry::Format::Json));
        assert_eq!(settings.region.region.as_str(), "eu-central-1");
        assert_eq!(settings.limits.connections, 16);
        assert_eq!(settings.limits.idle_timeout, Duration::from_millis(1500));
        assert_eq!(settings.tls.certificate.as_deref(), Some(Path::new("c")));
        assert_eq!(settings.tls.key, None);
    }
}

#[test]
fn every_mistake_has_its_line() {
    let secret = "wJalrXUtnFEMI";
    let file = format!(
        "listn = '127.0.0.1:1'\nlisten = '{secret}'\nlog = '{secret}'\nconfirm_every = '1s'\n\
         [sesions]\na = 1\n[sessions]\nconfirm-every = '1s'\nmax_staleness = 5\n\
         [limits]\nbody_bytes = -1\nrequests = '{secret}'\nidle_timeout = '{secret}'\n\
         [limits.connections]\na = 1\n[unheard.of]\nb = '{secret}'\n"
    );
    let case = Case::new(
        Some(&file),
        &[
            ("COUNTERSIGN_LISTENN", secret),
            ("COUNTERSIGN_TLS", secret),
            ("COUNTERSIGN_AUDIT_SYNCED", secret),
            ("COUNTERSIGN_BOOTSTRAP_ANYTHING", secret),
            ("OTHER_LISTENN", secret),
        ],
        &[("limits.header_timeout", secret)],
    );
    let mut errors = case.errors();
    errors.sort();
    let mut expected = [
        "COUNTERSIGN_AUDIT_SYNCED: `audit.synced` takes true or false",
        "COUNTERSIGN_LISTENN: unknown variable `COUNTERSIGN_LISTENN`; did you mean `COUNTERSIGN_LISTEN`?",
        "COUNTERSIGN_TLS: unknown variable `COUNTERSIGN_TLS`",
        "--limits-header-timeout: `limits.header_timeout` takes a duration such as \"60s\" or \"5m\"",
        "given.toml:1: unknown key `listn`; did you mean `listen`?",
        "given.toml:2: `listen` takes an IP address and a port such as 127.0.0.1:8350",
        "given.toml:3: `log` takes one of off, error, warn, info, debug, trace",
        "given.toml:4: unknown key `confirm_every`; did you mean `sessions.confirm_every`?",
        "given.toml:5: unknown key `sesions`; did you mean `sessions`?",
        "given.toml:8: unknown key `sessions.confirm-every`; did you mean `sessions.confirm_every`?",
        "given.toml:9: `sessions.max_staleness` takes a duration such as \"60s\" or \"5m\"",
        "given.toml:11: `limits.body_bytes` takes a whole number from 0 up",
        "given.toml:12: `limits.requests` takes a whole number from 0 up",
        "given.toml:13: `limits.idle_timeout` takes a duration such as \"60s\" or \"5m\"",
        "given.toml:14: `limits.connections` takes a value, not a table",
        "given.toml:16: unknown key `unheard`",
    ];
    expected.sort_unstable();
    assert_eq!(errors, expected);
}

#[test]
fn a_file_that_was_named_must_be_there_and_be_toml() {
    let mut case = Case::new(Some("listen = \n"), &[], &[]);
    let errors = case.errors();
    assert!(errors[0].starts_with("given.toml:1: "), "{errors:?}");
    case.inputs.config = Some(case.folder.path().join("absent.toml"));
    assert_eq!(case.errors(), ["absent.toml: cannot read the settings: there is no such file"]);
    case.inputs.config = None;
    case.inputs.environment =
        vec![("COUNTERSIGN_CONFIG".into(), case.folder.path().join("absent.toml").into())];
    assert_eq!(case.errors(), ["absent.toml: cannot read the settings: there is no such file"]);
}

#[test]
fn the_data_folders_file_is_read_when_it_is_there() {
    let mut case = Case::new(None, &[], &[]);
    assert_eq!(Settings::load(&case.inputs).unwrap().file, None);
    let file = case.folder.path().join("countersign.toml");
    std::fs::write(&file, "listen = '127.0.0.1:7'").unwrap();
    let settings = Settings::load(&case.inputs).unwrap();
    assert_eq!((settings.file, settings.http.listen.port()), (Some(file.clone()), 7));

    // By variable instead of flag; and a file found there cannot move the folder.
    let folder = case.inputs.flags.remove("data_dir").unwrap();
    case.inputs.environment = vec![("COUNTERSIGN_DATA_DIR".into(), folder.into())];
    assert_eq!(Settings::load(&case.inputs).unwrap().http.listen.port(), 7);
}

#[test]
fn every_key_has_one_variable() {
    let mut variables: Vec<_> =
        Settings::keys().iter().map(|key| key.replace('.', "_").to_uppercase()).collect();
    let count = variables.len();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), count);
    assert!(count > 15 && Settings::keys().contains(&"sessions.confirm_every".to_owned()));
}
