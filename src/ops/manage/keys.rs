//! Long-term keys, on the admin socket: what only the host's operator may do with them.

use serde_json::json;

use crate::api::{ConfirmKeys, ConfirmedKeys, CreateKey, CreatedKey};
use crate::arn;
use crate::directory::{AccessKey, Entity, KeyStatus};
use crate::id::{AccessKeyId, AccessKeyKind};
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
                let (status, unconfirmed) = (KeyStatus::Active, false);
                tx.put(Entity::AccessKey(AccessKey { status, unconfirmed, ..key }));
            }
            Ok(ids)
        })
        .await
        .map_err(write_fault)?;
    Ok(ConfirmedKeys { access_key_ids: ids })
}

/// Makes a long-term key for a user: the way back in when no administrator's key is left.
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
    let (account, _, name) = arn::parse_user(&request.user).ok_or_else(|| {
        Fault::validation(format!(
            "user: the ARN of a user is expected: {:?} is not.",
            request.user
        ))
    })?;
    let id =
        AccessKeyId::generate(AccessKeyKind::LongTerm, account, random).map_err(Fault::internal)?;
    let secret = SecretAccessKey::generate(random).map_err(Fault::internal)?;
    services
        .directory
        .write(|tx| {
            let user = tx
                .state()
                .user_named(account, name)
                .filter(|user| user.arn() == request.user)
                .ok_or_else(|| Fault::no_such_entity(fault::Entity::User, name))?;
            if tx.state().access_key(&id).is_some() {
                return Err(Fault::unavailable("the access key ID that was drawn is taken"));
            }
            let user = user.id;
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
            }));
            Ok(())
        })
        .await
        .map_err(write_fault)?;
    Ok(CreatedKey {
        access_key_id: id.to_string(),
        secret_access_key: zeroize::Zeroizing::new(secret.expose().to_owned()),
    })
}
