//! What is kept of a credential in a scope.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::request::value_of;
use crate::api::{Material, MaterialCaller, MaterialPolicies, MaterialPolicy, Principal};
use crate::id::{AccessKeyId, AccountId};
use crate::policy::compiled::{self, CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy};
use crate::policy::{self, Policy, Value};
use crate::sigv4::{Presented, Scope, SigningKey};
use crate::time::{Monotonic, Timestamp};

/// What entries are found by. INVARIANT: the token is in it, so that nothing is known of a key by its
/// ID alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntryKey {
    id: AccessKeyId,
    token: [u8; 32],
    day: Box<str>,
    region: Box<str>,
}

impl EntryKey {
    /// Of what a request presents; `None` if that is no key of any broker's.
    pub(super) fn of(presented: &Presented<'_>) -> Option<Self> {
        let scope = presented.scope();
        Some(Self {
            id: AccessKeyId::parse(presented.access_key_id()).ok()?,
            token: match presented.security_token() {
                Some(token) => Sha256::digest(token.as_bytes()).into(),
                None => [0; 32],
            },
            day: scope.date.into(),
            region: scope.region.into(),
        })
    }

    /// Whether this is what the broker answered about.
    pub(super) fn is_of(&self, principal: &Principal, material: &Material) -> bool {
        principal.access_key_id == self.id.as_str()
            && *material.date == *self.day
            && *material.region == *self.region
    }
}

/// A policy and where its statements stand in the whole document.
struct Part {
    name: String,
    policy: CompiledPolicy,
    places: Vec<usize>,
}

/// The policies of a caller.
struct Policies {
    prefixes: Vec<String>,
    account: AccountId,
    identity: Vec<Part>,
    boundary: Option<Part>,
    session: Option<Vec<Part>>,
    service_control: Vec<Vec<Part>>,
    resource_control: Vec<Vec<Part>>,
}

/// One credential in one scope.
pub(super) struct Entry {
    pub(super) key: SigningKey,
    pub(super) caller: policy::Caller,
    pub(super) principal: Arc<Principal>,
    pub(super) expires_text: Option<Arc<str>>,
    context: Vec<(String, Value)>,
    mfa_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    policies: Policies,
    confirmed_at: Monotonic,
    confirm_every: Duration,
    /// Somebody asks the broker about it, ahead of time.
    confirming: AtomicBool,
    pub(super) generation: u64,
    dropped: AtomicBool,
}

/// How sure an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sureness {
    /// Sure.
    Sure,
    /// It has to be confirmed soon, by this request.
    Soon,
    /// It has to be confirmed.
    Due,
}

impl Entry {
    /// Of what the broker gave out, for the question that was sent at `asked_at`. `None`: it is not
    /// understood.
    pub(super) fn of(
        material: &Material,
        service: &str,
        principal: Principal,
        expires_at: Option<String>,
        asked_at: Monotonic,
        generation: u64,
    ) -> Option<Self> {
        let scope = Scope { date: &material.date, region: &material.region, service };
        let caller = match material.caller.clone() {
            MaterialCaller::User { account, id, arn } => policy::Caller::User { account, id, arn },
            MaterialCaller::AssumedRole {
                account,
                role_id,
                role_arn,
                session_name,
                session_arn,
            } => policy::Caller::RoleSession {
                account,
                role_id,
                role_arn,
                session_name,
                session_arn,
            },
        };
        let context = &material.context;
        Some(Self {
            key: SigningKey::new(&material.signing_key, scope),
            caller,
            principal: Arc::new(principal),
            expires_text: expires_at.map(Into::into),
            context: context.iter().map(|(key, value)| (key.clone(), value_of(value))).collect(),
            mfa_at: material.mfa_at.map(Timestamp::from_millis),
            expires_at: material.expires_at.map(Timestamp::from_millis),
            policies: Policies::of(&material.policies)?,
            confirmed_at: asked_at,
            confirm_every: Duration::from_millis(material.confirm_every),
            confirming: AtomicBool::new(false),
            generation,
            dropped: AtomicBool::new(false),
        })
    }

    /// Ends its use.
    pub(super) fn drop_now(&self) {
        self.dropped.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::SeqCst)
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// How sure it is. One request is told to confirm it ahead of time, so that the others need not
    /// wait.
    pub(super) fn sureness(&self, now: Monotonic) -> Sureness {
        let age = now.since(self.confirmed_at);
        if age >= self.confirm_every {
            Sureness::Due
        } else if age >= self.confirm_every / 2 && !self.confirming.swap(true, Ordering::SeqCst) {
            Sureness::Soon
        } else {
            Sureness::Sure
        }
    }

    /// Whether it may serve although it has to be confirmed and the broker does not answer: for as
    /// long past its time as news may be late, and no longer.
    pub(super) fn serves_unconfirmed(&self, now: Monotonic, freshness: Duration) -> bool {
        now.since(self.confirmed_at) < self.confirm_every.saturating_add(freshness)
    }

    /// Whether its policies can decide about the action of this prefix on resources of this account.
    pub(super) fn decides_about(&self, prefix: &str, owner: AccountId) -> bool {
        self.policies.account == owner
            && self.policies.prefixes.iter().any(|known| known.eq_ignore_ascii_case(prefix))
    }

    /// The condition keys of the time and of whoever signed, as the broker would have them.
    pub(super) fn keys(&self, now: Timestamp) -> policy::Context {
        let mut keys = policy::Context::at(now);
        for (key, value) in &self.context {
            keys.insert(key, value.clone());
        }
        if let Some(mfa_at) = self.mfa_at {
            let age = now.secs_since(mfa_at).max(0).to_string();
            keys.insert("aws:MultiFactorAuthAge", Value::One(age));
        }
        keys
    }

    /// Decides with its policies; the places of statements are those of the whole documents.
    pub(super) fn decide(&self, request: &policy::Request<'_>) -> policy::Decision {
        let Policies { identity, boundary, session, service_control, resource_control, .. } =
            &self.policies;
        let identity = named(identity);
        let session = session.as_deref().map(named);
        let service_control: Vec<_> = service_control.iter().map(|level| named(level)).collect();
        let resource_control: Vec<_> = resource_control.iter().map(|level| named(level)).collect();
        let service_control: Vec<_> =
            service_control.iter().map(|level| CompiledLayer::List(level)).collect();
        let resource_control: Vec<_> =
            resource_control.iter().map(|level| CompiledLayer::List(level)).collect();
        let layers = CompiledLayers {
            resource_account: self.policies.account,
            identity: CompiledLayer::List(&identity),
            boundary: boundary.as_ref().map(Part::named),
            session: session.as_deref().map(CompiledLayer::List),
            resource: None,
            service_control: &service_control,
            resource_control: &resource_control,
        };
        compiled::decide(request, &layers).to_decision()
    }

    /// The place of a statement in the whole document that the policy of this name was chosen from.
    pub(super) fn place(&self, policy: &str, statement: usize) -> usize {
        let Policies { identity, boundary, session, service_control, resource_control, .. } =
            &self.policies;
        let mut parts = (identity.iter())
            .chain(boundary)
            .chain(session.iter().flatten())
            .chain(service_control.iter().flatten())
            .chain(resource_control.iter().flatten());
        let part = parts.find(|part| part.name == policy);
        part.and_then(|part| part.places.get(statement)).copied().unwrap_or(statement)
    }
}

impl Part {
    fn of(policy: &MaterialPolicy) -> Self {
        let parsed = Policy::parse(&policy.text, policy.kind)
            // INVARIANT: what cannot be read denies.
            .unwrap_or_else(|_| Policy::deny_everything(policy.kind));
        let policy_of = CompiledPolicy::new(&parsed);
        Self { name: policy.name.clone(), policy: policy_of, places: policy.statements.clone() }
    }

    fn named(&self) -> CompiledNamed<'_> {
        CompiledNamed { name: &self.name, policy: &self.policy }
    }
}

impl Policies {
    fn of(policies: &MaterialPolicies) -> Option<Self> {
        let list = |policies: &Vec<MaterialPolicy>| policies.iter().map(Part::of).collect();
        Some(Self {
            prefixes: policies.prefixes.clone(),
            account: AccountId::parse(&policies.resource_account).ok()?,
            identity: list(&policies.identity),
            boundary: policies.boundary.as_ref().map(Part::of),
            session: policies.session.as_ref().map(list),
            service_control: policies.service_control.iter().map(list).collect(),
            resource_control: policies.resource_control.iter().map(list).collect(),
        })
    }
}

fn named(parts: &[Part]) -> Vec<CompiledNamed<'_>> {
    parts.iter().map(Part::named).collect()
}
