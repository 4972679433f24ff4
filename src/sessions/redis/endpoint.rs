//! Where a Redis is: the URL, parsed strictly.
//!
//! | form | what |
//! |---|---|
//! | `redis://[USER@]HOST[:PORT][/DATABASE]` | TCP, plaintext |
//! | `rediss://[USER@]HOST[:PORT][/DATABASE]` | TCP with TLS; the certificate is always verified |
//! | `unix:///PATH[?db=DATABASE][&user=USER]` | a Unix socket |
//!
//! INVARIANT (secrets stay secret): a password in the URL is refused, because URLs stand in
//! process lists, shell histories and logs.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, parse_redis_url};
use serde::{Deserialize, Deserializer, de};

/// The most databases that a Redis may have.
const DATABASES: i64 = 65_536;

/// Where a Redis is, and as whom it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) address: Address,
    /// The ACL user; `default` if `None`.
    pub(super) user: Option<String>,
    /// The database's number.
    pub(super) database: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp { host: String, port: u16, tls: bool },
    Unix(PathBuf),
}

/// The text is no URL of a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not one of the known forms.
    #[error(
        "takes redis://[USER@]HOST[:PORT][/DATABASE], rediss:// for TLS, or \
         unix:///PATH[?db=DATABASE][&user=USER]"
    )]
    Form,
    /// A password.
    #[error(
        "has a password in it, which process lists and histories would show: leave it out and set \
         COUNTERSIGN_REDIS_PASSWORD, or the file by redis.password_file"
    )]
    Password,
    /// Something after `?` or `#` that is not known.
    #[error("has an unknown part after '?' or '#': certificates are always verified")]
    Options,
    /// Not a database's number.
    #[error("has a database that is not a number from 0 to 65535")]
    Database,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// ```
    /// use countersign::sessions::redis::Endpoint;
    ///
    /// let endpoint = Endpoint::parse("rediss://broker@redis.internal/3")?;
    /// assert_eq!(endpoint.to_string(), "rediss://broker@redis.internal:6379/3");
    /// assert!(Endpoint::parse("redis://broker:password@redis.internal").is_err());
    /// # Ok::<(), countersign::sessions::redis::EndpointError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Form)?;
        let (plain, tls) = match scheme {
            "redis" | "valkey" => ("redis", false),
            // Read as if it were plaintext: TLS is ours, not the library's.
            "rediss" | "valkeys" => ("redis", true),
            "unix" | "redis+unix" | "valkey+unix" => ("unix", false),
            _ => return Err(EndpointError::Form),
        };
        let url = parse_redis_url(&format!("{plain}://{rest}")).ok_or(EndpointError::Form)?;
        let options: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let option = |name: &str| options.iter().any(|(key, _)| key == name);
        if url.password().is_some() || option("pass") || option("password") {
            return Err(EndpointError::Password);
        }
        let known = |key: &str| plain == "unix" && (key == "db" || key == "user");
        let distinct = options.iter().enumerate().all(|(at, (key, _))| {
            known(key) && options.iter().skip(at + 1).all(|(other, _)| other != key)
        });
        if url.fragment().is_some() || !distinct {
            return Err(EndpointError::Options);
        }
        let number = if plain == "unix" {
            option_of(&options, "db")
        } else {
            url.path().trim_start_matches('/').to_owned()
        };
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(EndpointError::Database);
        }
        let info: ConnectionInfo = url.into_connection_info().map_err(|_| EndpointError::Form)?;
        let address = match info.addr() {
            ConnectionAddr::Tcp(host, port) => {
                Address::Tcp { host: host.clone(), port: *port, tls }
            }
            ConnectionAddr::Unix(path) if path.is_absolute() => Address::Unix(path.clone()),
            _ => return Err(EndpointError::Form),
        };
        let database = info.redis_settings().db();
        if !(0..DATABASES).contains(&database) {
            return Err(EndpointError::Database);
        }
        Ok(Self {
            address,
            user: info.redis_settings().username().map(ToOwned::to_owned),
            database,
        })
    }

    /// Whether what is sent stays on this machine.
    pub(super) fn is_local(&self) -> bool {
        match &self.address {
            Address::Unix(_) => true,
            Address::Tcp { host, .. } => {
                host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            }
        }
    }

    /// Whether it is plaintext that leaves this machine.
    pub(super) fn is_exposed(&self) -> bool {
        !self.is_local() && !matches!(self.address, Address::Tcp { tls: true, .. })
    }
}

fn option_of(options: &[(String, String)], name: &str) -> String {
    options.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_deref().unwrap_or_default();
        let database = self.database;
        match &self.address {
            Address::Tcp { host, port, tls } => {
                let scheme = if *tls { "rediss" } else { "redis" };
                let at = if user.is_empty() { "" } else { "@" };
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                write!(f, "{scheme}://{user}{at}{host}:{port}/{database}")
            }
            Address::Unix(path) => {
                write!(f, "unix://{}?db={database}", path.display())?;
                if user.is_empty() { Ok(()) } else { write!(f, "&user={user}") }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says() {
        for (text, said) in [
            ("redis://localhost", Ok("redis://localhost:6379/0")),
            ("valkey://localhost", Ok("redis://localhost:6379/0")),
            ("redis://10.0.0.1:7000/2", Ok("redis://10.0.0.1:7000/2")),
            ("redis://[::1]:7000", Ok("redis://[::1]:7000/0")),
            ("rediss://broker@r.example", Ok("rediss://broker@r.example:6379/0")),
            ("redis://a%40b@h", Ok("redis://a@b@h:6379/0")),
            ("unix:///run/redis.sock", Ok("unix:///run/redis.sock?db=0")),
            ("unix:///r.sock?db=4&user=broker", Ok("unix:///r.sock?db=4&user=broker")),
            ("redis://u:p@h", Err(EndpointError::Password)),
            ("redis://:p@h", Err(EndpointError::Password)),
            ("rediss://u:p@h/1", Err(EndpointError::Password)),
            ("unix:///r.sock?pass=p", Err(EndpointError::Password)),
            ("rediss://h/#insecure", Err(EndpointError::Options)),
            ("redis://h/?protocol=resp3", Err(EndpointError::Options)),
            ("redis://h/?db=3", Err(EndpointError::Options)),
            ("unix:///r.sock?db=1&db=2", Err(EndpointError::Options)),
            ("redis://h/x", Err(EndpointError::Database)),
            ("redis://h/-1", Err(EndpointError::Database)),
            ("redis://h/65536", Err(EndpointError::Database)),
            ("redis://h/1/2", Err(EndpointError::Database)),
            ("unix:///r.sock?db=x", Err(EndpointError::Database)),
            ("redis://0.0.0.0", Err(EndpointError::Form)),
            ("http://h", Err(EndpointError::Form)),
            ("localhost:6379", Err(EndpointError::Form)),
            ("", Err(EndpointError::Form)),
        ] {
            let read = Endpoint::parse(text).map(|endpoint| endpoint.to_string());
            assert_eq!(read.as_deref(), said.as_deref(), "{text}");
        }
    }

    #[test]
    fn plaintext_that_leaves_the_machine_is_known() {
        for (text, exposed) in [
            ("redis://localhost", false),
            ("redis://127.0.0.9", false),
            ("redis://[::1]", false),
            ("unix:///r.sock", false),
            ("rediss://r.example", false),
            ("redis://r.example", true),
            ("redis://10.0.0.1", true),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().is_exposed(), exposed, "{text}");
        }
    }
}
