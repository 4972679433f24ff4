//! Whom an assertion is for, from whom, and when.
//!
//! Source: SAML core 2.4.1.2 and 2.5.1; SAML profiles 4.1.4.2 and 4.1.4.3.

use roxmltree::Node;

use super::error::SamlError;
use super::metadata::Metadata;
use super::response::ASSERTION;
use super::xml;
use super::{LEEWAY_SECS, REDEEM_SECS};
use crate::time::Timestamp;

const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What the provider's owner expects of a response.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The provider's metadata.
    pub metadata: &'a Metadata,
    /// The audiences that are us.
    pub audiences: &'a [String],
    /// The URLs that a browser posts responses for us to.
    pub recipients: &'a [String],
    /// Whether an assertion may say that it answers a request. We make none: a client that makes
    /// one by itself is the only one who can know whether it did.
    pub answers: bool,
    /// The time.
    pub now: Timestamp,
}

impl Expected<'_> {
    /// Refuses another issuer.
    pub(super) fn issuer(&self, issuer: Node<'_, '_>) -> Result<(), SamlError> {
        let entity = xml::attribute(issuer, "Format").is_none_or(|format| format == ENTITY);
        if entity && xml::text(issuer) == Some(self.metadata.entity_id()) {
            Ok(())
        } else {
            Err(SamlError::Issuer)
        }
    }

    /// Refuses what was to be sent to somebody else.
    pub(super) fn recipient(&self, url: &str) -> Result<(), SamlError> {
        let ours = self.recipients.iter().any(|ours| ours == url);
        if ours { Ok(()) } else { Err(SamlError::Recipient) }
    }

    /// Refuses an answer where nobody asked.
    pub(super) fn in_response_to(&self, request: Option<&str>) -> Result<(), SamlError> {
        if request.is_none() || self.answers { Ok(()) } else { Err(SamlError::InResponseTo) }
    }

    /// The times of an assertion that was issued at this time. Returns when it can no longer be
    /// shown.
    pub(super) fn issued(&self, at: Timestamp) -> Result<Timestamp, SamlError> {
        self.begun(at)?;
        let until = at.plus_secs(REDEEM_SECS);
        if self.now < until { Ok(until) } else { Err(SamlError::TooLate(until)) }
    }

    /// Checks `Conditions`. Returns its end, if it has one.
    pub(super) fn conditions(&self, node: Node<'_, '_>) -> Result<Option<Timestamp>, SamlError> {
        let end = self.window(node, "Conditions")?;
        let mut restricted = false;
        for child in xml::elements(node).ok_or(SamlError::Unknown("Conditions"))? {
            if xml::is(child, ASSERTION, "AudienceRestriction") {
                // Each must be met; of the audiences in one, any.
                self.audience(child)?;
                restricted = true;
            } else if !xml::is(child, ASSERTION, "OneTimeUse")
                && !xml::is(child, ASSERTION, "ProxyRestriction")
            {
                // Those two hold: an assertion is used once, and we make none from it. A condition
                // that is not understood is not met.
                return Err(SamlError::Unknown("Conditions"));
            }
        }
        if restricted { Ok(end) } else { Err(SamlError::Audience) }
    }

    fn audience(&self, restriction: Node<'_, '_>) -> Result<(), SamlError> {
        let mut ours = false;
        for child in xml::elements(restriction).ok_or(SamlError::Unknown("AudienceRestriction"))? {
            if !xml::is(child, ASSERTION, "Audience") {
                return Err(SamlError::Unknown("AudienceRestriction"));
            }
            let audience = xml::text(child).ok_or(SamlError::Malformed("Audience"))?;
            ours |= self.audiences.iter().any(|ours| ours == audience);
        }
        if ours { Ok(()) } else { Err(SamlError::Audience) }
    }

    /// Checks the one `SubjectConfirmation`. Returns its end and recipient.
    pub(super) fn confirmation<'a>(
        &self,
        node: Node<'a, '_>,
    ) -> Result<(Timestamp, &'a str), SamlError> {
        if xml::attribute(node, "Method") != Some(BEARER) {
            return Err(SamlError::Confirmation);
        }
        let children = xml::elements(node).ok_or(SamlError::Unknown("SubjectConfirmation"))?;
        let [data] = children.as_slice() else {
            return Err(SamlError::Count("SubjectConfirmationData"));
        };
        if !xml::is(*data, ASSERTION, "SubjectConfirmationData") {
            return Err(SamlError::Unknown("SubjectConfirmation"));
        }
        let recipient = xml::attribute(*data, "Recipient").ok_or(SamlError::Recipient)?;
        self.recipient(recipient)?;
        self.in_response_to(xml::attribute(*data, "InResponseTo"))?;
        let end = self.window(*data, "SubjectConfirmationData")?;
        let end = end.ok_or(SamlError::Malformed("SubjectConfirmationData"))?;
        Ok((end, recipient))
    }

    /// Checks an `AuthnStatement`. Returns when the session at the provider ends, if it says.
    pub(super) fn authentication(
        &self,
        node: Node<'_, '_>,
    ) -> Result<Option<Timestamp>, SamlError> {
        let malformed = SamlError::Malformed("AuthnStatement");
        let at = xml::attribute(node, "AuthnInstant").and_then(xml::time);
        self.begun(at.ok_or(malformed.clone())?)?;
        match xml::attribute(node, "SessionNotOnOrAfter") {
            None => Ok(None),
            Some(text) => {
                let end = xml::time(text).ok_or(malformed)?;
                self.not_over(end)?;
                Ok(Some(end))
            }
        }
    }

    /// `NotBefore` and `NotOnOrAfter` of an element.
    fn window(
        &self,
        node: Node<'_, '_>,
        name: &'static str,
    ) -> Result<Option<Timestamp>, SamlError> {
        let time = |attribute: &str| match xml::attribute(node, attribute) {
            None => Ok(None),
            Some(text) => xml::time(text).map(Some).ok_or(SamlError::Malformed(name)),
        };
        if let Some(start) = time("NotBefore")? {
            self.begun(start)?;
        }
        let end = time("NotOnOrAfter")?;
        if let Some(end) = end {
            self.not_over(end)?;
        }
        Ok(end)
    }

    fn begun(&self, at: Timestamp) -> Result<(), SamlError> {
        if at <= self.now.plus_secs(LEEWAY_SECS) { Ok(()) } else { Err(SamlError::NotYet(at)) }
    }

    /// No leeway: expiry is absolute.
    fn not_over(&self, at: Timestamp) -> Result<(), SamlError> {
        if self.now < at { Ok(()) } else { Err(SamlError::Expired(at)) }
    }
}
