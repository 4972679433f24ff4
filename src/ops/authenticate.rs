//! Refused credentials in AWS's vocabulary.

use super::fault::{Fault, FaultCode};
use crate::authn::AuthnError;
use crate::sigv4::SigError;

impl From<AuthnError> for Fault {
    /// One text for every reason why a key is not accepted; the reason goes to the operator.
    fn from(error: AuthnError) -> Self {
        match error {
            AuthnError::Signature(error) => signature(&error),
            AuthnError::WrongService { ref expected } => Self::new(
                FaultCode::SignatureDoesNotMatch,
                format!("Credential should be scoped to correct service: '{expected}'."),
            ),
            AuthnError::WrongRegion { ref expected } => Self::new(
                FaultCode::SignatureDoesNotMatch,
                format!("Credential should be scoped to a valid region: '{expected}'."),
            ),
            AuthnError::Expired => Self::expired_token(),
            AuthnError::Unknown(_) | AuthnError::Refused(_) => {
                Self::invalid_client_token().with_note(error)
            }
            AuthnError::Ledger(error) => Self::unavailable(error),
        }
    }
}

fn signature(error: &SigError) -> Fault {
    let code = match error {
        // Codes of S3, where these modes are at home.
        SigError::PayloadMode | SigError::StreamingPayload => FaultCode::IncompleteSignature,
        SigError::PayloadMismatch => FaultCode::SignatureDoesNotMatch,
        other => FaultCode::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == other.code())
            .unwrap_or(FaultCode::SignatureDoesNotMatch),
    };
    Fault::new(code, error.public_message()).with_note(error)
}
