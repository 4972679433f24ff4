//! Downstream services: which there are, what their requests mean, and who may ask about them.
//!
//! # Model
//!
//! An operator registers each service as a `[[service]]` of the settings: the name that its clients
//! sign for, its hosts, region and owner, the accounts it serves, the [proxy](Proxy) in front of it,
//! what it does about [bodies](BodyRule), how its requests [map](mapping) to actions and resources,
//! and [who may ask](Asker). The [`Registry`] holds them, read once and checked whole; it is
//! replaced, never changed.
//!
//! # Trust boundary
//!
//! The settings are the operator's word. A question about a registered service takes host, region,
//! owner and mapping from here; whatever the asker says of them must agree.
//!
//! INVARIANT: the broker's own services are never registered, so nobody gets a signing key for them
//! or an answer about their actions.

mod asker;
mod host;
pub mod mapping;
mod registry;
mod service;
mod settings;
#[cfg(test)]
mod tests;

pub use asker::{Admission, Asker, AskerError, CertificateNames, Shown};
pub use host::{HostError, HostPattern, NOT_SERVED};
pub use registry::{Registry, RegistryError, Shared};
pub use service::{Invalid, Service, Signature, uri_rules};
pub use settings::{BodyRule, BuiltIn, Proxy, RouteSettings, ServiceSettings};

/// Every header with the name of this prefix is ours to set.
const OURS: &str = "x-countersign-";

/// Whether a header's name is one that only the broker sets.
///
/// INVARIANT: a service that believes these headers believes us. A request that brings one of them
/// is refused, whatever a proxy would make of it; `_` counts as `-`, as it does for CGI's heirs.
pub fn is_ours(name: &str) -> bool {
    name.get(..OURS.len()).is_some_and(|start| {
        start
            .bytes()
            .zip(OURS.bytes())
            .all(|(byte, ours)| byte.eq_ignore_ascii_case(&ours) || (ours == b'-' && byte == b'_'))
    })
}

/// The services that the broker itself serves, or will: by name in a scope and prefix of an action.
const OWN: &[&str] = &[
    "access-analyzer",
    "cloudtrail",
    "countersign",
    "eks",
    "eks-auth",
    "iam",
    "organizations",
    "rolesanywhere",
    "sts",
];

/// Whether a name is that of a service of the broker's own, in any case.
///
/// INVARIANT: nobody asks about the broker's own services and actions: it alone decides them.
pub fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
}
