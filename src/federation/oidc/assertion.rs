//! What a verified token says.

use super::claims::Claims;

/// A token whose signature is good, whose issuer is the expected one, and whose claims were found
/// as expected. Only [`Checked::verify`](super::Checked::verify) makes one.
#[derive(Clone, Debug)]
pub struct TrustedAssertion {
    issuer: String,
    claims: Claims,
}

impl TrustedAssertion {
    pub(super) fn of_verified(issuer: String, claims: Claims) -> Self {
        Self { issuer, claims }
    }

    /// The issuer's URL, as the token has it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What it says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Who it was issued to: the authorized party if it names one, otherwise its first audience
    /// that is among these.
    pub fn client<'a>(&'a self, client_ids: &[String]) -> Option<&'a str> {
        self.claims.authorized_party().or_else(|| {
            let ours =
                self.claims.audiences().iter().find(|audience| client_ids.contains(audience));
            ours.map(String::as_str)
        })
    }
}
