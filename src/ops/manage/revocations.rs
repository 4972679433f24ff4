//! Revocation: ending sessions before their time.
//!
//! A revocation is a directory write, and in force once it is acknowledged: it refuses the session,
//! or every session up to now of a role, a user or a long-term key, and whatever came from them.

use crate::api::{CreateRevocation, RevocationTarget, RevocationView};
use crate::arn;
use crate::directory::{
    AccessKey, Account, Entity, EntityKey, Revoked, SessionRevocation, Transaction,
};
use crate::id::{AccessKeyId, AccessKeyKind, AccountId, ProviderId, UniqueId};
use crate::ops::authorize::Ask;
use crate::ops::dispatch::Trail;
use crate::ops::fault::{self, Fault};
use crate::ops::manage::Asker;
use crate::ops::trail::About;
use crate::ops::{Effect, Service, write_fault};
use crate::time::Timestamp;

/// The longest that any session lives: 36 hours. A session's revocation is kept that long.
const LONGEST_SESSION_SECS: i64 = 129_600;
/// How many spent revocations a new one clears away.
const SWEEP: usize = 64;

/// What stands before an anchor's ID in its ARN.
const ANCHOR: &str = "trust-anchor";

/// The action that a caller must be allowed.
pub const ACTION: &str = "countersign:RevokeSessions";

/// Revokes, and answers once the revocation is durable.
pub async fn create(
    asker: &Asker<'_>,
    request: &CreateRevocation,
) -> Result<RevocationView, Fault> {
    let about = About { service: Service::Countersign, name: "RevokeSessions", read_only: false };
    let context = asker.context();
    let described = serde_json::to_value(request).map_err(Fault::internal)?;
    let trail =
        Trail::begin(context, &about, Effect::Write, asker.user_identity(), described).await?;
    let result = revoke(asker, &request.target).await;
    let elements = match &result {
        Ok(view) => Ok(serde_json::to_value(view).unwrap_or_default()),
        Err(fault) => Err(fault),
    };
    // The intent is on record; the revocation stands whether or not its outcome is.
    let _ = trail.end(context, elements).await;
    result
}

async fn revoke(asker: &Asker<'_>, target: &RevocationTarget) -> Result<RevocationView, Fault> {
    let parsed = Target::parse(target)?;
    let context = asker.context();
    let now = context.facts.now;
    let (revoked, _) = context
        .services
        .directory
        .write(|tx| {
            if let Asker::Signed(context) = asker {
                let owner = parsed.account();
                let resource = match &parsed {
                    // Of one region, whatever was typed.
                    Target::Anchor { account, id, .. } => {
                        arn::anywhere(context.facts.region.as_str(), *account, ANCHOR, &id.0)
                    }
                    other => other.resource(),
                };
                let ask = Ask { action: ACTION, resource: &resource, owner };
                // Across accounts this denies: a session has no policy of its own to agree.
                context.authorize(tx.state(), &ask, |_| ())?;
            }
            let revoked = Revoked { version: tx.version(), at: now };
            parsed.apply(tx, revoked)?;
            for id in tx.state().spent_revocations(now, SWEEP) {
                tx.delete(EntityKey::SessionRevocation(id));
            }
            Ok(revoked)
        })
        .await
        .map_err(write_fault)?;
    tracing::info!(target = %parsed.resource(), version = revoked.version, "sessions revoked");
    let held = match parsed {
        Target::Session(id) => context.services.ledger.find(id).await.ok().map(|r| r.is_some()),
        _ => None,
    };
    Ok(RevocationView {
        held,
        target: target.clone(),
        version: revoked.version,
        revoked_at: revoked.at.to_rfc3339(),
    })
}

/// A target, parsed.
enum Target<'a> {
    Session(AccessKeyId),
    AccessKey(AccessKeyId),
    Role { account: AccountId, name: &'a str, arn: &'a str },
    User { account: AccountId, name: &'a str, arn: &'a str },
    Root { account: AccountId, arn: &'a str },
    Provider { account: AccountId, url: &'a str, arn: &'a str },
    SamlProvider { account: AccountId, name: &'a str, arn: &'a str },
    Anchor { account: AccountId, id: ProviderId, arn: &'a str },
}

impl<'a> Target<'a> {
    fn parse(target: &'a RevocationTarget) -> Result<Self, Fault> {
        let key = |text: &str, kind: AccessKeyKind, wanted: &str| {
            AccessKeyId::parse(text)
                .ok()
                .filter(|id| id.kind() == kind)
                .ok_or_else(|| Fault::validation(format!("{wanted} is expected: {text:?} is not")))
        };
        match target {
            RevocationTarget::Session(id) => key(
                id,
                AccessKeyKind::Session,
                "target.session: the access key ID of a session (ASIA…)",
            )
            .map(Self::Session),
            RevocationTarget::AccessKey(id) => key(
                id,
                AccessKeyKind::LongTerm,
                "target.access_key: a long-term access key ID (AKIA…)",
            )
            .map(Self::AccessKey),
            RevocationTarget::Role(arn) => arn::parse_role(arn)
                .map(|(account, _, name)| Self::Role { account, name, arn })
                .ok_or_else(|| {
                    Fault::validation(format!(
                        "target.role: the ARN of a role is expected: {arn:?} is not"
                    ))
                }),
            RevocationTarget::User(arn) => arn::parse_user(arn)
                .map(|(account, _, name)| Self::User { account, name, arn })
                .or_else(|| {
                    let account = arn::parse_account_root(arn)?;
                    Some(Self::Root { account, arn })
                })
                .ok_or_else(|| {
                    Fault::validation(format!(
                        "target.user: the ARN of a user is expected: {arn:?} is not"
                    ))
                }),
            RevocationTarget::Provider(arn) => arn::parse_oidc_provider(arn)
                .map(|(account, url)| Self::Provider { account, url, arn })
                .or_else(|| {
                    let (account, name) = arn::parse_saml_provider(arn)?;
                    Some(Self::SamlProvider { account, name, arn })
                })
                .or_else(|| {
                    let (_, account, id) = arn::parse_anywhere(arn, ANCHOR)?;
                    Some(Self::Anchor { account, id: ProviderId(id), arn })
                })
                .ok_or_else(|| {
                    Fault::validation(format!(
                        "target.provider: the ARN of an OIDC or SAML provider, or of a trust \
                         anchor, is expected: {arn:?} is not"
                    ))
                }),
        }
    }

    fn account(&self) -> AccountId {
        match self {
            Self::Session(id) | Self::AccessKey(id) => id.account(),
            Self::Role { account, .. }
            | Self::User { account, .. }
            | Self::Root { account, .. }
            | Self::Provider { account, .. }
            | Self::SamlProvider { account, .. }
            | Self::Anchor { account, .. } => *account,
        }
    }

    /// What policies name it by.
    fn resource(&self) -> String {
        let account = self.account();
        match self {
            Self::Session(id) => format!("arn:aws:countersign::{account}:session/{id}"),
            Self::AccessKey(id) => format!("arn:aws:countersign::{account}:access-key/{id}"),
            Self::Role { arn, .. }
            | Self::User { arn, .. }
            | Self::Root { arn, .. }
            | Self::Provider { arn, .. }
            | Self::SamlProvider { arn, .. }
            | Self::Anchor { arn, .. } => (*arn).to_owned(),
        }
    }

    fn apply(&self, tx: &mut Transaction, revoked: Revoked) -> Result<(), Fault> {
        if tx.state().account(self.account()).is_none() {
            return Err(Fault::validation(format!("There is no account {}.", self.account())));
        }
        match self {
            Self::Session(id) => tx.put(Entity::SessionRevocation(SessionRevocation {
                access_key_id: *id,
                revoked,
                until: end_of(revoked.at),
            })),
            Self::AccessKey(id) => {
                let key = tx
                    .state()
                    .access_key(id)
                    .ok_or_else(|| Fault::no_such_entity(fault::Entity::AccessKey, id.as_str()))?;
                let mut key = key.as_ref().clone();
                key.revoked = Some(revoked);
                tx.put(Entity::AccessKey(key));
            }
            Self::Role { account, name, arn } => {
                let role = tx
                    .state()
                    .role_named(*account, name)
                    .filter(|role| role.arn() == *arn)
                    .ok_or_else(|| Fault::no_such_entity(fault::Entity::Role, name))?;
                let mut role = role.as_ref().clone();
                role.revoked = Some(revoked);
                tx.put(Entity::Role(role));
            }
            Self::User { account, name, arn } => {
                let user = tx
                    .state()
                    .user_named(*account, name)
                    .filter(|user| user.arn() == *arn)
                    .ok_or_else(|| Fault::no_such_entity(fault::Entity::User, name))?;
                let mut user = user.as_ref().clone();
                user.revoked = Some(revoked);
                tx.put(Entity::User(user));
            }
            Self::Root { account, .. } => {
                // Those that came from its keys, those that were assumed for a task, and those of
                // federated users that it made.
                let Some(owner) = tx.state().account(*account) else {
                    return Err(Fault::validation(format!("There is no account {account}.")));
                };
                let owner = Account { root_revoked: Some(revoked), ..Account::clone(owner) };
                tx.put(Entity::Account(owner));
                let keys = tx.state().access_keys_of(UniqueId::of_root(*account));
                let keys: Vec<_> = keys.map(|key| AccessKey::clone(key)).collect();
                for key in keys {
                    tx.put(Entity::AccessKey(AccessKey { revoked: Some(revoked), ..key }));
                }
            }
            Self::Provider { account, url, arn } => {
                let provider = tx
                    .state()
                    .oidc_provider(*account, url)
                    .ok_or_else(|| Fault::no_such_entity(fault::Entity::OidcProvider, arn))?;
                let mut provider = provider.as_ref().clone();
                provider.revoked = Some(revoked);
                tx.put(Entity::OidcProvider(provider));
            }
            Self::SamlProvider { account, name, arn } => {
                let provider = tx
                    .state()
                    .saml_provider_named(*account, name)
                    .filter(|provider| provider.arn() == *arn)
                    .ok_or_else(|| Fault::no_such_entity(fault::Entity::SamlProvider, arn))?;
                let mut provider = provider.as_ref().clone();
                provider.revoked = Some(revoked);
                tx.put(Entity::SamlProvider(provider));
            }
            Self::Anchor { account, id, .. } => {
                let anchor = tx.state().trust_anchor(id).filter(|it| it.account == *account);
                let Some(anchor) = anchor else {
                    return Err(Fault::validation("There is no such trust anchor."));
                };
                let mut anchor = anchor.as_ref().clone();
                anchor.revoked = Some(revoked);
                tx.put(Entity::TrustAnchor(anchor));
            }
        }
        Ok(())
    }
}

/// When every session that lived at `at` has expired. A session made from a revoked one would have
/// been refused, so that one lifetime is enough; an hour more is for clocks.
fn end_of(at: Timestamp) -> Timestamp {
    at.plus_secs(LONGEST_SESSION_SECS + 3600)
}
