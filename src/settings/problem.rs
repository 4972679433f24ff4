//! What can be wrong with settings, one line each. No line repeats a value: it may be a secret.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag, by the key it sets.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A line of a file, counted from 1.
    File(PathBuf, usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(key) => write!(f, "--{}", key.replace(['_', '.'], "-")),
            Self::Variable(name) => f.write_str(name),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what the messages say")]
pub enum Problem {
    /// A key or variable that no setting has.
    #[error("{origin}: unknown {what} `{name}`{}", hint(suggestion.as_deref()))]
    Unknown { origin: Origin, what: &'static str, name: String, suggestion: Option<String> },
    /// A value of the wrong kind.
    #[error("{origin}: `{key}` {message}")]
    Value { origin: Origin, key: String, message: String },
    /// The file cannot be read.
    #[error("{}: cannot read the settings: {}", file.display(), why(*reason))]
    Unreadable { file: PathBuf, reason: std::io::ErrorKind },
    /// The file is not TOML.
    #[error("{origin}: {message}")]
    Syntax { origin: Origin, message: String },
    /// The file that was found by the data folder names another one.
    #[error(
        "{}: `data_dir` cannot stand in the file that is found in the data folder: \
         use --data-dir, or name the file by --config", file.display()
    )]
    DataDirInside { file: PathBuf },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn why(reason: std::io::ErrorKind) -> String {
    match reason {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        other => other.to_string(),
    }
}

/// The settings cannot be used. Its text has a line for each problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// All problems; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}
