//! Settings: flags over `COUNTERSIGN_*` variables over `countersign.toml` over defaults.
//!
//! # Model
//!
//! Each module owns a plain struct (`Deserialize` and `Default`, flat, unknown fields denied);
//! `sections!` below lists them with the table each stands in. The list of known keys is read
//! off those structs, so it cannot differ from them: the key `sessions.confirm_every` is the field
//! `confirm_every` of the section at `sessions`, the variable
//! `COUNTERSIGN_SESSIONS_CONFIRM_EVERY`, and the flag of the same key if the command line has one.
//!
//! Downstream services are a list: each has a table `[[service]]` of its own, in a file only. The
//! same holds for the keys in it, and it is checked whole before the broker starts. So are the
//! issuers of tokens about which there is something to say: `[[oidc.issuer]]`.
//!
//! Keys of [`SECRETS`] are variables only: they stand in no flag and no settings file.
//!
//! Every source is checked against that list. A key or variable that is not on it is an error with
//! a suggestion; all errors are told, one line each. Values are never repeated in an error: one of
//! them may be a secret.
//!
//! Values: durations as `"500ms"`, `"60s"`, `"5m"`, `"1h"`, `"7d"`; in variables and flags, lists
//! are separated by commas.

mod keys;
mod problem;
mod source;
mod tables;
mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use problem::{Origin, Problem, SettingsError};

use crate::{audit, authn, downstream, http, keysets, ops, sessions, telemetry};

/// Where the broker keeps its files: top-level keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The folder of the directory, the ledger, the audit file and the admin socket.
    pub data_dir: PathBuf,
}

impl Default for Store {
    fn default() -> Self {
        Self { data_dir: "countersign-data".into() }
    }
}

/// Declares the tree: a line a section, with the table it stands in (`""`: top level).
macro_rules! sections {
    ($($(#[$doc:meta])* $field:ident: $section:ty => $table:literal,)*) => {
        /// All settings of the broker.
        #[derive(Clone, Debug, Default)]
        pub struct Settings {
            $($(#[$doc])* pub $field: $section,)*
            /// The downstream services that are registered: `[[service]]`.
            pub services: downstream::Registry,
            /// What there is to say about issuers of tokens: `[[oidc.issuer]]`.
            pub issuers: keysets::Issuers,
            /// The file they were read from.
            pub file: Option<PathBuf>,
        }

        impl Settings {
            fn known() -> keys::Keys {
                let mut keys = keys::Keys::default();
                $(keys.add($table, keys::fields_of::<$section>());)*
                keys.add_array(tables::SERVICE, tables::service_shape());
                keys.add_array(tables::ISSUER, tables::issuer_shape());
                keys
            }

            fn build(values: &mut source::Values, problems: &mut Vec<Problem>) -> Self {
                Self {
                    $($field: values.section($table, problems),)*
                    services: tables::services(&values.array(tables::SERVICE), problems),
                    issuers: tables::issuers(&values.array(tables::ISSUER), problems),
                    file: None,
                }
            }
        }
    };
}

sections! {
    /// Where files are kept.
    store: Store => "",
    /// The region.
    region: ops::region::Settings => "",
    /// Listeners.
    http: http::Settings => "",
    /// Certificates.
    tls: http::TlsSettings => "tls",
    /// Bounds of each listener.
    limits: http::Limits => "limits",
    /// Logs.
    telemetry: telemetry::Settings => "",
    /// The audit trail.
    audit: audit::Settings => "audit",
    /// What IAM takes and refuses.
    iam: ops::iam::settings::Settings => "iam",
    /// Sessions.
    sessions: sessions::Settings => "sessions",
    /// The session ledger in Redis.
    redis: sessions::redis::Settings => "redis",
    /// Keys of identity providers.
    oidc: keysets::Settings => "oidc",
    /// What is expected of SAML responses.
    saml: authn::SamlSettings => "saml",
    /// Where accounts vouch for their principals.
    issuer: ops::issuer::Settings => "issuer",
    /// How many of each thing an account may have.
    quotas: ops::iam::quotas::Quotas => "quotas",
}

/// The keys whose values are secrets.
pub const SECRETS: &[&str] = &["redis.password"];

/// What settings are read from.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The file given by `--config`; it must exist. Without it, `COUNTERSIGN_CONFIG`; without
    /// that, `countersign.toml` in the data folder, if it is there.
    pub config: Option<PathBuf>,
    /// Flags by the key they set, such as `listen` or `data_dir`.
    pub flags: BTreeMap<&'static str, String>,
    /// The environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Inputs {
    /// With the environment of this process.
    pub fn from_process(config: Option<PathBuf>, flags: BTreeMap<&'static str, String>) -> Self {
        Self { config, flags, environment: std::env::vars_os().collect() }
    }
}

impl Settings {
    /// Reads all sources; every problem is told.
    ///
    /// ```
    /// use countersign::settings::{Inputs, Settings};
    ///
    /// let environment = vec![("COUNTERSIGN_SESSIONS_CONFIRM_EVERY".into(), "5s".into())];
    /// let settings = Settings::load(&Inputs { environment, ..Inputs::default() })?;
    /// assert_eq!(settings.sessions.confirm_every.as_secs(), 5);
    /// # Ok::<(), countersign::settings::SettingsError>(())
    /// ```
    pub fn load(inputs: &Inputs) -> Result<Self, SettingsError> {
        let known = Self::known();
        let mut problems = Vec::new();
        let mut values = source::Values::default();
        let config = values.environment(&known, &inputs.environment, &mut problems);
        values.flags(&known, &inputs.flags, &mut problems);
        let file = match inputs.config.clone().or(config) {
            Some(file) => {
                values.file(&known, &file, &mut problems);
                Some(file)
            }
            None => default_file(&mut values, &known, &mut problems),
        };
        let settings = Self { file, ..Self::build(&mut values, &mut problems) };
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }

    /// Every key that a variable can set too, in order: for documentation and completion.
    pub fn keys() -> Vec<String> {
        Self::known().paths().map(ToOwned::to_owned).collect()
    }

    /// The keys that stand in arrays of tables, so in a file only: `service[].name`.
    pub fn array_keys() -> Vec<String> {
        Self::known().array_paths()
    }
}

/// Reads `countersign.toml` of the data folder, if it is there.
fn default_file(
    values: &mut source::Values,
    known: &keys::Keys,
    problems: &mut Vec<Problem>,
) -> Option<PathBuf> {
    let folder = values.text("data_dir").map_or(Store::default().data_dir, PathBuf::from);
    let file = folder.join("countersign.toml");
    if !Path::new(&file).try_exists().unwrap_or(true) {
        return None;
    }
    let before = values.text("data_dir").map(ToOwned::to_owned);
    values.file(known, &file, problems);
    if values.text("data_dir") != before.as_deref() {
        problems.push(Problem::DataDirInside { file: file.clone() });
    }
    Some(file)
}
