//! The directory at one version: what it holds, and how that is found.

mod change;

use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet};

use super::anywhere::{self, AnywhereProfile, Crl, Subject, TrustAnchor};
use super::document::Document;
use super::entities::{AccessKey, Account, Epoch, Role, SessionRevocation, User};
use super::groups::{Group, InstanceProfile};
use super::index::{Index, fold};
use super::managed;
use super::mfa::MfaDevice;
use super::organization::Organized;
use super::pods::{self, PodAssociation};
use super::policies::{Managed, ManagedPolicy};
use super::providers::{OidcProvider, SamlProvider};
use super::read_once::ReadOnce;
use super::store::Entity;
use crate::arn;
use crate::federation::saml::{Metadata, MetadataError};
use crate::federation::x509::{Bundle, X509Error};
use crate::id::{
    AccessKeyId, AccountId, AnywhereId, AssociationId, DeviceId, ProviderId, UniqueId,
};
use crate::time::Timestamp;

/// An immutable picture of the directory. A copy costs a few pointers: the maps are persistent, and
/// changing one entity copies the path to it.
#[derive(Clone, Default)]
pub struct Snapshot {
    version: u64,
    accounts: OrdMap<AccountId, Arc<Account>>,
    users: Index<User>,
    roles: Index<Role>,
    groups: Index<Group>,
    /// Groups and their members.
    members: OrdSet<(UniqueId, UniqueId)>,
    policies: Index<ManagedPolicy>,
    /// Who has a managed policy, by its ARN and the account of those who have it.
    attached: HashMap<(AccountId, String), OrdSet<UniqueId>>,
    /// Whom a managed policy bounds, likewise.
    bounded: HashMap<(AccountId, String), OrdSet<UniqueId>>,
    instance_profiles: Index<InstanceProfile>,
    /// Roles and the instance profiles they are in.
    profiles_of_roles: OrdSet<(UniqueId, UniqueId)>,
    oidc_providers: Index<OidcProvider>,
    saml_providers: Index<SamlProvider>,
    mfa_devices: Index<MfaDevice>,
    /// Users and their MFA devices.
    devices_of_users: OrdSet<(UniqueId, DeviceId)>,
    pod_associations: Index<PodAssociation>,
    metadata: ReadOnce<Result<Metadata, MetadataError>>,
    trust_anchors: Index<TrustAnchor>,
    bundles: ReadOnce<Result<Bundle, X509Error>>,
    anywhere_profiles: Index<AnywhereProfile>,
    crls: Index<Crl>,
    subjects: Index<Subject>,
    access_keys: HashMap<AccessKeyId, Arc<AccessKey>>,
    keys_of_users: OrdSet<(UniqueId, AccessKeyId)>,
    session_revocations: HashMap<AccessKeyId, Arc<SessionRevocation>>,
    /// Revocations by the end of their use.
    revocation_ends: OrdSet<(Timestamp, AccessKeyId)>,
    epoch: Option<Arc<Epoch>>,
    organized: Organized,
}

impl Snapshot {
    /// The version of this state.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The organization, and what became of accounts.
    pub fn organized(&self) -> &Organized {
        &self.organized
    }

    /// The number of the epoch: 0 unless a backup was ever restored.
    pub fn epoch(&self) -> u64 {
        self.epoch.as_ref().map_or(0, |epoch| epoch.number)
    }

    /// Everything, in no order.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        let accounts = self.accounts.values().map(|it| Entity::Account(it.as_ref().clone()));
        let users = self.users.all().map(|it| Entity::User(it.as_ref().clone()));
        let roles = self.roles.all().map(|it| Entity::Role(it.as_ref().clone()));
        let groups = self.groups.all().map(|it| Entity::Group(it.as_ref().clone()));
        let policies = self.policies.all().map(|it| Entity::Policy(it.as_ref().clone()));
        let profiles =
            (self.instance_profiles.all()).map(|it| Entity::InstanceProfile(it.as_ref().clone()));
        let oidc = self.oidc_providers.all().map(|it| Entity::OidcProvider(it.as_ref().clone()));
        let saml = self.saml_providers.all().map(|it| Entity::SamlProvider(it.as_ref().clone()));
        let devices = self.mfa_devices.all().map(|it| Entity::MfaDevice(it.as_ref().clone()));
        let pods =
            (self.pod_associations.all()).map(|it| Entity::PodAssociation(it.as_ref().clone()));
        let trust_anchors =
            self.trust_anchors.all().map(|it| Entity::TrustAnchor(it.as_ref().clone()));
        let anywhere_profiles =
            self.anywhere_profiles.all().map(|it| Entity::AnywhereProfile(it.as_ref().clone()));
        let crls = self.crls.all().map(|it| Entity::Crl(it.as_ref().clone()));
        let subjects = self.subjects.all().map(|it| Entity::Subject(it.as_ref().clone()));
        let keys = self.access_keys.values().map(|it| Entity::AccessKey(it.as_ref().clone()));
        let revocations = (self.session_revocations.values())
            .map(|it| Entity::SessionRevocation(it.as_ref().clone()));
        let epoch = self.epoch.iter().map(|it| Entity::Epoch(it.as_ref().clone()));
        let holders = accounts.chain(users).chain(roles).chain(groups);
        let held = policies.chain(profiles).chain(oidc).chain(saml).chain(pods);
        let secrets = devices.chain(keys);
        let anywhere = trust_anchors.chain(anywhere_profiles).chain(crls).chain(subjects);
        let others =
            holders.chain(held).chain(anywhere).chain(secrets).chain(revocations).chain(epoch);
        others.chain(self.organized.entities())
    }

    /// Every long-term access key, in no order.
    pub fn access_keys(&self) -> impl Iterator<Item = &Arc<AccessKey>> {
        self.access_keys.values()
    }

    /// An account by its ID.
    pub fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// An account by its ID, unless it was closed.
    pub fn open_account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.account(id).filter(|_| !self.organized().is_closed(id))
    }

    /// Every account, by ID.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// A user by its unique ID.
    pub fn user(&self, id: &UniqueId) -> Option<&Arc<User>> {
        self.users.get(id)
    }

    /// A user by its name, in any case.
    pub fn user_named(&self, account: AccountId, name: &str) -> Option<&Arc<User>> {
        self.users.named(account, fold(name))
    }

    /// The users of an account, by name.
    pub fn users_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<User>> {
        self.users.of(account)
    }

    /// A role by its unique ID.
    pub fn role(&self, id: &UniqueId) -> Option<&Arc<Role>> {
        self.roles.get(id)
    }

    /// A role by its name, in any case.
    pub fn role_named(&self, account: AccountId, name: &str) -> Option<&Arc<Role>> {
        self.roles.named(account, fold(name))
    }

    /// The unique ID of the user, role or role session (then its role's) that has this ARN now.
    pub fn principal_id(&self, text: &str) -> Option<UniqueId> {
        if let Some((account, _, name)) = arn::parse_user(text) {
            return self.user_named(account, name).filter(|u| u.arn() == text).map(|u| u.id);
        }
        if let Some((account, _, name)) = arn::parse_role(text) {
            return self.role_named(account, name).filter(|r| r.arn() == text).map(|r| r.id);
        }
        let (account, name, _) = arn::parse_assumed_role(text)?;
        self.role_named(account, name).filter(|r| r.name == name).map(|r| r.id)
    }

    /// The roles of an account, by name.
    pub fn roles_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.of(account)
    }

    /// A group by its unique ID.
    pub fn group(&self, id: &UniqueId) -> Option<&Arc<Group>> {
        self.groups.get(id)
    }

    /// A group by its name, in any case.
    pub fn group_named(&self, account: AccountId, name: &str) -> Option<&Arc<Group>> {
        self.groups.named(account, fold(name))
    }

    /// The groups of an account, by name.
    pub fn groups_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.of(account)
    }

    /// The members of a group, by unique ID.
    pub fn members_of(&self, group: UniqueId) -> impl Iterator<Item = &Arc<User>> {
        pairs_of(&self.members, group).filter_map(|id| self.users.get(&id))
    }

    /// A managed policy of an account by its name, in any case.
    pub fn policy_named(&self, account: AccountId, name: &str) -> Option<&Arc<ManagedPolicy>> {
        self.policies.named(account, fold(name))
    }

    /// The managed policies of an account, by name.
    pub fn policies_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<ManagedPolicy>> {
        self.policies.of(account)
    }

    /// The managed policy of an ARN as an account sees it: its own, or a built-in one. No account
    /// sees another's.
    pub fn managed_policy(&self, account: AccountId, arn: &str) -> Option<Managed> {
        if let Some(built_in) = managed::find(arn) {
            return Some(Managed::BuiltIn(built_in));
        }
        let (owner, _, name) = arn::parse_policy(arn)?;
        let policy = self.policy_named(account, name).filter(|policy| policy.arn() == arn)?;
        (owner == account).then(|| Managed::Own(Arc::clone(policy)))
    }

    /// The document that counts of the managed policy of an ARN, as an account sees it.
    pub fn managed_document(&self, account: AccountId, arn: &str) -> Option<&Document> {
        if let Some(built_in) = managed::find(arn) {
            return Some(&built_in.document);
        }
        let (owner, _, name) = arn::parse_policy(arn)?;
        let policy = self.policy_named(account, name).filter(|policy| policy.arn() == arn)?;
        let version = policy.versions.get(&policy.default)?;
        (owner == account).then_some(&version.document)
    }

    /// How many users, groups and roles of an account have a managed policy, and how many users
    /// and roles it bounds.
    pub fn uses_of(&self, account: AccountId, arn: &str) -> (usize, usize) {
        let key = (account, arn.to_owned());
        let count = |holders: &Holders| holders.get(&key).map_or(0, OrdSet::len);
        (count(&self.attached), count(&self.bounded))
    }

    /// The unique IDs of those users, groups and roles of an account that have a managed policy.
    pub fn holders_of(&self, account: AccountId, arn: &str) -> Vec<UniqueId> {
        ids(&self.attached, account, arn)
    }

    /// The unique IDs of those users and roles of an account whose boundary a managed policy is.
    pub fn bounded_by(&self, account: AccountId, arn: &str) -> Vec<UniqueId> {
        ids(&self.bounded, account, arn)
    }

    /// An instance profile by its name, in any case.
    pub fn instance_profile_named(
        &self,
        account: AccountId,
        name: &str,
    ) -> Option<&Arc<InstanceProfile>> {
        self.instance_profiles.named(account, fold(name))
    }

    /// The instance profiles of an account, by name.
    pub fn instance_profiles_of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = &Arc<InstanceProfile>> {
        self.instance_profiles.of(account)
    }

    /// The instance profiles that a role is in, by unique ID.
    pub fn instance_profiles_with(
        &self,
        role: UniqueId,
    ) -> impl Iterator<Item = &Arc<InstanceProfile>> {
        pairs_of(&self.profiles_of_roles, role).filter_map(|id| self.instance_profiles.get(&id))
    }

    /// An OIDC provider by its ID.
    pub fn oidc_provider_by_id(&self, id: &ProviderId) -> Option<&Arc<OidcProvider>> {
        self.oidc_providers.get(id)
    }

    /// An OIDC provider by the issuer's URL without `https://`.
    pub fn oidc_provider(&self, account: AccountId, url: &str) -> Option<&Arc<OidcProvider>> {
        self.oidc_providers.named(account, url.to_owned())
    }

    /// The OIDC providers of an account, by URL.
    pub fn oidc_providers_of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = &Arc<OidcProvider>> {
        self.oidc_providers.of(account)
    }

    /// A SAML provider by its ID.
    pub fn saml_provider_by_id(&self, id: &ProviderId) -> Option<&Arc<SamlProvider>> {
        self.saml_providers.get(id)
    }

    /// An association of pods by its ID.
    pub fn pod_association(&self, id: &AssociationId) -> Option<&Arc<PodAssociation>> {
        self.pod_associations.get(id)
    }

    /// The association of a service account: of a cluster and namespace, by its name.
    pub fn pod_association_of(
        &self,
        account: AccountId,
        (cluster, namespace): (&str, &str),
        service_account: &str,
    ) -> Option<&Arc<PodAssociation>> {
        let place = pods::place(cluster, namespace, service_account);
        self.pod_associations.named(account, place).filter(|it| {
            it.cluster == cluster
                && it.namespace == namespace
                && it.service_account == service_account
        })
    }

    /// The associations of an account, by cluster, namespace and service account.
    pub fn pod_associations_of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = &Arc<PodAssociation>> {
        self.pod_associations.of(account)
    }

    /// A trust anchor by its ID.
    pub fn trust_anchor(&self, id: &ProviderId) -> Option<&Arc<TrustAnchor>> {
        self.trust_anchors.get(id)
    }

    /// The trust anchors of an account, by ID.
    pub fn trust_anchors_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<TrustAnchor>> {
        self.trust_anchors.of(account)
    }

    /// The authorities of a trust anchor, read once.
    ///
    /// # Errors
    /// What is stored cannot be read.
    pub fn trust_bundle(&self, id: &ProviderId) -> Option<&Result<Bundle, X509Error>> {
        let anchor = self.trust_anchors.get(id)?;
        self.bundles.get(id, || Bundle::parse(&anchor.bundle))
    }

    /// A profile of IAM Roles Anywhere by its ID.
    pub fn anywhere_profile(&self, id: &AnywhereId) -> Option<&Arc<AnywhereProfile>> {
        self.anywhere_profiles.get(id)
    }

    /// The profiles of IAM Roles Anywhere of an account, by ID.
    pub fn anywhere_profiles_of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = &Arc<AnywhereProfile>> {
        self.anywhere_profiles.of(account)
    }

    /// A revocation list by its ID.
    pub fn crl(&self, id: &AnywhereId) -> Option<&Arc<Crl>> {
        self.crls.get(id)
    }

    /// The revocation lists of an account, by anchor and ID.
    pub fn crls_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<Crl>> {
        self.crls.of(account)
    }

    /// The revocation lists of a trust anchor, by ID.
    pub fn crls_of_anchor(&self, anchor: &TrustAnchor) -> impl Iterator<Item = &Arc<Crl>> {
        self.crls.beginning(anchor.account, anywhere::place(&anchor.id, ""))
    }

    /// A subject of certificates by its ID.
    pub fn subject(&self, id: &AnywhereId) -> Option<&Arc<Subject>> {
        self.subjects.get(id)
    }

    /// A subject of certificates by its name.
    pub fn subject_named(&self, account: AccountId, name: &str) -> Option<&Arc<Subject>> {
        self.subjects.named(account, name.to_owned())
    }

    /// The subjects of an account's certificates, by name.
    pub fn subjects_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<Subject>> {
        self.subjects.of(account)
    }

    /// What the metadata of a SAML provider says, read once.
    ///
    /// # Errors
    /// What is stored cannot be read.
    pub fn saml_metadata(&self, id: &ProviderId) -> Option<&Result<Metadata, MetadataError>> {
        let provider = self.saml_providers.get(id)?;
        self.metadata.get(id, || Metadata::parse(&provider.metadata))
    }

    /// A SAML provider by its name, in any case.
    pub fn saml_provider_named(
        &self,
        account: AccountId,
        name: &str,
    ) -> Option<&Arc<SamlProvider>> {
        self.saml_providers.named(account, fold(name))
    }

    /// The SAML providers of an account, by name.
    pub fn saml_providers_of(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = &Arc<SamlProvider>> {
        self.saml_providers.of(account)
    }

    /// An MFA device by its name, in any case.
    pub fn mfa_device_named(&self, account: AccountId, name: &str) -> Option<&Arc<MfaDevice>> {
        self.mfa_devices.named(account, fold(name))
    }

    /// The MFA devices of an account, by name.
    pub fn mfa_devices_of(&self, account: AccountId) -> impl Iterator<Item = &Arc<MfaDevice>> {
        self.mfa_devices.of(account)
    }

    /// The MFA devices that are a user's.
    pub fn mfa_devices_of_user(&self, user: UniqueId) -> impl Iterator<Item = &Arc<MfaDevice>> {
        self.devices_of_users
            .range((user, DeviceId([0; 16]))..)
            .take_while(move |(owner, _)| *owner == user)
            .filter_map(|(_, id)| self.mfa_devices.get(id))
    }

    /// A long-term access key.
    pub fn access_key(&self, id: &AccessKeyId) -> Option<&Arc<AccessKey>> {
        self.access_keys.get(id)
    }

    /// The long-term access keys of a user, or of a root user, by ID.
    pub fn access_keys_of(&self, user: UniqueId) -> impl Iterator<Item = &Arc<AccessKey>> {
        self.keys_of_users
            .range((user, AccessKeyId::lowest())..)
            .take_while(move |(owner, _)| *owner == user)
            .filter_map(|(_, id)| self.access_keys.get(id))
    }

    /// The revocation of a session by its access key ID.
    pub fn session_revocation(&self, id: &AccessKeyId) -> Option<&Arc<SessionRevocation>> {
        self.session_revocations.get(id)
    }

    /// Revocations whose sessions have all expired by `now`, at most `limit`.
    pub fn spent_revocations(&self, now: Timestamp, limit: usize) -> Vec<AccessKeyId> {
        self.revocation_ends
            .iter()
            .take_while(|(until, _)| *until < now)
            .take(limit)
            .map(|(_, id)| *id)
            .collect()
    }
}

type Holders = HashMap<(AccountId, String), OrdSet<UniqueId>>;

fn ids(holders: &Holders, account: AccountId, arn: &str) -> Vec<UniqueId> {
    let ids = holders.get(&(account, arn.to_owned()));
    ids.map_or_else(Vec::new, |ids| ids.iter().copied().collect())
}

fn pairs_of(
    pairs: &OrdSet<(UniqueId, UniqueId)>,
    first: UniqueId,
) -> impl Iterator<Item = UniqueId> {
    pairs
        .range((first, UniqueId::lowest())..)
        .take_while(move |(owner, _)| *owner == first)
        .map(|(_, id)| *id)
}
