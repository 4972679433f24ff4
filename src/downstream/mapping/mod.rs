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
}

/// What a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What it does; all of it must be allowed. Never empty: what it does foremost stands first.
    pub deeds: Vec<Deed>,
    /// The rule about bodies of what it does, if it has one of its own.
    pub body: Option<BodyRule>,
    /// The condition keys of what it does, from signed input alone.
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

/// Headers by which some frameworks let a client name another method or path.
const OVERRIDES: &[&str] = &[
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Finds what a request means by a service's routes.
///
/// `target` is path and query as they were signed, `headers` are the client's.
pub fn find(
    routes: &[Route],
    method: &str,
    target: &str,
    headers: &[(&str, &[u8])],
) -> Result<Meaning, Unmapped> {
    refuse_overrides(target, headers)?;
    let (raw, _) = target.split_once('?').unwrap_or((target, ""));
    let segments = path::segments(raw)?;
    let mut matching = routes.iter().filter(|route| route.method == method);
    let found = matching.find_map(|route| Some((route, route.path.captures(&segments)?)));
    let (route, captures) = found.ok_or(Unmapped::NoRoute)?;
    let resource = route.resource.fill(&captures).ok_or(Unmapped::Capture)?;
    let deed = Deed { action: route.action.clone(), resource };
    Ok(Meaning { deeds: vec![deed], body: route.body, keys: Vec::new() })
}

/// Refuses what asks for another method or path than the one that was signed.
pub fn refuse_overrides(target: &str, headers: &[(&str, &[u8])]) -> Result<(), Unmapped> {
    for (name, _) in headers {
        // CGI and its heirs do not tell the two apart.
        let name = name.to_ascii_lowercase().replace('_', "-");
        if OVERRIDES.contains(&name.as_str()) {
            return Err(Unmapped::Override(name));
        }
    }
    let query = target.split_once('?').map_or("", |(_, query)| query);
    for parameter in query.split(['&', ';']) {
        let name = parameter.split('=').next().unwrap_or_default();
        if path::decode(name).is_ok_and(|name| name.eq_ignore_ascii_case(b"_method")) {
            return Err(Unmapped::Override("_method".to_owned()));
        }
    }
    Ok(())
}
