//! A deployment in a temporary folder, for tests of operations: real stores, real signatures, the
//! real pipeline; only the clock is moved by hand.
//!
//! [`Bench::call`] goes the whole way of a request but for HTTP: the parameters are encoded as a
//! form and signed, the request is verified, its caller dispatched to the catalogue's row.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::iam::credential_report::Reports;
use super::iam::quotas::Quotas;
use super::issuer::{self, Issuer};
use super::manage::{Asker, keys, revocations};
use super::region::Region;
use super::{Context, Facts, Services, catalog};
use crate::api::{CreateKey, CreateRevocation, RevocationTarget, RevocationView};
use crate::audit::memory::MemorySink;
use crate::authn::{Authenticator, Caller, Expectation};
use crate::directory::embedded::EmbeddedStore;
use crate::directory::entities::Policies;
use crate::directory::organization::{
    AccountState, FeatureSet, Joined, Member, Organization, OrganizationId, Parent, RootId,
    root_access,
};
use crate::directory::providers::OidcProvider;
use crate::directory::{
    AccessKey, Account, Directory, Entity, EntityKey, KeyStatus, MfaDevice, User, managed,
};
use crate::federation::oidc::{Algorithm, KeySet, PublicJwk, SigningKey};
use crate::future::BoxFuture;
use crate::id::{
    AccessKeyId, AccessKeyKind, AccountId, DeviceId, ProviderId, RequestId, UniqueId, UniqueKind,
};
use crate::keysets::{FetchError, KeySource};
use crate::mfa::{Failures, Seed, step_at};
use crate::random::SystemRandom;
use crate::seal::{Keyring, stored};
use crate::secret::SecretAccessKey;
use crate::sessions;
use crate::sessions::embedded::EmbeddedLedger;
use crate::sigv4::{Body, RequestHead, Rules, Signer, UriRules};
use crate::time::{Clock as _, ManualClock, Timestamp};
use crate::wire::query::{Form, Params};
use crate::wire::xml::{self, Namespace};

/// Account A.
pub(crate) const A: &str = "111111111111";
/// Account B.
pub(crate) const B: &str = "222222222222";
/// The region that requests are signed for: another than the deployment's.
pub(crate) const REGION: &str = "eu-west-1";
/// The region of the deployment.
pub(crate) const HOME: &str = "us-east-1";

/// The seed of every MFA device of [`Bench::mfa_device`].
const SEED: &[u8] = b"12345678901234567890";

const HOST: &str = "countersign.test";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// What signs. Tests may copy it.
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret: SecretAccessKey,
    pub(crate) token: Option<String>,
}

impl Credentials {
    /// The credentials in an answer of CreateAccessKey, AssumeRole or their like.
    pub(crate) fn of_answer(answer: &str) -> Self {
        Self {
            access_key_id: element(answer, "AccessKeyId").to_owned(),
            secret: secret(element(answer, "SecretAccessKey")),
            token: find(answer, "SessionToken").map(ToOwned::to_owned),
        }
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        Self {
            access_key_id: self.access_key_id.clone(),
            secret: secret(self.secret.expose()),
            token: self.token.clone(),
        }
    }
}

fn secret(text: &str) -> SecretAccessKey {
    SecretAccessKey::parse(Zeroizing::new(text.to_owned())).unwrap()
}

/// The text of the first element of that name in an answer.
#[track_caller]
pub(crate) fn element<'x>(answer: &'x str, name: &str) -> &'x str {
    find(answer, name).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// The same, if there is one.
pub(crate) fn find<'x>(answer: &'x str, name: &str) -> Option<&'x str> {
    elements(answer, name).next()
}

/// The texts of all elements of that name.
pub(crate) fn elements<'x>(answer: &'x str, name: &str) -> impl Iterator<Item = &'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = answer;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (text, after) = after.split_once(&close)?;
        rest = after;
        Some(text)
    })
}

/// An identity policy that allows these actions on everything.
pub(crate) fn allow(actions: &[&str]) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
    })
    .to_string()
}

/// A trust policy that lets these principals of the type AWS assume the role.
pub(crate) fn trusting(principals: &[&str]) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": principals },
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        }],
    })
    .to_string()
}

/// An issuer with an RSA key.
fn issuer() -> Issuer {
    let key = "src/federation/oidc/tests/rsa-2048.pem";
    let settings = issuer::Settings {
        url: Some("https://tokens.example/at".to_owned()),
        rsa_keys: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(key)],
    };
    Issuer::open(&settings).unwrap()
}

/// One deployment with the accounts [`A`] and [`B`], each with a user `admin` who may do anything.
pub(crate) struct Bench {
    pub(crate) services: Services,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sink: Arc<MemorySink>,
    /// What issuers publish.
    pub(crate) keys: Arc<TestKeys>,
    /// The key of A's `admin`.
    pub(crate) a: Credentials,
    /// The key of B's `admin`.
    pub(crate) b: Credentials,
    _folder: TempDir,
}

impl Bench {
    #[expect(clippy::unused_async, reason = "stores to come have to be waited for")]
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = Arc::new(SystemRandom::new());
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
        let keyring = Arc::new(Keyring::generate(&*random).unwrap());
        let (mut entities, a) = account(A, &keyring, &random, clock.now());
        let (more, b) = account(B, &keyring, &random, clock.now());
        entities.extend(more);
        let path = folder.path().join("directory.redb");
        EmbeddedStore::create(&path, keyring.deployment(), 1, &entities).unwrap();
        let store = EmbeddedStore::open(&path, keyring.deployment()).unwrap();
        let directory = Arc::new(Directory::open(Box::new(store)).unwrap());
        let path = folder.path().join("sessions.redb");
        let ledger =
            Arc::new(EmbeddedLedger::open(&path, keyring.deployment(), clock.clone()).unwrap());
        let sink = Arc::new(MemorySink::new());
        let authenticator = Authenticator::new(
            Arc::clone(&directory),
            Arc::clone(&keyring),
            ledger.clone(),
            sessions::Settings::default(),
        );
        let keys = Arc::new(TestKeys::default());
        let services = Services {
            strangers: crate::ops::dispatch::Strangers::among(1024),
            feeds: crate::ops::verify::Feeds::default(),
            resource_policies: crate::ops::verify::ResourcePolicies::default(),
            downstream: crate::downstream::Shared::default(),
            key_sets: keys.clone(),
            saml: crate::authn::SamlSettings::default(),
            issuer: Arc::new(issuer()),
            directory,
            ledger,
            keyring,
            audit: sink.clone(),
            authenticator,
            random,
            iam: crate::ops::iam::settings::Settings::default(),
            clock: clock.clone(),
            subjects_lost: prometheus_client::metrics::counter::Counter::default(),
            quotas: Quotas::default(),
            region: Region::default(),
            reports: Reports::default(),
        };
        Self { services, clock, sink, keys, a, b, _folder: folder }
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// The clock's time as answers tell it.
    pub(crate) fn clock_text(&self) -> String {
        self.clock.now().floor_secs().to_rfc3339()
    }

    /// Seconds of its clock.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().secs()
    }

    /// Everything that the audit log has accepted.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.sink.records()
    }

    /// Calls an operation: the whole answer, or the fault.
    pub(crate) async fn call(
        &self,
        credentials: &Credentials,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Fault> {
        let caller = self.verify(credentials, action, parameters).await?;
        self.call_as(&caller, action, parameters).await
    }

    /// Signs and verifies a request: who it is from.
    pub(crate) async fn verify(
        &self,
        credentials: &Credentials,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Caller, Fault> {
        let service = catalog::find(action, None).unwrap().service.scope();
        let body = form(action, parameters);
        let now = self.clock.now();
        let head = RequestHead {
            method: "POST",
            target: "/",
            headers: &[("host", HOST.as_bytes()), ("content-type", FORM.as_bytes())],
        };
        let signer = Signer {
            access_key_id: &credentials.access_key_id,
            secret: &credentials.secret,
            session_token: credentials.token.as_deref(),
            region: REGION,
            service,
            uri: UriRules::Standard,
            content_sha256: false,
        };
        let added = signer.sign(&head, body.as_bytes(), now).unwrap();
        let mut headers = head.headers.to_vec();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let expectation = Expectation {
            service,
            region: None,
            rules: Rules::new(UriRules::Standard, now),
            monotonic: self.clock.monotonic(),
        };
        let head = RequestHead { headers: &headers, ..head };
        let authenticator = &self.services.authenticator;
        Ok(authenticator.authenticate(&head, Body::Bytes(body.as_bytes()), &expectation).await?)
    }

    /// Calls an operation for a caller that was verified before, perhaps some time ago.
    pub(crate) async fn call_as(
        &self,
        caller: &Caller,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Fault> {
        let row = catalog::find(action, None).unwrap_or_else(|| panic!("there is no {action}"));
        let body = form(action, parameters);
        let form = Form { content_type: Some(FORM), body: body.as_bytes() };
        let params = Params::parse(None, Some(form))?;
        let facts = self.facts();
        let context = Context { services: &self.services, caller, facts: &facts, batch: None };
        let result = (row.run)(&context, &params).await?;
        let namespace = if row.service.scope() == "sts" { Namespace::STS } else { Namespace::IAM };
        let request_id = facts.request_id.to_string();
        Ok(xml::success(namespace, row.name, result.as_ref(), &request_id))
    }

    /// Calls an operation without a signature.
    pub(crate) async fn unsigned(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Fault> {
        self.call_as(&Caller::Anonymous, action, parameters).await
    }

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

    /// Takes an entity away.
    pub(crate) async fn delete(&self, key: EntityKey) {
        let written = self.services.directory.write(|tx| {
            tx.delete(key);
            Ok::<_, Fault>(())
        });
        written.await.unwrap();
    }

    /// Writes an entity.
    pub(crate) async fn put(&self, entity: Entity) {
        let written = self.services.directory.write(|tx| {
            tx.put(entity);
            Ok::<_, Fault>(())
        });
        written.await.unwrap();
    }

    /// What is known of a request that arrives now.
    pub(crate) fn facts(&self) -> Facts {
        Facts {
            request_id: RequestId::generate(&*self.services.random).unwrap(),
            now: self.clock.now(),
            source_ip: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7))),
            secure: true,
            region: self.services.region.clone(),
            user_agent: Some("aws-cli/2.0".to_owned()),
        }
    }

    /// Makes a user with this inline policy and a key, which is returned.
    pub(crate) async fn user(&self, admin: &Credentials, name: &str, policy: &str) -> Credentials {
        self.call(admin, "CreateUser", &[("UserName", name)]).await.unwrap();
        let put = [("UserName", name), ("PolicyName", "own"), ("PolicyDocument", policy)];
        self.call(admin, "PutUserPolicy", &put).await.unwrap();
        let key = self.call(admin, "CreateAccessKey", &[("UserName", name)]).await.unwrap();
        Credentials::of_answer(&key)
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

    /// Makes a long-term key as the host's operator: for a user, or for a root user.
    pub(crate) async fn key(&self, user: &str) -> Result<Credentials, Fault> {
        let facts = self.facts();
        let context = Context {
            services: &self.services,
            caller: &Caller::Anonymous,
            facts: &facts,
            batch: None,
        };
        let request = CreateKey { user: user.to_owned() };
        let made = keys::create(&Asker::HostOperator(&context), &request).await?;
        Ok(Credentials {
            access_key_id: made.access_key_id,
            secret: secret(&made.secret_access_key),
            token: None,
        })
    }

    /// Makes a role with this trust policy and this inline policy, and returns its ARN.
    pub(crate) async fn role(
        &self,
        admin: &Credentials,
        name: &str,
        trust: &str,
        policy: &str,
    ) -> String {
        let create = [("RoleName", name), ("AssumeRolePolicyDocument", trust)];
        let role = self.call(admin, "CreateRole", &create).await.unwrap();
        let put = [("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", policy)];
        self.call(admin, "PutRolePolicy", &put).await.unwrap();
        element(&role, "Arn").to_owned()
    }

    /// Assumes a role.
    pub(crate) async fn assume(
        &self,
        credentials: &Credentials,
        role: &str,
        session_name: &str,
    ) -> Result<Credentials, Fault> {
        let ask = [("RoleArn", role), ("RoleSessionName", session_name)];
        let answer = self.call(credentials, "AssumeRole", &ask).await?;
        Ok(Credentials::of_answer(&answer))
    }

    /// Revokes, as a signed caller.
    pub(crate) async fn revoke(
        &self,
        credentials: &Credentials,
        target: RevocationTarget,
    ) -> Result<RevocationView, Fault> {
        let caller = self.verify(credentials, "GetCallerIdentity", &[]).await?;
        let facts = self.facts();
        let context =
            Context { services: &self.services, caller: &caller, facts: &facts, batch: None };
        revocations::create(&Asker::Signed(&context), &CreateRevocation { target }).await
    }

    /// Who the broker says a caller is; the fault, if its credentials are refused.
    pub(crate) async fn whoami(&self, credentials: &Credentials) -> Result<String, Fault> {
        let answer = self.call(credentials, "GetCallerIdentity", &[]).await?;
        Ok(element(&answer, "Arn").to_owned())
    }
}

/// Issuers' keys, as tests set them.
#[derive(Default)]
pub(crate) struct TestKeys(Mutex<HashMap<String, Arc<KeySet>>>);

impl TestKeys {
    fn get(&self, issuer: &str) -> Option<Arc<KeySet>> {
        self.0.lock().unwrap().get(issuer).cloned()
    }
}

impl KeySource for TestKeys {
    fn algorithms(&self, _: &str) -> &[Algorithm] {
        Algorithm::DEFAULT
    }

    fn keys<'a>(
        &'a self,
        _: AccountId,
        issuer: &'a str,
    ) -> BoxFuture<'a, Result<Arc<KeySet>, FetchError>> {
        Box::pin(async move { self.get(issuer).ok_or(FetchError::Timeout) })
    }

    fn newer<'a>(
        &'a self,
        _: AccountId,
        issuer: &'a str,
        than: &'a Arc<KeySet>,
    ) -> BoxFuture<'a, Option<Arc<KeySet>>> {
        Box::pin(async move { self.get(issuer).filter(|keys| !Arc::ptr_eq(keys, than)) })
    }
}

/// An identity provider.
pub(crate) struct Idp {
    pub(crate) issuer: String,
    pub(crate) key: SigningKey,
}

impl Idp {
    /// One whose keys the bench knows.
    pub(crate) fn new(bench: &Bench, issuer: &str) -> Self {
        let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap();
        let idp = Self { issuer: issuer.to_owned(), key };
        let set = PublicJwk::set([idp.key.public()]).to_string();
        let set = Arc::new(KeySet::parse(set.as_bytes()).unwrap());
        bench.keys.0.lock().unwrap().insert(issuer.to_owned(), set);
        idp
    }

    /// A token of this subject for `sts.amazonaws.com`, with more claims or others.
    pub(crate) fn token(&self, bench: &Bench, subject: &str, more: &Value) -> String {
        let now = bench.clock.now().secs();
        let mut claims = serde_json::json!({
            "iss": self.issuer, "sub": subject, "aud": "sts.amazonaws.com",
            "iat": now - 5, "nbf": now - 5, "exp": now + 900,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        self.key.sign(&claims).unwrap()
    }
}

fn account(
    id: &str,
    keyring: &Keyring,
    random: &SystemRandom,
    now: Timestamp,
) -> (Vec<Entity>, Credentials) {
    let id = AccountId::parse(id).unwrap();
    let user_id = UniqueId::generate(UniqueKind::User, random).unwrap();
    let key_id = AccessKeyId::generate(AccessKeyKind::LongTerm, id, random).unwrap();
    let secret = SecretAccessKey::generate(random).unwrap();
    let sealed = stored::seal(keyring, &user_id, &key_id, &secret, random).unwrap();
    let attached = [managed::ADMINISTRATOR_ACCESS.to_owned()].into();
    let entities = vec![
        Entity::Account(Account::new(id, format!("account {id}"), now)),
        Entity::User(User {
            id: user_id,
            account: id,
            name: "admin".to_owned(),
            path: "/".to_owned(),
            created_at: now,
            tags: Vec::new(),
            policies: Policies { attached, ..Policies::default() },
            groups: BTreeSet::new(),
            revoked: None,
        }),
        Entity::AccessKey(AccessKey {
            id: key_id,
            user: user_id,
            sealed,
            status: KeyStatus::Active,
            created_at: now,
            revoked: None,
            unconfirmed: false,
            put_away: false,
        }),
    ];
    (entities, Credentials { access_key_id: key_id.to_string(), secret, token: None })
}

fn form(action: &str, parameters: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action);
    form.extend_pairs(parameters);
    form.finish()
}
