//! The identifiers of AWS Organizations: a prefix and random lower-case letters and digits.
//!
//! Source: Organizations API reference, the patterns of the identifiers.

use std::fmt;

use crate::id::AccountId;
use crate::random::{self, Random, RandomError};

/// The text is not an identifier of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no such identifier")]
pub struct OrgIdError;

const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal $length:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Reads it.
            pub fn parse(text: &str) -> Result<Self, OrgIdError> {
                let bytes: [u8; $length] = text.as_bytes().try_into().map_err(|_| OrgIdError)?;
                let rest = text.strip_prefix($prefix).ok_or(OrgIdError)?;
                Self::fits(rest).then_some(Self(bytes)).ok_or(OrgIdError)
            }

            /// It as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

/// The same, drawn as one run of random characters.
macro_rules! drawn {
    ($($name:ident $prefix:literal $count:literal),* $(,)?) => {$(
        impl $name {
            /// Draws a new one.
            pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
                let text = random::text(random, ALPHABET, $count)?;
                Self::parse(&format!("{}{text}", $prefix)).map_err(|_| RandomError)
            }

            fn fits(rest: &str) -> bool {
                rest.bytes().all(is_plain)
            }
        }
    )*};
}

ids! {
    /// `o-` and ten characters.
    OrganizationId "o-" 12,
    /// `r-` and four characters.
    RootId "r-" 6,
    /// `ou-`, the four characters of its root, and eight of its own.
    UnitId "ou-" 16,
    /// `p-` and eight characters: a policy that somebody wrote.
    OrgPolicyId "p-" 10,
    /// `car-` and eight characters: the making of an account.
    CreationId "car-" 12,
    /// `h-` and ten characters: a handshake.
    HandshakeId "h-" 12,
}

drawn! {
    OrganizationId "o-" 10,
    RootId "r-" 4,
    OrgPolicyId "p-" 8,
    CreationId "car-" 8,
    HandshakeId "h-" 10,
}

impl UnitId {
    /// Draws a new one below a root.
    pub fn generate(root: &RootId, random: &dyn Random) -> Result<Self, RandomError> {
        let root = root.as_str().trim_start_matches("r-");
        let text = random::text(random, ALPHABET, 8)?;
        Self::parse(&format!("ou-{root}-{text}")).map_err(|_| RandomError)
    }

    fn fits(rest: &str) -> bool {
        let parts = rest.split_once('-');
        parts.is_some_and(|(root, own)| {
            root.len() == 4 && (root.bytes().chain(own.bytes())).all(is_plain)
        })
    }
}

/// What holds accounts and organizational units.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Parent {
    /// The root: there is one.
    Root,
    /// An organizational unit.
    Unit(UnitId),
}

/// What a policy is attached to, and what has tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The root.
    Root(RootId),
    /// An organizational unit.
    Unit(UnitId),
    /// An account.
    Account(AccountId),
}

impl Target {
    /// Reads the ID of a root, organizational unit or account.
    pub fn parse(text: &str) -> Result<Self, OrgIdError> {
        if let Ok(account) = AccountId::parse(text) {
            return Ok(Self::Account(account));
        }
        if let Ok(unit) = UnitId::parse(text) {
            return Ok(Self::Unit(unit));
        }
        RootId::parse(text).map(Self::Root)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(id) => id.fmt(f),
            Self::Unit(id) => id.fmt(f),
            Self::Account(id) => id.fmt(f),
        }
    }
}

/// A policy: one of every deployment, or one that somebody wrote.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyRef {
    /// The service control policy that allows everything.
    FullAccess,
    /// The resource control policy that allows everything.
    ResourceFullAccess,
    /// One that somebody wrote.
    Own(OrgPolicyId),
}

impl PolicyRef {
    /// Reads the ID of a policy.
    pub fn parse(text: &str) -> Result<Self, OrgIdError> {
        match text {
            "p-FullAWSAccess" => Ok(Self::FullAccess),
            "p-RCPFullAWSAccess" => Ok(Self::ResourceFullAccess),
            _ => OrgPolicyId::parse(text).map(Self::Own),
        }
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::FullAccess => "p-FullAWSAccess",
            Self::ResourceFullAccess => "p-RCPFullAWSAccess",
            Self::Own(id) => id.as_str(),
        }
    }
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for PolicyRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PolicyRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn identifiers_have_the_shapes_of_aws_and_come_back_from_their_text() {
        let random = SystemRandom::new();
        let root = RootId::generate(&random).unwrap();
        let unit = UnitId::generate(&root, &random).unwrap();
        assert_eq!(unit.as_str().split('-').nth(1), root.as_str().split('-').nth(1));
        let organization = OrganizationId::generate(&random).unwrap();
        assert_eq!(OrganizationId::parse(organization.as_str()), Ok(organization));
        for text in [root.as_str(), unit.as_str(), "123456789012"] {
            assert_eq!(Target::parse(text).unwrap().to_string(), text);
        }
        for text in ["p-FullAWSAccess", "p-RCPFullAWSAccess", "p-abcd1234"] {
            assert_eq!(PolicyRef::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "r-", "r-ABCD", "r-abcde", "ou-abcd12345678-", "ou-abc-123456789", "12345678901"]
        {
            assert_eq!(Target::parse(text), Err(OrgIdError), "{text}");
        }
        for text in ["p-", "p-FullAwsAccess", "p-ABCD1234", "q-abcd1234", "p-abcd12345"] {
            assert_eq!(PolicyRef::parse(text), Err(OrgIdError), "{text}");
        }
    }
}
