//! Long-term keys, on the admin socket: what only the host's operator may do with them.

use serde_json::json;

use crate::api::{
    ChangeKey, ChangedKey, ConfirmKeys, ConfirmedKeys, CreateKey, CreatedKey, KeyFate, KeyView,
    Keys, ListKeys,
};
use crate::arn;
use crate::directory::{AccessKey, Entity, EntityKey, KeyStatus, Revoked, Snapshot, Used};
use crate::id::{AccessKeyId, AccessKeyKind, AccountId, UniqueId};
use crate::ops::dispatch::Trail;
use crate::ops::fault::{self, Fault};
use crate::ops::manage::Asker;
use crate::ops::trail::About;
use crate::ops::{Context, Effect, Service, write_fault};
use crate::seal::stored;
use crate::secret::SecretAccessKey;

/// Puts long-term keys into use again that a restored backup took out of it.
///
/// # Errors
/// `ValidationError` when the request names both all keys and some, or neither, or a key that does
/// not wait to be confirmed; nothing is changed then.
pub async fn confirm(asker: &Asker<'_>, request: &ConfirmKeys) -> Result<ConfirmedKeys, Fault> {
    let about =
        About { service: Service::Countersign, name: "ConfirmAccessKeys", read_only: false };
    let context = asker.context();
    let described = serde_json::to_value(request).map_err(Fault::internal)?;
    let trail =
        Trail::begin(context, &about, Effect::Write, asker.user_identity(), described).await?;
    let result = put_into_use(context, request).await;
    let elements = match &result {
        Ok(confirmed) => Ok(serde_json::to_value(confirmed).unwrap_or_default()),
        Err(fault) => Err(fault),
    };
    // The intent is on record; what was changed stands whether or not its outcome is.
    let _ = trail.end(context, elements).await;
    result
}

async fn put_into_use(
    context: &Context<'_>,
    request: &ConfirmKeys,
) -> Result<ConfirmedKeys, Fault> {
    if request.all != request.access_key_ids.is_empty() {
        return Err(Fault::validation("Name the keys, or say all: one of the two.".to_owned()));
    }
    let (ids, _) = context
        .services
        .directory
        .write(|tx| {
            let mut keys: Vec<AccessKey> = Vec::new();
            if request.all {
                let waiting = tx.state().access_keys().filter(|key| key.unconfirmed);
                keys.extend(waiting.map(|key| AccessKey::clone(key)));
            }
            for text in &request.access_key_ids {
                let found = AccessKeyId::parse(text)
                    .ok()
                    .and_then(|id| tx.state().access_key(&id))
                    .filter(|key| key.unconfirmed)
                    .ok_or_else(|| {
                        Fault::validation(format!("{text:?} is no key that waits to be confirmed."))
                    })?;
                keys.push(AccessKey::clone(found));
            }
            let ids = keys.iter().map(|key| key.id.to_string()).collect();
            for key in keys {
                let status = if key.put_away { KeyStatus::Inactive } else { KeyStatus::Active };
                let (unconfirmed, put_away) = (false, false);
                tx.put(Entity::AccessKey(AccessKey { status, unconfirmed, put_away, ..key }));
            }
            Ok(ids)
        })
        .await
        .map_err(write_fault)?;
    Ok(ConfirmedKeys { access_key_ids: ids })
}

/// Whom a key is for.
enum Owner<'a> {
    User { account: AccountId, name: &'a str, arn: &'a str },
    Root(AccountId),
}

impl<'a> Owner<'a> {
    fn parse(arn: &'a str) -> Result<Self, Fault> {
        if let Some(account) = arn::parse_account_root(arn) {
            return Ok(Self::Root(account));
        }
        let (account, _, name) = arn::parse_user(arn).ok_or_else(|| {
            let wanted = "user: the ARN of a user, or of an account's root user, is expected";
            Fault::validation(format!("{wanted}: {arn:?} is not."))
        })?;
        Ok(Self::User { account, name, arn })
    }

    fn account(&self) -> AccountId {
        match self {
            Self::User { account, .. } | Self::Root(account) => *account,
        }
    }

    /// Its unique ID, if it is there.
    fn find(&self, state: &Snapshot) -> Result<UniqueId, Fault> {
        match self {
            Self::User { account, name, arn } => {
                let user = state.user_named(*account, name).filter(|user| user.arn() == *arn);
                let missing = || Fault::no_such_entity(fault::Entity::User, name);
                user.map(|user| user.id).ok_or_else(missing)
            }
            Self::Root(account) => {
                let missing = || Fault::validation(format!("There is no account {account}."));
                state.account(*account).map(|_| UniqueId::of_root(*account)).ok_or_else(missing)
            }
        }
    }
}

/// The long-term keys of a user or of a root user.
///
/// # Errors
/// `ValidationError` and `NoSuchEntity` when there is none.
pub fn list(asker: &Asker<'_>, request: &ListKeys) -> Result<Keys, Fault> {
    let directory = &asker.context().services.directory;
    let state = directory.snapshot();
    let owner = Owner::parse(&request.user)?.find(&state)?;
    let view = |key: &AccessKey| KeyView {
        access_key_id: key.id.to_string(),
        status: key.status.as_str().to_owned(),
        created_at: key.created_at.to_rfc3339(),
        unconfirmed: key.unconfirmed,
        last_used_at: directory.uses().last(Used::Key(key.id)).map(|it| it.at.to_rfc3339()),
    };
    Ok(Keys { keys: state.access_keys_of(owner).map(|key| view(key)).collect() })
}

/// Makes a long-term key active, inactive, or deletes it: a root user's too, which the API does not
/// reach.
///
/// # Errors
/// `NoSuchEntity` for a key that is not there; `ValidationError` for one that is to be made active and
/// waits to be confirmed.
pub async fn change(asker: &Asker<'_>, request: &ChangeKey) -> Result<ChangedKey, Fault> {
    let name = match request.to {
        KeyFate::Active | KeyFate::Inactive => "UpdateAccessKey",
        KeyFate::Deleted => "DeleteAccessKey",
    };
    let about = About { service: Service::Countersign, name, read_only: false };
    let context = asker.context();
    let described = serde_json::to_value(request).map_err(Fault::internal)?;
    let trail =
        Trail::begin(context, &about, Effect::Write, asker.user_identity(), described).await?;
    let result = meet(context, request).await;
    let elements = match &result {
        Ok(changed) => Ok(serde_json::to_value(changed).unwrap_or_default()),
        Err(fault) => Err(fault),
    };
    // The intent is on record; what was changed stands whether or not its outcome is.
    let _ = trail.end(context, elements).await;
    result
}

async fn meet(context: &Context<'_>, request: &ChangeKey) -> Result<ChangedKey, Fault> {
    let now = context.facts.now.floor_secs();
    let (user, _) = context
        .services
        .directory
        .write(|tx| {
            let key = AccessKeyId::parse(&request.access_key_id)
                .ok()
                .and_then(|id| tx.state().access_key(&id))
                .ok_or_else(|| {
                    Fault::no_such_entity(fault::Entity::AccessKey, &request.access_key_id)
                })?;
            let key = AccessKey::clone(key);
            let user = match key.user.root_account() {
                Some(account) => arn::account_root(account),
                None => tx.state().user(&key.user).map(|user| user.arn()).unwrap_or_default(),
            };
            match request.to {
                KeyFate::Active if key.unconfirmed => {
                    return Err(Fault::validation(format!(
                        "The key {} waits to be confirmed: confirm it.",
                        key.id
                    )));
                }
                KeyFate::Active => {
                    tx.put(Entity::AccessKey(AccessKey { status: KeyStatus::Active, ..key }));
                }
                KeyFate::Inactive => {
                    // INVARIANT (revocation is complete): what came from it ends with it.
                    let revoked = Some(Revoked { version: tx.version(), at: now });
                    let (status, unconfirmed) = (KeyStatus::Inactive, false);
                    tx.put(Entity::AccessKey(AccessKey { status, revoked, unconfirmed, ..key }));
                }
                KeyFate::Deleted => tx.delete(EntityKey::AccessKey(key.id)),
            }
            Ok(user)
        })
        .await
        .map_err(write_fault)?;
    Ok(ChangedKey { access_key_id: request.access_key_id.clone(), user })
}

/// Makes a long-term key for a user: the way back in when no administrator's key is left. Or for a
/// root user, who gets one in no other way.
///
/// The quota of keys a user is not looked at; whoever makes one here deletes what is not needed.
pub async fn create(asker: &Asker<'_>, request: &CreateKey) -> Result<CreatedKey, Fault> {
    let about = About { service: Service::Countersign, name: "CreateAccessKey", read_only: false };
    let context = asker.context();
    let described = json!({ "user": request.user });
    let trail =
        Trail::begin(context, &about, Effect::Mint, asker.user_identity(), described).await?;
    let result = make(context, request).await;
    let elements = match &result {
        Ok(made) => Ok(json!({ "accessKeyId": made.access_key_id, "user": request.user })),
        Err(fault) => Err(fault),
    };
    let recorded = trail.end(context, elements).await;
    let made = result?;
    // INVARIANT: without its outcome on record a credential is withheld.
    recorded?;
    Ok(made)
}

async fn make(context: &Context<'_>, request: &CreateKey) -> Result<CreatedKey, Fault> {
    let services = context.services;
    let random = &*services.random;
    let owner = Owner::parse(&request.user)?;
    let id = AccessKeyId::generate(AccessKeyKind::LongTerm, owner.account(), random)
        .map_err(Fault::internal)?;
    let secret = SecretAccessKey::generate(random).map_err(Fault::internal)?;
    services
        .directory
        .write(|tx| {
            let user = owner.find(tx.state())?;
            if tx.state().organized().is_closed(owner.account()) {
                return Err(Fault::validation(format!(
                    "The account {} is closed.",
                    owner.account()
                )));
            }
            if tx.state().access_key(&id).is_some() {
                return Err(Fault::unavailable("the access key ID that was drawn is taken"));
            }
            let sealed = stored::seal(&services.keyring, &user, &id, &secret, random)
                .map_err(Fault::internal)?;
            tx.put(Entity::AccessKey(AccessKey {
                id,
                user,
                sealed,
                status: KeyStatus::Active,
                created_at: context.facts.now.floor_secs(),
                revoked: None,
                unconfirmed: false,
                put_away: false,
            }));
            Ok(())
        })
        .await
        .map_err(write_fault)?;
    if let Owner::Root(account) = owner {
        // INVARIANT: no key of a root user goes unseen.
        tracing::warn!(%account, access_key_id = %id, "a key was made for the root user");
    }
    Ok(CreatedKey {
        access_key_id: id.to_string(),
        secret_access_key: zeroize::Zeroizing::new(secret.expose().to_owned()),
    })
}

#[cfg(test)]
mod tests;
