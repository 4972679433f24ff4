//! What of a Redis's own settings endangers sessions: looked at when the broker starts.
//!
//! Source: Redis documentation, "Key eviction", "Redis persistence", "INFO", "Redis security".

use std::collections::HashMap;
use std::fmt;

use super::connector::Connector;
use super::failure::Failure;
use super::wire::Wire;
use crate::time::{Clock, Timestamp};

/// The oldest Redis that has what the ledger needs (`SET … PXAT`, `ZRANGE … BYSCORE`).
const OLDEST: (u32, u32) = (6, 2);
/// How far apart clocks may be, in seconds.
const SKEW_SECS: i64 = 2;

/// A Redis that cannot hold a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Too old.
    #[error("it is version {0}; the ledger needs 6.2 or newer")]
    TooOld(String),
    /// A replica.
    #[error("it is a replica, which takes no writes: name the master")]
    Replica,
    /// A node of a cluster.
    #[error("it is a node of a Redis Cluster, which this version does not support")]
    Cluster,
}

/// Something that endangers sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Concern {
    /// It throws keys away when its memory is full.
    Eviction {
        /// `maxmemory-policy`.
        policy: String,
    },
    /// It keeps nothing on disk.
    NoPersistence,
    /// It keeps snapshots only.
    SnapshotsOnly,
    /// It never waits for the disk.
    AppendWithoutSync,
    /// Its clock differs from this machine's.
    ClockSkew {
        /// How far it is ahead, in seconds; negative, if behind.
        ahead_secs: i64,
    },
    /// What is sent can be read on the way.
    Plaintext {
        /// Whether a password is among it.
        password: bool,
    },
    /// Anybody who reaches it may use it.
    NoPassword,
    /// A setting could not be read.
    Unread {
        /// Which.
        what: &'static str,
    },
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eviction { policy } => write!(
                f,
                "maxmemory-policy is {policy}: when its memory is full it throws live sessions \
                 away; set noeviction, so that it refuses new ones instead"
            ),
            Self::NoPersistence => f.write_str(
                "appendonly is no and save is empty: a restart loses every session; set appendonly \
                 yes",
            ),
            Self::SnapshotsOnly => f.write_str(
                "appendonly is no: a crash loses the sessions made since the last snapshot; set \
                 appendonly yes",
            ),
            Self::AppendWithoutSync => f.write_str(
                "appendfsync is no: a power loss loses the sessions of about half a minute; set \
                 everysec or always",
            ),
            Self::ClockSkew { ahead_secs } => write!(
                f,
                "its clock is {ahead_secs} seconds ahead of this machine's (behind, if negative): \
                 sessions leave the ledger that much early or late; synchronize the clocks"
            ),
            Self::Plaintext { password: true } => f.write_str(
                "the connection is plaintext and leaves this machine, the password with it; use \
                 rediss://",
            ),
            Self::Plaintext { password: false } => {
                f.write_str("the connection is plaintext and leaves this machine; use rediss://")
            }
            Self::NoPassword => f.write_str(
                "it asks for no password, so that anybody who reaches it can end sessions and stop \
                 minting; give it an ACL user or requirepass",
            ),
            Self::Unread { what } => write!(f, "{what} could not be read, and is not checked"),
        }
    }
}

/// Looks at a Redis.
pub(super) async fn look(
    wire: &Wire,
    connector: &Connector,
    clock: &dyn Clock,
) -> Result<Result<Vec<Concern>, Unfit>, Failure> {
    let mut concerns = of_connection(connector);
    match wire.ask::<String>(&::redis::cmd("INFO")).await {
        Ok(text) => {
            let info = Info::parse(&text);
            if let Some(unfit) = info.unfit() {
                return Ok(Err(unfit));
            }
            concerns.extend(info.eviction());
            let setting = |name| config(wire, name);
            let (save, fsync) = (setting("save").await?, setting("appendfsync").await?);
            concerns.extend(info.persistence(save.as_deref(), fsync.as_deref()));
        }
        Err(Failure::Refused(_)) => concerns.push(Concern::Unread { what: "INFO" }),
        Err(failure) => return Err(failure),
    }
    let asked = clock.now();
    match wire.ask::<(String, String)>(&::redis::cmd("TIME")).await {
        Ok((secs, _)) => concerns.extend(skew(&secs, asked, clock.now())),
        Err(Failure::Refused(_)) => concerns.push(Concern::Unread { what: "TIME" }),
        Err(failure) => return Err(failure),
    }
    Ok(Ok(concerns))
}

fn of_connection(connector: &Connector) -> Vec<Concern> {
    let (endpoint, password) = (connector.endpoint(), connector.has_password());
    let mut concerns = Vec::new();
    if endpoint.is_exposed() {
        concerns.push(Concern::Plaintext { password });
    }
    if !password && !endpoint.is_local() {
        concerns.push(Concern::NoPassword);
    }
    concerns
}

/// A setting, if this user may read it.
async fn config(wire: &Wire, name: &str) -> Result<Option<String>, Failure> {
    let mut question = ::redis::cmd("CONFIG");
    question.arg("GET").arg(name);
    match wire.ask::<Vec<String>>(&question).await {
        Ok(pair) => Ok(pair.into_iter().nth(1)),
        Err(Failure::Refused(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Redis's clock against the times before and after it was asked.
fn skew(secs: &str, before: Timestamp, after: Timestamp) -> Option<Concern> {
    let theirs: i64 = secs.parse().ok()?;
    let ahead_secs = if theirs > after.secs() {
        theirs - after.secs()
    } else if theirs < before.secs() {
        theirs - before.secs()
    } else {
        0
    };
    (ahead_secs.abs() >= SKEW_SECS).then_some(Concern::ClockSkew { ahead_secs })
}

/// The answer to INFO.
struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    fn parse(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.trim_end().split_once(':')).collect())
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn unfit(&self) -> Option<Unfit> {
        if let Some(version) = self.get("redis_version") {
            let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
            let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
            if found < OLDEST {
                return Some(Unfit::TooOld(version.chars().take(32).collect()));
            }
        }
        if self.get("role").is_some_and(|role| role != "master") {
            return Some(Unfit::Replica);
        }
        (self.get("cluster_enabled") == Some("1")).then_some(Unfit::Cluster)
    }

    fn eviction(&self) -> Option<Concern> {
        match self.get("maxmemory_policy") {
            Some("noeviction") => None,
            Some(policy) => Some(Concern::Eviction { policy: policy.chars().take(32).collect() }),
            None => Some(Concern::Unread { what: "maxmemory-policy" }),
        }
    }

    fn persistence(&self, save: Option<&str>, appendfsync: Option<&str>) -> Option<Concern> {
        match (self.get("aof_enabled"), save) {
            (Some("1"), _) if appendfsync == Some("no") => Some(Concern::AppendWithoutSync),
            (Some("1"), _) => None,
            (Some(_), Some("")) => Some(Concern::NoPersistence),
            (Some(_), _) => Some(Concern::SnapshotsOnly),
            (None, _) => Some(Concern::Unread { what: "appendonly" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\n\
                        maxmemory_policy:noeviction\r\naof_enabled:1\r\n";

    #[test]
    fn what_cannot_hold_a_ledger() {
        let replaced = |from: &str, to: &str| Info::parse(&GOOD.replace(from, to)).unfit();
        assert_eq!(Info::parse(GOOD).unfit(), None);
        assert_eq!(replaced("7.0.15", "6.0.16"), Some(Unfit::TooOld("6.0.16".into())));
        assert_eq!(replaced("7.0.15", "6.2.0"), None);
        assert_eq!(replaced("7.0.15", "10.1.0"), None);
        assert_eq!(replaced("role:master", "role:slave"), Some(Unfit::Replica));
        assert_eq!(replaced("cluster_enabled:0", "cluster_enabled:1"), Some(Unfit::Cluster));
    }

    #[test]
    fn what_endangers_sessions() {
        let info = Info::parse(GOOD);
        assert_eq!((info.eviction(), info.persistence(Some(""), Some("everysec"))), (None, None));
        let without = Info::parse("maxmemory_policy:allkeys-lru\naof_enabled:0");
        assert_eq!(without.eviction(), Some(Concern::Eviction { policy: "allkeys-lru".into() }));
        for (save, concern) in [
            (Some(""), Concern::NoPersistence),
            (Some("3600 1"), Concern::SnapshotsOnly),
            (None, Concern::SnapshotsOnly),
        ] {
            assert_eq!(without.persistence(save, None), Some(concern), "{save:?}");
        }
        assert_eq!(info.persistence(None, Some("no")), Some(Concern::AppendWithoutSync));
        let at = Timestamp::from_secs;
        assert_eq!(skew("1000", at(999), at(1001)), None);
        assert_eq!(skew("1001", at(1000), at(1000)), None);
        assert_eq!(skew("1060", at(1000), at(1000)), Some(Concern::ClockSkew { ahead_secs: 60 }));
        assert_eq!(skew("940", at(1000), at(1000)), Some(Concern::ClockSkew { ahead_secs: -60 }));
    }
}
