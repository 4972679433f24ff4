//! What the operations have in common that make a session of a long-term key: GetSessionToken and
//! GetFederationToken.
//!
//! Source: AWS STS API reference, GetSessionToken and GetFederationToken.

use crate::authn::{Identity, PrincipalEntity};
use crate::ops::fault::Fault;
use crate::ops::params::Validator;
use crate::ops::{Context, Operation};
use crate::seal::claims::PrincipalKind;
use crate::time::Timestamp;

/// Seconds of a session when none are asked for: twelve hours.
const DEFAULT_DURATION: i64 = 43_200;
/// The longest session that a root user makes: more than an hour asked for is an hour.
const MAX_OF_ROOT: i64 = 3600;

/// Reads `DurationSeconds`.
pub(super) fn duration(v: &mut Validator<'_, '_>) -> i64 {
    v.integer("DurationSeconds", 900..=129_600).unwrap_or(DEFAULT_DURATION)
}

/// A user, or a root user, who calls with a long-term key.
pub(super) struct Maker<'a> {
    pub(super) identity: &'a Identity,
    /// What a session of its own is one of.
    pub(super) kind: PrincipalKind,
    longest: i64,
}

impl<'a> Maker<'a> {
    /// The caller of `O`.
    ///
    /// # Errors
    /// `AccessDenied` for a caller with session credentials.
    pub(super) fn of<O: Operation>(context: &'a Context<'_>) -> Result<Self, Fault> {
        let identity = context.identity()?;
        let (kind, longest) = match identity.principal() {
            PrincipalEntity::User(_) => (PrincipalKind::User, i64::MAX),
            PrincipalEntity::Root(_) => (PrincipalKind::Root, MAX_OF_ROOT),
            PrincipalEntity::Role(_) | PrincipalEntity::Federated(_) => {
                return Err(refused::<O>());
            }
        };
        if identity.session().is_some() {
            return Err(refused::<O>());
        }
        Ok(Self { identity, kind, longest })
    }

    /// When a session ends that is made now and asked for this many seconds.
    pub(super) fn end(&self, now: Timestamp, duration: i64) -> Timestamp {
        now.plus_secs(duration.min(self.longest))
    }
}

fn refused<O: Operation>() -> Fault {
    Fault::access_denied(format!("Cannot call {} with session credentials", O::NAME))
}
