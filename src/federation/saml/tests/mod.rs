mod attributes;
mod c14n;
mod conditions;
mod form;
mod golden;
pub(crate) mod metadata;
mod mutation;
pub(crate) mod sign;
mod wrapping;
mod xml;

use super::*;
use crate::time::Timestamp;

pub(super) const ENTITY: &str = "https://idp.example/metadata";
pub(super) const NOW: i64 = 1_790_000_000;
pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/Admin";
pub(super) const PROVIDER: &str = "arn:aws:iam::123456789012:saml-provider/Corp";
pub(super) const SIGN_IN: &str = "https://signin.aws.amazon.com/saml";

pub(crate) fn encode(xml: &str) -> String {
    STANDARD.encode(xml)
}

/// Verifies XML at a time.
pub(super) fn verify_at(
    xml: &str,
    metadata: &Metadata,
    now: i64,
) -> Result<TrustedAssertion, SamlError> {
    let ours = [SIGN_IN.to_owned()];
    let now = Timestamp::from_secs(now);
    let expected = Expected { metadata, audiences: &ours, recipients: &ours, answers: false, now };
    verify(&encode(xml), &expected)
}
