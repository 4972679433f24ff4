//! Entities that tests write as they are, without an operation.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::{A, B, Bench};
use crate::directory::organization::{
    AccountState, FeatureSet, Joined, Member, Organization, OrganizationId, Parent, RootId,
    root_access,
};
use crate::directory::providers::OidcProvider;
use crate::directory::{Entity, MfaDevice};
use crate::id::{AccountId, DeviceId, ProviderId};
use crate::mfa::{Failures, Seed, step_at};
use crate::ops::fault::Fault;
use crate::seal::stored;
use crate::time::Clock as _;

/// The seed of every MFA device of [`Bench::mfa_device`].
const SEED: &[u8] = b"12345678901234567890";

impl Bench {
    /// Writes an OIDC provider of an account: its ID.
    pub(crate) async fn provider(&self, account: &str, url: &str, clients: &[&str]) -> ProviderId {
        let provider = OidcProvider {
            id: ProviderId::generate(&*self.services.random).unwrap(),
            account: AccountId::parse(account).unwrap(),
            url: url.to_owned(),
            client_ids: clients.iter().map(|&client| client.to_owned()).collect(),
            thumbprints: Vec::new(),
            tags: Vec::new(),
            created_at: self.clock.now().floor_secs(),
            revoked: None,
        };
        let id = provider.id;
        self.put(Entity::OidcProvider(provider)).await;
        id
    }

    /// Makes an organization with A as its management account and B as a member, which works with
    /// IAM.
    pub(crate) async fn organization(&self) {
        let random = &*self.services.random;
        let (root, now) = (RootId::generate(random).unwrap(), self.clock.now().floor_secs());
        let organization = Organization {
            id: OrganizationId::generate(random).unwrap(),
            features: FeatureSet::All,
            management: AccountId::parse(A).unwrap(),
            created_at: now,
            root,
            enabled: BTreeSet::new(),
            attached: BTreeSet::new(),
            tags: Vec::new(),
            services: [(root_access::IAM.to_owned(), now)].into(),
            root_access: BTreeSet::new(),
            root_access_ended: BTreeMap::new(),
        };
        self.put(Entity::Organization(organization)).await;
        for account in [A, B] {
            let member = Member {
                account: AccountId::parse(account).unwrap(),
                parent: Parent::Root,
                email: None,
                joined: Joined::Invited,
                joined_at: now,
                attached: BTreeSet::new(),
                tags: Vec::new(),
                delegated: BTreeMap::new(),
                root_access_ended: None,
            };
            self.put(Entity::Member(member)).await;
        }
    }

    /// Closes an account.
    pub(crate) async fn close(&self, account: &str) {
        let account = AccountId::parse(account).unwrap();
        let closed_at = Some(self.clock.now());
        self.put(Entity::AccountState(AccountState { account, closed_at, left: None })).await;
    }

    /// Puts an MFA device with the seed of [`totp`] into A, for a user of A if one is named, and
    /// returns its serial number.
    pub(crate) async fn mfa_device(&self, name: &str, user: Option<&str>) -> String {
        let random = &*self.services.random;
        let account = AccountId::parse(A).unwrap();
        let id = DeviceId::generate(random).unwrap();
        let seed = Seed::from_bytes(Zeroizing::new(SEED.to_vec()));
        let keyring = &self.services.keyring;
        let sealed = stored::seal_seed(keyring, account, &id, &seed, random).unwrap();
        let now = self.clock.now();
        let written = self.services.directory.write(|tx| {
            let user = user.map(|name| tx.state().user_named(account, name).unwrap().id);
            let device = MfaDevice {
                id,
                account,
                name: name.to_owned(),
                path: "/".to_owned(),
                created_at: now,
                tags: Vec::new(),
                sealed,
                user,
                enabled_at: user.map(|_| now),
                drift: 0,
                used: 0,
                failures: Failures::default(),
                tried_by: None,
            };
            let serial = device.arn();
            tx.put(Entity::MfaDevice(device));
            Ok::<_, Fault>(serial)
        });
        written.await.unwrap().0
    }

    /// What such a device shows, so many steps from now.
    pub(crate) fn totp(&self, steps: i64) -> String {
        let seed = Seed::from_bytes(Zeroizing::new(SEED.to_vec()));
        seed.code(step_at(self.clock.now()) + steps).text()
    }
}
