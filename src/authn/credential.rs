//! Credentials opened and kept at hand: secrets, signing keys, parsed session policies.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::directory::AccessKey;
use crate::id::{AccessKeyId, UniqueId};
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
    /// A managed one: what it says is read from the directory at each use.
    Managed {
        /// Its ARN.
        arn: &'a str,
        /// Its unique ID; tokens from before there were any do not tell it.
        id: Option<UniqueId>,
    },
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

    /// How long the text of the inline policy is, in bytes; 0 without one.
    pub(super) fn policy_size(&self) -> u64 {
        self.inline.as_ref().map_or(0, |inline| inline.policy.text().len() as u64)
    }

    /// The session policies; `None` if none were passed.
    pub fn policies(&self) -> Option<impl Iterator<Item = SessionPolicy<'_>>> {
        let policies = self.claims.policies.as_ref()?;
        let ids = policies.ids.as_deref().unwrap_or_default();
        let managed = policies.arns.iter().enumerate();
        let managed =
            managed.map(|(at, arn)| SessionPolicy::Managed { arn, id: ids.get(at).copied() });
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
        let micros = u64::try_from(now.0.as_micros()).unwrap_or(u64::MAX);
        self.confirmed.store(micros.saturating_add(1), Ordering::Relaxed);
    }

    pub(super) fn forget(&self) {
        self.confirmed.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{OpenKey, OpenSession, SIGNING_KEYS, SessionPolicy, SigningKeys};
    use crate::authn::{BARE_SESSION, BySize};
    use crate::directory::{AccessKey, KeyStatus};
    use crate::id::{AccessKeyId, AccessKeyKind, AccountId, SessionId, UniqueId, UniqueKind};
    use crate::policy::DocumentKind;
    use crate::random::SystemRandom;
    use crate::seal::{Claims, PrincipalClaim, PrincipalKind, SessionPolicies};
    use crate::secret::SecretAccessKey;
    use crate::sigv4::Scope;
    use crate::time::{Monotonic, Timestamp};

    use std::sync::Arc;
    use std::time::Duration;

    use quick_cache::Weighter as _;

    fn key_id(kind: AccessKeyKind) -> AccessKeyId {
        let account = AccountId::parse("123456789012").unwrap();
        AccessKeyId::generate(kind, account, &SystemRandom::new()).unwrap()
    }

    fn secret() -> SecretAccessKey {
        SecretAccessKey::generate(&SystemRandom::new()).unwrap()
    }

    fn user() -> UniqueId {
        UniqueId::generate(UniqueKind::User, &SystemRandom::new()).unwrap()
    }

    fn session(policies: Option<SessionPolicies>) -> OpenSession {
        let claims = Claims {
            session_id: SessionId::generate(&SystemRandom::new()).unwrap(),
            secret: secret(),
            principal: PrincipalClaim {
                kind: PrincipalKind::Role,
                account: AccountId::parse("123456789012").unwrap(),
                id: UniqueId::generate(UniqueKind::Role, &SystemRandom::new()).unwrap(),
                arn: "arn:aws:iam::123456789012:role/app".to_owned(),
            },
            ancestors: Vec::new(),
            issued_at: Timestamp::from_secs(1_700_000_000),
            expires_at: Timestamp::from_secs(1_700_003_600),
            version: 7,
            session_name: "one".to_owned(),
            source_identity: None,
            tags: Vec::new(),
            policies,
            mfa_at: None,
            padding: None,
            epoch: None,
            federated: None,
        };
        OpenSession::new(key_id(AccessKeyKind::Session), claims)
    }

    fn at(micros: u64) -> Monotonic {
        Monotonic(Duration::from_micros(micros))
    }

    /// INVARIANT: starts unconfirmed; confirmed for less than the span, and not a microsecond more.
    #[test]
    fn a_session_is_confirmed_for_the_span_and_no_longer() {
        let session = session(None);
        let span = Duration::from_micros(10);
        for now in [0, 1, 1_000_000] {
            assert!(!session.confirmed_within(span, at(now)), "never yet");
        }
        for (confirmed, now, expected) in [
            (0, 0, true),
            (0, 9, true),
            (0, 10, false),
            (500, 500, true),
            (500, 509, true),
            (500, 510, false),
            (500, 511, false),
            (500, 1_000_000, false),
        ] {
            session.confirm(at(confirmed));
            assert_eq!(session.confirmed_within(span, at(now)), expected, "{confirmed} {now}");
        }
        assert!(!session.confirmed_within(Duration::ZERO, at(500)), "asked every time");
        session.forget();
        assert!(!session.confirmed_within(span, at(500)));
        // A clock that is beyond what can be written down.
        session.confirm(Monotonic(Duration::MAX));
        assert!(session.confirmed_within(span, Monotonic(Duration::from_micros(u64::MAX - 1))));
    }

    /// A key opened before is used again for the same secret only, of the same user.
    #[test]
    fn an_open_key_is_that_of_what_is_stored() {
        let stored = |user: UniqueId, sealed: &[u8]| {
            Arc::new(AccessKey {
                id: key_id(AccessKeyKind::LongTerm),
                user,
                sealed: sealed.to_vec(),
                status: KeyStatus::Active,
                created_at: Timestamp::from_secs(1_700_000_000),
                revoked: None,
                unconfirmed: false,
                put_away: false,
            })
        };
        let (one, other) = (user(), user());
        let key = OpenKey::new(&stored(one, b"sealed"), secret());
        assert!(key.is_of(&stored(one, b"sealed")));
        assert!(!key.is_of(&stored(other, b"sealed")));
        assert!(!key.is_of(&stored(one, b"other")));
        assert!(!key.is_of(&stored(other, b"other")));
    }

    /// Each scope has its key, whatever was asked for before.
    #[test]
    fn a_signing_key_is_that_of_its_scope() {
        let (keys, secret) = (SigningKeys::default(), secret());
        let scope = |region| Scope { date: "20150830", region, service: "sts" };
        let regions = ["a", "b", "c", "d", "e", "a", "a", "e", "b", "f", "a"];
        for region in regions {
            let found = keys.get(&secret, scope(region));
            assert_eq!(found.scope(), scope(region));
            let kept = keys.by_scope.lock().unwrap();
            assert!(kept.len() <= SIGNING_KEYS);
            assert_eq!(kept.first().unwrap().scope(), scope(region), "the latest in front");
            let alike = kept.iter().filter(|key| key.scope() == scope(region)).count();
            assert_eq!(alike, 1, "kept once");
        }
        let id = key_id(AccessKeyKind::LongTerm);
        assert!(keys.v4a(&secret, &id).is_some());
    }

    /// Many sessions with long policies are not kept as if they had none.
    #[test]
    fn a_session_weighs_more_with_a_policy() {
        let weight = |inline: Option<String>| {
            let policies = SessionPolicies { inline, arns: Vec::new(), ids: None };
            let session = Arc::new(session(Some(policies)));
            BySize.weight(&(session.access_key_id(), [0; 32]), &session)
        };
        let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        assert_eq!(weight(None), BARE_SESSION);
        assert_eq!(weight(Some(text.to_owned())), BARE_SESSION + 3);
        let longest = text.replacen('{', &format!("{{{}", " ".repeat(2_048 - text.len())), 1);
        assert_eq!(weight(Some(longest)), BARE_SESSION + 128);
    }

    #[test]
    fn the_policies_of_a_session_are_all_of_them_or_none() {
        assert!(session(None).policies().is_none());
        let none = session(Some(SessionPolicies::default()));
        assert_eq!(none.policies().unwrap().count(), 0);
        let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        let passed = SessionPolicies {
            inline: Some(text.to_owned()),
            arns: vec!["m".to_owned()],
            ids: None,
        };
        let opened = session(Some(passed));
        let found: Vec<String> = opened
            .policies()
            .unwrap()
            .map(|policy| match policy {
                SessionPolicy::Inline(inline) => {
                    assert_eq!(inline.compiled.kind(), DocumentKind::Session);
                    inline.policy.text().to_string()
                }
                SessionPolicy::Managed { arn, .. } => arn.to_owned(),
            })
            .collect();
        assert_eq!(found, [text, "m"]);
    }
}
