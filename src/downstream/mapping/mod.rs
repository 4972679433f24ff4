//! What a request means: from method and path to an action on a resource.
//!
//! # Model
//!
//! A service lists [`Route`]s: a method and a pattern of paths, an action, and a template of the
//! resource's ARN. A request that no route matches means nothing, and is denied. Routes that could
//! match one request are a mistake in the settings, so their order means nothing either. The query
//! is never part of a match.
//!
//! # Trust boundary
//!
//! The request is hostile. Whatever proxy, router and handler behind us may read in another way than
//! we do is refused before it is matched ([`path`]), and so is whatever asks for another method or
//! path than the one that was signed ([`Unmapped::Override`]).
//!
//! INVARIANT (authorize what is served): what a path puts into an ARN stands there as one literal
//! part of it: no wildcard, no colon, no variable, and a slash only in the rest at its end.

mod overrides;
pub mod path;
mod pattern;
pub mod s3;
mod template;
#[cfg(test)]
mod tests;

pub use path::PathProblem;
pub use pattern::{PathPattern, PatternError};
pub use template::{ResourceTemplate, TemplateError};

use super::BodyRule;
use crate::policy::Value;
use crate::sigv4::{Body, RequestHead};
use overrides::refuse_overrides;

/// A row of a mapping.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method, as it is sent.
    pub method: String,
    /// The paths.
    pub path: PathPattern,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: ResourceTemplate,
    /// What the service does about bodies here, if it says so.
    pub body: Option<BodyRule>,
}

impl Route {
    /// Whether some request could match both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.method == other.method && self.path.overlaps(&other.path)
    }
}

/// An action on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Such as `orders:GetOrder`.
    pub action: String,
    /// The ARN, or `*` where the action has no resource.
    pub resource: String,
    /// The condition keys of this alone: the version of a source is not one of the copy.
    pub keys: Vec<(String, Value)>,
}

impl Deed {
    /// Without condition keys of its own.
    pub fn new(action: String, resource: String) -> Self {
        Self { action, resource, keys: Vec::new() }
    }
}

/// What a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What it does; all of it must be allowed. Never empty: what it does foremost stands first.
    pub deeds: Vec<Deed>,
    /// The rule about bodies of what it does, if it has one of its own.
    pub body: Option<BodyRule>,
    /// The condition keys of all that it does, from signed input alone.
    pub keys: Vec<(String, Value)>,
}

/// A request means nothing that could be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmapped {
    /// The path may be read in several ways.
    #[error(transparent)]
    Path(#[from] PathProblem),
    /// It asks for another method or path than the one that was signed.
    #[error("`{0}` asks for another method or path than the one that was signed")]
    Override(String),
    /// A part of the path cannot stand in a resource's ARN.
    #[error(
        "a part of the path that names the resource holds one of * ? : $ {{ }}, which cannot stand there"
    )]
    Capture,
    /// No route matches.
    #[error("no route of the service matches this method and path")]
    NoRoute,
    /// No operation of S3 that we know looks like this.
    #[error("{0}")]
    S3(&'static str),
}

/// Finds what a request means by a service's routes.
///
/// The head is the client's, as it was signed.
pub fn find(routes: &[Route], head: &RequestHead<'_>, body: Body<'_>) -> Result<Meaning, Unmapped> {
    refuse_overrides(head, body)?;
    let RequestHead { method, target, .. } = *head;
    let (raw, _) = target.split_once('?').unwrap_or((target, ""));
    let segments = path::segments(raw)?;
    let mut matching = routes.iter().filter(|route| route.method == method);
    let found = matching.find_map(|route| Some((route, route.path.captures(&segments)?)));
    let (route, captures) = found.ok_or(Unmapped::NoRoute)?;
    let resource = route.resource.fill(&captures).ok_or(Unmapped::Capture)?;
    let deed = Deed::new(route.action.clone(), resource);
    Ok(Meaning { deeds: vec![deed], body: route.body, keys: Vec::new() })
}
