//! Making a session.

use super::ledger::{Inserted, Ledger, LedgerError, NewRecord};
use crate::directory::{Role, Snapshot};
use crate::id::{AccessKeyId, AccessKeyKind, SessionId};
use crate::random::{Random, RandomError};
use crate::seal::claims::{
    Claims, FederatedClaim, Link, PrincipalClaim, PrincipalKind, SessionPolicies, Tag,
};
use crate::seal::{Keyring, SealError, record, token};
use crate::secret::SecretAccessKey;
use crate::time::Timestamp;

/// A session as an operation decided it, before it has keys.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whom it acts as.
    pub principal: PrincipalClaim,
    /// What it came from, the first of the chain in front.
    pub ancestors: Vec<Link>,
    /// Now.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The directory's version that the decision was read from.
    pub version: u64,
    /// The directory's epoch, likewise.
    pub epoch: u64,
    /// The role session's name.
    pub session_name: String,
    /// The source identity.
    pub source_identity: Option<String>,
    /// Session tags.
    pub tags: Vec<Tag>,
    /// Session policies.
    pub policies: Option<SessionPolicies>,
    /// When a second factor was shown.
    pub mfa_at: Option<Timestamp>,
    /// The identity provider that the chain began with: the caller's own, if it has one.
    pub federated: Option<FederatedClaim>,
}

impl Draft {
    /// A role's session that comes from no key and no other session, as this snapshot has it: without
    /// a name, tags and policies yet.
    ///
    /// INVARIANT: only somebody without a key begins here. What a key or a session makes spells out
    /// every field, so that of a new one, too, it has to say what it hands down.
    pub fn first(role: &Role, snapshot: &Snapshot, now: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            principal: PrincipalClaim {
                kind: PrincipalKind::Role,
                account: role.account,
                id: role.id,
                arn: role.arn(),
            },
            ancestors: Vec::new(),
            issued_at: now,
            expires_at,
            version: snapshot.version(),
            epoch: snapshot.epoch(),
            session_name: String::new(),
            source_identity: None,
            tags: Vec::new(),
            policies: None,
            mfa_at: None,
            federated: None,
        }
    }
}

/// Session credentials, ready to be handed out once.
pub struct Minted {
    /// `ASIA…`
    pub access_key_id: AccessKeyId,
    /// What signs.
    pub secret: SecretAccessKey,
    /// The session token.
    pub token: String,
    /// When they end.
    pub expires_at: Timestamp,
    /// The share, in percent, that session policies and tags take of the room a token has for them;
    /// `None` when there were none.
    pub packed_policy_size: Option<u8>,
}

/// A session was not made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// Policies and tags do not fit into a token: the percentage they would take.
    #[error("the packed size of session policies and tags is {0} percent of the room")]
    TooLarge(u32),
    /// The token does not fit even without policies and tags.
    #[error("the session token is too large")]
    TokenTooLarge,
    /// Sealing failed.
    #[error(transparent)]
    Seal(SealError),
    /// The ledger did not keep it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No free access key ID was found in several draws.
    #[error("no free access key ID was found")]
    Crowded,
}

impl From<SealError> for MintError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::TooLarge(_) => Self::TokenTooLarge,
            other => Self::Seal(other),
        }
    }
}

impl From<RandomError> for MintError {
    fn from(error: RandomError) -> Self {
        Self::Seal(error.into())
    }
}

/// How many access key IDs are tried. A clash of 40 random bits is rare; many are a fault.
const DRAWS: usize = 8;

/// Makes a session: draws its keys, seals its token, and returns once the ledger holds its record.
///
/// The token has at least `minimum_size` characters.
pub async fn mint(
    keyring: &Keyring,
    ledger: &dyn Ledger,
    random: &dyn Random,
    draft: Draft,
    minimum_size: usize,
) -> Result<Minted, MintError> {
    prepare(random, draft, minimum_size)?.issue(keyring, ledger, random).await
}

/// A session whose secret is drawn and that fits into a token. It does not exist before it is
/// issued.
pub struct Prepared {
    claims: Claims,
    packed_policy_size: Option<u32>,
}

/// Prepares a session, for whoever does something irrevocable between that and its issue.
///
/// The token will have at least `minimum_size` characters.
///
/// # Errors
/// It does not fit.
pub fn prepare(
    random: &dyn Random,
    draft: Draft,
    minimum_size: usize,
) -> Result<Prepared, MintError> {
    let packed_policy_size = packed_size(&draft, random)?;
    if let Some(percent) = packed_policy_size
        && percent > 100
    {
        return Err(MintError::TooLarge(percent));
    }
    let mut claims = claims(draft, random)?;
    token::pad(&mut claims, minimum_size)?;
    if token::measure(&claims)? > token::MAX_TOKEN {
        return Err(MintError::TokenTooLarge);
    }
    Ok(Prepared { claims, packed_policy_size })
}

impl Prepared {
    /// Seals the token, and returns once the ledger holds the session's record.
    pub async fn issue(
        self,
        keyring: &Keyring,
        ledger: &dyn Ledger,
        random: &dyn Random,
    ) -> Result<Minted, MintError> {
        let Self { claims, packed_policy_size } = self;
        let PrincipalClaim { account, id: principal, .. } = claims.principal;
        let expires_at = claims.expires_at;
        for _ in 0..DRAWS {
            let access_key_id = AccessKeyId::generate(AccessKeyKind::Session, account, random)?;
            let token = token::seal(keyring, &access_key_id, &claims, random)?;
            let place = access_key_id.as_str().as_bytes();
            let record = record::make(keyring, place, expires_at, token.as_bytes())?;
            let new = NewRecord { access_key_id, principal, expires_at, record };
            if ledger.insert(new).await? == Inserted::Kept {
                return Ok(Minted {
                    access_key_id,
                    secret: claims.secret,
                    token,
                    expires_at,
                    packed_policy_size: packed_policy_size.and_then(|size| u8::try_from(size).ok()),
                });
            }
        }
        Err(MintError::Crowded)
    }
}

fn claims(draft: Draft, random: &dyn Random) -> Result<Claims, RandomError> {
    Ok(Claims {
        session_id: SessionId::generate(random)?,
        secret: SecretAccessKey::generate(random)?,
        principal: draft.principal,
        ancestors: draft.ancestors,
        issued_at: draft.issued_at.floor_secs(),
        expires_at: draft.expires_at.floor_secs(),
        version: draft.version,
        session_name: draft.session_name,
        source_identity: draft.source_identity,
        tags: draft.tags,
        policies: draft.policies,
        mfa_at: draft.mfa_at,
        padding: None,
        epoch: (draft.epoch != 0).then_some(draft.epoch),
        federated: draft.federated,
    })
}

/// The percentage of the token's room that policies and tags take: the room is what a token of the
/// same session without them leaves. AWS's PackedPolicySize; over 100 does not fit.
fn packed_size(draft: &Draft, random: &dyn Random) -> Result<Option<u32>, MintError> {
    if draft.tags.is_empty() && draft.policies.is_none() {
        return Ok(None);
    }
    let with = token::measure(&claims(draft.clone(), random)?)?;
    let bare = Draft { tags: Vec::new(), policies: None, ..draft.clone() };
    let without = token::measure(&claims(bare, random)?)?;
    let room = token::MAX_TOKEN.saturating_sub(without).max(1);
    let percent = (with.saturating_sub(without) * 100).div_ceil(room);
    Ok(Some(u32::try_from(percent).unwrap_or(u32::MAX).max(1)))
}
