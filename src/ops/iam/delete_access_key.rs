//! DeleteAccessKey: the end of a long-term key, and of all sessions that came from it.
//!
//! Source: AWS IAM API reference, DeleteAccessKey.

use serde_json::Value;

use super::keys::Named;
use crate::directory::EntityKey;
use crate::ops::fault::Fault;
use crate::ops::params;
use crate::ops::{Context, Effect, Operation, Service};
use crate::wire::query::Params;

/// The operation.
pub struct DeleteAccessKey;

impl Operation for DeleteAccessKey {
    const NAME: &'static str = "DeleteAccessKey";
    const SERVICE: Service = Service::Iam;
    const EFFECT: Effect = Effect::Write;
    const HAS_RESULT: bool = false;
    type Request = Named;
    type Response = ();

    fn read(params: &Params) -> Result<Named, Fault> {
        params::read(params, Named::read)
    }

    fn describe(request: &Named) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Named) -> Result<(), Fault> {
        context
            .change(|tx| {
                let key = request.find::<Self>(context, tx.state())?;
                tx.delete(EntityKey::AccessKey(key.id));
                Ok(())
            })
            .await
    }
}
