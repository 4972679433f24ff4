//! The one verification pipeline: from a request to its caller.
//!
//! # Model
//!
//! Every way into the broker, and every question about a downstream service's request, goes through
//! [`Authenticator::authenticate`]:
//!
//! 1. [`crate::sigv4`] reads what the request presents.
//! 2. The credential is found: a long-term key in the directory; a session in its token, which only
//!    this deployment can have sealed.
//! 3. The signature is verified with the credential's signing key.
//! 4. A session is confirmed in the ledger, unless that was done a moment ago.
//! 5. The credential, its principal and every ancestor must be [standing](standing): not expired,
//!    revoked, disabled or deleted, in the directory as it is now.
//!
//! Only then is there a [`VerifiedRequest`], which has no other constructor.
//!
//! # Trust boundary
//!
//! Everything in the request is hostile until step 3 has passed. Nothing is asked of the ledger for
//! a request that is not well signed. The ledger's bytes are believed only with our MAC, and only
//! if they equal the token that was presented.

mod certificate;
mod credential;
mod federated;
mod health;
mod held;
mod identity;
mod saml;
pub mod standing;

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

pub use certificate::{
    CertificateError, CertificateIdentity, Proof, ShowingRequest, certificate_identity,
};
pub use credential::{InlinePolicy, OpenSession, SessionPolicy};
pub use federated::{WebIdentity, WebIdentityError, web_identity};
pub use held::HeldChain;
pub use identity::{Identity, Maker, PrincipalEntity, VerifiedRequest};
pub use saml::{SamlIdentity, SamlIdentityError, SamlSettings, saml_identity};
pub use standing::Refusal;

use crate::directory::{Directory, Snapshot};
use crate::downstream;
use crate::id::{AccessKeyId, AccessKeyKind};
use crate::seal::{Keyring, record, stored, token};
use crate::secret::{SecretAccessKey, SecretKey};
use crate::sessions::{self, Ledger, LedgerError};
use crate::sigv4::{
    self, Algorithm, Body, Presented, RequestHead, Rules, Scope, SigError, SigningKey, Verified,
};
use crate::time::Monotonic;
use credential::{OpenKey, SigningKeys};
use health::LedgerHealth;

/// Who made a request.
pub enum Caller {
    /// Somebody whose signature is good and whose credential is in force.
    Signed(Box<VerifiedRequest>),
    /// Somebody without credentials, whom an identity provider vouches for.
    Asserted(Box<WebIdentity>),
    /// Somebody without credentials, whom a SAML provider vouches for.
    Saml(Box<SamlIdentity>),
    /// Somebody without credentials, whom a trust anchor vouches for.
    Certificate(Box<CertificateIdentity>),
    /// Nobody: the request presents no credentials.
    Anonymous,
}

/// A request's credentials are refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthnError {
    /// The signature, or the form of the request.
    #[error(transparent)]
    Signature(#[from] SigError),
    /// The scope names another service than the request is for.
    #[error("the credential is scoped to another service than {expected}")]
    WrongService {
        /// The service that it should be scoped to.
        expected: String,
    },
    /// The scope names another region than the service's.
    #[error("the credential is scoped to another region than {expected}")]
    WrongRegion {
        /// The region that it should be scoped to.
        expected: String,
    },
    /// There is no such access key, or it does not go with what came beside it.
    #[error("the access key is refused: {0}")]
    Unknown(Unknown),
    /// The session has expired.
    #[error("the session has expired")]
    Expired,
    /// The credential, its principal or an ancestor is not in force.
    #[error("the credential is refused: {0}")]
    Refused(#[from] Refusal),
    /// The ledger does not answer, and has not for longer than is allowed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why an access key is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Not an access key ID of ours at all.
    #[error("it is not an access key ID of this system")]
    Malformed,
    /// There is no such long-term key.
    #[error("there is no such key")]
    NoSuchKey,
    /// A session's key without its token.
    #[error("a session's key came without its session token")]
    TokenMissing,
    /// A long-term key with a session token.
    #[error("a long-term key came with a session token")]
    TokenUnexpected,
    /// The token was not sealed by this deployment for this key.
    #[error("the session token does not open: forged, damaged, or of another key or deployment")]
    Token,
    /// The ledger does not hold the session.
    #[error("the ledger does not hold the session")]
    NotHeld,
    /// What the directory holds of the key does not open.
    #[error("the stored secret does not open with this keyring")]
    Unreadable,
}

/// What a request must be signed for.
pub struct Expectation<'a> {
    /// The service in the scope.
    pub service: &'a str,
    /// The region that the signature must be good in; any, if `None`.
    pub region: Option<&'a str>,
    /// How the signature is held against the request; holds the time of its arrival.
    pub rules: Rules,
    /// The monotonic clock at its arrival.
    pub monotonic: Monotonic,
}

/// How many open sessions and keys are kept at hand; of sessions with policies fewer.
const CACHE: usize = 100_000;
/// What a session without a policy weighs: about so many times half a kilobyte.
const BARE_SESSION: u64 = 4;

/// The pipeline, with what it needs and what it remembers.
pub struct Authenticator {
    directory: Arc<Directory>,
    keyring: Arc<Keyring>,
    ledger: Arc<dyn Ledger>,
    settings: sessions::Settings,
    /// By access key ID and the SHA-256 of the token.
    sessions: Cache<SessionKey, Arc<OpenSession>, BySize>,
    keys: Cache<AccessKeyId, Arc<OpenKey>>,
    health: LedgerHealth,
    root_uses: Counter,
}

/// An access key ID and the SHA-256 of the token.
type SessionKey = (AccessKeyId, [u8; 32]);

/// INVARIANT: whoever may have sessions decides how many there are and what policies they have, and
/// a policy takes many times its text when it is parsed and compiled. What is kept at hand is bounded
/// by its size.
#[derive(Clone)]
struct BySize;

impl Weighter<SessionKey, Arc<OpenSession>> for BySize {
    fn weight(&self, _: &SessionKey, session: &Arc<OpenSession>) -> u64 {
        BARE_SESSION.saturating_add(session.policy_size() / 16)
    }
}

/// A credential that was found, before anything of it is believed.
enum Found {
    Key(Arc<OpenKey>),
    Session(Arc<OpenSession>),
}

impl Found {
    fn secret(&self) -> &SecretAccessKey {
        match self {
            Self::Key(key) => key.secret(),
            Self::Session(session) => session.secret(),
        }
    }

    fn signing_keys(&self) -> &SigningKeys {
        match self {
            Self::Key(key) => &key.signing_keys,
            Self::Session(session) => &session.signing_keys,
        }
    }
}

impl Authenticator {
    /// A pipeline over one deployment.
    pub fn new(
        directory: Arc<Directory>,
        keyring: Arc<Keyring>,
        ledger: Arc<dyn Ledger>,
        settings: sessions::Settings,
    ) -> Self {
        Self {
            directory,
            keyring,
            ledger,
            settings,
            sessions: Cache::with_weighter(CACHE, BARE_SESSION * CACHE as u64, BySize),
            keys: Cache::new(CACHE),
            health: LedgerHealth::default(),
            root_uses: Counter::default(),
        }
    }

    /// How many requests root users have signed, and federated users that they made.
    pub fn root_uses(&self) -> &Counter {
        &self.root_uses
    }

    /// Finds out who made a request.
    ///
    /// # Errors
    /// Why its credentials are refused; [`AuthnError::Ledger`] when that cannot be decided now.
    pub async fn authenticate(
        &self,
        head: &RequestHead<'_>,
        body: Body<'_>,
        expectation: &Expectation<'_>,
    ) -> Result<Caller, AuthnError> {
        let Some(presented) = sigv4::parse(head)? else { return Ok(Caller::Anonymous) };
        expectation.check_scope(&presented)?;
        let access_key_id = AccessKeyId::parse(presented.access_key_id())
            .map_err(|_| AuthnError::Unknown(Unknown::Malformed))?;
        let found = self.find(&access_key_id, &presented)?;
        let verified = verify(&found, &access_key_id, &presented, body, expectation)?;
        let now = expectation.rules.now;
        let session = match found {
            Found::Key(_) => None,
            Found::Session(session) => {
                // INVARIANT: expiry stands in the token and is checked at every use.
                if now >= session.claims().expires_at {
                    return Err(AuthnError::Expired);
                }
                let token = presented.security_token().unwrap_or_default();
                self.confirm(&session, token, expectation.monotonic).await?;
                Some(session)
            }
        };
        // The newest state, read after everything that waited.
        let snapshot = self.directory.snapshot();
        let identity = match session {
            Some(session) => Identity::of_session(&snapshot, access_key_id, session)?,
            None => Identity::of_key(&snapshot, access_key_id)?,
        };
        if identity.is_of_root() {
            // INVARIANT: no use of a root user goes unseen.
            self.root_uses.inc();
            let what = if identity.is_root() {
                "the root user of an account signed a request"
            } else {
                "a federated user of the root user of an account signed a request"
            };
            tracing::warn!(
                account = %identity.account(),
                arn = %identity.arn(),
                access_key_id = %access_key_id,
                service = expectation.service,
                "{what}"
            );
        }
        let region = match presented.algorithm() {
            Algorithm::HmacSha256 => presented.scope().region,
            // Its scope has none: the one that the set was found to cover.
            _ => expectation.region.unwrap_or_default(),
        };
        let day = (presented.algorithm() == Algorithm::HmacSha256).then(|| presented.scope().date);
        let signed = VerifiedRequest::new(identity, snapshot, &verified, region, day);
        Ok(Caller::Signed(Box::new(signed)))
    }

    /// The signing key of a verified request's scope, for a downstream service. `None` of a SigV4A
    /// request, whose key would be good for every service.
    ///
    /// INVARIANT: nobody gets a key for the services that the broker itself serves.
    pub fn signing_key(&self, signed: &VerifiedRequest, service: &str) -> Option<SecretKey> {
        if downstream::is_own(service) {
            return None;
        }
        let scope = Scope { date: signed.scope_day()?, region: signed.region(), service };
        let identity = signed.identity();
        if let Some(session) = identity.session() {
            return Some(SigningKey::secret_of(session.secret(), scope));
        }
        let key = self.open_key(signed.snapshot(), &identity.access_key_id()).ok()?;
        Some(SigningKey::secret_of(key.secret(), scope))
    }

    /// How sessions are confirmed.
    pub fn settings(&self) -> sessions::Settings {
        self.settings
    }

    /// Whether the ledger failed to answer the last time it was asked. A ledger that knows by itself
    /// is asked for its [failure](Ledger::failure) instead.
    pub fn is_ledger_silent(&self) -> bool {
        self.health.is_silent() && self.ledger.answered_at().is_none()
    }

    fn find(&self, id: &AccessKeyId, presented: &Presented<'_>) -> Result<Found, AuthnError> {
        let unknown = |why| Err(AuthnError::Unknown(why));
        match (id.kind(), presented.security_token()) {
            (AccessKeyKind::LongTerm, Some(_)) => unknown(Unknown::TokenUnexpected),
            (AccessKeyKind::Session, None) => unknown(Unknown::TokenMissing),
            (AccessKeyKind::LongTerm, None) => {
                self.open_key(&self.directory.snapshot(), id).map(Found::Key)
            }
            (AccessKeyKind::Session, Some(token)) => {
                self.open_session(id, token).map(Found::Session)
            }
        }
    }

    fn open_key(&self, snapshot: &Snapshot, id: &AccessKeyId) -> Result<Arc<OpenKey>, AuthnError> {
        let stored = snapshot.access_key(id).ok_or(AuthnError::Unknown(Unknown::NoSuchKey))?;
        if let Some(open) = self.keys.get(id)
            && open.is_of(stored)
        {
            return Ok(open);
        }
        let secret = stored::open(&self.keyring, &stored.user, id, &stored.sealed)
            .map_err(|_| AuthnError::Unknown(Unknown::Unreadable))?;
        let open = Arc::new(OpenKey::new(stored, secret));
        self.keys.insert(*id, Arc::clone(&open));
        Ok(open)
    }

    fn open_session(&self, id: &AccessKeyId, token: &str) -> Result<Arc<OpenSession>, AuthnError> {
        let key = (*id, Sha256::digest(token.as_bytes()).into());
        if let Some(open) = self.sessions.get(&key) {
            return Ok(open);
        }
        let claims = token::open(&self.keyring, id, token)
            .map_err(|_| AuthnError::Unknown(Unknown::Token))?;
        let open = Arc::new(OpenSession::new(*id, claims));
        self.sessions.insert(key, Arc::clone(&open));
        Ok(open)
    }

    /// Makes sure that the ledger holds the session.
    async fn confirm(
        &self,
        session: &OpenSession,
        token: &str,
        now: Monotonic,
    ) -> Result<(), AuthnError> {
        if session.confirmed_within(self.settings.confirm_every, now) {
            return Ok(());
        }
        let id = session.access_key_id();
        match self.ledger.find(id).await {
            Ok(found) => {
                if self.health.answered(now) {
                    tracing::info!("the ledger answers again");
                }
                // INVARIANT: stores are not trusted, and what is presented must equal what is held.
                let held = found.is_some_and(|bytes| {
                    record::open(&self.keyring, id.as_str().as_bytes(), &bytes)
                        .is_ok_and(|(_, body)| body == token.as_bytes())
                });
                if held {
                    session.confirm(now);
                    Ok(())
                } else {
                    session.forget();
                    Err(AuthnError::Unknown(Unknown::NotHeld))
                }
            }
            // It answers, and lost records a moment ago: for how long it may say so is its own to
            // bound.
            Err(LedgerError::Forgotten) => {
                self.health.answered(now);
                Ok(())
            }
            Err(error) => {
                let silence = self.health.failed(now, self.ledger.answered_at());
                if silence.begins {
                    tracing::warn!(%error, "the ledger does not answer: sessions are taken on their tokens");
                }
                if silence.lasts < self.settings.max_staleness {
                    return Ok(());
                }
                Err(error.into())
            }
        }
    }
}

impl Expectation<'_> {
    fn check_scope(&self, presented: &Presented<'_>) -> Result<(), AuthnError> {
        let scope = presented.scope();
        if scope.service != self.service {
            return Err(AuthnError::WrongService { expected: self.service.to_owned() });
        }
        match self.region {
            // A set of regions is checked with the signature.
            Some(region)
                if presented.algorithm() == Algorithm::HmacSha256 && region != scope.region =>
            {
                Err(AuthnError::WrongRegion { expected: region.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

fn verify(
    found: &Found,
    id: &AccessKeyId,
    presented: &Presented<'_>,
    body: Body<'_>,
    expectation: &Expectation<'_>,
) -> Result<Verified, AuthnError> {
    let (keys, rules) = (found.signing_keys(), &expectation.rules);
    match presented.algorithm() {
        Algorithm::HmacSha256 => {
            let key = keys.get(found.secret(), presented.scope());
            Ok(sigv4::verify(presented, &key, body, rules)?)
        }
        Algorithm::EcdsaP256Sha256 => {
            let key =
                keys.v4a(found.secret(), id).ok_or(AuthnError::Unknown(Unknown::Unreadable))?;
            Ok(sigv4::verify_v4a(presented, key, expectation.region, body, rules)?)
        }
        // No access key signs so, and the parser of requests by access keys reads none.
        Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
            Err(SigError::UnsupportedAlgorithm.into())
        }
    }
}
