//! Notification settings: refused. The broker sends no notifications of certificates that end, and
//! keeping settings for them would say that it does.

use serde_json::Value;

use super::{access, shapes};
use crate::directory::TrustAnchor;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// What settings are answered with.
pub(super) fn not_built() -> Fault {
    access::invalid("Notification settings are not supported: no notifications are sent here.")
}

fn refuse<O: JsonOperation>(context: &Context<'_>, id: &str) -> Result<Value, Fault> {
    let state = context.services.directory.snapshot();
    access::one::<O, TrustAnchor>(context, &state, id)?;
    Err(not_built())
}

macro_rules! refused {
    ($(#[$doc:meta])* $name:ident, $settings:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl JsonOperation for $name {
            const NAME: &'static str = stringify!($name);
            const SERVICE: Service = Service::RolesAnywhere;
            const EFFECT: Effect = Effect::Write;
            const INPUT: &'static [Member] = &[shapes::ANCHOR_ID, $settings];
            const FAULTS: &'static [FaultCode] = &[FaultCode::ResourceNotFound];
            type Request = String;

            fn read(input: &Input<'_>) -> Result<String, Fault> {
                Ok(input.required(shapes::ANCHOR_ID.name).to_owned())
            }

            async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
                refuse::<Self>(context, &id)
            }
        }
    };
}

refused!(
    /// Would set them.
    PutNotificationSettings, shapes::NEW_NOTIFICATIONS
);
refused!(
    /// Would set them back.
    ResetNotificationSettings, shapes::NOTIFICATION_KEYS
);
