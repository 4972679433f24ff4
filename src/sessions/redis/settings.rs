//! Where the ledger's Redis is, and how it is asked.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

use super::endpoint::Endpoint;

/// The ledger in Redis: the table `redis`. Without `url` the ledger is embedded.
///
/// The password comes from the variable `COUNTERSIGN_REDIS_PASSWORD` or from a file: never from a
/// flag, the URL or the settings file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `redis://`, `rediss://` (TLS) or `unix://`.
    pub url: Option<Endpoint>,
    /// The password, from its variable only.
    pub password: Option<Password>,
    /// The file that holds the password; a newline at its end does not count.
    pub password_file: Option<PathBuf>,
    /// What the name of every key begins with. Two deployments in one database need two.
    pub prefix: Prefix,
    /// The authorities (PEM) that vouch for Redis; by default those of the system.
    pub ca: Option<PathBuf>,
    /// The certificate chain (PEM) that is shown to Redis, if it asks for one.
    pub client_certificate: Option<PathBuf>,
    /// That certificate's private key (PEM).
    pub client_key: Option<PathBuf>,
    /// Time for a connection: name, TCP, TLS and password together.
    pub connect_timeout: Duration,
    /// Time for one answer.
    pub command_timeout: Duration,
    /// Questions under way at once; more are refused at once.
    pub max_in_flight: usize,
    /// How long a broker that vanished without a word keeps others from its ledger.
    pub lease: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: None,
            password: None,
            password_file: None,
            prefix: Prefix::default(),
            ca: None,
            client_certificate: None,
            client_key: None,
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_millis(500),
            max_in_flight: 1024,
            lease: Duration::from_secs(10),
        }
    }
}

/// The settings make no sense together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Two passwords.
    #[error("redis.password_file and COUNTERSIGN_REDIS_PASSWORD are both set: set one")]
    TwoPasswords,
    /// The password's file cannot be read.
    #[error("redis.password_file: {}: {source}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The password's file is empty.
    #[error("redis.password_file: {} is empty", .0.display())]
    NoPassword(PathBuf),
    /// A user without a password.
    #[error(
        "the URL of Redis names a user, and there is no password: set COUNTERSIGN_REDIS_PASSWORD \
         or redis.password_file"
    )]
    UserWithoutPassword,
    /// A duration is out of bounds.
    #[error("redis.{0} is out of bounds: {1}")]
    Bounds(&'static str, &'static str),
}

impl Settings {
    /// The password, if one is set.
    pub(super) fn secret(&self, endpoint: &Endpoint) -> Result<Option<Password>, SettingsError> {
        let password = match (&self.password, &self.password_file) {
            (Some(_), Some(_)) => return Err(SettingsError::TwoPasswords),
            (Some(password), None) => Some(password.clone()),
            (None, None) => None,
            (None, Some(path)) => {
                let text = match std::fs::read_to_string(path) {
                    Ok(text) => Zeroizing::new(text),
                    Err(source) => {
                        return Err(SettingsError::PasswordFile { path: path.clone(), source });
                    }
                };
                let line = text.strip_suffix('\n').unwrap_or(&text);
                let line = line.strip_suffix('\r').unwrap_or(line);
                if line.is_empty() {
                    return Err(SettingsError::NoPassword(path.clone()));
                }
                Some(Password::new(line))
            }
        };
        if password.is_none() && endpoint.user.is_some() {
            return Err(SettingsError::UserWithoutPassword);
        }
        Ok(password)
    }

    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let millis = Duration::from_millis;
        for (name, value, least, rule) in [
            ("connect_timeout", self.connect_timeout, millis(10), "at least 10ms"),
            ("command_timeout", self.command_timeout, millis(10), "at least 10ms"),
            ("lease", self.lease, millis(1000), "1s to 5m"),
        ] {
            if value < least || value > Duration::from_mins(5) {
                return Err(SettingsError::Bounds(name, rule));
            }
        }
        if self.max_in_flight == 0 || self.max_in_flight > 100_000 {
            return Err(SettingsError::Bounds("max_in_flight", "1 to 100000"));
        }
        Ok(())
    }
}

/// A password. INVARIANT (secrets stay secret): its text leaves by `Password::expose` only;
/// settings are cloned and printed, so that it is shared and prints as nothing.
#[derive(Clone)]
pub struct Password(Arc<Zeroizing<String>>);

impl Password {
    /// Takes the text.
    pub fn new(text: &str) -> Self {
        Self(Arc::new(Zeroizing::new(text.to_owned())))
    }

    /// The text: for Redis.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        if text.is_empty() {
            return Err(de::Error::custom("it is empty"));
        }
        Ok(Self(Arc::new(text)))
    }
}

/// What the names of keys begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// The text is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a prefix is 1 to 64 characters of A-Za-z0-9 . _ : -")]
pub struct MalformedPrefix;

impl Prefix {
    /// Reads a prefix: 1 to 64 characters of `A-Za-z0-9._:-`. No brace: braces choose the slot.
    pub fn parse(text: &str) -> Result<Self, MalformedPrefix> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(known);
        fits.then(|| Self(text.to_owned())).ok_or(MalformedPrefix)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("cs".to_owned())
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
