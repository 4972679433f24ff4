//! Credentials opened and kept at hand: secrets, signing keys, parsed session policies.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::directory::AccessKey;
use crate::id::AccessKeyId;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::{DocumentKind, Policy};
use crate::seal::Claims;
use crate::secret::SecretAccessKey;
use crate::sigv4::{Scope, SigningKey, VerifyingKey};
use crate::time::Monotonic;

/// How many signing keys a credential keeps: a few services and regions, two days at midnight.
const SIGNING_KEYS: usize = 4;

/// The signing keys of one credential: of SigV4 by scope, the latest used in front, and the one
/// key of SigV4A.
#[derive(Default)]
pub(super) struct SigningKeys {
    by_scope: Mutex<Vec<Arc<SigningKey>>>,
    v4a: OnceLock<Option<VerifyingKey>>,
}

impl SigningKeys {
    pub(super) fn v4a(&self, secret: &SecretAccessKey, id: &AccessKeyId) -> Option<&VerifyingKey> {
        self.v4a.get_or_init(|| VerifyingKey::derive(secret, id.as_str())).as_ref()
    }

    pub(super) fn get(&self, secret: &SecretAccessKey, scope: Scope<'_>) -> Arc<SigningKey> {
        let mut keys = self.by_scope.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = keys.iter().position(|key| key.scope() == scope) {
            keys.swap(0, at);
        } else {
            keys.insert(0, Arc::new(SigningKey::derive(secret, scope)));
            keys.truncate(SIGNING_KEYS);
        }
        keys.first().map_or_else(|| Arc::new(SigningKey::derive(secret, scope)), Arc::clone)
    }
}

/// A long-term key with its secret opened.
pub(super) struct OpenKey {
    /// What the directory held when it was opened: an entity written anew has another.
    stored: Arc<AccessKey>,
    secret: SecretAccessKey,
    pub(super) signing_keys: SigningKeys,
}

impl OpenKey {
    pub(super) fn new(stored: &Arc<AccessKey>, secret: SecretAccessKey) -> Self {
        Self { stored: Arc::clone(stored), secret, signing_keys: SigningKeys::default() }
    }

    pub(super) fn is_of(&self, stored: &Arc<AccessKey>) -> bool {
        self.stored.user == stored.user && self.stored.sealed == stored.sealed
    }

    pub(super) fn secret(&self) -> &SecretAccessKey {
        &self.secret
    }
}

/// A session with its token opened.
pub struct OpenSession {
    access_key_id: AccessKeyId,
    claims: Claims,
    inline: Option<InlinePolicy>,
    pub(super) signing_keys: SigningKeys,
    /// When the ledger last confirmed it, in microseconds of the monotonic clock plus one; 0 is
    /// never. INVARIANT: starts unconfirmed.
    confirmed: AtomicU64,
}

/// The inline policy of a session.
pub struct InlinePolicy {
    /// Parsed: it explains.
    pub policy: Policy,
    /// Compiled: it decides.
    pub compiled: CompiledPolicy,
}

/// A policy passed when a session was made.
pub enum SessionPolicy<'a> {
    /// The inline one.
    Inline(&'a InlinePolicy),
    /// A managed one, by its ARN: what it says is read from the directory at each use.
    Managed(&'a str),
}

impl OpenSession {
    pub(super) fn new(access_key_id: AccessKeyId, claims: Claims) -> Self {
        let inline = claims.policies.as_ref().and_then(|p| p.inline.as_deref()).map(|text| {
            // It parsed when the session was made. One that no longer does denies everything.
            let policy = Policy::parse(text, DocumentKind::Session)
                .unwrap_or_else(|_| Policy::deny_everything(DocumentKind::Session));
            InlinePolicy { compiled: CompiledPolicy::new(&policy), policy }
        });
        Self {
            access_key_id,
            claims,
            inline,
            signing_keys: SigningKeys::default(),
            confirmed: AtomicU64::new(0),
        }
    }

    /// The session's access key ID.
    pub fn access_key_id(&self) -> AccessKeyId {
        self.access_key_id
    }

    /// What the token says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The session policies; `None` if none were passed.
    pub fn policies(&self) -> Option<impl Iterator<Item = SessionPolicy<'_>>> {
        let policies = self.claims.policies.as_ref()?;
        let managed = policies.arns.iter().map(|arn| SessionPolicy::Managed(arn));
        Some(self.inline.iter().map(SessionPolicy::Inline).chain(managed))
    }

    pub(super) fn secret(&self) -> &SecretAccessKey {
        &self.claims.secret
    }

    pub(super) fn confirmed_within(&self, span: Duration, now: Monotonic) -> bool {
        self.confirmed_for(now).is_some_and(|age| age < span)
    }

    /// How long ago the ledger last confirmed it; `None` if it never did.
    pub fn confirmed_for(&self, now: Monotonic) -> Option<Duration> {
        match self.confirmed.load(Ordering::Relaxed) {
            0 => None,
            at => Some(now.since(Monotonic(Duration::from_micros(at - 1)))),
        }
    }

    pub(super) fn confirm(&self, now: Monotonic) {
        let micros = u64::try_from(now.0.as_micros()).unwrap_or(u64::MAX - 1);
        self.confirmed.store(micros.saturating_add(1), Ordering::Relaxed);
    }

    pub(super) fn forget(&self) {
        self.confirmed.store(0, Ordering::Relaxed);
    }
}
