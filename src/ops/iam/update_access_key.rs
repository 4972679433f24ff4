//! UpdateAccessKey: puts a long-term key out of use, or into use again.
//!
//! INVARIANT (revocation is complete): a key that becomes inactive takes the sessions that came
//! from it with it, for good. When it is active again it can make new ones.
//!
//! INVARIANT: a key that waits to be confirmed since a backup was restored is put into use by the
//! host's operator alone. The directory that came back does not know why it may have been out of use.
//!
//! Source: AWS IAM API reference, UpdateAccessKey.

use serde_json::Value;

use super::keys::Named;
use crate::directory::{AccessKey, Entity, KeyStatus, Revoked};
use crate::ops::fault::Fault;
use crate::ops::params;
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;

/// The operation.
pub struct UpdateAccessKey;

/// Which key, and what becomes of it.
pub struct Request {
    key: Named,
    status: KeyStatus,
}

impl Operation for UpdateAccessKey {
    const NAME: &'static str = "UpdateAccessKey";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        let words =
            [KeyStatus::Active, KeyStatus::Inactive].map(|status| (status.as_str(), status));
        params::read(params, |v| Request {
            key: Named::read(v),
            // What stands in for a word that is wrong is dropped unseen.
            status: v.required_choice("Status", &words).unwrap_or(KeyStatus::Inactive),
        })
    }

    fn describe(request: &Request) -> Value {
        let mut told = request.key.describe();
        if let Some(told) = told.as_object_mut() {
            told.insert("status".to_owned(), Value::from(request.status.as_str()));
        }
        told
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let key = request.key.find::<Self>(context, tx.state())?;
                if key.unconfirmed && request.status == KeyStatus::Active {
                    return Err(Fault::access_denied(format!(
                        "The access key {} is from a backup that was restored: the operator of \
                         the host puts it into use with 'countersign keys confirm'.",
                        key.id
                    )));
                }
                // INVARIANT: one that waits for the host's operator stays so, whatever the API is
                // asked for; to be rid of it, one deletes it.
                if key.status == request.status {
                    if key.unconfirmed && !key.put_away {
                        // What is put out of use now is not put into it by being confirmed.
                        let put_away = true;
                        tx.put(Entity::AccessKey(AccessKey { put_away, ..AccessKey::clone(&key) }));
                    }
                    return Ok(());
                }
                let revoked = match request.status {
                    KeyStatus::Active => key.revoked,
                    KeyStatus::Inactive => {
                        Some(Revoked { version: tx.version(), at: context.facts.now.floor_secs() })
                    }
                };
                let status = request.status;
                let key = AccessKey::clone(&key);
                tx.put(Entity::AccessKey(AccessKey { status, revoked, ..key }));
                Ok(())
            })
            .await
    }
}
