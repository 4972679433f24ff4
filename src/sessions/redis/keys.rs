//! The names of keys.
//!
//! `{xx}`, the last eight random bits of the access key ID in hex, is what Redis Cluster hashes: a
//! session's record, its principal's index and the marker are in one slot, and one script reaches
//! all three.

use super::settings::Prefix;
use crate::id::{AccessKeyId, UniqueId};

/// How many shards there are.
pub(super) const SHARDS: usize = 256;

/// The names of one ledger's keys.
pub(super) struct Keys(Prefix);

impl Keys {
    pub(super) fn new(prefix: Prefix) -> Self {
        Self(prefix)
    }

    /// A session's record.
    pub(super) fn record(&self, id: &AccessKeyId) -> String {
        format!("{}:{{{:02x}}}:s:{id}", self.0.as_str(), id.shard())
    }

    /// A principal's sessions in one shard, by expiry.
    pub(super) fn index(&self, shard: u8, principal: &UniqueId) -> String {
        format!("{}:{{{shard:02x}}}:i:{principal}", self.0.as_str())
    }

    /// A shard's marker.
    pub(super) fn marker(&self, shard: u8) -> String {
        format!("{}:{{{shard:02x}}}:m", self.0.as_str())
    }

    /// Who has the ledger.
    pub(super) fn lease(&self) -> String {
        self.of_lease("owner")
    }

    /// The number of the latest lease.
    pub(super) fn fence(&self) -> String {
        self.of_lease("fence")
    }

    /// How often leases were taken and renewed.
    pub(super) fn beat(&self) -> String {
        self.of_lease("beat")
    }

    fn of_lease(&self, name: &str) -> String {
        format!("{}:{{lease}}:{name}", self.0.as_str())
    }
}

/// Every shard.
pub(super) fn shards() -> impl Iterator<Item = u8> {
    0..=u8::MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccessKeyKind, AccountId};

    #[test]
    fn a_session_is_in_one_slot() {
        let keys = Keys::new(Prefix::default());
        let account = AccountId::parse("123456789012").unwrap();
        let id = AccessKeyId::new(AccessKeyKind::Session, account, [1, 2, 3, 4, 0x0f]);
        let role = UniqueId::parse("AROA00000000000000001").unwrap();
        assert_eq!(keys.record(&id), format!("cs:{{0f}}:s:{id}"));
        assert_eq!(keys.index(id.shard(), &role), "cs:{0f}:i:AROA00000000000000001");
        assert_eq!(keys.marker(id.shard()), "cs:{0f}:m");
        assert_eq!(shards().count(), SHARDS);
    }
}
