//! `SerialNumber` and `TokenCode`: a second factor shown with the request for a session.
//!
//! Source: AWS STS API reference, AssumeRole and GetSessionToken; IAM User Guide, "Secure API access
//! with MFA". The root user has no device here, and cannot show one.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::authn::PrincipalEntity;
use crate::directory::{Entity, MfaDevice, Snapshot};
use crate::mfa::Code;
use crate::ops::Context;
use crate::ops::fault::Fault;
use crate::ops::params::{Validator, rules};
use crate::ops::second_factor::{Attempt, Typed, attempt};
use crate::time::Timestamp;

/// What was shown.
pub(super) struct SecondFactor {
    serial: Option<String>,
    code: Option<Code>,
}

impl SecondFactor {
    /// Reads the parameters.
    pub(super) fn read(v: &mut Validator<'_, '_>) -> Self {
        Self {
            serial: v.optional("SerialNumber", &rules::SERIAL_NUMBER).map(ToOwned::to_owned),
            // What is no code breaks the rule as well.
            code: v.optional("TokenCode", &rules::TOKEN_CODE).and_then(Code::parse),
        }
    }

    /// The device's serial number.
    pub(super) fn serial_number(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// When it was shown, which is now; `None` if none was. A code that is taken here is used, whatever
    /// becomes of the request.
    ///
    /// # Errors
    /// `AccessDenied` in AWS's words; `ServiceUnavailable` or `InternalFailure` if the use could not be
    /// noted: then there is no second factor.
    pub(super) async fn check(&self, context: &Context<'_>) -> Result<Option<Timestamp>, Fault> {
        let (serial, code) = match (&self.serial, &self.code) {
            (None, None) => return Ok(None),
            (Some(serial), Some(code)) => (serial, code),
            _ => {
                return Err(failed("must provide both MFA serial number and one time pass code."));
            }
        };
        let tried = context
            .change(|tx| {
                context.still_standing(tx.state())?;
                let device = own(context, tx.state(), serial)?;
                let tried = attempt(context, tx, &device, &Typed::One(code))?;
                if let Attempt::Good(device) = &tried {
                    tx.put(Entity::MfaDevice(MfaDevice::clone(device)));
                }
                Ok(tried)
            })
            .await?;
        match tried {
            Attempt::Good(_) => Ok(Some(context.facts.now.floor_secs())),
            Attempt::Wrong => Err(failed("with invalid MFA one time pass code.")),
            Attempt::TooMany(secs) => {
                Err(failed(&format!("after too many wrong codes. Try again in {secs} seconds.")))
            }
        }
    }
}

/// The device of that serial number, if it is the calling user's.
fn own(context: &Context<'_>, state: &Snapshot, serial: &str) -> Result<Arc<MfaDevice>, Fault> {
    let user = match context.identity()?.principal() {
        PrincipalEntity::User(user) => Some(user.id),
        PrincipalEntity::Role(_) | PrincipalEntity::Root(_) | PrincipalEntity::Federated(_) => None,
    };
    let mut devices = user.into_iter().flat_map(|user| state.mfa_devices_of_user(user));
    devices.find(|device| device.arn() == serial).cloned().ok_or_else(|| {
        failed(
            "unable to validate MFA code.  Please verify your MFA serial number is valid and \
             associated with this user.",
        )
    })
}

/// AWS's words: some follow a comma, some do not.
fn failed(how: &str) -> Fault {
    let comma = if how.starts_with("with ") || how.starts_with("after ") { "" } else { "," };
    Fault::access_denied(format!("MultiFactorAuthentication failed{comma} {how}"))
}
