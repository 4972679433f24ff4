//! Identifiers: parsed once at the edge, typed from there on.

use std::fmt;

use crate::random::{self, Random, RandomError};

/// The text is not an identifier of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not exactly twelve digits.
    #[error("an account ID is exactly 12 digits")]
    Account,
    /// Not `AKIA` or `ASIA` and 16 characters of `A-Z2-7` that decode to an account.
    #[error(
        "an access key ID is AKIA or ASIA and 16 characters of A-Z and 2-7 that name an account"
    )]
    AccessKey,
    /// Not a known prefix and 17 characters of `A-Z0-9`.
    #[error("a unique ID is a prefix such as AIDA or AROA and 17 characters of A-Z and 0-9")]
    Unique,
    /// Not 32 lower-case hexadecimal digits.
    #[error("expected 32 lower-case hexadecimal digits")]
    Hex128,
}

/// An account's ID: twelve decimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl AccountId {
    const LIMIT: u64 = 1_000_000_000_000;

    /// Reads exactly twelve ASCII digits.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdError::Account);
        }
        text.parse().map(Self).map_err(|_| IdError::Account)
    }

    /// From its number, below 10^12.
    pub fn from_number(number: u64) -> Result<Self, IdError> {
        (number < Self::LIMIT).then_some(Self(number)).ok_or(IdError::Account)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Draws an ID with a first digit other than 0.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let first = random::text(random, b"123456789", 1)?;
        let rest = random::text(random, b"0123456789", 11)?;
        Ok(Self::parse(&(first + &rest)).unwrap_or(Self(Self::LIMIT - 1)))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

/// What an access key ID's first four letters say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessKeyKind {
    /// `AKIA`: a long-term key of a user.
    LongTerm,
    /// `ASIA`: a session's key, used with its session token.
    Session,
}

/// An access key ID: `AKIA` or `ASIA` and 16 characters of base32, which hold 40 bits of account
/// and 40 random bits. The account can be read from the ID alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId([u8; 20]);

impl AccessKeyId {
    /// Reads an ID and checks that it names an account.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let bytes: [u8; 20] = text.as_bytes().try_into().map_err(|_| IdError::AccessKey)?;
        let (prefix, rest) = bytes.split_at(4);
        if prefix != b"AKIA" && prefix != b"ASIA" {
            return Err(IdError::AccessKey);
        }
        let alphabet = |b: &u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(b);
        if !rest.iter().all(alphabet) {
            return Err(IdError::AccessKey);
        }
        let id = Self(bytes);
        AccountId::from_number(id.account_number()).map_err(|_| IdError::AccessKey)?;
        Ok(id)
    }

    /// Makes the ID of a key of `account` with these random bits.
    pub fn new(kind: AccessKeyKind, account: AccountId, random: [u8; 5]) -> Self {
        let [_, _, _, account @ ..] = account.number().to_be_bytes();
        let mut raw = [0_u8; 10];
        raw[..5].copy_from_slice(&account);
        raw[5..].copy_from_slice(&random);
        let mut id = [0_u8; 20];
        id[..4].copy_from_slice(match kind {
            AccessKeyKind::LongTerm => b"AKIA",
            AccessKeyKind::Session => b"ASIA",
        });
        data_encoding::BASE32_NOPAD.encode_mut(&raw, &mut id[4..]);
        Self(id)
    }

    /// Draws the ID of a new key of `account`.
    pub fn generate(
        kind: AccessKeyKind,
        account: AccountId,
        random: &dyn Random,
    ) -> Result<Self, RandomError> {
        Ok(Self::new(kind, account, random::bytes(random)?))
    }

    /// An ID that sorts before every other: for ranges. It names nothing.
    #[cfg(feature = "server")]
    pub(crate) const fn lowest() -> Self {
        Self([0; 20])
    }

    /// The ledger's place for something that can be used once. It is no access key ID: none is read
    /// from its text.
    #[cfg(feature = "server")]
    pub(crate) fn of_use(digest: [u8; 10]) -> Self {
        let mut id = *b"USED0000000000000000";
        data_encoding::BASE32_NOPAD.encode_mut(&digest, &mut id[4..]);
        Self(id)
    }

    /// Whether it is a long-term key's or a session's.
    pub fn kind(&self) -> AccessKeyKind {
        if self.0.starts_with(b"AKIA") { AccessKeyKind::LongTerm } else { AccessKeyKind::Session }
    }

    /// The account that owns the key.
    pub fn account(&self) -> AccountId {
        AccountId(self.account_number())
    }

    /// The last eight random bits: they choose the ledger's slot.
    pub fn shard(&self) -> u8 {
        self.bits().to_be_bytes().last().copied().unwrap_or_default()
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn account_number(&self) -> u64 {
        u64::try_from(self.bits() >> 40).unwrap_or(u64::MAX)
    }

    /// The 80 bits after the prefix.
    fn bits(&self) -> u128 {
        self.0[4..].iter().fold(0, |bits, c| {
            let value = if c.is_ascii_uppercase() { c - b'A' } else { c.wrapping_sub(b'2') + 26 };
            bits << 5 | u128::from(value)
        })
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of entity that a unique ID names, by its prefix.
///
/// Source: IAM User Guide, "IAM identifiers".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UniqueKind {
    /// `AIDA`
    User,
    /// `AROA`
    Role,
    /// `AGPA`
    Group,
    /// `ANPA`
    Policy,
    /// `AIPA`
    InstanceProfile,
    /// None: the root user's ID is its account's.
    Root,
}

impl UniqueKind {
    const ALL: [Self; 5] =
        [Self::User, Self::Role, Self::Group, Self::Policy, Self::InstanceProfile];

    /// The four letters.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Role => "AROA",
            Self::Group => "AGPA",
            Self::Policy => "ANPA",
            Self::InstanceProfile => "AIPA",
            Self::Root => "",
        }
    }
}

/// An entity's unique ID: a prefix and 17 characters of `A-Z0-9`, never used twice: a name made
/// again gets another. An account's root user has the account's ID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId([u8; 21]);

impl UniqueId {
    /// The ID of an account's root user.
    pub fn of_root(account: AccountId) -> Self {
        let mut id = [0; 21];
        for (to, from) in id.iter_mut().zip(account.to_string().bytes()) {
            *to = from;
        }
        Self(id)
    }

    /// The account whose root user it names, if it names one.
    pub fn root_account(&self) -> Option<AccountId> {
        AccountId::parse(self.as_str()).ok()
    }

    /// Reads an ID that was written by us: of a root user too. In policies twelve digits name the
    /// whole account.
    pub fn parse_stored(text: &str) -> Result<Self, IdError> {
        AccountId::parse(text).map(Self::of_root).or_else(|_| Self::parse(text))
    }

    /// Reads an ID with one of the known prefixes.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let bytes: [u8; 21] = text.as_bytes().try_into().map_err(|_| IdError::Unique)?;
        let plain = bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let known = UniqueKind::ALL.iter().any(|kind| text.starts_with(kind.prefix()));
        (plain && known).then_some(Self(bytes)).ok_or(IdError::Unique)
    }

    /// Draws the ID of a new entity. Root users are not drawn: see [`of_root`](Self::of_root).
    pub fn generate(kind: UniqueKind, random: &dyn Random) -> Result<Self, RandomError> {
        let rest = random::text(random, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 17)?;
        let mut id = [0; 21];
        for (to, from) in id.iter_mut().zip(kind.prefix().bytes().chain(rest.bytes())) {
            *to = from;
        }
        Ok(Self(id))
    }

    /// An ID that sorts before every other: for ranges. It names nothing.
    #[cfg(feature = "server")]
    pub(crate) const fn lowest() -> Self {
        Self([0; 21])
    }

    /// Whom the ledger's records of what was used belong to: nobody.
    #[cfg(feature = "server")]
    pub(crate) const fn of_uses() -> Self {
        Self(*b"USED00000000000000000")
    }

    /// What it names.
    pub fn kind(&self) -> UniqueKind {
        let text = self.as_str();
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return UniqueKind::Root;
        }
        UniqueKind::ALL
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
            .unwrap_or(UniqueKind::User)
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        self.0.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A random 128-bit ID, written as 32 lower-case hexadecimal digits.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Draws a fresh one.
            pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
                Ok(Self(random::bytes(random)?))
            }

            /// Reads 32 lower-case hexadecimal digits.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let bytes = data_encoding::HEXLOWER
                    .decode(text.as_bytes())
                    .map_err(|_| IdError::Hex128)?;
                bytes.try_into().map(Self).map_err(|_| IdError::Hex128)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

random_id! {
    /// A deployment: one directory with its keyring and ledger.
    DeploymentId
}
random_id! {
    /// An identity provider, unique for ever.
    ProviderId
}
random_id! {
    /// An MFA device, unique for ever.
    DeviceId
}
random_id! {
    /// An association of pods with a role, unique for ever.
    AssociationId
}
random_id! {
    /// A profile, revocation list or subject of IAM Roles Anywhere, unique for ever.
    AnywhereId
}
random_id! {
    /// The issuer of an account's tokens, unique for ever.
    IssuerId
}
random_id! {
    /// A session, unique for ever (its access key ID may come again after it expired).
    SessionId
}

/// 128 bits in the shape of a UUID.
pub fn uuid(bytes: &[u8; 16]) -> String {
    let hex = data_encoding::HEXLOWER.encode(bytes);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// Reads what [`uuid`] writes, and nothing else.
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = data_encoding::HEXLOWER.decode(text.replace('-', "").as_bytes()).ok()?;
    let bytes = bytes.try_into().ok()?;
    (uuid(&bytes) == text).then_some(bytes)
}

/// A request's ID, in the shape of a UUID; it stands in the answer, the logs and the audit record.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// Draws a fresh one (a random UUID, version 4, RFC 9562).
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut raw: [u8; 16] = random::bytes(random)?;
        raw[6] = (raw[6] & 0x0f) | 0x40;
        raw[8] = (raw[8] & 0x3f) | 0x80;
        Ok(Self(raw))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uuid(&self.0))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads and writes the textual form in serde formats.
macro_rules! serde_as_text {
    ($($name:ty: $parse:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::$parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(
    AccountId: parse,
    AccessKeyId: parse,
    UniqueId: parse_stored,
    DeploymentId: parse,
    ProviderId: parse,
    DeviceId: parse,
    AssociationId: parse,
    AnywhereId: parse,
    IssuerId: parse,
    SessionId: parse
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn an_access_key_id_names_its_account() {
        for number in [0, 1, 123_456_789_012, 999_999_999_999] {
            let account = AccountId::from_number(number).unwrap();
            for kind in [AccessKeyKind::LongTerm, AccessKeyKind::Session] {
                let id = AccessKeyId::generate(kind, account, &SystemRandom::new()).unwrap();
                let again = AccessKeyId::parse(id.as_str()).unwrap();
                assert_eq!((again, again.account(), again.kind()), (id, account, kind));
            }
        }
        let id = AccessKeyId::new(
            AccessKeyKind::Session,
            AccountId::from_number(7).unwrap(),
            [0, 0, 0, 0, 0xa5],
        );
        assert_eq!(id.shard(), 0xa5);
    }

    #[test]
    fn access_key_ids_of_another_shape_are_refused() {
        for bad in [
            "",
            "AKIAIOSFODNN7EXAMPL",
            "AKIA0000000000000000",
            "akiaaaaaaaaaaaaaaaaa",
            "ABIAAAAAAAAAAAAAAAAA",
            "AKIA7777777777777777",
            "AKIAAAAAAAAAAAAAAAAAA",
            "AKIAAAAAAAAAAAAAAAA ",
        ] {
            assert_eq!(AccessKeyId::parse(bad), Err(IdError::AccessKey), "{bad}");
        }
    }

    #[test]
    fn unique_ids_go_both_ways() {
        let id = UniqueId::generate(UniqueKind::Role, &SystemRandom::new()).unwrap();
        assert!(id.as_str().starts_with("AROA"));
        assert_eq!(UniqueId::parse(id.as_str()), Ok(id));
        assert_eq!(id.kind(), UniqueKind::Role);
        assert_eq!(UniqueId::parse("AXXA00000000000000000"), Err(IdError::Unique));
    }

    #[test]
    fn the_id_of_a_root_user_is_its_account_and_no_policy_can_name_it() {
        for number in [0, 7, 123_456_789_012] {
            let account = AccountId::from_number(number).unwrap();
            let id = UniqueId::of_root(account);
            assert_eq!(id.to_string(), account.to_string());
            assert_eq!((id.kind(), id.root_account()), (UniqueKind::Root, Some(account)));
            assert_eq!(UniqueId::parse_stored(id.as_str()), Ok(id));
            assert_eq!(UniqueId::parse(id.as_str()), Err(IdError::Unique));
        }
        let user = UniqueId::generate(UniqueKind::User, &SystemRandom::new()).unwrap();
        assert_eq!((user.root_account(), UniqueId::parse_stored(user.as_str())), (None, Ok(user)));
        assert_eq!(UniqueId::parse_stored("12345678901"), Err(IdError::Unique));
    }

    #[test]
    fn request_ids_are_uuids() {
        let text = RequestId::generate(&SystemRandom::new()).unwrap().to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(text.as_bytes()[14], b'4');
    }
}
