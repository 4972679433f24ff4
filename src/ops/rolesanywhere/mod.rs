//! IAM Roles Anywhere, API version 2018-05-10: sessions of roles for whoever shows a certificate.
//!
//! # Model
//!
//! A *trust anchor* holds the authorities whose certificates an account takes. A *profile* lists roles
//! that those may get, and binds their sessions by policies and by time. A *revocation list* (CRL)
//! belongs to an anchor. `POST /sessions` ([`create_session()`]) gives a session of a role to whoever
//! shows a certificate of an anchor, in the request that its key signs or in the handshake of the
//! connection, if the role is in the profile and trusts `rolesanywhere.amazonaws.com` with what the
//! certificate says. Who came is kept as a *subject*.
//!
//! # Trust boundary
//!
//! Everything in `POST /sessions` is hostile until the certificate is verified
//! ([`crate::authn::certificate_identity`]). After that the certificate's names are the authority's
//! word; which of them become session tags is the profile's.
//!
//! INVARIANT (someone owns every resource): anchor, profile, list and role are of one account, the
//! anchor's. INVARIANT: whoever is not authenticated learns nothing of what exists; whoever is, but gets
//! no session, reads one text for every reason that is about profile and role.
//!
//! Source: IAM Roles Anywhere API reference and User Guide.

mod access;
pub mod anchors;
pub mod common;
mod create_session;
pub mod crls;
pub mod notifications;
pub mod profiles;
mod shapes;
pub mod subjects;
pub mod tags;

#[cfg(test)]
mod tests;

pub use create_session::create_session;

use super::json::{Row, row};

/// The service principal that roles have to trust.
pub const PRINCIPAL: &str = "rolesanywhere.amazonaws.com";

/// Every operation but CreateSession, whose requests no access key signs.
pub static ROWS: &[Row] = &[
    row::<anchors::CreateTrustAnchor>(),
    row::<anchors::GetTrustAnchor>(),
    row::<anchors::ListTrustAnchors>(),
    row::<anchors::UpdateTrustAnchor>(),
    row::<anchors::DeleteTrustAnchor>(),
    row::<anchors::EnableTrustAnchor>(),
    row::<anchors::DisableTrustAnchor>(),
    row::<profiles::CreateProfile>(),
    row::<profiles::GetProfile>(),
    row::<profiles::ListProfiles>(),
    row::<profiles::UpdateProfile>(),
    row::<profiles::DeleteProfile>(),
    row::<profiles::EnableProfile>(),
    row::<profiles::DisableProfile>(),
    row::<profiles::PutAttributeMapping>(),
    row::<profiles::DeleteAttributeMapping>(),
    row::<crls::ImportCrl>(),
    row::<crls::GetCrl>(),
    row::<crls::ListCrls>(),
    row::<crls::UpdateCrl>(),
    row::<crls::DeleteCrl>(),
    row::<crls::EnableCrl>(),
    row::<crls::DisableCrl>(),
    row::<subjects::GetSubject>(),
    row::<subjects::ListSubjects>(),
    row::<notifications::PutNotificationSettings>(),
    row::<notifications::ResetNotificationSettings>(),
    row::<tags::TagResource>(),
    row::<tags::UntagResource>(),
    row::<tags::ListTagsForResource>(),
];
